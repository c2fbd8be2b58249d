#include "call_decode.h"

#include "call_names.h"
#include "call_options.h"

#include <string.h>
#include <sys/socket.h>

/* Decoding data and messages. */

json_t *decode_bytes(struct call_piece piece, uint64_t length)
{
    const size_t shown = length < CALL_BYTES_LIMIT ? (size_t)length : CALL_BYTES_LIMIT;
    char wide[2 * CALL_BYTES_LIMIT];
    size_t used = 0;

    if (!piece.bytes || piece.length < shown)
        return json_null();
    for (size_t i = 0; i < shown; i++) {
        const unsigned char byte = piece.bytes[i];

        if (byte >= 0x80)
            wide[used++] = (char)(0xc0 | byte >> 6);
        wide[used++] = (char)(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
    }
    return json_pack("{s:o, s:I}", "bytes", json_stringn(wide, used), "length", (json_int_t)length);
}

json_t *decode_sent(const struct call_view *view, size_t index)
{
    return decode_bytes(view_piece(view, index, PART_SELF), view_with(view, index));
}

/* With MSG_TRUNC the result can be more than the buffer holds. */
json_t *decode_received(const struct call_view *view, size_t index)
{
    const uint64_t result = view->result > 0 ? (uint64_t)view->result : 0;
    const uint64_t room = view_with(view, index);

    return decode_bytes(view_piece(view, index, PART_SELF), result < room ? result : room);
}

static json_t *decode_vectors(const struct call_view *view, size_t index, size_t part)
{
    uint64_t total;

    if (!piece_copy(view_piece(view, index, part + PART_TOTAL), &total, sizeof total))
        return json_null();
    return decode_bytes(view_piece(view, index, part + PART_DATA), total);
}

json_t *decode_vector(const struct call_view *view, size_t index)
{
    return decode_vectors(view, index, PART_SELF);
}

static json_t *decode_rights(struct call_piece piece)
{
    json_t *list = json_array();
    int failed = 0, descriptor;

    for (size_t at = 0; at + sizeof descriptor <= piece.length; at += sizeof descriptor) {
        memcpy(&descriptor, piece.bytes + at, sizeof descriptor);
        failed |= json_array_append_new(list, json_integer(descriptor));
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *decode_control_item(const struct cmsghdr *header, struct call_piece data)
{
    json_t *level = names_one(&names_level, (uint32_t)header->cmsg_level);
    const struct call_option *option = option_find(header->cmsg_level, header->cmsg_type);

    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        return json_pack("{s:o, s:s, s:o}", "level", level, "type", "SCM_RIGHTS", "fds",
                         decode_rights(data));
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
        return json_pack("{s:o, s:s, s:o}", "level", level, "type", "SCM_CREDENTIALS",
                         "credentials", option_credentials(data));
    return json_pack("{s:o, s:o, s:o}", "level", level, "type",
                     option ? json_string(option->name) : json_integer(header->cmsg_type), "data",
                     decode_bytes(data, data.length));
}

/* Control data as far as it was collected, of so many bytes. */
static json_t *decode_control(struct call_piece piece, size_t length)
{
    json_t *list;
    struct cmsghdr header;
    int failed = 0;
    size_t at = 0;

    if (!piece.bytes && length)
        return json_null();
    list = json_array();
    while (piece.bytes && piece.length - at >= sizeof header) {
        memcpy(&header, piece.bytes + at, sizeof header);
        if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > piece.length - at)
            break;
        failed |= json_array_append_new(
            list, decode_control_item(&header,
                                      (struct call_piece){piece.bytes + at + CMSG_LEN(0),
                                                          (size_t)header.cmsg_len - CMSG_LEN(0)}));
        if (CMSG_ALIGN(header.cmsg_len) > piece.length - at)
            at = piece.length;
        else
            at += CMSG_ALIGN(header.cmsg_len);
    }
    if (at < length)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *decode_name(struct call_piece piece, socklen_t length)
{
    if (piece.length < length && piece.length < sizeof(struct sockaddr_storage))
        return json_null();
    return decode_sockaddr(piece);
}

static json_t *decode_parts(const struct call_view *view, size_t index, size_t part)
{
    struct msghdr header;
    json_t *message;

    if (!piece_copy(view_piece(view, index, part + PART_SELF), &header, sizeof header))
        return json_null();
    message = json_pack(
        "{s:o, s:o, s:o}", "name",
        decode_name(view_piece(view, index, part + PART_NAME), header.msg_namelen), "data",
        decode_vectors(view, index, part), "control",
        decode_control(view_piece(view, index, part + PART_CONTROL), header.msg_controllen));
    if (!message || view->call->arguments[index].way == WAY_IN)
        return message;
    if (json_object_set_new(message, "flags",
                            names_flags(&names_message, (uint32_t)header.msg_flags)) == 0)
        return message;
    json_decref(message);
    return NULL;
}

json_t *decode_message(const struct call_view *view, size_t index)
{
    return decode_parts(view, index, 0);
}

json_t *decode_messages(const struct call_view *view, size_t index)
{
    const uint64_t asked = view_with(view, index);
    const uint64_t result = view->result > 0 ? (uint64_t)view->result : 0;
    const bool filled = view->call->arguments[index].way == WAY_OUT;
    const uint64_t count = filled && result < asked ? result : asked;
    json_t *list = json_array();
    int failed = 0;
    size_t i = 0;

    for (; i < count && view_piece(view, index, i * CALL_PARTS).bytes; i++)
        failed |= json_array_append_new(list, decode_parts(view, index, i * CALL_PARTS));
    if (i < count)
        failed |= json_array_append_new(list, json_null());
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}
