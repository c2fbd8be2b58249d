#include "call_collect.h"

#include "call_ioctl.h"
#include "call_kinds.h"
#include "call_layout.h"

#include <limits.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

size_t call_collect(const struct call_shape *call, enum call_phase phase,
                    const uint64_t arguments[CALL_ARGUMENTS], int64_t result, call_reader *read,
                    void *context, unsigned char *buffer, size_t capacity)
{
    struct call_collector collector = {
        .call = call,
        .phase = phase,
        .arguments = arguments,
        .result = result,
        .read = read,
        .context = context,
        .pieces = {.capacity = capacity},
    };

    collector.pieces.buffer = buffer;
    for (size_t i = 0; i < CALL_ARGUMENTS; i++) {
        call_collect_argument *collect = call_kinds[call->arguments[i].kind].collect;

        if (collect && arguments[i] && call_way_is_valid(call->arguments[i].way, phase, result))
            collect(&collector, i);
    }
    return collector.pieces.used;
}

bool collect_memory(struct call_collector *collector, size_t index, size_t part, uint64_t address,
                    size_t length)
{
    unsigned char *room = pieces_room(&collector->pieces, length);
    ssize_t got = 0;

    if (!room)
        return false;
    if (length)
        got = collector->read(collector->context, address, room, length);
    if (got < 0)
        return false;
    pieces_commit(&collector->pieces, index, part, (size_t)got < length ? (size_t)got : length);
    return true;
}

bool collect_read(struct call_collector *collector, uint64_t address, void *to, size_t length)
{
    const ssize_t got = collector->read(collector->context, address, to, length);

    return got >= 0 && (size_t)got == length;
}

static const struct call_kind_row *kind_of(const struct call_collector *collector, size_t index)
{
    return &call_kinds[collector->call->arguments[index].kind];
}

static uint64_t with(const struct call_collector *collector, size_t index)
{
    return call_with(collector->call, collector->arguments, index);
}

static size_t least(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

void collect_structure(struct call_collector *collector, size_t index)
{
    collect_memory(collector, index, PART_SELF, collector->arguments[index],
                   kind_of(collector, index)->size);
}

static void collect_elements(struct call_collector *collector, size_t index, uint64_t count)
{
    const struct call_kind_row *kind = kind_of(collector, index);

    collect_memory(collector, index, PART_SELF, collector->arguments[index],
                   least(count, kind->limit) * kind->size);
}

void collect_array(struct call_collector *collector, size_t index)
{
    collect_elements(collector, index, with(collector, index));
}

void collect_filled(struct call_collector *collector, size_t index)
{
    collect_elements(collector, index, least((uint64_t)collector->result, with(collector, index)));
}

void collect_status(struct call_collector *collector, size_t index)
{
    if (collector->result > 0)
        collect_structure(collector, index);
}

void collect_count(struct call_collector *collector, size_t index)
{
    if (collector->phase == CALL_ENTER)
        collect_structure(collector, index);
}

/* An address and its length mostly lie side by side on the stack: then one read fetches both. Both
 * ends of what is read belong to the program's memory unless the buffer is shorter than the limit
 * and ends a mapping. */
static bool collect_near(struct call_collector *collector, size_t index, uint64_t count_at)
{
    const uint64_t bytes_at = collector->arguments[index];
    const uint64_t low = least(bytes_at, count_at), apart = (bytes_at - low) + (count_at - low);
    const size_t limit = kind_of(collector, index)->limit;
    unsigned char span[(size_t)2 * CALL_BYTES_LIMIT + sizeof(socklen_t)];
    socklen_t count;
    size_t length;

    if (apart > CALL_BYTES_LIMIT ||
        !collect_read(collector, low, span, (size_t)apart + limit + sizeof count))
        return false;
    memcpy(&count, span + (count_at - low), sizeof count);
    length = least(count, limit);
    return pieces_add(&collector->pieces, collector->call->arguments[index].with, PART_SELF, &count,
                      sizeof count) &&
           pieces_add(&collector->pieces, index, PART_SELF, span + (bytes_at - low), length);
}

void collect_counted(struct call_collector *collector, size_t index)
{
    const uint64_t count_at = with(collector, index);
    socklen_t count;

    if (!count_at || collect_near(collector, index, count_at) ||
        !collect_read(collector, count_at, &count, sizeof count))
        return;
    pieces_add(&collector->pieces, collector->call->arguments[index].with, PART_SELF, &count,
               sizeof count);
    collect_memory(collector, index, PART_SELF, collector->arguments[index],
                   least(count, kind_of(collector, index)->limit));
}

void collect_set(struct call_collector *collector, size_t index)
{
    /* The kernel reads and writes whole words. */
    const size_t word_bits = sizeof(unsigned long) * CHAR_BIT;
    const int descriptors = (int)with(collector, index);
    const size_t bits = descriptors > 0 ? least((uint64_t)descriptors, FD_SETSIZE) : 0;

    collect_memory(collector, index, PART_SELF, collector->arguments[index],
                   (bits + word_bits - 1) / word_bits * sizeof(unsigned long));
}

void collect_mask_pair(struct call_collector *collector, size_t index)
{
    struct kernel_signal_set_pair pair;

    if (collect_read(collector, collector->arguments[index], &pair, sizeof pair) && pair.set)
        collect_memory(collector, index, PART_SELF, pair.set,
                       least(pair.size, sizeof(kernel_signal_set)));
}

void collect_ioctl(struct call_collector *collector, size_t index)
{
    const struct call_ioctl *request = ioctl_find(with(collector, index));

    if (request && call_way_is_valid(request->way, collector->phase, collector->result))
        collect_structure(collector, index);
}
