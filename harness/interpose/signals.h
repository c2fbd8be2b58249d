#ifndef SOCKSPEC_INTERPOSE_SIGNALS_H
#define SOCKSPEC_INTERPOSE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Signals are reported by a handler that stands before the program's own, and in place of the
 * default action of those that would end the process. The program is told what it has set. */

void signals_begin(void);

/* A signal that waits, which `mask` lets through, and whose handler would end with EINTR a call
 * that sleeps (`restarted`: unless the handler has SA_RESTART); 0: none. */
int signals_interrupting(const sigset_t *mask, bool restarted);

/* The process is left alone: what would end it does so by itself again. */
void signals_hand_back(void);

#endif
