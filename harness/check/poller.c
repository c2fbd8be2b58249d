#include "poller.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/select.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

static int wait_by_poll(int descriptor, int events, int milliseconds)
{
    struct pollfd one = {.fd = descriptor, .events = (short)events};

    return poll(&one, 1, milliseconds) < 0 ? -1 : one.revents;
}

static fd_set *wanted(fd_set *set, int descriptor, int event)
{
    FD_ZERO(set);
    if (!event)
        return NULL;
    FD_SET(descriptor, set);
    return set;
}

static int wait_by_select(int descriptor, int events, int milliseconds)
{
    fd_set in, out, priority;
    struct timeval limit = {.tv_sec = milliseconds / 1000};

    limit.tv_usec = milliseconds % 1000;
    limit.tv_usec *= 1000;
    if (descriptor >= FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    if (select(descriptor + 1, wanted(&in, descriptor, events & POLLIN),
               wanted(&out, descriptor, events & POLLOUT),
               wanted(&priority, descriptor, events & POLLPRI),
               milliseconds < 0 ? NULL : &limit) < 0)
        return -1;
    return (events & POLLIN && FD_ISSET(descriptor, &in) ? POLLIN : 0) |
           (events & POLLOUT && FD_ISSET(descriptor, &out) ? POLLOUT : 0) |
           (events & POLLPRI && FD_ISSET(descriptor, &priority) ? POLLPRI : 0);
}

#ifdef __linux__

static int wait_once(int epoll, int descriptor, int events, int milliseconds)
{
    struct epoll_event event = {.events = (unsigned)events};
    int count;

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
        return -1;
    count = epoll_wait(epoll, &event, 1, milliseconds);
    return count > 0 ? (int)event.events : count;
}

/* epoll's events have poll's numbers on Linux (include/uapi/linux/eventpoll.h). */
static int wait_by_epoll(int descriptor, int events, int milliseconds)
{
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    int came, error;

    if (epoll < 0)
        return -1;
    came = wait_once(epoll, descriptor, events, milliseconds);
    error = errno;
    close(epoll);
    errno = error;
    return came;
}

const struct poller by_epoll = {.wait = wait_by_epoll};

#else

const struct poller by_epoll = {.lacks = "epoll is Linux's own"};

#endif

const struct poller by_select = {.wait = wait_by_select}, by_poll = {.wait = wait_by_poll};

int told_by(const struct poller *poller, int events)
{
    const int reading = events & (POLLIN | POLLHUP | POLLERR | POLLNVAL);
    const int writing = events & (POLLOUT | POLLERR | POLLNVAL);

    if (poller != &by_select)
        return events;
    return (reading ? POLLIN : 0) | (writing ? POLLOUT : 0) | (events & POLLPRI);
}
