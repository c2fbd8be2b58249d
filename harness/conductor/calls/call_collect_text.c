#include "call_collect.h"

#include <string.h>

/* Collecting texts: their length is not known beforehand. */

/* Pages come and go as a whole: a read that stays within one either succeeds or does not. No page
 * is smaller. */
enum { PAGE = 4096 };

/* Reads a text, its final NUL included if that comes before the limit; the number of bytes read, or
 * -1. */
static ssize_t read_text(struct call_collector *collector, uint64_t address, char *to, size_t limit)
{
    size_t used = 0;

    while (used < limit) {
        const size_t in_page = PAGE - (size_t)((address + used) % PAGE);
        const size_t want = limit - used < in_page ? limit - used : in_page;
        const char *end;

        if (!collect_read(collector, address + used, to + used, want))
            return used ? (ssize_t)used : -1;
        end = memchr(to + used, '\0', want);
        if (end)
            return end + 1 - to;
        used += want;
    }
    return (ssize_t)used;
}

static bool collect_text(struct call_collector *collector, size_t index, size_t part,
                         uint64_t address, size_t limit)
{
    char text[CALL_TEXT_LIMIT];
    const ssize_t length = read_text(collector, address, text, limit);

    return length >= 0 && pieces_add(&collector->pieces, index, part, text, (size_t)length);
}

void collect_path(struct call_collector *collector, size_t index)
{
    collect_text(collector, index, PART_SELF, collector->arguments[index], CALL_TEXT_LIMIT);
}

void collect_strings(struct call_collector *collector, size_t index)
{
    for (size_t i = 0; i < CALL_STRINGS_LIMIT; i++) {
        const uint64_t at = collector->arguments[index] + i * sizeof(uintptr_t);
        uintptr_t address;

        if (!collect_read(collector, at, &address, sizeof address))
            return;
        if (!address) {
            pieces_add(&collector->pieces, index, PART_END, NULL, 0);
            return;
        }
        if (!collect_text(collector, index, i, address, CALL_STRING_LIMIT))
            return;
    }
}
