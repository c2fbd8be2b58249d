#include "request.h"

#include "call.h"
#include "errno_name.h"
#include "request_net.h"
#include "request_value.h"
#include "signal_name.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const double default_deadline = 5.0, longest_deadline = 86400.0;

typedef int member_reader(json_t *value, struct request *request, struct reason *why);

/* Macros, as an enumeration has no room for so many bits. */
#define MEMBER(number) (UINT64_C(1) << (number))
#define MEMBER_DEADLINE MEMBER(0)
#define MEMBER_PROCESS MEMBER(1)
#define MEMBER_WATCH MEMBER(2)
#define MEMBER_SIGNAL MEMBER(3)
#define MEMBER_MOMENT MEMBER(4)
#define MEMBER_ACTION MEMBER(5)
#define MEMBER_SCOPE MEMBER(6)
#define MEMBER_TIMES MEMBER(7)
#define MEMBER_COUNT MEMBER(8)
#define MEMBER_GONE MEMBER(9)
#define MEMBER_AFTER MEMBER(10)
#define MEMBER_LIMIT MEMBER(11)
#define MEMBER_INODE MEMBER(12)
#define MEMBER_CALL MEMBER(13)
#define MEMBER_HOST MEMBER(14)
#define MEMBER_CWD MEMBER(15)
#define MEMBER_USER MEMBER(16)
#define MEMBER_DETACHABLE MEMBER(17)
#define MEMBER_RAW MEMBER(18)
#define MEMBER_FILTER MEMBER(19)
#define MEMBER_ARGV MEMBER(20)
#define MEMBER_ENV MEMBER(21)
#define MEMBER_LIMITS MEMBER(22)
#define MEMBER_SET MEMBER(23)
#define MEMBER_GET MEMBER(24)
#define MEMBER_KINDS MEMBER(25)
#define MEMBER_CALLS MEMBER(26)
#define MEMBER_NAME MEMBER(27)
#define MEMBER_CAPTURE MEMBER(28)
#define MEMBER_ENDS MEMBER(29)
#define MEMBER_MTU MEMBER(30)
#define MEMBER_NEIGHBOURS MEMBER(31)
#define MEMBER_WIRE MEMBER(32)
#define MEMBER_SIDE MEMBER(33)
#define MEMBER_DESTINATION MEMBER(34)
#define MEMBER_VIA MEMBER(35)
#define MEMBER_LINK MEMBER(36)
#define MEMBER_PREFIX MEMBER(37)
#define MEMBER_ADDRESS MEMBER(38)
#define MEMBER_MAC MEMBER(39)
#define MEMBER_CHANGE MEMBER(40)
#define MEMBER_ORDER MEMBER(41)
#define MEMBER_TO MEMBER(42)
#define MEMBER_FRAME MEMBER(43)
#define MEMBER_EMULATES MEMBER(44)
#define MEMBER_TO_COME MEMBER(45)
#define MEMBER_FAMILY MEMBER(46)

