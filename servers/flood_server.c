/* flood_server: accepts one client, prints what it says, then writes "I am server" for ever.
 *
 * Shows what holds a port after a server was killed: it prints the errno that bind gives,
 * EADDRINUSE everywhere, though its number differs (98 on Linux, 48 on macOS). -r and -p are the
 * two options that let the port be shared, each in its own way. SIGPIPE is ignored so that the end
 * is seen: when the client has gone, write fails and it exits 111.
 */
/* SO_REUSEPORT is not in POSIX; these make glibc's and Darwin's headers show it. */
#define _DEFAULT_SOURCE 1  /* NOLINT: the system's name */
#define _DARWIN_C_SOURCE 1 /* NOLINT: the system's name */

#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: flood_server [-r] [-p] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS USAGE_REUSE_PORT
        USAGE_LOCAL USAGE_HELP USAGE_PORT;

static int listen_at(const struct arguments *args)
{
    const int on = 1;
    int listener = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (listener < 0)
        die("socket");
    if (args->option['r'] && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (args->option['p'] && setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(listener, (const struct sockaddr *)&args->address, args->length) < 0)
        die("bind");
    if (listen(listener, SOMAXCONN) < 0)
        die("listen");
    return listener;
}

/* Reads once: what comes is printed, whether or not it is the whole message. */
static void print_message(int connection)
{
    char text[4096];
    ssize_t got = read(connection, text, sizeof text);
    if (got < 0)
        die("read");
    fwrite(text, 1, (size_t)got, stdout);
    fflush(stdout);
}

/* Many lines with one write, to fill the window soon. Returns when a write fails. */
static void flood(int connection)
{
    static const char line[] = "I am server\n";
    char text[300 * (sizeof line - 1)];
    size_t at = 0;
    for (size_t i = 0; i < sizeof text; i += sizeof line - 1)
        memcpy(text + i, line, sizeof line - 1);
    for (;;) {
        ssize_t written = write(connection, text + at, sizeof text - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return;
        at = (at + (size_t)written) % sizeof text;
    }
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "rpa:", usage);
    int listener = -1;
    int connection = -1;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    listener = listen_at(&args);
    connection = accept(listener, NULL, NULL);
    if (connection < 0)
        die("accept");
    print_message(connection);
    flood(connection);
    complain("write");
    close(connection);
    close(listener);
    return EXIT_SYSTEM;
}
