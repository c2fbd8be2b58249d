#include "sockets_proc.h"

#include "capability/capability.h"
#include "proc.h"
#include "sockets_entry.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sockets as /proc/PID/net tells them: less than sock_diag does, and in all its kernels' ways. */

enum {
    TICK = 10,              /* ms of the clock that timers are told in */
    ACCEPTS = 0x10000,      /* of an AF_UNIX socket's flags: it listens */
    UNIX_CONNECTED = 3,     /* of its own states */
    ORPHAN = INT32_MAX / 2, /* cookies below it are inodes */
};

/* One of the files. */
struct table {
    const char *name;
    int family, type;
    bool (*read)(const struct table *table, const char *line, struct entry *entry);
};

/* The address's words stand in the order of the network, each printed as the machine reads it. */
static void read_address(const char *hexadecimal, struct endpoint *end)
{
    const size_t words = strlen(hexadecimal) / 8;

    for (size_t i = 0; i < words && i < 4; i++) {
        char digits[9] = "";
        uint32_t word;

        memcpy(digits, hexadecimal + 8 * i, 8);
        word = (uint32_t)strtoul(digits, NULL, 16);
        memcpy(end->host + 4 * i, &word, sizeof word);
    }
}

static uint64_t cookie_of(const struct entry *entry)
{
    return entry->inode ? entry->inode
                        : (uint64_t)ORPHAN << 32 | (uint64_t)entry->local.port << 16 |
                              (uint64_t)entry->remote.port;
}

static bool read_inet(const struct table *table, const char *line, struct entry *entry)
{
    char local[33], remote[33];
    unsigned local_port, remote_port, state, timer;
    unsigned long sent, received, ticks, retransmits, uid, inode;

    /* NOLINTNEXTLINE(cert-err34-c): the kernel has written the numbers, and they fit */
    if (sscanf(line,
               " %*[^:]: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %lx:%lx %x:%lx %lx %lu %*s %lu",
               local, &local_port, remote, &remote_port, &state, &sent, &received, &timer, &ticks,
               &retransmits, &uid, &inode) != 12)
        return false;
    *entry =
        (struct entry){.family = table->family,
                       .type = table->type,
                       .state = state == STATE_NEW_SYN_RECV ? TCP_SYN_RECV : (int)state,
                       .timer = (int)timer,
                       .local.port = (int)local_port,
                       .remote.port = (int)remote_port,
                       .receive_queue = (int64_t)received,
                       .send_queue = state == TCP_LISTEN ? -1 /* the backlog */ : (int64_t)sent,
                       .expires = timer ? (uint32_t)(ticks * TICK) : 0,
                       .retransmits = (uint32_t)retransmits,
                       .uid = (uint32_t)uid,
                       .inode = (uint32_t)inode};
    read_address(local, &entry->local);
    read_address(remote, &entry->remote);
    entry->cookie = cookie_of(entry);
    return true;
}

static bool read_unix(const struct table *table, const char *line, struct entry *entry)
{
    unsigned flags, type, state;
    unsigned long inode;
    char path[sizeof entry->path + 1] = "";

    /* NOLINTNEXTLINE(cert-err34-c): here, too */
    if (sscanf(line, "%*x: %*x %*x %x %x %x %lu %128[^\n]", &flags, &type, &state, &inode, path) <
        4)
        return false;
    *entry = (struct entry){.family = table->family,
                            .type = (int)type,
                            .state = flags & ACCEPTS           ? TCP_LISTEN
                                     : state == UNIX_CONNECTED ? TCP_ESTABLISHED
                                                               : TCP_CLOSE,
                            .path_length = strlen(path),
                            .send_window = -1,
                            .receive_queue = -1,
                            .send_queue = -1,
                            .inode = (uint32_t)inode,
                            .cookie = inode};
    memcpy(entry->path, path, entry->path_length);
    return true;
}

