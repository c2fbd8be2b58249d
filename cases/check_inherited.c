#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

/* What an accepted socket has from its listener: POSIX says nothing of it, servers rely on it. */

/* --- switches ------------------------------------------------------------------------------------
 */

static KINDS(switches, KIND("SO_KEEPALIVE", .value = SOL_SOCKET, .other = SO_KEEPALIVE),
             KIND("SO_OOBINLINE", .value = SOL_SOCKET, .other = SO_OOBINLINE),
             KIND("SO_DONTROUTE", .value = SOL_SOCKET, .other = SO_DONTROUTE),
             KIND("SO_REUSEADDR", .value = SOL_SOCKET, .other = SO_REUSEADDR),
             KIND("SO_REUSEPORT", .value = SOL_SOCKET, .other = SO_REUSEPORT),
             KIND("TCP_NODELAY", .value = IPPROTO_TCP, .other = TCP_NODELAY));

/* What is switched on at the listener is on at what it accepts.
 *
 * socket(7); Linux net/core/sock.c sk_clone_lock() (the whole socket is copied). */
CASE(a_switch_is_inherited, EACH(inet_stream, switches), BEHAVIOUR("G13"), ABOUT("accept"))
{
    const int listener = NEED(listening_socket(kind));

    GIVEN(get_option(listener, kind->value, kind->other) == 0);
    NEED(set_option(listener, kind->value, kind->other, 1));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(NEED(get_option(fd, kind->value, kind->other)) != 0, true);
}

/* The copy is made when the handshake ends, not when accept() is called: what is switched on in
 * between does not count.
 *
 * Linux net/ipv4/tcp_minisocks.c tcp_create_openreq_child(), from the handshake's last segment. */
CASE(what_is_set_after_the_handshake_is_not_inherited, EACH(inet_stream, switches),
     BEHAVIOUR("G13"), ABOUT("accept"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    NEED(set_option(listener, kind->value, kind->other, 1));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, kind->value, kind->other), 0);
}

/* --- numbers -------------------------------------------------------------------------------------
 */

static KINDS(timers, KIND("TCP_KEEPINTVL", .value = TCP_KEEPINTVL, .other = 11),
             KIND("TCP_KEEPCNT", .value = TCP_KEEPCNT, .other = 5));

/* So are the times and numbers of keep-alive.
 *
 * tcp(7); Linux net/core/sock.c sk_clone_lock(). */
CASE(a_timer_is_inherited, EACH(inet_stream, timers), BEHAVIOUR("G13", "J1"), ABOUT("accept"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(set_option(listener, IPPROTO_TCP, kind->value, kind->other));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, IPPROTO_TCP, kind->value), kind->other);
}

/* And TCP_USER_TIMEOUT.
 *
 * tcp(7) TCP_USER_TIMEOUT (will be inherited by sockets that accept(2) returns). */
CASE(tcp_user_timeout_is_inherited, EACH(inet_stream), BEHAVIOUR("G13", "J3"),
     ABOUT("accept", "TCP_USER_TIMEOUT"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(set_option(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 4321));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
}

static KINDS(sizes, KIND("SO_SNDBUF", .value = SO_SNDBUF), KIND("SO_RCVBUF", .value = SO_RCVBUF));

/* The sizes of buffers are, which is how a receive buffer is set before the window's scale is told.
 *
 * socket(7) SO_RCVBUF; tcp(7) (before calling listen or connect). */
CASE(a_buffers_size_is_inherited, EACH(inet_stream, sizes), BEHAVIOUR("G13", "S1"), ABOUT("accept"))
{
    enum { SIZE = 20000 };
    const int listener = NEED(listening_socket(kind));
    const int before = NEED(get_option(listener, SOL_SOCKET, kind->value));

    NEED(set_option(listener, SOL_SOCKET, kind->value, SIZE));
    const int set = NEED(get_option(listener, SOL_SOCKET, kind->value));
    GIVEN(set != before);
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, SOL_SOCKET, kind->value), set);
}

/* SO_LINGER is.
 *
 * socket(7) SO_LINGER; Linux net/core/sock.c sk_clone_lock(). */
CASE(so_linger_is_inherited, EACH(inet_stream), BEHAVIOUR("G13"), ABOUT("accept", "SO_LINGER"))
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 7};
    struct linger got = {0};
    socklen_t size = sizeof got;
    const int listener = NEED(listening_socket(kind));

    NEED(setsockopt(listener, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &size));
    IS(got.l_onoff != 0, true);
    IS(got.l_linger, 7);
}

static KINDS(timeouts, KIND("SO_RCVTIMEO", .value = SO_RCVTIMEO),
             KIND("SO_SNDTIMEO", .value = SO_SNDTIMEO));

/* Time-outs are: a read of what was accepted can expire.
 *
 * socket(7) SO_RCVTIMEO, SO_SNDTIMEO; Linux net/core/sock.c sk_clone_lock(). */
CASE(a_time_out_is_inherited, EACH(inet_stream, timeouts), BEHAVIOUR("G13"), ABOUT("accept"))
{
    const struct timeval timeout = {.tv_sec = 12};
    struct timeval got = {0};
    socklen_t size = sizeof got;
    const int listener = NEED(listening_socket(kind));

    NEED(setsockopt(listener, SOL_SOCKET, kind->value, &timeout, sizeof timeout));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(getsockopt(fd, SOL_SOCKET, kind->value, &got, &size));
    IS(got.tv_sec, 12);
}

/* The time to live of its packets is.
 *
 * ip(7) IP_TTL; Linux net/core/sock.c sk_clone_lock(). */
CASE(ip_ttl_is_inherited, BEHAVIOUR("G13"), ABOUT("accept", "IP_TTL"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(set_option(listener, IPPROTO_IP, IP_TTL, 33));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, IPPROTO_IP, IP_TTL), 33);
}

/* And IPv6's hop limit.
 *
 * ipv6(7) IPV6_UNICAST_HOPS; Linux net/ipv6/tcp_ipv6.c tcp_v6_syn_recv_sock(). */
CASE(the_hop_limit_is_inherited, BEHAVIOUR("G13"), ABOUT("accept", "IPV6_UNICAST_HOPS"))
{
    const int listener = NEED(listening_socket(&ipv6_stream));

    NEED(set_option(listener, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33));
    NEED(waiting_client(&ipv6_stream));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 33);
}

/* --- UNIX sockets --------------------------------------------------------------------------------
 */

/* Of UNIX sockets only what names the listener is: SO_KEEPALIVE and the like are not.
 *
 * Linux net/unix/af_unix.c unix_stream_connect() (a new socket, made by unix_create1()). */
CASE(unix_sockets_inherit_no_switch, EACH(unix_connected), BEHAVIOUR("G13"),
     ABOUT("accept", "SO_OOBINLINE"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(set_option(listener, SOL_SOCKET, SO_OOBINLINE, 1));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    IS(get_option(fd, SOL_SOCKET, SO_OOBINLINE), 0);
}

/* The name is: what was accepted has the listener's.
 *
 * unix(7); Linux net/unix/af_unix.c unix_stream_connect() (copy address information). */
CASE(an_accepted_socket_has_the_listeners_name, EACH(connected), BEHAVIOUR("G13", "V12"),
     ABOUT("accept", "getsockname"))
{
    struct address own, listening;
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(own_address(listener, &listening));
    NEED(own_address(fd, &own));
    IS(own.length, listening.length);
    IS(memcmp(&own.any, &listening.any, own.length), 0);
}
