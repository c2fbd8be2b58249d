#ifndef SOCKSPEC_CALL_PIECES_H
#define SOCKSPEC_CALL_PIECES_H

#include "call.h"

/* How collected bytes are laid out: pieces one after the other, each a head {argument, part,
 * length} and so many bytes. An argument that points at structures with pointers in them has
 * several parts. */

enum call_part {
    PART_SELF,
    PART_NAME,
    PART_DATA,
    PART_TOTAL, /* uint64_t: how much data there is, collected or not */
    PART_CONTROL,
    CALL_PARTS, /* the next message of several begins here */
    PART_END = 255,
};

struct call_pieces {
    unsigned char *buffer;
    size_t capacity, used;
};

/* Room for that many bytes of the next piece, or NULL when there is none. Nothing is written before
 * pieces_commit. */
unsigned char *pieces_room(struct call_pieces *pieces, size_t length);

/* The bytes written to pieces_room become a piece; LENGTH is at most what was asked for. */
void pieces_commit(struct call_pieces *pieces, size_t argument, size_t part, size_t length);

/* Adds a piece; false when it does not fit. */
bool pieces_add(struct call_pieces *pieces, size_t argument, size_t part, const void *bytes,
                size_t length);

struct call_piece {
    const unsigned char *bytes; /* NULL: there is no such piece */
    size_t length;
};

/* The first such piece. Reads nothing outside of COLLECTED, whatever its bytes are. */
struct call_piece pieces_find(struct call_collected collected, size_t argument, size_t part);

/* Copies the piece's first bytes; false when it has fewer. */
bool piece_copy(struct call_piece piece, void *to, size_t length);

#endif
