#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

/* What a descriptor that is still open tells of a connection that has ended, TCP_INFO's state on
 * the way there, and what becomes of those who wait in the queue of a listener that is closed. */

/* `mine` has shut down first, and the peer has closed then: `mine` waits. */
static int time_waiting_pair(const struct kind *kind, struct pair *pair)
{
    if (connected_pair(kind, pair) < 0 || shutdown(pair->mine, SHUT_WR) < 0 ||
        close(pair->peer) < 0)
        return -1;
    pair->peer = -1;
    return await_events(pair->mine, POLLIN) < 0 ? -1 : 0;
}

/* --- TIME_WAIT -----------------------------------------------------------------------------------
 */

/* TIME_WAIT is a hang-up to the descriptor that is still open.
 *
 * Linux net/ipv4/tcp_input.c tcp_fin() (FIN_WAIT2: tcp_time_wait(), which leaves the socket
 * TCP_CLOSE), tcp_poll(). */
CASE(time_wait_is_a_hang_up, EACH(inet_stream_mapped, pollers), BEHAVIOUR("B11", "K2"),
     ABOUT("TIME_WAIT", "POLLHUP"))
{
    struct pair pair;

    NEED(time_waiting_pair(kind, &pair));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLIN | POLLOUT, 0),
               told_by(kind->poller, POLLIN | POLLOUT | POLLHUP));
}

