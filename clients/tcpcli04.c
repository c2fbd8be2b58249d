/* tcpcli04: opens five connections, talks over the first, closes all at once. UNP's tcpcli04.
 *
 * It ends at the end of its input. Then a server that forks for each connection has five children
 * ending together, and fewer than five SIGCHLDs may arrive: a handler that waits once leaves
 * zombies.
 */
#include "exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 5 };

static const char usage[] = "usage: tcpcli04 HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

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
            return premature_end("tcpcli04");
        fputs(line, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "", usage);
    int connections[CONNECTIONS];
    int status = -1;
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i] = connect_to(&args);
    status = talk(connections[0]);
    for (int i = 0; i < CONNECTIONS; i++)
        close(connections[i]);
    return status;
}
