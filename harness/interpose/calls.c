#include "channel.h"
#include "passage.h"
#include "real.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if !defined(__APPLE__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#endif

/* The calls that are passed on as they are: a row each, with the name that it is reported by. */

#define WORD(x) ((uint64_t)(x))

#define PASS(R, name, call_, types, parameters, given_, made)                                      \
    INTERPOSE(R, name, parameters)                                                                 \
    R interposed_##name parameters                                                                 \
    {                                                                                              \
        struct passage passage = {.call = REPORTED_##call_, .given = given_};                      \
        const uint64_t *const with = passage.arguments;                                            \
                                                                                                   \
        (void)with;                                                                                \
        if (passage_enter(&passage))                                                               \
            passage.result = (int64_t)REAL_AS(R, name, types) made;                                \
        return (R)passage_leave(&passage);                                                         \
    }

#define GIVEN(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define PASS0(R, name, call) PASS(R, name, call, (void), (void), GIVEN(0), ())
#define PASS1(R, name, call, A) PASS(R, name, call, (A), (A a), GIVEN(WORD(a)), ((A)with[0]))
#define PASS2(R, name, call, A, B)                                                                 \
    PASS(R, name, call, (A, B), (A a, B b), GIVEN(WORD(a), WORD(b)), ((A)with[0], (B)with[1]))
#define PASS3(R, name, call, A, B, C)                                                              \
    PASS(R, name, call, (A, B, C), (A a, B b, C c), GIVEN(WORD(a), WORD(b), WORD(c)),              \
         ((A)with[0], (B)with[1], (C)with[2]))
#define PASS4(R, name, call, A, B, C, D)                                                           \
    PASS(R, name, call, (A, B, C, D), (A a, B b, C c, D d),                                        \
         GIVEN(WORD(a), WORD(b), WORD(c), WORD(d)),                                                \
         ((A)with[0], (B)with[1], (C)with[2], (D)with[3]))
#define PASS5(R, name, call, A, B, C, D, E)                                                        \
    PASS(R, name, call, (A, B, C, D, E), (A a, B b, C c, D d, E e),                                \
         GIVEN(WORD(a), WORD(b), WORD(c), WORD(d), WORD(e)),                                       \
         ((A)with[0], (B)with[1], (C)with[2], (D)with[3], (E)with[4]))
#define PASS6(R, name, call, A, B, C, D, E, F)                                                     \
    PASS(R, name, call, (A, B, C, D, E, F), (A a, B b, C c, D d, E e, F f),                        \
         GIVEN(WORD(a), WORD(b), WORD(c), WORD(d), WORD(e), WORD(f)),                              \
         ((A)with[0], (B)with[1], (C)with[2], (D)with[3], (E)with[4], (F)with[5]))

/* The types are the C library's, which fills in what these point at. */
/* NOLINTBEGIN(readability-non-const-parameter) */

/* --- sockets
 * ------------------------------------------------------------------------------------------ */

PASS3(int, socket, socket, int, int, int)
PASS4(int, socketpair, socketpair, int, int, int, int *)
PASS3(int, bind, bind, int, const struct sockaddr *, socklen_t)
PASS2(int, listen, listen, int, int)
PASS3(int, accept, accept, int, struct sockaddr *, socklen_t *)
PASS3(int, connect, connect, int, const struct sockaddr *, socklen_t)
PASS2(int, shutdown, shutdown, int, int)
PASS3(int, getsockname, getsockname, int, struct sockaddr *, socklen_t *)
PASS3(int, getpeername, getpeername, int, struct sockaddr *, socklen_t *)
PASS5(int, getsockopt, getsockopt, int, int, int, void *, socklen_t *)
PASS5(int, setsockopt, setsockopt, int, int, int, const void *, socklen_t)
PASS4(ssize_t, send, sendto, int, const void *, size_t, int)
PASS6(ssize_t, sendto, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t)
PASS4(ssize_t, recv, recvfrom, int, void *, size_t, int)
PASS6(ssize_t, recvfrom, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *)
PASS3(ssize_t, sendmsg, sendmsg, int, const struct msghdr *, int)
PASS3(ssize_t, recvmsg, recvmsg, int, struct msghdr *, int)

/* --- reading and writing, descriptors
 * ----------------------------------------------------------------- */

PASS3(ssize_t, read, read, int, void *, size_t)
PASS3(ssize_t, write, write, int, const void *, size_t)
PASS3(ssize_t, readv, readv, int, const struct iovec *, int)
PASS3(ssize_t, writev, writev, int, const struct iovec *, int)
PASS1(int, dup, dup, int)
PASS1(int, pipe, pipe, int *)

/* --- waiting and signals
 * ------------------------------------------------------------------------------ */

PASS3(int, poll, poll, struct pollfd *, nfds_t, int)
PASS2(int, kill, kill, pid_t, int)
PASS0(pid_t, setsid, setsid)
PASS0(int, pause, pause)
PASS1(unsigned, alarm, alarm, unsigned)
PASS1(int, unlink, unlink, const char *)

#if !defined(__APPLE__)
PASS4(int, accept4, accept4, int, struct sockaddr *, socklen_t *, int)
PASS4(ssize_t, sendfile, sendfile, int, int, off_t *, size_t)
PASS2(int, pipe2, pipe2, int *, int)
PASS1(int, epoll_create1, epoll_create1, int)
PASS4(int, epoll_ctl, epoll_ctl, int, int, int, struct epoll_event *)
PASS4(int, epoll_wait, epoll_wait, int, struct epoll_event *, int, int)
PASS4(int, sendmmsg, sendmmsg, int, struct mmsghdr *, unsigned, int)
PASS5(int, recvmmsg, recvmmsg, int, struct mmsghdr *, unsigned, int, struct timespec *)
PASS2(int, eventfd, eventfd2, unsigned, int)
PASS3(int, setitimer, setitimer, __itimer_which_t, const struct itimerval *, struct itimerval *)
#endif

/* NOLINTEND(readability-non-const-parameter) */

/* What is the conductor's is not the program's to close or overwrite. */
INTERPOSE(int, close, (int))
int interposed_close(int descriptor)
{
    struct passage passage = {.call = REPORTED_close, .given = {WORD(descriptor)}};

    if (passage_enter(&passage)) {
        errno = EBADF;
        passage.result = channel_owns(descriptor) ? -1 : REAL(close)(descriptor);
    }
    return (int)passage_leave(&passage);
}

INTERPOSE(int, dup2, (int, int))
int interposed_dup2(int descriptor, int to)
{
    struct passage passage = {.call = REPORTED_dup2, .given = {WORD(descriptor), WORD(to)}};

    if (passage_enter(&passage)) {
        errno = EBADF;
        passage.result = channel_owns(to) ? -1 : REAL(dup2)(descriptor, to);
    }
    return (int)passage_leave(&passage);
}

#if !defined(__APPLE__)
INTERPOSE(int, dup3, (int, int, int))
int interposed_dup3(int descriptor, int to, int flags)
{
    struct passage passage = {.call = REPORTED_dup3,
                              .given = {WORD(descriptor), WORD(to), WORD(flags)}};

    if (passage_enter(&passage)) {
        errno = EBADF;
        passage.result = channel_owns(to) ? -1 : REAL(dup3)(descriptor, to, flags);
    }
    return (int)passage_leave(&passage);
}

/* Up to the conductor's, and from them on. */
static int close_around(unsigned first, unsigned last, int flags)
{
    const unsigned ours = REPORT_SOCKET, after = REPORT_MEMORY + 1;

    if (!channel_owns(REPORT_SOCKET) || last < ours || first >= after || first > last)
        return REAL(close_range)(first, last, flags);
    if (first < ours && REAL(close_range)(first, ours - 1, flags) < 0)
        return -1;
    return last >= after ? REAL(close_range)(after, last, flags) : 0;
}

INTERPOSE(int, close_range, (unsigned, unsigned, int))
int interposed_close_range(unsigned first, unsigned last, int flags)
{
    struct passage passage = {.call = REPORTED_close_range, .given = {first, last, WORD(flags)}};

    if (passage_enter(&passage))
        passage.result = close_around(first, last, flags);
    return (int)passage_leave(&passage);
}

INTERPOSE(void, closefrom, (int))
void interposed_closefrom(int first)
{
    interposed_close_range((unsigned)(first < 0 ? 0 : first), ~0U, 0);
}
#endif

/* An argument that was not given is a word that means nothing; it is handed on as such. */
INTERPOSE(int, fcntl, (int, int, ...))
int interposed_fcntl(int descriptor, int command, ...)
{
    struct passage passage = {.call = REPORTED_fcntl};
    va_list more;
    void *argument;

    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    passage.given[0] = WORD(descriptor);
    passage.given[1] = WORD(command);
    passage.given[2] = WORD(argument);
    if (passage_enter(&passage))
        passage.result = REAL(fcntl)(descriptor, command, argument);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, ioctl, (int, unsigned long, ...))
int interposed_ioctl(int descriptor, unsigned long request, ...)
{
    struct passage passage = {.call = REPORTED_ioctl};
    va_list more;
    void *argument;

    va_start(more, request);
    argument = va_arg(more, void *);
    va_end(more);
    passage.given[0] = WORD(descriptor);
    passage.given[1] = WORD(request);
    passage.given[2] = WORD(argument);
    if (passage_enter(&passage))
        passage.result = REAL(ioctl)(descriptor, request, argument);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, open, (const char *, int, ...))
int interposed_open(const char *path, int flags, ...)
{
    struct passage passage = {.call = REPORTED_openat};
    va_list more;
    unsigned mode;

    va_start(more, flags);
    mode = va_arg(more, unsigned);
    va_end(more);
    passage.given[0] = WORD(AT_FDCWD);
    passage.given[1] = WORD(path);
    passage.given[2] = WORD(flags);
    passage.given[3] = mode;
    if (passage_enter(&passage))
        passage.result = REAL(open)(path, flags, mode);
    return (int)passage_leave(&passage);
}

/* --- select
 * ------------------------------------------------------------------------------------------- */

/* What pselect6's last argument points at. */
struct mask_and_size {
    uint64_t mask, size;
};

INTERPOSE(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))
int interposed_select(int count, fd_set *in, fd_set *out, fd_set *exceptional,
                      struct timeval *limit)
{
    struct timespec told = {limit ? limit->tv_sec : 0, limit ? limit->tv_usec * 1000 : 0};
    struct passage passage = {
        .call = REPORTED_pselect6,
        .given = {WORD(count), WORD(in), WORD(out), WORD(exceptional), limit ? WORD(&told) : 0, 0}};

