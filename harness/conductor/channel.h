#ifndef SOCKSPEC_CHANNEL_H
#define SOCKSPEC_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The control channel: lines in, with descriptors that came along; lines out. */

enum { CHANNEL_LINE_LIMIT = 1 << 20, CHANNEL_DESCRIPTORS = 16 };

struct channel {
    int socket;
    char *buffer;
    size_t used, taken; /* bytes in the buffer; of these, the line handed out last */
    bool skipping;      /* till the end of a line that was too long */
    int descriptors[CHANNEL_DESCRIPTORS];
    int count; /* descriptors that came and were not taken; owned by the channel */
};

enum channel_state { CHANNEL_LINE, CHANNEL_NOTHING, CHANNEL_TOO_LONG, CHANNEL_END };

/* 0, or -1 with errno. */
int channel_open(struct channel *channel, int socket);
void channel_close(struct channel *channel);

/* Reads what has arrived, without waiting. CHANNEL_LINE: `line` is the next one, without its
 * newline, valid till the next call. CHANNEL_TOO_LONG: a line above the limit was thrown away.
 * CHANNEL_END: end of file, or an error. */
enum channel_state channel_next(struct channel *channel, const char **line, size_t *length);

/* Takes the descriptors that came so far; the caller owns them. At most `most` are handed out, the
 * rest is closed. The number that had come. */
int channel_take(struct channel *channel, int *descriptors, int most);

/* Writes a line; takes the reference. 0, or -1 with errno. */
int channel_send(const struct channel *channel, json_t *reply);

/* As channel_send, with a descriptor beside the line's first byte; the caller keeps its own. */
int channel_hand_over(const struct channel *channel, json_t *reply, int descriptor);

#endif
