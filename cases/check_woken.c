#include "case.h"
#include "sleeper.h"
#include "sockets.h"

#include <poll.h>
#include <unistd.h>

/* What wakes a call that sleeps in a thread of its own, and what does not. */

struct watch {
    const struct poller *poller;
    int descriptor, events;
};

static long watches(const void *argument)
{
    const struct watch *watch = argument;

    return watch->poller->wait(watch->descriptor, watch->events, -1);
}

static long receives(const void *argument)
{
    const int *descriptor = argument;
    char byte;

    return recv(*descriptor, &byte, 1, 0);
}

static long accepts(const void *argument)
{
    const int *descriptor = argument;

    return accept(*descriptor, NULL, NULL);
}

static struct watch input_of(const struct kind *kind, int descriptor)
{
    return (struct watch){kind->poller, descriptor, POLLIN};
}

/* --- pollers that are woken ----------------------------------------------------------------------
 */

/* Data wake a poller that sleeps.
 *
 * POSIX.1-2024 poll(), select(); Linux net/core/sock.c sock_def_readable(). */
CASE(data_wake_a_poller, EACH(every_socket, pollers), BEHAVIOUR("K12"), ABOUT("POLLIN"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(woken(&sleeper), POLLIN);
}

/* All that sleep for one socket are woken, each by its own call.
 *
 * Linux kernel/sched/wait.c __wake_up_common(): pollers are no exclusive waiters. */
CASE(data_wake_every_poller, EACH(every_socket, pollers), BEHAVIOUR("K12"), ABOUT("POLLIN"))
{
    struct watch watch;
    struct sleeper one, other;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&one, watches, &watch));
    NEED(falls_asleep(&other, watches, &watch));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(woken(&one), POLLIN);
    EVENTS_ARE(woken(&other), POLLIN);
}

/* A connection that waits wakes a poller of the listener.
 *
 * POSIX.1-2024 accept(), poll(); Linux tcp_child_process(), unix_stream_connect(). */
CASE(a_connection_wakes_a_poller, EACH(connected, pollers), BEHAVIOUR("K5"),
     ABOUT("accept", "POLLIN"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind)), client = NEED(new_socket(kind));
    const struct watch watch = input_of(kind, listener);
    struct sleeper sleeper;

    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(connect(client, &there.any, there.length));
    EVENTS_ARE(woken(&sleeper), POLLIN);
}

/* A peer that shuts its side down wakes a poller.
 *
 * POSIX.1-2024 shutdown(), poll(); Linux net/ipv4/tcp_input.c tcp_fin(), unix_shutdown(). */