static const struct {
    const char *name;
    uint64_t required, optional;
} verbs[VERBS] = {
    [VERB_HELLO] = {"hello", 0, 0},
    [VERB_SYSCTL] = {"sysctl", 0, MEMBER_HOST | MEMBER_SET | MEMBER_GET},
    [VERB_START] = {"start", MEMBER_ARGV | MEMBER_ENV,
                    MEMBER_CWD | MEMBER_EMULATES | MEMBER_HOST | MEMBER_LIMITS | MEMBER_USER |
                        MEMBER_DETACHABLE | MEMBER_DEADLINE},
    [VERB_REACH] = {"reach", MEMBER_PROCESS | MEMBER_MOMENT, MEMBER_SCOPE | MEMBER_DEADLINE},
    [VERB_ARM] = {"arm", MEMBER_MOMENT | MEMBER_ACTION,
                  MEMBER_PROCESS | MEMBER_SCOPE | MEMBER_TIMES | MEMBER_TO_COME},
    [VERB_REACHED] = {"reached", MEMBER_WATCH, MEMBER_DEADLINE},
    [VERB_DISARM] = {"disarm", MEMBER_WATCH, 0},
    [VERB_RUN] = {"run", MEMBER_PROCESS, 0},
    [VERB_SIGNAL] = {"signal", MEMBER_PROCESS | MEMBER_SIGNAL, 0},
    [VERB_KILL] = {"kill", MEMBER_PROCESS | MEMBER_SIGNAL, MEMBER_DEADLINE},
    [VERB_ENDED] = {"ended", MEMBER_PROCESS, MEMBER_DEADLINE},
    [VERB_BLOCKED] = {"blocked", MEMBER_PROCESS | MEMBER_CALL, MEMBER_DEADLINE},
    [VERB_REST] = {"rest", 0, MEMBER_DEADLINE},
    [VERB_DETACH] = {"detach", MEMBER_PROCESS, 0},
    [VERB_PROCESSES] = {"processes", 0, 0},
    [VERB_SOCKETS] = {"sockets", 0, MEMBER_HOST | MEMBER_FILTER},
    [VERB_SOCKET] = {"socket", 0, MEMBER_HOST | MEMBER_FAMILY},
    [VERB_AWAIT] = {"await", 0,
                    MEMBER_HOST | MEMBER_FILTER | MEMBER_COUNT | MEMBER_GONE | MEMBER_DEADLINE},
    [VERB_HOLDERS] = {"holders", MEMBER_INODE, 0},
    [VERB_DESCRIPTORS] = {"descriptors", MEMBER_PROCESS, 0},
    [VERB_EVENTS] = {"events", 0,
                     MEMBER_AFTER | MEMBER_LIMIT | MEMBER_PROCESS | MEMBER_KINDS | MEMBER_CALLS |
                         MEMBER_RAW},
    [VERB_HOST] = {"host", MEMBER_NAME, MEMBER_CAPTURE},
    [VERB_WIRE] = {"wire", MEMBER_NAME | MEMBER_ENDS, MEMBER_MTU | MEMBER_NEIGHBOURS},
    [VERB_ADDRESS] = {"address", MEMBER_HOST | MEMBER_LINK | MEMBER_PREFIX, MEMBER_CHANGE},
    [VERB_NEIGHBOUR] = {"neighbour", MEMBER_HOST | MEMBER_LINK | MEMBER_ADDRESS | MEMBER_MAC,
                        MEMBER_CHANGE},
    [VERB_ROUTE] = {"route", MEMBER_HOST | MEMBER_DESTINATION | MEMBER_VIA, MEMBER_CHANGE},
    [VERB_CUT] = {"cut", MEMBER_WIRE, MEMBER_SIDE},
    [VERB_MEND] = {"mend", MEMBER_WIRE, MEMBER_SIDE},
    [VERB_PASS] = {"pass", MEMBER_WATCH, MEMBER_ORDER},
    [VERB_DISCARD] = {"discard", MEMBER_WATCH, 0},
    [VERB_FORGE] = {"forge", MEMBER_WIRE | MEMBER_TO | MEMBER_FRAME, 0},
    [VERB_CRASH] = {"crash", MEMBER_HOST, MEMBER_DEADLINE},
    [VERB_BOOT] = {"boot", MEMBER_HOST, 0},
    [VERB_END] = {"end", 0, 0},
};

const char *verb_name(enum verb verb)
{
    return verbs[verb].name;
}

static const struct {
    const char *name;
    int resource;
} limits[] = {
    {"as", RLIMIT_AS},       {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},   {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK}, {"memlock", RLIMIT_MEMLOCK},
};

int limit_resource(const char *name)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (strcmp(limits[i].name, name) == 0)
            return limits[i].resource;
    }
    return -1;
}

static int read_deadline(json_t *value, struct request *request, struct reason *why)
{
    const double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds > 0) || seconds > longest_deadline)
        return value_expected(why, "deadline", "seconds above 0 and at most 86400", value);
    request->deadline = seconds;
    return 0;
}

static int read_process(json_t *value, struct request *request, struct reason *why)
{
    return value_positive(value, "process", 1, &request->process, why);
}

static int read_watch(json_t *value, struct request *request, struct reason *why)
{
    return value_positive(value, "watch", 1, &request->watch, why);
}

