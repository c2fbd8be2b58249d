#include "call_options.h"

#include "call_decode.h"
#include "errno_name.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SOCKET(option) .name = #option, .level = SOL_SOCKET, .number = option
#define TCP(option) .name = #option, .level = IPPROTO_TCP, .number = option
#define IP(option) .name = #option, .level = IPPROTO_IP, .number = option
#define IPV6(option) .name = #option, .level = IPPROTO_IPV6, .number = option

static const struct call_option options[] = {
    {SOCKET(SO_DEBUG), .type = OPTION_INT},
    {SOCKET(SO_REUSEADDR), .type = OPTION_INT},
    {SOCKET(SO_DONTROUTE), .type = OPTION_INT},
    {SOCKET(SO_BROADCAST), .type = OPTION_INT},
    {SOCKET(SO_SNDBUF), .type = OPTION_INT},
    {SOCKET(SO_RCVBUF), .type = OPTION_INT},
    {SOCKET(SO_SNDBUFFORCE), .type = OPTION_INT},
    {SOCKET(SO_RCVBUFFORCE), .type = OPTION_INT},
    {SOCKET(SO_KEEPALIVE), .type = OPTION_INT},
    {SOCKET(SO_OOBINLINE), .type = OPTION_INT},
    {SOCKET(SO_NO_CHECK), .type = OPTION_INT},
    {SOCKET(SO_PRIORITY), .type = OPTION_INT},
    {SOCKET(SO_REUSEPORT), .type = OPTION_INT},
    {SOCKET(SO_PASSCRED), .type = OPTION_INT},
    {SOCKET(SO_RCVLOWAT), .type = OPTION_INT},
    {SOCKET(SO_SNDLOWAT), .type = OPTION_INT},
    {SOCKET(SO_TIMESTAMP), .type = OPTION_INT},
    {SOCKET(SO_TIMESTAMPNS), .type = OPTION_INT},
    {SOCKET(SO_ACCEPTCONN), .type = OPTION_INT},
    {SOCKET(SO_MARK), .type = OPTION_INT},
    {SOCKET(SO_RXQ_OVFL), .type = OPTION_INT},
    {SOCKET(SO_PEEK_OFF), .type = OPTION_INT},
    {SOCKET(SO_BUSY_POLL), .type = OPTION_INT},
    {SOCKET(SO_INCOMING_CPU), .type = OPTION_INT},
#ifdef SO_ZEROCOPY
    {SOCKET(SO_ZEROCOPY), .type = OPTION_INT},
#endif
#ifdef SO_INCOMING_NAPI_ID
    {SOCKET(SO_INCOMING_NAPI_ID), .type = OPTION_INT},
#endif
#ifdef SO_TXREHASH
    {SOCKET(SO_TXREHASH), .type = OPTION_INT},
#endif
    {SOCKET(SO_LINGER), .type = OPTION_LINGER},
    {SOCKET(SO_RCVTIMEO), .type = OPTION_SECONDS},
    {SOCKET(SO_SNDTIMEO), .type = OPTION_SECONDS},
    {SOCKET(SO_PEERCRED), .type = OPTION_CREDENTIALS},
    {SOCKET(SO_ERROR), .type = OPTION_ERRNO},
    {SOCKET(SO_TYPE), .type = OPTION_NAMED, .names = &names_plain_socket_type},
    {SOCKET(SO_DOMAIN), .type = OPTION_NAMED, .names = &names_family},
    {SOCKET(SO_PROTOCOL), .type = OPTION_NAMED, .names = &names_inet_protocol},
    {SOCKET(SO_BINDTODEVICE), .type = OPTION_TEXT},
    {SOCKET(SO_ATTACH_FILTER), .type = OPTION_BYTES},
#ifdef SO_COOKIE
    {SOCKET(SO_COOKIE), .type = OPTION_BYTES},
#endif
#ifdef SO_PEERGROUPS
    {SOCKET(SO_PEERGROUPS), .type = OPTION_BYTES},
#endif
#ifdef SO_MEMINFO
    {SOCKET(SO_MEMINFO), .type = OPTION_BYTES},
#endif
    {TCP(TCP_NODELAY), .type = OPTION_INT},
    {TCP(TCP_MAXSEG), .type = OPTION_INT},
    {TCP(TCP_CORK), .type = OPTION_INT},
    {TCP(TCP_KEEPIDLE), .type = OPTION_INT},
    {TCP(TCP_KEEPINTVL), .type = OPTION_INT},
    {TCP(TCP_KEEPCNT), .type = OPTION_INT},
    {TCP(TCP_SYNCNT), .type = OPTION_INT},
    {TCP(TCP_LINGER2), .type = OPTION_INT},
    {TCP(TCP_DEFER_ACCEPT), .type = OPTION_INT},
    {TCP(TCP_WINDOW_CLAMP), .type = OPTION_INT},
    {TCP(TCP_QUICKACK), .type = OPTION_INT},
    {TCP(TCP_USER_TIMEOUT), .type = OPTION_INT},
    {TCP(TCP_REPAIR), .type = OPTION_INT},
    {TCP(TCP_REPAIR_QUEUE), .type = OPTION_INT},
    {TCP(TCP_QUEUE_SEQ), .type = OPTION_INT},
    {TCP(TCP_FASTOPEN), .type = OPTION_INT},
#ifdef TCP_FASTOPEN_CONNECT
    {TCP(TCP_FASTOPEN_CONNECT), .type = OPTION_INT},
#endif
#ifdef TCP_FASTOPEN_NO_COOKIE
    {TCP(TCP_FASTOPEN_NO_COOKIE), .type = OPTION_INT},
#endif
#ifdef TCP_NOTSENT_LOWAT
    {TCP(TCP_NOTSENT_LOWAT), .type = OPTION_INT},
#endif
#ifdef TCP_INQ
    {TCP(TCP_INQ), .type = OPTION_INT},
#endif
#ifdef TCP_SAVE_SYN
    {TCP(TCP_SAVE_SYN), .type = OPTION_INT},
#endif
#ifdef TCP_TX_DELAY
    {TCP(TCP_TX_DELAY), .type = OPTION_INT},
#endif
#ifdef TCP_THIN_LINEAR_TIMEOUTS
    {TCP(TCP_THIN_LINEAR_TIMEOUTS), .type = OPTION_INT},
#endif
#ifdef TCP_THIN_DUPACK
    {TCP(TCP_THIN_DUPACK), .type = OPTION_INT},
#endif
    {TCP(TCP_TIMESTAMP), .type = OPTION_INT},
    {TCP(TCP_CONGESTION), .type = OPTION_TEXT},
#ifdef TCP_ULP
    {TCP(TCP_ULP), .type = OPTION_TEXT},
#endif
    {TCP(TCP_INFO), .type = OPTION_BYTES},
    {TCP(TCP_MD5SIG), .type = OPTION_BYTES},
#ifdef TCP_SAVED_SYN
    {TCP(TCP_SAVED_SYN), .type = OPTION_BYTES},
#endif
#ifdef TCP_CC_INFO
    {TCP(TCP_CC_INFO), .type = OPTION_BYTES},
#endif
#ifdef TCP_REPAIR_WINDOW
    {TCP(TCP_REPAIR_WINDOW), .type = OPTION_BYTES},
#endif
#ifdef TCP_REPAIR_OPTIONS
    {TCP(TCP_REPAIR_OPTIONS), .type = OPTION_BYTES},
#endif
#ifdef TCP_FASTOPEN_KEY
    {TCP(TCP_FASTOPEN_KEY), .type = OPTION_BYTES},
#endif
#ifdef TCP_ZEROCOPY_RECEIVE
    {TCP(TCP_ZEROCOPY_RECEIVE), .type = OPTION_BYTES},
#endif
    {IP(IP_TOS), .type = OPTION_INT},
    {IP(IP_TTL), .type = OPTION_INT},
    {IP(IP_HDRINCL), .type = OPTION_INT},
    {IP(IP_RECVOPTS), .type = OPTION_INT},
    {IP(IP_PKTINFO), .type = OPTION_INT},
    {IP(IP_MTU_DISCOVER), .type = OPTION_INT},
    {IP(IP_RECVERR), .type = OPTION_INT},
    {IP(IP_RECVTTL), .type = OPTION_INT},
    {IP(IP_RECVTOS), .type = OPTION_INT},
    {IP(IP_MTU), .type = OPTION_INT},
    {IP(IP_FREEBIND), .type = OPTION_INT},
    {IP(IP_TRANSPARENT), .type = OPTION_INT},
    {IP(IP_MINTTL), .type = OPTION_INT},
    {IP(IP_MULTICAST_TTL), .type = OPTION_INT},
    {IP(IP_MULTICAST_LOOP), .type = OPTION_INT},
    {IP(IP_MULTICAST_ALL), .type = OPTION_INT},
#ifdef IP_BIND_ADDRESS_NO_PORT
    {IP(IP_BIND_ADDRESS_NO_PORT), .type = OPTION_INT},
#endif
#ifdef IP_RECVORIGDSTADDR
    {IP(IP_RECVORIGDSTADDR), .type = OPTION_INT},
#endif
#ifdef IP_NODEFRAG
    {IP(IP_NODEFRAG), .type = OPTION_INT},
#endif
    {IP(IP_UNICAST_IF), .type = OPTION_INT},
#ifdef IP_LOCAL_PORT_RANGE
    {IP(IP_LOCAL_PORT_RANGE), .type = OPTION_INT},
#endif
    {IP(IP_OPTIONS), .type = OPTION_BYTES},
    {IP(IP_MULTICAST_IF), .type = OPTION_BYTES},
    {IP(IP_ADD_MEMBERSHIP), .type = OPTION_BYTES},
    {IP(IP_DROP_MEMBERSHIP), .type = OPTION_BYTES},
    {IP(IP_ADD_SOURCE_MEMBERSHIP), .type = OPTION_BYTES},
    {IP(IP_DROP_SOURCE_MEMBERSHIP), .type = OPTION_BYTES},
    {IP(IP_MSFILTER), .type = OPTION_BYTES},
    {IPV6(IPV6_UNICAST_HOPS), .type = OPTION_INT},
    {IPV6(IPV6_MULTICAST_IF), .type = OPTION_INT},
    {IPV6(IPV6_MULTICAST_HOPS), .type = OPTION_INT},
    {IPV6(IPV6_MULTICAST_LOOP), .type = OPTION_INT},
    {IPV6(IPV6_MTU_DISCOVER), .type = OPTION_INT},
    {IPV6(IPV6_MTU), .type = OPTION_INT},
    {IPV6(IPV6_RECVERR), .type = OPTION_INT},
    {IPV6(IPV6_V6ONLY), .type = OPTION_INT},
    {IPV6(IPV6_RECVPKTINFO), .type = OPTION_INT},
    {IPV6(IPV6_RECVHOPLIMIT), .type = OPTION_INT},
    {IPV6(IPV6_HOPLIMIT), .type = OPTION_INT},
    {IPV6(IPV6_RECVTCLASS), .type = OPTION_INT},
    {IPV6(IPV6_TCLASS), .type = OPTION_INT},
    {IPV6(IPV6_CHECKSUM), .type = OPTION_INT},
#ifdef IPV6_AUTOFLOWLABEL
    {IPV6(IPV6_AUTOFLOWLABEL), .type = OPTION_INT},
#endif
#ifdef IPV6_FREEBIND
    {IPV6(IPV6_FREEBIND), .type = OPTION_INT},
#endif
#ifdef IPV6_TRANSPARENT
    {IPV6(IPV6_TRANSPARENT), .type = OPTION_INT},
#endif
#ifdef IPV6_MINHOPCOUNT
    {IPV6(IPV6_MINHOPCOUNT), .type = OPTION_INT},
#endif
#ifdef IPV6_DONTFRAG
    {IPV6(IPV6_DONTFRAG), .type = OPTION_INT},
#endif
#ifdef IPV6_UNICAST_IF
    {IPV6(IPV6_UNICAST_IF), .type = OPTION_INT},
#endif
#ifdef IPV6_MULTICAST_ALL
    {IPV6(IPV6_MULTICAST_ALL), .type = OPTION_INT},
#endif
#ifdef IPV6_ADDR_PREFERENCES
    {IPV6(IPV6_ADDR_PREFERENCES), .type = OPTION_INT},
#endif
    {IPV6(IPV6_PKTINFO), .type = OPTION_BYTES},
    {IPV6(IPV6_JOIN_GROUP), .type = OPTION_BYTES},
    {IPV6(IPV6_LEAVE_GROUP), .type = OPTION_BYTES},
    {IPV6(IPV6_NEXTHOP), .type = OPTION_BYTES},
    {.name = "UDP_CORK", .level = IPPROTO_UDP, .number = UDP_CORK, .type = OPTION_INT},
    {.name = "UDP_SEGMENT", .level = IPPROTO_UDP, .number = UDP_SEGMENT, .type = OPTION_INT},
    {.name = "UDP_GRO", .level = IPPROTO_UDP, .number = UDP_GRO, .type = OPTION_INT},
};

