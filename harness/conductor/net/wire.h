#ifndef SOCKSPEC_WIRE_H
#define SOCKSPEC_WIRE_H

#include "core.h"
#include "net/hosts.h"
#include "net/plan.h"
#include "reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The wires. Each end is a veth pair between a host and one more namespace, without addresses, that
 * belongs to the conductor; there it takes every frame that leaves a host and sends it to the
 * wire's other end, or does what a watch orders. */

enum { MOST_WIRES = 32 };

struct wire_end {
    int host; /* index */
    char link[IFNAMSIZ];
    unsigned char mac[MAC_LENGTH];
    int index; /* of the far end of the host's link; 0: the host has crashed */
    bool cut;  /* what its host sends vanishes */
};

struct wire {
    char name[PLACE_NAME_ROOM];
    int mtu;
    struct wire_end ends[2];
};

struct wires;

/* Without a wire it is nothing but memory. NULL with errno. */
struct wires *wires_open(struct core *core, struct hosts *hosts);
void wires_close(struct wires *wires);

/* --- making them; 0, or -1 with the reason
 * ----------------------------------------------------------------------
 */

int wires_add(struct wires *wires, const struct wire_plan *plan, struct reason *why);

/* `side`: what that host sends; NULL: both. What is to be cut must be whole; something of what is
 * to be mended must be cut. */
int wire_cut(struct wires *wires, struct wire *wire, const char *side, struct reason *why);
int wire_mend(struct wires *wires, struct wire *wire, const char *side, struct reason *why);

/* From here on nothing of that host gets onto a wire, and nothing to it. */
void wires_silence(struct wires *wires, int host);

/* New links for a host that has booted. */
int wires_reconnect(struct wires *wires, int host, struct reason *why);

/* --- frames
 * --------------------------------------------------------------------------------------------------
 */

/* To be polled for POLLIN; -1 as long as there is no wire. */
int wires_descriptor(const struct wires *wires);

/* Takes what has come, oldest first, up to a number that leaves others their turn, and sends what
 * was delayed and is due. */
void wires_pump(struct wires *wires);

/* When the next delayed frame is due, ns of CLOCK_MONOTONIC; UINT64_MAX: none is. */
uint64_t wires_due(const struct wires *wires);

/* Lets the frames that a watch holds go, or throws them away. How many: 0 when it holds none. */
int wires_pass(struct wires *wires, int watch, bool reversed);
int wires_discard(struct wires *wires, int watch);

/* Sends an IP packet to a host by a wire, as if it came from the other end; a cut does not stop it.
 * The seq of its event; 0 with the reason. */
uint64_t wire_forge(struct wires *wires, const struct wire *wire, const char *to,
                    const unsigned char *packet, size_t length, struct reason *why);

/* Frames that were lost because there was no room for them. */
uint64_t wires_dropped(struct wires *wires);

/* --- questions
 * -----------------------------------------------------------------------------------------------
 */

struct wire *wires_find(struct wires *wires, const char *name, struct reason *why);
const struct wire *wires_at(const struct wires *wires, int index);

/* Which end of the wire is that host's: 0, 1, or -1. */
int wire_end_of(const struct wires *wires, const struct wire *wire, const char *host);

/* Whether a wire ends at that host. */
bool wires_reach(const struct wires *wires, int host);

#endif
