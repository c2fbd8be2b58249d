#include "capability/capability.h"
#include "fork_server.h"
#include "interpose/interpose_source.h"
#include "isolate.h"
#include "lab.h"
#include "ptrace/ptrace_source.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_USAGE = 100, EXIT_SYSTEM = 111, OWN_DESCRIPTORS = 3 };

static _Noreturn void usage(void)
{
    fputs("usage: conductor --control FD|--serve FD [--cpu N] [--capture yes|no]\n"
          "                 [--without CAPABILITY,...] [--lacking CAPABILITY,...|none]\n"
          "                 [--by ptrace|interpose]\n"
          "Speaks the conductor's protocol on the socket FD, or on each one that comes over it;\n"
          "see PROTOCOL.md.\n",
          stderr);
    exit(EXIT_USAGE);
}

static _Noreturn void die(const struct reason *why)
{
    fprintf(stderr, "conductor: %s\n", why->text);
    exit(EXIT_SYSTEM);
}

static int number_of(const char *text, int most)
{
    char *end;
    const long number = strtol(text, &end, 10);

    if (end == text || *end || number < 0 || number > most)
        usage();
    return (int)number;
}

static bool yes_or_no(const char *text)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        usage();
    return strcmp(text, "yes") == 0;
}

static void take_for_missing(const char *option, const char *names)
{
    struct reason why = {.text = ""};

    if (capabilities_forbid(names, &why) < 0) {
        fprintf(stderr, "conductor: %s %s\n", option, why.text);
        usage();
    }
}

/* What an earlier conductor on this kernel found out is not tried again. */
static void lacking_only(const char *option, const char *names)
{
    if (strcmp(names, "none") != 0)
        take_for_missing(option, names);
    capabilities_grant_others();
}

struct arguments {
    int control, serve, cpu;
    bool captured;
    const struct source *source;
};

static const struct source *source_of(const char *name)
{
    if (strcmp(name, "ptrace") == 0)
        return &ptrace_source;
    if (strcmp(name, "interpose") != 0)
        usage();
    return &interpose_source;
}

static struct arguments read_arguments(int argc, char **argv)
{
    struct arguments read = {
        .control = -1, .serve = -1, .cpu = -1, .captured = true, .source = &ptrace_source};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--control") == 0)
            read.control = number_of(argv[i + 1], 1 << 20);
        else if (strcmp(argv[i], "--serve") == 0)
            read.serve = number_of(argv[i + 1], 1 << 20);
        else if (strcmp(argv[i], "--cpu") == 0)
            read.cpu = number_of(argv[i + 1], 4095);
        else if (strcmp(argv[i], "--capture") == 0)
            read.captured = yes_or_no(argv[i + 1]);
        else if (strcmp(argv[i], "--by") == 0)
            read.source = source_of(argv[i + 1]);
        else if (strcmp(argv[i], "--without") == 0)
            take_for_missing(argv[i], argv[i + 1]);
        else if (strcmp(argv[i], "--lacking") == 0)
            lacking_only(argv[i], argv[i + 1]);
        else
            usage();
    }
    if (argc % 2 == 0 || (read.control < 3) == (read.serve < 3))
        usage();
    return read;
}

static int watch_children(void)
{
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Many processes, a pidfd each. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void take_segments(void *context)
{
    lab_take_segments(context);
}

static void read_channel(struct lab *lab)
{
    const char *line;
    size_t length;
    enum channel_state state;

    do {
        state = channel_next(&lab->channel, &line, &length);
        if (state == CHANNEL_LINE)
            lab_answer(lab, line, length);
        else if (state == CHANNEL_TOO_LONG)
            lab_refuse(lab, "a line is at most 1 MiB");
        else if (state == CHANNEL_END)
            lab->ending = true;
    } while (state == CHANNEL_LINE && !lab->waiting && !lab->ending);
}

/* While a request waits the client has nothing to say; only its end is of interest then. Where the
 * end cannot be told from a word it has to be looked at. */
static short what_matters(const struct lab *lab)
{
    return lab->waiting && can(CAN_HANGUP) ? POLLRDHUP : POLLIN | POLLRDHUP;
}

static bool has_ended(const struct lab *lab)
{
    char byte;

    return can(CAN_HANGUP) || recv(lab->channel.socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void sleep_till_something(struct lab *lab, int children, bool busy)
{
    struct pollfd sources[OWN_DESCRIPTORS + LAB_DESCRIPTORS] = {
        {.fd = lab->channel.socket, .events = what_matters(lab)},
        {.fd = children, .events = POLLIN},
        {.fd = lab->core->source->descriptor(lab->core), .events = POLLIN}};
    const size_t count = OWN_DESCRIPTORS + lab_descriptors(lab, sources + OWN_DESCRIPTORS);
    const uint64_t next = lab_next_look(lab), now = lab_clock();
    const uint64_t left = busy || next <= now ? 0 : next - now;
    const struct timespec limit = {(time_t)(left / 1000000000U), (long)(left % 1000000000U)};
    struct signalfd_siginfo information;

    if (ppoll(sources, count, next == UINT64_MAX && !busy ? NULL : &limit, NULL) <= 0)
        return;
    if (sources[1].revents && read(children, &information, sizeof information) < 0)
        return; /* nothing but EAGAIN: it had been read */
    if (sources[0].revents & (POLLIN | POLLRDHUP | POLLHUP)) {
        if (lab->waiting)
            lab->ending = has_ended(lab);
        else
            read_channel(lab);
    }
}

static void conduct(struct lab *lab, int children)
{
    while (!lab->ending) {
        const bool more = lab->core->source->pump(lab->core, take_segments, lab);

        lab_take_segments(lab);
        lab_look(lab);
        sleep_till_something(lab, children, more);
    }
}

int main(int argc, char **argv)
{
    struct lab lab = {0};
    struct reason why = {.text = ""};
    const struct arguments arguments = read_arguments(argc, argv);
    int children;

    if (arguments.serve >= 0 && arguments.source->prepare && arguments.source->prepare(&why) < 0)
        die(&why);
    lab.isolation.cpu = arguments.cpu;
    lab.isolation.control = arguments.serve < 0 ? arguments.control : fork_server(arguments.serve);
    if (isolate(&lab.isolation, &why) < 0)
        die(&why);
    raise_descriptor_limit();
    children = watch_children();
    if (children < 0) {
        because_of_errno(&why, "signalfd");
        die(&why);
    }
    if (lab_open(&lab, arguments.source, arguments.captured, &why) < 0)
        die(&why);
    conduct(&lab, children);
    close(children);
    lab_close(&lab);
    return 0;
}
