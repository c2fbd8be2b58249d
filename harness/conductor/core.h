#ifndef SOCKSPEC_CORE_H
#define SOCKSPEC_CORE_H

#include "call.h"
#include "log.h"
#include "moment.h"
#include "reason.h"
#include "request.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The portable core: which processes there are, what they do (the log), and what is to happen at
 * which moment (the watches). Sources of events report to it and do what it orders; how they stop a
 * program is theirs alone. */

enum born { BORN_START, BORN_FORK, BORN_VFORK, BORN_CLONE, BORN_KINDS };

enum life {
    LIFE_LOADING, /* started: to be held at its first exec, which is still to come */
    LIFE_RUNNING,
    LIFE_EXITING, /* its exit moment is past; descriptors may still be open */
    LIFE_DEAD,    /* descriptors closed */
};

struct thread {
    struct thread *next;
    struct process *process;
    pid_t tid;
    bool held;
    bool stopped;                 /* by a signal, till SIGCONT */
    uint64_t held_at;             /* seq of the event it is held at */
    const struct call_shape *in;  /* the call it has entered and not left, or NULL */
    uint64_t entered;             /* seq of that entering */
    enum descriptor_class closes; /* what that call takes away; CLASS_ANY: nothing */
    void *mechanism;              /* the source's own state of it */
};

struct process {
    struct process *next;
    struct thread *threads;
    int number, program, parent; /* parent 0: none in this lab */
    pid_t pid;
    enum born born;
    enum life life;
    int host; /* index: it runs there, as its children do */
    bool detached;
    int status; /* from LIFE_EXITING on, as wait() tells it */
    int handle; /* pidfd: readable when dead, and the way to signal it; -1 when closed */
    char name[64];
    void *mechanism; /* the source's own state of it */
};

struct watch {
    struct watch *next;
    int number, process; /* process 0: it is for segments */
    enum scope scope;
    struct moment moment;
    struct action action;
    int times; /* 0: always */
    int seen, struck;
    int last_process; /* where it struck last; 0: at a segment */
    uint64_t last_event;
};

/* What the source is to do at the event it has just reported, before the thread goes on. */
struct orders {
    bool hold, detach, shorten;
    bool skip;       /* the call is not made */
    int64_t result;  /* what it gives then: a value, or -errno */
    int signal;      /* 0, or send it to the process */
    uint64_t length; /* shorten: at most so many bytes */
};

/* What is to become of a segment. */
struct ruling {
    enum fate fate;
    int watch;      /* whose order it is; 0: nobody's */
    uint64_t event; /* of its coming */
    uint64_t delay; /* FATE_DELAYED: ns */
};

struct core;

/* What becomes a program's descriptors from 0 on: its standard streams, and perhaps one more. */
enum { LEAST_STREAMS = 3, MOST_STREAMS = 4 };
struct streams {
    int list[MOST_STREAMS], count;
};

/* What a source of events offers. */
struct source {
    /* Does once what can serve many labs: before they are forked. 0, or -1 with the reason. A
     * source without it has nothing of the kind. */
    int (*prepare)(struct reason *why);
    /* Prepares the core's mechanism. 0, or -1 with the reason. */
    int (*open)(struct core *core, struct reason *why);
    void (*close)(struct core *core);
    /* Becomes readable when there is something to handle that no SIGCHLD tells of. */
    int (*descriptor)(const struct core *core);
    /* Handles what has come to pass so far, without waiting. Before each event is reported,
     * `before` is called (segments that were sent earlier are to be logged earlier). True when
     * there may be more. */
    bool (*pump)(struct core *core, void (*before)(void *context), void *context);
    /* Starts a program and leaves it held at its exec. Takes the descriptors over. 0, or -1 with
     * the reason. */
    int (*start)(struct core *core, const struct request *request, const struct streams *streams,
                 struct process **process, struct reason *why);
    /* Lets a held thread go on. */
    void (*release)(struct core *core, struct thread *thread);
    /* 0, or -1 with errno. */
    int (*signal)(struct core *core, struct process *process, int number);
    /* Whether the process can go on without the source. */
    bool (*detachable)(const struct process *process);
    /* Lets go of a process, all of whose threads are held. */
    void (*detach)(struct core *core, struct process *process);
    enum descriptor_class (*classify)(const struct process *process, int descriptor);
    /* Kills every process of the lab and returns when all are dead. */
    void (*end)(struct core *core);
    /* Whether it would tell of that moment in the process's life (NULL: of any call): 0, or -1 with
     * the reason. A source without it tells of all. */
    int (*sees)(const struct process *process, const struct moment *moment, struct reason *why);
    /* Whether a thread that sleeps does so for us, and not for the kernel. A source without it
     * leaves none asleep. */
    bool (*busy)(const struct core *core, const struct thread *thread);
    /* Numbers of descriptors that are the source's, though programs have them. */
    int kept, kept_count;
};

