#include "answer_net.h"

#include "describe.h"
#include "net/hex.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int index_of(const struct lab *lab, const struct host *host)
{
    return (int)(host - lab->hosts.list);
}

/* --- making hosts and wires
 * ----------------------------------------------------------------------------------
 */

/* The descriptor is for whoever wants to enter the namespace from outside. */
static json_t *describe_host(const struct host *host)
{
    return json_pack("{s:s, s:i}", "host", host->name, "descriptor", host->namespace);
}

json_t *answer_host(struct lab *lab, const struct request *request, struct reason *why)
{
    if (hosts_add(&lab->hosts, request->plan.name, request->capture, why) < 0)
        return NULL;
    return describe_host(hosts_find(&lab->hosts, request->plan.name));
}

static json_t *describe_end(const struct lab *lab, const struct wire_end *end)
{
    char mac[MAC_TEXT_ROOM];

    mac_text(end->mac, mac);
    return json_pack("{s:s, s:s, s:s}", "host", lab->hosts.list[end->host].name, "link", end->link,
                     "mac", mac);
}

json_t *answer_wire(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct wire *wire;

    if (wires_add(lab->wires, &request->plan, why) < 0)
        return NULL;
    wire = wires_find(lab->wires, request->plan.name, why);
    return json_pack("{s:s, s:[o, o]}", "wire", wire->name, "ends",
                     describe_end(lab, &wire->ends[0]), describe_end(lab, &wire->ends[1]));
}

/* A socket belongs to the namespace in which it was made, whoever uses it. */
json_t *answer_socket(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, request->host, why);

    if (!host || host_enter(&lab->hosts, host, why) < 0)
        return NULL;
    lab->gift = socket(request->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lab->gift < 0)
        because_of_errno(why, "socket");
    host_leave(&lab->hosts);
    return lab->gift < 0 ? NULL : json_object();
}

/* --- what is set on a host
 * -----------------------------------------------------------------------------------
 */

static json_t *set(struct lab *lab, const struct request *request, struct setting *setting,
                   struct reason *why)
{
    struct host *host = hosts_living(&lab->hosts, request->host, why);

    if (!host)
        return NULL;
    if (request->link)
        snprintf(setting->link, sizeof setting->link, "%s", request->link);
    return host_set(host, setting, request->remove, why) < 0 ? NULL : json_object();
}

json_t *answer_address(struct lab *lab, const struct request *request, struct reason *why)
{
    struct setting setting = {.kind = SETTING_ADDRESS, .address = request->address};

    return set(lab, request, &setting, why);
}

json_t *answer_neighbour(struct lab *lab, const struct request *request, struct reason *why)
{
    struct setting setting = {.kind = SETTING_NEIGHBOUR, .neighbour = request->neighbour};

    return set(lab, request, &setting, why);
}

json_t *answer_route(struct lab *lab, const struct request *request, struct reason *why)
{
    struct setting setting = {.kind = SETTING_ROUTE, .route = request->route};

    return set(lab, request, &setting, why);
}

/* --- faults
 * --------------------------------------------------------------------------------------------------
 */

json_t *answer_cut(struct lab *lab, const struct request *request, struct reason *why)
{
    struct wire *wire = wires_find(lab->wires, request->wire, why);

    return wire && wire_cut(lab->wires, wire, request->side, why) == 0 ? json_object() : NULL;
}

json_t *answer_mend(struct lab *lab, const struct request *request, struct reason *why)
{
    struct wire *wire = wires_find(lab->wires, request->wire, why);

    return wire && wire_mend(lab->wires, wire, request->side, why) == 0 ? json_object() : NULL;
}

static json_t *count_of(const char *what, int count, int watch, struct reason *why)
{
    if (count > 0)
        return json_pack("{s:i}", what, count);
    because(why, "watch %d holds no segment", watch);
    return NULL;
}

