#include "case.h"
#include "kernel.h"
#include "sleeper.h"
#include "sockets.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <unistd.h>

/* The queue of connections that wait for accept: who gets in, and what the rest is told. */

enum { MANY = 12 };

/* Connects till one finds no room, or many: how many found room. */
static int let_in(const struct kind *kind)
{
    const struct kind patient = {
        .family = kind->family, .type = kind->type, .nonblocking = true, .mapped = kind->mapped};
    const struct address there = loopback(kind, PORT);

    for (int count = 0; count < MANY; count++) {
        const int client = new_socket(&patient);
        int events;

        if (client < 0)
            return -1;
        if (connect(client, &there.any, there.length) == 0)
            continue;
        if (errno != EINPROGRESS)
            return errno == EAGAIN || errno == ECONNREFUSED ? count : -1;
        events = events_now(client, POLLOUT);
        if (events <= 0)
            return events < 0 ? -1 : count;
    }
    return MANY;
}

static int listening_with(const struct kind *kind, int backlog)
{
    return listening_at(kind, loopback(kind, PORT), backlog);
}

/* --- how many ------------------------------------------------------------------------------------
 */

static KINDS(backlogs, KIND("0", .value = 0), KIND("1", .value = 1), KIND("2", .value = 2),
             KIND("5", .value = 5));

/* With a backlog of n there is room for n + 1 connections; FreeBSD has half as many more, and for
 * Darwin 0 stands for the most.
 *
 * POSIX.1-2024 listen() (a hint); Linux include/net/sock.h sk_acceptq_is_full() (more than);
 * FreeBSD sys/kern/uipc_socket.c solisten_enqueue(), sonewconn() (3 / 2); XNU solisten(). */
CASE(there_is_room_for_one_more_than_the_backlog, EACH(inet_stream, backlogs),
     BEHAVIOUR("G6", "G4"), ABOUT("listen", "backlog"))
{
    const int backlog = kind->value;

    NEED(listening_with(kind, backlog));
    IS(let_in(kind),
       ON(LINUX(backlog + 1), DARWIN(backlog ? backlog : MANY), FREEBSD(3 * backlog / 2 + 1)));
}

/* So it is for UNIX sockets.
 *
 * Linux net/unix/af_unix.c unix_recvq_full() (more than sk_max_ack_backlog). */
CASE(a_unix_listener_has_room_for_one_more, EACH(unix_connected, backlogs), BEHAVIOUR("G6", "G4"),
     ABOUT("listen", "backlog", "AF_UNIX"))
{
    NEED(listening_with(kind, kind->value));
    IS(let_in(kind), kind->value + 1);
}

static KINDS(huge, KIND("4", .value = 4), KIND("INT_MAX", .value = INT_MAX),
             KIND("minus_1", .value = -1), KIND("INT_MIN", .value = INT_MIN));

/* A backlog above net.core.somaxconn is cut to that, and one below 0 counts as above.
 *
 * listen(2) (silently capped); Linux net/socket.c __sys_listen_socket() (compared unsigned). POSIX
 * has one below 0 work as 0. */
CASE(somaxconn_is_the_most, EACH(stream, huge), BEHAVIOUR("G6"), ABOUT("listen", "somaxconn"))
{
    NEED(set_sysctl("net.core.somaxconn", "3"));
    NEED(listening_with(kind, kind->value));
    IS(let_in(kind), 4);
}

/* somaxconn counts when listen() is called: who listens already keeps what it has.
 *
 * Linux net/socket.c __sys_listen_socket(). */
CASE(a_lower_somaxconn_leaves_listeners_alone, EACH(stream), BEHAVIOUR("G6"),
     ABOUT("listen", "somaxconn"))
{
    NEED(listening_with(kind, 5));
    NEED(set_sysctl("net.core.somaxconn", "1"));
    IS(let_in(kind), 6);
}

/* Each accept() makes room for one.
 *
 * POSIX.1-2024 listen() (the queue of outstanding connections). */
