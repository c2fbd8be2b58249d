#include "call.h"

#include "calls/call_pieces.h"
#include "calls/call_table.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The table of calls, collecting and decoding. The program whose memory is read is this one. */

enum { RANDOM_ROUNDS = 100 };

/* The reader: the kernel's own, so that what is not mapped is refused; it counts how often it is
 * asked. */
static ssize_t read_self(void *context, uint64_t address, void *buffer, size_t length)
{
    const struct iovec to = {buffer, length}, from = {(void *)(uintptr_t)address, length};

    ++*(int *)context;
    return syscall(SYS_process_vm_readv, getpid(), &to, 1UL, &from, 1UL, 0UL);
}

static const struct call_shape *call_named(const char *name)
{
    for (size_t i = 0; call_row(i); i++)
        if (strcmp(call_name(call_row(i)), name) == 0)
            return call_row(i);
    ck_abort_msg("the table lacks %s", name);
    return NULL;
}

/* Collected bytes in a block of exactly their size, so that a sanitizer sees a step beyond it. */
struct block {
    unsigned char *bytes;
    size_t length;
};

static struct block block_of(const void *bytes, size_t length)
{
    struct block block = {malloc(length + 1), length};

    ck_assert_ptr_nonnull(block.bytes);
    /* The bytes stand at the block's end. One more in front: an empty block is not NULL. */
    if (length)
        memcpy(block.bytes + 1, bytes, length);
    return block;
}

static struct call_collected view_of(struct block block)
{
    return (struct call_collected){block.bytes + 1, block.length};
}

static const struct call_collected not_yet = {NULL, 0};

static struct block collect(const struct call_shape *call, enum call_phase phase,
                            const uint64_t arguments[CALL_ARGUMENTS], int64_t result, int *reads)
{
    unsigned char buffer[CALL_COLLECT_LIMIT];
    int count = 0;
    const size_t used =
        call_collect(call, phase, arguments, result, read_self, &count, buffer, sizeof buffer);

    ck_assert_uint_le(used, sizeof buffer);
    if (reads)
        *reads = count;
    return block_of(buffer, used);
}

static char *text_of(json_t *arguments)
{
    char *text;

    ck_assert_ptr_nonnull(arguments);
    text = json_dumps(arguments, JSON_COMPACT | JSON_ENCODE_ANY);
    ck_assert_ptr_nonnull(text);
    json_decref(arguments);
    return text;
}

/* Rows write ' for ", to be legible. */
static void ck_assert_json(json_t *arguments, const char *expected)
{
    char *text = text_of(arguments);

    for (char *at = text; *at; at++)
        if (*at == '"')
            *at = '\'';
    ck_assert_str_eq(text, expected);
    free(text);
}

/* What the rows point at. */
#define AT(object) ((uintptr_t)(object))
#define REPEAT4(text) text text text text
#define REPEAT32(text) REPEAT4(REPEAT4(text text))
#define REPEAT64(text) REPEAT4(REPEAT4(REPEAT4(text)))

static const struct sockaddr_in inet = {
    .sin_family = AF_INET, .sin_port = 0x9526, .sin_addr = {0x0100007f}};
static const struct sockaddr_in6 inet6 = {
    .sin6_family = AF_INET6, .sin6_port = 0x9526, .sin6_addr = {{{[15] = 1}}}};
static const struct sockaddr_in6 scoped = {.sin6_family = AF_INET6,
                                           .sin6_port = 0x9526,
                                           .sin6_addr = {{{0xfe, 0x80, [15] = 1}}},
                                           .sin6_scope_id = 2};
static const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/tmp/socket"};
static const struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0name"};
static const struct sockaddr_un foreign = {.sun_family = AF_UNIX, .sun_path = "/\xe9"};
static const struct sockaddr_nl netlink = {.nl_family = AF_NETLINK};
static const struct sockaddr unknown = {.sa_family = 77};
static const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
static const socklen_t inet_length = sizeof inet, credentials_length = sizeof(struct ucred),
                       short_length = 4, tiny_length = 1;
static const socklen_t linger_length = sizeof(struct linger),
                       unix_length = offsetof(struct sockaddr_un, sun_path) + 5,
                       unnamed_length = sizeof(sa_family_t);
static const int one = 1, refused = ECONNREFUSED, none, stream = SOCK_STREAM, inet_family = AF_INET;
static const unsigned char byte_value = 64;
static const struct linger lingering = {.l_onoff = 1, .l_linger = 5};
static const struct timeval quarter = {.tv_sec = 1, .tv_usec = 250000};
static const struct timespec half = {.tv_sec = 2, .tv_nsec = 500000000};
static const struct itimerval timer = {.it_interval = {1, 0}, .it_value = {0, 500000}};
static const struct ucred credentials = {.pid = 5, .uid = 0, .gid = 4294967295U};
static const char cubic[16] = "cubic";
static const char hello[] = "hello\n", latin[] = "\0\xe9", path[] = "/etc/hosts";
static const char long_text[] = REPEAT64("abcdefgh");              /* 512 */
static const char long_path[] = REPEAT4(REPEAT64("/abc")) "/more"; /* 1029 */
/* 31 bytes before the first: the limit falls into the middle of a character. */
static const char accents[] = "0123456789012345678901234567890" REPEAT64("ééé");
static char *const argv[] = {"echo", "", "a b", NULL};
static char *const long_argv[] = {"x", (char *)(uintptr_t)long_text, (char *)(uintptr_t)accents,
                                  NULL};
static char *const many_argv[40] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a",
                                    "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
                                    "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w"};
static const struct iovec vectors[] = {
    {(void *)(uintptr_t) "hel", 3}, {NULL, 0}, {(void *)(uintptr_t) "lo wo", 5}};
static const struct iovec long_vectors[] = {{(void *)(uintptr_t) "0123", 4},
                                            {(void *)(uintptr_t)long_text, 512}};
static const struct iovec broken_vectors[] = {{(void *)(uintptr_t) "0123", 4}, {(void *)8, 4}};
static const struct iovec empty_vectors[2000];
static const struct pollfd polled[] = {{3, POLLIN | POLLRDHUP, POLLIN | POLLHUP}, {-1, POLLOUT, 0}};
static struct pollfd many_polled[130];
static const struct epoll_event awaited = {EPOLLIN | EPOLLET, {.fd = 7}};
static const struct epoll_event ready[] = {{EPOLLIN, {.fd = 7}}, {EPOLLOUT | EPOLLERR, {.u64 = 9}}};
static const fd_set few_set = {{1UL << 0 | 1UL << 5 | 1UL << 9, 1}};
static const unsigned long alarm_set = 1UL << (SIGALRM - 1) | 1UL << (SIGCHLD - 1);
static const struct {
    const void *set;
    size_t size;
} set_pair = {&alarm_set, sizeof alarm_set};
#if defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__) || defined(__s390x__)
static const struct {
    unsigned long handler, flags, restorer, mask;
} restarting = {0x1234, SA_RESTART | 0x04000000, 0x5678, 1UL << (SIGINT - 1)},
  ignoring = {1, 0x04000000, 0x5678, 0}, defaulting = {0, 0, 0, 0};
#define SIGACTION_LAYOUT 1
#endif
static const int exited_7 = 7 << 8, killed = SIGINT, dumped = SIGSEGV | 0x80,
                 stopped = SIGTSTP << 8 | 0x7f, continued = 0xffff, by_kernel_signal = 33;
static const int pair[2] = {3, 4}, waiting_bytes = 12;
static const int64_t offset = 4096;
static siginfo_t child, no_child;
static const uint64_t clone_arguments[11] = {CLONE_VM | CLONE_VFORK, 0, 0, 0, SIGCHLD};
/* Control data: three descriptors, credentials, a hop count. */
static union {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(3 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)) +
                        CMSG_SPACE(sizeof(int))];
} control;
static struct msghdr message, bare_message, half_control, named_message;
static struct msghdr broken_control;
static const unsigned char zeros[32];
static struct mmsghdr messages[10];

static void fill_control(void)
{
    static const int descriptors[3] = {5, 6, 7}, hops = 1;
    struct msghdr over = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *item = CMSG_FIRSTHDR(&over);

    *item = (struct cmsghdr){CMSG_LEN(sizeof descriptors), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(item), descriptors, sizeof descriptors);
    item = CMSG_NXTHDR(&over, item);
    *item = (struct cmsghdr){CMSG_LEN(sizeof credentials), SOL_SOCKET, SCM_CREDENTIALS};
    memcpy(CMSG_DATA(item), &credentials, sizeof credentials);
    item = CMSG_NXTHDR(&over, item);
    *item = (struct cmsghdr){CMSG_LEN(sizeof hops), IPPROTO_IP, IP_TTL};
    memcpy(CMSG_DATA(item), &hops, sizeof hops);
}

static void fill(void)
{
    fill_control();
    message = (struct msghdr){.msg_name = (void *)(uintptr_t)&inet,
                              .msg_namelen = sizeof inet,
                              .msg_iov = (struct iovec *)(uintptr_t)vectors,
                              .msg_iovlen = 3,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes,
                              .msg_flags = MSG_CTRUNC};
    bare_message = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)vectors, .msg_iovlen = 1};
    half_control = bare_message;
    half_control.msg_control = control.bytes;
    half_control.msg_controllen = CMSG_SPACE(3 * sizeof(int)) + 4;
    broken_control = bare_message;
    broken_control.msg_control = (void *)(uintptr_t)zeros;
    broken_control.msg_controllen = sizeof zeros;
    named_message = bare_message;
    named_message.msg_name = (void *)8;
    named_message.msg_namelen = sizeof inet;
    for (size_t i = 0; i < 10; i++)
        messages[i] = (struct mmsghdr){bare_message, 2};
    child.si_pid = 9;
    child.si_code = CLD_KILLED;
    child.si_status = SIGTERM;
    for (size_t i = 0; i < 130; i++)
        many_polled[i].fd = (int)i;
}

