#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <unistd.h>

/* socket() and socketpair(): what they refuse. */

enum { NO_FLAG = 0x100, NO_TYPE = 11, NO_PROTOCOL = 5 };

static KINDS(no_families, KIND("unspecified", .value = AF_UNSPEC), KIND("minus_1", .value = -1),
             KIND("AF_MAX", .value = 255));
static KINDS(families, KIND("IPv4", .family = AF_INET), KIND("IPv6", .family = AF_INET6),
             KIND("UNIX", .family = AF_UNIX));

/* --- socket() ------------------------------------------------------------------------------------
 */

/* socket() says EAFNOSUPPORT for a family that is none.
 *
 * POSIX.1-2024 socket() [EAFNOSUPPORT]; Linux net/socket.c __sock_create(). */
CASE(a_family_that_is_none_is_refused, EACH(no_families), BEHAVIOUR("V1"),
     ABOUT("socket", "EAFNOSUPPORT"))
{
    FAILS(socket(kind->value, SOCK_STREAM, 0), EAFNOSUPPORT);
}

/* For a type that is none it says EINVAL.
 *
 * socket(2) [EINVAL]; Linux net/socket.c __sock_create() (SOCK_MAX). POSIX.1-2024 socket() has
 * EPROTOTYPE. */
CASE(a_type_that_is_none_is_refused, EACH(families), BEHAVIOUR("V1"), ABOUT("socket", "EINVAL"))
{
    FAILS(socket(kind->family, NO_TYPE, 0), EINVAL);
}

/* For a flag that is neither SOCK_CLOEXEC, SOCK_NONBLOCK nor SOCK_CLOFORK too.
 *
 * socket(2) [EINVAL]; Linux net/socket.c __sys_socket(). */
CASE(a_flag_that_is_none_is_refused, EACH(every_socket), BEHAVIOUR("V1"), ABOUT("socket", "EINVAL"))
{
    FAILS(socket(kind->family, kind->type | NO_FLAG, 0), EINVAL);
}

static KINDS(no_numbers, KIND("minus_1", .value = -1), KIND("65536", .value = 65536));

/* A number that no protocol can have is EINVAL.
 *
 * socket(2) [EINVAL]; Linux net/ipv4/af_inet.c inet_create(), net/ipv6/af_inet6.c inet6_create()
 * (IPPROTO_MAX). */
CASE(a_number_of_no_protocol_is_refused, EACH(inet, no_numbers), BEHAVIOUR("V1"),
     ABOUT("socket", "EINVAL"))
{
    FAILS(socket(kind->family, kind->type, kind->value), EINVAL);
}

static KINDS(crossed, KIND("stream_of_UDP", .type = SOCK_STREAM, .value = IPPROTO_UDP),
             KIND("datagram_of_TCP", .type = SOCK_DGRAM, .value = IPPROTO_TCP),
             KIND("stream_of_ICMP", .type = SOCK_STREAM, .value = IPPROTO_ICMP));
static KINDS(internet, KIND("IPv4", .family = AF_INET), KIND("IPv6", .family = AF_INET6));

/* A protocol of another type is EPROTONOSUPPORT, where POSIX has EPROTOTYPE.
 *
 * socket(2) [EPROTONOSUPPORT]; Linux net/ipv4/af_inet.c inet_create() (inetsw is searched by type);
 * POSIX.1-2024 socket() [EPROTOTYPE]. */
CASE(a_protocol_of_another_type_is_refused, EACH(internet, crossed), BEHAVIOUR("V1"),
     ABOUT("socket", "EPROTONOSUPPORT", "EPROTOTYPE"))
{
    FAILS(socket(kind->family, kind->type, kind->value), EPROTONOSUPPORT);
}

/* UNIX sockets have no protocols: any number but 0 and that of the family is EPROTONOSUPPORT.
 *
 * POSIX.1-2024 socket() [EPROTONOSUPPORT]; Linux net/unix/af_unix.c unix_create(). */
CASE(a_unix_socket_has_no_protocol, EACH(unix_all), BEHAVIOUR("V1"),
     ABOUT("socket", "EPROTONOSUPPORT", "AF_UNIX"))
{
    FAILS(socket(AF_UNIX, kind->type, NO_PROTOCOL), EPROTONOSUPPORT);
}

/* A type that the family does not have is ESOCKTNOSUPPORT.
 *
 * Linux net/ipv4/af_inet.c inet_create(), net/ipv6/af_inet6.c inet6_create(), net/unix/af_unix.c
 * unix_create(); POSIX.1-2024 socket() has EPROTOTYPE. */
CASE(a_type_that_a_family_lacks_is_refused, EACH(families), BEHAVIOUR("V1"),
     ABOUT("socket", "ESOCKTNOSUPPORT"))
{
    FAILS(socket(kind->family, SOCK_RDM, 0),
          ON(LINUX(ESOCKTNOSUPPORT), DARWIN(EPROTONOSUPPORT), FREEBSD(EPROTONOSUPPORT)));
}

/* A raw socket is refused with EPERM to whoever lacks the privilege, where POSIX has EACCES.
 *
 * raw(7) (CAP_NET_RAW); Linux net/ipv4/af_inet.c inet_create(); POSIX.1-2024 socket() [EACCES]. */
CASE(a_raw_socket_needs_a_privilege, EACH(internet), BEHAVIOUR("V1"),
     ABOUT("socket", "EPERM", "EACCES", "SOCK_RAW", "CAP_NET_RAW"))
{
    NEED(lose_privileges());
    FAILS(socket(kind->family, SOCK_RAW, IPPROTO_UDP), EPERM);
}

