#ifndef SOCKSPEC_HOSTS_H
#define SOCKSPEC_HOSTS_H

#include "capture.h"
#include "net/link.h"
#include "net/segment.h"
#include "reason.h"
#include "sockets.h"

#include <stdbool.h>
#include <stdint.h>

/* The lab's hosts: each a network namespace, what is open in it, and what was set in it, so that it
 * can be made again after a crash. */

enum { MOST_HOSTS = 32, MOST_SETTINGS = 64 };

enum setting_kind { SETTING_ADDRESS, SETTING_NEIGHBOUR, SETTING_ROUTE };

struct setting {
    enum setting_kind kind;
    char link[IFNAMSIZ]; /* not of a route */
    union {
        struct address address;
        struct neighbour neighbour;
        struct route route;
    };
};

struct host {
    char name[PLACE_NAME_ROOM];
    int namespace;              /* owned; -1: it has crashed */
    int diagnosis;              /* sock_diag; owned; -1 where the kernel has none */
    struct mnl_socket *netlink; /* for links; owned */
    struct capture *capture;    /* of its loopback, or NULL; owned */
    bool captured;              /* its loopback is to be */
    uint64_t dropped;           /* frames that the captures of earlier lives lost */
    struct setting settings[MOST_SETTINGS];
    int set; /* how many */
};

struct hosts {
    struct host list[MOST_HOSTS];
    int count;
    int home;                         /* the namespace that the conductor lives in; borrowed */
    int here;                         /* the one that it is in; borrowed */
    const struct socket_owner *owner; /* whose sockets are looked at; NULL: all there are */
};

/* The first host, "host", is the namespace that the caller is in; `captured`: its loopback is. 0,
 * or -1 with the reason. */
int hosts_open(struct hosts *hosts, bool captured, struct reason *why);
void hosts_close(struct hosts *hosts);

/* NULL: there is none of that name; then with the reason; also when it has crashed. */
struct host *hosts_find(struct hosts *hosts, const char *name);
struct host *hosts_known(struct hosts *hosts, const char *name, struct reason *why);
struct host *hosts_living(struct hosts *hosts, const char *name, struct reason *why);

/* Makes a host, loopback up. `captured`: what crosses its loopback is captured. Costs that much
 * more, as the kernel lets everyone finish before it makes a ring. 0, or -1 with the reason. */
int hosts_add(struct hosts *hosts, const char *name, bool captured, struct reason *why);

/* A new namespace that belongs to no host, and becomes the caller's home: its descriptor, owned by
 * the caller; -1 with the reason. */
int hosts_move_home(struct hosts *hosts, struct reason *why);

/* What the caller opens or forks till it leaves is the host's. 0, or -1 with the reason. */
int host_enter(struct hosts *hosts, const struct host *host, struct reason *why);
void host_leave(struct hosts *hosts);

/* As sockets_list, of that host. */
json_t *host_sockets(struct hosts *hosts, const struct host *host,
                     const struct socket_filter *filter, struct reason *why);

/* Bounds how long a connection whose process is gone is tried again, unless that was set already
 * (net.ipv4.tcp_orphan_retries): 3 times, which takes some 3 s, and not 8, which takes some 108. A
 * wire can keep an answer from coming for good, and till it gives up the connection keeps the
 * namespace, past the end of the lab. 0, or -1 with the reason. */
int host_bound_orphans(struct hosts *hosts, const struct host *host, struct reason *why);

/* Sets something, or takes it back, and remembers. 0, or -1 with the reason. */
int host_set(struct host *host, const struct setting *setting, bool remove, struct reason *why);

/* Forgets what was set at that link. */
void host_forget(struct host *host, const char *link);

/* Lets go of a host, all of whose processes are dead. What the kernel still has of it can reach
 * nobody. */
void host_crash(struct host *host);

/* A fresh namespace under the old name; then, once its links are there again, all that was set. 0,
 * or -1 with the reason: it has crashed still. */
int host_boot(struct hosts *hosts, struct host *host, struct reason *why);
int host_restore(struct host *host, struct reason *why);

#endif