static int signal_of(json_t *value, const char *member, int *out, struct reason *why)
{
    *out = json_is_string(value) ? signal_number(json_string_value(value)) : -1;
    return *out < 0 ? value_expected(why, member, "the name of a signal", value) : 0;
}

static int read_signal(json_t *value, struct request *request, struct reason *why)
{
    return signal_of(value, "signal", &request->signal, why);
}

static int call_word(json_t *value, const char *member, const char **out, struct reason *why)
{
    if (value_text(value, member, out, why) < 0)
        return -1;
    if (!call_word_known(*out))
        return because(why, "%s: \"%.*s\" is no call that is watched", member, value_excerpt(*out),
                       *out);
    return 0;
}

static int read_moment_call(json_t *value, struct moment *moment, struct reason *why)
{
    const char *word = "";

    if (call_word(value, "moment.call", &word, why) < 0)
        return -1;
    if (strlen(word) >= sizeof moment->call)
        return because(why, "moment.call: too long");
    memcpy(moment->call, word, strlen(word) + 1);
    return 0;
}

static int read_moment_class(json_t *value, struct moment *moment, struct reason *why)
{
    const int class = json_is_string(value) ? descriptor_class_of(json_string_value(value)) : -1;

    if (class < 0)
        return value_expected(
            why, "moment.on",
            "a class of descriptor (listening, connection, socket, pipe, file, tty, other, any)",
            value);
    moment->on = (enum descriptor_class) class;
    return 0;
}

/* The members that a moment of that kind may have besides "at" and "nth". */
static bool moment_takes(enum moment_kind kind, const char *key)
{
    const bool of_call = kind == MOMENT_ENTER || kind == MOMENT_LEAVE;

    if (strcmp(key, "at") == 0 || strcmp(key, "nth") == 0)
        return true;
    if (kind == MOMENT_SEGMENT)
        return segment_member(key);
    if (strcmp(key, "call") == 0 || strcmp(key, "on") == 0)
        return of_call;
    return strcmp(key, "signal") == 0 && kind == MOMENT_SIGNAL;
}

static int read_moment_member(const char *key, json_t *value, struct moment *moment,
                              struct reason *why)
{
    if (!moment_takes(moment->kind, key))
        return because(why, "moment: \"%.*s\" means nothing at \"%s\"", value_excerpt(key), key,
                       moment_kind_name(moment->kind));
    if (strcmp(key, "nth") == 0)
        return value_positive(value, "moment.nth", 1, &moment->nth, why);
    if (segment_member(key))
        return read_segment_member(key, value, &moment->segment, why);
    if (strcmp(key, "call") == 0)
        return read_moment_call(value, moment, why);
    if (strcmp(key, "on") == 0)
        return read_moment_class(value, moment, why);
    if (strcmp(key, "signal") == 0)
        return signal_of(value, "moment.signal", &moment->signal, why);
    return 0;
}

static int read_moment(json_t *value, struct request *request, struct reason *why)
{
    struct moment *moment = &request->moment;
    json_t *at = json_object_get(value, "at");
    const int kind = json_is_string(at) ? moment_kind_of(json_string_value(at)) : -1;
    const char *key;
    json_t *member;

    if (!json_is_object(value))
        return value_expected(why, "moment", "an object", value);
    if (!at)
        return because(why, "moment: \"at\" is missing");
    if (kind < 0)
        return value_expected(why, "moment.at",
                              "enter, leave, signal, fork, born, exec, exit or segment", at);
    *moment = (struct moment){.kind = (enum moment_kind)kind, .nth = 1};
    json_object_foreach(value, key, member)
    {
        if (read_moment_member(key, member, moment, why) < 0)
            return -1;
    }
    if ((kind == MOMENT_ENTER || kind == MOMENT_LEAVE) && !*moment->call)
        return because(why, "moment: \"%s\" needs \"call\"", moment_kind_name(moment->kind));
    return 0;
}

static int read_errno(json_t *name, struct action *action, struct reason *why)
{
    const int error = json_is_string(name) ? errno_number(json_string_value(name)) : -1;

    action->kind = ACTION_RESULT;
    action->result = -error;
    return error <= 0 ? value_expected(why, "action.errno", "the name of an errno", name) : 0;
}

