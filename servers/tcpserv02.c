/* tcpserv02: tcpserv01 with a SIGCHLD handler that calls wait. UNP's tcpserv02.
 *
 * Two deliberate faults. The handler waits once, though one SIGCHLD may stand for many children:
 * zombies remain. And accept is not guarded against EINTR: with SA_RESTART that does not show; with
 * -i the first child that ends ends the server, with 111 and "accept: EINTR". Otherwise it serves
 * until it is killed.
 */
#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: tcpserv02 [-r] [-i] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS USAGE_NO_RESTART
        USAGE_LOCAL USAGE_HELP USAGE_PORT;

static int listen_at(const struct arguments *args)
{
    const int on = 1;
    int listener = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (listener < 0)
        die("socket");
    if (args->option['r'] && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(listener, (const struct sockaddr *)&args->address, args->length) < 0)
        die("bind");
    if (listen(listener, SOMAXCONN) < 0)
        die("listen");
    return listener;
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

/* Returns the exit status: 0 at the client's end of file. */
static int echo(int connection)
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
        if (write_all(connection, text, (size_t)got) < 0) {
            complain("write");
            return EXIT_SYSTEM;
        }
    }
}

static void serve(int listener, int connection)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        int status = -1;
        close(listener);
        status = echo(connection);
        close(connection);
        exit(status);
    }
    close(connection);
}

/* One wait for one SIGCHLD: but signals that come while one is pending are merged. */
static void child_ended(int number)
{
    int saved = errno;
    pid_t child = wait(NULL);
    (void)number;
    if (child > 0)
        print_terminated(child);
    errno = saved;
}

static void catch_children(bool restart)
{
    struct sigaction action = {.sa_handler = child_ended};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_NOCLDSTOP | (restart ? SA_RESTART : 0);
    if (sigaction(SIGCHLD, &action, NULL) < 0)
        die("sigaction");
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "ria:", usage);
    int listener = listen_at(&args);
    catch_children(!args.option['i']);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0)
            serve(listener, connection);
        else if (errno != ECONNABORTED)
            die("accept");
    }
}
