/* waiting_client: sleeps in one call, with a handler for SIGUSR1.
 *
 * The option says in which call: does a signal end it with EINTR, or does it go on? -x installs the
 * handler with SA_RESTART; -o gives the socket SO_RCVTIMEO and SO_SNDTIMEO of an hour, for which
 * nobody waits, but which changes what the call does; -m blocks SIGUSR1 but in ppoll and pselect. A
 * connect that says EINTR goes on by itself: the client waits until it is done, as UNP 15.4 has it.
 * Prints what the call gave and exits 0, or tells its errno and exits 111.
 */
/* epoll, ppoll and MSG_DONTWAIT are not in POSIX; these make the headers show what the system has.
 */
#define _GNU_SOURCE 1      /* NOLINT: the system's name */
#define _DARWIN_C_SOURCE 1 /* NOLINT: the system's name */

#include "exhibit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

static const char usage[] =
    "usage: waiting_client [-x] [-o] [-m] -R | -V | -F | -M | -W | -S | -G | -B | -P | -Q | -L | "
    "-K | -E | -A | -C HOST PORT\n"
    "  -x          the handler is installed with SA_RESTART\n"
    "  -o          SO_RCVTIMEO and SO_SNDTIMEO of an hour\n"
    "  -m          SIGUSR1 is blocked but in ppoll and pselect\n"
    "  -R          read: nothing has come\n"
    "  -V          recv\n"
    "  -F          recvfrom\n"
    "  -M          recvmsg\n"
    "  -W          write of a byte: there is no room\n"
    "  -S          send\n"
    "  -G          sendmsg\n"
    "  -B          write of 16 MiB: there is room for a part\n"
    "  -P          poll: nothing is readable\n"
    "  -Q          ppoll\n"
    "  -L          select\n"
    "  -K          pselect\n"
    "  -E          epoll_wait\n"
    "  -A          accept at HOST and PORT: nobody comes\n"
    "  -C          connect: nobody answers\n" USAGE_HELP USAGE_HOST USAGE_PORT;

static char text[16 << 20];

static void on_signal(int number)
{
    (void)number;
}

static void handle_sigusr1(bool restarts)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = restarts ? SA_RESTART : 0};
    if (sigaction(SIGUSR1, &action, NULL) < 0)
        die("sigaction");
}

/* Leaves the mask that was before in outside_mask: that of ppoll and pselect. */
static sigset_t outside_mask;

static void block_sigusr1(bool blocks)
{
    sigset_t user;
    sigemptyset(&user);
    if (blocks)
        sigaddset(&user, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &user, &outside_mask) < 0)
        die("sigprocmask");
}

static void set_timeouts(int connection)
{
    const struct timeval hour = {.tv_sec = 3600};
    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour) < 0 ||
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &hour, sizeof hour) < 0)
        die("setsockopt");
}

/* Leaves no room for another byte: a buffer that takes no more in one piece may take a little. */
static void fill(int connection)
{
    for (size_t size = sizeof text; size > 0; size /= 16) {
        while (send(connection, text, size, MSG_DONTWAIT) > 0) {
        }
    }
}

/* --- the calls; each gives what its call gave --- */

static ssize_t wait_read(int connection)
{
    return read(connection, text, sizeof text);
}

static ssize_t wait_recv(int connection)
{
    return recv(connection, text, sizeof text, 0);
}

static ssize_t wait_recvfrom(int connection)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    return recvfrom(connection, text, sizeof text, 0, (struct sockaddr *)&from, &length);
}

