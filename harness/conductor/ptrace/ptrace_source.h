#ifndef SOCKSPEC_PTRACE_SOURCE_H
#define SOCKSPEC_PTRACE_SOURCE_H

#include "core.h"

/* Events from ptrace with a seccomp filter: only the calls in the table stop a program. */
extern const struct source ptrace_source;

/* Prepares the core's mechanism: the filter, and the set of descriptors that tell of deaths. 0, or
 * -1 with the reason. */
int ptrace_open(struct core *core, struct reason *why);
void ptrace_close(struct core *core);

/* Becomes readable when a process has died. */
int ptrace_deaths(const struct core *core);

/* Handles what has come to pass so far, without waiting: stops and deaths. Before each stop is
 * reported, `before` is called (segments that were sent earlier are to be logged earlier). True
 * when there may be more. */
bool ptrace_pump(struct core *core, void (*before)(void *context), void *context);

#endif
