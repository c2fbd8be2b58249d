/* tcpcli11: sends each line with two writes, first one byte, then the rest. UNP's tcpcli11.
 *
 * Used against a server whose child was killed: the first write brings the RST, the second raises
 * SIGPIPE, and this client is killed by it. With -i or -n the second write returns EPIPE instead,
 * and the client exits 111. Otherwise it ends as tcpcli01 does. There is no pause between the
 * writes: over loopback the RST is there before the first write returns; over a wire, hold the
 * client between the two.
 */
/* SO_NOSIGPIPE is not in POSIX; this makes Darwin's headers show it. */
#define _DARWIN_C_SOURCE 1 /* NOLINT: the system's name */

#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: tcpcli11 [-i] [-n] HOST PORT\n"
    "  -i          ignore SIGPIPE\n"
    "  -n          send with MSG_NOSIGNAL, or SO_NOSIGPIPE where that is the way\n" USAGE_HELP
        USAGE_HOST USAGE_PORT;

#ifdef MSG_NOSIGNAL
enum { NO_SIGNAL = MSG_NOSIGNAL };
#else
enum { NO_SIGNAL = 0 };
#endif

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0)
        die("connect");
    return connection;
}

/* Where there is no MSG_NOSIGNAL the socket itself is told. */
static void avoid_signal(int connection)
{
#ifdef MSG_NOSIGNAL
    (void)connection;
#else
    const int on = 1;
    if (setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) < 0)
        die("setsockopt");
#endif
}

static int write_all(int connection, const char *text, size_t length, bool no_signal)
{
    while (length > 0) {
        ssize_t written =
            no_signal ? send(connection, text, length, NO_SIGNAL) : write(connection, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Reads until all that was written has come back: 1. At the end of file 0, with an error -1. */
static int read_echo(int connection, char *text, size_t length)
{
    while (length > 0) {
        ssize_t got = read(connection, text, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        text += got;
        length -= (size_t)got;
    }
    return 1;
}

/* Returns the exit status. */
static int talk(int connection, bool no_signal)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t length = strlen(line);
        size_t first = length > 0 ? 1 : 0; /* a line may begin with a null byte */
        int echoed = -1;
        if (write_all(connection, line, first, no_signal) < 0 ||
            write_all(connection, line + first, length - first, no_signal) < 0) {
            complain(no_signal ? "send" : "write");
            return EXIT_SYSTEM;
        }
        echoed = read_echo(connection, line, length);
        if (echoed < 0) {
            complain("read");
            return EXIT_SYSTEM;
        }
        if (echoed == 0)
            return premature_end("tcpcli11");
        fputs(line, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "in", usage);
    bool no_signal = args.option['n'];
    int connection = connect_to(&args);
    int status = -1;
    if (args.option['i'] && signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    if (no_signal)
        avoid_signal(connection);
    status = talk(connection, no_signal);
    close(connection);
    return status;
}
