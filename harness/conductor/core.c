#include "core.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_CAPACITY = 512 << 20 };

struct core *core_open(const struct source *source)
{
    struct core *core = calloc(1, sizeof *core);

    if (!core)
        return NULL;
    core->source = source;
    core->last_process = &core->processes;
    core->log = log_open(LOG_CAPACITY);
    if (!core->log) {
        free(core);
        return NULL;
    }
    return core;
}

static void forget_threads(struct process *process)
{
    for (struct thread *thread = process->threads, *next; thread; thread = next) {
        next = thread->next;
        free(thread->mechanism);
        free(thread);
    }
    process->threads = NULL;
}

static void process_free(struct process *process)
{
    forget_threads(process);
    if (process->handle >= 0)
        close(process->handle);
    free(process->mechanism);
    free(process);
}

void core_close(struct core *core)
{
    while (core->watches)
        core_disarm(core, core->watches);
    while (core->processes) {
        struct process *next = core->processes->next;

        process_free(core->processes);
        core->processes = next;
    }
    log_close(core->log);
    free(core);
}

const char *born_name(enum born born)
{
    static const char *const names[BORN_KINDS] = {[BORN_START] = "start",
                                                  [BORN_FORK] = "fork",
                                                  [BORN_VFORK] = "vfork",
                                                  [BORN_CLONE] = "clone"};

    return names[born];
}

/* --- processes and threads
 * ---------------------------------------------------------------------------------- */

struct process *core_process(struct core *core, const struct process *parent, pid_t pid,
                             enum born born)
{
    struct process *process = calloc(1, sizeof *process);

    if (!process)
        return NULL;
    process->number = ++core->born;
    process->program = parent ? parent->program : process->number;
    process->parent = parent ? parent->number : 0;
    process->pid = pid;
    process->born = born;
    process->host = parent ? parent->host : 0;
    process->life = parent ? LIFE_RUNNING : LIFE_LOADING;
    process->handle = -1;
    if (parent)
        memcpy(process->name, parent->name, sizeof process->name);
    *core->last_process = process;
    core->last_process = &process->next;
    return process;
}

struct thread *core_thread(struct process *process, pid_t tid)
{
    struct thread *thread = calloc(1, sizeof *thread);

    if (!thread)
        return NULL;
    thread->process = process;
    thread->tid = tid;
    thread->next = process->threads;
    process->threads = thread;
    return thread;
}

void core_thread_gone(struct thread *thread)
{
    struct thread **place = &thread->process->threads;

    while (*place != thread)
        place = &(*place)->next;
    *place = thread->next;
    free(thread->mechanism);
    free(thread);
}

struct process *core_find(const struct core *core, int number)
{
    struct process *process = core->processes;

    while (process && process->number != number)
        process = process->next;
    return process;
}

struct process *core_find_pid(const struct core *core, pid_t pid)
{
    struct process *found = NULL;

    for (struct process *process = core->processes; process; process = process->next) {
        if (process->pid == pid)
            found = process;
    }
    return found;
}

struct thread *core_find_thread(const struct core *core, pid_t tid)
{
    for (const struct process *process = core->processes; process; process = process->next) {
        for (struct thread *thread = process->threads; thread; thread = thread->next) {
            if (thread->tid == tid)
                return thread;
        }
    }
    return NULL;
}

bool process_held(const struct process *process)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next) {
        if (thread->held)
            return true;
    }
    return false;
}

bool process_standing(const struct process *process)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next) {
        if (!thread->held)
            return false;
    }
    return process->threads != NULL;
}

static bool descends(const struct core *core, const struct process *process, int ancestor)
{
    while (process && process->parent) {
        if (process->parent == ancestor)
            return true;
        process = core_find(core, process->parent);
    }
    return false;
}

/* --- watches
 * ------------------------------------------------------------------------------------------------
 */

static bool in_scope(const struct core *core, const struct watch *watch,
                     const struct process *process)
{
    const bool itself = process->number == watch->process;

    switch (watch->scope) {
    case SCOPE_PROCESS:
        return itself;
    case SCOPE_CHILDREN:
        return descends(core, process, watch->process);
    default:
        return itself || descends(core, process, watch->process);
    }
}

struct watch *core_find_watch(const struct core *core, int number)
{
    struct watch *watch = core->watches;

    while (watch && watch->number != number)
        watch = watch->next;
    return watch;
}

struct watch *core_arm(struct core *core, const struct request *request)
{
    struct watch *watch = calloc(1, sizeof *watch);
    struct watch **place = &core->watches;

    if (!watch)
        return NULL;
    *watch = (struct watch){.number = ++core->armed,
                            .process = request->process,
                            .scope = request->scope,
                            .moment = request->moment,
                            .action = request->action,
                            .times = request->times};
    while (*place)
        place = &(*place)->next;
    *place = watch;
    return watch;
}

