#ifndef SOCKSPEC_FORK_SERVER_H
#define SOCKSPEC_FORK_SERVER_H

/* For each message on the socket, a byte with two descriptors by SCM_RIGHTS, makes a process that
 * goes on where this one was called: a lab's control channel, which is returned, and what becomes
 * its standard output and error. It is a child of this process's parent, in a session of its own,
 * and the first line of its channel is {"pid": PID}.
 *
 * As root, unless labs go without namespaces, this process moves into a network namespace of its
 * own, so that those that labs are made with have small tables: see host_small_tables_behind.
 *
 * In this process it never returns: it exits with 0 at end of file, with the parent, and when a
 * message is none. A lab that cannot be made is told of on its standard error, and its channel
 * ends. */
int fork_server(int socket);

#endif
