#include "channel.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The control channel: how lines arrive and what becomes of the descriptors with them. */

enum { DESCRIPTORS_LOOKED_AT = 256 };

/* A channel and the client's end of it. */
struct line {
    struct channel channel;
    int client;
};

static struct line open_line(void)
{
    struct line line = {.client = -1};
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    line.client = ends[0];
    ck_assert_int_eq(channel_open(&line.channel, ends[1]), 0);
    return line;
}

static void close_line(struct line *line)
{
    if (line->client >= 0)
        close(line->client);
    channel_close(&line->channel);
}

static void hang_up(struct line *line)
{
    close(line->client);
    line->client = -1;
}

static void write_text(const struct line *line, const char *text)
{
    ck_assert_int_eq(send(line->client, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL),
                     (ssize_t)strlen(text));
}

static void ck_assert_line(struct line *line, const char *expected)
{
    const char *text;
    size_t length;

    ck_assert_int_eq(channel_next(&line->channel, &text, &length), CHANNEL_LINE);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(text, expected, length);
}

static void ck_assert_state(struct line *line, enum channel_state expected)
{
    const char *text;
    size_t length;

    ck_assert_int_eq(channel_next(&line->channel, &text, &length), expected);
}

/* --- lines --- */

START_TEST(nothing_has_come)
{
    struct line line = open_line();

    ck_assert_state(&line, CHANNEL_NOTHING);
    ck_assert_state(&line, CHANNEL_NOTHING);
    close_line(&line);
}
END_TEST

START_TEST(a_line_comes_without_its_newline)
{
    struct line line = open_line();

    write_text(&line, "{\"id\": 7}\n");
    ck_assert_line(&line, "{\"id\": 7}");
    ck_assert_state(&line, CHANNEL_NOTHING);
    close_line(&line);
}
END_TEST

START_TEST(an_empty_line_is_a_line)
{
    struct line line = open_line();

    write_text(&line, "\n\n");
    ck_assert_line(&line, "");
    ck_assert_line(&line, "");
    ck_assert_state(&line, CHANNEL_NOTHING);
    close_line(&line);
}
END_TEST

START_TEST(a_zero_byte_ends_no_line)
{
    struct line line = open_line();
    const char *text;
    size_t length;

    ck_assert_int_eq(send(line.client, "a\0b\n", 4, 0), 4);
    ck_assert_int_eq(channel_next(&line.channel, &text, &length), CHANNEL_LINE);
    ck_assert_uint_eq(length, 3);
    ck_assert_mem_eq(text, "a\0b", 3);
    close_line(&line);
}
END_TEST

START_TEST(a_line_may_come_in_pieces)
{
    static const char whole[] = "{\"id\": 7}\n";
    struct line line = open_line();

    for (size_t i = 0; i + 1 < sizeof whole; i++) {
        ck_assert_state(&line, CHANNEL_NOTHING);
        ck_assert_int_eq(send(line.client, whole + i, 1, 0), 1);
    }
    ck_assert_line(&line, "{\"id\": 7}");
    ck_assert_state(&line, CHANNEL_NOTHING);
    close_line(&line);
}
END_TEST

START_TEST(several_lines_may_come_at_once)
{
    struct line line = open_line();

    write_text(&line, "one\ntwo\n\nthree\nfo");
    ck_assert_line(&line, "one");
    ck_assert_line(&line, "two");
    ck_assert_line(&line, "");
    ck_assert_line(&line, "three");
    ck_assert_state(&line, CHANNEL_NOTHING);
    write_text(&line, "ur\nfive\n");
    ck_assert_line(&line, "four");
    ck_assert_line(&line, "five");
    ck_assert_state(&line, CHANNEL_NOTHING);
    close_line(&line);
}
END_TEST

/* --- the limit --- */

/* What a channel gave while it was fed more than a socket holds. */
struct gave {
    enum channel_state states[8];
    size_t lengths[8]; /* of lines */
    int count;
};

