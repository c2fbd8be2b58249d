#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* connect: when it is done, whom it reaches, and whom it cannot reach. */

static int connect_to(int fd, struct address there)
{
    return connect(fd, &there.any, there.length);
}

/* A socket whose connect has been refused without blocking, and who has not been told. */
static int refused_without_word(const struct kind *kind)
{
    const int fd = new_socket(kind);

    if (fd < 0 || nonblocking(fd) < 0)
        return -1;
    if (connect_to(fd, loopback(kind, PORT)) == 0 || errno != EINPROGRESS)
        return -1;
    return await_events(fd, POLLOUT) < 0 ? -1 : fd;
}

/* --- without blocking ----------------------------------------------------------------------------
 */

/* connect() with O_NONBLOCK says EINPROGRESS, even where the peer answers within the call.
 *
 * POSIX.1-2024 connect() [EINPROGRESS]; Linux net/ipv4/af_inet.c __inet_stream_connect(). */
CASE(a_nonblocking_connect_says_einprogress, EACH(inet_stream_mapped), BEHAVIOUR("H2", "V6"),
     ABOUT("connect", "EINPROGRESS", "O_NONBLOCK"))
{
    const int fd = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(nonblocking(fd));
    FAILS(connect_to(fd, loopback(kind, PORT)), EINPROGRESS);
}

/* When it is connected it is writable, and SO_ERROR is 0.
 *
 * POSIX.1-2024 connect() (poll: ready for writing). */
CASE(when_connected_it_is_writable_without_error, EACH(inet_stream, pollers),
     BEHAVIOUR("H2", "K11"), ABOUT("connect", "POLLOUT", "SO_ERROR"))
{
    const int fd = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(nonblocking(fd));
    GIVEN(connect_to(fd, loopback(kind, PORT)) < 0 && errno == EINPROGRESS);
    EVENTS_ARE(kind->poller->wait(fd, POLLOUT, 1000), POLLOUT);
    ERRNO_IS(so_error(fd), 0);
}

/* When it is refused it is writable, too, and SO_ERROR is ECONNREFUSED.
 *
 * POSIX.1-2024 connect(), SO_ERROR. */
CASE(when_refused_so_error_tells, EACH(inet_stream_mapped), BEHAVIOUR("H2", "H1"),
     ABOUT("connect", "ECONNREFUSED", "SO_ERROR"))
{
    const int fd = NEED(refused_without_word(kind));

    EVENTS_ARE(NEED(events_now(fd, POLLOUT)) & POLLOUT, POLLOUT);
    ERRNO_IS(so_error(fd), ECONNREFUSED);
}

/* A UNIX socket is connected at once: 0, though it does not block.
 *
 * Linux net/unix/af_unix.c unix_stream_connect(). */
CASE(a_unix_connect_is_never_in_progress, EACH(unix_connected), BEHAVIOUR("H2"),
     ABOUT("connect", "O_NONBLOCK", "AF_UNIX"))
{
    const int fd = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(nonblocking(fd));
    SUCCEEDS(connect_to(fd, loopback(kind, PORT)));
}

/* While it is pending another connect() says EALREADY, to whatever address.
 *
 * POSIX.1-2024 connect() [EALREADY]; Linux net/ipv4/af_inet.c __inet_stream_connect(). */
CASE(while_pending_connect_says_ealready, EACH(inet_stream_mapped), BEHAVIOUR("H3", "V6"),
     ABOUT("connect", "EALREADY", "SYN_SENT"))
{
    const int fd = NEED(connecting_socket(kind));

    FAILS(connect_to(fd, loopback(kind, PORT)), EALREADY);
    FAILS(connect_to(fd, loopback(kind, OTHER_PORT)), EALREADY);
}

/* Once it is connected the next connect() reports that with 0, and those after it say EISCONN.
 *
 * POSIX.1-2024 connect() [EISCONN] knows no such first; Linux net/ipv4/af_inet.c
 * __inet_stream_connect() (SS_CONNECTING: falls through to success); BSD says EISCONN at once. */
