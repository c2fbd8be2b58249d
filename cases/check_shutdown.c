#include "case.h"
#include "sockets.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the peer's FIN each read gives 0, again and again.
 *
 * RFC 9293 §3.6; POSIX.1-2024 recv() (orderly shutdown: 0); Linux net/ipv4/tcp.c tcp_recvmsg(). */
CASE(reading_after_fin_gives_0_every_time, EACH(connected), BEHAVIOUR("C1"), ABOUT("FIN", "recv"))
{
    char byte;
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
}

/* After shutdown(SHUT_RD) a read gives 0 although the peer has not closed.
 *
 * POSIX.1-2024 shutdown() (SHUT_RD); Linux net/ipv4/tcp.c tcp_recvmsg() (RCV_SHUTDOWN). */
CASE(reading_after_shut_rd_gives_0, EACH(connected), BEHAVIOUR("C4"), ABOUT("SHUT_RD", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RD));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}

static KINDS(hows, KIND("SHUT_RD", .value = SHUT_RD), KIND("SHUT_WR", .value = SHUT_WR),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* shutdown() of what is shut down already succeeds.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown(); Darwin says ENOTCONN for SHUT_WR (xnu soshutdown()). */
CASE(shutting_down_twice_succeeds, EACH(inet_stream, hows), BEHAVIOUR("C6"), ABOUT("shutdown"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, kind->value));
    GIVES(shutdown(pair.mine, kind->value), ON(LINUX(SUCCESS), DARWIN(-ENOTCONN)));
}

/* shutdown() of a socket that is not connected says ENOTCONN.
 *
 * POSIX.1-2024 shutdown() [ENOTCONN]; Linux net/ipv4/af_inet.c inet_shutdown(). */
