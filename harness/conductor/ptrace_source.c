#include "ptrace_source.h"

#include "filter.h"
#include "proc.h"
#include "registers.h"
#include "spawn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The stops of a thread, in the order in which they come:
 *
 *   seccomp ──PTRACE_SYSCALL──> call exit ──PTRACE_CONT──> [signal] ──PTRACE_CONT──> seccomp …
 *      └─> fork, exec: in between, inside the call
 *
 * A call that a signal has cut short shows a restart code (−512…) or −EINTR at its exit. Whether
 * the program will see EINTR is known only at the signal stop that follows: until then the call is
 * *undecided*.
 */

/* Results that never reach a program: the kernel's requests to itself to restart the call. */
enum {
    RESTART_SYS = -512,    /* unless a handler without SA_RESTART runs */
    RESTART_ALWAYS = -513, /* ERESTARTNOINTR */
    RESTART_UNLESS_HANDLER = -514,
    RESTART_BLOCK = -516, /* through restart_syscall, unless a handler runs */
};

enum { SIGNALS = 65, INTERRUPTED_DEPTH = 8, LIVING_LIMIT = 2000, EARLY_LIMIT = LIVING_LIMIT };

static const long trace_options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                  PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                                  PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP;

/* A call in progress: enough to know it again when the kernel restarts it. */
struct progress {
    const struct call_shape *call; /* NULL: not to be reported */
    uint64_t arguments[CALL_ARGUMENTS];
    uint64_t instruction, stack;
    uint64_t entered; /* seq */
    int restarted;
    enum injected injected;
};

enum step { STEP_RESUME, STEP_ENTER, STEP_SIGNAL };

struct tracee {
    enum step step; /* what is left to do at the stop it is held in */
    bool inside;    /* between a call's entry and its exit */
    bool undecided;
    bool mended;    /* −EINTR was turned into a restart, for an ignored signal */
    bool newborn;   /* its first stop is still to come */
    int deliver;    /* with the next resume */
    int64_t result; /* undecided */
    struct progress now;
    struct progress
        interrupted[INTERRUPTED_DEPTH]; /* to be restarted after their handler returns */
    int depth;
    struct __ptrace_syscall_info entry; /* STEP_ENTER */
    siginfo_t signal;                   /* STEP_SIGNAL */
};

struct signal_setting {
    enum disposition kind;
    unsigned long flags;
};

struct traced {
    bool filtered;
    bool leaving; /* past its exit stop: its death is near */
    struct signal_setting dispositions[SIGNALS];
};

struct tracer {
    struct sock_fprog filter;
    int deaths; /* epoll over the pidfds of the living */
    int living, leaving;
    pid_t early[EARLY_LIMIT]; /* newborn threads whose first stop came before their parent's fork
                                 event */
    int early_count;
};

static struct tracer *tracer_of(const struct core *core)
{
    return core->mechanism;
}

static struct tracee *tracee_of(const struct thread *thread)
{
    return thread->mechanism;
}

static struct traced *traced_of(const struct process *process)
{
    return process->mechanism;
}

/* --- going on
 * ------------------------------------------------------------------------------------------------
 */

/* A thread that has been killed meanwhile answers ESRCH; its death is reported in its own time. */
static void resume(struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    const bool every_call = !traced_of(thread->process)->filtered;
    const int deliver = tracee->deliver;

    tracee->deliver = 0;
    tracee->step = STEP_RESUME;
    ptrace(tracee->inside || every_call ? PTRACE_SYSCALL : PTRACE_CONT, thread->tid, 0, deliver);
}

static int send_signal(const struct process *process, int number)
{
    return (int)syscall(SYS_pidfd_send_signal, process->handle, number, NULL, 0);
}

static void let_go(struct thread *thread)
{
    struct process *process = thread->process;

    ptrace(PTRACE_DETACH, thread->tid, 0, tracee_of(thread)->deliver);
    process->detached = true;
    core_thread_gone(thread);
}

/* Obeys what concerns no particular stop. True when the thread may go on. */
static bool obey(struct thread *thread, const struct orders *orders)
{
    if (orders->signal)
        send_signal(thread->process, orders->signal);
    if (orders->detach && !orders->hold && !traced_of(thread->process)->filtered) {
        let_go(thread);
        return false;
    }
    return !orders->hold;
}

/* --- calls
 * ---------------------------------------------------------------------------------------------------
 */

