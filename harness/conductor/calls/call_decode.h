#ifndef SOCKSPEC_CALL_DECODE_H
#define SOCKSPEC_CALL_DECODE_H

#include "call_pieces.h"
#include "call_table.h"

/* Decoding one argument. A decoder gives a new reference: null when what it needs was not
 * collected, NULL when memory runs out. */

struct call_view {
    const struct call_shape *call;
    const uint64_t *arguments;
    int64_t result;
    struct call_collected entered, left;
};

typedef json_t *call_decode_argument(const struct call_view *view, size_t index);

call_decode_argument decode_int, decode_unsigned, decode_size, decode_directory, decode_named,
    decode_flags, decode_mode, decode_protocol, decode_signal, decode_path, decode_strings,
    decode_offset, decode_count, decode_pair, decode_fcntl, decode_ioctl;
call_decode_argument decode_sent, decode_received, decode_vector, decode_message, decode_messages;
call_decode_argument decode_address, decode_address_result, decode_option, decode_option_value,
    decode_option_result;
call_decode_argument decode_poll, decode_set, decode_epoll_event, decode_epoll_events,
    decode_timeval, decode_timespec, decode_itimerval;
call_decode_argument decode_signal_set, decode_sigaction, decode_status, decode_siginfo,
    decode_clone_flags, decode_clone;

/* Whether the call has been left. */
bool view_left(const struct call_view *view);

/* What was collected of the argument in the phase that its way says. */
struct call_piece view_piece(const struct call_view *view, size_t index, size_t part);

/* The value of the argument that it cannot be understood without. */
uint64_t view_with(const struct call_view *view, size_t index);

/* Parts of decoders. */

/* {"bytes", "length"}: LENGTH bytes of which the piece holds the first; null when it should hold
 * more. */
json_t *decode_bytes(struct call_piece piece, uint64_t length);

/* Text as it is when it is UTF-8, otherwise each byte as one character. */
json_t *decode_text(const unsigned char *bytes, size_t length);

json_t *decode_sockaddr(struct call_piece piece);
json_t *decode_signal_number(int number);
json_t *decode_seconds(int64_t seconds, int64_t part, double parts_a_second);

#endif
