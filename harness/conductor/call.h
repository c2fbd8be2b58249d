#ifndef SOCKSPEC_CALL_H
#define SOCKSPEC_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the conductor knows of system calls: a table with one row a call. Collecting copies the raw
 * bytes that arguments point at, at the moment they are valid; decoding turns them into names,
 * later and only when asked. */

enum { CALL_ARGUMENTS = 6, CALL_BYTES_LIMIT = 256, CALL_COLLECT_LIMIT = 4096 };

enum call_phase { CALL_ENTER, CALL_LEAVE };

struct call_shape; /* one row of the table */

/* The call with that number on this architecture, or NULL when the table lacks it. */
const struct call_shape *call_of_number(int number);

/* The rows in order: call_row(0), call_row(1), … until NULL. Rows that this architecture lacks have
 * number -1. */
const struct call_shape *call_row(size_t index);

const char *call_name(const struct call_shape *call);
int call_number(const struct call_shape *call);

/* Whether that word means the call: its own name, or the name by which programs know it
 * (PROTOCOL.md, moment). */
bool call_is(const struct call_shape *call, const char *word);

/* Whether any row answers to that word. */
bool call_word_known(const char *word);

/* Which argument is the call's first descriptor, or -1. */
int call_descriptor_argument(const struct call_shape *call);

/* Which argument is the length of the data that is read or written, or -1. */
int call_length_argument(const struct call_shape *call);

/* Whether it is restart_syscall: the kernel goes on with the call that was interrupted. Cheap. */
bool call_is_restart(const struct call_shape *call);

/* Whether it is rt_sigaction. Cheap. */
bool call_is_sigaction(const struct call_shape *call);

/* Reads LENGTH bytes at ADDRESS of the program's memory; the number of bytes that could be read, or
 * -1. */
typedef ssize_t call_reader(void *context, uint64_t address, void *buffer, size_t length);

/* Copies what the arguments point at and is valid in this phase into BUFFER; the number of bytes
 * used. What does not fit or cannot be read is left out. RESULT is the call's in phase CALL_LEAVE,
 * −errno for a failure. READ is not called when nothing is valid in this phase, and at most once a
 * phase for read, write and an accept whose address and length lie close together, as on a stack
 * they do. */
size_t call_collect(const struct call_shape *call, enum call_phase phase,
                    const uint64_t arguments[CALL_ARGUMENTS], int64_t result, call_reader *read,
                    void *context, unsigned char *buffer, size_t capacity);

struct call_collected {
    const unsigned char *bytes; /* NULL: this phase has not come */
    size_t length;
};

/* The arguments by name (PROTOCOL.md, args), from what was collected at entering and, if the call
 * has been left, at leaving. A new reference; NULL when memory runs out. Pure. The bytes are not
 * trusted.
 *
 * Times are seconds, but poll and epoll_wait have theirs in milliseconds as the program gave it.
 * What the kernel fills in is absent before the call is left, and null when it failed. A list that
 * was cut ends in null, a text that was cut in "…". The flags of sigaction lack SA_RESTORER, which
 * belongs to the C library. */
json_t *call_arguments(const struct call_shape *call, const uint64_t arguments[CALL_ARGUMENTS],
                       int64_t result, struct call_collected entered, struct call_collected left);

/* What a signal does to a process. */
enum disposition { DISPOSITION_DEFAULT, DISPOSITION_IGNORED, DISPOSITION_HANDLER };

/* What an rt_sigaction that succeeds sets, from what was collected at entering: the signal, its
 * disposition and the flags (SA_RESTART and so on). False, and nothing is written, when the call is
 * another, only asks, or was not collected whole. Pure. */
bool call_sigaction(const struct call_shape *call, const uint64_t arguments[CALL_ARGUMENTS],
                    struct call_collected entered, int *signal, enum disposition *disposition,
                    unsigned long *flags);

#endif
