#ifndef SOCKSPEC_ADDRESS_H
#define SOCKSPEC_ADDRESS_H

#include "kind.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Ports outside the range that the kernel gives away (32768 to 60999 on Linux). */
#define PORT own_port(0)
#define OTHER_PORT own_port(1)

/* The lab's ports, eight at most: from 9877 on, or, where the lab shares the machine's host with
 * others, from where $SOCKSPEC_PORT says. */
uint16_t own_port(int index);

/* An address with its length, of any family: bind(fd, &address.any, address.length). */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    };
    socklen_t length;
};

/* Loopback, or every address, with a port; for UNIX a path, which is another for each port, in a
 * folder of the item's own; nothing is there yet. */
struct address loopback(const struct kind *kind, int port);
struct address wildcard(const struct kind *kind, int port);
/* IPv4 or IPv6 address text. Of a mapped kind IPv4's is mapped. */
struct address address_of(const struct kind *kind, const char *text, int port);

/* A socket's own address, and its peer's. 0, or -1 with errno. */
int own_address(int descriptor, struct address *address);
int peer_address(int descriptor, struct address *address);

/* The port of an address in host order; -1 with EAFNOSUPPORT when it has none. */
int port_of(const struct address *address);

#endif
