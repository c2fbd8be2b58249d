#ifndef SOCKSPEC_VISITOR_H
#define SOCKSPEC_VISITOR_H

#include "core.h"
#include "interpose/report.h"

/* Threads and processes as the interposed source sees them. */

enum { HANDLERS_DEPTH = 8, LIVING_LIMIT = 2000 };

/* A call that a handler has interrupted. */
struct suspended {
    const struct call_shape *in;
    uint64_t entered;
    enum descriptor_class closes;
    int restarted;
    enum injected injected;
};

struct visitor {
    uint32_t slot;
    bool becoming; /* held at its exec, whose leaving is still to be told */
    struct slot answer;
    enum injected injected;
    int restarted; /* handlers with SA_RESTART that have run in the call */
    struct suspended handlers[HANDLERS_DEPTH];
    int depth;
};

struct visited {
    bool ignores;          /* it has had some signal ignored */
    bool blind;            /* no library in it: nothing is known but that it lives */
    int go;                /* blind: held before its exec; -1: it has gone on */
    struct orders ordered; /* at the birth of a child, which told of it before its parent */
};

struct visits {
    int socket, programs_end, memory; /* the latter two are the programs', under fixed numbers */
    struct slot *slots;
    int happenings; /* epoll: reports and deaths */
    int living;
    pid_t starting; /* a program that is to report its exec; 0: none */
    bool start_ended;
    char library[4096];
    const struct call_shape *shapes[REPORTED_CALLS];
};

static inline struct visits *visits_of(const struct core *core)
{
    return core->mechanism;
}

static inline struct visitor *visitor_of(const struct thread *thread)
{
    return thread->mechanism;
}

static inline struct visited *visited_of(const struct process *process)
{
    return process->mechanism;
}

/* --- visitor.c
 * ---------------------------------------------------------------------------------------- */

struct process *visitor_process(struct core *core, const struct process *parent, pid_t pid,
                                enum born born);
struct thread *visitor_thread(struct process *process, pid_t tid, uint32_t slot);

/* Lets it go on with what is in its `answer`. */
void visitor_answer(struct core *core, const struct thread *thread);

/* Forgets the thread; its slot is free. */
void visitor_gone(struct core *core, struct thread *thread);

/* Obeys, and answers unless the thread is held. */
void visitor_obey(struct core *core, struct thread *thread, const struct orders *orders);

/* Leaves the process alone from now on. One of its threads, which waits, is told. */
void visitor_detach(struct core *core, struct process *process);

/* The process is dead. */
void visitor_bury(struct core *core, struct process *process, int status);

/* --- heard.c
 * ------------------------------------------------------------------------------------------ */

/* Handles a report. `deaths` is called before what a death may have set off. */
void heard(struct core *core, const struct report *report, void (*deaths)(struct core *core));

/* Goes on with an exec that was held: its leaving. */
void heard_become(struct core *core, struct thread *thread);

#endif
