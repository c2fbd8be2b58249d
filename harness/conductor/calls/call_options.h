#ifndef SOCKSPEC_CALL_OPTIONS_H
#define SOCKSPEC_CALL_OPTIONS_H

#include "call_pieces.h"

#include "call_names.h"

/* Socket options: their names and what their values mean. They name control messages too. */

enum call_option_type {
    OPTION_INT,
    OPTION_LINGER,      /* {"onoff", "linger"} */
    OPTION_SECONDS,     /* timeval */
    OPTION_CREDENTIALS, /* {"pid", "uid", "gid"} */
    OPTION_ERRNO,       /* its name, or 0 */
    OPTION_NAMED,
    OPTION_TEXT,
    OPTION_BYTES,
    OPTION_TYPES
};

struct call_option {
    const char *name;
    int level, number;
    enum call_option_type type;
    const struct call_names *names; /* of OPTION_NAMED */
};

/* The option, or NULL. */
const struct call_option *option_find(int level, int number);

/* A value of LENGTH bytes, of which the piece holds the first. OPTION may be NULL: then four bytes
 * are a number. A new reference: null when the piece is too short; NULL when memory runs out. */
json_t *option_value(const struct call_option *option, struct call_piece piece, uint64_t length);

/* A ucred; null when the piece is too short. */
json_t *option_credentials(struct call_piece piece);

#endif
