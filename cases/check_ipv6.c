#include "case.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static KINDS(protocols, KIND("TCP", .type = SOCK_STREAM), KIND("UDP", .type = SOCK_DGRAM));
static KINDS(both_families, KIND("IPv4", .family = AF_INET), KIND("IPv6", .family = AF_INET6));

static struct kind ipv6(const struct kind *kind)
{
    return (struct kind){.family = AF_INET6, .type = kind->type};
}

static struct kind ipv4(const struct kind *kind)
{
    return (struct kind){.family = AF_INET, .type = kind->type};
}

static struct kind mapped(const struct kind *kind)
{
    return (struct kind){.family = AF_INET6, .type = kind->type, .mapped = true};
}

/* An address's text without its port; "" for what has none. */
static const char *text_of(const struct address *address)
{
    static char text[INET6_ADDRSTRLEN];

    text[0] = '\0';
    if (address->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &address->in.sin_addr, text, sizeof text);
    if (address->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->in6.sin6_addr, text, sizeof text);
    return text;
}

#define ADDRESS_IS(address, wanted)                                                                \
    BYTES_ARE(text_of(address), (long)strlen(text_of(address)), wanted)

/* A socket at :: and PORT, with IPV6_V6ONLY as it should be; TCP listens. */
static int at_wildcard(const struct kind *kind, int v6only)
{
    const struct kind own = ipv6(kind);
    const struct address here = wildcard(&own, PORT);
    const int fd = new_socket(&own);

    if (fd < 0 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only) < 0 ||
        bind(fd, &here.any, here.length) < 0)
        return -1;
    return kind->type == SOCK_STREAM && listen(fd, 1) < 0 ? -1 : fd;
}

/* An IPv4 socket that is connected to PORT. */
static int ipv4_client(const struct kind *kind)
{
    const struct kind own = ipv4(kind);
    const struct address there = loopback(&own, PORT);
    const int fd = new_socket(&own);

    return fd < 0 || connect(fd, &there.any, there.length) < 0 ? -1 : fd;
}

/* --- one socket for both -------------------------------------------------------------------------
 */

/* A listener at :: accepts IPv4, too: accept() tells the client's address as a mapped one.
 *
 * RFC 3493 §3.7; ipv6(7). */
CASE(a_listener_of_both_tells_mapped_addresses, EACH(inet_stream_mapped), BEHAVIOUR("O1"),
     ABOUT("IPV6_V6ONLY", "accept"))
{
    const struct address there = loopback(kind, PORT);
    const int listener = NEED(at_wildcard(kind, 0)), client = NEED(new_socket(kind));
    struct address peer = {.length = sizeof peer.storage};

    NEED(connect(client, &there.any, there.length));
    SUCCEEDS(accept(listener, &peer.any, &peer.length));
    IS(peer.any.sa_family, AF_INET6);
    ADDRESS_IS(&peer, kind->family == AF_INET6 && !kind->mapped ? "::1" : "::ffff:127.0.0.1");
}

/* So do getsockname() and getpeername() of the connection.
 *
 * RFC 3493 §3.7. */
CASE(a_connection_of_both_names_mapped_addresses, BEHAVIOUR("O1", "O4"),
     ABOUT("IPV6_V6ONLY", "getsockname", "getpeername"))
{
    struct address own, peer;
    const int listener = NEED(at_wildcard(kind, 0));

    NEED(ipv4_client(kind));
    const int connection = NEED(accept(listener, NULL, NULL));
    SUCCEEDS(own_address(connection, &own));
    ADDRESS_IS(&own, "::ffff:127.0.0.1");
    SUCCEEDS(peer_address(connection, &peer));
    ADDRESS_IS(&peer, "::ffff:127.0.0.1");
}

/* The client sees nothing of it: its peer is at an IPv4 address.
 *
 * RFC 3493 §3.7. */
