#include "request.h"

#include "errno_name.h"
#include "signal_name.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Reading requests: what is accepted and what it then says, what is refused and why. Tables write '
 * for ", to be legible. */

enum { LONG_LINE = 1 << 20 };

/* --- reading a line --- */

/* The line stands in a block of exactly its size, which is gone when the request is looked at: so a
 * sanitizer sees a step beyond it, and a text that was borrowed from it. */
static int parse_bytes(const char *line, size_t length, struct request *request, struct reason *why)
{
    char *block = malloc(length ? length : 1);
    int status;

    ck_assert_ptr_nonnull(block);
    memcpy(block, line, length);
    *why = (struct reason){.text = ""};
    status = request_parse(block, length, request, why);
    free(block);
    ck_assert_int_eq(*why->text != '\0', status < 0);
    return status;
}

static int parse(const char *line, struct request *request, struct reason *why)
{
    char *text = strdup(line);
    int status;

    ck_assert_ptr_nonnull(text);
    for (char *at = text; (at = strchr(at, '\''));)
        *at = '"';
    status = parse_bytes(text, strlen(text), request, why);
    free(text);
    return status;
}

static void ck_assert_refused(const char *line, const char *reason)
{
    struct request request;
    struct reason why;

    ck_assert_msg(parse(line, &request, &why) < 0, "accepted: %s", line);
    for (char *at = why.text; (at = strchr(at, '"'));)
        *at = '\'';
    ck_assert_msg(strcmp(why.text, reason) == 0, "%s\nexpected: %s\ngot:      %s", line, reason,
                  why.text);
    request_free(&request);
}

/* --- a request in words: the verb, then whatever is not as when left out --- */

static void write_moment(FILE *out, const struct moment *moment)
{
    fprintf(out, " moment=%s", moment_kind_name(moment->kind));
    if (*moment->call)
        fprintf(out, ",%s", moment->call);
    if (moment->on != CLASS_ANY)
        fprintf(out, ",%s", descriptor_class_name(moment->on));
    if (moment->signal)
        fprintf(out, ",%s", signal_name(moment->signal));
    if (moment->kind == MOMENT_SEGMENT) {
        char words[128];

        segment_pattern_describe(&moment->segment, words, sizeof words);
        fprintf(out, ",%s", words);
    }
    fprintf(out, ",%d", moment->nth);
}

static void write_action(FILE *out, const struct action *action)
{
    switch (action->kind) {
    case ACTION_HOLD:
        fprintf(out, " hold");
        break;
    case ACTION_KILL:
        fprintf(out, " kill=%s", signal_name(action->signal));
        break;
    case ACTION_RESULT:
        if (action->result < 0)
            fprintf(out, " errno=%s", errno_name((int)-action->result));
        else
            fprintf(out, " value=%lld", (long long)action->result);
        break;
    case ACTION_SHORT:
        fprintf(out, " short=%llu", (unsigned long long)action->length);
        break;
    case ACTION_DETACH:
        fprintf(out, " detach");
        break;
    case ACTION_DROP:
        fprintf(out, " drop");
        break;
    case ACTION_DUPLICATE:
        fprintf(out, " duplicate");
        break;
    case ACTION_DELAY:
        fprintf(out, " delay=%llu", (unsigned long long)action->delay);
        break;
    }
}

static void write_numbers(FILE *out, const struct request *request)
{
    const struct {
        const char *name;
        long long value, left_out;
    } numbers[] = {
        {"process", request->process, 0},
        {"watch", request->watch, 0},
        {"scope", (long long)request->scope, SCOPE_PROCESS},
        {"times", request->times, 1},
        {"count", request->count, 1},
        {"gone", request->gone, false},
        {"after", (long long)request->after, 0},
        {"limit", request->limit, 0},
        {"inode", (long long)request->inode, 0},
        {"user", request->user, -1},
        {"detachable", request->detachable, false},
        {"to_come", request->to_come, false},
        {"raw", request->raw, false},
        {"capture", request->capture, false},
        {"remove", request->remove, false},
        {"reversed", request->reversed, false},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value != numbers[i].left_out)
            fprintf(out, " %s=%lld", numbers[i].name, numbers[i].value);
}

static void write_texts(FILE *out, const struct request *request)
{
    if (request->signal)
        fprintf(out, " signal=%s", signal_name(request->signal));
    if (request->call)
        fprintf(out, " call=%s", request->call);
    if (strcmp(request->host, "host") != 0)
        fprintf(out, " host=%s", request->host);
    if (request->cwd)
        fprintf(out, " cwd=%s", request->cwd);
    if (request->emulates)
        fprintf(out, " emulates=%s", request->emulates);
}

static void write_filter(FILE *out, const struct socket_filter *filter)
{
    if (filter->local >= 0)
        fprintf(out, " local=%d", filter->local);
    if (filter->remote >= 0)
        fprintf(out, " remote=%d", filter->remote);
    if (filter->inode >= 0)
        fprintf(out, " filter.inode=%lld", (long long)filter->inode);
}

static void write_address(FILE *out, const char *name, const struct address *address)
{
    char text[ADDRESS_TEXT_ROOM];

    address_text(address, text);
    fprintf(out, " %s=%s", name, text);
}

static void write_plan(FILE *out, const struct wire_plan *plan)
{
    if (plan->mtu != 1500)
        fprintf(out, " mtu=%d", plan->mtu);
    if (!plan->neighbours)
        fprintf(out, " neighbours=0");
    for (int side = 0; side < 2; side++) {
        const struct wire_end_plan *end = &plan->ends[side];
        char mac[MAC_TEXT_ROOM];

        fprintf(out, " end=%s,%s", end->host, end->link);
        mac_text(end->mac, mac);
        if (end->has_mac)
            fprintf(out, ",%s", mac);
        for (int i = 0; i < end->count; i++)
            write_address(out, "with", &end->addresses[i]);
    }
}

static void write_route(FILE *out, const struct route *route)
{
    write_address(out, "to", &route->to);
    if (route->kind == ROUTE_VIA)
        write_address(out, "via", &route->via);
    else
        fprintf(out, " kind=%d", (int)route->kind);
}

static void write_neighbour(FILE *out, const struct neighbour *neighbour)
{
    char mac[MAC_TEXT_ROOM];

    mac_text(neighbour->mac, mac);
    write_address(out, "neighbour", &neighbour->address);
    fprintf(out, " mac=%s", mac);
}

/* What only the verbs about hosts and wires have. */
static void write_net(FILE *out, const struct request *request)
{
    const struct {
        const char *name, *value;
    } texts[] = {{"name", request->plan.name}, {"wire", request->wire}, {"side", request->side},
                 {"link", request->link},      {"to", request->to},     {"frame", request->frame}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].value)
            fprintf(out, " %s=%s", texts[i].name, texts[i].value);
    if (request->verb == VERB_WIRE)
        write_plan(out, &request->plan);
    if (request->verb == VERB_ADDRESS)
        write_address(out, "address", &request->address);
    if (request->verb == VERB_NEIGHBOUR)
        write_neighbour(out, &request->neighbour);
    if (request->verb == VERB_ROUTE)
        write_route(out, &request->route);
}

static char *in_words(const struct request *request)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    fprintf(out, "%s", verb_name(request->verb));
    if (request->deadline != 5.0)
        fprintf(out, " deadline=%g", request->deadline);
    write_numbers(out, request);
    write_texts(out, request);
    if (request->moment.nth)
        write_moment(out, &request->moment);
    if (request->verb == VERB_ARM)
        write_action(out, &request->action);
    if (request->verb == VERB_SOCKETS || request->verb == VERB_AWAIT)
        write_filter(out, &request->filter);
    write_net(out, request);
    fclose(out);
    return text;
}

static void ck_assert_says(const char *line, const char *words)
{
    struct request request;
    struct reason why;
    char *text;

    ck_assert_msg(parse(line, &request, &why) == 0, "refused: %s\nreason: %s", line, why.text);
    text = in_words(&request);
    ck_assert_msg(strcmp(text, words) == 0, "%s\nexpected: %s\ngot:      %s", line, words, text);
    free(text);
    request_free(&request);
}

/* --- good requests --- */

#define AT_EXIT "'process': 2, 'moment': {'at': 'exit'}"
#define AT_ENTER "'process': 2, 'moment': {'at': 'enter', 'call': 'write'}"