CASE(accept_makes_room_for_one, EACH(stream), BEHAVIOUR("G4", "G6"), ABOUT("accept", "backlog"))
{
    const int listener = NEED(listening_with(kind, 5));

    GIVEN(let_in(kind) == 6);
    NEED(accept(listener, NULL, NULL));
    NEED(accept(listener, NULL, NULL));
    IS(let_in(kind), 2);
}

/* --- listen again --------------------------------------------------------------------------------
 */

/* listen() again with a larger backlog makes room at once.
 *
 * Linux net/ipv4/af_inet.c __inet_listen_sk() (only the backlog may be adjusted), unix_listen(). */
CASE(listen_again_makes_room, EACH(stream), BEHAVIOUR("G5"), ABOUT("listen", "backlog"))
{
    const int listener = NEED(listening_with(kind, 1));

    GIVEN(let_in(kind) == 2);
    SUCCEEDS(listen(listener, 4));
    IS(let_in(kind), 3);
}

/* With a smaller one nobody new gets in.
 *
 * Linux net/ipv4/af_inet.c __inet_listen_sk(). */
CASE(listen_again_takes_room_away, EACH(stream), BEHAVIOUR("G5"), ABOUT("listen", "backlog"))
{
    const int listener = NEED(listening_with(kind, 5));

    NEED(waiting_client(kind));
    NEED(waiting_client(kind));
    SUCCEEDS(listen(listener, 1));
    IS(let_in(kind), 0);
}

/* Who waits already stays, though there are more than the new backlog has room for.
 *
 * Linux net/ipv4/af_inet.c __inet_listen_sk() (the queue is not touched). */
CASE(listen_again_keeps_who_waits, EACH(connected), BEHAVIOUR("G5"), ABOUT("listen", "accept"))
{
    const int listener = NEED(listening_with(kind, 5));

    NEED(nonblocking(listener));
    for (int i = 0; i < 3; i++)
        NEED(waiting_client(kind));
    NEED(listen(listener, 0));
    for (int i = 0; i < 3; i++)
        SUCCEEDS(accept(listener, NULL, NULL));
    FAILS(accept(listener, NULL, NULL), EAGAIN);
}

/* --- no room -------------------------------------------------------------------------------------
 */

/* When the queue is full connect() on a TCP socket is left in SYN_SENT: its SYN is not answered.
 *
 * listen(2) (the request may be ignored so that a later reattempt succeeds); Linux
 * net/ipv4/tcp_input.c tcp_conn_request(). */
