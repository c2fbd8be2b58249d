#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/errqueue.h>
#endif

/* MSG_ZEROCOPY: the kernel sends from the program's memory, and tells when it is done with it. */

static const char text[] = "hello";

/* Which sends a notification is about, counted from 0 for each socket. */
struct notification {
    long first, last;
    bool copied;
};

/* Takes one from the error queue; -1 with EAGAIN when there is none. */
static int take_notification(int descriptor, struct notification *told)
{
#ifdef __linux__
    union {
        struct cmsghdr header; /* aligns it */
        char bytes[256];
    } control;
    struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct sock_extended_err error;
    const struct cmsghdr *header;

    if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return -1;
    header = CMSG_FIRSTHDR(&message);
    errno = EBADMSG;
    if (header == NULL)
        return -1;
    memcpy(&error, CMSG_DATA(header), sizeof error);
    *told = (struct notification){(long)error.ee_info, (long)error.ee_data,
                                  error.ee_code == SO_EE_CODE_ZEROCOPY_COPIED};
    return error.ee_origin == SO_EE_ORIGIN_ZEROCOPY && error.ee_errno == 0 ? 0 : -1;
#else
    (void)descriptor;
    (void)told;
    return lacks("MSG_ERRQUEUE");
#endif
}

static int zerocopy_pair(const struct kind *kind, struct pair *pair)
{
    if (connected_pair(kind, pair) < 0)
        return -1;
    return set_option(pair->mine, SOL_SOCKET, SO_ZEROCOPY, 1);
}

/* Sends so much that the peer has it, and takes it there. */
static int deliver(const struct pair *pair)
{
    if (send(pair->mine, text, sizeof text, MSG_ZEROCOPY) < 0 ||
        await_events(pair->peer, POLLIN) < 0)
        return -1;
    return drain(pair->peer);
}

/* When the data have been delivered the error queue tells that the memory is free: POLLERR, and the
 * number of the send.
 *
 * Documentation/networking/msg_zerocopy.rst; Linux net/core/skbuff.c __msg_zerocopy_callback(). */
CASE(the_end_of_a_send_is_told, EACH(inet), BEHAVIOUR("T9", "Q10"),
     ABOUT("MSG_ZEROCOPY", "MSG_ERRQUEUE", "POLLERR"))
{
    struct notification told = {-1, -1, false};
    struct pair pair;

    NEED(zerocopy_pair(kind, &pair));
    GIVES(send(pair.mine, text, sizeof text, MSG_ZEROCOPY), sizeof text);
    NEED(await_events(pair.peer, POLLIN));
    NEED(drain(pair.peer));
    EVENTS_ARE(await_events(pair.mine, 0), POLLERR);
    SUCCEEDS(take_notification(pair.mine, &told));
    IS(told.first, 0);
    IS(told.last, 0);
}

/* On loopback the data are copied all the same, and the notification says so.
 *
 * msg_zerocopy.rst (loopback; deferred copies); Linux net/core/skbuff.c skb_orphan_frags_rx(). */
CASE(on_loopback_it_is_copied, EACH(inet), BEHAVIOUR("T9"), ABOUT("MSG_ZEROCOPY"))
{
    struct notification told = {-1, -1, false};
    struct pair pair;

    NEED(zerocopy_pair(kind, &pair));
    NEED(deliver(&pair));
    NEED(await_events(pair.mine, 0));
    NEED(take_notification(pair.mine, &told));
    IS(told.copied, true);
}

/* Notifications of successive sends become one, with a range.
 *
 * msg_zerocopy.rst (notification batching); Linux net/core/skbuff.c
 * skb_zerocopy_notify_extend(). */
CASE(notifications_become_one, EACH(inet), BEHAVIOUR("T9"), ABOUT("MSG_ZEROCOPY", "MSG_ERRQUEUE"))
{
    struct notification told = {-1, -1, false};
    struct pair pair;

    NEED(zerocopy_pair(kind, &pair));
    NEED(deliver(&pair));
    NEED(deliver(&pair));
    NEED(deliver(&pair));
    NEED(await_events(pair.mine, 0));
    SUCCEEDS(take_notification(pair.mine, &told));
    IS(told.first, 0);
    IS(told.last, 2);
    FAILS(take_notification(pair.mine, &told), EAGAIN);
}

/* Without SO_ZEROCOPY the flag is ignored, and nothing is told.
 *
 * msg_zerocopy.rst (the flag is ignored for compatibility); Linux net/ipv4/tcp.c
 * tcp_sendmsg_locked(). */
CASE(without_so_zerocopy_the_flag_is_ignored, EACH(inet), BEHAVIOUR("T9"),
     ABOUT("MSG_ZEROCOPY", "SO_ZEROCOPY"))
{
    struct notification told;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(send(pair.mine, text, sizeof text, MSG_ZEROCOPY), sizeof text);
    NEED(await_events(pair.peer, POLLIN));
    NEED(drain(pair.peer));
    FAILS(take_notification(pair.mine, &told), EAGAIN);
}

/* Nor is anything told of sends without the flag, and they are not counted.
 *
 * msg_zerocopy.rst (the counter is incremented by sends with the flag). */
CASE(sends_without_the_flag_do_not_count, EACH(inet), BEHAVIOUR("T9"),
     ABOUT("MSG_ZEROCOPY", "SO_ZEROCOPY"))
{
    struct notification told = {-1, -1, false};
    struct pair pair;

    NEED(zerocopy_pair(kind, &pair));
    NEED(deliver(&pair));
    NEED((int)send(pair.mine, text, sizeof text, 0));
    NEED(deliver(&pair));
    NEED(await_events(pair.mine, 0));
    SUCCEEDS(take_notification(pair.mine, &told));
    IS(told.last, 1);
}

/* SO_ZEROCOPY is off at first, and takes 0 and 1 only.
 *
 * Linux net/core/sock.c sk_setsockopt() (SO_ZEROCOPY: EINVAL). */
CASE(so_zerocopy_is_off_or_on, EACH(inet), BEHAVIOUR("T9"), ABOUT("SO_ZEROCOPY", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));

    GIVES(get_option(fd, SOL_SOCKET, SO_ZEROCOPY), 0);
    FAILS(set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 2), EINVAL);
    SUCCEEDS(set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
    GIVES(get_option(fd, SOL_SOCKET, SO_ZEROCOPY), 1);
}

/* A UNIX socket has none: EOPNOTSUPP.
 *
 * msg_zerocopy.rst (TCP, UDP and VSOCK); Linux net/core/sock.c sk_setsockopt(). */
CASE(a_unix_socket_has_no_so_zerocopy, EACH(unix_all), BEHAVIOUR("T9"),
     ABOUT("SO_ZEROCOPY", "EOPNOTSUPP"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1), EOPNOTSUPP);
}