static ssize_t read_memory(void *context, uint64_t address, void *buffer, size_t length)
{
    const struct thread *thread = context;
    const struct iovec here = {buffer, length}, there = {(void *)(uintptr_t)address, length};

    return process_vm_readv(thread->tid, &here, 1, &there, 1, 0);
}

static struct call_collected collect(struct thread *thread, enum call_phase phase, int64_t result,
                                     unsigned char *buffer)
{
    const struct progress *now = &tracee_of(thread)->now;

    return (struct call_collected){buffer,
                                   call_collect(now->call, phase, now->arguments, result,
                                                read_memory, thread, buffer, CALL_COLLECT_LIMIT)};
}

static bool same_call(const struct progress *progress, const struct call_shape *call,
                      const struct __ptrace_syscall_info *info)
{
    return progress->call == call && progress->instruction == info->instruction_pointer &&
           progress->stack == info->stack_pointer &&
           memcmp(progress->arguments, info->seccomp.args, sizeof progress->arguments) == 0;
}

/* Whether this entry goes on with a call that a signal had cut short. */
static bool restarts(struct thread *thread, const struct call_shape *call,
                     const struct __ptrace_syscall_info *info)
{
    struct tracee *tracee = tracee_of(thread);

    if (tracee->undecided && (call_is_restart(call) || same_call(&tracee->now, call, info))) {
        tracee->undecided = false;
        tracee->now.restarted++;
        return true;
    }
    for (int i = tracee->depth - 1; i >= 0 && !tracee->undecided; i--) {
        if (!same_call(&tracee->interrupted[i], call, info))
            continue;
        tracee->now = tracee->interrupted[i];
        tracee->now.restarted++;
        tracee->depth = i;
        thread->in = tracee->now.call;
        thread->entered = tracee->now.entered;
        return true;
    }
    return false;
}

static struct orders leave(struct core *core, struct thread *thread, int64_t result)
{
    struct tracee *tracee = tracee_of(thread);
    unsigned char buffer[CALL_COLLECT_LIMIT];
    const struct call_collected collected = collect(thread, CALL_LEAVE, result, buffer);

    thread->in = tracee->now.call;
    thread->entered = tracee->now.entered;
    tracee->undecided = false;
    return core_left(core, thread, result, tracee->now.restarted, tracee->now.injected, collected);
}

static void skip_call(struct thread *thread, int error)
{
    struct registers registers;

    tracee_of(thread)->now.injected = INJECTED_ERRNO;
    if (registers_read(thread->tid, &registers) == 0) {
        registers_skip_call(&registers, -error);
        registers_write(thread->tid, &registers);
    }
}

static void shorten_call(struct thread *thread, uint64_t length)
{
    struct progress *now = &tracee_of(thread)->now;
    const int place = call_length_argument(now->call);
    struct registers registers;

    if (place < 0 || now->arguments[place] <= length)
        return;
    now->injected = INJECTED_SHORT;
    now->arguments[place] = length;
    if (registers_read(thread->tid, &registers) == 0) {
        registers_set_argument(&registers, place, length);
        registers_write(thread->tid, &registers);
    }
}

static bool makes_process(int number)
{
    switch (number) {
#ifdef SYS_fork
    case SYS_fork:
#endif
#ifdef SYS_vfork
    case SYS_vfork:
#endif
    case SYS_clone:
    case SYS_clone3:
        return true;
    default:
        return false;
    }
}

/* A lab holds so many processes and no more: what a limit of the machine would do to a program that
 * forks for ever, without harm to the machine. */
static void limit_living(const struct core *core, int number, struct orders *orders)
{
    if (!orders->error && makes_process(number) && tracer_of(core)->living >= LIVING_LIMIT)
        orders->error = EAGAIN;
}

/* A call's entry that starts a new call, not one that is restarted. */
static void enter_call(struct core *core, struct thread *thread, const struct call_shape *call)
{
    struct tracee *tracee = tracee_of(thread);
    const struct __ptrace_syscall_info *info = &tracee->entry;
    unsigned char buffer[CALL_COLLECT_LIMIT];
    struct orders orders;

    tracee->now = (struct progress){
        .call = call, .instruction = info->instruction_pointer, .stack = info->stack_pointer};
    memcpy(tracee->now.arguments, info->seccomp.args, sizeof tracee->now.arguments);
    tracee->inside = true;
    orders = core_entered(core, thread, call, tracee->now.arguments,
                          collect(thread, CALL_ENTER, 0, buffer));
    tracee->now.entered = thread->entered;
    limit_living(core, (int)info->seccomp.nr, &orders);
    if (orders.error)
        skip_call(thread, orders.error);
    else if (orders.shorten)
        shorten_call(thread, orders.length);
    if (obey(thread, &orders))
        resume(thread);
}