/* One call each: what its arguments say at entering and at leaving with that result. */
static const struct row {
    enum call_kind kind; /* what the row is about */
    const char *call;
    uint64_t arguments[CALL_ARGUMENTS];
    int64_t result;
    const char *entering, *leaving; /* leaving NULL: as at entering */
} rows[] = {
    /* Numbers and names */
    {KIND_INT, "listen", {3, 5}, 0, "{'fd':3,'backlog':5}", NULL},
    {KIND_INT, "listen", {3, (uint32_t)-1}, 0, "{'fd':3,'backlog':-1}", NULL},
    {KIND_INT, "kill", {(uint64_t)-7, 0}, 0, "{'pid':-7,'signal':0}", NULL},
    {KIND_UNSIGNED,
     "close_range",
     {3, UINT32_MAX, 4},
     0,
     "{'first':3,'last':4294967295,'flags':['CLOSE_RANGE_CLOEXEC']}",
     NULL},
    {KIND_UNSIGNED, "alarm", {10}, 0, "{'seconds':10}", NULL},
    {KIND_SIZE,
     "pread64",
     {3, AT(hello), 6, 100},
     2,
     "{'fd':3,'length':6,'offset':100}",
     "{'fd':3,'data':{'bytes':'he','length':2},'length':6,'offset':100}"},
    {KIND_LENGTH,
     "read",
     {3, 0, 4096},
     -EFAULT,
     "{'fd':3,'length':4096}",
     "{'fd':3,'data':null,'length':4096}"},
    {KIND_DESCRIPTOR, "close", {7}, 0, "{'fd':7}", NULL},
    {KIND_DESCRIPTOR, "dup2", {UINT32_MAX, 9}, -EBADF, "{'fd':-1,'to':9}", NULL},
    {KIND_DIRECTORY,
     "unlinkat",
     {(uint64_t)AT_FDCWD, AT(path), AT_REMOVEDIR},
     0,
     "{'directory':'AT_FDCWD','path':'/etc/hosts','flags':['AT_REMOVEDIR']}",
     NULL},
    {KIND_DIRECTORY,
     "unlinkat",
     {5, AT(path), 0},
     0,
     "{'directory':5,'path':'/etc/hosts','flags':[]}",
     NULL},
    {KIND_NAMED, "shutdown", {3, SHUT_WR}, 0, "{'fd':3,'how':'SHUT_WR'}", NULL},
    {KIND_NAMED, "shutdown", {3, 9}, -EINVAL, "{'fd':3,'how':9}", NULL},
    {KIND_NAMED, "shutdown", {3, UINT32_MAX}, -EINVAL, "{'fd':3,'how':-1}", NULL},
    {KIND_FLAGS,
     "socket",
     {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0},
     3,
     "{'domain':'AF_INET','type':['SOCK_STREAM','SOCK_NONBLOCK','SOCK_CLOEXEC'],'protocol':0}",
     NULL},
    {KIND_FLAGS,
     "socket",
     {AF_UNIX, 9, 0},
     -EINVAL,
     "{'domain':'AF_UNIX','type':[9],'protocol':0}",
     NULL},
    {KIND_FLAGS,
     "sendto",
     {3, AT(hello), 6, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0},
     6,
     "{'fd':3,'data':{'bytes':'hello\\n','length':6},'length':6,"
     "'flags':['MSG_DONTWAIT','MSG_NOSIGNAL'],'address':null,'address_length':0}",
     NULL},
    {KIND_FLAGS,
     "open",
     {AT(path), O_RDWR | O_APPEND | O_SYNC | O_CLOEXEC},
     3,
     "{'path':'/etc/hosts','flags':['O_RDWR','O_APPEND','O_SYNC','O_CLOEXEC'],'mode':null}",
     NULL},
    {KIND_FLAGS,
     "accept4",
     {3, 0, 0, SOCK_CLOEXEC | 1U << 30},
     4,
     "{'fd':3,'address_length':null,'flags':['SOCK_CLOEXEC',1073741824]}",
     "{'fd':3,'address':null,'address_length':null,'flags':['SOCK_CLOEXEC',1073741824]}"},
    {KIND_MODE,
     "openat",
     {(uint64_t)AT_FDCWD, AT(path), O_WRONLY | O_CREAT | O_TRUNC, 0644},
     3,
     "{'directory':'AT_FDCWD','path':'/etc/"
     "hosts','flags':['O_WRONLY','O_CREAT','O_TRUNC'],'mode':420}",
     NULL},
    {KIND_MODE,
     "openat",
     {(uint64_t)AT_FDCWD, AT(path), O_RDONLY, 12345},
     3,
     "{'directory':'AT_FDCWD','path':'/etc/hosts','flags':['O_RDONLY'],'mode':null}",
     NULL},
    {KIND_MODE,
     "open",
     {AT(path), O_TMPFILE | O_RDWR, 0600},
     3,
     "{'path':'/etc/hosts','flags':['O_RDWR','O_TMPFILE'],'mode':384}",
     NULL},
    {KIND_PROTOCOL,
     "socket",
     {AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
     3,
     "{'domain':'AF_INET6','type':['SOCK_DGRAM'],'protocol':'IPPROTO_UDP'}",
     NULL},
    {KIND_PROTOCOL,
     "socket",
     {AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG},
     3,
     "{'domain':'AF_NETLINK','type':['SOCK_RAW'],'protocol':'NETLINK_SOCK_DIAG'}",
     NULL},
    {KIND_PROTOCOL,
     "socket",
     {AF_UNIX, SOCK_SEQPACKET, 6},
     -EPROTONOSUPPORT,
     "{'domain':'AF_UNIX','type':['SOCK_SEQPACKET'],'protocol':6}",
     NULL},
    {KIND_SIGNAL, "kill", {5, SIGINT}, 0, "{'pid':5,'signal':'SIGINT'}", NULL},
    {KIND_SIGNAL, "tgkill", {5, 6, 99}, -EINVAL, "{'pid':5,'thread':6,'signal':99}", NULL},
    {KIND_SIGNAL, "tkill", {6, 36}, 0, "{'thread':6,'signal':'SIGRTMIN+2'}", NULL},

    /* Processes */
    {KIND_CLONE_FLAGS,
     "clone",
     {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND},
     9,
     "{'flags':['CLONE_VM','CLONE_SIGHAND','CLONE_THREAD']}",
     NULL},
    {KIND_CLONE_FLAGS,
     "clone",
     {CLONE_CHILD_SETTID | SIGCHLD},
     9,
     "{'flags':['CLONE_CHILD_SETTID','SIGCHLD']}",
     NULL},
    {KIND_CLONE,
     "clone3",
     {AT(clone_arguments), 88},
     9,
     "{'arguments':{'flags':['CLONE_VM','CLONE_VFORK'],'exit_signal':'SIGCHLD'},'size':88}",
     NULL},
    {KIND_CLONE, "clone3", {8, 88}, -EFAULT, "{'arguments':null,'size':88}", NULL},
    {KIND_STATUS,
     "wait4",
     {UINT32_MAX, AT(&exited_7), WNOHANG},
     9,
     "{'pid':-1,'options':['WNOHANG']}",
     "{'pid':-1,'status':'exited 7','options':['WNOHANG']}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&killed), 0},
     9,
     "{'pid':9,'options':[]}",
     "{'pid':9,'status':'killed by SIGINT','options':[]}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&dumped), 0},
     9,
     "{'pid':9,'options':[]}",
     "{'pid':9,'status':'killed by SIGSEGV','options':[]}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&by_kernel_signal), 0},
     9,
     "{'pid':9,'options':[]}",
     "{'pid':9,'status':'killed by signal 33','options':[]}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&stopped), WUNTRACED},
     9,
     "{'pid':9,'options':['WUNTRACED']}",
     "{'pid':9,'status':'stopped by SIGTSTP','options':['WUNTRACED']}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&continued), WCONTINUED},
     9,
     "{'pid':9,'options':['WCONTINUED']}",
     "{'pid':9,'status':'continued','options':['WCONTINUED']}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&killed), WNOHANG},
     0,
     "{'pid':9,'options':['WNOHANG']}",
     "{'pid':9,'status':null,'options':['WNOHANG']}"},
    {KIND_STATUS,
     "wait4",
     {9, AT(&killed), 0},
     -ECHILD,
     "{'pid':9,'options':[]}",
     "{'pid':9,'status':null,'options':[]}"},
    {KIND_SIGINFO,
     "waitid",
     {P_PID, 9, AT(&child), WEXITED | WNOWAIT},
     0,
     "{'type':'P_PID','id':9,'options':['WEXITED','WNOWAIT']}",
     "{'type':'P_PID','id':9,'child':{'pid':9,'status':'killed by SIGTERM'},"
     "'options':['WEXITED','WNOWAIT']}"},
    {KIND_SIGINFO,
     "waitid",
     {P_ALL, 0, AT(&no_child), WEXITED | WNOHANG},
     0,
     "{'type':'P_ALL','id':0,'options':['WNOHANG','WEXITED']}",
     "{'type':'P_ALL','id':0,'child':{'pid':0,'status':null},'options':['WNOHANG','WEXITED']}"},
    {KIND_STRINGS,
     "execve",
     {AT(path), AT(argv)},
     0,
     "{'path':'/etc/hosts','argv':['echo','','a b']}",
     NULL},
    {KIND_STRINGS, "execve", {AT(path), 0}, 0, "{'path':'/etc/hosts','argv':null}", NULL},
    {KIND_STRINGS, "execve", {AT(path), AT(argv + 3)}, 0, "{'path':'/etc/hosts','argv':[]}", NULL},
    {KIND_STRINGS,
     "execveat",
     {3, AT(path), AT(long_argv), 0, AT_EMPTY_PATH},
     0,
     "{'directory':3,'path':'/etc/hosts','argv':['x','" REPEAT32(
         "abcdefgh") "…','0123456789012345678901234567890" REPEAT4(REPEAT4("ééééééé")) "…'],'flags'"
                                                                                       ":['AT_"
                                                                                       "EMPTY_PATH'"
                                                                                       "]}",
     NULL},
    {KIND_STRINGS,
     "execve",
     {AT(path), AT(many_argv)},
     0,
     "{'path':'/etc/"
     "hosts','argv':['0','1','2','3','4','5','6','7','8','9','a','b','c','d','e','f','g',"
     "'h','i','j','k','l','m','n','o','p','q','r','s','t','u','v',null]}",
     NULL},
    {KIND_PATH, "unlink", {AT(path)}, 0, "{'path':'/etc/hosts'}", NULL},
    {KIND_PATH, "unlink", {8}, -EFAULT, "{'path':null}", NULL},
    {KIND_PATH, "unlink", {AT(foreign.sun_path)}, 0, "{'path':'/\u00e9'}", NULL},
    {KIND_PATH, "unlink", {AT(long_path)}, 0, "{'path':'" REPEAT4(REPEAT64("/abc")) "…'}", NULL},

    /* Data */
    {KIND_SENT,
     "write",
     {1, AT(hello), 6},
     6,
     "{'fd':1,'data':{'bytes':'hello\\n','length':6},'length':6}",
     NULL},
    {KIND_SENT,
     "write",
     {1, AT(hello), 0},
     0,
     "{'fd':1,'data':{'bytes':'','length':0},'length':0}",
     NULL},
    {KIND_SENT,
     "write",
     {1, AT(latin), 2},
     2,
     "{'fd':1,'data':{'bytes':'\\u0000\u00e9','length':2},'length':2}",
     NULL},
    {KIND_SENT,
     "write",
     {1, AT(long_text), 512},
     512,
     "{'fd':1,'data':{'bytes':'" REPEAT32("abcdefgh") "','length':512},'length':512}",
     NULL},
    {KIND_SENT,
     "pwrite64",
     {1, AT(hello), 1, 5},
     1,
     "{'fd':1,'data':{'bytes':'h','length':1},'length':1,'offset':5}",
     NULL},
    {KIND_SENT, "write", {1, 8, 6}, -EFAULT, "{'fd':1,'data':null,'length':6}", NULL},
    {KIND_RECEIVED,
     "read",
     {0, AT(hello), 100},
     6,
     "{'fd':0,'length':100}",
     "{'fd':0,'data':{'bytes':'hello\\n','length':6},'length':100}"},
    {KIND_RECEIVED,
     "read",
     {0, AT(hello), 100},
     0,
     "{'fd':0,'length':100}",
     "{'fd':0,'data':{'bytes':'','length':0},'length':100}"},
    {KIND_RECEIVED,
     "read",
     {0, AT(hello), 100},
     -ECONNRESET,
     "{'fd':0,'length':100}",
     "{'fd':0,'data':null,'length':100}"},
    {KIND_RECEIVED,
     "recvfrom",
     {3, AT(hello), 2, MSG_TRUNC, AT(&inet), AT(&inet_length)},
     6,
     "{'fd':3,'length':2,'flags':['MSG_TRUNC'],'address_length':16}",
     "{'fd':3,'data':{'bytes':'he','length':2},'length':2,'flags':['MSG_TRUNC'],"
     "'address':{'family':'AF_INET','host':'127.0.0.1','port':9877},'address_length':16}"},
    {KIND_VECTOR,
     "writev",
     {1, AT(vectors), 3},
     8,
     "{'fd':1,'data':{'bytes':'hello wo','length':8},'count':3}",
     NULL},
    {KIND_VECTOR,
     "writev",
     {1, AT(long_vectors), 2},
     516,
     "{'fd':1,'data':{'bytes':'0123" REPEAT4(REPEAT4("abcdefgh")) REPEAT4("abcdefgh") REPEAT4(
         "abcdefgh") REPEAT4("abcdefgh") "abcdefghabcdefghabcdefghabcd','length':516},'count':2}",
     NULL},
    {KIND_VECTOR,
     "readv",
     {0, AT(vectors), 3},
     4,
     "{'fd':0,'count':3}",
     "{'fd':0,'data':{'bytes':'hell','length':4},'count':3}"},
    {KIND_VECTOR,
     "writev",
     {1, AT(vectors), 0},
     0,
     "{'fd':1,'data':{'bytes':'','length':0},'count':0}",
     NULL},
    {KIND_VECTOR, "writev", {1, AT(broken_vectors), 2}, 4, "{'fd':1,'data':null,'count':2}", NULL},
    {KIND_VECTOR,
     "writev",
     {1, AT(vectors), 5000},
     -EINVAL,
     "{'fd':1,'data':null,'count':5000}",
     NULL},
    {KIND_VECTOR,
     "writev",
     {1, AT(empty_vectors), 2000},
     -EINVAL,
     "{'fd':1,'data':null,'count':2000}",
     NULL},
    {KIND_OFFSET,
     "sendfile",
     {3, 4, AT(&offset), 10},
     10,
     "{'out':3,'in':4,'offset':4096,'length':10}",
     NULL},
    {KIND_OFFSET,
     "splice",
     {3, 0, 4, 8, 10, 2},
     -EFAULT,
     "{'in':3,'in_offset':null,'out':4,'out_offset':null,'length':10,'flags':['SPLICE_F_NONBLOCK']"
     "}",
     NULL},
    {KIND_PAIR,
     "pipe2",
     {AT(pair), O_CLOEXEC},
     0,
     "{'flags':['O_CLOEXEC']}",
     "{'fds':[3,4],'flags':['O_CLOEXEC']}"},
    {KIND_PAIR,
     "socketpair",
     {AF_UNIX, SOCK_STREAM, 0, AT(pair)},
     0,
     "{'domain':'AF_UNIX','type':['SOCK_STREAM'],'protocol':0}",
     "{'domain':'AF_UNIX','type':['SOCK_STREAM'],'protocol':0,'fds':[3,4]}"},
    {KIND_PAIR, "pipe2", {AT(pair), 0}, -EMFILE, "{'flags':[]}", "{'fds':null,'flags':[]}"},

    /* Addresses and options */
    {KIND_ADDRESS,
     "bind",
     {3, AT(&inet), sizeof inet},
     0,
     "{'fd':3,'address':{'family':'AF_INET','host':'127.0.0.1','port':9877},'address_length':16}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&inet6), sizeof inet6},
     0,
     "{'fd':3,'address':{'family':'AF_INET6','host':'::1','port':9877},'address_length':28}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&scoped), sizeof scoped},
     0,
     "{'fd':3,'address':{'family':'AF_INET6','host':'fe80::1','port':9877,'scope':2},"
     "'address_length':28}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&scoped), 24},
     0,
     "{'fd':3,'address':{'family':'AF_INET6','host':'fe80::1','port':9877},'address_length':24}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&local), sizeof local},
     0,
     "{'fd':3,'address':{'family':'AF_UNIX','path':'/tmp/socket'},'address_length':110}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&local), 6},
     0,
     "{'fd':3,'address':{'family':'AF_UNIX','path':'/tmp'},'address_length':6}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&abstract), 7},
     0,
     "{'fd':3,'address':{'family':'AF_UNIX','path':'@name'},'address_length':7}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&abstract), 2},
     0,
     "{'fd':3,'address':{'family':'AF_UNIX','path':''},'address_length':2}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&foreign), 4},
     0,
     "{'fd':3,'address':{'family':'AF_UNIX','path':'/\u00e9'},'address_length':4}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&netlink), sizeof netlink},
     0,
     "{'fd':3,'address':{'family':'AF_NETLINK'},'address_length':12}",
     NULL},
    {KIND_ADDRESS,
     "connect",
     {3, AT(&unspecified), 16},
     0,
     "{'fd':3,'address':{'family':'AF_UNSPEC'},'address_length':16}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&unknown), 16},
     -EAFNOSUPPORT,
     "{'fd':3,'address':{'family':77},'address_length':16}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&inet), 15},
     -EINVAL,
     "{'fd':3,'address':null,'address_length':15}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, AT(&inet), 1},
     -EINVAL,
     "{'fd':3,'address':null,'address_length':1}",
     NULL},
    {KIND_ADDRESS,
     "bind",
     {3, 8, 16},
     -EFAULT,
     "{'fd':3,'address':null,'address_length':16}",
     NULL},
    {KIND_ADDRESS_RESULT,
     "accept",
     {3, AT(&inet), AT(&inet_length)},
     4,
     "{'fd':3,'address_length':16}",
     "{'fd':3,'address':{'family':'AF_INET','host':'127.0.0.1','port':9877},'address_length':16}"},
    {KIND_ADDRESS_RESULT,
     "accept",
     {3, 0, 0},
     4,
     "{'fd':3,'address_length':null}",
     "{'fd':3,'address':null,'address_length':null}"},
    {KIND_ADDRESS_RESULT,
     "accept",
     {3, AT(&inet), AT(&inet_length)},
     -EINTR,
     "{'fd':3,'address_length':16}",
     "{'fd':3,'address':null,'address_length':16}"},
    {KIND_ADDRESS_RESULT,
     "getpeername",
     {3, AT(&abstract), AT(&unix_length)},
     0,
     "{'fd':3,'address_length':7}",
     "{'fd':3,'address':{'family':'AF_UNIX','path':'@name'},'address_length':7}"},
    {KIND_ADDRESS_RESULT,
     "getsockname",
     {3, AT(&local), AT(&unnamed_length)},
     0,
     "{'fd':3,'address_length':2}",
     "{'fd':3,'address':{'family':'AF_UNIX','path':''},'address_length':2}"},
    {KIND_ADDRESS_RESULT,
     "getsockname",
     {3, AT(&inet), AT(&short_length)},
     0,
     "{'fd':3,'address_length':4}",
     "{'fd':3,'address':null,'address_length':4}"},
    {KIND_LENGTH_RESULT,
     "accept",
     {3, 8, AT(&inet_length)},
     4,
     "{'fd':3,'address_length':16}",
     "{'fd':3,'address':null,'address_length':16}"},
    {KIND_LENGTH_RESULT,
     "accept",
     {3, AT(&inet), 8},
     -EFAULT,
     "{'fd':3,'address_length':null}",
     "{'fd':3,'address':null,'address_length':null}"},
    {KIND_OPTION,
     "setsockopt",
     {3, SOL_SOCKET, SO_REUSEADDR, AT(&one), 4},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_REUSEADDR','value':1,'length':4}",
     NULL},
    {KIND_OPTION,
     "setsockopt",
     {3, IPPROTO_IP, IP_TTL, AT(&one), 4},
     0,
     "{'fd':3,'level':'IPPROTO_IP','option':'IP_TTL','value':1,'length':4}",
     NULL},
    {KIND_OPTION,
     "setsockopt",
     {3, IPPROTO_IPV6, IPV6_V6ONLY, AT(&one), 4},
     0,
     "{'fd':3,'level':'IPPROTO_IPV6','option':'IPV6_V6ONLY','value':1,'length':4}",
     NULL},
    {KIND_OPTION,
     "setsockopt",
     {3, IPPROTO_TCP, 999, AT(&one), 4},
     0,
     "{'fd':3,'level':'IPPROTO_TCP','option':999,'value':1,'length':4}",
     NULL},
    {KIND_OPTION,
     "setsockopt",
     {3, 999, 9, AT(hello), 5},
     0,
     "{'fd':3,'level':999,'option':9,'value':{'bytes':'hello','length':5},'length':5}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, SOL_SOCKET, SO_LINGER, AT(&lingering), 8},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_LINGER','value':{'onoff':1,'linger':5},'length':8}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, SOL_SOCKET, SO_LINGER, AT(&lingering), 4},
     -EINVAL,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_LINGER','value':null,'length':4}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, SOL_SOCKET, SO_RCVTIMEO, AT(&quarter), sizeof quarter},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_RCVTIMEO','value':1.25,'length':16}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, IPPROTO_TCP, TCP_CONGESTION, AT(cubic), 5},
     0,
     "{'fd':3,'level':'IPPROTO_TCP','option':'TCP_CONGESTION','value':'cubic','length':5}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, IPPROTO_IP, IP_MULTICAST_TTL, AT(&byte_value), 1},
     0,
     "{'fd':3,'level':'IPPROTO_IP','option':'IP_MULTICAST_TTL','value':64,'length':1}",
     NULL},
    {KIND_OPTION_VALUE,
     "setsockopt",
     {3, SOL_SOCKET, SO_REUSEADDR, 8, 4},
     -EFAULT,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_REUSEADDR','value':null,'length':4}",
     NULL},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_ERROR, AT(&refused), AT(&short_length)},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_ERROR','length':4}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_ERROR','value':'ECONNREFUSED','length':4}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_ERROR, AT(&none), AT(&short_length)},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_ERROR','length':4}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_ERROR','value':0,'length':4}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_TYPE, AT(&stream), AT(&short_length)},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_TYPE','length':4}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_TYPE','value':'SOCK_STREAM','length':4}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_DOMAIN, AT(&inet_family), AT(&short_length)},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_DOMAIN','length':4}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_DOMAIN','value':'AF_INET','length':4}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_PEERCRED, AT(&credentials), AT(&credentials_length)},
     0,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_PEERCRED','length':12}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_PEERCRED',"
     "'value':{'pid':5,'uid':0,'gid':4294967295},'length':12}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, SOL_SOCKET, SO_LINGER, AT(&lingering), AT(&linger_length)},
     -ENOTSOCK,
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_LINGER','length':8}",
     "{'fd':3,'level':'SOL_SOCKET','option':'SO_LINGER','value':null,'length':8}"},
    {KIND_OPTION_RESULT,
     "getsockopt",
     {3, IPPROTO_TCP, TCP_INFO, AT(hello), AT(&tiny_length)},
     0,
     "{'fd':3,'level':'IPPROTO_TCP','option':'TCP_INFO','length':1}",
     "{'fd':3,'level':'IPPROTO_TCP','option':'TCP_INFO','value':{'bytes':'h','length':1},'length':"
     "1}"},

    /* Messages */
    {KIND_MESSAGE,
     "sendmsg",
     {3, AT(&message), MSG_NOSIGNAL},
     8,
     "{'fd':3,'message':{'name':{'family':'AF_INET','host':'127.0.0.1','port':9877},"
     "'data':{'bytes':'hello wo','length':8},"
     "'control':[{'level':'SOL_SOCKET','type':'SCM_RIGHTS','fds':[5,6,7]},"
     "{'level':'SOL_SOCKET','type':'SCM_CREDENTIALS','credentials':{'pid':5,'uid':0,'gid':"
     "4294967295}},"
     "{'level':'IPPROTO_IP','type':'IP_TTL','data':{'bytes':'\\u0001\\u0000\\u0000\\u0000','length'"
     ":4}}]},"
     "'flags':['MSG_NOSIGNAL']}",
     NULL},
    {KIND_MESSAGE,
     "recvmsg",
     {3, AT(&bare_message), 0},
     2,
     "{'fd':3,'flags':[]}",
     "{'fd':3,'message':{'name':null,'data':{'bytes':'he','length':2},'control':[],'flags':[]},'"
     "flags':[]}"},
    {KIND_MESSAGE,
     "recvmsg",
     {3, AT(&message), 0},
     -EAGAIN,
     "{'fd':3,'flags':[]}",
     "{'fd':3,'message':null,'flags':[]}"},
    {KIND_MESSAGE,
     "sendmsg",
     {3, AT(&half_control), 0},
     3,
     "{'fd':3,'message':{'name':null,'data':{'bytes':'hel','length':3},'control':"
     "[{'level':'SOL_SOCKET','type':'SCM_RIGHTS','fds':[5,6,7]},null]},'flags':[]}",
     NULL},
    {KIND_MESSAGE,
     "sendmsg",
     {3, AT(&named_message), 0},
     -EFAULT,
     "{'fd':3,'message':{'name':null,'data':{'bytes':'hel','length':3},'control':[]},'flags':[]}",
     NULL},
    {KIND_MESSAGES,
     "sendmmsg",
     {3, AT(messages), 1, 0},
     1,
     "{'fd':3,'messages':[{'name':null,'data':{'bytes':'hel','length':3},'control':[]}],"
     "'count':1,'flags':[]}",
     NULL},
    {KIND_MESSAGES,
     "recvmmsg",
     {3, AT(messages), 10, MSG_WAITFORONE, AT(&half)},
     1,
     "{'fd':3,'count':10,'flags':['MSG_WAITFORONE'],'timeout':2.5}",
     "{'fd':3,'messages':[{'name':null,'data':{'bytes':'he','length':2},'control':[],'flags':[]}],"
     "'count':10,'flags':['MSG_WAITFORONE'],'timeout':2.5}"},
    {KIND_MESSAGES,
     "sendmmsg",
     {3, AT(messages), 10, 0},
     10,
     "{'fd':3,'messages':[" REPEAT4("{'name':null,'data':{'bytes':'hel','length':3},'control':[]},")
         REPEAT4("{'name':null,'data':{'bytes':'hel','length':3},'control':[]},") "null],'count':"
                                                                                  "10,'flags':[]}",
     NULL},

    {KIND_MESSAGE,
     "sendmsg",
     {3, AT(&broken_control), 0},
     -EINVAL,
     "{'fd':3,'message':{'name':null,'data':{'bytes':'hel','length':3},'control':[null]},'flags':[]"
     "}",
     NULL},

    /* Waiting for descriptors */
    {KIND_POLL,
     "poll",
     {AT(polled), 2, 100},
     1,
     "{'fds':[{'fd':3,'events':['POLLIN','POLLRDHUP']},{'fd':-1,'events':['POLLOUT']}],"
     "'count':2,'timeout':100}",
     "{'fds':[{'fd':3,'events':['POLLIN','POLLRDHUP'],'revents':['POLLIN','POLLHUP']},"
     "{'fd':-1,'events':['POLLOUT'],'revents':[]}],'count':2,'timeout':100}"},
    {KIND_POLL,
     "poll",
     {AT(polled), 1, UINT32_MAX},
     -EINTR,
     "{'fds':[{'fd':3,'events':['POLLIN','POLLRDHUP']}],'count':1,'timeout':-1}",
     "{'fds':[{'fd':3,'events':['POLLIN','POLLRDHUP'],'revents':null}],'count':1,'timeout':-1}"},
    {KIND_POLL,
     "ppoll",
     {AT(polled), 0, AT(&half), AT(&alarm_set), 8},
     0,
     "{'fds':[],'count':0,'timeout':2.5,'mask':['SIGALRM','SIGCHLD']}",
     NULL},
    {KIND_POLL, "poll", {0, 0, 50}, 0, "{'fds':null,'count':0,'timeout':50}", NULL},
    {KIND_DESCRIPTOR_SET,
     "select",
     {10, AT(&few_set), 0, AT(&few_set), AT(&quarter)},
     2,
     "{'count':10,'read':[0,5,9],'write':null,'except':[0,5,9],'timeout':1.25}",
     NULL},
    {KIND_DESCRIPTOR_SET,
     "select",
     {9, AT(&few_set), 0, 0, 0},
     -EINTR,
     "{'count':9,'read':[0,5],'write':null,'except':null,'timeout':null}",
     NULL},
    {KIND_DESCRIPTOR_SET,
     "select",
     {1100, AT(&few_set), 0, 0, 0},
     -EINVAL,
     "{'count':1100,'read':[0,5,9,64,null],'write':null,'except':null,'timeout':null}",
     NULL},
    {KIND_DESCRIPTOR_SET,
     "select",
     {UINT32_MAX, AT(&few_set), 0, 0, 0},
     -EINVAL,
     "{'count':-1,'read':[],'write':null,'except':null,'timeout':null}",
     NULL},
    {KIND_SIGNAL_SET_PAIR,
     "pselect6",
     {6, AT(&few_set), 0, 0, AT(&half), AT(&set_pair)},
     1,
     "{'count':6,'read':[0,5],'write':null,'except':null,'timeout':2.5,'mask':['SIGALRM','SIGCHLD']"
     "}",
     NULL},
    {KIND_SIGNAL_SET_PAIR,
     "pselect6",
     {0, 0, 0, 0, 0, 0},
     0,
     "{'count':0,'read':null,'write':null,'except':null,'timeout':null,'mask':null}",
     NULL},
    {KIND_EPOLL_EVENT,
     "epoll_ctl",
     {3, EPOLL_CTL_ADD, 7, AT(&awaited)},
     0,
     "{'fd':3,'operation':'EPOLL_CTL_ADD','target':7,"
     "'event':{'events':['EPOLLIN','EPOLLET'],'data':{'fd':7,'u64':7}}}",
     NULL},
    {KIND_EPOLL_EVENT,
     "epoll_ctl",
     {3, EPOLL_CTL_DEL, 7, 0},
     0,
     "{'fd':3,'operation':'EPOLL_CTL_DEL','target':7,'event':null}",
     NULL},
    {KIND_EPOLL_EVENTS,
     "epoll_wait",
     {3, AT(ready), 10, UINT32_MAX},
     2,
     "{'fd':3,'count':10,'timeout':-1}",
     "{'fd':3,'events':[{'events':['EPOLLIN'],'data':{'fd':7,'u64':7}},{'events':['EPOLLOUT','"
     "EPOLLERR'],'data':{'fd':9,'u64':9}}"
     "],"
     "'count':10,'timeout':-1}"},
    {KIND_EPOLL_EVENTS,
     "epoll_pwait",
     {3, AT(ready), 10, 5, AT(&alarm_set), 8},
     0,
     "{'fd':3,'count':10,'timeout':5,'mask':['SIGALRM','SIGCHLD']}",
     "{'fd':3,'events':[],'count':10,'timeout':5,'mask':['SIGALRM','SIGCHLD']}"},
    {KIND_EPOLL_EVENTS,
     "epoll_pwait2",
     {3, AT(ready), 10, AT(&half), 0, 8},
     -EINTR,
     "{'fd':3,'count':10,'timeout':2.5,'mask':null}",
     "{'fd':3,'events':null,'count':10,'timeout':2.5,'mask':null}"},

    /* Times and signals */
    {KIND_TIMEVAL,
     "select",
     {0, 0, 0, 0, AT(&quarter)},
     0,
     "{'count':0,'read':null,'write':null,'except':null,'timeout':1.25}",
     NULL},
    {KIND_TIMESPEC,
     "nanosleep",
     {AT(&half), AT(&half)},
     0,
     "{'time':2.5}",
     "{'time':2.5,'remaining':null}"},
    {KIND_TIMESPEC,
     "nanosleep",
     {AT(&half), AT(&half)},
     -EINTR,
     "{'time':2.5}",
     "{'time':2.5,'remaining':2.5}"},
    {KIND_TIMESPEC,
     "clock_nanosleep",
     {CLOCK_MONOTONIC, TIMER_ABSTIME, AT(&half), 0},
     -EFAULT,
     "{'clock':'CLOCK_MONOTONIC','flags':['TIMER_ABSTIME'],'time':2.5}",
     "{'clock':'CLOCK_MONOTONIC','flags':['TIMER_ABSTIME'],'time':2.5,'remaining':null}"},
    {KIND_ITIMERVAL,
     "setitimer",
     {ITIMER_REAL, AT(&timer), AT(&timer)},
     0,
     "{'timer':'ITIMER_REAL','new':{'interval':1.0,'value':0.5}}",
     "{'timer':'ITIMER_REAL','new':{'interval':1.0,'value':0.5},"
     "'old':{'interval':1.0,'value':0.5}}"},
    {KIND_SIGNAL_SET,
     "rt_sigprocmask",
     {SIG_BLOCK, AT(&alarm_set), AT(&alarm_set), 8},
     0,
     "{'how':'SIG_BLOCK','set':['SIGALRM','SIGCHLD']}",
     "{'how':'SIG_BLOCK','set':['SIGALRM','SIGCHLD'],'old':['SIGALRM','SIGCHLD']}"},
    {KIND_SIGNAL_SET,
     "rt_sigsuspend",
     {AT(&alarm_set), 8},
     -EINTR,
     "{'mask':['SIGALRM','SIGCHLD']}",
     NULL},
    {KIND_SIGNAL_SET, "rt_sigsuspend", {AT(&alarm_set), 4}, -EINVAL, "{'mask':null}", NULL},
    {KIND_SIGNAL_SET,
     "signalfd4",
     {UINT32_MAX, AT(&alarm_set), 8, 0},
     3,
     "{'fd':-1,'mask':['SIGALRM','SIGCHLD'],'size':8,'flags':[]}",
     NULL},
