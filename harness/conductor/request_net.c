#include "request_net.h"

#include "net/hex.h"
#include "request_value.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* --- single values
 * -------------------------------------------------------------------------------------------
 */

/* Of hosts, wires and links: short, and plain enough for a message and a command line. */
static int name_of(json_t *value, const char *member, size_t room, const char **out,
                   struct reason *why)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    char what[80];

    *out = json_string_value(value);
    if (*out && **out && **out != '.' && strlen(*out) < room && strspn(*out, plain) == strlen(*out))
        return 0;
    snprintf(what, sizeof what, "a name of at most %zu letters, digits, '.', '_' and '-'",
             room - 1);
    return value_expected(why, member, what, value);
}

static int address_of(json_t *value, const char *member, bool prefix, struct address *out,
                      struct reason *why)
{
    if (json_is_string(value) && address_parse(json_string_value(value), prefix, out) == 0)
        return 0;
    return value_expected(why, member,
                          prefix ? "an address with its prefix (\"10.0.0.1/24\", \"fd00::1/64\")"
                                 : "an IPv4 or IPv6 address",
                          value);
}

static int mac_of(json_t *value, const char *member, unsigned char out[MAC_LENGTH],
                  struct reason *why)
{
    if (json_is_string(value) && mac_parse(json_string_value(value), out) == 0)
        return 0;
    return value_expected(why, member, "a MAC address (\"02:00:00:00:00:01\")", value);
}

static int port_of(json_t *value, const char *member, int *out, struct reason *why)
{
    json_int_t port = 0;

    if (value_integer(value, member, 1, UINT16_MAX, &port, why) < 0)
        return -1;
    *out = (int)port;
    return 0;
}

/* Which of the words, from 0. */
static int choice(json_t *value, const char *const *words, int count)
{
    for (int i = 0; json_is_string(value) && i < count; i++) {
        if (strcmp(words[i], json_string_value(value)) == 0)
            return i;
    }
    return -1;
}

/* --- hosts and wires
 * -----------------------------------------------------------------------------------------
 */

int read_name(json_t *value, struct request *request, struct reason *why)
{
    return name_of(value, "name", PLACE_NAME_ROOM, &request->plan.name, why);
}

int read_capture(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "capture", &request->capture, why);
}

int read_mtu(json_t *value, struct request *request, struct reason *why)
{
    json_int_t mtu = 0;

    if (value_integer(value, "mtu", LEAST_MTU, MOST_MTU, &mtu, why) < 0)
        return -1;
    request->plan.mtu = (int)mtu;
    return 0;
}

int read_neighbours(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "neighbours", &request->plan.neighbours, why);
}

static int read_end_addresses(json_t *value, struct wire_end_plan *end, struct reason *why)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value))
        return value_expected(why, "ends.addresses", "an array of addresses", value);
    if (json_array_size(value) > MOST_ADDRESSES)
        return because(why, "ends.addresses: at most %d", MOST_ADDRESSES);
    json_array_foreach(value, index, item)
    {
        if (address_of(item, "ends.addresses", true, &end->addresses[end->count++], why) < 0)
            return -1;
    }
    return 0;
}

static int read_end_member(const char *key, json_t *value, struct wire_end_plan *end,
                           struct reason *why)
{
    if (strcmp(key, "host") == 0)
        return name_of(value, "ends.host", PLACE_NAME_ROOM, &end->host, why);
    if (strcmp(key, "link") == 0)
        return name_of(value, "ends.link", IFNAMSIZ, &end->link, why);
    if (strcmp(key, "addresses") == 0)
        return read_end_addresses(value, end, why);
    if (strcmp(key, "mac") == 0) {
        end->has_mac = true;
        return mac_of(value, "ends.mac", end->mac, why);
    }
    return because(why, "ends: \"%.*s\" is no member of an end", value_excerpt(key), key);
}

static int read_end(json_t *value, struct wire_end_plan *end, struct reason *why)
{
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return value_expected(why, "ends", "objects with \"host\" and \"link\"", value);
    json_object_foreach(value, key, member)
    {
        if (read_end_member(key, member, end, why) < 0)
            return -1;
    }
    if (!end->host || !end->link)
        return because(why, "ends: \"%s\" is missing", end->host ? "link" : "host");
    return 0;
}

int read_ends(json_t *value, struct request *request, struct reason *why)
{
    if (!json_is_array(value) || json_array_size(value) != 2)
        return value_expected(why, "ends", "an array of two ends", value);
    if (read_end(json_array_get(value, 0), &request->plan.ends[0], why) < 0)
        return -1;
    return read_end(json_array_get(value, 1), &request->plan.ends[1], why);
}

int read_wire(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "wire", &request->wire, why);
}

int read_side(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "side", &request->side, why);
}

/* --- addresses, neighbours, routes
 * ---------------------------------------------------------------------------
 */

int read_link(json_t *value, struct request *request, struct reason *why)
{
    return name_of(value, "link", IFNAMSIZ, &request->link, why);
}

int read_prefix(json_t *value, struct request *request, struct reason *why)
{
    return address_of(value, "address", true, &request->address, why);
}

int read_address(json_t *value, struct request *request, struct reason *why)
{
    return address_of(value, "address", false, &request->neighbour.address, why);
}

int read_mac(json_t *value, struct request *request, struct reason *why)
{
    return mac_of(value, "mac", request->neighbour.mac, why);
}