CASE(the_next_connect_reports_success_once, EACH(inet_stream_mapped), BEHAVIOUR("H3"),
     ABOUT("connect", "EISCONN", "O_NONBLOCK"))
{
    const int fd = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(nonblocking(fd));
    GIVEN(connect_to(fd, loopback(kind, PORT)) < 0 && errno == EINPROGRESS);
    NEED(await_events(fd, POLLOUT));
    GIVES(connect_to(fd, loopback(kind, PORT)),
          ON(LINUX(SUCCESS), DARWIN(-EISCONN), FREEBSD(-EISCONN)));
    FAILS(connect_to(fd, loopback(kind, PORT)), EISCONN);
}

/* Either end of a connection says EISCONN, whether it blocks or not.
 *
 * POSIX.1-2024 connect() [EISCONN]. */
CASE(a_connected_socket_says_eisconn, EACH(connected, blocking_modes), BEHAVIOUR("H3", "V6"),
     ABOUT("connect", "EISCONN"))
{
    const struct address there = loopback(kind, PORT);
    const int listener =
        NEED(listening_at(&(struct kind){.family = kind->family, .type = kind->type}, there, 2));
    const int client = NEED(waiting_client(kind)), fd = NEED(accept(listener, NULL, NULL));

    FAILS(connect_to(client, there), EISCONN);
    FAILS(connect_to(fd, there), EISCONN);
}

/* A listener cannot connect: EISCONN of TCP, EINVAL of UNIX sockets.
 *
 * POSIX.1-2024 connect() [EOPNOTSUPP], which BSD says; Linux net/ipv4/af_inet.c
 * __inet_stream_connect(); net/unix/af_unix.c unix_stream_connect(). */
CASE(a_listener_cannot_connect, EACH(connected), BEHAVIOUR("H3", "V6"),
     ABOUT("connect", "listen", "EISCONN"))
{
    const int fd = NEED(listening_socket(kind));

    FAILS(connect_to(fd, loopback(kind, PORT)),
          ON(LINUX(kind->family == AF_UNIX ? EINVAL : EISCONN), DARWIN(EOPNOTSUPP),
             FREEBSD(EOPNOTSUPP)));
}

/* --- oneself -------------------------------------------------------------------------------------
 */

/* A socket that is bound can connect to its own port without a listener: the SYN crosses itself.
 *
 * RFC 9293 §3.5 (simultaneous connection synchronization); Darwin says EINVAL (libuv#2503). */
CASE(a_socket_can_connect_to_itself, EACH(inet_stream_mapped), BEHAVIOUR("H5"), ABOUT("connect"))
{
    const int fd = NEED(bound_socket(kind));

    GIVES(connect_to(fd, loopback(kind, PORT)), ON(LINUX(SUCCESS), DARWIN(-EINVAL)));
}

/* It is its own peer.
 *
 * RFC 9293 §3.5; POSIX.1-2024 getpeername(). */
CASE(connected_to_itself_it_is_its_own_peer, EACH(inet_stream_mapped), BEHAVIOUR("H5"),
     ABOUT("connect", "getpeername"))
{
    struct address own, peer;
    const int fd = NEED(bound_socket(kind));

    NEED(connect_to(fd, loopback(kind, PORT)));
    NEED(own_address(fd, &own));
    NEED(peer_address(fd, &peer));
    IS(memcmp(&own.any, &peer.any, own.length), 0);
    STATE_IS(tcp_state(fd), TCP_ESTABLISHED);
}

/* It reads what it has written, and after its own SHUT_WR the end.
 *
 * RFC 9293 §3.5, §3.6. */
CASE(connected_to_itself_it_reads_what_it_wrote, EACH(inet_stream_mapped), BEHAVIOUR("H5"),
     ABOUT("connect", "send", "recv", "SHUT_WR"))
{
    char text[8];
    const int fd = NEED(bound_socket(kind));

    NEED(connect_to(fd, loopback(kind, PORT)));
    NEED(send(fd, "mirror", 6, 0));
    NEED(shutdown(fd, SHUT_WR));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT), "mirror");
    GIVES(recv(fd, text, sizeof text, MSG_DONTWAIT), 0);
}