#ifdef SIGACTION_LAYOUT
    {KIND_SIGACTION,
     "rt_sigaction",
     {SIGCHLD, AT(&restarting), AT(&defaulting), 8},
     0,
     "{'signal':'SIGCHLD','action':{'handler':'handler','flags':['SA_RESTART'],'mask':['SIGINT']}}",
     "{'signal':'SIGCHLD','action':{'handler':'handler','flags':['SA_RESTART'],'mask':['SIGINT']},"
     "'old':{'handler':'SIG_DFL','flags':[],'mask':[]}}"},
    {KIND_SIGACTION,
     "rt_sigaction",
     {SIGPIPE, AT(&ignoring), 0, 8},
     0,
     "{'signal':'SIGPIPE','action':{'handler':'SIG_IGN','flags':[],'mask':[]}}",
     "{'signal':'SIGPIPE','action':{'handler':'SIG_IGN','flags':[],'mask':[]},'old':null}"},
#endif
    {KIND_FCNTL,
     "fcntl",
     {3, F_SETFL, O_NONBLOCK},
     0,
     "{'fd':3,'command':'F_SETFL','argument':['O_NONBLOCK']}",
     NULL},
    {KIND_FCNTL,
     "fcntl",
     {3, F_SETFL, O_RDWR | O_ASYNC},
     0,
     "{'fd':3,'command':'F_SETFL','argument':['O_RDWR','O_ASYNC']}",
     NULL},
    {KIND_FCNTL,
     "fcntl",
     {3, F_SETFD, FD_CLOEXEC},
     0,
     "{'fd':3,'command':'F_SETFD','argument':['FD_CLOEXEC']}",
     NULL},
    {KIND_FCNTL,
     "fcntl",
     {3, F_DUPFD_CLOEXEC, 10},
     10,
     "{'fd':3,'command':'F_DUPFD_CLOEXEC','argument':10}",
     NULL},
    {KIND_FCNTL,
     "fcntl",
     {3, F_SETSIG, SIGIO},
     0,
     "{'fd':3,'command':'F_SETSIG','argument':'SIGIO'}",
     NULL},
    {KIND_FCNTL,
     "fcntl",
     {3, F_GETFL, 99},
     2,
     "{'fd':3,'command':'F_GETFL','argument':null}",
     NULL},
    {KIND_IOCTL,
     "ioctl",
     {3, FIONBIO, AT(&one)},
     0,
     "{'fd':3,'request':'FIONBIO','argument':1}",
     NULL},
    {KIND_IOCTL,
     "ioctl",
     {3, FIONREAD, AT(&waiting_bytes)},
     0,
     "{'fd':3,'request':'FIONREAD','argument':null}",
     "{'fd':3,'request':'FIONREAD','argument':12}"},
    {KIND_IOCTL,
     "ioctl",
     {3, 0x1234, AT(&one)},
     -ENOTTY,
     "{'fd':3,'request':4660,'argument':null}",
     NULL},
};