CASE(an_unconnected_socket_cannot_be_shut_down, EACH(inet_stream, hows), BEHAVIOUR("C7", "V7"),
     ABOUT("ENOTCONN", "shutdown"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(shutdown(fd, kind->value), ENOTCONN);
}

static KINDS(no_hows, KIND("minus_1", .value = -1), KIND("3", .value = 3));

/* shutdown() says EINVAL when it is told neither SHUT_RD, SHUT_WR nor SHUT_RDWR.
 *
 * POSIX.1-2024 shutdown() [EINVAL]; Linux net/ipv4/af_inet.c inet_shutdown(). */
CASE(a_how_that_is_none_is_refused, EACH(connected, no_hows), BEHAVIOUR("C8", "V7"),
     ABOUT("EINVAL"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(shutdown(pair.mine, kind->value), EINVAL);
}

/* On a UNIX socket too.
 *
 * Linux net/unix/af_unix.c unix_shutdown(): it sets bits that are set. */
CASE(shutting_down_a_unix_socket_twice_succeeds, EACH(unix_connected, hows), BEHAVIOUR("C6"),
     ABOUT("shutdown"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, kind->value));
    SUCCEEDS(shutdown(pair.mine, kind->value));
}

/* shutdown() of a UDP socket without a peer says ENOTCONN.
 *
 * POSIX.1-2024 shutdown() [ENOTCONN]; Linux net/ipv4/af_inet.c inet_shutdown(). */
CASE(an_unconnected_udp_socket_cannot_be_shut_down, EACH(inet_datagram, hows),
     BEHAVIOUR("C7", "V7"), ABOUT("ENOTCONN", "shutdown", "UDP"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(shutdown(fd, kind->value), ENOTCONN);
}

/* Of a UNIX socket that is not connected it succeeds, where POSIX has ENOTCONN.
 *
 * Linux net/unix/af_unix.c unix_shutdown() does not ask for a peer. */
CASE(an_unconnected_unix_socket_can_be_shut_down, EACH(unix_all, hows), BEHAVIOUR("C7", "V7"),
     ABOUT("ENOTCONN", "shutdown"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(shutdown(fd, kind->value));
}

/* A peer notices nothing of SHUT_RD on TCP: it can go on sending.
 *
 * POSIX.1-2024 shutdown(); RFC 9293 §3.6 has no segment for it; Linux net/ipv4/tcp.c tcp_shutdown()
 * (SEND_SHUTDOWN alone sends). */
CASE(the_peer_of_shut_rd_goes_on_sending, EACH(inet_stream), BEHAVIOUR("C4"),
     ABOUT("SHUT_RD", "send"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RD));
    GIVES(send(pair.peer, "x", 1, MSG_NOSIGNAL), 1);
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* The peer of a UNIX socket is refused at once: EPIPE.
 *
 * Linux net/unix/af_unix.c unix_shutdown() (the peer's SEND_SHUTDOWN). */
CASE(the_peer_of_a_unix_shut_rd_says_epipe, EACH(unix_connected), BEHAVIOUR("C4"),
     ABOUT("SHUT_RD", "EPIPE"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RD));
    FAILS(send(pair.peer, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* What had arrived before SHUT_RD can still be read.
 *
 * Linux net/ipv4/tcp.c tcp_recvmsg_locked(), unix_stream_read_generic(): the queue comes before
 * RCV_SHUTDOWN. POSIX.1-2024 shutdown() disables further receives; BSD drops the queue. */
CASE(what_had_arrived_before_shut_rd_is_read, EACH(every_socket), BEHAVIOUR("C4", "C2"),
     ABOUT("SHUT_RD", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    NEED(shutdown(pair.mine, SHUT_RD));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 1);
}

/* --- while connecting ----------------------------------------------------------------------------
 */

/* shutdown() in SYN_SENT succeeds, whatever it is told to end.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown() (TCP_SYN_SENT). POSIX.1-2024 shutdown() [ENOTCONN]. */
CASE(shutdown_while_connecting_succeeds, EACH(inet_stream, hows), BEHAVIOUR("C9"),
     ABOUT("SYN_SENT", "shutdown"))
{
    const int fd = NEED(connecting_socket(kind));

    SUCCEEDS(shutdown(fd, kind->value));
}

/* It ends the attempt: the socket is CLOSED.
 *
 * Linux inet_shutdown() calls tcp_disconnect(). */
CASE(shutdown_while_connecting_ends_the_attempt, EACH(inet_stream, hows), BEHAVIOUR("C9"),
     ABOUT("SYN_SENT", "CLOSED", "shutdown"))
{
    const int fd = NEED(connecting_socket(kind));

    GIVEN(tcp_state(fd) == TCP_SYN_SENT);
    NEED(shutdown(fd, kind->value));
    STATE_IS(tcp_state(fd), TCP_CLOSE);
}

/* SO_ERROR says ECONNRESET then, though nobody has reset anything.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (TCP_SYN_SENT: ECONNRESET). */
CASE(shutdown_while_connecting_is_econnreset, EACH(inet_stream, hows), BEHAVIOUR("C9"),
     ABOUT("SYN_SENT", "ECONNRESET", "SO_ERROR"))
{
    const int fd = NEED(connecting_socket(kind));

    NEED(shutdown(fd, kind->value));
    ERRNO_IS(so_error(fd), ECONNRESET);
}

/* --- a listener ----------------------------------------------------------------------------------
 */

static KINDS(ends_listening, KIND("SHUT_RD", .value = SHUT_RD),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* After shutdown() of a listener accept() says EINVAL.
 *
 * Linux net/ipv4/inet_connection_sock.c inet_csk_accept() (not TCP_LISTEN any more),
 * net/unix/af_unix.c unix_accept(). Darwin refuses the shutdown with ENOTCONN, FreeBSD too, and
 * accept goes on (soshutdown()). */
CASE(after_shutdown_of_a_listener_accept_is_refused, EACH(connected, ends_listening),
     BEHAVIOUR("C10"), ABOUT("EINVAL", "accept", "shutdown"))
{
    const int listener = NEED(listening_socket(kind));

    GIVES(shutdown(listener, kind->value),
          ON(LINUX(SUCCESS), DARWIN(-ENOTCONN), FREEBSD(-ENOTCONN)));
    FAILS(accept(listener, NULL, NULL), EINVAL);
}

/* Clients are refused then.
 *
 * Linux inet_shutdown() (inet_csk_listen_stop()), unix_stream_connect() (RCV_SHUTDOWN). */
CASE(after_shutdown_of_a_listener_connect_is_refused, EACH(connected, ends_listening),
     BEHAVIOUR("C10"), ABOUT("ECONNREFUSED", "connect", "shutdown"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(shutdown(listener, kind->value));
    FAILS(connect(client, &there.any, there.length), ECONNREFUSED);
}

/* listen() makes a TCP listener of it again: it keeps its port.
 *
 * Linux net/ipv4/tcp.c tcp_disconnect() (SOCK_BINDPORT_LOCK), inet_listen(). */
CASE(it_can_listen_again, EACH(inet_stream, ends_listening), BEHAVIOUR("C10"),
     ABOUT("listen", "shutdown"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    NEED(shutdown(listener, kind->value));
    SUCCEEDS(listen(listener, 1));
    SUCCEEDS(connect(client, &there.any, there.length));
}

/* SHUT_WR is nothing to a listener: clients can connect still.
 *
 * Linux inet_shutdown() (TCP_LISTEN without RCV_SHUTDOWN), unix_shutdown(). */
CASE(shut_wr_is_nothing_to_a_listener, EACH(connected), BEHAVIOUR("C10"),
     ABOUT("SHUT_WR", "accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));

    GIVES(shutdown(listener, SHUT_WR), ON(LINUX(SUCCESS), DARWIN(-ENOTCONN), FREEBSD(-ENOTCONN)));
    NEED(connect(client, &there.any, there.length));
    SUCCEEDS(accept(listener, NULL, NULL));
}

/* --- duplicates ----------------------------------------------------------------------------------
 */

/* shutdown() of a duplicate ends the peer's reading, though the first descriptor is open.
 *
 * POSIX.1-2024 shutdown() (the socket, not the descriptor); Linux net/socket.c __sys_shutdown(). */
CASE(shutdown_acts_on_the_other_duplicate, EACH(connected), BEHAVIOUR("C12"),
     ABOUT("shutdown", "dup"))
{
    char byte;
    struct pair pair;
    int duplicate;

    NEED(connected_pair(kind, &pair));
    duplicate = NEED(fcntl(pair.mine, F_DUPFD_CLOEXEC, 0));
    NEED(shutdown(duplicate, SHUT_WR));
    GIVES(recv(pair.peer, &byte, 1, MSG_DONTWAIT), 0);
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* close() of a duplicate, by contrast, ends nothing.
 *
 * POSIX.1-2024 close() (the last descriptor); Linux net/socket.c sock_close(). */
CASE(close_of_a_duplicate_ends_nothing, EACH(connected), BEHAVIOUR("C12", "L1"),
     ABOUT("close", "dup"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(close(NEED(fcntl(pair.mine, F_DUPFD_CLOEXEC, 0))));
    FAILS(recv(pair.peer, &byte, 1, MSG_DONTWAIT), EAGAIN);
    GIVES(send(pair.mine, "x", 1, MSG_NOSIGNAL), 1);
}

/* In a child of its own, which has ended when this is over. */
static int shut_down_in_a_child(int descriptor, int how)
{
    int status;
    const pid_t child = fork();

    if (child == 0)
        _exit(shutdown(descriptor, how) < 0);
    return child < 0 || waitpid(child, &status, 0) < 0 || status != 0 ? -1 : 0;
}

/* shutdown() in a forked child ends the peer's reading, though the parent has the socket open.
 *
 * POSIX.1-2024 fork() (the same open file description), shutdown(); Linux inet_shutdown(). */
CASE(shutdown_in_a_child_ends_the_peers_reading, EACH(connected), BEHAVIOUR("C12"),
     ABOUT("shutdown", "fork", "FIN"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shut_down_in_a_child(pair.mine, SHUT_WR));
    GIVES(recv(pair.peer, &byte, 1, MSG_DONTWAIT), 0);
}

/* The parent cannot send any more: EPIPE.
 *
 * POSIX.1-2024 send() [EPIPE] (the socket is shut down for writing). */
CASE(shutdown_in_a_child_ends_the_parents_sending, EACH(connected), BEHAVIOUR("C12"),
     ABOUT("shutdown", "fork", "EPIPE"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shut_down_in_a_child(pair.mine, SHUT_WR));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* Nor read, when it was reading that the child ended.
 *
 * POSIX.1-2024 shutdown() (SHUT_RD). */
CASE(shutdown_in_a_child_ends_the_parents_reading, EACH(connected), BEHAVIOUR("C12"),
     ABOUT("SHUT_RD", "fork"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shut_down_in_a_child(pair.mine, SHUT_RD));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}
