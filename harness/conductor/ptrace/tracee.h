#ifndef SOCKSPEC_TRACEE_H
#define SOCKSPEC_TRACEE_H

#include "call_stop.h"
#include "core.h"

#include <linux/filter.h>
#include <signal.h>
#include <sys/ptrace.h>

/*
 * The stops of a thread, in the order in which they come:
 *
 *   seccomp ──PTRACE_SYSCALL──> call exit ──PTRACE_CONT──> [signal] ──PTRACE_CONT──> seccomp …
 *      └─> fork, exec: in between, inside the call
 *
 * Some kernels stop at the call's entry, too, between seccomp and the rest (CAN_SECCOMP_LAST).
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

/* A call in progress: enough to know it again when the kernel restarts it. */
struct progress {
    const struct call_shape *call;      /* NULL: not to be reported */
    uint64_t given[CALL_ARGUMENTS];     /* by the program */
    uint64_t arguments[CALL_ARGUMENTS]; /* in the registers: shortened, or of the rest */
    int64_t moved;                      /* before the rest */
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
    int64_t result; /* undecided: a restart code, −EINTR, or the part that was moved */
    struct progress now;
    struct progress
        interrupted[INTERRUPTED_DEPTH]; /* to be restarted after their handler returns */
    int depth;
    struct call_stop entry; /* STEP_ENTER */
    siginfo_t signal;       /* STEP_SIGNAL */
    enum call_side side;
};

struct signal_setting {
    enum disposition kind;
    unsigned long flags;
};

struct traced {
    bool filtered;
    bool emulated; /* it runs a program of another kind of machine */
    bool killed;   /* by us: SIGKILL itself has woken it, and what it stops at next is its end */
    bool leaving;  /* past its exit stop: its death is near */
    struct signal_setting dispositions[SIGNALS];
};

struct tracer {
    int deaths; /* epoll over the pidfds of the living */
    int living, leaving;
    pid_t early[EARLY_LIMIT]; /* newborn threads whose first stop came before their parent's fork
                                 event */
    int early_count;
};

static inline struct tracer *tracer_of(const struct core *core)
{
    return core->mechanism;
}

static inline struct tracee *tracee_of(const struct thread *thread)
{
    return thread->mechanism;
}

static inline struct traced *traced_of(const struct process *process)
{
    return process->mechanism;
}

/* --- tracee.c: going on
 * ------------------------------------------------------------------------------ */

/* Lets a stopped thread go on. One that has been killed meanwhile is no error: its death is
 * reported in its own time. */
void tracee_resume(struct thread *thread);

/* Sends a signal. 0, or -1 with errno. */
int tracee_kill(const struct process *process, int number);

/* A signal has come. Where the kernel would let a thread go to sleep all the same, because it stood
 * then, it is interrupted: an EVENT_STOP comes before the signal. */
void tracee_nudge(const struct process *process);

/* Detaches for good. */
void tracee_let_go(struct thread *thread);

/* Obeys the orders that concern no particular kind of stop. True when the thread may go on. */
bool tracee_obey(struct thread *thread, const struct orders *orders);

/* --- tracee_call.c
 * ------------------------------------------------------------------------------------ */

/* A thread has stopped at a call's entry or exit. `filtered`: for the seccomp filter. */
void tracee_call_stop(struct core *core, struct thread *thread, bool filtered);

/* A call's entry that starts a new call, not one that is restarted. */
void tracee_enter_call(struct core *core, struct thread *thread, const struct call_shape *call);

/* Reports the outcome of the call in progress. */
struct orders tracee_leave(struct core *core, struct thread *thread, int64_t result);

/* --- tracee_transfer.c
 * -------------------------------------------------------------------------------- */

/* At a call's exit: whether it has moved only a part of its data, though it would have slept till
 * all were moved, and a signal may be why. */
bool tracee_moved_part(const struct thread *thread, int64_t result);

/* Has such a call go on with the rest, as if it had not been woken. */
void tracee_move_rest(struct thread *thread);

/* What the program is to see of a call: its parts summed up. */
int64_t tracee_total(const struct thread *thread, int64_t result);

/* Gives the program its arguments back, and the total, where they are not what the registers hold.
 * Returns the total. */
int64_t tracee_conclude(struct thread *thread, int64_t result);

/* --- tracee_signal.c
 * ---------------------------------------------------------------------------------- */

/* A signal is about to be delivered. */
void tracee_signal_stop(struct core *core, struct thread *thread);

/* SIGCONT has come. To a tracer it wakes every thread, were they stopped by a signal or not. */
void tracee_stop_over(struct core *core, struct thread *thread, bool was_stopped);

/* The rest of it, once what the signal did to the call in progress is decided. */
void tracee_report_signal(struct core *core, struct thread *thread);

/* --- tracee_life.c
 * ------------------------------------------------------------------------------------ */

struct thread *tracee_thread(struct process *process, pid_t tid);
struct process *tracee_process(struct core *core, const struct process *parent, pid_t pid,
                               enum born born, bool filtered);

/* The first stop of a newborn thread that is known; of one that is not known yet. */
void tracee_birth(struct core *core, struct thread *thread);
void tracee_early(struct tracer *tracer, pid_t tid);

void tracee_fork_stop(struct core *core, struct thread *thread, int event);
void tracee_exec_stop(struct core *core, struct thread *thread);
void tracee_exit_stop(struct core *core, struct thread *thread);

/* Leaves a thread past its exit stop to the kernel. */
void tracee_finish(struct core *core, struct thread *thread);

/* The process is dead. */
void tracee_bury(struct core *core, struct process *process, int status);

#endif
