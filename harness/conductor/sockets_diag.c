#include "send_window.h"
#include "sockets_entry.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Sockets as sock_diag tells them. */

enum {
    MESSAGE_ROOM = 32768, /* the most that the kernel puts into one answer */
    ATTEMPTS = 100,
};

int sockets_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

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
    return listing_take(listing, &entry) < 0 ? FAILED : GOES_ON;
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

int sockets_of_diag(int netlink, struct listing *listing, struct reason *why)
{
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (is_needed(&queries[i], listing->filter) && list(netlink, &queries[i], listing, why) < 0)
            return -1;
    }
    return 0;
}