/* Checks count their assertions: not one for each of a million bytes. */
static bool all_x(const char *text, size_t length)
{
    while (length > 0 && text[length - 1] == 'x')
        length--;
    return length == 0;
}

static void take_all(struct line *line, struct gave *gave)
{
    for (;;) {
        const char *text;
        size_t length = 0;
        const enum channel_state state = channel_next(&line->channel, &text, &length);

        if (state == CHANNEL_NOTHING)
            return;
        ck_assert_int_lt(gave->count, 8);
        gave->states[gave->count] = state;
        gave->lengths[gave->count++] = length;
        ck_assert(all_x(text, length));
        if (state == CHANNEL_END)
            return;
    }
}

/* Sends so many x and perhaps a newline; reads whenever the socket is full. */
static void feed(struct line *line, size_t length, bool ended, struct gave *gave)
{
    const size_t all = length + (ended ? 1 : 0);
    char *text = malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    text[length] = '\n';
    for (size_t sent = 0; sent < all;) {
        const ssize_t count =
            send(line->client, text + sent, all - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        ck_assert(count > 0 || errno == EAGAIN);
        sent += count > 0 ? (size_t)count : 0;
        if (count < 0)
            take_all(line, gave);
    }
    free(text);
}

#define LIMIT ((size_t)CHANNEL_LINE_LIMIT)

/* A mebibyte is the newline's too. A line of 0 stands for one that is too long. */
static const struct {
    size_t fed[5], given[5];
    int count;
} limits[] = {
    {{LIMIT - 1}, {LIMIT - 1}, 1},
    {{LIMIT - 2, 4, LIMIT - 1, 4}, {LIMIT - 2, 4, LIMIT - 1, 4}, 4},
    {{LIMIT}, {0}, 1},
    {{LIMIT, 4}, {0, 4}, 2},
    {{LIMIT + 1, 4}, {0, 4}, 2},
    {{2 * LIMIT - 1, 4}, {0, 4}, 2},
    {{2 * LIMIT, 4}, {0, 4}, 2},
    {{2 * LIMIT + 1, 4}, {0, 4}, 2},
    {{3 * LIMIT + 5, 4, 5}, {0, 4, 5}, 3},
    {{LIMIT, LIMIT, 4}, {0, 0, 4}, 3},
    {{4, LIMIT + 7, LIMIT - 1, 4}, {4, 0, LIMIT - 1, 4}, 4},
};
enum { LIMITS = sizeof limits / sizeof limits[0] };

START_TEST(a_line_above_the_limit_is_thrown_away_once_and_nothing_else)
{
    struct line line = open_line();
    struct gave gave = {.count = 0};

    for (const size_t *length = limits[_i].fed; *length; length++)
        feed(&line, *length, true, &gave);
    take_all(&line, &gave);
    ck_assert_int_eq(gave.count, limits[_i].count);
    for (int i = 0; i < gave.count; i++) {
        ck_assert_int_eq(gave.states[i], limits[_i].given[i] ? CHANNEL_LINE : CHANNEL_TOO_LONG);
        ck_assert_uint_eq(gave.lengths[i], limits[_i].given[i]);
    }
    close_line(&line);
}
END_TEST

START_TEST(a_line_is_too_long_before_its_end_has_come)
{
    struct line line = open_line();
    struct gave gave = {.count = 0};

    feed(&line, LIMIT, false, &gave);
    take_all(&line, &gave);
    ck_assert_int_eq(gave.count, 1);
    ck_assert_int_eq(gave.states[0], CHANNEL_TOO_LONG);
    write_text(&line, "x");
    ck_assert_state(&line, CHANNEL_NOTHING);
    write_text(&line, "\n");
    ck_assert_state(&line, CHANNEL_NOTHING);
    write_text(&line, "good\n");
    ck_assert_line(&line, "good");
    close_line(&line);
}
END_TEST

START_TEST(a_line_of_the_limit_may_wait_for_its_newline)
{
    struct line line = open_line();
    struct gave gave = {.count = 0};

    feed(&line, LIMIT - 1, false, &gave);
    take_all(&line, &gave);
    ck_assert_int_eq(gave.count, 0);
    write_text(&line, "\n");
    take_all(&line, &gave);
    ck_assert_int_eq(gave.count, 1);
    ck_assert_int_eq(gave.states[0], CHANNEL_LINE);
    ck_assert_uint_eq(gave.lengths[0], LIMIT - 1);
    close_line(&line);
}
END_TEST

/* --- the end --- */

START_TEST(the_end_comes_after_the_last_line)
{
    struct line line = open_line();

    write_text(&line, "one\ntwo\n");
    hang_up(&line);
    ck_assert_line(&line, "one");
    ck_assert_line(&line, "two");
    ck_assert_state(&line, CHANNEL_END);
    ck_assert_state(&line, CHANNEL_END);
    close_line(&line);
}
END_TEST

START_TEST(a_line_without_an_end_is_none)
{
    struct line line = open_line();

    write_text(&line, "one\ntw");
    hang_up(&line);
    ck_assert_line(&line, "one");
    ck_assert_state(&line, CHANNEL_END);
    close_line(&line);
}
END_TEST

START_TEST(the_end_comes_amid_a_line_that_is_too_long)
{
    struct line line = open_line();
    struct gave gave = {.count = 0};

    feed(&line, LIMIT + 5, false, &gave);
    take_all(&line, &gave);
    ck_assert_int_eq(gave.count, 1);
    hang_up(&line);
    ck_assert_state(&line, CHANNEL_END);
    close_line(&line);
}
END_TEST

START_TEST(half_an_end_is_an_end)
{
    struct line line = open_line();

    ck_assert_int_eq(shutdown(line.client, SHUT_WR), 0);
    ck_assert_state(&line, CHANNEL_END);
    close_line(&line);
}
END_TEST

/* The client is gone and left a reply unread: the kernel says ECONNRESET. */
START_TEST(an_error_is_an_end)
{
    struct line line = open_line();

    ck_assert_int_eq(channel_send(&line.channel, json_object()), 0);
    hang_up(&line);
    ck_assert_state(&line, CHANNEL_END);
    close_line(&line);
}
END_TEST

/* --- descriptors --- */

/* Pipes of which the client hands the writing ends over and keeps none: a reading end tells whether
 * anybody still has the other. */
struct pipes {
    int reading[40];
    int count;
};

static void send_with(const struct line *line, const char *text, const int *descriptors, int count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 40)];
    } control;
    const size_t size = sizeof(int) * (size_t)count;
    char first[64];
    struct iovec part = {first, strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(size)};

    ck_assert_int_eq(snprintf(first, sizeof first, "%s", text), (int)strlen(text));
    memset(&control, 0, sizeof control);
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), descriptors, size);
    ck_assert_int_eq(sendmsg(line->client, &message, MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Sends the text with the writing ends of so many new pipes. */
static void send_pipes(const struct line *line, const char *text, struct pipes *pipes, int count)
{
    int writing[40];

    ck_assert_int_le(pipes->count + count, 40);
    for (int i = 0; i < count; i++) {
        int ends[2];

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        pipes->reading[pipes->count++] = ends[0];
        writing[i] = ends[1];
    }
    send_with(line, text, writing, count);
    for (int i = 0; i < count; i++)
        close(writing[i]);
}

static bool still_open(const struct pipes *pipes, int which)
{
    char byte;
    const ssize_t count = read(pipes->reading[which], &byte, 1);

    ck_assert(count == 0 || (count < 0 && errno == EAGAIN));
    return count < 0;
}

static void ck_assert_open(const struct pipes *pipes, int from, int to, bool expected)
{
    for (int i = from; i < to; i++)
        ck_assert_msg(still_open(pipes, i) == expected, "descriptor %d of %d is %s", i,
                      pipes->count, expected ? "closed" : "open");
}

static void close_pipes(const struct pipes *pipes)
{
    for (int i = 0; i < pipes->count; i++)
        close(pipes->reading[i]);
}

/* Whether what is written into the descriptor comes out of that pipe. */
static bool belongs(const struct pipes *pipes, int which, int descriptor)
{
    char byte = 0;

    ck_assert_int_eq(write(descriptor, "x", 1), 1);
    return read(pipes->reading[which], &byte, 1) == 1 && byte == 'x';
}

static int descriptors_open(void)
{
    int count = 0;

    for (int i = 0; i < DESCRIPTORS_LOOKED_AT; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

START_TEST(descriptors_come_in_order_with_the_line)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    int taken[3] = {-1, -1, -1};

    send_pipes(&line, "start\n", &pipes, 3);
    ck_assert_line(&line, "start");
    ck_assert_int_eq(channel_take(&line.channel, taken, 3), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert(belongs(&pipes, i, taken[i]));
        ck_assert_int_eq(fcntl(taken[i], F_GETFD), FD_CLOEXEC);
    }
    ck_assert_int_eq(channel_take(&line.channel, taken, 3), 0);
    close_line(&line);
    ck_assert_open(&pipes, 0, 3, true);
    for (int i = 0; i < 3; i++)
        close(taken[i]);
    ck_assert_open(&pipes, 0, 3, false);
    close_pipes(&pipes);
}
END_TEST

START_TEST(descriptors_wait_for_the_rest_of_their_line)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    int taken[3] = {-1, -1, -1};

    send_pipes(&line, "s", &pipes, 3);
    ck_assert_state(&line, CHANNEL_NOTHING);
    write_text(&line, "tart\n");
    ck_assert_line(&line, "start");
    ck_assert_int_eq(channel_take(&line.channel, taken, 3), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert(belongs(&pipes, i, taken[i]));
        close(taken[i]);
    }
    close_line(&line);
    close_pipes(&pipes);
}
END_TEST

START_TEST(none_came)
{
    struct line line = open_line();
    int taken[3] = {-1, -1, -1};

    write_text(&line, "start\n");
    ck_assert_line(&line, "start");
    ck_assert_int_eq(channel_take(&line.channel, taken, 3), 0);
    ck_assert_int_eq(taken[0], -1);
    close_line(&line);
}
END_TEST

START_TEST(what_the_taker_has_no_room_for_is_closed)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    int taken[2] = {-1, -1};

    send_pipes(&line, "start\n", &pipes, 5);
    ck_assert_line(&line, "start");
    ck_assert_int_eq(channel_take(&line.channel, taken, 1), 5);
    ck_assert_open(&pipes, 0, 1, true);
    ck_assert_open(&pipes, 1, 5, false);
    ck_assert_int_eq(taken[1], -1);
    close(taken[0]);
    close_line(&line);
    close_pipes(&pipes);
}
END_TEST

START_TEST(too_many_over_several_lines_are_closed)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    int taken[CHANNEL_DESCRIPTORS];

    for (int i = 0; i < 4; i++) {
        send_pipes(&line, "more\n", &pipes, 5);
        ck_assert_line(&line, "more");
    }
    ck_assert_open(&pipes, 0, CHANNEL_DESCRIPTORS, true);
    ck_assert_open(&pipes, CHANNEL_DESCRIPTORS, 20, false);
    ck_assert_int_eq(channel_take(&line.channel, taken, CHANNEL_DESCRIPTORS), CHANNEL_DESCRIPTORS);
    for (int i = 0; i < CHANNEL_DESCRIPTORS; i++) {
        ck_assert(belongs(&pipes, i, taken[i]));
        close(taken[i]);
    }
    close_line(&line);
    close_pipes(&pipes);
}
END_TEST