static const struct {
    const char *line, *words;
} good[] = {
    {"{'id': 7, 'do': 'hello'}", "hello"},
    {"{'do': 'hello', 'id': 7}", "hello"},
    {" \t{ 'id' : 7 , 'do' : 'hello' }\r ", "hello"},

    {"{'id': 7, 'do': 'sysctl'}", "sysctl"},
    {"{'id': 7, 'do': 'sysctl', 'host': 'far', 'set': {'net.ipv4.tcp_fin_timeout': '2'}, "
     "'get': ['net.core.somaxconn']}",
     "sysctl host=far"},
    {"{'id': 7, 'do': 'sysctl', 'set': {}, 'get': []}", "sysctl"},

    {"{'id': 7, 'do': 'start', 'argv': ['/bin/true'], 'env': {}}", "start"},
    {"{'id': 7, 'do': 'start', 'argv': ['/bin/echo', ''], 'env': {'A': '', 'LANG': 'C'}, "
     "'cwd': '/tmp', 'host': 'far', 'limits': {'nofile': [8, 16]}, 'user': 1000, "
     "'detachable': true}",
     "start user=1000 detachable=1 host=far cwd=/tmp"},
    {"{'id': 7, 'do': 'start', 'argv': ['/a', '/b'], 'env': {}, 'emulates': 'b'}",
     "start emulates=b"},
    {"{'id': 7, 'do': 'start', 'argv': ['/a'], 'env': {}, 'user': 0, 'detachable': false, "
     "'limits': {}}",
     "start user=0"},
    {"{'id': 7, 'do': 'start', 'argv': ['/a'], 'env': {}, 'user': 4294967294}",
     "start user=4294967294"},
    {"{'id': 7, 'do': 'start', 'argv': ['/a'], 'env': {}, 'limits': {'as': [0, "
     "9223372036854775807], 'core': [0, 0], 'cpu': [1, 2], 'stack': [3, 3]}}",
     "start"},

    {"{'id': 7, 'do': 'reach', " AT_EXIT "}", "reach process=2 moment=exit,1"},
    {"{'id': 7, 'do': 'reach', " AT_EXIT ", 'scope': 'tree', 'deadline': 0.5}",
     "reach deadline=0.5 process=2 scope=1 moment=exit,1"},
    {"{'id': 7, 'do': 'reach', " AT_EXIT ", 'scope': 'children', 'deadline': 86400}",
     "reach deadline=86400 process=2 scope=2 moment=exit,1"},
    {"{'id': 7, 'do': 'reach', " AT_EXIT ", 'scope': 'process', 'deadline': 1e-6}",
     "reach deadline=1e-06 process=2 moment=exit,1"},

    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'hold'}}",
     "arm process=2 moment=exit,1 hold"},
    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'kill', 'signal': 'SIGKILL'}, "
     "'scope': 'children', 'times': 0}",
     "arm process=2 scope=2 times=0 moment=exit,1 kill=SIGKILL"},
    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'signal': 'SIGRTMIN+2', 'do': 'kill'}, "
     "'times': 2147483647}",
     "arm process=2 times=2147483647 moment=exit,1 kill=SIGRTMIN+2"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'inject', 'errno': 'EMFILE'}}",
     "arm process=2 moment=enter,write,1 errno=EMFILE"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'inject', 'value': 0}}",
     "arm process=2 moment=enter,write,1 value=0"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'inject', 'short': 3}}",
     "arm process=2 moment=enter,write,1 short=3"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'inject', 'short': 0}, "
     "'scope': 'tree'}",
     "arm process=2 scope=1 moment=enter,write,1 short=0"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'detach'}, 'scope': 'process'}",
     "arm process=2 moment=enter,write,1 detach"},

    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'hold'}, 'to_come': true}",
     "arm process=2 to_come=1 moment=exit,1 hold"},

    {"{'id': 7, 'do': 'rest'}", "rest"},
    {"{'id': 7, 'do': 'rest', 'deadline': 1}", "rest deadline=1"},
    {"{'id': 7, 'do': 'socket', 'host': 'far', 'family': 'AF_INET6'}", "socket host=far"},

    {"{'id': 7, 'do': 'reached', 'watch': 1}", "reached watch=1"},
    {"{'id': 7, 'do': 'reached', 'watch': 2147483647, 'deadline': 1}",
     "reached deadline=1 watch=2147483647"},
    {"{'id': 7, 'do': 'disarm', 'watch': 4}", "disarm watch=4"},
    {"{'id': 7, 'do': 'run', 'process': 2147483647}", "run process=2147483647"},
    {"{'id': 7, 'do': 'signal', 'process': 3, 'signal': 'SIGINT'}",
     "signal process=3 signal=SIGINT"},
    {"{'id': 7, 'do': 'kill', 'process': 3, 'signal': 'SIGTERM', 'deadline': 2}",
     "kill deadline=2 process=3 signal=SIGTERM"},
    {"{'id': 7, 'do': 'ended', 'process': 3, 'deadline': 2}", "ended deadline=2 process=3"},
    {"{'id': 7, 'do': 'blocked', 'process': 3, 'call': 'accept'}", "blocked process=3 call=accept"},
    {"{'id': 7, 'do': 'detach', 'process': 3}", "detach process=3"},
    {"{'id': 7, 'do': 'processes'}", "processes"},

    {"{'id': 7, 'do': 'sockets'}", "sockets"},
    {"{'id': 7, 'do': 'sockets', 'host': 'far', 'local': 9877, 'remote': 40000, 'inode': 5}",
     "sockets host=far local=9877 remote=40000 filter.inode=5"},
    {"{'id': 7, 'do': 'await', 'local': 9877}", "await local=9877"},
    {"{'id': 7, 'do': 'await', 'count': 2147483647, 'deadline': 3}",
     "await deadline=3 count=2147483647"},
    {"{'id': 7, 'do': 'await', 'gone': true, 'host': 'far'}", "await gone=1 host=far"},
    {"{'id': 7, 'do': 'await', 'gone': false, 'count': 2}", "await count=2"},
    {"{'id': 7, 'do': 'holders', 'inode': 4294967295}", "holders inode=4294967295"},
    {"{'id': 7, 'do': 'descriptors', 'process': 3}", "descriptors process=3"},

    {"{'id': 7, 'do': 'events'}", "events"},
    {"{'id': 7, 'do': 'events', 'after': 12, 'limit': 9, 'process': 1, 'kinds': ['leave'], "
     "'calls': ['accept', 'close'], 'raw': true}",
     "events process=1 after=12 limit=9 raw=1"},
    {"{'id': 7, 'do': 'events', 'after': 9223372036854775807, 'limit': 9223372036854775807, "
     "'kinds': [], 'calls': [], 'raw': false}",
     "events after=9223372036854775807 limit=9223372036854775807"},
    {"{'id': 7, 'do': 'end'}", "end"},

    {"{'id': 7, 'do': 'arm', 'moment': {'at': 'segment'}, 'action': {'do': 'drop'}, 'times': 0}",
     "arm times=0 moment=segment,,1 drop"},
    {"{'id': 7, 'do': 'arm', 'moment': {'at': 'segment', 'nth': 2, 'wire': 'w', 'from': 'far', "
     "'flags': ['SYN', 'ACK'], 'without': ['RST'], 'protocol': 'tcp', 'source_port': 1, "
     "'destination_port': 65535, 'payload': false}, 'action': {'do': 'hold'}}",
     "arm moment=segment,of tcp with SYN+ACK without RST without data from port 1 to port 65535 "
     "from far on w,2 hold"},
    {"{'id': 7, 'do': 'arm', 'moment': {'at': 'segment', 'payload': true}, 'action': {'do': "
     "'duplicate'}}",
     "arm moment=segment,with data,1 duplicate"},
    {"{'id': 7, 'do': 'arm', 'moment': {'at': 'segment', 'protocol': 'arp'}, 'action': {'do': "
     "'delay', 'seconds': 0.01}}",
     "arm moment=segment,of arp,1 delay=10000000"},

    {"{'id': 7, 'do': 'host', 'name': 'far'}", "host name=far"},
    {"{'id': 7, 'do': 'host', 'name': 'a.b_c-1', 'capture': true}", "host capture=1 name=a.b_c-1"},
    {"{'id': 7, 'do': 'wire', 'name': 'w', 'ends': [{'host': 'a', 'link': 'e'}, {'link': 'f', "
     "'host': 'b'}]}",
     "wire name=w end=a,e end=b,f"},
    {"{'id': 7, 'do': 'wire', 'name': 'w', 'mtu': 68, 'neighbours': false, 'ends': [{'host': 'a', "
     "'link': 'e', 'mac': '02:00:00:0A:bc:ff', 'addresses': ['10.0.0.1/24', 'fd00::1/64']}, "
     "{'host': 'b', 'link': 'e', 'addresses': []}]}",
     "wire name=w mtu=68 neighbours=0 end=a,e,02:00:00:0a:bc:ff with=10.0.0.1/24 with=fd00::1/64 "
     "end=b,e"},
    {"{'id': 7, 'do': 'address', 'host': 'a', 'link': 'e', 'address': '10.0.0.1/24'}",
     "address host=a link=e address=10.0.0.1/24"},
    {"{'id': 7, 'do': 'address', 'host': 'a', 'link': 'e', 'address': '::1/0', 'change': 'remove'}",
     "address remove=1 host=a link=e address=::1/0"},
    {"{'id': 7, 'do': 'neighbour', 'host': 'a', 'link': 'e', 'address': 'fd00::2', 'mac': "
     "'02:00:00:00:00:01', 'change': 'add'}",
     "neighbour host=a link=e neighbour=fd00::2/128 mac=02:00:00:00:00:01"},
    {"{'id': 7, 'do': 'route', 'host': 'a', 'to': '0.0.0.0/0', 'via': '10.0.0.2'}",
     "route host=a to=0.0.0.0/0 via=10.0.0.2/32"},
    {"{'id': 7, 'do': 'route', 'host': 'a', 'to': 'fd00::/8', 'via': 'prohibit', 'change': "
     "'remove'}",
     "route remove=1 host=a to=fd00::/8 kind=2"},
    {"{'id': 7, 'do': 'cut', 'wire': 'w'}", "cut wire=w"},
    {"{'id': 7, 'do': 'mend', 'wire': 'w', 'side': 'a'}", "mend wire=w side=a"},
    {"{'id': 7, 'do': 'pass', 'watch': 3, 'order': 'reversed'}", "pass watch=3 reversed=1"},
    {"{'id': 7, 'do': 'pass', 'watch': 3, 'order': 'arrival'}", "pass watch=3"},
    {"{'id': 7, 'do': 'discard', 'watch': 3}", "discard watch=3"},
    {"{'id': 7, 'do': 'forge', 'wire': 'w', 'to': 'a', "
     "'frame': '4500000000000000000000000000000000000000'}",
     "forge wire=w to=a frame=4500000000000000000000000000000000000000"},
    {"{'id': 7, 'do': 'crash', 'host': 'a', 'deadline': 2}", "crash deadline=2 host=a"},
    {"{'id': 7, 'do': 'boot', 'host': 'a'}", "boot host=a"},
};
enum { GOOD = sizeof good / sizeof good[0] };