    if (passage_enter(&passage))
        passage.result = REAL(select)(count, in, out, exceptional, limit);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, pselect,
          (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))
int interposed_pselect(int count, fd_set *in, fd_set *out, fd_set *exceptional,
                       const struct timespec *limit, const sigset_t *mask)
{
    const struct mask_and_size pair = {WORD(mask), 8};
    struct passage passage = {
        .call = REPORTED_pselect6,
        .given = {WORD(count), WORD(in), WORD(out), WORD(exceptional), WORD(limit), WORD(&pair)}};

    if (passage_enter(&passage))
        passage.result = REAL(pselect)(count, in, out, exceptional, limit, mask);
    return (int)passage_leave(&passage);
}

#if !defined(__APPLE__)
INTERPOSE(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))
int interposed_ppoll(struct pollfd *list, nfds_t count, const struct timespec *limit,
                     const sigset_t *mask)
{
    struct passage passage = {.call = REPORTED_ppoll,
                              .given = {WORD(list), WORD(count), WORD(limit), WORD(mask), 8}};

    if (passage_enter(&passage))
        passage.result = REAL(ppoll)(list, count, limit, mask);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))
int interposed_epoll_pwait(int set, struct epoll_event *events, int room, int limit,
                           const sigset_t *mask)
{
    struct passage passage = {
        .call = REPORTED_epoll_pwait,
        .given = {WORD(set), WORD(events), WORD(room), WORD(limit), WORD(mask), 8}};

    if (passage_enter(&passage))
        passage.result = REAL(epoll_pwait)(set, events, room, limit, mask);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, sigtimedwait, (const sigset_t *, siginfo_t *, const struct timespec *))
