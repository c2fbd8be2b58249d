#ifndef SOCKSPEC_ISOLATE_H
#define SOCKSPEC_ISOLATE_H

#include "reason.h"

#include <stdbool.h>
#include <sys/types.h>

/* The walls around one lab: PID, mount, network, IPC and UTS namespaces, and for an ordinary user a
 * user namespace. Or, where the conductor lacks CAN_ISOLATE, none: see share.h. */

enum { FOLDER_ROOM = 32 };

struct isolation {
    int control;    /* stays open in init; closed in the process that waits for it */
    int cpu;        /* the only processor used; -1: the one it runs on, which isolate fills in */
    bool sole_user; /* set by isolate: there is only one uid, in a namespace mapped as 0 */
    /* Set by isolate without namespaces, else 0 and empty: see share.h. */
    int port;
    char folder[FOLDER_ROOM];
};

/* Forks. The parent never returns: it waits for init and exits with its status (killed: 128 +
 * signal), and dies when its own parent does. In the child, now init of the new namespaces (pid 1;
 * dies when its parent does; descriptors other than 0, 1, 2 and control closed; pinned; own /proc;
 * host name "lab"; loopback up), returns 0. Where the machine does not allow it: -1, with a reason
 * that names the one thing to change; the caller is fit for nothing but to end then.
 *
 * /etc/hosts knows localhost alone, /etc/nsswitch.conf asks nothing but it, /etc/resolv.conf is
 * empty. Where the machine lacks one of these, /etc is read-only in the lab; where it cannot be
 * supplied even so, the lab goes without it. /dev/shm is the lab's own and goes with it, unless it
 * is missing or the caller works in it. All other files are the machine's own, /tmp too: programs
 * may live anywhere. SIGCHLD's disposition becomes the default.
 *
 * Without namespaces, in the child all of this is the machine's own but for what share.h says;
 * it is not pid 1, and the parent kills what the child leaves behind. */
int isolate(struct isolation *isolation, struct reason *why);

#endif