/* When the process may open no descriptor more, socket() says EMFILE.
 *
 * POSIX.1-2024 socket() [EMFILE]; getrlimit(2) (RLIMIT_NOFILE). */
CASE(a_socket_needs_a_free_descriptor, EACH(every_socket), BEHAVIOUR("V1"),
     ABOUT("socket", "EMFILE", "RLIMIT_NOFILE"))
{
    NEED(leave_descriptors(0));
    FAILS(socket(kind->family, kind->type, 0), EMFILE);
}

/* It gives the lowest number that is free.
 *
 * POSIX.1-2024 socket(), 2.6 File Descriptor Allocation. */
CASE(a_socket_has_the_lowest_number, EACH(every_socket), BEHAVIOUR("V1"), ABOUT("socket"))
{
    const int low = NEED(new_socket(kind));

    NEED(new_socket(kind));
    NEED(close(low));
    GIVES(socket(kind->family, kind->type, 0), low);
}

/* --- socketpair() --------------------------------------------------------------------------------
 */

/* socketpair() says EAFNOSUPPORT for a family that is none.
 *
 * POSIX.1-2024 socketpair() [EAFNOSUPPORT]; Linux net/socket.c __sock_create(). */
CASE(no_pair_of_a_family_that_is_none, EACH(no_families), BEHAVIOUR("V2"),
     ABOUT("socketpair", "EAFNOSUPPORT"))
{
    int ends[2];

    FAILS(socketpair(kind->value, SOCK_STREAM, 0, ends), EAFNOSUPPORT);
}

/* Of IPv4 and IPv6 there are no pairs: EOPNOTSUPP.
 *
 * POSIX.1-2024 socketpair() [EOPNOTSUPP]; Linux net/core/sock.c sock_no_socketpair(). */
CASE(no_pair_of_the_internet, EACH(inet), BEHAVIOUR("V2"), ABOUT("socketpair", "EOPNOTSUPP"))
{
    int ends[2];

    FAILS(socketpair(kind->family, kind->type, 0, ends), EOPNOTSUPP);
}

/* A protocol is refused as by socket().
 *
 * POSIX.1-2024 socketpair() [EPROTONOSUPPORT]; Linux net/unix/af_unix.c unix_create(). */
CASE(no_pair_of_a_protocol, EACH(unix_all), BEHAVIOUR("V2"), ABOUT("socketpair", "EPROTONOSUPPORT"))
{
    int ends[2];

    FAILS(socketpair(AF_UNIX, kind->type, NO_PROTOCOL, ends), EPROTONOSUPPORT);
}

/* A type that UNIX sockets lack is ESOCKTNOSUPPORT, where POSIX has EPROTOTYPE.
 *
 * Linux net/unix/af_unix.c unix_create(); POSIX.1-2024 socketpair() [EPROTOTYPE]. */
CASE(no_pair_of_a_type_that_is_lacking, BEHAVIOUR("V2"), ABOUT("socketpair", "ESOCKTNOSUPPORT"))
{
    int ends[2];

    FAILS(socketpair(AF_UNIX, SOCK_RDM, 0, ends),
          ON(LINUX(ESOCKTNOSUPPORT), DARWIN(EPROTONOSUPPORT), FREEBSD(EPROTONOSUPPORT)));
}

/* A flag that is none is EINVAL.
 *
 * socketpair(2), socket(2) [EINVAL]; Linux net/socket.c __sys_socketpair(). */
CASE(no_pair_with_a_flag_that_is_none, EACH(unix_all), BEHAVIOUR("V2"),
     ABOUT("socketpair", "EINVAL"))
{
    int ends[2];

    FAILS(socketpair(AF_UNIX, kind->type | NO_FLAG, 0, ends), EINVAL);
}

static KINDS(left, KIND("none", .value = 0), KIND("one", .value = 1));

/* A pair takes two descriptors: when fewer are left socketpair() says EMFILE.
 *
 * POSIX.1-2024 socketpair() [EMFILE]; Linux net/socket.c __sys_socketpair(). */
CASE(a_pair_needs_two_free_descriptors, EACH(unix_all, left), BEHAVIOUR("V2"),
     ABOUT("socketpair", "EMFILE", "RLIMIT_NOFILE"))
{
    int ends[2];

    NEED(leave_descriptors(kind->value));
    FAILS(socketpair(AF_UNIX, kind->type, 0, ends), EMFILE);
}

/* Where the numbers cannot be written socketpair() says EFAULT.
 *
 * socketpair(2) [EFAULT]; Linux net/socket.c __sys_socketpair() (put_user()). */
CASE(a_pair_that_cannot_be_told_is_efault, EACH(unix_all), BEHAVIOUR("V2"),
     ABOUT("socketpair", "EFAULT"))
{
    int *const ends = unwritable();

    FAILS(socketpair(AF_UNIX, kind->type, 0, ends), EFAULT);
}

/* A pair that failed leaves no descriptor open: the next socket has the lowest number.
 *
 * Linux net/socket.c __sys_socketpair() (put_unused_fd()). */
CASE(a_pair_that_failed_leaves_nothing_open, EACH(unix_all), BEHAVIOUR("V2"),
     ABOUT("socketpair", "EFAULT"))
{
    int *const ends = unwritable();
    const int next = NEED(new_socket(kind));

    NEED(close(next));
    FAILS(socketpair(AF_UNIX, kind->type, 0, ends), EFAULT);
    GIVES(socket(AF_UNIX, kind->type, 0), next);
}
