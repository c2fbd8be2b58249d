#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <netinet/tcp.h>
#include <unistd.h>

/* getsockopt() and setsockopt(): what they refuse. */

enum { NO_LEVEL = 9999 };

/* --- getsockopt() --------------------------------------------------------------------------------
 */

/* getsockopt() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 getsockopt() [EBADF]. */
CASE(asking_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "EBADF"))
{
    int value;
    socklen_t size = sizeof value;

    FAILS(getsockopt(bad_descriptor(kind), SOL_SOCKET, SO_TYPE, &value, &size), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 getsockopt() [ENOTSOCK]. */
CASE(asking_what_is_no_socket_is_enotsock, EACH(no_sockets), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "ENOTSOCK"))
{
    int value;
    socklen_t size = sizeof value;
    const int fd = NEED(no_socket(kind));

    FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), ENOTSOCK);
}

/* Memory that the value cannot be written to is EFAULT.
 *
 * getsockopt(2) [EFAULT]; Linux net/core/sock.c sk_getsockopt(). */
CASE(a_value_that_cannot_be_told_is_efault, EACH(every_socket), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "EFAULT"))
{
    int *const value = unwritable();
    socklen_t size = sizeof *value;
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, value, &size), EFAULT);
}

/* Where its size cannot be written it is EFAULT too.
 *
 * getsockopt(2) [EFAULT]; Linux net/core/sock.c sk_getsockopt(). */
CASE(a_size_that_cannot_be_told_is_efault, EACH(every_socket), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "EFAULT"))
{
    int value;
    socklen_t *const size = unwritable();
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, size), EFAULT);
}

static KINDS(levels, KIND("SOL_SOCKET", .value = SOL_SOCKET, .other = SO_TYPE),
             KIND("IPPROTO_TCP", .value = IPPROTO_TCP, .other = TCP_NODELAY));

/* A size below 0 is EINVAL.
 *
 * getsockopt(2) [EINVAL]; Linux net/core/sock.c sk_getsockopt(), net/ipv4/tcp.c
 * do_tcp_getsockopt(). */
CASE(asking_into_a_negative_size_is_refused, EACH(inet_stream, levels), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "EINVAL"))
{
    int value;
    socklen_t size = (socklen_t)-1;
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, kind->value, kind->other, &value, &size), EINVAL);
}

static KINDS(strange_levels, KIND("of_no_protocol", .value = NO_LEVEL),
             KIND("of_another", .value = IPPROTO_EGP));

/* A level that is not the socket's is EOPNOTSUPP over IPv4, where POSIX has ENOPROTOOPT as IPv6
 * does.
 *
 * POSIX.1-2024 getsockopt() [ENOPROTOOPT]; Linux net/ipv4/ip_sockglue.c do_ip_getsockopt(),
 * net/ipv6/ipv6_sockglue.c ipv6_getsockopt(). */
CASE(asking_at_a_strange_level_is_refused, EACH(inet, strange_levels), BEHAVIOUR("V10", "U6"),
     ABOUT("getsockopt", "EOPNOTSUPP", "ENOPROTOOPT"))
{
    int value;
    socklen_t size = sizeof value;
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, kind->value, TCP_NODELAY, &value, &size),
          kind->family == AF_INET ? EOPNOTSUPP : ENOPROTOOPT);
}

/* So UDP has none of TCP's options.
 *
 * Linux net/ipv4/udp.c udp_getsockopt() and net/ipv6/udp.c udpv6_getsockopt() leave it to IP. */
CASE(asking_udp_for_tcps_option_is_refused, EACH(inet_datagram), BEHAVIOUR("V10", "U6"),
     ABOUT("getsockopt", "EOPNOTSUPP", "ENOPROTOOPT", "TCP_NODELAY", "UDP"))
{
    int value;
    socklen_t size = sizeof value;
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size),
          kind->family == AF_INET ? EOPNOTSUPP : ENOPROTOOPT);
}

/* UNIX sockets have options of SOL_SOCKET alone: any other level is EOPNOTSUPP.
 *
 * Linux net/socket.c do_sock_getsockopt() (af_unix has no getsockopt of its own). */
CASE(asking_unix_for_a_protocols_option_is_refused, EACH(unix_all), BEHAVIOUR("V10"),
     ABOUT("getsockopt", "EOPNOTSUPP", "AF_UNIX"))
{
    int value;
    socklen_t size = sizeof value;
    const int fd = NEED(new_socket(kind));

    FAILS(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size), ON(LINUX(EOPNOTSUPP)));
}

/* --- setsockopt() --------------------------------------------------------------------------------
 */

/* setsockopt() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 setsockopt() [EBADF]. */
CASE(setting_on_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EBADF"))
{
    const int one = 1;

    FAILS(setsockopt(bad_descriptor(kind), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 setsockopt() [ENOTSOCK]. */
CASE(setting_on_what_is_no_socket_is_enotsock, EACH(no_sockets), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "ENOTSOCK"))
{
    const int one = 1;
    const int fd = NEED(no_socket(kind));

    FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), ENOTSOCK);
}

/* A value that cannot be read is EFAULT.
 *
 * setsockopt(2) [EFAULT]; Linux net/core/sock.c sk_setsockopt() (copy_from_sockptr()). */
CASE(setting_an_unreadable_value_is_efault, EACH(every_socket), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EFAULT"))
{
    const int *const value = unreadable();
    const int fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, value, sizeof *value), EFAULT);
}

static KINDS(short_sizes, KIND("none", .other = 0), KIND("3", .other = 3));

/* A value that is shorter than the option's is EINVAL.
 *
 * POSIX.1-2024 setsockopt() [EINVAL]; Linux net/core/sock.c sk_setsockopt(). */
