/* tcpservselect01: an echo server for many clients in one process, with select. UNP's
 * tcpservselect01.
 *
 * It needs no child and no SIGCHLD. SIGPIPE is ignored: a client that has gone must not end the
 * others' server. Known weakness, as in the book: write may block, so a client that sends and never
 * reads holds up all others. It serves until it is killed; exits 111 when a call failed that
 * concerns more than one client.
 */
#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: tcpservselect01 [-r] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS USAGE_LOCAL USAGE_HELP
        USAGE_PORT;

/* The descriptors that select watches: the listener and every client. */
struct watched {
    fd_set set;
    int highest;
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

static void accept_client(int listener, struct watched *watched)
{
    int connection = accept(listener, NULL, NULL);
    if (connection < 0 && errno != ECONNABORTED && errno != EINTR)
        die("accept");
    if (connection < 0)
        return;
    if (connection >= FD_SETSIZE) { /* FD_SET would write past the end of the set */
        fputs("too many clients\n", stderr);
        close(connection);
        return;
    }
    FD_SET(connection, &watched->set);
    if (connection > watched->highest)
        watched->highest = connection;
}

static void serve_ready(int listener, const fd_set *ready, struct watched *watched)
{
    const int highest = watched->highest;
    for (int fd = 0; fd <= highest; fd++) {
        if (!FD_ISSET(fd, ready))
            continue;
        if (fd == listener) {
            accept_client(listener, watched);
        } else if (!echo_once(fd)) {
            FD_CLR(fd, &watched->set);
            close(fd);
        }
    }
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "ra:", usage);
    struct watched watched;
    int listener = -1;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    listener = listen_at(&args);
    FD_ZERO(&watched.set);
    FD_SET(listener, &watched.set);
    watched.highest = listener;
    for (;;) {
        fd_set ready = watched.set;
        if (select(watched.highest + 1, &ready, NULL, NULL, NULL) >= 0)
            serve_ready(listener, &ready, &watched);
        else if (errno != EINTR)
            die("select");
    }
}
