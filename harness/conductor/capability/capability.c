#include "capability.h"

#include "probe.h"

#include <stdio.h>
#include <string.h>

/* Of those with the same probe, what it finds out is asked once for all of them. */
static const struct {
    const char *name, *lack;
    bool (*probe)(void);
} rows[CAPABILITIES] = {
    [CAN_SYSCALL_INFO] = {"syscall-info", "has no PTRACE_GET_SYSCALL_INFO", probe_syscall_info},
    [CAN_SECCOMP_LAST] = {"seccomp-last", "stops at a call's entry after its seccomp stop",
                          probe_seccomp_last},
    [CAN_WAKE_STOPPED] = {"wake-stopped", "lets a thread sleep though a signal came while it stood",
                          probe_wake_stopped},
    [CAN_PIDFD] = {"pidfd", "has no pidfd", probe_pidfd},
    [CAN_VM_READ] = {"vm-read", "has no process_vm_readv", probe_vm_read},
    [CAN_SLEEPING_CALL] = {"sleeping-call", "has no /proc/PID/syscall", probe_sleeping_call},
    [CAN_HANGUP] = {"hangup", "does not tell poll of a closed peer", probe_hangup},
    [CAN_SOCK_DIAG] = {"sock-diag", "has no sock_diag", probe_sock_diag},
    [CAN_SEE_OWN_ONLY] = {"own-sockets", "tells of the sockets of every network namespace",
                          probe_see_own_only},
    [CAN_SEE_ORPHANS] = {"orphans", "does not tell of sockets that no process holds",
                         probe_see_orphans},
    [CAN_SEE_QUEUED] = {"queued", "does not tell of connections before accept returns them",
                        probe_see_queued},
    [CAN_SEE_QUEUES] = {"queues", "does not tell how much waits in a socket", probe_see_queues},
    [CAN_SEE_TIMERS] = {"timers", "does not tell of a socket's timers", probe_see_timers},
    [CAN_SYSCTLS] = {"sysctls", "lacks some of the sysctls of TCP", probe_sysctls},
    [CAN_CAPTURE] = {"capture", "has no packet sockets (runsc: --net-raw)", probe_capture},
    [CAN_CAPTURE_RING] = {"capture-ring", "has no packet ring", probe_capture_ring},
    [CAN_MOUNT_PRIVATELY] = {"mount-namespaces", "has no mount namespaces", probe_mount_privately},
    [CAN_SETNS] = {"setns", "cannot go back to a network namespace (setns)", probe_setns},
    [CAN_VETH] = {"veth", "has no veth", probe_veth},
    [CAN_ISOLATE] = {"namespaces", "shares the machine's host", probe_isolate},
};

static enum { UNKNOWN, PRESENT, ABSENT } known[CAPABILITIES];

bool can(enum capability capability)
{
    if (known[capability] == UNKNOWN)
        known[capability] = rows[capability].probe() ? PRESENT : ABSENT;
    return known[capability] == PRESENT;
}

void capabilities_of_ptrace(void)
{
    can(CAN_SYSCALL_INFO);
    can(CAN_SECCOMP_LAST);
    can(CAN_WAKE_STOPPED);
}

static int forbid(const char *name, size_t length, struct reason *why)
{
    for (int i = 0; i < CAPABILITIES; i++) {
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0) {
            known[i] = ABSENT;
            return 0;
        }
    }
    return because(why, "%.*s: no such capability", (int)length, name);
}

int capabilities_forbid(const char *names, struct reason *why)
{
    for (;;) {
        const size_t length = strcspn(names, ",");

        if (forbid(names, length, why) < 0)
            return -1;
        if (!names[length])
            return 0;
        names += length + 1;
    }
}

void capabilities_grant_others(void)
{
    for (int i = 0; i < CAPABILITIES; i++)
        if (known[i] == UNKNOWN)
            known[i] = PRESENT;
}

void capabilities_share(void)
{
    static const enum capability missing[] = {CAN_SETNS, CAN_VETH, CAN_CAPTURE, CAN_CAPTURE_RING};

    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        known[missing[i]] = ABSENT;
}

const char *capability_name(enum capability capability)
{
    return rows[capability].name;
}

int lacking(struct reason *why, enum capability capability, const char *what)
{
    why->lacks = rows[capability].name;
    return because(why, "%s: %s %s", what,
                   can(CAN_ISOLATE) ? "this kernel" : "a lab without namespaces",
                   rows[capability].lack);
}
