/* pieces_client: sends each line of its input in two writes, its first byte and then the rest.
 *
 * A header and a body, say. Nagle's algorithm keeps the rest back until the first byte has been
 * acknowledged, and a server that waits for the whole line has no cause to hurry with that.
 * -y sends at once what is written; -c corks the connection, writes both, and takes the cork out;
 * -p leaves the cork in; -v writes both in one call of writev. It reads no answer. At the end of
 * its input it closes; exits 111 when a call failed.
 */
/* TCP_CORK is not in POSIX; these make the headers show it. */
#define _DEFAULT_SOURCE 1  /* NOLINT: the system's name */
#define _DARWIN_C_SOURCE 1 /* NOLINT: the system's name */

#include "exhibit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What BSD calls it. */
#if !defined TCP_CORK && defined TCP_NOPUSH
#define TCP_CORK TCP_NOPUSH
#endif

static const char usage[] = "usage: pieces_client [-y] [-c | -p | -v] HOST PORT\n"
                            "  -y          TCP_NODELAY\n"
                            "  -c          TCP_CORK before the two writes, none after them\n"
                            "  -p          TCP_CORK before the two writes, and for ever\n"
                            "  -v          one writev\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static void set(int connection, int name, int value)
{
    if (setsockopt(connection, IPPROTO_TCP, name, &value, sizeof value) < 0)
        die("setsockopt");
}

static void put(int connection, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(connection, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            die("write");
        text += written;
        length -= (size_t)written;
    }
}

/* Lines are short: a writev that takes a part only is not met with here. */
static void put_at_once(int connection, char *line)
{
    struct iovec parts[] = {{line, 1}, {line + 1, strlen(line + 1)}};
    if (writev(connection, parts, 2) < 0)
        die("writev");
}

static void put_in_pieces(int connection, const struct arguments *args, const char *line)
{
    if (args->option['c'] || args->option['p'])
        set(connection, TCP_CORK, 1);
    put(connection, line, 1);
    put(connection, line + 1, strlen(line + 1));
    if (args->option['c'])
        set(connection, TCP_CORK, 0);
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "ycpv", usage);
    char line[8192];
    int connection = socket(args.address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (args.option['y'])
        set(connection, TCP_NODELAY, 1);
    if (connect(connection, (const struct sockaddr *)&args.address, args.length) < 0)
        die("connect");
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (args.option['v'])
            put_at_once(connection, line);
        else
            put_in_pieces(connection, &args, line);
    }
    close(connection);
    return 0;
}
