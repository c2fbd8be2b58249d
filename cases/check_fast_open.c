#include "case.h"
#include "kernel.h"
#include "sockets.h"

#include <poll.h>
#include <stddef.h>
#include <unistd.h>

/* TCP Fast Open: the SYN carries data, for a server that knows the client by a cookie. */

enum { QUEUE = 5, CLIENT = 1, SERVER = 2 };

/* Which sides of Fast Open are on, of this network namespace. */
static int allow_fast_open(int sides)
{
    const char text[] = {(char)('0' + sides), '\0'};

    return set_sysctl("net.ipv4.tcp_fastopen", text);
}

static int fast_listener(const struct kind *kind)
{
    const int listener = listening_socket(kind);

    if (listener < 0 || allow_fast_open(CLIENT | SERVER) < 0 ||
        set_option(listener, IPPROTO_TCP, TCP_FASTOPEN, QUEUE) < 0)
        return -1;
    return listener;
}

/* Whether data in the SYN were sent and acknowledged with it. */
static int syn_had_data(int descriptor)
{
#ifdef __linux__
    struct tcp_info told;
    const size_t least = offsetof(struct tcp_info, tcpi_options) + 1;

    if (tcp_information(descriptor, &told, least) < 0)
        return -1;
    return (told.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
#else
    return tcp_information(descriptor, NULL, 0);
#endif
}

/* A client that has asked for a cookie, and has it now: the kernel keeps it for all. */
static int visit(const struct kind *kind, int listener)
{
    const struct address there = loopback(kind, PORT);
    const int client = new_socket(kind);
    int accepted;

    if (client < 0 || sendto(client, "x", 1, MSG_FASTOPEN, &there.any, there.length) != 1)
        return -1;
    accepted = accept(listener, NULL, NULL);
    return accepted < 0 || close(accepted) < 0 || close(client) < 0 ? -1 : 0;
}

/* --- MSG_FASTOPEN --------------------------------------------------------------------------------
 */

/* sendto() with MSG_FASTOPEN connects, and sends: at first without a cookie, so that the data come
 * after the handshake, of which the program sees nothing.
 *
 * RFC 7413 §4.1.2; tcp(7) tcp_fastopen; Linux net/ipv4/tcp.c tcp_sendmsg_fastopen(). */
CASE(msg_fastopen_connects_and_sends, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "sendto"))
{
    char bytes[8];
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    GIVES(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), 5);
    IS(NEED(syn_had_data(client)), false);
    BYTES_ARE(bytes, recv(NEED(accept(listener, NULL, NULL)), bytes, sizeof bytes, 0), "hello");
}

/* The next client has the cookie: its SYN carries the data.
 *
 * RFC 7413 §4.2; Linux net/ipv4/tcp_output.c tcp_send_syn_data(), TCP_INFO (TCPI_OPT_SYN_DATA). */
CASE(with_a_cookie_the_syn_carries_data, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "TCP_FASTOPEN", "SYN"))
{
    char bytes[8];
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));
    int accepted;

    NEED(visit(kind, listener));
    GIVES(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), 5);
    accepted = NEED(accept(listener, NULL, NULL));
    BYTES_ARE(bytes, recv(accepted, bytes, sizeof bytes, 0), "hello");
    IS(NEED(syn_had_data(client)), true);
    IS(NEED(syn_had_data(accepted)), true);
}

/* TCP_FASTOPEN_NO_COOKIE on both does without: the first SYN carries data.
 *
 * RFC 7413 §6.2.1 (no cookie is at one's own risk); Linux net/ipv4/tcp_fastopen.c
 * tcp_fastopen_no_cookie(). */
CASE(without_cookies_the_first_syn_carries_data, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "TCP_FASTOPEN_NO_COOKIE", "SYN"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    NEED(set_option(listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
    NEED(set_option(client, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1));
    NEED((int)sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length));
    NEED(await_events(listener, POLLIN));
    IS(NEED(syn_had_data(client)), true);
}

/* A listener without TCP_FASTOPEN gives no cookie: the data come after the handshake, each time.
 *
 * RFC 7413 §4.1.2; Linux net/ipv4/tcp_fastopen.c tcp_try_fastopen(). */
CASE(without_tcp_fastopen_the_data_come_later, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "TCP_FASTOPEN"))
{
    char bytes[8];
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(allow_fast_open(CLIENT | SERVER));
    NEED(visit(kind, listener));
    GIVES(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), 5);
    BYTES_ARE(bytes, recv(NEED(accept(listener, NULL, NULL)), bytes, sizeof bytes, 0), "hello");
    IS(NEED(syn_had_data(client)), false);
}

