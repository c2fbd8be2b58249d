#ifndef SOCKSPEC_PROC_H
#define SOCKSPEC_PROC_H

#include "moment.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What /proc tells of a process. */

/* The letter of a thread's state ("S"), '?' when it is gone. */
char proc_state(pid_t pid, pid_t tid);

/* Whether the thread sleeps till it is woken. "S" alone does not say so: a thread has that state
 * before it looks for the last time whether it has to sleep, and may be put off its processor
 * there, though what it waits for has come. */
bool proc_sleeps(pid_t pid, pid_t tid);

/* Whether the thread, which has entered that system call and not left it, sleeps inside: in it, or
 * where the kernel goes on with it. Needs the right to trace it. */
bool proc_sleeps_in(pid_t pid, pid_t tid, int number);

/* The thread group that a thread belongs to, or -1. */
pid_t proc_thread_group(pid_t tid);

/* The sets of signals that a thread blocks, and that wait for it or its process: bit 0 stands for
 * signal 1. */
uint64_t proc_blocked_signals(pid_t tid);
uint64_t proc_pending_signals(pid_t tid);

/* Reads LENGTH bytes at ADDRESS of a thread's memory; how many could be read, or -1. Needs the
 * right to trace it. */
ssize_t proc_read_memory(pid_t tid, uint64_t address, void *buffer, size_t length);

/* How a process has ended, as wait() tells it, as long as nobody has waited for it; else -1. */
int proc_exit_status(pid_t pid);

/* What a descriptor of a process is. `handle` is the process's pidfd, or -1. CLASS_OTHER when it is
 * not open. */
enum descriptor_class proc_descriptor_class(int handle, pid_t pid, int descriptor);

/* Where the link /proc/PID/fd/N leads, and its inode when it is a socket or a pipe (else 0). False
 * when not open. */
bool proc_descriptor_target(pid_t pid, int descriptor, char *target, size_t size, uint64_t *inode);

/* Whether a descriptor of the process leads to that inode of a socket or pipe. */
bool proc_holds(pid_t pid, uint64_t inode);

/* Calls `take` for each open descriptor of the process, in ascending order. 0, or -1 with errno. */
int proc_descriptors(pid_t pid, void (*take)(void *context, int descriptor), void *context);

#endif
