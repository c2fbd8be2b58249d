#include "verdict.h"

#include "errno_name.h"

#include <check.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 4096 };

static int handed_to = -1;
static const char *running = "";
static struct place running_at;
static jmp_buf way_out;
static pthread_t body_thread;
static pid_t body_process;

void verdict_open(int descriptor)
{
    handed_to = descriptor;
}

void verdict_item(const char *item, struct place place)
{
    running = item;
    running_at = place;
}

struct place verdict_place(void)
{
    return running_at;
}

/* --- lines of JSON -------------------------------------------------------------------------------
 */

struct line {
    char text[2 * ROOM];
    size_t used;
};

static void put(struct line *line, const char *text, size_t length)
{
    if (line->used + length > sizeof line->text)
        return; /* a cut line is not JSON any more, and so is taken for no verdict */
    memcpy(line->text + line->used, text, length);
    line->used += length;
}

static void put_string(struct line *line, const char *text)
{
    char escape[8];

    put(line, "\"", 1);
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\')
            put(line, text, 1);
        else
            put(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", byte));
    }
    put(line, "\"", 1);
}

static void put_text(struct line *line, const char *name, const char *value)
{
    put(line, line->used ? "," : "{", 1);
    put_string(line, name);
    put(line, ":", 1);
    put_string(line, value);
}

static void put_number(struct line *line, const char *name, long value)
{
    char digits[32];

    put(line, line->used ? "," : "{", 1);
    put_string(line, name);
    put(line, ":", 1);
    put(line, digits, (size_t)snprintf(digits, sizeof digits, "%ld", value));
}

static void hand_over(struct line *line)
{
    put(line, "}\n", 2);
    /* Nobody to tell of an error: what is not handed over is missed. */
    if (handed_to >= 0 && write(handed_to, line->text, line->used) < 0)
        return;
}

/* --- verdicts ------------------------------------------------------------------------------------
 */

static void say(const char *verdict, struct place place, const char *message)
{
    struct line line = {.used = 0};

    put_text(&line, "verdict", verdict);
    if (place.file) {
        put_text(&line, "message", message);
        put_text(&line, "file", place.file);
        put_number(&line, "line", place.line);
    }
    hand_over(&line);
}

void item_passed(void)
{
    say("passed", (struct place){NULL, 0}, "");
}

/* Leaving jumps out of the body, which no other thread can do, nor a child that the body forked and
 * whose copy of the verdict's descriptor is the item's own. */
static void only_in_the_body(struct place place, const char *message)
{
    if (getpid() == body_process && pthread_equal(pthread_self(), body_thread))
        return;
    say("broken", place, message);
    fprintf(stderr, "%s:%d: claimed outside the body: %s\n", place.file, place.line, message);
    _exit(1);
}

static _Noreturn void end(const char *verdict, const char *prefix, struct place place,
                          const char *message)
{
    only_in_the_body(place, message);
    say(verdict, place, message);
    /* As ck_abort_msg, which would say that the place is here. */
    _ck_assert_failed(place.file, place.line, NULL, "%s%s", prefix, message);
    abort(); /* it does not return */
}

void item_failed(struct place place, const char *format, ...)
{
    char message[ROOM];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    end("failed", "", place, message);
}

void item_broken(struct place place, const char *format, ...)
{
    char message[ROOM];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    end("broken", "broken: ", place, message);
}

/* Check has no such result: to it the item passes. */
void item_unsupported(struct place place, const char *format, ...)
{
    char message[ROOM];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    only_in_the_body(place, message);
    say("unsupported", place, message);
    if (handed_to < 0)
        fprintf(stderr, "%s:%d: unsupported: %s: %s\n", place.file, place.line, running, message);
    longjmp(way_out, 1);
}

void item_run(void (*body)(const void *), const void *argument)
{
    body_thread = pthread_self();
    body_process = getpid();
    if (setjmp(way_out) == 0) {
        body(argument);
        item_passed();
    }
}

void verdict_counted(int ran, int failed)
{
    struct line line = {.used = 0};

    put_number(&line, "ran", ran);
    put_number(&line, "failed", failed);
    hand_over(&line);
}

/* --- observations --------------------------------------------------------------------------------
 */

void observe_errno(const char *name, int number)
{
    struct line line = {.used = 0};
    const char *known = errno_name(number);

    put_text(&line, "observed", name);
    put_text(&line, "errno", known ? known : "unknown");
    put_number(&line, "number", number);
    hand_over(&line);
}

void observe_value(const char *name, long value, const char *names)
{
    struct line line = {.used = 0};

    put_text(&line, "observed", name);
    put_number(&line, "value", value);
    if (names)
        put_text(&line, "names", names);
    hand_over(&line);
}

void observe_note(const char *name, long value)
{
    struct line line = {.used = 0};

    put_text(&line, "observed", name);
    put_number(&line, "value", value);
    put_number(&line, "noted", 1);
    hand_over(&line);
}

void observe_text(const char *name, const char *text)
{
    struct line line = {.used = 0};

    put_text(&line, "observed", name);
    put_text(&line, "text", text);
    hand_over(&line);
}