/* A UNIX socket cannot: it does not listen.
 *
 * Linux net/unix/af_unix.c unix_stream_connect(). */
CASE(a_unix_socket_cannot_connect_to_itself, EACH(unix_connected), BEHAVIOUR("H5"),
     ABOUT("connect", "ECONNREFUSED", "AF_UNIX"))
{
    const int fd = NEED(bound_socket(kind));

    FAILS(connect_to(fd, loopback(kind, PORT)), ECONNREFUSED);
}

/* --- addresses -----------------------------------------------------------------------------------
 */

static KINDS(wild, KIND("TCP-IPv4", .family = AF_INET, .type = SOCK_STREAM),
             KIND("TCP-IPv6", .family = AF_INET6, .type = SOCK_STREAM),
             KIND("TCP-mapped", .family = AF_INET6, .type = SOCK_STREAM, .mapped = true),
             KIND("UDP-IPv4", .family = AF_INET, .type = SOCK_DGRAM),
             KIND("UDP-IPv6", .family = AF_INET6, .type = SOCK_DGRAM));

/* To the wildcard address it connects to this host: the peer's address is loopback.
 *
 * Linux net/ipv4/route.c ip_route_output_key_hash_rcu() (no destination: loopback), net/ipv6/
 * tcp_ipv6.c tcp_v6_connect() ("connect() to INADDR_ANY means loopback (BSD'ism)"). Not in POSIX.
 */
CASE(the_wildcard_address_is_this_host, EACH(wild), BEHAVIOUR("H7"), ABOUT("connect", "wildcard"))
{
    struct address peer;
    const struct address here = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(kind->type == SOCK_STREAM ? listening_socket(kind) : bound_socket(kind));
    SUCCEEDS(connect_to(fd, wildcard(kind, PORT)));
    NEED(peer_address(fd, &peer));
    IS(memcmp(&peer.any, &here.any, here.length), 0);
}

/* Nobody listens at port 0: TCP says ECONNREFUSED.
 *
 * RFC 6335 §6 (0 is reserved); Linux sends the SYN; BSD says EADDRNOTAVAIL (in_pcbladdr()). */
