#include "sleeper.h"

#include "sockets.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { LIMIT_S = 5, ROOM = 256 };

#ifdef __linux__

static int own_id(void)
{
    return (int)syscall(SYS_gettid);
}

/* "12 (name) S …": the letter, or -1 with errno, ESRCH where there is no such thread any more. */
static int state_of(int thread)
{
    char path[ROOM], text[ROOM] = "";
    const char *after;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    file = fopen(path, "re");
    if (!file) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    after = fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    if (fclose(file) != 0)
        return -1;
    if (!after || strlen(after) < 3) {
        errno = ESRCH;
        return -1;
    }
    return after[2];
}

#else

static int own_id(void)
{
    return lacks("way to see a thread asleep");
}

static int state_of(int thread)
{
    (void)thread;
    return lacks("way to see a thread asleep");
}

#endif

/* It tells by no call that a case could take for one of its own. */
static void *runs(void *argument)
{
    struct sleeper *sleeper = argument;

    atomic_store(&sleeper->id, own_id());
    sleeper->result = sleeper->call(sleeper->argument);
    sleeper->error = errno;
    pthread_mutex_lock(&sleeper->lock);
    sleeper->over = true;
    pthread_cond_signal(&sleeper->told);
    pthread_mutex_unlock(&sleeper->lock);
    return NULL;
}

static bool late(const struct timespec *start)
{
    struct timespec now;

    return clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec - start->tv_sec > LIMIT_S;
}

/* The fact that is awaited tells of itself to nobody: it is looked at again and again, and the
 * processor left to the other in between. */
int sleeps_on(const struct sleeper *sleeper)
{
    struct timespec start;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!late(&start)) {
        const int id = atomic_load(&sleeper->id), state = id ? state_of(id) : 0;

        if (state < 0)
            return -1;
        if (state == 'S')
            return 0;
        sched_yield();
    }
    errno = ETIMEDOUT;
    return -1;
}

int falls_asleep(struct sleeper *sleeper, long (*call)(const void *argument), const void *argument)
{
    int error;

    *sleeper = (struct sleeper){.call = call,
                                .argument = argument,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .told = PTHREAD_COND_INITIALIZER};
    error = pthread_create(&sleeper->thread, NULL, runs, sleeper);
    if (error) {
        errno = error;
        return -1;
    }
    return sleeps_on(sleeper);
}

bool asleep(const struct sleeper *sleeper)
{
    return state_of(atomic_load(&sleeper->id)) == 'S';
}

/* 0, or an error's number. */
static int await_outcome(struct sleeper *sleeper)
{
    struct timespec limit;
    int error = 0;
    bool over;

    clock_gettime(CLOCK_REALTIME, &limit); /* the clock of pthread_cond_timedwait */
    limit.tv_sec += LIMIT_S;
    pthread_mutex_lock(&sleeper->lock);
    while (!sleeper->over && !error)
        error = pthread_cond_timedwait(&sleeper->told, &sleeper->lock, &limit);
    over = sleeper->over;
    pthread_mutex_unlock(&sleeper->lock);
    return over ? 0 : error;
}

long woken(struct sleeper *sleeper)
{
    const int error = await_outcome(sleeper);

    if (error) {
        errno = error;
        return -1;
    }
    pthread_join(sleeper->thread, NULL);
    errno = sleeper->error;
    return sleeper->result;
}
