#include "probe.h"

#include "capability/capability.h"
#include "net/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Probes of what takes one call or two. */

static bool close_of(int descriptor)
{
    return descriptor >= 0 && close(descriptor) == 0;
}

bool probe_pidfd(void)
{
    return close_of((int)syscall(SYS_pidfd_open, getpid(), 0));
}

bool probe_vm_read(void)
{
    char from = 'x', to = '\0';
    const struct iovec here = {&to, 1}, there = {&from, 1};

    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1;
}

bool probe_sleeping_call(void)
{
    return access("/proc/self/syscall", F_OK) == 0;
}

bool probe_hangup(void)
{
    int ends[2];
    struct pollfd end = {.events = POLLRDHUP};
    bool told;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    close(ends[1]);
    end.fd = ends[0];
    told = poll(&end, 1, 0) == 1;
    close(ends[0]);
    return told;
}

bool probe_sock_diag(void)
{
    return close_of(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

/* As old as the others are. */
bool probe_sysctls(void)
{
    return access("/proc/sys/net/ipv4/tcp_fin_timeout", F_OK) == 0;
}

/* Of packet sockets: one serves both probes, as the kernel takes 15 ms to close it. */
struct packets {
    bool tried, there, ring;
};

static const struct packets *packets(void)
{
    static struct packets known;
    const int version = TPACKET_V2; /* is what a ring begins with */
    int descriptor;

    if (known.tried)
        return &known;
    descriptor = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    known.ring = setsockopt(descriptor, SOL_PACKET, PACKET_VERSION, &version, sizeof version) == 0;
    known.there = close_of(descriptor);
    known.tried = true;
    return &known;
}

bool probe_capture(void)
{
    return packets()->there;
}

bool probe_capture_ring(void)
{
    return packets()->ring;
}

/* unshare may succeed without. */
bool probe_mount_privately(void)
{
    return access("/proc/self/ns/mnt", F_OK) == 0;
}

/* To where one is already. */
bool probe_setns(void)
{
    const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const bool has = here >= 0 && setns(here, CLONE_NEWNET) == 0;

    return close_of(here) && has;
}

/* A kernel that knows the kind finds fault with its size only. */
bool probe_veth(void)
{
    struct mnl_socket *netlink = link_open();
    bool has;

    if (!netlink)
        return false;
    has = link_knows_veth(netlink);
    mnl_socket_close(netlink);
    return has;
}

/* Whoever asks has a lab: see isolate.h. */
bool probe_isolate(void)
{
    return true;
}
