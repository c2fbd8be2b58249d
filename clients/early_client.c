/* early_client: uses a connection before it is there.
 *
 * It connects without blocking, and does not wait for the outcome: at once it writes "hello", or
 * with -r reads. The socket blocks again by then, so the call sleeps until the connection is there.
 * With -n it does not: the call says EAGAIN, which this program tells, and after that it waits with
 * poll as it should have done, and makes the call once more. Then it prints the line that comes.
 * Exits 0 when one came, 111 when a call failed for good.
 */
#include "exhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: early_client [-n] [-r] HOST PORT\n"
    "  -n          do not block in the first call either\n"
    "  -r          read, and do not write before\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int begin_to_connect(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (fcntl(connection, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0 &&
        errno != EINPROGRESS)
        die("connect");
    return connection;
}

static ssize_t say_hello(int connection)
{
    static const char line[] = "hello\n";
    return write(connection, line, sizeof line - 1);
}

/* Reads what is there, at most a line of a few words, and prints it. */
static ssize_t print_line(int connection)
{
    char text[128];
    ssize_t got = read(connection, text, sizeof text);
    if (got > 0)
        fwrite(text, 1, (size_t)got, stdout);
    return got;
}

static void await(int connection, short event)
{
    struct pollfd awaited = {.fd = connection, .events = event};
    if (poll(&awaited, 1, -1) < 0)
        die("poll");
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "nr", usage);
    const bool reads = args.option['r'];
    const char *call = reads ? "read" : "write";
    ssize_t (*const use)(int) = reads ? print_line : say_hello;
    int connection = begin_to_connect(&args);
    ssize_t done = -1;
    if (!args.option['n'] && fcntl(connection, F_SETFL, 0) < 0)
        die("fcntl");
    done = use(connection);
    if (done < 0 && errno == EAGAIN) {
        complain(call);
        await(connection, reads ? POLLIN : POLLOUT);
        if (fcntl(connection, F_SETFL, 0) < 0)
            die("fcntl");
        done = use(connection);
    }
    if (done >= 0 && !reads) {
        call = "read";
        done = print_line(connection);
    }
    if (done < 0)
        die(call);
    close(connection);
    return done > 0 ? 0 : premature_end("early_client");
}
