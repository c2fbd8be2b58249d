#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <poll.h>

/* recv(), recvfrom() and recvmsg(): what they refuse. */

enum { RECV, RECVFROM, RECVMSG, MOST_PARTS = 1024 };

static KINDS(receives, KIND("recv", .value = RECV), KIND("recvfrom", .value = RECVFROM),
             KIND("recvmsg", .value = RECVMSG));

/* Receives, by the item's call. */
static ssize_t received_by(const struct kind *kind, int fd, void *bytes, size_t size, int flags)
{
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (kind->value == RECV)
        return recv(fd, bytes, size, flags);
    if (kind->value == RECVFROM)
        return recvfrom(fd, bytes, size, flags, NULL, NULL);
    return recvmsg(fd, &message, flags);
}

/* Two ends; at mine a byte has arrived. */
static struct pair sent_pair(const struct kind *kind)
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(await_events(pair.mine, POLLIN));
    return pair;
}

/* --- all three -----------------------------------------------------------------------------------
 */

/* Receiving says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [EBADF]. */
CASE(receiving_on_no_descriptor_is_ebadf, EACH(receives, bad_descriptors), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "EBADF"))
{
    char byte = 0;

    FAILS(received_by(kind, bad_descriptor(kind), &byte, 1, 0), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [ENOTSOCK]. */
CASE(receiving_on_what_is_no_socket_is_enotsock, EACH(receives, no_sockets), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "ENOTSOCK"))
{
    char byte = 0;
    const int fd = NEED(no_socket(kind));

    FAILS(received_by(kind, fd, &byte, 1, 0), ENOTSOCK);
}

/* Memory that cannot be written to is EFAULT.
 *
 * recv(2) [EFAULT]; Linux lib/iov_iter.c copy_to_iter(). */
CASE(receiving_into_unwritable_memory_is_efault, EACH(receives, every_socket),
     BEHAVIOUR("V9", "Q9"), ABOUT("recv", "recvfrom", "recvmsg", "EFAULT"))
{
    void *const nowhere = unwritable();
    const struct pair pair = sent_pair(kind);

    FAILS(received_by(kind, pair.mine, nowhere, 1, 0), EFAULT);
}

/* With O_NONBLOCK, or MSG_DONTWAIT, and nothing there it says EAGAIN.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [EAGAIN]; recv(2) (MSG_DONTWAIT). */
CASE(nothing_to_receive_is_eagain, EACH(receives, every_socket), BEHAVIOUR("V9", "R1"),
     ABOUT("recv", "recvfrom", "recvmsg", "EAGAIN", "O_NONBLOCK", "MSG_DONTWAIT"))
{
    char byte = 0;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(received_by(kind, pair.mine, &byte, 1, MSG_DONTWAIT), EAGAIN);
    NEED(nonblocking(pair.mine));
    FAILS(received_by(kind, pair.mine, &byte, 1, 0), EAGAIN);
}

static KINDS(with_a_state, KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
             KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM),
             KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

/* A socket without a connection says ENOTCONN.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [ENOTCONN]; Linux net/ipv4/tcp.c tcp_recvmsg_locked(),
 * net/unix/af_unix.c unix_seqpacket_recvmsg(). */
CASE(receiving_without_a_connection_is_enotconn, EACH(receives, with_a_state), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "ENOTCONN"))
{
    char byte = 0;
    const int fd = NEED(new_socket(kind));

    FAILS(received_by(kind, fd, &byte, 1, 0), ENOTCONN);
}

/* So does one that listens.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [ENOTCONN]; Linux net/ipv4/tcp.c tcp_recvmsg_locked()
 * (TCP_LISTEN). */
CASE(receiving_from_a_listener_is_enotconn, EACH(receives, with_a_state), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "ENOTCONN"))
{
    char byte = 0;
    const int listener = NEED(listening_socket(kind));

    FAILS(received_by(kind, listener, &byte, 1, 0), ENOTCONN);
}

/* A UNIX stream without a connection says EINVAL, where POSIX has ENOTCONN.
 *
 * Linux net/unix/af_unix.c unix_stream_read_generic(); POSIX.1-2024 recv() [ENOTCONN]. */
CASE(receiving_on_unix_without_a_connection_is_refused, EACH(receives), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "EINVAL", "ENOTCONN", "AF_UNIX"))
{
    char byte = 0;
    const int fd = NEED(new_socket(&unix_stream));

    FAILS(received_by(kind, fd, &byte, 1, 0),
          ON(LINUX(EINVAL), DARWIN(ENOTCONN), FREEBSD(ENOTCONN)));
}

