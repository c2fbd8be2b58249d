#include "call_names.h"

const char *names_find(const struct call_names *names, uint64_t value)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->rows[i].value == value)
            return names->rows[i].name;
    return NULL;
}

json_t *names_one(const struct call_names *names, uint64_t value)
{
    const char *name = names_find(names, value);

    return name ? json_string(name) : json_integer((json_int_t)value);
}

json_t *names_flags(const struct call_names *names, uint64_t value)
{
    json_t *list = json_array();
    uint64_t unnamed = ~UINT64_C(0);
    int failed = 0;

    for (size_t i = 0; i < names->count; i++) {
        const struct call_name *row = &names->rows[i];

        if ((value & row->mask) != row->value || (unnamed & row->mask) != row->mask)
            continue;
        unnamed &= ~row->mask;
        failed |= json_array_append_new(list, json_string(row->name));
    }
    if (value & unnamed)
        failed |= json_array_append_new(list, json_integer((json_int_t)(value & unnamed)));
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}
