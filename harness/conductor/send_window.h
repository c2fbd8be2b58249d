#ifndef SOCKSPEC_SEND_WINDOW_H
#define SOCKSPEC_SEND_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes beyond the last acknowledged one the peer takes, as a TCP socket has heard it
 * last: from the kernel's struct tcp_info. -1: a kernel before 5.4, which does not tell. Pure. */
int64_t send_window(const void *info, size_t length);

#endif
