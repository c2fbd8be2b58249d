#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <unistd.h>

/* Somebody else: not the peer of anyone here. */
static int stranger(const struct kind *kind)
{
    return new_socket(kind);
}

static int say(int from, const char *byte, struct address to)
{
    return (int)sendto(from, byte, 1, 0, &to.any, to.length);
}

/* A socket without a name, its peer at PORT, and another, which is there, at OTHER_PORT. */
struct meeting {
    int fd, peer, other;
    struct address there;
};

static int meet(const struct kind *kind, struct meeting *of)
{
    const struct address peer = loopback(kind, PORT);

    of->there = loopback(kind, OTHER_PORT);
    of->fd = new_socket(kind);
    of->peer = bound_to(kind, peer);
    of->other = bound_to(kind, of->there);
    if (of->peer < 0 || of->other < 0)
        return -1;
    return connect(of->fd, &peer.any, peer.length);
}

/* connect() to no address. */
static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

/* A connected socket, whose peer's port has been closed since. */
static int forsaken_socket(const struct kind *kind)
{
    struct pair pair;

    return connected_pair(kind, &pair) < 0 || close(pair.peer) < 0 ? -1 : pair.mine;
}

/* --- who is heard --------------------------------------------------------------------------------
 */

/* A connected socket does not hear a stranger.
 *
 * POSIX.1-2024 connect() (limits the remote sender); udp(7). */
