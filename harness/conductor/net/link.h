#ifndef SOCKSPEC_LINK_H
#define SOCKSPEC_LINK_H

#include "plan.h"

#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdbool.h>

/* Links, addresses, routes and neighbours, over a netlink socket that belongs to the network
 * namespace it was opened in, wherever the caller is meanwhile. All return 0, or -1 with errno. */

/* For the namespace that the caller is in; NULL with errno. Closed by mnl_socket_close. */
struct mnl_socket *link_open(void);

/* Whether the kernel has links of the kind veth. None is made. */
bool link_knows_veth(struct mnl_socket *netlink);

/* A veth pair, up at both ends: `name` at a host, `far_name` here. */
struct link_pair {
    const char *name, *far_name;
    int namespace;              /* the host's */
    struct mnl_socket *netlink; /* the same */
    const unsigned char *mac;   /* of `name` */
    int mtu;
};

/* Makes it. What leaves the host are whole frames with their checksums, what comes in has them
 * verified: the link neither segments nor computes for the kernel. */
int link_make_pair(struct mnl_socket *netlink, const struct link_pair *pair);

/* Takes it away, with its other end. */
int link_remove(struct mnl_socket *netlink, const char *link);

/* An address is usable at once, without duplicate address detection; a neighbour is permanent and
 * replaces what was known of it. */
int link_address(struct mnl_socket *netlink, const char *link, const struct address *address,
                 bool remove);
int link_neighbour(struct mnl_socket *netlink, const char *link, const struct neighbour *neighbour,
                   bool remove);
int link_route(struct mnl_socket *netlink, const struct route *route, bool remove);

/* The index of a link of that namespace, or -1 with errno. `socket`: any socket of it. */
int link_index(int socket, const char *name);

#endif
