/* echo_mpserv: a concurrent echo server, one child for each client.
 *
 * From Yoon Sung-woo's TCP/IP book. Its handler calls waitpid once, and is installed without
 * SA_RESTART: accept returns EINTR and is called again. Deliberate fault: children that end
 * together are one SIGCHLD, and zombies remain; -l mends it. -k and -c are two more faults to
 * choose: a descriptor kept after fork is a socket kept open. With -k a client never sees the end
 * of file after its child has ended, with -c the port stays taken after the parent has ended. It
 * serves until it is killed; exits 111 when a call failed.
 */
#include "exhibit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: echo_mpserv [-r] [-l] [-k] [-c] [-a ADDRESS] PORT\n" USAGE_REUSE_ADDRESS
    "  -l          loop over waitpid in the SIGCHLD handler\n"
    "  -k          the parent keeps its copy of each connection\n"
    "  -c          the child keeps its copy of the listening socket\n" USAGE_LOCAL USAGE_HELP
        USAGE_PORT;

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

static void serve(int listener, int connection, const struct arguments *args)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        int status = -1;
        if (!args->option['c'])
            close(listener);
        status = echo(connection);
        close(connection);
        exit(status);
    }
    if (!args->option['k'])
        close(connection);
}

/* One waitpid for one SIGCHLD: but signals that come while one is pending are merged. */
static void child_ended(int number)
{
    int saved = errno;
    pid_t child = waitpid(-1, NULL, WNOHANG);
    (void)number;
    if (child > 0)
        print_terminated(child);
    errno = saved;
}

/* However many children one SIGCHLD stands for, all that have ended are waited for. */
static void children_ended(int number)
{
    int saved = errno;
    pid_t child = -1;
    (void)number;
    while ((child = waitpid(-1, NULL, WNOHANG)) > 0)
        print_terminated(child);
    errno = saved;
}

static void catch_children(bool loop)
{
    struct sigaction action = {.sa_handler = loop ? children_ended : child_ended};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_NOCLDSTOP;
    if (sigaction(SIGCHLD, &action, NULL) < 0)
        die("sigaction");
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "rlkca:", usage);
    int listener = listen_at(&args);
    catch_children(args.option['l']);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0)
            serve(listener, connection, &args);
        else if (errno != EINTR && errno != ECONNABORTED)
            die("accept");
    }
}
