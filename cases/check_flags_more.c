#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <poll.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 4 };

/* --- MSG_WAITALL ---------------------------------------------------------------------------------
 */

/* Another process says "cd" as soon as "ab" has been taken: it has the reader's end as well, and
 * sees it empty. */
static int answer_when_taken(const struct pair *pair)
{
    const pid_t process = fork();
    int events;

    if (process != 0)
        return process;
    alarm(PATIENCE_S);
    while ((events = events_now(pair->mine, POLLIN)) & POLLIN && events > 0)
        sched_yield();
    _exit(events < 0 || send(pair->peer, "cd", 2, 0) != 2);
}

/* With MSG_WAITALL a read waits till it has all that it asked for.
 *
 * POSIX.1-2024 recv() (MSG_WAITALL); Linux net/ipv4/tcp.c tcp_recvmsg_locked(), net/unix/af_unix.c
 * unix_stream_read_generic(). */
CASE(msg_waitall_waits_for_all, EACH(stream), BEHAVIOUR("Q3"), ABOUT("MSG_WAITALL", "recv"))
{
    char bytes[4];
    struct pair pair;
    int child, status;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, 0));
    child = NEED(answer_when_taken(&pair));
    GIVES(recv(pair.mine, bytes, 4, MSG_WAITALL), 4);
    BYTES_ARE(bytes, 4, "abcd");
    GIVEN(waitpid(child, &status, 0) == child && status == 0);
}

/* The end of file ends the waiting: a part is given.
 *
 * POSIX.1-2024 recv() (MSG_WAITALL: may return less if the connection is terminated). */
CASE(msg_waitall_ends_with_the_stream, EACH(stream), BEHAVIOUR("Q3"), ABOUT("MSG_WAITALL", "FIN"))
{
    char bytes[4];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, 0));
    NEED(shutdown(pair.peer, SHUT_WR));
    GIVES(recv(pair.mine, bytes, 4, MSG_WAITALL), 2);
}

static KINDS(impatient, KIND("MSG_DONTWAIT", .value = MSG_DONTWAIT),
             KIND("O_NONBLOCK", .nonblocking = true));

/* Who may not wait is given what is there.
 *
 * POSIX.1-2024 recv() (O_NONBLOCK); Linux net/ipv4/tcp.c tcp_recvmsg_locked(),
 * net/unix/af_unix.c unix_stream_read_generic(). */
CASE(msg_waitall_does_not_make_one_wait, EACH(stream, impatient), BEHAVIOUR("Q3"),
     ABOUT("MSG_WAITALL", "MSG_DONTWAIT"))
{
    char bytes[4];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, 0));
    GIVES(recv(pair.mine, bytes, 4, MSG_WAITALL | kind->value), 2);
}

/* When SO_RCVTIMEO is over a part is given.
 *
 * POSIX.1-2024 <sys/socket.h> (SO_RCVTIMEO: a partial count); socket(7). */
CASE(msg_waitall_gives_a_part_when_time_is_over, EACH(stream), WAITS, BEHAVIOUR("Q3", "R3"),
     ABOUT("MSG_WAITALL", "SO_RCVTIMEO"))
{
    char bytes[4];
    struct pair pair;
    const struct timeval limit = {.tv_usec = 50000};

    NEED(connected_pair(kind, &pair));
    NEED(setsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    NEED((int)send(pair.peer, "ab", 2, 0));
    GIVES(recv(pair.mine, bytes, 4, MSG_WAITALL), 2);
}

/* Datagrams are not joined by it.
 *
 * recv(2) (MSG_WAITALL has no effect for datagram sockets). */
CASE(msg_waitall_joins_no_datagrams, EACH(datagram), BEHAVIOUR("Q3"), ABOUT("MSG_WAITALL", "UDP"))
{
    char bytes[4];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, 0));
    NEED((int)send(pair.peer, "cd", 2, 0));
    GIVES(recv(pair.mine, bytes, 4, MSG_WAITALL), 2);
}

/* --- MSG_MORE ------------------------------------------------------------------------------------
 */

/* With MSG_MORE a datagram is sent only when a send comes without it: one, of all parts.
 *
 * udp(7) (UDP_CORK), send(2) (MSG_MORE); Linux net/ipv4/udp.c udp_sendmsg(). */
CASE(msg_more_gathers_one_datagram, EACH(inet_datagram), BEHAVIOUR("Q6"), ABOUT("MSG_MORE", "UDP"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(send(pair.peer, "ab", 2, MSG_MORE), 2);
    GIVES(send(pair.peer, "cd", 2, MSG_MORE), 2);
    EVENTS_ARE(events_now(pair.mine, POLLIN), 0);
    GIVES(send(pair.peer, "e", 1, 0), 1);
    GIVES(recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), 5);
    BYTES_ARE(bytes, 5, "abcde");
}

/* What was gathered and never sent is lost with the socket.
 *
 * Linux net/ipv4/udp.c udp_destroy_sock() (udp_flush_pending_frames()). */
CASE(msg_more_without_an_end_sends_nothing, EACH(inet_datagram), BEHAVIOUR("Q6"),
     ABOUT("MSG_MORE", "UDP", "close"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, MSG_MORE));
    NEED(close(pair.peer));
    FAILS(recv(pair.mine, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

/* On TCP what MSG_MORE holds back is sent after some time all the same.
 *
 * tcp(7) (TCP_CORK: 200 ms); Linux net/ipv4/tcp_output.c tcp_send_probe0(). */
CASE(tcp_sends_what_msg_more_held_back, EACH(inet_stream), WAITS, DEADLINE(10), BEHAVIOUR("Q6"),
     ABOUT("MSG_MORE", "send"))
{
    char bytes[4];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "ab", 2, MSG_MORE));
    GIVES(await_events(pair.mine, POLLIN), POLLIN);
    GIVES(recv(pair.mine, bytes, sizeof bytes, 0), 2);
}

/* --- EFAULT --------------------------------------------------------------------------------------
 */

/* Bytes that could not be told are still in a stream; a record is gone.
 *
 * Linux net/ipv4/tcp.c tcp_recvmsg_locked(), net/unix/af_unix.c unix_stream_read_generic(); of
 * datagrams net/ipv4/udp.c udp_recvmsg(), net/unix/af_unix.c __unix_dgram_recvmsg(). */
CASE(a_failed_read_loses_a_record_and_no_stream, EACH(every_socket), BEHAVIOUR("Q9"),
     ABOUT("EFAULT", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    GIVEN(recv(pair.mine, unreadable(), 1, 0) < 0 && errno == EFAULT);
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), kind->type == SOCK_STREAM ? 1 : -EAGAIN);
}

/* recvmsg() and sendmsg() say it of a header that is nowhere.
 *
 * recvmsg(2), sendmsg(2) [EFAULT]. */
CASE(a_header_from_nowhere_is_efault, EACH(every_socket), BEHAVIOUR("Q9", "V8", "V9"),
     ABOUT("EFAULT", "sendmsg", "recvmsg"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendmsg(pair.mine, unreadable(), 0), EFAULT);
    FAILS(recvmsg(pair.mine, unreadable(), MSG_DONTWAIT), EFAULT);
}
