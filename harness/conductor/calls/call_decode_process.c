#include "call_decode.h"

#include "call_layout.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Decoding signals, their handling, and processes. */

static json_t *signals_of(const unsigned long *words, size_t bytes)
{
    const size_t word_bits = sizeof(unsigned long) * CHAR_BIT;
    json_t *list = json_array();
    int failed = 0;

    for (size_t i = 0; i < bytes * CHAR_BIT; i++)
        if (words[i / word_bits] >> (i % word_bits) & 1)
            failed |= json_array_append_new(list, decode_signal_number((int)i + 1));
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

/* The kernel refuses every size but its own. */
json_t *decode_signal_set(const struct call_view *view, size_t index)
{
    kernel_signal_set set;

    if (!piece_copy(view_piece(view, index, PART_SELF), &set, sizeof set))
        return json_null();
    return signals_of(set.words, sizeof set);
}

static const char *handler_name(unsigned long handler)
{
    if (handler == (unsigned long)SIG_DFL)
        return "SIG_DFL";
    return handler == (unsigned long)SIG_IGN ? "SIG_IGN" : "handler";
}

/* The C library keeps the flags in an int: SA_RESETHAND, its highest bit, comes sign-extended. */
json_t *decode_sigaction(const struct call_view *view, size_t index)
{
    struct kernel_sigaction action;

    if (!piece_copy(view_piece(view, index, PART_SELF), &action, sizeof action))
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "handler", handler_name(action.handler), "flags",
                     names_flags(&names_sigaction, (uint32_t)action.flags & ~KERNEL_SA_RESTORER),
                     "mask", signals_of(action.mask.words, sizeof action.mask));
}

static json_t *ending(const char *how, int number)
{
    json_t *signal = decode_signal_number(number), *text = NULL;

    if (json_is_string(signal))
        text = json_sprintf("%s %s", how, json_string_value(signal));
    else if (signal)
        text = json_sprintf("%s signal %d", how, number);
    json_decref(signal);
    return text;
}

static json_t *status_text(int status)
{
    if (WIFEXITED(status))
        return json_sprintf("exited %d", WEXITSTATUS(status));
    if (WIFSTOPPED(status))
        return ending("stopped by", WSTOPSIG(status));
    if (WIFCONTINUED(status))
        return json_string("continued");
    return ending("killed by", WTERMSIG(status));
}

json_t *decode_status(const struct call_view *view, size_t index)
{
    int status;

    if (!piece_copy(view_piece(view, index, PART_SELF), &status, sizeof status))
        return json_null();
    return status_text(status);
}

static json_t *child_text(int code, int status)
{
    switch (code) {
    case CLD_EXITED:
        return json_sprintf("exited %d", status);
    case CLD_KILLED:
    case CLD_DUMPED:
        return ending("killed by", status);
    case CLD_STOPPED:
    case CLD_TRAPPED:
        return ending("stopped by", status);
    case CLD_CONTINUED:
        return json_string("continued");
    default:
        return json_null();
    }
}

/* No child had anything to tell: pid and code are 0. */
json_t *decode_siginfo(const struct call_view *view, size_t index)
{
    siginfo_t info;

    if (!piece_copy(view_piece(view, index, PART_SELF), &info, sizeof info))
        return json_null();
    return json_pack("{s:i, s:o}", "pid", info.si_pid, "status",
                     child_text(info.si_code, info.si_status));
}

/* The lowest byte is the signal that the parent gets when the child ends. */
json_t *decode_clone_flags(const struct call_view *view, size_t index)
{
    const uint32_t value = (uint32_t)view->arguments[index];
    json_t *list = names_flags(&names_clone, value & ~(uint32_t)0xff);

    if (!(value & 0xff) || json_array_append_new(list, decode_signal_number(value & 0xff)) == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *decode_clone(const struct call_view *view, size_t index)
{
    struct kernel_clone clone;

    if (!piece_copy(view_piece(view, index, PART_SELF), &clone, sizeof clone))
        return json_null();
    return json_pack("{s:o, s:o}", "flags", names_flags(&names_clone, clone.flags), "exit_signal",
                     decode_signal_number((int)(clone.exit_signal & 0xff)));
}
