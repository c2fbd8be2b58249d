#ifndef SOCKSPEC_EPOLL_H
#define SOCKSPEC_EPOLL_H

/* epoll, which is Linux's: elsewhere its use makes an item *unsupported*, see lacking.h. */
#ifdef __linux__

#include <sys/epoll.h>

#else

#include "lacking.h"

#include <stdint.h>

struct epoll_event {
    uint32_t events;
    struct {
        int fd;
    } data;
};

#define EPOLLIN 0x1u
#define EPOLLOUT 0x4u
#define EPOLLEXCLUSIVE 0x10000000u
#define EPOLLONESHOT 0x40000000u
#define EPOLLET 0x80000000u
#define EPOLL_CLOEXEC 0
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define epoll_create1(flags) lacks("epoll")
#define epoll_ctl(epoll, operation, descriptor, event)                                             \
    ((void)(epoll), (void)(operation), (void)(descriptor), (void)(event), lacks("epoll"))
#define epoll_wait(epoll, events, room, milliseconds)                                              \
    ((void)(epoll), (void)(events), (void)(room), (void)(milliseconds), lacks("epoll"))

#endif

#endif
