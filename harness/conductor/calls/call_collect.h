#ifndef SOCKSPEC_CALL_COLLECT_H
#define SOCKSPEC_CALL_COLLECT_H

#include "call_pieces.h"
#include "call_table.h"

/* Copying what one argument points at. A collector is called only when the argument is no null
 * pointer and its memory is valid (call_way_is_valid). */

struct call_collector {
    const struct call_shape *call;
    enum call_phase phase;
    const uint64_t *arguments;
    int64_t result;
    call_reader *read;
    void *context;
    struct call_pieces pieces;
};

typedef void call_collect_argument(struct call_collector *collector, size_t index);

call_collect_argument collect_structure; /* one, of the kind's size */
call_collect_argument collect_array;     /* as many elements as another argument says */
call_collect_argument collect_filled;    /* as many of them as the result says */
call_collect_argument collect_status;    /* a structure, if the result is above 0 */
call_collect_argument collect_counted;   /* bytes, as many as another argument points at */
call_collect_argument collect_count;     /* that other argument, at entering */
call_collect_argument collect_set;       /* fd_set */
call_collect_argument collect_mask_pair; /* the signal set that a pair points at */
call_collect_argument collect_ioctl;     /* what the request has there */
call_collect_argument collect_path;      /* text */
call_collect_argument collect_strings;   /* array of pointers to texts */
call_collect_argument collect_vector;    /* data of iovecs */
call_collect_argument collect_message;   /* msghdr and what it points at */
call_collect_argument collect_messages;  /* mmsghdr likewise */

/* Copies LENGTH bytes at ADDRESS into a piece of that argument; false when nothing was added. */
bool collect_memory(struct call_collector *collector, size_t index, size_t part, uint64_t address,
                    size_t length);

/* Reads exactly LENGTH bytes. */
bool collect_read(struct call_collector *collector, uint64_t address, void *to, size_t length);

enum {
    CALL_TEXT_LIMIT = 1024,  /* bytes of a path */
    CALL_STRING_LIMIT = 256, /* bytes of one of argv */
    CALL_STRINGS_LIMIT = 32,
};

#endif
