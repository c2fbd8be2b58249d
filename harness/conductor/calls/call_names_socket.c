#include "call_names.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Constants of sockets. The lists take the C library's macros, whose numbers differ between
 * architectures. */

static const struct call_name family_rows[] = {
    {CALL_NAME(AF_UNSPEC)},    {CALL_NAME(AF_UNIX)},    {CALL_NAME(AF_INET)},
    {CALL_NAME(AF_INET6)},     {CALL_NAME(AF_NETLINK)}, {CALL_NAME(AF_PACKET)},
#ifdef AF_VSOCK
    {CALL_NAME(AF_VSOCK)},
#endif
#ifdef AF_ALG
    {CALL_NAME(AF_ALG)},
#endif
#ifdef AF_BLUETOOTH
    {CALL_NAME(AF_BLUETOOTH)},
#endif
#ifdef AF_CAN
    {CALL_NAME(AF_CAN)},
#endif
#ifdef AF_TIPC
    {CALL_NAME(AF_TIPC)},
#endif
#ifdef AF_XDP
    {CALL_NAME(AF_XDP)},
#endif
#ifdef AF_KEY
    {CALL_NAME(AF_KEY)},
#endif
#ifdef AF_X25
    {CALL_NAME(AF_X25)},
#endif
#ifdef AF_AX25
    {CALL_NAME(AF_AX25)},
#endif
#ifdef AF_IPX
    {CALL_NAME(AF_IPX)},
#endif
#ifdef AF_APPLETALK
    {CALL_NAME(AF_APPLETALK)},
#endif
};
const struct call_names names_family = {CALL_NAMES(family_rows)};

/* The type proper is a field of the argument; flags share it. */
enum { TYPE_FIELD = 0xf };

static const struct call_name socket_type_rows[] = {
    {CALL_FIELD(SOCK_STREAM, TYPE_FIELD)},
    {CALL_FIELD(SOCK_DGRAM, TYPE_FIELD)},
    {CALL_FIELD(SOCK_RAW, TYPE_FIELD)},
    {CALL_FIELD(SOCK_RDM, TYPE_FIELD)},
    {CALL_FIELD(SOCK_SEQPACKET, TYPE_FIELD)},
    {CALL_FIELD(SOCK_DCCP, TYPE_FIELD)},
    {CALL_FIELD(SOCK_PACKET, TYPE_FIELD)},
    {CALL_NAME(SOCK_NONBLOCK)},
    {CALL_NAME(SOCK_CLOEXEC)},
};
const struct call_names names_socket_type = {CALL_NAMES(socket_type_rows)};

static const struct call_name plain_socket_type_rows[] = {
    {CALL_NAME(SOCK_STREAM)}, {CALL_NAME(SOCK_DGRAM)},     {CALL_NAME(SOCK_RAW)},
    {CALL_NAME(SOCK_RDM)},    {CALL_NAME(SOCK_SEQPACKET)}, {CALL_NAME(SOCK_DCCP)},
    {CALL_NAME(SOCK_PACKET)},
};
const struct call_names names_plain_socket_type = {CALL_NAMES(plain_socket_type_rows)};

static const struct call_name accept_rows[] = {
    {CALL_NAME(SOCK_NONBLOCK)},
    {CALL_NAME(SOCK_CLOEXEC)},
};
const struct call_names names_accept = {CALL_NAMES(accept_rows)};

/* Without IPPROTO_IP, which is 0 and means here that the kernel chooses. */
static const struct call_name inet_protocol_rows[] = {
    {CALL_NAME(IPPROTO_ICMP)},    {CALL_NAME(IPPROTO_IGMP)},   {CALL_NAME(IPPROTO_TCP)},
    {CALL_NAME(IPPROTO_UDP)},     {CALL_NAME(IPPROTO_DCCP)},   {CALL_NAME(IPPROTO_SCTP)},
    {CALL_NAME(IPPROTO_UDPLITE)}, {CALL_NAME(IPPROTO_ICMPV6)}, {CALL_NAME(IPPROTO_IPV6)},
    {CALL_NAME(IPPROTO_GRE)},     {CALL_NAME(IPPROTO_ESP)},    {CALL_NAME(IPPROTO_AH)},
    {CALL_NAME(IPPROTO_RAW)},
#ifdef IPPROTO_MPTCP
    {CALL_NAME(IPPROTO_MPTCP)},
#endif
};
const struct call_names names_inet_protocol = {CALL_NAMES(inet_protocol_rows)};

