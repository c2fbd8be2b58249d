#include "case.h"
#include "kernel.h"
#include "sockets.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* Sockets that are bound to a device, and addresses that need one. */

static const char device[] = "device";

static int bind_to_device(int fd, const char *name)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1);
}

/* A socket on that device, without a port. */
static int socket_on(const struct kind *kind, const char *name)
{
    const int fd = new_socket(kind);

    return fd < 0 || bind_to_device(fd, name) < 0 ? -1 : fd;
}

static int wildcard_on(const struct kind *kind, const char *name)
{
    const struct address any = wildcard(kind, PORT);
    const int fd = socket_on(kind, name);

    return fd < 0 || bind(fd, &any.any, any.length) < 0 ? -1 : fd;
}

/* Sockets of two devices have one port each.
 *
 * socket(7) SO_BINDTODEVICE; Linux net/ipv4/inet_connection_sock.c inet_bind_conflict()
 * (bound_dev_if). */
CASE(of_two_devices_each_has_the_port, EACH(inet), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "bind"))
{
    NEED(add_device(device));
    NEED(wildcard_on(kind, "lo"));
    SUCCEEDS(wildcard_on(kind, device));
}

/* Of TCP both can listen.
 *
 * Linux net/ipv4/inet_connection_sock.c inet_csk_listen_start() (the port is looked at once more).
 */
CASE(of_two_devices_each_has_a_listener, EACH(inet_stream), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "listen"))
{
    NEED(add_device(device));
    const int one = NEED(wildcard_on(kind, "lo")), other = NEED(wildcard_on(kind, device));
    SUCCEEDS(listen(one, 1));
    SUCCEEDS(listen(other, 1));
}

/* On one device the port is one's own: EADDRINUSE.
 *
 * socket(7) SO_BINDTODEVICE; POSIX.1-2024 bind() [EADDRINUSE]. */
CASE(on_one_device_a_port_is_ones_own, EACH(inet), BEHAVIOUR("A17", "A1"),
     ABOUT("SO_BINDTODEVICE", "EADDRINUSE", "bind"))
{
    const struct address any = wildcard(kind, PORT);
    const int other = NEED(socket_on(kind, "lo"));

    NEED(wildcard_on(kind, "lo"));
    FAILS(bind(other, &any.any, any.length), EADDRINUSE);
}

/* A socket without a device stands for all of them: it conflicts with one that has a device.
 *
 * Linux net/ipv4/inet_connection_sock.c inet_bind_conflict() (either bound_dev_if is 0). */
CASE(a_socket_without_a_device_has_the_port_on_all, EACH(inet), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "EADDRINUSE", "bind"))
{
    const struct address any = wildcard(kind, PORT);
    const int fd = NEED(socket_on(kind, "lo"));

    NEED(bound_to(kind, any));
    FAILS(bind(fd, &any.any, any.length), EADDRINUSE);
}

/* And the reverse: beside one that has a device none without can be bound.
 *
 * Linux net/ipv4/inet_connection_sock.c inet_bind_conflict(). */
CASE(beside_a_device_there_is_no_port_on_all, EACH(inet), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "EADDRINUSE", "bind"))
{
    const struct address any = wildcard(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(wildcard_on(kind, "lo"));
    FAILS(bind(fd, &any.any, any.length), EADDRINUSE);
}

/* A listener of one device is not there for who comes over another: ECONNREFUSED.
 *
 * socket(7) SO_BINDTODEVICE (only packets received from that interface); Linux
 * net/ipv4/inet_hashtables.c compute_score(). */
CASE(a_listener_of_another_device_refuses, EACH(inet_stream), BEHAVIOUR("A17", "H1"),
     ABOUT("SO_BINDTODEVICE", "ECONNREFUSED", "connect"))
{
    NEED(add_device(device));
    const int listener = NEED(wildcard_on(kind, device));
    NEED(listen(listener, 1));
    FAILS(waiting_client(kind), ECONNREFUSED);
}

/* One whose device it is gets the client, though another has the port elsewhere.
 *
 * socket(7) SO_BINDTODEVICE; Linux net/ipv4/inet_hashtables.c compute_score(). */
CASE(the_devices_own_listener_gets_the_client, EACH(inet_stream), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "accept", "connect"))
{
    NEED(add_device(device));
    const int one = NEED(wildcard_on(kind, "lo")), other = NEED(wildcard_on(kind, device));
    NEED(listen(one, 1));
    NEED(listen(other, 1));
    NEED(waiting_client(kind));
    EVENTS_ARE(events_now(one, POLLIN), POLLIN);
    EVENTS_ARE(events_now(other, POLLIN), 0);
}

/* What a listener accepts is bound to its device.
 *
 * socket(7) SO_BINDTODEVICE; Linux net/ipv4/tcp_input.c tcp_conn_request() (ir_iif). */
CASE(what_is_accepted_is_bound_to_the_device, EACH(inet_stream), BEHAVIOUR("A17", "G13"),
     ABOUT("SO_BINDTODEVICE", "accept"))
{
    char name[IF_NAMESIZE] = "";
    socklen_t size = sizeof name;
    const int listener = NEED(wildcard_on(kind, "lo"));

    NEED(listen(listener, 1));
    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
    IS(strcmp(name, "lo"), 0);
}

/* A device that does not exist is ENODEV.
 *
 * Linux net/core/sock.c sock_setbindtodevice(). */
CASE(a_device_that_is_not_there_is_enodev, EACH(inet), BEHAVIOUR("A17", "V11"),
     ABOUT("SO_BINDTODEVICE", "ENODEV"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(bind_to_device(fd, device), ENODEV);
}

/* An empty name takes the device away: the socket is reached again.
 *
 * socket(7) SO_BINDTODEVICE (if the argument is an empty string, the binding is removed). */
CASE(an_empty_name_takes_the_device_away, EACH(inet_stream), BEHAVIOUR("A17"),
     ABOUT("SO_BINDTODEVICE", "connect"))
{
    NEED(add_device(device));
    const int listener = NEED(wildcard_on(kind, device));
    NEED(listen(listener, 1));
    NEED(bind_to_device(listener, ""));
    SUCCEEDS(waiting_client(kind));
}

/* --- multicast -----------------------------------------------------------------------------------
 */

static KINDS(groups, KIND("ff01::1", .text = "ff01::1"), KIND("ff02::1", .text = "ff02::1"),
             KIND("ff0e::1", .text = "ff0e::1"));

/* TCP cannot connect to a group of IPv6, though datagrams have a way there: ENETUNREACH.
 *
 * RFC 9293 §3.9.2.3; Linux net/ipv6/tcp_ipv6.c tcp_v6_connect() (IPV6_ADDR_MULTICAST). */
CASE(tcp_cannot_connect_to_a_group_of_ipv6, EACH(groups), BEHAVIOUR("H13", "V6"),
     ABOUT("connect", "ENETUNREACH", "multicast"))
{
    NEED(add_device(device));
    const struct address group = address_of(&ipv6_stream, kind->text, PORT);
    const int datagrams = NEED(bound_to(&ipv6_datagram, loopback(&ipv6_datagram, 0)));
    const int fd = NEED(bound_to(&ipv6_stream, loopback(&ipv6_stream, 0)));

    NEED(bind_to_device(datagrams, device));
    NEED(bind_to_device(fd, device));
    NEED(connect(datagrams, &group.any, group.length));
    FAILS(connect(fd, &group.any, group.length), ENETUNREACH);
}
