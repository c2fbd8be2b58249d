#include "case.h"
#include "sleeper.h"
#include "sockets.h"

#include <limits.h>
#include <poll.h>

enum { ENOUGH = 8 /* bytes, for what is received */ };

/* `value` is an option that bounds a buffer, `other` the least that socket(7) promises. */
static KINDS(buffers, KIND("SO_RCVBUF", .value = SO_RCVBUF, .other = 256),
             KIND("SO_SNDBUF", .value = SO_SNDBUF, .other = 2048));

/* --- how large -----------------------------------------------------------------------------------
 */

/* What is asked for is doubled: the other half is for what the kernel keeps beside the data.
 *
 * socket(7) SO_RCVBUF, SO_SNDBUF; Linux net/core/sock.c sk_setsockopt(). FreeBSD and Darwin give
 * what was asked for. */
CASE(a_size_reads_back_doubled, EACH(every_socket, buffers), BEHAVIOUR("S1"),
     ABOUT("SO_RCVBUF", "SO_SNDBUF"))
{
    const int fd = NEED(new_socket(kind));

    NEED(set_option(fd, SOL_SOCKET, kind->value, 10000));
    GIVES(get_option(fd, SOL_SOCKET, kind->value), ON(LINUX(20000), DARWIN(10000), FREEBSD(10000)));
}

/* A size of 0 is raised to a least one without a word.
 *
 * socket(7) (the minimum, doubled, is 256 for SO_RCVBUF and 2048 for SO_SNDBUF); Linux
 * net/core/sock.c sk_setsockopt(), SOCK_MIN_RCVBUF, SOCK_MIN_SNDBUF. Darwin and FreeBSD: EINVAL. */
CASE(a_size_of_0_is_raised, EACH(every_socket, buffers), BEHAVIOUR("S1"),
     ABOUT("SO_RCVBUF", "SO_SNDBUF"))
{
    const int fd = NEED(new_socket(kind));
    int least;

    GIVES(set_option(fd, SOL_SOCKET, kind->value, 0),
          ON(LINUX(SUCCESS), DARWIN(-EINVAL), FREEBSD(-EINVAL)));
    least = NEED(get_option(fd, SOL_SOCKET, kind->value));
    IS(least >= kind->other, true);
    NOTE(least);
}

/* A size above rmem_max or wmem_max is lowered to it without a word.
 *
 * socket(7) (/proc/sys/net/core/rmem_max, wmem_max); Linux net/core/sock.c sk_setsockopt(). Darwin
 * and FreeBSD: ENOBUFS. */
CASE(a_size_above_the_limit_is_lowered, EACH(every_socket, buffers), BEHAVIOUR("S1"),
     ABOUT("SO_RCVBUF", "SO_SNDBUF", "ENOBUFS"))
{
    const int fd = NEED(new_socket(kind));
    int most;

    GIVES(set_option(fd, SOL_SOCKET, kind->value, INT_MAX / 2),
          ON(LINUX(SUCCESS), DARWIN(-ENOBUFS), FREEBSD(-ENOBUFS)));
    most = NEED(get_option(fd, SOL_SOCKET, kind->value));
    NEED(set_option(fd, SOL_SOCKET, kind->value, most / 2 + 1));
    IS(get_option(fd, SOL_SOCKET, kind->value), most);
    NEED(set_option(fd, SOL_SOCKET, kind->value, most / 2 - 1));
    IS(get_option(fd, SOL_SOCKET, kind->value), most - 2);
}

/* A negative size counts as an enormous one.
 *
 * Linux net/core/sock.c sk_setsockopt() (min_t(u32)). Darwin and FreeBSD: EINVAL or ENOBUFS. */
CASE(a_negative_size_is_the_largest, EACH(every_socket, buffers), BEHAVIOUR("S1"),
     ABOUT("SO_RCVBUF", "SO_SNDBUF"))
{
    const int fd = NEED(new_socket(kind));
    int most;

    NEED(set_option(fd, SOL_SOCKET, kind->value, INT_MAX / 2));
    most = NEED(get_option(fd, SOL_SOCKET, kind->value));
    NEED(set_option(fd, SOL_SOCKET, kind->value, 10000));
    SUCCEEDS(set_option(fd, SOL_SOCKET, kind->value, -1));
    IS(get_option(fd, SOL_SOCKET, kind->value), most);
}

static KINDS(forced, KIND("SO_RCVBUF", .value = SO_RCVBUF), KIND("SO_SNDBUF", .value = SO_SNDBUF));

/* SO_RCVBUFFORCE and SO_SNDBUFFORCE exceed the limit.
 *
 * socket(7) (CAP_NET_ADMIN); Linux net/core/sock.c sk_setsockopt(). */
