#include "case.h"
#include "sockets.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void count(int number)
{
    (void)number;
    handled++;
}

static int set_disposition(void (*disposition)(int))
{
    struct sigaction action = {.sa_handler = disposition};

    return sigaction(SIGPIPE, &action, NULL);
}

/* So that a SIGPIPE which is raised stays pending, to be looked at. */
static int block_sigpipe(void)
{
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    return sigprocmask(SIG_BLOCK, &pipe, NULL);
}

static bool sigpipe_is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

/* --- after a FIN --------------------------------------------------------------------------------
 */

/* The first send after the peer has closed succeeds: a FIN says that the peer sends no more, not
 * that it does not read.
 *
 * RFC 9293 §3.6; POSIX.1-2024 send(); UNP 5.12. */
CASE(the_first_send_after_a_fin_succeeds, EACH(inet_stream), BEHAVIOUR("E1"), ABOUT("FIN", "send"))
{
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    GIVES(send(pair.mine, "x", 1, MSG_NOSIGNAL), 1);
}

/* The second says EPIPE, since the first has brought a RST, which came while a FIN was there.
 *
 * RFC 9293 §3.10.7.1; POSIX.1-2024 send() [EPIPE]; Linux net/ipv4/tcp_input.c tcp_reset()
 * (CLOSE_WAIT: EPIPE). */
