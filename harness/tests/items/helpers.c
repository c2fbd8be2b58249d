/* One case for each helper that set-up is made of: that an error of any call that it makes is told
 * of is looked at from outside, see test_check_items.py, which finds helpers in the headers and
 * their calls between two moments. A helper without calls is used so that it fails. */
#include "case.h"
#include "kernel.h"
#include "passing.h"
#include "sleeper.h"
#include "sockets.h"
#include "unfit.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* No helper makes this call, and it has no effect. */
static void moment(void)
{
    kill(getpid(), 0);
}

#define LOOKED_AT(helper)                                                                          \
    do {                                                                                           \
        moment();                                                                                  \
        NEED(helper);                                                                              \
        moment();                                                                                  \
    } while (0)

/* --- one socket ----------------------------------------------------------------------------------
 */

/* A helper.
 *
 * sockets.h */
CASE(of_new_socket, EACH(every_socket, blocking_modes))
{
    LOOKED_AT(new_socket(kind));
}

/* A helper.
 *
 * sockets.h */
CASE(of_bound_socket, EACH(every_socket))
{
    LOOKED_AT(bound_socket(kind));
}

/* A helper.
 *
 * sockets.h */
CASE(of_bound_to, EACH(inet))
{
    LOOKED_AT(bound_to(kind, wildcard(kind, OTHER_PORT)));
}

/* A helper.
 *
 * sockets.h */
CASE(of_listening_socket, EACH(connected))
{
    LOOKED_AT(listening_socket(kind));
}

/* A helper.
 *
 * sockets.h */
CASE(of_listening_at, EACH(inet_stream))
{
    LOOKED_AT(listening_at(kind, loopback(kind, PORT), 1));
}

/* A helper.
 *
 * sockets.h */
CASE(of_waiting_client, EACH(connected, blocking_modes))
{
    NEED(listening_socket(kind));
    LOOKED_AT(waiting_client(kind));
}

/* A helper.
 *
 * sockets.h */
CASE(of_connecting_socket, EACH(inet_stream))
{
    LOOKED_AT(connecting_socket(kind));
}

/* --- two ends ------------------------------------------------------------------------------------
 */

/* A helper.
 *
 * sockets.h */
CASE(of_connected_pair, EACH(every_socket, blocking_modes))
{
    struct pair pair;

    LOOKED_AT(connected_pair(kind, &pair));
}

/* A helper.
 *
 * sockets.h */
CASE(of_half_closed_pair, EACH(stream))
{
    struct pair pair;

    LOOKED_AT(half_closed_pair(kind, &pair));
}

/* A helper.
 *
 * sockets.h */
CASE(of_closed_pair, EACH(stream))
{
    struct pair pair;

    LOOKED_AT(closed_pair(kind, &pair));
}

/* A helper.
 *
 * sockets.h */
CASE(of_reset_pair, EACH(stream))
{
    struct pair pair;

    LOOKED_AT(reset_pair(kind, &pair));
}

/* --- what is done to one -------------------------------------------------------------------------
 */

/* A helper.
 *
 * sockets.h */
CASE(of_nonblocking, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));

    LOOKED_AT(nonblocking(fd));
}

/* A helper.
 *
 * sockets.h */
CASE(of_set_option, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));

    LOOKED_AT(set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
}

/* A helper.
 *
 * sockets.h */
CASE(of_get_option, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));

    LOOKED_AT(get_option(fd, SOL_SOCKET, SO_KEEPALIVE));
}

/* A helper.
 *
 * sockets.h */
CASE(of_so_error, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));

    LOOKED_AT(so_error(fd));
}

/* A helper, which sends very often.
 *
 * sockets.h */
CASE(of_fill, ABOUT("broken"))
{
    struct pair pair;

    NEED(connected_pair(&unix_stream, &pair));
    NEED(set_option(pair.mine, SOL_SOCKET, SO_SNDBUF, 1));
    LOOKED_AT(fill(pair.mine));
}

/* A helper.
 *
 * sockets.h */
CASE(of_drain, ABOUT("broken"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    LOOKED_AT(drain(pair.mine));
}

/* --- what is awaited -----------------------------------------------------------------------------
 */

/* A helper.
 *
 * sockets.h */
CASE(of_await_events, ABOUT("broken"))
{
    const int fd = NEED(new_socket(&ipv4_datagram));

    LOOKED_AT(await_events(fd, POLLOUT));
}

/* A helper.
 *
 * sockets.h */
CASE(of_events_now, ABOUT("broken"))
{
    const int fd = NEED(new_socket(&ipv4_datagram));

    LOOKED_AT(events_now(fd, POLLOUT));
}

/* A helper.
 *
 * sockets.h */
CASE(of_tcp_state, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));

    LOOKED_AT(tcp_state(fd));
}

