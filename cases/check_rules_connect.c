#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <unistd.h>

/* connect(), accept() and shutdown(): what they refuse. More of accept() is in check_accept.c. */

/* --- the descriptor ------------------------------------------------------------------------------
 */

/* connect() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 connect() [EBADF]. */
CASE(connecting_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V6"),
     ABOUT("connect", "EBADF"))
{
    const struct address there = loopback(&ipv4_stream, PORT);

    FAILS(connect(bad_descriptor(kind), &there.any, there.length), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 connect() [ENOTSOCK]. */
CASE(connecting_what_is_no_socket_is_enotsock, EACH(no_sockets), BEHAVIOUR("V6"),
     ABOUT("connect", "ENOTSOCK"))
{
    const struct address there = loopback(&ipv4_stream, PORT);
    const int fd = NEED(no_socket(kind));

    FAILS(connect(fd, &there.any, there.length), ENOTSOCK);
}

/* --- the address ---------------------------------------------------------------------------------
 */

/* An address that cannot be read is EFAULT.
 *
 * connect(2) [EFAULT]; Linux net/socket.c move_addr_to_kernel(). */
CASE(connecting_to_unreadable_memory_is_efault, EACH(every_socket), BEHAVIOUR("V6"),
     ABOUT("connect", "EFAULT"))
{
    const struct sockaddr *const nowhere = unreadable();
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, nowhere, there.length), EFAULT);
}

/* An address that is shorter than its family's is EINVAL.
 *
 * POSIX.1-2024 connect() [EINVAL]; Linux net/ipv4/tcp_ipv4.c tcp_v4_connect(), net/ipv4/datagram.c
 * __ip4_datagram_connect(), and those of IPv6 (24 bytes will do for it). */
CASE(connecting_to_a_short_address_is_refused, EACH(inet), BEHAVIOUR("V6"),
     ABOUT("connect", "EINVAL"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &there.any, too_short(kind)), EINVAL);
}

static KINDS(no_lengths, KIND("minus_1", .value = -1), KIND("1", .value = 1),
             KIND("too_long", .value = sizeof(struct sockaddr_storage) + 1));

/* So is a length that no address has.
 *
 * POSIX.1-2024 connect() [EINVAL]; Linux net/socket.c move_addr_to_kernel(), net/ipv4/af_inet.c
 * __inet_stream_connect() and its kin (a family takes 2 bytes). */
CASE(connecting_to_a_length_of_no_address_is_refused, EACH(every_socket, no_lengths),
     BEHAVIOUR("V6"), ABOUT("connect", "EINVAL"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &there.any, (socklen_t)kind->value), EINVAL);
}

/* An address of UNIX is EAFNOSUPPORT to IPv4 and IPv6.
 *
 * POSIX.1-2024 connect() [EAFNOSUPPORT]; Linux as for a short address. */
CASE(connecting_to_a_unix_address_is_refused, EACH(inet), BEHAVIOUR("V6"),
     ABOUT("connect", "EAFNOSUPPORT"))
{
    const struct address strange = loopback(&unix_stream, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &strange.any, strange.length), EAFNOSUPPORT);
}

/* An address of IPv4 is EINVAL to a UNIX socket, where POSIX has EAFNOSUPPORT.
 *
 * Linux net/unix/af_unix.c unix_validate_addr(); POSIX.1-2024 connect() [EAFNOSUPPORT]. */
CASE(connecting_unix_to_another_family_is_refused, EACH(unix_all), BEHAVIOUR("V6"),
     ABOUT("connect", "EINVAL", "EAFNOSUPPORT", "AF_UNIX"))
{
    const struct address strange = address_of(&ipv4_stream, "127.0.0.1", PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &strange.any, strange.length), EINVAL);
}

/* A path that leads nowhere is refused with what is wrong with it: ENOENT, ENOTDIR, ELOOP,
 * ENAMETOOLONG or, without the right to search a folder, EACCES.
 *
 * POSIX.1-2024 connect() [ENOENT], [ENOTDIR], [ELOOP], [ENAMETOOLONG], [EACCES]. */
