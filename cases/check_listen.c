#include "case.h"
#include "sleeper.h"
#include "sockets.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* listen: what may listen, where, and how a socket tells that it does. */

/* --- without a name ------------------------------------------------------------------------------
 */

/* listen() on a TCP socket without a port gives it one of the ephemeral range.
 *
 * POSIX.1-2024 listen() [EDESTADDRREQ] (may fail; or a port is chosen); Linux
 * net/ipv4/inet_connection_sock.c inet_csk_listen_start() (get_port); ip(7). */
CASE(listen_without_bind_gives_a_port, EACH(inet_stream), BEHAVIOUR("G7"),
     ABOUT("listen", "port 0"))
{
    struct address own;
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(listen(fd, 1));
    NEED(own_address(fd, &own));
    IS(port_of(&own) >= 32768 && port_of(&own) <= 60999, true);
}

/* It listens at every address of the host.
 *
 * ip(7) (bound to a random free port with the local address set to INADDR_ANY). */
CASE(listen_without_bind_is_at_every_address, EACH(inet_stream), BEHAVIOUR("G7"),
     ABOUT("listen", "wildcard", "connect"))
{
    struct address own;
    const int listener = NEED(new_socket(kind)), client = NEED(new_socket(kind));

    SUCCEEDS(listen(listener, 1));
    NEED(own_address(listener, &own));
    const struct address any = wildcard(kind, port_of(&own));
    IS(memcmp(&own.any, &any.any, any.length), 0);
    const struct address there = loopback(kind, port_of(&own));
    SUCCEEDS(connect(client, &there.any, there.length));
    SUCCEEDS(accept(listener, NULL, NULL));
}

/* A UNIX socket without a name cannot listen: EINVAL.
 *
 * POSIX.1-2024 listen() [EDESTADDRREQ], which BSD says; Linux net/unix/af_unix.c unix_listen(). */
CASE(a_nameless_unix_socket_cannot_listen, EACH(unix_connected), BEHAVIOUR("G7", "V4"),
     ABOUT("listen", "EINVAL", "AF_UNIX"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(listen(fd, 1), ON(LINUX(EINVAL), DARWIN(EDESTADDRREQ), FREEBSD(EDESTADDRREQ)));
}

/* --- what cannot listen --------------------------------------------------------------------------
 */

/* A socket of datagrams cannot: EOPNOTSUPP.
 *
 * POSIX.1-2024 listen() [EOPNOTSUPP]. */
CASE(datagrams_cannot_be_listened_for, EACH(datagram), BEHAVIOUR("V4"),
     ABOUT("listen", "EOPNOTSUPP"))
{
    const int fd = NEED(bound_socket(kind));

    FAILS(listen(fd, 1), EOPNOTSUPP);
}

/* Nor can either end of a connection: EINVAL.
 *
 * POSIX.1-2024 listen() [EINVAL] (already connected); Linux net/ipv4/af_inet.c __inet_listen_sk().
 */
CASE(a_connection_cannot_listen, EACH(connected), BEHAVIOUR("V4"), ABOUT("listen", "EINVAL"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(listen(pair.mine, 1), EINVAL);
    FAILS(listen(pair.peer, 1), EINVAL);
}

/* Nor can a socket that is about to be connected.
 *
 * POSIX.1-2024 listen() [EINVAL]; Linux net/ipv4/af_inet.c inet_listen() (SS_UNCONNECTED). */
CASE(a_connecting_socket_cannot_listen, EACH(inet_stream), BEHAVIOUR("V4"),
     ABOUT("listen", "EINVAL", "SYN_SENT"))
{
    const int fd = NEED(connecting_socket(kind));

    FAILS(listen(fd, 1), EINVAL);
}

/* --- SO_ACCEPTCONN -------------------------------------------------------------------------------
 */

static int accepts_connections(int fd)
{
    return get_option(fd, SOL_SOCKET, SO_ACCEPTCONN);
}

/* SO_ACCEPTCONN is 1 of a socket that listens; on Darwin it cannot be asked for.
 *
 * POSIX.1-2024 SO_ACCEPTCONN; XNU bsd/kern/uipc_socket.c sogetoptlock(); of UNIX sockets gVisor
 * says 0 (gvisor#8487). */
CASE(so_acceptconn_is_1_of_a_listener, EACH(connected), BEHAVIOUR("G16"), ABOUT("SO_ACCEPTCONN"))
{
    const int fd = NEED(listening_socket(kind));

    GIVES(accepts_connections(fd),
          ON(LINUX(1), DARWIN(-ENOPROTOOPT), GVISOR(kind->family != AF_UNIX)));
}

/* It is 0 before listen(), of a socket that is bound as well.
 *
 * POSIX.1-2024 SO_ACCEPTCONN. */
CASE(so_acceptconn_is_0_before_listen, EACH(every_socket), BEHAVIOUR("G16"), ABOUT("SO_ACCEPTCONN"))
{
    const int fresh = NEED(new_socket(kind)), bound = NEED(bound_socket(kind));

    GIVES(accepts_connections(fresh), ON(LINUX(0), DARWIN(-ENOPROTOOPT)));
    GIVES(accepts_connections(bound), ON(LINUX(0), DARWIN(-ENOPROTOOPT)));
}

/* It is 0 of both ends of a connection, the accepted one too.
 *
 * POSIX.1-2024 SO_ACCEPTCONN. */
CASE(so_acceptconn_is_0_of_a_connection, EACH(connected), BEHAVIOUR("G16", "G13"),
     ABOUT("SO_ACCEPTCONN", "accept"))
{
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));

    GIVES(accepts_connections(client), ON(LINUX(0), DARWIN(-ENOPROTOOPT)));
    GIVES(accepts_connections(fd), ON(LINUX(0), DARWIN(-ENOPROTOOPT)));
}