CASE(the_ipv4_client_sees_ipv4, BEHAVIOUR("O1"), ABOUT("IPV6_V6ONLY", "getpeername"))
{
    struct address peer;

    NEED(at_wildcard(kind, 0));
    const int client = NEED(ipv4_client(kind));
    SUCCEEDS(peer_address(client, &peer));
    IS(peer.any.sa_family, AF_INET);
    ADDRESS_IS(&peer, "127.0.0.1");
}

/* recvfrom() tells a mapped address of who sent by IPv4, and an answer to that arrives.
 *
 * RFC 3493 §3.7. */
CASE(a_datagram_by_ipv4_comes_from_a_mapped_address, BEHAVIOUR("O1", "O4"),
     ABOUT("IPV6_V6ONLY", "recvfrom", "sendto"))
{
    char byte;
    struct address from = {.length = sizeof from.storage};
    const int fd = NEED(at_wildcard(&ipv6_datagram, 0)), client = NEED(ipv4_client(&ipv4_datagram));

    NEED((int)send(client, "x", 1, 0));
    GIVES(recvfrom(fd, &byte, 1, MSG_DONTWAIT, &from.any, &from.length), 1);
    ADDRESS_IS(&from, "::ffff:127.0.0.1");
    GIVES(sendto(fd, "y", 1, 0, &from.any, from.length), 1);
    GIVES(recv(client, &byte, 1, MSG_DONTWAIT), 1);
}

/* --- or for IPv6 alone ---------------------------------------------------------------------------
 */

/* IPV6_V6ONLY is off unless it is set.
 *
 * RFC 3493 §5.3; ipv6(7) (bindv6only). FreeBSD has it on (net.inet6.ip6.v6only). */
CASE(ipv6_v6only_is_off_at_first, EACH(protocols), BEHAVIOUR("O2"), ABOUT("IPV6_V6ONLY"))
{
    const struct kind own = ipv6(kind);
    const int fd = NEED(new_socket(&own));

    GIVES(get_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), ON(LINUX(0), FREEBSD(1)));
}

/* It cannot be changed once the socket is bound: EINVAL.
 *
 * ipv6(7) (only before bind()); Linux net/ipv6/ipv6_sockglue.c do_ipv6_setsockopt(). */