START_TEST(a_good_request_says_what_was_meant)
{
    ck_assert_says(good[_i].line, good[_i].words);
}
END_TEST

START_TEST(texts_stay_with_the_request)
{
    struct request request;
    struct reason why;
    const json_t *argv;

    ck_assert_int_eq(parse("{'id': 7, 'do': 'start', 'argv': ['/a', 'b'], 'env': {'A': '\\u20ac'}}",
                           &request, &why),
                     0);
    argv = json_object_get(request.members, "argv");
    ck_assert_str_eq(json_string_value(json_array_get(argv, 1)), "b");
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(request.members, "env"), "A")), "€");
    request_free(&request);
    ck_assert_ptr_null(request.members);
}
END_TEST

/* --- moments --- */

static const struct {
    const char *moment, *words;
} moments[] = {
    {"{'at': 'enter', 'call': 'accept'}", "enter,accept,1"},
    {"{'at': 'leave', 'call': 'accept4', 'nth': 3}", "leave,accept4,3"},
    {"{'nth': 2147483647, 'call': 'read', 'at': 'enter'}", "enter,read,2147483647"},
    {"{'at': 'enter', 'call': 'read', 'on': 'listening'}", "enter,read,listening,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'connection'}", "enter,read,connection,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'socket'}", "enter,read,socket,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'pipe'}", "enter,read,pipe,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'file'}", "enter,read,file,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'tty'}", "enter,read,tty,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'other'}", "enter,read,other,1"},
    {"{'at': 'enter', 'call': 'read', 'on': 'any'}", "enter,read,1"},
    {"{'at': 'signal'}", "signal,1"},
    {"{'at': 'signal', 'signal': 'SIGCHLD', 'nth': 2}", "signal,SIGCHLD,2"},
    {"{'at': 'fork', 'nth': 2}", "fork,2"},
    {"{'at': 'born'}", "born,1"},
    {"{'at': 'exec'}", "exec,1"},
    {"{'at': 'exit'}", "exit,1"},
};
enum { MOMENTS = sizeof moments / sizeof moments[0] };

START_TEST(a_moment_says_what_was_meant)
{
    char line[256], words[128];

    snprintf(line, sizeof line, "{'id': 7, 'do': 'reach', 'process': 2, 'moment': %s}",
             moments[_i].moment);
    snprintf(words, sizeof words, "reach process=2 moment=%s", moments[_i].words);
    ck_assert_says(line, words);
}
END_TEST

/* --- which members a verb takes --- */

/* A value that is good for each member, and one that no verb knows. */
static const struct {
    const char *name, *value;
} members[] = {
    {"deadline", "1"},
    {"process", "1"},
    {"watch", "1"},
    {"signal", "'SIGINT'"},
    {"moment", "{'at': 'exit'}"},
    {"action", "{'do': 'hold'}"},
    {"scope", "'tree'"},
    {"times", "2"},
    {"count", "2"},
    {"gone", "true"},
    {"after", "1"},
    {"limit", "1"},
    {"call", "'accept'"},
    {"host", "'host'"},
    {"cwd", "'/'"},
    {"emulates", "'server'"},
    {"user", "1"},
    {"detachable", "true"},
    {"to_come", "true"},
    {"raw", "true"},
    {"argv", "['/bin/true']"},
    {"env", "{}"},
    {"limits", "{}"},
    {"set", "{}"},
    {"get", "[]"},
    {"kinds", "['enter']"},
    {"calls", "['accept']"},
    {"family", "'AF_INET'"},
    {"type", "'SOCK_STREAM'"},
    {"local", "9877"},
    {"remote", "9877"},
    {"local_host", "'127.0.0.1'"},
    {"remote_host", "'127.0.0.1'"},
    {"state", "['LISTEN']"},
    {"timer", "'persist'"},
    {"send_window", "0"},
    {"inode", "5"},
    {"name", "'far'"},
    {"capture", "true"},
    {"ends", "[{'host': 'a', 'link': 'e'}, {'host': 'b', 'link': 'e'}]"},
    {"mtu", "1500"},
    {"neighbours", "true"},
    {"wire", "'w'"},
    {"side", "'host'"},
    {"to", "'10.0.1.0/24'"}, /* to forge it is a name that there is not */
    {"via", "'10.0.0.1'"},
    {"link", "'eth0'"},
    {"address", "'10.0.0.1/24'"},
    {"mac", "'02:00:00:00:00:01'"},
    {"change", "'add'"},
    {"order", "'reversed'"},
    {"frame", "'4500000000000000000000000000000000000000'"},
    {"bogus", "1"},
    {"Process", "1"},
    {"", "1"},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

#define FILTER                                                                                     \
    "family", "type", "local", "remote", "local_host", "remote_host", "state", "timer", "inode",   \
        "send_window"

/* PROTOCOL.md, verbs. */
static const struct {
    const char *name, *required[5], *optional[16];
} verbs[VERBS] = {
    [VERB_HELLO] = {"hello", {NULL}, {NULL}},
    [VERB_SYSCTL] = {"sysctl", {NULL}, {"host", "set", "get"}},
    [VERB_START] = {"start",
                    {"argv", "env"},
                    {"cwd", "host", "limits", "user", "detachable", "emulates", "deadline"}},
    [VERB_REACH] = {"reach", {"process", "moment"}, {"scope", "deadline"}},
    [VERB_ARM] = {"arm", {"process", "moment", "action"}, {"scope", "times", "to_come"}},
    [VERB_REACHED] = {"reached", {"watch"}, {"deadline"}},
    [VERB_DISARM] = {"disarm", {"watch"}, {NULL}},
    [VERB_RUN] = {"run", {"process"}, {NULL}},
    [VERB_SIGNAL] = {"signal", {"process", "signal"}, {NULL}},
    [VERB_KILL] = {"kill", {"process", "signal"}, {"deadline"}},
    [VERB_ENDED] = {"ended", {"process"}, {"deadline"}},
    [VERB_BLOCKED] = {"blocked", {"process", "call"}, {"deadline"}},
    [VERB_REST] = {"rest", {NULL}, {"deadline"}},
    [VERB_SOCKET] = {"socket", {NULL}, {"host", "family"}},
    [VERB_DETACH] = {"detach", {"process"}, {NULL}},
    [VERB_PROCESSES] = {"processes", {NULL}, {NULL}},
    [VERB_SOCKETS] = {"sockets", {NULL}, {"host", FILTER}},
    [VERB_AWAIT] = {"await", {NULL}, {"host", "count", "gone", "deadline", FILTER}},
    [VERB_HOLDERS] = {"holders", {"inode"}, {NULL}},
    [VERB_DESCRIPTORS] = {"descriptors", {"process"}, {NULL}},
    [VERB_EVENTS] = {"events", {NULL}, {"after", "limit", "process", "kinds", "calls", "raw"}},
    [VERB_HOST] = {"host", {"name"}, {"capture"}},
    [VERB_WIRE] = {"wire", {"name", "ends"}, {"mtu", "neighbours"}},
    [VERB_ADDRESS] = {"address", {"host", "link", "address"}, {"change"}},
    [VERB_NEIGHBOUR] = {"neighbour", {"host", "link", "address", "mac"}, {"change"}},
    [VERB_ROUTE] = {"route", {"host", "to", "via"}, {"change"}},
    [VERB_CUT] = {"cut", {"wire"}, {"side"}},
    [VERB_MEND] = {"mend", {"wire"}, {"side"}},
    [VERB_PASS] = {"pass", {"watch"}, {"order"}},
    [VERB_DISCARD] = {"discard", {"watch"}, {NULL}},
    [VERB_FORGE] = {"forge", {"wire", "to", "frame"}, {NULL}},
    [VERB_CRASH] = {"crash", {"host"}, {"deadline"}},
    [VERB_BOOT] = {"boot", {"host"}, {NULL}},
    [VERB_END] = {"end", {NULL}, {NULL}},
};

static bool among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const char *good_value(int verb, const char *name)
{
    if (verb == VERB_NEIGHBOUR && strcmp(name, "address") == 0)
        return "'10.0.0.1'";
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].value;
    ck_abort_msg("no value for %s", name);
    return NULL;
}