CASE(the_second_send_after_a_fin_says_epipe, EACH(inet_stream), BEHAVIOUR("E2"),
     ABOUT("FIN", "RST", "EPIPE", "send"))
{
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, MSG_NOSIGNAL));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* Reads give 0 before and after that EPIPE: the end of file was there first.
 *
 * POSIX.1-2024 recv(); Linux net/ipv4/tcp.c tcp_recvmsg_locked() (SOCK_DONE). Darwin and FreeBSD
 * say ECONNRESET (libuv's half-open test). */
CASE(reads_go_on_giving_0_after_epipe, EACH(inet_stream), BEHAVIOUR("E2"), ABOUT("EPIPE", "recv"))
{
    char byte;
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, MSG_NOSIGNAL));
    GIVEN(send(pair.mine, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
    GIVES(recv(pair.mine, &byte, 1, 0), ON(LINUX(0), DARWIN(-ECONNRESET), FREEBSD(-ECONNRESET)));
}

/* A UNIX socket knows at once that its peer is gone: the first send says EPIPE.
 *
 * POSIX.1-2024 send() [EPIPE]; Linux net/unix/af_unix.c unix_stream_sendmsg(). */
CASE(a_unix_socket_says_epipe_at_once, EACH(unix_connected), BEHAVIOUR("E2", "M10"),
     ABOUT("EPIPE", "send", "AF_UNIX"))
{
    struct pair pair;

    NEED(closed_pair(kind, &pair));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* --- after a RST --------------------------------------------------------------------------------
 */

/* After a RST the first send says ECONNRESET: the error is told once.
 *
 * POSIX.1-2024 send() [ECONNRESET]; Linux net/ipv4/tcp_input.c tcp_reset(), net/core/stream.c
 * sk_stream_error(). Darwin and FreeBSD say EPIPE (xnu, FreeBSD sosend()). */
CASE(the_first_send_after_a_rst_says_econnreset, EACH(inet_stream), BEHAVIOUR("E3"),
     ABOUT("RST", "ECONNRESET", "send"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL),
          ON(LINUX(ECONNRESET), DARWIN(EPIPE), FREEBSD(EPIPE)));
}

/* And each after it EPIPE.
 *
 * POSIX.1-2024 send() [EPIPE]; Linux net/core/stream.c sk_stream_error(). */
CASE(the_next_sends_after_a_rst_say_epipe, EACH(inet_stream), BEHAVIOUR("E3"),
     ABOUT("RST", "EPIPE", "send"))
{
    struct pair pair;

    NEED(reset_pair(kind, &pair));
    GIVEN(send(pair.mine, "x", 1, MSG_NOSIGNAL) < 0);
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* ECONNRESET raises no SIGPIPE: only EPIPE does.
 *
 * POSIX.1-2024 send() [EPIPE] (SIGPIPE shall also be sent); Linux net/core/stream.c
 * sk_stream_error(). */
CASE(econnreset_raises_no_sigpipe, EACH(inet_stream), BEHAVIOUR("E3"),
     ABOUT("SIGPIPE", "ECONNRESET"))
{
    struct pair pair;

    NEED(block_sigpipe());
    NEED(reset_pair(kind, &pair));
    GIVEN(send(pair.mine, "x", 1, 0) < 0 && errno == ECONNRESET);
    IS(sigpipe_is_pending(), false);
}

/* --- after one's own shutdown -------------------------------------------------------------------
 */

/* After one's own shutdown(SHUT_WR) each send says EPIPE, at once.
 *
 * POSIX.1-2024 send() [EPIPE] (shut down for writing), shutdown(). */
CASE(sending_after_shut_wr_says_epipe, EACH(connected), BEHAVIOUR("E9"),
     ABOUT("SHUT_WR", "EPIPE", "send"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* --- the signal ---------------------------------------------------------------------------------
 */

/* EPIPE raises SIGPIPE where the socket is a stream; a SOCK_SEQPACKET one says EPIPE alone.
 *
 * POSIX.1-2024 send() [EPIPE] (a SIGPIPE for SOCK_STREAM); Linux net/core/stream.c
 * sk_stream_error(), net/unix/af_unix.c unix_seqpacket_sendmsg(), which sends as for datagrams. */
CASE(epipe_raises_sigpipe, EACH(connected), BEHAVIOUR("E4"), ABOUT("SIGPIPE", "EPIPE", "write"))
{
    struct pair pair;

    NEED(block_sigpipe());
    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    GIVEN(write(pair.mine, "x", 1) < 0 && errno == EPIPE);
    IS(sigpipe_is_pending(), kind->type == SOCK_STREAM);
}

/* A handler of SIGPIPE runs, and the write that raised it says EPIPE all the same.
 *
 * POSIX.1-2024 write() [EPIPE]; signal(7). */
CASE(a_handler_of_sigpipe_runs, EACH(stream), BEHAVIOUR("E5"), ABOUT("SIGPIPE", "EPIPE", "write"))
{
    struct pair pair;

    NEED(set_disposition(count));
    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(write(pair.mine, "x", 1), EPIPE);
    IS(handled, 1);
}

/* With SIGPIPE ignored the write says EPIPE, and the process lives.
 *
 * POSIX.1-2024 write() [EPIPE], sigaction() (SIG_IGN). */
CASE(an_ignored_sigpipe_leaves_epipe, EACH(stream), BEHAVIOUR("E6"), ABOUT("SIGPIPE", "EPIPE"))
{
    struct pair pair;

    NEED(set_disposition(SIG_IGN));
    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(write(pair.mine, "x", 1), EPIPE);
}

/* With MSG_NOSIGNAL send says EPIPE, and no SIGPIPE is raised.
 *
 * POSIX.1-2024 send() (MSG_NOSIGNAL). */
CASE(msg_nosignal_raises_no_sigpipe, EACH(connected), BEHAVIOUR("E7"),
     ABOUT("SIGPIPE", "MSG_NOSIGNAL"))
{
    struct pair pair;

    NEED(block_sigpipe());
    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(send(pair.mine, "x", 1, MSG_NOSIGNAL), EPIPE);
    IS(sigpipe_is_pending(), false);
}

/* sendfile() says EPIPE like write().
 *
 * sendfile(2); POSIX.1-2024 write() [EPIPE]; Linux fs/splice.c splice_direct_to_actor(). */
CASE(sendfile_says_epipe, EACH(stream), BEHAVIOUR("E11", "V17"),
     ABOUT("sendfile", "EPIPE", "SIGPIPE"))
{
    struct pair pair;
    FILE *file = tmpfile();

    GIVEN(file != NULL && fputs("x", file) >= 0 && fflush(file) == 0);
    NEED(set_disposition(SIG_IGN));
    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_WR));
    FAILS(sendfile(pair.mine, fileno(file), &(off_t){0}, 1), EPIPE);
}
