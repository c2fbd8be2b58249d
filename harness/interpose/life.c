#include "channel.h"
#include "passage.h"
#include "real.h"
#include "signals.h"
#include "streams.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process begins, has children, becomes another program and ends. */

#if defined(__APPLE__)
#define LOADED_BY "DYLD_INSERT_LIBRARIES"
#else
#define LOADED_BY "LD_PRELOAD"
#endif

#if defined(__APPLE__)
/* Programs may call what they should not. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

extern char **environ;
#endif

static char loaded[4096]; /* how the library came here: "LD_PRELOAD=..." */

/* Says so, and waits. Signals are blocked. */
static void announce(enum report_kind kind, int number)
{
    struct report report = {.kind = (int32_t)kind, .number = number};
    const struct slot answer = channel_ask(&report);

    if (answer.detach) {
        channel_leave();
        signals_hand_back();
    }
}

static void announce_blocked(enum report_kind kind, int number)
{
    const int saved = errno;
    sigset_t before;

    if (!channel_open())
        return;
    signals_block(&before);
    announce(kind, number);
    signals_restore(&before);
    errno = saved;
}

/* --- children
 * ----------------------------------------------------------------------------------------- */

static pid_t parent; /* of the child to come */

static void before_fork(void)
{
    parent = getpid();
}

/* Also of a fork that the C library makes for itself. */
static void in_child(void)
{
    if (!channel_open())
        return;
    channel_forked();
    announce_blocked(REPORT_BORN, parent);
}

static pid_t give_birth(enum reported_call call)
{
    struct passage passage = {.call = call};

    if (passage_enter(&passage)) {
        const pid_t child = REAL(fork)();

        if (child == 0)
            return 0; /* its parent alone leaves the call */
        passage.result = child;
        if (child > 0)
            announce_blocked(REPORT_FORKED, child);
    }
    return (pid_t)passage_leave(&passage);
}

INTERPOSE(pid_t, fork, (void))
pid_t interposed_fork(void)
{
    return give_birth(REPORTED_clone);
}

/* A child that shares its parent's memory could not be told from it. */
INTERPOSE(pid_t, vfork, (void))
pid_t interposed_vfork(void)
{
    return give_birth(REPORTED_vfork);
}

static void tell_of_death(pid_t child, int status)
{
    struct report report = {.kind = REPORT_REAPED, .number = child, .result = status};
    sigset_t before;

    if (!channel_open() || child <= 0 || WIFSTOPPED(status) || WIFCONTINUED(status))
        return;
    signals_block(&before);
    channel_tell(&report);
    signals_restore(&before);
}

INTERPOSE(pid_t, wait4, (pid_t, int *, int, struct rusage *))
pid_t interposed_wait4(pid_t child, int *status, int options, struct rusage *usage)
{
    struct passage passage = {.call = REPORTED_wait4,
                              .given = {(uint64_t)child, (uint64_t)(uintptr_t)status,
                                        (uint64_t)options, (uint64_t)(uintptr_t)usage}};
    int unwanted = 0, *const place = status ? status : &unwanted;

    if (passage_enter(&passage)) {
        passage.result = REAL(wait4)(child, place, options, usage);
        if (passage.result > 0)
            tell_of_death((pid_t)passage.result, *place);
    }
    return (pid_t)passage_leave(&passage);
}

INTERPOSE(pid_t, waitpid, (pid_t, int *, int))
pid_t interposed_waitpid(pid_t child, int *status, int options)
{
    return interposed_wait4(child, status, options, NULL);
}

INTERPOSE(pid_t, wait, (int *))
pid_t interposed_wait(int *status)
{
    return interposed_wait4(-1, status, 0, NULL);
}

static int status_of(const siginfo_t *child)
{
    switch (child->si_code) {
    case CLD_EXITED:
        return (child->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return child->si_status | 0x80;
    default:
        return child->si_status;
    }
}

static bool has_ended(const siginfo_t *child)
{
    return child->si_code == CLD_EXITED || child->si_code == CLD_KILLED ||
           child->si_code == CLD_DUMPED;
}

INTERPOSE(int, waitid, (idtype_t, id_t, siginfo_t *, int))
int interposed_waitid(idtype_t type, id_t id, siginfo_t *child, int options)
{
    siginfo_t unwanted = {0}, *const place = child ? child : &unwanted;
    struct passage passage = {
        .call = REPORTED_waitid,
        .given = {(uint64_t)type, (uint64_t)id, (uint64_t)(uintptr_t)child, (uint64_t)options}};

    if (passage_enter(&passage)) {
        passage.result = REAL(waitid)(type, id, place, options);
        if (passage.result == 0 && !(options & WNOWAIT) && place->si_pid && has_ended(place))
            tell_of_death(place->si_pid, status_of(place));
    }
    return (int)passage_leave(&passage);
}

/* --- exec
 * --------------------------------------------------------------------------------------------- */

/* The environment with the library in it, whatever the program has made of it. NULL: no memory. */
static char **environment_with_us(char *const *environment)
{
    const size_t length = strlen(LOADED_BY);
    size_t count = 0, kept = 0;
    char **with;

    while (environment && environment[count])
        count++;
    with = calloc(count + 2, sizeof *with);
    if (!with)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environment[i], LOADED_BY, length) != 0 || environment[i][length] != '=')
            with[kept++] = environment[i];
    }
    with[kept] = loaded;
    return with;
}

