#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

/* What lies in the queues of a socket, and how much of it may be unsent. */

/* --- what has not been read ----------------------------------------------------------------------
 */

/* FIONREAD, which Linux also calls SIOCINQ; -1 with errno. */
static int unread(int descriptor)
{
    int bytes = -1;

    return ioctl(descriptor, FIONREAD, &bytes) < 0 ? -1 : bytes;
}

/* FIONREAD tells how many bytes of a stream are unread, in however many sends they came.
 *
 * tcp(7), unix(7) SIOCINQ; Linux net/ipv4/tcp.c tcp_inq(), net/unix/af_unix.c unix_inq_len(). */
CASE(fionread_counts_what_is_unread, EACH(stream), BEHAVIOUR("S6"), ABOUT("FIONREAD", "SIOCINQ"))
{
    char bytes[2];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(unread(pair.mine), 0);
    NEED(send(pair.peer, "abc", 3, 0));
    NEED(send(pair.peer, "de", 2, 0));
    GIVES(unread(pair.mine), 5);
    NEED(recv(pair.mine, bytes, sizeof bytes, 0));
    GIVES(unread(pair.mine), 3);
}

/* The FIN is not counted, though it has a number in the sequence.
 *
 * Linux net/ipv4/tcp.c tcp_inq() (subtract 1, if FIN was received). */
