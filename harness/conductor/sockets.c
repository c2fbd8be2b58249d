#include "sockets.h"

#include "send_window.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's states that the C library's list of them lacks. */
enum { STATE_NEW_SYN_RECV = 12, STATE_BOUND_INACTIVE = 13, STATES };

enum {
    MESSAGE_ROOM = 32768, /* the most that the kernel puts into one answer */
    ATTEMPTS = 100,
};

/* Several numbers for one name: the kernel tells a half-open connection that is not yet a socket,
 * and a bound one that is nothing more, from the classic states. */
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

int sockets_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

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
    uint32_t peer_inode; /* AF_UNIX */
    int64_t send_window; /* -1: it has none, or the kernel does not tell */
    uint32_t receive_queue, send_queue, expires, retransmits, uid, inode;
    uint64_t cookie;
};

struct listing {
    const struct socket_filter *filter;
    struct entry *entries; /* owned */
    size_t count, room;
};

/* One dump of the kernel's. */
struct query {
    int family;   /* AF_UNSPEC: AF_INET and AF_INET6 */
    int type;     /* 0: several */
    int protocol; /* of IP */
    int (*ask)(int netlink, const struct query *query, uint32_t wanted, uint32_t sequence);
    void (*read)(const struct query *query, const struct nlmsghdr *message, struct entry *entry);
    size_t least; /* of a message's payload */
    const char *module;
};

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
           host_matches(&filter->remote_host, entry, &entry->remote);
}

static int send_request(int netlink, const void *request, size_t length)
{
    return send(netlink, request, length, 0) < 0 ? -1 : 0;
}

static uint64_t cookie_of(const uint32_t halves[2])
{
    return halves[0] | (uint64_t)halves[1] << 32;
}

/* TCP is asked in the older form of the question, which alone leaves the family open: a dump walks
 * the whole machine's table of connections, and once is enough. */
static int ask_tcp(int netlink, const struct query *query, uint32_t wanted, uint32_t sequence)
{
    const struct {
        struct nlmsghdr head;
        struct inet_diag_req body;
    } request = {{sizeof request, TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0},
                 {.idiag_family = AF_UNSPEC,
                  .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                  .idiag_states = wanted}};

    (void)query;
    return send_request(netlink, &request, sizeof request);
}

static int ask_udp(int netlink, const struct query *query, uint32_t wanted, uint32_t sequence)
{
    const struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {{sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0},
                 {.sdiag_family = (uint8_t)query->family,
                  .sdiag_protocol = (uint8_t)query->protocol,
                  .idiag_states = wanted}};

    return send_request(netlink, &request, sizeof request);
}

static int ask_unix(int netlink, const struct query *query, uint32_t wanted, uint32_t sequence)
{
    const struct {
        struct nlmsghdr head;
        struct unix_diag_req body;
    } request = {
        {sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0},
        {.sdiag_family = AF_UNIX,
         .udiag_states = wanted,
         .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID}};

    (void)query;
    return send_request(netlink, &request, sizeof request);
}

/* So that the order of a list does not depend on which of two numbers the kernel chose. */
static int classic_state(int state)
{
    return state == STATE_NEW_SYN_RECV     ? TCP_SYN_RECV
           : state == STATE_BOUND_INACTIVE ? TCP_CLOSE
                                           : state;
}

