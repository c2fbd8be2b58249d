#ifndef SOCKSPEC_MOMENT_H
#define SOCKSPEC_MOMENT_H

#include "net/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* A moment: a point in a process's life where it can be held, killed or told a lie; or a segment on
 * a wire. Pure: knows neither processes nor the mechanism that reports them. */

struct call_shape;

enum moment_kind {
    MOMENT_ENTER,
    MOMENT_LEAVE,
    MOMENT_SIGNAL,
    MOMENT_FORK,
    MOMENT_BORN,
    MOMENT_EXEC,
    MOMENT_EXIT,
    MOMENT_SEGMENT, /* not in a process's life: a frame is on a wire */
    MOMENT_KINDS
};

enum descriptor_class {
    CLASS_ANY,
    CLASS_LISTENING,
    CLASS_CONNECTION,
    CLASS_SOCKET, /* only in a moment: either of the two above */
    CLASS_PIPE,
    CLASS_FILE,
    CLASS_TTY,
    CLASS_OTHER,
    CLASS_KINDS
};

struct moment {
    enum moment_kind kind;
    char call[32];            /* ENTER, LEAVE: the word that names the call */
    enum descriptor_class on; /* ENTER, LEAVE */
    int signal;               /* SIGNAL: 0 means any */
    int nth;                  /* from 1 */
    struct segment_pattern segment;
};

/* What comes to pass, as far as moments look at it. */
struct happening {
    enum moment_kind kind;
    const struct call_shape *call;
    int signal;
    /* The class of the call's first descriptor, asked for only when a moment wants to know it. */
    enum descriptor_class (*descriptor)(void *context);
    void *context;
    const struct segment *segment; /* SEGMENT, as the two that follow */
    const char *wire, *from;       /* its name; the sender's */
};

const char *moment_kind_name(enum moment_kind kind);
const char *descriptor_class_name(enum descriptor_class class);

/* The kind or class of that name, or -1. */
int moment_kind_of(const char *name);
int descriptor_class_of(const char *name);

/* Whether the happening is one that the moment counts; nth is left to the caller. */
bool moment_matches(const struct moment *moment, const struct happening *happening);

/* The moment in words ("entering accept on listening, 2nd"), for messages. Cut to fit. */
void moment_describe(const struct moment *moment, char *text, unsigned long size);

#endif
