#include "wire.h"

#include "host.h"
#include "wires_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BUFFER = 64 << 20 }; /* asked for; only root of the machine gets that much */

struct wires *wires_open(struct core *core, struct hosts *hosts)
{
    struct wires *wires = calloc(1, sizeof *wires);

    if (!wires)
        return NULL;
    wires->core = core;
    wires->hosts = hosts;
    wires->namespace = wires->socket = -1;
    wires->last = &wires->parcels;
    return wires;
}

void wires_close(struct wires *wires)
{
    if (!wires)
        return;
    while (wires->parcels) {
        struct parcel *next = wires->parcels->next;

        free(wires->parcels);
        wires->parcels = next;
    }
    if (wires->socket >= 0)
        close(wires->socket);
    if (wires->netlink)
        mnl_socket_close(wires->netlink);
    if (wires->namespace >= 0)
        close(wires->namespace);
    free(wires);
}

/* --- the namespace and the socket
 * ----------------------------------------------------------------------------
 */

/* Every IPv6 address that is set has the kernel tell multicast routers about its group. There are
 * none, and it would be noise among the segments. */
static int keep_listener_reports_off(int packets)
{
    enum {
        ETHERTYPE = 2 * ETH_ALEN,
        NEXT_HEADER = ETH_HLEN + 6,
        INSIDE = ETH_HLEN + 40, /* after a hop-by-hop header of 8 bytes: the report */
        REPORT = INSIDE + 8,
    };
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETHERTYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 7),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, INSIDE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, REPORT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 143, 2, 0), /* MLDv2 */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 131, 1, 0), /* MLDv1 */
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};

    return setsockopt(packets, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* The larger way is for root of the machine; the other takes what is allowed. */
static int ask_for_room(int packets)
{
    const int room = RECEIVE_BUFFER;

    if (setsockopt(packets, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == 0)
        return 0;
    return setsockopt(packets, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

/* One socket for all wires: it hears every link of the namespace, so that frames are taken in the
 * order in which they came, whichever wire they are on. It has no ring, which would cost tens of
 * milliseconds to make, and it never hears what it has sent itself. The far ends' queues are
 * bypassed, for they are not there at once (link_make_pair). */
static int open_socket(void)
{
    const struct sockaddr_ll every = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    const int on = 1, packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error;

    if (packets < 0)
        return -1;
    if (setsockopt(packets, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) == 0 &&
        keep_listener_reports_off(packets) == 0 && ask_for_room(packets) == 0 &&
        bind(packets, (const struct sockaddr *)&every, sizeof every) == 0)
        return packets;
    error = errno;
    close(packets);
    errno = error;
    return -1;
}

/* Its own kernel must say nothing there: no IPv6, and no addresses. */
static int open_namespace(struct wires *wires, struct reason *why)
{
    struct reason no_ipv6 = {.text = ""};

    if (wires->namespace < 0)
        wires->namespace = hosts_move_home(wires->hosts, why);
    if (wires->namespace < 0)
        return -1;
    host_sysctl_set("net.ipv6.conf.default.disable_ipv6", "1", &no_ipv6);
    if (!wires->netlink)
        wires->netlink = link_open();
    if (!wires->netlink)
        return because_of_errno(why, "the wires' netlink");
    wires->socket = open_socket();
    return wires->socket < 0 ? because_of_errno(why, "the wires' packet socket") : 0;
}

/* --- making wires
 * --------------------------------------------------------------------------------------------
 */

struct host *wire_host(const struct wires *wires, const struct wire *wire, int side)
{
    return &wires->hosts->list[wire->ends[side].host];
}

/* The veth of one end. */
static int connect_end(struct wires *wires, struct wire *wire, int side, struct reason *why)
{
    struct wire_end *end = &wire->ends[side];
    char far_name[IFNAMSIZ];
    const struct host *host = wire_host(wires, wire, side);
    const struct link_pair pair = {.name = end->link,
                                   .far_name = far_name,
                                   .namespace = host->namespace,
                                   .netlink = host->netlink,
                                   .mac = end->mac,
                                   .mtu = wire->mtu};
    int index;

    snprintf(far_name, sizeof far_name, "e%d", ++wires->links);
    if (link_make_pair(wires->netlink, &pair) < 0)
        return because_of_errno(why, "host %s: link %s cannot be made", host->name, end->link);
    index = link_index(wires->socket, far_name);
    if (index < 0)
        return because_of_errno(why, "wire %s: link %s", wire->name, far_name);
    end->index = index;
    return host_bound_orphans(wires->hosts, host, why);
}

/* Locally administered, and the same in every run. */
static void choose_mac(unsigned char mac[MAC_LENGTH], int wire, int side)
{
    const unsigned char chosen[MAC_LENGTH] = {
        2, 0, 0, 0, (unsigned char)wire, (unsigned char)(side + 1)};

    memcpy(mac, chosen, MAC_LENGTH);
}

static int plan_end(struct wires *wires, struct wire *wire, const struct wire_plan *plan, int side,
                    struct reason *why)
{
    const struct wire_end_plan *planned = &plan->ends[side];
    struct wire_end *end = &wire->ends[side];
    const struct host *host = hosts_living(wires->hosts, planned->host, why);

    if (!host)
        return -1;
    end->host = (int)(host - wires->hosts->list);
    if (side == 1 && end->host == wire->ends[0].host)
        return because(why, "wire %s: both ends are at host %s", plan->name, host->name);
    snprintf(end->link, sizeof end->link, "%s", planned->link);
    if (planned->has_mac)
        memcpy(end->mac, planned->mac, MAC_LENGTH);
    else
        choose_mac(end->mac, wires->count + 1, side);
    return 0;
}

static int set_addresses(struct wires *wires, const struct wire *wire, int side,
                         const struct wire_end_plan *plan, struct reason *why)
{
    struct setting setting = {.kind = SETTING_ADDRESS};

    memcpy(setting.link, wire->ends[side].link, sizeof setting.link);
    for (int i = 0; i < plan->count; i++) {
        setting.address = plan->addresses[i];
        if (host_set(wire_host(wires, wire, side), &setting, false, why) < 0)
            return -1;
    }
    return 0;
}

/* That end's host is told who the other end is. */
static int set_neighbours(struct wires *wires, const struct wire *wire, int side,
                          const struct wire_end_plan *other, struct reason *why)
{
    struct setting setting = {.kind = SETTING_NEIGHBOUR};

    memcpy(setting.link, wire->ends[side].link, sizeof setting.link);
    memcpy(setting.neighbour.mac, wire->ends[!side].mac, MAC_LENGTH);
    for (int i = 0; i < other->count; i++) {
        setting.neighbour.address = other->addresses[i];
        setting.neighbour.address.prefix = (int)address_length(&other->addresses[i]) * 8;
        if (host_set(wire_host(wires, wire, side), &setting, false, why) < 0)
            return -1;
    }
    return 0;
}

static int furnish(struct wires *wires, struct wire *wire, const struct wire_plan *plan,
                   struct reason *why)
{
    for (int side = 0; side < 2; side++) {
        if (connect_end(wires, wire, side, why) < 0 ||
            set_addresses(wires, wire, side, &plan->ends[side], why) < 0)
            return -1;
    }
    for (int side = 0; plan->neighbours && side < 2; side++) {
        if (set_neighbours(wires, wire, side, &plan->ends[!side], why) < 0)
            return -1;
    }
    return 0;
}

/* What could not be made whole is taken away. */
static void undo(struct wires *wires, const struct wire *wire)
{
    for (int side = 0; side < 2; side++) {
        if (wire->ends[side].index == 0)
            continue;
        host_forget(wire_host(wires, wire, side), wire->ends[side].link);
        link_remove(wire_host(wires, wire, side)->netlink, wire->ends[side].link);
    }
}

int wires_add(struct wires *wires, const struct wire_plan *plan, struct reason *why)
{
    struct wire *wire = &wires->list[wires->count];
    struct reason none = {.text = ""};

    if (wires->count == MOST_WIRES)
        return because(why, "wire %s: a lab has at most %d wires", plan->name, MOST_WIRES);
    if (wires_find(wires, plan->name, &none))
        return because(why, "wire %s: there is one of that name", plan->name);
    *wire = (struct wire){.mtu = plan->mtu};
    snprintf(wire->name, sizeof wire->name, "%s", plan->name);
    if (plan_end(wires, wire, plan, 0, why) < 0 || plan_end(wires, wire, plan, 1, why) < 0)
        return -1;
    if (wires->socket < 0 && open_namespace(wires, why) < 0)
        return -1;
    if (furnish(wires, wire, plan, why) < 0) {
        undo(wires, wire);
        return -1;
    }
    wires->count++;
    return 0;
}

void wires_silence(struct wires *wires, int host)
{
    for (int i = 0; i < wires->count; i++) {
        for (int side = 0; side < 2; side++) {
            if (wires->list[i].ends[side].host == host)
                wires->list[i].ends[side].index = 0;
        }
    }
}

int wires_reconnect(struct wires *wires, int host, struct reason *why)
{
    for (int i = 0; i < wires->count; i++) {
        for (int side = 0; side < 2; side++) {
            if (wires->list[i].ends[side].host == host &&
                connect_end(wires, &wires->list[i], side, why) < 0)
                return -1;
        }
    }
    return 0;
}

/* --- questions
 * -----------------------------------------------------------------------------------------------
 */

struct wire *wires_find(struct wires *wires, const char *name, struct reason *why)
{
    for (int i = 0; i < wires->count; i++) {
        if (strcmp(wires->list[i].name, name) == 0)
            return &wires->list[i];
    }
    because(why, "wire \"%.60s\": no such wire", name);
    return NULL;
}

const struct wire *wires_at(const struct wires *wires, int index)
{
    return &wires->list[index];
}

int wire_end_of(const struct wires *wires, const struct wire *wire, const char *host)
{
    for (int side = 0; side < 2; side++) {
        if (strcmp(wire_host(wires, wire, side)->name, host) == 0)
            return side;
    }
    return -1;
}

bool wires_reach(const struct wires *wires, int host)
{
    for (int i = 0; i < wires->count; i++) {
        if (wires->list[i].ends[0].host == host || wires->list[i].ends[1].host == host)
            return true;
    }
    return false;
}

int wire_no_end(const struct wires *wires, const struct wire *wire, const char *host,
                struct reason *why)
{
    if (!hosts_known(wires->hosts, host, why))
        return -1;
    return because(why, "wire %s does not end at host %s", wire->name, host);
}

/* --- cutting
 * -------------------------------------------------------------------------------------------------
 */

/* The ends meant, as [first, last]. 0, or -1 with the reason. */
static int sides_of(const struct wires *wires, const struct wire *wire, const char *side,
                    int *first, int *last, struct reason *why)
{
    *first = 0;
    *last = 1;
    if (!side)
        return 0;
    *first = *last = wire_end_of(wires, wire, side);
    return *first < 0 ? wire_no_end(wires, wire, side, why) : 0;
}

int wire_cut(struct wires *wires, struct wire *wire, const char *side, struct reason *why)
{
    int first, last;

    if (sides_of(wires, wire, side, &first, &last, why) < 0)
        return -1;
    for (int i = first; i <= last; i++) {
        if (wire->ends[i].cut)
            return because(why, "wire %s: what %s sends is cut already", wire->name,
                           wire_host(wires, wire, i)->name);
    }
    for (int i = first; i <= last; i++)
        wire->ends[i].cut = true;
    return 0;
}

int wire_mend(struct wires *wires, struct wire *wire, const char *side, struct reason *why)
{
    int first, last;
    bool was_cut = false;

    if (sides_of(wires, wire, side, &first, &last, why) < 0)
        return -1;
    for (int i = first; i <= last; i++) {
        was_cut |= wire->ends[i].cut;
        wire->ends[i].cut = false;
    }
    return was_cut ? 0 : because(why, "wire %s is not cut", wire->name);
}
