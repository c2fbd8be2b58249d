#include "case.h"
#include "message.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- boundaries ----------------------------------------------------------------------------------
 */

/* Each read gives one datagram, though there is room for both.
 *
 * RFC 768; POSIX.1-2024 recv() (message-based sockets). */
CASE(a_read_gives_one_datagram, EACH(inet_datagram), BEHAVIOUR("N6"), ABOUT("UDP", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "ab", 2, 0));
    NEED((int)send(pair.mine, "cde", 3, 0));
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 2);
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 3);
}

/* What one writev() gathers is one datagram.
 *
 * POSIX.1-2024 writev() (as write(), of all the parts). */
CASE(a_gathered_write_is_one_datagram, EACH(datagram), BEHAVIOUR("N6"), ABOUT("UDP", "writev"))
{
    char bytes[8];
    struct pair pair;
    const struct iovec parts[] = {{(char[]){"ab"}, 2}, {(char[]){"cde"}, 3}};

    NEED(connected_pair(kind, &pair));
    NEED((int)writev(pair.mine, parts, 2));
    GIVES(recv(pair.peer, bytes, sizeof bytes, 0), 5);
}

/* FIONREAD tells the size of the first datagram, not of all.
 *
 * udp(7) (FIONREAD, SIOCINQ); Linux net/ipv4/udp.c udp_ioctl(). FreeBSD and Darwin count all that
 * the buffer holds (soo_ioctl()). */
CASE(fionread_tells_of_the_first_datagram, EACH(inet_datagram), BEHAVIOUR("N6"),
     ABOUT("UDP", "FIONREAD"))
{
    int size = 0;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "ab", 2, 0));
    NEED((int)send(pair.mine, "cde", 3, 0));
    SUCCEEDS(ioctl(pair.peer, FIONREAD, &size));
    IS(size, 2);
}

/* --- truncation ----------------------------------------------------------------------------------
 */

/* A read without room for all gives what there is room for, and the rest is lost.
 *
 * POSIX.1-2024 recv() (excess bytes shall be discarded). */
CASE(the_rest_of_a_datagram_is_lost, EACH(datagram), BEHAVIOUR("N9"), ABOUT("UDP", "recv"))
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

/* recvmsg() tells of the loss by MSG_TRUNC.
 *
 * POSIX.1-2024 recvmsg() (MSG_TRUNC). */
CASE(msg_trunc_tells_of_the_loss, EACH(datagram), BEHAVIOUR("N9"), ABOUT("UDP", "MSG_TRUNC"))
{
    struct message message;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "abc", 3, 0));
    message_takes(&message, 0);
    message.part.iov_len = 1;
    GIVES(recvmsg(pair.peer, &message.header, 0), 1);
    IS(message.header.msg_flags, MSG_TRUNC);
}

/* And does not where all had room.
 *
 * POSIX.1-2024 recvmsg() (MSG_TRUNC). */
CASE(no_msg_trunc_where_nothing_is_lost, EACH(datagram), BEHAVIOUR("N9"), ABOUT("UDP", "MSG_TRUNC"))
{
    struct message message;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "abc", 3, 0));
    message_takes(&message, 0);
    message.part.iov_len = 3;
    GIVES(recvmsg(pair.peer, &message.header, 0), 3);
    IS(message.header.msg_flags, 0);
}

/* Asked for MSG_TRUNC, recv() gives the datagram's own length.
 *
 * recv(2) (MSG_TRUNC); Linux net/ipv4/udp.c udp_recvmsg(), net/unix/af_unix.c. */
CASE(recv_with_msg_trunc_gives_the_whole_length, EACH(datagram), BEHAVIOUR("N9"),
     ABOUT("UDP", "MSG_TRUNC", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "abc", 3, 0));
    GIVES(recv(pair.peer, &byte, 1, MSG_TRUNC), 3);
}

/* With MSG_PEEK that tells what room the next read needs, and takes nothing.
 *
 * recv(2) (MSG_TRUNC, MSG_PEEK). */
CASE(peeking_tells_the_length_and_takes_nothing, EACH(datagram), BEHAVIOUR("N9", "Q1"),
     ABOUT("UDP", "MSG_TRUNC", "MSG_PEEK"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "abc", 3, 0));
    GIVES(recv(pair.peer, NULL, 0, MSG_PEEK | MSG_TRUNC), 3);
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 3);
}

