#ifndef SOCKSPEC_SOCKETS_ENTRY_H
#define SOCKSPEC_SOCKETS_ENTRY_H

#include "sockets.h"

/* What the ways of asking the kernel for its sockets share. */

/* The kernel's states that the C library's list of them lacks. Several numbers for one name: the
 * kernel tells a half-open connection that is not yet a socket, and a bound one that is nothing
 * more, from the classic states. */
enum { STATE_NEW_SYN_RECV = 12, STATE_BOUND_INACTIVE = 13, STATES };

struct endpoint {
    unsigned char host[16];
    int port;
};

/* One socket, of whatever family. */
struct entry {
    int family, type, state, timer;
    struct endpoint local, remote; /* not AF_UNIX */
    char path[128];                /* AF_UNIX */
    size_t path_length;
    uint32_t peer_inode;               /* AF_UNIX */
    int64_t send_window;               /* -1: it has none, or the kernel does not tell */
    int64_t receive_queue, send_queue; /* -1: not told */
    uint32_t expires, retransmits, uid, inode;
    uint64_t cookie;
};

struct listing {
    const struct socket_filter *filter;
    struct entry *entries; /* owned */
    size_t count, room;
};

/* Adds an entry if the filter wants it. 0, or -1 with errno. */
int listing_take(struct listing *listing, const struct entry *entry);

/* Add all that the filter wants. 0, or -1 with the reason. sock_diag tells of the namespace that
 * `netlink` was opened in, proc of the one that the process is in (0: the caller). */
int sockets_of_diag(int netlink, struct listing *listing, struct reason *why);
int sockets_of_proc(pid_t pid, struct listing *listing, struct reason *why);

#endif