/* A request of that verb with its required members but for `without`, and with one more, or one
 * that has that value instead of a good one. Either may be NULL. */
static char *compose(int verb, const char *without, const char *with, const char *value)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    fprintf(out, "{'id': 7, 'do': '%s'", verbs[verb].name);
    for (const char *const *name = verbs[verb].required; *name; name++)
        if (!(without && strcmp(*name, without) == 0) && !(with && strcmp(*name, with) == 0))
            fprintf(out, ", '%s': %s", *name, good_value(verb, *name));
    if (with)
        fprintf(out, ", '%s': %s", with, value);
    fprintf(out, "}");
    fclose(out);
    return text;
}

static int verb_of(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return i;
    ck_abort_msg("no verb %s", name);
    return -1;
}

START_TEST(every_verb_has_its_name)
{
    ck_assert_str_eq(verb_name((enum verb)_i), verbs[_i].name);
}
END_TEST

START_TEST(required_members_are_enough)
{
    char *line = compose(_i, NULL, NULL, NULL);
    struct request request;
    struct reason why;

    ck_assert_msg(parse(line, &request, &why) == 0, "%s: %s", line, why.text);
    ck_assert_int_eq(request.verb, _i);
    request_free(&request);
    free(line);
}
END_TEST

START_TEST(each_required_member_is_missed)
{
    for (const char *const *name = verbs[_i].required; *name; name++) {
        char *line = compose(_i, *name, NULL, NULL), reason[64];

        snprintf(reason, sizeof reason, "'%s' is missing", *name);
        ck_assert_refused(line, reason);
        free(line);
    }
}
END_TEST

START_TEST(a_member_is_taken_where_the_protocol_has_it_and_nowhere_else)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        const char *name = members[i].name;
        const bool taken = among(verbs[_i].required, name) || among(verbs[_i].optional, name);
        char *line = compose(_i, NULL, name, good_value(_i, name)), reason[80];
        struct request request;
        struct reason why;

        snprintf(reason, sizeof reason, "'%s' is no member of this request", name);
        if (!taken)
            ck_assert_refused(line, reason);
        else if (parse(line, &request, &why) < 0)
            ck_abort_msg("refused: %s\nreason: %s", line, why.text);
        else
            request_free(&request);
        free(line);
    }
}
END_TEST

/* --- values that are none --- */

#define FORTY "1234567890123456789012345678901234567890"
#define NO_DEADLINE "deadline: expected seconds above 0 and at most 86400, got "
#define NO_INT "expected an integer from 1 to 2147483647, got "
#define NO_AT "expected enter, leave, signal, fork, born, exec, exit or segment, got "
#define DEEDS "hold, kill, inject, detach, drop, duplicate or delay"
#define NO_DO "expected an object with 'do': " DEEDS ", got "
#define NO_DELAY "action: delay takes 'seconds' above 0 and at most 86400"
#define NO_NAME(most)                                                                              \
    "name: expected a name of at most " #most " letters, digits, '.', '_' and '-', got "
#define NO_PREFIX "expected an address with its prefix ('10.0.0.1/24', 'fd00::1/64'), got "
#define NO_INJECTION "action: inject takes one of 'errno', 'value' and 'short'"