static ssize_t wait_recvmsg(int connection)
{
    struct iovec part = {.iov_base = text, .iov_len = sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg(connection, &message, 0);
}

static ssize_t wait_write(int connection)
{
    fill(connection);
    return write(connection, text, 1);
}

static ssize_t wait_send(int connection)
{
    fill(connection);
    return send(connection, text, 1, 0);
}

static ssize_t wait_sendmsg(int connection)
{
    struct iovec part = {.iov_base = text, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    fill(connection);
    return sendmsg(connection, &message, 0);
}

static ssize_t wait_write_much(int connection)
{
    return write(connection, text, sizeof text);
}

static ssize_t wait_poll(int connection)
{
    struct pollfd readable = {.fd = connection, .events = POLLIN};
    return poll(&readable, 1, -1);
}

static ssize_t wait_select(int connection)
{
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(connection, &readable);
    return select(connection + 1, &readable, NULL, NULL, NULL);
}

static ssize_t wait_pselect(int connection)
{
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(connection, &readable);
    return pselect(connection + 1, &readable, NULL, NULL, NULL, &outside_mask);
}

/* Darwin has neither. */
#ifdef __linux__
static ssize_t wait_ppoll(int connection)
{
    struct pollfd readable = {.fd = connection, .events = POLLIN};
    return ppoll(&readable, 1, NULL, &outside_mask);
}

static ssize_t wait_epoll(int connection)
{
    struct epoll_event wanted = {.events = EPOLLIN};
    struct epoll_event told;
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, connection, &wanted) < 0)
        die("epoll_ctl");
    return epoll_wait(set, &told, 1, -1);
}
#endif

static ssize_t wait_accept(int listener)
{
    return accept(listener, NULL, NULL);
}

/* --- what each needs --- */

static int make_socket(const struct arguments *args)
{
    int made = socket(args->address.ss_family, SOCK_STREAM, 0);
    if (made < 0)
        die("socket");
    if (args->option['o'])
        set_timeouts(made);
    return made;
}

static int listen_at(const struct arguments *args)
{
    int listener = make_socket(args);
    if (bind(listener, (const struct sockaddr *)&args->address, args->length) < 0)
        die("bind");
    if (listen(listener, SOMAXCONN) < 0)
        die("listen");
    return listener;
}

/* Waits for a connect that was interrupted, and learns what became of it. */
static void finish_connecting(int connection)
{
    struct pollfd writable = {.fd = connection, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&writable, 1, -1) < 0)
        die("poll");
    if (getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        die("getsockopt");
    errno = error;
    if (error != 0)
        die("SO_ERROR");
    printf("connected\n");
}

static int connect_to(const struct arguments *args)
{
    int connection = make_socket(args);
    if (connect(connection, (const struct sockaddr *)&args->address, args->length) < 0) {
        if (!args->option['C'] || errno != EINTR)
            die("connect");
        finish_connecting(connection);
    }
    return connection;
}

static const struct {
    char letter;
    const char *name;
    ssize_t (*wait)(int connection);
} calls[] = {
    {'R', "read", wait_read},         {'V', "recv", wait_recv},
    {'F', "recvfrom", wait_recvfrom}, {'M', "recvmsg", wait_recvmsg},
    {'W', "write", wait_write},       {'S', "send", wait_send},
    {'G', "sendmsg", wait_sendmsg},   {'B', "write", wait_write_much},
    {'P', "poll", wait_poll},         {'L', "select", wait_select},
    {'K', "pselect", wait_pselect},
#ifdef __linux__
    {'Q', "ppoll", wait_ppoll},       {'E', "epoll_wait", wait_epoll},
#endif
    {'A', "accept", wait_accept},
};

static int wait_in(const struct arguments *args, int connection)
{
    for (size_t n = 0; n < sizeof calls / sizeof *calls; n++) {
        if (args->option[(unsigned char)calls[n].letter]) {
            ssize_t gave = calls[n].wait(connection);
            if (gave < 0)
                die(calls[n].name);
            printf("%s: %zd\n", calls[n].name, gave);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments args = client_arguments(argc, argv, "xomRVFMWSGBPQLKEAC", usage);
    int connection = -1;
    handle_sigusr1(args.option['x']);
    block_sigusr1(args.option['m']);
    connection = args.option['A'] ? listen_at(&args) : connect_to(&args);
    return wait_in(&args, connection);
}
