#include "hosts.h"

#include "capability/capability.h"
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char own_namespace[] = "/proc/self/ns/net";

/* --- one host
 * ------------------------------------------------------------------------------------------------
 */

static int fail(const struct host *host, const char *what, struct reason *why)
{
    return because_of_errno(why, "host %s: %s", host->name, what);
}

/* No address but those that are asked for: a link-local one would bring router solicitations and
 * the like. Where there is no IPv6 there is nothing to set. */
static void want_no_link_local(void)
{
    struct reason ignored = {.text = ""};

    host_sysctl_set("net.ipv6.conf.default.addr_gen_mode", "1", &ignored);
}

/* In the namespace that the caller is in: a lab's own, or the machine's. */
static int equip(struct host *host, struct reason *why)
{
    if (can(CAN_ISOLATE))
        want_no_link_local();
    host->namespace = open(own_namespace, O_RDONLY | O_CLOEXEC);
    if (host->namespace < 0)
        return fail(host, own_namespace, why);
    if (can(CAN_SOCK_DIAG) && (host->diagnosis = sockets_open()) < 0)
        return fail(host, "sock_diag", why);
    host->netlink = link_open();
    if (!host->netlink)
        return fail(host, "netlink", why);
    if (host->captured && can(CAN_CAPTURE) && !(host->capture = capture_open("lo")))
        return fail(host, "capture on lo", why);
    return 0;
}

void host_crash(struct host *host)
{
    if (host->capture)
        host->dropped += capture_dropped(host->capture);
    capture_close(host->capture);
    host->capture = NULL;
    if (host->netlink)
        mnl_socket_close(host->netlink);
    host->netlink = NULL;
    if (host->diagnosis >= 0)
        close(host->diagnosis);
    host->diagnosis = -1;
    if (host->namespace >= 0)
        close(host->namespace);
    host->namespace = -1;
}

static int go(struct hosts *hosts, int namespace)
{
    if (namespace == hosts->here)
        return 0;
    if (setns(namespace, CLONE_NEWNET) < 0)
        return -1;
    hosts->here = namespace;
    return 0;
}

int host_enter(struct hosts *hosts, const struct host *host, struct reason *why)
{
    return go(hosts, host->namespace) < 0 ? fail(host, "setns", why) : 0;
}

/* Home is open for good: the way back was the way there. */
void host_leave(struct hosts *hosts)
{
    go(hosts, hosts->home);
}

/* Only sock_diag is of the namespace it was opened in, wherever the caller is. */
json_t *host_sockets(struct hosts *hosts, const struct host *host,
                     const struct socket_filter *filter, struct reason *why)
{
    struct socket_filter own = *filter;
    json_t *list;

    own.owner = hosts->owner;
    if (host->diagnosis >= 0)
        return sockets_list(host->diagnosis, &own, why);
    if (host_enter(hosts, host, why) < 0)
        return NULL;
    list = sockets_list(-1, &own, why);
    host_leave(hosts);
    return list;
}

int host_bound_orphans(struct hosts *hosts, const struct host *host, struct reason *why)
{
    static const char name[] = "net.ipv4.tcp_orphan_retries";
    char value[16];
    int status;

    if (host_enter(hosts, host, why) < 0)
        return -1;
    status = host_sysctl_get(name, value, sizeof value, why);
    if (status == 0 && strcmp(value, "0") == 0) /* the kernel's word for 8 */
        status = host_sysctl_set(name, "3", why);
    host_leave(hosts);
    return status;
}

int host_boot(struct hosts *hosts, struct host *host, struct reason *why)
{
    int status;

    if (!can(CAN_SETNS))
        return lacking(why, CAN_SETNS, "no host but the first");
    if (unshare(CLONE_NEWNET) < 0)
        return fail(host, "making a network namespace", why);
    hosts->here = -1;
    status = host_link_up("lo") < 0 ? fail(host, "bringing lo up", why) : equip(host, why);
    host_leave(hosts);
    if (status < 0)
        host_crash(host);
    return status;
}

/* --- what is set in it
 * ---------------------------------------------------------------------------------------
 */

static int apply(const struct host *host, const struct setting *setting, bool remove)
{
    switch (setting->kind) {
    case SETTING_ADDRESS:
        return link_address(host->netlink, setting->link, &setting->address, remove);
    case SETTING_NEIGHBOUR:
        return link_neighbour(host->netlink, setting->link, &setting->neighbour, remove);
    default:
        return link_route(host->netlink, &setting->route, remove);
    }
}

static int refuse(const struct host *host, const struct setting *setting, bool remove,
                  struct reason *why)
{
    static const char *const words[] = {[SETTING_ADDRESS] = "address",
                                        [SETTING_NEIGHBOUR] = "neighbour",
                                        [SETTING_ROUTE] = "route to"};
    char text[ADDRESS_TEXT_ROOM];
    const int error = errno;

    address_text(setting->kind == SETTING_ADDRESS     ? &setting->address
                 : setting->kind == SETTING_NEIGHBOUR ? &setting->neighbour.address
                                                      : &setting->route.to,
                 text);
    errno = error;
    if (error == ENODEV && *setting->link)
        return because(why, "host %s: no link %s", host->name, setting->link);
    return because_of_errno(why, "host %s: %s %s cannot be %s", host->name, words[setting->kind],
                            text, remove ? "removed" : "set");
}