CASE(setting_a_short_value_is_refused, EACH(every_socket, short_sizes), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EINVAL"))
{
    const int one = 1;
    const int fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)kind->other), EINVAL);
}

/* SO_LINGER takes more than an int.
 *
 * POSIX.1-2024 setsockopt() [EINVAL]; socket(7) (struct linger); Linux net/core/sock.c
 * sk_setsockopt(). */
CASE(setting_so_linger_to_an_int_is_refused, EACH(every_socket), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EINVAL", "SO_LINGER"))
{
    const int one = 1;
    const int fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, SOL_SOCKET, SO_LINGER, &one, sizeof one), EINVAL);
}

/* Any option at a level that is not the socket's is so too.
 *
 * POSIX.1-2024 setsockopt() [ENOPROTOOPT]; Linux net/ipv4/ip_sockglue.c ip_setsockopt(),
 * net/ipv6/ipv6_sockglue.c ipv6_setsockopt(). */
CASE(setting_at_a_strange_level_is_enoprotoopt, EACH(inet, strange_levels), BEHAVIOUR("V11", "U6"),
     ABOUT("setsockopt", "ENOPROTOOPT"))
{
    const int one = 1;
    const int fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, kind->value, TCP_NODELAY, &one, sizeof one), ENOPROTOOPT);
}

/* An option of IPv6 is none of IPv4's.
 *
 * POSIX.1-2024 setsockopt() [ENOPROTOOPT]; Linux net/ipv4/ip_sockglue.c ip_setsockopt(). */
CASE(setting_ipv6s_option_on_ipv4_is_enoprotoopt, BEHAVIOUR("V11", "U6"),
     ABOUT("setsockopt", "ENOPROTOOPT", "IPV6_V6ONLY"))
{
    const int one = 1;
    const int fd = NEED(new_socket(kind));

    FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one), ENOPROTOOPT);
}

enum { ITS_TYPE, ITS_ERROR, IS_LISTENING, ITS_DOMAIN, ITS_PROTOCOL };

static KINDS(facts, KIND("SO_TYPE", .value = ITS_TYPE), KIND("SO_ERROR", .value = ITS_ERROR),
             KIND("SO_ACCEPTCONN", .value = IS_LISTENING), KIND("SO_DOMAIN", .value = ITS_DOMAIN),
             KIND("SO_PROTOCOL", .value = ITS_PROTOCOL));

static int fact_of(const struct kind *kind)
{
    switch (kind->value) {
    case ITS_TYPE:
        return SO_TYPE;
    case ITS_ERROR:
        return SO_ERROR;
    case IS_LISTENING:
        return SO_ACCEPTCONN;
    case ITS_DOMAIN:
        return SO_DOMAIN;
    default:
        return SO_PROTOCOL;
    }
}

/* What a socket only tells of itself cannot be set: ENOPROTOOPT.
 *
 * socket(7) (read-only); Linux net/core/sock.c sk_setsockopt(). */
CASE(setting_a_fact_is_enoprotoopt, EACH(facts), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "ENOPROTOOPT", "SO_TYPE", "SO_ERROR", "SO_ACCEPTCONN", "SO_DOMAIN",
           "SO_PROTOCOL"))
{
    const int one = 1;
    const int fd = NEED(new_socket(&ipv4_stream));

    FAILS(setsockopt(fd, SOL_SOCKET, fact_of(kind), &one, sizeof one), ENOPROTOOPT);
}

enum { MARK, FORCED_RECEIVING, FORCED_SENDING, PRIORITY };

static KINDS(privileges, KIND("SO_MARK", .value = MARK),
             KIND("SO_RCVBUFFORCE", .value = FORCED_RECEIVING),
             KIND("SO_SNDBUFFORCE", .value = FORCED_SENDING),
             KIND("SO_PRIORITY", .value = PRIORITY));

static int privileged(const struct kind *kind)
{
    switch (kind->value) {
    case MARK:
        return SO_MARK;
    case FORCED_RECEIVING:
        return SO_RCVBUFFORCE;
    case FORCED_SENDING:
        return SO_SNDBUFFORCE;
    default:
        return SO_PRIORITY;
    }
}

/* Options of the administrator's are EPERM to whoever lacks the privilege.
 *
 * socket(7) (CAP_NET_ADMIN); Linux net/core/sock.c sk_setsockopt(). */
CASE(setting_what_needs_a_privilege_is_eperm, EACH(privileges), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EPERM", "SO_MARK", "SO_RCVBUFFORCE", "SO_SNDBUFFORCE", "SO_PRIORITY"))
{
    const int seven = 7; /* a priority from 0 to 6 is anybody's */
    const int fd = NEED(new_socket(&ipv4_stream));

    NEED(lose_privileges());
    FAILS(setsockopt(fd, SOL_SOCKET, privileged(kind), &seven, sizeof seven), EPERM);
}

static KINDS(out_of_range, KIND("IP_TTL-256", .value = IP_TTL, .other = 256),
             KIND("IP_TTL-0", .value = IP_TTL));

/* A value that an option cannot have is EINVAL.
 *
 * POSIX.1-2024 setsockopt() [EINVAL]; ip(7) (IP_TTL: 1 to 255); Linux net/ipv4/ip_sockglue.c
 * do_ip_setsockopt(). */
CASE(setting_what_is_out_of_range_is_refused, EACH(out_of_range), BEHAVIOUR("V11"),
     ABOUT("setsockopt", "EINVAL", "IP_TTL"))
{
    const int fd = NEED(new_socket(&ipv4_stream));

    FAILS(setsockopt(fd, IPPROTO_IP, kind->value, &kind->other, sizeof kind->other), EINVAL);
}
