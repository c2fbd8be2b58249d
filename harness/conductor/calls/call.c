#include "call.h"

#include "call_table.h"

#include <seccomp.h>
#include <string.h>

/* Finding calls by number and by name. The numbers of an architecture come from libseccomp. */

/* Numbers of one architecture lie close together, but some do not begin at 0 (mips: 4000, 5000;
 * x32: bit 30). */
enum { NUMBERS = 1024 };

static struct {
    bool ready;
    int of_row[CALL_TABLE_LIMIT]; /* -1: this architecture lacks the call */
    int first;                    /* the number that by_number[0] is for */
    const struct call_shape *by_number[NUMBERS];
} numbers;

static void resolve(void)
{
    int first = -1;

    for (size_t i = 0; i < call_table_rows; i++) {
        /* Below 0 are libseccomp's own marks for calls that exist elsewhere. */
        const int number = seccomp_syscall_resolve_name(call_table[i].name);

        numbers.of_row[i] = number < 0 ? -1 : number;
        if (number >= 0 && (first < 0 || number < first))
            first = number;
    }
    numbers.first = first;
    for (size_t i = 0; i < call_table_rows; i++)
        if (numbers.of_row[i] >= 0 && numbers.of_row[i] - first < NUMBERS)
            numbers.by_number[numbers.of_row[i] - first] = &call_table[i];
    numbers.ready = true;
}

const struct call_shape *call_of_number(int number)
{
    unsigned place;

    if (!numbers.ready)
        resolve();
    place = (unsigned)number - (unsigned)numbers.first;
    return place < NUMBERS ? numbers.by_number[place] : NULL;
}

const struct call_shape *call_row(size_t index)
{
    return index < call_table_rows ? &call_table[index] : NULL;
}

const char *call_name(const struct call_shape *call)
{
    return call->name;
}

int call_number(const struct call_shape *call)
{
    if (!numbers.ready)
        resolve();
    return numbers.of_row[call - call_table];
}

bool call_is(const struct call_shape *call, const char *word)
{
    return strcmp(call->name, word) == 0 || (call->known_as && strcmp(call->known_as, word) == 0);
}

bool call_word_known(const char *word)
{
    for (size_t i = 0; i < call_table_rows; i++)
        if (call_is(&call_table[i], word))
            return true;
    return false;
}

static int first_of_kind(const struct call_shape *call, enum call_kind kind)
{
    for (int i = 0; i < CALL_ARGUMENTS; i++)
        if (call->arguments[i].kind == kind)
            return i;
    return -1;
}

int call_descriptor_argument(const struct call_shape *call)
{
    return first_of_kind(call, KIND_DESCRIPTOR);
}

int call_length_argument(const struct call_shape *call)
{
    return first_of_kind(call, KIND_LENGTH);
}

bool call_is_restart(const struct call_shape *call)
{
    return call->role == ROLE_RESTART;
}