const struct call_option *option_find(int level, int number)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].level == level && options[i].number == number)
            return &options[i];
    return NULL;
}

struct value {
    const struct call_names *names; /* of OPTION_NAMED */
    struct call_piece piece;
    uint64_t length;
};

/* Several options of IP take one byte as well as an int. */
static json_t *value_int(const struct value *value)
{
    int number;

    if (value->piece.length == 1)
        return json_integer(value->piece.bytes[0]);
    return piece_copy(value->piece, &number, sizeof number) ? json_integer(number) : json_null();
}

static json_t *value_linger(const struct value *value)
{
    struct linger linger;

    if (!piece_copy(value->piece, &linger, sizeof linger))
        return json_null();
    return json_pack("{s:i, s:i}", "onoff", linger.l_onoff, "linger", linger.l_linger);
}

static json_t *value_seconds(const struct value *value)
{
    struct timeval time;

    if (!piece_copy(value->piece, &time, sizeof time))
        return json_null();
    return decode_seconds(time.tv_sec, time.tv_usec, 1e6);
}

json_t *option_credentials(struct call_piece piece)
{
    struct ucred credentials;

    if (!piece_copy(piece, &credentials, sizeof credentials))
        return json_null();
    return json_pack("{s:i, s:I, s:I}", "pid", credentials.pid, "uid", (json_int_t)credentials.uid,
                     "gid", (json_int_t)credentials.gid);
}

