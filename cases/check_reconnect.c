#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* connect on a socket that has tried before: after a refusal, and to dissolve what there is. */

static int connect_to(int fd, struct address there)
{
    return connect(fd, &there.any, there.length);
}

/* --- after a refusal -----------------------------------------------------------------------------
 */

/* Each connect() that finds nobody says ECONNREFUSED anew; on BSD the socket is spent.
 *
 * POSIX.1-2024 connect() (after a failure the state is unspecified: close it); Linux
 * net/ipv4/af_inet.c __inet_stream_connect() (sock_error: SS_UNCONNECTED). */
CASE(each_refusal_says_econnrefused, EACH(stream), BEHAVIOUR("H10", "H1"),
     ABOUT("connect", "ECONNREFUSED"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    if (kind->family == AF_UNIX)
        NEED(bound_to(kind, there)); /* a name, or there is nothing to refuse */
    FAILS(connect_to(fd, there), ECONNREFUSED);
    FAILS(connect_to(fd, there), ON(LINUX(ECONNREFUSED), DARWIN(EINVAL), GVISOR(ECONNABORTED)));
}

/* Once somebody listens the same socket connects.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect(); Darwin says EINVAL (irods#2948), FreeBSD
 * ECONNREFUSED for ever, gVisor ECONNABORTED (gvisor#3828). */
CASE(a_refused_socket_can_connect_later, EACH(inet_stream_mapped), BEHAVIOUR("H10"),
     ABOUT("connect", "ECONNREFUSED"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect_to(fd, there), ECONNREFUSED);
    NEED(listening_socket(kind));
    GIVES(connect_to(fd, there),
          ON(LINUX(SUCCESS), DARWIN(-EINVAL), FREEBSD(-ECONNREFUSED), GVISOR(-ECONNABORTED)));
}

/* A socket whose connect was refused without blocking. */
static int refused_meanwhile(const struct kind *kind)
{
    const int fd = new_socket(kind);

    if (fd < 0 || nonblocking(fd) < 0 || connect_to(fd, loopback(kind, PORT)) == 0)
        return -1;
    return errno != EINPROGRESS || await_events(fd, POLLOUT) < 0 ? -1 : fd;
}

/* Without blocking the next connect() reports the refusal, if SO_ERROR has not been read.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect() (sock_error). */
CASE(the_next_connect_reports_the_refusal, EACH(inet_stream_mapped), BEHAVIOUR("H10", "H2"),
     ABOUT("connect", "ECONNREFUSED", "O_NONBLOCK"))
{
    const int fd = NEED(refused_meanwhile(kind));

    FAILS(connect_to(fd, loopback(kind, PORT)), ON(LINUX(ECONNREFUSED), DARWIN(EINVAL)));
    IS(so_error(fd), 0);
}

/* If it has, it says ECONNABORTED: it knows of a failure, and no longer of which.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect() (sock_error(sk) ? : -ECONNABORTED); zig#13677.
 */
CASE(after_so_error_the_next_connect_says_econnaborted, EACH(inet_stream_mapped), BEHAVIOUR("H10"),
     ABOUT("connect", "ECONNABORTED", "SO_ERROR", "O_NONBLOCK"))
{
    const int fd = NEED(refused_meanwhile(kind));

    GIVEN(so_error(fd) == ECONNREFUSED);
    FAILS(connect_to(fd, loopback(kind, PORT)),
          ON(LINUX(ECONNABORTED), DARWIN(EINVAL), FREEBSD(ECONNREFUSED)));
}

/* Either way the one after that tries again.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect() (SS_UNCONNECTED). */
CASE(the_one_after_that_tries_again, EACH(inet_stream_mapped), BEHAVIOUR("H10"),
     ABOUT("connect", "EINPROGRESS", "O_NONBLOCK"))
{
    const int fd = NEED(refused_meanwhile(kind));

    GIVEN(connect_to(fd, loopback(kind, PORT)) < 0);
    NEED(listening_socket(kind));
    FAILS(connect_to(fd, loopback(kind, PORT)),
          ON(LINUX(EINPROGRESS), DARWIN(EINVAL), FREEBSD(ECONNREFUSED)));
    EVENTS_ARE(events_now(fd, POLLOUT), ON(LINUX(POLLOUT), DARWIN(POLLOUT | POLLHUP)));
}

/* --- AF_UNSPEC -----------------------------------------------------------------------------------
 */

static int dissolve(int fd)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};

    return connect(fd, &none, sizeof none);
}

