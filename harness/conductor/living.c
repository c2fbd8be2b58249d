#include "living.h"

#include "capability/capability.h"
#include "proc.h"
#include "share.h"

#include <errno.h>
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

/* False: there is nobody, or nobody may be killed by a process that conducts no lab. */
static bool kill_all(void)
{
    if (!can(CAN_ISOLATE))
        return share_kill_children();
    return getpid() == 1 && kill(-1, SIGKILL) == 0;
}

void living_end(struct core *core, void (*take)(struct core *core, pid_t pid, int status))
{
    int status;
    pid_t pid;

    if (!kill_all())
        return;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        take(core, pid, status);
        if (!can(CAN_ISOLATE))
            share_kill_children();
    }
}
