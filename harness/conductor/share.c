#include "share.h"

#include "capability/capability.h"
#include "host.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_PORT = 10000, CLIENTS_FROM = 32768 };

/* What containers are given by default. */
static const int powers[] = {
    CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,     CAP_FOWNER,      CAP_MKNOD,
    CAP_SETGID,  CAP_SETUID,       CAP_SETFCAP,    CAP_KILL,        CAP_NET_BIND_SERVICE,
    CAP_SETPCAP, CAP_NET_RAW,      CAP_SYS_CHROOT, CAP_AUDIT_WRITE,
};

static bool is_kept(int power)
{
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        if (powers[i] == power)
            return true;
    return false;
}

/* Of what an exec gives to root. Who may not drop a power has none to give. */
static void give_up_powers(void)
{
    for (int power = 0; power <= CAP_LAST_CAP; power++)
        if (!is_kept(power))
            prctl(PR_CAPBSET_DROP, power, 0, 0, 0);
}

/* --- ports
 * ---------------------------------------------------------------------------------------------------
 */

/* A name that one socket of the machine can have, as long as that is open: no file is left behind.
 * -1: it is another's. */
static int claim(int port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "sockspec/%d", port);
    const int claimed = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (claimed >= 0 &&
        bind(claimed, (const struct sockaddr *)&name,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
        return claimed;
    if (claimed >= 0)
        close(claimed);
    return -1;
}

/* At :: without IPV6_V6ONLY it is bound for IPv4, too. */
static bool can_bind(int type, int port)
{
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};
    int probe = socket(AF_INET6, type | SOCK_CLOEXEC, 0), no = 0, status;

    if (probe >= 0) {
        setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
        status = bind(probe, (const struct sockaddr *)&in6, sizeof in6);
    } else {
        probe = socket(AF_INET, type | SOCK_CLOEXEC, 0);
        status = bind(probe, (const struct sockaddr *)&in, sizeof in);
    }
    close(probe);
    return status == 0;
}

static bool is_free(int port)
{
    return can_bind(SOCK_STREAM, port) && can_bind(SOCK_DGRAM, port);
}

static bool hold_none(const void *context, uint64_t inode)
{
    (void)context;
    (void)inode;
    return false;
}

/* Whether the kernel knows a socket at one of the ports, or connected to one: a client of an
 * earlier lab may be in TIME_WAIT, of which bind says nothing. */
static bool is_remembered(int first)
{
    const struct socket_owner owner = {first, first + SHARED_PORTS - 1, hold_none, NULL};
    const struct socket_filter filter = {
        .local = -1, .remote = -1, .inode = -1, .send_window = -1, .owner = &owner};
    struct reason ignored = {.text = ""};
    const int diagnosis = can(CAN_SOCK_DIAG) ? sockets_open() : -1;
    json_t *known = sockets_list(diagnosis, &filter, &ignored);
    const bool any = json_array_size(known) > 0;

    json_decref(known);
    if (diagnosis >= 0)
        close(diagnosis);
    return any;
}

static bool are_free(int first)
{
    for (int port = first; port < first + SHARED_PORTS; port++)
        if (!is_free(port))
            return false;
    return !is_remembered(first);
}

/* The claim stays open. */
static bool reserve(int first)
{
    const int claimed = claim(first);

    if (claimed < 0)
        return false;
    if (are_free(first))
        return true;
    close(claimed);
    return false;
}

static int lowest_of_clients(void)
{
    struct reason ignored = {.text = ""};
    char range[64] = "";

    host_sysctl_get("net.ipv4.ip_local_port_range", range, sizeof range, &ignored);
    return *range ? (int)strtol(range, NULL, 10) : CLIENTS_FROM;
}

/* Two that look at once begin at different ports. */
static int reserve_ports(struct isolation *isolation, struct reason *why)
{
    const int blocks = (lowest_of_clients() - FIRST_PORT) / SHARED_PORTS;

    for (int i = 0; i < blocks; i++) {
        isolation->port = FIRST_PORT + (int)((getpid() + i) % blocks) * SHARED_PORTS;
        if (reserve(isolation->port))
            return 0;
    }
    return because(why,
                   "no %d free ports follow each other from %d up to those that clients are given: "
                   "see /proc/sys/net/ipv4/ip_local_port_range",
                   SHARED_PORTS, FIRST_PORT);
}

/* --- processes
 * -----------------------------------------------------------------------------------------------
 */

static int adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void share_outlive(void)
{
    adopt();
    prctl(PR_SET_PDEATHSIG, 0);
}

long share_kill_children(void)
{
    char path[64], *pid = NULL;
    size_t room = 0;
    FILE *listed;
    long count = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    listed = fopen(path, "re");
    while (listed && getdelim(&pid, &room, ' ', listed) > 0) {
        kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
        count++;
    }
    free(pid);
    if (listed)
        fclose(listed);
    return count;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

/* Whoever dies leaves its own children to the caller. */
void share_end(const struct isolation *isolation)
{
    for (long left; (left = share_kill_children()) > 0;)
        while (left-- > 0)
            waitpid(-1, NULL, __WALL);
    nftw(isolation->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- the lab
 * -------------------------------------------------------------------------------------------------
 */

int share_folder(struct isolation *isolation, struct reason *why)
{
    static const char *const above[] = {"/dev/shm", "/tmp"};

    for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
        snprintf(isolation->folder, FOLDER_ROOM, "%s/sockspec-XXXXXX", above[i]);
        if (mkdtemp(isolation->folder) && chmod(isolation->folder, 01777) == 0)
            return 0;
    }
    return because_of_errno(why, "making a directory in /dev/shm or /tmp");
}

int share_host(struct isolation *isolation, struct reason *why)
{
    if (adopt() < 0)
        return because_of_errno(why, "PR_SET_CHILD_SUBREAPER");
    give_up_powers();
    capabilities_share();
    return reserve_ports(isolation, why);
}
