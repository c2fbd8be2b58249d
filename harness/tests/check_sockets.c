#include "send_window.h"
#include "sockets.h"

#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sockets: what filters mean, which are refused, and what is made of the kernel's answers. */

static int parse(const char *text, struct socket_filter *filter, struct reason *why)
{
    json_t *request = json_loads(text, 0, NULL);
    int status;

    ck_assert_msg(request != NULL, "not JSON: %s", text);
    why->text[0] = '\0';
    memset(filter, 0x55, sizeof *filter);
    status = socket_filter_parse(request, filter, why);
    json_decref(request);
    return status;
}

static struct socket_filter accepted(const char *text)
{
    struct socket_filter filter;
    struct reason why;

    ck_assert_msg(parse(text, &filter, &why) == 0, "%s: %s", text, why.text);
    return filter;
}

struct refusal {
    const char *text, *reason;
};

/* Refused, with a reason that begins so. */
static void refused(struct refusal refusal)
{
    struct socket_filter filter;
    struct reason why;

    ck_assert_msg(parse(refusal.text, &filter, &why) == -1, "accepted: %s", refusal.text);
    ck_assert_msg(strncmp(why.text, refusal.reason, strlen(refusal.reason)) == 0, "%s: %s",
                  refusal.text, why.text);
}

static uint32_t bit(int state)
{
    return UINT32_C(1) << state;
}

/* --- whole --- */

START_TEST(no_members_mean_every_inet_socket)
{
    const struct socket_filter filter = accepted("{\"id\": 7, \"do\": \"sockets\"}");

    ck_assert_int_eq(filter.family, AF_UNSPEC);
    ck_assert_int_eq(filter.type, 0);
    ck_assert_int_eq(filter.local, -1);
    ck_assert_int_eq(filter.remote, -1);
    ck_assert_int_eq(filter.local_host.family, AF_UNSPEC);
    ck_assert_int_eq(filter.remote_host.family, AF_UNSPEC);
    ck_assert_uint_eq(filter.states, 0);
    ck_assert_int_eq(filter.inode, -1);
    ck_assert_int_eq(filter.send_window, -1);
}
END_TEST

START_TEST(every_member_finds_its_place)
{
    const struct socket_filter filter =
        accepted("{\"family\": \"AF_INET\", \"type\": \"SOCK_STREAM\", \"local\": 9877, "
                 "\"remote\": 40000, \"local_host\": \"127.0.0.1\", \"remote_host\": "
                 "\"127.0.0.2\", \"state\": [\"LISTEN\"], \"inode\": 12, \"send_window\": 0}");

    ck_assert_int_eq(filter.family, AF_INET);
    ck_assert_int_eq(filter.type, SOCK_STREAM);
    ck_assert_int_eq(filter.local, 9877);
    ck_assert_int_eq(filter.remote, 40000);
    ck_assert_mem_eq(filter.local_host.bytes, "\x7f\0\0\x01", 4);
    ck_assert_mem_eq(filter.remote_host.bytes, "\x7f\0\0\x02", 4);
    ck_assert_uint_eq(filter.states, bit(TCP_LISTEN));
    ck_assert_int_eq(filter.inode, 12);
    ck_assert_int_eq(filter.send_window, 0);
}
END_TEST

/* --- words --- */

struct word {
    const char *name;
    int value;
};

static const struct word families[] = {
    {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_UNIX", AF_UNIX}};
static const struct word types[] = {{"SOCK_STREAM", SOCK_STREAM}, {"SOCK_DGRAM", SOCK_DGRAM}};

START_TEST(a_family_is_known_by_its_name)
{
    char text[64];

    snprintf(text, sizeof text, "{\"family\": \"%s\"}", families[_i].name);
    ck_assert_int_eq(accepted(text).family, families[_i].value);
}
END_TEST

START_TEST(a_type_is_known_by_its_name)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\": \"%s\"}", types[_i].name);
    ck_assert_int_eq(accepted(text).type, types[_i].value);
}
END_TEST

