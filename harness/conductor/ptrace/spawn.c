#include "spawn.h"

#include "calls/call_layout.h"
#include "errno_name.h"
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells about its failure: which step, and errno. */
struct failure {
    int error;
    char step[28];
};

static _Noreturn void fail(int report, const char *step)
{
    struct failure failure = {.error = errno};

    strncpy(failure.step, step, sizeof failure.step - 1);
    if (write(report, &failure, sizeof failure) < 0)
        _exit(112);
    _exit(111);
}

/* An exec keeps ignored signals and the mask; the parent's must not leak in (Python ignores
 * SIGPIPE). By the kernel's own call: the C library keeps a few signals to itself and refuses them,
 * ignored or not. SIGKILL and SIGSTOP are refused by the kernel, and need nothing. */
static void reset_signals(void)
{
    static const struct kernel_sigaction by_default; /* all zeros: SIG_DFL, no flags */
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limits(json_t *limits, int report)
{
    const char *name;
    json_t *pair;

    json_object_foreach(limits, name, pair)
    {
        const struct rlimit limit = {
            .rlim_cur = (rlim_t)json_integer_value(json_array_get(pair, 0)),
            .rlim_max = (rlim_t)json_integer_value(json_array_get(pair, 1))};

        if (setrlimit((__rlimit_resource_t)limit_resource(name), &limit) < 0)
            fail(report, "setrlimit");
    }
}

/* A copy with a high number, which no stream overwrites. */
static int lift(int descriptor, int report)
{
    const int high = fcntl(descriptor, F_DUPFD_CLOEXEC, 100);

    if (high < 0)
        fail(report, "dup");
    return high;
}

/* Streams go to 0, 1, 2 and perhaps 3 by way of high numbers, so that none overwrites another. */
static void set_streams(const struct streams *streams, int report)
{
    int high[MOST_STREAMS];

    for (int i = 0; i < streams->count; i++)
        high[i] = lift(streams->list[i], report);
    for (int i = 0; i < streams->count; i++) {
        if (dup2(high[i], i) < 0)
            fail(report, "dup2");
    }
    if (isatty(0) && ioctl(0, TIOCSCTTY, 0) < 0)
        fail(report, "TIOCSCTTY");
}

/* All from `lowest` on but what is taken along, which is closed no more at the exec. */
static void close_others(int lowest, const struct luggage *luggage, int report)
{
    const int kept = luggage->kept, after = kept + luggage->kept_count;

    if (luggage->kept_count && close_range((unsigned)lowest, (unsigned)kept - 1, 0) < 0)
        fail(report, "close_range");
    for (int i = kept; i < after; i++) {
        if (fcntl(i, F_SETFD, 0) < 0)
            fail(report, "fcntl");
    }
    if (close_range((unsigned)(luggage->kept_count ? after : lowest), INT_MAX, 0) < 0)
        fail(report, "close_range");
}

static void set_user(json_int_t user, int report)
{
    if (user < 0)
        return;
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        fail(report, "setgroups");
    if (setgid((gid_t)user) < 0)
        fail(report, "setgid");
    if (setuid((uid_t)user) < 0)
        fail(report, "setuid");
}

static char **strings_of_array(json_t *array)
{
    char **strings = calloc(json_array_size(array) + 1, sizeof *strings);

    for (size_t i = 0; strings && i < json_array_size(array); i++)
        strings[i] = strdup(json_string_value(json_array_get(array, i)));
    return strings;
}

static char **strings_of_object(json_t *object)
{
    char **strings = calloc(json_object_size(object) + 1, sizeof *strings);
    size_t i = 0;
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const char *text = json_string_value(value);
        const size_t size = strlen(name) + strlen(text) + 2;

        if (!strings || !(strings[i] = malloc(size)))
            break;
        stpcpy(stpcpy(stpcpy(strings[i++], name), "="), text);
    }
    return strings;
}

/* Runs in the child. The filter comes last but for the user: installed as root it needs no
 * no_new_privs. */
static _Noreturn void become(const struct request *request, const struct streams *streams,
                             const struct luggage *luggage, int go, int report)
{
    json_t *limits = json_object_get(request->members, "limits");
    char **argv = strings_of_array(json_object_get(request->members, "argv"));
    char **env = strings_of_object(json_object_get(request->members, "env"));
    const int lowest = streams->count; /* after the streams: all above can be closed in one sweep */
    char byte;

    report = lift(report, report);
    go = lift(go, report);
    if (!argv || !argv[0] || !env)
        fail(report, "calloc");
    reset_signals();
    if (setsid() < 0)
        fail(report, "setsid");
    set_streams(streams, report);
    if (request->cwd && chdir(request->cwd) < 0)
        fail(report, "chdir");
    if (read(go, &byte, 1) != 1) /* the tracer is there from here on */
        fail(report, "read");
    if (dup3(report, lowest, O_CLOEXEC) < 0)
        fail(report, "dup3");
    report = lowest;
    close_others(lowest + 1, luggage, report);
    set_limits(limits, report); /* only now: above, descriptors are opened */
    if (luggage->filter && filter_install(luggage->filter) < 0)
        fail(report, "seccomp");
    set_user(request->user, report);
    execve(argv[0], argv, env);
    fail(report, "exec");
}

int spawn(const struct request *request, const struct streams *streams,
          const struct luggage *luggage, struct spawned *spawned, struct reason *why)
{
    int go[2] = {-1, -1}, report[2] = {-1, -1};
    int status = 0;

    if (pipe2(go, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        status = because_of_errno(why, "pipe");
    spawned->pid = status < 0 ? -1 : fork();
    if (spawned->pid == 0)
        become(request, streams, luggage, go[0], report[1]);
    if (status == 0 && spawned->pid < 0)
        status = because_of_errno(why, "fork");
    for (int i = 0; i < streams->count; i++)
        close(streams->list[i]);
    close(go[0]);
    close(report[1]);
    spawned->go = go[1];
    spawned->failed = report[0];
    return status;
}

int spawn_failure(const struct spawned *spawned, const struct request *request, struct reason *why)
{
    struct failure failure;
    const char *path =
        json_string_value(json_array_get(json_object_get(request->members, "argv"), 0));

    if (read(spawned->failed, &failure, sizeof failure) != sizeof failure)
        return because(why, "%s: ended before its exec", path);
    failure.step[sizeof failure.step - 1] = '\0';
    errno = failure.error;
    return because_of_errno(why, "%s: %s", path, failure.step);
}
