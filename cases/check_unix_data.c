#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static KINDS(records, KIND("datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
             KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

static const struct kind unix_seqpacket = KIND("UNIX", .family = AF_UNIX, .type = SOCK_SEQPACKET);

/* The peer has sent this, and has closed while what it was sent was still to be read. */
static int closed_unread(const struct kind *kind, struct pair *pair, const char *last_words)
{
    const size_t length = strlen(last_words);

    if (connected_pair(kind, pair) < 0 || send(pair->mine, "unread", 6, 0) != 6 ||
        (length > 0 && send(pair->peer, last_words, length, 0) != (ssize_t)length))
        return -1;
    return close(pair->peer);
}

/* --- closing with unread data --------------------------------------------------------------------
 */

/* A peer that closes without having read all makes a read say ECONNRESET.
 *
 * unix(7) [ECONNRESET]; Linux net/unix/af_unix.c unix_release_sock(). */
CASE(a_close_that_discards_data_is_a_reset, EACH(unix_connected), BEHAVIOUR("M10"),
     ABOUT("close", "ECONNRESET", "AF_UNIX"))
{
    char byte;
    struct pair pair;

    NEED(closed_unread(kind, &pair, ""));
    FAILS(recv(pair.mine, &byte, 1, 0), ECONNRESET);
}

/* It is told once: the next read gives 0.
 *
 * Linux net/core/sock.c sock_error(); net/unix/af_unix.c unix_release_sock() (SHUTDOWN_MASK). */
CASE(the_read_after_that_reset_gives_0, EACH(unix_connected), BEHAVIOUR("M10"),
     ABOUT("close", "ECONNRESET", "AF_UNIX"))
{
    char byte;
    struct pair pair;

    NEED(closed_unread(kind, &pair, ""));
    GIVEN(recv(pair.mine, &byte, 1, 0) < 0 && errno == ECONNRESET);
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
}

/* A peer that has read all and closes is an end of file.
 *
 * POSIX.1-2024 recv() (orderly shutdown: 0). */
CASE(a_close_that_discards_nothing_is_an_end, EACH(unix_connected), BEHAVIOUR("M10"),
     ABOUT("close", "recv", "AF_UNIX"))
{
    char bytes[6];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "read", 4, 0));
    NEED((int)recv(pair.peer, bytes, sizeof bytes, 0));
    NEED(close(pair.peer));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 0);
}

/* A stream reads what the peer had sent before it tells of the reset.
 *
 * Linux net/unix/af_unix.c unix_stream_read_generic(): the queue before sock_error(). */
CASE(a_stream_reads_data_before_the_reset, BEHAVIOUR("M10"), ABOUT("close", "ECONNRESET"))
{
    char bytes[8];
    struct pair pair;

    NEED(closed_unread(&unix_stream, &pair, "last"));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 4);
    FAILS(recv(pair.mine, bytes, sizeof bytes, 0), ECONNRESET);
}

/* A SOCK_SEQPACKET socket tells of the reset first, and then what the peer had sent.
 *
 * Linux net/core/datagram.c __skb_try_recv_datagram(): sock_error() before the queue. */
CASE(a_seqpacket_socket_tells_of_the_reset_first, BEHAVIOUR("M10"), ABOUT("close", "ECONNRESET"))
{
    char bytes[8];
    struct pair pair;

    NEED(closed_unread(&unix_seqpacket, &pair, "last"));
    FAILS(recv(pair.mine, bytes, sizeof bytes, 0), ECONNRESET);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 4);
}

/* A datagram socket that connects elsewhere loses what it has not read, and its old peer is told
 * by ECONNRESET.
 *
 * Linux net/unix/af_unix.c unix_dgram_disconnected(). */
