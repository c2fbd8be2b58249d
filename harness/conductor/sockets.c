#include "sockets.h"

#include "capability/capability.h"
#include "sockets_entry.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char *const states[STATES] = {
    [TCP_ESTABLISHED] = "ESTABLISHED",
    [TCP_SYN_SENT] = "SYN_SENT",
    [TCP_SYN_RECV] = "SYN_RECEIVED",
    [TCP_FIN_WAIT1] = "FIN_WAIT1",
    [TCP_FIN_WAIT2] = "FIN_WAIT2",
    [TCP_TIME_WAIT] = "TIME_WAIT",
    [TCP_CLOSE] = "CLOSED",
    [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
    [TCP_LAST_ACK] = "LAST_ACK",
    [TCP_LISTEN] = "LISTEN",
    [TCP_CLOSING] = "CLOSING",
    [STATE_NEW_SYN_RECV] = "SYN_RECEIVED",
    [STATE_BOUND_INACTIVE] = "CLOSED",
};

struct word {
    const char *name;
    int value;
};

/* In the order of the kernel's numbers, from 1; 0 means that none runs. */
static const struct word timers[] = {
    {"retransmit", 1}, {"keepalive", 2}, {"time_wait", 3}, {"persist", 4}, {NULL, 0}};

static const struct word families[] = {
    {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_UNIX", AF_UNIX}, {NULL, 0}};

static const struct word types[] = {{"SOCK_STREAM", SOCK_STREAM},
                                    {"SOCK_DGRAM", SOCK_DGRAM},
                                    {"SOCK_SEQPACKET", SOCK_SEQPACKET},
                                    {NULL, 0}};

static const char *name_of(const struct word *words, int value)
{
    while (words->name && words->value != value)
        words++;
    return words->name;
}

const char *socket_state_name(int state)
{
    return state >= 0 && state < STATES ? states[state] : NULL;
}

static int expected(struct reason *why, const char *member, const char *what, const json_t *value)
{
    char text[80];
    const size_t length =
        json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);

    if (length == 0 || length > sizeof text)
        return because(why, "%s: expected %s", member, what);
    return because(why, "%s: expected %s, got %.*s", member, what, (int)length, text);
}

static int parse_word(const json_t *request, const char *member, const struct word *words,
                      const char *what, int *out, struct reason *why)
{
    const json_t *value = json_object_get(request, member);
    const char *name = json_string_value(value);

    if (!value)
        return 0;
    for (; name && words->name; words++) {
        if (strcmp(name, words->name) == 0) {
            *out = words->value;
            return 0;
        }
    }
    return expected(why, member, what, value);
}

static int parse_port(const json_t *request, const char *member, int *out, struct reason *why)
{
    const json_t *value = json_object_get(request, member);

    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT16_MAX)
        return expected(why, member, "an integer from 0 to 65535", value);
    *out = (int)json_integer_value(value);
    return 0;
}

static int parse_host(const json_t *request, const char *member, struct socket_host *out,
                      struct reason *why)
{
    const json_t *value = json_object_get(request, member);
    const char *text = json_string_value(value);

    if (!value)
        return 0;
    if (text && inet_pton(AF_INET, text, out->bytes) == 1)
        out->family = AF_INET;
    else if (text && inet_pton(AF_INET6, text, out->bytes) == 1)
        out->family = AF_INET6;
    else
        return expected(why, member, "an IPv4 or IPv6 address", value);
    return 0;
}

static uint32_t states_of_name(const char *name)
{
    uint32_t mask = 0;

    for (int i = 0; name && i < STATES; i++)
        if (states[i] && strcmp(states[i], name) == 0)
            mask |= UINT32_C(1) << i;
    return mask;
}

static int parse_states(const json_t *request, uint32_t *out, struct reason *why)
{
    const json_t *value = json_object_get(request, "state");

    if (!value)
        return 0;
    if (!json_is_array(value) || json_array_size(value) == 0)
        return expected(why, "state", "a list of states, at least one", value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *state = json_array_get(value, i);
        const uint32_t mask = states_of_name(json_string_value(state));

        if (mask == 0)
            return expected(why, "state", "LISTEN, ESTABLISHED, TIME_WAIT or another state", state);
        *out |= mask;
    }
    return 0;
}

static int parse_number(const json_t *request, const char *member, int64_t *out, struct reason *why)
{
    const json_t *value = json_object_get(request, member);

    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        return expected(why, member, "an integer from 0 to 4294967295", value);
    *out = json_integer_value(value);
    return 0;
}