static int read_injection(json_t *value, struct action *action, struct reason *why)
{
    json_t *error = json_object_get(value, "errno"), *most = json_object_get(value, "short");
    json_t *result = json_object_get(value, "value");
    json_int_t number = 0;

    if (json_object_size(value) != 2 || (!error && !most && !result))
        return because(why, "action: inject takes one of \"errno\", \"value\" and \"short\"");
    if (error)
        return read_errno(error, action, why);
    if (most) {
        action->kind = ACTION_SHORT;
        if (value_integer(most, "action.short", 0, INT_MAX, &number, why) < 0)
            return -1;
        action->length = (uint64_t)number;
        return 0;
    }
    action->kind = ACTION_RESULT;
    if (value_integer(result, "action.value", 0, INT_MAX, &number, why) < 0)
        return -1;
    action->result = number;
    return 0;
}

static int read_delay(json_t *value, struct action *action, struct reason *why)
{
    json_t *seconds = json_object_get(value, "seconds");
    const double delay = json_number_value(seconds);

    if (json_object_size(value) != 2 || !json_is_number(seconds) || !(delay > 0) ||
        delay > longest_deadline)
        return because(why, "action: delay takes \"seconds\" above 0 and at most 86400");
    action->kind = ACTION_DELAY;
    action->delay = (uint64_t)(delay * 1e9);
    return 0;
}

static int read_kill(json_t *value, struct action *action, struct reason *why)
{
    action->kind = ACTION_KILL;
    if (json_object_size(value) != 2 || !json_object_get(value, "signal"))
        return because(why, "action: kill takes \"signal\"");
    return signal_of(json_object_get(value, "signal"), "action.signal", &action->signal, why);
}

static int read_action(json_t *value, struct request *request, struct reason *why)
{
    static const char words[] = "hold, kill, inject, detach, drop, duplicate or delay";
    static const struct {
        const char *word;
        enum action_kind kind;                                                 /* without more */
        int (*read)(json_t *value, struct action *action, struct reason *why); /* else NULL */
    } rows[] = {
        {"hold", ACTION_HOLD, NULL},
        {"kill", ACTION_KILL, read_kill},
        {"inject", ACTION_RESULT, read_injection},
        {"detach", ACTION_DETACH, NULL},
        {"drop", ACTION_DROP, NULL},
        {"duplicate", ACTION_DUPLICATE, NULL},
        {"delay", ACTION_DELAY, read_delay},
    };
    const char *word = json_string_value(json_object_get(value, "do"));

    for (size_t i = 0; word && i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].word, word) != 0)
            continue;
        if (rows[i].read)
            return rows[i].read(value, &request->action, why);
        request->action.kind = rows[i].kind;
        return json_object_size(value) == 1 ? 0
                                            : because(why, "action: %s takes nothing else", word);
    }
    if (!word)
        return value_expected(
            why, "action",
            "an object with \"do\": hold, kill, inject, detach, drop, duplicate or "
            "delay",
            value);
    return because(why, "action.do: expected %s, got \"%.*s\"", words, value_excerpt(word), word);
}

static int read_scope(json_t *value, struct request *request, struct reason *why)
{
    static const char *const names[] = {
        [SCOPE_PROCESS] = "process", [SCOPE_TREE] = "tree", [SCOPE_CHILDREN] = "children"};

    for (int i = 0; json_is_string(value) && i <= SCOPE_CHILDREN; i++) {
        if (strcmp(names[i], json_string_value(value)) == 0) {
            request->scope = (enum scope)i;
            return 0;
        }
    }
    return value_expected(why, "scope", "process, tree or children", value);
}

static int read_times(json_t *value, struct request *request, struct reason *why)
{
    return value_positive(value, "times", 0, &request->times, why);
}

static int read_count(json_t *value, struct request *request, struct reason *why)
{
    return value_positive(value, "count", 1, &request->count, why);
}

static int read_gone(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "gone", &request->gone, why);
}