static void enter(struct core *core, struct thread *thread,
                  const struct __ptrace_syscall_info *info)
{
    struct tracee *tracee = tracee_of(thread);
    const struct call_shape *call =
        info->arch == REGISTERS_AUDIT_ARCH ? call_of_number((int)info->seccomp.nr) : NULL;

    tracee->mended = false;
    if (!call) { /* without a filter every call stops here */
        tracee->inside = false;
        resume(thread);
        return;
    }
    if (restarts(thread, call, info)) {
        tracee->inside = true;
        resume(thread);
        return;
    }
    tracee->entry = *info;
    if (tracee
            ->undecided) { /* cut short, and yet no signal came: the program has seen the result */
        const struct orders orders = leave(core, thread, tracee->result);

        tracee->step = STEP_ENTER;
        if (!obey(thread, &orders))
            return;
    }
    enter_call(core, thread, call);
}

static bool cut_short(int64_t result)
{
    return result == -EINTR || result == RESTART_SYS || result == RESTART_ALWAYS ||
           result == RESTART_UNLESS_HANDLER || result == RESTART_BLOCK;
}

static void learn_disposition(struct core *core, struct thread *thread, int64_t result)
{
    const struct progress *now = &tracee_of(thread)->now;
    int number;
    enum disposition kind;
    unsigned long flags;

    if (result == 0 &&
        call_sigaction(now->call, now->arguments, core_collected(core, now->entered), &number,
                       &kind, &flags) &&
        number > 0 && number < SIGNALS)
        traced_of(thread->process)->dispositions[number] = (struct signal_setting){kind, flags};
}

static void exit_call(struct core *core, struct thread *thread, int64_t result)
{
    struct tracee *tracee = tracee_of(thread);
    struct orders orders;

    if (!tracee->inside || !tracee->now.call) {
        tracee->inside = false;
        resume(thread);
        return;
    }
    tracee->inside = false;
    if (cut_short(result) && tracee->now.injected != INJECTED_ERRNO) {
        tracee->undecided = true;
        tracee->result = result;
        resume(thread);
        return;
    }
    learn_disposition(core, thread, result);
    orders = leave(core, thread, result);
    if (obey(thread, &orders))
        resume(thread);
}

/* --- signals
 * -------------------------------------------------------------------------------------------------
 */

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

static void report_signal(struct core *core, struct thread *thread)
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
    if (obey(thread, &orders))
        resume(thread);
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
    orders = leave(core, thread, -EINTR);
    tracee->step = STEP_SIGNAL;
    return !obey(thread, &orders);
}

