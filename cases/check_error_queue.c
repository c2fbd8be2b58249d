#include "case.h"
#include "message.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/errqueue.h>
#endif

/* Has errors queued. */
static int queue_errors(const struct kind *kind, int fd)
{
    return kind->family == AF_INET ? set_option(fd, IPPROTO_IP, IP_RECVERR, 1)
                                   : set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/* Without a peer; what it has sent to PORT has been refused, since nobody is there. */
static int refused_sender(const struct kind *kind)
{
    const struct address there = loopback(kind, PORT);
    const int fd = new_socket(kind);

    if (fd < 0 || queue_errors(kind, fd) < 0 ||
        sendto(fd, "lost", 4, 0, &there.any, there.length) != 4)
        return -1;
    return fd;
}

/* What the message tells of an error; all 0 when it tells of none. */
static struct sock_extended_err error_in(const struct kind *kind, struct message *message)
{
    struct sock_extended_err error = {0};
    size_t size;
    const void *data = kind->family == AF_INET
                           ? message_has(message, IPPROTO_IP, IP_RECVERR, &size)
                           : message_has(message, IPPROTO_IPV6, IPV6_RECVERR, &size);

    if (data && size >= sizeof error)
        memcpy(&error, data, sizeof error);
    return error;
}

/* With IP_RECVERR a socket without a peer is told of a refusal as well: by the next call.
 *
 * ip(7) (IP_RECVERR), udp(7); Linux net/ipv4/udp.c __udp4_lib_err(). */
CASE(ip_recverr_tells_a_socket_without_a_peer, EACH(inet_datagram), BEHAVIOUR("Q10", "I6"),
     ABOUT("IP_RECVERR", "ECONNREFUSED"))
{
    char byte;
    const int fd = NEED(refused_sender(kind));

    FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), ECONNREFUSED);
}

/* The queue has what was sent, marked by MSG_ERRQUEUE.
 *
 * recv(2) (MSG_ERRQUEUE), ip(7) (IP_RECVERR); Linux net/ipv4/ip_sockglue.c ip_recv_error(). */
CASE(the_error_queue_gives_what_was_sent, EACH(inet_datagram), BEHAVIOUR("Q10", "I6"),
     ABOUT("MSG_ERRQUEUE", "IP_RECVERR"))
{
    struct message message;
    const int fd = NEED(refused_sender(kind));

    message_takes(&message, sizeof message.control);
    GIVES(recvmsg(fd, &message.header, MSG_ERRQUEUE), 4);
    BYTES_ARE(message.bytes, 4, "lost");
    IS(message.header.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
}

/* It tells to which address.
 *
 * recv(2) (MSG_ERRQUEUE: the original destination address is supplied via msg_name). */
CASE(the_error_queue_tells_where_it_went, EACH(inet_datagram), BEHAVIOUR("Q10", "I6"),
     ABOUT("MSG_ERRQUEUE", "IP_RECVERR"))
{
    struct message message;
    struct address address = {.length = 0};
    const int fd = NEED(refused_sender(kind));

    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(fd, &message.header, MSG_ERRQUEUE));
    memcpy(&address.storage, &message.from, sizeof address.storage);
    IS(port_of(&address), PORT);
}

/* And which error it was, with ICMP's type and code: that the port is unreachable.
 *
 * recv(2) (struct sock_extended_err); RFC 792 (type 3, code 3), RFC 4443 §3.1 (type 1, code 4). */
CASE(the_error_queue_tells_of_icmp, EACH(inet_datagram), BEHAVIOUR("Q10", "I6"),
     ABOUT("MSG_ERRQUEUE", "IP_RECVERR", "ICMP", "ECONNREFUSED"))
{
    struct message message;
    const bool is_ipv4 = kind->family == AF_INET;
    const int fd = NEED(refused_sender(kind));

    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(fd, &message.header, MSG_ERRQUEUE));
    const struct sock_extended_err error = error_in(kind, &message);
    ERRNO_IS(error.ee_errno, ECONNREFUSED);
    IS(error.ee_origin, is_ipv4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6);
    IS(error.ee_type, is_ipv4 ? 3 : 1);
    IS(error.ee_code, is_ipv4 ? 3 : 4);
}

/* Where there is no error the queue says EAGAIN: of a socket that blocks, too.
 *
 * recv(2) (MSG_ERRQUEUE); Linux net/core/skbuff.c sock_dequeue_err_skb(). */
CASE(an_empty_error_queue_does_not_block, EACH(inet), BEHAVIOUR("Q10"),
     ABOUT("MSG_ERRQUEUE", "EAGAIN"))
{
    struct message message;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    message_takes(&message, sizeof message.control);
    FAILS(recvmsg(pair.mine, &message.header, MSG_ERRQUEUE), EAGAIN);
}

/* poll tells of POLLERR till the queue has been read.
 *
 * recv(2) (MSG_ERRQUEUE); Linux net/core/datagram.c datagram_poll(). */
CASE(an_error_in_the_queue_is_pollerr, EACH(inet_datagram), BEHAVIOUR("Q10"),
     ABOUT("MSG_ERRQUEUE", "POLLERR"))
{
    struct message message;
    const int fd = NEED(refused_sender(kind));

    EVENTS_ARE(events_now(fd, 0), POLLERR);
    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(fd, &message.header, MSG_ERRQUEUE));
    EVENTS_ARE(events_now(fd, 0), 0);
}

/* Reading the queue takes the pending error with it: nothing is left to tell.
 *
 * recv(2) (MSG_ERRQUEUE: the pending socket error is regenerated of the next in the queue). */
CASE(reading_the_error_queue_clears_so_error, EACH(inet_datagram), BEHAVIOUR("Q10", "U1"),
     ABOUT("MSG_ERRQUEUE", "SO_ERROR"))
{
    struct message message;
    const int fd = NEED(refused_sender(kind));

    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(fd, &message.header, MSG_ERRQUEUE));
    ERRNO_IS(so_error(fd), 0);
}

/* Reading SO_ERROR leaves the queue as it is.
 *
 * recv(2) (MSG_ERRQUEUE); Linux net/core/sock.c sock_error(). */
CASE(reading_so_error_leaves_the_queue, EACH(inet_datagram), BEHAVIOUR("Q10", "U1"),
     ABOUT("MSG_ERRQUEUE", "SO_ERROR"))
{
    struct message message;
    const int fd = NEED(refused_sender(kind));

    message_takes(&message, sizeof message.control);
    GIVEN(so_error(fd) == ECONNREFUSED);
    GIVES(recvmsg(fd, &message.header, MSG_ERRQUEUE), 4);
}