/* A TCP listener that is shut down has it at 0 again, a UNIX one at 1.
 *
 * Linux net/ipv4/af_inet.c inet_shutdown() (TCP_LISTEN: disconnects); net/unix/af_unix.c
 * unix_shutdown() (the state stays); on FreeBSD shutdown fails, and it listens on. */
CASE(so_acceptconn_after_shutdown, EACH(connected), BEHAVIOUR("G16", "C10"),
     ABOUT("SO_ACCEPTCONN", "shutdown"))
{
    const int fd = NEED(listening_socket(kind));

    GIVES(shutdown(fd, SHUT_RDWR), ON(LINUX(SUCCESS), DARWIN(-ENOTCONN), FREEBSD(-ENOTCONN)));
    GIVES(accepts_connections(fd),
          ON(LINUX(kind->family == AF_UNIX), DARWIN(-ENOPROTOOPT), FREEBSD(1)));
}

/* It cannot be set.
 *
 * POSIX.1-2024 SO_ACCEPTCONN (getsockopt only); Linux net/core/sock.c sk_setsockopt(). */
CASE(so_acceptconn_cannot_be_set, EACH(every_socket), BEHAVIOUR("G16", "V11"),
     ABOUT("SO_ACCEPTCONN", "ENOPROTOOPT"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_option(fd, SOL_SOCKET, SO_ACCEPTCONN, 1), ON(LINUX(ENOPROTOOPT), FREEBSD(EINVAL)));
}

/* --- a listener that is closed while accept sleeps -----------------------------------------------
 */

static long accepts(const void *argument)
{
    const int *listener = argument;

    return accept(*listener, NULL, NULL);
}

/* close() by another thread does not wake accept(): the call holds the socket.
 *
 * close(2) (multithreaded processes: the blocking call is unaffected); Linux net/socket.c
 * __sys_accept4() (fdget). */
CASE(closing_the_listener_does_not_wake_accept, EACH(connected), BEHAVIOUR("G12"),
     ABOUT("accept", "close"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_socket(kind));

    NEED(falls_asleep(&sleeper, accepts, &listener));
    NEED(close(listener));
    IS(asleep(&sleeper), true);
}

/* Its port listens on, and who connects is accepted.
 *
 * close(2) (the open file description stays while the call has it). */
CASE(a_closed_listener_accepts_once_more, EACH(connected), BEHAVIOUR("G12"),
     ABOUT("accept", "close", "connect"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_socket(kind));

    NEED(falls_asleep(&sleeper, accepts, &listener));
    NEED(close(listener));
    SUCCEEDS(waiting_client(kind));
    IS(woken(&sleeper) >= 0, true);
}

/* What it accepts is a connection like any other.
 *
 * close(2). */
CASE(what_a_closed_listener_accepts_is_connected, EACH(connected), BEHAVIOUR("G12"),
     ABOUT("accept", "close", "recv"))
{
    char text[8];
    struct sleeper sleeper;
    const int listener = NEED(listening_socket(kind));

    NEED(falls_asleep(&sleeper, accepts, &listener));
    NEED(close(listener));
    const int client = NEED(waiting_client(kind));
    const int fd = NEED((int)woken(&sleeper));
    NEED(send(client, "late", 4, 0));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT), "late");
}

/* With that call the listener goes: the next client is refused.
 *
 * close(2); Linux fs/file_table.c fput() (the last one closes). */
CASE(after_that_the_next_is_refused, EACH(connected), BEHAVIOUR("G12"),
     ABOUT("accept", "close", "ECONNREFUSED"))
{
    struct sleeper sleeper;
    const int listener = NEED(listening_socket(kind));

    NEED(falls_asleep(&sleeper, accepts, &listener));
    NEED(close(listener));
    NEED(waiting_client(kind));
    NEED((int)woken(&sleeper));
    FAILS(waiting_client(kind), ECONNREFUSED);
}
