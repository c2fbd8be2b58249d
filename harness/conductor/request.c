#include "request.h"

#include "call.h"
#include "errno_name.h"
#include "signal_name.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const double default_deadline = 5.0, longest_deadline = 86400.0;

typedef int member_reader(json_t *value, struct request *request, struct reason *why);

enum member {
    MEMBER_DEADLINE = 1 << 0,
    MEMBER_PROCESS = 1 << 1,
    MEMBER_WATCH = 1 << 2,
    MEMBER_SIGNAL = 1 << 3,
    MEMBER_MOMENT = 1 << 4,
    MEMBER_ACTION = 1 << 5,
    MEMBER_SCOPE = 1 << 6,
    MEMBER_TIMES = 1 << 7,
    MEMBER_COUNT = 1 << 8,
    MEMBER_GONE = 1 << 9,
    MEMBER_AFTER = 1 << 10,
    MEMBER_LIMIT = 1 << 11,
    MEMBER_INODE = 1 << 12,
    MEMBER_CALL = 1 << 13,
    MEMBER_HOST = 1 << 14,
    MEMBER_CWD = 1 << 15,
    MEMBER_USER = 1 << 16,
    MEMBER_DETACHABLE = 1 << 17,
    MEMBER_RAW = 1 << 18,
    MEMBER_FILTER = 1 << 19,
    MEMBER_ARGV = 1 << 20,
    MEMBER_ENV = 1 << 21,
    MEMBER_LIMITS = 1 << 22,
    MEMBER_SET = 1 << 23,
    MEMBER_GET = 1 << 24,
    MEMBER_KINDS = 1 << 25,
    MEMBER_CALLS = 1 << 26,
};

static const struct {
    const char *name;
    unsigned required, optional;
} verbs[VERBS] = {
    [VERB_HELLO] = {"hello", 0, 0},
    [VERB_SYSCTL] = {"sysctl", 0, MEMBER_HOST | MEMBER_SET | MEMBER_GET},
    [VERB_START] = {"start", MEMBER_ARGV | MEMBER_ENV,
                    MEMBER_CWD | MEMBER_HOST | MEMBER_LIMITS | MEMBER_USER | MEMBER_DETACHABLE |
                        MEMBER_DEADLINE},
    [VERB_REACH] = {"reach", MEMBER_PROCESS | MEMBER_MOMENT, MEMBER_SCOPE | MEMBER_DEADLINE},
    [VERB_ARM] = {"arm", MEMBER_PROCESS | MEMBER_MOMENT | MEMBER_ACTION,
                  MEMBER_SCOPE | MEMBER_TIMES},
    [VERB_REACHED] = {"reached", MEMBER_WATCH, MEMBER_DEADLINE},
    [VERB_DISARM] = {"disarm", MEMBER_WATCH, 0},
    [VERB_RUN] = {"run", MEMBER_PROCESS, 0},
    [VERB_SIGNAL] = {"signal", MEMBER_PROCESS | MEMBER_SIGNAL, 0},
    [VERB_KILL] = {"kill", MEMBER_PROCESS | MEMBER_SIGNAL, MEMBER_DEADLINE},
    [VERB_ENDED] = {"ended", MEMBER_PROCESS, MEMBER_DEADLINE},
    [VERB_BLOCKED] = {"blocked", MEMBER_PROCESS | MEMBER_CALL, MEMBER_DEADLINE},
    [VERB_DETACH] = {"detach", MEMBER_PROCESS, 0},
    [VERB_PROCESSES] = {"processes", 0, 0},
    [VERB_SOCKETS] = {"sockets", 0, MEMBER_HOST | MEMBER_FILTER},
    [VERB_AWAIT] = {"await", 0,
                    MEMBER_HOST | MEMBER_FILTER | MEMBER_COUNT | MEMBER_GONE | MEMBER_DEADLINE},
    [VERB_HOLDERS] = {"holders", MEMBER_INODE, 0},
    [VERB_DESCRIPTORS] = {"descriptors", MEMBER_PROCESS, 0},
    [VERB_EVENTS] = {"events", 0,
                     MEMBER_AFTER | MEMBER_LIMIT | MEMBER_PROCESS | MEMBER_KINDS | MEMBER_CALLS |
                         MEMBER_RAW},
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

/* What came instead, for the message: short values as they are, long ones by kind. */
static const char *shown(json_t *value, char *text, size_t size)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    const size_t length = json_dumpb(value, text, size - 1, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    if (length == 0 || length >= size)
        return kinds[json_typeof(value)];
    text[length] = '\0';
    return text;
}

static int expected(struct reason *why, const char *member, const char *what, json_t *value)
{
    char came[80];

    return because(why, "%s: expected %s, got %s", member, what, shown(value, came, sizeof came));
}

/* How many bytes of a word that the client chose go into a message, as the precision of %.*s: at
 * most 40, and no part of a character, for a reply must be UTF-8. */
static int excerpt(const char *word)
{
    enum { MOST = 40 };
    int length = (int)strnlen(word, MOST + 1);

    if (length <= MOST)
        return length;
    do
        length--;
    while (length > 0 && ((unsigned char)word[length] & 0xC0) == 0x80);
    return length;
}

static int integer(json_t *value, const char *member, json_int_t least, json_int_t most,
                   json_int_t *out, struct reason *why)
{
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        char came[80];

        return because(why, "%s: expected an integer from %lld to %lld, got %s", member,
                       (long long)least, (long long)most, shown(value, came, sizeof came));
    }
    *out = json_integer_value(value);
    return 0;
}

