/* daytimed: tells each client the time, in one line as asctime makes it, and closes first.
 *
 * So TIME_WAIT is on the server's side. One client after the other, until it is killed. It asks
 * getaddrinfo for a passive address and takes the first of the list: with glibc that is 0.0.0.0,
 * and ::1 is refused. With -6 it binds to :: with IPV6_V6ONLY off, and serves both. A client that
 * has gone costs a message and not the server; exits 111 when another call failed.
 */
#include "exhibit.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: daytimed [-r] [-a ADDRESS | -6] PORT\n" USAGE_REUSE_ADDRESS USAGE_LOCAL
    "  -6          bind to :: and serve IPv4 too\n" USAGE_HELP USAGE_PORT;

/* The first address for host, or of the wildcards when that is NULL. The caller frees it. */
static struct addrinfo *passive_address(const char *host, const char *port)
{
    const struct addrinfo hints = {
        .ai_flags = AI_PASSIVE, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *first = NULL;
    int code = getaddrinfo(host, port, &hints, &first);
    if (code != 0)
        die_resolving(code);
    return first;
}

static int listen_at(const struct arguments *args)
{
    const int on = 1;
    const int off = 0;
    struct addrinfo *address = passive_address(args->option['6'] ? "::" : args->host, args->port);
    int listener = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (listener < 0)
        die("socket");
    if (args->option['r'] && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (args->option['6'] && setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
        die("setsockopt");
    if (bind(listener, address->ai_addr, address->ai_addrlen) < 0)
        die("bind");
    freeaddrinfo(address);
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

static void tell_time(int connection)
{
    time_t now = time(NULL);
    struct tm parts;
    char line[26]; /* the length asctime_r asks for */
    if (localtime_r(&now, &parts) == NULL || asctime_r(&parts, line) == NULL)
        die("localtime_r");
    if (write_all(connection, line, strlen(line)) < 0)
        complain("write");
}

int main(int argc, char **argv)
{
    struct arguments args = server_arguments(argc, argv, "r6a:", usage);
    int listener = -1;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal");
    listener = listen_at(&args);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0 && errno != ECONNABORTED)
            die("accept");
        if (connection < 0)
            continue;
        tell_time(connection);
        close(connection);
    }
}
