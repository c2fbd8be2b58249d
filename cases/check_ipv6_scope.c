#include "case.h"
#include "sockets.h"

#ifdef __linux__
#include <linux/rtnetlink.h>
#endif
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define INTERFACE "lo"

static KINDS(protocols, KIND("TCP", .family = AF_INET6, .type = SOCK_STREAM),
             KIND("UDP", .family = AF_INET6, .type = SOCK_DGRAM));

/* fe80::1, of a link that is named by a number; 0 does not say which. */
static struct address link_local(uint32_t scope)
{
    struct address address = address_of(&ipv6_stream, "fe80::1", PORT);

    address.in6.sin6_scope_id = scope;
    return address;
}

static uint32_t index_of_interface(void)
{
    const uint32_t index = if_nametoindex(INTERFACE);

    GIVEN(index != 0);
    return index;
}

#ifdef __linux__
/* What netlink tells of the request, and then of what comes of it. */
union told {
    struct nlmsghdr header;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
    } of;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } reply;
    char bytes[512];
};

static bool is_route_to(const union told *told, size_t size, const struct in6_addr *address)
{
    return told->header.nlmsg_type == RTM_NEWROUTE && told->of.route.rtm_type == RTN_LOCAL &&
           memmem(told->bytes, size, address, sizeof *address) != NULL;
}

/* The kernel makes the route some time after the address. */
static int await_route(int fd, const struct in6_addr *address)
{
    union told told;
    ssize_t size;

    while ((size = recv(fd, &told, sizeof told, 0)) > 0) {
        if (is_route_to(&told, (size_t)size, address))
            return 0;
        if (told.header.nlmsg_type == NLMSG_ERROR && told.reply.error.error) {
            errno = -told.reply.error.error;
            return -1;
        }
    }
    return -1;
}

static int ask(int fd, const struct in6_addr *address)
{
    const struct {
        struct nlmsghdr header;
        struct ifaddrmsg of;
        struct rtattr attribute;
        struct in6_addr address;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_NEWADDR,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
        .of = {.ifa_family = AF_INET6,
               .ifa_prefixlen = 64,
               .ifa_flags = IFA_F_NODAD,
               .ifa_index = index_of_interface()},
        .attribute = {sizeof request.attribute + sizeof request.address, IFA_LOCAL},
        .address = *address,
    };

    return (int)send(fd, &request, sizeof request, 0);
}
#endif

/* The interface has that address from now on, and nobody is asked whether it is another's. */
static int give_link_local(void)
{
#ifdef __linux__
    const struct in6_addr address = link_local(0).in6.sin6_addr;
    const struct timeval limit = {.tv_sec = 4};
    const struct sockaddr_nl routes = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV6_ROUTE};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
        bind(fd, (const struct sockaddr *)&routes, sizeof routes) < 0 || ask(fd, &address) < 0 ||
        await_route(fd, &address) < 0)
        return -1;
    return close(fd);
#else
    return lacks("rtnetlink");
#endif
}

/* --- which link ----------------------------------------------------------------------------------
 */

/* bind() says EINVAL for a link-local address without a scope, though the host has it.
 *
 * RFC 4007 §6; ipv6(7) (sin6_scope_id); Linux net/ipv6/af_inet6.c __inet6_bind(). Darwin and
 * FreeBSD say EADDRNOTAVAIL (in6_pcbbind()). */
CASE(binding_to_a_link_needs_its_scope, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "bind", "EINVAL"), REQUIRES("own host"))
{
    const struct address here = link_local(0);
    const int fd = NEED(new_socket(kind));

    NEED(give_link_local());
    FAILS(bind(fd, &here.any, here.length),
          ON(LINUX(EINVAL), DARWIN(EADDRNOTAVAIL), FREEBSD(EADDRNOTAVAIL)));
}

/* connect() says it, too.
 *
 * RFC 4007 §6; Linux net/ipv6/tcp_ipv6.c tcp_v6_connect(), net/ipv6/datagram.c
 * __ip6_datagram_connect(). */
CASE(connecting_over_a_link_needs_its_scope, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "connect", "EINVAL"), REQUIRES("own host"))
{
    const struct address there = link_local(0), here = link_local(index_of_interface());
    const int fd = NEED(new_socket(kind));

    NEED(give_link_local());
    NEED(bound_to(kind, here));
    FAILS(connect(fd, &there.any, there.length), EINVAL);
}

/* With the scope bind() succeeds, and getsockname() tells it.
 *
 * RFC 3493 §3.3 (sin6_scope_id); ipv6(7). */
CASE(a_bound_socket_tells_its_scope, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "bind", "getsockname"), REQUIRES("own host"))
{
    const struct address here = link_local(index_of_interface());
    const int fd = NEED(new_socket(kind));
    struct address own;

    NEED(give_link_local());
    SUCCEEDS(bind(fd, &here.any, here.length));
    NEED(own_address(fd, &own));
    IS(own.in6.sin6_scope_id, index_of_interface());
}

