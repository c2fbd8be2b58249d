#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- TCP_MAXSEG ----------------------------------------------------------------------------------
 */

enum { SHORT_SEGMENT = 1000, TIMESTAMPS = 12 /* bytes of each segment, RFC 7323 §3.2 */ };

/* A connection to a listener, with TCP_MAXSEG on one of the two or neither. */
static int pair_with_segments(const struct kind *kind, struct pair *pair, int mine, int listeners)
{
    const struct address there = loopback(kind, PORT);
    const int listener = listening_socket(kind);

    *pair = (struct pair){new_socket(kind), -1};
    if (listener < 0 || pair->mine < 0 ||
        (listeners && set_option(listener, IPPROTO_TCP, TCP_MAXSEG, listeners) < 0) ||
        (mine && set_option(pair->mine, IPPROTO_TCP, TCP_MAXSEG, mine) < 0) ||
        connect(pair->mine, &there.any, there.length) < 0)
        return -1;
    pair->peer = accept(listener, NULL, NULL);
    return pair->peer < 0 ? -1 : 0;
}

/* What TCP_MAXSEG says before connect is what the peer is told, and so bounds what both send.
 *
 * RFC 9293 §3.7.1 (MUST-14, MUST-16); RFC 6691 (options come off); tcp(7) TCP_MAXSEG; Linux
 * net/ipv4/tcp_output.c tcp_connect_init(). */