CASE(the_peers_shutdown_wakes_a_poller, EACH(connected, pollers), BEHAVIOUR("K15"),
     ABOUT("shutdown", "FIN", "POLLIN"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(shutdown(pair.peer, SHUT_WR));
    EVENTS_ARE(woken(&sleeper), ON(LINUX(POLLIN), DARWIN(told_by(kind->poller, POLLIN | POLLHUP))));
}

/* One's own shutdown in another thread does too.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown() (sk_state_change), net/unix/af_unix.c unix_shutdown().
 */
CASE(ones_own_shutdown_wakes_a_poller, EACH(every_socket, pollers), BEHAVIOUR("K15"),
     ABOUT("SHUT_RD", "POLLIN"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(shutdown(pair.mine, SHUT_RD));
    EVENTS_ARE(woken(&sleeper), POLLIN);
}

/* Draining wakes a poller that waits for room.
 *
 * POSIX.1-2024 poll() (POLLOUT); Linux net/core/stream.c sk_stream_write_space(),
 * net/unix/af_unix.c unix_write_space(). */
CASE(draining_wakes_a_poller, EACH(connected, pollers), BEHAVIOUR("K6"), ABOUT("POLLOUT"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    watch = (struct watch){kind->poller, pair.mine, POLLOUT};
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(drain(pair.peer));
    EVENTS_ARE(woken(&sleeper), POLLOUT);
}

/* A connect that fails wakes a poller that waits for it: the SYN, sent again, finds nobody.
 *
 * POSIX.1-2024 connect() (asynchronously), poll(); Linux net/ipv4/tcp_input.c tcp_reset(). */
CASE(a_failed_connect_wakes_a_poller, EACH(inet_stream, pollers), BEHAVIOUR("K11"),
     ABOUT("ECONNREFUSED", "POLLOUT"), WAITS)
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_at(kind, there, 0));
    const int queued = NEED(new_socket(kind)), fd = NEED(new_socket(kind));
    const struct watch watch = {kind->poller, fd, POLLOUT};
    struct sleeper sleeper;

    NEED(connect(queued, &there.any, there.length));
    NEED(nonblocking(fd));
    GIVEN(connect(fd, &there.any, there.length) < 0 && errno == EINPROGRESS);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(close(listener));
    EVENTS_ARE(woken(&sleeper), told_by(kind->poller, POLLOUT | POLLHUP | POLLERR) & ~POLLIN);
    ERRNO_IS(so_error(fd), ECONNREFUSED);
}

/* --- closing what a poller waits for -------------------------------------------------------------
 */

/* close() in another thread wakes no poller.
 *
 * POSIX leaves it open; select(2) and poll(2) (unspecified, no effect on Linux), epoll(7) (question
 * 6). Darwin wakes select (xnu). */
CASE(close_wakes_no_poller, EACH(every_socket, pollers), BEHAVIOUR("K9"), ABOUT("close"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(close(pair.mine));
    IS(asleep(&sleeper), true);
}

static KINDS(holding, KIND("select", .poller = &by_select), KIND("poll", .poller = &by_poll));

/* select and poll hold what they wait for open: the peer learns nothing of the close.
 *
 * Linux fs/select.c: a reference to the file, fs/file.c fget(), till the call is over. */
CASE(a_poller_holds_a_closed_connection_open, EACH(connected, holding), BEHAVIOUR("K9"),
     ABOUT("close", "FIN"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(close(pair.mine));
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* Data that arrive then wake poll, and it finds the descriptor closed: POLLNVAL.
 *
 * poll(2) (unspecified); Linux fs/select.c do_pollfd(): woken, it looks the number up again. */
CASE(woken_poll_finds_the_descriptor_closed, EACH(every_socket), BEHAVIOUR("K9"),
     ABOUT("close", "POLLNVAL", "poll"))
{
    struct watch watch = {.poller = &by_poll, .events = POLLIN};
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch.descriptor = pair.mine;
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(close(pair.mine));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(woken(&sleeper), POLLNVAL);
}

static KINDS(epoll_alone, KIND("epoll", .poller = &by_epoll));

/* epoll holds nothing open: the close ends the connection at once, and the sleeper never learns.
 *
 * epoll(7) (question 6); Linux fs/eventpoll.c eventpoll_release_file(). */
CASE(an_epoll_holds_nothing_open, EACH(connected, epoll_alone), BEHAVIOUR("K9"),
     ABOUT("close", "FIN"))
{
    struct watch watch;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    watch = input_of(kind, pair.mine);
    NEED(falls_asleep(&sleeper, watches, &watch));
    NEED(close(pair.mine));
    EVENTS_ARE(NEED(events_now(pair.peer, POLLIN)) & POLLIN, POLLIN);
    IS(asleep(&sleeper), true);
}

/* --- shutdown, of what another thread sleeps in --------------------------------------------------
 */

static KINDS(ends_reading, KIND("SHUT_RD", .value = SHUT_RD),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* shutdown() wakes a recv that sleeps: it gives 0, for datagrams too.
 *
 * POSIX.1-2024 shutdown(), recv(); Linux inet_shutdown() (sk_state_change), net/core/datagram.c
 * __skb_wait_for_more_packets() (RCV_SHUTDOWN), net/unix/af_unix.c unix_shutdown(). */
CASE(shutdown_wakes_recv, EACH(every_socket, ends_reading), BEHAVIOUR("C11", "C4"),
     ABOUT("shutdown", "recv"))
{
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(falls_asleep(&sleeper, receives, &pair.mine));
    NEED(shutdown(pair.mine, kind->value));
    GIVES(woken(&sleeper), 0);
}

/* A UDP socket that is not connected says ENOTCONN to shutdown(), and yet recv is woken.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown() ("Hack to wake up other listeners"); POSIX.1-2024
 * shutdown() [ENOTCONN]. */
CASE(a_refused_shutdown_wakes_recv_on_udp, EACH(inet_datagram, ends_reading),
     BEHAVIOUR("C11", "C7"), ABOUT("ENOTCONN", "shutdown", "recv", "UDP"))
{
    const int fd = NEED(bound_socket(kind));
    struct sleeper sleeper;

    NEED(falls_asleep(&sleeper, receives, &fd));
    FAILS(shutdown(fd, kind->value), ENOTCONN);
    GIVES(woken(&sleeper), 0);
}

/* SHUT_WR ends no recv: it is woken, finds that nothing has come, and sleeps on.
 *
 * POSIX.1-2024 shutdown() (SHUT_WR: sends alone); Linux inet_shutdown() (sk_state_change). */
CASE(shut_wr_ends_no_recv, EACH(every_socket), BEHAVIOUR("C11"), ABOUT("SHUT_WR", "recv"))
{
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(falls_asleep(&sleeper, receives, &pair.mine));
    NEED(shutdown(pair.mine, SHUT_WR));
    SUCCEEDS(sleeps_on(&sleeper));
}

/* shutdown() of a listener wakes an accept that sleeps: EINVAL.
 *
 * Linux net/ipv4/inet_connection_sock.c inet_csk_wait_for_connect() (not TCP_LISTEN any more),
 * net/unix/af_unix.c unix_accept(). Darwin refuses it with ENOTCONN; FreeBSD wakes accept with
 * ECONNABORTED (soshutdown()). */
CASE(shutdown_of_a_listener_wakes_accept, EACH(connected, ends_reading), BEHAVIOUR("C10"),
     ABOUT("EINVAL", "accept", "shutdown"))
{
    const int listener = NEED(listening_socket(kind));
    struct sleeper sleeper;

    NEED(falls_asleep(&sleeper, accepts, &listener));
    GIVES(shutdown(listener, kind->value),
          ON(LINUX(SUCCESS), DARWIN(-ENOTCONN), FREEBSD(-ENOTCONN)));
    FAILS(woken(&sleeper), ON(LINUX(EINVAL), FREEBSD(ECONNABORTED)));
}
