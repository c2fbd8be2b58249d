#include "lab.h"

#include "answer_net.h"
#include "describe.h"
#include "proc.h"
#include "sockets.h"

#include <string.h>

/* The request that waits: has its fact come, can it still come, is it late? */

enum outlook { OUTLOOK_OPEN, OUTLOOK_COME, OUTLOOK_HOPELESS };

typedef enum outlook look(struct lab *lab, json_t **answer, struct reason *why);

/* Facts that nobody tells us of are looked for: often at first, less often the longer they take, so
 * that the wait for a kernel timer costs no processor. In ns. */
static uint64_t pause_between_looks(const struct lab *lab)
{
    const uint64_t shortest = 100000, longest = 50000000;
    const uint64_t began = lab->due - (uint64_t)(lab->pending.deadline * 1e9);
    const uint64_t pause = lab->looked > began ? (lab->looked - began) / 32 : 0;

    return pause < shortest ? shortest : pause > longest ? longest : pause;
}

/* A process that only has to die will be told of as dead, with its exit. */
static bool one_is_dying(const struct core *core)
{
    for (const struct process *process = core->processes; process; process = process->next) {
        if (process->life == LIFE_EXITING && !process_held(process))
            return true;
    }
    return false;
}

static enum outlook look_watch(struct lab *lab, json_t **answer, struct reason *why)
{
    const struct watch *watch = lab->watch;

    if (watch->struck > 0) {
        const struct process *where = core_find(lab->core, watch->last_process);
        const struct record *record = log_record(lab->core->log, watch->last_event);

        *answer = json_pack("{s:o*, s:o}", "process", where ? describe_process(lab, where) : NULL,
                            "event", record ? describe_event(lab, record, false) : json_null());
        return OUTLOOK_COME;
    }
    if (core_can_strike(lab->core, watch) || one_is_dying(lab->core))
        return OUTLOOK_OPEN;
    because(why, "no process is left or free to run to it");
    return OUTLOOK_HOPELESS;
}

static enum outlook look_death(struct lab *lab, json_t **answer, struct reason *why)
{
    const struct process *process = core_find(lab->core, lab->pending.process);

    if (process->life == LIFE_DEAD) {
        *answer = describe_exit(process->status);
        return OUTLOOK_COME;
    }
    if (!process_standing(process))
        return OUTLOOK_OPEN;
    because(why, "it is held");
    return OUTLOOK_HOPELESS;
}

static enum outlook look_blocked(struct lab *lab, json_t **answer, struct reason *why)
{
    const struct process *process = core_find(lab->core, lab->pending.process);

    if (process->life != LIFE_RUNNING) {
        because(why, "it has ended");
        return OUTLOOK_HOPELESS;
    }
    for (const struct thread *thread = process->threads; thread; thread = thread->next) {
        const struct record *record = log_record(lab->core->log, thread->entered);

        if (!thread->in || !record || !call_is(thread->in, lab->pending.call) ||
            !proc_sleeps_in(process->pid, thread->tid, call_number(thread->in)))
            continue;
        *answer = json_pack("{s:o}", "event", describe_event(lab, record, false));
        return OUTLOOK_COME;
    }
    return OUTLOOK_OPEN;
}

/* Whether the thread cannot go on by itself: held, stopped, or asleep in the kernel. */
static bool rests(const struct core *core, const struct process *process,
                  const struct thread *thread)
{
    if (thread->held || thread->stopped)
        return true;
    return proc_sleeps(process->pid, thread->tid) &&
           !(core->source->busy && core->source->busy(core, thread));
}

static bool all_rest(const struct core *core)
{
    for (const struct process *process = core->processes; process; process = process->next) {
        if (process->life == LIFE_DEAD || process->detached)
            continue;
        if (process->life == LIFE_EXITING && !process_held(process))
            return false;
        for (const struct thread *thread = process->threads; thread; thread = thread->next) {
            if (!rests(core, process, thread))
                return false;
        }
    }
    return true;
}

static enum outlook look_rest(struct lab *lab, json_t **answer, struct reason *why)
{
    (void)why;
    if (!all_rest(lab->core))
        return OUTLOOK_OPEN;
    *answer = json_pack("{s:o}", "processes", describe_living(lab));
    return OUTLOOK_COME;
}

static enum outlook look_sockets(struct lab *lab, json_t **answer, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, lab->pending.host, why);
    json_t *list = host ? host_sockets(&lab->hosts, host, &lab->pending.filter, why) : NULL;
    const size_t count = json_array_size(list);

    if (!list)
        return OUTLOOK_HOPELESS;
    if (lab->pending.gone ? count > 0 : count < (size_t)lab->pending.count) {
        json_decref(list);
        return OUTLOOK_OPEN;
    }
    *answer = json_pack("{s:o}", "sockets", list);
    return OUTLOOK_COME;
}

