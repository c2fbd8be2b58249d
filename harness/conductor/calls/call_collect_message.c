#include "call_collect.h"

#include "call_kinds.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Collecting data that lies in several places. */

enum { VECTORS_AT_ONCE = 32 };

struct gathering {
    unsigned char data[CALL_BYTES_LIMIT];
    size_t used;
    uint64_t total; /* bytes that the vectors name */
    uint64_t limit; /* bytes of them that are data */
    bool broken;    /* something could not be read; what follows would be out of place */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void gather(struct call_collector *collector, struct gathering *gathering,
                   const struct iovec *vector)
{
    const uint64_t room = sizeof gathering->data - gathering->used;
    const uint64_t data = gathering->limit - least(gathering->total, gathering->limit);
    const size_t want = (size_t)least(least(vector->iov_len, data), room);

    gathering->total += vector->iov_len;
    if (want == 0 || gathering->broken)
        return;
    if (collect_read(collector, (uintptr_t)vector->iov_base, gathering->data + gathering->used,
                     want))
        gathering->used += want;
    else
        gathering->broken = true;
}

/* The data of COUNT vectors of which LIMIT bytes are valid. */
static void collect_vectors(struct call_collector *collector, size_t index, size_t part,
                            uint64_t address, uint64_t count, uint64_t limit)
{
    struct gathering gathering = {.limit = limit};
    struct iovec vectors[VECTORS_AT_ONCE];

    if (count > IOV_MAX) /* the kernel refuses it too */
        return;
    for (uint64_t done = 0; done < count; done += VECTORS_AT_ONCE) {
        const size_t some = (size_t)least(count - done, VECTORS_AT_ONCE);

        if (!collect_read(collector, address + done * sizeof vectors[0], vectors,
                          some * sizeof vectors[0]))
            return;
        for (size_t i = 0; i < some; i++)
            gather(collector, &gathering, &vectors[i]);
    }
    gathering.total = least(gathering.total, limit);
    pieces_add(&collector->pieces, index, part + PART_TOTAL, &gathering.total,
               sizeof gathering.total);
    pieces_add(&collector->pieces, index, part + PART_DATA, gathering.data, gathering.used);
}

/* Before the call is made all that the vectors hold is data. */
static uint64_t data_limit(const struct call_collector *collector, uint64_t filled)
{
    return collector->phase == CALL_ENTER ? UINT64_MAX : filled;
}

void collect_vector(struct call_collector *collector, size_t index)
{
    collect_vectors(collector, index, PART_SELF, collector->arguments[index],
                    call_with(collector->call, collector->arguments, index),
                    data_limit(collector, (uint64_t)collector->result));
}

/* A message's header is read already. */
static void collect_parts(struct call_collector *collector, size_t index, size_t part,
                          const struct msghdr *header, uint64_t filled)
{
    enum { CONTROL_LIMIT = 1040 }; /* as many descriptors as SCM_RIGHTS can carry */

    pieces_add(&collector->pieces, index, part + PART_SELF, header, sizeof *header);
    if (header->msg_name)
        collect_memory(collector, index, part + PART_NAME, (uintptr_t)header->msg_name,
                       (size_t)least(header->msg_namelen, sizeof(struct sockaddr_storage)));
    collect_vectors(collector, index, part, (uintptr_t)header->msg_iov, header->msg_iovlen,
                    data_limit(collector, filled));
    if (header->msg_control)
        collect_memory(collector, index, part + PART_CONTROL, (uintptr_t)header->msg_control,
                       (size_t)least(header->msg_controllen, CONTROL_LIMIT));
}

void collect_message(struct call_collector *collector, size_t index)
{
    struct msghdr header;

    if (collect_read(collector, collector->arguments[index], &header, sizeof header))
        collect_parts(collector, index, 0, &header, (uint64_t)collector->result);
}

void collect_messages(struct call_collector *collector, size_t index)
{
    const size_t limit = call_kinds[KIND_MESSAGES].limit;
    const uint64_t asked = call_with(collector->call, collector->arguments, index);
    const uint64_t count =
        collector->phase == CALL_ENTER ? asked : least(asked, (uint64_t)collector->result);
    struct mmsghdr message;

    for (size_t i = 0; i < least(count, limit); i++) {
        if (!collect_read(collector, collector->arguments[index] + i * sizeof message, &message,
                          sizeof message))
            return;
        collect_parts(collector, index, i * CALL_PARTS, &message.msg_hdr, message.msg_len);
    }
}