START_TEST(seqpacket_is_a_type_of_unix_sockets)
{
    ck_assert_int_eq(accepted("{\"family\": \"AF_UNIX\", \"type\": \"SOCK_SEQPACKET\"}").type,
                     SOCK_SEQPACKET);
    refused((struct refusal){"{\"type\": \"SOCK_SEQPACKET\"}", "type: "});
    refused((struct refusal){"{\"family\": \"AF_INET\", \"type\": \"SOCK_SEQPACKET\"}", "type: "});
}
END_TEST

static const struct refusal other_words[] = {
    {"{\"family\": \"AF_PACKET\"}",
     "family: expected AF_INET, AF_INET6 or AF_UNIX, got \"AF_PACKET\""},
    {"{\"family\": \"af_inet\"}", "family: "},
    {"{\"family\": \"\"}", "family: "},
    {"{\"family\": 2}", "family: expected AF_INET, AF_INET6 or AF_UNIX, got 2"},
    {"{\"family\": null}", "family: "},
    {"{\"family\": [\"AF_INET\"]}", "family: "},
    {"{\"type\": \"SOCK_RAW\"}", "type: expected SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET"},
    {"{\"type\": \"STREAM\"}", "type: "},
    {"{\"type\": 1}", "type: "},
    {"{\"type\": null}", "type: "},
    {"{\"type\": true}", "type: "},
};

START_TEST(other_words_are_refused)
{
    refused(other_words[_i]);
}
END_TEST

/* --- numbers --- */

struct numbers {
    const char *text;
    int local, remote;
    int64_t inode;
};

static const struct numbers numbers[] = {
    {"{\"local\": 0}", 0, -1, -1},
    {"{\"local\": 65535}", 65535, -1, -1},
    {"{\"remote\": 0}", -1, 0, -1},
    {"{\"remote\": 65535}", -1, 65535, -1},
    {"{\"inode\": 0}", -1, -1, 0},
    {"{\"inode\": 4294967295}", -1, -1, 4294967295},
    {"{\"local\": 1, \"remote\": 2, \"inode\": 3}", 1, 2, 3},
};

START_TEST(a_number_in_its_range_is_taken)
{
    const struct socket_filter filter = accepted(numbers[_i].text);

    ck_assert_int_eq(filter.local, numbers[_i].local);
    ck_assert_int_eq(filter.remote, numbers[_i].remote);
    ck_assert_int_eq(filter.inode, numbers[_i].inode);
}
END_TEST

static const struct refusal other_numbers[] = {
    {"{\"local\": -1}", "local: expected an integer from 0 to 65535, got -1"},
    {"{\"local\": 65536}", "local: "},
    {"{\"local\": 4294977173}", "local: "},
    {"{\"local\": 9877.0}", "local: "},
    {"{\"local\": \"9877\"}", "local: expected an integer from 0 to 65535, got \"9877\""},
    {"{\"local\": null}", "local: "},
    {"{\"local\": true}", "local: "},
    {"{\"local\": [1]}", "local: "},
    {"{\"remote\": -1}", "remote: "},
    {"{\"remote\": 65536}", "remote: "},
    {"{\"remote\": \"1\"}", "remote: "},
    {"{\"inode\": -1}", "inode: "},
    {"{\"inode\": 4294967296}", "inode: expected an integer from 0 to 4294967295"},
    {"{\"inode\": \"1\"}", "inode: "},
    {"{\"inode\": 1.5}", "inode: "},
    {"{\"inode\": null}", "inode: "},
    {"{\"send_window\": -1}", "send_window: expected an integer from 0 to 4294967295, got -1"},
    {"{\"send_window\": null}", "send_window: "},
};

START_TEST(other_numbers_are_refused)
{
    refused(other_numbers[_i]);
}
END_TEST

/* --- hosts --- */

