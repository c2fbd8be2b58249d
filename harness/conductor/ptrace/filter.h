#ifndef SOCKSPEC_FILTER_H
#define SOCKSPEC_FILTER_H

#include "reason.h"

#include <linux/filter.h>

/* The seccomp filter: every call in the table goes to the tracer (SECCOMP_RET_TRACE),
 * io_uring_setup is refused with ENOSYS (what goes through a ring would escape), all else passes.
 */

/* Compiles it. The caller frees program->filter. 0, or -1 with the reason. */
int filter_compile(struct sock_fprog *program, struct reason *why);

/* Puts it on the calling process. Async-signal-safe. 0, or -1 with errno. */
int filter_install(const struct sock_fprog *program);

#endif
