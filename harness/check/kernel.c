#include "kernel.h"

#include "lacking.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

/* An item whose lab shares the machine's host must leave that as it is. */
static void need_own_host(void)
{
    if (getenv("SOCKSPEC_PORT"))
        lacks("host of the lab's own");
}

int set_sysctl(const char *name, const char *value)
{
    char path[128];
    FILE *file;
    bool written;

    need_own_host();
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
        *dot = '/';
    file = fopen(path, "we");
    written = file != NULL && fputs(value, file) >= 0;
    return file == NULL || fclose(file) != 0 || !written ? -1 : 0;
}

struct link_request {
    struct nlmsghdr header;
    struct ifinfomsg link;
    char room[128];
};

struct link_answer {
    struct nlmsghdr header;
    struct nlmsgerr error;
};

/* Puts an attribute at the end. */
static struct rtattr *put(struct link_request *request, unsigned short type, const char *text)
{
    struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    const size_t size = text ? strlen(text) + 1 : 0;

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (text)
        memcpy(RTA_DATA(attribute), text, size);
    request->header.nlmsg_len =
        NLMSG_ALIGN(request->header.nlmsg_len) + (unsigned)RTA_ALIGN(attribute->rta_len);
    return attribute;
}

static int ask(int netlink, const struct link_request *request)
{
    struct link_answer answer;

    if (send(netlink, request, request->header.nlmsg_len, 0) < 0 ||
        recv(netlink, &answer, sizeof answer, 0) < 0)
        return -1;
    errno = -answer.error.error;
    return errno ? -1 : 0;
}

static int make_pair(int netlink, const char *name)
{
    struct link_request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof request.link),
                   .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK}};
    struct rtattr *information;

    put(&request, IFLA_IFNAME, name);
    information = put(&request, IFLA_LINKINFO, NULL);
    put(&request, IFLA_INFO_KIND, "veth");
    information->rta_len =
        (unsigned short)((char *)&request + request.header.nlmsg_len - (char *)information);
    return ask(netlink, &request);
}

/* Any socket will do for the ioctl. */
static int bring_up(int any_socket, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(any_socket, SIOCSIFFLAGS, &request);
}

/* What the link's coming up brings about, such as routes of IPv6, is done when this returns: the
 * kernel leaves it to a worker, but does it at once for who asks (linkwatch_sync_dev()). */
static int see_link(int any_socket, const char *name)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq request = {.ifr_data = (void *)&link};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(any_socket, SIOCETHTOOL, &request) < 0)
        return -1;
    errno = ENETDOWN;
    return link.data ? 0 : -1;
}

/* The kernel names the far end, the first that it has to name. */
int add_device(const char *name)
{
    const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool done;

    need_own_host();
    if (netlink < 0)
        return -1;
    done = make_pair(netlink, name) == 0 && bring_up(netlink, name) == 0 &&
           bring_up(netlink, "veth0") == 0 && see_link(netlink, name) == 0;
    return close(netlink) < 0 || !done ? -1 : 0;
}

#else

int add_device(const char *name)
{
    (void)name;
    return lacks("devices of a network namespace");
}

int set_sysctl(const char *name, const char *value)
{
    (void)name;
    (void)value;
    return lacks("settings of a network namespace");
}

#endif
