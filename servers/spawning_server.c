/* spawning_server: an echo server for one client, which starts another program first.
 *
 * The program, cat, gets all descriptors that are not closed on exec: without an option the
 * listening socket is among them, and stays open as long as the program runs. -e sets FD_CLOEXEC on
 * it. Then it accepts one client and echoes what that says until it is done.
 */
#include "exhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: spawning_server [-r] [-e] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS
    "  -e          close the listening socket on exec\n" USAGE_LOCAL USAGE_HELP USAGE_PORT;

static int listen_at(const struct arguments *args)
{
    const int on = 1;
    int listener = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (listener < 0)
        die("socket");
    if (args->option['e'] && fcntl(listener, F_SETFD, FD_CLOEXEC) < 0)
        die("fcntl");
    if (args->option['r'] && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(listener, (const struct sockaddr *)&args->address, args->length) < 0)
        die("bind");
    if (listen(listener, SOMAXCONN) < 0)
        die("listen");
    return listener;
}

static void start_program(void)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        execlp("cat", "cat", (char *)NULL);
        die("execlp");
    }
}

static void echo(int connection)
{
    char text[4096];
    ssize_t got = 0;
    while ((got = read(connection, text, sizeof text)) > 0) {
        if (write(connection, text, (size_t)got) < 0)
            die("write");
    }
    if (got < 0)
        die("read");
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "rea:", usage);
    int listener = listen_at(&args);
    int connection = -1;
    start_program();
    connection = accept(listener, NULL, NULL);
    if (connection < 0)
        die("accept");
    echo(connection);
    close(connection);
    close(listener);
    return 0;
}
