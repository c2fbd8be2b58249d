/* kill_floor CONDUCTOR SERVER RUNS LACKING CPU: what a kill sweep of an echo server with ten
 * clients cannot do without, RUNS times: a lab, the server with its clients, one kill at a moment,
 * and, where the server itself was killed, another start and a client. Prints milliseconds a run.
 * LACKING is what the conductor is told with --lacking. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 10, PORT = 9877, LINE = 1 << 16 };
static const char hello[] = "hello\n";

static int channel = -1, given = -1;
static char reply[LINE];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "kill_floor: %s: %s\n", what, strerrorname_np(errno));
    exit(111);
}

/* One message with descriptors beside it. */
static void send_with(int to, const void *bytes, size_t length, const int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {0};
    struct iovec place = {(void *)(size_t)bytes, length};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};

    if (count > 0) {
        struct cmsghdr *part = (struct cmsghdr *)(void *)control;

        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, count * sizeof(int));
    }
    if (sendmsg(to, &message, 0) != (ssize_t)length)
        die("sendmsg");
}

/* The next line, into reply; a descriptor that comes with it, into given. There is never more than
 * one line under way. */
static void receive(void)
{
    size_t length = 0;

    while (length == 0 || reply[length - 1] != '\n') {
        char control[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec place = {reply + length, sizeof reply - length - 1};
        struct msghdr message = {.msg_iov = &place,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        const ssize_t got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
        const struct cmsghdr *part = CMSG_FIRSTHDR(&message);

        if (got <= 0)
            die("the conductor's reply");
        if (part)
            memcpy(&given, CMSG_DATA(part), sizeof given);
        length += (size_t)got;
    }
    reply[length] = '\0';
}

static void ask(const int *fds, size_t count, const char *format, ...)
{
    static int number;
    char line[1024];
    va_list members;
    int length = snprintf(line, sizeof line, "{\"id\":%d,", ++number);

    va_start(members, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, members);
    va_end(members);
    length += snprintf(line + length, sizeof line - (size_t)length, "}\n");
    send_with(channel, line, (size_t)length, fds, count);
    receive();
    if (!strstr(reply, "\"ok\"")) {
        fprintf(stderr, "kill_floor: %s%s", line, reply);
        exit(111);
    }
}

static void rest(void)
{
    ask(NULL, 0, "\"do\":\"rest\",\"deadline\":10");
}

static int start(const char *server, int null)
{
    ask((const int[]){null, null, null}, 3,
        "\"do\":\"start\",\"deadline\":5,\"argv\":[\"%s\",\"-r\",\"%d\"],\"env\":{}", server, PORT);
    return (int)strtol(strstr(reply, "\"process\":") + strlen("\"process\":"), NULL, 10);
}

static void run(int process)
{
    ask(NULL, 0, "\"do\":\"run\",\"process\":%d", process);
    rest();
    ask(NULL, 0, "\"do\":\"sockets\",\"local\":%d,\"state\":[\"LISTEN\"]", PORT);
}

/* Whether it was answered. */
static bool ask_server(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval patience = {.tv_sec = 5};
    char answer[sizeof hello];
    bool answered;

    ask(NULL, 0, "\"do\":\"socket\",\"family\":\"AF_INET\"");
    if (connect(given, (const struct sockaddr *)&address, sizeof address) < 0) {
        close(given);
        return false;
    }
    rest();
    /* The answer or an end: one of them comes, and rest need not have seen it on its way. */
    setsockopt(given, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(given, hello, strlen(hello), MSG_NOSIGNAL);
    answered = recv(given, answer, sizeof answer, 0) == (ssize_t)strlen(hello);
    close(given);
    rest();
    return answered;
}

/* The server itself is killed at one of its forks, or one of its children at its first read: as
 * many moments of a run are the server's as are its children's. */
static void one_run(const char *server, int null, int nth)
{
    const bool itself = nth % 2 == 0;
    const int which = 1 + nth / 2 % CLIENTS, process = start(server, null);
    int answered = 0;

    ask(NULL, 0,
        "\"do\":\"arm\",\"process\":%d,%s\"moment\":{%s,\"nth\":%d},"
        "\"action\":{\"do\":\"kill\",\"signal\":\"SIGKILL\"}",
        itself ? process : process + which, itself ? "" : "\"to_come\":true,",
        itself ? "\"at\":\"fork\"" : "\"at\":\"enter\",\"call\":\"read\"", itself ? which : 1);
    run(process);
    for (int i = 0; i < (itself ? which : CLIENTS); i++)
        answered += ask_server();
    if (itself)
        run(start(server, null));
    if (answered != (itself ? which : CLIENTS - 1) || !ask_server()) {
        fprintf(stderr, "kill_floor: run %d: %d clients answered\n", nth, answered);
        exit(111);
    }
}

/* The server that makes conductors: see fork_server.h. */
static int begin_conductors(const char *conductor, const char *lacking, const char *cpu)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        die("socketpair");
    if (fork() == 0) {
        char number[12];

        close(ends[0]);
        snprintf(number, sizeof number, "%d", ends[1]);
        execl(conductor, conductor, "--serve", number, "--cpu", cpu, "--capture", "no", "--lacking",
              lacking, (char *)NULL);
        die(conductor);
    }
    close(ends[1]);
    return ends[0];
}

static void begin_lab(int conductors)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        die("socketpair");
    send_with(conductors, "", 1, (const int[]){ends[1], STDERR_FILENO}, 2);
    close(ends[1]);
    channel = ends[0];
    receive();
    ask(NULL, 0, "\"do\":\"hello\"");
}

static void end_lab(void)
{
    ask(NULL, 0, "\"do\":\"end\"");
    close(channel);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    const int runs = argc == 6 ? (int)strtol(argv[3], NULL, 10) : 0;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    cpu_set_t cpus;
    double began;
    int conductors;

    if (runs < 1 || null < 0) {
        fprintf(stderr, "usage: kill_floor CONDUCTOR SERVER RUNS LACKING CPU\n");
        return 100;
    }
    CPU_ZERO(&cpus);
    CPU_SET((size_t)strtol(argv[5], NULL, 10), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    conductors = begin_conductors(argv[1], argv[4], argv[5]);
    began = now_ms();
    for (int nth = 0; nth < runs; nth++) {
        begin_lab(conductors);
        one_run(argv[2], null, nth);
        end_lab();
    }
    printf("%f\n", (now_ms() - began) / runs);
    close(conductors);
    while (wait(NULL) > 0)
        ;
    return 0;
}
