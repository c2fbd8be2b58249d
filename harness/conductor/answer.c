#include "lab.h"

#include "answer_net.h"
#include "capability/capability.h"
#include "describe.h"
#include "host.h"
#include "proc.h"
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What each verb does. A verb that can be done at once gives its answer; one that waits prepares
 * itself and is then looked at again and again till its fact has come (pending.c). */

static struct process *process_of(const struct lab *lab, const struct request *request,
                                  struct reason *why)
{
    struct process *process = core_find(lab->core, request->process);

    if (!process)
        because(why, "process %d: no such process", request->process);
    return process;
}

static struct process *living(const struct lab *lab, const struct request *request,
                              struct reason *why)
{
    struct process *process = process_of(lab, request, why);

    if (process && process->life == LIFE_DEAD) {
        because(why, "process %d (%s) is dead", process->number, process->name);
        return NULL;
    }
    return process;
}

/* --- verbs that are done at once
 * ----------------------------------------------------------------------------- */

static json_t *lacks(void)
{
    json_t *names = json_array();

    for (enum capability i = 0; i < CAPABILITIES; i++)
        if (!can(i))
            json_array_append_new(names, json_string(capability_name(i)));
    return names;
}

static json_t *hello(struct lab *lab, const struct request *request, struct reason *why)
{
    struct utsname names;

    (void)request;
    if (uname(&names) < 0) {
        because_of_errno(why, "uname");
        return NULL;
    }
    return json_pack("{s:i, s:i, s:s, s:s, s:b, s:i, s:o, s:o*, s:s*}", "protocol", 1, "cpu",
                     lab->isolation.cpu, "kernel", names.release, "machine", names.machine,
                     "sole_user", lab->isolation.sole_user ? 1 : 0, "descriptor",
                     lab->hosts.list[0].namespace, "lacks", lacks(), "port",
                     can(CAN_ISOLATE) ? NULL : json_integer(lab->isolation.port), "folder",
                     can(CAN_ISOLATE) ? NULL : lab->isolation.folder);
}

static int read_back(json_t *values, const char *name, struct reason *why)
{
    char value[256];

    if (host_sysctl_get(name, value, sizeof value, why) < 0)
        return -1;
    json_object_set_new(values, name, json_string(value));
    return 0;
}

/* Sets a value and notes what was there before. What is so already may be read-only. */
static int replace(json_t *former, const char *name, json_t *value, struct reason *why)
{
    if (read_back(former, name, why) < 0)
        return -1;
    if (json_equal(json_object_get(former, name), value))
        return 0;
    return host_sysctl_set(name, json_string_value(value), why);
}

/* Where a request is refused nothing has happened. */
static void set_back(json_t *former)
{
    struct reason ignored = {.text = ""};
    const char *name;
    json_t *value;

    json_object_foreach(former, name, value)
    {
        host_sysctl_set(name, json_string_value(value), &ignored);
    }
}

/* These are for the host that the caller has entered. */
static int set_all(json_t *settings, json_t *former, json_t *values, struct reason *why)
{
    const char *name;
    json_t *value;

    json_object_foreach(settings, name, value)
    {
        if (!can(CAN_ISOLATE))
            return lacking(why, CAN_ISOLATE, name);
        if (replace(former, name, value, why) < 0 || read_back(values, name, why) < 0)
            return -1;
    }
    return 0;
}

static int get_all(json_t *names, json_t *values, struct reason *why)
{
    size_t index;
    json_t *name;

    json_array_foreach(names, index, name)
    {
        if (read_back(values, json_string_value(name), why) < 0)
            return -1;
    }
    return 0;
}

static int set_and_get(const struct request *request, json_t *values, struct reason *why)
{
    json_t *former = json_object();
    int status = set_all(json_object_get(request->members, "set"), former, values, why);

    if (status == 0)
        status = get_all(json_object_get(request->members, "get"), values, why);
    if (status < 0)
        set_back(former);
    json_decref(former);
    return status;
}

static json_t *sysctl(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, request->host, why);
    json_t *values;
    int status;

    if (!host || host_enter(&lab->hosts, host, why) < 0)
        return NULL;
    values = json_object();
    status = set_and_get(request, values, why);
    host_leave(&lab->hosts);
    if (status == 0)
        return json_pack("{s:o}", "values", values);
    json_decref(values);
    return NULL;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
}