static const struct refusal {
    const char *verb, *member, *value;
    const char *reason; /* NULL: another file's words, which name the member first */
} refusals[] = {
    {"ended", "deadline", "0", NO_DEADLINE "0"},
    {"ended", "deadline", "-1", NO_DEADLINE "-1"},
    {"ended", "deadline", "86401", NO_DEADLINE "86401"},
    {"ended", "deadline", "86400.5", NO_DEADLINE "86400.5"},
    {"ended", "deadline", "-0.0", NO_DEADLINE "-0.0"},
    {"ended", "deadline", "1e30", NO_DEADLINE "1e30"},
    {"ended", "deadline", "'1'", NO_DEADLINE "'1'"},
    {"ended", "deadline", "null", NO_DEADLINE "null"},
    {"ended", "deadline", "true", NO_DEADLINE "true"},

    {"run", "process", "0", "process: " NO_INT "0"},
    {"run", "process", "-1", "process: " NO_INT "-1"},
    {"run", "process", "2147483648", "process: " NO_INT "2147483648"},
    {"run", "process", "4294967297", "process: " NO_INT "4294967297"},
    {"run", "process", "1.0", "process: " NO_INT "1.0"},
    {"run", "process", "'1'", "process: " NO_INT "'1'"},
    {"run", "process", "true", "process: " NO_INT "true"},
    {"run", "process", "false", "process: " NO_INT "false"},
    {"run", "process", "null", "process: " NO_INT "null"},
    {"run", "process", "[1]", "process: " NO_INT "[1]"},
    {"run", "process", "{'a': 1}", "process: " NO_INT "{'a': 1}"},
    {"run", "process", "'" FORTY FORTY "'", "process: " NO_INT "a text"},
    {"run", "process", "['" FORTY FORTY "']", "process: " NO_INT "an array"},
    {"run", "process", "{'" FORTY FORTY "': 1}", "process: " NO_INT "an object"},
    {"run", "process", "'\\u20ac'", "process: " NO_INT "'\\u20AC'"},
    {"reached", "watch", "0", "watch: " NO_INT "0"},
    {"disarm", "watch", "'1'", "watch: " NO_INT "'1'"},

    {"kill", "signal", "'SIGNOTHING'", "signal: expected the name of a signal, got 'SIGNOTHING'"},
    {"kill", "signal", "'sigint'", "signal: expected the name of a signal, got 'sigint'"},
    {"kill", "signal", "'INT'", "signal: expected the name of a signal, got 'INT'"},
    {"signal", "signal", "''", "signal: expected the name of a signal, got ''"},
    {"signal", "signal", "2", "signal: expected the name of a signal, got 2"},
    {"signal", "signal", "null", "signal: expected the name of a signal, got null"},

    {"blocked", "call", "'frob'", "call: 'frob' is no call that is watched"},
    {"blocked", "call", "'Accept'", "call: 'Accept' is no call that is watched"},
    {"blocked", "call", "'" FORTY "x'", "call: '" FORTY "' is no call that is watched"},
    {"blocked", "call", "''", "call: expected a text, got ''"},
    {"blocked", "call", "5", "call: expected a text, got 5"},
    {"blocked", "call", "['accept']", "call: expected a text, got ['accept']"},

    {"reach", "moment", "'enter'", "moment: expected an object, got 'enter'"},
    {"reach", "moment", "[]", "moment: expected an object, got []"},
    {"reach", "moment", "null", "moment: expected an object, got null"},
    {"reach", "moment", "{}", "moment: 'at' is missing"},
    {"reach", "moment", "{'call': 'accept'}", "moment: 'at' is missing"},
    {"reach", "moment", "{'at': 'entering'}", "moment.at: " NO_AT "'entering'"},
    {"reach", "moment", "{'at': 0}", "moment.at: " NO_AT "0"},
    {"reach", "moment", "{'at': null}", "moment.at: " NO_AT "null"},
    {"reach", "moment", "{'at': 'enter'}", "moment: 'enter' needs 'call'"},
    {"reach", "moment", "{'at': 'leave', 'on': 'pipe'}", "moment: 'leave' needs 'call'"},
    {"reach", "moment", "{'at': 'enter', 'call': 'frob'}",
     "moment.call: 'frob' is no call that is watched"},
    {"reach", "moment", "{'at': 'enter', 'call': '" FORTY FORTY "'}",
     "moment.call: '" FORTY "' is no call that is watched"},
    {"reach", "moment", "{'at': 'enter', 'call': ''}", "moment.call: expected a text, got ''"},
    {"reach", "moment", "{'at': 'enter', 'call': 1}", "moment.call: expected a text, got 1"},
    {"reach", "moment", "{'at': 'enter', 'call': 'read', 'on': 'sockets'}",
     "moment.on: expected a class of descriptor (listening, connection, socket, pipe, file, tty, "
     "other, any), got 'sockets'"},
    {"reach", "moment", "{'at': 'enter', 'call': 'read', 'on': 1}",
     "moment.on: expected a class of descriptor (listening, connection, socket, pipe, file, tty, "
     "other, any), got 1"},
    {"reach", "moment", "{'at': 'exit', 'nth': 0}", "moment.nth: " NO_INT "0"},
    {"reach", "moment", "{'at': 'exit', 'nth': -1}", "moment.nth: " NO_INT "-1"},
    {"reach", "moment", "{'at': 'exit', 'nth': 1.5}", "moment.nth: " NO_INT "1.5"},
    {"reach", "moment", "{'at': 'exit', 'nth': '2'}", "moment.nth: " NO_INT "'2'"},
    {"reach", "moment", "{'at': 'fork', 'call': 'fork'}", "moment: 'call' means nothing at 'fork'"},
    {"reach", "moment", "{'at': 'signal', 'call': 'kill'}",
     "moment: 'call' means nothing at 'signal'"},
    {"reach", "moment", "{'at': 'born', 'on': 'pipe'}", "moment: 'on' means nothing at 'born'"},
    {"reach", "moment", "{'at': 'signal', 'on': 'pipe'}", "moment: 'on' means nothing at 'signal'"},
    {"reach", "moment", "{'at': 'exec', 'signal': 'SIGINT'}",
     "moment: 'signal' means nothing at 'exec'"},
    {"reach", "moment", "{'at': 'enter', 'call': 'read', 'signal': 'SIGINT'}",
     "moment: 'signal' means nothing at 'enter'"},
    {"reach", "moment", "{'at': 'exit', 'bogus': 1}", "moment: 'bogus' means nothing at 'exit'"},
    {"reach", "moment", "{'at': 'leave', 'call': 'read', 'bogus': 1}",
     "moment: 'bogus' means nothing at 'leave'"},
    {"reach", "moment", "{'at': 'signal', 'signal': 'SIGX'}",
     "moment.signal: expected the name of a signal, got 'SIGX'"},
    {"reach", "moment", "{'at': 'signal', 'signal': null}",
     "moment.signal: expected the name of a signal, got null"},

    {"arm", "action", "'hold'", "action: " NO_DO "'hold'"},
    {"arm", "action", "null", "action: " NO_DO "null"},
    {"arm", "action", "{}", "action: " NO_DO "{}"},
    {"arm", "action", "{'do': 5}", "action: " NO_DO "{'do': 5}"},
    {"arm", "action", "{'signal': 'SIGINT'}", "action: " NO_DO "{'signal': 'SIGINT'}"},
    {"arm", "action", "{'do': 'shout'}", "action.do: expected " DEEDS ", got 'shout'"},
    {"arm", "action", "{'do': 'shout', 'signal': 'SIGINT'}",
     "action.do: expected " DEEDS ", got 'shout'"},
    {"arm", "action", "{'do': 'hold', 'signal': 'SIGINT'}", "action: hold takes nothing else"},
    {"arm", "action", "{'do': 'detach', 'bogus': 1}", "action: detach takes nothing else"},
    {"arm", "action", "{'do': 'kill'}", "action: kill takes 'signal'"},
    {"arm", "action", "{'do': 'kill', 'errno': 'EMFILE'}", "action: kill takes 'signal'"},
    {"arm", "action", "{'do': 'kill', 'signal': 'SIGINT', 'bogus': 1}",
     "action: kill takes 'signal'"},
    {"arm", "action", "{'do': 'kill', 'signal': 'SIGX'}",
     "action.signal: expected the name of a signal, got 'SIGX'"},
    {"arm", "action", "{'do': 'kill', 'signal': 9}",
     "action.signal: expected the name of a signal, got 9"},
    {"arm", "action", "{'do': 'inject'}", NO_INJECTION},
    {"arm", "action", "{'do': 'inject', 'bogus': 1}", NO_INJECTION},
    {"arm", "action", "{'do': 'inject', 'errno': 'EMFILE', 'short': 3}", NO_INJECTION},
    {"arm", "action", "{'do': 'inject', 'errno': 'EFROB'}",
     "action.errno: expected the name of an errno, got 'EFROB'"},
    {"arm", "action", "{'do': 'inject', 'errno': 24}",
     "action.errno: expected the name of an errno, got 24"},
    {"arm", "action", "{'do': 'inject', 'errno': 'EMFILE', 'value': 0}", NO_INJECTION},
    {"arm", "action", "{'do': 'inject', 'value': -1}",
     "action.value: expected an integer from 0 to 2147483647, got -1"},
    {"arm", "action", "{'do': 'inject', 'short': -1}",
     "action.short: expected an integer from 0 to 2147483647, got -1"},
    {"arm", "action", "{'do': 'inject', 'short': 2147483648}",
     "action.short: expected an integer from 0 to 2147483647, got 2147483648"},
    {"arm", "action", "{'do': 'inject', 'short': '3'}",
     "action.short: expected an integer from 0 to 2147483647, got '3'"},

    {"reach", "scope", "'all'", "scope: expected process, tree or children, got 'all'"},
    {"arm", "scope", "1", "scope: expected process, tree or children, got 1"},
    {"arm", "scope", "null", "scope: expected process, tree or children, got null"},
    {"arm", "times", "-1", "times: expected an integer from 0 to 2147483647, got -1"},
    {"arm", "times", "'once'", "times: expected an integer from 0 to 2147483647, got 'once'"},

    {"await", "count", "0", "count: " NO_INT "0"},
    {"await", "count", "'2'", "count: " NO_INT "'2'"},
    {"await", "gone", "1", "gone: expected true or false, got 1"},
    {"await", "gone", "'true'", "gone: expected true or false, got 'true'"},
    {"await", "gone", "null", "gone: expected true or false, got null"},
    {"await", "local", "'http'", NULL},
    {"await", "state", "'LISTEN'", NULL},
    {"await", "timer", "'egg'", NULL},
    {"sockets", "family", "'AF_FROB'", NULL},
    {"sockets", "type", "1", NULL},
    {"sockets", "remote", "65536", NULL},
    {"sockets", "local_host", "'localhost'", NULL},
    {"sockets", "remote_host", "5", NULL},
    {"sockets", "inode", "'5'", NULL},
    {"sockets", "host", "''", "host: expected a text, got ''"},
    {"sysctl", "host", "5", "host: expected a text, got 5"},

    {"holders", "inode", "0", "inode: expected an integer from 1 to 4294967295, got 0"},
    {"holders", "inode", "4294967296",
     "inode: expected an integer from 1 to 4294967295, got 4294967296"},
    {"holders", "inode", "'5'", "inode: expected an integer from 1 to 4294967295, got '5'"},

    {"events", "after", "-1", "after: expected an integer from 0 to 9223372036854775807, got -1"},
    {"events", "after", "'0'", "after: expected an integer from 0 to 9223372036854775807, got '0'"},
    {"events", "limit", "0", "limit: expected an integer from 1 to 9223372036854775807, got 0"},
    {"events", "process", "0", "process: " NO_INT "0"},
    {"events", "kinds", "'enter'", "kinds: expected an array of texts, got 'enter'"},
    {"events", "kinds", "[1]", "kinds: expected an array of texts, got [1]"},
    {"events", "calls", "'accept'", "calls: expected an array of texts, got 'accept'"},
    {"events", "calls", "['accept', null]",
     "calls: expected an array of texts, got ['accept', null]"},
    {"events", "calls", "['accept', 'frob']", "calls: 'frob' is no call that is watched"},
    {"events", "raw", "0", "raw: expected true or false, got 0"},

    {"start", "argv", "'/bin/true'", "argv: expected an array of texts, got '/bin/true'"},
    {"start", "argv", "{}", "argv: expected an array of texts, got {}"},
    {"start", "argv", "['/bin/true', 5]", "argv: expected an array of texts, got ['/bin/true', 5]"},
    {"start", "argv", "[]", "argv: expected the program's absolute path first, got []"},
    {"start", "argv", "['']", "argv: expected the program's absolute path first, got ['']"},
    {"start", "argv", "['true', '/a']",
     "argv: expected the program's absolute path first, got ['true', '/a']"},
    {"start", "env", "[]", "env: expected an object of texts, got []"},
    {"start", "env", "null", "env: expected an object of texts, got null"},
    {"start", "env", "{'A': 1}",
     "env: expected an object of texts with names free of =, got "
     "{'A': 1}"},
    {"start", "env", "{'A=B': ''}",
     "env: expected an object of texts with names free of =, got "
     "{'A=B': ''}"},
    {"start", "env", "{'': ''}",
     "env: expected an object of texts with names free of =, got "
     "{'': ''}"},
    {"start", "cwd", "''", "cwd: expected a text, got ''"},
    {"start", "emulates", "''", "emulates: expected a text, got ''"},
    {"start", "emulates", "1", "emulates: expected a text, got 1"},
    {"start", "cwd", "false", "cwd: expected a text, got false"},
    {"start", "limits", "[8, 16]", "limits: expected an object, got [8, 16]"},
    {"start", "limits", "{'frob': [1, 2]}",
     "limits: 'frob' is no limit (nofile, nproc, as, fsize, …)"},
    {"start", "limits", "{'nofile': 5}", "limits.nofile: expected [soft, hard], got 5"},
    {"start", "limits", "{'nofile': [5]}", "limits.nofile: expected [soft, hard], got [5]"},
    {"start", "limits", "{'core': [1, 2, 3]}", "limits.core: expected [soft, hard], got [1, 2, 3]"},
    {"start", "limits", "{'nofile': [-1, 2]}",
     "limits.nofile: expected an integer from 0 to 9223372036854775807, got -1"},
    {"start", "limits", "{'nofile': [5, 3]}",
     "limits.nofile: expected an integer from 5 to 9223372036854775807, got 3"},
    {"start", "limits", "{'core': [0, 0], 'as': ['1', 2]}",
     "limits.as: expected an integer from 0 to 9223372036854775807, got '1'"},
    {"start", "user", "-1", "user: expected an integer from 0 to 4294967294, got -1"},
    {"start", "user", "4294967295",
     "user: expected an integer from 0 to 4294967294, got 4294967295"},
    {"start", "user", "'root'", "user: expected an integer from 0 to 4294967294, got 'root'"},
    {"start", "detachable", "1", "detachable: expected true or false, got 1"},

    {"host", "name", "''", NO_NAME(31) "''"},
    {"host", "name", "'" FORTY "'", NO_NAME(31) "'" FORTY "'"},
    {"host", "name", "'a b'", NO_NAME(31) "'a b'"},
    {"host", "name", "'.'", NO_NAME(31) "'.'"},
    {"host", "name", "1", NO_NAME(31) "1"},
    {"host", "capture", "1", "capture: expected true or false, got 1"},
    {"wire", "ends", "[]", "ends: expected an array of two ends, got []"},
    {"wire", "ends", "{}", "ends: expected an array of two ends, got {}"},
    {"wire", "ends", "[1, 2]", "ends: expected objects with 'host' and 'link', got 1"},
    {"wire", "ends", "[{'host': 'a'}, {}]", "ends: 'link' is missing"},
    {"wire", "ends", "[{'link': 'e'}, {}]", "ends: 'host' is missing"},
    {"wire", "ends", "[{'bogus': 1}, {}]", "ends: 'bogus' is no member of an end"},
    {"wire", "ends", "[{'link': 'sixteen-letters-'}, {}]",
     "ends.link: expected a name of at most 15 letters, digits, '.', '_' and '-', got "
     "'sixteen-letters-'"},
    {"wire", "ends", "[{'addresses': '10.0.0.1/24'}, {}]",
     "ends.addresses: expected an array of addresses, got '10.0.0.1/24'"},
    {"wire", "ends", "[{'addresses': ['10.0.0.1']}, {}]",
     "ends.addresses: " NO_PREFIX "'10.0.0.1'"},
    {"wire", "ends", "[{'addresses': [1, 1, 1, 1, 1, 1, 1, 1, 1]}, {}]",
     "ends.addresses: at most 8"},
    {"wire", "ends", "[{'mac': '02:00'}, {}]",
     "ends.mac: expected a MAC address ('02:00:00:00:00:01'), got '02:00'"},
    {"wire", "mtu", "67", "mtu: expected an integer from 68 to 65535, got 67"},
    {"wire", "neighbours", "null", "neighbours: expected true or false, got null"},
    {"address", "address", "'10.0.0.1/33'", "address: " NO_PREFIX "'10.0.0.1/33'"},
    {"address", "address", "'10.0.0.1/'", "address: " NO_PREFIX "'10.0.0.1/'"},
    {"address", "address", "'10.0.0/24'", "address: " NO_PREFIX "'10.0.0/24'"},
    {"address", "address", "'fd00::1/129'", "address: " NO_PREFIX "'fd00::1/129'"},
    {"address", "change", "'delete'", "change: expected add or remove, got 'delete'"},
    {"neighbour", "address", "'10.0.0.1/24'",
     "address: expected an IPv4 or IPv6 address, got '10.0.0.1/24'"},
    {"neighbour", "mac", "'02:00:00:00:00:0g'",
     "mac: expected a MAC address ('02:00:00:00:00:01'), got '02:00:00:00:00:0g'"},
    {"route", "to", "'default'", "to: " NO_PREFIX "'default'"},
    {"route", "via", "'nowhere'",
     "via: expected an address, unreachable, prohibit or blackhole, got 'nowhere'"},
    {"route", "via", "''", "via: expected an address, unreachable, prohibit or blackhole, got ''"},
    {"cut", "wire", "''", "wire: expected a text, got ''"},
    {"mend", "side", "1", "side: expected a text, got 1"},
    {"pass", "order", "'sideways'", "order: expected arrival or reversed, got 'sideways'"},
    {"forge", "to", "1", "to: expected a text, got 1"},
    {"forge", "frame", "'45'", "frame: expected an IP packet in hexadecimal, got '45'"},
    {"forge", "frame", "'xx'", "frame: expected an IP packet in hexadecimal, got 'xx'"},
    {"forge", "frame", "'" FORTY "'",
     "frame: expected an IP packet in hexadecimal, got '" FORTY "'"},
    {"forge", "frame", "'6000000000000000000000000000000000000000'",
     "frame: expected an IP packet in hexadecimal, got '6000000000000000000000000000000000000000'"},

    {"arm", "moment", "{'at': 'segment', 'flags': []}",
     "moment.flags: expected a list of flags, at least one, got []"},
    {"arm", "moment", "{'at': 'segment', 'without': ['syn']}",
     "moment.without: expected FIN, SYN, RST, PSH, ACK, URG, ECE or CWR, got 'syn'"},
    {"arm", "moment", "{'at': 'segment', 'protocol': 'any'}",
     "moment.protocol: expected tcp, udp, icmp, icmpv6 or arp, got 'any'"},
    {"arm", "moment", "{'at': 'segment', 'source_port': 0}",
     "moment.source_port: expected an integer from 1 to 65535, got 0"},
    {"arm", "moment", "{'at': 'segment', 'destination_port': 65536}",
     "moment.destination_port: expected an integer from 1 to 65535, got 65536"},
    {"arm", "moment", "{'at': 'segment', 'payload': 1}",
     "moment.payload: expected true or false, got 1"},
    {"arm", "moment", "{'at': 'segment', 'wire': ''}",
     "moment.wire: expected a name of at most 31 letters, digits, '.', '_' and '-', got ''"},
    {"arm", "moment", "{'at': 'segment', 'call': 'read'}",
     "moment: 'call' means nothing at 'segment'"},
    {"arm", "moment", "{'at': 'exit', 'flags': ['SYN']}",
     "moment: 'flags' means nothing at 'exit'"},
    {"arm", "action", "{'do': 'delay'}", NO_DELAY},
    {"arm", "action", "{'do': 'delay', 'seconds': 0}", NO_DELAY},
    {"arm", "action", "{'do': 'delay', 'seconds': 86401}", NO_DELAY},
    {"arm", "action", "{'do': 'delay', 'seconds': 1, 'bogus': 1}", NO_DELAY},
    {"arm", "action", "{'do': 'drop', 'seconds': 1}", "action: drop takes nothing else"},

    {"sysctl", "set", "[]", "set: expected an object of texts, got []"},
    {"sysctl", "set", "{'a': 1}",
     "set: expected an object of texts with names free of =, got "
     "{'a': 1}"},
    {"sysctl", "get", "'a'", "get: expected an array of texts, got 'a'"},
    {"sysctl", "get", "[null]", "get: expected an array of texts, got [null]"},
};
enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