struct core {
    const struct source *source;
    void *mechanism; /* the source's own state */
    struct log *log;
    struct process *processes, **last_process;
    struct watch *watches;
    int born, armed; /* how many so far */
    bool full;       /* a fork was refused, as so many live as a lab holds */
    bool unable;     /* the source cannot bring about, or tell, what the lab has come to … */
    struct reason unable_why; /* … because */
};

struct core *core_open(const struct source *source);
void core_close(struct core *core);

/* --- what sources report
 * ------------------------------------------------------------------------------------ */

/* A process has come to be. The core owns it. NULL when memory runs out. */
struct process *core_process(struct core *core, const struct process *parent, pid_t pid,
                             enum born born);
struct thread *core_thread(struct process *process, pid_t tid);

/* What a process is called till its next exec: of one that is still loading, instead of what its
 * executable is called. */
void core_name(struct process *process, const char *name);
void core_thread_gone(struct thread *thread);

struct orders core_entered(struct core *core, struct thread *thread, const struct call_shape *call,
                           const uint64_t arguments[CALL_ARGUMENTS],
                           struct call_collected collected);
struct orders core_left(struct core *core, struct thread *thread, int64_t result, int restarted,
                        enum injected injected, struct call_collected collected);
struct orders core_signal(struct core *core, struct thread *thread, int number, pid_t from,
                          enum disposition disposition);
struct orders core_forked(struct core *core, struct thread *thread, const struct process *child);
struct orders core_born(struct core *core, struct thread *thread);
struct orders core_executed(struct core *core, struct thread *thread, const char *path);
struct orders core_exiting(struct core *core, struct thread *thread, int status);
void core_dead(struct core *core, struct process *process, int status);

/* A segment is on a wire: `head` is its record, but for the fate. Of several watches that would
 * strike, the one that was armed first does; the others only count it. */
struct ruling core_segment(struct core *core, const struct happening *happening,
                           const struct record *head, const void *bytes, size_t length);

/* --- questions
 * ---------------------------------------------------------------------------------------------- */

struct process *core_find(const struct core *core, int number);
struct process *core_find_pid(const struct core *core, pid_t pid); /* the youngest of that pid */
struct thread *core_find_thread(const struct core *core, pid_t tid);
struct watch *core_find_watch(const struct core *core, int number);
bool process_held(const struct process *process);     /* a thread of it is */
bool process_standing(const struct process *process); /* every thread of it is */
const char *born_name(enum born born);

/* What a call's entering collected, looked up in the log. */
struct call_collected core_collected(const struct core *core, uint64_t seq);

/* --- watches
 * ------------------------------------------------------------------------------------------------
 */

struct watch *core_arm(struct core *core, const struct request *request);
void core_disarm(struct core *core, struct watch *watch);

/* Whether the watch may still strike: a process in its scope (or one that may have such children)
 * can run. A segment can always come: kernels send them too. */
bool core_can_strike(const struct core *core, const struct watch *watch);

#endif