CASE(tcp_maxseg_bounds_both_ends, EACH(inet_stream_mapped), BEHAVIOUR("T6"), ABOUT("TCP_MAXSEG"))
{
    struct pair pair;

    NEED(pair_with_segments(kind, &pair, SHORT_SEGMENT, 0));
    GIVES(get_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
    GIVES(get_option(pair.peer, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
}

/* A listener's TCP_MAXSEG counts for what it accepts.
 *
 * tcp(7) TCP_MAXSEG; Linux net/ipv4/tcp_input.c tcp_conn_request() (user_mss). */
CASE(a_listeners_tcp_maxseg_bounds_both_ends, EACH(inet_stream_mapped), BEHAVIOUR("T6", "G13"),
     ABOUT("TCP_MAXSEG"))
{
    struct pair pair;

    NEED(pair_with_segments(kind, &pair, 0, SHORT_SEGMENT));
    GIVES(get_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
    GIVES(get_option(pair.peer, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
}

/* Of an end that says less than the other the lesser counts.
 *
 * RFC 9293 §3.7.1 (the peer's is a bound on what is sent); Linux net/ipv4/tcp_output.c
 * tcp_sync_mss(). */
CASE(the_lesser_tcp_maxseg_counts, EACH(inet_stream_mapped), BEHAVIOUR("T6"), ABOUT("TCP_MAXSEG"))
{
    struct pair pair;

    NEED(pair_with_segments(kind, &pair, SHORT_SEGMENT + 200, SHORT_SEGMENT));
    GIVES(get_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
    GIVES(get_option(pair.peer, IPPROTO_TCP, TCP_MAXSEG), SHORT_SEGMENT - TIMESTAMPS);
}

static KINDS(bad_segments, KIND("1", .value = 1), KIND("87", .value = 87),
             KIND("32768", .value = 32768), KIND("minus_1", .value = -1));

/* TCP_MAXSEG below 88 or above 32767 is refused: EINVAL.
 *
 * tcp(7) TCP_MAXSEG; Linux net/ipv4/tcp.c do_tcp_setsockopt() (TCP_MIN_MSS, MAX_TCP_WINDOW). */
CASE(a_tcp_maxseg_out_of_range_is_refused, EACH(inet_stream, bad_segments), BEHAVIOUR("T6"),
     ABOUT("TCP_MAXSEG", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, IPPROTO_TCP, TCP_MAXSEG, kind->value), EINVAL);
}

static KINDS(good_segments, KIND("88", .value = 88), KIND("32767", .value = 32767));

/* Within that range it is taken, and reads back before connect.
 *
 * tcp(7) TCP_MAXSEG; Linux net/ipv4/tcp.c do_tcp_getsockopt() (user_mss while closed). */
CASE(a_tcp_maxseg_in_range_reads_back, EACH(inet_stream, good_segments), BEHAVIOUR("T6"),
     ABOUT("TCP_MAXSEG"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_option(fd, IPPROTO_TCP, TCP_MAXSEG, kind->value));
    GIVES(get_option(fd, IPPROTO_TCP, TCP_MAXSEG), kind->value);
}

/* After connect it is taken and changes nothing: the SYN has been sent.
 *
 * RFC 9293 §3.7.1 (in segments with SYN only); Linux net/ipv4/tcp.c do_tcp_setsockopt()
 * (user_mss). */
CASE(tcp_maxseg_comes_too_late_after_connect, EACH(inet_stream_mapped), BEHAVIOUR("T6"),
     ABOUT("TCP_MAXSEG"))
{
    struct pair pair;
    int before;

    NEED(pair_with_segments(kind, &pair, 0, 0));
    before = NEED(get_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG));
    GIVEN(before > SHORT_SEGMENT);
    SUCCEEDS(set_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG, SHORT_SEGMENT));
    GIVES(get_option(pair.mine, IPPROTO_TCP, TCP_MAXSEG), before);
}

/* --- TCP_SYNCNT ----------------------------------------------------------------------------------
 */

static KINDS(bad_counts, KIND("0", .value = 0), KIND("128", .value = 128),
             KIND("minus_1", .value = -1));

/* TCP_SYNCNT is refused below 1 and above 127.
 *
 * tcp(7) TCP_SYNCNT (above 255 there); Linux net/ipv4/tcp.c tcp_sock_set_syncnt()
 * (MAX_TCP_SYNCNT). */
CASE(a_tcp_syncnt_out_of_range_is_refused, EACH(inet_stream, bad_counts), BEHAVIOUR("T7"),
     ABOUT("TCP_SYNCNT", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, kind->value), EINVAL);
}

static KINDS(good_counts, KIND("1", .value = 1), KIND("127", .value = 127));

/* Within that range it is taken, and reads back.
 *
 * tcp(7) TCP_SYNCNT; Linux net/ipv4/tcp.c do_tcp_getsockopt(). */
CASE(a_tcp_syncnt_in_range_reads_back, EACH(inet_stream, good_counts), BEHAVIOUR("T7"),
     ABOUT("TCP_SYNCNT"))
{
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, kind->value));
    GIVES(get_option(fd, IPPROTO_TCP, TCP_SYNCNT), kind->value);
}

/* Unless it is set it is the system's tcp_syn_retries: 6.
 *
 * ip-sysctl.rst tcp_syn_retries; Linux include/net/tcp.h TCP_SYN_RETRIES. */
CASE(tcp_syncnt_is_the_systems, EACH(inet_stream), BEHAVIOUR("T7"), ABOUT("TCP_SYNCNT"))
{
    const int fd = NEED(new_socket(kind));

    GIVES(get_option(fd, IPPROTO_TCP, TCP_SYNCNT), 6);
}

/* TCP_INFO's count of segments that were sent again, while or after connecting. */
static int sent_again(int descriptor)
{
#ifdef __linux__
    struct tcp_info told;
    const size_t least = offsetof(struct tcp_info, tcpi_total_retrans) + sizeof(uint32_t);

    return tcp_information(descriptor, &told, least) < 0 ? -1 : (int)told.tcpi_total_retrans;
#else
    return tcp_information(descriptor, NULL, 0);
#endif
}

/* With TCP_SYNCNT of 1 connect says ETIMEDOUT in the time that one doubling takes, 3 s: with the
 * system's 6 it is more than a minute.
 *
 * tcp(7) TCP_SYNCNT; Linux net/ipv4/tcp_timer.c tcp_write_timeout(); ip-sysctl.rst
 * tcp_syn_linear_timeouts (since Linux 6.5 the SYN is sent twice more in that time, not once). */
CASE(tcp_syncnt_shortens_connecting, EACH(inet_stream), BEHAVIOUR("T7", "H4"),
     ABOUT("TCP_SYNCNT", "ETIMEDOUT", "SYN"), DEADLINE(10), WAITS)
{
    const int fd = NEED(connecting_socket(kind));
    int again;

    NEED(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 1));
    GIVEN(NEED(sent_again(fd)) == 0);
    EVENTS_ARE(await_events(fd, 0), POLLERR | POLLHUP);
    ERRNO_IS(so_error(fd), ETIMEDOUT);
    again = NEED(sent_again(fd));
    NOTE(again);
}

