#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Sockets that keep boundaries, and those that do not. */
static KINDS(records, KIND("UDP-IPv4", .family = AF_INET, .type = SOCK_DGRAM),
             KIND("UDP-IPv6", .family = AF_INET6, .type = SOCK_DGRAM),
             KIND("UNIX-datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
             KIND("UNIX-seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

/* Connected, and the peer has sent the one and then the other. */
static int told(const struct kind *kind, struct pair *pair, const char *one, const char *other)
{
    if (connected_pair(kind, pair) < 0)
        return -1;
    if (send(pair->peer, one, strlen(one), 0) < 0)
        return -1;
    return strlen(other) && send(pair->peer, other, strlen(other), 0) < 0 ? -1 : 0;
}

/* --- MSG_PEEK ------------------------------------------------------------------------------------
 */

/* What is peeked at is read again, and again.
 *
 * POSIX.1-2024 recv() (MSG_PEEK). */
CASE(peeking_takes_nothing, EACH(every_socket), BEHAVIOUR("Q1"), ABOUT("MSG_PEEK", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told(kind, &pair, "abc", ""));
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_PEEK), 3);
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_PEEK), 3);
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), 3);
    BYTES_ARE(bytes, 3, "abc");
}

/* A peek with little room leaves the rest of a record as well.
 *
 * POSIX.1-2024 recv() (MSG_PEEK: treated as unread). */
CASE(a_short_peek_truncates_nothing, EACH(every_socket), BEHAVIOUR("Q1"), ABOUT("MSG_PEEK", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told(kind, &pair, "abc", ""));
    GIVES(recv(pair.mine, bytes, 1, MSG_PEEK), 1);
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), 3);
}

/* Where there is nothing a peek says EAGAIN.
 *
 * POSIX.1-2024 recv() [EAGAIN]. */
CASE(peeking_at_nothing_is_eagain, EACH(every_socket), BEHAVIOUR("Q1"), ABOUT("MSG_PEEK", "EAGAIN"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(recv(pair.mine, &byte, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
}

/* At the end of file it gives 0.
 *
 * POSIX.1-2024 recv(). */
CASE(peeking_at_the_end_gives_0, EACH(connected), BEHAVIOUR("Q1"), ABOUT("MSG_PEEK", "FIN"))
{
    char byte;
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    GIVES(recv(pair.mine, &byte, 1, MSG_PEEK | MSG_DONTWAIT), 0);
}

/* A stream is peeked at across what was sent apart.
 *
 * POSIX.1-2024 recv() (SOCK_STREAM: boundaries shall be ignored); Linux net/unix/af_unix.c
 * unix_stream_read_generic(). */
CASE(peeking_at_a_stream_joins, EACH(stream), BEHAVIOUR("Q1"), ABOUT("MSG_PEEK", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told(kind, &pair, "ab", "cd"));
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_PEEK), 4);
}

/* Peeking reports a pending datagram error as reading does: nothing is left of it.
 *
 * Linux net/core/datagram.c __skb_try_recv_datagram() (sock_error()). */
CASE(peeking_takes_a_pending_error, EACH(inet_datagram), BEHAVIOUR("Q1", "U2"),
     ABOUT("MSG_PEEK", "ECONNREFUSED"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(close(pair.peer));
    NEED((int)send(pair.mine, "x", 1, 0));
    FAILS(recv(pair.mine, &byte, 1, MSG_PEEK | MSG_DONTWAIT), ECONNREFUSED);
    GIVES(so_error(pair.mine), 0);
}

/* --- SO_PEEK_OFF ---------------------------------------------------------------------------------
 */

/* TCP has it as of Linux 6.9. */
static int peeking_on(const struct kind *kind, struct pair *pair)
{
    if (told(kind, pair, "abcd", "") < 0)
        return -1;
    if (set_option(pair->mine, SOL_SOCKET, SO_PEEK_OFF, 0) == 0)
        return 0;
    if (errno == EOPNOTSUPP)
        UNSUPPORTED("this kernel's sockets of that kind have no SO_PEEK_OFF");
    return -1;
}

/* SO_PEEK_OFF is off at first, which reads as -1.
 *
 * socket(7) (SO_PEEK_OFF: initially -1); Linux net/core/sock.c sk_getsockopt(). */
CASE(so_peek_off_is_off_at_first, EACH(every_socket), BEHAVIOUR("Q2"), ABOUT("SO_PEEK_OFF"))
{
    int value = 0;
    socklen_t size = sizeof value;
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &value, &size));
    IS(value, -1);
}