static void ck_assert_blames(const char *line, const char *member)
{
    struct request request;
    struct reason why;

    ck_assert_msg(parse(line, &request, &why) < 0, "accepted: %s", line);
    ck_assert_msg(strncmp(why.text, member, strlen(member)) == 0, "%s: %s", line, why.text);
    ck_assert_int_eq(why.text[strlen(member)], ':');
    request_free(&request);
}

START_TEST(a_bad_value_is_refused_with_the_reason)
{
    const struct refusal *row = &refusals[_i];
    char *line = compose(verb_of(row->verb), NULL, row->member, row->value);

    if (row->reason)
        ck_assert_refused(line, row->reason);
    else
        ck_assert_blames(line, row->member);
    free(line);
}
END_TEST

/* --- members that do not go together --- */

#define AT_SEGMENT "'moment': {'at': 'segment'}"
#define NO_SEGMENT "action: drop, duplicate and delay need a moment at 'segment'"
#define NOT_SO "action: at 'segment' there are hold, drop, duplicate and delay"

static const struct {
    const char *line, *reason;
} senseless[] = {
    {"{'id': 7, 'do': 'arm', 'process': 2, 'moment': {'at': 'leave', 'call': 'read'}, "
     "'action': {'do': 'inject', 'errno': 'EMFILE'}}",
     "action: inject needs a moment at 'enter'"},
    {"{'id': 7, 'do': 'arm', 'action': {'do': 'inject', 'short': 3}, " AT_EXIT "}",
     "action: inject needs a moment at 'enter'"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'action': {'do': 'detach'}, 'scope': 'tree'}",
     "action: detach needs the scope 'process'"},
    {"{'id': 7, 'do': 'arm', " AT_ENTER ", 'scope': 'children', 'action': {'do': 'detach'}}",
     "action: detach needs the scope 'process'"},
    {"{'id': 7, 'do': 'arm', 'moment': {'at': 'exit'}, 'action': {'do': 'hold'}}",
     "'process' is missing"},
    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'drop'}}", NO_SEGMENT},
    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'duplicate'}}", NO_SEGMENT},
    {"{'id': 7, 'do': 'arm', " AT_EXIT ", 'action': {'do': 'delay', 'seconds': 1}}", NO_SEGMENT},
    {"{'id': 7, 'do': 'arm', " AT_SEGMENT ", 'action': {'do': 'detach'}}", NOT_SO},
    {"{'id': 7, 'do': 'arm', " AT_SEGMENT ", 'action': {'do': 'kill', 'signal': 'SIGINT'}}",
     NOT_SO},
    {"{'id': 7, 'do': 'arm', " AT_SEGMENT ", 'action': {'do': 'inject', 'short': 3}}", NOT_SO},
    {"{'id': 7, 'do': 'arm', " AT_SEGMENT ", 'action': {'do': 'hold'}, 'process': 1}",
     "a segment is of no process: leave 'process' and 'scope' out"},
    {"{'id': 7, 'do': 'arm', " AT_SEGMENT ", 'action': {'do': 'hold'}, 'scope': 'process'}",
     "a segment is of no process: leave 'process' and 'scope' out"},
    {"{'id': 7, 'do': 'reach', 'process': 2, " AT_SEGMENT "}",
     "moment: a segment is of no process: arm it"},
    {"{'id': 7, 'do': 'route', 'host': 'a', 'to': '0.0.0.0/0', 'via': '::1'}",
     "'to' and 'via' are of different families"},
    {"{'id': 7, 'do': 'await', 'count': 2, 'gone': true}", "'count' and 'gone' exclude each other"},
    {"{'id': 7, 'do': 'await', 'gone': true, 'count': 1}", "'count' and 'gone' exclude each other"},
};
enum { SENSELESS = sizeof senseless / sizeof senseless[0] };