/* A pair as on a stack, and one whose parts lie in different places. */
static const struct {
    struct sockaddr_in address;
    socklen_t length;
} near_address = {{.sin_family = AF_INET}, sizeof(struct sockaddr_in)};
static const struct {
    struct sockaddr_in address;
    char between[4096];
    socklen_t length;
} far_address = {.address = {.sin_family = AF_INET}, .length = sizeof(struct sockaddr_in)};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *const kind_names[CALL_KINDS] = {
    [KIND_INT] = "int",
    [KIND_UNSIGNED] = "unsigned",
    [KIND_SIZE] = "size",
    [KIND_LENGTH] = "length",
    [KIND_DESCRIPTOR] = "descriptor",
    [KIND_DIRECTORY] = "directory",
    [KIND_NAMED] = "named",
    [KIND_FLAGS] = "flags",
    [KIND_MODE] = "mode",
    [KIND_PROTOCOL] = "protocol",
    [KIND_SIGNAL] = "signal",
    [KIND_CLONE_FLAGS] = "clone_flags",
    [KIND_SENT] = "sent",
    [KIND_RECEIVED] = "received",
    [KIND_VECTOR] = "vector",
    [KIND_ADDRESS] = "address",
    [KIND_ADDRESS_RESULT] = "address_result",
    [KIND_LENGTH_RESULT] = "length_result",
    [KIND_OPTION] = "option",
    [KIND_OPTION_VALUE] = "option_value",
    [KIND_OPTION_RESULT] = "option_result",
    [KIND_MESSAGE] = "message",
    [KIND_MESSAGES] = "messages",
    [KIND_POLL] = "poll",
    [KIND_DESCRIPTOR_SET] = "descriptor_set",
    [KIND_EPOLL_EVENT] = "epoll_event",
    [KIND_EPOLL_EVENTS] = "epoll_events",
    [KIND_TIMEVAL] = "timeval",
    [KIND_TIMESPEC] = "timespec",
    [KIND_ITIMERVAL] = "itimerval",
    [KIND_OFFSET] = "offset",
    [KIND_SIGNAL_SET] = "signal_set",
    [KIND_SIGNAL_SET_PAIR] = "signal_set_pair",
    [KIND_SIGACTION] = "sigaction",
    [KIND_STATUS] = "status",
    [KIND_SIGINFO] = "siginfo",
    [KIND_PATH] = "path",
    [KIND_STRINGS] = "strings",
    [KIND_PAIR] = "pair",
    [KIND_CLONE] = "clone",
    [KIND_FCNTL] = "fcntl",
    [KIND_IOCTL] = "ioctl",
};

