#ifndef SOCKSPEC_PASSING_H
#define SOCKSPEC_PASSING_H

#include "message.h"
#include "sockets.h"

/* Descriptors that SCM_RIGHTS passes. What fails gives -1 with errno. */

/* Connected sockets, and a pipe whose ends are what is passed. */
struct passing {
    struct pair pair;
    int reader, writer;
};
int new_passing(const struct kind *kind, struct passing *of);

/* A message of one byte that carries so many. */
void with_descriptors(struct message *message, const int *descriptors, int count);
/* Sends one over a socket. */
int pass(int over, int descriptor);

/* How many came in a message, and the nth of them; -1 with EBADF when there is none. */
int count_in(struct message *message);
int nth_in(struct message *message, int nth);
/* Receives a message with room for one descriptor, without waiting: that one. */
int receive_one(int from);

/* Whether nobody holds the pipe's writing end any more; -1 with errno. */
int is_hung_up(int reader);

#endif
