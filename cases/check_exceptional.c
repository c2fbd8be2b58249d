#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <unistd.h>

/* What select, poll and epoll tell of urgent data, and of descriptors that are none. */
enum { BOTH = POLLIN | POLLOUT };

static int told(const struct kind *kind, int descriptor)
{
    return kind->poller->wait(descriptor, BOTH, 0);
}

/* --- urgent data ---------------------------------------------------------------------------------
 */

/* An urgent byte is told as POLLPRI, by select in its third set.
 *
 * POSIX.1-2024 poll() (POLLPRI), select() (exceptional: out-of-band data); Linux tcp_poll()
 * (TCP_URG_VALID). */
CASE(an_urgent_byte_is_pri, EACH(inet_stream, pollers), BEHAVIOUR("K14"),
     ABOUT("POLLPRI", "MSG_OOB"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "!", 1, MSG_OOB));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLPRI, 0), POLLPRI);
}

/* It alone makes the connection not readable: a read would wait.
 *
 * POSIX.1-2024 2.10.11 (out-of-band data are apart); Linux tcp_poll() (the target is one more at
 * urg_seq). */
CASE(an_urgent_byte_is_not_readable, EACH(inet_stream, pollers), BEHAVIOUR("K14"),
     ABOUT("POLLIN", "MSG_OOB"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "!", 1, MSG_OOB));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLIN | POLLPRI, 0), POLLPRI);
}

/* With SO_OOBINLINE it is readable too.
 *
 * POSIX.1-2024 2.10.16 (SO_OOBINLINE); Linux tcp_poll() (SOCK_URGINLINE). */
CASE(an_urgent_byte_in_line_is_readable, EACH(inet_stream, pollers), BEHAVIOUR("K14"),
     ABOUT("SO_OOBINLINE", "POLLPRI"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_OOBINLINE, 1));
    NEED(send(pair.peer, "!", 1, MSG_OOB));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLIN | POLLPRI, 0), POLLIN | POLLPRI);
}

/* Taking the urgent byte ends POLLPRI.
 *
 * POSIX.1-2024 recv() (MSG_OOB); Linux net/ipv4/tcp.c tcp_recv_urg() (TCP_URG_READ). */
CASE(taking_the_urgent_byte_ends_pri, EACH(inet_stream, pollers), BEHAVIOUR("K14"),
     ABOUT("POLLPRI", "MSG_OOB"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "!", 1, MSG_OOB));
    GIVEN(kind->poller->wait(pair.mine, POLLPRI, 0) == POLLPRI);
    NEED(recv(pair.mine, &byte, 1, MSG_OOB));
    EVENTS_ARE(kind->poller->wait(pair.mine, POLLPRI, 0), 0);
}

/* --- no socket at all ----------------------------------------------------------------------------
 */

/* A high one: the poller itself opens nothing there. */
static int closed_number(void)
{
    const int fd = NEED(fcntl(STDERR_FILENO, F_DUPFD, 100));

    NEED(close(fd));
    return fd;
}

/* A descriptor that is closed is POLLNVAL to poll.
 *
 * POSIX.1-2024 poll() (POLLNVAL); Linux fs/select.c do_pollfd(). */
CASE(a_closed_descriptor_is_nval_to_poll, BEHAVIOUR("K10"), ABOUT("POLLNVAL", "poll"))
{
    EVENTS_ARE(events_now(closed_number(), BOTH), POLLNVAL);
}

static KINDS(that_fail, KIND("select", .poller = &by_select), KIND("epoll", .poller = &by_epoll));

/* To select and epoll_ctl it is an error: EBADF.
 *
 * POSIX.1-2024 select() [EBADF]; epoll_ctl(2) EBADF; Linux fs/select.c max_select_fd(),
 * fs/eventpoll.c do_epoll_ctl(). */
CASE(a_closed_descriptor_is_refused, EACH(that_fail), BEHAVIOUR("K10"), ABOUT("EBADF"))
{
    FAILS(told(kind, closed_number()), EBADF);
}

/* poll tells of the others beside a bad one: POLLNVAL is no failure of the call.
 *
 * POSIX.1-2024 poll(); Linux fs/select.c do_poll(). */
CASE(poll_tells_of_the_others_beside_a_bad_one, EACH(every_socket), BEHAVIOUR("K10"),
     ABOUT("POLLNVAL", "poll"))
{
    struct pair pair;
    struct pollfd both[2] = {{.events = BOTH}, {.events = BOTH}};

    NEED(connected_pair(kind, &pair));
    both[0].fd = closed_number();
    both[1].fd = pair.mine;
    GIVES(poll(both, 2, 0), 2);
    EVENTS_ARE(both[0].revents, POLLNVAL);
    EVENTS_ARE(both[1].revents, POLLOUT);
}

/* poll passes a negative descriptor over: it is how an entry is taken out.
 *
 * POSIX.1-2024 poll() (fd less than 0: ignored, revents 0); Linux fs/select.c do_pollfd(). */
CASE(poll_passes_a_negative_descriptor_over, BEHAVIOUR("K10"), ABOUT("poll"))
{
    struct pollfd one = {.fd = -1, .events = BOTH, .revents = BOTH};

    GIVES(poll(&one, 1, 0), 0);
    EVENTS_ARE(one.revents, 0);
}
