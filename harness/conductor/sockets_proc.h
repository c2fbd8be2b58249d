#ifndef SOCKSPEC_SOCKETS_PROC_H
#define SOCKSPEC_SOCKETS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether the socket of that inode listens, by what /proc says of the network namespace that the
 * process is in. */
bool sockets_listens(pid_t pid, uint64_t inode);

#endif