CASE(connecting_to_a_path_that_leads_nowhere, EACH(unix_all, bad_paths), BEHAVIOUR("V6", "M8"),
     ABOUT("connect", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"))
{
    struct address name;
    const int fd = NEED(new_socket(kind));

    NEED(bad_path(kind, &name));
    NEED(lose_privileges());
    FAILS(connect(fd, &name.any, name.length), kind->other);
}

/* An address that no route leads to is ENETUNREACH.
 *
 * POSIX.1-2024 connect() [ENETUNREACH]; Linux net/ipv4/route.c ip_route_output_key_hash_rcu(),
 * net/ipv6/route.c ip6_pkt_discard_out(). */
CASE(connecting_without_a_route_is_enetunreach, EACH(inet), BEHAVIOUR("V6"),
     ABOUT("connect", "ENETUNREACH"), REQUIRES("own host"))
{
    const char *documentation = kind->family == AF_INET ? "192.0.2.1" : "2001:db8::1";
    const struct address there = address_of(kind, documentation, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &there.any, there.length), ENETUNREACH);
}

/* --- who is there --------------------------------------------------------------------------------
 */

/* Where nobody listens connect() says ECONNREFUSED.
 *
 * POSIX.1-2024 connect() [ECONNREFUSED]; RFC 9293 §3.10.7.3 (RST in SYN-SENT). */
CASE(connecting_to_nobody_is_refused, EACH(inet_stream), BEHAVIOUR("V6"),
     ABOUT("connect", "ECONNREFUSED", "RST"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &there.any, there.length), ECONNREFUSED);
}

/* Where a socket is bound and does not listen too.
 *
 * POSIX.1-2024 connect() [ECONNREFUSED]; Linux net/unix/af_unix.c unix_stream_connect(). */
CASE(connecting_to_who_does_not_listen_is_refused, EACH(connected), BEHAVIOUR("V6"),
     ABOUT("connect", "ECONNREFUSED"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(bound_to(kind, there));
    FAILS(connect(fd, &there.any, there.length), ECONNREFUSED);
}

/* A listener whose queue is full is EAGAIN to a UNIX socket with O_NONBLOCK.
 *
 * connect(2) [EAGAIN]; Linux net/unix/af_unix.c unix_stream_connect(). */
CASE(connecting_to_a_full_unix_listener_is_eagain, EACH(unix_connected), BEHAVIOUR("V6", "M8"),
     ABOUT("connect", "EAGAIN", "AF_UNIX", "O_NONBLOCK"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(new_socket(kind)), second = NEED(new_socket(kind));

    NEED(listening_at(kind, there, 0));
    NEED(connect(first, &there.any, there.length));
    NEED(nonblocking(second));
    FAILS(connect(second, &there.any, there.length), EAGAIN);
}

/* --- accept() ------------------------------------------------------------------------------------
 */

enum { ACCEPT, ACCEPT4 };

static KINDS(accepts, KIND("accept", .value = ACCEPT), KIND("accept4", .value = ACCEPT4));

static int accepted_by(const struct kind *kind, int fd, struct sockaddr *address, socklen_t *length)
{
    return kind->value == ACCEPT ? accept(fd, address, length) : accept4(fd, address, length, 0);
}

/* A listener with a client that has connected. */
static int called_listener(const struct kind *kind)
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind)), client = NEED(new_socket(kind));

    NEED(connect(client, &there.any, there.length));
    return listener;
}

/* accept() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 accept() [EBADF]. */
CASE(accepting_from_no_descriptor_is_ebadf, EACH(accepts, bad_descriptors), BEHAVIOUR("V5", "G8"),
     ABOUT("accept", "accept4", "EBADF"))
{
    FAILS(accepted_by(kind, bad_descriptor(kind), NULL, NULL), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 accept() [ENOTSOCK]. */
CASE(accepting_from_what_is_no_socket_is_enotsock, EACH(accepts, no_sockets), BEHAVIOUR("V5", "G8"),
     ABOUT("accept", "accept4", "ENOTSOCK"))
{
    const int fd = NEED(no_socket(kind));

    FAILS(accepted_by(kind, fd, NULL, NULL), ENOTSOCK);
}

/* Where the length of the address cannot be written accept() says EFAULT.
 *
 * accept(2) [EFAULT]; Linux net/socket.c move_addr_to_user() (put_user()). */
CASE(accepting_an_unwritable_length_is_efault, EACH(accepts, connected), BEHAVIOUR("V5", "G14"),
     ABOUT("accept", "accept4", "EFAULT"))
{
    struct address caller;
    socklen_t *const length = unwritable();
    const int listener = called_listener(kind);

    FAILS(accepted_by(kind, listener, &caller.any, length), EFAULT);
}

/* --- shutdown() ----------------------------------------------------------------------------------
 */

static KINDS(hows, KIND("SHUT_RD", .value = SHUT_RD), KIND("SHUT_WR", .value = SHUT_WR),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* shutdown() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 shutdown() [EBADF]. */
CASE(shutting_down_no_descriptor_is_ebadf, EACH(hows, bad_descriptors), BEHAVIOUR("V7"),
     ABOUT("shutdown", "EBADF"))
{
    FAILS(shutdown(bad_descriptor(kind), kind->value), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 shutdown() [ENOTSOCK]. */
CASE(shutting_down_what_is_no_socket_is_enotsock, EACH(hows, no_sockets), BEHAVIOUR("V7"),
     ABOUT("shutdown", "ENOTSOCK"))
{
    const int fd = NEED(no_socket(kind));

    FAILS(shutdown(fd, kind->value), ENOTSOCK);
}