static int positive(json_t *value, const char *member, int least, int *out, struct reason *why)
{
    json_int_t number = 0;

    if (integer(value, member, least, INT_MAX, &number, why) < 0)
        return -1;
    *out = (int)number;
    return 0;
}

static int text(json_t *value, const char *member, const char **out, struct reason *why)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return expected(why, member, "a text", value);
    *out = json_string_value(value);
    return 0;
}

static int boolean(json_t *value, const char *member, bool *out, struct reason *why)
{
    if (!json_is_boolean(value))
        return expected(why, member, "true or false", value);
    *out = json_boolean_value(value);
    return 0;
}

static int read_deadline(json_t *value, struct request *request, struct reason *why)
{
    const double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds > 0) || seconds > longest_deadline)
        return expected(why, "deadline", "seconds above 0 and at most 86400", value);
    request->deadline = seconds;
    return 0;
}

static int read_process(json_t *value, struct request *request, struct reason *why)
{
    return positive(value, "process", 1, &request->process, why);
}

static int read_watch(json_t *value, struct request *request, struct reason *why)
{
    return positive(value, "watch", 1, &request->watch, why);
}

static int signal_of(json_t *value, const char *member, int *out, struct reason *why)
{
    *out = json_is_string(value) ? signal_number(json_string_value(value)) : -1;
    return *out < 0 ? expected(why, member, "the name of a signal", value) : 0;
}

static int read_signal(json_t *value, struct request *request, struct reason *why)
{
    return signal_of(value, "signal", &request->signal, why);
}