json_t *answer_pass(struct lab *lab, const struct request *request, struct reason *why)
{
    const int count = wires_pass(lab->wires, request->watch, request->reversed);

    return count_of("passed", count, request->watch, why);
}

json_t *answer_discard(struct lab *lab, const struct request *request, struct reason *why)
{
    return count_of("discarded", wires_discard(lab->wires, request->watch), request->watch, why);
}

json_t *answer_forge(struct lab *lab, const struct request *request, struct reason *why)
{
    const struct wire *wire = wires_find(lab->wires, request->wire, why);
    unsigned char packet[MOST_MTU];
    const long length = hex_bytes(request->frame, packet, sizeof packet);
    uint64_t event;

    if (!wire)
        return NULL;
    event = wire_forge(lab->wires, wire, request->to, packet, (size_t)length, why);
    return event ? json_pack("{s:o}", "event",
                             describe_event(lab, log_record(lab->core->log, event), false))
                 : NULL;
}

/* A frame that one watch wants on a wire that is not there would be waited for in vain. */
int check_places(struct lab *lab, const struct segment_pattern *pattern, struct reason *why)
{
    const struct wire *wire = NULL;
    const struct host *host = NULL;

    if (*pattern->wire && !(wire = wires_find(lab->wires, pattern->wire, why)))
        return -1;
    if (*pattern->from && !(host = hosts_known(&lab->hosts, pattern->from, why)))
        return -1;
    if (wire && host && wire_end_of(lab->wires, wire, host->name) < 0)
        return because(why, "wire %s does not end at host %s", wire->name, host->name);
    if (host && !wires_reach(lab->wires, index_of(lab, host)))
        return because(why, "host %s has no wire", host->name);
    if (wires_descriptor(lab->wires) < 0)
        return because(why, "there is no wire");
    return 0;
}

/* --- crash and boot
 * ------------------------------------------------------------------------------------------
 */

int begin_crash(struct lab *lab, struct request *request, struct reason *why)
{
    const struct host *host = hosts_living(&lab->hosts, request->host, why);

    if (!host)
        return -1;
    if (!wires_reach(lab->wires, index_of(lab, host)))
        return because(why, "host %s has no wire: nobody would notice", host->name);
    wires_silence(lab->wires, index_of(lab, host));
    lab->gathered = json_array();
    for (const struct process *process = lab->core->processes; process; process = process->next) {
        if (process->host == index_of(lab, host) && process->life != LIFE_DEAD)
            json_array_append_new(lab->gathered, describe_process(lab, process));
    }
    return 0;
}

/* Killed again at each look, and released: a child may have been born meanwhile, a watch may hold
 * one at its exit. */
bool finish_crash(struct lab *lab, json_t **answer)
{
    struct host *host = hosts_find(&lab->hosts, lab->pending.host);
    bool lives = false;

    for (struct process *process = lab->core->processes; process; process = process->next) {
        if (process->host != index_of(lab, host) || process->life == LIFE_DEAD)
            continue;
        lab->core->source->signal(lab->core, process, SIGKILL);
        lab_release(lab, process);
        lives |= process->life != LIFE_DEAD;
    }
    if (lives)
        return false;
    host_crash(host);
    *answer = json_pack("{s:O}", "killed", lab->gathered);
    return true;
}

json_t *answer_boot(struct lab *lab, const struct request *request, struct reason *why)
{
    struct host *host = hosts_known(&lab->hosts, request->host, why);

    if (!host)
        return NULL;
    if (host->namespace >= 0) {
        because(why, "host %s has not crashed", host->name);
        return NULL;
    }
    if (host_boot(&lab->hosts, host, why) < 0)
        return NULL;
    if (wires_reconnect(lab->wires, index_of(lab, host), why) == 0 && host_restore(host, why) == 0)
        return describe_host(host);
    wires_silence(lab->wires, index_of(lab, host));
    host_crash(host);
    return NULL;
}
