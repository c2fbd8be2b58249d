#include "ptrace_source.h"

#include "filter.h"
#include "living.h"
#include "proc.h"
#include "spawn.h"
#include "tracee.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static const long trace_options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                  PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                                  PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP;

/* A group-stop keeps the thread stopped, as it would untraced. */
static void event_stop(struct core *core, struct thread *thread, int number, bool was_stopped)
{
    if (tracee_of(thread)->newborn)
        tracee_birth(core, thread);
    else if (number == SIGTRAP)
        tracee_stop_over(core, thread, was_stopped);
    else
        thread->stopped = ptrace(PTRACE_LISTEN, thread->tid, 0, 0) == 0;
}

static void stopped(struct core *core, struct thread *thread, int status)
{
    const int event = status >> 16, number = WSTOPSIG(status);
    const bool was_stopped = thread->stopped;

    thread->stopped = false;
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        tracee_call_stop(core, thread, true);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        tracee_fork_stop(core, thread, event);
        break;
    case PTRACE_EVENT_EXEC:
        tracee_exec_stop(core, thread);
        break;
    case PTRACE_EVENT_EXIT:
        tracee_exit_stop(core, thread);
        break;
    case PTRACE_EVENT_STOP:
        event_stop(core, thread, number, was_stopped);
        break;
    default:
        if (number == (SIGTRAP | 0x80))
            tracee_call_stop(core, thread, false);
        else
            tracee_signal_stop(core, thread);
    }
}

/* An exec by another thread than the leader is told under the leader's number, after its end. */
static struct thread *find_thread(struct core *core, pid_t pid, int status)
{
    struct thread *thread = core_find_thread(core, pid);
    unsigned long former = 0;

    if (thread || status >> 16 != PTRACE_EVENT_EXEC ||
        ptrace(PTRACE_GETEVENTMSG, pid, 0, &former) < 0)
        return thread;
    return core_find_thread(core, (pid_t)former);
}

static void waited(struct core *core, pid_t pid, int status)
{
    struct process *process;

    if (WIFSTOPPED(status)) {
        struct thread *thread = find_thread(core, pid, status);

        if (thread)
            stopped(core, thread, status);
        else
            tracee_early(tracer_of(core), pid);
        return;
    }
    process = core_find_pid(core, pid);
    if (process)
        tracee_bury(core, process, status);
}

/* One that was let go, or that died too suddenly for an exit stop, has not told how it would end.
 */
static int status_of(const struct process *process)
{
    const int status = process->life == LIFE_EXITING ? -1 : proc_exit_status(process->pid);

    return status < 0 ? process->status : status;
}

static void collect_deaths(struct core *core)
{
    struct epoll_event events[16];
    const int count = epoll_wait(tracer_of(core)->deaths, events, 16, 0);

    for (int i = 0; i < count; i++) {
        struct process *process = events[i].data.ptr;

        tracee_bury(core, process, status_of(process));
    }
}

static bool pump(struct core *core, void (*before)(void *context), void *context)
{
    enum { ENOUGH = 64 }; /* the control channel wants its turn too */

    collect_deaths(core);
    for (int handled = 0; handled < ENOUGH; handled++) {
        int status;
        const pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

        if (pid <= 0)
            return false;
        before(context);
        /* A death is to be logged before what it sets off: the parent's SIGCHLD, its wait. */
        if (tracer_of(core)->leaving > 0)
            collect_deaths(core);
        waited(core, pid, status);
        sched_yield(); /* on one processor: lets the program run to its next stop */
    }
    return true;
}

/* --- orders of the core
 * -------------------------------------------------------------------------------- */

/* Sees the child through its own calls till it has become the program. 0, or -1 when it has ended
 * without. */
static int await_exec(pid_t pid)
{
    for (;;) {
        int status, deliver = 0;

        if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
            return -1;
        if (status >> 16 == PTRACE_EVENT_EXEC)
            return 0;
        if (status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80))
            deliver = WSTOPSIG(status);
        ptrace(PTRACE_CONT, pid, 0, deliver);
    }
}