START_TEST(an_address_is_compared_by_what_it_means)
{
    const struct socket_filter shorter = accepted("{\"local_host\": \"::1\"}");
    const struct socket_filter longer = accepted("{\"local_host\": \"0:0:0:0:0:0:0:1\"}");

    ck_assert_mem_eq(shorter.local_host.bytes, longer.local_host.bytes, 16);
}
END_TEST

START_TEST(an_address_fills_in_the_family)
{
    ck_assert_int_eq(accepted("{\"local_host\": \"127.0.0.1\"}").family, AF_INET);
    ck_assert_int_eq(accepted("{\"remote_host\": \"::\"}").family, AF_INET6);
    ck_assert_int_eq(accepted("{\"remote_host\": \"::ffff:127.0.0.1\"}").family, AF_INET6);
}
END_TEST

static const struct refusal other_hosts[] = {
    {"{\"local_host\": \"localhost\"}",
     "local_host: expected an IPv4 or IPv6 address, got \"localhost\""},
    {"{\"local_host\": \"127.1\"}", "local_host: "},
    {"{\"local_host\": \"\"}", "local_host: "},
    {"{\"local_host\": 2130706433}", "local_host: "},
    {"{\"local_host\": null}", "local_host: "},
    {"{\"remote_host\": \"127.0.0.256\"}", "remote_host: "},
    {"{\"remote_host\": \"[::1]\"}", "remote_host: "},
    {"{\"remote_host\": {\"host\": \"::1\"}}", "remote_host: "},
};

START_TEST(what_is_no_address_is_refused)
{
    refused(other_hosts[_i]);
}
END_TEST

static const struct refusal contradictions[] = {
    {"{\"family\": \"AF_INET\", \"local_host\": \"::1\"}",
     "local_host: expected an address of AF_INET"},
    {"{\"family\": \"AF_INET6\", \"remote_host\": \"127.0.0.1\"}",
     "remote_host: expected an address of AF_INET6"},
    {"{\"local_host\": \"::1\", \"remote_host\": \"127.0.0.1\"}",
     "remote_host: expected an address of AF_INET6"},
    {"{\"family\": \"AF_UNIX\", \"local\": 0}", "family: AF_UNIX sockets have neither"},
    {"{\"family\": \"AF_UNIX\", \"send_window\": 0}", "family: AF_UNIX sockets have neither"},
    {"{\"family\": \"AF_UNIX\", \"remote\": 1}", "family: AF_UNIX sockets have neither"},
    {"{\"family\": \"AF_UNIX\", \"local_host\": \"::1\"}", "family: AF_UNIX sockets have neither"},
    {"{\"family\": \"AF_UNIX\", \"remote_host\": \"::1\"}", "family: AF_UNIX sockets have neither"},
};

START_TEST(what_could_never_match_is_refused)
{
    refused(contradictions[_i]);
}
END_TEST

/* --- states --- */

enum { KERNEL_NEW_SYN_RECV = 12, KERNEL_BOUND_INACTIVE = 13 };

static const struct {
    const char *name;
    int number, other; /* other: 0 when one number is all it has */
} states[] = {
    {"LISTEN", TCP_LISTEN, 0},
    {"SYN_SENT", TCP_SYN_SENT, 0},
    {"SYN_RECEIVED", TCP_SYN_RECV, KERNEL_NEW_SYN_RECV},
    {"ESTABLISHED", TCP_ESTABLISHED, 0},
    {"FIN_WAIT1", TCP_FIN_WAIT1, 0},
    {"FIN_WAIT2", TCP_FIN_WAIT2, 0},
    {"CLOSE_WAIT", TCP_CLOSE_WAIT, 0},
    {"CLOSING", TCP_CLOSING, 0},
    {"LAST_ACK", TCP_LAST_ACK, 0},
    {"TIME_WAIT", TCP_TIME_WAIT, 0},
    {"CLOSED", TCP_CLOSE, KERNEL_BOUND_INACTIVE},
};

