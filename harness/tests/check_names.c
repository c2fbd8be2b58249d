#include "errno_name.h"
#include "signal_name.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of errnos and signals, against the C library's own tables where it has some. */

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 32)
#define LIBRARY_HAS_NAMES 1
#endif
#endif

enum { HIGHEST_ERRNO = 4095 };

static const struct {
    const char *name;
    int number;
} errnos[] = {
    {"EPERM", EPERM},           {"EINTR", EINTR},
    {"EADDRINUSE", EADDRINUSE}, {"ECONNABORTED", ECONNABORTED},
    {"ETIMEDOUT", ETIMEDOUT},   {"EAGAIN", EAGAIN},
    {"EOPNOTSUPP", EOPNOTSUPP},
};

START_TEST(an_errno_has_its_name)
{
    ck_assert_pstr_eq(errno_name(errnos[_i].number), errnos[_i].name);
    ck_assert_int_eq(errno_number(errnos[_i].name), errnos[_i].number);
}
END_TEST

START_TEST(an_alias_of_an_errno_has_a_number)
{
    ck_assert_int_eq(errno_number("EWOULDBLOCK"), EWOULDBLOCK);
    ck_assert_int_eq(errno_number("ENOTSUP"), ENOTSUP);
}
END_TEST

START_TEST(no_errno_has_no_name)
{
    static const int numbers[] = {0, -1, -EINTR, HIGHEST_ERRNO, INT_MIN, INT_MAX};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        ck_assert_ptr_null(errno_name(numbers[i]));
    ck_assert_int_eq(errno_number("EPHEMERAL"), -1);
    ck_assert_int_eq(errno_number(""), -1);
    ck_assert_int_eq(errno_number("EINTR "), -1);
}
END_TEST

START_TEST(every_name_of_an_errno_leads_back_to_it)
{
    int named = 0;

    for (int number = 1; number <= HIGHEST_ERRNO; number++) {
        const char *name = errno_name(number);

        if (!name)
            continue;
        named++;
        ck_assert_int_eq(errno_number(name), number);
    }
    ck_assert_int_ge(named, 80); /* as many as POSIX has */
}
END_TEST

#ifdef LIBRARY_HAS_NAMES
START_TEST(the_library_names_the_same_errnos)
{
    for (int number = 1; number <= HIGHEST_ERRNO; number++)
        ck_assert_pstr_eq(errno_name(number), strerrorname_np(number));
}
END_TEST

/* The library says SIGPOLL where programs say SIGIO; it has no names for real-time signals. */
START_TEST(the_library_names_the_same_signals)
{
    for (int number = 0; number < SIGRTMIN; number++) {
        const char *known = sigabbrev_np(number);
        char name[32];

        snprintf(name, sizeof name, "SIG%s", known ? known : "");
        if (number == SIGIO)
            strcpy(name, "SIGIO");
        ck_assert_pstr_eq(signal_name(number), known ? name : NULL);
    }
}
END_TEST
#endif

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGKILL", SIGKILL}, {"SIGPIPE", SIGPIPE},
    {"SIGCHLD", SIGCHLD}, {"SIGABRT", SIGABRT}, {"SIGSYS", SIGSYS},   {"SIGURG", SIGURG},
};

START_TEST(a_signal_has_its_name)
{
    ck_assert_pstr_eq(signal_name(signals[_i].number), signals[_i].name);
    ck_assert_int_eq(signal_number(signals[_i].name), signals[_i].number);
}
END_TEST

START_TEST(no_signal_has_no_name)
{
    static const int numbers[] = {0, -1, 1000, INT_MIN, INT_MAX};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        ck_assert_ptr_null(signal_name(numbers[i]));
    ck_assert_int_eq(signal_number("SIGNAL"), -1);
    ck_assert_int_eq(signal_number("INT"), -1);
    ck_assert_int_eq(signal_number(""), -1);
}
END_TEST

#ifdef SIGRTMIN
START_TEST(a_real_time_signal_is_counted_from_the_first)
{
    char name[32];

    ck_assert_pstr_eq(signal_name(SIGRTMIN), "SIGRTMIN");
    ck_assert_pstr_eq(signal_name(SIGRTMIN + 2), "SIGRTMIN+2");
    ck_assert_int_eq(signal_number("SIGRTMIN+2"), SIGRTMIN + 2);
    ck_assert_int_eq(signal_number("SIGRTMAX"), SIGRTMAX);
    snprintf(name, sizeof name, "SIGRTMIN+%d", SIGRTMAX - SIGRTMIN);
    ck_assert_pstr_eq(signal_name(SIGRTMAX), name);
    ck_assert_int_eq(signal_number(name), SIGRTMAX);
    snprintf(name, sizeof name, "SIGRTMIN+%d", SIGRTMAX - SIGRTMIN + 1);
    ck_assert_int_eq(signal_number(name), -1);
    ck_assert_ptr_null(signal_name(SIGRTMAX + 1));
    ck_assert_int_eq(signal_number("SIGRTMIN+"), -1);
    ck_assert_int_eq(signal_number("SIGRTMIN+02"), -1);
}
END_TEST
#endif

static TCase *errno_tests(void)
{
    TCase *tests = tcase_create("errno");

    tcase_add_loop_test(tests, an_errno_has_its_name, 0, sizeof errnos / sizeof errnos[0]);
    tcase_add_test(tests, an_alias_of_an_errno_has_a_number);
    tcase_add_test(tests, no_errno_has_no_name);
    tcase_add_test(tests, every_name_of_an_errno_leads_back_to_it);
#ifdef LIBRARY_HAS_NAMES
    tcase_add_test(tests, the_library_names_the_same_errnos);
#endif
    return tests;
}

static TCase *signal_tests(void)
{
    TCase *tests = tcase_create("signal");

    tcase_add_loop_test(tests, a_signal_has_its_name, 0, sizeof signals / sizeof signals[0]);
    tcase_add_test(tests, no_signal_has_no_name);
#ifdef SIGRTMIN
    tcase_add_test(tests, a_real_time_signal_is_counted_from_the_first);
#endif
#ifdef LIBRARY_HAS_NAMES
    tcase_add_test(tests, the_library_names_the_same_signals);
#endif
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("names");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, errno_tests());
    suite_add_tcase(suite, signal_tests());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