static const struct call_name netlink_protocol_rows[] = {
    {CALL_NAME(NETLINK_ROUTE)},          {CALL_NAME(NETLINK_USERSOCK)},
    {CALL_NAME(NETLINK_SOCK_DIAG)},      {CALL_NAME(NETLINK_NFLOG)},
    {CALL_NAME(NETLINK_XFRM)},           {CALL_NAME(NETLINK_AUDIT)},
    {CALL_NAME(NETLINK_CONNECTOR)},      {CALL_NAME(NETLINK_NETFILTER)},
    {CALL_NAME(NETLINK_KOBJECT_UEVENT)}, {CALL_NAME(NETLINK_GENERIC)},
};
const struct call_names names_netlink_protocol = {CALL_NAMES(netlink_protocol_rows)};

/* SOL_SOCKET first: on most architectures it has the number of IPPROTO_ICMP. */
static const struct call_name level_rows[] = {
    {CALL_NAME(SOL_SOCKET)},  {CALL_NAME(IPPROTO_IP)},   {CALL_NAME(IPPROTO_TCP)},
    {CALL_NAME(IPPROTO_UDP)}, {CALL_NAME(IPPROTO_IPV6)}, {CALL_NAME(IPPROTO_ICMPV6)},
    {CALL_NAME(IPPROTO_RAW)}, {CALL_NAME(IPPROTO_SCTP)}, {CALL_NAME(IPPROTO_UDPLITE)},
#ifdef SOL_NETLINK
    {CALL_NAME(SOL_NETLINK)},
#endif
#ifdef SOL_PACKET
    {CALL_NAME(SOL_PACKET)},
#endif
#ifdef SOL_VSOCK
    {CALL_NAME(SOL_VSOCK)},
#endif
#ifdef SOL_ALG
    {CALL_NAME(SOL_ALG)},
#endif
};
const struct call_names names_level = {CALL_NAMES(level_rows)};

static const struct call_name message_rows[] = {
    {CALL_NAME(MSG_OOB)},      {CALL_NAME(MSG_PEEK)},         {CALL_NAME(MSG_DONTROUTE)},
    {CALL_NAME(MSG_CTRUNC)},   {CALL_NAME(MSG_PROXY)},        {CALL_NAME(MSG_TRUNC)},
    {CALL_NAME(MSG_DONTWAIT)}, {CALL_NAME(MSG_EOR)},          {CALL_NAME(MSG_WAITALL)},
    {CALL_NAME(MSG_FIN)},      {CALL_NAME(MSG_SYN)},          {CALL_NAME(MSG_CONFIRM)},
    {CALL_NAME(MSG_RST)},      {CALL_NAME(MSG_ERRQUEUE)},     {CALL_NAME(MSG_NOSIGNAL)},
    {CALL_NAME(MSG_MORE)},     {CALL_NAME(MSG_WAITFORONE)},
#ifdef MSG_BATCH
    {CALL_NAME(MSG_BATCH)},
#endif
#ifdef MSG_ZEROCOPY
    {CALL_NAME(MSG_ZEROCOPY)},
#endif
    {CALL_NAME(MSG_FASTOPEN)}, {CALL_NAME(MSG_CMSG_CLOEXEC)},
};
const struct call_names names_message = {CALL_NAMES(message_rows)};

static const struct call_name shutdown_rows[] = {
    {CALL_NAME(SHUT_RD)},
    {CALL_NAME(SHUT_WR)},
    {CALL_NAME(SHUT_RDWR)},
};
const struct call_names names_shutdown = {CALL_NAMES(shutdown_rows)};