START_TEST(a_state_has_a_name_and_back)
{
    const uint32_t other = states[_i].other ? bit(states[_i].other) : 0;
    char text[64];

    snprintf(text, sizeof text, "{\"state\": [\"%s\"]}", states[_i].name);
    ck_assert_uint_eq(accepted(text).states, bit(states[_i].number) | other);
    ck_assert_str_eq(socket_state_name(states[_i].number), states[_i].name);
    if (states[_i].other)
        ck_assert_str_eq(socket_state_name(states[_i].other), states[_i].name);
}
END_TEST

START_TEST(numbers_without_a_state_have_no_name)
{
    ck_assert_ptr_null(socket_state_name(-1));
    ck_assert_ptr_null(socket_state_name(0));
    ck_assert_ptr_null(socket_state_name(KERNEL_BOUND_INACTIVE + 1));
    ck_assert_ptr_null(socket_state_name(INT32_MAX));
}
END_TEST

START_TEST(several_states_mean_any_of_them)
{
    ck_assert_uint_eq(accepted("{\"state\": [\"TIME_WAIT\", \"LISTEN\", \"TIME_WAIT\"]}").states,
                      bit(TCP_TIME_WAIT) | bit(TCP_LISTEN));
}
END_TEST

static const struct refusal other_states[] = {
    {"{\"state\": []}", "state: expected a list of states, at least one, got []"},
    {"{\"state\": \"LISTEN\"}", "state: expected a list of states"},
    {"{\"state\": null}", "state: "},
    {"{\"state\": {\"LISTEN\": 1}}", "state: "},
    {"{\"state\": [\"LISTENING\"]}", "state: expected LISTEN, ESTABLISHED, TIME_WAIT or another"},
    {"{\"state\": [\"LISTEN\", \"SYN_RECV\"]}", "state: "},
    {"{\"state\": [\"listen\"]}", "state: "},
    {"{\"state\": [\"\"]}", "state: "},
    {"{\"state\": [10]}", "state: "},
    {"{\"state\": [null]}", "state: "},
};

START_TEST(other_states_are_refused)
{
    refused(other_states[_i]);
}
END_TEST

/* --- dumps, from a kernel that is played by a child at the other end of a socket pair --- */

struct told {
    int flags, late; /* late: by how much its number differs from the question's */
    int family, state, local;
};

struct kernel {
    int socket;
    uint32_t sequence; /* of the question that it answers */
};

static bool is_asked(struct kernel *kernel)
{
    unsigned char request[512];
    struct nlmsghdr head;

    if (recv(kernel->socket, request, sizeof request, 0) < (ssize_t)sizeof head)
        return false;
    memcpy(&head, request, sizeof head);
    kernel->sequence = head.nlmsg_seq;
    return true;
}

static void tell(const struct kernel *kernel, struct told told)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_msg body;
    } message = {{sizeof message, SOCK_DIAG_BY_FAMILY, (uint16_t)told.flags,
                  kernel->sequence - (uint32_t)told.late, 0},
                 {.idiag_family = (uint8_t)told.family, .idiag_state = (uint8_t)told.state}};

    message.body.id.idiag_sport = htons((uint16_t)told.local);
    send(kernel->socket, &message, sizeof message, MSG_NOSIGNAL);
}

static void end_dump(const struct kernel *kernel, uint16_t type, int code)
{
    const struct {
        struct nlmsghdr head;
        struct nlmsgerr body;
    } message = {{sizeof message, type, NLM_F_MULTI, kernel->sequence, 0}, {.error = code}};

    send(kernel->socket, &message, sizeof message, MSG_NOSIGNAL);
}

/* What sockets_list makes of the answers of that kernel, to one question a dump. */
static json_t *list_from(void (*play)(struct kernel *kernel), struct reason *why)
{
    const struct socket_filter tcp = {
        .type = SOCK_STREAM, .local = -1, .remote = -1, .inode = -1, .send_window = -1};
    struct kernel kernel = {-1, 0};
    int ends[2] = {-1, -1}, status;
    json_t *list;
    pid_t child;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        kernel.socket = ends[1];
        close(ends[0]);
        play(&kernel);
        _exit(0);
    }
    close(ends[1]);
    list = sockets_list(ends[0], &tcp, why);
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return list;
}

