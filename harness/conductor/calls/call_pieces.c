#include "call_pieces.h"

#include <string.h>

struct head {
    uint8_t argument, part;
    uint16_t length;
};

unsigned char *pieces_room(struct call_pieces *pieces, size_t length)
{
    const size_t left = pieces->capacity - pieces->used;

    if (length > UINT16_MAX || left < sizeof(struct head) || left - sizeof(struct head) < length)
        return NULL;
    return pieces->buffer + pieces->used + sizeof(struct head);
}

void pieces_commit(struct call_pieces *pieces, size_t argument, size_t part, size_t length)
{
    const struct head head = {
        .argument = (uint8_t)argument, .part = (uint8_t)part, .length = (uint16_t)length};

    memcpy(pieces->buffer + pieces->used, &head, sizeof head);
    pieces->used += sizeof head + length;
}

bool pieces_add(struct call_pieces *pieces, size_t argument, size_t part, const void *bytes,
                size_t length)
{
    unsigned char *room = pieces_room(pieces, length);

    if (!room)
        return false;
    if (length)
        memcpy(room, bytes, length);
    pieces_commit(pieces, argument, part, length);
    return true;
}

struct call_piece pieces_find(struct call_collected collected, size_t argument, size_t part)
{
    const struct call_piece none = {NULL, 0};
    size_t offset = 0;
    struct head head;

    while (collected.bytes && collected.length - offset >= sizeof head) {
        memcpy(&head, collected.bytes + offset, sizeof head);
        offset += sizeof head;
        if (head.length > collected.length - offset)
            return none;
        if (head.argument == argument && head.part == part)
            return (struct call_piece){collected.bytes + offset, head.length};
        offset += head.length;
    }
    return none;
}

bool piece_copy(struct call_piece piece, void *to, size_t length)
{
    if (!piece.bytes || piece.length < length)
        return false;
    memcpy(to, piece.bytes, length);
    return true;
}
