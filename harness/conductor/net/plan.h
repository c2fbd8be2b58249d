#ifndef SOCKSPEC_PLAN_H
#define SOCKSPEC_PLAN_H

#include "net/address.h"

#include <stdbool.h>

/* What requests ask for: a wire, a route, a neighbour. Nothing but data. */

enum { MOST_ADDRESSES = 8, LEAST_MTU = 68, MOST_MTU = 65535 };

struct wire_end_plan {
    const char *host, *link;
    unsigned char mac[MAC_LENGTH];
    bool has_mac; /* else it is made from the numbers of wire and end */
    struct address addresses[MOST_ADDRESSES];
    int count;
};

struct wire_plan {
    const char *name;
    int mtu;
    bool neighbours; /* each host knows the other's addresses for good: nobody has to ask */
    struct wire_end_plan ends[2];
};

enum route_kind { ROUTE_VIA, ROUTE_UNREACHABLE, ROUTE_PROHIBIT, ROUTE_BLACKHOLE };

struct route {
    struct address to;
    enum route_kind kind;
    struct address via; /* ROUTE_VIA */
};

struct neighbour {
    struct address address;
    unsigned char mac[MAC_LENGTH]; /* not looked at when it is removed */
};

#endif
