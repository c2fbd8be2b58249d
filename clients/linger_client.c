/* linger_client: says the lines of its input, and closes with SO_LINGER.
 *
 * At the end of its input it sets SO_LINGER to as many seconds as the option's digit says, and
 * closes: with -0 close sends RST, with -1 to -9 it returns when the peer has acknowledged all,
 * the FIN too, or when the time is over; without a digit at once. -d ends the sending side before,
 * so that the connection is not in ESTABLISHED any more. It never reads. Exits 0 when close
 * succeeded.
 */
#include "exhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: linger_client [-0..-9] [-d] [-g] HOST PORT\n"
    "  -0..-9      SO_LINGER with so many seconds\n"
    "  -d          shutdown(SHUT_WR) before close\n"
    "  -g          O_NONBLOCK: do not wait for connect\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (args->option['g'] && fcntl(connection, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0 &&
        errno != EINPROGRESS)
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

static void say_input(int connection)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (write_all(connection, line, strlen(line)) < 0)
            die("write");
    }
}

static void set_linger(int connection, const struct arguments *args)
{
    struct linger linger = {.l_onoff = 0};
    for (int seconds = 0; seconds <= 9; seconds++) {
        if (args->option['0' + seconds])
            linger = (struct linger){.l_onoff = 1, .l_linger = seconds};
    }
    if (setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0)
        die("setsockopt");
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "0123456789dg", usage);
    int connection = connect_to(&args);
    say_input(connection);
    if (args.option['d'] && shutdown(connection, SHUT_WR) < 0)
        die("shutdown");
    set_linger(connection, &args);
    if (close(connection) < 0)
        die("close");
    return 0;
}