CASE(a_connected_socket_hears_no_stranger, EACH(inet_datagram), BEHAVIOUR("N1"),
     ABOUT("UDP", "connect"))
{
    char byte;
    struct pair pair;
    const int other = NEED(stranger(kind));

    NEED(connected_pair(kind, &pair));
    NEED(say(other, "x", loopback(kind, OTHER_PORT)));
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* A UNIX socket that is connected refuses one: EPERM.
 *
 * Linux net/unix/af_unix.c unix_may_send(). */
CASE(a_connected_unix_socket_refuses_a_stranger, BEHAVIOUR("N1"), ABOUT("AF_UNIX", "EPERM"))
{
    struct pair pair;
    const struct address name = loopback(&unix_datagram, PORT);
    const int other = NEED(stranger(&unix_datagram));

    NEED(connected_pair(&unix_datagram, &pair));
    FAILS(sendto(other, "x", 1, 0, &name.any, name.length), EPERM);
}

/* The stranger, if it is connected, is told that nobody hears: ECONNREFUSED.
 *
 * RFC 1122 §3.2.2.1 (Port Unreachable: no module for the datagram); Linux net/ipv4/udp.c
 * __udp4_lib_rcv(). */
CASE(a_stranger_is_told_that_nobody_hears, EACH(inet_datagram), BEHAVIOUR("N1", "N2"),
     ABOUT("UDP", "ECONNREFUSED"))
{
    struct pair pair;
    const struct address there = loopback(kind, OTHER_PORT);
    const int other = NEED(stranger(kind));

    NEED(connected_pair(kind, &pair));
    NEED(connect(other, &there.any, there.length));
    NEED((int)send(other, "x", 1, 0));
    FAILS(send(other, "x", 1, 0), ECONNREFUSED);
}

/* What a stranger sent before connect() is still read after it.
 *
 * Linux net/ipv4/datagram.c __ip4_datagram_connect(), which leaves the queue alone. */
CASE(connecting_keeps_what_strangers_have_sent, EACH(inet_datagram), BEHAVIOUR("N1"),
     ABOUT("UDP", "connect"))
{
    char byte;
    const struct address peer = loopback(kind, OTHER_PORT);
    const int fd = NEED(bound_socket(kind)), other = NEED(stranger(kind));

    NEED(say(other, "x", loopback(kind, PORT)));
    NEED(connect(fd, &peer.any, peer.length));
    GIVES(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
}

/* Of two sockets at one port the one that is connected to the sender gets what it sends.
 *
 * Linux net/ipv4/udp.c compute_score(), net/ipv6/udp.c compute_score(). */
CASE(a_connected_socket_is_preferred, EACH(inet_datagram), BEHAVIOUR("N1"),
     ABOUT("UDP", "SO_REUSEADDR"))
{
    const struct address here = loopback(kind, PORT), there = loopback(kind, OTHER_PORT);
    const int open = NEED(new_socket(kind)), joined = NEED(new_socket(kind)),
              newest = NEED(new_socket(kind)), peer = NEED(bound_to(kind, there));

    for (const int *fd = (int[]){open, joined, newest, -1}; *fd >= 0; fd++) {
        NEED(set_option(*fd, SOL_SOCKET, SO_REUSEADDR, 1));
        NEED(bind(*fd, &here.any, here.length));
    }
    NEED(connect(joined, &there.any, there.length));
    NEED(say(peer, "x", here));
    EVENTS_ARE(events_now(joined, POLLIN), POLLIN);
    EVENTS_ARE(events_now(open, POLLIN), 0);
    EVENTS_ARE(events_now(newest, POLLIN), 0);
}

/* --- a closed port -------------------------------------------------------------------------------
 */

/* A send to a port that nobody has succeeds.
 *
 * RFC 768; udp(7). */
CASE(the_first_send_to_a_closed_port_succeeds, EACH(inet_datagram), BEHAVIOUR("N2"),
     ABOUT("UDP", "send"))
{
    const int fd = NEED(forsaken_socket(kind));

    GIVES(send(fd, "x", 1, 0), 1);
}

static int by_send(int fd)
{
    return (int)send(fd, "x", 1, 0);
}

static int by_recv(int fd)
{
    char byte;

    return (int)recv(fd, &byte, 1, MSG_DONTWAIT);
}

static int by_write(int fd)
{
    return (int)write(fd, "x", 1);
}

static int by_so_error(int fd)
{
    errno = so_error(fd);
    return errno ? -1 : 0;
}

static int (*const next_call[])(int) = {by_send, by_recv, by_write, by_so_error};
static KINDS(next_calls, KIND("send", .value = 0), KIND("recv", .value = 1),
             KIND("write", .value = 2), KIND("SO_ERROR", .value = 3));

/* The next call of a connected socket says ECONNREFUSED, whichever it is.
 *
 * RFC 1122 §4.1.3.3 (ICMP is passed up); udp(7); Linux net/ipv4/udp.c __udp4_lib_err(). */
CASE(the_next_call_says_econnrefused, EACH(inet_datagram, next_calls), BEHAVIOUR("N2"),
     ABOUT("UDP", "ECONNREFUSED"))
{
    const int fd = NEED(forsaken_socket(kind));

    NEED((int)send(fd, "x", 1, 0));
    FAILS(next_call[kind->value](fd), ECONNREFUSED);
}

/* It is told once: the call after that succeeds again.
 *
 * Linux net/core/sock.c sock_error(). */
CASE(a_refusal_is_told_once, EACH(inet_datagram, next_calls), BEHAVIOUR("N2", "U2"),
     ABOUT("UDP", "ECONNREFUSED"))
{
    const int fd = NEED(forsaken_socket(kind));

    NEED((int)send(fd, "x", 1, 0));
    GIVEN(next_call[kind->value](fd) < 0 && errno == ECONNREFUSED);
    GIVES(send(fd, "x", 1, 0), 1);
}

/* Until then poll tells of POLLERR.
 *
 * POSIX.1-2024 poll() (POLLERR); Linux net/core/datagram.c datagram_poll(). */
CASE(a_refusal_is_pollerr, EACH(inet_datagram), BEHAVIOUR("N2"), ABOUT("UDP", "POLLERR"))
{
    const int fd = NEED(forsaken_socket(kind));

    NEED((int)send(fd, "x", 1, 0));
    EVENTS_ARE(events_now(fd, 0), POLLERR);
    GIVEN(so_error(fd) == ECONNREFUSED);
    EVENTS_ARE(events_now(fd, 0), 0);
}

/* A socket without a peer is not told: the refusal might be of anything it sent.
 *
 * udp(7) (all fatal errors only when connected, or with IP_RECVERR); Linux net/ipv4/udp.c
 * __udp4_lib_err(). */
CASE(a_socket_without_a_peer_hears_no_refusal, EACH(inet_datagram), BEHAVIOUR("N2"),
     ABOUT("UDP", "ECONNREFUSED"))
{
    char byte;
    const int fd = NEED(new_socket(kind));

    NEED(say(fd, "x", loopback(kind, PORT)));
    FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* --- another peer, or none -----------------------------------------------------------------------
 */

/* A datagram socket may connect again: what it sends goes to the new peer.
 *
 * POSIX.1-2024 connect() (connectionless: may be called more than once). */
CASE(a_datagram_socket_may_connect_again, EACH(datagram), BEHAVIOUR("N3"), ABOUT("UDP", "connect"))
{
    struct meeting meeting;

    NEED(meet(kind, &meeting));
    SUCCEEDS(connect(meeting.fd, &meeting.there.any, meeting.there.length));
    NEED((int)send(meeting.fd, "x", 1, 0));
    EVENTS_ARE(events_now(meeting.other, POLLIN), POLLIN);
    EVENTS_ARE(events_now(meeting.peer, POLLIN), 0);
}

/* connect() to AF_UNSPEC dissolves the connection: getpeername() says ENOTCONN.
 *
 * POSIX.1-2024 connect() (the peer address shall be reset); Linux net/ipv4/udp.c
 * __udp_disconnect(). FreeBSD says EAFNOSUPPORT, and dissolves it all the same (libuv
 * uv__udp_disconnect()). */
CASE(af_unspec_dissolves_a_connection, EACH(datagram), BEHAVIOUR("N3", "H9"),
     ABOUT("UDP", "AF_UNSPEC", "connect", "ENOTCONN"))
{
    struct pair pair;
    struct address peer;

    NEED(connected_pair(kind, &pair));
    GIVES(connect(pair.mine, &nobody, sizeof nobody), ON(LINUX(SUCCESS), FREEBSD(-EAFNOSUPPORT)));
    FAILS(peer_address(pair.mine, &peer), ENOTCONN);
}

/* Then there is no destination any more.
 *
 * POSIX.1-2024 connect(), send() [EDESTADDRREQ], [ENOTCONN]. */
CASE(a_dissolved_connection_has_no_destination, EACH(datagram), BEHAVIOUR("N3", "N7"),
     ABOUT("UDP", "AF_UNSPEC", "EDESTADDRREQ"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    (void)connect(pair.mine, &nobody, sizeof nobody);
    FAILS(send(pair.mine, "x", 1, 0), kind->family == AF_UNIX ? ENOTCONN : EDESTADDRREQ);
}

/* And strangers are heard again, at the port that it was bound to.
 *
 * POSIX.1-2024 connect(); Linux net/ipv4/udp.c __udp_disconnect() (SOCK_BINDPORT_LOCK). */
CASE(a_dissolved_connection_hears_strangers, EACH(datagram), BEHAVIOUR("N3"),
     ABOUT("UDP", "AF_UNSPEC"))
{
    char byte;
    struct pair pair;
    const int other = NEED(stranger(kind));

    NEED(connected_pair(kind, &pair));
    (void)connect(pair.mine, &nobody, sizeof nobody);
    NEED(say(other, "x", loopback(kind, OTHER_PORT)));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 1);
}

static const struct address *at(int fd)
{
    static struct address own;

    return own_address(fd, &own) < 0 ? NULL : &own;
}

/* A port that connect() chose is given back with the connection.
 *
 * Linux net/ipv4/udp.c __udp_disconnect() (SOCK_BINDPORT_LOCK is not set). */
CASE(a_dissolved_connection_gives_its_port_back, EACH(inet_datagram), BEHAVIOUR("N3"),
     ABOUT("UDP", "AF_UNSPEC", "getsockname"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(connect(fd, &there.any, there.length));
    GIVEN(port_of(at(fd)) > 0);
    NEED(connect(fd, &nobody, sizeof nobody));
    IS(port_of(at(fd)), 0);
}

/* --- an address while connected ------------------------------------------------------------------
 */

/* sendto() another address goes there, though the socket is connected.
 *
 * Linux net/ipv4/udp.c udp_sendmsg(), net/unix/af_unix.c unix_dgram_sendmsg(). POSIX.1-2024
 * sendto() leaves EISCONN open, which Darwin and FreeBSD say (sosend()). */
CASE(sendto_overrides_the_peer, EACH(datagram), BEHAVIOUR("N8"), ABOUT("UDP", "sendto", "EISCONN"))
{
    struct meeting meeting;

    NEED(meet(kind, &meeting));
    GIVES(sendto(meeting.fd, "x", 1, 0, &meeting.there.any, meeting.there.length),
          ON(LINUX(1), DARWIN(-EISCONN), FREEBSD(-EISCONN)));
    EVENTS_ARE(events_now(meeting.other, POLLIN), ON(LINUX(POLLIN), DARWIN(0), FREEBSD(0)));
    EVENTS_ARE(events_now(meeting.peer, POLLIN), 0);
}

/* It does so once: the next send() goes to the peer.
 *
 * POSIX.1-2024 send(); Linux net/ipv4/udp.c udp_sendmsg(). */
CASE(sendto_leaves_the_peer_as_it_is, EACH(datagram), BEHAVIOUR("N8"), ABOUT("UDP", "sendto"))
{
    struct meeting meeting;

    NEED(meet(kind, &meeting));
    GIVES(sendto(meeting.fd, "x", 1, 0, &meeting.there.any, meeting.there.length),
          ON(LINUX(1), DARWIN(-EISCONN), FREEBSD(-EISCONN)));
    NEED(drain(meeting.other));
    GIVES(send(meeting.fd, "x", 1, 0), 1);
    EVENTS_ARE(events_now(meeting.peer, POLLIN), POLLIN);
    EVENTS_ARE(events_now(meeting.other, POLLIN), 0);
}