/* connect() to AF_UNSPEC dissolves a TCP connection: the socket has no peer any more.
 *
 * connect(2) (since Linux 2.2); Linux net/ipv4/tcp.c tcp_disconnect(); POSIX has it for datagrams
 * alone, and FreeBSD says EAFNOSUPPORT. */
CASE(af_unspec_dissolves_a_connection, EACH(inet_stream), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "ENOTCONN"))
{
    struct address peer;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(dissolve(pair.mine), ON(LINUX(SUCCESS), FREEBSD(-EAFNOSUPPORT)));
    FAILS(peer_address(pair.mine, &peer), ON(LINUX(ENOTCONN), FREEBSD(SUCCESS)));
}

/* The peer is told by a RST.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (tcp_need_reset). */
CASE(af_unspec_resets_the_peer, EACH(inet_stream), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "RST", "ECONNRESET"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(dissolve(pair.mine));
    FAILS(recv(pair.peer, &byte, 1, MSG_DONTWAIT), ECONNRESET);
}

/* So is the socket itself, once, as if the peer had done it.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (sk_err). */
CASE(af_unspec_leaves_econnreset, EACH(inet_stream), BEHAVIOUR("H9", "U1"),
     ABOUT("connect", "AF_UNSPEC", "SO_ERROR", "ECONNRESET"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(dissolve(pair.mine));
    ERRNO_IS(so_error(pair.mine), ECONNRESET);
    ERRNO_IS(so_error(pair.mine), 0);
}

/* What was received before goes with it.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (the receive queue is purged); recv(2) ENOTCONN. */
CASE(af_unspec_discards_what_was_received, EACH(inet_stream), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    GIVEN(events_now(pair.mine, POLLIN) == POLLIN);
    NEED(dissolve(pair.mine));
    GIVEN(so_error(pair.mine) == ECONNRESET);
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), ENOTCONN);
}

/* The socket can connect anew, and is as good as a fresh one.
 *
 * connect(2) (AF_UNSPEC); Linux net/ipv4/tcp.c tcp_disconnect(). */
CASE(after_af_unspec_it_can_connect_anew, EACH(inet_stream), BEHAVIOUR("H9", "H10"),
     ABOUT("connect", "AF_UNSPEC"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    const int listener = NEED(listening_at(kind, loopback(kind, OTHER_PORT), 1));
    NEED(dissolve(pair.mine));
    SUCCEEDS(connect_to(pair.mine, loopback(kind, OTHER_PORT)));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(send(pair.mine, "x", 1, 0));
    BYTES_ARE(&byte, recv(fd, &byte, 1, MSG_DONTWAIT), "x");
}

/* A port that the kernel chose is given up: another socket can have it.
 *
 * Linux net/ipv4/tcp.c tcp_set_state() (TCP_CLOSE: inet_put_port()). */
CASE(af_unspec_gives_up_a_port_that_was_not_bound, EACH(inet_stream), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "bind"))
{
    struct address own;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(own_address(pair.mine, &own));
    NEED(dissolve(pair.mine));
    SUCCEEDS(bound_to(kind, own));
}

/* getsockname() still tells it, to whomever it may belong by now; of the address nothing is left.
 *
 * Linux net/ipv4/inet_hashtables.c inet_put_port() (inet_num, but not inet_sport). */
CASE(after_af_unspec_getsockname_tells_the_old_port, EACH(inet_stream), BEHAVIOUR("H9", "U3"),
     ABOUT("connect", "AF_UNSPEC", "getsockname"))
{
    struct address before, after;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(own_address(pair.mine, &before));
    NEED(dissolve(pair.mine));
    NEED(own_address(pair.mine, &after));
    const struct address any = wildcard(kind, port_of(&before));
    IS(memcmp(&after.any, &any.any, any.length), 0);
}

