/* option_client: tcpcli01 with the options that decide when it hears of a server out of reach.
 *
 * It sends each line of its input and prints what comes back. Without an option it waits for a dead
 * server for ever, or, when it has sent something, for as long as the system retransmits.
 * -k asks an idle server from time to time whether it is still there; -u bounds the time that a
 * line may stay unacknowledged to 2 s; with -e an ICMP message makes the call fail at once. Exits
 * 111 when a call failed.
 */
/* Neither TCP_USER_TIMEOUT nor IP_RECVERR is in POSIX; this makes glibc's headers show them. */
#define _DEFAULT_SOURCE 1 /* NOLINT: the system's name */

#include "exhibit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: option_client [-k] [-u] [-e] HOST PORT\n"
    "  -k          SO_KEEPALIVE\n"
    "  -u          TCP_USER_TIMEOUT of 2000 ms\n"
    "  -e          IP_RECVERR or IPV6_RECVERR\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static void keep_alive(int connection)
{
    const int on = 1;
    if (setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
        die("setsockopt");
}

static void bound_waiting(int connection)
{
#ifdef TCP_USER_TIMEOUT
    const unsigned milliseconds = 2000;
    if (setsockopt(connection, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds) <
        0)
        die("setsockopt");
#else
    (void)connection;
    errno = ENOPROTOOPT;
    die("setsockopt");
#endif
}

static void heed_icmp(int connection, int family)
{
#ifdef IP_RECVERR
    const int on = 1;
    const int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int name = family == AF_INET6 ? IPV6_RECVERR : IP_RECVERR;
    if (setsockopt(connection, level, name, &on, sizeof on) < 0)
        die("setsockopt");
#else
    (void)connection;
    (void)family;
    errno = ENOPROTOOPT;
    die("setsockopt");
#endif
}

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (args->option['k'])
        keep_alive(connection);
    if (args->option['u'])
        bound_waiting(connection);
    if (args->option['e'])
        heed_icmp(connection, args->address.ss_family);
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
            return premature_end("option_client");
        fputs(line, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "kue", usage);
    int connection = connect_to(&args);
    int status = talk(connection);
    close(connection);
    return status;
}