/* The kernel tells of listeners too, but they send nothing. */
static int read_inet_attribute(const struct nlattr *attribute, void *context)
{
    struct entry *entry = context;

    if (mnl_attr_get_type(attribute) == INET_DIAG_INFO && entry->state != TCP_LISTEN &&
        entry->state != TCP_CLOSE)
        entry->send_window =
            send_window(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
    return MNL_CB_OK;
}

static void read_inet(const struct query *query, const struct nlmsghdr *message,
                      struct entry *entry)
{
    const struct inet_diag_msg *told = mnl_nlmsg_get_payload(message);

    entry->family = told->idiag_family;
    entry->type = query->type;
    entry->state = classic_state(told->idiag_state);
    entry->timer = told->idiag_timer;
    entry->local.port = ntohs(told->id.idiag_sport);
    entry->remote.port = ntohs(told->id.idiag_dport);
    memcpy(entry->local.host, told->id.idiag_src, sizeof entry->local.host);
    memcpy(entry->remote.host, told->id.idiag_dst, sizeof entry->remote.host);
    entry->receive_queue = told->idiag_rqueue;
    entry->send_queue = told->idiag_wqueue;
    entry->expires = told->idiag_expires;
    entry->retransmits = told->idiag_retrans;
    entry->uid = told->idiag_uid;
    entry->inode = told->idiag_inode;
    entry->cookie = cookie_of(told->id.idiag_cookie);
    mnl_attr_parse(message, sizeof *told, read_inet_attribute, entry);
}

/* A path ends at its NUL or where the address ends; an abstract name is all that follows its NUL.
 */
static void read_path(const struct nlattr *attribute, struct entry *entry)
{
    const size_t length = mnl_attr_get_payload_len(attribute);

    entry->path_length = length < sizeof entry->path ? length : sizeof entry->path;
    memcpy(entry->path, mnl_attr_get_payload(attribute), entry->path_length);
    if (entry->path_length > 0 && entry->path[0] == '\0')
        entry->path[0] = '@';
    else
        entry->path_length = strnlen(entry->path, entry->path_length);
}

static int read_unix_attribute(const struct nlattr *attribute, void *context)
{
    struct entry *entry = context;
    const size_t length = mnl_attr_get_payload_len(attribute);
    struct unix_diag_rqlen queues;

    switch (mnl_attr_get_type(attribute)) {
    case UNIX_DIAG_NAME:
        read_path(attribute, entry);
        break;
    case UNIX_DIAG_PEER:
        if (length >= sizeof(uint32_t))
            entry->peer_inode = mnl_attr_get_u32(attribute);
        break;
    case UNIX_DIAG_UID:
        if (length >= sizeof(uint32_t))
            entry->uid = mnl_attr_get_u32(attribute);
        break;
    case UNIX_DIAG_RQLEN:
        if (length < sizeof queues)
            break;
        memcpy(&queues, mnl_attr_get_payload(attribute), sizeof queues);
        entry->receive_queue = queues.udiag_rqueue;
        entry->send_queue = queues.udiag_wqueue;
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static void read_unix(const struct query *query, const struct nlmsghdr *message,
                      struct entry *entry)
{
    const struct unix_diag_msg *told = mnl_nlmsg_get_payload(message);

    entry->family = query->family;
    entry->type = told->udiag_type;
    entry->state = told->udiag_state;
    entry->inode = told->udiag_ino;
    entry->cookie = cookie_of(told->udiag_cookie);
    mnl_attr_parse(message, sizeof *told, read_unix_attribute, entry);
}

static const struct query queries[] = {
    {
        .family = AF_UNSPEC,
        .type = SOCK_STREAM,
        .protocol = IPPROTO_TCP,
        .ask = ask_tcp,
        .read = read_inet,
        .least = sizeof(struct inet_diag_msg),
        .module = "tcp_diag",
    },
    {
        .family = AF_INET,
        .type = SOCK_DGRAM,
        .protocol = IPPROTO_UDP,
        .ask = ask_udp,
        .read = read_inet,
        .least = sizeof(struct inet_diag_msg),
        .module = "udp_diag",
    },
    {
        .family = AF_INET6,
        .type = SOCK_DGRAM,
        .protocol = IPPROTO_UDP,
        .ask = ask_udp,
        .read = read_inet,
        .least = sizeof(struct inet_diag_msg),
        .module = "udp_diag",
    },
    {
        .family = AF_UNIX,
        .ask = ask_unix,
        .read = read_unix,
        .least = sizeof(struct unix_diag_msg),
        .module = "unix_diag",
    },
};

static bool is_needed(const struct query *query, const struct socket_filter *filter)
{
    const bool local = query->family == AF_UNIX;

    return local == (filter->family == AF_UNIX) &&
           (query->family == AF_UNSPEC || filter->family == AF_UNSPEC ||
            query->family == filter->family) &&
           (query->type == 0 || filter->type == 0 || query->type == filter->type);
}

static int keep(struct listing *listing, const struct entry *entry)
{
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

enum progress { GOES_ON, WHOLE, INTERRUPTED, FAILED };

/* The code in a message that ends a dump: of NLMSG_DONE it is 0 or negative, as of NLMSG_ERROR. */
static enum progress finish(const struct nlmsghdr *message)
{
    int code = 0;

    if (mnl_nlmsg_get_payload_len(message) >= sizeof code)
        memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
    errno = -code;
    return code < 0 ? FAILED : WHOLE;
}

static enum progress take_message(const struct query *query, const struct nlmsghdr *message,
                                  struct listing *listing)
{
    struct entry entry = {.send_window = -1};

    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
        return finish(message);
    if (mnl_nlmsg_get_payload_len(message) < query->least)
        return GOES_ON;
    query->read(query, message, &entry);
    if (matches(listing->filter, &entry) && keep(listing, &entry) < 0)
        return FAILED;
    return GOES_ON;
}

/* Reads one dump to its end, an interrupted one too: the rest would get in the way of the next. */
static enum progress read_dump(int netlink, const struct query *query, uint32_t sequence,
                               struct listing *listing)
{
    _Alignas(struct nlmsghdr) unsigned char buffer[MESSAGE_ROOM];
    enum progress progress = GOES_ON;
    bool interrupted = false;

    while (progress == GOES_ON) {
        const ssize_t came = recv(netlink, buffer, sizeof buffer, MSG_TRUNC);
        const struct nlmsghdr *message = (const void *)buffer;
        int left = (int)came;

        if (came < 0 && errno == EINTR)
            continue;
        if (came <= 0 || (size_t)came > sizeof buffer) {
            errno = came < 0 ? errno : EPROTO;
            return FAILED;
        }
        for (; progress == GOES_ON && mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_seq != sequence)
                continue;
            interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            progress = take_message(query, message, listing);
        }
    }
    return progress == WHOLE && interrupted ? INTERRUPTED : progress;
}

static int failed(const struct query *query, struct reason *why)
{
    if (errno == ENOENT || errno == EOPNOTSUPP)
        return because(why, "sock_diag: the kernel lacks %s: load that module", query->module);
    return because_of_errno(why, "sock_diag (%s)", query->module);
}

/* Adds what one dump tells. Numbers its question by the clock, so that answers to an earlier one,
 * given up after a failure, are known as such. */
static int list(int netlink, const struct query *query, struct listing *listing, struct reason *why)
{
    const uint32_t inactive = UINT32_C(1) << STATE_BOUND_INACTIVE,
                   asked = listing->filter->states ? listing->filter->states : inactive - 1;
    const size_t before = listing->count;

    for (int i = 0; i < ATTEMPTS; i++) {
        struct timespec now;
        enum progress progress = FAILED;
        uint32_t sequence;

        clock_gettime(CLOCK_MONOTONIC, &now);
        sequence = (uint32_t)now.tv_sec * UINT32_C(1000000000) + (uint32_t)now.tv_nsec;
        listing->count = before;
        if (query->ask(netlink, query, asked, sequence) == 0)
            progress = read_dump(netlink, query, sequence, listing);
        if (progress == WHOLE)
            return 0;
        if (progress == FAILED)
            return failed(query, why);
    }
    return because(why, "sock_diag (%s): the sockets changed during each of %d dumps",
                   query->module, ATTEMPTS);
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
        return json_pack("{s:o, s:I}", "path", path_json(entry->path, entry->path_length),
                         "peer_inode", (json_int_t)entry->peer_inode);
    return json_pack("{s:o, s:o}", "local", endpoint_json(entry->family, &entry->local), "remote",
                     endpoint_json(entry->family, &entry->remote));
}

/* NULL, so that there is no such member: it has none. */
static json_t *send_window_json(int64_t window)
{
    return window < 0 ? NULL : json_integer((json_int_t)window);
}

static json_t *entry_json(const struct entry *entry)
{
    const char *timer = name_of(timers, entry->timer);
    const char *type = name_of(types, entry->type), *state = socket_state_name(entry->state);
    json_t *names = names_json(entry),
           *rest = json_pack("{s:I, s:I, s:s?, s:I, s:I, s:I, s:I, s:I}", "receive_queue",
                             (json_int_t)entry->receive_queue, "send_queue",
                             (json_int_t)entry->send_queue, "timer", timer, "expires_ms",
                             (json_int_t)entry->expires, "retransmits",
                             (json_int_t)entry->retransmits, "uid", (json_int_t)entry->uid, "inode",
                             (json_int_t)entry->inode, "cookie", (json_int_t)entry->cookie),
           *whole = json_pack("{s:s, s:s, s:s, s:o*}", "family", name_of(families, entry->family),
                              "type", type ? type : "", "state", state ? state : "UNKNOWN",
                              "send_window", send_window_json(entry->send_window));

    if (!names || !rest || !whole || json_object_update(whole, names) < 0 ||
        json_object_update(whole, rest) < 0) {
        json_decref(whole);
        whole = NULL;
    }
    json_decref(names);
    json_decref(rest);
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

json_t *sockets_list(int netlink, const struct socket_filter *filter, struct reason *why)
{
    struct listing listing = {.filter = filter};
    json_t *array = NULL;
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof queries / sizeof *queries; i++)
        if (is_needed(&queries[i], filter))
            status = list(netlink, &queries[i], &listing, why);
    if (status == 0) {
        if (listing.count > 1)
            qsort(listing.entries, listing.count, sizeof *listing.entries, compare);
        array = listing_json(&listing, why);
    }
    free(listing.entries);
    return array;
}
