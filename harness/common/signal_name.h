#ifndef SOCKSPEC_SIGNAL_NAME_H
#define SOCKSPEC_SIGNAL_NAME_H

/* The name of a signal ("SIGCHLD", "SIGRTMIN+2"), or NULL for a number that is no signal. The text
 * is static. */
const char *signal_name(int number);

/* The number of the signal of that name, or -1. */
int signal_number(const char *name);

#endif