static int read_after(json_t *value, struct request *request, struct reason *why)
{
    json_int_t after = 0;

    if (value_integer(value, "after", 0, LLONG_MAX, &after, why) < 0)
        return -1;
    request->after = (uint64_t)after;
    return 0;
}

static int read_limit(json_t *value, struct request *request, struct reason *why)
{
    return value_integer(value, "limit", 1, LLONG_MAX, &request->limit, why);
}

static int read_inode(json_t *value, struct request *request, struct reason *why)
{
    json_int_t inode = 0;

    if (value_integer(value, "inode", 1, UINT32_MAX, &inode, why) < 0)
        return -1;
    request->inode = (uint64_t)inode;
    return 0;
}

static int read_call(json_t *value, struct request *request, struct reason *why)
{
    return call_word(value, "call", &request->call, why);
}

static int read_host(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "host", &request->host, why);
}

static int read_cwd(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "cwd", &request->cwd, why);
}

static int read_emulates(json_t *value, struct request *request, struct reason *why)
{
    return value_text(value, "emulates", &request->emulates, why);
}

static int read_user(json_t *value, struct request *request, struct reason *why)
{
    return value_integer(value, "user", 0, UINT32_MAX - 1, &request->user, why);
}

static int read_detachable(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "detachable", &request->detachable, why);
}

static int read_to_come(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "to_come", &request->to_come, why);
}

static int read_family(json_t *value, struct request *request, struct reason *why)
{
    const char *name = json_is_string(value) ? json_string_value(value) : "";

    request->family = strcmp(name, "AF_INET") == 0    ? AF_INET
                      : strcmp(name, "AF_INET6") == 0 ? AF_INET6
                                                      : AF_UNSPEC;
    return request->family == AF_UNSPEC
               ? value_expected(why, "family", "AF_INET or AF_INET6", value)
               : 0;
}

static int read_raw(json_t *value, struct request *request, struct reason *why)
{
    return value_boolean(value, "raw", &request->raw, why);
}

static int read_argv(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    if (value_texts(value, "argv", why) < 0)
        return -1;
    if (json_array_size(value) == 0 || *json_string_value(json_array_get(value, 0)) != '/')
        return value_expected(why, "argv", "the program's absolute path first", value);
    return 0;
}

static int read_env(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return value_pairs(value, "env", why);
}

static int read_limits(json_t *value, struct request *request, struct reason *why)
{
    const char *key;
    json_t *item;

    (void)request;
    if (!json_is_object(value))
        return value_expected(why, "limits", "an object", value);
    json_object_foreach(value, key, item)
    {
        char place[32];
        json_int_t soft = 0, hard = 0;

        if (limit_resource(key) < 0)
            return because(why, "limits: \"%.*s\" is no limit (nofile, nproc, as, fsize, …)",
                           value_excerpt(key), key);
        snprintf(place, sizeof place, "limits.%s", key);
        if (!json_is_array(item) || json_array_size(item) != 2)
            return value_expected(why, place, "[soft, hard]", item);
        if (value_integer(json_array_get(item, 0), place, 0, LLONG_MAX, &soft, why) < 0 ||
            value_integer(json_array_get(item, 1), place, soft, LLONG_MAX, &hard, why) < 0)
            return -1;
    }
    return 0;
}

static int read_set(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return value_pairs(value, "set", why);
}

static int read_get(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return value_texts(value, "get", why);
}

static int read_kinds(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return value_texts(value, "kinds", why);
}

static int read_calls(json_t *value, struct request *request, struct reason *why)
{
    size_t index;
    json_t *item;

    (void)request;
    if (value_texts(value, "calls", why) < 0)
        return -1;
    json_array_foreach(value, index, item)
    {
        if (!call_word_known(json_string_value(item)))
            return because(why, "calls: \"%.*s\" is no call that is watched",
                           value_excerpt(json_string_value(item)), json_string_value(item));
    }
    return 0;
}