/* --- no bytes ------------------------------------------------------------------------------------
 */

/* A datagram of no bytes reads as 0, which is no end: the next one follows.
 *
 * RFC 768 (a length of 8); recv(2): "Datagram sockets in various domains permit zero-length
 * datagrams." */
CASE(a_datagram_of_no_bytes_is_no_end, EACH(datagram), BEHAVIOUR("N5"), ABOUT("UDP", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "", 0, 0));
    NEED((int)send(pair.mine, "x", 1, 0));
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 0);
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 1);
}

/* A write() of no bytes sends one.
 *
 * POSIX.1-2024 write() (of 0 bytes: unspecified but for files); Linux net/socket.c
 * sock_write_iter(). */
CASE(a_write_of_no_bytes_sends_a_datagram, EACH(datagram), BEHAVIOUR("N5", "Q8"),
     ABOUT("UDP", "write"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(write(pair.mine, "", 0), 0);
    EVENTS_ARE(events_now(pair.peer, POLLIN), POLLIN);
}

/* A read() of no bytes leaves a datagram where it is.
 *
 * Linux net/socket.c sock_read_iter() ("Match SYS5 behaviour"). */
CASE(a_read_of_no_bytes_takes_no_datagram, EACH(datagram), BEHAVIOUR("N5", "Q8"),
     ABOUT("UDP", "read"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, 0));
    GIVES(read(pair.peer, bytes, 0), 0);
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), 1);
}

/* A recv() of no bytes takes it away.
 *
 * POSIX.1-2024 recv() (excess bytes shall be discarded); recv(2) (zero-length). */
CASE(a_recv_of_no_bytes_takes_a_datagram, EACH(datagram), BEHAVIOUR("N5", "Q8"),
     ABOUT("UDP", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, 0));
    GIVES(recv(pair.peer, bytes, 0, 0), 0);
    FAILS(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), EAGAIN);
}

/* --- sizes ---------------------------------------------------------------------------------------
 */

/* IPv4's length counts its header; IPv6's does not. */
static KINDS(largest, KIND("IPv4", .family = AF_INET, .type = SOCK_DGRAM, .value = 65535 - 20 - 8),
             KIND("IPv6", .family = AF_INET6, .type = SOCK_DGRAM, .value = 65535 - 8));

/* The largest datagram is what a length of 16 bits leaves beside the headers: it is sent, and
 * arrives whole.
 *
 * RFC 768, RFC 791 §3.1 (Total Length), RFC 8200 §3 (Payload Length). Darwin's limit is
 * net.inet.udp.maxdgram, 9216. */
CASE(the_largest_datagram_arrives, EACH(largest), BEHAVIOUR("N4"), ABOUT("UDP", "send"))
{
    static char bytes[1 << 16];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(send(pair.mine, bytes, (size_t)kind->value, 0),
          ON(LINUX(kind->value), DARWIN(-EMSGSIZE)));
    GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT),
          ON(LINUX(kind->value), DARWIN(-EAGAIN)));
}

/* A byte more says EMSGSIZE, and nothing is sent.
 *
 * POSIX.1-2024 send() [EMSGSIZE]; Linux net/ipv4/udp.c udp_sendmsg(), net/ipv6/ip6_output.c
 * __ip6_append_data(). */
CASE(a_larger_datagram_is_emsgsize, EACH(largest), BEHAVIOUR("N4"), ABOUT("UDP", "EMSGSIZE"))
{
    static char bytes[1 << 16];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(send(pair.mine, bytes, (size_t)kind->value + 1, 0), EMSGSIZE);
    EVENTS_ARE(events_now(pair.peer, POLLIN), 0);
}

/* --- the receive buffer --------------------------------------------------------------------------
 */

/* The buffer takes what it has room for; the sender of the rest is told of success. */
static int overflow(const struct pair *pair)
{
    enum { MANY = 200 };

    if (set_option(pair->peer, SOL_SOCKET, SO_RCVBUF, 4096) < 0)
        return -1;
    for (int i = 0; i < MANY; i++) {
        const char number = (char)i;

        if (send(pair->mine, &number, 1, 0) != 1)
            return -1;
    }
    return MANY;
}

/* What a full receive buffer has no room for is lost, while each send succeeds.
 *
 * RFC 768 promises nothing; udp(7); Linux net/ipv4/udp.c __udp_enqueue_schedule_skb(). */
