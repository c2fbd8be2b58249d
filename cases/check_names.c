#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* What a socket tells of itself: its name and its peer's, its pending error, its options. */

/* --- its own name --------------------------------------------------------------------------------
 */

/* A socket that is not bound has its family, and nothing else: no address, no port.
 *
 * POSIX.1-2024 getsockname() (not bound: unspecified); Linux net/ipv4/af_inet.c inet_getname(),
 * net/ipv6/af_inet6.c inet6_getname(). */
CASE(an_unbound_socket_has_a_name_of_zeros, EACH(inet), BEHAVIOUR("U3"), ABOUT("getsockname"))
{
    struct address own, nothing = wildcard(kind, 0);
    const int fd = NEED(new_socket(kind));

    own.length = sizeof own.storage;
    SUCCEEDS(getsockname(fd, &own.any, &own.length));
    IS(own.length, nothing.length);
    IS(memcmp(&own.any, &nothing.any, own.length), 0);
}

/* An unnamed UNIX socket has a family alone: the length is that of the family.
 *
 * unix(7) (unnamed); Linux net/unix/af_unix.c unix_getname(). */
CASE(an_unbound_unix_socket_has_a_family_alone, EACH(unix_all), BEHAVIOUR("U3"),
     ABOUT("getsockname"))
{
    struct address own = {.length = sizeof own.storage};
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(getsockname(fd, &own.any, &own.length));
    IS(own.length, sizeof(sa_family_t));
    IS(own.any.sa_family, AF_UNIX);
}

/* Binding to port 0 gives it one.
 *
 * POSIX.1-2024 bind(), getsockname(); Linux inet_csk_get_port(), udp_lib_get_port(). */
CASE(port_0_becomes_a_port, EACH(inet), BEHAVIOUR("U3"), ABOUT("getsockname", "bind"))
{
    struct address own = {.length = sizeof own.storage};
    const int fd = NEED(bound_to(kind, loopback(kind, 0)));

    SUCCEEDS(getsockname(fd, &own.any, &own.length));
    IS(port_of(&own) > 0, true);
}

/* --- the peer's name -----------------------------------------------------------------------------
 */

/* A socket without a peer says ENOTCONN.
 *
 * POSIX.1-2024 getpeername() [ENOTCONN]; Linux inet_getname(), unix_getname(). */
CASE(an_unconnected_socket_has_no_peer, EACH(every_socket), BEHAVIOUR("U4", "V13"),
     ABOUT("getpeername", "ENOTCONN"))
{
    struct address peer = {.length = sizeof peer.storage};
    const int fd = NEED(new_socket(kind));

    FAILS(getpeername(fd, &peer.any, &peer.length), ENOTCONN);
}

/* A listener says so too.
 *
 * POSIX.1-2024 getpeername() [ENOTCONN]; Linux inet_getname(), unix_getname(). */
CASE(a_listener_has_no_peer, EACH(connected), BEHAVIOUR("U4"), ABOUT("getpeername", "ENOTCONN"))
{
    struct address peer = {.length = sizeof peer.storage};
    const int fd = NEED(listening_socket(kind));

    FAILS(getpeername(fd, &peer.any, &peer.length), ENOTCONN);
}

/* So does a socket in SYN_SENT: the peer has not answered.
 *
 * Linux net/ipv4/af_inet.c inet_getname() (TCPF_SYN_SENT). */
CASE(a_connecting_socket_has_no_peer, EACH(inet_stream), BEHAVIOUR("U4"),
     ABOUT("getpeername", "ENOTCONN", "SYN_SENT"))
{
    struct address peer = {.length = sizeof peer.storage};
    const int fd = NEED(connecting_socket(kind));

    FAILS(getpeername(fd, &peer.any, &peer.length), ENOTCONN);
}

/* After the peer's close its name is known still.
 *
 * RFC 9293 §3.6 (CLOSE-WAIT is a connection); Linux inet_getname(), unix_getname(). */
CASE(a_closed_peer_has_a_name, EACH(connected), BEHAVIOUR("U4"), ABOUT("getpeername", "FIN"))
{
    struct address peer = {.length = sizeof peer.storage};
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    SUCCEEDS(getpeername(pair.mine, &peer.any, &peer.length));
}

/* After a reset it is not: ENOTCONN.
 *
 * Linux inet_getname() (TCPF_CLOSE). Darwin says EINVAL (xnu getpeername()). */
