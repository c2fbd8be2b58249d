#include "moment.h"

#include "call.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Moments: which happenings they count, and how they are named. */

static const struct call_shape *call_named(const char *name)
{
    for (size_t i = 0; call_row(i); i++)
        if (strcmp(call_name(call_row(i)), name) == 0)
            return call_row(i);
    ck_abort_msg("the table lacks %s", name);
    return NULL;
}

/* A descriptor that counts how often it is asked for its class. */
struct descriptor {
    enum descriptor_class class;
    int asked;
};

static enum descriptor_class tell(void *context)
{
    struct descriptor *descriptor = context;

    descriptor->asked++;
    return descriptor->class;
}

static struct moment at_call(enum moment_kind kind, const char *word, enum descriptor_class on)
{
    struct moment moment = {.kind = kind, .on = on, .nth = 1};

    ck_assert_int_eq(snprintf(moment.call, sizeof moment.call, "%s", word), (int)strlen(word));
    return moment;
}

static bool call_counts(struct moment moment, enum moment_kind kind, const char *call,
                        struct descriptor *descriptor)
{
    const struct segment segment = {.protocol = SEGMENT_TCP};
    const struct happening happening = {.kind = kind,
                                        .call = call_named(call),
                                        .descriptor = tell,
                                        .context = descriptor,
                                        .segment = &segment,
                                        .wire = "w",
                                        .from = "host"};

    return moment_matches(&moment, &happening);
}

/* --- kinds --- */

/* _i runs over all pairs of a wanted and a seen kind. */
START_TEST(a_moment_counts_its_own_kind_only)
{
    const enum moment_kind wanted = (enum moment_kind)(_i / MOMENT_KINDS);
    const enum moment_kind seen = (enum moment_kind)(_i % MOMENT_KINDS);
    struct descriptor descriptor = {CLASS_LISTENING, 0};

    ck_assert_msg(call_counts(at_call(wanted, "accept", CLASS_ANY), seen, "accept", &descriptor) ==
                      (wanted == seen),
                  "wanted %s, seen %s", moment_kind_name(wanted), moment_kind_name(seen));
}
END_TEST

START_TEST(which_of_many_is_left_to_the_caller)
{
    struct moment moment = at_call(MOMENT_ENTER, "accept", CLASS_ANY);
    struct descriptor descriptor = {CLASS_LISTENING, 0};

    moment.nth = 3;
    ck_assert(call_counts(moment, MOMENT_ENTER, "accept", &descriptor));
}
END_TEST

/* --- call words --- */

/* A word, and all the calls that it means: PROTOCOL.md, moment. */
static const struct {
    const char *word, *calls[5];
} words[] = {
    {"accept", {"accept", "accept4"}},
    {"accept4", {"accept4"}},
    {"send", {"sendto"}},
    {"sendto", {"sendto"}},
    {"recv", {"recvfrom"}},
    {"recvfrom", {"recvfrom"}},
    {"poll", {"poll", "ppoll"}},
    {"ppoll", {"ppoll"}},
    {"select", {"select", "pselect6"}},
    {"pselect6", {"pselect6"}},
    {"wait", {"wait4", "waitid"}},
    {"wait4", {"wait4"}},
    {"waitid", {"waitid"}},
    {"open", {"open", "openat"}},
    {"openat", {"openat"}},
    {"fork", {"fork", "vfork", "clone", "clone3"}},
    {"vfork", {"vfork"}},
    {"exit", {"exit", "exit_group"}},
    {"exit_group", {"exit_group"}},
    {"sigaction", {"rt_sigaction"}},
    {"epoll_wait", {"epoll_wait", "epoll_pwait", "epoll_pwait2"}},
    {"dup2", {"dup2", "dup3"}},
    {"pipe", {"pipe", "pipe2"}},
    {"nanosleep", {"nanosleep", "clock_nanosleep"}},
    {"read", {"read"}},
    {"close", {"close"}},
    {"", {NULL}},
    {"acc", {NULL}},
};
enum { WORDS = sizeof words / sizeof words[0] };

static bool meant(int word, const char *call)
{
    for (size_t i = 0; words[word].calls[i]; i++)
        if (strcmp(words[word].calls[i], call) == 0)
            return true;
    return false;
}

START_TEST(a_word_means_its_calls_and_no_other)
{
    static const enum moment_kind kinds[] = {MOMENT_ENTER, MOMENT_LEAVE};
    struct descriptor descriptor = {CLASS_OTHER, 0};

    for (size_t kind = 0; kind < 2; kind++) {
        const struct moment moment = at_call(kinds[kind], words[_i].word, CLASS_ANY);

        for (size_t row = 0; call_row(row); row++) {
            const char *call = call_name(call_row(row));

            ck_assert_msg(call_counts(moment, kinds[kind], call, &descriptor) == meant(_i, call),
                          "%s \"%s\", seen %s", moment_kind_name(kinds[kind]), words[_i].word,
                          call);
        }
    }
}
END_TEST

