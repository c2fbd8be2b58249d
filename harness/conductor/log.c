#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Two reservations of address space, backed by memory only where it is touched: the records, and
 * where each begins. */
struct log {
    unsigned char *records;
    size_t *starts;
    size_t capacity, used;
    uint64_t last, room, lost;
};

enum { SMALLEST_RECORD = sizeof(struct record) };

static const char *const kind_names[RECORD_KINDS] = {
    [RECORD_ENTER] = "enter", [RECORD_LEAVE] = "leave", [RECORD_SIGNAL] = "signal",
    [RECORD_FORK] = "fork",   [RECORD_BORN] = "born",   [RECORD_EXEC] = "exec",
    [RECORD_EXIT] = "exit",   [RECORD_DEAD] = "dead",   [RECORD_SEGMENT] = "segment",
};

const char *record_kind_name(enum record_kind kind)
{
    return kind_names[kind];
}

int record_kind_of(const char *name)
{
    for (int i = 0; i < RECORD_KINDS; i++) {
        if (strcmp(kind_names[i], name) == 0)
            return i;
    }
    return -1;
}

const char *fate_name(enum fate fate)
{
    static const char *const names[FATES] = {
        [FATE_PASSED] = "passed",   [FATE_DROPPED] = "dropped",
        [FATE_HELD] = "held",       [FATE_DUPLICATED] = "duplicated",
        [FATE_DELAYED] = "delayed", [FATE_FORGED] = "forged",
        [FATE_CUT] = "cut",         [FATE_RELEASED] = "released",
    };

    return names[fate];
}

static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

struct log *log_open(size_t capacity)
{
    struct log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->capacity = capacity;
    log->room = capacity / SMALLEST_RECORD;
    log->records = reserve(capacity);
    log->starts = reserve((log->room + 1) * sizeof *log->starts);
    if (!log->records || !log->starts) {
        log_close(log);
        return NULL;
    }
    return log;
}

void log_close(struct log *log)
{
    if (log->records)
        munmap(log->records, log->capacity);
    if (log->starts)
        munmap(log->starts, (log->room + 1) * sizeof *log->starts);
    free(log);
}

uint64_t log_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t log_append(struct log *log, const struct record *head, const void *tail, size_t length)
{
    const size_t alignment = _Alignof(struct record);
    const size_t size = (sizeof *head + length + alignment - 1) / alignment * alignment;
    struct record *record;

    if (size > log->capacity - log->used || log->last >= log->room) {
        log->lost++;
        return 0;
    }
    record = (struct record *)(void *)(log->records + log->used);
    *record = *head;
    record->seq = ++log->last;
    record->time = head->time ? head->time : log_now();
    record->tail = length;
    if (length > 0)
        memcpy(record->bytes, tail, length);
    log->starts[record->seq] = log->used;
    log->used += size;
    return record->seq;
}

const struct record *log_record(const struct log *log, uint64_t seq)
{
    if (seq == 0 || seq > log->last)
        return NULL;
    return (const struct record *)(const void *)(log->records + log->starts[seq]);
}

uint64_t log_last(const struct log *log)
{
    return log->last;
}

uint64_t log_lost(const struct log *log)
{
    return log->lost;
}