CASE(a_datagram_peer_that_turns_away_is_a_reset, BEHAVIOUR("M10"), ABOUT("connect", "ECONNRESET"))
{
    char byte;
    struct pair pair;
    const struct address elsewhere = loopback(&unix_datagram, OTHER_PORT);

    NEED(connected_pair(&unix_datagram, &pair));
    NEED((int)send(pair.mine, "x", 1, 0));
    NEED(unlink(elsewhere.un.sun_path));
    NEED(bound_to(&unix_datagram, elsewhere));
    NEED(connect(pair.peer, &elsewhere.any, elsewhere.length));
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), ECONNRESET);
    FAILS(recv(pair.peer, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* --- a full queue --------------------------------------------------------------------------------
 */

/* A sender whose receiver, at PORT, has room for no more: the receiver has no peer of its own, so
 * that the number of datagrams bounds its queue, long before SO_SNDBUF bounds the sender. */
static int full_sender(int *receiver)
{
    const struct address name = loopback(&unix_datagram, PORT);
    const int sender = new_socket(&unix_datagram);

    *receiver = bound_to(&unix_datagram, name);
    if (sender < 0 || *receiver < 0 || connect(sender, &name.any, name.length) < 0)
        return -1;
    while (send(sender, "x", 1, MSG_DONTWAIT) == 1)
        ;
    return errno == EAGAIN || errno == ENOBUFS ? sender : -1;
}

/* A datagram that a full queue has no room for says EAGAIN: none is lost.
 *
 * unix(7); Linux net/unix/af_unix.c unix_dgram_sendmsg() (unix_recvq_full()). Darwin and FreeBSD
 * say ENOBUFS (wazuh#37349). */
CASE(a_full_datagram_queue_is_eagain, BEHAVIOUR("M11"), ABOUT("send", "EAGAIN", "ENOBUFS"))
{
    int receiver;
    const int sender = NEED(full_sender(&receiver));

    FAILS(send(sender, "x", 1, MSG_DONTWAIT), ON(LINUX(EAGAIN), DARWIN(ENOBUFS), FREEBSD(ENOBUFS)));
}

/* So does one that sendto() addresses.
 *
 * Linux net/unix/af_unix.c unix_dgram_sendmsg(). */
CASE(a_full_queue_is_eagain_to_sendto_too, BEHAVIOUR("M11"), ABOUT("sendto", "EAGAIN"))
{
    int receiver;
    const struct address name = loopback(&unix_datagram, PORT);
    const int stranger = NEED(new_socket(&unix_datagram));

    NEED(full_sender(&receiver));
    FAILS(sendto(stranger, "x", 1, MSG_DONTWAIT, &name.any, name.length),
          ON(LINUX(EAGAIN), DARWIN(ENOBUFS), FREEBSD(ENOBUFS)));
}

/* A sender that waits says EAGAIN, too, when its SO_SNDTIMEO is over.
 *
 * POSIX.1-2024 <sys/socket.h> (SO_SNDTIMEO); Linux net/unix/af_unix.c unix_wait_for_peer(). */
CASE(a_sender_waits_at_a_full_queue_for_its_time, WAITS, BEHAVIOUR("M11", "R4"),
     ABOUT("send", "EAGAIN", "SO_SNDTIMEO"))
{
    int receiver;
    const struct timeval limit = {.tv_usec = 50000};
    const int sender = NEED(full_sender(&receiver));

    NEED(setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    FAILS(send(sender, "x", 1, 0), EAGAIN);
}

/* One datagram read makes room for one.
 *
 * Linux net/unix/af_unix.c unix_recvq_full(). */
CASE(reading_a_datagram_makes_room_for_one, BEHAVIOUR("M11"), ABOUT("send", "EAGAIN"))
{
    char byte;
    int receiver;
    const int sender = NEED(full_sender(&receiver));

    NEED((int)recv(receiver, &byte, 1, 0));
    GIVES(send(sender, "x", 1, MSG_DONTWAIT), 1);
    FAILS(send(sender, "x", 1, MSG_DONTWAIT), EAGAIN);
}

/* A sender is not writable while its receiver's queue is full, and is when one has been read.
 *
 * Linux net/unix/af_unix.c unix_dgram_poll(). */
CASE(a_full_queue_makes_its_sender_unwritable, BEHAVIOUR("M11", "K6"), ABOUT("poll", "POLLOUT"))
{
    char byte;
    int receiver;
    const int sender = NEED(full_sender(&receiver));

    EVENTS_ARE(events_now(sender, POLLOUT), 0);
    NEED((int)recv(receiver, &byte, 1, 0));
    EVENTS_ARE(events_now(sender, POLLOUT), POLLOUT);
}

/* --- records -------------------------------------------------------------------------------------
 */

/* Each read gives one record, though there is room for two.
 *
 * POSIX.1-2024 recv() (message-based sockets); unix(7) (SOCK_SEQPACKET). */
CASE(a_read_gives_one_record, EACH(records), BEHAVIOUR("M12"), ABOUT("SOCK_SEQPACKET", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "ab", 2, 0));
    NEED((int)send(pair.mine, "cde", 3, 0));
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 2);
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 3);
}

