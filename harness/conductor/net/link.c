#include "link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { MESSAGE_ROOM = 1024, ANSWER_ROOM = 2048, LONGEST_WAIT = 30 /* seconds */ };

/* One request under way. */
struct message {
    _Alignas(struct nlmsghdr) unsigned char buffer[MESSAGE_ROOM];
    struct nlmsghdr *head;
};

/* No longer than that for what the kernel has promised: it makes one lab wait for all others, a
 * conductor must not wait for ever. A kernel without such a limit has no links to be made, either.
 */
static int bound_waits(struct mnl_socket *netlink)
{
    const struct timeval longest = {.tv_sec = LONGEST_WAIT};
    const int status =
        setsockopt(mnl_socket_get_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);

    return status < 0 && errno == ENOPROTOOPT ? 0 : status;
}

struct mnl_socket *link_open(void)
{
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

    if (netlink &&
        (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 || bound_waits(netlink) < 0)) {
        const int error = errno;

        mnl_socket_close(netlink);
        errno = error;
        return NULL;
    }
    return netlink;
}

static void *begin(struct message *message, int type, int flags, size_t body)
{
    message->head = mnl_nlmsg_put_header(message->buffer);
    message->head->nlmsg_type = (uint16_t)type;
    message->head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    message->head->nlmsg_seq = 1;
    return mnl_nlmsg_put_extra_header(message->head, body);
}

/* Stops where the attribute, of a route, says that it leads to that address. */
static int leads_to(const struct nlattr *attribute, void *context)
{
    const struct address *address = context;
    const size_t length = address_length(address);
    const bool same = mnl_attr_get_type(attribute) == RTA_DST &&
                      mnl_attr_get_payload_len(attribute) == length &&
                      memcmp(mnl_attr_get_payload(attribute), address->bytes, length) == 0;

    return same ? MNL_CB_STOP : MNL_CB_OK;
}

/* Whether the kernel tells of the route by which a host has that address. */
static bool tells_of_route(const struct nlmsghdr *told, struct address address)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(told);

    return told->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL &&
           mnl_attr_parse(told, sizeof *route, leads_to, &address) == MNL_CB_STOP;
}

/* Asks, and reads till that is answered and, unless NULL, the address has its route. */
static int ask_and_hear(struct mnl_socket *netlink, const struct message *message,
                        const struct address *routed)
{
    _Alignas(struct nlmsghdr) unsigned char buffer[ANSWER_ROOM];
    const struct nlmsghdr *told = (const void *)buffer;
    bool answered = false, there = !routed;

    if (mnl_socket_sendto(netlink, message->head, message->head->nlmsg_len) < 0)
        return -1;
    while (!answered || !there) {
        const ssize_t came = mnl_socket_recvfrom(netlink, buffer, sizeof buffer);

        if (came < 0) {
            errno = errno == EAGAIN ? ETIMEDOUT : errno;
            return -1;
        }
        if (told->nlmsg_type != NLMSG_ERROR)
            there = there || tells_of_route(told, *routed);
        else if (mnl_cb_run(buffer, (size_t)came, 0, 0, NULL, NULL) < 0)
            return -1;
        else
            answered = true;
    }
    return 0;
}

static int ask(struct mnl_socket *netlink, const struct message *message)
{
    return ask_and_hear(netlink, message, NULL);
}

/* --- links
 * ---------------------------------------------------------------------------------------------------
 */

static int ask_link(int socket, const char *name, unsigned long what, struct ifreq *request)
{
    const size_t length = strlen(name);

    if (length >= sizeof request->ifr_name) {
        errno = ENODEV;
        return -1;
    }
    memcpy(request->ifr_name, name, length + 1);
    return ioctl(socket, what, request);
}

