#include "lab.h"

#include "capability/capability.h"
#include "proc.h"
#include "share.h"

#include <time.h>

static bool holds(const void *context, uint64_t inode)
{
    const struct core *core = context;

    for (const struct process *process = core->processes; process; process = process->next)
        if (process->life != LIFE_DEAD && proc_holds(process->pid, inode))
            return true;
    return false;
}

int lab_open(struct lab *lab, const struct source *source, bool captured, struct reason *why)
{
    lab->gift = -1;
    lab->core = core_open(source);
    if (!lab->core)
        return because_of_errno(why, "core");
    if (source->open(lab->core, why) < 0)
        return -1;
    if (hosts_open(&lab->hosts, captured, why) < 0)
        return -1;
    if (!can(CAN_ISOLATE)) {
        const int first = lab->isolation.port;

        lab->owner = (struct socket_owner){first, first + SHARED_PORTS - 1, holds, lab->core};
        lab->hosts.owner = &lab->owner;
    }
    lab->wires = wires_open(lab->core, &lab->hosts);
    if (!lab->wires)
        return because_of_errno(why, "wires");
    if (channel_open(&lab->channel, lab->isolation.control) < 0)
        return because_of_errno(why, "control channel");
    return 0;
}

void lab_close(struct lab *lab)
{
    json_decref(lab->gathered);
    wires_close(lab->wires);
    hosts_close(&lab->hosts);
    channel_close(&lab->channel);
    lab->core->source->close(lab->core);
    core_close(lab->core);
}

void lab_release(struct lab *lab, struct process *process)
{
    for (struct thread *thread = process->threads, *next; thread; thread = next) {
        next = thread->next;
        if (thread->held)
            lab->core->source->release(lab->core, thread);
    }
}

uint64_t lab_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Whose loopback is drained, and where to. */
struct drain {
    struct log *log;
    int host;
};

static void log_frame(void *context, const struct frame *frame)
{
    const struct drain *drain = context;
    struct record head = {.kind = RECORD_SEGMENT, .time = frame->time};

    head.segment.host = drain->host;
    head.segment.wire = -1;
    head.segment.protocol = frame->protocol;
    head.segment.length = frame->length;
    log_append(drain->log, &head, frame->bytes, frame->captured);
}

void lab_take_segments(struct lab *lab)
{
    for (int i = 0; i < lab->hosts.count; i++) {
        struct capture *capture = lab->hosts.list[i].capture;
        struct drain drain = {lab->core->log, i};

        if (capture && capture_pending(capture))
            capture_drain(capture, log_frame, &drain);
    }
    wires_pump(lab->wires);
}

size_t lab_descriptors(const struct lab *lab, struct pollfd sources[LAB_DESCRIPTORS])
{
    size_t count = 0;

    if (wires_descriptor(lab->wires) >= 0)
        sources[count++] = (struct pollfd){.fd = wires_descriptor(lab->wires), .events = POLLIN};
    for (int i = 0; i < lab->hosts.count; i++) {
        const struct capture *capture = lab->hosts.list[i].capture;

        if (capture)
            sources[count++] = (struct pollfd){.fd = capture_descriptor(capture), .events = POLLIN};
    }
    return count;
}

uint64_t lab_frames_dropped(struct lab *lab)
{
    uint64_t dropped = wires_dropped(lab->wires);

    for (int i = 0; i < lab->hosts.count; i++) {
        struct host *host = &lab->hosts.list[i];

        dropped += host->dropped + (host->capture ? capture_dropped(host->capture) : 0);
    }
    return dropped;
}
