#include "log.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* The event log: nothing is lost in silence, nothing changes once it is in. */

enum { ROOMY = 1 << 20 };

static struct log *open_log(size_t capacity)
{
    struct log *log = log_open(capacity);

    ck_assert_ptr_nonnull(log);
    return log;
}

/* A tail differs from record to record and from byte to byte. */
static void fill_tail(unsigned char *tail, size_t length, uint64_t seq)
{
    for (size_t i = 0; i < length; i++)
        tail[i] = (unsigned char)(seq * 31 + i);
}

/* Appends a record that tells its number in every part; whether there was room. */
static bool append_patterned(struct log *log, size_t length)
{
    const uint64_t next = log_last(log) + 1;
    struct record head = {.kind = RECORD_ENTER, .process = (int)next, .thread = (pid_t)next};
    unsigned char tail[512];
    uint64_t seq;

    ck_assert_uint_le(length, sizeof tail);
    head.time = next * 1000;
    head.enter.number = (int)next;
    for (size_t i = 0; i < 6; i++)
        head.enter.arguments[i] = next * 10 + i;
    fill_tail(tail, length, next);
    seq = log_append(log, &head, tail, length);
    ck_assert(seq == next || seq == 0);
    ck_assert_uint_eq(log_last(log), seq ? next : next - 1);
    return seq != 0;
}

static void ck_assert_patterned(const struct log *log, uint64_t seq, size_t length)
{
    const struct record *record = log_record(log, seq);
    unsigned char tail[512];
    size_t same = 0;

    ck_assert_ptr_nonnull(record);
    ck_assert_uint_eq(record->seq, seq);
    ck_assert_uint_eq(record->time, seq * 1000);
    ck_assert(record->kind == RECORD_ENTER && record->process == (int)seq &&
              record->thread == (pid_t)seq && record->enter.number == (int)seq);
    while (same < 6 && record->enter.arguments[same] == seq * 10 + same)
        same++;
    ck_assert_uint_eq(same, 6);
    fill_tail(tail, length, seq);
    ck_assert_uint_eq(record->tail, length);
    ck_assert_mem_eq(record->bytes, tail, length);
}

/* Lengths on both sides of every step of alignment. */
static size_t length_of(uint64_t seq)
{
    return (size_t)(seq * 7 % 67);
}

/* --- numbering --- */

START_TEST(an_empty_log_has_no_record)
{
    struct log *log = open_log(ROOMY);

    ck_assert_uint_eq(log_last(log), 0);
    ck_assert_uint_eq(log_lost(log), 0);
    ck_assert_ptr_null(log_record(log, 0));
    ck_assert_ptr_null(log_record(log, 1));
    ck_assert_ptr_null(log_record(log, UINT64_MAX));
    log_close(log);
}
END_TEST

START_TEST(records_count_from_1_without_gaps)
{
    struct log *log = open_log(ROOMY);
    const struct record head = {.kind = RECORD_BORN};

    for (uint64_t seq = 1; seq <= 1000; seq++)
        ck_assert_uint_eq(log_append(log, &head, NULL, 0), seq);
    for (uint64_t seq = 1; seq <= 1000; seq++)
        ck_assert_uint_eq(log_record(log, seq)->seq, seq);
    ck_assert_ptr_null(log_record(log, 1001));
    ck_assert_uint_eq(log_last(log), 1000);
    log_close(log);
}
END_TEST

START_TEST(the_number_is_the_logs_whatever_the_head_says)
{
    struct log *log = open_log(ROOMY);
    const struct record head = {.seq = 77, .kind = RECORD_BORN, .tail = 88};

    ck_assert_uint_eq(log_append(log, &head, NULL, 0), 1);
    ck_assert_uint_eq(log_record(log, 1)->seq, 1);
    ck_assert_uint_eq(log_record(log, 1)->tail, 0);
    log_close(log);
}
END_TEST

/* --- heads and tails --- */

START_TEST(head_and_tail_come_back_as_they_went_in)
{
    struct log *log = open_log(ROOMY);

    for (uint64_t seq = 1; seq <= 2000; seq++)
        ck_assert(append_patterned(log, length_of(seq)));
    for (uint64_t seq = 1; seq <= 2000; seq++)
        ck_assert_patterned(log, seq, length_of(seq));
    log_close(log);
}
END_TEST