CASE(a_full_receive_buffer_loses_datagrams, EACH(inet_datagram), BEHAVIOUR("N11"),
     ABOUT("UDP", "SO_RCVBUF"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    const int sent = SUCCEEDS(overflow(&pair)), received = NEED(drain(pair.peer));
    IS(received > 0 && received < sent, true);
}

/* It is the last that are lost: what is read are the first, in order.
 *
 * Linux net/ipv4/udp.c __udp_enqueue_schedule_skb(), which drops what arrives. */
CASE(the_last_datagrams_are_lost, EACH(inet_datagram), BEHAVIOUR("N11"), ABOUT("UDP", "SO_RCVBUF"))
{
    char number;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    const int sent = NEED(overflow(&pair));
    int next = 0;
    ssize_t received;
    while ((received = recv(pair.peer, &number, 1, MSG_DONTWAIT)) == 1)
        IS(number, (char)next++);
    GIVEN(received < 0 && errno == EAGAIN);
    IS(next < sent, true);
}

/* SO_RXQ_OVFL has the next datagram tell how many were lost.
 *
 * socket(7) (SO_RXQ_OVFL); Linux net/socket.c sock_recv_drops(). */
CASE(so_rxq_ovfl_counts_what_was_lost, EACH(inet_datagram), BEHAVIOUR("N11"),
     ABOUT("UDP", "SO_RXQ_OVFL"))
{
    uint32_t lost = 0;
    size_t size = 0;
    struct message message;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.peer, SOL_SOCKET, SO_RXQ_OVFL, 1));
    const int sent = NEED(overflow(&pair)), received = NEED(drain(pair.peer));
    NEED((int)send(pair.mine, "x", 1, 0));
    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(pair.peer, &message.header, MSG_DONTWAIT));
    const void *data = message_has(&message, SOL_SOCKET, SO_RXQ_OVFL, &size);
    IS(size, sizeof lost);
    memcpy(&lost, data, sizeof lost);
    IS(lost, sent - received);
}

/* --- no destination ------------------------------------------------------------------------------
 */

/* A send without address or peer says EDESTADDRREQ; a UNIX socket says ENOTCONN.
 *
 * POSIX.1-2024 send() [EDESTADDRREQ], [ENOTCONN]; Linux net/ipv4/udp.c udp_sendmsg(),
 * net/unix/af_unix.c unix_dgram_sendmsg(). */
CASE(a_datagram_needs_a_destination, EACH(datagram), BEHAVIOUR("N7"),
     ABOUT("UDP", "EDESTADDRREQ", "ENOTCONN", "send"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(send(fd, "x", 1, 0), kind->family == AF_UNIX ? ENOTCONN : EDESTADDRREQ);
}

/* So does write(), which cannot say one.
 *
 * POSIX.1-2024 write() (as send() without flags). */
CASE(a_written_datagram_needs_a_peer, EACH(datagram), BEHAVIOUR("N7"),
     ABOUT("UDP", "EDESTADDRREQ", "ENOTCONN", "write"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(write(fd, "x", 1), kind->family == AF_UNIX ? ENOTCONN : EDESTADDRREQ);
}

/* getpeername() says ENOTCONN.
 *
 * POSIX.1-2024 getpeername() [ENOTCONN]. */
CASE(a_socket_without_a_peer_names_none, EACH(datagram), BEHAVIOUR("N7", "U4"),
     ABOUT("UDP", "ENOTCONN", "getpeername"))
{
    struct address peer;
    const int fd = NEED(bound_socket(kind));

    FAILS(peer_address(fd, &peer), ENOTCONN);
}

/* A datagram to port 0 says EINVAL.
 *
 * RFC 768 (0: no port); Linux net/ipv4/udp.c udp_sendmsg(), net/ipv6/udp.c udpv6_sendmsg(). */
CASE(a_datagram_to_port_0_is_refused, EACH(inet_datagram), BEHAVIOUR("N7", "V8"),
     ABOUT("UDP", "EINVAL", "sendto"))
{
    const struct address nowhere = loopback(kind, 0);
    const int fd = NEED(new_socket(kind));

    FAILS(sendto(fd, "x", 1, 0, &nowhere.any, nowhere.length), EINVAL);
}
