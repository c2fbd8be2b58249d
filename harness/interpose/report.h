#ifndef SOCKSPEC_REPORT_H
#define SOCKSPEC_REPORT_H

#include <stdatomic.h>
#include <stdint.h>

/* What the interposed library and the conductor say to one another.
 *
 * The library reports in datagrams over a socket that all processes of a lab share, and is answered
 * in memory that they share too: each thread has a slot there, and sleeps on its word. So a program
 * needs no descriptor for each of its threads and children, whatever its limits, and an answer
 * reaches a child that has just been forked. Both are inherited under high numbers, which are kept
 * from the program. */

enum { REPORT_SOCKET = 1020, REPORT_MEMORY = 1021, REPORT_SLOTS = 4096, REPORT_NO_SLOT = 0 };

/* The calls that are interposed, by the names that the conductor's table has for them. */
#define REPORT_CALLS(CALL)                                                                         \
    CALL(socket)                                                                                   \
    CALL(socketpair)                                                                               \
    CALL(bind)                                                                                     \
    CALL(listen)                                                                                   \
    CALL(accept)                                                                                   \
    CALL(accept4)                                                                                  \
    CALL(connect)                                                                                  \
    CALL(shutdown)                                                                                 \
    CALL(getsockname)                                                                              \
    CALL(getpeername)                                                                              \
    CALL(getsockopt)                                                                               \
    CALL(setsockopt)                                                                               \
    CALL(sendto)                                                                                   \
    CALL(recvfrom)                                                                                 \
    CALL(sendmsg)                                                                                  \
    CALL(recvmsg)                                                                                  \
    CALL(sendmmsg)                                                                                 \
    CALL(recvmmsg)                                                                                 \
    CALL(read)                                                                                     \
    CALL(write)                                                                                    \
    CALL(readv)                                                                                    \
    CALL(writev)                                                                                   \
    CALL(sendfile)                                                                                 \
    CALL(close)                                                                                    \
    CALL(close_range)                                                                              \
    CALL(dup)                                                                                      \
    CALL(dup2)                                                                                     \
    CALL(dup3)                                                                                     \
    CALL(fcntl)                                                                                    \
    CALL(ioctl)                                                                                    \
    CALL(pipe)                                                                                     \
    CALL(pipe2)                                                                                    \
    CALL(openat)                                                                                   \
    CALL(unlink)                                                                                   \
    CALL(poll)                                                                                     \
    CALL(ppoll)                                                                                    \
    CALL(pselect6)                                                                                 \
    CALL(epoll_create1)                                                                            \
    CALL(epoll_ctl)                                                                                \
    CALL(epoll_wait)                                                                               \
    CALL(epoll_pwait)                                                                              \
    CALL(eventfd2)                                                                                 \
    CALL(clone)                                                                                    \
    CALL(vfork)                                                                                    \
    CALL(execve)                                                                                   \
    CALL(exit_group)                                                                               \
    CALL(wait4)                                                                                    \
    CALL(waitid)                                                                                   \
    CALL(setsid)                                                                                   \
    CALL(kill)                                                                                     \
    CALL(tgkill)                                                                                   \
    CALL(rt_sigaction)                                                                             \
    CALL(rt_sigprocmask)                                                                           \
    CALL(rt_sigsuspend)                                                                            \
    CALL(rt_sigtimedwait)                                                                          \
    CALL(pause)                                                                                    \
    CALL(clock_nanosleep)                                                                          \
    CALL(alarm)                                                                                    \
    CALL(setitimer)

#define REPORT_CALL_NUMBER(name) REPORTED_##name,
enum reported_call { REPORT_CALLS(REPORT_CALL_NUMBER) REPORTED_CALLS };

enum report_kind {
    /* These are answered, and the thread waits till they are. */
    REPORT_EXEC,    /* the library has been loaded into a program; number: the parent */
    REPORT_ENTER,   /* a call is about to be made */
    REPORT_LEAVE,   /* it was made, and gave `result` */
    REPORT_SIGNAL,  /* a signal has come; flags: SA_RESTART and so on of its handler */
    REPORT_FORKED,  /* number: the child */
    REPORT_BORN,    /* number: the parent */
    REPORT_EXITING, /* number: the status, as wait() tells it */
    /* These are not. */
    REPORT_HANDLED, /* the handler has returned */
    REPORT_REAPED,  /* number: a child; result: its status */
    REPORT_GONE,    /* the thread ends, its process goes on */
    REPORT_UNABLE,  /* number: a signal waits that should interrupt the call that is to begin */
};

struct report {
    uint32_t slot;
    int32_t pid, thread;
    int32_t kind, call, number;
    int32_t from;  /* SIGNAL: who sent it, 0: not a process */
    int32_t fatal; /* SIGNAL: it has no handler, and will end the process */
    uint64_t flags;
    uint64_t arguments[6];
    int64_t result; /* -errno when it failed */
};

/* Each thread's own; free while its owner is 0. */
struct slot {
    _Atomic int32_t owner;  /* the thread */
    _Atomic uint32_t asked; /* 1 from the report till its answer */
    int32_t skip;           /* ENTER: the call is not made, and gives … */
    int64_t result;         /* … this, or fails where it is -errno */
    int32_t shorten;        /* ENTER: the argument that is replaced, or -1 */
    uint64_t length;        /* … by this */
    int32_t detach;         /* the process is left alone from now on */
    int32_t held;           /* the thread was held meanwhile */
};

#endif
