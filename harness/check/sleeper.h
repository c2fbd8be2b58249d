#ifndef SOCKSPEC_SLEEPER_H
#define SOCKSPEC_SLEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A call that sleeps while the case goes on: it is made in a thread of its own, and the case goes
 * on when the kernel says that the thread is asleep. Linux and gVisor: it is read from /proc. */
struct sleeper {
    long (*call)(const void *argument);
    const void *argument;
    pthread_t thread;
    atomic_int id; /* the thread's, 0 before it runs */
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool over; /* under the lock; then these may be read: */
    long result;
    int error;
};

/* Makes a call, with an argument that outlives it, and waits till it is asleep. 0, or -1 with
 * errno: ESRCH when it did not sleep, ETIMEDOUT when it never came to. */
int falls_asleep(struct sleeper *sleeper, long (*call)(const void *argument), const void *argument);

/* Whether it sleeps now. On one processor what was woken runs no earlier than this. */
bool asleep(const struct sleeper *sleeper);

/* Waits till it sleeps, though it may have been woken to look. 0, or -1 as falls_asleep. */
int sleeps_on(const struct sleeper *sleeper);

/* Waits, some seconds at most, till the call is over: what it gave, with errno where that is -1.
 * Late: -1 with ETIMEDOUT. */
long woken(struct sleeper *sleeper);

#endif
