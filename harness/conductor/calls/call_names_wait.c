#include "call_names.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* Constants of waiting for descriptors. */

static const struct call_name poll_rows[] = {
    {CALL_NAME(POLLIN)},     {CALL_NAME(POLLPRI)},    {CALL_NAME(POLLOUT)},
    {CALL_NAME(POLLERR)},    {CALL_NAME(POLLHUP)},    {CALL_NAME(POLLNVAL)},
    {CALL_NAME(POLLRDNORM)}, {CALL_NAME(POLLRDBAND)}, {CALL_NAME(POLLWRNORM)},
    {CALL_NAME(POLLWRBAND)},
#ifdef POLLMSG
    {CALL_NAME(POLLMSG)},
#endif
#ifdef POLLREMOVE
    {CALL_NAME(POLLREMOVE)},
#endif
    {CALL_NAME(POLLRDHUP)},
};
const struct call_names names_poll = {CALL_NAMES(poll_rows)};

static const struct call_name epoll_operation_rows[] = {
    {CALL_NAME(EPOLL_CTL_ADD)},
    {CALL_NAME(EPOLL_CTL_DEL)},
    {CALL_NAME(EPOLL_CTL_MOD)},
};
const struct call_names names_epoll_operation = {CALL_NAMES(epoll_operation_rows)};

static const struct call_name epoll_events_rows[] = {
    {CALL_NAME(EPOLLIN)},        {CALL_NAME(EPOLLPRI)},    {CALL_NAME(EPOLLOUT)},
    {CALL_NAME(EPOLLERR)},       {CALL_NAME(EPOLLHUP)},    {CALL_NAME(EPOLLRDNORM)},
    {CALL_NAME(EPOLLRDBAND)},    {CALL_NAME(EPOLLWRNORM)}, {CALL_NAME(EPOLLWRBAND)},
    {CALL_NAME(EPOLLMSG)},       {CALL_NAME(EPOLLRDHUP)},
#ifdef EPOLLEXCLUSIVE
    {CALL_NAME(EPOLLEXCLUSIVE)},
#endif
#ifdef EPOLLWAKEUP
    {CALL_NAME(EPOLLWAKEUP)},
#endif
    {CALL_NAME(EPOLLONESHOT)},   {CALL_NAME(EPOLLET)},
};
const struct call_names names_epoll_events = {CALL_NAMES(epoll_events_rows)};

static const struct call_name epoll_create_rows[] = {
    {CALL_NAME(EPOLL_CLOEXEC)},
};
const struct call_names names_epoll_create = {CALL_NAMES(epoll_create_rows)};

static const struct call_name eventfd_rows[] = {
    {CALL_NAME(EFD_SEMAPHORE)},
    {CALL_NAME(EFD_NONBLOCK)},
    {CALL_NAME(EFD_CLOEXEC)},
};
const struct call_names names_eventfd = {CALL_NAMES(eventfd_rows)};

static const struct call_name signalfd_rows[] = {
    {CALL_NAME(SFD_NONBLOCK)},
    {CALL_NAME(SFD_CLOEXEC)},
};
const struct call_names names_signalfd = {CALL_NAMES(signalfd_rows)};

static const struct call_name timerfd_rows[] = {
    {CALL_NAME(TFD_NONBLOCK)},
    {CALL_NAME(TFD_CLOEXEC)},
};
const struct call_names names_timerfd = {CALL_NAMES(timerfd_rows)};