START_TEST(members_that_contradict_are_refused)
{
    ck_assert_refused(senseless[_i].line, senseless[_i].reason);
}
END_TEST

/* --- ids and verbs --- */

static const struct {
    const char *text;
    json_int_t id;
} ids[] = {
    {"0", 0},
    {"-1", -1},
    {"9223372036854775807", INT64_MAX},
    {"-9223372036854775808", INT64_MIN},
};
enum { IDS = sizeof ids / sizeof ids[0] };

START_TEST(an_id_is_any_integer)
{
    char line[128];
    struct request request;
    struct reason why;

    snprintf(line, sizeof line, "{'id': %s, 'do': 'hello'}", ids[_i].text);
    ck_assert_int_eq(parse(line, &request, &why), 0);
    ck_assert(request.has_id);
    ck_assert_int_eq(request.id, ids[_i].id);
    request_free(&request);
}
END_TEST

static const struct {
    const char *line, *reason;
    bool has_id;
    enum verb verb;
} beginnings[] = {
    {"{}", "'id' is missing", false, VERBS},
    {"{'do': 'hello'}", "'id' is missing", false, VERBS},
    {"{'ID': 7, 'do': 'hello'}", "'id' is missing", false, VERBS},
    {"{'id': null, 'do': 'hello'}", "id: expected an integer, got null", false, VERBS},
    {"{'id': '7', 'do': 'hello'}", "id: expected an integer, got '7'", false, VERBS},
    {"{'id': 7.0, 'do': 'hello'}", "id: expected an integer, got 7.0", false, VERBS},
    {"{'id': true, 'do': 'hello'}", "id: expected an integer, got true", false, VERBS},
    {"{'id': 7}", "'do' is missing", true, VERBS},
    {"{'id': 7, 'do': null}", "do: expected a verb, got null", true, VERBS},
    {"{'id': 7, 'do': 5}", "do: expected a verb, got 5", true, VERBS},
    {"{'id': 7, 'do': ''}", "do: expected a verb, got ''", true, VERBS},
    {"{'id': 7, 'do': 'Hello'}", "do: expected a verb, got 'Hello'", true, VERBS},
    {"{'id': 7, 'do': 'hell'}", "do: expected a verb, got 'hell'", true, VERBS},
    {"{'id': 7, 'do': ['hello']}", "do: expected a verb, got ['hello']", true, VERBS},
    {"{'id': 7, 'do': 'run'}", "'process' is missing", true, VERB_RUN},
    {"{'id': 7, 'do': 'await', 'bogus': 1}", "'bogus' is no member of this request", true,
     VERB_AWAIT},
};
enum { BEGINNINGS = sizeof beginnings / sizeof beginnings[0] };

/* The reply to a refused request names it as far as it could be read. */
START_TEST(a_refused_request_keeps_its_id_and_verb)
{
    struct request request;
    struct reason why;

    ck_assert_refused(beginnings[_i].line, beginnings[_i].reason);
    ck_assert_int_lt(parse(beginnings[_i].line, &request, &why), 0);
    ck_assert_int_eq(request.has_id, beginnings[_i].has_id);
    ck_assert_int_eq(request.id, beginnings[_i].has_id ? 7 : 0);
    ck_assert_int_eq(request.verb, beginnings[_i].verb);
    request_free(&request);
}
END_TEST

/* --- lines that are no request --- */

#define LINE(text) text, sizeof text - 1