CASE(the_limit_can_be_exceeded_by_force, EACH(inet, forced), BEHAVIOUR("S1"),
     ABOUT("SO_RCVBUFFORCE", "SO_SNDBUFFORCE"), REQUIRES("buffer limits"))
{
    const int fd = NEED(new_socket(kind));
    const int force = kind->value == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;
    int most;

    NEED(set_option(fd, SOL_SOCKET, kind->value, INT_MAX / 2));
    most = NEED(get_option(fd, SOL_SOCKET, kind->value));
    SUCCEEDS(set_option(fd, SOL_SOCKET, force, most));
    IS(get_option(fd, SOL_SOCKET, kind->value), 2L * most);
}

/* A connection has its listener's sizes.
 *
 * tcp(7) (on the listening socket they are set before); Linux net/core/sock.c sk_clone(). */
CASE(an_accepted_socket_has_the_listeners_sizes, EACH(inet_stream_mapped, buffers),
     BEHAVIOUR("S1", "G13"), ABOUT("SO_RCVBUF", "SO_SNDBUF", "accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));
    int size;

    NEED(set_option(listener, SOL_SOCKET, kind->value, 30000));
    size = NEED(get_option(listener, SOL_SOCKET, kind->value));
    NEED(connect(client, &there.any, there.length));
    IS(get_option(NEED(accept(listener, NULL, NULL)), SOL_SOCKET, kind->value), size);
}

/* --- SO_RCVLOWAT ---------------------------------------------------------------------------------
 */

/* One byte is enough, unless another number is said.
 *
 * POSIX.1-2024 2.10.16 (the default is 1); socket(7) SO_RCVLOWAT. */
CASE(the_low_water_mark_is_1, EACH(every_socket), BEHAVIOUR("S2"), ABOUT("SO_RCVLOWAT"))
{
    const int fd = NEED(new_socket(kind));

    GIVES(get_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
}

/* A mark of 0 counts as 1, and a negative one as the largest.
 *
 * Linux net/core/sock.c sk_setsockopt() (val ? : 1; INT_MAX). */
CASE(a_low_water_mark_of_0_counts_as_1, EACH(inet_stream), BEHAVIOUR("S2"), ABOUT("SO_RCVLOWAT"))
{
    const int fd = NEED(new_socket(kind));

    NEED(set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 7));
    SUCCEEDS(set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 0));
    IS(get_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
}

/* Fewer bytes than SO_RCVLOWAT are not readable, as many are.
 *
 * POSIX.1-2024 2.10.16 SO_RCVLOWAT; socket(7) (select, poll and epoll heed it since Linux 2.6.28);
 * Linux net/ipv4/tcp.c tcp_poll(), tcp_stream_is_readable(). */
CASE(fewer_bytes_than_the_mark_are_not_readable, EACH(inet_stream, pollers), BEHAVIOUR("S2"),
     ABOUT("SO_RCVLOWAT", "POLLIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(send(pair.peer, "abc", 3, 0));
    GIVES(kind->poller->wait(pair.mine, POLLIN, 0), 0);
    NEED(send(pair.peer, "d", 1, 0));
    GIVES(kind->poller->wait(pair.mine, POLLIN, 0), POLLIN);
}

/* A UNIX socket is readable with one byte, whatever SO_RCVLOWAT says.
 *
 * Linux net/unix/af_unix.c unix_poll() asks whether the queue is empty. */
CASE(a_unix_socket_is_readable_below_the_mark, EACH(unix_connected, pollers), BEHAVIOUR("S2"),
     ABOUT("SO_RCVLOWAT", "POLLIN", "AF_UNIX"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(send(pair.peer, "abc", 3, 0));
    GIVES(kind->poller->wait(pair.mine, POLLIN, 0), POLLIN);
}

/* The end of file is readable however little comes before it.
 *
 * POSIX.1-2024 2.10.16 (an error, or the end, satisfies it); Linux net/ipv4/tcp.c tcp_poll(). */
CASE(the_end_of_file_is_readable_below_the_mark, EACH(inet_stream, pollers), BEHAVIOUR("S2"),
     ABOUT("SO_RCVLOWAT", "POLLIN", "FIN"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(send(pair.peer, "abc", 3, 0));
    GIVEN(kind->poller->wait(pair.mine, POLLIN, 0) == 0);
    NEED(shutdown(pair.peer, SHUT_WR));
    GIVES(kind->poller->wait(pair.mine, POLLIN, 0), POLLIN);
}

/* recv() that may not wait gives fewer bytes than SO_RCVLOWAT, if that is what is there.
 *
 * POSIX.1-2024 2.10.16 (it may return less, where it does not block); Linux net/ipv4/tcp.c
 * tcp_recvmsg_locked(). */
CASE(a_recv_that_may_not_wait_gives_less_than_the_mark, EACH(stream), BEHAVIOUR("S2"),
     ABOUT("SO_RCVLOWAT", "recv", "MSG_DONTWAIT"))
{
    char bytes[8];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(send(pair.peer, "abc", 3, 0));
    BYTES_ARE(bytes, recv(pair.mine, bytes, sizeof bytes, MSG_DONTWAIT), "abc");
}

struct taking {
    int descriptor;
    char *bytes;
};

static long receives(const void *argument)
{
    const struct taking *taking = argument;

    return recv(taking->descriptor, taking->bytes, ENOUGH, 0);
}

/* recv() sleeps until as many bytes as SO_RCVLOWAT says have come.
 *
 * POSIX.1-2024 2.10.16 SO_RCVLOWAT; Linux net/ipv4/tcp.c tcp_recvmsg_locked(), net/unix/af_unix.c
 * unix_stream_read_generic() (sock_rcvlowat). */
CASE(recv_sleeps_till_the_mark, EACH(stream), BEHAVIOUR("S2"), ABOUT("SO_RCVLOWAT", "recv"),
     DEADLINE(10))
{
    char bytes[ENOUGH];
    struct taking taking;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    taking = (struct taking){pair.mine, bytes};
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(falls_asleep(&sleeper, receives, &taking));
    NEED(send(pair.peer, "abc", 3, 0));
    IS(asleep(&sleeper), true);
    NEED(send(pair.peer, "d", 1, 0));
    BYTES_ARE(bytes, woken(&sleeper), "abcd");
}

/* TCP does not count what a sleeping recv() has taken already: it is woken when as many bytes more
 * have come, where POSIX would have it return with the fourth.
 *
 * POSIX.1-2024 2.10.16 SO_RCVLOWAT; Linux net/ipv4/tcp_input.c tcp_data_ready(), include/net/tcp.h
 * tcp_epollin_ready() (what is in the queue against sk_rcvlowat, since Linux 4.18). */
CASE(what_recv_has_taken_does_not_count, EACH(inet_stream), BEHAVIOUR("S2"),
     ABOUT("SO_RCVLOWAT", "recv"), DEADLINE(10))
{
    char bytes[ENOUGH];
    struct taking taking;
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    taking = (struct taking){pair.mine, bytes};
    NEED(set_option(pair.mine, SOL_SOCKET, SO_RCVLOWAT, 4));
    NEED(send(pair.peer, "abc", 3, 0));
    NEED(falls_asleep(&sleeper, receives, &taking));
    NEED(send(pair.peer, "d", 1, 0));
    IS(asleep(&sleeper), true);
    NEED(send(pair.peer, "efg", 3, 0));
    BYTES_ARE(bytes, woken(&sleeper), "abcdefg");
}

/* SO_SNDLOWAT is 1 and cannot be set: ENOPROTOOPT.
 *
 * socket(7) SO_SNDLOWAT (not changeable on Linux); Linux net/core/sock.c sk_setsockopt(). FreeBSD
 * and Darwin take it. */
CASE(the_senders_mark_cannot_be_set, EACH(every_socket), BEHAVIOUR("S2"),
     ABOUT("SO_SNDLOWAT", "ENOPROTOOPT"))
{
    const int fd = NEED(new_socket(kind));

    GIVES(set_option(fd, SOL_SOCKET, SO_SNDLOWAT, 4),
          ON(LINUX(-ENOPROTOOPT), DARWIN(SUCCESS), FREEBSD(SUCCESS)));
}

/* --- a larger SO_SNDBUF --------------------------------------------------------------------------
 */

static int full_pair(const struct kind *kind, struct pair *pair)
{
    if (connected_pair(kind, pair) < 0 ||
        set_option(pair->mine, SOL_SOCKET, SO_SNDBUF, 10000) < 0 || fill(pair->mine) < 0)
        return -1;
    return 0;
}

/* A socket that was full takes more when SO_SNDBUF is raised, though nobody has read.
 *
 * socket(7) SO_SNDBUF; Linux net/core/sock.c sk_setsockopt() (wakes up writers). */
CASE(a_larger_send_buffer_has_room, EACH(connected, pollers), BEHAVIOUR("S3"),
     ABOUT("SO_SNDBUF", "POLLOUT", "EAGAIN"))
{
    struct pair pair;

    NEED(full_pair(kind, &pair));
    GIVEN(send(pair.mine, "x", 1, 0) < 0 && errno == EAGAIN);
    NEED(set_option(pair.mine, SOL_SOCKET, SO_SNDBUF, 100000));
    GIVES(kind->poller->wait(pair.mine, POLLOUT, 0), POLLOUT);
    GIVES(send(pair.mine, "x", 1, 0), 1);
}

static long sends(const void *argument)
{
    return send(*(const int *)argument, "x", 1, 0);
}

static int may_block(int descriptor)
{
    return fcntl(descriptor, F_SETFL, NEED(fcntl(descriptor, F_GETFL)) & ~O_NONBLOCK);
}

/* And a send() that sleeps for room goes on.
 *
 * Linux net/core/sock.c sk_setsockopt() (SO_SNDBUF: sk_write_space()). */
CASE(a_larger_send_buffer_wakes_the_writer, EACH(connected), BEHAVIOUR("S3"),
     ABOUT("SO_SNDBUF", "send"), DEADLINE(10))
{
    struct sleeper sleeper;
    struct pair pair;

    NEED(full_pair(kind, &pair));
    NEED(may_block(pair.mine));
    NEED(falls_asleep(&sleeper, sends, &pair.mine));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_SNDBUF, 100000));
    GIVES(woken(&sleeper), 1);
}