void core_disarm(struct core *core, struct watch *watch)
{
    struct watch **place = &core->watches;

    while (*place != watch)
        place = &(*place)->next;
    *place = watch->next;
    free(watch);
}

bool core_can_strike(const struct core *core, const struct watch *watch)
{
    if (watch->moment.kind == MOMENT_SEGMENT)
        return true;
    for (const struct process *process = core->processes; process; process = process->next) {
        const bool can_run =
            process->life == LIFE_RUNNING && !process->detached && !process_standing(process);

        /* Of one that is still to be born anybody may become the parent. */
        if (can_run && (process->number == watch->process || watch->process > core->born ||
                        in_scope(core, watch, process)))
            return true;
    }
    return false;
}

static void obey(const struct action *action, struct orders *orders)
{
    switch (action->kind) {
    case ACTION_HOLD:
        orders->hold = true;
        break;
    case ACTION_KILL:
        orders->signal = action->signal;
        break;
    case ACTION_RESULT:
        orders->skip = true;
        orders->result = action->result;
        break;
    case ACTION_SHORT:
        orders->shorten = true;
        orders->length = action->length;
        break;
    case ACTION_DETACH:
        orders->detach = true;
        break;
    default: /* for segments */
        break;
    }
}

static bool due(const struct watch *watch)
{
    return watch->seen >= watch->moment.nth && (!watch->times || watch->struck < watch->times);
}

static bool strikes(struct watch *watch)
{
    watch->seen++;
    if (!due(watch))
        return false;
    watch->struck++;
    return true;
}

static void hold(struct thread *thread, uint64_t event)
{
    thread->held = true;
    thread->held_at = event;
}

/* Lets every watch look at what has happened; the orders are the sum of what those that strike ask
 * for. */
static struct orders consult(struct core *core, struct thread *thread,
                             const struct happening *happening, uint64_t event)
{
    struct orders orders = {0};

    for (struct watch *watch = core->watches; watch; watch = watch->next) {
        if (!in_scope(core, watch, thread->process) || !moment_matches(&watch->moment, happening) ||
            !strikes(watch))
            continue;
        watch->last_process = thread->process->number;
        watch->last_event = event;
        obey(&watch->action, &orders);
    }
    if (orders.hold)
        hold(thread, event);
    return orders;
}

/* --- what sources report
 * ------------------------------------------------------------------------------------ */

static struct record head_of(enum record_kind kind, const struct thread *thread)
{
    return (struct record){.kind = kind, .process = thread->process->number, .thread = thread->tid};
}

struct call_collected core_collected(const struct core *core, uint64_t seq)
{
    const struct record *record = log_record(core->log, seq);

    if (!record)
        return (struct call_collected){NULL, 0};
    return (struct call_collected){record->bytes, record->tail};
}

struct descriptor_question {
    const struct core *core;
    const struct thread *thread;
    int descriptor; /* -1: the call has none */
};

static enum descriptor_class answer(void *context)
{
    const struct descriptor_question *question = context;

    if (question->descriptor < 0)
        return CLASS_OTHER;
    if (question->thread->closes != CLASS_ANY)
        return question->thread->closes;
    return question->core->source->classify(question->thread->process, question->descriptor);
}

/* What close takes away cannot be looked at any more when it is left. */
static enum descriptor_class closed_by(const struct core *core, const struct thread *thread,
                                       const struct call_shape *call, const uint64_t *arguments)
{
    return call_is(call, "close") ? core->source->classify(thread->process, (int)arguments[0])
                                  : CLASS_ANY;
}

static struct orders consult_call(struct core *core, struct thread *thread, enum moment_kind kind,
                                  const struct call_shape *call, const uint64_t *arguments,
                                  uint64_t event)
{
    const int place = call_descriptor_argument(call);
    struct descriptor_question question = {core, thread,
                                           place < 0 || !arguments ? -1 : (int)arguments[place]};
    const struct happening happening = {
        .kind = kind, .call = call, .descriptor = answer, .context = &question};

    return consult(core, thread, &happening, event);
}

struct orders core_entered(struct core *core, struct thread *thread, const struct call_shape *call,
                           const uint64_t arguments[CALL_ARGUMENTS],
                           struct call_collected collected)
{
    struct record head = head_of(RECORD_ENTER, thread);

    head.enter.number = call_number(call);
    memcpy(head.enter.arguments, arguments, sizeof head.enter.arguments);
    thread->in = call;
    thread->closes = closed_by(core, thread, call, arguments);
    thread->entered = log_append(core->log, &head, collected.bytes, collected.length);
    return consult_call(core, thread, MOMENT_ENTER, call, arguments, thread->entered);
}

struct orders core_left(struct core *core, struct thread *thread, int64_t result, int restarted,
                        enum injected injected, struct call_collected collected)
{
    const struct record *enter = log_record(core->log, thread->entered);
    const struct call_shape *call = thread->in;
    struct record head = head_of(RECORD_LEAVE, thread);
    struct orders orders;
    uint64_t event;

