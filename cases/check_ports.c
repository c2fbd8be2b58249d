#include "case.h"
#include "kernel.h"
#include "sockets.h"
#include "unfit.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* Ports: who can share one, and which are given when none is asked for. */

/* The other family's kind. */
static struct kind over(int family, const struct kind *kind)
{
    return (struct kind){.family = family, .type = kind->type};
}

static int wildcard_of(const struct kind *kind, int v6only)
{
    const int fd = new_socket(kind);
    const struct address any = wildcard(kind, PORT);

    if (fd >= 0 && kind->family == AF_INET6 &&
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only) < 0)
        return -1;
    return fd < 0 || bind(fd, &any.any, any.length) < 0 ? -1 : fd;
}

/* --- the wildcards of both families --------------------------------------------------------------
 */

static KINDS(protocols, KIND("TCP", .type = SOCK_STREAM), KIND("UDP", .type = SOCK_DGRAM));

/* The wildcard of IPv4 cannot be bound beside that of IPv6 with IPV6_V6ONLY off, which stands for
 * both.
 *
 * RFC 3493 §3.7, §5.3; Linux net/ipv6/inet6_connection_sock.c, ipv6_rcv_saddr_equal(). */
CASE(the_wildcard_of_ipv6_takes_ipv4s, EACH(protocols), BEHAVIOUR("A5"),
     ABOUT("IPV6_V6ONLY", "EADDRINUSE", "bind"))
{
    const struct kind v4 = over(AF_INET, kind), v6 = over(AF_INET6, kind);
    const struct address any = wildcard(&v4, PORT);
    const int fd = NEED(new_socket(&v4));

    NEED(wildcard_of(&v6, 0));
    FAILS(bind(fd, &any.any, any.length), EADDRINUSE);
}

/* And the reverse: where IPv4's is taken, one for both cannot be had.
 *
 * RFC 3493 §3.7; Linux net/ipv4/inet_connection_sock.c, ipv6_rcv_saddr_equal(). */
CASE(a_wildcard_for_both_needs_ipv4s, EACH(protocols), BEHAVIOUR("A5"),
     ABOUT("IPV6_V6ONLY", "EADDRINUSE", "bind"))
{
    const struct kind v4 = over(AF_INET, kind), v6 = over(AF_INET6, kind);
    const struct address any = wildcard(&v6, PORT);
    const int fd = NEED(new_socket(&v6));

    NEED(wildcard_of(&v4, 0));
    NEED(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0));
    FAILS(bind(fd, &any.any, any.length), EADDRINUSE);
}

static KINDS(orders, KIND("IPv4_first", .value = AF_INET), KIND("IPv6_first", .value = AF_INET6));

/* With IPV6_V6ONLY the wildcards are apart: each family has its own, in either order.
 *
 * RFC 3493 §5.3. */
CASE(with_v6only_the_wildcards_are_apart, EACH(protocols, orders), BEHAVIOUR("A5"),
     ABOUT("IPV6_V6ONLY", "bind"))
{
    const struct kind first = over(kind->value, kind);
    const struct kind second = over(kind->value == AF_INET ? AF_INET6 : AF_INET, kind);

    NEED(wildcard_of(&first, 1));
    SUCCEEDS(wildcard_of(&second, 1));
}

/* --- options that change after bind --------------------------------------------------------------
 */

static int reusing(int fd, int on)
{
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR, on);
}

/* SO_REUSEADDR that the first socket sets after its bind counts for who comes later.
 *
 * Linux net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict() (looks at sk_reuse as it is). */