static int call_word(json_t *value, const char *member, const char **out, struct reason *why)
{
    if (text(value, member, out, why) < 0)
        return -1;
    if (!call_word_known(*out))
        return because(why, "%s: \"%.*s\" is no call that is watched", member, excerpt(*out), *out);
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
        return expected(
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
    if (strcmp(key, "call") == 0 || strcmp(key, "on") == 0)
        return of_call;
    return strcmp(key, "signal") == 0 && kind == MOMENT_SIGNAL;
}

static int read_moment_member(const char *key, json_t *value, struct moment *moment,
                              struct reason *why)
{
    if (!moment_takes(moment->kind, key))
        return because(why, "moment: \"%.*s\" means nothing at \"%s\"", excerpt(key), key,
                       moment_kind_name(moment->kind));
    if (strcmp(key, "nth") == 0)
        return positive(value, "moment.nth", 1, &moment->nth, why);
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
        return expected(why, "moment", "an object", value);
    if (!at)
        return because(why, "moment: \"at\" is missing");
    if (kind < 0)
        return expected(why, "moment.at", "enter, leave, signal, fork, born, exec or exit", at);
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

static int read_injection(json_t *value, struct action *action, struct reason *why)
{
    json_t *error = json_object_get(value, "errno"), *most = json_object_get(value, "short");
    json_int_t length = 0;

    if (json_object_size(value) != 2 || (!error && !most))
        return because(why, "action: inject takes either \"errno\" or \"short\"");
    if (most) {
        action->kind = ACTION_SHORT;
        if (integer(most, "action.short", 0, INT_MAX, &length, why) < 0)
            return -1;
        action->length = (uint64_t)length;
        return 0;
    }
    action->kind = ACTION_ERRNO;
    action->error = json_is_string(error) ? errno_number(json_string_value(error)) : -1;
    return action->error <= 0 ? expected(why, "action.errno", "the name of an errno", error) : 0;
}

static int read_action(json_t *value, struct request *request, struct reason *why)
{
    static const char *const plain[] = {[ACTION_HOLD] = "hold", [ACTION_DETACH] = "detach"};
    struct action *action = &request->action;
    const char *word = json_string_value(json_object_get(value, "do"));

    if (!json_is_object(value) || !word)
        return expected(why, "action", "an object with \"do\": hold, kill, inject or detach",
                        value);
    if (strcmp(word, "inject") == 0)
        return read_injection(value, action, why);
    if (strcmp(word, "kill") == 0) {
        action->kind = ACTION_KILL;
        if (json_object_size(value) != 2 || !json_object_get(value, "signal"))
            return because(why, "action: kill takes \"signal\"");
        return signal_of(json_object_get(value, "signal"), "action.signal", &action->signal, why);
    }
    action->kind = strcmp(word, plain[ACTION_HOLD]) == 0 ? ACTION_HOLD : ACTION_DETACH;
    if (strcmp(word, plain[action->kind]) != 0)
        return because(why, "action.do: expected hold, kill, inject or detach, got \"%.*s\"",
                       excerpt(word), word);
    if (json_object_size(value) != 1)
        return because(why, "action: %s takes nothing else", word);
    return 0;
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
    return expected(why, "scope", "process, tree or children", value);
}

static int read_times(json_t *value, struct request *request, struct reason *why)
{
    return positive(value, "times", 0, &request->times, why);
}

static int read_count(json_t *value, struct request *request, struct reason *why)
{
    return positive(value, "count", 1, &request->count, why);
}

static int read_gone(json_t *value, struct request *request, struct reason *why)
{
    return boolean(value, "gone", &request->gone, why);
}

static int read_after(json_t *value, struct request *request, struct reason *why)
{
    json_int_t after = 0;

    if (integer(value, "after", 0, LLONG_MAX, &after, why) < 0)
        return -1;
    request->after = (uint64_t)after;
    return 0;
}

static int read_limit(json_t *value, struct request *request, struct reason *why)
{
    return integer(value, "limit", 1, LLONG_MAX, &request->limit, why);
}

static int read_inode(json_t *value, struct request *request, struct reason *why)
{
    json_int_t inode = 0;

    if (integer(value, "inode", 1, UINT32_MAX, &inode, why) < 0)
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
    return text(value, "host", &request->host, why);
}

static int read_cwd(json_t *value, struct request *request, struct reason *why)
{
    return text(value, "cwd", &request->cwd, why);
}

static int read_user(json_t *value, struct request *request, struct reason *why)
{
    return integer(value, "user", 0, UINT32_MAX - 1, &request->user, why);
}

static int read_detachable(json_t *value, struct request *request, struct reason *why)
{
    return boolean(value, "detachable", &request->detachable, why);
}

static int read_raw(json_t *value, struct request *request, struct reason *why)
{
    return boolean(value, "raw", &request->raw, why);
}

static int texts(json_t *value, const char *member, struct reason *why)
{
    size_t index;
    json_t *item;

    if (!json_is_array(value))
        return expected(why, member, "an array of texts", value);
    json_array_foreach(value, index, item)
    {
        if (!json_is_string(item))
            return expected(why, member, "an array of texts", value);
    }
    return 0;
}

static int pairs(json_t *value, const char *member, struct reason *why)
{
    const char *key;
    json_t *item;

    if (!json_is_object(value))
        return expected(why, member, "an object of texts", value);
    json_object_foreach(value, key, item)
    {
        if (!json_is_string(item) || !*key || strchr(key, '='))
            return expected(why, member, "an object of texts with names free of =", value);
    }
    return 0;
}

static int read_argv(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    if (texts(value, "argv", why) < 0)
        return -1;
    if (json_array_size(value) == 0 || *json_string_value(json_array_get(value, 0)) != '/')
        return expected(why, "argv", "the program's absolute path first", value);
    return 0;
}

static int read_env(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return pairs(value, "env", why);
}

static int read_limits(json_t *value, struct request *request, struct reason *why)
{
    const char *key;
    json_t *item;

    (void)request;
    if (!json_is_object(value))
        return expected(why, "limits", "an object", value);
    json_object_foreach(value, key, item)
    {
        char place[32];
        json_int_t soft = 0, hard = 0;

        if (limit_resource(key) < 0)
            return because(why, "limits: \"%.*s\" is no limit (nofile, nproc, as, fsize, …)",
                           excerpt(key), key);
        snprintf(place, sizeof place, "limits.%s", key);
        if (!json_is_array(item) || json_array_size(item) != 2)
            return expected(why, place, "[soft, hard]", item);
        if (integer(json_array_get(item, 0), place, 0, LLONG_MAX, &soft, why) < 0 ||
            integer(json_array_get(item, 1), place, soft, LLONG_MAX, &hard, why) < 0)
            return -1;
    }
    return 0;
}

static int read_set(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return pairs(value, "set", why);
}

static int read_get(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return texts(value, "get", why);
}

static int read_kinds(json_t *value, struct request *request, struct reason *why)
{
    (void)request;
    return texts(value, "kinds", why);
}

static int read_calls(json_t *value, struct request *request, struct reason *why)
{
    size_t index;
    json_t *item;

    (void)request;
    if (texts(value, "calls", why) < 0)
        return -1;
    json_array_foreach(value, index, item)
    {
        if (!call_word_known(json_string_value(item)))
            return because(why, "calls: \"%.*s\" is no call that is watched",
                           excerpt(json_string_value(item)), json_string_value(item));
    }
    return 0;
}

static const struct {
    const char *name;
    unsigned member;
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
    {"user", MEMBER_USER, read_user},
    {"detachable", MEMBER_DETACHABLE, read_detachable},
    {"raw", MEMBER_RAW, read_raw},
    {"argv", MEMBER_ARGV, read_argv},
    {"env", MEMBER_ENV, read_env},
    {"limits", MEMBER_LIMITS, read_limits},
    {"set", MEMBER_SET, read_set},
    {"get", MEMBER_GET, read_get},
    {"kinds", MEMBER_KINDS, read_kinds},
    {"calls", MEMBER_CALLS, read_calls},
    {"family", MEMBER_FILTER, NULL},
    {"type", MEMBER_FILTER, NULL},
    {"local", MEMBER_FILTER, NULL},
    {"remote", MEMBER_FILTER, NULL},
    {"local_host", MEMBER_FILTER, NULL},
    {"remote_host", MEMBER_FILTER, NULL},
    {"state", MEMBER_FILTER, NULL},
    {"timer", MEMBER_FILTER, NULL},
    /* The only word with two meanings: a filter's member, and what `holders` asks about. */
    {"inode", MEMBER_FILTER, NULL},
    {"inode", MEMBER_INODE, read_inode},
};

enum { MEMBER_ROWS = sizeof members / sizeof *members };

static int row_of(const char *name, unsigned allowed)
{
    for (int i = 0; i < MEMBER_ROWS; i++) {
        if ((members[i].member & allowed) && strcmp(members[i].name, name) == 0)
            return i;
    }
    return -1;
}

static const char *first_name(unsigned member)
{
    for (int i = 0; i < MEMBER_ROWS; i++) {
        if (members[i].member & member)
            return members[i].name;
    }
    return "?";
}

static int read_members(struct request *request, struct reason *why)
{
    const unsigned allowed = verbs[request->verb].required | verbs[request->verb].optional;
    unsigned missing = verbs[request->verb].required;
    const char *key;
    json_t *value;

    json_object_foreach(request->members, key, value)
    {
        int row;

        if (strcmp(key, "id") == 0 || strcmp(key, "do") == 0)
            continue;
        row = row_of(key, allowed);
        if (row < 0)
            return because(why, "\"%.*s\" is no member of this request", excerpt(key), key);
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
    return expected(why, "do", "a verb", word);
}

/* What only the members together can tell. */
static int check_sense(const struct request *request, struct reason *why)
{
    const bool injects =
        request->action.kind == ACTION_ERRNO || request->action.kind == ACTION_SHORT;

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
                                .verb = VERBS};
    request->members = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!request->members)
        return because(why, "not JSON: %.200s at column %d", error.text, error.column);
    if (!json_is_object(request->members))
        return expected(why, "request", "an object", request->members);
    id = json_object_get(request->members, "id");
    if (!id)
        return because(why, "\"id\" is missing");
    if (!json_is_integer(id))
        return expected(why, "id", "an integer", id);
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
