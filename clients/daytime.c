/* daytime: asks a daytime server for the time and prints what it says.
 *
 * HOST is a name or an address; getaddrinfo lists all its addresses, and each is tried in turn
 * until one answers. The line is read through stdio. The client reads on to the end of file, so
 * that it is always the server that closes first and owns TIME_WAIT. Exits 0 when a line has come,
 * 1 when the server closed without one, 111 when a call failed: connect tells the last address's
 * error, getaddrinfo its own kind ("getaddrinfo: EAI_NONAME").
 */
#include "exhibit.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: daytime HOST PORT\n" USAGE_HELP
                            "  HOST        a name or a numeric address\n" USAGE_PORT;

/* Returns a connection, or -1 with errno. */
static int connect_one(const struct addrinfo *address)
{
    int reason = 0;
    int connection = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (connection < 0)
        return -1;
    if (connect(connection, address->ai_addr, address->ai_addrlen) == 0)
        return connection;
    reason = errno;
    close(connection);
    errno = reason;
    return -1;
}

static int connect_any(const struct arguments *args)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int connection = -1;
    int reason = 0;
    int code = getaddrinfo(args->host, args->port, &hints, &list);
    if (code != 0)
        die_resolving(code);
    for (const struct addrinfo *next = list; next != NULL && connection < 0; next = next->ai_next)
        connection = connect_one(next);
    reason = errno;
    freeaddrinfo(list);
    errno = reason;
    if (connection < 0)
        die("connect");
    return connection;
}

/* Returns the exit status. */
static int print_lines(FILE *server)
{
    char line[128];
    int lines = 0;
    for (; fgets(line, sizeof line, server) != NULL; lines++)
        fputs(line, stdout);
    if (ferror(server)) {
        complain("read");
        return EXIT_SYSTEM;
    }
    return lines > 0 ? 0 : premature_end("daytime");
}

int main(int argc, char **argv)
{
    struct arguments args = resolver_arguments(argc, argv, "", usage);
    int connection = connect_any(&args);
    FILE *server = fdopen(connection, "r");
    int status = EXIT_SYSTEM;
    if (server != NULL) {
        status = print_lines(server);
        fclose(server); /* closes the connection too */
    } else {
        complain("fdopen");
        close(connection);
    }
    return status;
}
