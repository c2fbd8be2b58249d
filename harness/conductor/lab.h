#ifndef SOCKSPEC_LAB_H
#define SOCKSPEC_LAB_H

#include "channel.h"
#include "core.h"
#include "isolate.h"
#include "net/hosts.h"
#include "net/wire.h"

#include <poll.h>

/* Everything one conductor has: the core, what it knows besides from the kernel, and the one
 * request that waits. */
struct lab {
    struct core *core;
    struct hosts hosts;
    struct wires *wires;
    struct channel channel;
    struct isolation isolation;
    bool waiting;           /* a request waits for its fact */
    struct request pending; /* … this one */
    struct watch *watch;    /* what it waits for, or NULL */
    json_t *gathered;       /* crash: whom it has killed; owned */
    uint64_t due,
        looked; /* ns of CLOCK_MONOTONIC: its deadline; when its fact was last looked for */
    struct socket_owner owner; /* the lab itself, where the host is shared */
    int gift;                  /* a descriptor that goes with the answer; -1: none. Owned */
    bool ending;
};

/* Opens what a lab needs in the namespaces that isolate() made; `isolation` is filled in.
 * `captured`: the first host's loopback. 0, or -1 with the reason: the process then ends. */
int lab_open(struct lab *lab, const struct source *source, bool captured, struct reason *why);
void lab_close(struct lab *lab);

/* Appends the segments that were captured so far to the log, and passes on those on wires. */
void lab_take_segments(struct lab *lab);

/* What is to be polled so that no segment waits: at most LAB_DESCRIPTORS; how many. */
enum { LAB_DESCRIPTORS = MOST_HOSTS + 1 };
size_t lab_descriptors(const struct lab *lab, struct pollfd sources[LAB_DESCRIPTORS]);

/* Frames that no event tells of, as there was no room for them. */
uint64_t lab_frames_dropped(struct lab *lab);

/* Answers one line of the channel, or makes it the request that waits. */
void lab_answer(struct lab *lab, const char *line, size_t length);
void lab_refuse(const struct lab *lab, const char *reason);

/* Lets every thread of the process that is held go on. */
void lab_release(struct lab *lab, struct process *process);

/* If a request waits: replies when its fact has come, cannot come any more, or is late. */
void lab_look(struct lab *lab);

/* When that, or a delayed frame's sending, is to be done next at the latest, by lab_clock;
 * UINT64_MAX: nothing waits. */
uint64_t lab_next_look(const struct lab *lab);

/* ns of CLOCK_MONOTONIC. */
uint64_t lab_clock(void);

#endif