/* The program is loaded: from here on it is a process of the lab, held at its exec. */
static struct process *adopt(struct core *core, pid_t pid, const char *emulates, bool filtered)
{
    struct process *process = tracee_process(core, NULL, pid, BORN_START, filtered);
    struct thread *thread = process ? tracee_thread(process, pid) : NULL;

    if (!thread)
        return NULL;
    if (emulates)
        core_name(process, emulates);
    tracee_exec_stop(core, thread);
    traced_of(process)->emulated = emulates != NULL;
    return process;
}

static int start(struct core *core, const struct request *request, const struct streams *streams,
                 struct process **process, struct reason *why)
{
    const struct luggage luggage = {.filter = request->detachable ? NULL : filter_program()};
    struct spawned spawned = {-1, -1, -1};
    int status = spawn(request, streams, &luggage, &spawned, why);

    if (status == 0 && ptrace(PTRACE_SEIZE, spawned.pid, 0, trace_options) < 0)
        status = because_of_errno(why, "PTRACE_SEIZE");
    if (status == 0 && write(spawned.go, "", 1) != 1)
        status = because_of_errno(why, "pipe");
    if (status == 0 && await_exec(spawned.pid) < 0)
        status = spawn_failure(&spawned, request, why);
    if (status == 0) {
        *process = adopt(core, spawned.pid, request->emulates, luggage.filter != NULL);
        if (!*process)
            status = because(why, "out of memory");
    }
    if (spawned.go >= 0)
        close(spawned.go);
    if (spawned.failed >= 0)
        close(spawned.failed);
    return status;
}

static void release(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);

    thread->held = false;
    if (thread->process->life == LIFE_EXITING)
        tracee_finish(core, thread);
    else if (traced_of(thread->process)->killed)
        tracee->step = STEP_RESUME;
    else if (tracee->step == STEP_ENTER)
        tracee_enter_call(core, thread, call_of_number(tracee->entry.number));
    else if (tracee->step == STEP_SIGNAL)
        tracee_report_signal(core, thread);
    else
        tracee_resume(thread);
}

static int signal_process(struct core *core, struct process *process, int number)
{
    (void)core;
    return tracee_kill(process, number);
}

static bool detachable(const struct process *process)
{
    return !traced_of(process)->filtered;
}

/* Every thread is held (the core has seen to it), so that none runs on with a tracer. */
static void detach(struct core *core, struct process *process)
{
    (void)core;
    while (process->threads)
        tracee_let_go(process->threads);
}

static void see_off(struct core *core, pid_t pid, int status)
{
    struct process *process = WIFSTOPPED(status) ? NULL : core_find_pid(core, pid);

    if (WIFSTOPPED(status))
        ptrace(PTRACE_CONT, pid, 0, 0); /* at its exit stop */
    else if (process)
        tracee_bury(core, process, status);
}

static void end(struct core *core)
{
    living_end(core, see_off);
}

static int open_tracer(struct core *core, struct reason *why)
{
    struct tracer *tracer = calloc(1, sizeof *tracer);

    if (!tracer)
        return because(why, "out of memory");
    core->mechanism = tracer;
    tracer->deaths = epoll_create1(EPOLL_CLOEXEC);
    if (tracer->deaths < 0)
        return because_of_errno(why, "epoll_create1");
    return filter_compile(why);
}

static void close_tracer(struct core *core)
{
    struct tracer *tracer = tracer_of(core);

    close(tracer->deaths);
    free(tracer);
}

static int deaths(const struct core *core)
{
    return tracer_of(core)->deaths;
}

const struct source ptrace_source = {
    .prepare = filter_compile,
    .open = open_tracer,
    .close = close_tracer,
    .descriptor = deaths,
    .pump = pump,
    .start = start,
    .release = release,
    .signal = signal_process,
    .detachable = detachable,
    .detach = detach,
    .classify = living_classify,
    .end = end,
};
