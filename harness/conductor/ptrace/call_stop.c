#include "call_stop.h"

#include "capability/capability.h"
#include "registers.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

/* The two of an entry, the filter's and the call's own, begin alike: number, arguments. */
static int read_information(pid_t tid, struct call_stop *stop)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0)
        return -1;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        *stop = (struct call_stop){.kind = CALL_STOP_EXIT, .result = info.exit.rval};
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
        *stop = (struct call_stop){.kind = CALL_STOP_ENTRY,
                                   .native = info.arch == REGISTERS_AUDIT_ARCH,
                                   .number = (int)info.entry.nr,
                                   .instruction = info.instruction_pointer,
                                   .stack = info.stack_pointer};
        memcpy(stop->arguments, info.entry.args, sizeof stop->arguments);
    } else {
        *stop = (struct call_stop){.kind = CALL_STOP_NONE};
    }
    return 0;
}

/* A newborn thread may stop at the exit of the call that made it, which it has not entered. */
static enum call_stop_kind take_side(const struct registers *registers, bool filtered,
                                     enum call_side *side)
{
    const enum call_side before = *side;

    if (filtered) {
        *side = can(CAN_SECCOMP_LAST) ? CALL_SIDE_IN : CALL_SIDE_FILTERED;
        return CALL_STOP_ENTRY;
    }
    if (before == CALL_SIDE_OUT && !registers_entering(registers))
        return CALL_STOP_NONE;
    *side = before == CALL_SIDE_IN ? CALL_SIDE_OUT : CALL_SIDE_IN;
    return before == CALL_SIDE_OUT  ? CALL_STOP_ENTRY
           : before == CALL_SIDE_IN ? CALL_STOP_EXIT
                                    : CALL_STOP_NONE;
}

static int read_registers(pid_t tid, bool filtered, enum call_side *side, struct call_stop *stop)
{
    struct registers registers;

    if (registers_read(tid, &registers) < 0)
        return -1;
    *stop = (struct call_stop){.kind = take_side(&registers, filtered, side),
                               .native = registers_are_native(&registers),
                               .number = registers_number(&registers),
                               .instruction = registers_instruction(&registers),
                               .stack = registers_stack(&registers),
                               .result = registers_result(&registers)};
    for (int i = 0; i < CALL_ARGUMENTS; i++)
        stop->arguments[i] = registers_argument(&registers, i);
    return 0;
}

int call_stop_read(pid_t tid, bool filtered, enum call_side *side, struct call_stop *stop)
{
    return can(CAN_SYSCALL_INFO) ? read_information(tid, stop)
                                 : read_registers(tid, filtered, side, stop);
}

void call_stop_skip(pid_t tid, enum call_side *side, int64_t result)
{
    struct registers registers;

    if (registers_read(tid, &registers) < 0)
        return;
    registers_skip_call(&registers, result);
    registers_write(tid, &registers);
    *side = CALL_SIDE_IN; /* it is not entered any more, but left */
}

void call_stop_set_argument(pid_t tid, int index, uint64_t value)
{
    struct registers registers;

    if (registers_read(tid, &registers) < 0)
        return;
    registers_set_argument(&registers, index, value);
    registers_write(tid, &registers);
}
