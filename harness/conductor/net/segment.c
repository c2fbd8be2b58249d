#include "segment.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const protocol_names[SEGMENT_PROTOCOLS] = {
    [SEGMENT_TCP] = "tcp",       [SEGMENT_UDP] = "udp", [SEGMENT_ICMP] = "icmp",
    [SEGMENT_ICMPV6] = "icmpv6", [SEGMENT_ARP] = "arp",
};

static const struct {
    const char *name;
    unsigned flag;
} flags[] = {
    {"FIN", SEGMENT_FIN}, {"SYN", SEGMENT_SYN}, {"RST", SEGMENT_RST}, {"PSH", SEGMENT_PSH},
    {"ACK", SEGMENT_ACK}, {"URG", SEGMENT_URG}, {"ECE", SEGMENT_ECE}, {"CWR", SEGMENT_CWR},
};

enum { FLAGS = sizeof flags / sizeof *flags };

unsigned segment_flag_of(const char *name)
{
    for (size_t i = 0; i < FLAGS; i++) {
        if (strcmp(flags[i].name, name) == 0)
            return flags[i].flag;
    }
    return 0;
}

enum segment_protocol segment_protocol_of(const char *name)
{
    for (int i = 0; i < SEGMENT_PROTOCOLS; i++) {
        if (protocol_names[i] && strcmp(protocol_names[i], name) == 0)
            return (enum segment_protocol)i;
    }
    return SEGMENT_ANY;
}

/* --- reading
 * -------------------------------------------------------------------------------------------------
 */

/* What is left to read. */
struct view {
    const unsigned char *at;
    size_t left;
};

static unsigned two(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t four(const unsigned char *at)
{
    return (uint32_t)two(at) << 16 | two(at + 2);
}

static void skip(struct view *view, size_t length)
{
    const size_t step = length < view->left ? length : view->left;

    view->at += step;
    view->left -= step;
}

static void read_ports(const struct view *view, struct segment *segment)
{
    segment->has_ports = true;
    segment->source_port = (int)two(view->at);
    segment->destination_port = (int)two(view->at + 2);
}

static void read_tcp(struct view *view, struct segment *segment)
{
    enum { SMALLEST = 20 };

    if (view->left < SMALLEST)
        return;
    read_ports(view, segment);
    segment->sequence = four(view->at + 4);
    segment->acknowledgement = four(view->at + 8);
    segment->flags = view->at[13];
    skip(view, (size_t)(view->at[12] >> 4) * 4);
    segment->payload = view->left;
}

static void read_udp(struct view *view, struct segment *segment)
{
    enum { HEADER = 8 };

    if (view->left < HEADER)
        return;
    read_ports(view, segment);
    segment->payload = view->left - HEADER;
}

static void read_icmp(struct view *view, struct segment *segment)
{
    enum { HEADER = 8 };

    if (view->left < HEADER)
        return;
    segment->type = view->at[0];
    segment->code = view->at[1];
    segment->payload = view->left - HEADER;
}

/* Only a first fragment has the header of what is inside. */
static void read_transport(int number, bool first, struct view *view, struct segment *segment)
{
    static const struct {
        int number;
        enum segment_protocol protocol;
        void (*read)(struct view *view, struct segment *segment);
    } transports[] = {
        {IPPROTO_TCP, SEGMENT_TCP, read_tcp},
        {IPPROTO_UDP, SEGMENT_UDP, read_udp},
        {IPPROTO_ICMP, SEGMENT_ICMP, read_icmp},
        {IPPROTO_ICMPV6, SEGMENT_ICMPV6, read_icmp},
    };

    segment->payload = view->left;
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
        if (transports[i].number != number)
            continue;
        segment->protocol = transports[i].protocol;
        if (first)
            transports[i].read(view, segment);
    }
}

/* What follows the packet is padding of the link. */
static void trim(struct view *view, size_t length)
{
    if (length < view->left)
        view->left = length;
}

static void read_ipv4(struct view *view, struct segment *segment)
{
    enum { SMALLEST = 20, OFFSET = 0x1fff };
    const unsigned char *head = view->at;

    if (view->left < SMALLEST || head[0] >> 4 != 4 || (head[0] & 15) * 4 < SMALLEST)
        return;
    segment->family = AF_INET;
    memcpy(segment->source, head + 12, 4);
    memcpy(segment->destination, head + 16, 4);
    trim(view, two(head + 2));
    skip(view, (size_t)(head[0] & 15) * 4);
    read_transport(head[9], (two(head + 6) & OFFSET) == 0, view, segment);
}

static bool is_extension(int number)
{
    return number == IPPROTO_HOPOPTS || number == IPPROTO_ROUTING || number == IPPROTO_FRAGMENT ||
           number == IPPROTO_DSTOPTS;
}

