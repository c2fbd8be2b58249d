#include "describe.h"

#include "errno_name.h"
#include "proc.h"
#include "signal_name.h"

#include <stdlib.h>
#include <sys/wait.h>

json_t *describe_exit(int status)
{
    if (WIFEXITED(status))
        return json_pack("{s:i}", "code", WEXITSTATUS(status));
    return json_pack("{s:s*, s:b}", "signal", signal_name(WTERMSIG(status)), "core",
                     WCOREDUMP(status) ? 1 : 0);
}

/* --- events
 * --------------------------------------------------------------------------------------------------
 */

static json_t *call_name_of(int number)
{
    const struct call_shape *call = call_of_number(number);

    return call ? json_string(call_name(call)) : json_integer(number);
}

static void add_enter(json_t *event, const struct record *record)
{
    const struct call_shape *call = call_of_number(record->enter.number);
    const struct call_collected entered = {record->bytes, record->tail}, none = {NULL, 0};

    json_object_set_new(event, "call", call_name_of(record->enter.number));
    if (call)
        json_object_set_new(event, "args",
                            call_arguments(call, record->enter.arguments, 0, entered, none));
}

static void add_result(json_t *event, int64_t result)
{
    const char *name;

    if (result >= 0 || result < -4095) {
        json_object_set_new(event, "value", json_integer(result));
        return;
    }
    name = errno_name((int)-result);
    json_object_set_new(event, "errno", json_string(name ? name : "unknown"));
    json_object_set_new(event, "number", json_integer(-result));
}

static void add_leave(json_t *event, const struct core *core, const struct record *record)
{
    static const char *const injected[] = {
        [INJECTED_ERRNO] = "errno", [INJECTED_VALUE] = "value", [INJECTED_SHORT] = "short"};
    const struct record *enter = log_record(core->log, record->leave.entered);
    const struct call_collected left = {record->bytes, record->tail};
    const struct call_shape *call = enter ? call_of_number(enter->enter.number) : NULL;

    if (call) {
        const struct call_collected entered = {enter->bytes, enter->tail};

        json_object_set_new(event, "call", json_string(call_name(call)));
        json_object_set_new(
            event, "args",
            call_arguments(call, enter->enter.arguments, record->leave.result, entered, left));
    }
    json_object_set_new(event, "entered", json_integer((json_int_t)record->leave.entered));
    add_result(event, record->leave.result);
    if (record->leave.restarted)
        json_object_set_new(event, "restarted", json_integer(record->leave.restarted));
    if (record->leave.injected)
        json_object_set_new(event, "injected", json_string(injected[record->leave.injected]));
}

static void add_signal(json_t *event, const struct record *record)
{
    static const char *const dispositions[] = {[DISPOSITION_DEFAULT] = "default",
                                               [DISPOSITION_IGNORED] = "ignored",
                                               [DISPOSITION_HANDLER] = "handler"};
    const char *name = signal_name(record->signal.number);

    json_object_set_new(event, "signal", json_string(name ? name : "unknown"));
    if (record->signal.from > 0)
        json_object_set_new(event, "from", json_integer(record->signal.from));
    json_object_set_new(event, "disposition",
                        json_string(dispositions[record->signal.disposition]));
}

static json_t *hexadecimal(const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * length + 1);
    json_t *value;

    if (!text)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    value = json_stringn(text, 2 * length);
    free(text);
    return value;
}

/* Where on a wire it is, and what became of it. */
static void add_crossing(json_t *event, const struct lab *lab, const struct record *record)
{
    const struct wire *wire = wires_at(lab->wires, record->segment.wire);
    const int side = wire->ends[0].host == record->segment.host ? 0 : 1;

    json_object_set_new(event, "link", json_string(wire->ends[side].link));
    json_object_set_new(event, "wire", json_string(wire->name));
    json_object_set_new(event, "fate", json_string(fate_name(record->segment.fate)));
    if (record->segment.of)
        json_object_set_new(event, "of", json_integer((json_int_t)record->segment.of));
}

static void add_segment(json_t *event, const struct lab *lab, const struct record *record, bool raw)
{
    json_object_set_new(event, "host", json_string(lab->hosts.list[record->segment.host].name));
    if (record->segment.wire < 0)
        json_object_set_new(event, "link", json_string("lo"));
    else
        add_crossing(event, lab, record);
    json_object_set_new(event, "length", json_integer((json_int_t)record->segment.length));
    if (raw)
        json_object_set_new(event, "raw", hexadecimal(record->bytes, record->tail));
}

