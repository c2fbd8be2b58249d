#ifndef SOCKSPEC_CAPABILITY_H
#define SOCKSPEC_CAPABILITY_H

#include "reason.h"

#include <stdbool.h>

/* What this kernel offers of what the conductor would use. Each is tried, not guessed from a
 * version, when it is first asked for. What is missing has a second way, or makes just the requests
 * that need it fail. */

enum capability {
    CAN_SYSCALL_INFO,    /* PTRACE_GET_SYSCALL_INFO; else registers tell of calls */
    CAN_SECCOMP_LAST,    /* no stop at the call's entry after the one of its filter */
    CAN_WAKE_STOPPED,    /* a signal that comes during a stop ends the sleep in the call after it */
    CAN_PIDFD,           /* else processes are traced till they are dead */
    CAN_VM_READ,         /* process_vm_readv; else /proc/PID/mem */
    CAN_SLEEPING_CALL,   /* /proc/PID/syscall; else the thread's state has to do */
    CAN_HANGUP,          /* poll tells that the other end of a socket pair is closed */
    CAN_SOCK_DIAG,       /* else /proc/net/tcp and the like */
    CAN_SEE_OWN_ONLY,    /* not those of other network namespaces, too */
    CAN_SEE_ORPHANS,     /* sockets that no process holds are told of: TIME_WAIT, FIN_WAIT2 … */
    CAN_SEE_QUEUED,      /* … and connections that wait to be accepted */
    CAN_SEE_QUEUES,      /* how much waits in a socket */
    CAN_SEE_TIMERS,      /* which of a socket's timers runs */
    CAN_SYSCTLS,         /* Linux's settings of TCP; else each may be missing */
    CAN_CAPTURE,         /* packet sockets */
    CAN_CAPTURE_RING,    /* with a ring and a filter; else frames are read one by one */
    CAN_MOUNT_PRIVATELY, /* mount namespaces; else a root directory of the lab's own has to do */
    CAN_SETNS,           /* else there is one host */
    CAN_VETH,            /* else there are no wires */
    CAN_ISOLATE,         /* namespaces; else the lab shares the machine's host: see share.h */
    CAPABILITIES
};

/* Tries it once. May fork; leaves nothing behind. Those of sockets, setns and veth want the lab's
 * namespaces, and the first two the machine's: see capabilities_of_ptrace. */
bool can(enum capability capability);

/* Tries what takes a traced child, so that it costs the lab no pid: to be called before there is
 * one. */
void capabilities_of_ptrace(void);

/* Takes from now on what is named for missing: "pidfd,sock-diag". 0, or -1 with the reason. */
int capabilities_forbid(const char *names, struct reason *why);

/* Takes all that is not known yet for there, untried. */
void capabilities_grant_others(void);

/* Without namespaces: takes what they make possible for missing, too. */
void capabilities_share(void);

/* "sock-diag". */
const char *capability_name(enum capability capability);

/* Notes as the reason that the capability is missing, and returns -1: "WHAT: this kernel has no
 * veth". */
int lacking(struct reason *why, enum capability capability, const char *what);

#endif
