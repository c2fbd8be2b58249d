#include "visitor.h"

#include "elf_kind.h"
#include "living.h"
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the library in a program reports, told to the core. */

static ssize_t read_memory(void *context, uint64_t address, void *buffer, size_t length)
{
    const struct thread *thread = context;

    return proc_read_memory(thread->tid, address, buffer, length);
}

static struct call_collected collect(struct thread *thread, const struct call_shape *call,
                                     enum call_phase phase, const struct report *report,
                                     unsigned char *buffer)
{
    return (struct call_collected){buffer,
                                   call_collect(call, phase, report->arguments, report->result,
                                                read_memory, thread, buffer, CALL_COLLECT_LIMIT)};
}

/* --- calls
 * -------------------------------------------------------------------------------------------- */

static bool makes_process(enum reported_call call)
{
    return call == REPORTED_clone || call == REPORTED_vfork;
}

/* A lab holds so many processes and no more. */
static void limit_living(struct core *core, enum reported_call call, struct orders *orders)
{
    if (orders->skip || !makes_process(call) || visits_of(core)->living < LIVING_LIMIT)
        return;
    orders->skip = true;
    orders->result = -EAGAIN;
    core->full = true;
}

static void prepare(struct visitor *visitor, const struct call_shape *call,
                    const struct report *report, const struct orders *orders)
{
    const int place = call_length_argument(call);

    visitor->restarted = 0;
    visitor->injected = INJECTED_NOT;
    if (orders->skip) {
        visitor->injected = orders->result < 0 ? INJECTED_ERRNO : INJECTED_VALUE;
        visitor->answer.skip = 1;
        visitor->answer.result = orders->result;
    } else if (orders->shorten && place >= 0 && report->arguments[place] > orders->length) {
        visitor->injected = INJECTED_SHORT;
        visitor->answer.shorten = place;
        visitor->answer.length = orders->length;
    }
}

/* What a program becomes that no library is loaded into is out of sight from then on. */
static void look_ahead(struct thread *thread, const struct report *report)
{
    char path[4096];
    const ssize_t got = proc_read_memory(thread->tid, report->arguments[0], path, sizeof path - 1);

    path[got < 0 ? 0 : got] = '\0';
    visited_of(thread->process)->blind = path[0] == '/' && elf_is_static(path);
}

static void entered(struct core *core, struct thread *thread, const struct report *report)
{
    const struct call_shape *call = visits_of(core)->shapes[report->call];
    unsigned char buffer[CALL_COLLECT_LIMIT];
    struct orders orders;

    if (report->call == REPORTED_execve)
        look_ahead(thread, report);
    orders = core_entered(core, thread, call, report->arguments,
                          collect(thread, call, CALL_ENTER, report, buffer));
    limit_living(core, (enum reported_call)report->call, &orders);
    prepare(visitor_of(thread), call, report, &orders);
    visitor_obey(core, thread, &orders);
}

static void resume(struct thread *thread)
{
    struct visitor *visitor = visitor_of(thread);
    const struct suspended *call = &visitor->handlers[--visitor->depth];

    thread->in = call->in;
    thread->entered = call->entered;
    thread->closes = call->closes;
    visitor->restarted = call->restarted;
    visitor->injected = call->injected;
}

/* A handler that was left by a jump never says that it has returned. */
static bool back_in(struct thread *thread, const struct call_shape *call)
{
    while (thread->in != call && visitor_of(thread)->depth > 0)
        resume(thread);
    return thread->in == call;
}

static void learn_ignored(struct core *core, struct thread *thread, const struct report *report)
{
    const struct call_shape *call = visits_of(core)->shapes[report->call];
    enum disposition disposition;
    unsigned long flags;
    int number;

    if (report->result == 0 &&
        call_sigaction(call, report->arguments, core_collected(core, thread->entered), &number,
                       &disposition, &flags) &&
        disposition == DISPOSITION_IGNORED)
        visited_of(thread->process)->ignores = true;
}

static void left(struct core *core, struct thread *thread, const struct report *report)
{
    const struct call_shape *call = visits_of(core)->shapes[report->call];
    const struct visitor *visitor = visitor_of(thread);
    struct orders orders = {0};

    visited_of(thread->process)->blind = false; /* after an exec that failed */
    learn_ignored(core, thread, report);
    if (back_in(thread, call)) {
        unsigned char buffer[CALL_COLLECT_LIMIT];

        orders = core_left(core, thread, report->result,
                           report->result == -EINTR ? 0 : visitor->restarted, visitor->injected,
                           collect(thread, call, CALL_LEAVE, report, buffer));
    }
    visitor_obey(core, thread, &orders);
}

/* --- signals
 * ------------------------------------------------------------------------------------------ */

static void suspend(struct thread *thread)
{
    struct visitor *visitor = visitor_of(thread);

    if (visitor->depth == HANDLERS_DEPTH) { /* left by jumps, most likely: forget the oldest */
        memmove(visitor->handlers, visitor->handlers + 1,
                (HANDLERS_DEPTH - 1) * sizeof *visitor->handlers);
        visitor->depth--;
    }
    visitor->handlers[visitor->depth++] = (struct suspended){
        thread->in, thread->entered, thread->closes, visitor->restarted, visitor->injected};
    thread->in = NULL;
    thread->closes = CLASS_ANY;
}

static void signalled(struct core *core, struct thread *thread, const struct report *report)
{
    const struct orders orders =
        core_signal(core, thread, report->number, report->from,
                    report->fatal ? DISPOSITION_DEFAULT : DISPOSITION_HANDLER);
    struct visitor *visitor = visitor_of(thread);

    if (!report->fatal) {
        if (report->flags & SA_RESTART)
            visitor->restarted++;
        suspend(thread);
    }
    visitor_obey(core, thread, &orders);
}

