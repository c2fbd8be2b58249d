#include "case.h"
#include "kernel.h"
#include "sockets.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <stdbool.h>

/* The options of keep-alive, and TCP_USER_TIMEOUT: what they are at first, and what they may be. */

#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* Darwin's name */
#endif

/* What of it is asked for, and the bound. */
enum parameter { IDLE = 1, INTERVAL, COUNT };

static int option_of(const struct kind *kind)
{
    switch (kind->value) {
    case IDLE:
        return TCP_KEEPIDLE;
    case INTERVAL:
        return TCP_KEEPINTVL;
    default:
        return TCP_KEEPCNT;
    }
}

/* --- defaults ------------------------------------------------------------------------------------
 */

/* SO_KEEPALIVE is off at first.
 *
 * RFC 9293 §3.8.4 (MUST default to off). */
CASE(so_keepalive_is_off_at_first, EACH(every_socket), BEHAVIOUR("J1"), ABOUT("SO_KEEPALIVE"))
{
    const int fd = NEED(new_socket(kind));

    IS(get_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

/* It stays off on both ends of a connection.
 *
 * RFC 9293 §3.8.4. */
CASE(so_keepalive_is_off_on_a_connection, EACH(connected), BEHAVIOUR("J1"), ABOUT("SO_KEEPALIVE"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    IS(get_option(pair.mine, SOL_SOCKET, SO_KEEPALIVE), 0);
    IS(get_option(pair.peer, SOL_SOCKET, SO_KEEPALIVE), 0);
}

static KINDS(ons, KIND("1", .value = 1), KIND("2", .value = 2), KIND("minus_1", .value = -1));

/* Whatever is not 0 switches it on, and it reads as 1; BSD shows its own flag, 8.
 *
 * socket(7) SO_KEEPALIVE (boolean); Linux net/core/sock.c sk_setsockopt() (valbool). */
CASE(anything_but_0_is_on, EACH(inet_stream, ons), BEHAVIOUR("J1"), ABOUT("SO_KEEPALIVE"))
{
    const int fd = NEED(new_socket(kind));

    NEED(set_option(fd, SOL_SOCKET, SO_KEEPALIVE, kind->value));
    IS(get_option(fd, SOL_SOCKET, SO_KEEPALIVE), ON(LINUX(1), DARWIN(8), FREEBSD(8)));
}

static KINDS(defaults, KIND("TCP_KEEPIDLE", .value = IDLE, .other = 7200),
             KIND("TCP_KEEPINTVL", .value = INTERVAL, .other = 75),
             KIND("TCP_KEEPCNT", .value = COUNT, .other = 9));

/* Two hours of silence, then probes every 75 seconds: nine on Linux, eight on BSD.
 *
 * RFC 9293 §3.8.4 (no less than two hours); tcp(7); Linux include/net/tcp.h TCP_KEEPALIVE_TIME. */
CASE(the_defaults_are_two_hours_and_nine_probes, EACH(inet_stream, defaults), BEHAVIOUR("J1"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
{
    const int fd = NEED(new_socket(kind));
    const int bsd = kind->value == COUNT ? 8 : kind->other;

    IS(get_option(fd, IPPROTO_TCP, option_of(kind)),
       ON(LINUX(kind->other), DARWIN(bsd), FREEBSD(bsd)));
}

static KINDS(settings, KIND("TCP_KEEPIDLE", .value = IDLE, .text = "net.ipv4.tcp_keepalive_time"),
             KIND("TCP_KEEPINTVL", .value = INTERVAL, .text = "net.ipv4.tcp_keepalive_intvl"),
             KIND("TCP_KEEPCNT", .value = COUNT, .text = "net.ipv4.tcp_keepalive_probes"));

/* A setting of the host stands in for what is not set, in sockets that exist as well.
 *
 * tcp(7) tcp_keepalive_time, _intvl, _probes; Linux include/net/tcp.h keepalive_time_when(). */
CASE(the_hosts_setting_counts_at_once, EACH(inet_stream, settings), BEHAVIOUR("J1"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
{
    const int fd = NEED(new_socket(kind));

    NEED(set_sysctl(kind->text, "17"));
    IS(get_option(fd, IPPROTO_TCP, option_of(kind)), 17);
}

/* Once it is set a socket keeps its own.
 *
 * tcp(7) TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT; Linux include/net/tcp.h keepalive_time_when().
 */
CASE(a_sockets_own_value_outdoes_the_hosts, EACH(inet_stream, settings), BEHAVIOUR("J1"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
{
    const int fd = NEED(new_socket(kind));

    NEED(set_option(fd, IPPROTO_TCP, option_of(kind), 23));
    NEED(set_sysctl(kind->text, "17"));
    IS(get_option(fd, IPPROTO_TCP, option_of(kind)), 23);
}

/* --- bounds --------------------------------------------------------------------------------------
 */

static KINDS(within, KIND("TCP_KEEPIDLE-1", .value = IDLE, .other = 1),
             KIND("TCP_KEEPIDLE-32767", .value = IDLE, .other = 32767),
             KIND("TCP_KEEPINTVL-1", .value = INTERVAL, .other = 1),
             KIND("TCP_KEEPINTVL-32767", .value = INTERVAL, .other = 32767),
             KIND("TCP_KEEPCNT-1", .value = COUNT, .other = 1),
             KIND("TCP_KEEPCNT-127", .value = COUNT, .other = 127));

/* What is within the bounds reads as it was set: seconds, from 1 to 32767, and 1 to 127 probes.
 *
 * Linux include/net/tcp.h MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT. */
CASE(what_is_within_the_bounds_is_kept, EACH(inet_stream, within), BEHAVIOUR("J1", "V11"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_option(fd, IPPROTO_TCP, option_of(kind), kind->other));
    IS(get_option(fd, IPPROTO_TCP, option_of(kind)), kind->other);
}

static KINDS(beyond, KIND("TCP_KEEPIDLE-0", .value = IDLE, .other = 0),
             KIND("TCP_KEEPIDLE-minus_1", .value = IDLE, .other = -1),
             KIND("TCP_KEEPIDLE-32768", .value = IDLE, .other = 32768),
             KIND("TCP_KEEPINTVL-0", .value = INTERVAL, .other = 0),
             KIND("TCP_KEEPINTVL-minus_1", .value = INTERVAL, .other = -1),
             KIND("TCP_KEEPINTVL-32768", .value = INTERVAL, .other = 32768),
             KIND("TCP_KEEPCNT-0", .value = COUNT, .other = 0),
             KIND("TCP_KEEPCNT-minus_1", .value = COUNT, .other = -1),
             KIND("TCP_KEEPCNT-128", .value = COUNT, .other = 128));

/* What is beyond is EINVAL, and changes nothing.
 *
 * POSIX.1-2024 setsockopt() [EINVAL]; Linux net/ipv4/tcp.c do_tcp_setsockopt(). */
CASE(what_is_beyond_the_bounds_is_refused, EACH(inet_stream, beyond), BEHAVIOUR("J1", "V11"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));
    const int before = NEED(get_option(fd, IPPROTO_TCP, option_of(kind)));

    FAILS(set_option(fd, IPPROTO_TCP, option_of(kind), kind->other), EINVAL);
    IS(get_option(fd, IPPROTO_TCP, option_of(kind)), before);
}

/* A value of less than an int is EINVAL.
 *
 * POSIX.1-2024 setsockopt() [EINVAL] (option_len); Linux net/ipv4/tcp.c do_tcp_setsockopt(). */
CASE(less_than_an_int_is_refused, EACH(inet_stream, defaults), BEHAVIOUR("J1", "V11"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "EINVAL"))
{
    const int value = 30, fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, IPPROTO_TCP, option_of(kind), &value, 2), EINVAL);
}

/* Sockets that are not TCP's do not know them: ENOPROTOOPT of UDP, EOPNOTSUPP of UNIX sockets.
 *
 * POSIX.1-2024 setsockopt() [ENOPROTOOPT]; Linux net/ipv4/ip_sockglue.c ip_setsockopt(),
 * net/socket.c do_sock_setsockopt(); BSD says EINVAL of a level that is not the socket's. */
CASE(only_tcp_knows_them, EACH(datagram, defaults), BEHAVIOUR("J1", "V11"),
     ABOUT("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "ENOPROTOOPT"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, IPPROTO_TCP, option_of(kind), 30),
          kind->family == AF_UNIX ? EOPNOTSUPP : ENOPROTOOPT);
}

/* --- TCP_USER_TIMEOUT ----------------------------------------------------------------------------
 */

/* TCP_USER_TIMEOUT is 0 at first, which leaves it to the system.
 *
 * RFC 5482 §3; tcp(7) TCP_USER_TIMEOUT. */
CASE(tcp_user_timeout_is_0_at_first, EACH(inet_stream), BEHAVIOUR("J1", "J3"),
     ABOUT("TCP_USER_TIMEOUT"))
{
    const int fd = NEED(new_socket(kind));

    IS(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

static KINDS(milliseconds, KIND("1", .value = 1), KIND("30000", .value = 30000),
             KIND("INT_MAX", .value = INT_MAX));

/* It may be any number of milliseconds, and reads as it was set.
 *
 * tcp(7) TCP_USER_TIMEOUT (unsigned int); Linux net/ipv4/tcp.c tcp_sock_set_user_timeout(). */
CASE(tcp_user_timeout_is_kept, EACH(inet_stream, milliseconds), BEHAVIOUR("J1", "J3"),
     ABOUT("TCP_USER_TIMEOUT"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kind->value));
    IS(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), kind->value);
}

/* Below 0 it is EINVAL, though unsigned.
 *
 * Linux net/ipv4/tcp.c do_tcp_setsockopt() (val < 0). */
CASE(a_tcp_user_timeout_below_0_is_refused, EACH(inet_stream), BEHAVIOUR("J1", "J3", "V11"),
     ABOUT("TCP_USER_TIMEOUT", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
}
