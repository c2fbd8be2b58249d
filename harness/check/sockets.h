#ifndef SOCKSPEC_SOCKETS_H
#define SOCKSPEC_SOCKETS_H

#include "address.h"
#include "kind.h"
#include "lacking.h"

/* Sockets in a given state, for set-up. All give -1 with errno where they fail: NEED(...) makes
 * that *broken*. What they open is closed when the process ends. Sockets of a nonblocking kind are
 * made nonblocking when they are handed out. */

/* --- one socket --- */
int new_socket(const struct kind *kind);
int bound_socket(const struct kind *kind); /* at loopback(kind, PORT) */
int bound_to(const struct kind *kind, struct address address);
int listening_socket(const struct kind *kind); /* at loopback(kind, PORT) */
int listening_at(const struct kind *kind, struct address address, int backlog);
/* Has connected to the listener at loopback(kind, PORT), which has not accepted it yet. */
int waiting_client(const struct kind *kind);
/* In SYN_SENT, and stays there: a listener at PORT has a full queue. TCP. */
int connecting_socket(const struct kind *kind);

/* --- two ends of a connection --- */
struct pair {
    int mine, peer; /* `mine` has connected, or for UDP each has */
};
int connected_pair(const struct kind *kind, struct pair *pair);
/* The peer has shut its sending side down, and its FIN has arrived. */
int half_closed_pair(const struct kind *kind, struct pair *pair);
/* The peer has closed; `peer` is -1, and its FIN has arrived. */
int closed_pair(const struct kind *kind, struct pair *pair);
/* The peer has reset the connection; `peer` is -1, and the RST has arrived. */
int reset_pair(const struct kind *kind, struct pair *pair);

/* --- what is done to one --- */
int nonblocking(int descriptor);
int set_option(int descriptor, int level, int option, int value);
/* An option that is an int: its value. */
int get_option(int descriptor, int level, int option);
/* SO_ERROR, which reading clears: 0 or an errno. */
int so_error(int descriptor);
/* Sends till no more fits, nor will till the peer reads, and leaves it nonblocking: how many bytes.
 */
int fill(int descriptor);
/* Receives what is there, without waiting: how many bytes. */
int drain(int descriptor);

/* --- what is awaited --- */
/* Waits, some seconds at most, till poll tells one of the events, or an error or hang-up: what it
 * tells. Late: -1 with ETIMEDOUT. */
int await_events(int descriptor, int events);
/* What poll tells at once of a descriptor, if asked for these events. */
int events_now(int descriptor, int events);
/* TCP's state: TCP_ESTABLISHED and so on, in Linux's numbers. Linux only. */
int tcp_state(int descriptor);
/* What TCP_INFO tells: 0. Fewer than `least` bytes of it: -1 with ENODATA. Linux only. */
struct tcp_info;
int tcp_information(int descriptor, struct tcp_info *told, size_t least);

#endif