static int port_at(const json_t *list, size_t index)
{
    json_t *local = json_object_get(json_array_get(list, index), "local");

    return (int)json_integer_value(json_object_get(local, "port"));
}

static void interrupt_once(struct kernel *kernel)
{
    if (is_asked(kernel)) {
        tell(kernel, (struct told){0, 0, AF_INET, TCP_LISTEN, 1});
        tell(kernel, (struct told){NLM_F_DUMP_INTR, 0, AF_INET, TCP_LISTEN, 2});
        end_dump(kernel, NLMSG_DONE, 0);
    }
    if (is_asked(kernel)) {
        tell(kernel, (struct told){0, 0, AF_INET, TCP_LISTEN, 3});
        end_dump(kernel, NLMSG_DONE, 0);
    }
}

START_TEST(an_interrupted_dump_is_taken_again)
{
    struct reason why;
    json_t *list = list_from(interrupt_once, &why);

    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_int_eq(port_at(list, 0), 3);
    json_decref(list);
}
END_TEST

static void interrupt_always(struct kernel *kernel)
{
    while (is_asked(kernel)) {
        tell(kernel, (struct told){NLM_F_DUMP_INTR, 0, AF_INET, TCP_LISTEN, 1});
        end_dump(kernel, NLMSG_DONE, 0);
    }
}

START_TEST(dumps_that_are_always_interrupted_are_given_up)
{
    struct reason why;

    ck_assert_ptr_null(list_from(interrupt_always, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "changed during each of"));
}
END_TEST

static void answer_late(struct kernel *kernel)
{
    if (is_asked(kernel)) {
        tell(kernel, (struct told){0, 1, AF_INET, TCP_LISTEN, 1});
        tell(kernel, (struct told){0, 0, AF_INET, TCP_LISTEN, 2});
        end_dump(kernel, NLMSG_DONE, 0);
    }
}

START_TEST(answers_to_an_earlier_question_do_not_count)
{
    struct reason why;
    json_t *list = list_from(answer_late, &why);

    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_int_eq(port_at(list, 0), 2);
    json_decref(list);
}
END_TEST

static void lack_module(struct kernel *kernel)
{
    if (is_asked(kernel))
        end_dump(kernel, NLMSG_ERROR, -ENOENT);
}

START_TEST(a_missing_module_is_named)
{
    struct reason why;

    ck_assert_ptr_null(list_from(lack_module, &why));
    ck_assert_str_eq(why.text, "sock_diag: the kernel lacks tcp_diag: load that module");
}
END_TEST

static void fail_at_end(struct kernel *kernel)
{
    if (is_asked(kernel)) {
        tell(kernel, (struct told){0, 0, AF_INET, TCP_LISTEN, 1});
        end_dump(kernel, NLMSG_DONE, -ENOMEM);
    }
}

START_TEST(a_dump_that_fails_is_no_list)
{
    struct reason why;

    ck_assert_ptr_null(list_from(fail_at_end, &why));
    ck_assert_str_eq(why.text, "sock_diag (tcp_diag): ENOMEM");
}
END_TEST

static void tell_mixed(struct kernel *kernel)
{
    if (is_asked(kernel)) {
        tell(kernel, (struct told){0, 0, AF_INET6, TCP_LISTEN, 1});
        tell(kernel, (struct told){0, 0, AF_INET, KERNEL_NEW_SYN_RECV, 9});
        tell(kernel, (struct told){0, 0, AF_INET, TCP_TIME_WAIT, 9});
        tell(kernel, (struct told){0, 0, AF_INET, TCP_LISTEN, 3});
        end_dump(kernel, NLMSG_DONE, 0);
    }
}

