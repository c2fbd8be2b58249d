#ifndef SOCKSPEC_CAPTURE_H
#define SOCKSPEC_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/* The frames that leave by one link of the network namespace that the caller was in at
 * capture_open, each once (outgoing copies only), from a TPACKET_V2 ring. */

enum { CAPTURE_SNAP = 256 }; /* bytes kept of a frame */

struct capture;

struct frame {
    uint64_t time;              /* ns of CLOCK_REALTIME */
    const unsigned char *bytes; /* from the network header on; valid during the call-back only */
    size_t captured, length; /* bytes kept; bytes the whole frame had from the network header on */
    uint16_t protocol;       /* ETH_P_IP, ETH_P_IPV6, … in host order */
};

/* Starts to capture on that link. The caller ends it with capture_close. NULL with errno. */
struct capture *capture_open(const char *link);
void capture_close(struct capture *capture);

/* To be polled for POLLIN. */
int capture_descriptor(const struct capture *capture);

/* Whether a frame waits: one look at the ring, no system call. */
int capture_pending(const struct capture *capture);

/* Hands over every frame that waits, oldest first. */
void capture_drain(struct capture *capture, void (*take)(void *context, const struct frame *frame),
                   void *context);

/* Frames lost since the start because the ring was full. */
uint64_t capture_dropped(struct capture *capture);

#endif