static const struct table tables[] = {
    {"tcp", AF_INET, SOCK_STREAM, read_inet}, {"tcp6", AF_INET6, SOCK_STREAM, read_inet},
    {"udp", AF_INET, SOCK_DGRAM, read_inet},  {"udp6", AF_INET6, SOCK_DGRAM, read_inet},
    {"unix", AF_UNIX, 0, read_unix},
};

enum { TABLES = sizeof tables / sizeof *tables };

static bool is_needed(const struct table *table, const struct socket_filter *filter)
{
    const int family = filter->family;

    return (family == AF_UNSPEC ? table->family != AF_UNIX : family == table->family) &&
           (table->type == 0 || filter->type == 0 || table->type == filter->type);
}

/* sock_diag has neither a TCP socket that is not in use, unless it is asked for, nor an unbound one
 * of UDP; some kernels show them here. */
static bool is_in_use(const struct socket_filter *filter, const struct entry *entry)
{
    if (entry->family == AF_UNIX)
        return true;
    if (entry->type == SOCK_DGRAM)
        return entry->local.port != 0;
    return entry->state != TCP_CLOSE || (filter->states && entry->local.port != 0);
}

/* Whether a process of the lab, all of whom /proc shows, holds that inode. */
static bool is_held(uint64_t inode)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    bool held = false;

    while (processes && !held && (entry = readdir(processes))) {
        const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        held = pid > 0 && proc_holds(pid, inode);
    }
    if (processes)
        closedir(processes);
    return held;
}

/* Where the kernel mixes the sockets of all network namespaces, it tells only of those that are
 * held, and the lab's are those that its own processes hold. */
static bool is_ours(pid_t pid, const struct entry *entry)
{
    return pid || can(CAN_SEE_OWN_ONLY) || is_held(entry->inode);
}

static FILE *open_table(pid_t pid, const struct table *table)
{
    char path[64];

    if (pid)
        snprintf(path, sizeof path, "/proc/%d/net/%s", (int)pid, table->name);
    else
        snprintf(path, sizeof path, "/proc/self/net/%s", table->name);
    return fopen(path, "re");
}

/* Where there is no IPv6 there is no table of it. */
static int list(pid_t pid, const struct table *table, struct listing *listing, struct reason *why)
{
    FILE *file = open_table(pid, table);
    char *line = NULL;
    size_t room = 0;
    int status = 0;

    if (!file && errno == ENOENT)
        return 0;
    if (!file)
        return because_of_errno(why, "/proc/net/%s", table->name);
    while (status == 0 && getline(&line, &room, file) > 0) {
        struct entry entry;

        if (table->read(table, line, &entry) && is_in_use(listing->filter, &entry) &&
            is_ours(pid, &entry))
            status = listing_take(listing, &entry);
    }
    if (status < 0 || ferror(file))
        status = because_of_errno(why, "/proc/net/%s", table->name);
    free(line);
    fclose(file);
    return status;
}

int sockets_of_proc(pid_t pid, struct listing *listing, struct reason *why)
{
    for (int i = 0; i < TABLES; i++) {
        if (is_needed(&tables[i], listing->filter) && list(pid, &tables[i], listing, why) < 0)
            return -1;
    }
    return 0;
}

bool sockets_listens(pid_t pid, uint64_t inode)
{
    static const int families[] = {AF_UNSPEC, AF_UNIX};
    struct reason ignored = {.text = ""};
    bool found = false;

    for (size_t i = 0; i < sizeof families / sizeof *families && !found; i++) {
        const struct socket_filter filter = {.family = families[i],
                                             .local = -1,
                                             .remote = -1,
                                             .send_window = -1,
                                             .states = UINT32_C(1) << TCP_LISTEN,
                                             .inode = (int64_t)inode};
        struct listing listing = {.filter = &filter};

        found = sockets_of_proc(pid, &listing, &ignored) == 0 && listing.count > 0;
        free(listing.entries);
    }
    return found;
}
