#include "expect.h"

#include "errno_name.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { ROOM = 256, NAME_ROOM = 64 };

/* "bind" of "bind(fd, …)": what the result is recorded as. A text that begins with no call is
 * recorded whole. */
static const char *called(const char *text, char name[ROOM])
{
    const size_t length = strcspn(text, "( ");

    snprintf(name, ROOM, "%.*s", (int)(text[length] == '(' ? length : ROOM - 1), text);
    return name;
}

void name_error(char *text, size_t size, long value)
{
    const char *name = value ? errno_name((int)value) : "no error";

    snprintf(text, size, "%s", name ? name : "unknown errno");
}

static void name_result(char *text, size_t size, long result, int error)
{
    char name[NAME_ROOM];

    name_error(name, sizeof name, error);
    if (result == -1 && error)
        snprintf(text, size, "%s (%d)", name, error);
    else
        snprintf(text, size, "%ld", result);
}

static void observe_result(const char *text, long result, int error)
{
    char name[ROOM];

    if (result == -1 && error)
        observe_errno(called(text, name), error);
    else
        observe_value(called(text, name), result, NULL);
}

/* --- set-up --------------------------------------------------------------------------------------
 */

int need(struct place place, const char *text, long result)
{
    const int error = errno;

    if (result == -1) {
        char got[ROOM];

        name_result(got, sizeof got, result, error);
        item_broken(place, "the set-up %s gave %s", text, got);
    }
    return (int)result;
}

void given(struct place place, const char *text, long fact)
{
    if (!fact)
        item_broken(place, "the set-up is not as it should be: not %s", text);
}

/* --- claims about calls --------------------------------------------------------------------------
 */

static void compare(struct place place, const char *text, long result, int error, long expected)
{
    const long gave = result == -1 && error ? -(long)error : result;
    char got[ROOM], wanted[ROOM];

    observe_result(text, result, error);
    if (gave == expected)
        return;
    name_result(got, sizeof got, result, error);
    name_result(wanted, sizeof wanted, expected < 0 ? -1 : expected,
                expected < 0 ? (int)-expected : 0);
    item_failed(place, "%s: expected %s, got %s", text, wanted, got);
}

int succeeds(struct place place, const char *text, long result)
{
    const int error = errno;

    observe_result(text, result, error);
    if (result == -1) {
        char got[ROOM];

        name_result(got, sizeof got, result, error);
        item_failed(place, "%s: expected success, got %s", text, got);
    }
    return (int)result;
}

void fails(struct place place, const char *text, long result, long expected)
{
    if (expected == SUCCESS)
        succeeds(place, text, result);
    else
        compare(place, text, result, errno, -expected);
}

long gives(struct place place, const char *text, long result, long expected)
{
    compare(place, text, result, errno, expected);
    return result;
}

/* --- claims about values -------------------------------------------------------------------------
 */

struct named {
    long value;
    const char *name;
};

void name_events(char *text, size_t size, long value)
{
    static const struct named names[] = {
        {POLLIN, "POLLIN"},       {POLLPRI, "POLLPRI"}, {POLLOUT, "POLLOUT"},
        {POLLERR, "POLLERR"},     {POLLHUP, "POLLHUP"}, {POLLNVAL, "POLLNVAL"},
#ifdef POLLRDHUP
        {POLLRDHUP, "POLLRDHUP"},
#endif
    };
    size_t used = 0;

    snprintf(text, size, "%s", value ? "" : "none");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(value & names[i].value))
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "|" : "", names[i].name);
        value &= ~names[i].value;
    }
    if (value && used < size)
        snprintf(text + used, size - used, "%s%#lx", used ? "|" : "", value);
}

/* Linux's numbers, TCP_ESTABLISHED and so on in <netinet/tcp.h>. */
void name_state(char *text, size_t size, long value)
{
    static const char *const names[] = {"no state",   "ESTABLISHED", "SYN_SENT",  "SYN_RECEIVED",
                                        "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSED",
                                        "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};

    if (value >= 0 && value < (long)(sizeof names / sizeof *names))
        snprintf(text, size, "%s", names[value]);
    else
        snprintf(text, size, "unknown state");
}

static void show(char text[ROOM], long value, name_value *namer)
{
    char names[ROOM / 2];

    if (!namer) {
        snprintf(text, ROOM, "%ld", value);
        return;
    }
    namer(names, sizeof names, value);
    snprintf(text, ROOM, "%s (%ld)", names, value);
}

void is(struct place place, const char *text, long value, long expected, name_value *namer)
{
    char got[ROOM], wanted[ROOM], names[ROOM];

    if (namer)
        namer(names, sizeof names, value);
    observe_value(text, value, namer ? names : NULL);
    if (value == expected)
        return;
    show(got, value, namer);
    show(wanted, expected, namer);
    item_failed(place, "%s: expected %s, got %s", text, wanted, got);
}

void bytes_are(struct place place, const char *text, const void *bytes, long length,
               const char *wanted)
{
    char got[ROOM];

    if (length < 0)
        item_failed(place, "%s: expected \"%s\", got an error", text, wanted);
    snprintf(got, sizeof got, "%.*s", (int)length, (const char *)bytes);
    observe_text(text, got);
    if ((size_t)length != strlen(wanted) || memcmp(bytes, wanted, (size_t)length) != 0)
        item_failed(place, "%s: expected \"%s\", got \"%s\" (%ld bytes)", text, wanted, got,
                    length);
}
