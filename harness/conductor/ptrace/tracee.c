#include "tracee.h"

#include "capability/capability.h"
#include "living.h"
#include "proc.h"

/* A thread that has been killed meanwhile answers ESRCH; its death is reported in its own time. */
void tracee_resume(struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    const bool every_call = !traced_of(thread->process)->filtered;
    const int deliver = tracee->deliver;

    tracee->deliver = 0;
    tracee->step = STEP_RESUME;
    if (traced_of(thread->process)->killed)
        return; /* or it would be sent on from its exit stop before we have seen it there */
    ptrace(tracee->inside || every_call ? PTRACE_SYSCALL : PTRACE_CONT, thread->tid, 0, deliver);
}

/* Has the threads that stand look for signals when they go on. */
void tracee_nudge(const struct process *process)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next)
        if (!can(CAN_WAKE_STOPPED) && proc_state(process->pid, thread->tid) == 't')
            ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
}

int tracee_kill(const struct process *process, int number)
{
    const int status = living_signal(process, number);

    if (status == 0 && number == SIGKILL)
        traced_of(process)->killed = true;
    else if (status == 0)
        tracee_nudge(process);
    return status;
}

void tracee_let_go(struct thread *thread)
{
    struct process *process = thread->process;
    const struct tracee *tracee = tracee_of(thread);
    const int deliver = tracee->step == STEP_SIGNAL ? tracee->signal.si_signo : tracee->deliver;

    ptrace(PTRACE_DETACH, thread->tid, 0, deliver);
    process->detached = true;
    core_thread_gone(thread);
}

/* Obeys what concerns no particular stop. True when the thread may go on. */
bool tracee_obey(struct thread *thread, const struct orders *orders)
{
    if (orders->signal)
        tracee_kill(thread->process, orders->signal);
    if (orders->detach && !orders->hold && !traced_of(thread->process)->filtered) {
        tracee_let_go(thread);
        return false;
    }
    return !orders->hold;
}
