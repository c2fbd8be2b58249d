#include "tracee.h"

#include "proc.h"
#include "registers.h"

#include <errno.h>
#include <string.h>

static bool ignored_by_default(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

static enum disposition disposition_of(const struct thread *thread, int number)
{
    const struct signal_setting *set = &traced_of(thread->process)->dispositions[number];

    if (set->kind == DISPOSITION_DEFAULT && ignored_by_default(number))
        return DISPOSITION_IGNORED;
    return set->kind;
}

static void rewrite_result(struct thread *thread, int64_t from, int64_t to)
{
    struct registers registers;

    if (registers_read(thread->tid, &registers) < 0 || !registers_in_call(&registers) ||
        registers_result(&registers) != from)
        return;
    registers_set_result(&registers, to);
    registers_write(thread->tid, &registers);
    tracee_of(thread)->mended = to == RESTART_ALWAYS;
}

/* Untraced, what woke the thread would not even have done so: let the call go on as if nothing had
 * been. */
static void mend(struct thread *thread)
{
    const struct tracee *tracee = tracee_of(thread);

    if (tracee->undecided && tracee->result > 0)
        tracee_move_rest(thread);
    else
        rewrite_result(thread, -EINTR, RESTART_ALWAYS);
}

static void unmend(struct thread *thread)
{
    if (tracee_of(thread)->mended)
        rewrite_result(thread, RESTART_ALWAYS, -EINTR);
    tracee_of(thread)->mended = false;
}

/* The kernel drops an ignored signal, unless the thread that it is sent to, the leader for one that
 * is sent to the process, blocks it: then it is kept, and wakes whoever does not. */
static bool would_have_been_dropped(const struct thread *thread, const siginfo_t *signal)
{
    const pid_t leader = thread->process->pid;

    return signal->si_code == SI_TKILL || thread->tid == leader ||
           !(proc_blocked_signals(leader) & UINT64_C(1) << (signal->si_signo - 1));
}

static bool handler_restarts(int64_t result, unsigned long flags)
{
    return result == RESTART_ALWAYS || (result == RESTART_SYS && (flags & SA_RESTART));
}

static void suspend_call(struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);

    if (tracee->depth == INTERRUPTED_DEPTH) { /* left by longjmp, most likely: forget the oldest */
        memmove(tracee->interrupted, tracee->interrupted + 1,
                (INTERRUPTED_DEPTH - 1) * sizeof *tracee->interrupted);
        tracee->depth--;
    }
    tracee->interrupted[tracee->depth++] = tracee->now;
    tracee->undecided = false;
    thread->in = NULL;
}

void tracee_report_signal(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    const int number = tracee->signal.si_signo;
    struct signal_setting *set = &traced_of(thread->process)->dispositions[number];
    const enum disposition disposition = disposition_of(thread, number);
    const pid_t from = tracee->signal.si_code <= 0 || number == SIGCHLD ? tracee->signal.si_pid : 0;
    const struct orders orders = core_signal(core, thread, number, from, disposition);

    if (disposition == DISPOSITION_HANDLER && (set->flags & SA_RESETHAND))
        *set = (struct signal_setting){DISPOSITION_DEFAULT, 0};
    tracee->deliver = disposition == DISPOSITION_IGNORED ? 0 : number;
    tracee->step = STEP_RESUME;
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

/* What a call that will not be restarted gives: a part, if one was moved. */
static int64_t interrupted(struct thread *thread)
{
    const int64_t result = tracee_of(thread)->result;

    return tracee_conclude(thread, result > 0 ? result : -EINTR);
}

/* Whether the result is one that no restart follows, handler or not. */
static bool is_final(const struct tracee *tracee)
{
    return tracee->undecided &&
           (tracee->result == -EINTR || tracee->result > 0 || tracee->now.moved > 0);
}

/* The signal has ended the call. True: held at its leaving. */
static bool end_call(struct core *core, struct thread *thread)
{
    const struct orders orders = tracee_leave(core, thread, interrupted(thread));

    tracee_of(thread)->step = STEP_SIGNAL;
    return !tracee_obey(thread, &orders);
}

/* A handler is about to run: the call that its signal cut short is decided now. True: held at its
 * leaving. */
static bool decide(struct core *core, struct thread *thread, unsigned long flags)
{
    struct tracee *tracee = tracee_of(thread);

    unmend(thread);
    if (!tracee->undecided)
        return false;
    if (tracee->now.moved > 0 || !handler_restarts(tracee->result, flags))
        return end_call(core, thread);
    suspend_call(thread);
    return false;
}

/* No handler will run. True: held at the leaving of the call that was cut short all the same. */
static bool ignore(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);

    if (would_have_been_dropped(thread, &tracee->signal)) {
        mend(thread);
        return false;
    }
    unmend(thread);
    return is_final(tracee) && end_call(core, thread);
}

/* By faults an emulator notices that its program writes to what it has translated; one that is the
 * program's own it sends on, as a signal from itself. */
static bool is_the_emulators(const struct thread *thread, const siginfo_t *signal)
{
    const bool fault =
        (signal->si_signo == SIGSEGV || signal->si_signo == SIGBUS) && signal->si_code > 0;

    return fault && traced_of(thread->process)->emulated;
}

void tracee_signal_stop(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    int number;

    if (ptrace(PTRACE_GETSIGINFO, thread->tid, 0, &tracee->signal) < 0)
        return; /* killed meanwhile */
    number = tracee->signal.si_signo;
    if (number <= 0 || number >= SIGNALS || is_the_emulators(thread, &tracee->signal)) {
        tracee->deliver = number;
        tracee_resume(thread);
        return;
    }
    switch (disposition_of(thread, number)) {
    case DISPOSITION_IGNORED:
        if (ignore(core, thread))
            return;
        break;
    case DISPOSITION_HANDLER:
        if (decide(core, thread, traced_of(thread->process)->dispositions[number].flags))
            return;
        break;
    case DISPOSITION_DEFAULT:
        break;
    }
    tracee_report_signal(core, thread);
}

/* A stop makes some calls give EINTR, without any handler. That is final: as the result of no call
 * it is out of reach of what comes with SIGCONT. */
static void settle(struct thread *thread)
{
    struct registers registers;

    unmend(thread);
    if (registers_read(thread->tid, &registers) < 0 || !registers_in_call(&registers) ||
        registers_result(&registers) != -EINTR)
        return;
    registers_skip_call(&registers, -EINTR);
    registers_write(thread->tid, &registers);
}

void tracee_stop_over(struct core *core, struct thread *thread, bool was_stopped)
{
    const struct tracee *tracee = tracee_of(thread);
    struct orders orders = {0};

    if (was_stopped)
        settle(thread);
    else
        mend(thread);
    if (was_stopped && is_final(tracee))
        orders = tracee_leave(core, thread, interrupted(thread));
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}