/* A stream knows no records: a read takes both.
 *
 * POSIX.1-2024 recv() (SOCK_STREAM: message boundaries shall be ignored). */
CASE(a_stream_joins_what_was_sent, EACH(stream), BEHAVIOUR("M12"), ABOUT("SOCK_STREAM", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "ab", 2, 0));
    NEED((int)send(pair.mine, "cde", 3, 0));
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 5);
}

/* What a read has no room for is lost with its record.
 *
 * POSIX.1-2024 recv() (excess bytes shall be discarded); Linux net/unix/af_unix.c
 * __unix_dgram_recvmsg(). */
CASE(the_rest_of_a_record_is_lost, EACH(records), BEHAVIOUR("M12"), ABOUT("SOCK_SEQPACKET", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "abc", 3, 0));
    NEED((int)send(pair.mine, "d", 1, 0));
    GIVES(recv(pair.peer, bytes, 1, 0), 1);
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 1);
    BYTES_ARE(bytes, 1, "d");
}

/* A record of no bytes is one: it reads as 0, and what follows can be read.
 *
 * Linux net/unix/af_unix.c __unix_dgram_recvmsg(). */
CASE(a_record_of_no_bytes_is_no_end, EACH(records), BEHAVIOUR("M12"),
     ABOUT("SOCK_SEQPACKET", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "", 0, 0));
    NEED((int)send(pair.mine, "x", 1, 0));
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 0);
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 1);
}

/* A record that is larger than SO_SNDBUF is refused whole: EMSGSIZE.
 *
 * POSIX.1-2024 send() [EMSGSIZE]; Linux net/unix/af_unix.c unix_dgram_sendmsg(). */
CASE(a_record_beyond_the_buffer_is_emsgsize, EACH(records), BEHAVIOUR("M12", "N4"),
     ABOUT("EMSGSIZE", "SO_SNDBUF", "AF_UNIX"))
{
    static const char bytes[1 << 20];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVEN(NEED(get_option(pair.mine, SOL_SOCKET, SO_SNDBUF)) < (int)sizeof bytes);
    FAILS(send(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), EMSGSIZE);
}

/* SOCK_SEQPACKET needs a connection as SOCK_STREAM does: without one ENOTCONN.
 *
 * POSIX.1-2024 send() [ENOTCONN]; Linux net/unix/af_unix.c unix_seqpacket_sendmsg(),
 * unix_stream_sendmsg(). */
CASE(sending_needs_a_connection, EACH(unix_connected), BEHAVIOUR("M12", "V8"),
     ABOUT("SOCK_SEQPACKET", "ENOTCONN", "send"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
}

/* A stream that is connected takes no address: EISCONN.
 *
 * POSIX.1-2024 sendto() [EISCONN]; Linux net/unix/af_unix.c unix_stream_sendmsg(). */
CASE(a_connected_stream_takes_no_address, BEHAVIOUR("M12", "V8"), ABOUT("EISCONN", "sendto"))
{
    struct pair pair;
    const struct address name = loopback(&unix_stream, PORT);

    NEED(connected_pair(&unix_stream, &pair));
    FAILS(sendto(pair.mine, "x", 1, 0, &name.any, name.length), EISCONN);
}

/* SOCK_SEQPACKET ignores it: what is sent goes to the peer.
 *
 * POSIX.1-2024 sendto() (connection-mode: dest_addr shall be ignored); Linux net/unix/af_unix.c
 * unix_seqpacket_sendmsg(). */
CASE(a_seqpacket_socket_ignores_an_address, BEHAVIOUR("M12", "V8"), ABOUT("sendto"))
{
    char byte;
    struct pair pair;
    const struct address nobody = loopback(&unix_seqpacket, OTHER_PORT);

    NEED(connected_pair(&unix_seqpacket, &pair));
    GIVES(sendto(pair.mine, "x", 1, 0, &nobody.any, nobody.length), 1);
    GIVES(recv(pair.peer, &byte, 1, MSG_DONTWAIT), 1);
}
