#include "wire.h"

#include "wires_inside.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* What the wires carry: frames come, are logged, and go on, wait, or vanish. */

enum {
    TYPE_AT = 2 * ETH_ALEN,
    PUMP_FRAMES = 64,     /* the control channel and the programs want their turn */
    MOST_KEPT = 64 << 20, /* bytes of frames held and delayed */
};

static uint64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static uint16_t ethertype_of(const unsigned char *frame)
{
    return (uint16_t)(frame[TYPE_AT] << 8 | frame[TYPE_AT + 1]);
}

static size_t captured(size_t length)
{
    return length - ETH_HLEN < CAPTURE_SNAP ? length - ETH_HLEN : CAPTURE_SNAP;
}

static struct record head_of(const struct wires *wires, const struct wire *wire, int side,
                             const unsigned char *frame, size_t length)
{
    struct record head = {.kind = RECORD_SEGMENT};

    head.segment.host = wire->ends[side].host;
    head.segment.wire = (int)(wire - wires->list);
    head.segment.protocol = ethertype_of(frame);
    head.segment.length = length - ETH_HLEN;
    return head;
}

static uint64_t log_fate(struct wires *wires, const struct wire *wire, int side, enum fate fate,
                         uint64_t of, const unsigned char *frame, size_t length)
{
    struct record head = head_of(wires, wire, side, frame, length);

    head.segment.fate = fate;
    head.segment.of = of;
    return log_append(wires->core->log, &head, frame + ETH_HLEN, captured(length));
}

/* Out at the end opposite to `side`. 0, or -1 with errno. */
static int send_out(struct wires *wires, const struct wire *wire, int side,
                    const unsigned char *frame, size_t length)
{
    const struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ethertype_of(frame)),
                                   .sll_ifindex = wire->ends[!side].index,
                                   .sll_halen = ETH_ALEN};

    if (sendto(wires->socket, frame, length, 0, (const struct sockaddr *)&to, sizeof to) >= 0)
        return 0;
    wires->dropped++;
    return -1;
}

static bool is_whole(const struct wire *wire, int side)
{
    return !wire->ends[side].cut && wire->ends[!side].index != 0;
}

static void keep(struct wires *wires, const struct wire *wire, int side,
                 const struct ruling *ruling, const unsigned char *frame, size_t length)
{
    struct parcel *parcel =
        wires->kept + length > MOST_KEPT ? NULL : malloc(sizeof *parcel + length);

    if (!parcel) {
        wires->dropped++;
        return;
    }
    *parcel = (struct parcel){.wire = wire,
                              .side = side,
                              .watch = ruling->watch,
                              .event = ruling->event,
                              .due = UINT64_MAX,
                              .length = length};
    if (ruling->fate == FATE_DELAYED)
        parcel->due = monotonic() + ruling->delay;
    memcpy(parcel->frame, frame, length);
    wires->kept += length;
    *wires->last = parcel;
    wires->last = &parcel->next;
}

/* A frame has left a host and is on the wire: what is to become of it? */
static void carry(struct wires *wires, const struct wire *wire, int side,
                  const unsigned char *frame, size_t length)
{
    const struct segment segment =
        segment_parse(ethertype_of(frame), frame + ETH_HLEN, length - ETH_HLEN);
    const struct happening happening = {.kind = MOMENT_SEGMENT,
                                        .segment = &segment,
                                        .wire = wire->name,
                                        .from = wire_host(wires, wire, side)->name};
    const struct record head = head_of(wires, wire, side, frame, length);
    const struct ruling ruling =
        core_segment(wires->core, &happening, &head, frame + ETH_HLEN, captured(length));

    if (ruling.fate == FATE_HELD || ruling.fate == FATE_DELAYED)
        keep(wires, wire, side, &ruling, frame, length);
    if (ruling.fate == FATE_PASSED || ruling.fate == FATE_DUPLICATED)
        send_out(wires, wire, side, frame, length);
    if (ruling.fate == FATE_DUPLICATED)
        send_out(wires, wire, side, frame, length);
}

/* The link belongs to no end when its host has crashed. */
static bool find_end(const struct wires *wires, int index, const struct wire **wire, int *side)
{
    for (int i = 0; i < wires->count; i++) {
        for (*side = 0; *side < 2; ++*side) {
            *wire = &wires->list[i];
            if ((*wire)->ends[*side].index == index)
                return true;
        }
    }
    return false;
}

/* False: none has come. */
static bool take_frame(struct wires *wires)
{
    struct sockaddr_ll from = {0};
    socklen_t size = sizeof from;
    const ssize_t length = recvfrom(wires->socket, wires->frame, sizeof wires->frame, 0,
                                    (struct sockaddr *)&from, &size);
    const struct wire *wire = NULL;
    int side = 0;

    if (length < 0)
        return false;
    if (length < ETH_HLEN || !find_end(wires, from.sll_ifindex, &wire, &side))
        return true;
    if (is_whole(wire, side))
        carry(wires, wire, side, wires->frame, (size_t)length);
    else
        log_fate(wires, wire, side, FATE_CUT, 0, wires->frame, (size_t)length);
    return true;
}

