#include "living.h"

#include "capability/capability.h"
#include "proc.h"
#include "share.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void living_watch(struct process *process, int epoll)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = process};

    process->handle = can(CAN_PIDFD) ? (int)syscall(SYS_pidfd_open, process->pid, 0) : -1;
    if (process->handle >= 0)
        epoll_ctl(epoll, EPOLL_CTL_ADD, process->handle, &event);
}

int living_signal(const struct process *process, int number)
{
    if (process->handle >= 0)
        return (int)syscall(SYS_pidfd_send_signal, process->handle, number, NULL, 0);
    if (process->life != LIFE_DEAD)
        return kill(process->pid, number);
    errno = ESRCH;
    return -1;
}

enum descriptor_class living_classify(const struct process *process, int descriptor)
{
    return proc_descriptor_class(process->handle, process->pid, descriptor);
}

typedef void take_t(struct core *core, pid_t pid, int status);

/* So many times; fewer when there is nobody left. Whoever was born meanwhile is stopped, and is not
 * to go on. */
static void reap(struct core *core, take_t *take, long times)
{
    int status;
    pid_t pid;

    while (times-- > 0 && (pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFSTOPPED(status))
            kill(pid, SIGKILL);
        take(core, pid, status);
    }
}

/* The whole tree at once, so that nobody forks any more. Whoever is in it and was not watched comes
 * to this process when its parent is dead. */
static void end_of_shared(struct core *core, take_t *take)
{
    long killed;

    for (const struct process *process = core->processes; process; process = process->next)
        living_signal(process, SIGKILL);
    while ((killed = share_kill_children()) > 0)
        reap(core, take, killed);
}

void living_end(struct core *core, void (*take)(struct core *core, pid_t pid, int status))
{
    if (!can(CAN_ISOLATE))
        end_of_shared(core, take);
    else if (getpid() == 1 && kill(-1, SIGKILL) == 0)
        reap(core, take, LONG_MAX);
}