static void handled(struct thread *thread)
{
    if (visitor_of(thread)->depth > 0)
        resume(thread);
}

static void unable(struct core *core, const struct process *process, const struct report *report)
{
    core->unable = true;
    core->unable_why.lacks = "ptrace";
    because(&core->unable_why,
            "%s was to begin %s with a signal pending, which needs control by ptrace: from inside "
            "a process the handler runs before the call",
            process->name, call_name(visits_of(core)->shapes[report->call]));
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

/* The one thread that an exec leaves. */
static struct thread *only_thread(struct core *core, struct process *process, pid_t tid,
                                  uint32_t slot)
{
    struct thread *thread = NULL;

    for (struct thread *other = process->threads, *next; other; other = next) {
        next = other->next;
        if (other->tid == tid)
            thread = other;
        else
            visitor_gone(core, other);
    }
    if (!thread)
        return visitor_thread(process, tid, slot);
    if (visitor_of(thread)->slot != slot)
        atomic_store(&visits_of(core)->slots[visitor_of(thread)->slot].owner, 0);
    visitor_of(thread)->slot = slot;
    visitor_of(thread)->depth = 0;
    return thread;
}

void heard_become(struct core *core, struct thread *thread)
{
    struct orders orders = {0};

    visitor_of(thread)->becoming = false;
    if (thread->in)
        orders = core_left(core, thread, 0, 0, INJECTED_NOT, (struct call_collected){NULL, 0});
    visitor_obey(core, thread, &orders);
}

static struct process *whose_exec(struct core *core, const struct report *report)
{
    struct visits *visits = visits_of(core);
    struct process *process = core_find_pid(core, report->pid);

    if (process && process->life != LIFE_DEAD)
        return process;
    if (report->pid != visits->starting)
        return visitor_process(core, core_find_pid(core, report->number), report->pid, BORN_VFORK);
    visits->starting = 0;
    return visitor_process(core, NULL, report->pid, BORN_START);
}

static void executed(struct core *core, const struct report *report)
{
    struct process *process = whose_exec(core, report);
    struct thread *thread =
        process ? only_thread(core, process, report->thread, report->slot) : NULL;
    char link[48], path[4096];
    struct orders orders;
    ssize_t length;

    if (!thread)
        return;
    snprintf(link, sizeof link, "/proc/%d/exe", (int)process->pid);
    length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    visited_of(process)->blind = false;
    orders = core_executed(core, thread, path);
    visitor_of(thread)->becoming = true;
    if (orders.signal)
        living_signal(process, orders.signal);
    if (!orders.hold)
        heard_become(core, thread);
}

/* Parent and child both tell of a birth, and either may be the first. */
static struct process *birth(struct core *core, struct process *parent, pid_t pid)
{
    struct process *child = core_find_pid(core, pid);
    struct thread *thread = parent ? parent->threads : NULL;

    if (child && child->life != LIFE_DEAD)
        return child;
    while (thread && !(thread->in && call_is(thread->in, "fork")))
        thread = thread->next;
    child = visitor_process(core, parent, pid, BORN_FORK);
    if (child && thread)
        visited_of(parent)->ordered = core_forked(core, thread, child);
    return child;
}

static void born(struct core *core, const struct report *report)
{
    struct process *child = birth(core, core_find_pid(core, report->number), report->pid);
    struct thread *thread = child ? visitor_thread(child, report->thread, report->slot) : NULL;
    struct orders orders;

    if (!thread)
        return;
    orders = core_born(core, thread);
    visitor_obey(core, thread, &orders);
}

static void forked(struct core *core, struct thread *thread, const struct report *report)
{
    struct orders orders;

    birth(core, thread->process, report->number);
    orders = visited_of(thread->process)->ordered;
    visited_of(thread->process)->ordered = (struct orders){0};
    visitor_obey(core, thread, &orders);
}

static void exiting(struct core *core, struct thread *thread, const struct report *report)
{
    const struct orders orders = core_exiting(core, thread, report->number);

    visitor_obey(core, thread, &orders);
}

static void reaped(struct core *core, const struct report *report)
{
    struct process *child = core_find_pid(core, report->number);

    if (child)
        visitor_bury(core, child, (int)report->result);
}

/* A thread is known from the first that it tells. */
static struct thread *who(struct core *core, const struct report *report)
{
    struct thread *thread = core_find_thread(core, report->thread);
    struct process *process = thread ? NULL : core_find_pid(core, report->pid);

    if (thread || !process || process->life == LIFE_DEAD || process->detached)
        return thread;
    return visitor_thread(process, report->thread, report->slot);
}

void heard(struct core *core, const struct report *report, void (*deaths)(struct core *core))
{
    struct thread *thread;

    if (report->kind == REPORT_EXEC) {
        executed(core, report);
        return;
    }
    if (report->kind == REPORT_BORN) {
        born(core, report);
        return;
    }
    deaths(core);
    thread = who(core, report);
    if (!thread || report->call < 0 || report->call >= REPORTED_CALLS)
        return;
    switch (report->kind) {
    case REPORT_ENTER:
        entered(core, thread, report);
        break;
    case REPORT_LEAVE:
        left(core, thread, report);
        break;
    case REPORT_SIGNAL:
        signalled(core, thread, report);
        break;
    case REPORT_HANDLED:
        handled(thread);
        break;
    case REPORT_FORKED:
        forked(core, thread, report);
        break;
    case REPORT_EXITING:
        exiting(core, thread, report);
        break;
    case REPORT_REAPED:
        reaped(core, report);
        break;
    case REPORT_UNABLE:
        unable(core, thread->process, report);
        break;
    case REPORT_GONE:
        visitor_gone(core, thread);
        break;
    default: /* from a program that writes where it should not */
        break;
    }
}
