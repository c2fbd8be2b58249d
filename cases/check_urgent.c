#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The peer has sent "abC" and then "de", of which C is urgent, and all has arrived. */
static int told_urgently(const struct kind *kind, struct pair *pair)
{
    if (connected_pair(kind, pair) < 0 || send(pair->peer, "abC", 3, MSG_OOB) != 3 ||
        send(pair->peer, "de", 2, 0) != 2)
        return -1;
    return await_events(pair->mine, POLLPRI) < 0 ? -1 : 0;
}

static int urgent_inline(int fd)
{
    return set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

/* --- one byte ------------------------------------------------------------------------------------
 */

/* Of what is sent with MSG_OOB the last byte is urgent, and it alone: MSG_OOB reads that.
 *
 * POSIX.1-2024 recv() (MSG_OOB), XSH 2.10.12 (Socket Out-of-Band Data); RFC 6093 §3.2; tcp(7). */
CASE(the_last_byte_is_urgent, EACH(inet_stream), BEHAVIOUR("P1"), ABOUT("MSG_OOB", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_OOB), 1);
    BYTES_ARE(bytes, 1, "C");
}

/* It is not among what a plain read gives.
 *
 * XSH 2.10.12; tcp(7) (SO_OOBINLINE is off). */
CASE(a_plain_read_gives_no_urgent_byte, EACH(inet_stream), BEHAVIOUR("P1"),
     ABOUT("MSG_OOB", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    const int before = NEED((int)recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT));
    const int after = NEED((int)recv(pair.mine, bytes + before, 4, MSG_DONTWAIT));
    BYTES_ARE(bytes, before + after, "abde");
}

/* It can be read out of order: before what was sent earlier.
 *
 * XSH 2.10.12; Linux net/ipv4/tcp.c tcp_recv_urg(). */
CASE(the_urgent_byte_overtakes, EACH(inet_stream), BEHAVIOUR("P1"), ABOUT("MSG_OOB", "recv"))
{
    char urgent, bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVES(recv(pair.mine, &urgent, 1, MSG_OOB), 1);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
    BYTES_ARE(bytes, 2, "ab");
}

/* It is lost when what was sent after it is read first.
 *
 * Linux net/ipv4/tcp.c tcp_recvmsg_locked(): urg_data is cleared when copied_seq goes past it. */