static KINDS(hows, KIND("SHUT_RD", .value = SHUT_RD), KIND("SHUT_WR", .value = SHUT_WR),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* shutdown() in TIME_WAIT says ENOTCONN.
 *
 * POSIX.1-2024 shutdown() [ENOTCONN]; Linux net/ipv4/af_inet.c inet_shutdown() (TCP_CLOSE). */
CASE(time_wait_cannot_be_shut_down, EACH(inet_stream, hows), BEHAVIOUR("B12"),
     ABOUT("TIME_WAIT", "ENOTCONN", "shutdown"))
{
    struct pair pair;

    NEED(time_waiting_pair(kind, &pair));
    FAILS(shutdown(pair.mine, kind->value), ENOTCONN);
}

/* Reading in TIME_WAIT gives 0.
 *
 * RFC 9293 §3.10.4 (RECEIVE: nothing more comes); Linux net/ipv4/tcp.c tcp_recvmsg_locked()
 * (SOCK_DONE). */
CASE(reading_in_time_wait_gives_0, EACH(inet_stream), BEHAVIOUR("B11", "C1"),
     ABOUT("TIME_WAIT", "recv"))
{
    char byte;
    struct pair pair;

    NEED(time_waiting_pair(kind, &pair));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}

/* --- TCP_INFO ------------------------------------------------------------------------------------
 */

/* A socket that is not connected is CLOSED to TCP_INFO, bound or not.
 *
 * RFC 9293 §3.3.2; tcp(7) (TCP_INFO); Linux net/ipv4/tcp.c tcp_get_info(). */
CASE(a_fresh_socket_is_closed, EACH(inet_stream), BEHAVIOUR("B14"), ABOUT("TCP_INFO", "CLOSED"))
{
    STATE_IS(tcp_state(NEED(new_socket(kind))), TCP_CLOSE);
    STATE_IS(tcp_state(NEED(bound_socket(kind))), TCP_CLOSE);
}

/* A listener is LISTEN to TCP_INFO.
 *
 * RFC 9293 §3.3.2; Linux tcp_get_info(). */
CASE(a_listener_is_listen, EACH(inet_stream), BEHAVIOUR("B14"), ABOUT("TCP_INFO", "LISTEN"))
{
    STATE_IS(tcp_state(NEED(listening_socket(kind))), TCP_LISTEN);
}

/* A connect that nobody has answered is SYN_SENT.
 *
 * RFC 9293 §3.3.2; Linux tcp_get_info(). */
CASE(an_unanswered_connect_is_syn_sent, EACH(inet_stream), BEHAVIOUR("B14"),
     ABOUT("TCP_INFO", "SYN_SENT"))
{
    STATE_IS(tcp_state(NEED(connecting_socket(kind))), TCP_SYN_SENT);
}

/* Both ends of a connection are ESTABLISHED.
 *
 * RFC 9293 §3.3.2; Linux tcp_get_info(). */
CASE(a_connection_is_established, EACH(inet_stream), BEHAVIOUR("B14"),
     ABOUT("TCP_INFO", "ESTABLISHED"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    STATE_IS(tcp_state(pair.mine), TCP_ESTABLISHED);
    STATE_IS(tcp_state(pair.peer), TCP_ESTABLISHED);
}

/* Waits, till it has that state or some seconds are over: its state. */
static int settled(int descriptor, int state)
{
    const time_t start = time(NULL);
    int now;

    do {
        sched_yield();
        now = NEED(tcp_state(descriptor));
    } while (now != state && time(NULL) - start < 3);
    return now;
}

/* When one end has shut down it is FIN_WAIT2, as soon as its FIN is acknowledged, the other
 * CLOSE_WAIT.
 *
 * RFC 9293 §3.6, §3.8.6.3 (the acknowledgement may be delayed); Linux tcp_get_info(). */
CASE(half_closed_is_fin_wait2_and_close_wait, EACH(inet_stream), BEHAVIOUR("B14"),
     ABOUT("TCP_INFO", "FIN_WAIT2", "CLOSE_WAIT"))
{
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    STATE_IS(settled(pair.peer, TCP_FIN_WAIT2), TCP_FIN_WAIT2);
    STATE_IS(tcp_state(pair.mine), TCP_CLOSE_WAIT);
}

/* In TIME_WAIT the descriptor is CLOSED to TCP_INFO: the wait goes on without it.
 *
 * Linux net/ipv4/tcp_minisocks.c tcp_time_wait() (tcp_done()). RFC 9293 §3.3.2 has TIME-WAIT. */
CASE(time_wait_is_closed_to_tcp_info, EACH(inet_stream), BEHAVIOUR("B14"),
     ABOUT("TCP_INFO", "TIME_WAIT", "CLOSED"))
{
    struct pair pair;

    NEED(time_waiting_pair(kind, &pair));
    STATE_IS(tcp_state(pair.mine), TCP_CLOSE);
}

/* After a reset the connection is CLOSED.
 *
 * RFC 9293 §3.5.3; Linux tcp_reset() (tcp_done()). */
CASE(a_reset_connection_is_closed, EACH(inet_stream), BEHAVIOUR("B14"),
     ABOUT("TCP_INFO", "RST", "CLOSED"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    STATE_IS(tcp_state(pair.mine), TCP_CLOSE);
}

/* --- the queue of a listener ---------------------------------------------------------------------
 */

struct queue {
    int listener, client;
};

/* A client that has connected, and was not accepted. */
static int queued(const struct kind *kind, struct queue *queue)
{
    const struct address there = loopback(kind, PORT);

    queue->listener = listening_socket(kind);
    queue->client = new_socket(kind);
    return queue->listener < 0 || queue->client < 0
               ? -1
               : connect(queue->client, &there.any, there.length);
}

/* close() of a listener resets who waits in its queue: ECONNRESET.
 *
 * RFC 9293 §3.10.5; Linux net/ipv4/inet_connection_sock.c inet_csk_listen_stop(),
 * net/unix/af_unix.c unix_release_sock() (embrion). */
CASE(closing_a_listener_resets_its_queue, EACH(connected), BEHAVIOUR("D9"),
     ABOUT("RST", "ECONNRESET", "accept", "close"))
{
    char byte;
    struct queue queue;

    NEED(queued(kind, &queue));
    NEED(close(queue.listener));
    FAILS(recv(queue.client, &byte, 1, MSG_DONTWAIT), ECONNRESET);
}

/* Its pollers are told of an error and a hang-up.
 *
 * Linux inet_csk_listen_stop(), unix_release_sock(), tcp_poll(), unix_poll(). */
CASE(closing_a_listener_is_an_error_to_its_queue, EACH(connected, pollers), BEHAVIOUR("D9", "K3"),
     ABOUT("POLLERR", "POLLHUP", "close"))
{
    struct queue queue;

    NEED(queued(kind, &queue));
    NEED(close(queue.listener));
    EVENTS_ARE(kind->poller->wait(queue.client, POLLIN | POLLOUT, 0),
               told_by(kind->poller, POLLIN | POLLOUT | POLLERR | POLLHUP));
}

/* What the client had sent changes nothing of it.
 *
 * Linux inet_csk_listen_stop() (inet_child_forget()), unix_release_sock(). */
CASE(closing_a_listener_discards_what_was_sent, EACH(connected), BEHAVIOUR("D9"),
     ABOUT("RST", "ECONNRESET", "send"))
{
    char byte;
    struct queue queue;

    NEED(queued(kind, &queue));
    NEED(send(queue.client, "x", 1, 0));
    NEED(close(queue.listener));
    FAILS(recv(queue.client, &byte, 1, MSG_DONTWAIT), ECONNRESET);
}

/* As long as a duplicate of the listener is open its queue stays, and can be accepted.
 *
 * POSIX.1-2024 close() (the last descriptor); Linux net/socket.c sock_close(). */
CASE(a_duplicate_keeps_the_queue, EACH(connected), BEHAVIOUR("D9", "L1"), ABOUT("accept", "dup"))
{
    struct queue queue;
    int duplicate;

    NEED(queued(kind, &queue));
    duplicate = NEED(fcntl(queue.listener, F_DUPFD_CLOEXEC, 0));
    NEED(close(queue.listener));
    NEED(nonblocking(duplicate));
    SUCCEEDS(accept(duplicate, NULL, NULL));
}

/* What has been accepted outlives the listener.
 *
 * POSIX.1-2024 accept() (a new socket); Linux inet_csk_listen_stop() ends the queue alone. */
CASE(what_was_accepted_outlives_the_listener, EACH(connected), BEHAVIOUR("D9"),
     ABOUT("accept", "close"))
{
    struct queue queue;
    int accepted;
    char byte;

    NEED(queued(kind, &queue));
    accepted = NEED(accept(queue.listener, NULL, NULL));
    NEED(close(queue.listener));
    NEED(send(queue.client, "x", 1, MSG_NOSIGNAL));
    GIVES(recv(accepted, &byte, 1, MSG_DONTWAIT), 1);
}