static void read_ipv6(struct view *view, struct segment *segment)
{
    enum { HEADER = 40, OFFSET = 0xfff8 };
    const unsigned char *head = view->at;
    bool first = true;
    int next;

    if (view->left < HEADER || head[0] >> 4 != 6)
        return;
    segment->family = AF_INET6;
    memcpy(segment->source, head + 8, 16);
    memcpy(segment->destination, head + 24, 16);
    next = head[6];
    trim(view, HEADER + two(head + 4));
    skip(view, HEADER);
    while (is_extension(next) && first && view->left >= 8) {
        const bool fragment = next == IPPROTO_FRAGMENT;

        next = view->at[0];
        if (fragment)
            first = (two(view->at + 2) & OFFSET) == 0;
        skip(view, fragment ? 8 : ((size_t)view->at[1] + 1) * 8);
    }
    read_transport(next, first, view, segment);
}

struct segment segment_parse(uint16_t ethertype, const unsigned char *bytes, size_t length)
{
    struct segment segment = {.protocol = SEGMENT_OTHER, .family = AF_UNSPEC};
    struct view view = {bytes, length};

    if (ethertype == ETH_P_IP)
        read_ipv4(&view, &segment);
    else if (ethertype == ETH_P_IPV6)
        read_ipv6(&view, &segment);
    else if (ethertype == ETH_P_ARP)
        segment.protocol = SEGMENT_ARP;
    return segment;
}

/* --- patterns
 * ------------------------------------------------------------------------------------------------
 */

static bool name_fits(const char *wanted, const char *seen)
{
    return !*wanted || strcmp(wanted, seen) == 0;
}

static bool flags_fit(const struct segment_pattern *pattern, const struct segment *segment)
{
    if (!pattern->with && !pattern->without)
        return true;
    return segment->protocol == SEGMENT_TCP && segment->has_ports &&
           (segment->flags & pattern->with) == pattern->with &&
           (segment->flags & pattern->without) == 0;
}

static bool ports_fit(const struct segment_pattern *pattern, const struct segment *segment)
{
    return (!pattern->source_port || pattern->source_port == segment->source_port) &&
           (!pattern->destination_port || pattern->destination_port == segment->destination_port);
}

bool segment_fits(const struct segment_pattern *pattern, const struct segment *segment,
                  const char *wire, const char *from)
{
    return (pattern->protocol == SEGMENT_ANY || pattern->protocol == segment->protocol) &&
           flags_fit(pattern, segment) && ports_fit(pattern, segment) &&
           (pattern->payload == PAYLOAD_EITHER ||
            (pattern->payload == PAYLOAD_SOME) == (segment->payload > 0)) &&
           name_fits(pattern->wire, wire) && name_fits(pattern->from, from);
}

/* Words, with a space before all but the first. */
static size_t add(char *text, size_t size, size_t used, const char *before, const char *what)
{
    const int length =
        used < size ? snprintf(text + used, size - used, "%s%s%s", used ? " " : "", before, what)
                    : 0;

    return used + (length > 0 ? (size_t)length : 0);
}

static size_t add_flags(char *text, size_t size, size_t used, const char *before, unsigned set)
{
    char names[FLAGS * sizeof "+FIN"] = "", *end = names;

    for (size_t i = 0; i < FLAGS; i++) {
        if (set & flags[i].flag)
            end = stpcpy(stpcpy(end, end == names ? "" : "+"), flags[i].name);
    }
    return set ? add(text, size, used, before, names) : used;
}

static size_t add_port(char *text, size_t size, size_t used, const char *before, int port)
{
    char number[12];

    snprintf(number, sizeof number, "%d", port);
    return port ? add(text, size, used, before, number) : used;
}

void segment_pattern_describe(const struct segment_pattern *pattern, char *text, size_t size)
{
    static const char *const payloads[] = {
        [PAYLOAD_SOME] = "with data", [PAYLOAD_NONE] = "without data"};
    size_t used = 0;

    *text = '\0';
    if (pattern->protocol)
        used = add(text, size, used, "of ", protocol_names[pattern->protocol]);
    used = add_flags(text, size, used, "with ", pattern->with);
    used = add_flags(text, size, used, "without ", pattern->without);
    if (pattern->payload != PAYLOAD_EITHER)
        used = add(text, size, used, payloads[pattern->payload], "");
    used = add_port(text, size, used, "from port ", pattern->source_port);
    used = add_port(text, size, used, "to port ", pattern->destination_port);
    if (*pattern->from)
        used = add(text, size, used, "from ", pattern->from);
    if (*pattern->wire)
        add(text, size, used, "on ", pattern->wire);
}