/* A helper.
 *
 * sockets.h */
CASE(of_tcp_information, ABOUT("broken"))
{
    const int fd = NEED(new_socket(kind));
    struct tcp_info told;

    LOOKED_AT(tcp_information(fd, &told, 1));
}

static long receive(const void *argument)
{
    char byte;

    return recv(*(const int *)argument, &byte, 1, 0);
}

/* A helper.
 *
 * sleeper.h */
CASE(of_falls_asleep, ABOUT("broken"))
{
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    LOOKED_AT(falls_asleep(&sleeper, receive, &pair.mine));
    NEED(shutdown(pair.peer, SHUT_WR));
    NEED(woken(&sleeper));
}

/* A helper.
 *
 * kernel.h */
CASE(of_set_sysctl, ABOUT("broken"))
{
    LOOKED_AT(set_sysctl("net.core.somaxconn", "3"));
}

/* A helper.
 *
 * sleeper.h */
CASE(of_sleeps_on, ABOUT("broken"))
{
    struct sleeper sleeper;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(falls_asleep(&sleeper, receive, &pair.mine));
    LOOKED_AT(sleeps_on(&sleeper));
    NEED(shutdown(pair.peer, SHUT_WR));
    NEED(woken(&sleeper));
}

/* A helper.
 *
 * kernel.h */
CASE(of_add_device, ABOUT("broken"))
{
    LOOKED_AT(add_device("device"));
}

/* --- addresses -----------------------------------------------------------------------------------
 */

/* A helper.
 *
 * address.h */
CASE(of_own_address, ABOUT("broken"))
{
    struct address address;
    const int fd = NEED(bound_socket(kind));

    LOOKED_AT(own_address(fd, &address));
}

/* A helper.
 *
 * address.h */
CASE(of_peer_address, ABOUT("broken"))
{
    struct address address;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    LOOKED_AT(peer_address(pair.mine, &address));
}

/* A helper.
 *
 * address.h */
CASE(of_port_of, ABOUT("broken"))
{
    const struct address address = {.un = {.sun_family = AF_UNIX}, .length = sizeof address.un};

    LOOKED_AT(port_of(&address));
}

/* --- descriptors that are passed -----------------------------------------------------------------
 */

/* A helper.
 *
 * passing.h */
CASE(of_new_passing, ABOUT("broken"))
{
    struct passing of;

    LOOKED_AT(new_passing(&unix_stream, &of));
}

/* A helper.
 *
 * passing.h */
CASE(of_pass, ABOUT("broken"))
{
    struct passing of;

    NEED(new_passing(&unix_stream, &of));
    LOOKED_AT(pass(of.pair.mine, of.reader));
}

/* A helper.
 *
 * passing.h */
CASE(of_receive_one, ABOUT("broken"))
{
    struct passing of;

    NEED(new_passing(&unix_stream, &of));
    NEED(pass(of.pair.mine, of.reader));
    LOOKED_AT(receive_one(of.pair.peer));
}

/* A helper.
 *
 * passing.h */
CASE(of_nth_in, ABOUT("broken"))
{
    struct message message;

    message_says(&message, "x");
    LOOKED_AT(nth_in(&message, 0));
}

/* A helper.
 *
 * passing.h */
CASE(of_is_hung_up, ABOUT("broken"))
{
    struct passing of;

    NEED(new_passing(&unix_stream, &of));
    LOOKED_AT(is_hung_up(of.reader));
}

/* --- what a call has to refuse -------------------------------------------------------------------
 */

/* A helper.
 *
 * unfit.h */
CASE(of_bad_descriptor, ABOUT("broken"))
{
    LOOKED_AT(bad_descriptor(&(struct kind){.name = "closed"}));
}

/* A helper.
 *
 * unfit.h */
CASE(of_no_socket, EACH(no_sockets))
{
    LOOKED_AT(no_socket(kind));
}

static KINDS(obstacles, KIND("a_file", .other = ENOTDIR));

/* A helper.
 *
 * unfit.h */
CASE(of_bad_path, EACH(obstacles))
{
    struct address address;

    LOOKED_AT(bad_path(kind, &address));
}

/* A helper.
 *
 * unfit.h */
CASE(of_leave_descriptors, ABOUT("broken"))
{
    LOOKED_AT(leave_descriptors(1));
}