/* --- the descriptor's class --- */

/* _i runs over all pairs of a wanted and a seen class. */
START_TEST(a_class_means_itself_and_socket_means_two)
{
    const enum descriptor_class wanted = (enum descriptor_class)(_i / CLASS_KINDS);
    const enum descriptor_class seen = (enum descriptor_class)(_i % CLASS_KINDS);
    const bool of_socket = seen == CLASS_LISTENING || seen == CLASS_CONNECTION;
    const bool counts =
        wanted == CLASS_ANY || (wanted == CLASS_SOCKET ? of_socket : wanted == seen);
    struct descriptor descriptor = {seen, 0};

    if (seen == CLASS_ANY || seen == CLASS_SOCKET)
        return; /* no descriptor is of these: only moments are */
    ck_assert_msg(call_counts(at_call(MOMENT_ENTER, "read", wanted), MOMENT_ENTER, "read",
                              &descriptor) == counts,
                  "wanted %s, seen %s", descriptor_class_name(wanted), descriptor_class_name(seen));
}
END_TEST

START_TEST(the_class_is_asked_for_once_when_the_moment_names_one)
{
    struct descriptor descriptor = {CLASS_PIPE, 0};

    ck_assert(
        call_counts(at_call(MOMENT_LEAVE, "read", CLASS_PIPE), MOMENT_LEAVE, "read", &descriptor));
    ck_assert_int_eq(descriptor.asked, 1);
    descriptor.asked = 0;
    ck_assert(!call_counts(at_call(MOMENT_LEAVE, "read", CLASS_SOCKET), MOMENT_LEAVE, "read",
                           &descriptor));
    ck_assert_int_eq(descriptor.asked, 1);
}
END_TEST

START_TEST(the_class_is_not_asked_for_when_something_else_decides)
{
    struct descriptor descriptor = {CLASS_PIPE, 0};

    ck_assert(
        call_counts(at_call(MOMENT_ENTER, "read", CLASS_ANY), MOMENT_ENTER, "read", &descriptor));
    ck_assert(!call_counts(at_call(MOMENT_ENTER, "read", CLASS_PIPE), MOMENT_ENTER, "write",
                           &descriptor));
    ck_assert(
        !call_counts(at_call(MOMENT_ENTER, "read", CLASS_PIPE), MOMENT_LEAVE, "read", &descriptor));
    ck_assert_int_eq(descriptor.asked, 0);
}
END_TEST

/* --- signals --- */

static bool signal_counts(int wanted, int seen)
{
    const struct moment moment = {.kind = MOMENT_SIGNAL, .signal = wanted, .nth = 1};
    const struct happening happening = {.kind = MOMENT_SIGNAL, .signal = seen};

    return moment_matches(&moment, &happening);
}

START_TEST(a_named_signal_means_itself)
{
    ck_assert(signal_counts(SIGCHLD, SIGCHLD));
    ck_assert(!signal_counts(SIGCHLD, SIGPIPE));
}
END_TEST

START_TEST(no_name_means_every_signal)
{
    ck_assert(signal_counts(0, SIGCHLD));
    ck_assert(signal_counts(0, SIGRTMIN));
}
END_TEST

/* --- names --- */

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

START_TEST(every_kind_has_a_name_and_back)
{
    ck_assert_str_eq(moment_kind_name((enum moment_kind)_i), kind_names[_i]);
    ck_assert_int_eq(moment_kind_of(kind_names[_i]), _i);
}
END_TEST

START_TEST(every_class_has_a_name_and_back)
{
    ck_assert_str_eq(descriptor_class_name((enum descriptor_class)_i), class_names[_i]);
    ck_assert_int_eq(descriptor_class_of(class_names[_i]), _i);
}
END_TEST

START_TEST(other_words_are_no_names)
{
    static const char *const strangers[] = {"",     "Enter", "ente",  "enters",
                                            "Pipe", "pip",   "pipes", "dead"};

    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        ck_assert_int_eq(moment_kind_of(strangers[i]), -1);
        ck_assert_int_eq(descriptor_class_of(strangers[i]), -1);
    }
}
END_TEST

/* --- in words --- */

