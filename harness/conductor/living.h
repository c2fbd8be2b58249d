#ifndef SOCKSPEC_LIVING_H
#define SOCKSPEC_LIVING_H

#include "core.h"

/* What is done with processes of this kernel, whichever source tells of them. */

/* Opens the process's handle, if the kernel has such, and has it watched for the process's death by
 * that epoll, which then gives the process. */
void living_watch(struct process *process, int epoll);

/* Sends a signal. A pid without a handle is the process's as long as it is not known to be dead. 0,
 * or -1 with errno. */
int living_signal(const struct process *process, int number);

enum descriptor_class living_classify(const struct process *process, int descriptor);

/* Kills every process of the lab, known or not: init of its own process namespace reaches them all
 * with -1. `take` is given what waiting for each tells, till nothing is left. */
void living_end(struct core *core, void (*take)(struct core *core, pid_t pid, int status));

#endif
