#ifndef SOCKSPEC_SOCKETS_H
#define SOCKSPEC_SOCKETS_H

#include "reason.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The sockets of a host, as the kernel's sock_diag tells them, or else /proc/net. */

struct socket_host {
    int family;              /* AF_UNSPEC: any address */
    unsigned char bytes[16]; /* in network order; AF_INET has 4 */
};

/* Whose sockets they are, on a host that is shared with others. */
struct socket_owner {
    int first, last; /* ports that are its own */
    bool (*holds)(const void *context, uint64_t inode);
    const void *context;
};

struct socket_filter {
    int family;        /* AF_UNSPEC: AF_INET and AF_INET6 */
    int type;          /* 0: any */
    int local, remote; /* ports; -1: any */
    struct socket_host local_host, remote_host;
    uint32_t states;            /* bit 1 << state of the kernel's numbering; 0: any */
    int timer;                  /* the kernel's number of the timer that runs; 0: any or none */
    int64_t inode, send_window; /* -1: any */
    const struct socket_owner *owner; /* NULL: anybody's */
};

/* Reads the filter's members out of a request (PROTOCOL.md, filter); other members are not looked
 * at. A filter that no socket could ever match (AF_UNIX with a port) is an error. An address fills
 * in the family. Pure. 0, or -1 with the reason. */
int socket_filter_parse(const json_t *request, struct socket_filter *filter, struct reason *why);

/* A netlink socket to the sock_diag of the network namespace that the caller is in, CLOEXEC; the
 * caller closes it. -1 with errno. */
int sockets_open(void);

/* Whether the kernel tells what the filter asks for. 0, or -1 with the reason. */
int sockets_can_tell(const struct socket_filter *filter, struct reason *why);

/* The sockets of that netlink socket's namespace (-1: of the caller's) that match, each as
 * PROTOCOL.md says (socket), sorted by family, local port, remote port, state. A new reference to
 * an array, or NULL with the reason.
 *
 * A TCP socket that neither listens nor connects is told only when the filter names CLOSED and the
 * kernel is 6.8 or later: so a filter without states gives the same on every kernel. An AF_UNIX
 * socket without a name has the path "", one without a peer has peer_inode 0. */
json_t *sockets_list(int netlink, const struct socket_filter *filter, struct reason *why);

/* The name of a state ("FIN_WAIT2") by the kernel's number, or NULL. */
const char *socket_state_name(int state);

#endif