/* Without urgent data MSG_OOB is EINVAL.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [EINVAL]; Linux net/ipv4/tcp.c tcp_recv_urg(). */
CASE(no_urgent_data_to_receive_is_refused, EACH(receives, inet_stream), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "EINVAL", "MSG_OOB"))
{
    char byte = 0;
    const struct pair pair = sent_pair(kind);

    FAILS(received_by(kind, pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

static KINDS(no_urgent_data, KIND("datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
             KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

/* UNIX records know no urgent data: EOPNOTSUPP.
 *
 * POSIX.1-2024 recv(), recvfrom(), recvmsg() [EOPNOTSUPP]; Linux net/unix/af_unix.c
 * __unix_dgram_recvmsg(). */
CASE(receiving_urgent_data_is_refused, EACH(receives, no_urgent_data), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "EOPNOTSUPP", "MSG_OOB", "AF_UNIX"))
{
    char byte = 0;
    const struct pair pair = sent_pair(kind);

    FAILS(received_by(kind, pair.mine, &byte, 1, MSG_OOB), EOPNOTSUPP);
}

/* Nothing in the queue of errors is EAGAIN, though there are data, and never waits.
 *
 * recv(2) (MSG_ERRQUEUE); Linux net/ipv4/ip_sockglue.c ip_recv_error(). */
CASE(no_error_to_receive_is_eagain, EACH(receives, inet), BEHAVIOUR("V9"),
     ABOUT("recv", "recvfrom", "recvmsg", "EAGAIN", "MSG_ERRQUEUE"))
{
    char byte = 0;
    const struct pair pair = sent_pair(kind);

    FAILS(received_by(kind, pair.mine, &byte, 1, MSG_ERRQUEUE), EAGAIN);
}

/* --- recvfrom() ----------------------------------------------------------------------------------
 */

/* A length below 0 for the sender's address is EINVAL.
 *
 * recv(2) [EINVAL]; Linux net/socket.c move_addr_to_user(). */
CASE(receiving_into_a_negative_length_is_refused, EACH(datagram), BEHAVIOUR("V9"),
     ABOUT("recvfrom", "EINVAL"))
{
    char byte = 0;
    struct address sender = {.length = (socklen_t)-1};
    const struct pair pair = sent_pair(kind);

    FAILS(recvfrom(pair.mine, &byte, 1, 0, &sender.any, &sender.length), EINVAL);
}

/* Memory that the sender's address cannot be written to is EFAULT.
 *
 * recv(2) [EFAULT]; Linux net/socket.c move_addr_to_user(). */
CASE(receiving_an_unwritable_address_is_efault, EACH(datagram), BEHAVIOUR("V9"),
     ABOUT("recvfrom", "EFAULT"))
{
    char byte = 0;
    struct sockaddr *const nowhere = unwritable();
    socklen_t length = sizeof(struct sockaddr_storage);
    const struct pair pair = sent_pair(kind);

    FAILS(recvfrom(pair.mine, &byte, 1, 0, nowhere, &length), EFAULT);
}

/* --- recvmsg() -----------------------------------------------------------------------------------
 */

/* More than IOV_MAX parts are EMSGSIZE.
 *
 * POSIX.1-2024 recvmsg() [EMSGSIZE]; Linux net/socket.c copy_msghdr_from_user() (UIO_MAXIOV). */
CASE(receiving_too_many_parts_is_emsgsize, EACH(every_socket), BEHAVIOUR("V9"),
     ABOUT("recvmsg", "EMSGSIZE", "IOV_MAX"))
{
    static struct iovec parts[MOST_PARTS + 1];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = MOST_PARTS + 1};
    const struct pair pair = sent_pair(kind);

    FAILS(recvmsg(pair.mine, &message, 0), EMSGSIZE);
}

/* A part whose length is negative to ssize_t is EINVAL.
 *
 * POSIX.1-2024 recvmsg() [EINVAL]; Linux lib/iov_iter.c __import_iovec(). */
CASE(receiving_a_negative_part_is_refused, EACH(every_socket), BEHAVIOUR("V9"),
     ABOUT("recvmsg", "EINVAL"))
{
    char byte = 0;
    struct iovec parts[] = {{&byte, 1}, {&byte, (size_t)-1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    const struct pair pair = sent_pair(kind);

    FAILS(recvmsg(pair.mine, &message, 0), EINVAL);
}

/* Parts that cannot be read are EFAULT.
 *
 * recv(2) [EFAULT]; Linux lib/iov_iter.c iovec_from_user(). */
CASE(receiving_into_unreadable_parts_is_efault, EACH(every_socket), BEHAVIOUR("V9"),
     ABOUT("recvmsg", "EFAULT"))
{
    struct msghdr message = {.msg_iov = unreadable(), .msg_iovlen = 2};
    const struct pair pair = sent_pair(kind);

    FAILS(recvmsg(pair.mine, &message, 0), EFAULT);
}
