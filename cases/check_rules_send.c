#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <limits.h>
#include <poll.h>

/* send(), sendto() and sendmsg(): what they refuse. EPIPE is in check_sigpipe.c. */

enum { SEND, SENDTO, SENDMSG, MOST_PARTS = 1024 };

static KINDS(sends, KIND("send", .value = SEND), KIND("sendto", .value = SENDTO),
             KIND("sendmsg", .value = SENDMSG));

/* Sends to the peer, by the item's call. */
static ssize_t sent_by(const struct kind *kind, int fd, void *bytes, size_t size, int flags)
{
    struct iovec part = {bytes, size};
    const struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (kind->value == SEND)
        return send(fd, bytes, size, flags | MSG_NOSIGNAL);
    if (kind->value == SENDTO)
        return sendto(fd, bytes, size, flags | MSG_NOSIGNAL, NULL, 0);
    return sendmsg(fd, &message, flags | MSG_NOSIGNAL);
}

static KINDS(addressed, KIND("sendto", .value = SENDTO), KIND("sendmsg", .value = SENDMSG));

/* Sends a byte to an address, by the item's call. */
static ssize_t sent_to_by(const struct kind *kind, int fd, const void *address, socklen_t length)
{
    char byte = 'x';
    struct iovec part = {&byte, 1};
    const struct msghdr message = {
        .msg_name = (void *)address, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1};

    if (kind->value == SENDTO)
        return sendto(fd, &byte, 1, MSG_NOSIGNAL, address, length);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* --- all three -----------------------------------------------------------------------------------
 */

/* Sending says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 send(), sendto(), sendmsg() [EBADF]. */
CASE(sending_on_no_descriptor_is_ebadf, EACH(sends, bad_descriptors), BEHAVIOUR("V8"),
     ABOUT("send", "sendto", "sendmsg", "EBADF"))
{
    char byte = 'x';

    FAILS(sent_by(kind, bad_descriptor(kind), &byte, 1, 0), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 send(), sendto(), sendmsg() [ENOTSOCK]. */
CASE(sending_on_what_is_no_socket_is_enotsock, EACH(sends, no_sockets), BEHAVIOUR("V8"),
     ABOUT("send", "sendto", "sendmsg", "ENOTSOCK"))
{
    char byte = 'x';
    const int fd = NEED(no_socket(kind));

    FAILS(sent_by(kind, fd, &byte, 1, 0), ENOTSOCK);
}

/* Bytes that cannot be read are EFAULT, and nothing is sent.
 *
 * send(2) [EFAULT]; Linux lib/iov_iter.c copy_from_iter(). */
CASE(sending_unreadable_bytes_is_efault, EACH(sends, every_socket), BEHAVIOUR("V8", "Q9"),
     ABOUT("send", "sendto", "sendmsg", "EFAULT"))
{
    void *const bytes = unreadable();
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sent_by(kind, pair.mine, bytes, 1, 0), EFAULT);
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* With MSG_DONTWAIT and no room it says EAGAIN.
 *
 * POSIX.1-2024 send(), sendto(), sendmsg() [EAGAIN]. */
CASE(sending_without_room_is_eagain, EACH(sends, connected), BEHAVIOUR("V8", "R1"),
     ABOUT("send", "sendto", "sendmsg", "EAGAIN"))
{
    char byte = 'x';
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    FAILS(sent_by(kind, pair.mine, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* A TCP socket without a connection says EPIPE, where POSIX has ENOTCONN.
 *
 * Linux net/core/stream.c sk_stream_wait_connect(); POSIX.1-2024 send() [ENOTCONN]. */
CASE(sending_without_a_connection_is_refused, EACH(sends, inet_stream), BEHAVIOUR("V8"),
     ABOUT("send", "sendto", "sendmsg", "EPIPE", "ENOTCONN"))
{
    char byte = 'x';
    const int fd = NEED(new_socket(kind));

    FAILS(sent_by(kind, fd, &byte, 1, 0), ON(LINUX(EPIPE), DARWIN(ENOTCONN), FREEBSD(ENOTCONN)));
}

/* A UDP socket without a peer needs an address: EDESTADDRREQ.
 *
 * POSIX.1-2024 send(), sendto(), sendmsg() [EDESTADDRREQ]; Linux net/ipv4/udp.c udp_sendmsg(). */
CASE(sending_to_nobody_is_edestaddrreq, EACH(sends, inet_datagram), BEHAVIOUR("V8"),
     ABOUT("send", "sendto", "sendmsg", "EDESTADDRREQ", "UDP"))
{
    char byte = 'x';
    const int fd = NEED(new_socket(kind));

    FAILS(sent_by(kind, fd, &byte, 1, 0), EDESTADDRREQ);
}

/* A UNIX datagram socket says ENOTCONN.
 *
 * Linux net/unix/af_unix.c unix_dgram_sendmsg(); POSIX.1-2024 send() [EDESTADDRREQ]. */
CASE(sending_to_nobody_on_unix_is_enotconn, EACH(sends), BEHAVIOUR("V8"),
     ABOUT("send", "sendto", "sendmsg", "ENOTCONN", "EDESTADDRREQ", "AF_UNIX"))
{
    char byte = 'x';
    const int fd = NEED(new_socket(&unix_datagram));

    FAILS(sent_by(kind, fd, &byte, 1, 0),
          ON(LINUX(ENOTCONN), DARWIN(EDESTADDRREQ), FREEBSD(EDESTADDRREQ)));
}

/* A datagram of more than 65507 bytes over IPv4, 65527 over IPv6, is EMSGSIZE.
 *
 * POSIX.1-2024 send() [EMSGSIZE]; RFC 768 (a length of 16 bits); Linux net/ipv4/udp.c
 * udp_sendmsg(), net/ipv4/ip_output.c __ip_append_data(). */
CASE(sending_too_large_a_datagram_is_emsgsize, EACH(sends, inet_datagram), BEHAVIOUR("V8", "N4"),
     ABOUT("send", "sendto", "sendmsg", "EMSGSIZE", "UDP"))
{
    static char bytes[65528];
    const size_t most = kind->family == AF_INET ? 65507 : 65527;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sent_by(kind, pair.mine, bytes, most + 1, 0), EMSGSIZE);
    GIVES(sent_by(kind, pair.mine, bytes, most, 0), (long)most);
}

/* --- an address ----------------------------------------------------------------------------------
 */

/* An address that cannot be read is EFAULT.
 *
 * send(2) [EFAULT]; Linux net/socket.c move_addr_to_kernel(). */
CASE(sending_to_unreadable_memory_is_efault, EACH(addressed, datagram), BEHAVIOUR("V8", "Q9"),
     ABOUT("sendto", "sendmsg", "EFAULT"))
{
    const void *const nowhere = unreadable();
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(sent_to_by(kind, fd, nowhere, there.length), EFAULT);
}

/* An address that is shorter than its family's is EINVAL.
 *
 * send(2) [EINVAL]; Linux net/ipv4/udp.c udp_sendmsg(), net/ipv6/udp.c udpv6_sendmsg(). */
CASE(sending_to_a_short_address_is_refused, EACH(addressed, inet_datagram), BEHAVIOUR("V8"),
     ABOUT("sendto", "sendmsg", "EINVAL"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(sent_to_by(kind, fd, &there.any, too_short(kind)), EINVAL);
}

/* A length below 0 is EINVAL.
 *
 * send(2) [EINVAL]; Linux net/socket.c move_addr_to_kernel(), __copy_msghdr(). */
CASE(sending_to_a_negative_length_is_refused, EACH(addressed, datagram), BEHAVIOUR("V8"),
     ABOUT("sendto", "sendmsg", "EINVAL"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(sent_to_by(kind, fd, &there.any, (socklen_t)-1), EINVAL);
}

/* An address of UNIX is EAFNOSUPPORT to IPv4, EINVAL to IPv6.
 *
 * POSIX.1-2024 sendto(), sendmsg() [EAFNOSUPPORT]; Linux net/ipv4/udp.c udp_sendmsg(),
 * net/ipv6/udp.c udpv6_sendmsg(). */
CASE(sending_to_a_unix_address_is_refused, EACH(addressed, inet_datagram), BEHAVIOUR("V8"),
     ABOUT("sendto", "sendmsg", "EAFNOSUPPORT", "EINVAL"))
{
    const struct address strange = loopback(&unix_stream, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(sent_to_by(kind, fd, &strange.any, strange.length),
          kind->family == AF_INET ? EAFNOSUPPORT : EINVAL);
}

/* An address that no route leads to is ENETUNREACH.
 *
 * POSIX.1-2024 sendto(), sendmsg() [ENETUNREACH]. */
CASE(sending_without_a_route_is_enetunreach, EACH(addressed, inet_datagram), BEHAVIOUR("V8"),
     ABOUT("sendto", "sendmsg", "ENETUNREACH", "UDP"), REQUIRES("own host"))
{
    const char *documentation = kind->family == AF_INET ? "192.0.2.1" : "2001:db8::1";
    const struct address there = address_of(kind, documentation, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(sent_to_by(kind, fd, &there.any, there.length), ENETUNREACH);
}

/* A path that leads nowhere is refused with what is wrong with it.
 *
 * POSIX.1-2024 sendto(), sendmsg() [ENOENT], [ENOTDIR], [ELOOP], [ENAMETOOLONG], [EACCES]. */
CASE(sending_to_a_path_that_leads_nowhere, EACH(addressed, bad_paths), BEHAVIOUR("V8", "M8"),
     ABOUT("sendto", "sendmsg", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"))
{
    struct address name;
    const int fd = NEED(new_socket(&unix_datagram));

    NEED(bad_path(kind, &name));
    NEED(lose_privileges());
    FAILS(sent_to_by(kind, fd, &name.any, name.length), kind->other);
}

/* --- sendmsg() -----------------------------------------------------------------------------------
 */

/* More than IOV_MAX parts are EMSGSIZE.
 *
 * POSIX.1-2024 sendmsg() [EMSGSIZE]; Linux net/socket.c copy_msghdr_from_user() (UIO_MAXIOV). */
CASE(sending_too_many_parts_is_emsgsize, EACH(every_socket), BEHAVIOUR("V8"),
     ABOUT("sendmsg", "EMSGSIZE", "IOV_MAX"))
{
    static struct iovec parts[MOST_PARTS + 1];
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = MOST_PARTS + 1};
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, &message, 0), EMSGSIZE);
}

/* A part whose length is negative to ssize_t is EINVAL.
 *
 * POSIX.1-2024 sendmsg() [EINVAL]; Linux lib/iov_iter.c __import_iovec(). */
CASE(sending_a_negative_part_is_refused, EACH(every_socket), BEHAVIOUR("V8"),
     ABOUT("sendmsg", "EINVAL"))
{
    char byte = 'x';
    struct iovec parts[] = {{&byte, 1}, {&byte, (size_t)-1}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, &message, 0), EINVAL);
}

/* Parts that cannot be read are EFAULT.
 *
 * send(2) [EFAULT]; Linux lib/iov_iter.c iovec_from_user(). */
CASE(sending_unreadable_parts_is_efault, EACH(every_socket), BEHAVIOUR("V8"),
     ABOUT("sendmsg", "EFAULT"))
{
    const struct msghdr message = {.msg_iov = unreadable(), .msg_iovlen = 2};
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, &message, 0), EFAULT);
}

/* Control data of more than INT_MAX bytes are ENOBUFS, before any is read.
 *
 * POSIX.1-2024 sendmsg() [ENOBUFS]; Linux net/socket.c ____sys_sendmsg(). */
CASE(sending_endless_control_data_is_enobufs, EACH(every_socket), BEHAVIOUR("V8"),
     ABOUT("sendmsg", "ENOBUFS"))
{
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &byte};
    struct pair pair;

    message.msg_controllen = (socklen_t)INT_MAX + 1;
    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, &message, 0), ENOBUFS);
}

static KINDS(lengths, KIND("short", .value = sizeof(struct cmsghdr) - 1),
             KIND("long", .value = sizeof(struct cmsghdr) + 1));

/* An item of control data that is shorter than its head, or longer than all, is EINVAL.
 *
 * cmsg(3); Linux include/linux/socket.h CMSG_OK(), net/core/sock.c sock_cmsg_send(). */
CASE(sending_misshapen_control_data_is_refused, EACH(lengths, inet_datagram), BEHAVIOUR("V8"),
     ABOUT("sendmsg", "EINVAL"))
{
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct cmsghdr item = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &item};
    struct pair pair;

    message.msg_controllen = sizeof item;
    item.cmsg_len = (socklen_t)kind->value;
    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, &message, 0), EINVAL);
}
