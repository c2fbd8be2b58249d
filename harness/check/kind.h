#ifndef SOCKSPEC_KIND_H
#define SOCKSPEC_KIND_H

#include <stdbool.h>
#include <sys/socket.h>

/* What the items of one case differ in. Which members mean something depends on the set. */
struct kind {
    const char *name; /* in the item's id: "IPv4" */
    int family, type;
    bool mapped;                 /* AF_INET6, with IPv4 addresses: ::ffff:127.0.0.1 */
    bool nonblocking;            /* sockets are to be made so */
    const struct poller *poller; /* see poller.h */
    const char *text;            /* for sets of a case file's own */
    int value, other;            /* for sets of a case file's own */
};

/* Defines a set, which EACH() takes; it ends with a kind without a name: `static KINDS(bad_hows,
 * KIND("minus_one", .value = -1), KIND("three", .value = 3));` in a case file, without `static` in
 * kind.c. The names are read from the source: write them out. */
#define KINDS(set, ...) const struct kind set[] = {__VA_ARGS__, {0}}
#define KIND(text, ...)                                                                            \
    {                                                                                              \
        .name = (text), __VA_ARGS__                                                                \
    }

/* Sets for all. */
extern const struct kind inet_stream[], /* TCP: IPv4, IPv6 */
    inet_stream_mapped[],               /* … and v4-mapped */
    inet_datagram[],                    /* UDP: IPv4, IPv6 */
    inet[],                             /* TCP and UDP over both */
    unix_all[],                         /* UNIX: stream, datagram, seqpacket */
    unix_connected[],                   /* UNIX: stream, seqpacket */
    stream[],                           /* IPv4, IPv6, UNIX */
    datagram[],                         /* IPv4, IPv6, UNIX */
    connected[],                        /* stream, and UNIX seqpacket */
    every_socket[],                     /* all of these */
    pollers[],                          /* select, poll, epoll */
    blocking_modes[],                   /* blocking, nonblocking */
    bad_descriptors[], no_sockets[],    /* see unfit.h */
    bad_paths[];

/* What a case without EACH() is given: TCP over IPv4. */
extern const struct kind ipv4_stream;
extern const struct kind ipv6_stream, ipv4_datagram, ipv6_datagram, unix_stream, unix_datagram;

#endif
