/* tcpservpoll01: an echo server for many clients in one process, with poll. UNP's tcpservpoll01.
 *
 * As tcpservselect01, but descriptors of any height can be watched. SIGPIPE is ignored: a client
 * that has gone must not end the others' server. Known weakness, as in the book: write may block,
 * so a client that sends and never reads holds up all others. It serves until it is killed; exits
 * 111 when a call failed that concerns more than one client.
 */
#include "exhibit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: tcpservpoll01 [-r] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS USAGE_LOCAL USAGE_HELP
        USAGE_PORT;

/* The descriptors that poll watches: the listener first, then the clients, without gaps. */
struct watched {
    struct pollfd entries[1024];
    nfds_t count;
};

static int listen_at(const struct arguments *args)
{
    const int on = 1;
    int listener = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (listener < 0)
        die("socket");
    if (args->option['r'] && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(listener, (const struct sockaddr *)&args->address, args->length) < 0)
        die("bind");
    if (listen(listener, SOMAXCONN) < 0)
        die("listen");
    return listener;
}

static int write_all(int connection, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(connection, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Echoes what is there. Returns false when the client has ended or failed: that concerns this
 * client alone. */
static bool echo_once(int connection)
{
    char text[4096];
    ssize_t got = read(connection, text, sizeof text);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0)
        complain("read");
    if (got <= 0)
        return false;
    if (write_all(connection, text, (size_t)got) < 0) {
        complain("write");
        return false;
    }
    return true;
}

static void accept_client(struct watched *watched)
{
    int connection = accept(watched->entries[0].fd, NULL, NULL);
    if (connection < 0 && errno != ECONNABORTED && errno != EINTR)
        die("accept");
    if (connection < 0)
        return;
    if (watched->count == sizeof watched->entries / sizeof watched->entries[0]) {
        fputs("too many clients\n", stderr);
        close(connection);
        return;
    }
    watched->entries[watched->count++] = (struct pollfd){.fd = connection, .events = POLLIN};
}

/* From the last to the first: where a client leaves, the last one, already served, takes its place.
 * POLLERR and POLLHUP are answered by a read too: it tells which error. */
static void serve_ready(struct watched *watched)
{
    for (nfds_t i = watched->count - 1; i > 0; i--) {
        if (watched->entries[i].revents == 0 || echo_once(watched->entries[i].fd))
            continue;
        close(watched->entries[i].fd);
        watched->entries[i] = watched->entries[--watched->count];
    }
    if (watched->entries[0].revents != 0)
        accept_client(watched);
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "ra:", usage);
    struct watched watched = {.count = 1};
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    watched.entries[0] = (struct pollfd){.fd = listen_at(&args), .events = POLLIN};
    for (;;) {
        if (poll(watched.entries, watched.count, -1) >= 0)
            serve_ready(&watched);
        else if (errno != EINTR)
            die("poll");
    }
}
