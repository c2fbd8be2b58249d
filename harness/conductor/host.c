#include "host.h"

#include "capability/capability.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_ROOM = 1024, VALUE_ROOM = 4096 };

static const char sysctls[] = "/proc/sys/";

/* Sends the request and waits for the answer, an errno. */
static int ask(struct mnl_socket *netlink, const struct nlmsghdr *request)
{
    _Alignas(struct nlmsghdr) unsigned char buffer[MESSAGE_ROOM];
    ssize_t came;

    if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
        return -1;
    came = mnl_socket_recvfrom(netlink, buffer, sizeof buffer);
    if (came < 0)
        return -1;
    return mnl_cb_run(buffer, (size_t)came, request->nlmsg_seq, mnl_socket_get_portid(netlink),
                      NULL, NULL) < 0
               ? -1
               : 0;
}

static int bring_up(const char *link)
{
    _Alignas(struct nlmsghdr) unsigned char buffer[MESSAGE_ROOM];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    struct ifinfomsg *body = mnl_nlmsg_put_extra_header(request, sizeof *body);
    struct mnl_socket *netlink;
    int status, error;

    if (strlen(link) >= IFNAMSIZ) {
        errno = ENODEV;
        return -1;
    }
    request->nlmsg_type = RTM_NEWLINK;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request->nlmsg_seq = 1;
    body->ifi_flags = IFF_UP;
    body->ifi_change = IFF_UP;
    mnl_attr_put_strz(request, IFLA_IFNAME, link);
    netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!netlink)
        return -1;
    status = ask(netlink, request);
    error = errno;
    mnl_socket_close(netlink);
    errno = error;
    return status;
}

/* Whether 127.0.0.1 can be bound to: not while loopback is down. */
static bool loopback_works(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool works =
        probe >= 0 && bind(probe, (const struct sockaddr *)&address, sizeof address) == 0;

    if (probe >= 0)
        close(probe);
    return works;
}

/* Some kernels know no such request, and have loopback up from the start. */
int host_link_up(const char *link)
{
    int error;

    if (bring_up(link) == 0)
        return 0;
    error = errno;
    if (strcmp(link, "lo") == 0 && loopback_works())
        return 0;
    errno = error;
    return -1;
}

/* Neither nothing nor . nor .. */
static bool is_plain(const char *component, size_t length)
{
    return length > 2 || (length > 0 && memcmp(component, "..", length) != 0);
}

/* The name's path under /proc/sys: '.' and '/' change places. Every component must be a plain name,
 * so that none leads out of net/. */
static int sysctl_path(const char *name, char *path, size_t size, struct reason *why)
{
    const size_t head = strlen(sysctls);
    const int length = snprintf(path, size, "%s%s", sysctls, name);

    if (strncmp(name, "net.", 4) != 0)
        return because(why, "sysctl %.100s: only names under net. are taken", name);
    if ((size_t)length >= size)
        return because(why, "sysctl %.100s…: the name is too long", name);
    for (char *at = path + head; *at; at++)
        *at = (char)(*at == '.' ? '/' : *at == '/' ? '.' : *at);
    for (const char *component = path + head; component; component = strchr(component, '/')) {
        component += *component == '/';
        if (!is_plain(component, strcspn(component, "/")))
            return because(why, "sysctl %.100s: not a sysctl's name", name);
    }
    return 0;
}

static int open_sysctl(const char *name, int flags, struct reason *why)
{
    char path[256];
    int file;

    if (sysctl_path(name, path, sizeof path, why) < 0)
        return -1;
    file = open(path, flags | O_CLOEXEC);
    if (file < 0 && !can(CAN_SYSCTLS))
        why->lacks = capability_name(CAN_SYSCTLS);
    if (file < 0 && errno == ENOENT)
        return because(why, "sysctl %.100s: this kernel has none of that name here", name);
    if (file < 0)
        return because_of_errno(why, "sysctl %.100s: cannot be opened", name);
    return file;
}

int host_sysctl_set(const char *name, const char *value, struct reason *why)
{
    char line[VALUE_ROOM];
    const int length = snprintf(line, sizeof line, "%s\n", value);
    int file, status = 0;

    if ((size_t)length >= sizeof line)
        return because(why, "sysctl %.100s: the value is too long", name);
    file = open_sysctl(name, O_WRONLY, why);
    if (file < 0)
        return -1;
    /* In one piece: the kernel takes each write for a whole value. */
    if (write(file, line, (size_t)length) != length)
        status = because_of_errno(why, "sysctl %.100s: cannot be set to \"%.100s\"", name, value);
    close(file);
    return status;
}

/* As on a machine with half a GiB. The kernel derives tcp_max_tw_buckets and tcp_max_syn_backlog
 * from it, by half and by the 128th part, which is never less than 128. */
void host_small_tables_behind(void)
{
    struct reason ignored = {.text = ""};

    host_sysctl_set("net.ipv4.tcp_child_ehash_entries", "4096", &ignored);
    host_sysctl_set("net.ipv4.udp_child_hash_entries", "256", &ignored);
}

int host_sysctl_get(const char *name, char *value, size_t size, struct reason *why)
{
    const int file = open_sysctl(name, O_RDONLY, why);
    ssize_t length;
    int status = 0;

    if (file < 0)
        return -1;
    length = read(file, value, size);
    if (length < 0)
        status = because_of_errno(why, "sysctl %.100s: cannot be read", name);
    else if ((size_t)length == size)
        status = because(why, "sysctl %.100s: the value is too long", name);
    else
        value[length - (length > 0 && value[length - 1] == '\n')] = '\0';
    close(file);
    return status;
}
