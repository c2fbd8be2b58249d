/* aborting_client: connects, and aborts the connection at once.
 *
 * SO_LINGER with a time of 0 makes close send RST and not FIN, and leaves no TIME_WAIT. With the
 * server held before accept this is UNP's "connection aborted before accept returns". It exits 0.
 */
#include "exhibit.h"

#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: aborting_client HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0)
        die("connect");
    return connection;
}

int main(int argc, char **argv)
{
    const struct linger abort_on_close = {.l_onoff = 1, .l_linger = 0};
    struct arguments args = client_arguments(argc, argv, "", usage);
    int connection = connect_to(&args);
    if (setsockopt(connection, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof abort_on_close) < 0)
        die("setsockopt");
    close(connection);
    return 0;
}