/* "None matches" must mean something: what can never match is refused. */
static int check_family(struct socket_filter *filter, struct reason *why)
{
    const struct socket_host *hosts[] = {&filter->local_host, &filter->remote_host};

    if (filter->family == AF_UNIX &&
        (filter->local >= 0 || filter->remote >= 0 || filter->send_window >= 0 ||
         hosts[0]->family != AF_UNSPEC || hosts[1]->family))
        return because(why, "family: AF_UNIX sockets have neither ports nor hosts nor windows");
    if (filter->family != AF_UNIX && filter->type == SOCK_SEQPACKET)
        return because(why, "type: SOCK_SEQPACKET needs the family AF_UNIX");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (hosts[i]->family == AF_UNSPEC)
            continue;
        if (filter->family != AF_UNSPEC && filter->family != hosts[i]->family)
            return because(why, "%s: expected an address of %s", i ? "remote_host" : "local_host",
                           name_of(families, filter->family));
        filter->family = hosts[i]->family;
    }
    return 0;
}

int socket_filter_parse(const json_t *request, struct socket_filter *filter, struct reason *why)
{
    *filter = (struct socket_filter){.family = AF_UNSPEC,
                                     .local = -1,
                                     .remote = -1,
                                     .inode = -1,
                                     .send_window = -1}; /* everything */
    if (parse_word(request, "family", families, "AF_INET, AF_INET6 or AF_UNIX", &filter->family,
                   why) < 0 ||
        parse_word(request, "type", types, "SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET",
                   &filter->type, why) < 0 ||
        parse_port(request, "local", &filter->local, why) < 0 ||
        parse_port(request, "remote", &filter->remote, why) < 0 ||
        parse_host(request, "local_host", &filter->local_host, why) < 0 ||
        parse_host(request, "remote_host", &filter->remote_host, why) < 0 ||
        parse_states(request, &filter->states, why) < 0 ||
        parse_word(request, "timer", timers, "retransmit, keepalive, time_wait or persist",
                   &filter->timer, why) < 0 ||
        parse_number(request, "inode", &filter->inode, why) < 0 ||
        parse_number(request, "send_window", &filter->send_window, why) < 0)
        return -1;
    return check_family(filter, why);
}

static bool host_matches(const struct socket_host *wanted, const struct entry *entry,
                         const struct endpoint *end)
{
    const size_t length =
        wanted->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    return wanted->family == AF_UNSPEC ||
           (wanted->family == entry->family && memcmp(wanted->bytes, end->host, length) == 0);
}

static uint32_t state_bit(int state)
{
    return state < STATES ? UINT32_C(1) << state : 0;
}

static bool is_own_port(const struct socket_owner *owner, const struct endpoint *end)
{
    return end->port >= owner->first && end->port <= owner->last;
}

static bool owns(const struct socket_owner *owner, const struct entry *entry)
{
    return (entry->family != AF_UNIX &&
            (is_own_port(owner, &entry->local) || is_own_port(owner, &entry->remote))) ||
           owner->holds(owner->context, entry->inode);
}

static bool matches(const struct socket_filter *filter, const struct entry *entry)
{
    return (filter->family == AF_UNSPEC || filter->family == entry->family) &&
           (filter->type == 0 || filter->type == entry->type) &&
           (filter->local < 0 || filter->local == entry->local.port) &&
           (filter->remote < 0 || filter->remote == entry->remote.port) &&
           (filter->inode < 0 || filter->inode == entry->inode) &&
           (filter->timer == 0 || filter->timer == entry->timer) &&
           (filter->send_window < 0 || filter->send_window == entry->send_window) &&
           (filter->states == 0 || filter->states & state_bit(entry->state)) &&
           host_matches(&filter->local_host, entry, &entry->local) &&
           host_matches(&filter->remote_host, entry, &entry->remote) &&
           (!filter->owner || owns(filter->owner, entry));
}

int listing_take(struct listing *listing, const struct entry *entry)
{
    if (!matches(listing->filter, entry))
        return 0;
    if (listing->count == listing->room) {
        const size_t room = listing->room ? 2 * listing->room : 16;
        struct entry *grown = reallocarray(listing->entries, room, sizeof *grown);

        if (!grown)
            return -1;
        listing->entries = grown;
        listing->room = room;
    }
    listing->entries[listing->count++] = *entry;
    return 0;
}

