#include "tracee.h"

#include "proc.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

static ssize_t read_memory(void *context, uint64_t address, void *buffer, size_t length)
{
    const struct thread *thread = context;

    return proc_read_memory(thread->tid, address, buffer, length);
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
                      const struct call_stop *stop)
{
    return progress->call == call && progress->instruction == stop->instruction &&
           progress->stack == stop->stack &&
           memcmp(progress->arguments, stop->arguments, sizeof progress->arguments) == 0;
}

/* Whether this entry goes on with a call that a signal had cut short. */
static bool restarts(struct thread *thread, const struct call_shape *call,
                     const struct call_stop *stop)
{
    struct tracee *tracee = tracee_of(thread);
    const bool restarting = tracee->undecided && (tracee->mended || tracee->result <= RESTART_SYS);

    tracee->mended = false;
    if (restarting && (call_is_restart(call) || same_call(&tracee->now, call, stop))) {
        tracee->undecided = false;
        tracee->now.restarted++;
        return true;
    }
    for (int i = tracee->depth - 1; i >= 0 && !tracee->undecided; i--) {
        if (!same_call(&tracee->interrupted[i], call, stop))
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

struct orders tracee_leave(struct core *core, struct thread *thread, int64_t result)
{
    struct tracee *tracee = tracee_of(thread);
    unsigned char buffer[CALL_COLLECT_LIMIT];
    struct call_collected collected;

    memcpy(tracee->now.arguments, tracee->now.given, sizeof tracee->now.arguments);
    collected = collect(thread, CALL_LEAVE, result, buffer);
    thread->in = tracee->now.call;
    thread->entered = tracee->now.entered;
    tracee->undecided = false;
    return core_left(core, thread, result, tracee->now.restarted, tracee->now.injected, collected);
}

static void skip_call(struct thread *thread, int64_t result)
{
    struct tracee *tracee = tracee_of(thread);

    tracee->now.injected = result < 0 ? INJECTED_ERRNO : INJECTED_VALUE;
    call_stop_skip(thread->tid, &tracee->side, result);
}

static void shorten_call(struct thread *thread, uint64_t length)
{
    struct progress *now = &tracee_of(thread)->now;
    const int place = call_length_argument(now->call);

    if (place < 0 || now->arguments[place] <= length)
        return;
    now->injected = INJECTED_SHORT;
    now->arguments[place] = length;
    call_stop_set_argument(thread->tid, place, length);
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
static void limit_living(struct core *core, int number, struct orders *orders)
{
    if (orders->skip || !makes_process(number) || tracer_of(core)->living < LIVING_LIMIT)
        return;
    orders->skip = true;
    orders->result = -EAGAIN;
    core->full = true;
}

/* A call's entry that starts a new call, not one that is restarted. */
void tracee_enter_call(struct core *core, struct thread *thread, const struct call_shape *call)
{
    struct tracee *tracee = tracee_of(thread);
    const struct call_stop *stop = &tracee->entry;
    unsigned char buffer[CALL_COLLECT_LIMIT];
    struct orders orders;

    tracee->now =
        (struct progress){.call = call, .instruction = stop->instruction, .stack = stop->stack};
    memcpy(tracee->now.given, stop->arguments, sizeof tracee->now.given);
    memcpy(tracee->now.arguments, stop->arguments, sizeof tracee->now.arguments);
    tracee->inside = true;
    orders = core_entered(core, thread, call, tracee->now.arguments,
                          collect(thread, CALL_ENTER, 0, buffer));
    tracee->now.entered = thread->entered;
    limit_living(core, stop->number, &orders);
    if (orders.skip)
        skip_call(thread, orders.result);
    else if (orders.shorten)
        shorten_call(thread, orders.length);
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

static void enter(struct core *core, struct thread *thread, const struct call_stop *stop)
{
    struct tracee *tracee = tracee_of(thread);
    const struct call_shape *call = stop->native ? call_of_number(stop->number) : NULL;

    if (!call) { /* without a filter every call stops here */
        tracee->mended = false;
        tracee->inside = false;
        tracee_resume(thread);
        return;
    }
    if (restarts(thread, call, stop)) {
        tracee->inside = true;
        tracee_resume(thread);
        return;
    }
    tracee->entry = *stop;
    if (tracee
            ->undecided) { /* cut short, and yet no signal came: the program has seen the result */
        const struct orders orders =
            tracee_leave(core, thread, tracee_total(thread, tracee->result));

        tracee->step = STEP_ENTER;
        if (!tracee_obey(thread, &orders))
            return;
    }
    tracee_enter_call(core, thread, call);
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
        tracee_resume(thread);
        return;
    }
    tracee->inside = false;
    if ((cut_short(result) && tracee->now.injected != INJECTED_ERRNO) ||
        tracee_moved_part(thread, result)) {
        tracee->undecided = true;
        tracee->result = result;
        tracee_resume(thread);
        return;
    }
    result = tracee_conclude(thread, result);
    learn_disposition(core, thread, result);
    orders = tracee_leave(core, thread, result);
    if (tracee_obey(thread, &orders))
        tracee_resume(thread);
}

void tracee_call_stop(struct core *core, struct thread *thread, bool filtered)
{
    struct call_stop stop;

    if (call_stop_read(thread->tid, filtered, &tracee_of(thread)->side, &stop) < 0)
        return; /* killed meanwhile */
    switch (stop.kind) {
    case CALL_STOP_ENTRY:
        enter(core, thread, &stop);
        break;
    case CALL_STOP_EXIT:
        exit_call(core, thread, stop.result);
        break;
    case CALL_STOP_NONE:
        tracee_resume(thread);
        break;
    }
}
