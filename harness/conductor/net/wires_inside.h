#ifndef SOCKSPEC_WIRES_INSIDE_H
#define SOCKSPEC_WIRES_INSIDE_H

#include "net/wire.h"

#include <linux/if_ether.h>

/* What wire.c (making and cutting) and frames.c (carrying) share, and nobody else knows. */

enum { FRAME_ROOM = ETH_HLEN + MOST_MTU };

/* A frame that waits. */
struct parcel {
    struct parcel *next;
    const struct wire *wire;
    int side; /* it came from that end */
    int watch;
    uint64_t event; /* its coming */
    uint64_t due;   /* ns of CLOCK_MONOTONIC; UINT64_MAX: it is held */
    size_t length;
    unsigned char frame[];
};

struct wires {
    struct core *core;
    struct hosts *hosts;
    int namespace, socket;      /* owned; -1 as long as there is no wire */
    struct mnl_socket *netlink; /* owned; NULL as long */
    struct wire list[MOST_WIRES];
    int count;
    int links; /* made so far, for their names */
    struct parcel *parcels, **last;
    size_t kept;
    uint64_t dropped;
    unsigned char frame[FRAME_ROOM];
};

struct host *wire_host(const struct wires *wires, const struct wire *wire, int side);

/* Says that the wire does not end at that host, or that there is no such host. Always -1. */
int wire_no_end(const struct wires *wires, const struct wire *wire, const char *host,
                struct reason *why);

#endif