/* A link that there is not is ENODEV.
 *
 * Linux net/ipv6/af_inet6.c __inet6_bind(). */
CASE(a_scope_of_no_link_is_enodev, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "bind", "ENODEV"))
{
    const struct address here = link_local(9999);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &here.any, here.length),
          ON(LINUX(ENODEV), DARWIN(EADDRNOTAVAIL), FREEBSD(EADDRNOTAVAIL)));
}

/* A link that does not have the address is EADDRNOTAVAIL.
 *
 * POSIX.1-2024 bind() [EADDRNOTAVAIL]; Linux net/ipv6/af_inet6.c __inet6_bind(). */
CASE(a_link_without_the_address_is_eaddrnotavail, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "bind", "EADDRNOTAVAIL"))
{
    const struct address here = link_local(index_of_interface());
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &here.any, here.length), EADDRNOTAVAIL);
}

/* The scope of an address that is of no link is ignored, and not told.
 *
 * RFC 4007 §6; Linux net/ipv6/af_inet6.c __inet6_bind(), inet6_getname() (ipv6_iface_scope_id()).
 */
CASE(the_scope_of_a_wider_address_is_ignored, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "bind", "getsockname"))
{
    struct address here = loopback(kind, PORT), own;
    const int fd = NEED(new_socket(kind));

    here.in6.sin6_scope_id = 9999;
    SUCCEEDS(bind(fd, &here.any, here.length));
    NEED(own_address(fd, &own));
    IS(own.in6.sin6_scope_id, 0);
}

/* Once a socket is of a link another scope is EINVAL.
 *
 * Linux net/ipv6/tcp_ipv6.c tcp_v6_connect(), net/ipv6/datagram.c __ip6_datagram_connect() (the
 * device that it is bound to). */
CASE(a_socket_of_a_link_reaches_no_other, EACH(protocols), BEHAVIOUR("O5"),
     ABOUT("sin6_scope_id", "connect", "EINVAL"), REQUIRES("own host"))
{
    const struct address here = link_local(index_of_interface()),
                         there = link_local(index_of_interface() + 1);

    NEED(give_link_local());
    const int fd = NEED(bound_to(kind, here));
    FAILS(connect(fd, &there.any, there.length), EINVAL);
}

/* A socket that SO_BINDTODEVICE binds to a link needs no scope.
 *
 * socket(7) (SO_BINDTODEVICE); Linux net/ipv6/af_inet6.c __inet6_bind() (sk_bound_dev_if). */
CASE(so_bindtodevice_stands_for_the_scope, EACH(protocols), BEHAVIOUR("O5", "A17"),
     ABOUT("sin6_scope_id", "SO_BINDTODEVICE"), REQUIRES("own host"))
{
    const struct address here = link_local(0);
    const int fd = NEED(new_socket(kind));

    NEED(give_link_local());
    NEED(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, INTERFACE, sizeof INTERFACE));
    SUCCEEDS(bind(fd, &here.any, here.length));
}

/* --- who is there --------------------------------------------------------------------------------
 */

/* accept() tells the scope of a client's address.
 *
 * RFC 3493 §3.3; Linux net/ipv6/tcp_ipv6.c tcp_v6_syn_recv_sock(). */
CASE(accept_tells_the_scope, BEHAVIOUR("O5"), ABOUT("sin6_scope_id", "accept"),
     REQUIRES("own host"))
{
    const struct address there = link_local(index_of_interface());
    const int client = NEED(new_socket(&ipv6_stream));
    struct address peer = {.length = sizeof peer.storage};

    NEED(give_link_local());
    const int listener = NEED(listening_at(&ipv6_stream, wildcard(&ipv6_stream, PORT), 1));
    NEED(connect(client, &there.any, there.length));
    SUCCEEDS(accept(listener, &peer.any, &peer.length));
    IS(peer.in6.sin6_scope_id, index_of_interface());
}

/* So does recvfrom() of a sender's, and an answer to that arrives.
 *
 * RFC 3493 §3.3; Linux net/ipv6/udp.c udpv6_recvmsg(). */
CASE(recvfrom_tells_the_scope, BEHAVIOUR("O5"), ABOUT("sin6_scope_id", "recvfrom", "sendto"),
     REQUIRES("own host"))
{
    char byte;
    const struct address there = link_local(index_of_interface());
    struct address from = {.length = sizeof from.storage};
    const int client = NEED(new_socket(&ipv6_datagram));

    NEED(give_link_local());
    const int fd = NEED(bound_to(&ipv6_datagram, wildcard(&ipv6_datagram, PORT)));
    NEED((int)sendto(client, "x", 1, 0, &there.any, there.length));
    GIVES(recvfrom(fd, &byte, 1, MSG_DONTWAIT, &from.any, &from.length), 1);
    IS(from.in6.sin6_scope_id, index_of_interface());
    GIVES(sendto(fd, "y", 1, 0, &from.any, from.length), 1);
    EVENTS_ARE(events_now(client, POLLIN), POLLIN);
}
