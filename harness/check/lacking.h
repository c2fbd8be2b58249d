#ifndef SOCKSPEC_LACKING_H
#define SOCKSPEC_LACKING_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif

/* What not every platform has: where it is missing its use makes an item *unsupported*, and says so
 * by name, so that every case compiles everywhere. None of this can stand in a static initializer.
 */
_Noreturn int lacks(const char *what);

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC lacks("SOCK_CLOEXEC")
#endif
#ifndef SOCK_NONBLOCK
#define SOCK_NONBLOCK lacks("SOCK_NONBLOCK")
#endif
#ifndef MSG_MORE
#define MSG_MORE lacks("MSG_MORE")
#endif
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC lacks("MSG_CMSG_CLOEXEC")
#endif
#ifndef POLLRDHUP
#define POLLRDHUP lacks("POLLRDHUP")
#endif

#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL lacks("SO_RXQ_OVFL")
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT lacks("TCP_USER_TIMEOUT")
#endif
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE lacks("SO_BINDTODEVICE")
#endif
#ifndef SO_MARK
#define SO_MARK lacks("SO_MARK")
#endif
#ifndef SO_DOMAIN
#define SO_DOMAIN lacks("SO_DOMAIN")
#endif
#ifndef SO_PROTOCOL
#define SO_PROTOCOL lacks("SO_PROTOCOL")
#endif
#ifndef SO_PRIORITY
#define SO_PRIORITY lacks("SO_PRIORITY")
#endif
#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF lacks("SO_PEEK_OFF")
#endif
#ifndef IP_MULTICAST_ALL
#define IP_MULTICAST_ALL lacks("IP_MULTICAST_ALL")
#endif

#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE lacks("SO_RCVBUFFORCE")
#endif
#ifndef SO_SNDBUFFORCE
#define SO_SNDBUFFORCE lacks("SO_SNDBUFFORCE")
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY lacks("SO_ZEROCOPY")
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY lacks("MSG_ZEROCOPY")
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN lacks("MSG_FASTOPEN")
#endif
#ifndef F_SETSIG
#define F_SETSIG lacks("F_SETSIG")
#endif
#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT lacks("TCP_NOTSENT_LOWAT")
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT lacks("TCP_USER_TIMEOUT")
#endif
#ifndef TCP_DEFER_ACCEPT
#define TCP_DEFER_ACCEPT lacks("TCP_DEFER_ACCEPT")
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN lacks("TCP_FASTOPEN")
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT lacks("TCP_FASTOPEN_CONNECT")
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE lacks("TCP_FASTOPEN_NO_COOKIE")
#endif
#ifndef TCP_QUICKACK
#define TCP_QUICKACK lacks("TCP_QUICKACK")
#endif
#ifndef TCP_SYNCNT
#define TCP_SYNCNT lacks("TCP_SYNCNT")
#endif
#ifndef TCP_CONGESTION
#define TCP_CONGESTION lacks("TCP_CONGESTION")
#endif
#ifndef TCP_INFO
#define TCP_INFO lacks("TCP_INFO")
#endif

#ifndef __linux__ /* BSD and macOS have another of that name */
#define sendfile(to, from, offset, count)                                                          \
    ((void)(to), (void)(from), (void)(offset), (void)(count), lacks("sendfile to any descriptor"))
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL lacks("MSG_NOSIGNAL")
#endif

#ifndef __linux__ /* so that what uses them compiles; the constants beside them end the item */
struct ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
struct sock_extended_err {
    unsigned ee_errno;
    unsigned char ee_origin, ee_type, ee_code;
};
#define SO_PEERCRED lacks("SO_PEERCRED")
#define SO_PASSCRED lacks("SO_PASSCRED")
#define SCM_CREDENTIALS lacks("SCM_CREDENTIALS")
#define MSG_ERRQUEUE lacks("MSG_ERRQUEUE")
#define IP_RECVERR lacks("IP_RECVERR")
#define IPV6_RECVERR lacks("IPV6_RECVERR")
#define SO_EE_ORIGIN_ICMP lacks("SO_EE_ORIGIN_ICMP")
#define SO_EE_ORIGIN_ICMP6 lacks("SO_EE_ORIGIN_ICMP6")
#endif

#ifdef __APPLE__
#define TCP_ESTABLISHED lacks("TCP_ESTABLISHED")
#define TCP_SYN_SENT lacks("TCP_SYN_SENT")
#define TCP_FIN_WAIT2 lacks("TCP_FIN_WAIT2")
#define TCP_CLOSE lacks("TCP_CLOSE")
#define TCP_CLOSE_WAIT lacks("TCP_CLOSE_WAIT")
#define TCP_LISTEN lacks("TCP_LISTEN")
#define accept4(descriptor, address, length, flags)                                                \
    ((void)(descriptor), (void)(address), (void)(length), (void)(flags), lacks("accept4"))
#define setresuid(real, effective, saved)                                                          \
    ((void)(real), (void)(effective), (void)(saved), lacks("setresuid"))
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
#define sendmmsg(descriptor, messages, count, flags)                                               \
    ((void)(descriptor), (void)(messages), lacks("sendmmsg"))
#define recvmmsg(descriptor, messages, count, flags, limit)                                        \
    ((void)(descriptor), (void)(messages), (void)(limit), lacks("recvmmsg"))
#define MSG_WAITFORONE lacks("MSG_WAITFORONE")
#endif

#endif
