#include "kind.h"

#include "poller.h"

#include <errno.h>
#include <limits.h>

/* The names are read from this source, see KINDS. */

KINDS(inet_stream, KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM));

KINDS(inet_stream_mapped, KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM),
      KIND("mapped", .family = AF_INET6, .type = SOCK_STREAM, .mapped = true));

KINDS(inet_datagram, KIND("IPv4", .family = AF_INET, .type = SOCK_DGRAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_DGRAM));

KINDS(inet, KIND("TCP-IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("TCP-IPv6", .family = AF_INET6, .type = SOCK_STREAM),
      KIND("UDP-IPv4", .family = AF_INET, .type = SOCK_DGRAM),
      KIND("UDP-IPv6", .family = AF_INET6, .type = SOCK_DGRAM));

KINDS(unix_all, KIND("stream", .family = AF_UNIX, .type = SOCK_STREAM),
      KIND("datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
      KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

KINDS(unix_connected, KIND("stream", .family = AF_UNIX, .type = SOCK_STREAM),
      KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

KINDS(stream, KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM),
      KIND("UNIX", .family = AF_UNIX, .type = SOCK_STREAM));

KINDS(datagram, KIND("IPv4", .family = AF_INET, .type = SOCK_DGRAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_DGRAM),
      KIND("UNIX", .family = AF_UNIX, .type = SOCK_DGRAM));

KINDS(connected, KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM),
      KIND("UNIX", .family = AF_UNIX, .type = SOCK_STREAM),
      KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

KINDS(every_socket, KIND("TCP-IPv4", .family = AF_INET, .type = SOCK_STREAM),
      KIND("TCP-IPv6", .family = AF_INET6, .type = SOCK_STREAM),
      KIND("UDP-IPv4", .family = AF_INET, .type = SOCK_DGRAM),
      KIND("UDP-IPv6", .family = AF_INET6, .type = SOCK_DGRAM),
      KIND("UNIX-stream", .family = AF_UNIX, .type = SOCK_STREAM),
      KIND("UNIX-datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
      KIND("UNIX-seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

KINDS(pollers, KIND("select", .poller = &by_select), KIND("poll", .poller = &by_poll),
      KIND("epoll", .poller = &by_epoll));

KINDS(blocking_modes, KIND("blocking", .nonblocking = false),
      KIND("nonblocking", .nonblocking = true));

KINDS(bad_descriptors, KIND("minus_1", .other = -1), KIND("closed", .other = 0),
      KIND("beyond", .other = INT_MAX));

KINDS(no_sockets, KIND("device", .text = "/dev/null"), KIND("folder", .text = "/"),
      KIND("pipe", .value = 0));

KINDS(bad_paths, KIND("missing", .other = ENOENT), KIND("through_a_file", .other = ENOTDIR),
      KIND("looping", .other = ELOOP), KIND("long_name", .other = ENAMETOOLONG),
      KIND("forbidden", .other = EACCES));

const struct kind ipv4_stream = KIND("IPv4", .family = AF_INET, .type = SOCK_STREAM),
                  ipv6_stream = KIND("IPv6", .family = AF_INET6, .type = SOCK_STREAM),
                  ipv4_datagram = KIND("IPv4", .family = AF_INET, .type = SOCK_DGRAM),
                  ipv6_datagram = KIND("IPv6", .family = AF_INET6, .type = SOCK_DGRAM),
                  unix_stream = KIND("UNIX", .family = AF_UNIX, .type = SOCK_STREAM),
                  unix_datagram = KIND("UNIX", .family = AF_UNIX, .type = SOCK_DGRAM);