static const struct {
    const char *name;
    uint64_t member;
    member_reader *read; /* NULL: part of the filter, which is read as a whole */
} members[] = {
    {"deadline", MEMBER_DEADLINE, read_deadline},
    {"process", MEMBER_PROCESS, read_process},
    {"watch", MEMBER_WATCH, read_watch},
    {"signal", MEMBER_SIGNAL, read_signal},
    {"moment", MEMBER_MOMENT, read_moment},
    {"action", MEMBER_ACTION, read_action},
    {"scope", MEMBER_SCOPE, read_scope},
    {"times", MEMBER_TIMES, read_times},
    {"count", MEMBER_COUNT, read_count},
    {"gone", MEMBER_GONE, read_gone},
    {"after", MEMBER_AFTER, read_after},
    {"limit", MEMBER_LIMIT, read_limit},
    {"call", MEMBER_CALL, read_call},
    {"host", MEMBER_HOST, read_host},
    {"cwd", MEMBER_CWD, read_cwd},
    {"emulates", MEMBER_EMULATES, read_emulates},
    {"user", MEMBER_USER, read_user},
    {"detachable", MEMBER_DETACHABLE, read_detachable},
    {"raw", MEMBER_RAW, read_raw},
    {"to_come", MEMBER_TO_COME, read_to_come},
    {"family", MEMBER_FAMILY, read_family},
    {"argv", MEMBER_ARGV, read_argv},
    {"env", MEMBER_ENV, read_env},
    {"limits", MEMBER_LIMITS, read_limits},
    {"set", MEMBER_SET, read_set},
    {"get", MEMBER_GET, read_get},
    {"kinds", MEMBER_KINDS, read_kinds},
    {"calls", MEMBER_CALLS, read_calls},
    {"name", MEMBER_NAME, read_name},
    {"capture", MEMBER_CAPTURE, read_capture},
    {"ends", MEMBER_ENDS, read_ends},
    {"mtu", MEMBER_MTU, read_mtu},
    {"neighbours", MEMBER_NEIGHBOURS, read_neighbours},
    {"wire", MEMBER_WIRE, read_wire},
    {"side", MEMBER_SIDE, read_side},
    {"via", MEMBER_VIA, read_via},
    {"link", MEMBER_LINK, read_link},
    {"mac", MEMBER_MAC, read_mac},
    {"change", MEMBER_CHANGE, read_change},
    {"order", MEMBER_ORDER, read_order},
    {"frame", MEMBER_FRAME, read_frame},
    /* Of a route it is addresses, of a forged packet a host. */
    {"to", MEMBER_DESTINATION, read_destination},
    {"to", MEMBER_TO, read_to},
    /* With its network's prefix, or without. */
    {"address", MEMBER_PREFIX, read_prefix},
    {"address", MEMBER_ADDRESS, read_address},
    {"family", MEMBER_FILTER, NULL},
    {"type", MEMBER_FILTER, NULL},
    {"local", MEMBER_FILTER, NULL},
    {"remote", MEMBER_FILTER, NULL},
    {"local_host", MEMBER_FILTER, NULL},
    {"remote_host", MEMBER_FILTER, NULL},
    {"state", MEMBER_FILTER, NULL},
    {"timer", MEMBER_FILTER, NULL},
    {"send_window", MEMBER_FILTER, NULL},
    /* A filter's member, and what `holders` asks about. */
    {"inode", MEMBER_FILTER, NULL},
    {"inode", MEMBER_INODE, read_inode},
};

enum { MEMBER_ROWS = sizeof members / sizeof *members };

static int row_of(const char *name, uint64_t allowed)
{
    for (int i = 0; i < MEMBER_ROWS; i++) {
        if ((members[i].member & allowed) && strcmp(members[i].name, name) == 0)
            return i;
    }
    return -1;
}

static const char *first_name(uint64_t member)
{
    for (int i = 0; i < MEMBER_ROWS; i++) {
        if (members[i].member & member)
            return members[i].name;
    }
    return "?";
}

static int read_members(struct request *request, struct reason *why)
{
    const uint64_t allowed = verbs[request->verb].required | verbs[request->verb].optional;
    uint64_t missing = verbs[request->verb].required;
    const char *key;
    json_t *value;

    json_object_foreach(request->members, key, value)
    {
        int row;

        if (strcmp(key, "id") == 0 || strcmp(key, "do") == 0)
            continue;
        row = row_of(key, allowed);
        if (row < 0)
            return because(why, "\"%.*s\" is no member of this request", value_excerpt(key), key);
        if (members[row].read && members[row].read(value, request, why) < 0)
            return -1;
        missing &= ~members[row].member;
    }
    if (missing)
        return because(why, "\"%s\" is missing", first_name(missing & (~missing + 1)));
    if (allowed & MEMBER_FILTER)
        return socket_filter_parse(request->members, &request->filter, why);
    return 0;
}