static void signal_stop(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    int number;

    if (ptrace(PTRACE_GETSIGINFO, thread->tid, 0, &tracee->signal) < 0)
        return; /* killed meanwhile */
    number = tracee->signal.si_signo;
    if (number <= 0 || number >= SIGNALS) {
        tracee->deliver = number;
        resume(thread);
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
    report_signal(core, thread);
}

/* --- births, execs, exits
 * ------------------------------------------------------------------------------------ */

static struct thread *add_thread(struct process *process, pid_t tid)
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

static struct process *add_process(struct core *core, const struct process *parent, pid_t pid,
                                   enum born born, bool filtered)
{
    struct tracer *tracer = tracer_of(core);
    struct process *process = core_process(core, parent, pid, born);
    struct epoll_event event = {.events = EPOLLIN};

    if (!process)
        return NULL;
    process->mechanism = calloc(1, sizeof(struct traced));
    if (!process->mechanism)
        return NULL;
    if (parent)
        *traced_of(process) = *traced_of(parent);
    traced_of(process)->filtered = filtered;
    traced_of(process)->leaving = false;
    process->handle = (int)syscall(SYS_pidfd_open, pid, 0);
    event.data.ptr = process;
    if (process->handle >= 0)
        epoll_ctl(tracer->deaths, EPOLL_CTL_ADD, process->handle, &event);
    tracer->living++;
    return process;
}

static void birth(struct core *core, struct thread *thread)
{
    struct tracee *tracee = tracee_of(thread);
    const bool first = thread->tid == thread->process->pid;
    struct orders orders = {0};

    tracee->newborn = false;
    if (first)
        orders = core_born(core, thread);
    if (obey(thread, &orders))
        resume(thread);
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

static void remember_early(struct tracer *tracer, pid_t tid)
{
    if (tracer->early_count < EARLY_LIMIT)
        tracer->early[tracer->early_count++] = tid;
}

static void fork_stop(struct core *core, struct thread *thread, int event)
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
        child = add_process(core, process, tid, borns[event], traced_of(process)->filtered);
    newborn = child ? add_thread(child, tid) : NULL;
    if (!newborn) {
        resume(thread);
        return;
    }
    tracee_of(newborn)->newborn = true;
    if (child != process)
        orders = core_forked(core, thread, child);
    if (forget_early(tracer_of(core), tid))
        birth(core, newborn);
    if (obey(thread, &orders))
        resume(thread);
}

/* exec leaves one thread, under the leader's number, whichever thread called it. */
static struct thread *only_survivor(struct thread *thread)
{
    struct process *process = thread->process;
    unsigned long former = 0;
    struct thread *survivor = thread;

    ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &former);
    for (struct thread *other = process->threads; other; other = other->next) {
        if (other->tid == (pid_t)former)
            survivor = other;
    }
    for (struct thread *other = process->threads, *next; other; other = next) {
        next = other->next;
        if (other != survivor)
            core_thread_gone(other);
    }
    survivor->tid = process->pid;
    return survivor;
}

static void exec_stop(struct core *core, struct thread *thread)
{
    struct traced *traced = traced_of(thread->process);
    char link[48], path[4096];
    ssize_t length;
    struct orders orders;

    thread = only_survivor(thread);
    for (int i = 0; i < SIGNALS; i++) {
        if (traced->dispositions[i].kind == DISPOSITION_HANDLER)
            traced->dispositions[i] = (struct signal_setting){DISPOSITION_DEFAULT, 0};
    }
    tracee_of(thread)->depth = 0;
    snprintf(link, sizeof link, "/proc/%d/exe", (int)thread->tid);
    length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    orders = core_executed(core, thread, path);
    tracee_of(thread)->step = STEP_RESUME;
    if (obey(thread, &orders))
        resume(thread);
}

/* From here on the kernel alone is in charge: with a tracer attached the parent would learn of the
 * death only when the tracer has reaped it. */
static void finish(struct core *core, struct thread *thread)
{
    if (thread->process->life == LIFE_EXITING && !traced_of(thread->process)->leaving) {
        traced_of(thread->process)->leaving = true;
        tracer_of(core)->leaving++;
    }
    ptrace(PTRACE_DETACH, thread->tid, 0, 0);
    core_thread_gone(thread);
}

static void exit_stop(struct core *core, struct thread *thread)
{
    const bool last = thread->process->threads == thread && !thread->next;
    unsigned long status = 0;
    struct orders orders = {0};

    ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, &status);
    if (last)
        orders = core_exiting(core, thread, (int)status);
    if (orders.signal)
        send_signal(thread->process, orders.signal);
    if (!orders.hold)
        finish(core, thread);
}

static void bury(struct core *core, struct process *process, int status)
{
    if (process->life == LIFE_DEAD)
        return;
    if (traced_of(process)->leaving)
        tracer_of(core)->leaving--;
    core_dead(core, process, status);
    if (process->handle >= 0)
        close(process->handle);
    process->handle = -1;
    tracer_of(core)->living--;
}

/* --- the pump
 * ------------------------------------------------------------------------------------------------
 */

/* A group-stop keeps the thread stopped, as it would untraced. */
static void event_stop(struct core *core, struct thread *thread, int number)
{
    if (tracee_of(thread)->newborn)
        birth(core, thread);
    else if (number == SIGTRAP)
        resume(thread);
    else
        ptrace(PTRACE_LISTEN, thread->tid, 0, 0);
}

