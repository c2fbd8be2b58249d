#include "tracee.h"

#include "living.h"
#include "proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct thread *tracee_thread(struct process *process, pid_t tid)
{
    struct thread *thread = core_thread(process, tid);

    if (!thread)
        return NULL;
    thread->mechanism = calloc(1, sizeof(struct tracee));
    if (thread->mechanism)
        return thread;
    core_thread_gone(thread);
    return NULL;
}

struct process *tracee_process(struct core *core, const struct process *parent, pid_t pid,
                               enum born born, bool filtered)
{
    struct tracer *tracer = tracer_of(core);
    struct process *process = core_process(core, parent, pid, born);

    if (!process)
        return NULL;
    process->mechanism = calloc(1, sizeof(struct traced));
    if (!process->mechanism)
        return NULL;
    if (parent)
        *traced_of(process) = *traced_of(parent);
    traced_of(process)->filtered = filtered;
    traced_of(process)->killed = traced_of(process)->leaving = false;
    living_watch(process, tracer->deaths);
    tracer->living++;
    return process;
}

void tracee_birth(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    const bool first = thread->tid == thread->process->pid;
    struct orders orders = {0};

    tracee->newborn = false;
    if (first)
        orders = core_born(core, thread);
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

static bool forget_early(struct tracer *tracer, pid_t tid)
{
    for (int i = 0; i < tracer->early_count; i++) {
        if (tracer->early[i] == tid) {
            tracer->early[i] = tracer->early[--tracer->early_count];
            return true;
        }
    }
    return false;
}

void tracee_early(struct tracer *tracer, pid_t tid)
{
    if (tracer->early_count < EARLY_LIMIT)
        tracer->early[tracer->early_count++] = tid;
}

void tracee_fork_stop(struct core *core, struct thread *thread, int event)
{
    static const enum born borns[] = {[PTRACE_EVENT_FORK] = BORN_FORK,
                                      [PTRACE_EVENT_VFORK] = BORN_VFORK,
                                      [PTRACE_EVENT_CLONE] = BORN_CLONE};
    struct process *process = thread->process, *child = process;
    struct thread *newborn;
    struct orders orders = {0};
    unsigned long message = 0;
    pid_t tid;

    if (ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &message) < 0)
        return;
    tid = (pid_t)message;
    if (event != PTRACE_EVENT_CLONE || proc_thread_group(tid) != process->pid)
        child = tracee_process(core, process, tid, borns[event], traced_of(process)->filtered);
    newborn = child ? tracee_thread(child, tid) : NULL;
    if (!newborn) {
        tracee_resume(thread);
        return;
    }
    tracee_of(newborn)->newborn = true;
    if (child != process)
        orders = core_forked(core, thread, child);
    if (forget_early(tracer_of(core), tid))
        tracee_birth(core, newborn);
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

/* exec leaves one thread, under the leader's number, whichever thread called it. */
static void be_the_only_one(struct thread *survivor)
{
    struct process *process = survivor->process;

    for (struct thread *other = process->threads, *next; other; other = next) {
        next = other->next;
        if (other != survivor)
            core_thread_gone(other);
    }
    survivor->tid = process->pid;
}

void tracee_exec_stop(struct core *core, struct thread *thread)
{
    struct traced *traced = traced_of(thread->process);
    char link[48], path[4096];
    ssize_t length;
    struct orders orders;

    be_the_only_one(thread);
    for (int i = 0; i < SIGNALS; i++) {
        if (traced->dispositions[i].kind == DISPOSITION_HANDLER)
            traced->dispositions[i] = (struct signal_setting){DISPOSITION_DEFAULT, 0};
    }
    traced->emulated = false;
    tracee_of(thread)->depth = 0;
    tracee_of(thread)->side = CALL_SIDE_IN; /* the exec itself is still to be left */
    snprintf(link, sizeof link, "/proc/%d/exe", (int)thread->tid);
    length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    orders = core_executed(core, thread, path);
    tracee_of(thread)->step = STEP_RESUME;
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

/* From here on the kernel alone is in charge: with a tracer attached the parent would learn of the
 * death only when the tracer has reaped it. Where nothing else would tell us of it we stay, and
 * reap it at once. */
void tracee_finish(struct core *core, struct thread *thread)
{
    if (thread->process->life == LIFE_EXITING && !traced_of(thread->process)->leaving) {
        traced_of(thread->process)->leaving = true;
        tracer_of(core)->leaving++;
    }
    ptrace(thread->process->handle < 0 ? PTRACE_CONT : PTRACE_DETACH, thread->tid, 0, 0);
    core_thread_gone(thread);
}

void tracee_exit_stop(struct core *core, struct thread *thread)
{
    const bool last = thread->process->threads == thread && !thread->next;
    unsigned long status = 0;
    struct orders orders = {0};

    ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &status);
    if (last)
        orders = core_exiting(core, thread, (int)status);
    if (orders.signal)
        tracee_kill(thread->process, orders.signal);
    if (!orders.hold)
        tracee_finish(core, thread);
}

void tracee_bury(struct core *core, struct process *process, int status)
{
    const struct process *parent = core_find(core, process->parent);

    if (process->life == LIFE_DEAD)
        return;
    if (parent)
        tracee_nudge(parent); /* its SIGCHLD */
    if (traced_of(process)->leaving)
        tracer_of(core)->leaving--;
    core_dead(core, process, status);
    if (process->handle >= 0)
        close(process->handle);
    process->handle = -1;
    tracer_of(core)->living--;
}