static void add_fork(json_t *event, const struct core *core, const struct record *record)
{
    const struct process *child = core_find(core, record->fork.child);

    json_object_set_new(event, "child", json_integer(record->fork.child));
    json_object_set_new(event, "born", json_string(born_name(child->born)));
}

static void add_particulars(json_t *event, const struct lab *lab, const struct record *record,
                            bool raw)
{
    const struct core *core = lab->core;

    switch (record->kind) {
    case RECORD_ENTER:
        add_enter(event, record);
        break;
    case RECORD_LEAVE:
        add_leave(event, core, record);
        break;
    case RECORD_SIGNAL:
        add_signal(event, record);
        break;
    case RECORD_FORK:
        add_fork(event, core, record);
        break;
    case RECORD_EXEC:
        json_object_set_new(event, "name", json_stringn((const char *)record->bytes, record->tail));
        break;
    case RECORD_EXIT:
    case RECORD_DEAD:
        json_object_set_new(event, "exit", describe_exit(record->exit.status));
        break;
    case RECORD_SEGMENT:
        add_segment(event, lab, record, raw);
        break;
    default:
        break;
    }
}

json_t *describe_event(const struct lab *lab, const struct record *record, bool raw)
{
    json_t *event = json_pack("{s:I, s:I, s:s}", "seq", (json_int_t)record->seq, "time",
                              (json_int_t)record->time, "kind", record_kind_name(record->kind));

    if (record->process) {
        json_object_set_new(event, "process", json_integer(record->process));
        json_object_set_new(event, "thread", json_integer(record->thread));
    }
    add_particulars(event, lab, record, raw);
    return event;
}

/* --- processes
 * -----------------------------------------------------------------------------------------------
 */

static bool zombie(const struct core *core, const struct process *process)
{
    return core_find_pid(core, process->pid) == process &&
           proc_state(process->pid, process->pid) == 'Z';
}

static const char *state_of(const struct core *core, const struct process *process)
{
    if (process->life == LIFE_DEAD)
        return zombie(core, process) ? "zombie" : "dead";
    if (process->detached)
        return "detached";
    return process_held(process) ? "held" : "running";
}

static void add_whereabouts(json_t *object, const struct lab *lab, const struct process *process)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next) {
        const struct record *record =
            thread->held ? log_record(lab->core->log, thread->held_at) : NULL;

        if (record)
            json_object_set_new(object, "at", describe_event(lab, record, false));
        if (thread->in)
            json_object_set_new(object, "in", json_string(call_name(thread->in)));
    }
}

/* A process that a signal has stopped is in a tracing stop to the kernel only because it is traced.
 */
static char letter_of(const struct process *process)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next) {
        if (thread->stopped)
            return 'T';
    }
    return proc_state(process->pid, process->pid);
}

json_t *describe_process(const struct lab *lab, const struct process *process)
{
    const char letter[2] = {letter_of(process), '\0'};
    json_t *parent = process->parent ? json_integer(process->parent) : json_null();
    json_t *object = json_pack("{s:i, s:i, s:o, s:i, s:s, s:s, s:s, s:s, s:s}", "process",
                               process->number, "program", process->program, "parent", parent,
                               "pid", (int)process->pid, "born", born_name(process->born), "name",
                               process->name, "host", lab->hosts.list[process->host].name, "state",
                               state_of(lab->core, process), "kernel", letter);

    add_whereabouts(object, lab, process);
    if (process->life == LIFE_DEAD)
        json_object_set_new(object, "exit", describe_exit(process->status));
    return object;
}

json_t *describe_living(const struct lab *lab)
{
    json_t *list = json_array();

    for (const struct process *process = lab->core->processes; process; process = process->next) {
        if (process->life != LIFE_DEAD)
            json_array_append_new(list, describe_process(lab, process));
    }
    return list;
}

json_t *describe_processes(const struct lab *lab)
{
    json_t *list = json_array();

    for (const struct process *process = lab->core->processes; process; process = process->next)
        json_array_append_new(list, describe_process(lab, process));
    return list;
}