/* --- frames that wait
 * ----------------------------------------------------------------------------------------
 */

/* Takes those out of the line that are of that watch, or, watch 0, due by then: a list in order. */
static struct parcel *take_parcels(struct wires *wires, int watch, uint64_t by)
{
    struct parcel *taken = NULL, **end = &taken;

    for (struct parcel **place = &wires->parcels; *place;) {
        struct parcel *parcel = *place;
        const bool held = parcel->due == UINT64_MAX;

        if (watch ? held && parcel->watch == watch : !held && parcel->due <= by) {
            *place = parcel->next;
            parcel->next = NULL;
            wires->kept -= parcel->length;
            *end = parcel;
            end = &parcel->next;
        } else {
            place = &parcel->next;
        }
    }
    wires->last = &wires->parcels;
    while (*wires->last)
        wires->last = &(*wires->last)->next;
    return taken;
}

static struct parcel *reverse(struct parcel *list)
{
    struct parcel *reversed = NULL;

    while (list) {
        struct parcel *next = list->next;

        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static void release(struct wires *wires, const struct parcel *parcel)
{
    const bool whole = is_whole(parcel->wire, parcel->side);

    log_fate(wires, parcel->wire, parcel->side, whole ? FATE_RELEASED : FATE_CUT, parcel->event,
             parcel->frame, parcel->length);
    if (whole)
        send_out(wires, parcel->wire, parcel->side, parcel->frame, parcel->length);
}

static void discard(struct wires *wires, const struct parcel *parcel)
{
    log_fate(wires, parcel->wire, parcel->side, FATE_DROPPED, parcel->event, parcel->frame,
             parcel->length);
}

static int finish(struct wires *wires, struct parcel *list,
                  void (*deed)(struct wires *wires, const struct parcel *parcel))
{
    int count = 0;

    for (struct parcel *next; list; list = next, count++) {
        next = list->next;
        deed(wires, list);
        free(list);
    }
    return count;
}

int wires_pass(struct wires *wires, int watch, bool reversed)
{
    struct parcel *list = take_parcels(wires, watch, 0);

    return finish(wires, reversed ? reverse(list) : list, release);
}

int wires_discard(struct wires *wires, int watch)
{
    return finish(wires, take_parcels(wires, watch, 0), discard);
}

uint64_t wires_due(const struct wires *wires)
{
    uint64_t due = UINT64_MAX;

    for (const struct parcel *parcel = wires->parcels; parcel; parcel = parcel->next)
        due = parcel->due < due ? parcel->due : due;
    return due;
}

/* One that is due before another goes before it. */
static void release_due(struct wires *wires)
{
    const uint64_t now = monotonic();

    for (uint64_t due; (due = wires_due(wires)) <= now;)
        finish(wires, take_parcels(wires, 0, due), release);
}

void wires_pump(struct wires *wires)
{
    if (wires->socket < 0)
        return;
    if (wires->parcels)
        release_due(wires);
    for (int i = 0; i < PUMP_FRAMES; i++) {
        if (!take_frame(wires))
            break;
    }
}

int wires_descriptor(const struct wires *wires)
{
    return wires->socket;
}

/* The kernel counts anew after each look. */
uint64_t wires_dropped(struct wires *wires)
{
    struct tpacket_stats counts = {0};
    socklen_t size = sizeof counts;

    if (wires->socket >= 0 &&
        getsockopt(wires->socket, SOL_PACKET, PACKET_STATISTICS, &counts, &size) == 0)
        wires->dropped += counts.tp_drops;
    return wires->dropped;
}

/* --- forging
 * -------------------------------------------------------------------------------------------------
 */

uint64_t wire_forge(struct wires *wires, const struct wire *wire, const char *to,
                    const unsigned char *packet, size_t length, struct reason *why)
{
    const int far = wire_end_of(wires, wire, to);
    const uint16_t type = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
    unsigned char *frame = wires->frame;
    uint64_t event;

    if (far < 0) {
        wire_no_end(wires, wire, to, why);
        return 0;
    }
    if (!hosts_living(wires->hosts, to, why))
        return 0;
    if (length > (size_t)wire->mtu) {
        because(why, "frame: %zu bytes, but wire %s carries at most %d", length, wire->name,
                wire->mtu);
        return 0;
    }
    memcpy(frame, wire->ends[far].mac, ETH_ALEN);
    memcpy(frame + ETH_ALEN, wire->ends[!far].mac, ETH_ALEN);
    memcpy(frame + TYPE_AT, &type, sizeof type);
    memcpy(frame + ETH_HLEN, packet, length);
    if (send_out(wires, wire, !far, frame, ETH_HLEN + length) < 0) {
        because_of_errno(why, "wire %s", wire->name);
        return 0;
    }
    event = log_fate(wires, wire, !far, FATE_FORGED, 0, frame, ETH_HLEN + length);
    if (event == 0)
        because(why, "the log is full");
    return event;
}
