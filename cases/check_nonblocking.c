#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Calls that would sleep: those that may not, and those that may for so long. */

/* --- not at all ----------------------------------------------------------------------------------
 */

/* recv() on a nonblocking socket that nothing has come to says EAGAIN.
 *
 * POSIX.1-2024 recv() [EAGAIN]; Linux tcp_recvmsg_locked(), __skb_recv_datagram(). */
CASE(nothing_to_read_is_eagain, EACH(every_socket), BEHAVIOUR("R1"), ABOUT("EAGAIN", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    FAILS(recv(pair.mine, &byte, 1, 0), EAGAIN);
    FAILS(read(pair.mine, &byte, 1), EAGAIN);
}

/* When all is read it says so again.
 *
 * POSIX.1-2024 recv() [EAGAIN]. */
CASE(after_all_is_read_it_is_eagain, EACH(every_socket), BEHAVIOUR("R1"), ABOUT("EAGAIN", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    NEED(send(pair.peer, "x", 1, 0));
    GIVES(recv(pair.mine, &byte, 1, 0), 1);
    FAILS(recv(pair.mine, &byte, 1, 0), EAGAIN);
}

/* It gives what is there, and does not wait for the rest.
 *
 * POSIX.1-2024 recv(); Linux tcp_recvmsg_locked(). */
CASE(a_nonblocking_read_gives_a_part, EACH(every_socket), BEHAVIOUR("R1"), ABOUT("recv"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    NEED(send(pair.peer, "two", 2, 0));
    BYTES_ARE(bytes, recv(pair.mine, bytes, sizeof bytes, 0), "tw");
}

/* The end of file is no EAGAIN: 0.
 *
 * POSIX.1-2024 recv() (orderly shutdown). */
CASE(the_end_of_file_is_no_eagain, EACH(connected), BEHAVIOUR("R1", "C1"), ABOUT("FIN", "recv"))
{
    char byte;
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
}

/* A nonblocking send() of more than there is room for takes a part.
 *
 * POSIX.1-2024 send(), write() (O_NONBLOCK: what can be); Linux tcp_sendmsg_locked(),
 * unix_stream_sendmsg(). */
CASE(a_nonblocking_send_takes_a_part, EACH(stream), BEHAVIOUR("R2"), ABOUT("send"))
{
    static const char much[16 << 20];
    struct pair pair;
    ssize_t taken;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    taken = SUCCEEDS((int)send(pair.mine, much, sizeof much, 0));
    IS(taken > 0 && taken < (ssize_t)sizeof much, true);
}

/* All that it took arrives.
 *
 * POSIX.1-2024 send(); RFC 9293 §3.8. */
CASE(the_part_that_was_taken_arrives, EACH(stream), BEHAVIOUR("R2"), ABOUT("send", "MSG_WAITALL"))
{
    static char much[16 << 20];
    struct pair pair;
    int taken;

    NEED(connected_pair(kind, &pair));
    NEED(nonblocking(pair.mine));
    taken = NEED((int)send(pair.mine, much, sizeof much, 0));
    GIVES(recv(pair.peer, much, (size_t)taken, MSG_WAITALL), taken);
    FAILS(recv(pair.peer, much, 1, MSG_DONTWAIT), EAGAIN);
}

/* When nothing fits it says EAGAIN.
 *
 * POSIX.1-2024 send() [EAGAIN]; Linux sk_stream_wait_memory(), sock_alloc_send_pskb(). */
CASE(a_send_that_does_not_fit_is_eagain, EACH(connected), BEHAVIOUR("R2"), ABOUT("EAGAIN", "send"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    FAILS(send(pair.mine, "x", 1, 0), EAGAIN);
}

/* ioctl(FIONBIO) makes a socket nonblocking, which fcntl() tells.
 *
 * ioctl(2); Linux fs/ioctl.c ioctl_fionbio(). */
CASE(fionbio_is_o_nonblock, EACH(every_socket), BEHAVIOUR("R6"), ABOUT("FIONBIO", "O_NONBLOCK"))
{
    int on = 1, off = 0;
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(ioctl(fd, FIONBIO, &on));
    IS((NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK) != 0, true);
    SUCCEEDS(ioctl(fd, FIONBIO, &off));
    IS((NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK) != 0, false);
}

/* After it recv() says EAGAIN.
 *
 * Linux fs/ioctl.c ioctl_fionbio(); POSIX.1-2024 recv() [EAGAIN]. */
CASE(fionbio_makes_recv_say_eagain, EACH(every_socket), BEHAVIOUR("R6"),
     ABOUT("FIONBIO", "EAGAIN", "recv"))
{
    int on = 1;
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(ioctl(pair.mine, FIONBIO, &on));
    FAILS(recv(pair.mine, &byte, 1, 0), EAGAIN);
}

/* It holds for every duplicate: the flag is the open file's.
 *
 * POSIX.1-2024 dup() (one open file description), fcntl() (F_SETFL). */
CASE(fionbio_holds_for_duplicates, EACH(every_socket), BEHAVIOUR("R6"), ABOUT("FIONBIO", "dup"))
{
    int on = 1, duplicate;
    const int fd = NEED(new_socket(kind));

    duplicate = NEED(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    NEED(ioctl(fd, FIONBIO, &on));
    IS((NEED(fcntl(duplicate, F_GETFL)) & O_NONBLOCK) != 0, true);
}

/* --- for so long ---------------------------------------------------------------------------------
 */

enum { WAIT_MS = 60 };
static const struct timeval wait_time = {.tv_usec = WAIT_MS * 1000L};

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* With SO_RCVTIMEO recv() says EAGAIN when the time is over, and not before.
 *
 * POSIX.1-2024 2.10.16 (SO_RCVTIMEO), recv() [EAGAIN]; Linux sock_rcvtimeo(). */
CASE(recv_says_eagain_when_its_time_is_over, EACH(every_socket), BEHAVIOUR("R3"),
     ABOUT("SO_RCVTIMEO", "EAGAIN", "recv"), WAITS)
{
    char byte;
    long start;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(setsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &wait_time, sizeof wait_time));
    start = now_ms();
    FAILS(recv(pair.mine, &byte, 1, 0), EAGAIN);
    IS(now_ms() - start >= WAIT_MS - 1, true);
}

/* accept() has it too. BSD's does not heed it.
 *
 * socket(7) (SO_RCVTIMEO); Linux inet_csk_accept(), unix_accept(). */
CASE(accept_says_eagain_when_its_time_is_over, EACH(connected), BEHAVIOUR("R3"),
     ABOUT("SO_RCVTIMEO", "EAGAIN", "accept"), WAITS)
{
    const int listener = NEED(listening_socket(kind));
    long start;

    NEED(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait_time, sizeof wait_time));
    start = now_ms();
    FAILS(accept(listener, NULL, NULL), EAGAIN);
    IS(now_ms() - start >= WAIT_MS - 1, true);
}

/* What has come before the time is over is given, though more was to be waited for.
 *
 * POSIX.1-2024 2.10.16 (SO_RCVTIMEO: a partial count); Linux tcp_recvmsg_locked(). */
CASE(a_part_is_given_when_the_time_is_over, EACH(stream), BEHAVIOUR("R3"),
     ABOUT("SO_RCVTIMEO", "MSG_WAITALL"), WAITS)
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(setsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &wait_time, sizeof wait_time));
    NEED(send(pair.peer, "two", 2, 0));
    BYTES_ARE(bytes, recv(pair.mine, bytes, sizeof bytes, MSG_WAITALL), "tw");
}

/* With SO_SNDTIMEO send() says EAGAIN when nothing fitted till then.
 *
 * POSIX.1-2024 2.10.16 (SO_SNDTIMEO), send() [EAGAIN]; Linux sock_sndtimeo(). */
CASE(send_says_eagain_when_its_time_is_over, EACH(connected), BEHAVIOUR("R4"),
     ABOUT("SO_SNDTIMEO", "EAGAIN", "send"), WAITS)
{
    long start;
    int off = 0;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(setsockopt(pair.mine, SOL_SOCKET, SO_SNDTIMEO, &wait_time, sizeof wait_time));
    NEED(fill(pair.mine));
    NEED(ioctl(pair.mine, FIONBIO, &off));
    start = now_ms();
    FAILS(send(pair.mine, "x", 1, 0), EAGAIN);
    IS(now_ms() - start >= WAIT_MS - 1, true);
}

/* When a part fitted it gives how much.
 *
 * POSIX.1-2024 2.10.16 (SO_SNDTIMEO: a partial count); Linux tcp_sendmsg_locked(),
 * unix_stream_sendmsg(). */
CASE(send_gives_the_part_that_fitted, EACH(stream), BEHAVIOUR("R4"), ABOUT("SO_SNDTIMEO", "send"),
     WAITS)
{
    static const char much[16 << 20];
    struct pair pair;
    ssize_t taken;

    NEED(connected_pair(kind, &pair));
    NEED(setsockopt(pair.mine, SOL_SOCKET, SO_SNDTIMEO, &wait_time, sizeof wait_time));
    taken = SUCCEEDS((int)send(pair.mine, much, sizeof much, 0));
    IS(taken > 0 && taken < (ssize_t)sizeof much, true);
}

static KINDS(timeouts, KIND("SO_RCVTIMEO", .value = SO_RCVTIMEO),
             KIND("SO_SNDTIMEO", .value = SO_SNDTIMEO));
static KINDS(microseconds, KIND("below_0", .other = -1), KIND("a_million", .other = 1000000));

/* Microseconds below 0, or of a second and more, are EDOM.
 *
 * POSIX.1-2024 setsockopt() [EDOM]; Linux net/core/sock.c sock_set_timeout(). */
CASE(microseconds_beyond_a_second_are_edom, EACH(timeouts, microseconds), BEHAVIOUR("R5", "V11"),
     ABOUT("EDOM", "SO_RCVTIMEO", "SO_SNDTIMEO"))
{
    const struct timeval bad = {.tv_sec = 1, .tv_usec = kind->other};
    const int fd = NEED(new_socket(&ipv4_stream));

    FAILS(setsockopt(fd, SOL_SOCKET, kind->value, &bad, sizeof bad), EDOM);
}

/* Seconds below 0 are taken: there is no waiting then.
 *
 * Linux net/core/sock.c sock_set_timeout() (tv_sec < 0: a time-out of 0 jiffies). */
CASE(seconds_below_0_wait_for_nothing, EACH(every_socket), BEHAVIOUR("R5"),
     ABOUT("EAGAIN", "SO_RCVTIMEO"))
{
    const struct timeval past = {.tv_sec = -1};
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    SUCCEEDS(setsockopt(pair.mine, SOL_SOCKET, SO_RCVTIMEO, &past, sizeof past));
    FAILS(recv(pair.mine, &byte, 1, 0), EAGAIN);
}

/* A time-out is kept, and told.
 *
 * POSIX.1-2024 2.10.16; Linux sock_get_timeout(). */
CASE(a_timeout_is_read_back, EACH(every_socket, timeouts), BEHAVIOUR("R3", "R4"),
     ABOUT("SO_RCVTIMEO", "SO_SNDTIMEO", "getsockopt"))
{
    const struct timeval two = {.tv_sec = 2};
    struct timeval kept = {.tv_sec = 0};
    socklen_t size = sizeof kept;
    const int fd = NEED(new_socket(kind));

    NEED(setsockopt(fd, SOL_SOCKET, kind->value, &two, sizeof two));
    NEED(getsockopt(fd, SOL_SOCKET, kind->value, &kept, &size));
    IS(kept.tv_sec, 2);
}