/* --- TCP_CONGESTION ------------------------------------------------------------------------------
 */

enum { NAME_SIZE = 16 };

static int congestion_of(int descriptor, char name[NAME_SIZE])
{
    socklen_t size = NAME_SIZE;

    memset(name, 0, NAME_SIZE);
    return getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, &size);
}

static int set_congestion(int descriptor, const char *name)
{
    return setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

/* Reno is there always, and reads back.
 *
 * tcp(7) TCP_CONGESTION; Linux net/ipv4/tcp_cong.c tcp_set_congestion_control(), tcp_reno. */
CASE(reno_can_be_chosen, EACH(inet_stream), BEHAVIOUR("T8"), ABOUT("TCP_CONGESTION"))
{
    char name[NAME_SIZE];
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(set_congestion(fd, "reno"));
    NEED(congestion_of(fd, name));
    BYTES_ARE(name, (long)strlen(name), "reno");
}

/* In mid-connection too.
 *
 * Linux net/ipv4/tcp_cong.c tcp_reinit_congestion_control(). */
CASE(reno_can_be_chosen_in_mid_connection, EACH(inet_stream), BEHAVIOUR("T8"),
     ABOUT("TCP_CONGESTION"))
{
    char name[NAME_SIZE];
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    SUCCEEDS(set_congestion(pair.mine, "reno"));
    NEED(congestion_of(pair.mine, name));
    BYTES_ARE(name, (long)strlen(name), "reno");
}

/* A name that the kernel does not know: ENOENT.
 *
 * Linux net/ipv4/tcp_cong.c tcp_set_congestion_control(). tcp(7) does not tell. */
CASE(an_unknown_congestion_control_is_refused, EACH(inet_stream), BEHAVIOUR("T8", "V11"),
     ABOUT("TCP_CONGESTION", "ENOENT"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_congestion(fd, "sockspec"), ENOENT);
}

/* An empty name: EINVAL.
 *
 * Linux net/ipv4/tcp.c do_tcp_setsockopt() (optlen < 1). */
CASE(an_empty_name_is_refused, EACH(inet_stream), BEHAVIOUR("T8"),
     ABOUT("TCP_CONGESTION", "EINVAL"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_congestion(fd, ""), EINVAL);
}

/* A buffer that is too short gets the beginning of the name, without an error.
 *
 * Linux net/ipv4/tcp.c do_tcp_getsockopt() (min(len, TCP_CA_NAME_MAX)). */
CASE(a_short_buffer_gets_the_beginning, EACH(inet_stream), BEHAVIOUR("T8", "U5"),
     ABOUT("TCP_CONGESTION"))
{
    char name[NAME_SIZE] = "";
    socklen_t size = 2;
    const int fd = NEED(new_socket(kind));

    NEED(set_congestion(fd, "reno"));
    SUCCEEDS(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
    BYTES_ARE(name, (long)size, "re");
}

/* Another than the system's, so that it can be told from that. */
static const char *unusual_congestion(int descriptor)
{
    char name[NAME_SIZE];

    NEED(congestion_of(descriptor, name));
    return strcmp(name, "reno") == 0 ? "cubic" : "reno";
}

/* What a listener accepts has its congestion control.
 *
 * Linux net/ipv4/tcp_minisocks.c tcp_ca_openreq_child(). */
CASE(an_accepted_socket_has_the_listeners_congestion_control, EACH(inet_stream_mapped),
     BEHAVIOUR("T8", "G13"), ABOUT("TCP_CONGESTION", "accept"))
{
    char name[NAME_SIZE];
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind));
    const int client = NEED(new_socket(kind));
    const char *unusual = unusual_congestion(client);

    NEED(set_congestion(listener, unusual));
    NEED(connect(client, &there.any, there.length));
    NEED(congestion_of(NEED(accept(listener, NULL, NULL)), name));
    BYTES_ARE(name, (long)strlen(name), unusual);
}
