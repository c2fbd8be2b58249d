#include "call_decode.h"

#include "call_collect.h"
#include "call_ioctl.h"
#include "signal_name.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* Decoding arguments that are numbers, names and texts. */

json_t *decode_int(const struct call_view *view, size_t index)
{
    return json_integer((int32_t)view->arguments[index]);
}

json_t *decode_unsigned(const struct call_view *view, size_t index)
{
    return json_integer((uint32_t)view->arguments[index]);
}

json_t *decode_size(const struct call_view *view, size_t index)
{
    return json_integer((json_int_t)view->arguments[index]);
}

json_t *decode_directory(const struct call_view *view, size_t index)
{
    if ((int32_t)view->arguments[index] == AT_FDCWD)
        return json_string("AT_FDCWD");
    return decode_int(view, index);
}

json_t *decode_named(const struct call_view *view, size_t index)
{
    const struct call_names *names = view->call->arguments[index].names;
    const char *name = names_find(names, (uint32_t)view->arguments[index]);

    return name ? json_string(name) : decode_int(view, index);
}

json_t *decode_flags(const struct call_view *view, size_t index)
{
    return names_flags(view->call->arguments[index].names, (uint32_t)view->arguments[index]);
}

/* The kernel looks at the mode only when a file may come to be; else it is whatever the register
 * held. */
json_t *decode_mode(const struct call_view *view, size_t index)
{
    const uint64_t flags = view_with(view, index);

    if (!(flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE)
        return json_null();
    return decode_unsigned(view, index);
}

json_t *decode_protocol(const struct call_view *view, size_t index)
{
    const int family = (int)view_with(view, index);

    if (family == AF_INET || family == AF_INET6)
        return names_one(&names_inet_protocol, (uint32_t)view->arguments[index]);
    if (family == AF_NETLINK)
        return names_one(&names_netlink_protocol, (uint32_t)view->arguments[index]);
    return decode_int(view, index);
}

json_t *decode_signal_number(int number)
{
    const char *name = signal_name(number);

    return name ? json_string(name) : json_integer(number);
}

json_t *decode_signal(const struct call_view *view, size_t index)
{
    return decode_signal_number((int32_t)view->arguments[index]);
}

json_t *decode_text(const unsigned char *bytes, size_t length)
{
    char wide[2 * CALL_TEXT_LIMIT];
    const size_t some = length < CALL_TEXT_LIMIT ? length : CALL_TEXT_LIMIT;
    json_t *text = json_stringn((const char *)bytes, some);
    size_t used = 0;

    if (text)
        return text;
    for (size_t i = 0; i < some; i++) {
        if (bytes[i] >= 0x80)
            wide[used++] = (char)(0xc0 | bytes[i] >> 6);
        wide[used++] = (char)(bytes[i] < 0x80 ? bytes[i] : 0x80 | (bytes[i] & 0x3f));
    }
    return json_stringn(wide, used);
}

/* Where a text that goes on behind LENGTH bytes can be cut without cutting a character of UTF-8 in
 * two. */
static size_t whole_characters(const unsigned char *bytes, size_t length)
{
    size_t start = length;

    while (start > 0 && length - start < 4 && (bytes[start - 1] & 0xc0) == 0x80)
        start--;
    return start > 0 && bytes[start - 1] >= 0xc0 ? start - 1 : length;
}

static json_t *cut_text(const unsigned char *bytes, size_t length)
{
    json_t *text = decode_text(bytes, whole_characters(bytes, length));
    json_t *marked = text ? json_sprintf("%s…", json_string_value(text)) : NULL;

    json_decref(text);
    return marked;
}

/* Text without its NUL is one that reached the limit, or one whose rest could not be read. */
static json_t *terminated(struct call_piece piece, size_t limit)
{
    const unsigned char *end;

    if (!piece.bytes || piece.length > limit)
        return json_null();
    end = memchr(piece.bytes, '\0', piece.length);
    if (end)
        return decode_text(piece.bytes, (size_t)(end - piece.bytes));
    return piece.length < limit ? json_null() : cut_text(piece.bytes, limit);
}

json_t *decode_path(const struct call_view *view, size_t index)
{
    return terminated(view_piece(view, index, PART_SELF), CALL_TEXT_LIMIT);
}

json_t *decode_strings(const struct call_view *view, size_t index)
{
    json_t *list;
    int failed = 0;

    if (!view_piece(view, index, 0).bytes && !view_piece(view, index, PART_END).bytes)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < CALL_STRINGS_LIMIT; i++) {
        const struct call_piece piece = view_piece(view, index, i);

        if (!piece.bytes)
            break;
        failed |= json_array_append_new(list, terminated(piece, CALL_STRING_LIMIT));
    }
    if (!view_piece(view, index, PART_END).bytes)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

json_t *decode_offset(const struct call_view *view, size_t index)
{
    int64_t offset;

    if (!piece_copy(view_piece(view, index, PART_SELF), &offset, sizeof offset))
        return json_null();
    return json_integer(offset);
}

json_t *decode_count(const struct call_view *view, size_t index)
{
    socklen_t count;

    if (!piece_copy(view_piece(view, index, PART_SELF), &count, sizeof count))
        return json_null();
    return json_integer(count);
}

json_t *decode_pair(const struct call_view *view, size_t index)
{
    int pair[2];

    if (!piece_copy(view_piece(view, index, PART_SELF), pair, sizeof pair))
        return json_null();
    return json_pack("[ii]", pair[0], pair[1]);
}

enum fcntl_argument { FCNTL_INT, FCNTL_SIGNAL, FCNTL_STATUS, FCNTL_DESCRIPTOR };

static const struct {
    int command;
    enum fcntl_argument argument;
} fcntl_arguments[] = {
    {.command = F_DUPFD, .argument = FCNTL_INT},
    {.command = F_DUPFD_CLOEXEC, .argument = FCNTL_INT},
    {.command = F_SETFD, .argument = FCNTL_DESCRIPTOR},
    {.command = F_SETFL, .argument = FCNTL_STATUS},
    {.command = F_SETOWN, .argument = FCNTL_INT},
    {.command = F_SETSIG, .argument = FCNTL_SIGNAL},
    {.command = F_SETPIPE_SZ, .argument = FCNTL_INT},
};

/* Of the other commands the argument is absent, or a structure that is not decoded. */
json_t *decode_fcntl(const struct call_view *view, size_t index)
{
    const uint32_t value = (uint32_t)view->arguments[index];
    const int command = (int)view_with(view, index);
    size_t row = 0;

    while (row < sizeof fcntl_arguments / sizeof fcntl_arguments[0] &&
           fcntl_arguments[row].command != command)
        row++;
    if (row == sizeof fcntl_arguments / sizeof fcntl_arguments[0])
        return json_null();
    switch (fcntl_arguments[row].argument) {
    case FCNTL_INT:
        return json_integer((int32_t)value);
    case FCNTL_SIGNAL:
        return decode_signal_number((int32_t)value);
    case FCNTL_STATUS:
        return names_flags(&names_status, value);
    case FCNTL_DESCRIPTOR:
        return names_flags(&names_descriptor, value);
    }
    return json_null();
}

json_t *decode_ioctl(const struct call_view *view, size_t index)
{
    const struct call_ioctl *request = ioctl_find(view_with(view, index));
    int value;

    if (!request || !piece_copy(pieces_find(request->way == WAY_IN ? view->entered : view->left,
                                            index, PART_SELF),
                                &value, sizeof value))
        return json_null();
    return json_integer(value);
}
