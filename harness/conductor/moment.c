#include "moment.h"

#include "call.h"
#include "signal_name.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[MOMENT_KINDS] = {
    [MOMENT_ENTER] = "enter", [MOMENT_LEAVE] = "leave",     [MOMENT_SIGNAL] = "signal",
    [MOMENT_FORK] = "fork",   [MOMENT_BORN] = "born",       [MOMENT_EXEC] = "exec",
    [MOMENT_EXIT] = "exit",   [MOMENT_SEGMENT] = "segment",
};

static const char *const class_names[CLASS_KINDS] = {
    [CLASS_ANY] = "any",       [CLASS_LISTENING] = "listening", [CLASS_CONNECTION] = "connection",
    [CLASS_SOCKET] = "socket", [CLASS_PIPE] = "pipe",           [CLASS_FILE] = "file",
    [CLASS_TTY] = "tty",       [CLASS_OTHER] = "other",
};

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

const char *moment_kind_name(enum moment_kind kind)
{
    return kind_names[kind];
}

const char *descriptor_class_name(enum descriptor_class class)
{
    return class_names[class];
}

int moment_kind_of(const char *name)
{
    return index_of(kind_names, MOMENT_KINDS, name);
}

int descriptor_class_of(const char *name)
{
    return index_of(class_names, CLASS_KINDS, name);
}

static bool class_matches(enum descriptor_class wanted, enum descriptor_class seen)
{
    if (wanted == CLASS_SOCKET)
        return seen == CLASS_LISTENING || seen == CLASS_CONNECTION;
    return wanted == seen;
}

static bool call_matches(const struct moment *moment, const struct happening *happening)
{
    return call_is(happening->call, moment->call) &&
           (moment->on == CLASS_ANY ||
            class_matches(moment->on, happening->descriptor(happening->context)));
}

bool moment_matches(const struct moment *moment, const struct happening *happening)
{
    if (moment->kind != happening->kind)
        return false;
    switch (moment->kind) {
    case MOMENT_ENTER:
    case MOMENT_LEAVE:
        return call_matches(moment, happening);
    case MOMENT_SIGNAL:
        return moment->signal == 0 || moment->signal == happening->signal;
    case MOMENT_SEGMENT:
        return segment_fits(&moment->segment, happening->segment, happening->wire, happening->from);
    default:
        return true;
    }
}

static const char *ordinal_suffix(int n)
{
    if (n % 100 / 10 == 1)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

void moment_describe(const struct moment *moment, char *text, unsigned long size)
{
    static const char *const words[MOMENT_KINDS] = {
        [MOMENT_ENTER] = "entering",         [MOMENT_LEAVE] = "leaving",
        [MOMENT_SIGNAL] = "the delivery of", [MOMENT_FORK] = "a fork",
        [MOMENT_BORN] = "the birth",         [MOMENT_EXEC] = "an exec",
        [MOMENT_EXIT] = "the exit",          [MOMENT_SEGMENT] = "a segment",
    };
    const char *what = "";
    char nth[24] = "", segment[160] = "";

    if (moment->kind == MOMENT_ENTER || moment->kind == MOMENT_LEAVE)
        what = moment->call;
    else if (moment->kind == MOMENT_SIGNAL)
        what = moment->signal ? signal_name(moment->signal) : "any signal";
    else if (moment->kind == MOMENT_SEGMENT) {
        segment_pattern_describe(&moment->segment, segment, sizeof segment);
        what = segment;
    }
    if (moment->nth > 1)
        snprintf(nth, sizeof nth, ", the %d%s", moment->nth, ordinal_suffix(moment->nth));
    snprintf(text, size, "%s%s%s%s%s%s", words[moment->kind], *what ? " " : "", what,
             moment->on == CLASS_ANY ? "" : " on ",
             moment->on == CLASS_ANY ? "" : class_names[moment->on], nth);
}