static const struct {
    struct moment moment;
    const char *text;
} described[] = {
    {{.kind = MOMENT_ENTER, .call = "accept", .nth = 1}, "entering accept"},
    {{.kind = MOMENT_LEAVE, .call = "epoll_wait", .nth = 1}, "leaving epoll_wait"},
    {{.kind = MOMENT_ENTER, .call = "accept", .on = CLASS_LISTENING, .nth = 2},
     "entering accept on listening, the 2nd"},
    {{.kind = MOMENT_LEAVE, .call = "read", .on = CLASS_SOCKET, .nth = 1},
     "leaving read on socket"},
    {{.kind = MOMENT_SIGNAL, .nth = 1}, "the delivery of any signal"},
    {{.kind = MOMENT_SIGNAL, .signal = SIGCHLD, .nth = 3}, "the delivery of SIGCHLD, the 3rd"},
    {{.kind = MOMENT_FORK, .nth = 1}, "a fork"},
    {{.kind = MOMENT_BORN, .nth = 1}, "the birth"},
    {{.kind = MOMENT_EXEC, .nth = 1}, "an exec"},
    {{.kind = MOMENT_EXIT, .nth = 1}, "the exit"},
    {{.kind = MOMENT_FORK, .nth = 4}, "a fork, the 4th"},
    {{.kind = MOMENT_FORK, .nth = 10}, "a fork, the 10th"},
    {{.kind = MOMENT_FORK, .nth = 11}, "a fork, the 11th"},
    {{.kind = MOMENT_FORK, .nth = 12}, "a fork, the 12th"},
    {{.kind = MOMENT_FORK, .nth = 13}, "a fork, the 13th"},
    {{.kind = MOMENT_FORK, .nth = 21}, "a fork, the 21st"},
    {{.kind = MOMENT_FORK, .nth = 22}, "a fork, the 22nd"},
    {{.kind = MOMENT_FORK, .nth = 23}, "a fork, the 23rd"},
    {{.kind = MOMENT_FORK, .nth = 101}, "a fork, the 101st"},
    {{.kind = MOMENT_FORK, .nth = 111}, "a fork, the 111th"},
    {{.kind = MOMENT_FORK, .nth = 112}, "a fork, the 112th"},
    {{.kind = MOMENT_FORK, .nth = 2147483647}, "a fork, the 2147483647th"},
};
enum { DESCRIBED = sizeof described / sizeof described[0] };

START_TEST(a_moment_reads_as_words)
{
    char text[128];

    moment_describe(&described[_i].moment, text, sizeof text);
    ck_assert_str_eq(text, described[_i].text);
}
END_TEST

START_TEST(words_that_do_not_fit_are_cut)
{
    static const char whole[] = "entering accept on listening, the 2nd";
    const struct moment moment = {
        .kind = MOMENT_ENTER, .call = "accept", .on = CLASS_LISTENING, .nth = 2};

    for (size_t size = 1; size <= sizeof whole; size++) {
        char *text = malloc(size); /* exactly: a sanitizer sees a step beyond it */

        ck_assert_ptr_nonnull(text);
        moment_describe(&moment, text, size);
        ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_mem_eq(text, whole, size - 1);
        free(text);
    }
}
END_TEST

/* ---------- */

static void add_matching(Suite *suite)
{
    TCase *kinds = tcase_create("kinds"), *calls = tcase_create("call_words");
    TCase *classes = tcase_create("descriptor_classes"), *signals = tcase_create("signals");

    tcase_add_loop_test(kinds, a_moment_counts_its_own_kind_only, 0, MOMENT_KINDS * MOMENT_KINDS);
    tcase_add_test(kinds, which_of_many_is_left_to_the_caller);
    tcase_add_loop_test(calls, a_word_means_its_calls_and_no_other, 0, WORDS);
    tcase_add_loop_test(classes, a_class_means_itself_and_socket_means_two, 0,
                        CLASS_KINDS * CLASS_KINDS);
    tcase_add_test(classes, the_class_is_asked_for_once_when_the_moment_names_one);
    tcase_add_test(classes, the_class_is_not_asked_for_when_something_else_decides);
    tcase_add_test(signals, a_named_signal_means_itself);
    tcase_add_test(signals, no_name_means_every_signal);
    suite_add_tcase(suite, kinds);
    suite_add_tcase(suite, calls);
    suite_add_tcase(suite, classes);
    suite_add_tcase(suite, signals);
}

static void add_naming(Suite *suite)
{
    TCase *names = tcase_create("names"), *text = tcase_create("in_words");

    tcase_add_loop_test(names, every_kind_has_a_name_and_back, 0, MOMENT_KINDS);
    tcase_add_loop_test(names, every_class_has_a_name_and_back, 0, CLASS_KINDS);
    tcase_add_test(names, other_words_are_no_names);
    tcase_add_loop_test(text, a_moment_reads_as_words, 0, DESCRIBED);
    tcase_add_test(text, words_that_do_not_fit_are_cut);
    suite_add_tcase(suite, names);
    suite_add_tcase(suite, text);
}

int main(void)
{
    Suite *suite = suite_create("moment");
    SRunner *runner = srunner_create(suite);
    int failed;

    add_matching(suite);
    add_naming(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
