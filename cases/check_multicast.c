#include "case.h"
#include "sockets.h"

#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Loopback's own broadcast address, and groups that nobody else has use for. */
#define BROADCAST "127.255.255.255"
#define IPV4_GROUP "239.255.98.77"
#define IPV6_GROUP "ff15::9877"
#define LOOPBACK_NAME "lo"

/* --- broadcast -----------------------------------------------------------------------------------
 */

static struct address everybody(void)
{
    return address_of(&ipv4_datagram, BROADCAST, PORT);
}

/* A datagram to a broadcast address says EACCES while SO_BROADCAST is not set.
 *
 * POSIX.1-2024 <sys/socket.h> (SO_BROADCAST), sendto() [EACCES]; Linux net/ipv4/udp.c
 * udp_sendmsg(). */
CASE(a_broadcast_needs_so_broadcast, BEHAVIOUR("N10"), ABOUT("SO_BROADCAST", "EACCES", "sendto"))
{
    const struct address all = everybody();
    const int fd = NEED(new_socket(&ipv4_datagram));

    FAILS(sendto(fd, "x", 1, 0, &all.any, all.length), EACCES);
}

/* So does connecting to one.
 *
 * Linux net/ipv4/datagram.c __ip4_datagram_connect(). */
CASE(connecting_to_a_broadcast_needs_so_broadcast, BEHAVIOUR("N10", "H13"),
     ABOUT("SO_BROADCAST", "EACCES", "connect"))
{
    const struct address all = everybody();
    const int fd = NEED(new_socket(&ipv4_datagram));

    FAILS(connect(fd, &all.any, all.length), ON(LINUX(EACCES), DARWIN(SUCCESS), FREEBSD(SUCCESS)));
}

/* With SO_BROADCAST every socket gets it that shares the port, at the wildcard address.
 *
 * RFC 919; Linux net/ipv4/udp.c __udp4_lib_mcast_deliver(). */
