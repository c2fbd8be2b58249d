#ifndef SOCKSPEC_EXPECT_H
#define SOCKSPEC_EXPECT_H

#include "platform.h"
#include "verdict.h"

#include <stddef.h>

/* Set-up. Each gives what its call gave, as an int; where that is -1, or the fact is not so, the
 * item is *broken*. */
#define NEED(call) need(HERE, #call, (call))
#define GIVEN(fact) given(HERE, #fact, (fact))

/* Claims. Where one is not so the item *failed*. All may have ON() for what is expected. */

/* The call gives -1 with that errno, which is written by name; SUCCESS: it does not. */
#define FAILS(call, errno_) fails(HERE, #call, (call), EXPECTED(errno_))
/* It gives anything but -1; gives that back. */
#define SUCCEEDS(call) succeeds(HERE, #call, (call))
/* It gives that value; a negative one is an errno that it fails with: -ECONNRESET. */
#define GIVES(call, value) gives(HERE, #call, (call), EXPECTED(value))

/* An expression has that value. */
#define IS(expression, value) is(HERE, #expression, (long)(expression), EXPECTED(value), NULL)
/* The same for what has names: poll's events, errnos (0: none), TCP's states. */
#define EVENTS_ARE(expression, value)                                                              \
    is(HERE, #expression, (expression), EXPECTED(value), name_events)
#define ERRNO_IS(expression, value)                                                                \
    is(HERE, #expression, (long)(expression), EXPECTED(value), name_error)
#define STATE_IS(expression, value) is(HERE, #expression, (expression), EXPECTED(value), name_state)
/* So many bytes, or -1 with errno from the call that gave them, are this text. */
#define BYTES_ARE(bytes, length, wanted) bytes_are(HERE, #bytes, (bytes), (length), (wanted))

/* Notes a value for the result record that nothing is claimed about. */
#define NOTE(expression) observe_note(#expression, (long)(expression))

/* This platform, or this machine, lacks what the case needs. */
#define UNSUPPORTED(...) item_unsupported(HERE, __VA_ARGS__)

/* Writes names for a value. */
typedef void name_value(char *text, size_t size, long value);
name_value name_events, name_error, name_state;

/* What the macros stand for. errno is that of the call. */
int need(struct place place, const char *text, long result);
void given(struct place place, const char *text, long fact);
void fails(struct place place, const char *text, long result, long expected);
int succeeds(struct place place, const char *text, long result);
long gives(struct place place, const char *text, long result, long expected);
void is(struct place place, const char *text, long value, long expected, name_value *namer);
void bytes_are(struct place place, const char *text, const void *bytes, long length,
               const char *wanted);

#endif
