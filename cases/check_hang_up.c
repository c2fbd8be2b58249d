#include "case.h"
#include "sockets.h"

#include <poll.h>

/* What select, poll and epoll tell at once of a connection that has ended in part or in whole; see
 * check_readiness.c. */
enum { BOTH = POLLIN | POLLOUT };

/* Those that have a word for each event: to select a hang-up is but readable. */
static KINDS(naming, KIND("poll", .poller = &by_poll), KIND("epoll", .poller = &by_epoll));

static int told(const struct kind *kind, int descriptor)
{
    return kind->poller->wait(descriptor, BOTH, 0);
}

/* --- the end of one direction --------------------------------------------------------------------
 */

/* When the peer has shut its side down the connection is readable, writable still, not hung up.
 *
 * POSIX.1-2024 shutdown(), poll(); RFC 9293 §3.6; Linux tcp_poll(), unix_poll() (RCV_SHUTDOWN).
 * Darwin tells POLLHUP in place of POLLOUT (xnu sopoll()). */
CASE(an_end_of_file_is_readable, EACH(connected, pollers), BEHAVIOUR("K1"), ABOUT("FIN", "POLLIN"))
{
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    EVENTS_ARE(told(kind, pair.mine),
               ON(LINUX(BOTH), DARWIN(told_by(kind->poller, POLLIN | POLLHUP))));
}

/* Who asks for POLLRDHUP is told that the peer has shut down, beside that it is readable.
 *
 * poll(2), epoll_ctl(2) (EPOLLRDHUP); Linux tcp_poll(), unix_poll(). */
CASE(an_end_of_file_is_rdhup_if_asked_for, EACH(connected, naming), BEHAVIOUR("K1"),
     ABOUT("POLLRDHUP", "FIN"))
{
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLIN | POLLRDHUP, 0), POLLIN | POLLRDHUP);
}

/* Data before the end are no POLLRDHUP.
 *
 * poll(2) (POLLRDHUP); Linux tcp_poll(), unix_poll(): it is RCV_SHUTDOWN alone. */
CASE(data_are_no_rdhup, EACH(connected, naming), BEHAVIOUR("K1"), ABOUT("POLLRDHUP"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLIN | POLLRDHUP, 0), POLLIN);
}

/* Who has shut down writing is told writable still: a write would not block, it says EPIPE.
 *
 * POSIX.1-2024 select() (ready: would not block, though it may fail); Linux tcp_poll()
 * (SEND_SHUTDOWN: EPOLLOUT), unix_poll(). */