int link_index(int socket, const char *name)
{
    struct ifreq request = {0};

    return ask_link(socket, name, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

/* With the checksums go all that builds on them, scatter-gather and segmentation, on output. On
 * input the kernel would take a checksum that a veth brings for good, a forged one too. The far end
 * needs neither: what the conductor sends there is whole. */
static int take_offloads_off(int socket, const char *name)
{
    static const uint32_t offloads[] = {ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_SGRO};

    for (size_t i = 0; i < sizeof offloads / sizeof *offloads; i++) {
        struct ethtool_value value = {.cmd = offloads[i], .data = 0};
        struct ifreq request = {.ifr_data = (void *)&value};

        if (ask_link(socket, name, SIOCETHTOOL, &request) < 0)
            return -1;
    }
    return 0;
}

static int bring_up(int socket, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP};

    return ask_link(socket, name, SIOCSIFFLAGS, &request);
}

/* One queue: the machine's number of processors would be dear. */
static void put_end(struct nlmsghdr *head, const char *name, int mtu)
{
    mnl_attr_put_strz(head, IFLA_IFNAME, name);
    mnl_attr_put_u32(head, IFLA_MTU, (uint32_t)mtu);
    mnl_attr_put_u32(head, IFLA_NUM_TX_QUEUES, 1);
    mnl_attr_put_u32(head, IFLA_NUM_RX_QUEUES, 1);
}

static void put_host_end(struct nlmsghdr *head, const struct link_pair *pair)
{
    struct nlattr *peer = mnl_attr_nest_start(head, VETH_INFO_PEER);

    mnl_nlmsg_put_extra_header(head, sizeof(struct ifinfomsg));
    put_end(head, pair->name, pair->mtu);
    mnl_attr_put(head, IFLA_ADDRESS, MAC_LENGTH, pair->mac);
    mnl_attr_put_u32(head, IFLA_NET_NS_FD, (uint32_t)pair->namespace);
    mnl_attr_nest_end(head, peer);
}

static int make_pair(struct mnl_socket *netlink, const struct link_pair *pair)
{
    struct message message;
    struct ifinfomsg *body = begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *body);
    struct nlattr *information, *data;

    body->ifi_flags = IFF_UP;
    body->ifi_change = IFF_UP;
    put_end(message.head, pair->far_name, pair->mtu);
    information = mnl_attr_nest_start(message.head, IFLA_LINKINFO);
    mnl_attr_put_str(message.head, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(message.head, IFLA_INFO_DATA);
    put_host_end(message.head, pair);
    mnl_attr_nest_end(message.head, data);
    mnl_attr_nest_end(message.head, information);
    return ask(netlink, &message);
}

/* One that knows the kind finds fault with its size: a veth's MTU is at least 68. */
bool link_knows_veth(struct mnl_socket *netlink)
{
    struct message message;
    struct nlattr *information;

    begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
    put_end(message.head, "probe", 1);
    information = mnl_attr_nest_start(message.head, IFLA_LINKINFO);
    mnl_attr_put_str(message.head, IFLA_INFO_KIND, "veth");
    mnl_attr_nest_end(message.head, information);
    return ask(netlink, &message) < 0 && errno == EINVAL;
}

/* The end that comes up last has its carrier, and its queue, at once, the other's comes a little
 * later. It is the host's, so that no frame of its kernel is lost; whoever sends at the far end
 * bypasses the queue there. */
int link_make_pair(struct mnl_socket *netlink, const struct link_pair *pair)
{
    const int there = mnl_socket_get_fd(pair->netlink);
    int error;

    if (make_pair(netlink, pair) < 0)
        return -1;
    if (take_offloads_off(there, pair->name) == 0 && bring_up(there, pair->name) == 0)
        return 0;
    error = errno;
    link_remove(netlink, pair->far_name);
    errno = error;
    return -1;
}

/* --- what a link and a host have
 * -----------------------------------------------------------------------------
 */

static void put_address(struct nlmsghdr *head, uint16_t type, const struct address *address)
{
    mnl_attr_put(head, type, address_length(address), address->bytes);
}

/* An IPv6 address is there at once, but not the route by which the host has it: a worker of the
 * kernel makes that, one for the whole machine and milliseconds later. Till then what comes for the
 * address is thrown away, so the kernel's word is waited for. */
static int ask_for_route(struct mnl_socket *netlink, const struct message *message,
                         const struct address *address)
{
    int routes = RTNLGRP_IPV6_ROUTE, status, error;

    if (mnl_socket_setsockopt(netlink, NETLINK_ADD_MEMBERSHIP, &routes, sizeof routes) < 0)
        return -1;
    status = ask_and_hear(netlink, message, address);
    error = errno;
    mnl_socket_setsockopt(netlink, NETLINK_DROP_MEMBERSHIP, &routes, sizeof routes);
    errno = error;
    return status;
}

int link_address(struct mnl_socket *netlink, const char *link, const struct address *address,
                 bool remove)
{
    struct message message;
    struct ifaddrmsg *body = begin(&message, remove ? RTM_DELADDR : RTM_NEWADDR,
                                   remove ? 0 : NLM_F_CREATE | NLM_F_EXCL, sizeof *body);
    const int index = link_index(mnl_socket_get_fd(netlink), link);

    if (index < 0)
        return -1;
    body->ifa_family = (unsigned char)address->family;
    body->ifa_prefixlen = (unsigned char)address->prefix;
    body->ifa_index = (uint32_t)index;
    put_address(message.head, IFA_LOCAL, address);
    put_address(message.head, IFA_ADDRESS, address);
    if (address->family == AF_INET6)
        mnl_attr_put_u32(message.head, IFA_FLAGS, IFA_F_NODAD);
    return address->family == AF_INET6 && !remove ? ask_for_route(netlink, &message, address)
                                                  : ask(netlink, &message);
}

int link_neighbour(struct mnl_socket *netlink, const char *link, const struct neighbour *neighbour,
                   bool remove)
{
    struct message message;
    struct ndmsg *body = begin(&message, remove ? RTM_DELNEIGH : RTM_NEWNEIGH,
                               remove ? 0 : NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);
    const int index = link_index(mnl_socket_get_fd(netlink), link);

    if (index < 0)
        return -1;
    body->ndm_family = (unsigned char)neighbour->address.family;
    body->ndm_ifindex = index;
    body->ndm_state = NUD_PERMANENT;
    put_address(message.head, NDA_DST, &neighbour->address);
    if (!remove)
        mnl_attr_put(message.head, NDA_LLADDR, MAC_LENGTH, neighbour->mac);
    return ask(netlink, &message);
}

int link_remove(struct mnl_socket *netlink, const char *link)
{
    struct message message;
    struct ifinfomsg *body = begin(&message, RTM_DELLINK, 0, sizeof *body);

    body->ifi_index = link_index(mnl_socket_get_fd(netlink), link);
    return body->ifi_index < 0 ? -1 : ask(netlink, &message);
}

int link_route(struct mnl_socket *netlink, const struct route *route, bool remove)
{
    static const unsigned char types[] = {[ROUTE_VIA] = RTN_UNICAST,
                                          [ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
                                          [ROUTE_PROHIBIT] = RTN_PROHIBIT,
                                          [ROUTE_BLACKHOLE] = RTN_BLACKHOLE};
    struct message message;
    struct rtmsg *body = begin(&message, remove ? RTM_DELROUTE : RTM_NEWROUTE,
                               remove ? 0 : NLM_F_CREATE | NLM_F_EXCL, sizeof *body);

    body->rtm_family = (unsigned char)route->to.family;
    body->rtm_dst_len = (unsigned char)route->to.prefix;
    body->rtm_table = RT_TABLE_MAIN;
    body->rtm_protocol = RTPROT_STATIC;
    body->rtm_scope = RT_SCOPE_UNIVERSE;
    body->rtm_type = types[route->kind];
    put_address(message.head, RTA_DST, &route->to);
    if (route->kind == ROUTE_VIA)
        put_address(message.head, RTA_GATEWAY, &route->via);
    return ask(netlink, &message);
}