static json_t *start(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, request->host, why);
    struct process *process = NULL;
    struct streams streams;
    int status;

    streams.count = channel_take(&lab->channel, streams.list, MOST_STREAMS);
    if (streams.count < LEAST_STREAMS || streams.count > MOST_STREAMS) {
        because(why, "expected 3 or 4 descriptors with the request, got %d", streams.count);
        host = NULL;
    }
    if (!host || host_enter(&lab->hosts, host, why) < 0) {
        close_all(streams.list, streams.count < MOST_STREAMS ? streams.count : MOST_STREAMS);
        return NULL;
    }
    status = lab->core->source->start(lab->core, request, &streams, &process, why);
    host_leave(&lab->hosts);
    if (status < 0)
        return NULL;
    process->host = (int)(host - lab->hosts.list);
    return describe_process(lab, process);
}

/* `short` needs a length to shorten, in every call that the word means. */
static int check_shorten(const struct request *request, struct reason *why)
{
    const struct call_shape *call;

    for (size_t i = 0; (call = call_row(i)); i++) {
        if (call_is(call, request->moment.call) && call_length_argument(call) < 0)
            return because(why, "action: %s has no length to shorten", call_name(call));
    }
    return 0;
}

/* Whether the source of events can tell of that moment in that process's life. */
static int check_sight(const struct lab *lab, const struct process *process,
                       const struct moment *moment, struct reason *why)
{
    const struct source *source = lab->core->source;

    return source->sees ? source->sees(process, moment, why) : 0;
}

static int check_action(const struct lab *lab, const struct request *request, struct reason *why)
{
    const struct process *process = request->to_come ? NULL : living(lab, request, why);

    if (request->to_come && request->process <= lab->core->born)
        return because(why, "process %d is born already", request->process);
    if (!request->to_come && !process)
        return -1;
    if (process && check_sight(lab, process, &request->moment, why) < 0)
        return -1;
    if (request->action.kind == ACTION_SHORT)
        return check_shorten(request, why);
    if (process && request->action.kind == ACTION_DETACH && !lab->core->source->detachable(process))
        return because(why, "process %d (%s) was not started detachable", process->number,
                       process->name);
    return 0;
}

static json_t *arm(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct watch *watch;

    if (request->moment.kind == MOMENT_SEGMENT
            ? check_places(lab, &request->moment.segment, why) < 0
            : check_action(lab, request, why) < 0)
        return NULL;
    watch = core_arm(lab->core, request);
    if (!watch) {
        because(why, "out of memory");
        return NULL;
    }
    return json_pack("{s:i}", "watch", watch->number);
}

static struct watch *watch_of(const struct lab *lab, const struct request *request,
                              struct reason *why)
{
    struct watch *watch = core_find_watch(lab->core, request->watch);

    if (!watch)
        because(why, "watch %d: no such watch", request->watch);
    return watch;
}

static json_t *disarm(struct lab *lab, const struct request *request, struct reason *why)
{
    struct watch *watch = watch_of(lab, request, why);
    json_t *answer;

    if (!watch)
        return NULL;
    answer = json_pack("{s:i}", "struck", watch->struck);
    core_disarm(lab->core, watch);
    return answer;
}

static json_t *run(struct lab *lab, const struct request *request, struct reason *why)
{
    struct process *process = living(lab, request, why);

    if (!process)
        return NULL;
    if (!process_held(process)) {
        because(why, "process %d (%s) is not held", process->number, process->name);
        return NULL;
    }
    lab_release(lab, process);
    return json_object();
}

static int send_signal(struct lab *lab, const struct request *request, struct reason *why)
{
    struct process *process = living(lab, request, why);

    if (!process)
        return -1;
    if (lab->core->source->signal(lab->core, process, request->signal) < 0)
        return because_of_errno(why, "process %d (%s)", process->number, process->name);
    return 0;
}

static json_t *signal_verb(struct lab *lab, const struct request *request, struct reason *why)
{
    return send_signal(lab, request, why) < 0 ? NULL : json_object();
}

static json_t *detach(struct lab *lab, const struct request *request, struct reason *why)
{
    struct process *process = living(lab, request, why);

    if (!process)
        return NULL;
    if (!lab->core->source->detachable(process)) {
        because(why, "process %d (%s) was not started detachable", process->number, process->name);
        return NULL;
    }
    if (!process_standing(process)) {
        because(why, "process %d (%s) is not held", process->number, process->name);
        return NULL;
    }
    lab->core->source->detach(lab->core, process);
    return json_object();
}

