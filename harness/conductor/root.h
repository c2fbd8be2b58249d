#ifndef SOCKSPEC_ROOT_H
#define SOCKSPEC_ROOT_H

#include "reason.h"

/* A root directory of one's own that shows the machine's: what is mounted there is where nobody
 * else looks, for kernels without mount namespaces. */

enum { ROOT_ROOM = 32 };

/* Makes the place for it. 0, or -1 with the reason. */
int root_make(char path[ROOT_ROOM], struct reason *why);

/* Moves the caller into it; its working directory stays. 0, or -1 with the reason. */
int root_enter(const char *path, struct reason *why);

/* Takes it away again, from outside, once nobody is in it. */
void root_remove(const char *path);

#endif