CASE(reading_past_the_mark_loses_the_urgent_byte, EACH(inet_stream), BEHAVIOUR("P1", "P6"),
     ABOUT("MSG_OOB", "EINVAL"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVEN(drain(pair.mine) == 4);
    FAILS(recv(pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

/* It is there after the peer's FIN.
 *
 * Linux net/ipv4/tcp.c tcp_recv_urg(). */
CASE(the_urgent_byte_outlives_the_fin, EACH(inet_stream), BEHAVIOUR("P1"), ABOUT("MSG_OOB", "FIN"))
{
    char byte = 0;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED(close(pair.peer));
    GIVEN(NEED(events_now(pair.mine, POLLRDHUP)) & POLLRDHUP);
    GIVES(recv(pair.mine, &byte, 1, MSG_OOB), 1);
    BYTES_ARE(&byte, 1, "C");
}

/* MSG_PEEK leaves it where it is.
 *
 * POSIX.1-2024 recv() (MSG_PEEK); Linux net/ipv4/tcp.c tcp_recv_urg(). */
CASE(peeking_leaves_the_urgent_byte, EACH(inet_stream), BEHAVIOUR("P1", "Q1"),
     ABOUT("MSG_OOB", "MSG_PEEK"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVES(recv(pair.mine, &byte, 1, MSG_OOB | MSG_PEEK), 1);
    GIVES(recv(pair.mine, &byte, 1, MSG_OOB), 1);
}

/* A send of no bytes makes none urgent.
 *
 * Linux net/ipv4/tcp_output.c tcp_push() marks what was queued. */
CASE(nothing_sent_is_nothing_urgent, EACH(inet_stream), BEHAVIOUR("P1", "Q8"),
     ABOUT("MSG_OOB", "send"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(send(pair.peer, "", 0, MSG_OOB), 0);
    FAILS(recv(pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

/* --- the mark ------------------------------------------------------------------------------------
 */

static KINDS(places, KIND("before", .value = 0), KIND("there", .value = 2),
             KIND("after", .value = 3));

/* sockatmark() says 1 when all has been read that came before the urgent byte, and 0 else.
 *
 * POSIX.1-2024 sockatmark(); Linux net/ipv4/tcp.c tcp_ioctl() (SIOCATMARK). */
CASE(sockatmark_tells_where_the_mark_is, EACH(inet_stream, places), BEHAVIOUR("P2"),
     ABOUT("sockatmark", "MSG_OOB"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    for (int i = 0; i < kind->value; i++)
        NEED((int)recv(pair.mine, &byte, 1, 0));
    GIVES(sockatmark(pair.mine), kind->value == 2);
}

/* Reading the urgent byte by MSG_OOB does not move the mark.
 *
 * POSIX.1-2024 sockatmark(); Linux net/ipv4/tcp.c tcp_ioctl(): urg_data is TCP_URG_READ. */
CASE(reading_out_of_band_leaves_the_mark, EACH(inet_stream), BEHAVIOUR("P2"),
     ABOUT("sockatmark", "MSG_OOB"))
{
    char byte, bytes[2];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED((int)recv(pair.mine, &byte, 1, MSG_OOB));
    NEED((int)recv(pair.mine, bytes, sizeof bytes, 0));
    GIVES(sockatmark(pair.mine), 1);
}

/* A read stops at the mark, though there is room and more has come.
 *
 * POSIX.1-2024 recv(), XSH 2.10.12; tcp(7); Linux net/ipv4/tcp.c tcp_recvmsg_locked(). */
CASE(a_read_stops_at_the_mark, EACH(inet_stream), BEHAVIOUR("P4"), ABOUT("MSG_OOB", "recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
    BYTES_ARE(bytes, 2, "de");
}

static KINDS(eager, KIND("MSG_WAITALL", .value = MSG_WAITALL), KIND("MSG_PEEK", .value = MSG_PEEK));

/* So does one with MSG_WAITALL, which wants all, and one that looks ahead.
 *
 * Linux net/ipv4/tcp.c tcp_recvmsg_locked(). */
CASE(even_an_eager_read_stops_at_the_mark, EACH(inet_stream, eager), BEHAVIOUR("P4", "Q3"),
     ABOUT("MSG_OOB", "MSG_WAITALL", "MSG_PEEK"))
{
    char bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    GIVES(recv(pair.mine, bytes, 4, kind->value), 2);
}

/* FIONREAD counts what comes before the mark only.
 *
 * tcp(7) (SIOCINQ); Linux net/ipv4/tcp.c tcp_inq(). */
CASE(fionread_counts_up_to_the_mark, EACH(inet_stream), BEHAVIOUR("P4", "S6"),
     ABOUT("MSG_OOB", "FIONREAD"))
{
    int count = -1;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    SUCCEEDS(ioctl(pair.mine, FIONREAD, &count));
    IS(count, 2);
}

/* --- in line -------------------------------------------------------------------------------------
 */

/* With SO_OOBINLINE the urgent byte is read in its place: first of what follows the mark.
 *
 * POSIX.1-2024 <sys/socket.h> (SO_OOBINLINE); tcp(7). */
CASE(so_oobinline_leaves_the_byte_in_its_place, EACH(inet_stream), BEHAVIOUR("P3"),
     ABOUT("SO_OOBINLINE", "MSG_OOB"))
{
    char bytes[8];
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED(urgent_inline(pair.mine));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 3);
    BYTES_ARE(bytes, 3, "Cde");
}

/* Then MSG_OOB reads none: EINVAL.
 *
 * tcp(7); Linux net/ipv4/tcp.c tcp_recv_urg(). */
CASE(so_oobinline_leaves_nothing_out_of_band, EACH(inet_stream), BEHAVIOUR("P3", "P6"),
     ABOUT("SO_OOBINLINE", "MSG_OOB", "EINVAL"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED(urgent_inline(pair.mine));
    FAILS(recv(pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

/* The mark is there as without it.
 *
 * POSIX.1-2024 sockatmark(). */
CASE(so_oobinline_keeps_the_mark, EACH(inet_stream, places), BEHAVIOUR("P3", "P2"),
     ABOUT("SO_OOBINLINE", "sockatmark"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED(urgent_inline(pair.mine));
    for (int i = 0; i < kind->value; i++)
        NEED((int)recv(pair.mine, &byte, 1, 0));
    GIVES(sockatmark(pair.mine), kind->value == 2);
}

/* --- a second one --------------------------------------------------------------------------------
 */

static int urge(const struct pair *pair, const char *text)
{
    return (int)send(pair->peer, text, strlen(text), MSG_OOB);
}

/* A second urgent byte replaces the first: MSG_OOB reads the second.
 *
 * RFC 6093 §3.3 (one urgent mark); Linux net/ipv4/tcp_input.c tcp_check_urg(). */
CASE(a_second_urgent_byte_replaces_the_first, EACH(inet_stream), BEHAVIOUR("P5"), ABOUT("MSG_OOB"))
{
    char byte = 0;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(urge(&pair, "xA"));
    NEED(urge(&pair, "yB"));
    GIVES(recv(pair.mine, &byte, 1, MSG_OOB), 1);
    BYTES_ARE(&byte, 1, "B");
}

/* The first is then an ordinary byte of the stream.
 *
 * Linux net/ipv4/tcp_input.c tcp_check_urg(). */
CASE(a_replaced_urgent_byte_is_an_ordinary_one, EACH(inet_stream), BEHAVIOUR("P5"),
     ABOUT("MSG_OOB"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(urge(&pair, "xA"));
    NEED(urge(&pair, "yB"));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 3);
    BYTES_ARE(bytes, 3, "xAy");
}

/* Unless it was the next to be read: then it is lost.
 *
 * Linux net/ipv4/tcp_input.c tcp_check_urg(): copied_seq goes past an old mark that it is at. */
CASE(an_urgent_byte_that_was_next_is_lost, EACH(inet_stream), BEHAVIOUR("P5"), ABOUT("MSG_OOB"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(urge(&pair, "A"));
    NEED(urge(&pair, "yB"));
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 1);
    BYTES_ARE(bytes, 1, "y");
}

/* --- none ----------------------------------------------------------------------------------------
 */

/* MSG_OOB says EINVAL where nothing urgent was sent.
 *
 * POSIX.1-2024 recv() [EINVAL] (no out-of-band data is available). */
CASE(none_is_einval, EACH(inet_stream, blocking_modes), BEHAVIOUR("P6"), ABOUT("MSG_OOB", "EINVAL"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    FAILS(recv(pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

/* And once it has been read.
 *
 * POSIX.1-2024 recv() [EINVAL]; Linux net/ipv4/tcp.c tcp_recv_urg() (TCP_URG_READ). */
CASE(a_read_urgent_byte_is_gone, EACH(inet_stream, blocking_modes), BEHAVIOUR("P6"),
     ABOUT("MSG_OOB", "EINVAL"))
{
    char byte;
    struct pair pair;

    NEED(told_urgently(kind, &pair));
    NEED((int)recv(pair.mine, &byte, 1, MSG_OOB));
    FAILS(recv(pair.mine, &byte, 1, MSG_OOB), EINVAL);
}

static KINDS(refusing, KIND("IPv4", .family = AF_INET, .type = SOCK_DGRAM),
             KIND("UNIX", .family = AF_UNIX, .type = SOCK_DGRAM));

/* Datagrams cannot be urgent: EOPNOTSUPP.
 *
 * POSIX.1-2024 send() [EOPNOTSUPP]; Linux net/ipv4/udp.c udp_sendmsg(), net/unix/af_unix.c
 * unix_dgram_sendmsg(). */
CASE(a_datagram_cannot_be_urgent, EACH(refusing), BEHAVIOUR("P6", "V8"),
     ABOUT("MSG_OOB", "EOPNOTSUPP"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(send(pair.mine, "x", 1, MSG_OOB), EOPNOTSUPP);
}

/* Over IPv6 Linux does not refuse it: it is a datagram like any other.
 *
 * Linux net/ipv6/udp.c udpv6_sendmsg(), which lacks the check of udp_sendmsg(). */
CASE(a_datagram_by_ipv6_is_sent_all_the_same, BEHAVIOUR("P6", "V8"), ABOUT("MSG_OOB", "UDP"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(&ipv6_datagram, &pair));
    GIVES(send(pair.mine, "x", 1, MSG_OOB), 1);
    GIVES(recv(pair.peer, &byte, 1, MSG_DONTWAIT), 1);
}