CASE(after_shut_wr_it_is_writable, EACH(connected, pollers), BEHAVIOUR("K2"),
     ABOUT("SHUT_WR", "POLLOUT"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* It is so too when nothing more would fit: the full buffer counts no more.
 *
 * Linux net/ipv4/tcp.c tcp_poll() (SEND_SHUTDOWN comes before the buffer's room). A UNIX socket,
 * whose unix_poll() does not look at SEND_SHUTDOWN, is not writable. */
CASE(after_shut_wr_a_full_connection_is_writable, EACH(inet_stream, pollers), BEHAVIOUR("K2", "K6"),
     ABOUT("SHUT_WR", "POLLOUT"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    GIVEN(told(kind, pair.mine) == 0);
    NEED(shutdown(pair.mine, SHUT_WR));
    EVENTS_ARE(told(kind, pair.mine), POLLOUT);
}

/* Who has shut down reading is told readable, though the peer may write.
 *
 * POSIX.1-2024 shutdown() (SHUT_RD), select(); Linux tcp_poll(), datagram_poll(), unix_poll()
 * (RCV_SHUTDOWN). */
CASE(after_shut_rd_it_is_readable, EACH(every_socket, pollers), BEHAVIOUR("K2"),
     ABOUT("SHUT_RD", "POLLIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RD));
    EVENTS_ARE(told(kind, pair.mine), BOTH);
}

/* --- the end of both -----------------------------------------------------------------------------
 */

/* When each side has shut its own down the connection is hung up.
 *
 * POSIX.1-2024 poll() (POLLHUP); Linux tcp_poll(), unix_poll() (SHUTDOWN_MASK). It tells POLLOUT
 * too, which POSIX says POLLHUP excludes. */
CASE(both_directions_closed_are_a_hang_up, EACH(connected, naming), BEHAVIOUR("K2"),
     ABOUT("POLLHUP", "FIN"))
{
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    EVENTS_ARE(told(kind, pair.mine), BOTH | POLLHUP);
}

/* Who has shut down both is told a hang-up at once, though the peer has not closed.
 *
 * Linux tcp_poll(), datagram_poll(), unix_poll(), unix_dgram_poll(): it is this side's
 * SHUTDOWN_MASK that counts. */
CASE(after_shut_rdwr_it_is_hung_up, EACH(every_socket, naming), BEHAVIOUR("K2"),
     ABOUT("SHUT_RDWR", "POLLHUP"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RDWR));
    EVENTS_ARE(told(kind, pair.mine), BOTH | POLLHUP);
}

/* close() of the peer is but an end of file on TCP: its FIN says no more than a shutdown's.
 *
 * RFC 9293 §3.6; Linux tcp_poll(). Darwin tells POLLHUP (xnu sopoll()). */
CASE(a_closed_peer_is_no_hang_up, EACH(inet_stream, naming), BEHAVIOUR("K2"),
     ABOUT("FIN", "POLLHUP", "close"))
{
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    EVENTS_ARE(told(kind, pair.mine), ON(LINUX(BOTH), DARWIN(POLLIN | POLLHUP)));
}

/* On a UNIX socket close() of the peer is a hang-up: it ends both directions.
 *
 * Linux net/unix/af_unix.c unix_release_sock() (the peer's sk_shutdown becomes SHUTDOWN_MASK). */
CASE(a_closed_unix_peer_is_a_hang_up, EACH(unix_connected, naming), BEHAVIOUR("K2"),
     ABOUT("POLLHUP", "close"))
{
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    EVENTS_ARE(told(kind, pair.mine), BOTH | POLLHUP);
}

/* --- reset ---------------------------------------------------------------------------------------
 */

/* After a reset the connection is hung up and in error, and ready for all.
 *
 * POSIX.1-2024 poll() (POLLERR, POLLHUP); Linux net/ipv4/tcp_input.c tcp_reset(),
 * net/unix/af_unix.c unix_release_sock(). FreeBSD tells no POLLERR (sopoll_generic()). */
CASE(a_reset_is_an_error_and_a_hang_up, EACH(connected, pollers), BEHAVIOUR("K3"),
     ABOUT("RST", "POLLERR", "POLLHUP"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    EVENTS_ARE(told(kind, pair.mine), ON(LINUX(told_by(kind->poller, BOTH | POLLHUP | POLLERR)),
                                         FREEBSD(told_by(kind->poller, BOTH | POLLHUP))));
}

/* Reading SO_ERROR takes the POLLERR away, and leaves the hang-up.
 *
 * POSIX.1-2024 getsockopt() (SO_ERROR clears); Linux net/core/sock.c sock_error(), tcp_poll() (it
 * tells sk_err). */
CASE(so_error_takes_the_error_away, EACH(connected, naming), BEHAVIOUR("K3", "U1"),
     ABOUT("SO_ERROR", "POLLERR"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    NEED(so_error(pair.mine));
    EVENTS_ARE(told(kind, pair.mine), BOTH | POLLHUP);
}

/* An ICMP error that waits on a UDP socket is told as POLLERR, and nothing is hung up.
 *
 * POSIX.1-2024 poll() (POLLERR); RFC 1122 §4.1.3.3; Linux net/ipv4/udp.c __udp4_lib_err(),
 * datagram_poll(). */
CASE(a_refused_datagram_is_an_error, EACH(inet_datagram, pollers), BEHAVIOUR("K3"),
     ABOUT("ECONNREFUSED", "POLLERR", "UDP"))
{
    const struct address nobody = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(connect(fd, &nobody.any, nobody.length));
    NEED(send(fd, "x", 1, 0));
    EVENTS_ARE(told(kind, fd), told_by(kind->poller, POLLOUT | POLLERR));
}
