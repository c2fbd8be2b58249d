#include "fork_server.h"

#include "capability/capability.h"
#include "host.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* To load and link an executable takes longer than to make a lab's namespaces. */

enum { DESCRIPTORS = 2 };

struct order {
    int channel, errors;
};

/* 0, or -1 at the end. */
static int next(int socket, struct order *order)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control;
    char byte;
    int list[DESCRIPTORS];
    struct iovec place = {&byte, 1};
    struct msghdr message = {.msg_iov = &place,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    const struct cmsghdr *part;
    ssize_t length;

    do
        length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    part = length == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!part || part->cmsg_type != SCM_RIGHTS || part->cmsg_len != CMSG_LEN(sizeof list))
        return -1;
    memcpy(list, CMSG_DATA(part), sizeof list);
    *order = (struct order){list[0], list[1]};
    return 0;
}

/* Not fork, which knows no CLONE_PARENT: whoever asked is to wait for it as for a child of its own.
 * The C library does not learn of the new thread's id, which matters to raise alone, and not beyond
 * the next fork. */
static pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static int be_lab(const struct order *order)
{
    setsid();
    dup2(order->errors, STDOUT_FILENO);
    dup2(order->errors, STDERR_FILENO);
    close(order->errors);
    dprintf(order->channel, "{\"pid\":%d}\n", (int)getpid());
    return order->channel;
}

int fork_server(int socket)
{
    struct order order;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (can(CAN_ISOLATE) && unshare(CLONE_NEWNET) == 0)
        host_small_tables_behind();
    while (next(socket, &order) == 0) {
        const pid_t child = fork_sibling();

        if (child == 0) {
            close(socket);
            return be_lab(&order);
        }
        if (child < 0)
            dprintf(order.errors, "conductor: fork: %s\n", strerror(errno));
        close(order.channel);
        close(order.errors);
    }
    exit(0);
}