/* With it each peek goes on where the last has ended.
 *
 * socket(7) (SO_PEEK_OFF). */
CASE(with_so_peek_off_peeks_go_on, EACH(stream), BEHAVIOUR("Q2"), ABOUT("SO_PEEK_OFF", "MSG_PEEK"))
{
    char bytes[2];
    struct pair pair;

    NEED(peeking_on(kind, &pair));
    NEED((int)recv(pair.mine, bytes, 2, MSG_PEEK));
    GIVES(recv(pair.mine, bytes, 2, MSG_PEEK), 2);
    BYTES_ARE(bytes, 2, "cd");
}

/* A read takes from the front, and draws the offset back by what it took.
 *
 * socket(7) (SO_PEEK_OFF); Linux include/net/sock.h sk_peek_offset_bwd(). */
CASE(reading_draws_the_offset_back, EACH(stream), BEHAVIOUR("Q2"), ABOUT("SO_PEEK_OFF", "recv"))
{
    char bytes[2];
    struct pair pair;

    NEED(peeking_on(kind, &pair));
    NEED((int)recv(pair.mine, bytes, 2, MSG_PEEK));
    GIVES(recv(pair.mine, bytes, 1, 0), 1);
    BYTES_ARE(bytes, 1, "a");
    GIVES(get_option(pair.mine, SOL_SOCKET, SO_PEEK_OFF), 1);
}

/* Past all that is there a peek says EAGAIN.
 *
 * socket(7) (SO_PEEK_OFF); Linux net/ipv4/tcp.c tcp_recvmsg_locked(), net/unix/af_unix.c. */