static json_t *processes(struct lab *lab, const struct request *request, struct reason *why)
{
    (void)request;
    (void)why;
    return json_pack("{s:o}", "processes", describe_processes(lab));
}

static json_t *sockets(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, request->host, why);
    json_t *list = host ? host_sockets(&lab->hosts, host, &request->filter, why) : NULL;

    return list ? json_pack("{s:o}", "sockets", list) : NULL;
}

struct inventory {
    const struct source *source;
    const struct process *process;
    json_t *list;
    uint64_t inode; /* holders: this one only */
};

static void note_holder(void *context, int descriptor)
{
    const struct inventory *inventory = context;
    const struct process *process = inventory->process;
    char target[256];
    uint64_t inode;

    if (proc_descriptor_target(process->pid, descriptor, target, sizeof target, &inode) &&
        inode == inventory->inode)
        json_array_append_new(inventory->list,
                              json_pack("{s:i, s:i, s:i}", "process", process->number, "pid",
                                        (int)process->pid, "fd", descriptor));
}

static json_t *holders(struct lab *lab, const struct request *request, struct reason *why)
{
    struct inventory inventory = {.list = json_array(), .inode = request->inode};

    (void)why;
    for (inventory.process = lab->core->processes; inventory.process;
         inventory.process = inventory.process->next) {
        if (inventory.process->life != LIFE_DEAD) /* one that goes away meanwhile holds nothing */
            proc_descriptors(inventory.process->pid, note_holder, &inventory);
    }
    return json_pack("{s:o}", "holders", inventory.list);
}

static void note_descriptor(void *context, int descriptor)
{
    const struct inventory *inventory = context;
    const struct process *process = inventory->process;
    const struct source *source = inventory->source;
    char target[256];
    uint64_t inode;
    json_t *entry;

    if (descriptor >= source->kept && descriptor < source->kept + source->kept_count)
        return;
    if (!proc_descriptor_target(process->pid, descriptor, target, sizeof target, &inode))
        return;
    entry = json_pack(
        "{s:i, s:s, s:s+}", "fd", descriptor, "class",
        descriptor_class_name(proc_descriptor_class(process->handle, process->pid, descriptor)),
        "target", target, "");
    if (inode)
        json_object_set_new(entry, "inode", json_integer((json_int_t)inode));
    json_array_append_new(inventory->list, entry);
}

static json_t *descriptors(struct lab *lab, const struct request *request, struct reason *why)
{
    struct inventory inventory = {.source = lab->core->source,
                                  .process = living(lab, request, why)};

    if (!inventory.process)
        return NULL;
    inventory.list = json_array();
    if (proc_descriptors(inventory.process->pid, note_descriptor, &inventory) == 0)
        return json_pack("{s:o}", "descriptors", inventory.list);
    because_of_errno(why, "/proc/%d/fd", (int)inventory.process->pid);
    json_decref(inventory.list);
    return NULL;
}

static int refuse_unknown_kinds(const json_t *kinds, struct reason *why)
{
    size_t index;
    json_t *kind;

    json_array_foreach(kinds, index, kind)
    {
        if (record_kind_of(json_string_value(kind)) < 0)
            return because(why, "kinds: \"%.40s\" is no kind of event", json_string_value(kind));
    }
    return 0;
}

static bool kind_wanted(const json_t *kinds, enum record_kind kind)
{
    size_t index;
    json_t *name;

    json_array_foreach(kinds, index, name)
    {
        if (record_kind_of(json_string_value(name)) == (int)kind)
            return true;
    }
    return kinds == NULL;
}

static bool call_wanted(const struct core *core, const json_t *calls, const struct record *record)
{
    const struct record *enter =
        record->kind == RECORD_LEAVE ? log_record(core->log, record->leave.entered) : record;
    const struct call_shape *call =
        enter && enter->kind == RECORD_ENTER ? call_of_number(enter->enter.number) : NULL;
    size_t index;
    json_t *word;

    json_array_foreach(calls, index, word)
    {
        if (call && call_is(call, json_string_value(word)))
            return true;
    }
    return calls == NULL;
}

