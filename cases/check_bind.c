#include "case.h"
#include "sockets.h"

/* bind() says EADDRINUSE when another socket has the port and neither has SO_REUSEADDR.
 *
 * POSIX.1-2024 bind() [EADDRINUSE]; Linux net/ipv4/inet_connection_sock.c inet_csk_get_port(). */
CASE(an_occupied_port_is_refused, EACH(inet), BEHAVIOUR("A1", "V3"),
     ABOUT("SO_REUSEADDR", "EADDRINUSE"))
{
    const struct address taken = loopback(kind, PORT);
    const int other = NEED(new_socket(kind));

    NEED(bound_to(kind, taken));
    FAILS(bind(other, &taken.any, taken.length), EADDRINUSE);
}

/* bind() says EADDRNOTAVAIL for an address that no interface of the host has.
 *
 * POSIX.1-2024 bind() [EADDRNOTAVAIL]; Linux net/ipv4/af_inet.c __inet_bind(),
 * net/ipv6/af_inet6.c __inet6_bind(). */
CASE(a_foreign_address_is_refused, EACH(inet), BEHAVIOUR("A12", "V3"), ABOUT("EADDRNOTAVAIL"))
{
    const char *documentation = kind->family == AF_INET ? "192.0.2.1" : "2001:db8::1";
    const struct address foreign = address_of(kind, documentation, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &foreign.any, foreign.length), EADDRNOTAVAIL);
}

/* A second bind() of one socket says EINVAL, though its new port is free.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/ipv4/af_inet.c __inet_bind(). */
CASE(a_bound_socket_cannot_be_bound_again, EACH(inet), BEHAVIOUR("A14", "V3"), ABOUT("EINVAL"))
{
    const struct address elsewhere = loopback(kind, OTHER_PORT);
    const int fd = NEED(bound_socket(kind));

    FAILS(bind(fd, &elsewhere.any, elsewhere.length), EINVAL);
}

static KINDS(first_protocols, KIND("TCP", .type = SOCK_STREAM, .other = SOCK_DGRAM),
             KIND("UDP", .type = SOCK_DGRAM, .other = SOCK_STREAM));
static KINDS(families, KIND("IPv4", .family = AF_INET), KIND("IPv6", .family = AF_INET6));

/* TCP and UDP have ports of their own: a number that one has is free for the other.
 *
 * RFC 9293 §3.3.1 and RFC 768 name ports within a protocol; Linux has a table of each
 * (tcp_hashinfo, udp_table). */
CASE(tcp_and_udp_share_a_port, EACH(first_protocols, families), BEHAVIOUR("A15"), ABOUT("bind"))
{
    const struct kind second = {.family = kind->family, .type = kind->other};
    const struct address both = loopback(kind, PORT);
    const int fd = NEED(new_socket(&second));

    NEED(bound_to(kind, both));
    SUCCEEDS(bind(fd, &both.any, both.length));
}
