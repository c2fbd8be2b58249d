#ifndef SOCKSPEC_CALL_KINDS_H
#define SOCKSPEC_CALL_KINDS_H

#include "call_collect.h"
#include "call_decode.h"

/* The kinds of arguments: how each is collected and decoded. */

struct call_kind_row {
    call_collect_argument *collect; /* NULL: there is nothing to collect */
    call_decode_argument *decode;
    size_t size;  /* of the structure, or of one element */
    size_t limit; /* so many elements at most, or so many bytes of what has no elements */
};

extern const struct call_kind_row call_kinds[CALL_KINDS];

#endif
