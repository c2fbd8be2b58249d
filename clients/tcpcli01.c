/* tcpcli01: sends each line of its input, prints what comes back. UNP's tcpcli01.
 *
 * It ends at the end of its input, and closes first: TIME_WAIT is on its side. It looks at one
 * thing at a time: while it waits for a line, it does not see that the server has gone. The write
 * after that still succeeds, and only the read says it: "server terminated prematurely", exit 1.
 */
#include "exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: tcpcli01 HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0)
        die("connect");
    return connection;
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
static int talk(int connection)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t length = strlen(line);
        int echoed = -1;
        if (write_all(connection, line, length) < 0) {
            complain("write");
            return EXIT_SYSTEM;
        }
        echoed = read_echo(connection, line, length);
        if (echoed < 0) {
            complain("read");
            return EXIT_SYSTEM;
        }
        if (echoed == 0)
            return premature_end("tcpcli01");
        fputs(line, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "", usage);
    int connection = connect_to(&args);
    int status = talk(connection);
    close(connection);
    return status;
}