START_TEST(arguments_say_what_the_program_gave)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);
    struct block entered, left;

    entered = collect(call, CALL_ENTER, row->arguments, 0, NULL);
    ck_assert_json(call_arguments(call, row->arguments, 0, view_of(entered), not_yet),
                   row->entering);
    left = collect(call, CALL_LEAVE, row->arguments, row->result, NULL);
    ck_assert_json(
        call_arguments(call, row->arguments, row->result, view_of(entered), view_of(left)),
        row->leaving ? row->leaving : row->entering);
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

/* Every argument of a cut collection is as it was, or has null where the cut took something. */
static void check_cut(const struct row *row, struct call_collected entered,
                      struct call_collected left, json_t *whole)
{
    const struct call_shape *call = call_named(row->call);
    json_t *cut = call_arguments(call, row->arguments, row->result, entered, left), *value;
    const char *name;

    ck_assert_ptr_nonnull(cut);
    json_object_foreach(whole, name, value)
    {
        char *text = text_of(json_incref(json_object_get(cut, name)));

        if (!json_equal(value, json_object_get(cut, name)))
            ck_assert_msg(strstr(text, "null"), "%s: %s became %s", row->call, name, text);
        free(text);
    }
    json_decref(cut);
}

START_TEST(what_is_cut_off_becomes_null)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);
    const struct block entered = collect(call, CALL_ENTER, row->arguments, 0, NULL),
                       left = collect(call, CALL_LEAVE, row->arguments, row->result, NULL);
    json_t *whole =
        call_arguments(call, row->arguments, row->result, view_of(entered), view_of(left));

    ck_assert_ptr_nonnull(whole);
    for (size_t length = 0; length < entered.length; length++) {
        const struct block cut = block_of(entered.bytes + 1, length);

        check_cut(row, view_of(cut), view_of(left), whole);
        free(cut.bytes);
    }
    for (size_t length = 0; length < left.length; length++) {
        const struct block cut = block_of(left.bytes + 1, length);

        check_cut(row, view_of(entered), view_of(cut), whole);
        free(cut.bytes);
    }
    json_decref(whole);
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