START_TEST(sockets_come_in_order_and_by_name)
{
    static const struct {
        const char *family, *state;
        int port;
    } order[] = {{"AF_INET", "LISTEN", 3},
                 {"AF_INET", "SYN_RECEIVED", 9},
                 {"AF_INET", "TIME_WAIT", 9},
                 {"AF_INET6", "LISTEN", 1}};
    struct reason why;
    json_t *list = list_from(tell_mixed, &why);

    ck_assert_uint_eq(json_array_size(list), sizeof order / sizeof *order);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const json_t *socket = json_array_get(list, i);

        ck_assert_str_eq(json_string_value(json_object_get(socket, "family")), order[i].family);
        ck_assert_str_eq(json_string_value(json_object_get(socket, "state")), order[i].state);
        ck_assert_int_eq(port_at(list, i), order[i].port);
    }
    json_decref(list);
}
END_TEST

START_TEST(a_kernel_of_old_does_not_tell_the_window)
{
    enum { BEFORE_5_4 = 57, OF_5_4, LATER = OF_5_4 + 10 };
    const uint32_t told[LATER] = {[BEFORE_5_4] = 4000000000, [OF_5_4] = 1};

    ck_assert_int_eq(send_window(told, 0), -1);
    ck_assert_int_eq(send_window(told, BEFORE_5_4 * sizeof *told), -1);
    ck_assert_int_eq(send_window(told, OF_5_4 * sizeof *told), 4000000000);
    ck_assert_int_eq(send_window(told, sizeof told), 4000000000);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof *(rows)))

static void add_filters(Suite *suite)
{
    TCase *whole = tcase_create("whole"), *words = tcase_create("words"),
          *figures = tcase_create("numbers"), *hosts = tcase_create("hosts"),
          *names = tcase_create("states");

    tcase_add_test(whole, no_members_mean_every_inet_socket);
    tcase_add_test(whole, every_member_finds_its_place);
    tcase_add_loop_test(words, a_family_is_known_by_its_name, 0, COUNT(families));
    tcase_add_loop_test(words, a_type_is_known_by_its_name, 0, COUNT(types));
    tcase_add_test(words, seqpacket_is_a_type_of_unix_sockets);
    tcase_add_loop_test(words, other_words_are_refused, 0, COUNT(other_words));
    tcase_add_loop_test(figures, a_number_in_its_range_is_taken, 0, COUNT(numbers));
    tcase_add_loop_test(figures, other_numbers_are_refused, 0, COUNT(other_numbers));
    tcase_add_test(hosts, an_address_is_compared_by_what_it_means);
    tcase_add_test(hosts, an_address_fills_in_the_family);
    tcase_add_loop_test(hosts, what_is_no_address_is_refused, 0, COUNT(other_hosts));
    tcase_add_loop_test(hosts, what_could_never_match_is_refused, 0, COUNT(contradictions));
    tcase_add_loop_test(names, a_state_has_a_name_and_back, 0, COUNT(states));
    tcase_add_test(names, numbers_without_a_state_have_no_name);
    tcase_add_test(names, several_states_mean_any_of_them);
    tcase_add_loop_test(names, other_states_are_refused, 0, COUNT(other_states));
    suite_add_tcase(suite, whole);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, figures);
    suite_add_tcase(suite, hosts);
    suite_add_tcase(suite, names);
}

static void add_dumps(Suite *suite)
{
    TCase *dumps = tcase_create("dumps");

    tcase_add_test(dumps, an_interrupted_dump_is_taken_again);
    tcase_add_test(dumps, dumps_that_are_always_interrupted_are_given_up);
    tcase_add_test(dumps, answers_to_an_earlier_question_do_not_count);
    tcase_add_test(dumps, a_missing_module_is_named);
    tcase_add_test(dumps, a_dump_that_fails_is_no_list);
    tcase_add_test(dumps, sockets_come_in_order_and_by_name);
    tcase_add_test(dumps, a_kernel_of_old_does_not_tell_the_window);
    suite_add_tcase(suite, dumps);
}

int main(void)
{
    Suite *suite = suite_create("sockets");
    SRunner *runner = srunner_create(suite);
    int failed;

    add_filters(suite);
    add_dumps(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
