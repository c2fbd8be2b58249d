#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

/* When TCP acknowledges data that nobody has read. On loopback what is acknowledged at once has
 * been acknowledged when send returns. */

enum { LIMIT_MS = 3000, SURELY_DELAYED_MS = 20 /* TCP_DELACK_MIN is 40 */ };

/* How many bytes the peer has not acknowledged. */
static int unacknowledged(int descriptor)
{
#ifdef __linux__
    int bytes = -1;

    return ioctl(descriptor, SIOCOUTQ, &bytes) < 0 ? -1 : bytes;
#else
    (void)descriptor;
    return lacks("SIOCOUTQ");
#endif
}

#ifdef __linux__
static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}
#endif

/* How many milliseconds after the data the acknowledgement of all came; -1 with ETIMEDOUT. By the
 * kernel's clock: whatever keeps this process from running is not counted. */
static int await_acknowledgement(int descriptor)
{
#ifdef __linux__
    const size_t least = offsetof(struct tcp_info, tcpi_last_ack_recv) + sizeof(uint32_t);
    const long start = milliseconds();
    struct tcp_info told;
    int waiting;

    while ((waiting = unacknowledged(descriptor)) > 0) {
        errno = ETIMEDOUT;
        if (milliseconds() - start > LIMIT_MS)
            return -1;
        sched_yield();
    }
    if (waiting < 0 || tcp_information(descriptor, &told, least) < 0)
        return -1;
    return (int)(told.tcpi_last_data_sent - told.tcpi_last_ack_recv);
#else
    return tcp_information(descriptor, NULL, 0);
#endif
}

/* The first data of a connection are acknowledged at once.
 *
 * tcp(7) TCP_QUICKACK; Linux net/ipv4/tcp_input.c tcp_event_data_recv() (quick at the start). */
CASE(the_first_data_are_acknowledged_at_once, EACH(inet_stream_mapped), BEHAVIOUR("T5"),
     ABOUT("TCP_QUICKACK", "ACK"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(get_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK), 1);
    NEED(send(pair.mine, "x", 1, 0));
    GIVES(unacknowledged(pair.mine), 0);
}

/* Without TCP_QUICKACK the acknowledgement waits: data might come the other way, to carry it.
 *
 * RFC 9293 §3.8.6.3 (SHLD-18: delayed, by less than 0.5 s); tcp(7) TCP_QUICKACK; Linux
 * net/ipv4/tcp_output.c tcp_send_delayed_ack() (TCP_DELACK_MIN). */
CASE(without_quickack_the_acknowledgement_waits, EACH(inet_stream_mapped), BEHAVIOUR("T5"),
     ABOUT("TCP_QUICKACK", "ACK"), WAITS)
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK, 0));
    GIVES(get_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK), 0);
    NEED(send(pair.mine, "x", 1, 0));
    IS(NEED(await_acknowledgement(pair.mine)) >= SURELY_DELAYED_MS, true);
}

/* The answer carries it.
 *
 * RFC 9293 §3.8.6.3; RFC 1122 §4.2.3.2 (why it waits); Linux net/ipv4/tcp_output.c
 * tcp_event_ack_sent(). */
CASE(an_answer_carries_the_acknowledgement, EACH(inet_stream_mapped), BEHAVIOUR("T5"),
     ABOUT("TCP_QUICKACK", "ACK"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK, 0));
    NEED(send(pair.mine, "x", 1, 0));
    NEED(send(pair.peer, "y", 1, 0));
    GIVES(unacknowledged(pair.mine), 0);
}

/* Setting TCP_QUICKACK sends the acknowledgement that waits, when the data have been read: recv had
 * not sent it.
 *
 * tcp(7) TCP_QUICKACK (sent immediately); Linux net/ipv4/tcp.c __tcp_sock_set_quickack(),
 * __tcp_cleanup_rbuf() (not while data lie unread). */
CASE(quickack_sends_what_waits, EACH(inet_stream_mapped), BEHAVIOUR("T5"),
     ABOUT("TCP_QUICKACK", "ACK"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK, 0));
    NEED(send(pair.mine, "x", 1, 0));
    NEED(recv(pair.peer, &byte, 1, 0));
    NEED(set_option(pair.peer, IPPROTO_TCP, TCP_QUICKACK, 1));
    GIVES(unacknowledged(pair.mine), 0);
}
