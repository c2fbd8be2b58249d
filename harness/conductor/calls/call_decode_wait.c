#include "call_decode.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

/* Decoding what calls wait for, and how long. */

static json_t *decode_pollfd(const struct call_view *view, const struct pollfd *entry)
{
    json_t *events = names_flags(&names_poll, (uint16_t)entry->events);
    const bool filled = view->result >= 0;

    if (!view_left(view))
        return json_pack("{s:i, s:o}", "fd", entry->fd, "events", events);
    return json_pack("{s:i, s:o, s:o}", "fd", entry->fd, "events", events, "revents",
                     filled ? names_flags(&names_poll, (uint16_t)entry->revents) : json_null());
}

json_t *decode_poll(const struct call_view *view, size_t index)
{
    const struct call_piece piece = view_piece(view, index, PART_SELF);
    const uint64_t count = view_with(view, index);
    struct pollfd entry;
    json_t *list;
    int failed = 0;
    size_t i = 0;

    if (!piece.bytes)
        return json_null();
    list = json_array();
    for (; i < count && (i + 1) * sizeof entry <= piece.length; i++) {
        memcpy(&entry, piece.bytes + i * sizeof entry, sizeof entry);
        failed |= json_array_append_new(list, decode_pollfd(view, &entry));
    }
    if (i < count)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static bool is_set(struct call_piece piece, size_t descriptor)
{
    const size_t word_bits = sizeof(unsigned long) * CHAR_BIT;
    unsigned long word;

    memcpy(&word, piece.bytes + descriptor / word_bits * sizeof word, sizeof word);
    return word >> (descriptor % word_bits) & 1;
}

json_t *decode_set(const struct call_view *view, size_t index)
{
    const struct call_piece piece = view_piece(view, index, PART_SELF);
    const int32_t descriptors = (int32_t)view_with(view, index);
    const size_t count = descriptors > 0 ? (size_t)descriptors : 0;
    const size_t collected =
        piece.length / sizeof(unsigned long) * sizeof(unsigned long) * CHAR_BIT;
    json_t *list;
    int failed = 0;

    if (!piece.bytes)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < count && i < collected; i++)
        if (is_set(piece, i))
            failed |= json_array_append_new(list, json_integer((json_int_t)i));
    if (collected < count)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

/* The data is a union; which member the program uses only it knows. */
static json_t *epoll_event(const unsigned char *bytes)
{
    struct epoll_event event;

    memcpy(&event, bytes, sizeof event);
    return json_pack("{s:o, s:{s:i, s:I}}", "events",
                     names_flags(&names_epoll_events, event.events), "data", "fd", event.data.fd,
                     "u64", (json_int_t)event.data.u64);
}

json_t *decode_epoll_event(const struct call_view *view, size_t index)
{
    const struct call_piece piece = view_piece(view, index, PART_SELF);

    return piece.length < sizeof(struct epoll_event) ? json_null() : epoll_event(piece.bytes);
}

json_t *decode_epoll_events(const struct call_view *view, size_t index)
{
    const struct call_piece piece = view_piece(view, index, PART_SELF);
    const uint64_t count = view->result > 0 ? (uint64_t)view->result : 0;
    json_t *list;
    int failed = 0;
    size_t i = 0;

    if (!piece.bytes)
        return json_null();
    list = json_array();
    for (; i < count && (i + 1) * sizeof(struct epoll_event) <= piece.length; i++)
        failed |=
            json_array_append_new(list, epoll_event(piece.bytes + i * sizeof(struct epoll_event)));
    if (i < count)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

json_t *decode_seconds(int64_t seconds, int64_t part, double parts_a_second)
{
    return json_real((double)seconds + (double)part / parts_a_second);
}

json_t *decode_timeval(const struct call_view *view, size_t index)
{
    struct timeval time;

    if (!piece_copy(view_piece(view, index, PART_SELF), &time, sizeof time))
        return json_null();
    return decode_seconds(time.tv_sec, time.tv_usec, 1e6);
}

json_t *decode_timespec(const struct call_view *view, size_t index)
{
    struct timespec time;

    if (!piece_copy(view_piece(view, index, PART_SELF), &time, sizeof time))
        return json_null();
    return decode_seconds(time.tv_sec, time.tv_nsec, 1e9);
}

json_t *decode_itimerval(const struct call_view *view, size_t index)
{
    struct itimerval timer;

    if (!piece_copy(view_piece(view, index, PART_SELF), &timer, sizeof timer))
        return json_null();
    return json_pack("{s:o, s:o}", "interval",
                     decode_seconds(timer.it_interval.tv_sec, timer.it_interval.tv_usec, 1e6),
                     "value", decode_seconds(timer.it_value.tv_sec, timer.it_value.tv_usec, 1e6));
}