/* The option of the listener is of no use where the system does not allow servers: tcp_fastopen has
 * only the clients' bit by default.
 *
 * ip-sysctl.rst tcp_fastopen (0x2); Linux net/ipv4/tcp_fastopen.c tcp_try_fastopen(). */
CASE(the_system_must_allow_servers, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "TCP_FASTOPEN"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    NEED(allow_fast_open(CLIENT));
    NEED(visit(kind, listener));
    GIVES(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), 5);
    IS(NEED(syn_had_data(client)), false);
}

/* Where it does not allow clients either MSG_FASTOPEN says EOPNOTSUPP.
 *
 * ip-sysctl.rst tcp_fastopen (0x1); Linux net/ipv4/tcp.c tcp_sendmsg_fastopen(). */
CASE(the_system_must_allow_clients, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "EOPNOTSUPP"))
{
    const struct address there = loopback(kind, PORT);
    const int client = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(allow_fast_open(SERVER));
    FAILS(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), EOPNOTSUPP);
}

/* With nobody there it says ECONNREFUSED, as connect does.
 *
 * RFC 7413 §4.2; POSIX.1-2024 connect() [ECONNREFUSED]. */
CASE(msg_fastopen_to_nobody_is_refused, EACH(inet_stream), BEHAVIOUR("T4", "H1"),
     ABOUT("MSG_FASTOPEN", "ECONNREFUSED"))
{
    const struct address there = loopback(kind, PORT);
    const int client = NEED(new_socket(kind));

    FAILS(sendto(client, "hello", 5, MSG_FASTOPEN, &there.any, there.length), ECONNREFUSED);
}

/* On a socket that is connected it says EISCONN.
 *
 * Linux net/ipv4/af_inet.c __inet_stream_connect(). */
CASE(msg_fastopen_when_connected_says_eisconn, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("MSG_FASTOPEN", "EISCONN"))
{
    const struct address there = loopback(kind, PORT);
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendto(pair.mine, "x", 1, MSG_FASTOPEN, &there.any, there.length), EISCONN);
}

/* --- the listener --------------------------------------------------------------------------------
 */

/* A socket that is connected cannot become a listener of that kind: EINVAL.
 *
 * Linux net/ipv4/tcp.c do_tcp_setsockopt() (TCPF_CLOSE, TCPF_LISTEN). */
CASE(a_connected_socket_refuses_tcp_fastopen, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("TCP_FASTOPEN", "EINVAL"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(set_option(pair.mine, IPPROTO_TCP, TCP_FASTOPEN, QUEUE), EINVAL);
}

/* --- TCP_FASTOPEN_CONNECT ------------------------------------------------------------------------
 */

/* With TCP_FASTOPEN_CONNECT and a cookie connect() succeeds without a word to the server: the first
 * send brings the connection about.
 *
 * tcp(7) TCP_FASTOPEN_CONNECT (since Linux 4.11); Linux net/ipv4/tcp_fastopen.c
 * tcp_fastopen_defer_connect(). */
CASE(connect_waits_for_the_first_send, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("TCP_FASTOPEN_CONNECT", "connect"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    NEED(visit(kind, listener));
    NEED(set_option(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
    SUCCEEDS(connect(client, &there.any, there.length));
    EVENTS_ARE(events_now(listener, POLLIN), 0);
    GIVES(send(client, "hello", 5, 0), 5);
    EVENTS_ARE(await_events(listener, POLLIN), POLLIN);
    IS(NEED(syn_had_data(client)), true);
}

/* And so where nobody is there connect() succeeds, and the send says ECONNREFUSED.
 *
 * tcp(7) TCP_FASTOPEN_CONNECT; Linux net/ipv4/tcp.c tcp_sendmsg_fastopen(). */
CASE(a_refusal_comes_with_the_first_send, EACH(inet_stream), BEHAVIOUR("T4", "H1"),
     ABOUT("TCP_FASTOPEN_CONNECT", "ECONNREFUSED"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    NEED(visit(kind, listener));
    NEED(close(listener));
    NEED(set_option(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
    SUCCEEDS(connect(client, &there.any, there.length));
    FAILS(send(client, "hello", 5, MSG_NOSIGNAL), ECONNREFUSED);
}

/* Without a cookie connect() connects, as ever.
 *
 * Linux net/ipv4/tcp_fastopen.c tcp_fastopen_defer_connect(). */
CASE(without_a_cookie_connect_connects, EACH(inet_stream), BEHAVIOUR("T4"),
     ABOUT("TCP_FASTOPEN_CONNECT", "connect"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(fast_listener(kind));
    const int client = NEED(new_socket(kind));

    NEED(set_option(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
    SUCCEEDS(connect(client, &there.any, there.length));
    EVENTS_ARE(events_now(listener, POLLIN), POLLIN);
}