/* A port that was bound stays one's own.
 *
 * Linux net/ipv4/tcp.c tcp_set_state() (SOCK_BINDPORT_LOCK). */
CASE(af_unspec_keeps_a_port_that_was_bound, EACH(inet_stream), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "EADDRINUSE", "bind"))
{
    const struct address here = loopback(kind, OTHER_PORT);
    const int fd = NEED(bound_to(kind, here)), other = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(connect_to(fd, loopback(kind, PORT)));
    NEED(dissolve(fd));
    FAILS(bind(other, &here.any, here.length), EADDRINUSE);
}

/* In SYN_SENT it gives the attempt up.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect() (AF_UNSPEC comes before the state). */
CASE(af_unspec_gives_up_an_attempt, EACH(inet_stream_mapped), BEHAVIOUR("H9", "H3"),
     ABOUT("connect", "AF_UNSPEC", "SYN_SENT"))
{
    const int fd = NEED(connecting_socket(kind));

    SUCCEEDS(dissolve(fd));
    STATE_IS(tcp_state(fd), TCP_CLOSE);
}

/* A listener it makes listen no more.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (inet_csk_listen_stop()). */
CASE(af_unspec_ends_a_listener, EACH(inet_stream), BEHAVIOUR("H9", "G16"),
     ABOUT("connect", "AF_UNSPEC", "listen", "ECONNREFUSED"))
{
    const int listener = NEED(listening_socket(kind));

    SUCCEEDS(dissolve(listener));
    IS(get_option(listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
    FAILS(waiting_client(kind), ECONNREFUSED);
}

/* Where nothing is to dissolve it succeeds.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect(). */
CASE(af_unspec_of_a_fresh_socket_succeeds, EACH(inet), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(dissolve(fd));
}

/* A UNIX connection it does not dissolve: EINVAL, and the peer hears nothing.
 *
 * Linux net/unix/af_unix.c unix_stream_connect(), unix_validate_addr(). */
CASE(af_unspec_does_not_dissolve_a_unix_connection, EACH(unix_connected), BEHAVIOUR("H9"),
     ABOUT("connect", "AF_UNSPEC", "EINVAL", "AF_UNIX"))
{
    struct address peer;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(dissolve(pair.mine), EINVAL);
    SUCCEEDS(peer_address(pair.mine, &peer));
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* --- the listener goes ---------------------------------------------------------------------------
 */

/* A listener that closes resets who has connected and was not accepted.
 *
 * POSIX.1-2024 close() (sockets); Linux net/ipv4/inet_connection_sock.c inet_csk_listen_stop(). */
CASE(a_listener_that_closes_resets_who_was_not_accepted, EACH(connected), BEHAVIOUR("H12", "D9"),
     ABOUT("connect", "close", "ECONNRESET"))
{
    char byte;
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(close(listener));
    FAILS(recv(client, &byte, 1, MSG_DONTWAIT), ECONNRESET);
}

/* In SYN_SENT a client learns of a closed listener from its next SYN: ECONNREFUSED.
 *
 * RFC 9293 §3.10.7.1; Linux net/ipv4/tcp_timer.c (after a second). */
CASE(in_syn_sent_the_next_syn_is_refused, EACH(inet_stream), BEHAVIOUR("H12"),
     ABOUT("connect", "close", "ECONNREFUSED", "SYN_SENT"), WAITS)
{
    const int listener = NEED(listening_at(kind, loopback(kind, PORT), 0));
    const int fd = NEED(new_socket(kind));

    NEED(waiting_client(kind));
    NEED(nonblocking(fd));
    GIVEN(connect_to(fd, loopback(kind, PORT)) < 0 && errno == EINPROGRESS);
    GIVEN(tcp_state(fd) == TCP_SYN_SENT);
    NEED(close(listener));
    NEED(await_events(fd, POLLOUT));
    ERRNO_IS(so_error(fd), ECONNREFUSED);
}
