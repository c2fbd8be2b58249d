#include "case.h"
#include "sockets.h"

#include <poll.h>

/* What select, poll and epoll tell at once of a socket in each state, asked for reading and
 * writing. select has no words for hang-up and error: told_by() says what it tells in their place.
 */
enum { BOTH = POLLIN | POLLOUT };

static int told(const struct kind *kind, int descriptor)
{
    return kind->poller->wait(descriptor, BOTH, 0);
}

/* --- before a connection -------------------------------------------------------------------------
 */

/* A fresh socket of a kind that connects is writable and hung up, though nobody was there.
 *
 * Linux net/ipv4/tcp.c tcp_poll() (TCP_CLOSE: EPOLLHUP), net/unix/af_unix.c unix_poll(). FreeBSD
 * tells nothing (sopoll_generic(): SS_ISCONNECTED is not set). */
CASE(a_fresh_socket_is_writable_and_hung_up, EACH(connected, pollers), BEHAVIOUR("K4"),
     ABOUT("POLLOUT", "POLLHUP"))
{
    const int fd = NEED(new_socket(kind));

    EVENTS_ARE(told(kind, fd), ON(LINUX(told_by(kind->poller, POLLOUT | POLLHUP)), FREEBSD(0)));
}

/* bind() changes nothing of that.
 *
 * Linux net/ipv4/tcp.c tcp_poll(): the state is TCP_CLOSE still; net/unix/af_unix.c unix_poll().
 */
CASE(a_bound_socket_is_writable_and_hung_up, EACH(connected, pollers), BEHAVIOUR("K4"),
     ABOUT("POLLOUT", "POLLHUP", "bind"))
{
    const int fd = NEED(bound_socket(kind));

    EVENTS_ARE(told(kind, fd), ON(LINUX(told_by(kind->poller, POLLOUT | POLLHUP)), FREEBSD(0)));
}

/* A fresh datagram socket is writable and nothing else: it needs no connection.
 *
 * POSIX.1-2024 poll() (POLLOUT); Linux net/core/datagram.c datagram_poll(), net/unix/af_unix.c
 * unix_dgram_poll(). */
CASE(a_fresh_datagram_socket_is_writable, EACH(datagram, pollers), BEHAVIOUR("K4"),
     ABOUT("POLLOUT"))
{
    const int fd = NEED(new_socket(kind));

    EVENTS_ARE(told(kind, fd), POLLOUT);
}

/* A socket in SYN_SENT is neither readable nor writable, and not hung up.
 *
 * POSIX.1-2024 connect() (it selects writable when it is done); Linux net/ipv4/tcp.c tcp_poll()
 * (TCP_SYN_SENT). */
CASE(a_connecting_socket_is_not_ready, EACH(inet_stream, pollers), BEHAVIOUR("K11"),
     ABOUT("SYN_SENT", "connect"))
{
    const int fd = NEED(connecting_socket(kind));

    EVENTS_ARE(told(kind, fd), 0);
}

/* A connect that was refused makes the socket ready for all: readable, writable, hung up, in error.
 *
 * POSIX.1-2024 connect(), poll() (POLLERR); Linux net/ipv4/tcp_input.c tcp_reset(), net/ipv4/tcp.c
 * tcp_poll(). */
CASE(a_refused_connect_makes_it_ready, EACH(inet_stream, pollers), BEHAVIOUR("K11"),
     ABOUT("ECONNREFUSED", "POLLERR", "POLLHUP"))
{
    const struct address nobody = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(nonblocking(fd));
    GIVEN(connect(fd, &nobody.any, nobody.length) < 0 && errno == EINPROGRESS);
    EVENTS_ARE(told(kind, fd), told_by(kind->poller, BOTH | POLLHUP | POLLERR));
}

/* --- a listener ----------------------------------------------------------------------------------
 */

/* A listener that nobody came to is not ready, not even for writing.
 *
 * POSIX.1-2024 listen(), poll(); Linux include/net/inet_connection_sock.h inet_csk_listen_poll().
 */
CASE(an_idle_listener_is_not_ready, EACH(inet_stream_mapped, pollers), BEHAVIOUR("K5"),
     ABOUT("listen"))
{
    const int listener = NEED(listening_socket(kind));

    EVENTS_ARE(told(kind, listener), 0);
}

/* A listener is readable when a connection waits to be accepted.
 *
 * POSIX.1-2024 accept(), poll() (POLLIN); Linux inet_csk_listen_poll(), unix_poll(). */
