#include "visitor.h"

#include "living.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct process *visitor_process(struct core *core, const struct process *parent, pid_t pid,
                                enum born born)
{
    struct visits *visits = visits_of(core);
    struct process *process = core_process(core, parent, pid, born);

    if (!process)
        return NULL;
    process->mechanism = calloc(1, sizeof(struct visited));
    if (!process->mechanism)
        return NULL;
    visited_of(process)->go = -1;
    visited_of(process)->ignores = parent && visited_of(parent)->ignores;
    living_watch(process, visits->happenings);
    visits->living++;
    return process;
}

struct thread *visitor_thread(struct process *process, pid_t tid, uint32_t slot)
{
    struct thread *thread = core_thread(process, tid);

    if (!thread)
        return NULL;
    thread->mechanism = calloc(1, sizeof(struct visitor));
    if (!thread->mechanism) {
        core_thread_gone(thread);
        return NULL;
    }
    visitor_of(thread)->slot = slot;
    visitor_of(thread)->answer.shorten = -1;
    return thread;
}

void visitor_answer(struct core *core, const struct thread *thread)
{
    struct visitor *visitor = visitor_of(thread);
    struct slot *slot = &visits_of(core)->slots[visitor->slot];

    slot->skip = visitor->answer.skip;
    slot->result = visitor->answer.result;
    slot->shorten = visitor->answer.shorten;
    slot->length = visitor->answer.length;
    slot->detach = visitor->answer.detach;
    slot->held = visitor->answer.held;
    visitor->answer = (struct slot){.shorten = -1};
    atomic_store(&slot->asked, 0);
    syscall(SYS_futex, &slot->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void visitor_gone(struct core *core, struct thread *thread)
{
    struct slot *slot = &visits_of(core)->slots[visitor_of(thread)->slot];

    atomic_store(&slot->asked, 0);
    atomic_store(&slot->owner, 0);
    core_thread_gone(thread);
}

void visitor_detach(struct core *core, struct process *process)
{
    process->detached = true;
    while (process->threads) {
        struct thread *thread = process->threads;

        visitor_of(thread)->answer.detach = 1;
        visitor_answer(core, thread);
        core_thread_gone(thread); /* it keeps its slot: it is not ours to take */
    }
}

void visitor_obey(struct core *core, struct thread *thread, const struct orders *orders)
{
    if (orders->signal)
        living_signal(thread->process, orders->signal);
    if (orders->hold)
        return;
    if (orders->detach)
        visitor_detach(core, thread->process);
    else
        visitor_answer(core, thread);
}

void visitor_bury(struct core *core, struct process *process, int status)
{
    if (process->life == LIFE_DEAD)
        return;
    while (process->threads)
        visitor_gone(core, process->threads);
    core_dead(core, process, status);
    if (process->handle >= 0)
        close(process->handle);
    process->handle = -1;
    visits_of(core)->living--;
}
