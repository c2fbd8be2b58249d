#include "request_value.h"

#include <limits.h>
#include <string.h>

/* What came instead, for the message: short values as they are, long ones by kind. */
static const char *shown(json_t *value, char *text, size_t size)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    const size_t length = json_dumpb(value, text, size - 1, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    if (length == 0 || length >= size)
        return kinds[json_typeof(value)];
    text[length] = '\0';
    return text;
}

int value_expected(struct reason *why, const char *member, const char *what, json_t *value)
{
    char came[80];

    return because(why, "%s: expected %s, got %s", member, what, shown(value, came, sizeof came));
}

int value_excerpt(const char *word)
{
    enum { MOST = 40 };
    int length = (int)strnlen(word, MOST + 1);

    if (length <= MOST)
        return length;
    do
        length--;
    while (length > 0 && ((unsigned char)word[length] & 0xC0) == 0x80);
    return length;
}

int value_integer(json_t *value, const char *member, json_int_t least, json_int_t most,
                  json_int_t *out, struct reason *why)
{
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        char came[80];

        return because(why, "%s: expected an integer from %lld to %lld, got %s", member,
                       (long long)least, (long long)most, shown(value, came, sizeof came));
    }
    *out = json_integer_value(value);
    return 0;
}

int value_positive(json_t *value, const char *member, int least, int *out, struct reason *why)
{
    json_int_t number = 0;

    if (value_integer(value, member, least, INT_MAX, &number, why) < 0)
        return -1;
    *out = (int)number;
    return 0;
}

int value_text(json_t *value, const char *member, const char **out, struct reason *why)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return value_expected(why, member, "a text", value);
    *out = json_string_value(value);
    return 0;
}

int value_boolean(json_t *value, const char *member, bool *out, struct reason *why)
{
    if (!json_is_boolean(value))
        return value_expected(why, member, "true or false", value);
    *out = json_boolean_value(value);
    return 0;
}

int value_texts(json_t *value, const char *member, struct reason *why)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value))
        return value_expected(why, member, "an array of texts", value);
    json_array_foreach(value, index, item)
    {
        if (!json_is_string(item))
            return value_expected(why, member, "an array of texts", value);
    }
    return 0;
}

int value_pairs(json_t *value, const char *member, struct reason *why)
{
    const char *key;
    json_t *item;

    if (!json_is_object(value))
        return value_expected(why, member, "an object of texts", value);
    json_object_foreach(value, key, item)
    {
        if (!json_is_string(item) || !*key || strchr(key, '='))
            return value_expected(why, member, "an object of texts with names free of =", value);
    }
    return 0;
}
