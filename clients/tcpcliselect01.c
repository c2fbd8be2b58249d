/* tcpcliselect01: watches its input and the socket at once, with select. UNP's tcpcliselect01.
 *
 * It notices the server's FIN without a line being typed. At the end of its input it closes its
 * half only (shutdown) and reads on until the server closes, so that batch input loses no echo;
 * then it exits 0. When the server ends before the input does, it says so and exits 1. It writes
 * only when the socket takes more: had it blocked in write, and the server too, neither would ever
 * read again.
 */
#include "exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: tcpcliselect01 HOST PORT\n" USAGE_HELP USAGE_HOST USAGE_PORT;

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

/* Fills in the set of descriptors to read from and to write to, and waits. */
static int wait_for(int connection, const struct pending *pending, fd_set *readable,
                    fd_set *writable)
{
    FD_ZERO(readable);
    FD_ZERO(writable);
    FD_SET(connection, readable);
    if (pending->from < pending->to)
        FD_SET(connection, writable);
    else if (!pending->input_ended)
        FD_SET(STDIN_FILENO, readable);
    return select(connection + 1, readable, writable, NULL, NULL);
}

/* With read and not with fgets: select does not see what stdio keeps in its buffer. */
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

/* Returns the exit status. */
static int talk(int connection)
{
    struct pending pending = {.from = 0};
    fd_set readable;
    fd_set writable;
    for (;;) {
        int ready = wait_for(connection, &pending, &readable, &writable);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            die("select");
        if (FD_ISSET(connection, &readable) && !print_echo(connection))
            return pending.input_ended ? 0 : premature_end("tcpcliselect01");
        if (FD_ISSET(STDIN_FILENO, &readable))
            read_input(connection, &pending);
        if (FD_ISSET(connection, &writable))
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