CASE(ipv6_v6only_is_settled_by_bind, EACH(protocols), BEHAVIOUR("O2"),
     ABOUT("IPV6_V6ONLY", "EINVAL"))
{
    const struct kind own = ipv6(kind);
    const int fd = NEED(bound_socket(&own));

    FAILS(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
}

/* With it set IPv4 finds nobody there: ECONNREFUSED.
 *
 * RFC 3493 §5.3. */
CASE(v6only_refuses_ipv4, EACH(protocols), BEHAVIOUR("O2"), ABOUT("IPV6_V6ONLY", "ECONNREFUSED"))
{
    const struct kind other = ipv4(kind);
    const struct address there = loopback(&other, PORT);
    const int client = NEED(new_socket(&other));

    NEED(at_wildcard(kind, 1));
    if (kind->type == SOCK_DGRAM) {
        NEED(connect(client, &there.any, there.length));
        NEED((int)send(client, "x", 1, 0));
        FAILS(send(client, "x", 1, 0), ECONNREFUSED);
    } else {
        FAILS(connect(client, &there.any, there.length), ECONNREFUSED);
    }
}

/* And it cannot connect to a mapped address itself: ENETUNREACH.
 *
 * Linux net/ipv6/tcp_ipv6.c tcp_v6_connect(), net/ipv6/datagram.c __ip6_datagram_connect(). */
CASE(v6only_reaches_no_mapped_address, EACH(protocols), BEHAVIOUR("O2", "O4"),
     ABOUT("IPV6_V6ONLY", "ENETUNREACH"))
{
    const struct kind own = mapped(kind);
    const struct address there = loopback(&own, PORT);
    const int fd = NEED(new_socket(&own));

    NEED(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    FAILS(connect(fd, &there.any, there.length), ENETUNREACH);
}

/* Nor be bound to one: EINVAL.
 *
 * Linux net/ipv6/af_inet6.c __inet6_bind(). */
CASE(v6only_cannot_be_bound_to_a_mapped_address, EACH(protocols), BEHAVIOUR("O2", "O4"),
     ABOUT("IPV6_V6ONLY", "EINVAL", "bind"))
{
    const struct kind own = mapped(kind);
    const struct address here = loopback(&own, PORT);
    const int fd = NEED(new_socket(&own));

    NEED(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    FAILS(bind(fd, &here.any, here.length), EINVAL);
}

/* --- mapped addresses in each call ---------------------------------------------------------------
 */

/* What is bound to a mapped address has it by name.
 *
 * RFC 3493 §3.7. */
CASE(a_mapped_address_can_be_bound, EACH(protocols), BEHAVIOUR("O4"), ABOUT("bind", "getsockname"))
{
    struct address own;
    const struct kind kinds = mapped(kind);
    const struct address here = loopback(&kinds, PORT);
    const int fd = NEED(new_socket(&kinds));

    SUCCEEDS(bind(fd, &here.any, here.length));
    NEED(own_address(fd, &own));
    ADDRESS_IS(&own, "::ffff:127.0.0.1");
}

/* It has IPv4's port: an IPv4 socket finds it taken.
 *
 * Linux net/ipv6/inet6_connection_sock.c, net/ipv4/inet_hashtables.c (ipv6_rcv_saddr_equal()). */
CASE(a_mapped_address_takes_the_port_of_ipv4, EACH(protocols), BEHAVIOUR("O4", "A5"),
     ABOUT("bind", "EADDRINUSE"))
{
    const struct kind taker = mapped(kind), other = ipv4(kind);
    const struct address here = loopback(&other, PORT);
    const int fd = NEED(new_socket(&other));

    NEED(bound_socket(&taker));
    FAILS(bind(fd, &here.any, here.length), EADDRINUSE);
}

/* And leaves that of IPv6 free.
 *
 * Linux net/ipv4/inet_connection_sock.c ipv6_rcv_saddr_equal(). */
CASE(a_mapped_address_leaves_the_port_of_ipv6, EACH(protocols), BEHAVIOUR("O4", "A5"),
     ABOUT("bind"))
{
    const struct kind taker = mapped(kind), other = ipv6(kind);
    const struct address here = loopback(&other, PORT);
    const int fd = NEED(new_socket(&other));

    NEED(bound_socket(&taker));
    SUCCEEDS(bind(fd, &here.any, here.length));
}

/* connect() to a mapped address reaches an IPv4 socket, and both ends are named mapped.
 *
 * RFC 3493 §3.7. */
CASE(connecting_to_a_mapped_address_reaches_ipv4, EACH(protocols), BEHAVIOUR("O4"),
     ABOUT("connect", "getpeername", "getsockname"))
{
    struct address own, peer;
    const struct kind mine = mapped(kind), theirs = ipv4(kind);
    const struct address there = loopback(&mine, PORT);
    const int fd = NEED(new_socket(&mine)), other = NEED(bound_socket(&theirs));

    if (kind->type == SOCK_STREAM)
        NEED(listen(other, 1));
    SUCCEEDS(connect(fd, &there.any, there.length));
    NEED(own_address(fd, &own));
    ADDRESS_IS(&own, "::ffff:127.0.0.1");
    NEED(peer_address(fd, &peer));
    ADDRESS_IS(&peer, "::ffff:127.0.0.1");
}

/* The IPv4 end sees an IPv4 peer.
 *
 * RFC 3493 §3.7. */
CASE(a_mapped_client_is_an_ipv4_peer, BEHAVIOUR("O4"), ABOUT("accept"))
{
    const struct kind mine = mapped(&ipv6_stream);
    const struct address there = loopback(&mine, PORT);
    const int fd = NEED(new_socket(&mine)), listener = NEED(listening_socket(&ipv4_stream));
    struct address peer = {.length = sizeof peer.storage};

    NEED(connect(fd, &there.any, there.length));
    SUCCEEDS(accept(listener, &peer.any, &peer.length));
    IS(peer.any.sa_family, AF_INET);
    ADDRESS_IS(&peer, "127.0.0.1");
}

/* sendto() a mapped address reaches an IPv4 socket.
 *
 * RFC 3493 §3.7; Linux net/ipv6/udp.c udpv6_sendmsg(). */
CASE(a_datagram_to_a_mapped_address_reaches_ipv4, BEHAVIOUR("O4"), ABOUT("sendto"))
{
    const struct kind mine = mapped(&ipv6_datagram);
    const struct address there = loopback(&mine, PORT);
    const int fd = NEED(new_socket(&mine)), other = NEED(bound_socket(&ipv4_datagram));

    GIVES(sendto(fd, "x", 1, 0, &there.any, there.length), 1);
    EVENTS_ARE(events_now(other, POLLIN), POLLIN);
}

/* The mapped wildcard is IPv4's: an IPv6 client finds nobody there.
 *
 * RFC 3493 §3.7; Linux net/ipv6/af_inet6.c __inet6_bind(). */
CASE(the_mapped_wildcard_is_of_ipv4_alone, EACH(both_families), BEHAVIOUR("O4"),
     ABOUT("bind", "ECONNREFUSED"))
{
    const struct kind mine = mapped(&ipv6_stream),
                      other = {.family = kind->family, .type = SOCK_STREAM};
    const struct address there = loopback(&other, PORT);
    const int client = NEED(new_socket(&other));

    NEED(listening_at(&mine, wildcard(&mine, PORT), 1));
    GIVES(connect(client, &there.any, there.length),
          kind->family == AF_INET ? SUCCESS : -ECONNREFUSED);
}

/* An IPv4 listener refuses IPv6.
 *
 * RFC 3493 §3.7. */
CASE(an_ipv4_listener_refuses_ipv6, BEHAVIOUR("O3"), ABOUT("connect", "ECONNREFUSED"))
{
    const struct address there = loopback(&ipv6_stream, PORT);
    const int client = NEED(new_socket(&ipv6_stream));

    NEED(listening_at(&ipv4_stream, wildcard(&ipv4_stream, PORT), 1));
    FAILS(connect(client, &there.any, there.length), ECONNREFUSED);
}

/* An IPv4 socket takes no IPv6 address, not even a mapped one: EAFNOSUPPORT.
 *
 * POSIX.1-2024 bind() [EAFNOSUPPORT], connect() [EAFNOSUPPORT]; Linux net/ipv4/af_inet.c
 * __inet_bind(). */
CASE(an_ipv4_socket_takes_no_ipv6_address, EACH(protocols), BEHAVIOUR("O4", "V3", "V6"),
     ABOUT("bind", "connect", "EAFNOSUPPORT"))
{
    const struct kind own = ipv4(kind), other = mapped(kind);
    const struct address strange = loopback(&other, PORT);
    const int fd = NEED(new_socket(&own));

    FAILS(bind(fd, &strange.any, strange.length), EAFNOSUPPORT);
    FAILS(connect(fd, &strange.any, strange.length), EAFNOSUPPORT);
}

/* An IPv6 socket takes a plain IPv4 address where it sends datagrams, and nowhere else.
 *
 * Linux net/ipv6/udp.c udpv6_sendmsg() (AF_INET), net/ipv6/af_inet6.c __inet6_bind(). */
CASE(an_ipv6_socket_sends_to_a_plain_ipv4_address, BEHAVIOUR("O4", "V8"),
     ABOUT("sendto", "bind", "EINVAL"))
{
    const struct address there = loopback(&ipv4_datagram, PORT);
    const int fd = NEED(new_socket(&ipv6_datagram)), other = NEED(bound_socket(&ipv4_datagram));

    FAILS(bind(fd, &there.any, there.length), EINVAL);
    GIVES(sendto(fd, "x", 1, 0, &there.any, there.length), ON(LINUX(1), FREEBSD(-EINVAL)));
    EVENTS_ARE(events_now(other, POLLIN), ON(LINUX(POLLIN), FREEBSD(0)));
}