CASE(port_0_refuses, EACH(inet_stream_mapped), BEHAVIOUR("H8"),
     ABOUT("connect", "port 0", "ECONNREFUSED"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(connect_to(fd, loopback(kind, 0)),
          ON(LINUX(ECONNREFUSED), DARWIN(EADDRNOTAVAIL), FREEBSD(EADDRNOTAVAIL)));
}

/* UDP connects to port 0, and has no peer thereafter.
 *
 * Linux net/ipv4/datagram.c __ip4_datagram_connect(), net/ipv4/af_inet.c inet_getname() (no port:
 * ENOTCONN); BSD says EADDRNOTAVAIL (in_pcbladdr()). */
CASE(udp_connects_to_port_0_and_has_no_peer, EACH(inet_datagram), BEHAVIOUR("H8", "U4"),
     ABOUT("connect", "port 0", "ENOTCONN", "UDP"))
{
    struct address peer;
    const int fd = NEED(new_socket(kind));

    GIVES(connect_to(fd, loopback(kind, 0)),
          ON(LINUX(SUCCESS), DARWIN(-EADDRNOTAVAIL), FREEBSD(-EADDRNOTAVAIL)));
    FAILS(peer_address(fd, &peer), ENOTCONN);
}

static KINDS(groups, KIND("224.0.0.1", .family = AF_INET, .type = SOCK_STREAM, .text = "224.0.0.1"),
             KIND("broadcast", .family = AF_INET, .type = SOCK_STREAM, .text = "127.255.255.255"),
             KIND("all_ones", .family = AF_INET, .type = SOCK_STREAM, .text = "255.255.255.255"));

/* TCP connects to one host: an address of many says ENETUNREACH, though datagrams reach it.
 *
 * RFC 9293 §3.9.2.3 (MUST silently discard a SYN to a broadcast or multicast address); Linux
 * net/ipv4/tcp_ipv4.c tcp_v4_connect() (RTCF_MULTICAST, RTCF_BROADCAST); BSD says EAFNOSUPPORT or
 * EACCES (sys/netinet/tcp_usrreq.c tcp_usr_connect()). */
CASE(tcp_cannot_connect_to_many, EACH(groups), BEHAVIOUR("H13", "V6"),
     ABOUT("connect", "ENETUNREACH", "multicast", "broadcast"))
{
    const struct address many = address_of(kind, kind->text, PORT), here = loopback(kind, 0);
    const int datagrams = NEED(bound_to(&ipv4_datagram, here)), fd = NEED(bound_to(kind, here));

    NEED(set_option(datagrams, SOL_SOCKET, SO_BROADCAST, 1));
    NEED(connect_to(datagrams, many));
    FAILS(connect_to(fd, many),
          ON(LINUX(ENETUNREACH), DARWIN(EAFNOSUPPORT), FREEBSD(EAFNOSUPPORT)));
}

static KINDS(broadcasts, KIND("directed", .text = "127.255.255.255"),
             KIND("all_ones", .text = "255.255.255.255"));

/* UDP connects to a broadcast address with SO_BROADCAST only: EACCES.
 *
 * connect(2) EACCES (without having the socket broadcast flag enabled); Linux net/ipv4/datagram.c
 * __ip4_datagram_connect(). */
CASE(udp_needs_so_broadcast_to_connect_to_many, EACH(broadcasts), BEHAVIOUR("H13", "N10", "V6"),
     ABOUT("connect", "EACCES", "SO_BROADCAST", "UDP"))
{
    const struct address many = address_of(&ipv4_datagram, kind->text, PORT);
    const int fd = NEED(bound_to(&ipv4_datagram, loopback(&ipv4_datagram, 0)));

    FAILS(connect_to(fd, many), EACCES);
    NEED(set_option(fd, SOL_SOCKET, SO_BROADCAST, 1));
    SUCCEEDS(connect_to(fd, many));
}

/* --- in SYN_SENT ---------------------------------------------------------------------------------
 */

/* In SYN_SENT a socket has its own name already, and a port, but no peer.
 *
 * POSIX.1-2024 getpeername() [ENOTCONN]; Linux net/ipv4/af_inet.c inet_getname(). */
CASE(in_syn_sent_a_socket_has_a_name_and_no_peer, EACH(inet_stream_mapped),
     BEHAVIOUR("H11", "U4", "V13"), ABOUT("SYN_SENT", "getsockname", "getpeername", "ENOTCONN"))
{
    struct address own, peer;
    const int fd = NEED(connecting_socket(kind));

    NEED(own_address(fd, &own));
    IS(port_of(&own) != 0, true);
    FAILS(peer_address(fd, &peer), ENOTCONN);
}

/* A blocking connect() that SO_SNDTIMEO has ended is under way: EALREADY to the next that may not
 * wait.
 *
 * socket(7) SO_SNDTIMEO; POSIX.1-2024 connect() [EALREADY]. */
CASE(after_so_sndtimeo_connect_says_ealready, EACH(inet_stream), BEHAVIOUR("H16", "H3"),
     ABOUT("SO_SNDTIMEO", "connect", "EINPROGRESS", "EALREADY"), WAITS)
{
    const struct timeval short_time = {.tv_usec = 20000};
    const int fd = NEED(new_socket(kind));

    NEED(listening_at(kind, loopback(kind, PORT), 0));
    NEED(waiting_client(kind));
    NEED(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof short_time));
    FAILS(connect_to(fd, loopback(kind, PORT)), EINPROGRESS);
    NEED(nonblocking(fd));
    FAILS(connect_to(fd, loopback(kind, PORT)), EALREADY);
}
