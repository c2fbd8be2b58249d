#ifndef SOCKSPEC_INTERPOSE_CHANNEL_H
#define SOCKSPEC_INTERPOSE_CHANNEL_H

#include "report.h"

#include <stdbool.h>

/* This process's side of what is said to the conductor and answered. Signals are blocked in
 * whoever calls `ask`. */

/* Maps the memory that was inherited. False: there is none, and nobody to report to. */
bool channel_join(void);

/* Whether anybody listens; from channel_leave on nobody does. */
bool channel_open(void);
void channel_leave(void);

/* In a child that was just forked: none of its parent's threads is its own. */
void channel_forked(void);

/* Whether the descriptor is one that is kept from the program. */
bool channel_owns(int descriptor);

/* The number of the thread that asks. */
uint64_t channel_thread(void);

/* Fills in who reports, and sends it. */
void channel_tell(struct report *report);

/* The same, and waits for the answer. */
struct slot channel_ask(struct report *report);

#endif