static void call_stop(struct core *core, struct thread *thread)
{
    struct __ptrace_syscall_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0)
        return; /* killed meanwhile */
    switch (info.op) {
    case PTRACE_SYSCALL_INFO_ENTRY:
    case PTRACE_SYSCALL_INFO_SECCOMP: /* the two begin alike: number, arguments */
        enter(core, thread, &info);
        break;
    case PTRACE_SYSCALL_INFO_EXIT:
        exit_call(core, thread, info.exit.rval);
        break;
    default:
        resume(thread);
    }
}

static void stopped(struct core *core, struct thread *thread, int status)
{
    const int event = status >> 16, number = WSTOPSIG(status);

    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        call_stop(core, thread);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        fork_stop(core, thread, event);
        break;
    case PTRACE_EVENT_EXEC:
        exec_stop(core, thread);
        break;
    case PTRACE_EVENT_EXIT:
        exit_stop(core, thread);
        break;
    case PTRACE_EVENT_STOP:
        event_stop(core, thread, number);
        break;
    default:
        if (number == (SIGTRAP | 0x80))
            call_stop(core, thread);
        else
            signal_stop(core, thread);
    }
}

static void waited(struct core *core, pid_t pid, int status)
{
    struct process *process;

    if (WIFSTOPPED(status)) {
        struct thread *thread = core_find_thread(core, pid);

        if (thread)
            stopped(core, thread, status);
        else
            remember_early(tracer_of(core), pid);
        return;
    }
    process = core_find_pid(core, pid);
    if (process)
        bury(core, process, status);
}

static void collect_deaths(struct core *core)
{
    struct epoll_event events[16];
    const int count = epoll_wait(tracer_of(core)->deaths, events, 16, 0);

    for (int i = 0; i < count; i++) {
        struct process *process = events[i].data.ptr;

        bury(core, process, process->status);
    }
}

bool ptrace_pump(struct core *core, void (*before)(void *context), void *context)
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
 * -------------------------------------------------------------------------------------- */

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
static struct process *adopt(struct core *core, pid_t pid, bool filtered)
{
    struct process *process = add_process(core, NULL, pid, BORN_START, filtered);
    struct thread *thread = process ? add_thread(process, pid) : NULL;

    if (!thread)
        return NULL;
    exec_stop(core, thread);
    return process;
}

static int start(struct core *core, const struct request *request, int streams[3],
                 struct process **process, struct reason *why)
{
    const struct sock_fprog *filter = request->detachable ? NULL : &tracer_of(core)->filter;
    struct spawned spawned = {-1, -1, -1};
    int status = spawn(request, streams, filter, &spawned, why);

    if (status == 0 && ptrace(PTRACE_SEIZE, spawned.pid, 0, trace_options) < 0)
        status = because_of_errno(why, "PTRACE_SEIZE");
    if (status == 0 && write(spawned.go, "", 1) != 1)
        status = because_of_errno(why, "pipe");
    if (status == 0 && await_exec(spawned.pid) < 0)
        status = spawn_failure(&spawned, request, why);
    if (status == 0) {
        *process = adopt(core, spawned.pid, filter != NULL);
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
        finish(core, thread);
    else if (tracee->step == STEP_ENTER)
        enter_call(core, thread, call_of_number((int)tracee->entry.seccomp.nr));
    else if (tracee->step == STEP_SIGNAL)
        report_signal(core, thread);
    else
        resume(thread);
}

static int signal_process(struct core *core, struct process *process, int number)
{
    (void)core;
    return send_signal(process, number);
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
        let_go(process->threads);
}

static enum descriptor_class classify(const struct process *process, int descriptor)
{
    return proc_descriptor_class(process->handle, process->pid, descriptor);
}

const struct source ptrace_source = {
    .start = start,
    .release = release,
    .signal = signal_process,
    .detachable = detachable,
    .detach = detach,
    .classify = classify,
};

int ptrace_open(struct core *core, struct reason *why)
{
    struct tracer *tracer = calloc(1, sizeof *tracer);

    if (!tracer)
        return because(why, "out of memory");
    core->mechanism = tracer;
    tracer->deaths = epoll_create1(EPOLL_CLOEXEC);
    if (tracer->deaths < 0)
        return because_of_errno(why, "epoll_create1");
    return filter_compile(&tracer->filter, why);
}

void ptrace_close(struct core *core)
{
    struct tracer *tracer = tracer_of(core);

    close(tracer->deaths);
    free(tracer->filter.filter);
    free(tracer);
}

int ptrace_deaths(const struct core *core)
{
    return tracer_of(core)->deaths;
}
