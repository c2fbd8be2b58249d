#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <unistd.h>

/* TCP_DEFER_ACCEPT: accept is to give connections on which data have come. */

enum { SECONDS = 1, LONG = 60 };

/* A listener that defers, and a client that has connected. */
struct deferred {
    int listener, client;
};

static int begin_deferring(const struct kind *kind, int seconds, struct deferred *both)
{
    const struct address there = loopback(kind, PORT);

    both->listener = listening_socket(kind);
    both->client = new_socket(kind);
    if (both->listener < 0 || both->client < 0 || nonblocking(both->listener) < 0 ||
        set_option(both->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds) < 0)
        return -1;
    return connect(both->client, &there.any, there.length);
}

/* The client is connected, but there is nothing to accept: EAGAIN, and the listener is not
 * readable.
 *
 * tcp(7) TCP_DEFER_ACCEPT; Linux net/ipv4/tcp_minisocks.c tcp_check_req() (rskq_defer_accept). */
CASE(a_mute_client_is_not_accepted, EACH(inet_stream_mapped), BEHAVIOUR("T3"),
     ABOUT("TCP_DEFER_ACCEPT", "accept", "EAGAIN"))
{
    struct deferred both;

    NEED(begin_deferring(kind, LONG, &both));
    STATE_IS(tcp_state(both.client), TCP_ESTABLISHED);
    EVENTS_ARE(events_now(both.listener, POLLIN), 0);
    FAILS(accept(both.listener, NULL, NULL), EAGAIN);
}

/* Its first data make the connection one that can be accepted, and read.
 *
 * tcp(7) TCP_DEFER_ACCEPT; Linux net/ipv4/tcp_minisocks.c tcp_check_req(). */
CASE(data_bring_the_client_to_accept, EACH(inet_stream_mapped), BEHAVIOUR("T3", "G11"),
     ABOUT("TCP_DEFER_ACCEPT", "accept"))
{
    char bytes[8];
    struct deferred both;

    NEED(begin_deferring(kind, LONG, &both));
    GIVEN(events_now(both.listener, POLLIN) == 0);
    NEED(send(both.client, "hello", 5, 0));
    EVENTS_ARE(await_events(both.listener, POLLIN), POLLIN);
    BYTES_ARE(bytes, recv(SUCCEEDS(accept(both.listener, NULL, NULL)), bytes, sizeof bytes, 0),
              "hello");
}

/* So does its FIN: that nothing will come is known then.
 *
 * Linux net/ipv4/tcp_minisocks.c tcp_check_req() (a segment that ends beyond the ACK). */
CASE(a_fin_brings_the_client_to_accept, EACH(inet_stream_mapped), BEHAVIOUR("T3"),
     ABOUT("TCP_DEFER_ACCEPT", "accept", "FIN"))
{
    char byte;
    struct deferred both;

    NEED(begin_deferring(kind, LONG, &both));
    GIVEN(events_now(both.listener, POLLIN) == 0);
    NEED(shutdown(both.client, SHUT_WR));
    EVENTS_ARE(await_events(both.listener, POLLIN), POLLIN);
    GIVES(recv(SUCCEEDS(accept(both.listener, NULL, NULL)), &byte, 1, 0), 0);
}

/* A client that stays mute is accepted after the time, when its kernel has answered the SYN+ACK
 * that is sent again.
 *
 * tcp(7) TCP_DEFER_ACCEPT (the maximum number of attempts); Linux net/ipv4/inet_connection_sock.c
 * syn_ack_recalc(). */
CASE(a_mute_client_is_accepted_in_the_end, EACH(inet_stream), BEHAVIOUR("T3"),
     ABOUT("TCP_DEFER_ACCEPT", "accept"), DEADLINE(10), WAITS)
{
    char byte;
    struct deferred both;

    NEED(begin_deferring(kind, SECONDS, &both));
    GIVEN(events_now(both.listener, POLLIN) == 0);
    EVENTS_ARE(await_events(both.listener, POLLIN), POLLIN);
    FAILS(recv(SUCCEEDS(accept(both.listener, NULL, NULL)), &byte, 1, MSG_DONTWAIT), EAGAIN);
}

static KINDS(deferrals, KIND("0", .value = 0, .other = 0), KIND("1", .value = 1, .other = 1),
             KIND("2", .value = 2, .other = 3), KIND("4", .value = 4, .other = 7),
             KIND("8", .value = 8, .other = 15));

/* The seconds are rounded up to those that some retransmissions of a SYN+ACK take: 1, 3, 7, 15.
 *
 * tcp(7) TCP_DEFER_ACCEPT; Linux net/ipv4/tcp.c secs_to_retrans(), retrans_to_secs(). */
CASE(the_seconds_are_rounded_to_retransmissions, EACH(inet_stream, deferrals), BEHAVIOUR("T3"),
     ABOUT("TCP_DEFER_ACCEPT"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, kind->value));
    GIVES(get_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), kind->other);
}
