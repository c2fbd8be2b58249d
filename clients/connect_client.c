/* connect_client: connects, says "hello", prints the line that comes back.
 *
 * Its options are about connect. -b binds to PORT here too: two of them that connect to each other
 * need no server, which is TCP's simultaneous open. -g and -t give up waiting before the connection
 * is there: connect then says EINPROGRESS, which this program tells and takes for what it is. The
 * attempt goes on; poll waits for its end and SO_ERROR says how it ended. It exits 0 when a line
 * came.
 */
#include "exhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] =
    "usage: connect_client [-b] [-g | -t] HOST PORT\n"
    "  -b          bind to PORT before connect\n"
    "  -g          O_NONBLOCK: do not wait for connect\n"
    "  -t          SO_SNDTIMEO of 0.2 s before connect\n" USAGE_HELP USAGE_HOST USAGE_PORT;

/* To the wildcard, at the port that it will connect to. */
static void bind_same_port(int connection, const struct arguments *args)
{
    struct sockaddr_storage own = args->address;
    if (own.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&own)->sin6_addr = in6addr_any;
    else
        ((struct sockaddr_in *)&own)->sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(connection, (const struct sockaddr *)&own, args->length) < 0)
        die("bind");
}

/* The connection is being made: waits till it is, or is not. */
static void await_connection(int connection)
{
    struct pollfd awaited = {.fd = connection, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&awaited, 1, -1) < 0)
        die("poll");
    if (getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        die("getsockopt");
    errno = error;
    if (error != 0)
        die("SO_ERROR");
}

static int connect_to(const struct arguments *args)
{
    const struct timeval limit = {.tv_sec = 0, .tv_usec = 200000};
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (args->option['b'])
        bind_same_port(connection, args);
    if (args->option['t'] &&
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
        die("setsockopt");
    if (args->option['g'] && fcntl(connection, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0) {
        if (errno != EINPROGRESS)
            die("connect");
        complain("connect");
        await_connection(connection);
    }
    if (args->option['g'] && fcntl(connection, F_SETFL, 0) < 0)
        die("fcntl");
    return connection;
}

/* Returns the exit status. */
static int talk(int connection)
{
    static const char line[] = "hello\n";
    char text[sizeof line];
    ssize_t got = -1;
    if (write(connection, line, sizeof line - 1) < 0)
        die("write");
    got = recv(connection, text, sizeof line - 1, MSG_WAITALL);
    if (got < 0)
        die("recv");
    if (got == 0)
        return premature_end("connect_client");
    fwrite(text, 1, (size_t)got, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "bgt", usage);
    int connection = connect_to(&args);
    int status = talk(connection);
    close(connection);
    return status;
}
