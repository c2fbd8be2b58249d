#ifndef SOCKSPEC_REQUEST_H
#define SOCKSPEC_REQUEST_H

#include "moment.h"
#include "net/plan.h"
#include "reason.h"
#include "sockets.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one line of the protocol into a typed request: every member checked, nothing left to doubt
 * later. Pure. */

enum verb {
    VERB_HELLO,
    VERB_SYSCTL,
    VERB_START,
    VERB_REACH,
    VERB_ARM,
    VERB_REACHED,
    VERB_DISARM,
    VERB_RUN,
    VERB_SIGNAL,
    VERB_KILL,
    VERB_ENDED,
    VERB_BLOCKED,
    VERB_REST,
    VERB_DETACH,
    VERB_PROCESSES,
    VERB_SOCKETS,
    VERB_SOCKET,
    VERB_AWAIT,
    VERB_HOLDERS,
    VERB_DESCRIPTORS,
    VERB_EVENTS,
    VERB_HOST,
    VERB_WIRE,
    VERB_ADDRESS,
    VERB_NEIGHBOUR,
    VERB_ROUTE,
    VERB_CUT,
    VERB_MEND,
    VERB_PASS,
    VERB_DISCARD,
    VERB_FORGE,
    VERB_CRASH,
    VERB_BOOT,
    VERB_END,
    VERBS
};

enum scope { SCOPE_PROCESS, SCOPE_TREE, SCOPE_CHILDREN };

enum action_kind {
    ACTION_HOLD,
    ACTION_KILL,
    ACTION_RESULT,
    ACTION_SHORT,
    ACTION_DETACH,
    ACTION_DROP, /* this and those that follow: of a segment */
    ACTION_DUPLICATE,
    ACTION_DELAY
};

struct action {
    enum action_kind kind;
    int signal;      /* KILL */
    int64_t result;  /* RESULT: what a call gives without being made: a value, or -errno */
    uint64_t length; /* SHORT */
    uint64_t delay;  /* DELAY: ns */
};

struct request {
    bool has_id;
    json_int_t id;
    enum verb verb;
    json_t *members; /* owned: request_free */
    double deadline; /* seconds */
    int process, watch;
    int signal;
    struct moment moment;
    struct action action;
    enum scope scope;
    int times;                  /* 0: always */
    int count;                  /* await */
    bool gone;                  /* await */
    bool detachable;            /* start */
    bool to_come;               /* arm: the process is still to be born */
    int family;                 /* socket: AF_INET when left out */
    bool raw;                   /* events */
    bool capture;               /* host */
    bool remove;                /* address, neighbour, route */
    bool reversed;              /* pass */
    uint64_t after;             /* events */
    json_int_t limit;           /* events; 0: none */
    uint64_t inode;             /* holders */
    const char *call;           /* blocked; borrowed from members, as all text */
    const char *host;           /* "host" when left out */
    const char *cwd;            /* start; NULL when left out */
    const char *emulates;       /* start; NULL when left out */
    json_int_t user;            /* start; -1 when left out */
    struct wire_plan plan;      /* host (its name), wire */
    const char *wire, *to;      /* cut, mend, forge */
    const char *side;           /* cut, mend; NULL: both */
    const char *link;           /* address, neighbour */
    struct address address;     /* address */
    struct neighbour neighbour; /* neighbour */
    struct route route;         /* route */
    const char *frame;          /* forge: hexadecimal */
    struct socket_filter filter;
};

/* 0, or -1 with the reason; the request then holds the id and verb as far as they could be read.
 * The caller frees it in both cases. */
int request_parse(const char *line, size_t length, struct request *request, struct reason *why);
void request_free(struct request *request);

/* "reach", … */
const char *verb_name(enum verb verb);

/* The resource (RLIMIT_NOFILE, …) of that name ("nofile"), or -1. */
int limit_resource(const char *name);

#endif