START_TEST(the_tail_is_a_copy)
{
    struct log *log = open_log(ROOMY);
    const struct record head = {.kind = RECORD_EXEC};
    char name[] = "echo";

    log_append(log, &head, name, 4);
    memset(name, 'x', sizeof name);
    ck_assert_mem_eq(log_record(log, 1)->bytes, "echo", 4);
    log_close(log);
}
END_TEST

START_TEST(a_record_stays_where_it_is)
{
    struct log *log = open_log(ROOMY);
    const struct record *first;

    ck_assert(append_patterned(log, length_of(1)));
    first = log_record(log, 1);
    for (uint64_t seq = 2; seq <= 2000; seq++)
        ck_assert(append_patterned(log, length_of(seq)));
    ck_assert_ptr_eq(log_record(log, 1), first);
    log_close(log);
}
END_TEST

START_TEST(every_record_is_aligned)
{
    struct log *log = open_log(ROOMY);

    for (size_t length = 0; length <= 2 * _Alignof(struct record); length++) {
        ck_assert(append_patterned(log, length));
        ck_assert_uint_eq((uintptr_t)log_record(log, log_last(log)) % _Alignof(struct record), 0);
    }
    log_close(log);
}
END_TEST

/* --- time --- */

START_TEST(a_time_that_is_given_is_kept)
{
    struct log *log = open_log(ROOMY);
    const struct record head = {.time = 1700000000000000000, .kind = RECORD_SEGMENT};

    log_append(log, &head, NULL, 0);
    ck_assert_uint_eq(log_record(log, 1)->time, 1700000000000000000);
    log_close(log);
}
END_TEST

START_TEST(no_time_means_now)
{
    struct log *log = open_log(ROOMY);
    const struct record head = {.kind = RECORD_BORN};
    const uint64_t before = log_now();

    log_append(log, &head, NULL, 0);
    ck_assert_uint_ge(log_record(log, 1)->time, before);
    ck_assert_uint_le(log_record(log, 1)->time, log_now());
    log_close(log);
}
END_TEST

START_TEST(now_is_the_real_time_in_nanoseconds)
{
    const uint64_t before = (uint64_t)time(NULL);
    const uint64_t now = log_now();

    /* time() may be a tick behind the clock, and the clock is then a second ahead. */
    ck_assert_uint_ge(now / 1000000000U, before);
    ck_assert_uint_le(now / 1000000000U, (uint64_t)time(NULL) + 1);
}
END_TEST

/* --- a full log --- */

START_TEST(a_full_log_counts_what_it_loses)
{
    struct log *log = open_log(10 * sizeof(struct record));
    const struct record head = {.kind = RECORD_BORN};

    for (uint64_t seq = 1; seq <= 10; seq++)
        ck_assert_uint_eq(log_append(log, &head, NULL, 0), seq);
    ck_assert_uint_eq(log_lost(log), 0);
    for (uint64_t lost = 1; lost <= 5; lost++) {
        ck_assert_uint_eq(log_append(log, &head, NULL, 0), 0);
        ck_assert_uint_eq(log_lost(log), lost);
    }
    ck_assert_uint_eq(log_last(log), 10);
    ck_assert_ptr_null(log_record(log, 11));
    log_close(log);
}
END_TEST

/* Where a log ends differs with _i, by less than a record. */
START_TEST(a_full_log_keeps_what_it_has_and_stays_inside)
{
    const size_t capacity = 40 * sizeof(struct record) + (size_t)_i;
    struct log *log = open_log(capacity);
    const unsigned char *begin;
    uint64_t last;

    while (append_patterned(log, length_of(log_last(log) + 1)))
        ck_assert_uint_le(log_last(log), 40);
    last = log_last(log);
    ck_assert(!append_patterned(log, 512));
    begin = (const unsigned char *)log_record(log, 1);
    for (uint64_t seq = 1; seq <= last; seq++) {
        const struct record *record = log_record(log, seq);

        ck_assert_patterned(log, seq, length_of(seq));
        ck_assert_uint_le((size_t)(record->bytes + record->tail - begin), capacity);
    }
    ck_assert_uint_ge(last, 25);
    log_close(log);
}
END_TEST