CASE(a_peer_that_has_reset_has_none, EACH(inet_stream), BEHAVIOUR("U4", "V13"),
     ABOUT("getpeername", "ENOTCONN", "RST"))
{
    struct address peer = {.length = sizeof peer.storage};
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    FAILS(getpeername(pair.mine, &peer.any, &peer.length), ON(LINUX(ENOTCONN), DARWIN(EINVAL)));
}

/* --- lengths -------------------------------------------------------------------------------------
 */

static KINDS(lengths, KIND("family", .value = sizeof(sa_family_t)), KIND("odd", .value = 5),
             KIND("none", .value = 0));

/* A short length is reported as it should have been.
 *
 * POSIX.1-2024 getsockname() (truncated); Linux net/socket.c move_addr_to_user(). */
CASE(the_length_that_was_needed_is_reported, EACH(every_socket, lengths), BEHAVIOUR("U5"),
     ABOUT("getsockname"))
{
    struct address short_one = {.length = (socklen_t)kind->value};
    struct address whole = {.length = sizeof whole.storage};
    const int fd = NEED(bound_socket(kind));

    NEED(getsockname(fd, &whole.any, &whole.length));
    SUCCEEDS(getsockname(fd, &short_one.any, &short_one.length));
    IS(short_one.length, whole.length);
}

/* No more is written than was asked for.
 *
 * POSIX.1-2024 getsockname() (truncated); Linux net/socket.c move_addr_to_user(). */
CASE(nothing_is_written_beyond_the_length, EACH(every_socket, lengths), BEHAVIOUR("U5"),
     ABOUT("getsockname"))
{
    enum { UNTOUCHED = 0xa5 };
    struct address own;
    const unsigned char *bytes = (const unsigned char *)&own;
    const int fd = NEED(bound_socket(kind));

    memset(&own, UNTOUCHED, sizeof own);
    own.length = (socklen_t)kind->value;
    SUCCEEDS(getsockname(fd, &own.any, &own.length));
    IS(bytes[kind->value], UNTOUCHED);
}

/* A length below 0 says EINVAL.
 *
 * getsockname(2) EINVAL; Linux net/socket.c move_addr_to_user(). */
CASE(a_length_below_0_is_refused, EACH(every_socket), BEHAVIOUR("U5"),
     ABOUT("getsockname", "EINVAL"))
{
    struct address own = {.length = (socklen_t)-1};
    const int fd = NEED(bound_socket(kind));

    FAILS(getsockname(fd, &own.any, &own.length), EINVAL);
}

/* --- SO_ERROR ------------------------------------------------------------------------------------
 */

/* SO_ERROR tells a pending error, and reading clears it.
 *
 * POSIX.1-2024 2.10.16 (SO_ERROR); Linux net/core/sock.c sock_error(). */
CASE(reading_so_error_clears_it, EACH(connected), BEHAVIOUR("U1"), ABOUT("SO_ERROR", "ECONNRESET"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    ERRNO_IS(so_error(pair.mine), ECONNRESET);
    ERRNO_IS(so_error(pair.mine), 0);
}

/* Who has read it there is told of it by no call: recv gives 0.
 *
 * Linux tcp_recvmsg_locked() (SOCK_DONE), unix_stream_read_generic(), sock_error(). */
CASE(after_so_error_recv_gives_0, EACH(connected), BEHAVIOUR("U1", "U2"), ABOUT("SO_ERROR", "recv"))
{
    char byte;
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    NEED(so_error(pair.mine));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}

/* A pending error is reported once: recv says it, and gives 0 thereafter.
 *
 * POSIX.1-2024 recv() [ECONNRESET]; Linux sock_error(). */
CASE(recv_reports_a_reset_once, EACH(connected), BEHAVIOUR("U2"), ABOUT("ECONNRESET", "recv"))
{
    char byte;
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), ECONNRESET);
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}

/* A datagram that found nobody is reported by the next send, once: that one is not sent.
 *
 * RFC 1122 §4.1.3.3; udp(7) (error handling); Linux sock_alloc_send_pskb() (sock_error()). */
CASE(send_reports_a_refused_datagram_once, EACH(inet_datagram), BEHAVIOUR("U2", "N2"),
     ABOUT("ECONNREFUSED", "send", "UDP"))
{
    const struct address nobody = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(connect(fd, &nobody.any, nobody.length));
    NEED(send(fd, "x", 1, 0));
    FAILS(send(fd, "x", 1, 0), ECONNREFUSED);
    GIVES(send(fd, "x", 1, 0), 1);
}

/* --- options -------------------------------------------------------------------------------------
 */

static KINDS(levels, KIND("SOL_SOCKET", .value = SOL_SOCKET), KIND("TCP", .value = IPPROTO_TCP));

enum { NO_OPTION = 9999 };

