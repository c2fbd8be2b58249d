/* shutdown_client: shuts its connection down, in the ways that are asked for, and reads to the end.
 *
 * -r ends receiving: read gives 0 where it would wait. The peer is not told, so it may still send,
 * and what happens to that differs between systems. -w ends sending, which the peer sees as the end
 * of file. -r -w is both with one call. What it reads it prints. Exits 0 at the end of file, 111
 * when a call failed.
 */
#include "exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: shutdown_client [-r] [-w] HOST PORT\n"
    "  -r          shutdown(SHUT_RD)\n"
    "  -w          shutdown(SHUT_WR); with -r SHUT_RDWR\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0)
        die("connect");
    return connection;
}

static void shut_down(int connection, bool receiving, bool sending)
{
    int how = receiving && sending ? SHUT_RDWR : receiving ? SHUT_RD : SHUT_WR;
    if (!receiving && !sending)
        return;
    if (shutdown(connection, how) < 0)
        die("shutdown");
}

/* Returns the exit status. */
static int print_all(int connection)
{
    char text[4096];
    for (;;) {
        ssize_t got = read(connection, text, sizeof text);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            complain("read");
            return EXIT_SYSTEM;
        }
        if (got == 0)
            return 0;
        fwrite(text, 1, (size_t)got, stdout);
    }
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "rw", usage);
    int connection = connect_to(&args);
    int status = -1;
    shut_down(connection, args.option['r'], args.option['w']);
    status = print_all(connection);
    close(connection);
    return status;
}