typedef int executor(const char *path, char *const *argv, char *const *environment);

static int become(executor *real, const char *path, char *const *argv, char *const *environment)
{
    struct passage passage = {.call = REPORTED_execve,
                              .given = {(uint64_t)(uintptr_t)path, (uint64_t)(uintptr_t)argv,
                                        (uint64_t)(uintptr_t)environment}};

    if (passage_enter(&passage)) {
        char **with = channel_open() ? environment_with_us(environment) : NULL;

        passage.result = real(path, argv, with ? with : environment);
        free(with);
    }
    return (int)passage_leave(&passage);
}

static int real_execve(const char *path, char *const *argv, char *const *environment)
{
    return REAL(execve)(path, argv, environment);
}

INTERPOSE(int, execve, (const char *, char *const *, char *const *))
int interposed_execve(const char *path, char *const *argv, char *const *environment)
{
    return become(real_execve, path, argv, environment);
}

INTERPOSE(int, execv, (const char *, char *const *))
int interposed_execv(const char *path, char *const *argv)
{
    return become(real_execve, path, argv, environ);
}

/* The search along PATH, one call for each folder, as the C library makes it. */
static int search(const char *name, char *const *argv)
{
    const char *folders = getenv("PATH");
    int error = ENOENT;

    if (strchr(name, '/'))
        return interposed_execv(name, argv);
    if (!folders)
        folders = "/bin:/usr/bin";
    for (;;) {
        const size_t length = strcspn(folders, ":");
        char path[4096];

        snprintf(path, sizeof path, "%.*s%s%s", (int)length, folders, length ? "/" : "", name);
        interposed_execv(path, argv);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            return -1;
        if (errno == EACCES)
            error = EACCES;
        if (!folders[length])
            break;
        folders += length + 1;
    }
    errno = error;
    return -1;
}

INTERPOSE(int, execvp, (const char *, char *const *))
int interposed_execvp(const char *name, char *const *argv)
{
    return search(name, argv);
}

enum { MOST_ARGUMENTS = 1024 };

/* Executes with the arguments that follow the first one, up to NULL. */
static int with_list(int (*execute)(const char *name, char *const *argv), const char *name,
                     const char *first, va_list *more)
{
    const char *argv[MOST_ARGUMENTS];
    int count = 0;

    argv[count++] = first;
    while (argv[count - 1] && count < MOST_ARGUMENTS)
        argv[count++] = va_arg(*more, const char *);
    errno = E2BIG;
    return argv[count - 1] ? -1 : execute(name, (char *const *)(uintptr_t)argv);
}

INTERPOSE(int, execl, (const char *, const char *, ...))
int interposed_execl(const char *path, const char *first, ...)
{
    va_list more;
    int status;

    va_start(more, first);
    status = with_list(interposed_execv, path, first, &more);
    va_end(more);
    return status;
}

INTERPOSE(int, execlp, (const char *, const char *, ...))
int interposed_execlp(const char *name, const char *first, ...)
{
    va_list more;
    int status;

    va_start(more, first);
    status = with_list(search, name, first, &more);
    va_end(more);
    return status;
}

/* --- the end
 * ------------------------------------------------------------------------------------------ */

static void say_goodbye(int status)
{
    struct passage passage = {.call = REPORTED_exit_group, .given = {(uint64_t)status}};

    passage_enter(&passage);
    announce_blocked(REPORT_EXITING, (status & 0xff) << 8);
}

INTERPOSE(void, _exit, (int))
void interposed__exit(int status)
{
    say_goodbye(status);
    REAL(_exit)(status);
}

INTERPOSE(void, _Exit, (int))
void interposed__Exit(int status)
{
    say_goodbye(status);
    REAL(_exit)(status);
}

/* The last thing that exit() calls before the C library's own end, as it was registered first. What
 * the streams still hold is written now, as that comes before the end. */
#if defined(__APPLE__)
static int exit_status;

INTERPOSE(void, exit, (int))
void interposed_exit(int status)
{
    exit_status = status;
    exit(status);
}

static void at_exit(void)
{
    fflush(NULL);
    say_goodbye(exit_status);
}
#else
static void at_exit(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    say_goodbye(status);
}
#endif

/* --- the beginning
 * ------------------------------------------------------------------------------------ */

__attribute__((constructor)) static void begin(void)
{
    const char *how = getenv(LOADED_BY);

    if (!how || !channel_join())
        return;
    snprintf(loaded, sizeof loaded, "%s=%s", LOADED_BY, how);
    announce_blocked(REPORT_EXEC, getppid());
    if (!channel_open())
        return;
    signals_begin();
    streams_begin();
    pthread_atfork(before_fork, NULL, in_child);
#if defined(__APPLE__)
    atexit(at_exit);
#else
    on_exit(at_exit, NULL);
#endif
}