static const struct {
    const char *bytes;
    size_t length;
    const char *reason; /* how it begins */
} lines[] = {
    {LINE(""), "not JSON: "},
    {LINE(" "), "not JSON: "},
    {LINE("hello"), "not JSON: "},
    {LINE("{"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello\""), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello\",}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello}"), "not JSON: "},
    {LINE("{id: 7, do: hello}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello\"} x"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello\"}{\"id\": 8, \"do\": \"hello\"}"), "not JSON: "},
    {LINE("{\"id\": 9223372036854775808, \"do\": \"hello\"}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"ended\", \"process\": 1, \"deadline\": 1e400}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"ended\", \"process\": 1, \"deadline\": NaN}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hello\"}\0"), "not JSON: "},
    {LINE("\0"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hel\0lo\"}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hel\\u0000lo\"}"), "not JSON: "},
    {LINE("{\"id\": 7, \"do\": \"hel\xfflo\"}"), "not JSON: "},
    {LINE("\xff\xfe"), "not JSON: "},
    {LINE("{\"id\": 7, \"id\": 7, \"do\": \"hello\"}"), "not JSON: duplicate object key"},
    {LINE("{\"id\": 7, \"do\": \"hello\", \"do\": \"end\"}"), "not JSON: duplicate object key"},
    {LINE("{\"id\": 7, \"do\": \"run\", \"process\": 1, \"process\": 2}"),
     "not JSON: duplicate object key"},
    {LINE("{\"id\": 7, \"do\": \"reach\", \"process\": 1, \"moment\": {\"at\": \"exit\", \"nth\": "
          "1, "
          "\"nth\": 2}}"),
     "not JSON: duplicate object key"},
    {LINE(
         "{\"id\": 7, \"do\": \"start\", \"argv\": [\"/a\"], \"env\": {\"A\": \"\", \"A\": \"\"}}"),
     "not JSON: duplicate object key"},
    {LINE("[]"), "request: expected an object, got []"},
    {LINE("[{\"id\": 7, \"do\": \"hello\"}]"), "request: expected an object, got ["},
};
enum { LINES = sizeof lines / sizeof lines[0] };

START_TEST(a_line_that_is_no_request_is_refused)
{
    struct request request;
    struct reason why;

    ck_assert_int_lt(parse_bytes(lines[_i].bytes, lines[_i].length, &request, &why), 0);
    ck_assert_msg(strncmp(why.text, lines[_i].reason, strlen(lines[_i].reason)) == 0,
                  "expected: %s\ngot:      %s", lines[_i].reason, why.text);
    ck_assert(!request.has_id);
    ck_assert_int_eq(request.verb, VERBS);
    request_free(&request);
}
END_TEST

START_TEST(what_is_no_object_is_no_request)
{
    static const char *const values[] = {"null", "true", "7", "1.5", "'hello'"};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct request request;
        struct reason why;

        ck_assert_int_lt(parse(values[i], &request, &why), 0);
        ck_assert(!request.has_id);
        request_free(&request);
    }
}
END_TEST

/* --- long lines --- */

/* A line of a head, as many units as fit, and a tail. */
static char *long_line(const char *head, const char *unit, const char *tail, size_t *length)
{
    char *line = NULL;
    FILE *out = open_memstream(&line, length);

    ck_assert_ptr_nonnull(out);
    fputs(head, out);
    for (size_t used = strlen(head) + strlen(tail); used + strlen(unit) <= LONG_LINE;
         used += strlen(unit))
        fputs(unit, out);
    fputs(tail, out);
    fclose(out);
    return line;
}

static void ck_assert_long_refused(const char *head, const char *unit, const char *tail,
                                   const char *reason)
{
    size_t length = 0;
    char *line = long_line(head, unit, tail, &length);
    struct request request;
    struct reason why;

    ck_assert_uint_gt(length, LONG_LINE - 8);
    ck_assert_int_lt(parse_bytes(line, length, &request, &why), 0);
    ck_assert_msg(strncmp(why.text, reason, strlen(reason)) == 0, "%s", why.text);
    ck_assert_uint_lt(strlen(why.text), sizeof why.text);
    request_free(&request);
    free(line);
}

START_TEST(a_mebibyte_of_brackets_is_refused)
{
    ck_assert_long_refused("", "[", "", "not JSON: ");
    ck_assert_long_refused("", "{\"a\":", "", "not JSON: ");
    ck_assert_long_refused("", "]", "", "not JSON: ");
    ck_assert_long_refused("", "[]", "", "not JSON: ");
    ck_assert_long_refused("{\"id\": 7, \"do\": \"reach\", \"process\": 1, \"moment\": ", "[", "",
                           "not JSON: ");
    ck_assert_long_refused("[", "[],", "[]]", "request: expected an object, got an array");
}
END_TEST

START_TEST(a_mebibyte_of_text_is_refused_in_a_line)
{
    ck_assert_long_refused("{\"id\": 7, \"do\": \"", "x", "\"}", "do: expected a verb, got a text");
    ck_assert_long_refused("{\"id\": 7, \"do\": \"hello\", \"", "x", "\": 1}",
                           "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is no member");
    ck_assert_long_refused("{\"id\": 7, \"do\": \"hello", " ", "", "not JSON: ");
    ck_assert_long_refused("", " ", "", "not JSON: ");
}
END_TEST

/* --- reasons --- */

/* A reason goes into a reply, which is UTF-8: it is never cut within a character. _i bytes stand
 * before characters of three bytes. */
START_TEST(a_reason_is_text_wherever_it_is_cut)
{
    static const char *const places[] = {
        "{'id': 7, 'do': 'hello', '%s': 1}",
        "{'id': 7, 'do': 'reach', 'process': 1, 'moment': {'at': 'exit', '%s': 1}}",
        "{'id': 7, 'do': 'reach', 'process': 1, 'moment': {'at': 'enter', 'call': '%s'}}",
        "{'id': 7, 'do': 'arm', 'process': 1, 'moment': {'at': 'exit'}, 'action': {'do': '%s'}}",
        "{'id': 7, 'do': 'start', 'argv': ['/a'], 'env': {}, 'limits': {'%s': [1, 2]}}",
        "{'id': 7, 'do': 'events', 'calls': ['%s']}",
        "{'id': 7, 'do': '%s'}",
    };
    static const char word[] = "xx€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€";

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *gap = strstr(places[i], "%s");
        struct request request;
        struct reason why;
        char line[256];
        json_t *text;

        snprintf(line, sizeof line, "%.*s%s%s", (int)(gap - places[i]), places[i], word + _i,
                 gap + 2);
        ck_assert_int_lt(parse(line, &request, &why), 0);
        text = json_string(why.text);
        ck_assert_msg(text != NULL, "%s: %s", line, why.text);
        json_decref(text);
        request_free(&request);
    }
}
END_TEST

/* --- limits --- */

START_TEST(a_limit_has_its_resource)
{
    static const struct {
        const char *name;
        int resource;
    } rows[] = {
        {"as", RLIMIT_AS},
        {"core", RLIMIT_CORE},
        {"cpu", RLIMIT_CPU},
        {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE},
        {"nofile", RLIMIT_NOFILE},
        {"nproc", RLIMIT_NPROC},
        {"stack", RLIMIT_STACK},
        {"memlock", RLIMIT_MEMLOCK},
        {"frob", -1},
        {"", -1},
        {"NOFILE", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_int_eq(limit_resource(rows[i].name), rows[i].resource);
}
END_TEST

/* ---------- */

static void add(Suite *suite, const char *topic, const TTest *test, int rows)
{
    TCase *topics = tcase_create(topic);

    tcase_add_loop_test(topics, test, 0, rows);
    suite_add_tcase(suite, topics);
}

static void add_members(Suite *suite)
{
    TCase *topic = tcase_create("members");

    tcase_add_loop_test(topic, every_verb_has_its_name, 0, VERBS);
    tcase_add_loop_test(topic, required_members_are_enough, 0, VERBS);
    tcase_add_loop_test(topic, each_required_member_is_missed, 0, VERBS);
    tcase_add_loop_test(topic, a_member_is_taken_where_the_protocol_has_it_and_nowhere_else, 0,
                        VERBS);
    suite_add_tcase(suite, topic);
}

static void add_lines(Suite *suite)
{
    TCase *topic = tcase_create("lines");

    tcase_add_loop_test(topic, a_line_that_is_no_request_is_refused, 0, LINES);
    tcase_add_test(topic, what_is_no_object_is_no_request);
    tcase_add_test(topic, a_mebibyte_of_brackets_is_refused);
    tcase_add_test(topic, a_mebibyte_of_text_is_refused_in_a_line);
    suite_add_tcase(suite, topic);
}

int main(void)
{
    Suite *suite = suite_create("request");
    SRunner *runner = srunner_create(suite);
    int failed;

    add(suite, "good_requests", a_good_request_says_what_was_meant, GOOD);
    add(suite, "texts", texts_stay_with_the_request, 1);
    add(suite, "moments", a_moment_says_what_was_meant, MOMENTS);
    add_members(suite);
    add(suite, "bad_values", a_bad_value_is_refused_with_the_reason, REFUSALS);
    add(suite, "contradictions", members_that_contradict_are_refused, SENSELESS);
    add(suite, "ids", an_id_is_any_integer, IDS);
    add(suite, "beginnings", a_refused_request_keeps_its_id_and_verb, BEGINNINGS);
    add_lines(suite);
    add(suite, "reasons", a_reason_is_text_wherever_it_is_cut, 3);
    add(suite, "limits", a_limit_has_its_resource, 1);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