static json_t *value_credentials(const struct value *value)
{
    return option_credentials(value->piece);
}

static json_t *value_errno(const struct value *value)
{
    const char *name;
    int number;

    if (!piece_copy(value->piece, &number, sizeof number))
        return json_null();
    name = errno_name(number);
    return name ? json_string(name) : json_integer(number);
}

static json_t *value_named(const struct value *value)
{
    uint32_t number;

    if (!piece_copy(value->piece, &number, sizeof number))
        return json_null();
    return names_one(value->names, number);
}

static json_t *value_text(const struct value *value)
{
    const unsigned char *text = value->piece.bytes;

    return decode_text(text, strnlen((const char *)text, value->piece.length));
}

static json_t *value_bytes(const struct value *value)
{
    return decode_bytes(value->piece, value->length);
}

static json_t *(*const values[OPTION_TYPES])(const struct value *) = {
    [OPTION_INT] = value_int,         [OPTION_LINGER] = value_linger,
    [OPTION_SECONDS] = value_seconds, [OPTION_CREDENTIALS] = value_credentials,
    [OPTION_ERRNO] = value_errno,     [OPTION_NAMED] = value_named,
    [OPTION_TEXT] = value_text,       [OPTION_BYTES] = value_bytes,
};

json_t *option_value(const struct call_option *option, struct call_piece piece, uint64_t length)
{
    const struct value value = {option ? option->names : NULL, piece, length};
    const bool number = !option && length == sizeof(int);
    const enum call_option_type type = option ? option->type : number ? OPTION_INT : OPTION_BYTES;

    if (!piece.bytes || (piece.length < length && piece.length < CALL_BYTES_LIMIT))
        return json_null();
    return values[type](&value);
}