static bool same_address(const struct address *one, const struct address *other)
{
    return one->family == other->family && one->prefix == other->prefix &&
           memcmp(one->bytes, other->bytes, address_length(one)) == 0;
}

/* Whether the second takes the first's place, or takes it back. */
static bool same_place(const struct setting *one, const struct setting *other)
{
    if (one->kind != other->kind)
        return false;
    if (one->kind == SETTING_ROUTE)
        return same_address(&one->route.to, &other->route.to);
    return strcmp(one->link, other->link) == 0 &&
           (one->kind == SETTING_ADDRESS
                ? same_address(&one->address, &other->address)
                : same_address(&one->neighbour.address, &other->neighbour.address));
}

static void drop(struct host *host, int index)
{
    host->set--;
    memmove(&host->settings[index], &host->settings[index + 1],
            (size_t)(host->set - index) * sizeof *host->settings);
}

static void remember(struct host *host, const struct setting *setting, bool remove)
{
    for (int i = 0; i < host->set; i++) {
        if (same_place(&host->settings[i], setting)) {
            drop(host, i);
            break;
        }
    }
    if (!remove)
        host->settings[host->set++] = *setting;
}

int host_set(struct host *host, const struct setting *setting, bool remove, struct reason *why)
{
    if (!can(CAN_ISOLATE))
        return lacking(why, CAN_ISOLATE, "nothing can be set");
    if (!remove && host->set == MOST_SETTINGS)
        return because(why, "host %s: at most %d addresses, neighbours and routes", host->name,
                       MOST_SETTINGS);
    if (apply(host, setting, remove) < 0)
        return refuse(host, setting, remove, why);
    remember(host, setting, remove);
    return 0;
}

void host_forget(struct host *host, const char *link)
{
    for (int i = host->set - 1; i >= 0; i--) {
        if (host->settings[i].kind != SETTING_ROUTE && strcmp(host->settings[i].link, link) == 0)
            drop(host, i);
    }
}

int host_restore(struct host *host, struct reason *why)
{
    for (int i = 0; i < host->set; i++) {
        if (apply(host, &host->settings[i], false) < 0)
            return refuse(host, &host->settings[i], false, why);
    }
    return 0;
}

/* --- all of them
 * ---------------------------------------------------------------------------------------------
 */

static struct host *blank(struct hosts *hosts, const char *name, bool captured)
{
    struct host *host = &hosts->list[hosts->count];

    *host = (struct host){.namespace = -1, .diagnosis = -1, .captured = captured};
    snprintf(host->name, sizeof host->name, "%s", name);
    return host;
}

int hosts_open(struct hosts *hosts, bool captured, struct reason *why)
{
    struct host *first;

    hosts->count = 0;
    first = blank(hosts, "host", captured);
    if (equip(first, why) < 0) {
        host_crash(first);
        return -1;
    }
    hosts->home = hosts->here = first->namespace;
    hosts->count = 1;
    return 0;
}

void hosts_close(struct hosts *hosts)
{
    for (int i = 0; i < hosts->count; i++)
        host_crash(&hosts->list[i]);
    hosts->count = 0;
}

int hosts_add(struct hosts *hosts, const char *name, bool captured, struct reason *why)
{
    if (hosts_find(hosts, name))
        return because(why, "host %s: there is one of that name", name);
    if (hosts->count == MOST_HOSTS)
        return because(why, "host %s: a lab has at most %d hosts", name, MOST_HOSTS);
    if (host_boot(hosts, blank(hosts, name, captured), why) < 0)
        return -1;
    hosts->count++;
    return 0;
}

struct host *hosts_find(struct hosts *hosts, const char *name)
{
    for (int i = 0; i < hosts->count; i++) {
        if (strcmp(hosts->list[i].name, name) == 0)
            return &hosts->list[i];
    }
    return NULL;
}

static void explain_unknown(const struct hosts *hosts, const char *name, struct reason *why)
{
    char known[256] = "";
    size_t used = 0;

    for (int i = 0; i < hosts->count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s\"%s\"", i ? ", " : "",
                                 hosts->list[i].name);
    because(why, "host \"%.60s\": no such host (there is %s)", name, known);
}

struct host *hosts_known(struct hosts *hosts, const char *name, struct reason *why)
{
    struct host *host = hosts_find(hosts, name);

    if (!host)
        explain_unknown(hosts, name, why);
    return host;
}

struct host *hosts_living(struct hosts *hosts, const char *name, struct reason *why)
{
    struct host *host = hosts_known(hosts, name, why);

    if (host && host->namespace < 0) {
        because(why, "host %s has crashed: boot it first", host->name);
        return NULL;
    }
    return host;
}

int hosts_move_home(struct hosts *hosts, struct reason *why)
{
    int namespace;

    if (!can(CAN_VETH))
        return lacking(why, CAN_VETH, "no wires");
    if (unshare(CLONE_NEWNET) < 0)
        return because_of_errno(why, "making a network namespace for the wires");
    host_small_tables_behind();
    hosts->here = -1;
    namespace = open(own_namespace, O_RDONLY | O_CLOEXEC);
    if (namespace < 0)
        because_of_errno(why, "%s", own_namespace);
    else
        hosts->home = hosts->here = namespace;
    host_leave(hosts);
    return namespace;
}