int interposed_sigtimedwait(const sigset_t *set, siginfo_t *information,
                            const struct timespec *limit)
{
    struct passage passage = {.call = REPORTED_rt_sigtimedwait,
                              .given = {WORD(set), WORD(information), WORD(limit), 8}};

    if (passage_enter(&passage))
        passage.result = REAL(sigtimedwait)(set, information, limit);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, sigwaitinfo, (const sigset_t *, siginfo_t *))
int interposed_sigwaitinfo(const sigset_t *set, siginfo_t *information)
{
    return interposed_sigtimedwait(set, information, NULL);
}

/* It returns an errno, and does not set it. */
INTERPOSE(int, clock_nanosleep, (clockid_t, int, const struct timespec *, struct timespec *))
int interposed_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                               struct timespec *remaining)
{
    struct passage passage = {.call = REPORTED_clock_nanosleep,
                              .given = {WORD(clock), WORD(flags), WORD(time), WORD(remaining)}};
    const int saved = errno;
    int error = 0;

    if (passage_enter(&passage)) {
        error = REAL(clock_nanosleep)(clock, flags, time, remaining);
        errno = error;
        passage.result = error ? -1 : 0;
    }
    if (passage_leave(&passage) < 0)
        error = errno;
    errno = saved;
    return error;
}
#endif

