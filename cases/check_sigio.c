#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Signals by which a socket tells of itself. They are blocked, and so pending till they are taken.
 */

enum { LIMIT_S = 3 };

static int block(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    return sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_pending(int number)
{
    sigset_t set;

    return sigpending(&set) == 0 && sigismember(&set, number) == 1;
}

/* Takes a blocked signal that is pending, or comes in some seconds: its number, or -1 with EAGAIN.
 */
static int take(int number, siginfo_t *information)
{
#ifdef __APPLE__
    (void)number;
    (void)information;
    return lacks("sigtimedwait");
#else
    const struct timespec limit = {.tv_sec = LIMIT_S};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    return sigtimedwait(&set, information, &limit);
#endif
}

static int set_async(int descriptor)
{
    return fcntl(descriptor, F_SETFL, NEED(fcntl(descriptor, F_GETFL)) | O_ASYNC);
}

/* SIGIO is blocked, and is to tell of mine. */
static int telling_pair(const struct kind *kind, struct pair *pair)
{
    *pair = (struct pair){-1, -1};
    if (block(SIGIO) < 0 || connected_pair(kind, pair) < 0 ||
        fcntl(pair->mine, F_SETOWN, getpid()) < 0)
        return -1;
    return set_async(pair->mine);
}

/* --- SIGIO ---------------------------------------------------------------------------------------
 */

/* Data that arrive raise SIGIO, where O_ASYNC is set and an owner.
 *
 * fcntl(2) O_ASYNC, F_SETOWN; socket(7) (SIGIO); Linux net/core/sock.c sock_def_readable(). */
CASE(data_raise_sigio, EACH(every_socket), BEHAVIOUR("F8"), ABOUT("SIGIO", "O_ASYNC", "F_SETOWN"))
{
    struct pair pair;

    NEED(telling_pair(kind, &pair));
    GIVEN(!is_pending(SIGIO));
    NEED(send(pair.peer, "x", 1, 0));
    GIVES(take(SIGIO, NULL), SIGIO);
}

/* Without O_ASYNC they raise none, though there is an owner.
 *
 * fcntl(2) O_ASYNC; Linux net/socket.c sock_wake_async() (fasync_list). */
CASE(without_o_async_data_raise_no_sigio, EACH(every_socket), BEHAVIOUR("F8"),
     ABOUT("SIGIO", "O_ASYNC"))
{
    struct pair pair;

    NEED(block(SIGIO));
    NEED(connected_pair(kind, &pair));
    NEED(fcntl(pair.mine, F_SETOWN, getpid()));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(await_events(pair.mine, POLLIN));
    IS(is_pending(SIGIO), false);
}

/* Without an owner nobody is told, though O_ASYNC is set.
 *
 * fcntl(2) F_SETOWN (none at first); Linux fs/fcntl.c send_sigio(). */
CASE(without_an_owner_there_is_no_sigio, EACH(every_socket), BEHAVIOUR("F8"),
     ABOUT("SIGIO", "F_SETOWN"))
{
    struct pair pair;

    NEED(block(SIGIO));
    NEED(connected_pair(kind, &pair));
    NEED(set_async(pair.mine));
    IS(fcntl(pair.mine, F_GETOWN), 0);
    NEED(send(pair.peer, "x", 1, 0));
    NEED(await_events(pair.mine, POLLIN));
    IS(is_pending(SIGIO), false);
}

/* Of data that come one after another while SIGIO is pending it tells once: it does not queue.
 *
 * POSIX.1-2024 2.4.1 (whether it queues is left open); signal(7) (standard signals). */
CASE(pending_sigio_does_not_queue, EACH(stream), BEHAVIOUR("F8"), ABOUT("SIGIO"))
{
    struct pair pair;

    NEED(telling_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(send(pair.peer, "y", 1, 0));
    GIVES(take(SIGIO, NULL), SIGIO);
    IS(is_pending(SIGIO), false);
}

/* The peer's end raises SIGIO as data do.
 *
 * Linux net/ipv4/tcp_input.c tcp_fin() (POLL_IN), net/unix/af_unix.c unix_shutdown(). */
CASE(the_peers_end_raises_sigio, EACH(connected), BEHAVIOUR("F8"), ABOUT("SIGIO", "FIN"))
{
    struct pair pair;

    NEED(telling_pair(kind, &pair));
    NEED(shutdown(pair.peer, SHUT_WR));
    GIVES(take(SIGIO, NULL), SIGIO);
}

/* A connection that waits to be accepted raises the listener's SIGIO.
 *
 * socket(7) (SIGIO); Linux net/ipv4/tcp_minisocks.c tcp_child_process(), net/unix/af_unix.c
 * unix_stream_connect(). */
CASE(a_connection_raises_the_listeners_sigio, EACH(connected), BEHAVIOUR("F8"),
     ABOUT("SIGIO", "accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(block(SIGIO));
    NEED(fcntl(listener, F_SETOWN, getpid()));
    NEED(set_async(listener));
    NEED(connect(client, &there.any, there.length));
    GIVES(take(SIGIO, NULL), SIGIO);
}

/* An accepted socket has neither the listener's owner nor its O_ASYNC.
 *
 * accept(2) (file status flags are not inherited on Linux; BSD's are). */
CASE(an_accepted_socket_has_no_owner, EACH(connected), BEHAVIOUR("F8", "G13"),
     ABOUT("O_ASYNC", "F_GETOWN", "accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));
    int accepted;

    NEED(block(SIGIO));
    NEED(fcntl(listener, F_SETOWN, getpid()));
    NEED(set_async(listener));
    NEED(connect(client, &there.any, there.length));
    accepted = NEED(accept(listener, NULL, NULL));
    IS(NEED(fcntl(accepted, F_GETFL)) & O_ASYNC, ON(LINUX(0), DARWIN(O_ASYNC), FREEBSD(O_ASYNC)));
    IS(fcntl(accepted, F_GETOWN), 0);
}

/* F_SETSIG chooses another signal, and that tells which descriptor it is about.
 *
 * fcntl(2) F_SETSIG (si_fd, si_band); Linux fs/fcntl.c send_sigio_to_task(). */
CASE(f_setsig_tells_the_descriptor, EACH(every_socket), BEHAVIOUR("F8"), ABOUT("SIGIO", "F_SETSIG"))
{
#ifdef __linux__
    const int chosen = SIGRTMIN;
    siginfo_t information = {0};
    struct pair pair;

    NEED(block(chosen));
    NEED(telling_pair(kind, &pair));
    NEED(fcntl(pair.mine, F_SETSIG, chosen));
    NEED(send(pair.peer, "x", 1, 0));
    GIVES(take(chosen, &information), chosen);
    IS(information.si_fd, pair.mine);
    EVENTS_ARE(information.si_band & POLLIN, POLLIN);
    IS(is_pending(SIGIO), false);
#else
    lacks("F_SETSIG");
#endif
}

/* A real-time signal queues: each arrival is told.
 *
 * fcntl(2) F_SETSIG; signal(7) (real-time signals); POSIX.1-2024 2.4.2. */
CASE(a_real_time_signal_tells_of_each_arrival, EACH(every_socket), BEHAVIOUR("F8"),
     ABOUT("F_SETSIG"))
{
#ifdef __linux__
    const int chosen = SIGRTMIN;
    struct pair pair;

    NEED(block(chosen));
    NEED(telling_pair(kind, &pair));
    NEED(fcntl(pair.mine, F_SETSIG, chosen));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(send(pair.peer, "y", 1, 0));
    GIVES(take(chosen, NULL), chosen);
    GIVES(take(chosen, NULL), chosen);
    IS(is_pending(chosen), false);
#else
    lacks("F_SETSIG");
#endif
}

/* --- SIGURG --------------------------------------------------------------------------------------
 */

/* SIGURG is blocked, and mine has an owner. */
static int owned_pair(const struct kind *kind, struct pair *pair)
{
    *pair = (struct pair){-1, -1};
    if (block(SIGURG) < 0 || block(SIGIO) < 0 || connected_pair(kind, pair) < 0)
        return -1;
    return fcntl(pair->mine, F_SETOWN, getpid());
}

/* Urgent data raise SIGURG for the owner, without O_ASYNC.
 *
 * POSIX.1-2024 2.10.11, fcntl() F_SETOWN; tcp(7); Linux net/ipv4/tcp_input.c tcp_check_urg()
 * (sk_send_sigurg). */
CASE(urgent_data_raise_sigurg, EACH(inet_stream_mapped), BEHAVIOUR("F8", "P1"),
     ABOUT("SIGURG", "MSG_OOB", "F_SETOWN"))
{
    struct pair pair;

    NEED(owned_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, MSG_OOB));
    GIVES(take(SIGURG, NULL), SIGURG);
    IS(is_pending(SIGIO), false);
}

/* Data that are not urgent raise none.
 *
 * POSIX.1-2024 2.10.11; Linux net/ipv4/tcp_input.c tcp_check_urg(). */
CASE(ordinary_data_raise_no_sigurg, EACH(inet_stream_mapped), BEHAVIOUR("F8"), ABOUT("SIGURG"))
{
    struct pair pair;

    NEED(owned_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(await_events(pair.mine, POLLIN));
    IS(is_pending(SIGURG), false);
}

/* Nobody is told where no owner was named.
 *
 * fcntl(2) F_SETOWN; Linux net/core/sock.c sk_send_sigurg(), fs/fcntl.c send_sigurg(). */
CASE(without_an_owner_there_is_no_sigurg, EACH(inet_stream_mapped), BEHAVIOUR("F8"),
     ABOUT("SIGURG", "F_SETOWN"))
{
    struct pair pair;

    NEED(block(SIGURG));
    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, MSG_OOB));
    NEED(await_events(pair.mine, POLLPRI));
    IS(is_pending(SIGURG), false);
}

/* The owner may be a process group, which F_GETOWN gives as a negative number.
 *
 * POSIX.1-2024 fcntl() F_SETOWN, F_GETOWN. */
CASE(a_process_group_is_told, EACH(inet_stream_mapped), BEHAVIOUR("F8"),
     ABOUT("SIGURG", "F_SETOWN", "F_GETOWN"))
{
    struct pair pair;

    NEED(owned_pair(kind, &pair));
    NEED(fcntl(pair.mine, F_SETOWN, -getpgrp()));
    IS(fcntl(pair.mine, F_GETOWN), -getpgrp());
    NEED(send(pair.peer, "x", 1, MSG_OOB));
    GIVES(take(SIGURG, NULL), SIGURG);
}

/* F_SETOWN refuses a process that does not exist: ESRCH.
 *
 * POSIX.1-2024 fcntl() [ESRCH]; Linux fs/fcntl.c f_setown(). */
CASE(an_owner_that_does_not_exist_is_refused, EACH(every_socket), BEHAVIOUR("F8"),
     ABOUT("F_SETOWN", "ESRCH"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(fcntl(fd, F_SETOWN, 1 << 30), ESRCH);
}