START_TEST(a_smaller_record_may_still_find_room)
{
    struct log *log = open_log(2 * sizeof(struct record));

    ck_assert(append_patterned(log, 0));
    ck_assert(!append_patterned(log, 1));
    ck_assert(append_patterned(log, 0));
    ck_assert_uint_eq(log_lost(log), 1);
    ck_assert_patterned(log, 1, 0);
    ck_assert_patterned(log, 2, 0);
    log_close(log);
}
END_TEST

START_TEST(a_record_larger_than_the_log_is_lost)
{
    struct log *log = open_log(2 * sizeof(struct record));

    ck_assert(!append_patterned(log, 512));
    ck_assert_uint_eq(log_lost(log), 1);
    ck_assert_uint_eq(log_last(log), 0);
    log_close(log);
}
END_TEST

/* --- memory --- */

START_TEST(memory_is_used_only_as_records_come)
{
    enum { LARGE = 1 << 30, SMALL_KIB = 16 << 10 };
    struct rusage before, after;
    struct log *log;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
    log = open_log(LARGE);
    ck_assert(append_patterned(log, 512));
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, SMALL_KIB);
    log_close(log);
}
END_TEST

START_TEST(more_than_there_can_be_is_refused)
{
    errno = 0;
    ck_assert_ptr_null(log_open(SIZE_MAX / 4));
    ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

/* --- names --- */

static const char *const names[RECORD_KINDS] = {
    [RECORD_ENTER] = "enter", [RECORD_LEAVE] = "leave", [RECORD_SIGNAL] = "signal",
    [RECORD_FORK] = "fork",   [RECORD_BORN] = "born",   [RECORD_EXEC] = "exec",
    [RECORD_EXIT] = "exit",   [RECORD_DEAD] = "dead",   [RECORD_SEGMENT] = "segment",
};

START_TEST(every_kind_has_a_name_and_back)
{
    ck_assert_str_eq(record_kind_name((enum record_kind)_i), names[_i]);
    ck_assert_int_eq(record_kind_of(names[_i]), _i);
}
END_TEST

START_TEST(other_words_are_no_kinds)
{
    static const char *const strangers[] = {"", "Enter", "ente", "enters", "frame"};

    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        ck_assert_int_eq(record_kind_of(strangers[i]), -1);
}
END_TEST

/* ---------- */

static void add_records(Suite *suite)
{
    TCase *numbering = tcase_create("numbering"), *content = tcase_create("content");
    TCase *clock = tcase_create("time");

    tcase_add_test(numbering, an_empty_log_has_no_record);
    tcase_add_test(numbering, records_count_from_1_without_gaps);
    tcase_add_test(numbering, the_number_is_the_logs_whatever_the_head_says);
    tcase_add_test(content, head_and_tail_come_back_as_they_went_in);
    tcase_add_test(content, the_tail_is_a_copy);
    tcase_add_test(content, a_record_stays_where_it_is);
    tcase_add_test(content, every_record_is_aligned);
    tcase_add_test(clock, a_time_that_is_given_is_kept);
    tcase_add_test(clock, no_time_means_now);
    tcase_add_test(clock, now_is_the_real_time_in_nanoseconds);
    suite_add_tcase(suite, numbering);
    suite_add_tcase(suite, content);
    suite_add_tcase(suite, clock);
}

static void add_limits(Suite *suite)
{
    TCase *full = tcase_create("full"), *memory = tcase_create("memory");
    TCase *kinds = tcase_create("names");

    tcase_add_test(full, a_full_log_counts_what_it_loses);
    tcase_add_loop_test(full, a_full_log_keeps_what_it_has_and_stays_inside, 0,
                        (int)sizeof(struct record));
    tcase_add_test(full, a_smaller_record_may_still_find_room);
    tcase_add_test(full, a_record_larger_than_the_log_is_lost);
    tcase_add_test(memory, memory_is_used_only_as_records_come);
    tcase_add_test(memory, more_than_there_can_be_is_refused);
    tcase_add_loop_test(kinds, every_kind_has_a_name_and_back, 0, RECORD_KINDS);
    tcase_add_test(kinds, other_words_are_no_kinds);
    suite_add_tcase(suite, full);
    suite_add_tcase(suite, memory);
    suite_add_tcase(suite, kinds);
}

int main(void)
{
    Suite *suite = suite_create("log");
    SRunner *runner = srunner_create(suite);
    int failed;

    add_records(suite);
    add_limits(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
