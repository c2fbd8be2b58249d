#include "tracee.h"

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

/* Untraced, an ignored signal would not even have woken the thread: let the call go on as if
 * nothing had been. */
static void mend(struct thread *thread)
{
    rewrite_result(thread, -EINTR, RESTART_ALWAYS);
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

/* A handler is about to run: the call that its signal cut short is decided now. True: held at its
 * leaving. */
static bool decide(struct core *core, struct thread *thread, unsigned long flags)
{
    struct tracee *tracee = tracee_of(thread);
    struct orders orders;

    if (tracee->mended) {
        rewrite_result(thread, RESTART_ALWAYS, -EINTR);
        tracee->mended = false;
    }
    if (!tracee->undecided)
        return false;
    if (handler_restarts(tracee->result, flags)) {
        suspend_call(thread);
        return false;
    }
    orders = tracee_leave(core, thread, -EINTR);
    tracee->step = STEP_SIGNAL;
    return !tracee_obey(thread, &orders);
}

void tracee_signal_stop(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    int number;

    if (ptrace(PTRACE_GETSIGINFO, thread->tid, 0, &tracee->signal) < 0)
        return; /* killed meanwhile */
    number = tracee->signal.si_signo;
    if (number <= 0 || number >= SIGNALS) {
        tracee->deliver = number;
        tracee_resume(thread);
        return;
    }
    switch (disposition_of(thread, number)) {
    case DISPOSITION_IGNORED:
        mend(thread);
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