static json_t *select_events(const struct lab *lab, const struct request *request)
{
    const json_t *kinds = json_object_get(request->members, "kinds");
    const json_t *calls = json_object_get(request->members, "calls");
    const struct core *core = lab->core;
    json_t *list = json_array();

    for (uint64_t seq = request->after + 1; seq <= log_last(core->log); seq++) {
        const struct record *record = log_record(core->log, seq);

        if (request->limit && (json_int_t)json_array_size(list) == request->limit)
            break;
        if ((request->process && record->process != request->process) ||
            !kind_wanted(kinds, record->kind) || !call_wanted(core, calls, record))
            continue;
        json_array_append_new(list, describe_event(lab, record, request->raw));
    }
    return list;
}

/* Nothing is told of a process for less than it was. */
static int check_told(const struct lab *lab, const struct request *request, struct reason *why)
{
    static const struct moment any_signal = {.kind = MOMENT_SIGNAL};
    const json_t *kinds = json_object_get(request->members, "kinds");
    const struct process *process = process_of(lab, request, why);

    if (!process)
        return -1;
    return check_sight(lab, process,
                       kinds && kind_wanted(kinds, RECORD_SIGNAL) ? &any_signal : NULL, why);
}

static json_t *events(struct lab *lab, const struct request *request, struct reason *why)
{
    if (refuse_unknown_kinds(json_object_get(request->members, "kinds"), why) < 0)
        return NULL;
    if (request->process && check_told(lab, request, why) < 0)
        return NULL;
    lab_take_segments(lab);
    return json_pack("{s:o, s:I, s:I, s:I}", "events", select_events(lab, request), "last",
                     (json_int_t)log_last(lab->core->log), "lost",
                     (json_int_t)log_lost(lab->core->log), "frames_dropped",
                     (json_int_t)lab_frames_dropped(lab));
}

static json_t *end(struct lab *lab, const struct request *request, struct reason *why)
{
    json_t *killed = json_array();

    (void)request;
    (void)why;
    for (const struct process *process = lab->core->processes; process; process = process->next) {
        if (process->life != LIFE_DEAD)
            json_array_append_new(killed, describe_process(lab, process));
    }
    lab->core->source->end(lab->core);
    lab->ending = true;
    return json_pack("{s:o}", "killed", killed);
}

/* --- verbs that wait: what they do before
 * -------------------------------------------------------------------- */

static int begin_reach(struct lab *lab, struct request *request, struct reason *why)
{
    struct process *process = living(lab, request, why);

    if (!process || check_sight(lab, process, &request->moment, why) < 0)
        return -1;
    request->action.kind = ACTION_HOLD;
    lab->watch = core_arm(lab->core, request);
    if (!lab->watch)
        return because(why, "out of memory");
    lab_release(lab, process);
    return 0;
}

static int begin_reached(struct lab *lab, struct request *request, struct reason *why)
{
    lab->watch = watch_of(lab, request, why);
    return lab->watch ? 0 : -1;
}

static int begin_kill(struct lab *lab, struct request *request, struct reason *why)
{
    if (send_signal(lab, request, why) < 0)
        return -1;
    lab_release(lab, core_find(lab->core, request->process));
    return 0;
}

static int begin_ended(struct lab *lab, struct request *request, struct reason *why)
{
    struct process *process = process_of(lab, request, why);

    if (!process)
        return -1;
    lab_release(lab, process);
    return 0;
}

static int begin_blocked(struct lab *lab, struct request *request, struct reason *why)
{
    struct process *process = living(lab, request, why);

    if (!process || check_sight(lab, process, NULL, why) < 0)
        return -1;
    lab_release(lab, process);
    return 0;
}

static int begin_rest(struct lab *lab, struct request *request, struct reason *why)
{
    (void)lab;
    (void)request;
    (void)why;
    return 0;
}

static int begin_await(struct lab *lab, struct request *request, struct reason *why)
{
    if (!hosts_living(&lab->hosts, request->host, why))
        return -1;
    return sockets_can_tell(&request->filter, why);
}

/* --- the table
 * -----------------------------------------------------------------------------------------------
 */

