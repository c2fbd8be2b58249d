#ifndef AUDITED_H
#define AUDITED_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What the two model servers share. Each is an echo server that passes every check of the audit,
 * and fails some when a fault is chosen: a fault is one place where the right thing is left out. A
 * habit is chosen likewise: it is uncommon, and not wrong.
 * usage: SERVER [-f FAULT] [-d FOLDER] PORT|PATH */

static const char *chosen = "", *folder = "/tmp", *place = "";

static inline bool fault(const char *name)
{
    return strcmp(chosen, name) == 0;
}

static inline _Noreturn void die(const char *call)
{
    fprintf(stderr, "%s: %s\n", call, strerrorname_np(errno));
    exit(111);
}

static inline void read_arguments(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "f:d:")) != -1) {
        if (option == 'f')
            chosen = optarg;
        else
            folder = optarg;
    }
    place = argv[optind] ? argv[optind] : "";
}

static inline void set(int socket, int level, int option, int value)
{
    if (setsockopt(socket, level, option, &value, sizeof value) < 0)
        die("setsockopt");
}

static inline int listen_at_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", place);
    if (!fault("stale-file"))
        unlink(place);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    return listener;
}

static inline int bind_at_port(void)
{
    const in_port_t port = htons((in_port_t)strtol(place, NULL, 10));
    const struct sockaddr_in6 both = {.sin6_family = AF_INET6, .sin6_port = port};
    const struct sockaddr_in one = {.sin_family = AF_INET, .sin_port = port};
    const bool old = fault("ipv4-only");
    int again = 3;
    const int listener = socket(old ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0)
        die("socket");
    if (!fault("no-reuse"))
        set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!old)
        set(listener, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    while (bind(listener, old ? (const struct sockaddr *)&one : (const struct sockaddr *)&both,
                old ? sizeof one : sizeof both) < 0)
        if (!fault("worker") || again-- == 0)
            die("bind");
        else
            poll(NULL, 0, 100);
    return listener;
}

static inline int listen_somewhere(void)
{
    const int listener = *place == '/' ? listen_at_path() : bind_at_port();

    if (listen(listener, fault("small-backlog") ? 5 : SOMAXCONN) < 0)
        die("listen");
    return listener;
}

/* A file that a fault leaves about, and takes for another server's. */
static inline const char *mark(void)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/mark", folder);
    return path;
}

static inline void make_mark(void)
{
    const int file = open(mark(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (file >= 0)
        close(file);
}

static inline void refuse_mark(void)
{
    if (access(mark(), F_OK) == 0)
        die("a mark is there: bind");
}

/* A lack that will pass. */
static inline bool lacking(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* What a client does to its connection alone. */
static inline bool broken_off(int error)
{
    return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT;
}

#endif