static int read_verb(struct request *request, struct reason *why)
{
    json_t *word = json_object_get(request->members, "do");

    for (int i = 0; json_is_string(word) && i < VERBS; i++) {
        if (strcmp(verbs[i].name, json_string_value(word)) == 0) {
            request->verb = (enum verb)i;
            return 0;
        }
    }
    request->verb = VERBS;
    if (!word)
        return because(why, "\"do\" is missing");
    return value_expected(why, "do", "a verb", word);
}

static bool for_segments(enum action_kind kind)
{
    return kind == ACTION_DROP || kind == ACTION_DUPLICATE || kind == ACTION_DELAY;
}

/* A segment is of no process, everything else of one. */
static int check_subject(const struct request *request, struct reason *why)
{
    const bool segment = request->moment.kind == MOMENT_SEGMENT;

    if (!segment && for_segments(request->action.kind))
        return because(why, "action: drop, duplicate and delay need a moment at \"segment\"");
    if (segment && request->action.kind != ACTION_HOLD && !for_segments(request->action.kind))
        return because(why, "action: at \"segment\" there are hold, drop, duplicate and delay");
    if (!segment && !request->process)
        return because(why, "\"process\" is missing");
    if (segment && (request->process || json_object_get(request->members, "scope")))
        return because(why, "a segment is of no process: leave \"process\" and \"scope\" out");
    if (request->to_come && (segment || request->action.kind == ACTION_DETACH))
        return because(why, "\"to_come\" is for moments of processes, and not for detach");
    return 0;
}

/* What only the members together can tell. */
static int check_sense(const struct request *request, struct reason *why)
{
    const bool injects =
        request->action.kind == ACTION_RESULT || request->action.kind == ACTION_SHORT;

    if (request->verb == VERB_ARM && check_subject(request, why) < 0)
        return -1;
    if (request->verb == VERB_REACH && request->moment.kind == MOMENT_SEGMENT)
        return because(why, "moment: a segment is of no process: arm it");
    if (request->verb == VERB_ROUTE && request->route.kind == ROUTE_VIA &&
        request->route.via.family != request->route.to.family)
        return because(why, "\"to\" and \"via\" are of different families");
    if (request->verb == VERB_ARM && injects && request->moment.kind != MOMENT_ENTER)
        return because(why, "action: inject needs a moment at \"enter\"");
    if (request->verb == VERB_ARM && request->action.kind == ACTION_DETACH &&
        request->scope != SCOPE_PROCESS)
        return because(why, "action: detach needs the scope \"process\"");
    if (request->gone && json_object_get(request->members, "count"))
        return because(why, "\"count\" and \"gone\" exclude each other");
    return 0;
}

int request_parse(const char *line, size_t length, struct request *request, struct reason *why)
{
    json_error_t error;
    json_t *id;

    *request = (struct request){.deadline = default_deadline,
                                .times = 1,
                                .count = 1,
                                .user = -1,
                                .host = "host",
                                .family = AF_INET,
                                .plan = {.mtu = 1500, .neighbours = true},
                                .verb = VERBS};
    request->members = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!request->members)
        return because(why, "not JSON: %.200s at column %d", error.text, error.column);
    if (!json_is_object(request->members))
        return value_expected(why, "request", "an object", request->members);
    id = json_object_get(request->members, "id");
    if (!id)
        return because(why, "\"id\" is missing");
    if (!json_is_integer(id))
        return value_expected(why, "id", "an integer", id);
    request->has_id = true;
    request->id = json_integer_value(id);
    if (read_verb(request, why) < 0 || read_members(request, why) < 0)
        return -1;
    return check_sense(request, why);
}

void request_free(struct request *request)
{
    json_decref(request->members);
    request->members = NULL;
}