CASE(fionread_does_not_count_the_fin, EACH(stream), BEHAVIOUR("S6"),
     ABOUT("FIONREAD", "SIOCINQ", "FIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "abc", 3, 0));
    NEED(shutdown(pair.peer, SHUT_WR));
    GIVEN((NEED(events_now(pair.mine, POLLRDHUP)) & POLLRDHUP) != 0);
    GIVES(unread(pair.mine), 3);
}

/* Nothing is unread at the end of file: FIONREAD says 0 as where nothing has come, and cannot tell
 * the one from the other.
 *
 * Linux net/ipv4/tcp.c tcp_inq(). */
CASE(fionread_gives_0_at_the_end_of_file, EACH(stream), BEHAVIOUR("S6"),
     ABOUT("FIONREAD", "SIOCINQ", "FIN"))
{
    char byte;
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    GIVES(unread(pair.mine), 0);
    GIVEN(recv(pair.mine, &byte, 1, 0) == 0);
    GIVES(unread(pair.mine), 0);
}

/* A listener has nothing to read: EINVAL.
 *
 * tcp(7) SIOCINQ; Linux net/ipv4/tcp.c tcp_ioctl() (TCP_LISTEN), net/unix/af_unix.c
 * unix_inq_len(). */
CASE(fionread_of_a_listener_is_refused, EACH(stream), BEHAVIOUR("S6"),
     ABOUT("FIONREAD", "SIOCINQ", "EINVAL"))
{
    const int fd = NEED(listening_socket(kind));

    FAILS(unread(fd), EINVAL);
}

/* A socket that was reset has nothing to read, and FIONREAD does not tell the error.
 *
 * Linux net/ipv4/tcp_input.c tcp_reset() (tcp_done(); what had come stays), tcp.c tcp_inq(). */
CASE(fionread_of_a_reset_connection_gives_0, EACH(inet_stream), BEHAVIOUR("S6"),
     ABOUT("FIONREAD", "SIOCINQ", "RST"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    GIVES(unread(pair.mine), 0);
    ERRNO_IS(so_error(pair.mine), ECONNRESET);
}

/* --- what has not been sent ----------------------------------------------------------------------
 */

/* How many bytes TCP has not sent yet: SIOCOUTQNSD. */
static int unsent(int descriptor)
{
#ifdef __linux__
    int bytes = -1;

    return ioctl(descriptor, SIOCOUTQNSD, &bytes) < 0 ? -1 : bytes;
#else
    (void)descriptor;
    return lacks("SIOCOUTQNSD");
#endif
}

enum { ROOM = 2 << 20, LEAST_UNSENT = 65536 };

/* There is much room to send from, and little to receive into: most stays here. */
static int roomy_pair(const struct kind *kind, struct pair *pair)
{
    return connected_pair(kind, pair) < 0 ? -1
                                          : set_option(pair->mine, SOL_SOCKET, SO_SNDBUF, ROOM);
}

/* Sends till so much is unsent. */
static int send_till_unsent(int descriptor, int wanted)
{
    static const char chunk[4096];
    int held = 0;

    while (held >= 0 && held < wanted) {
        if (send(descriptor, chunk, sizeof chunk, MSG_DONTWAIT) < 0)
            return -1;
        held = unsent(descriptor);
    }
    return held;
}

/* TCP_NOTSENT_LOWAT makes a socket not writable while that many bytes are unsent, though there is
 * room for more.
 *
 * tcp(7) and ip-sysctl.rst tcp_notsent_lowat; Linux include/net/tcp.h
 * __tcp_stream_memory_free(). */
CASE(what_is_unsent_makes_not_writable, EACH(inet_stream, pollers), BEHAVIOUR("S4"),
     ABOUT("TCP_NOTSENT_LOWAT", "POLLOUT"))
{
    struct pair pair;

    NEED(roomy_pair(kind, &pair));
    NEED(send_till_unsent(pair.mine, LEAST_UNSENT));
    GIVEN(kind->poller->wait(pair.mine, POLLOUT, 0) == POLLOUT);
    NEED(set_option(pair.mine, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LEAST_UNSENT));
    GIVES(kind->poller->wait(pair.mine, POLLOUT, 0), 0);
}

/* And send() takes no more than completes the last segment, then says EAGAIN.
 *
 * Linux net/ipv4/tcp.c tcp_sendmsg_locked(): it asks for room (sk_stream_memory_free()) when it
 * begins a buffer, of at most 64 KiB. */
CASE(what_is_unsent_makes_send_say_eagain, EACH(inet_stream), BEHAVIOUR("S4"),
     ABOUT("TCP_NOTSENT_LOWAT", "send", "EAGAIN"))
{
    struct pair pair;

    NEED(roomy_pair(kind, &pair));
    NEED(send_till_unsent(pair.mine, LEAST_UNSENT));
    NEED(set_option(pair.mine, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LEAST_UNSENT));
    IS(NEED(fill(pair.mine)) < LEAST_UNSENT, true);
    FAILS(send(pair.mine, "x", 1, MSG_DONTWAIT), EAGAIN);
}

/* It is writable again when the peer has read.
 *
 * Linux net/ipv4/tcp_output.c tcp_write_xmit(), include/net/tcp.h __tcp_stream_memory_free(). */
CASE(it_is_writable_when_less_is_unsent, EACH(inet_stream), BEHAVIOUR("S4"),
     ABOUT("TCP_NOTSENT_LOWAT", "POLLOUT"))
{
    struct pair pair;

    NEED(roomy_pair(kind, &pair));
    NEED(send_till_unsent(pair.mine, LEAST_UNSENT));
    NEED(set_option(pair.mine, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LEAST_UNSENT));
    GIVEN(events_now(pair.mine, POLLOUT) == 0);
    while (NEED(unsent(pair.mine)) > 0)
        NEED(await_events(pair.peer, POLLIN) < 0 ? -1 : drain(pair.peer));
    EVENTS_ARE(events_now(pair.mine, POLLOUT), POLLOUT);
}

/* A writer that sends while it can leaves less unsent than without the option, by far.
 *
 * ip-sysctl.rst tcp_notsent_lowat (it bounds what the application queues too early). */
CASE(filling_leaves_little_unsent, EACH(inet_stream), BEHAVIOUR("S4"), ABOUT("TCP_NOTSENT_LOWAT"))
{
    int left;
    struct pair pair;

    NEED(roomy_pair(kind, &pair));
    NEED(set_option(pair.mine, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LEAST_UNSENT));
    NEED(fill(pair.mine));
    left = NEED(unsent(pair.mine));
    IS(left < 2 * LEAST_UNSENT, true);
    NOTE(left);
}

/* Without its own mark a socket has the system's, which is no bound: it reads 0.
 *
 * ip-sysctl.rst tcp_notsent_lowat (UINT_MAX); Linux net/ipv4/tcp.c do_tcp_getsockopt(). */
CASE(the_mark_of_what_is_unsent_is_the_systems, EACH(inet_stream), BEHAVIOUR("S4"),
     ABOUT("TCP_NOTSENT_LOWAT"))
{
    const int fd = NEED(new_socket(kind));

    GIVES(get_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
}
