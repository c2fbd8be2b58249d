#include "interpose_source.h"

#include "capability/capability.h"
#include "elf_kind.h"
#include "living.h"
#include "proc.h"
#include "ptrace/spawn.h"
#include "visitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char library_name[] = "libinterpose.so";

/* --- what comes to pass
 * ------------------------------------------------------------------------------- */

/* One that nobody tells of as its own child has its status as long as nobody has waited for it. */
static int status_of(const struct process *process)
{
    const int status = proc_exit_status(process->pid);

    return status < 0 ? process->status : status;
}

static void collect_children(struct core *core)
{
    struct visits *visits = visits_of(core);
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        struct process *process = core_find_pid(core, pid);

        if (pid == visits->starting) {
            visits->starting = 0;
            visits->start_ended = true;
        } else if (process) {
            visitor_bury(core, process, status);
        }
    }
}

static void collect_deaths(struct core *core)
{
    struct epoll_event events[16];
    const int count = epoll_wait(visits_of(core)->happenings, events, 16, 0);

    collect_children(core);
    for (int i = 0; i < count; i++) {
        struct process *process = events[i].data.ptr;

        if (process) /* the socket has none */
            visitor_bury(core, process, status_of(process));
    }
}

/* Takes the next report. A program says itself who it is; the kernel says so too, and where the two
 * differ it is in a process namespace of its own, where numbers mean others. False: there is none.
 */
static bool receive(struct core *core, struct report *report)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec data = {report, sizeof *report};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct ucred sender;

    if (recvmsg(visits_of(core)->socket, &message, MSG_DONTWAIT) != (ssize_t)sizeof *report ||
        !CMSG_FIRSTHDR(&message))
        return false;
    memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
    if (sender.pid != report->pid && !core->unable) {
        core->unable = true;
        core->unable_why.lacks = "ptrace";
        because(&core->unable_why,
                "process %d is in a process namespace of its own, which needs "
                "control by ptrace",
                (int)sender.pid);
    }
    return true;
}

static bool pump(struct core *core, void (*before)(void *context), void *context)
{
    enum { ENOUGH = 64 }; /* the control channel wants its turn too */

    for (int handled = 0; handled < ENOUGH; handled++) {
        struct report report = {0};

        if (!receive(core, &report)) {
            collect_deaths(core);
            return false;
        }
        if (before)
            before(context);
        heard(core, &report, collect_deaths);
        sched_yield(); /* on one processor: lets the program run to its next report */
    }
    return true;
}

/* --- starting
 * ----------------------------------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* Sees the program to the library's first word. 0, or -1: it ended before, or was silent. */
static int await_exec(struct core *core, const struct request *request)
{
    const struct visits *visits = visits_of(core);
    const uint64_t due = now() + (uint64_t)(request->deadline * 1e9);
    struct pollfd ways = {.fd = visits->happenings, .events = POLLIN};

    while (visits->starting) {
        const int left = now() >= due ? 0 : (int)((due - now()) / 1000000U) + 1;

        if (poll(&ways, 1, left < 100 ? left : 100) <= 0 && left == 0)
            return -1;
        pump(core, NULL, NULL);
    }
    return visits->start_ended ? -1 : 0;
}

static int start_seen(struct core *core, const struct request *request,
                      const struct spawned *spawned, struct process **process, struct reason *why)
{
    struct visits *visits = visits_of(core);

    visits->starting = spawned->pid;
    visits->start_ended = false;
    if (write(spawned->go, "", 1) != 1)
        return because_of_errno(why, "pipe");
    if (await_exec(core, request) < 0) {
        if (visits->start_ended)
            return spawn_failure(spawned, request, why);
        visits->starting = 0;
        kill(spawned->pid, SIGKILL);
        why->lacks = "ptrace";
        return because(
            why, "%s: the interposed library was not loaded into it",
            json_string_value(json_array_get(json_object_get(request->members, "argv"), 0)));
    }
    *process = core_find_pid(core, spawned->pid);
    return *process ? 0 : because(why, "out of memory");
}

/* Held before its exec, which nobody would tell of. */
static int start_unseen(struct core *core, const struct request *request, const char *path,
                        struct spawned *spawned, struct process **process, struct reason *why)
{
    struct thread *thread;

