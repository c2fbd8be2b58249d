#include "call_kinds.h"

bool view_left(const struct call_view *view)
{
    return view->left.bytes != NULL;
}

struct call_piece view_piece(const struct call_view *view, size_t index, size_t part)
{
    const enum call_way way = view->call->arguments[index].way;
    const bool left = view_left(view) && call_way_is_valid(way, CALL_LEAVE, view->result);

    return pieces_find(left ? view->left : view->entered, index, part);
}

uint64_t view_with(const struct call_view *view, size_t index)
{
    return call_with(view->call, view->arguments, index);
}

/* What only the kernel fills in cannot be said anything about before it has. */
static bool is_shown(const struct call_view *view, size_t index)
{
    const struct call_argument *argument = &view->call->arguments[index];

    if (argument->kind == KIND_NONE)
        return false;
    return view_left(view) || argument->way == WAY_IN || argument->way == WAY_BOTH;
}

json_t *call_arguments(const struct call_shape *call, const uint64_t arguments[CALL_ARGUMENTS],
                       int64_t result, struct call_collected entered, struct call_collected left)
{
    const struct call_view view = {call, arguments, result, entered, left};
    json_t *object = json_object();

    for (size_t i = 0; i < CALL_ARGUMENTS; i++) {
        const struct call_argument *argument = &call->arguments[i];

        if (!is_shown(&view, i))
            continue;
        if (json_object_set_new(object, argument->name,
                                call_kinds[argument->kind].decode(&view, i))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
