#ifndef SOCKSPEC_FILTER_H
#define SOCKSPEC_FILTER_H

#include "reason.h"

#include <linux/filter.h>

/* The seccomp filter: every call in the table goes to the tracer (SECCOMP_RET_TRACE),
 * io_uring_setup is refused with ENOSYS (what goes through a ring would escape), all else passes.
 */

/* Compiles it, unless that has been done. 0, or -1 with the reason. */
int filter_compile(struct reason *why);

/* What has been compiled; the module's own. */
const struct sock_fprog *filter_program(void);

/* Puts it on the calling process. Async-signal-safe. 0, or -1 with errno. */
int filter_install(const struct sock_fprog *program);

#endif