/* An option that does not exist is ENOPROTOOPT to setsockopt().
 *
 * POSIX.1-2024 setsockopt() [ENOPROTOOPT]; Linux sk_setsockopt(), do_tcp_setsockopt(). */
CASE(an_unknown_option_cannot_be_set, EACH(inet_stream, levels), BEHAVIOUR("U6", "V11"),
     ABOUT("ENOPROTOOPT", "setsockopt"))
{
    const int one = 1, fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, kind->value, NO_OPTION, &one, sizeof one), ENOPROTOOPT);
}

/* To getsockopt() too.
 *
 * POSIX.1-2024 getsockopt() [ENOPROTOOPT]; Linux sk_getsockopt(), do_tcp_getsockopt(). */
CASE(an_unknown_option_cannot_be_read, EACH(inet_stream, levels), BEHAVIOUR("U6", "V10"),
     ABOUT("ENOPROTOOPT", "getsockopt"))
{
    const int fd = NEED(new_socket(kind));
    int value;
    socklen_t size = sizeof value;

    FAILS(getsockopt(fd, kind->value, NO_OPTION, &value, &size), ENOPROTOOPT);
}

/* A UNIX socket has SOL_SOCKET alone: another level is EOPNOTSUPP.
 *
 * Linux net/socket.c do_sock_setsockopt() (no setsockopt of its own), net/unix/af_unix.c. */
CASE(a_unix_socket_has_no_other_level, EACH(unix_all), BEHAVIOUR("U6"),
     ABOUT("EOPNOTSUPP", "setsockopt"))
{
    const int one = 1, fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), EOPNOTSUPP);
}

static KINDS(settings, KIND("SO_KEEPALIVE", .value = SO_KEEPALIVE, .other = SOL_SOCKET),
             KIND("SO_REUSEADDR", .value = SO_REUSEADDR, .other = SOL_SOCKET),
             KIND("SO_OOBINLINE", .value = SO_OOBINLINE, .other = SOL_SOCKET),
             KIND("TCP_NODELAY", .value = TCP_NODELAY, .other = IPPROTO_TCP));

/* When the peer has closed options can be set, and read back.
 *
 * POSIX.1-2024 setsockopt() [EINVAL] (may: the socket has been shut down); Linux sk_setsockopt(),
 * do_tcp_setsockopt() ask for no state. */
CASE(options_can_be_set_after_the_peers_close, EACH(inet_stream, settings), BEHAVIOUR("U7"),
     ABOUT("setsockopt", "FIN"))
{
    const int one = 1;
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    SUCCEEDS(setsockopt(pair.mine, kind->other, kind->value, &one, sizeof one));
    IS(NEED(get_option(pair.mine, kind->other, kind->value)) != 0, true);
}

/* When the peer has reset the connection they can on Linux.
 *
 * POSIX.1-2024 setsockopt() [EINVAL]; Linux as above. Darwin says EINVAL (xnu sosetoptlock()),
 * FreeBSD ECONNRESET for TCP's (tcp_ctloutput(): INP_DROPPED). */
CASE(options_can_be_set_after_a_reset, EACH(inet_stream, settings), BEHAVIOUR("U7"),
     ABOUT("setsockopt", "RST", "EINVAL"))
{
    const int one = 1;
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    GIVES(setsockopt(pair.mine, kind->other, kind->value, &one, sizeof one),
          ON(LINUX(SUCCESS), DARWIN(-EINVAL),
             FREEBSD(kind->other == IPPROTO_TCP ? -ECONNRESET : SUCCESS)));
}

/* Nor does a UNIX socket mind.
 *
 * Linux sk_setsockopt(). */
CASE(options_can_be_set_after_a_unix_peer_has_gone, EACH(unix_connected), BEHAVIOUR("U7"),
     ABOUT("setsockopt"))
{
    const int one = 1;
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    SUCCEEDS(setsockopt(pair.mine, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one));
    IS(get_option(pair.mine, SOL_SOCKET, SO_KEEPALIVE), 1);
}

/* A time-out that is set then counts: the option is not taken in vain.
 *
 * Linux sock_set_timeout(). */
CASE(a_timeout_set_after_the_peers_close_is_kept, EACH(connected), BEHAVIOUR("U7"),
     ABOUT("SO_RCVTIMEO", "setsockopt"))
{
    const struct timeval two = {.tv_sec = 2};
    struct timeval kept = {.tv_sec = 0};
    socklen_t size = sizeof kept;
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    SUCCEEDS(setsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &two, sizeof two));
    NEED(getsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &kept, &size));
    IS(kept.tv_sec, 2);
}