/* Any piece may be shorter than it should be. It is moved to the end, so that reading on would be
 * seen. */
static struct block with_short_piece(struct block from, size_t which, size_t length)
{
    unsigned char bytes[CALL_COLLECT_LIMIT];
    struct call_pieces pieces = {bytes, sizeof bytes, 0};
    struct {
        uint8_t argument, part;
        uint16_t length;
    } head, last = {0, 0, 0};
    size_t last_at = 0;

    for (size_t at = 1, i = 0; at < from.length + 1; at += sizeof head + head.length, i++) {
        memcpy(&head, from.bytes + at, sizeof head);
        if (i == which) {
            last = head;
            last_at = at;
        } else {
            pieces_add(&pieces, head.argument, head.part, from.bytes + at + sizeof head,
                       head.length);
        }
    }
    if (!last_at || last.length < length)
        return (struct block){NULL, 0};
    pieces_add(&pieces, last.argument, last.part, from.bytes + last_at + sizeof last, length);
    return block_of(bytes, pieces.used);
}

static void check_short_pieces(const struct row *row, struct block entered, struct block left,
                               bool of_left, json_t *whole)
{
    struct block cut;

    for (size_t which = 0; which < 40; which++) {
        for (size_t length = 0; length < CALL_COLLECT_LIMIT; length++) {
            cut = with_short_piece(of_left ? left : entered, which, length);
            if (!cut.bytes)
                break;
            check_cut(row, view_of(of_left ? entered : cut), view_of(of_left ? cut : left), whole);
            free(cut.bytes);
        }
    }
}

START_TEST(a_short_piece_becomes_null)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);
    const struct block entered = collect(call, CALL_ENTER, row->arguments, 0, NULL),
                       left = collect(call, CALL_LEAVE, row->arguments, row->result, NULL);
    json_t *whole =
        call_arguments(call, row->arguments, row->result, view_of(entered), view_of(left));

    ck_assert_ptr_nonnull(whole);
    check_short_pieces(row, entered, left, false, whole);
    check_short_pieces(row, entered, left, true, whole);
    json_decref(whole);
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

/* No kernel gives such an address, but bytes may say so. */
START_TEST(an_address_longer_than_any_is_cut)
{
    static const uint64_t arguments[CALL_ARGUMENTS] = {3, 8, 1000};
    static const sa_family_t family = AF_UNIX;
    unsigned char bytes[CALL_COLLECT_LIMIT], address[1000];
    struct call_pieces pieces = {bytes, sizeof bytes, 0};
    struct block entered;
    char *text;

    memset(address, 'a', sizeof address);
    memcpy(address, &family, sizeof family);
    ck_assert(pieces_add(&pieces, 1, PART_SELF, address, sizeof address));
    entered = block_of(bytes, pieces.used);
    text = text_of(call_arguments(call_named("bind"), arguments, 0, view_of(entered), not_yet));
    ck_assert_uint_lt(strlen(text), 250);
    free(text);
    free(entered.bytes);
}
END_TEST

/* What does not fit into the buffer is left out, and nothing is written behind it. */
START_TEST(a_small_buffer_is_not_overrun)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);

    for (size_t capacity = 0; capacity < 300; capacity += 7) {
        const struct block room = block_of("", 0);
        unsigned char *buffer = malloc(capacity + 1);
        int reads = 0;
        const size_t used = call_collect(call, CALL_ENTER, row->arguments, 0, read_self, &reads,
                                         buffer + 1, capacity);

        ck_assert_uint_le(used, capacity);
        free(text_of(call_arguments(call, row->arguments, row->result,
                                    (struct call_collected){buffer + 1, used}, view_of(room))));
        free(buffer);
        free(room.bytes);
    }
}
END_TEST

/* How often the program's memory is read: half a microsecond each. */
static const struct {
    const char *call;
    uint64_t arguments[CALL_ARGUMENTS];
    int64_t result;
    int entering, leaving;
} costs[] = {
    {"read", {0, AT(hello), 6}, 6, 0, 1},
    {"read", {0, AT(hello), 6}, 0, 0, 0},
    {"read", {0, AT(hello), 6}, -EAGAIN, 0, 0},
    {"write", {1, AT(hello), 6}, 6, 1, 0},
    {"write", {1, AT(hello), 0}, 0, 0, 0},
    {"accept", {3, 0, 0}, 4, 0, 0},
    {"accept", {3, AT(&near_address.address), AT(&near_address.length)}, 4, 1, 1},
    {"accept", {3, AT(&near_address.address), AT(&near_address.length)}, -EINTR, 1, 0},
    {"accept", {3, AT(&far_address.address), AT(&far_address.length)}, 4, 1, 2},
    {"bind", {3, AT(&inet), sizeof inet}, 0, 1, 0},
    {"recvmmsg", {3, AT(messages), 10, 0, 0}, 1, 0, 3},
    {"close", {3}, 0, 0, 0},
    {"socket", {AF_INET, SOCK_STREAM, 0}, 3, 0, 0},
};

START_TEST(memory_is_read_seldom)
{
    const struct call_shape *call = call_named(costs[_i].call);
    int entering, leaving;

    free(collect(call, CALL_ENTER, costs[_i].arguments, 0, &entering).bytes);
    free(collect(call, CALL_LEAVE, costs[_i].arguments, costs[_i].result, &leaving).bytes);
    ck_assert_int_eq(entering, costs[_i].entering);
    ck_assert_int_eq(leaving, costs[_i].leaving);
}
END_TEST

/* The kernel says how long the address is, not how much of it there was room for. */
START_TEST(an_address_is_shown_as_far_as_there_was_room)
{
    const struct call_shape *call = call_named("getsockname");
    struct sockaddr_un address = local;
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 4;
    const uint64_t arguments[CALL_ARGUMENTS] = {3, AT(&address), AT(&length)};
    const struct block entered = collect(call, CALL_ENTER, arguments, 0, NULL);
    struct block left;

    length = offsetof(struct sockaddr_un, sun_path) + sizeof "/tmp/socket";
    left = collect(call, CALL_LEAVE, arguments, 0, NULL);
    ck_assert_json(call_arguments(call, arguments, 0, view_of(entered), view_of(left)),
                   "{'fd':3,'address':{'family':'AF_UNIX','path':'/tmp'},'address_length':14}");
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

/* Memory that ends with the text, or before it. */
START_TEST(a_text_may_end_where_memory_ends)
{
    const struct call_shape *call = call_named("unlink");
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *text = pages + 2 * page - sizeof path;
    const uint64_t whole[CALL_ARGUMENTS] = {AT(text)}, cut[CALL_ARGUMENTS] = {AT(text + 1)};
    struct block entered;

    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages + 2 * page, page, PROT_NONE), 0);
    memcpy(text, path, sizeof path);
    entered = collect(call, CALL_ENTER, whole, 0, NULL);
    ck_assert_json(call_arguments(call, whole, 0, view_of(entered), not_yet),
                   "{'path':'/etc/hosts'}");
    free(entered.bytes);
    memcpy(text + 1, path, sizeof path - 1);
    entered = collect(call, CALL_ENTER, cut, 0, NULL);
    ck_assert_json(call_arguments(call, cut, 0, view_of(entered), not_yet), "{'path':null}");
    free(entered.bytes);
    munmap(pages, 3 * page);
}
END_TEST

