#include "lab.h"

#include "ptrace/ptrace_source.h"
#include "sockets.h"

#include <time.h>
#include <unistd.h>

int lab_open(struct lab *lab, struct reason *why)
{
    lab->core = core_open(&ptrace_source);
    if (!lab->core)
        return because_of_errno(why, "core");
    if (ptrace_open(lab->core, why) < 0)
        return -1;
    lab->diagnosis = sockets_open();
    if (lab->diagnosis < 0)
        return because_of_errno(why, "sock_diag");
    lab->capture = capture_open("lo");
    if (!lab->capture)
        return because_of_errno(why, "capture on lo");
    if (channel_open(&lab->channel, lab->isolation.control) < 0)
        return because_of_errno(why, "control channel");
    return 0;
}

void lab_close(struct lab *lab)
{
    capture_close(lab->capture);
    close(lab->diagnosis);
    channel_close(&lab->channel);
    ptrace_close(lab->core);
    core_close(lab->core);
}

uint64_t lab_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void log_frame(void *context, const struct frame *frame)
{
    const struct lab *lab = context;
    struct record head = {.kind = RECORD_SEGMENT, .time = frame->time};

    head.segment.protocol = frame->protocol;
    head.segment.length = frame->length;
    log_append(lab->core->log, &head, frame->bytes, frame->captured);
}

void lab_take_segments(struct lab *lab)
{
    if (capture_pending(lab->capture))
        capture_drain(lab->capture, log_frame, lab);
}