    (void)request;
    if (access(path, X_OK) < 0)
        return because_of_errno(why, "%s: exec", path);
    *process = visitor_process(core, NULL, spawned->pid, BORN_START);
    thread = *process ? visitor_thread(*process, spawned->pid, REPORT_NO_SLOT) : NULL;
    if (!thread)
        return because(why, "out of memory");
    visited_of(*process)->blind = true;
    visited_of(*process)->go = spawned->go;
    spawned->go = -1;
    core_executed(core, thread, path);
    return 0;
}

static int start(struct core *core, const struct request *request, const struct streams *streams,
                 struct process **process, struct reason *why)
{
    const char *path =
        json_string_value(json_array_get(json_object_get(request->members, "argv"), 0));
    const bool unseen = elf_is_static(path);
    const struct luggage luggage = {.kept = REPORT_SOCKET, .kept_count = unseen ? 0 : 2};
    struct spawned spawned = {-1, -1, -1};
    int status = 0;

    if (request->emulates) {
        for (int i = 0; i < streams->count; i++)
            close(streams->list[i]);
        why->lacks = "ptrace";
        return because(why, "%s: an emulator's calls are seen by ptrace alone", path);
    }
    if (!unseen)
        json_object_set_new(json_object_get(request->members, "env"), "LD_PRELOAD",
                            json_string(visits_of(core)->library));
    status = spawn(request, streams, &luggage, &spawned, why);
    if (status == 0)
        status = unseen ? start_unseen(core, request, path, &spawned, process, why)
                        : start_seen(core, request, &spawned, process, why);
    if (spawned.go >= 0)
        close(spawned.go);
    if (spawned.failed >= 0)
        close(spawned.failed);
    return status;
}

/* --- orders of the core
 * ------------------------------------------------------------------------------- */

static void release(struct core *core, struct thread *thread)
{
    struct visited *visited = visited_of(thread->process);

    thread->held = false;
    visitor_of(thread)->answer.held = 1;
    if (visited->go >= 0) {
        if (write(visited->go, "", 1) < 0)
            living_signal(thread->process, SIGKILL);
        close(visited->go);
        visited->go = -1;
    } else if (!visited->blind && visitor_of(thread)->becoming) {
        heard_become(core, thread);
    } else {
        visitor_answer(core, thread);
    }
}

static int signal_process(struct core *core, struct process *process, int number)
{
    (void)core;
    return living_signal(process, number);
}

static bool detachable(const struct process *process)
{
    return !visited_of(process)->blind;
}

static void see_off(struct core *core, pid_t pid, int status)
{
    struct process *process = core_find_pid(core, pid);

    if (process)
        visitor_bury(core, process, status);
}

static void end(struct core *core)
{
    living_end(core, see_off);
}

/* --- what cannot be seen
 * ------------------------------------------------------------------------------ */

static const char *const interposed[REPORTED_CALLS] = {
#define REPORT_CALL_NAME(name) #name,
    REPORT_CALLS(REPORT_CALL_NAME)};

static const struct call_shape *shape_of(const char *name)
{
    for (size_t i = 0; call_row(i); i++) {
        if (strcmp(call_name(call_row(i)), name) == 0)
            return call_row(i);
    }
    return NULL;
}

static bool is_interposed(const char *word)
{
    for (int i = 0; i < REPORTED_CALLS; i++) {
        if (call_is(shape_of(interposed[i]), word))
            return true;
    }
    return false;
}

static bool reaches_no_handler(int number)
{
    return number == SIGKILL || number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
           number == SIGTTOU;
}

static int sees(const struct process *process, const struct moment *moment, struct reason *why)
{
    why->lacks = "ptrace";
    if (visited_of(process)->blind)
        return because(why,
                       "%s is linked statically, so no library can tell what it does: that needs "
                       "control by ptrace",
                       process->name);
    if (moment && (moment->kind == MOMENT_ENTER || moment->kind == MOMENT_LEAVE) &&
        !is_interposed(moment->call))
        return because(why, "%s is not interposed: to see it needs control by ptrace",
                       moment->call);
    if (moment && moment->kind == MOMENT_SIGNAL && reaches_no_handler(moment->signal))
        return because(why, "no handler runs for that signal: to see it needs control by ptrace");
    if (moment && moment->kind == MOMENT_SIGNAL && !moment->signal && visited_of(process)->ignores)
        return because(why,
                       "%s ignores some signals, and nothing in it tells of those: to see them "
                       "needs control by ptrace",
                       process->name);
    why->lacks = NULL;
    return 0;
}

