#ifndef SOCKSPEC_SEGMENT_H
#define SOCKSPEC_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the headers of one frame say, and which frames a moment means. Pure. */

enum segment_protocol {
    SEGMENT_ANY, /* only in a pattern */
    SEGMENT_TCP,
    SEGMENT_UDP,
    SEGMENT_ICMP,
    SEGMENT_ICMPV6,
    SEGMENT_ARP,
    SEGMENT_OTHER, /* only in a segment */
    SEGMENT_PROTOCOLS
};

struct segment {
    enum segment_protocol protocol;
    int family; /* AF_INET, AF_INET6; AF_UNSPEC: neither, or cut short */
    unsigned char source[16], destination[16]; /* of the family, from the first byte on */
    bool has_ports;                     /* TCP and UDP, but for a fragment that is not the first */
    int source_port, destination_port;  /* 0 where it has none */
    unsigned flags;                     /* TCP: SEGMENT_FIN, … */
    uint32_t sequence, acknowledgement; /* TCP */
    int type, code;                     /* ICMP, ICMPv6 */
    size_t payload;                     /* bytes after the last header that is known here */
};

enum segment_flag {
    SEGMENT_FIN = 0x01,
    SEGMENT_SYN = 0x02,
    SEGMENT_RST = 0x04,
    SEGMENT_PSH = 0x08,
    SEGMENT_ACK = 0x10,
    SEGMENT_URG = 0x20,
    SEGMENT_ECE = 0x40,
    SEGMENT_CWR = 0x80,
};

enum { PLACE_NAME_ROOM = 32 }; /* the name of a host or a wire with its NUL */

/* The frames that a moment counts: those of which all that is said here is true. */
struct segment_pattern {
    char wire[PLACE_NAME_ROOM], from[PLACE_NAME_ROOM]; /* "": any */
    enum segment_protocol protocol;
    unsigned with, without;            /* TCP flags: all of these set, none of those */
    int source_port, destination_port; /* 0: any */
    enum { PAYLOAD_EITHER, PAYLOAD_SOME, PAYLOAD_NONE } payload;
};

/* Reads the headers. `ethertype` in host order; `bytes` from the network header on. Whatever the
 * bytes are, the answer is a segment: what cannot be read stays 0. */
struct segment segment_parse(uint16_t ethertype, const unsigned char *bytes, size_t length);

bool segment_fits(const struct segment_pattern *pattern, const struct segment *segment,
                  const char *wire, const char *from);

/* The pattern in words ("with FIN without ACK to port 9877 from server on w"), none when it
 * means every one. Cut to fit. */
void segment_pattern_describe(const struct segment_pattern *pattern, char *text, size_t size);

/* The flag or protocol of that name ("FIN", "tcp"); 0 for none, as SEGMENT_ANY has no name. */
unsigned segment_flag_of(const char *name);
enum segment_protocol segment_protocol_of(const char *name);

#endif
