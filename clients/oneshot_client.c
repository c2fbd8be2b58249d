/* oneshot_client: says "I am client", then reads till the end. The client of flood_server.
 *
 * It prints the first line that the server says, and what follows it reads and drops. At the end of
 * file it prints "server closed" and exits 0; a reset makes read fail, and it exits 111. With -s it
 * does not read until SIGUSR1 comes: what the server sends stays in the receive queue, and then in
 * the server's send queue.
 */
#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: oneshot_client [-s] HOST PORT\n"
    "  -s          do not read before SIGUSR1 comes\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static int connect_to(const struct arguments *args)
{
    int connection = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (connection < 0)
        die("socket");
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

/* SIGUSR1 must be blocked already: one that comes early is then kept, and the wait does not miss
 * it. */
static void sleep_till_signal(const sigset_t *wake)
{
    int number = 0;
    puts("not reading until SIGUSR1");
    errno = sigwait(wake, &number); /* returns the error */
    if (errno != 0)
        die("sigwait");
}

/* Returns the exit status. */
static int read_to_end(int connection)
{
    char text[4096];
    bool printed = false;
    for (;;) {
        ssize_t got = read(connection, text, sizeof text);
        const char *newline = NULL;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            complain("read");
            return EXIT_SYSTEM;
        }
        if (got == 0) {
            puts("server closed");
            return 0;
        }
        if (printed)
            continue;
        newline = memchr(text, '\n', (size_t)got);
        fwrite(text, 1, newline != NULL ? (size_t)(newline - text) + 1 : (size_t)got, stdout);
        printed = newline != NULL;
    }
}

int main(int argc, char **argv)
{
    static const char message[] = "I am client\n";
    struct arguments args = client_arguments(argc, argv, "s", usage);
    sigset_t wake;
    int connection = -1;
    int status = -1;
    sigemptyset(&wake);
    sigaddset(&wake, SIGUSR1);
    if (args.option['s'] && sigprocmask(SIG_BLOCK, &wake, NULL) < 0)
        die("sigprocmask");
    connection = connect_to(&args);
    if (write_all(connection, message, sizeof message - 1) < 0)
        die("write");
    if (args.option['s'])
        sleep_till_signal(&wake);
    status = read_to_end(connection);
    close(connection);
    return status;
}