CASE(without_room_a_connect_stays_in_syn_sent, EACH(inet_stream_mapped), BEHAVIOUR("H17", "G4"),
     ABOUT("connect", "SYN_SENT", "backlog"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(listening_with(kind, 0));
    NEED(waiting_client(kind));
    NEED(nonblocking(fd));
    FAILS(connect(fd, &there.any, there.length), EINPROGRESS);
    STATE_IS(tcp_state(fd), TCP_SYN_SENT);
    EVENTS_ARE(events_now(fd, POLLIN | POLLOUT), 0);
}

/* A UNIX socket that does not block is told EAGAIN, and nothing is under way.
 *
 * connect(2) EAGAIN; Linux net/unix/af_unix.c unix_stream_connect(); BSD says ECONNREFUSED
 * (sys/kern/uipc_socket.c sonewconn()). */
CASE(without_room_a_unix_connect_says_eagain, EACH(unix_connected), BEHAVIOUR("H17", "G4"),
     ABOUT("connect", "EAGAIN", "AF_UNIX"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_with(kind, 0)), fd = NEED(new_socket(kind));

    NEED(waiting_client(kind));
    NEED(nonblocking(fd));
    FAILS(connect(fd, &there.any, there.length),
          ON(LINUX(EAGAIN), DARWIN(ECONNREFUSED), FREEBSD(ECONNREFUSED)));
    NEED(accept(listener, NULL, NULL));
    EVENTS_ARE(events_now(listener, POLLIN), 0);
}

struct attempt {
    int descriptor;
    struct address there;
};

static long connects(const void *argument)
{
    const struct attempt *attempt = argument;

    return connect(attempt->descriptor, &attempt->there.any, attempt->there.length);
}

static struct attempt attempt_of(const struct kind *kind, int descriptor)
{
    return (struct attempt){descriptor, loopback(kind, PORT)};
}

/* One that blocks sleeps till accept() makes room.
 *
 * connect(2); Linux net/unix/af_unix.c unix_stream_connect(), unix_wait_for_peer(). */
CASE(a_blocking_unix_connect_waits_for_room, EACH(unix_connected), BEHAVIOUR("H17"),
     ABOUT("connect", "accept", "AF_UNIX"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(accept(listener, NULL, NULL));
    SUCCEEDS((int)woken(&sleeper));
}

/* listen() with a larger backlog wakes it as well.
 *
 * Linux net/unix/af_unix.c unix_listen() (wakes who waits when the backlog grows). */
CASE(a_larger_backlog_wakes_a_unix_connect, EACH(unix_connected), BEHAVIOUR("H17", "G5"),
     ABOUT("connect", "listen", "AF_UNIX"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(listen(listener, 1));
    SUCCEEDS((int)woken(&sleeper));
}

/* When the listener closes it says ECONNREFUSED.
 *
 * Linux net/unix/af_unix.c unix_stream_connect() (the peer is dead: looks it up anew). */
CASE(a_unix_listener_that_closes_refuses_who_waits, EACH(unix_connected), BEHAVIOUR("H12", "H17"),
     ABOUT("connect", "close", "ECONNREFUSED", "AF_UNIX"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(close(listener));
    FAILS((int)woken(&sleeper), ECONNREFUSED);
}

/* shutdown() of the listener leaves it asleep, though nobody will ever be let in: close() wakes it.
 *
 * Linux net/unix/af_unix.c unix_shutdown() (wakes who sleeps on the listener, not peer_wait). */
CASE(a_unix_listener_that_shuts_down_wakes_nobody, EACH(unix_connected), BEHAVIOUR("H12", "H17"),
     ABOUT("connect", "shutdown", "ECONNREFUSED", "AF_UNIX"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(shutdown(listener, SHUT_RDWR));
    IS(asleep(&sleeper), true);
    NEED(close(listener));
    FAILS((int)woken(&sleeper), ECONNREFUSED);
}

/* A blocking TCP connect() sleeps as well; when the listener closes its next SYN is refused.
 *
 * RFC 9293 §3.10.7.1 (a RST for what comes to a closed port); Linux net/ipv4/tcp_timer.c (the SYN
 * is sent again after a second). */
CASE(a_listener_that_closes_refuses_who_waits, EACH(inet_stream), BEHAVIOUR("H12", "H17"),
     ABOUT("connect", "close", "ECONNREFUSED", "SYN_SENT"), WAITS)
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(close(listener));
    FAILS((int)woken(&sleeper), ECONNREFUSED);
}

/* When there is room its next SYN is answered, and it succeeds.
 *
 * listen(2) (a later reattempt succeeds); RFC 9293 §3.8.1. */
CASE(a_blocking_connect_waits_for_room, EACH(inet_stream), BEHAVIOUR("H17", "G4"),
     ABOUT("connect", "accept", "SYN_SENT"), WAITS)
{
    struct sleeper sleeper;
    const int listener = NEED(listening_with(kind, 0));
    const struct attempt attempt = attempt_of(kind, NEED(new_socket(kind)));

    NEED(waiting_client(kind));
    NEED(falls_asleep(&sleeper, connects, &attempt));
    NEED(accept(listener, NULL, NULL));
    SUCCEEDS((int)woken(&sleeper));
    STATE_IS(tcp_state(attempt.descriptor), TCP_ESTABLISHED);
}
