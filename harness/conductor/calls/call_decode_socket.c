#include "call_decode.h"

#include "call_options.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Decoding addresses and options of sockets. */

static json_t *decode_inet(struct call_piece piece)
{
    struct sockaddr_in address;
    char host[INET_ADDRSTRLEN];

    if (!piece_copy(piece, &address, sizeof address))
        return json_null();
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    return json_pack("{s:s, s:s, s:i}", "family", "AF_INET", "host", host, "port",
                     (int)ntohs(address.sin_port));
}

/* The scope is shown where there is one. The kernel takes addresses without room for it, too. */
static json_t *decode_inet6(struct call_piece piece)
{
    struct sockaddr_in6 address = {.sin6_scope_id = 0};
    char host[INET6_ADDRSTRLEN];
    const size_t least = offsetof(struct sockaddr_in6, sin6_scope_id);

    if (!piece_copy(piece, &address, sizeof address) && !piece_copy(piece, &address, least))
        return json_null();
    inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof host);
    if (address.sin6_scope_id == 0)
        return json_pack("{s:s, s:s, s:i}", "family", "AF_INET6", "host", host, "port",
                         (int)ntohs(address.sin6_port));
    return json_pack("{s:s, s:s, s:i, s:I}", "family", "AF_INET6", "host", host, "port",
                     (int)ntohs(address.sin6_port), "scope", (json_int_t)address.sin6_scope_id);
}

/* A path ends at its NUL or where the address ends; an abstract name is all that follows its NUL; a
 * socket without a name has neither. */
static json_t *decode_unix(struct call_piece piece)
{
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    unsigned char name[sizeof(struct sockaddr_storage)];
    size_t length = piece.length - head;

    if (length > sizeof name)
        length = sizeof name;
    memcpy(name, piece.bytes + head, length);
    if (length > 0 && name[0] == '\0')
        name[0] = '@';
    else
        length = strnlen((const char *)name, length);
    return json_pack("{s:s, s:o}", "family", "AF_UNIX", "path", decode_text(name, length));
}

json_t *decode_sockaddr(struct call_piece piece)
{
    sa_family_t family;

    if (!piece_copy(piece, &family, sizeof family))
        return json_null();
    switch (family) {
    case AF_INET:
        return decode_inet(piece);
    case AF_INET6:
        return decode_inet6(piece);
    case AF_UNIX:
        return decode_unix(piece);
    default:
        return json_pack("{s:o}", "family", names_one(&names_family, family));
    }
}

/* An address as long as the program says; what was collected may be cut. */
json_t *decode_address(const struct call_view *view, size_t index)
{
    struct call_piece piece = view_piece(view, index, PART_SELF);
    const uint64_t length = view_with(view, index);

    if (piece.length < length && piece.length < sizeof(struct sockaddr_storage))
        return json_null();
    return decode_sockaddr(piece);
}

/* The kernel writes no more than there was room for, and says how much it would have written. */
json_t *decode_address_result(const struct call_view *view, size_t index)
{
    struct call_piece piece = view_piece(view, index, PART_SELF);
    const unsigned count = view->call->arguments[index].with;
    socklen_t room, length;

    if (!piece_copy(pieces_find(view->left, count, PART_SELF), &length, sizeof length) ||
        (piece.length < length && piece.length < sizeof(struct sockaddr_storage)))
        return json_null();
    if (piece_copy(pieces_find(view->entered, count, PART_SELF), &room, sizeof room) &&
        piece.length > room)
        piece.length = room;
    return decode_sockaddr(piece);
}

/* setsockopt and getsockopt alike. */
enum { LEVEL_ARGUMENT = 1, OPTION_ARGUMENT = 2 };

static const struct call_option *option_of(const struct call_view *view)
{
    return option_find((int)view->arguments[LEVEL_ARGUMENT], (int)view->arguments[OPTION_ARGUMENT]);
}

json_t *decode_option(const struct call_view *view, size_t index)
{
    const struct call_option *option = option_of(view);

    return option ? json_string(option->name) : decode_int(view, index);
}

json_t *decode_option_value(const struct call_view *view, size_t index)
{
    return option_value(option_of(view), view_piece(view, index, PART_SELF),
                        view_with(view, index));
}

json_t *decode_option_result(const struct call_view *view, size_t index)
{
    const unsigned count = view->call->arguments[index].with;
    socklen_t length;

    if (!piece_copy(pieces_find(view->left, count, PART_SELF), &length, sizeof length))
        return json_null();
    return option_value(option_of(view), view_piece(view, index, PART_SELF), length);
}