static bool busy(const struct core *core, const struct thread *thread)
{
    const struct visitor *visitor = visitor_of(thread);

    return !visited_of(thread->process)->blind && !thread->held &&
           atomic_load(&visits_of(core)->slots[visitor->slot].asked);
}

/* --- the source
 * --------------------------------------------------------------------------------------- */

/* It lies beside the conductor. */
static int find_library(struct visits *visits, struct reason *why)
{
    const size_t room = sizeof visits->library - sizeof library_name;
    const ssize_t length = readlink("/proc/self/exe", visits->library, room);
    char *slash;

    if (length < 0)
        return because_of_errno(why, "/proc/self/exe");
    visits->library[length] = '\0';
    slash = strrchr(visits->library, '/');
    memcpy(slash + 1, library_name, sizeof library_name);
    return access(visits->library, R_OK) < 0 ? because_of_errno(why, "%s", visits->library) : 0;
}

/* Gives a descriptor the number that programs know it by. */
static int renumber(int *descriptor, int number)
{
    const int copy = dup3(*descriptor, number, O_CLOEXEC);

    close(*descriptor);
    *descriptor = copy;
    return copy;
}

static int open_ways(struct visits *visits, struct reason *why)
{
    const size_t size = sizeof(struct slot) * REPORT_SLOTS;
    struct epoll_event event = {.events = EPOLLIN};
    const int on = 1;
    void *memory;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
        return because_of_errno(why, "socketpair");
    visits->socket = pair[0];
    visits->programs_end = pair[1];
    visits->memory = memfd_create("interpose", MFD_CLOEXEC);
    if (visits->memory < 0 || ftruncate(visits->memory, (off_t)size) < 0)
        return because_of_errno(why, "memfd_create");
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, visits->memory, 0);
    if (memory == MAP_FAILED)
        return because_of_errno(why, "mmap");
    visits->slots = memory;
    if (renumber(&visits->programs_end, REPORT_SOCKET) < 0 ||
        renumber(&visits->memory, REPORT_MEMORY) < 0)
        return because_of_errno(why, "descriptor %d", REPORT_SOCKET);
    visits->happenings = epoll_create1(EPOLL_CLOEXEC);
    if (visits->happenings < 0 ||
        epoll_ctl(visits->happenings, EPOLL_CTL_ADD, visits->socket, &event) < 0)
        return because_of_errno(why, "epoll");
    return 0;
}

static int open_visits(struct core *core, struct reason *why)
{
    struct visits *visits;

    /* Nothing else tells of the death of a child whose parent does not wait for it. */
    if (!can(CAN_PIDFD))
        return lacking(why, CAN_PIDFD, "control by interposition");
    visits = calloc(1, sizeof *visits);
    if (!visits)
        return because(why, "out of memory");
    core->mechanism = visits;
    for (int i = 0; i < REPORTED_CALLS; i++) {
        visits->shapes[i] = shape_of(interposed[i]);
        if (!visits->shapes[i] || call_number(visits->shapes[i]) < 0)
            return because(why, "control by interposition: this architecture has no %s",
                           interposed[i]);
    }
    return find_library(visits, why) < 0 ? -1 : open_ways(visits, why);
}

static void close_visits(struct core *core)
{
    struct visits *visits = visits_of(core);

    munmap(visits->slots, sizeof(struct slot) * REPORT_SLOTS);
    close(visits->happenings);
    close(visits->socket);
    close(visits->programs_end);
    close(visits->memory);
    free(visits);
}

static int happenings(const struct core *core)
{
    return visits_of(core)->happenings;
}

const struct source interpose_source = {
    .open = open_visits,
    .close = close_visits,
    .descriptor = happenings,
    .pump = pump,
    .start = start,
    .release = release,
    .signal = signal_process,
    .detachable = detachable,
    .detach = visitor_detach,
    .classify = living_classify,
    .end = end,
    .sees = sees,
    .busy = busy,
    .kept = REPORT_SOCKET,
    .kept_count = 2,
};