CASE(peeking_past_all_is_eagain, EACH(stream), BEHAVIOUR("Q2"), ABOUT("SO_PEEK_OFF", "EAGAIN"))
{
    char bytes[4];
    struct pair pair;

    NEED(peeking_on(kind, &pair));
    NEED((int)recv(pair.mine, bytes, 4, MSG_PEEK));
    FAILS(recv(pair.mine, bytes, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
}

/* --- MSG_DONTWAIT --------------------------------------------------------------------------------
 */

/* A blocking socket does not block where MSG_DONTWAIT is asked for: EAGAIN.
 *
 * POSIX.1-2024 recv() (MSG_DONTWAIT) [EAGAIN]; recv(2). */
CASE(msg_dontwait_does_not_wait_to_receive, EACH(every_socket), BEHAVIOUR("Q4"),
     ABOUT("MSG_DONTWAIT", "EAGAIN"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVEN(!(NEED(fcntl(pair.mine, F_GETFL)) & O_NONBLOCK));
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* Nor to send.
 *
 * POSIX.1-2024 send() (MSG_DONTWAIT) [EAGAIN]; send(2). */
CASE(msg_dontwait_does_not_wait_to_send, EACH(connected), BEHAVIOUR("Q4"),
     ABOUT("MSG_DONTWAIT", "EAGAIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    NEED(fcntl(pair.mine, F_SETFL, 0));
    FAILS(send(pair.mine, "x", 1, MSG_DONTWAIT), EAGAIN);
}

/* It is of the call alone: the socket blocks as before.
 *
 * send(2) (MSG_DONTWAIT: a per-call option). */
CASE(msg_dontwait_leaves_the_socket_blocking, EACH(every_socket), BEHAVIOUR("Q4"),
     ABOUT("MSG_DONTWAIT", "O_NONBLOCK"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVEN(recv(pair.mine, &byte, 1, MSG_DONTWAIT) < 0);
    IS(NEED(fcntl(pair.mine, F_GETFL)) & O_NONBLOCK, 0);
}

/* --- MSG_TRUNC -----------------------------------------------------------------------------------
 */

/* On TCP MSG_TRUNC throws the bytes away: the buffer is left alone.
 *
 * tcp(7) (MSG_TRUNC); Linux net/ipv4/tcp.c tcp_recvmsg_locked(). */
CASE(msg_trunc_throws_bytes_of_tcp_away, EACH(inet_stream), BEHAVIOUR("Q5"), ABOUT("MSG_TRUNC"))
{
    char bytes[4] = "----";
    struct pair pair;

    NEED(told(kind, &pair, "abcd", ""));
    GIVES(recv(pair.mine, bytes, 2, MSG_TRUNC), 2);
    BYTES_ARE(bytes, 4, "----");
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
}

/* No buffer is needed for that.
 *
 * tcp(7) (MSG_TRUNC). */
CASE(msg_trunc_needs_no_buffer, EACH(inet_stream), BEHAVIOUR("Q5"), ABOUT("MSG_TRUNC"))
{
    char bytes[4];
    struct pair pair;

    NEED(told(kind, &pair, "abcd", ""));
    GIVES(recv(pair.mine, NULL, 3, MSG_TRUNC), 3);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 1);
    BYTES_ARE(bytes, 1, "d");
}

/* It throws away no more than there is.
 *
 * tcp(7) (MSG_TRUNC); Linux net/ipv4/tcp.c tcp_recvmsg_locked(). */
CASE(msg_trunc_tells_of_what_there_was, EACH(inet_stream), BEHAVIOUR("Q5"), ABOUT("MSG_TRUNC"))
{
    struct pair pair;

    NEED(told(kind, &pair, "abcd", ""));
    GIVES(recv(pair.mine, NULL, 1000, MSG_TRUNC), 4);
}

/* A UNIX stream copies them as without it.
 *
 * Linux net/unix/af_unix.c unix_stream_read_generic(), which does not ask for it. */
CASE(msg_trunc_means_nothing_to_a_unix_stream, BEHAVIOUR("Q5"), ABOUT("MSG_TRUNC", "AF_UNIX"))
{
    char bytes[4];
    struct pair pair;

    NEED(told(&unix_stream, &pair, "abcd", ""));
    GIVES(recv(pair.mine, bytes, 2, MSG_TRUNC), 2);
    BYTES_ARE(bytes, 2, "ab");
}

/* --- a length of zero ----------------------------------------------------------------------------
 */

/* A stream sends nothing where nothing is given.
 *
 * Linux net/ipv4/tcp.c tcp_sendmsg_locked(), net/unix/af_unix.c unix_stream_sendmsg(). */
CASE(a_stream_sends_no_bytes_as_nothing, EACH(stream), BEHAVIOUR("Q8"), ABOUT("send"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(send(pair.mine, "", 0, 0), 0);
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* A recv() of no bytes gives 0 where bytes are, and leaves them.
 *
 * Linux net/ipv4/tcp.c tcp_recvmsg_locked(), net/unix/af_unix.c unix_stream_read_generic(). */
CASE(a_stream_gives_0_for_no_room, EACH(stream), BEHAVIOUR("Q8"), ABOUT("recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told(kind, &pair, "ab", ""));
    GIVES(recv(pair.mine, bytes, 0, MSG_DONTWAIT), 0);
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), 2);
}

/* Where there are none it waits for some all the same: EAGAIN if it may not.
 *
 * Linux include/net/sock.h sock_rcvlowat(): one byte at least. */
CASE(a_stream_waits_even_for_no_room, EACH(stream), BEHAVIOUR("Q8"), ABOUT("recv", "EAGAIN"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(recv(pair.mine, &byte, 0, MSG_DONTWAIT), EAGAIN);
}

/* A read() of no bytes gives 0 at once.
 *
 * POSIX.1-2024 read() (nbyte is 0); Linux net/socket.c sock_read_iter() ("Match SYS5 behaviour").
 */
CASE(a_read_of_no_bytes_gives_0_at_once, EACH(every_socket), BEHAVIOUR("Q8"), ABOUT("read"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    GIVES(read(pair.mine, &byte, 0), 0);
}

/* A record's rest is lost to a recv() of no bytes.
 *
 * POSIX.1-2024 recv() (excess bytes shall be discarded). */
CASE(a_record_is_lost_to_no_room, EACH(records), BEHAVIOUR("Q8"), ABOUT("recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told(kind, &pair, "ab", "c"));
    GIVES(recv(pair.mine, bytes, 0, 0), 0);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 1);
}

/* A send of no bytes after SHUT_WR says EPIPE all the same.
 *
 * POSIX.1-2024 send() [EPIPE]; Linux net/ipv4/tcp.c tcp_sendmsg_locked(). */
CASE(no_bytes_after_shut_wr_are_epipe, EACH(connected), BEHAVIOUR("Q8", "E9"),
     ABOUT("send", "EPIPE"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(send(pair.mine, "", 0, MSG_NOSIGNAL), EPIPE);
}
