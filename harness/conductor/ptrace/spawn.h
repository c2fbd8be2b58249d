#ifndef SOCKSPEC_SPAWN_H
#define SOCKSPEC_SPAWN_H

#include "core.h"
#include "reason.h"
#include "request.h"

#include <linux/filter.h>
#include <sys/types.h>

/* A child on its way to becoming a program: it waits to be told to go on, readies itself and execs.
 */
struct spawned {
    pid_t pid;
    int go;     /* close or write: the child goes on; owned by the caller */
    int failed; /* end of file: it has exec'ed; else what went wrong, see spawn_failure; owned by
                   the caller */
};

/* What it takes along beside its streams: a filter, or NULL; and so many of the conductor's own
 * descriptors from `kept` on, under the same numbers. */
struct luggage {
    const struct sock_fprog *filter;
    int kept, kept_count;
};

/* Forks it. Takes the streams over. 0, or -1 with the reason. */
int spawn(const struct request *request, const struct streams *streams,
          const struct luggage *luggage, struct spawned *spawned, struct reason *why);

/* After the child has ended without exec: fills in the reason. Always -1. */
int spawn_failure(const struct spawned *spawned, const struct request *request, struct reason *why);

#endif