START_TEST(a_text_may_cross_pages)
{
    const struct call_shape *call = call_named("unlink");
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *text = pages + page - 4;
    const uint64_t arguments[CALL_ARGUMENTS] = {AT(text)};
    struct block entered;

    ck_assert_ptr_ne(pages, MAP_FAILED);
    memcpy(text, path, sizeof path);
    entered = collect(call, CALL_ENTER, arguments, 0, NULL);
    ck_assert_json(call_arguments(call, arguments, 0, view_of(entered), not_yet),
                   "{'path':'/etc/hosts'}");
    free(entered.bytes);
    munmap(pages, 2 * page);
}
END_TEST

/* Numbers from the C library's headers, not from libseccomp. */
static const struct {
    int number;
    const char *name;
} numbers[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_bind, "bind"},
    {SYS_accept4, "accept4"},
    {SYS_wait4, "wait4"},
    {SYS_exit_group, "exit_group"},
    {SYS_rt_sigaction, "rt_sigaction"},
    {SYS_close_range, "close_range"},
    {SYS_epoll_pwait2, "epoll_pwait2"},
    {SYS_restart_syscall, "restart_syscall"},
};

START_TEST(a_call_is_found_by_its_number)
{
    const struct call_shape *call = call_of_number(numbers[_i].number);

    ck_assert_ptr_nonnull(call);
    ck_assert_str_eq(call_name(call), numbers[_i].name);
}
END_TEST

START_TEST(every_row_is_found_by_its_number)
{
    size_t known = 0;

    for (size_t i = 0; call_row(i); i++) {
        const int number = call_number(call_row(i));

        known += number >= 0;
        ck_assert(number < 0 || call_of_number(number) == call_row(i));
    }
    ck_assert_uint_gt(known, 60);
}
END_TEST

START_TEST(a_call_not_in_the_table_is_not_found)
{
    static const int others[] = {-1, INT32_MIN, INT32_MAX, SYS_mmap, SYS_brk, SYS_futex};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_ptr_null(call_of_number(others[i]));
    for (int number = 1024; number < 2048; number++) /* behind the last of x86 and arm */
        ck_assert_ptr_null(call_of_number(number));
}
END_TEST

static const struct {
    const char *word, *call;
    bool means;
} words[] = {
    {"accept", "accept", true},
    {"accept", "accept4", true},
    {"accept4", "accept4", true},
    {"accept4", "accept", false},
    {"send", "sendto", true},
    {"recv", "recvfrom", true},
    {"sendto", "sendto", true},
    {"send", "sendmsg", false},
    {"poll", "ppoll", true},
    {"select", "pselect6", true},
    {"wait", "wait4", true},
    {"wait", "waitid", true},
    {"open", "openat", true},
    {"fork", "vfork", true},
    {"fork", "clone", true},
    {"fork", "clone3", true},
    {"clone", "fork", false},
    {"exit", "exit_group", true},
    {"sigaction", "rt_sigaction", true},
    {"epoll_wait", "epoll_pwait", true},
    {"epoll_wait", "epoll_pwait2", true},
    {"dup2", "dup3", true},
    {"pipe", "pipe2", true},
    {"nanosleep", "clock_nanosleep", true},
    {"read", "pread64", false},
    {"", "pause", false},
};

START_TEST(a_word_means_calls)
{
    ck_assert_int_eq(call_is(call_named(words[_i].call), words[_i].word), words[_i].means);
}
END_TEST

START_TEST(words_are_known_or_not)
{
    ck_assert(call_word_known("wait"));
    ck_assert(call_word_known("wait4"));
    ck_assert(!call_word_known("waitpid4"));
    ck_assert(!call_word_known(""));
    ck_assert(!call_word_known("mmap"));
}
END_TEST

static const struct {
    const char *call;
    int descriptor, length;
} places[] = {
    {"accept", 0, -1},  {"read", 0, 2},       {"sendto", 0, 2},   {"poll", -1, -1},
    {"select", -1, -1}, {"open", -1, -1},     {"openat", -1, -1}, {"writev", 0, -1},
    {"sendfile", 0, 3}, {"epoll_ctl", 0, -1}, {"kill", -1, -1},   {"close_range", -1, -1},
    {"fork", -1, -1},   {"splice", 0, 4},     {"dup2", 0, -1},
};

START_TEST(descriptor_and_length_have_places)
{
    const struct call_shape *call = call_named(places[_i].call);

    ck_assert_int_eq(call_descriptor_argument(call), places[_i].descriptor);
    ck_assert_int_eq(call_length_argument(call), places[_i].length);
}
END_TEST

START_TEST(few_calls_have_a_role)
{
    for (size_t i = 0; call_row(i); i++) {
        const char *name = call_name(call_row(i));

        ck_assert_int_eq(call_is_restart(call_row(i)), strcmp(name, "restart_syscall") == 0);
        ck_assert_int_eq(call_is_sigaction(call_row(i)), strcmp(name, "rt_sigaction") == 0);
    }
}
END_TEST

#ifdef SIGACTION_LAYOUT
static const struct {
    const void *action;
    enum disposition disposition;
    unsigned long flags;
} dispositions[] = {
    {&restarting, DISPOSITION_HANDLER, SA_RESTART | 0x04000000},
    {&ignoring, DISPOSITION_IGNORED, 0x04000000},
    {&defaulting, DISPOSITION_DEFAULT, 0},
};

START_TEST(an_action_sets_a_disposition)
{
    const struct call_shape *call = call_named("rt_sigaction");
    const uint64_t arguments[CALL_ARGUMENTS] = {SIGCHLD, AT(dispositions[_i].action), 0, 8};
    const struct block entered = collect(call, CALL_ENTER, arguments, 0, NULL);
    enum disposition disposition;
    unsigned long flags;
    int number;

    ck_assert(call_sigaction(call, arguments, view_of(entered), &number, &disposition, &flags));
    ck_assert_int_eq(number, SIGCHLD);
    ck_assert_int_eq(disposition, dispositions[_i].disposition);
    ck_assert_uint_eq(flags, dispositions[_i].flags);
    ck_assert(!call_sigaction(call_named("kill"), arguments, view_of(entered), &number,
                              &disposition, &flags));
    free(entered.bytes);
}
END_TEST
#endif

/* The kernel's own bytes, not ours: what the C library set is asked back. */
START_TEST(a_sigaction_of_the_kernel_is_understood)
{
    const struct call_shape *call = call_named("rt_sigaction");
    struct sigaction action = {.sa_handler = SIG_IGN,
                               .sa_flags = SA_RESTART | SA_NODEFER | (int)SA_RESETHAND};
    unsigned char old[256];
    const uint64_t arguments[CALL_ARGUMENTS] = {SIGUSR1, 0, AT(old), _NSIG / 8};
    const struct block entered = collect(call, CALL_ENTER, arguments, 0, NULL);
    struct block left;

    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGALRM);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq((int)syscall(SYS_rt_sigaction, SIGUSR1, NULL, old, arguments[3]), 0);
    left = collect(call, CALL_LEAVE, arguments, 0, NULL);
    ck_assert_json(call_arguments(call, arguments, 0, view_of(entered), view_of(left)),
                   "{'signal':'SIGUSR1','action':null,'old':{'handler':'SIG_IGN',"
                   "'flags':['SA_RESTART','SA_NODEFER','SA_RESETHAND'],'mask':['SIGALRM']}}");
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

#if defined(__x86_64__)
/* The C library keeps the flags in an int, and the highest bit of it is SA_RESETHAND. */
START_TEST(flags_that_were_sign_extended_are_understood)
{
    const struct call_shape *call = call_named("rt_sigaction");
    const uint64_t action[4] = {(uint64_t)(uintptr_t)SIG_IGN, UINT64_C(0xffffffff80000000), 0, 0};
    const uint64_t arguments[CALL_ARGUMENTS] = {SIGUSR1, AT(action), 0, _NSIG / 8};
    const struct block entered = collect(call, CALL_ENTER, arguments, 0, NULL);

    ck_assert_json(call_arguments(call, arguments, 0, view_of(entered), view_of((struct block){0})),
                   "{'signal':'SIGUSR1','action':{'handler':'SIG_IGN',"
                   "'flags':['SA_RESETHAND'],'mask':[]},'old':null}");
    free(entered.bytes);
}
END_TEST
#endif

START_TEST(only_a_whole_action_sets_a_disposition)
{
    const struct call_shape *call = call_named("rt_sigaction");
    static const uint64_t asks[CALL_ARGUMENTS] = {SIGCHLD, 0, 8, 8},
                          breaks[CALL_ARGUMENTS] = {SIGCHLD, 8, 0, 8};
    const struct block nothing = collect(call, CALL_ENTER, asks, 0, NULL),
                       unread = collect(call, CALL_ENTER, breaks, 0, NULL);
    enum disposition disposition = DISPOSITION_IGNORED;
    unsigned long flags = 77;
    int number = 78;

    ck_assert(!call_sigaction(call, asks, view_of(nothing), &number, &disposition, &flags));
    ck_assert(!call_sigaction(call, breaks, view_of(unread), &number, &disposition, &flags));
    ck_assert(!call_sigaction(call, breaks, not_yet, &number, &disposition, &flags));
    ck_assert(
        !call_sigaction(call_named("kill"), asks, view_of(nothing), &number, &disposition, &flags));
    ck_assert_int_eq(disposition, DISPOSITION_IGNORED);
    ck_assert_uint_eq(flags, 77);
    ck_assert_int_eq(number, 78);
    free(nothing.bytes);
    free(unread.bytes);
}
END_TEST

