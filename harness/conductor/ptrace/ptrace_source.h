#ifndef SOCKSPEC_PTRACE_SOURCE_H
#define SOCKSPEC_PTRACE_SOURCE_H

#include "core.h"

/* Events from ptrace with a seccomp filter: only the calls in the table stop a program. */
extern const struct source ptrace_source;

#endif