/* --- signals, sleeping
 * -------------------------------------------------------------------------------- */

INTERPOSE(int, sigsuspend, (const sigset_t *))
int interposed_sigsuspend(const sigset_t *mask)
{
    struct passage passage = {.call = REPORTED_rt_sigsuspend, .given = {WORD(mask), 8}};

    if (passage_enter(&passage))
        passage.result = REAL(sigsuspend)(mask);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, sigprocmask, (int, const sigset_t *, sigset_t *))
int interposed_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    struct passage passage = {.call = REPORTED_rt_sigprocmask,
                              .given = {WORD(how), WORD(set), WORD(old), 8}};

    if (passage_enter(&passage))
        passage.result = REAL(sigprocmask)(how, set, old);
    return (int)passage_leave(&passage);
}

/* The same of one thread; it returns an errno, and does not set it. */
INTERPOSE(int, pthread_sigmask, (int, const sigset_t *, sigset_t *))
int interposed_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    const int saved = errno;
    const int error = interposed_sigprocmask(how, set, old) < 0 ? errno : 0;

    errno = saved;
    return error;
}

INTERPOSE(int, sigwait, (const sigset_t *, int *))
int interposed_sigwait(const sigset_t *set, int *number)
{
    struct passage passage = {.call = REPORTED_rt_sigtimedwait, .given = {WORD(set), 0, 0, 8}};
    const int saved = errno;
    int error = 0;

    if (passage_enter(&passage)) {
        error = REAL(sigwait)(set, number);
        errno = error;
        passage.result = error ? -1 : *number;
    }
    if (passage_leave(&passage) < 0)
        error = errno;
    errno = saved;
    return error;
}

INTERPOSE(int, raise, (int))
int interposed_raise(int number)
{
    const uint64_t own = (uint64_t)getpid();
    struct passage passage = {.call = REPORTED_tgkill,
                              .given = {own, channel_thread(), WORD(number)}};

    if (passage_enter(&passage))
        passage.result = REAL(raise)(number);
    return (int)passage_leave(&passage);
}

INTERPOSE(int, nanosleep, (const struct timespec *, struct timespec *))
int interposed_nanosleep(const struct timespec *time, struct timespec *remaining)
{
    struct passage passage = {.call = REPORTED_clock_nanosleep,
                              .given = {CLOCK_REALTIME, 0, WORD(time), WORD(remaining)}};

    if (passage_enter(&passage))
        passage.result = REAL(nanosleep)(time, remaining);
    return (int)passage_leave(&passage);
}

INTERPOSE(unsigned, sleep, (unsigned))
unsigned interposed_sleep(unsigned seconds)
{
    struct timespec time = {(time_t)seconds, 0};

    return interposed_nanosleep(&time, &time) < 0 ? (unsigned)time.tv_sec : 0;
}