/* Any bytes at all. The numbers repeat from run to run, so that a failure does. */
static uint64_t random_number(void)
{
    static uint64_t state = 88172645463325252U;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t random_argument(void)
{
    static const unsigned shifts[] = {0, 32, 48, 56, 60, 61, 62, 63};

    return random_number() >> shifts[random_number() % 8];
}

/* Half of the blocks look like pieces, or few would get beyond the first head. */
static struct block random_block(void)
{
    unsigned char bytes[CALL_COLLECT_LIMIT];
    const size_t length = random_number() % 600;
    size_t at = 0;

    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(random_number() >> (random_number() % 8 ? 60 : 40));
    while (random_number() % 8 && at + 4 <= length) {
        const uint16_t size = (uint16_t)(random_number() % 140);

        bytes[at] = (unsigned char)(random_number() % CALL_ARGUMENTS);
        bytes[at + 1] = (unsigned char)(random_number() % 4 ? 0 : random_number() % 7);
        memcpy(bytes + at + 2, &size, sizeof size);
        at += 4U + size;
    }
    return block_of(bytes, length);
}

/* Bytes that are right but for a few. */
START_TEST(decoding_stands_damaged_bytes)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);
    const struct block entered = collect(call, CALL_ENTER, row->arguments, 0, NULL),
                       left = collect(call, CALL_LEAVE, row->arguments, row->result, NULL);

    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        const struct block damaged = block_of(entered.bytes + 1, entered.length),
                           damaged_left = block_of(left.bytes + 1, left.length);

        for (int times = 0; times < 3; times++) {
            if (entered.length)
                damaged.bytes[1 + random_number() % entered.length] =
                    (unsigned char)random_argument();
            if (left.length)
                damaged_left.bytes[1 + random_number() % left.length] =
                    (unsigned char)random_argument();
        }
        free(text_of(call_arguments(call, row->arguments, row->result, view_of(damaged),
                                    view_of(damaged_left))));
        free(damaged.bytes);
        free(damaged_left.bytes);
    }
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

START_TEST(decoding_stands_any_bytes)
{
    const struct call_shape *call = call_row((size_t)_i);
    uint64_t arguments[CALL_ARGUMENTS];

    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        const struct block entered = random_block(), left = random_block();
        const int64_t result = (int64_t)random_argument() - 3;
        const bool has_left = random_number() % 3;
        enum disposition disposition;
        unsigned long flags;
        int number;

        for (size_t i = 0; i < CALL_ARGUMENTS; i++)
            arguments[i] = random_argument();
        free(text_of(call_arguments(call, arguments, result, view_of(entered),
                                    has_left ? view_of(left) : not_yet)));
        call_sigaction(call, arguments, view_of(entered), &number, &disposition, &flags);
        free(entered.bytes);
        free(left.bytes);
    }
}
END_TEST

/* Memory that holds anything, or is not there. */
static ssize_t read_anything(void *context, uint64_t address, void *buffer, size_t length)
{
    const size_t some = random_number() % 4 ? length : length / 2;

    (void)context;
    (void)address;
    if (random_number() % 8 == 0)
        return -1;
    for (size_t i = 0; i < some; i++)
        ((unsigned char *)buffer)[i] = (unsigned char)(random_number() >> (random_number() % 64));
    return (ssize_t)some;
}

START_TEST(collecting_stands_any_memory)
{
    const struct call_shape *call = call_row((size_t)_i);
    uint64_t arguments[CALL_ARGUMENTS];

    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        const size_t capacity = random_number() % CALL_COLLECT_LIMIT;
        const int64_t result = (int64_t)random_argument() - 3;
        unsigned char *buffer = malloc(capacity + 1);
        size_t used;

        for (size_t i = 0; i < CALL_ARGUMENTS; i++)
            arguments[i] = random_argument();
        used =
            call_collect(call, CALL_ENTER, arguments, 0, read_anything, NULL, buffer + 1, capacity);
        ck_assert_uint_le(used, capacity);
        used = call_collect(call, CALL_LEAVE, arguments, result, read_anything, NULL, buffer + 1,
                            capacity);
        ck_assert_uint_le(used, capacity);
        free(text_of(call_arguments(call, arguments, result, not_yet,
                                    (struct call_collected){buffer + 1, used})));
        free(buffer);
    }
}
END_TEST

/* Memory that runs out at each place in turn, and stays out or comes back. */
static int allocations_left;
static bool comes_back;

static void *allocate(size_t size)
{
    const int left = allocations_left--;

    return left > 0 || (left < 0 && comes_back) ? malloc(size) : NULL;
}

/* Text that could not be made for want of memory cannot be told from text that is not UTF-8. */
static bool accents_in(const json_t *arguments)
{
    char *text = json_dumps(arguments, JSON_COMPACT);
    bool found = false;

    for (const char *at = text; *at; at++)
        found |= (unsigned char)*at >= 0x80;
    free(text);
    return found;
}

START_TEST(decoding_gives_up_when_memory_runs_out)
{
    const struct row *row = &rows[_i];
    const struct call_shape *call = call_named(row->call);
    const struct block entered = collect(call, CALL_ENTER, row->arguments, 0, NULL),
                       left = collect(call, CALL_LEAVE, row->arguments, row->result, NULL);
    json_t *whole =
        call_arguments(call, row->arguments, row->result, view_of(entered), view_of(left));
    const bool accented = accents_in(whole);

    for (int mode = 0; mode < 2; mode++) {
        int enough = 0;

        comes_back = mode;
        json_set_alloc_funcs(allocate, free);
        for (allocations_left = -1; allocations_left < 0 && enough < 2000; enough++) {
            json_t *arguments;

            allocations_left = enough;
            arguments =
                call_arguments(call, row->arguments, row->result, view_of(entered), view_of(left));
            if (arguments)
                ck_assert((comes_back && accented) || json_equal(arguments, whole));
            else
                ck_assert_int_lt(allocations_left, 0);
            json_decref(arguments);
        }
        json_set_alloc_funcs(malloc, free);
        ck_assert_int_gt(enough, 1);
    }
    json_decref(whole);
    free(entered.bytes);
    free(left.bytes);
}
END_TEST

/* A kind of argument without a row here would be one that nothing checks. */
START_TEST(every_kind_has_rows)
{
    bool seen[CALL_KINDS] = {[KIND_NONE] = true};

    for (size_t i = 0; i < ROWS; i++)
        seen[rows[i].kind] = true;
#ifndef SIGACTION_LAYOUT
    seen[KIND_SIGACTION] = true;
#endif
    for (size_t kind = 0; kind < CALL_KINDS; kind++)
        ck_assert_msg(seen[kind], "no row for %s", kind_names[kind]);
}
END_TEST

/* Rows of a kind stand together. */
static void add_kind(Suite *suite, enum call_kind kind)
{
    TCase *tests = tcase_create(kind_names[kind]);

    for (int i = 0; i < (int)ROWS; i++) {
        if (rows[i].kind != kind)
            continue;
        tcase_add_loop_test(tests, arguments_say_what_the_program_gave, i, i + 1);
        tcase_add_loop_test(tests, what_is_cut_off_becomes_null, i, i + 1);
        tcase_add_loop_test(tests, a_short_piece_becomes_null, i, i + 1);
        tcase_add_loop_test(tests, a_small_buffer_is_not_overrun, i, i + 1);
        tcase_add_loop_test(tests, decoding_stands_damaged_bytes, i, i + 1);
        tcase_add_loop_test(tests, decoding_gives_up_when_memory_runs_out, i, i + 1);
    }
    suite_add_tcase(suite, tests);
}

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

static TCase *table_tests(void)
{
    TCase *tests = tcase_create("table");

    tcase_add_loop_test(tests, a_call_is_found_by_its_number, 0, COUNT(numbers));
    tcase_add_test(tests, every_row_is_found_by_its_number);
    tcase_add_test(tests, a_call_not_in_the_table_is_not_found);
    tcase_add_loop_test(tests, a_word_means_calls, 0, COUNT(words));
    tcase_add_test(tests, words_are_known_or_not);
    tcase_add_loop_test(tests, descriptor_and_length_have_places, 0, COUNT(places));
    tcase_add_test(tests, few_calls_have_a_role);
    tcase_add_test(tests, every_kind_has_rows);
    return tests;
}

static TCase *collecting_tests(void)
{
    TCase *tests = tcase_create("collecting");

    tcase_add_loop_test(tests, memory_is_read_seldom, 0, COUNT(costs));
    tcase_add_test(tests, an_address_is_shown_as_far_as_there_was_room);
    tcase_add_test(tests, an_address_longer_than_any_is_cut);
    tcase_add_test(tests, a_text_may_end_where_memory_ends);
    tcase_add_test(tests, a_text_may_cross_pages);
    return tests;
}

static TCase *disposition_tests(void)
{
    TCase *tests = tcase_create("disposition");

#ifdef SIGACTION_LAYOUT
    tcase_add_loop_test(tests, an_action_sets_a_disposition, 0, COUNT(dispositions));
#endif
    tcase_add_test(tests, a_sigaction_of_the_kernel_is_understood);
#if defined(__x86_64__)
    tcase_add_test(tests, flags_that_were_sign_extended_are_understood);
#endif
    tcase_add_test(tests, only_a_whole_action_sets_a_disposition);
    return tests;
}

static TCase *random_tests(void)
{
    TCase *tests = tcase_create("random");

    tcase_add_loop_test(tests, decoding_stands_any_bytes, 0, (int)call_table_rows);
    tcase_add_loop_test(tests, collecting_stands_any_memory, 0, (int)call_table_rows);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("call");
    SRunner *runner;
    int failed;

    fill();
    for (enum call_kind kind = KIND_NONE + 1; kind < CALL_KINDS; kind++)
        add_kind(suite, kind);
    suite_add_tcase(suite, table_tests());
    suite_add_tcase(suite, collecting_tests());
    suite_add_tcase(suite, disposition_tests());
    suite_add_tcase(suite, random_tests());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