CASE(a_listener_is_readable_when_a_connection_waits, EACH(connected, pollers), BEHAVIOUR("K5"),
     ABOUT("accept", "POLLIN"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(connect(client, &there.any, there.length));
    EVENTS_ARE(told(kind, listener), POLLIN);
}

/* It is so no more when the last that waited was accepted.
 *
 * POSIX.1-2024 accept(); Linux inet_csk_listen_poll(), unix_poll(). */
CASE(a_listener_is_not_ready_when_all_were_accepted, EACH(connected, pollers), BEHAVIOUR("K5"),
     ABOUT("accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(connect(client, &there.any, there.length));
    GIVEN(told(kind, listener) == POLLIN);
    NEED(accept(listener, NULL, NULL));
    EVENTS_ARE(told(kind, listener), 0);
}

/* --- a connection --------------------------------------------------------------------------------
 */

/* A connection, on which nobody has sent, is writable and not readable.
 *
 * POSIX.1-2024 poll(); Linux tcp_poll(), udp_poll(), unix_poll(), unix_dgram_poll(). */
CASE(an_idle_connection_is_writable, EACH(every_socket, pollers), BEHAVIOUR("K6"), ABOUT("POLLOUT"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* What has arrived before the poller was called is told: no wake-up is needed for it.
 *
 * POSIX.1-2024 poll() (POLLIN); Linux fs/select.c do_pollfd() asks before it sleeps,
 * fs/eventpoll.c ep_insert() does. */
CASE(data_that_came_earlier_are_told, EACH(every_socket, pollers), BEHAVIOUR("K12"),
     ABOUT("POLLIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(kind, pair.mine), BOTH);
}

/* It is readable as long as a byte is left: all three tell the level, not the arrival.
 *
 * POSIX.1-2024 poll(); epoll(7) (level-triggered); Linux fs/eventpoll.c ep_send_events(). */
CASE(it_is_readable_till_all_is_read, EACH(stream, pollers), BEHAVIOUR("K12"), ABOUT("POLLIN"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "two", 2, 0));
    NEED(recv(pair.mine, &byte, 1, 0));
    EVENTS_ARE(told(kind, pair.mine), BOTH);
    NEED(recv(pair.mine, &byte, 1, 0));
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* A datagram of no bytes makes the socket readable.
 *
 * POSIX.1-2024 select() (recv would not block); Linux net/core/datagram.c datagram_poll(): the
 * queue is not empty. */
CASE(a_datagram_of_no_bytes_is_readable, EACH(datagram, pollers), BEHAVIOUR("K13"), ABOUT("POLLIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "", 0, 0));
    EVENTS_ARE(told(kind, pair.mine), BOTH);
}

/* It is read like any other, and then the socket is readable no more.
 *
 * POSIX.1-2024 recv() (a message of length 0); Linux net/core/datagram.c datagram_poll(). */
CASE(a_datagram_of_no_bytes_is_read_once, EACH(datagram, pollers), BEHAVIOUR("K13"), ABOUT("recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "", 0, 0));
    GIVEN(told(kind, pair.mine) == BOTH);
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* Sending no bytes on a stream makes its other end no more readable.
 *
 * POSIX.1-2024 send(); Linux net/ipv4/tcp.c tcp_sendmsg_locked(), unix_stream_sendmsg(): no
 * segment, no buffer. */
CASE(no_bytes_on_a_stream_are_not_readable, EACH(stream, pollers), BEHAVIOUR("K13"), ABOUT("send"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "", 0, 0));
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* --- full ----------------------------------------------------------------------------------------
 */

/* A connection whose buffers are full is not writable.
 *
 * POSIX.1-2024 poll() (POLLOUT); Linux include/net/sock.h sk_stream_is_writable(),
 * net/unix/af_unix.c unix_writable(). */
CASE(a_full_connection_is_not_writable, EACH(connected, pollers), BEHAVIOUR("K6"),
     ABOUT("POLLOUT", "EAGAIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    EVENTS_ARE(told(kind, pair.mine), 0);
}

/* It is writable again when the peer has read all.
 *
 * POSIX.1-2024 poll() (POLLOUT); RFC 9293 §3.8.6 (the window opens); Linux net/ipv4/tcp_input.c
 * tcp_check_space(), net/unix/af_unix.c unix_write_space(). */
CASE(draining_makes_it_writable_again, EACH(connected, pollers), BEHAVIOUR("K6"), ABOUT("POLLOUT"))
{
    enum { LIMIT_MS = 4000 };
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    GIVEN(told(kind, pair.mine) == 0);
    NEED(drain(pair.peer));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLOUT, LIMIT_MS), POLLOUT);
}

/* A UNIX datagram socket is not writable while the queue of the one that it is connected to is
 * full.
 *
 * Linux net/unix/af_unix.c unix_dgram_poll() (unix_dgram_peer_wake_me()), for a peer that is not
 * connected back. */
CASE(a_full_datagram_queue_is_not_writable, EACH(pollers), BEHAVIOUR("K6"), ABOUT("POLLOUT"))
{
    const struct address there = loopback(&unix_datagram, PORT);
    const int receiver = NEED(bound_to(&unix_datagram, there));
    const int sender = NEED(new_socket(&unix_datagram));

    NEED(connect(sender, &there.any, there.length));
    NEED(fill(sender));
    EVENTS_ARE(told(kind, sender), 0);
    NEED(drain(receiver));
    EVENTS_ARE(told(kind, sender), POLLOUT);
}
