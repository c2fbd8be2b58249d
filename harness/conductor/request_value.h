#ifndef SOCKSPEC_REQUEST_VALUE_H
#define SOCKSPEC_REQUEST_VALUE_H

#include "reason.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Readers of single values. `member` is the name that messages call the value by. Each returns 0,
 * or -1 with the reason. */

int value_integer(json_t *value, const char *member, json_int_t least, json_int_t most,
                  json_int_t *out, struct reason *why);
int value_positive(json_t *value, const char *member, int least, int *out, struct reason *why);
int value_boolean(json_t *value, const char *member, bool *out, struct reason *why);

/* Not empty; borrowed from the value. */
int value_text(json_t *value, const char *member, const char **out, struct reason *why);

/* An array of texts; an object of texts whose names are fit for an environment. */
int value_texts(json_t *value, const char *member, struct reason *why);
int value_pairs(json_t *value, const char *member, struct reason *why);

/* Says what was expected and what came. Always -1. */
int value_expected(struct reason *why, const char *member, const char *what, json_t *value);

/* How many bytes of a word that the client chose go into a message, as the precision of %.*s: at
 * most 40, and no part of a character, for a reply must be UTF-8. */
int value_excerpt(const char *word);

#endif
