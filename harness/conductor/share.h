#ifndef SOCKSPEC_SHARE_H
#define SOCKSPEC_SHARE_H

#include "isolate.h"
#include "reason.h"

/* A lab without namespaces, for where they are forbidden: its programs run on the machine's own
 * host, beside all else there, and the lab is told apart by ports of its own and by its processes.
 */

enum { SHARED_PORTS = 8 };

/* Makes the caller's process tree a lab. Orphans of it become the caller's children. It can do no
 * more than root in a container usually can: neither set the machine's network up nor mount. The
 * first of SHARED_PORTS ports that nothing uses goes into isolation->port: they are outside of the
 * range that clients are given ports from, and no other lab's till this process ends. What takes
 * namespaces counts as missing from here on (capability.h). 0, or -1 with the reason. */
int share_host(struct isolation *isolation, struct reason *why);

/* Makes a folder for what is to go with the lab, which anybody can make files in, and notes it in
 * isolation->folder. 0, or -1 with the reason. */
int share_folder(struct isolation *isolation, struct reason *why);

/* For who is to outlive the lab, and the caller's parent, too: orphans of its descendants become
 * its children. */
void share_outlive(void);

/* Kills the caller's children: how many. Each can be waited for. */
long share_kill_children(void);

/* Kills all of the caller's descendants, and removes the folder when they are dead. */
void share_end(const struct isolation *isolation);

#endif