START_TEST(too_many_with_one_line_are_closed)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    int before;

    send_pipes(&line, "many\n", &pipes, 40);
    before = descriptors_open();
    ck_assert_line(&line, "many");
    ck_assert_int_eq(descriptors_open(), before + CHANNEL_DESCRIPTORS);
    ck_assert_open(&pipes, 0, CHANNEL_DESCRIPTORS, true);
    ck_assert_open(&pipes, CHANNEL_DESCRIPTORS, 40, false);
    ck_assert_int_eq(channel_take(&line.channel, NULL, 0), CHANNEL_DESCRIPTORS);
    ck_assert_open(&pipes, 0, 40, false);
    close_line(&line);
    close_pipes(&pipes);
}
END_TEST

START_TEST(descriptors_nobody_took_end_with_the_channel)
{
    const int before = descriptors_open();
    struct line line = open_line();
    struct pipes pipes = {.count = 0};

    send_pipes(&line, "start\n", &pipes, 3);
    ck_assert_line(&line, "start");
    close_line(&line);
    ck_assert_open(&pipes, 0, 3, false);
    close_pipes(&pipes);
    ck_assert_int_eq(descriptors_open(), before);
}
END_TEST

/* The kernel says who sends, beside what was asked for. */
START_TEST(other_ancillary_data_is_no_descriptor)
{
    struct line line = open_line();
    struct pipes pipes = {.count = 0};
    const int on = 1;
    int taken[3] = {-1, -1, -1};

    ck_assert_int_eq(setsockopt(line.channel.socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    send_pipes(&line, "start\n", &pipes, 2);
    ck_assert_line(&line, "start");
    ck_assert_int_eq(channel_take(&line.channel, taken, 3), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert(belongs(&pipes, i, taken[i]));
        close(taken[i]);
    }
    close_line(&line);
    close_pipes(&pipes);
}
END_TEST

/* --- replies --- */

static void ck_assert_received(const struct line *line, const char *expected)
{
    char text[256];
    const ssize_t length = recv(line->client, text, sizeof text, MSG_DONTWAIT);

    ck_assert_int_eq(length, (ssize_t)strlen(expected));
    ck_assert_mem_eq(text, expected, strlen(expected));
}

START_TEST(a_reply_is_one_line)
{
    struct line line = open_line();
    json_t *reply = json_pack("{s:i, s:s}", "id", 7, "text", "a\nb €");

    ck_assert_ptr_nonnull(reply);
    ck_assert_int_eq(channel_send(&line.channel, reply), 0);
    ck_assert_received(&line, "{\"id\":7,\"text\":\"a\\nb €\"}\n");
    ck_assert_int_eq(channel_send(&line.channel, json_object()), 0);
    ck_assert_received(&line, "{}\n");
    close_line(&line);
}
END_TEST

START_TEST(a_reply_is_given_away)
{
    struct line line = open_line();
    json_t *reply = json_object();

    json_incref(reply);
    ck_assert_int_eq(channel_send(&line.channel, reply), 0);
    ck_assert_uint_eq(reply->refcount, 1);
    json_decref(reply);
    close_line(&line);
}
END_TEST

static size_t read_till_the_end(int socket)
{
    static char text[65536];
    size_t all = 0;

    for (;;) {
        const ssize_t count = recv(socket, text, sizeof text, 0);

        if (count <= 0)
            return all;
        all += (size_t)count;
    }
}

/* A process that reads the client's end and is content with so many bytes. */
static pid_t read_elsewhere(const struct line *line, size_t expected)
{
    const pid_t reader = fork();

    ck_assert_int_ge(reader, 0);
    if (reader > 0)
        return reader;
    close(line->channel.socket); /* or the end would never come */
    _exit(read_till_the_end(line->client) == expected ? EXIT_SUCCESS : EXIT_FAILURE);
}

START_TEST(a_reply_larger_than_the_socket_arrives_whole)
{
    enum { LARGE = 4 << 20, FRAME = sizeof "[\"\"]" }; /* and a newline */
    struct line line = open_line();
    const pid_t reader = read_elsewhere(&line, LARGE + FRAME);
    char *text = malloc(LARGE);
    int status;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', LARGE);
    ck_assert_int_eq(channel_send(&line.channel, json_pack("[s%]", text, (size_t)LARGE)), 0);
    free(text);
    close_line(&line);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}
END_TEST

/* SIGPIPE would end this process. */
START_TEST(a_client_that_is_gone_is_an_error)
{
    struct line line = open_line();

    hang_up(&line);
    ck_assert_int_eq(channel_send(&line.channel, json_object()), -1);
    ck_assert_int_eq(errno, EPIPE);
    close_line(&line);
}
END_TEST

START_TEST(no_reply_is_an_error)
{
    struct line line = open_line();

    ck_assert_int_eq(channel_send(&line.channel, NULL), -1);
    close_line(&line);
}
END_TEST

/* ---------- */

static void add_lines(Suite *suite)
{
    TCase *lines = tcase_create("lines"), *limit = tcase_create("limit"),
          *end = tcase_create("end");

    tcase_add_test(lines, nothing_has_come);
    tcase_add_test(lines, a_line_comes_without_its_newline);
    tcase_add_test(lines, an_empty_line_is_a_line);
    tcase_add_test(lines, a_zero_byte_ends_no_line);
    tcase_add_test(lines, a_line_may_come_in_pieces);
    tcase_add_test(lines, several_lines_may_come_at_once);
    tcase_add_loop_test(limit, a_line_above_the_limit_is_thrown_away_once_and_nothing_else, 0,
                        LIMITS);
    tcase_add_test(limit, a_line_of_the_limit_may_wait_for_its_newline);
    tcase_add_test(limit, a_line_is_too_long_before_its_end_has_come);
    tcase_add_test(end, the_end_comes_after_the_last_line);
    tcase_add_test(end, a_line_without_an_end_is_none);
    tcase_add_test(end, the_end_comes_amid_a_line_that_is_too_long);
    tcase_add_test(end, half_an_end_is_an_end);
    tcase_add_test(end, an_error_is_an_end);
    suite_add_tcase(suite, lines);
    suite_add_tcase(suite, limit);
    suite_add_tcase(suite, end);
}

static void add_descriptors(Suite *suite)
{
    TCase *descriptors = tcase_create("descriptors");

    tcase_add_test(descriptors, descriptors_come_in_order_with_the_line);
    tcase_add_test(descriptors, descriptors_wait_for_the_rest_of_their_line);
    tcase_add_test(descriptors, none_came);
    tcase_add_test(descriptors, what_the_taker_has_no_room_for_is_closed);
    tcase_add_test(descriptors, too_many_over_several_lines_are_closed);
    tcase_add_test(descriptors, too_many_with_one_line_are_closed);
    tcase_add_test(descriptors, descriptors_nobody_took_end_with_the_channel);
    tcase_add_test(descriptors, other_ancillary_data_is_no_descriptor);
    suite_add_tcase(suite, descriptors);
}

static void add_replies(Suite *suite)
{
    TCase *replies = tcase_create("replies");

    tcase_add_test(replies, a_reply_is_one_line);
    tcase_add_test(replies, a_reply_is_given_away);
    tcase_add_test(replies, a_reply_larger_than_the_socket_arrives_whole);
    tcase_add_test(replies, a_client_that_is_gone_is_an_error);
    tcase_add_test(replies, no_reply_is_an_error);
    suite_add_tcase(suite, replies);
}

int main(void)
{
    Suite *suite = suite_create("channel");
    SRunner *runner = srunner_create(suite);
    int failed;

    add_lines(suite);
    add_descriptors(suite);
    add_replies(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
