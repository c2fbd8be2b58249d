#ifndef SOCKSPEC_CALL_STOP_H
#define SOCKSPEC_CALL_STOP_H

#include "call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a thread that has stopped at a system call is about to call, or has got: told by
 * PTRACE_GET_SYSCALL_INFO, or by its registers where there is no such thing. */

enum call_stop_kind {
    CALL_STOP_NONE, /* nothing that matters: let it go on */
    CALL_STOP_ENTRY,
    CALL_STOP_EXIT,
};

/* Registers do not say on which side of the call they are: the order of the stops does. */
enum call_side {
    CALL_SIDE_OUT,
    CALL_SIDE_FILTERED, /* the filter's stop is past, the call's own entry is still to come */
    CALL_SIDE_IN,
};

struct call_stop {
    enum call_stop_kind kind;
    bool native; /* ENTRY: of the kind of calls that call_of_number knows */
    int number;  /* ENTRY, as the next ones */
    uint64_t arguments[CALL_ARGUMENTS];
    uint64_t instruction, stack;
    int64_t result; /* EXIT */
};

/* Reads the stop. `filtered`: it is a stop of the seccomp filter. 0, or -1 with errno (ESRCH:
 * killed meanwhile). */
int call_stop_read(pid_t tid, bool filtered, enum call_side *side, struct call_stop *stop);

/* At the stop of an entry: the call is not made, and gives that result. */
void call_stop_skip(pid_t tid, enum call_side *side, int64_t result);

/* At the stop of an entry: the call is made with that argument. */
void call_stop_set_argument(pid_t tid, int index, uint64_t value);

#endif