    head.leave.entered = thread->entered;
    head.leave.result = result;
    head.leave.restarted = restarted;
    head.leave.injected = injected;
    event = log_append(core->log, &head, collected.bytes, collected.length);
    thread->in = NULL;
    orders = consult_call(core, thread, MOMENT_LEAVE, call, enter ? enter->enter.arguments : NULL,
                          event);
    thread->closes = CLASS_ANY;
    return orders;
}

struct orders core_signal(struct core *core, struct thread *thread, int number, pid_t from,
                          enum disposition disposition)
{
    const struct happening happening = {.kind = MOMENT_SIGNAL, .signal = number};
    struct record head = head_of(RECORD_SIGNAL, thread);
    uint64_t event;

    head.signal.number = number;
    head.signal.from = from;
    head.signal.disposition = disposition;
    event = log_append(core->log, &head, NULL, 0);
    if (disposition == DISPOSITION_IGNORED)
        return (struct orders){0};
    return consult(core, thread, &happening, event);
}

struct orders core_forked(struct core *core, struct thread *thread, const struct process *child)
{
    const struct happening happening = {.kind = MOMENT_FORK};
    struct record head = head_of(RECORD_FORK, thread);

    head.fork.child = child->number;
    return consult(core, thread, &happening, log_append(core->log, &head, NULL, 0));
}

struct orders core_born(struct core *core, struct thread *thread)
{
    const struct happening happening = {.kind = MOMENT_BORN};
    const struct record head = head_of(RECORD_BORN, thread);

    return consult(core, thread, &happening, log_append(core->log, &head, NULL, 0));
}

void core_name(struct process *process, const char *name)
{
    size_t length = strlen(name);

    if (length >= sizeof process->name)
        length = sizeof process->name - 1;
    memcpy(process->name, name, length);
    process->name[length] = '\0';
}

static void take_name(struct process *process, const char *path)
{
    const char *slash = strrchr(path, '/');

    core_name(process, slash ? slash + 1 : path);
}

struct orders core_executed(struct core *core, struct thread *thread, const char *path)
{
    const struct happening happening = {.kind = MOMENT_EXEC};
    const struct record head = head_of(RECORD_EXEC, thread);
    struct process *process = thread->process;
    struct orders orders;
    uint64_t event;

    if (process->life != LIFE_LOADING || !process->name[0])
        take_name(process, path);
    event = log_append(core->log, &head, process->name, strlen(process->name));
    orders = consult(core, thread, &happening, event);
    if (process->life == LIFE_LOADING) {
        process->life = LIFE_RUNNING;
        orders.hold = true;
        hold(thread, event);
    }
    return orders;
}

struct orders core_exiting(struct core *core, struct thread *thread, int status)
{
    const struct happening happening = {.kind = MOMENT_EXIT};
    struct record head = head_of(RECORD_EXIT, thread);

    head.exit.status = status;
    thread->process->status = status;
    thread->process->life = LIFE_EXITING;
    return consult(core, thread, &happening, log_append(core->log, &head, NULL, 0));
}

/* Every watch counts; one strikes. */
static struct watch *watch_of_segment(const struct core *core, const struct happening *happening)
{
    struct watch *struck = NULL;

    for (struct watch *watch = core->watches; watch; watch = watch->next) {
        if (!moment_matches(&watch->moment, happening))
            continue;
        watch->seen++;
        if (!struck && due(watch))
            struck = watch;
    }
    return struck;
}

struct ruling core_segment(struct core *core, const struct happening *happening,
                           const struct record *head, const void *bytes, size_t length)
{
    static const enum fate fates[] = {[ACTION_HOLD] = FATE_HELD,
                                      [ACTION_DROP] = FATE_DROPPED,
                                      [ACTION_DUPLICATE] = FATE_DUPLICATED,
                                      [ACTION_DELAY] = FATE_DELAYED};
    struct watch *watch = watch_of_segment(core, happening);
    struct ruling ruling = {.fate = FATE_PASSED};
    struct record record = *head;

    if (watch)
        ruling = (struct ruling){.fate = fates[watch->action.kind],
                                 .watch = watch->number,
                                 .delay = watch->action.delay};
    record.segment.fate = ruling.fate;
    ruling.event = log_append(core->log, &record, bytes, length);
    if (watch) {
        watch->struck++;
        watch->last_event = ruling.event;
    }
    return ruling;
}

void core_dead(struct core *core, struct process *process, int status)
{
    struct record head = {.kind = RECORD_DEAD, .process = process->number, .thread = process->pid};

    if (process->life == LIFE_DEAD)
        return;
    forget_threads(process);
    process->life = LIFE_DEAD;
    process->status = status;
    head.exit.status = status;
    log_append(core->log, &head, NULL, 0);
}