CASE(so_reuseaddr_counts_when_set_after_bind, EACH(inet_stream), BEHAVIOUR("A9"),
     ABOUT("SO_REUSEADDR", "bind"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(bound_to(kind, there)), second = NEED(new_socket(kind));

    NEED(reusing(first, 1));
    NEED(reusing(second, 1));
    SUCCEEDS(bind(second, &there.any, there.length));
}

/* And what it takes back after its bind counts as well: the port is its own again.
 *
 * Linux net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict() (looks at sk_reuse as it is). */
CASE(so_reuseaddr_that_is_taken_back_counts_no_more, EACH(inet_stream), BEHAVIOUR("A9"),
     ABOUT("SO_REUSEADDR", "EADDRINUSE", "bind"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(new_socket(kind)), second = NEED(new_socket(kind));

    NEED(reusing(first, 1));
    NEED(bind(first, &there.any, there.length));
    NEED(reusing(first, 0));
    NEED(reusing(second, 1));
    FAILS(bind(second, &there.any, there.length), EADDRINUSE);
}

/* SO_REUSEPORT that the first socket sets after its bind counts, too.
 *
 * Linux net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict(). socket(7) wants it set before.
 */
CASE(so_reuseport_counts_when_set_after_bind, EACH(inet_stream), BEHAVIOUR("A9"),
     ABOUT("SO_REUSEPORT", "bind"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(bound_to(kind, there)), second = NEED(new_socket(kind));

    NEED(set_option(first, SOL_SOCKET, SO_REUSEPORT, 1));
    NEED(set_option(second, SOL_SOCKET, SO_REUSEPORT, 1));
    SUCCEEDS(bind(second, &there.any, there.length));
}

/* --- UDP -----------------------------------------------------------------------------------------
 */

/* Of two UDP sockets with SO_REUSEADDR both bind to one port; Darwin and FreeBSD want SO_REUSEPORT.
 *
 * socket(7) SO_REUSEADDR; net2-rs#46; xnu bsd/netinet/in_pcb.c in_pcbbind(). */
CASE(so_reuseaddr_shares_a_udp_port, EACH(inet_datagram), BEHAVIOUR("A2"),
     ABOUT("SO_REUSEADDR", "UDP"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(new_socket(kind)), second = NEED(new_socket(kind));

    NEED(reusing(first, 1));
    NEED(reusing(second, 1));
    NEED(bind(first, &there.any, there.length));
    GIVES(bind(second, &there.any, there.length),
          ON(LINUX(SUCCESS), DARWIN(-EADDRINUSE), FREEBSD(-EADDRINUSE)));
}

/* Of them the one that bound last gets what is sent to one address.
 *
 * Linux net/ipv4/udp.c, udp4_lib_lookup2() (the newest of equal score); socket(7) leaves it open.
 */
CASE(the_last_of_a_shared_udp_port_gets_the_datagrams, EACH(inet_datagram), BEHAVIOUR("A2"),
     ABOUT("SO_REUSEADDR", "UDP", "recv"))
{
    const struct address there = loopback(kind, PORT);
    const int first = NEED(new_socket(kind)), second = NEED(new_socket(kind));
    const int sender = NEED(new_socket(kind));

    NEED(reusing(first, 1));
    NEED(reusing(second, 1));
    NEED(bind(first, &there.any, there.length));
    NEED(bind(second, &there.any, there.length));
    NEED((int)sendto(sender, "x", 1, 0, &there.any, there.length));
    EVENTS_ARE(events_now(second, POLLIN), POLLIN);
    EVENTS_ARE(events_now(first, POLLIN), 0);
}

/* --- ports that the kernel chooses ---------------------------------------------------------------
 */

enum { ONLY = 40000, ALSO = 40001 };

/* Leaves the kernel two ports to choose from. */
static int two_ephemeral_ports(void)
{
    return set_sysctl("net.ipv4.ip_local_port_range", "40000 40001");
}

static int port_given(int fd)
{
    struct address own;

    return own_address(fd, &own) < 0 ? -1 : port_of(&own);
}

/* bind() to port 0 gives a port of the ephemeral range.
 *
 * POSIX.1-2024 bind() leaves it open; ip(7) ip_local_port_range. */
CASE(port_0_is_given_a_port_of_the_range, EACH(inet), BEHAVIOUR("A10"), ABOUT("bind", "port 0"))
{
    const int fd = NEED(bound_to(kind, loopback(kind, 0)));
    const int port = NEED(port_given(fd));

    IS(port >= 32768 && port <= 60999, true);
}

/* It never gives a port that somebody has: of two, the other.
 *
 * ip(7) ip_local_port_range; Linux net/ipv4/inet_connection_sock.c, inet_csk_find_open_port(). */
CASE(port_0_never_gives_a_port_that_is_held, EACH(inet), BEHAVIOUR("A10"), ABOUT("bind", "port 0"))
{
    NEED(two_ephemeral_ports());
    NEED(bound_to(kind, loopback(kind, ONLY)));
    const int fd = NEED(bound_to(kind, loopback(kind, 0)));

    IS(port_given(fd), ALSO);
}

/* When all of them are held bind() to port 0 says EADDRINUSE.
 *
 * POSIX.1-2024 bind() [EADDRINUSE]; ip(7). */
CASE(port_0_fails_when_all_are_held, EACH(inet), BEHAVIOUR("A11"), ABOUT("EADDRINUSE", "port 0"))
{
    const struct address anywhere = loopback(kind, 0);
    const int fd = NEED(new_socket(kind));

    NEED(two_ephemeral_ports());
    NEED(bound_to(kind, loopback(kind, ONLY)));
    NEED(bound_to(kind, loopback(kind, ALSO)));
    FAILS(bind(fd, &anywhere.any, anywhere.length), EADDRINUSE);
}

/* connect() says EADDRNOTAVAIL when it finds no port for its own side.
 *
 * connect(2) EADDRNOTAVAIL (all port numbers in the ephemeral port range are in use); UDP says
 * EAGAIN (Linux net/ipv4/af_inet.c, inet_autobind()). */
CASE(connect_fails_when_all_are_held, EACH(inet), BEHAVIOUR("A11", "V6"),
     ABOUT("EADDRNOTAVAIL", "connect"))
{
    const struct address there = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(two_ephemeral_ports());
    NEED(bound_socket(kind));
    NEED(bound_to(kind, loopback(kind, ONLY)));
    NEED(bound_to(kind, loopback(kind, ALSO)));
    FAILS(connect(fd, &there.any, there.length),
          kind->type == SOCK_STREAM ? EADDRNOTAVAIL : EAGAIN);
}

/* --- ports of the system -------------------------------------------------------------------------
 */

static KINDS(heights, KIND("1", .value = 1), KIND("1023", .value = 1023));
static KINDS(transports, KIND("TCP4", .family = AF_INET, .type = SOCK_STREAM),
             KIND("TCP6", .family = AF_INET6, .type = SOCK_STREAM),
             KIND("UDP4", .family = AF_INET, .type = SOCK_DGRAM));

/* A port below 1024 is refused with EACCES to whoever lacks the privilege.
 *
 * POSIX.1-2024 bind() [EACCES]; ip(7) (CAP_NET_BIND_SERVICE); ip_unprivileged_port_start. */
CASE(a_low_port_needs_a_privilege, EACH(transports, heights), BEHAVIOUR("A13", "V3"),
     ABOUT("EACCES", "bind", "CAP_NET_BIND_SERVICE"))
{
    const struct address low = loopback(kind, kind->value);
    const int fd = NEED(new_socket(kind));

    NEED(lose_privileges());
    FAILS(bind(fd, &low.any, low.length), EACCES);
}

/* Port 1024 is anybody's.
 *
 * ip(7) ip_unprivileged_port_start. */
CASE(port_1024_needs_no_privilege, EACH(transports), BEHAVIOUR("A13"), ABOUT("bind"))
{
    const struct address high = loopback(kind, 1024);
    const int fd = NEED(new_socket(kind));

    NEED(lose_privileges());
    SUCCEEDS(bind(fd, &high.any, high.length));
}

/* --- connections from one port -------------------------------------------------------------------
 */

static int from(const struct kind *kind, int port)
{
    const int fd = new_socket(kind);
    const struct address here = loopback(kind, port);

    return fd < 0 || reusing(fd, 1) < 0 || bind(fd, &here.any, here.length) < 0 ? -1 : fd;
}

enum { SOURCE = 9900 };

/* One port of one's own serves connections to different ports: what is unique is the pair.
 *
 * RFC 9293 §3.4 (a connection is fully specified by the pair of sockets); socket(7) SO_REUSEADDR.
 */
CASE(one_source_port_serves_two_destinations, EACH(inet_stream), BEHAVIOUR("A18"),
     ABOUT("SO_REUSEADDR", "connect"))
{
    const struct address one = loopback(kind, PORT), other = loopback(kind, OTHER_PORT);

    NEED(listening_at(kind, one, 1));
    NEED(listening_at(kind, other, 1));
    const int first = NEED(from(kind, SOURCE)), second = NEED(from(kind, SOURCE));
    NEED(connect(first, &one.any, one.length));
    SUCCEEDS(connect(second, &other.any, other.length));
}

/* To the same destination it says EADDRNOTAVAIL: that pair exists.
 *
 * connect(2) EADDRNOTAVAIL; Linux net/ipv4/inet_hashtables.c, __inet_check_established(). */
CASE(one_pair_of_ports_is_one_connection, EACH(inet_stream), BEHAVIOUR("A18", "V6"),
     ABOUT("EADDRNOTAVAIL", "connect", "SO_REUSEADDR"))
{
    const struct address there = loopback(kind, PORT);

    NEED(listening_at(kind, there, 2));
    const int first = NEED(from(kind, SOURCE)), second = NEED(from(kind, SOURCE));
    NEED(connect(first, &there.any, there.length));
    FAILS(connect(second, &there.any, there.length), EADDRNOTAVAIL);
}
