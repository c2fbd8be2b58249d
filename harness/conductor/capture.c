#include "capture.h"

#include "capability/capability.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* As TPACKET_ALIGN, which mixes signs. */
#define ALIGNED(size) (((size) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT)

/* TPACKET2_HDRLEN with that. */
#define HEAD_SIZE (ALIGNED(sizeof(struct tpacket2_hdr)) + sizeof(struct sockaddr_ll))

/* A frame's place in the ring: the kernel's header and the link's address, both aligned, 16 bytes
 * that it leaves free before the network header, and the bytes kept. */
enum {
    FRAME_SIZE = ALIGNED(ALIGNED(HEAD_SIZE) + 16 + CAPTURE_SNAP),
    BLOCK_SIZE = 65536,
    BLOCKS = 16,
    BLOCK_FRAMES = BLOCK_SIZE / FRAME_SIZE,
    FRAMES = BLOCKS * BLOCK_FRAMES,
    ROOM = 8 << 20, /* bytes, where there is no ring */
};

struct capture {
    int socket;          /* owned */
    unsigned char *ring; /* owned; NULL: the kernel has none, and frames are read one by one */
    unsigned next;       /* the frame that the kernel fills next, or has filled first */
    uint64_t dropped;
};

/* A frame never crosses from one block into the next: what is left of a block stays unused. */
static struct tpacket2_hdr *frame_at(const struct capture *capture, unsigned index)
{
    unsigned char *block = capture->ring + (size_t)(index / BLOCK_FRAMES) * BLOCK_SIZE;

    return (void *)(block + (size_t)(index % BLOCK_FRAMES) * FRAME_SIZE);
}

/* On loopback every frame passes twice, going out and coming in; one of the two is enough. What the
 * filter returns is how much is kept. */
static int keep_outgoing(int packets)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, CAPTURE_SNAP),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};

    return setsockopt(packets, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int make_ring(int packets)
{
    const int version = TPACKET_V2;
    const struct tpacket_req request = {.tp_block_size = BLOCK_SIZE,
                                        .tp_block_nr = BLOCKS,
                                        .tp_frame_size = FRAME_SIZE,
                                        .tp_frame_nr = FRAMES};

    if (setsockopt(packets, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0)
        return -1;
    return setsockopt(packets, SOL_PACKET, PACKET_RX_RING, &request, sizeof request);
}

static int map_ring(struct capture *capture)
{
    void *ring;

    if (keep_outgoing(capture->socket) < 0 || make_ring(capture->socket) < 0)
        return -1;
    ring = mmap(NULL, (size_t)BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                capture->socket, 0);
    if (ring == MAP_FAILED)
        return -1;
    capture->ring = ring;
    return 0;
}

/* Without a ring the frames wait in the socket. */
static int make_room(const struct capture *capture)
{
    const int room = ROOM;

    return setsockopt(capture->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

/* Until it is bound the socket hears nothing: no frame passes before the filter and the ring are
 * there. */
static int start(struct capture *capture, const char *link)
{
    const struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                        .sll_protocol = htons(ETH_P_ALL),
                                        .sll_ifindex = (int)if_nametoindex(link)};

    if (address.sll_ifindex == 0 ||
        (can(CAN_CAPTURE_RING) ? map_ring(capture) : make_room(capture)) < 0)
        return -1;
    return bind(capture->socket, (const struct sockaddr *)&address, sizeof address);
}

struct capture *capture_open(const char *link)
{
    struct capture *capture = calloc(1, sizeof *capture);

    if (!capture)
        return NULL;
    /* SOCK_DGRAM: frames begin at the network header, whatever the link's own looks like. */
    capture->socket = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (capture->socket < 0 || start(capture, link) < 0) {
        const int error = errno;

        capture_close(capture);
        errno = error;
        return NULL;
    }
    return capture;
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    if (capture->ring)
        munmap(capture->ring, (size_t)BLOCKS * BLOCK_SIZE);
    if (capture->socket >= 0)
        close(capture->socket);
    free(capture);
}

int capture_descriptor(const struct capture *capture)
{
    return capture->socket;
}

/* Acquire: whoever sees the status sees the frame. */
int capture_pending(const struct capture *capture)
{
    const struct tpacket2_hdr *head;
    struct pollfd packets = {.fd = capture->socket, .events = POLLIN};

    if (!capture->ring)
        return poll(&packets, 1, 0) == 1;
    head = frame_at(capture, capture->next);
    return (__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

static struct frame read_frame(const struct tpacket2_hdr *head)
{
    const unsigned char *start_of_frame = (const void *)head;
    const struct sockaddr_ll *address = (const void *)(start_of_frame + ALIGNED(sizeof *head));

    return (struct frame){.time = head->tp_sec * UINT64_C(1000000000) + head->tp_nsec,
                          .bytes = start_of_frame + head->tp_net,
                          .captured = head->tp_snaplen,
                          .length = head->tp_len,
                          .protocol = ntohs(address->sll_protocol)};
}

/* The time is when it is read: the kernel without a ring tells no other. */
static struct frame frame_of(const unsigned char *bytes, size_t length,
                             const struct sockaddr_ll *address)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (struct frame){.time =
                              (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec,
                          .bytes = bytes,
                          .captured = length < CAPTURE_SNAP ? length : CAPTURE_SNAP,
                          .length = length,
                          .protocol = ntohs(address->sll_protocol)};
}

/* Nor does it count what found no room: when the room was half used some may have been lost. */
static void drain_socket(struct capture *capture,
                         void (*take)(void *context, const struct frame *frame), void *context)
{
    unsigned char bytes[CAPTURE_SNAP];
    size_t used = 0;

    for (unsigned i = 0; i < FRAMES; i++) {
        struct sockaddr_ll address = {0};
        socklen_t size = sizeof address;
        const ssize_t length = recvfrom(capture->socket, bytes, sizeof bytes,
                                        MSG_DONTWAIT | MSG_TRUNC, (void *)&address, &size);

        if (length < 0)
            break;
        used += (size_t)length;
        if (address.sll_pkttype == PACKET_OUTGOING) {
            const struct frame frame = frame_of(bytes, (size_t)length, &address);

            take(context, &frame);
        }
    }
    if (used > ROOM / 2)
        capture->dropped++;
}

/* At most one round of the ring: what comes in meanwhile may come without end. */
void capture_drain(struct capture *capture, void (*take)(void *context, const struct frame *frame),
                   void *context)
{
    if (!capture->ring) {
        drain_socket(capture, take, context);
        return;
    }
    for (unsigned i = 0; i < FRAMES && capture_pending(capture); i++) {
        struct tpacket2_hdr *head = frame_at(capture, capture->next);
        const struct frame frame = read_frame(head);

        take(context, &frame);
        __atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        capture->next = (capture->next + 1) % FRAMES;
    }
}

/* The kernel counts anew after each look. */
uint64_t capture_dropped(struct capture *capture)
{
    struct tpacket_stats counts = {0};
    socklen_t size = sizeof counts;

    if (getsockopt(capture->socket, SOL_PACKET, PACKET_STATISTICS, &counts, &size) == 0)
        capture->dropped += counts.tp_drops;
    return capture->dropped;
}