/* −1, 0 or 1 as the values compare. */
static int order(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

/* As the contract says, and then by what tells sockets apart, so that the order is always the same.
 */
static int compare(const void *one, const void *other)
{
    const struct entry *left = one, *right = other;
    const int orders[] = {
        order(left->family, right->family),
        order(left->local.port, right->local.port),
        order(left->remote.port, right->remote.port),
        order(left->state, right->state),
        order(left->type, right->type),
        memcmp(left->local.host, right->local.host, sizeof left->local.host),
        memcmp(left->remote.host, right->remote.host, sizeof left->remote.host),
        memcmp(left->path, right->path, sizeof left->path),
        order(left->inode, right->inode),
        order((int64_t)left->cookie, (int64_t)right->cookie),
    };

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

static json_t *endpoint_json(int family, const struct endpoint *end)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(family, end->host, text, sizeof text);
    return json_pack("{s:s, s:i}", "host", text, "port", end->port);
}

/* Text as it is when it is UTF-8, otherwise each byte as one character. */
static json_t *path_json(const char *path, size_t length)
{
    char wide[2 * sizeof(((struct entry *)NULL)->path)];
    json_t *text = json_stringn(path, length);
    size_t used = 0;

    if (text)
        return text;
    for (size_t i = 0; i < length; i++) {
        const unsigned byte = (unsigned char)path[i];

        if (byte >= 0x80)
            wide[used++] = (char)(0xc0 | byte >> 6);
        wide[used++] = (char)(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
    }
    return json_stringn(wide, used);
}

static json_t *names_json(const struct entry *entry)
{
    if (entry->family == AF_UNIX)
        return json_pack("{s:o, s:o*}", "path", path_json(entry->path, entry->path_length),
                         "peer_inode", can(CAN_SOCK_DIAG) ? json_integer(entry->peer_inode) : NULL);
    return json_pack("{s:o, s:o}", "local", endpoint_json(entry->family, &entry->local), "remote",
                     endpoint_json(entry->family, &entry->remote));
}

static json_t *queues_json(const struct entry *entry)
{
    if (!can(CAN_SEE_QUEUES) || entry->receive_queue < 0)
        return json_object();
    return json_pack("{s:I, s:o*}", "receive_queue", (json_int_t)entry->receive_queue, "send_queue",
                     entry->send_queue < 0 ? NULL : json_integer(entry->send_queue));
}

static json_t *timers_json(const struct entry *entry)
{
    if (!can(CAN_SEE_TIMERS))
        return json_object();
    return json_pack("{s:s?, s:I, s:I}", "timer", name_of(timers, entry->timer), "expires_ms",
                     (json_int_t)entry->expires, "retransmits", (json_int_t)entry->retransmits);
}

/* NULL, so that there is no such member: it has none. */
static json_t *send_window_json(int64_t window)
{
    return window < 0 ? NULL : json_integer((json_int_t)window);
}

static json_t *entry_json(const struct entry *entry)
{
    const char *type = name_of(types, entry->type), *state = socket_state_name(entry->state);
    json_t *parts[] = {names_json(entry), queues_json(entry), timers_json(entry)},
           *whole = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o*}", "family",
                              name_of(families, entry->family), "type", type ? type : "", "state",
                              state ? state : "UNKNOWN", "uid", (json_int_t)entry->uid, "inode",
                              (json_int_t)entry->inode, "cookie", (json_int_t)entry->cookie,
                              "send_window", send_window_json(entry->send_window));

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (whole && (!parts[i] || json_object_update(whole, parts[i]) < 0)) {
            json_decref(whole);
            whole = NULL;
        }
        json_decref(parts[i]);
    }
    return whole;
}

static json_t *listing_json(const struct listing *listing, struct reason *why)
{
    json_t *array = json_array();

    for (size_t i = 0; i < listing->count; i++) {
        if (json_array_append_new(array, entry_json(&listing->entries[i])) < 0) {
            json_decref(array);
            array = NULL;
            break;
        }
    }
    if (!array)
        because(why, "out of memory");
    return array;
}

int sockets_can_tell(const struct socket_filter *filter, struct reason *why)
{
    if (filter->timer && !can(CAN_SEE_TIMERS))
        return lacking(why, CAN_SEE_TIMERS, "timer");
    if (filter->send_window >= 0 && !can(CAN_SOCK_DIAG))
        return lacking(why, CAN_SOCK_DIAG, "send_window");
    return 0;
}

json_t *sockets_list(int netlink, const struct socket_filter *filter, struct reason *why)
{
    struct listing listing = {.filter = filter};
    json_t *array = NULL;
    int status;

    if (sockets_can_tell(filter, why) < 0)
        return NULL;
    status = can(CAN_SOCK_DIAG) ? sockets_of_diag(netlink, &listing, why)
                                : sockets_of_proc(0, &listing, why);
    if (status == 0) {
        if (listing.count > 1)
            qsort(listing.entries, listing.count, sizeof *listing.entries, compare);
        array = listing_json(&listing, why);
    }
    free(listing.entries);
    return array;
}
