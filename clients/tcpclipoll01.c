/* tcpclipoll01: watches its input and the socket at once, with poll. As tcpcliselect01, but
 * descriptors of any height can be watched.
 *
 * It notices the server's FIN without a line being typed. At the end of its input it closes its
 * half only (shutdown) and reads on until the server closes, so that batch input loses no echo;
 * then it exits 0. When the server ends before the input does, it says so and exits 1. It writes
 * only when the socket takes more: had it blocked in write, and the server too, neither would ever
 * read again.
 */
#include "exhibit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: tcpclipoll01 HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

/* What was read from the input and is not yet written to the socket. */
struct pending {
    char text[4096];
    size_t from;
    size_t to;
    bool input_ended;
};

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0)
        die("connect");
    return connection;
}

enum { INPUT, CONNECTION, WATCHED };

/* Says what to wait for, and waits. A descriptor of -1 is not looked at. */
static int wait_for(struct pollfd watched[WATCHED], const struct pending *pending)
{
    bool more = pending->from < pending->to;
    watched[INPUT].fd = more || pending->input_ended ? -1 : STDIN_FILENO;
    watched[CONNECTION].events = more ? POLLIN | POLLOUT : POLLIN;
    return poll(watched, WATCHED, -1);
}

/* With read and not with fgets: poll does not see what stdio keeps in its buffer. */
static void read_input(int connection, struct pending *pending)
{
    ssize_t got = read(STDIN_FILENO, pending->text, sizeof pending->text);
    if (got < 0)
        die("read");
    pending->from = 0;
    pending->to = (size_t)got;
    if (got > 0)
        return;
    pending->input_ended = true;
    if (shutdown(connection, SHUT_WR) < 0)
        die("shutdown");
}

static void write_pending(int connection, struct pending *pending)
{
    ssize_t written = write(connection, pending->text + pending->from, pending->to - pending->from);
    if (written < 0)
        die("write");
    pending->from += (size_t)written;
}

/* Prints what has come. Returns false at the end of file. */
static bool print_echo(int connection)
{
    char text[4096];
    ssize_t got = read(connection, text, sizeof text);
    if (got < 0)
        die("read");
    fwrite(text, 1, (size_t)got, stdout);
    fflush(stdout);
    return got > 0;
}

/* Returns the exit status. POLLERR and POLLHUP are answered by a read too: it tells what came. */
static int talk(int connection)
{
    struct pending pending = {.from = 0};
    struct pollfd watched[WATCHED] = {
        [INPUT] = {.events = POLLIN},
        [CONNECTION] = {.fd = connection},
    };
    for (;;) {
        int ready = wait_for(watched, &pending);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            die("poll");
        if ((watched[CONNECTION].revents & ~POLLOUT) != 0 && !print_echo(connection))
            return pending.input_ended ? 0 : premature_end("tcpclipoll01");
        if (watched[INPUT].revents != 0)
            read_input(connection, &pending);
        if ((watched[CONNECTION].revents & POLLOUT) != 0)
            write_pending(connection, &pending);
    }
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "", usage);
    int connection = connect_to(&args);
    int status = talk(connection);
    close(connection);
    return status;
}