CASE(a_broadcast_reaches_every_socket_of_the_port, BEHAVIOUR("N10"), ABOUT("SO_BROADCAST"))
{
    const struct address all = everybody(), here = wildcard(&ipv4_datagram, PORT);
    const int fd = NEED(new_socket(&ipv4_datagram)), one = NEED(new_socket(&ipv4_datagram)),
              other = NEED(new_socket(&ipv4_datagram));

    NEED(set_option(one, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(set_option(other, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(bind(one, &here.any, here.length));
    NEED(bind(other, &here.any, here.length));
    NEED(set_option(fd, SOL_SOCKET, SO_BROADCAST, 1));
    GIVES(sendto(fd, "x", 1, 0, &all.any, all.length), 1);
    EVENTS_ARE(events_now(one, POLLIN), POLLIN);
    EVENTS_ARE(events_now(other, POLLIN), POLLIN);
}

/* A socket that is bound to a specific address does not hear it.
 *
 * Linux net/ipv4/udp.c __udp_is_mcast_sock() (inet_rcv_saddr). */
CASE(a_broadcast_does_not_reach_a_specific_address, BEHAVIOUR("N10"), ABOUT("SO_BROADCAST"))
{
    const struct address all = everybody();
    const int fd = NEED(new_socket(&ipv4_datagram)), specific = NEED(bound_socket(&ipv4_datagram));

    NEED(set_option(fd, SOL_SOCKET, SO_BROADCAST, 1));
    NEED((int)sendto(fd, "x", 1, 0, &all.any, all.length));
    EVENTS_ARE(events_now(specific, POLLIN), 0);
}

/* --- multicast -----------------------------------------------------------------------------------
 */

static bool is_ipv4(const struct kind *kind)
{
    return kind->family == AF_INET;
}

static struct address group(const struct kind *kind)
{
    return address_of(kind, is_ipv4(kind) ? IPV4_GROUP : IPV6_GROUP, PORT);
}

/* Options to join and to leave have one shape. */
static int membership(const struct kind *kind, int fd, int ipv4_option, int ipv6_option)
{
    const struct address joined = group(kind);
    const struct ip_mreq ipv4 = {.imr_multiaddr = joined.in.sin_addr,
                                 .imr_interface = {htonl(INADDR_LOOPBACK)}};
    const struct ipv6_mreq ipv6 = {.ipv6mr_multiaddr = joined.in6.sin6_addr,
                                   .ipv6mr_interface = if_nametoindex(LOOPBACK_NAME)};

    GIVEN(ipv6.ipv6mr_interface != 0);
    if (is_ipv4(kind))
        return setsockopt(fd, IPPROTO_IP, ipv4_option, &ipv4, sizeof ipv4);
    return setsockopt(fd, IPPROTO_IPV6, ipv6_option, &ipv6, sizeof ipv6);
}

static int join(const struct kind *kind, int fd)
{
    return membership(kind, fd, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
}

static int leave(const struct kind *kind, int fd)
{
    return membership(kind, fd, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP);
}

/* Loopback has no route to IPv6's groups, so that what is sent is IPv4's.
 *
 * This is at the wildcard address; may share the port, and hears groups that it has joined itself.
 */
static int listener(void)
{
    const struct address here = wildcard(&ipv4_datagram, PORT);
    const int fd = new_socket(&ipv4_datagram);

    if (fd < 0 || set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
        set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) < 0)
        return -1;
    return bind(fd, &here.any, here.length) < 0 ? -1 : fd;
}

/* Sends over loopback's interface. */
static int sender(void)
{
    const struct in_addr interface = {htonl(INADDR_LOOPBACK)};
    const int fd = new_socket(&ipv4_datagram);

    return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) < 0 ? -1 : fd;
}

static int say(int fd)
{
    const struct address all = group(&ipv4_datagram);

    return (int)sendto(fd, "x", 1, 0, &all.any, all.length);
}

/* Each member of a group gets what is sent to it; SO_BROADCAST is not asked for.
 *
 * RFC 1112 §7; ip(7) (IP_ADD_MEMBERSHIP). */
CASE(each_member_of_a_group_is_reached, BEHAVIOUR("N10"), ABOUT("IP_ADD_MEMBERSHIP"))
{
    const int fd = NEED(sender()), one = NEED(listener()), other = NEED(listener());

    NEED(join(&ipv4_datagram, one));
    NEED(join(&ipv4_datagram, other));
    GIVES(say(fd), 1);
    EVENTS_ARE(events_now(one, POLLIN), POLLIN);
    EVENTS_ARE(events_now(other, POLLIN), POLLIN);
}

/* Who is no member is not.
 *
 * RFC 1112 §7.1; ip(7) (IP_MULTICAST_ALL is off here). */
CASE(who_is_no_member_is_not_reached, BEHAVIOUR("N10"),
     ABOUT("IP_ADD_MEMBERSHIP", "IP_MULTICAST_ALL"))
{
    const int fd = NEED(sender()), one = NEED(listener()), other = NEED(listener());

    NEED(join(&ipv4_datagram, one));
    NEED(say(fd));
    EVENTS_ARE(events_now(one, POLLIN), POLLIN);
    EVENTS_ARE(events_now(other, POLLIN), 0);
}

/* Unless it is so by default: with IP_MULTICAST_ALL a socket hears the groups that any other on
 * its host has joined.
 *
 * ip(7) (IP_MULTICAST_ALL: the default value is 1); Linux net/ipv4/igmp.c ip_mc_sf_allow(). */
CASE(by_default_others_memberships_count, BEHAVIOUR("N10"), ABOUT("IP_MULTICAST_ALL"))
{
    const struct address here = wildcard(&ipv4_datagram, PORT);
    const int fd = NEED(sender()), member = NEED(listener()),
              plain = NEED(new_socket(&ipv4_datagram));

    NEED(set_option(plain, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(bind(plain, &here.any, here.length));
    NEED(join(&ipv4_datagram, member));
    NEED(say(fd));
    EVENTS_ARE(events_now(plain, POLLIN), POLLIN);
}

/* Who has left is reached no more.
 *
 * RFC 1112 §7.1; ip(7) (IP_DROP_MEMBERSHIP). */
CASE(who_has_left_is_not_reached, BEHAVIOUR("N10"), ABOUT("IP_DROP_MEMBERSHIP"))
{
    const int fd = NEED(sender()), one = NEED(listener()), other = NEED(listener());

    NEED(join(&ipv4_datagram, one));
    NEED(join(&ipv4_datagram, other));
    SUCCEEDS(leave(&ipv4_datagram, one));
    NEED(say(fd));
    EVENTS_ARE(events_now(one, POLLIN), 0);
    EVENTS_ARE(events_now(other, POLLIN), POLLIN);
}

/* Joining twice says EADDRINUSE.
 *
 * Linux net/ipv4/igmp.c __ip_mc_join_group(), net/ipv6/mcast.c __ipv6_sock_mc_join(). */
CASE(joining_twice_is_eaddrinuse, EACH(inet_datagram), BEHAVIOUR("N10"),
     ABOUT("IP_ADD_MEMBERSHIP", "EADDRINUSE"))
{
    const int fd = NEED(new_socket(kind));

    NEED(join(kind, fd));
    FAILS(join(kind, fd), EADDRINUSE);
}

/* Leaving what was not joined says EADDRNOTAVAIL.
 *
 * Linux net/ipv4/igmp.c ip_mc_leave_group(), net/ipv6/mcast.c ipv6_sock_mc_drop(). */
CASE(leaving_unjoined_is_eaddrnotavail, EACH(inet_datagram), BEHAVIOUR("N10"),
     ABOUT("IP_DROP_MEMBERSHIP", "EADDRNOTAVAIL"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(leave(kind, fd), EADDRNOTAVAIL);
}

/* What is no group cannot be joined: EINVAL.
 *
 * ip(7) (IP_ADD_MEMBERSHIP) [EINVAL]; Linux net/ipv4/igmp.c __ip_mc_join_group(). */
CASE(what_is_no_group_cannot_be_joined, BEHAVIOUR("N10"), ABOUT("IP_ADD_MEMBERSHIP", "EINVAL"))
{
    const struct ip_mreq none = {{htonl(INADDR_LOOPBACK)}, {htonl(INADDR_LOOPBACK)}};
    const int fd = NEED(new_socket(&ipv4_datagram));

    FAILS(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &none, sizeof none), EINVAL);
}

/* A socket that is bound to a group's address hears what is sent there, and nothing else.
 *
 * ip(7) (binding to a multicast address); Linux net/ipv4/udp.c __udp_is_mcast_sock(). */
CASE(a_socket_at_a_group_hears_that_alone, BEHAVIOUR("N10"), ABOUT("IP_ADD_MEMBERSHIP", "bind"))
{
    const struct address here = group(&ipv4_datagram), direct = loopback(&ipv4_datagram, PORT);
    const int fd = NEED(sender()), bound = NEED(bound_to(&ipv4_datagram, here));

    NEED(join(&ipv4_datagram, bound));
    NEED((int)sendto(fd, "x", 1, 0, &direct.any, direct.length));
    EVENTS_ARE(events_now(bound, POLLIN), 0);
    NEED(say(fd));
    EVENTS_ARE(events_now(bound, POLLIN), POLLIN);
}