int read_destination(json_t *value, struct request *request, struct reason *why)
{
    return address_of(value, "to", true, &request->route.to, why);
}

int read_via(json_t *value, struct request *request, struct reason *why)
{
    static const char *const words[] = {[ROUTE_VIA] = "",
                                        [ROUTE_UNREACHABLE] = "unreachable",
                                        [ROUTE_PROHIBIT] = "prohibit",
                                        [ROUTE_BLACKHOLE] = "blackhole"};
    const int kind = choice(value, words, sizeof words / sizeof *words);
    struct route *route = &request->route;

    if (kind > 0) {
        route->kind = (enum route_kind)kind;
        return 0;
    }
    if (json_is_string(value) && address_parse(json_string_value(value), false, &route->via) == 0)
        return 0;
    return value_expected(why, "via", "an address, unreachable, prohibit or blackhole", value);
}

int read_change(json_t *value, struct request *request, struct reason *why)
{
    static const char *const words[] = {"add", "remove"};
    const int which = choice(value, words, 2);

    request->remove = which == 1;
    return which < 0 ? value_expected(why, "change", "add or remove", value) : 0;
}

/* --- frames
 * --------------------------------------------------------------------------------------------------
 */

int read_order(json_t *value, struct request *request, struct reason *why)
{
    static const char *const words[] = {"arrival", "reversed"};
    const int which = choice(value, words, 2);

    request->reversed = which == 1;
    return which < 0 ? value_expected(why, "order", "arrival or reversed", value) : 0;
}

int read_to(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "to", &request->to, why);
}

/* Any packet will do, but it must be one of a version of IP. */
int read_frame(json_t *value, struct request *request, struct reason *why)
{
    unsigned char bytes[MOST_MTU];
    const long length =
        json_is_string(value) ? hex_bytes(json_string_value(value), bytes, sizeof bytes) : -1;
    const int version = length > 0 ? bytes[0] >> 4 : 0;

    if ((version != 4 || length < (long)sizeof(struct ip)) &&
        (version != 6 || length < (long)sizeof(struct ip6_hdr)))
        return value_expected(why, "frame", "an IP packet in hexadecimal", value);
    request->frame = json_string_value(value);
    return 0;
}

static int read_flags(json_t *value, const char *member, unsigned *out, struct reason *why)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value) || json_array_size(value) == 0)
        return value_expected(why, member, "a list of flags, at least one", value);
    json_array_foreach(value, index, item)
    {
        const unsigned flag = json_is_string(item) ? segment_flag_of(json_string_value(item)) : 0;

        if (!flag)
            return value_expected(why, member, "FIN, SYN, RST, PSH, ACK, URG, ECE or CWR", item);
        *out |= flag;
    }
    return 0;
}

static int read_flags_set(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return read_flags(value, "moment.flags", &pattern->with, why);
}

static int read_flags_clear(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return read_flags(value, "moment.without", &pattern->without, why);
}

static int read_protocol(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    pattern->protocol =
        json_is_string(value) ? segment_protocol_of(json_string_value(value)) : SEGMENT_ANY;
    return pattern->protocol == SEGMENT_ANY
               ? value_expected(why, "moment.protocol", "tcp, udp, icmp, icmpv6 or arp", value)
               : 0;
}

static int read_source_port(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return port_of(value, "moment.source_port", &pattern->source_port, why);
}

static int read_destination_port(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return port_of(value, "moment.destination_port", &pattern->destination_port, why);
}

static int read_payload(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    bool some = false;

    if (value_boolean(value, "moment.payload", &some, why) < 0)
        return -1;
    pattern->payload = some ? PAYLOAD_SOME : PAYLOAD_NONE;
    return 0;
}

static int read_place(json_t *value, const char *member, char place[PLACE_NAME_ROOM],
                      struct reason *why)
{
    const char *name = NULL;

    if (name_of(value, member, PLACE_NAME_ROOM, &name, why) < 0)
        return -1;
    memcpy(place, name, strlen(name) + 1);
    return 0;
}

static int read_on_wire(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return read_place(value, "moment.wire", pattern->wire, why);
}

static int read_from(json_t *value, struct segment_pattern *pattern, struct reason *why)
{
    return read_place(value, "moment.from", pattern->from, why);
}

static const struct {
    const char *key;
    int (*read)(json_t *value, struct segment_pattern *pattern, struct reason *why);
} segment_members[] = {
    {"wire", read_on_wire},
    {"from", read_from},
    {"flags", read_flags_set},
    {"without", read_flags_clear},
    {"protocol", read_protocol},
    {"source_port", read_source_port},
    {"destination_port", read_destination_port},
    {"payload", read_payload},
};

enum { SEGMENT_MEMBERS = sizeof segment_members / sizeof *segment_members };

bool segment_member(const char *key)
{
    for (size_t i = 0; i < SEGMENT_MEMBERS; i++) {
        if (strcmp(segment_members[i].key, key) == 0)
            return true;
    }
    return false;
}

int read_segment_member(const char *key, json_t *value, struct segment_pattern *pattern,
                        struct reason *why)
{
    for (size_t i = 0; i < SEGMENT_MEMBERS; i++) {
        if (strcmp(segment_members[i].key, key) == 0)
            return segment_members[i].read(value, pattern, why);
    }
    return because(why, "moment: \"%.*s\" is unknown", value_excerpt(key), key);
}