static enum outlook look_crash(struct lab *lab, json_t **answer, struct reason *why)
{
    (void)why;
    return finish_crash(lab, answer) ? OUTLOOK_COME : OUTLOOK_OPEN;
}

static const struct {
    look *look;
    bool polled; /* the fact does not announce itself */
} lookouts[VERBS] = {
    [VERB_REACH] = {look_watch, false},    [VERB_REACHED] = {look_watch, false},
    [VERB_KILL] = {look_death, false},     [VERB_ENDED] = {look_death, false},
    [VERB_BLOCKED] = {look_blocked, true}, [VERB_AWAIT] = {look_sockets, true},
    [VERB_CRASH] = {look_crash, false},    [VERB_REST] = {look_rest, true},
};

static void describe_awaited(const struct lab *lab, char *text, size_t size)
{
    const struct request *request = &lab->pending;
    char moment[256] = "";

    switch (request->verb) {
    case VERB_REACH:
    case VERB_REACHED:
        moment_describe(&lab->watch->moment, moment, sizeof moment);
        if (lab->watch->process == 0)
            snprintf(text, size, "%s", moment);
        else
            snprintf(text, size, "%s, by process %d%s", moment, lab->watch->process,
                     lab->watch->scope == SCOPE_PROCESS    ? ""
                     : lab->watch->scope == SCOPE_CHILDREN ? "'s descendants"
                                                           : " or its descendants");
        break;
    case VERB_KILL:
    case VERB_ENDED:
        snprintf(text, size, "the death of process %d", request->process);
        break;
    case VERB_REST:
        snprintf(text, size, "every process to be held or asleep");
        break;
    case VERB_CRASH:
        snprintf(text, size, "the death of every process of host %s", request->host);
        break;
    case VERB_BLOCKED:
        snprintf(text, size, "process %d to sleep in %s", request->process, request->call);
        break;
    default:
        snprintf(text, size, request->gone ? "no socket that matches" : "%d socket%s that match%s",
                 request->count, request->count == 1 ? "" : "s", request->count == 1 ? "es" : "");
    }
}

static json_t *late(const struct lab *lab, const char *because_of)
{
    char awaited[320];

    describe_awaited(lab, awaited, sizeof awaited);
    return json_pack("{s:I, s:{s:s, s:s, s:s, s:o}}", "id", lab->pending.id, "late", "request",
                     verb_name(lab->pending.verb), "awaited", awaited, "because", because_of,
                     "processes", describe_processes(lab));
}

static json_t *unable(const struct lab *lab)
{
    const struct reason *why = &lab->core->unable_why;

    return json_pack("{s:I, s:{s:s, s:s, s:s}}", "id", lab->pending.id, "error", "request",
                     verb_name(lab->pending.verb), "reason", why->text, "lacks", why->lacks);
}

static void conclude(struct lab *lab, json_t *reply)
{
    if (lab->pending.verb == VERB_REACH)
        core_disarm(lab->core, lab->watch);
    json_decref(lab->gathered);
    lab->gathered = NULL;
    lab->watch = NULL;
    lab->waiting = false;
    request_free(&lab->pending);
    channel_send(&lab->channel, reply);
}

static bool time_to_look(const struct lab *lab, uint64_t now)
{
    return !lookouts[lab->pending.verb].polled || now - lab->looked >= pause_between_looks(lab);
}

void lab_look(struct lab *lab)
{
    const uint64_t now = lab->waiting ? lab_clock() : 0;
    struct reason why = {.text = ""};
    json_t *answer = NULL;
    enum outlook outlook = OUTLOOK_OPEN;

    if (!lab->waiting)
        return;
    if (time_to_look(lab, now)) {
        lab->looked = now;
        outlook = lookouts[lab->pending.verb].look(lab, &answer, &why);
    }
    if (lab->core->unable) {
        json_decref(answer);
        conclude(lab, unable(lab));
    } else if (outlook == OUTLOOK_COME)
        conclude(lab, json_pack("{s:I, s:o}", "id", lab->pending.id, "ok", answer));
    else if (outlook == OUTLOOK_HOPELESS)
        conclude(lab, late(lab, why.text));
    else if (now >= lab->due)
        conclude(lab, late(lab, lab->core->full ? "the deadline passed; the lab was full, and fork "
                                                  "gave EAGAIN"
                                                : "the deadline passed"));
}

static uint64_t next_look(const struct lab *lab)
{
    const uint64_t next = lab->looked + pause_between_looks(lab);

    if (!lab->waiting)
        return UINT64_MAX;
    return lookouts[lab->pending.verb].polled && next < lab->due ? next : lab->due;
}

uint64_t lab_next_look(const struct lab *lab)
{
    const uint64_t fact = next_look(lab), frame = wires_due(lab->wires);

    return frame < fact ? frame : fact;
}
