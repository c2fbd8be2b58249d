#include "tracee.h"

#include "proc.h"
#include "registers.h"

#include <string.h>
#include <sys/socket.h>

/* Calls that sleep till all their data have been moved. Woken before that they give the part that
 * was: untraced, no ignored signal does that to them. */

enum { FLAGS_ARGUMENT = 3 };

/* One that gathers or scatters is not among them: its rest would have to be written into the
 * program's memory. */
static bool moves_all(const struct progress *now)
{
    return call_is(now->call, "write") || call_is(now->call, "send") ||
           (call_is(now->call, "recv") && (now->arguments[FLAGS_ARGUMENT] & MSG_WAITALL));
}

/* SIGCONT wakes even a thread that blocks it. */
static bool signal_is_coming(pid_t tid)
{
    const uint64_t heard = ~proc_blocked_signals(tid) | UINT64_C(1) << (SIGCONT - 1);

    return (proc_pending_signals(tid) & heard) != 0;
}

bool tracee_moved_part(const struct thread *thread, int64_t result)
{
    const struct progress *now = &tracee_of(thread)->now;
    const int length = call_length_argument(now->call);

    return length >= 0 && result > 0 && (uint64_t)result < now->arguments[length] &&
           moves_all(now) && signal_is_coming(thread->tid);
}

static void put_arguments(struct registers *registers, const uint64_t arguments[CALL_ARGUMENTS],
                          const uint64_t present[CALL_ARGUMENTS])
{
    for (int i = 0; i < CALL_ARGUMENTS; i++) {
        if (arguments[i] != present[i])
            registers_set_argument(registers, i, arguments[i]);
    }
}

/* The data come right before their length. */
void tracee_move_rest(struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    struct progress *now = &tracee->now;
    const int length = call_length_argument(now->call);
    uint64_t rest[CALL_ARGUMENTS];
    struct registers registers;

    memcpy(rest, now->arguments, sizeof rest);
    rest[length] -= (uint64_t)tracee->result;
    rest[length - 1] += (uint64_t)tracee->result;
    if (registers_read(thread->tid, &registers) < 0)
        return;
    put_arguments(&registers, rest, now->arguments);
    registers_set_result(&registers, RESTART_ALWAYS);
    if (registers_write(thread->tid, &registers) < 0)
        return;
    memcpy(now->arguments, rest, sizeof rest);
    now->moved += tracee->result;
    tracee->result = RESTART_ALWAYS;
}

int64_t tracee_total(const struct thread *thread, int64_t result)
{
    const int64_t moved = tracee_of(thread)->now.moved;

    if (moved == 0)
        return result;
    return result > 0 ? moved + result : moved;
}

int64_t tracee_conclude(struct thread *thread, int64_t result)
{
    struct progress *now = &tracee_of(thread)->now;
    const int64_t total = tracee_total(thread, result);
    struct registers registers;

    if (memcmp(now->arguments, now->given, sizeof now->given) == 0 ||
        registers_read(thread->tid, &registers) < 0)
        return total;
    put_arguments(&registers, now->given, now->arguments);
    if (now->moved)
        registers_set_result(&registers, total);
    registers_write(thread->tid, &registers);
    memcpy(now->arguments, now->given, sizeof now->given);
    return total;
}
