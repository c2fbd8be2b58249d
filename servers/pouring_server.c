/* pouring_server: accepts one client, and gives it 16 MiB in one call of write, then again.
 *
 * A client that does not read makes that write sleep with a part of it taken. When the connection
 * ends meanwhile, write tells how much was taken, and only the next one tells why. SIGPIPE is
 * ignored, so that the end is seen: each write that took something is told on stdout, the one that
 * failed on stderr, and it goes on until one says EPIPE; then it exits 111. With -s a child of it
 * shares the connection, and shuts it down for writing when SIGUSR1 comes to the child.
 */
#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: pouring_server [-r] [-s] [-a ADDRESS] PORT\n"
    "  -s          a child shuts the connection down at its SIGUSR1\n" USAGE_REUSE_ADDRESS
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

/* SIGUSR1 must be blocked already: one that comes early is then kept, and the wait does not miss
 * it. */
static _Noreturn void shut_down_at_signal(int connection, const sigset_t *wake)
{
    int number = 0;
    errno = sigwait(wake, &number); /* returns the error */
    if (errno != 0)
        die("sigwait");
    if (shutdown(connection, SHUT_WR) < 0)
        die("shutdown");
    close(connection);
    exit(0);
}

static void share(int connection)
{
    sigset_t wake;
    pid_t child = -1;
    sigemptyset(&wake);
    sigaddset(&wake, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &wake, NULL) < 0)
        die("sigprocmask");
    child = fork();
    if (child < 0)
        die("fork");
    if (child == 0)
        shut_down_at_signal(connection, &wake);
}

/* Returns when a write has said EPIPE. */
static void pour(int connection)
{
    static const char zeros[16 << 20];
    do {
        ssize_t written = write(connection, zeros, sizeof zeros);
        if (written < 0)
            complain("write");
        else
            printf("wrote %zd of %zu\n", written, sizeof zeros);
        errno = written < 0 ? errno : 0;
    } while (errno != EPIPE);
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "rsa:", usage);
    int listener = -1;
    int connection = -1;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    listener = listen_at(&args);
    connection = accept(listener, NULL, NULL);
    if (connection < 0)
        die("accept");
    if (args.option['s'])
        share(connection);
    pour(connection);
    close(connection);
    close(listener);
    return EXIT_SYSTEM;
}