static const struct {
    /* The answer, or NULL with the reason. */
    json_t *(*at_once)(struct lab *lab, const struct request *request, struct reason *why);
    /* 0, or -1 with the reason. */
    int (*begin)(struct lab *lab, struct request *request, struct reason *why);
} deeds[VERBS] = {
    [VERB_HELLO] = {.at_once = hello},
    [VERB_SYSCTL] = {.at_once = sysctl},
    [VERB_START] = {.at_once = start},
    [VERB_REACH] = {.begin = begin_reach},
    [VERB_ARM] = {.at_once = arm},
    [VERB_REACHED] = {.begin = begin_reached},
    [VERB_DISARM] = {.at_once = disarm},
    [VERB_RUN] = {.at_once = run},
    [VERB_SIGNAL] = {.at_once = signal_verb},
    [VERB_KILL] = {.begin = begin_kill},
    [VERB_ENDED] = {.begin = begin_ended},
    [VERB_BLOCKED] = {.begin = begin_blocked},
    [VERB_REST] = {.begin = begin_rest},
    [VERB_DETACH] = {.at_once = detach},
    [VERB_PROCESSES] = {.at_once = processes},
    [VERB_SOCKETS] = {.at_once = sockets},
    [VERB_SOCKET] = {.at_once = answer_socket},
    [VERB_AWAIT] = {.begin = begin_await},
    [VERB_HOLDERS] = {.at_once = holders},
    [VERB_DESCRIPTORS] = {.at_once = descriptors},
    [VERB_EVENTS] = {.at_once = events},
    [VERB_HOST] = {.at_once = answer_host},
    [VERB_WIRE] = {.at_once = answer_wire},
    [VERB_ADDRESS] = {.at_once = answer_address},
    [VERB_NEIGHBOUR] = {.at_once = answer_neighbour},
    [VERB_ROUTE] = {.at_once = answer_route},
    [VERB_CUT] = {.at_once = answer_cut},
    [VERB_MEND] = {.at_once = answer_mend},
    [VERB_PASS] = {.at_once = answer_pass},
    [VERB_DISCARD] = {.at_once = answer_discard},
    [VERB_FORGE] = {.at_once = answer_forge},
    [VERB_CRASH] = {.begin = begin_crash},
    [VERB_BOOT] = {.at_once = answer_boot},
    [VERB_END] = {.at_once = end},
};

static json_t *id_of(const struct request *request)
{
    return request->has_id ? json_integer(request->id) : json_null();
}

static json_t *error_of(const struct request *request, const char *reason, const char *lacks)
{
    return json_pack("{s:o, s:{s:s, s:s, s:s*}}", "id", id_of(request), "error", "request",
                     request->verb == VERBS ? "" : verb_name(request->verb), "reason", reason,
                     "lacks", lacks);
}

/* Text from the kernel or from a request may be no UTF-8, which a reply must be. */
static void reply_error(const struct lab *lab, const struct request *request,
                        const struct reason *why)
{
    json_t *reply = error_of(request, why->text, why->lacks);

    if (!reply)
        reply = error_of(request, "the reason is not text", NULL);
    channel_send(&lab->channel, reply);
}

void lab_refuse(const struct lab *lab, const char *reason)
{
    const struct request nobody = {.verb = VERBS};
    struct reason why = {.text = ""};

    because(&why, "%s", reason);
    reply_error(lab, &nobody, &why);
}

static void send_answer(struct lab *lab, json_t *reply)
{
    channel_hand_over(&lab->channel, reply, lab->gift);
    if (lab->gift >= 0)
        close(lab->gift);
    lab->gift = -1;
}

static void begin_waiting(struct lab *lab, struct request *request)
{
    lab->waiting = true;
    lab->pending = *request;
    lab->due = lab_clock() + (uint64_t)(request->deadline * 1e9);
    lab->looked = 0;
}

void lab_answer(struct lab *lab, const char *line, size_t length)
{
    struct request request;
    struct reason why = {.text = ""};
    json_t *answer = NULL;
    int status = request_parse(line, length, &request, &why);

    lab->watch = NULL;
    if (status == 0 && lab->core->unable && request.verb != VERB_END) {
        why = lab->core->unable_why;
    } else if (status == 0 && deeds[request.verb].begin) {
        status = deeds[request.verb].begin(lab, &request, &why);
        if (status == 0) {
            begin_waiting(lab, &request);
            return;
        }
    } else if (status == 0) {
        answer = deeds[request.verb].at_once(lab, &request, &why);
    }
    if (answer)
        send_answer(lab, json_pack("{s:o, s:o}", "id", id_of(&request), "ok", answer));
    else
        reply_error(lab, &request, &why);
    channel_take(&lab->channel, NULL, 0); /* descriptors nobody asked for */
    request_free(&request);
}
