/* early_client: uses a connection before it is there.
 *
 * It connects without blocking, and does not wait for the outcome: at once it writes "hello", or
 * with -q reads. The socket blocks again by then, so the call sleeps until the connection is there.
 * With -f it does not: the call says EAGAIN, which this program tells, and after that it waits with
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
    "usage: early_client [-f] [-q] HOST PORT\n"
    "  -f          do not block in the first call either\n"
    "  -q          read, and do not write before\n" USAGE_HELP USAGE_HOST USAGE_PORT;

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

static const struct use {
    const char *call;
    ssize_t (*make)(int connection);
    short ready; /* what poll says when the call need not wait */
} writing = {.call = "write", .make = say_hello, .ready = POLLOUT},
  reading = {.call = "read", .make = print_line, .ready = POLLIN};

static void let_block(int connection)
{
    if (fcntl(connection, F_SETFL, 0) < 0)
        die("fcntl");
}

static ssize_t use_late(int connection, const struct use *use)
{
    struct pollfd awaited = {.fd = connection, .events = use->ready};
    if (poll(&awaited, 1, -1) < 0)
        die("poll");
    let_block(connection);
    return use->make(connection);
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "fq", usage);
    const struct use *use = args.option['q'] ? &reading : &writing;
    int connection = begin_to_connect(&args);
    ssize_t done = -1;
    if (!args.option['f'])
        let_block(connection);
    done = use->make(connection);
    if (done < 0 && errno == EAGAIN) {
        complain(use->call);
        done = use_late(connection, use);
    }
    if (done >= 0 && use == &writing) {
        use = &reading;
        done = use->make(connection);
    }
    if (done < 0) /* a refusal is the outcome of connect, whichever call is told */
        die(errno == ECONNREFUSED ? "connect" : use->call);
    close(connection);
    return done > 0 ? 0 : premature_end("early_client");
}
