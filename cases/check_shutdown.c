#include "case.h"
#include "sockets.h"

/* After the peer's FIN each read gives 0, again and again.
 *
 * RFC 9293 §3.6; POSIX.1-2024 recv() (orderly shutdown: 0); Linux net/ipv4/tcp.c tcp_recvmsg(). */
CASE(reading_after_fin_gives_0_every_time, EACH(connected), BEHAVIOUR("C1"), ABOUT("FIN", "recv"))
{
    char byte;
    struct pair pair;

    NEED(half_closed_pair(kind, &pair));
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
    GIVES(recv(pair.mine, &byte, 1, 0), 0);
}

/* After shutdown(SHUT_RD) a read gives 0 although the peer has not closed.
 *
 * POSIX.1-2024 shutdown() (SHUT_RD); Linux net/ipv4/tcp.c tcp_recvmsg() (RCV_SHUTDOWN). */
CASE(reading_after_shut_rd_gives_0, EACH(connected), BEHAVIOUR("C4"), ABOUT("SHUT_RD", "recv"))
{
    char byte;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, SHUT_RD));
    GIVES(recv(pair.mine, &byte, 1, MSG_DONTWAIT), 0);
}

static KINDS(hows, KIND("SHUT_RD", .value = SHUT_RD), KIND("SHUT_WR", .value = SHUT_WR),
             KIND("SHUT_RDWR", .value = SHUT_RDWR));

/* shutdown() of what is shut down already succeeds.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown(); Darwin says ENOTCONN for SHUT_WR (xnu soshutdown()). */
CASE(shutting_down_twice_succeeds, EACH(inet_stream, hows), BEHAVIOUR("C6"), ABOUT("shutdown"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(shutdown(pair.mine, kind->value));
    GIVES(shutdown(pair.mine, kind->value), ON(LINUX(SUCCESS), DARWIN(-ENOTCONN)));
}

/* shutdown() of a socket that is not connected says ENOTCONN.
 *
 * POSIX.1-2024 shutdown() [ENOTCONN]; Linux net/ipv4/af_inet.c inet_shutdown(). */
CASE(an_unconnected_socket_cannot_be_shut_down, EACH(inet_stream, hows), BEHAVIOUR("C7"),
     ABOUT("ENOTCONN", "shutdown"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(shutdown(fd, kind->value), ENOTCONN);
}

static KINDS(no_hows, KIND("minus_1", .value = -1), KIND("3", .value = 3));

/* shutdown() says EINVAL when it is told neither SHUT_RD, SHUT_WR nor SHUT_RDWR.
 *
 * POSIX.1-2024 shutdown() [EINVAL]; Linux net/ipv4/af_inet.c inet_shutdown(). */
CASE(a_how_that_is_none_is_refused, EACH(connected, no_hows), BEHAVIOUR("C8"), ABOUT("EINVAL"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(shutdown(pair.mine, kind->value), EINVAL);
}
