/* tcpcli05: as tcpcli01, for a server that aborts. UNP's tcpcli05.
 *
 * A server that is killed with data unread sends RST, not FIN. The read then says ECONNRESET; this
 * client tells it, and reads once more to show that the error is reported once and is followed by
 * an end of file. It ends at the end of its input; exits 1 when the server ended with FIN, 111 when
 * a call failed.
 */
#include "exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: tcpcli05 HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

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

/* After an error: what does the next read give? Returns the exit status. */
static int read_once_more(int connection)
{
    char byte = 0;
    complain("read");
    if (read_echo(connection, &byte, 1) < 0)
        complain("read");
    else
        premature_end("tcpcli05");
    return EXIT_SYSTEM;
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
        if (echoed < 0)
            return read_once_more(connection);
        if (echoed == 0)
            return premature_end("tcpcli05");
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
