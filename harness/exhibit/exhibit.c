#include "exhibit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errno_name.h"

static _Noreturn void refuse(const char *reason, const char *usage)
{
    if (reason != NULL)
        fprintf(stderr, "%s\n", reason);
    fputs(usage, stderr);
    exit(EXIT_USAGE);
}

static _Noreturn void help(const char *usage)
{
    fputs(usage, stdout);
    exit(EXIT_SUCCESS);
}

/* The number in text if it is digits only and 1 to 65535, otherwise 0. strtoul would accept signs
 * and blanks. */
static in_port_t port_number(const char *text)
{
    unsigned long number = 0;
    if (*text == '\0' || strlen(text) > 5 || text[strspn(text, "0123456789")] != '\0')
        return 0;
    number = strtoul(text, NULL, 10);
    return number <= 65535 ? (in_port_t)number : 0;
}

/* Fills in address and length where the host is numeric, or NULL for the wildcard. */
static void make_address(struct arguments *args)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port_number(args->port))};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
    if (args->host == NULL || inet_pton(AF_INET, args->host, &v4.sin_addr) == 1) {
        memcpy(&args->address, &v4, sizeof v4);
        args->length = sizeof v4;
    } else if (inet_pton(AF_INET6, args->host, &v6.sin6_addr) == 1) {
        memcpy(&args->address, &v6, sizeof v6);
        args->length = sizeof v6;
    }
}

static void read_options(struct arguments *args, int argc, char **argv, const char *options,
                         const char *usage)
{
    char letters[32] = "";
    int letter = -1;
    snprintf(letters, sizeof letters, "h%s", options);
    while ((letter = getopt(argc, argv, letters)) != -1) {
        if (letter == 'h')
            help(usage);
        if (letter == '?')
            refuse(NULL, usage); /* getopt has given the reason */
        if (letter == 'a')
            args->host = optarg;
        args->option[letter] = true;
    }
}

static void read_port(struct arguments *args, const char *text, const char *usage)
{
    if (port_number(text) == 0)
        refuse("PORT is a number from 1 to 65535", usage);
    args->port = text;
}

struct arguments server_arguments(int argc, char **argv, const char *options, const char *usage)
{
    struct arguments args = {.host = NULL};
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_options(&args, argc, argv, options, usage);
    if (argc - optind != 1)
        refuse("one PORT is needed", usage);
    read_port(&args, argv[optind], usage);
    make_address(&args);
    if (args.length == 0)
        refuse("ADDRESS is numeric", usage);
    return args;
}

struct arguments resolver_arguments(int argc, char **argv, const char *options, const char *usage)
{
    struct arguments args = {.host = NULL};
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_options(&args, argc, argv, options, usage);
    if (argc - optind != 2)
        refuse("HOST and PORT are needed", usage);
    args.host = argv[optind];
    read_port(&args, argv[optind + 1], usage);
    make_address(&args);
    return args;
}

struct arguments client_arguments(int argc, char **argv, const char *options, const char *usage)
{
    struct arguments args = resolver_arguments(argc, argv, options, usage);
    if (args.length == 0)
        refuse("HOST is a numeric address", usage);
    return args;
}

void complain(const char *call)
{
    int number = errno;
    const char *name = errno_name(number);
    fprintf(stderr, "%s: %s (%d)\n", call, name != NULL ? name : "unnamed error", number);
    errno = number;
}

void die(const char *call)
{
    complain(call);
    exit(EXIT_SYSTEM);
}

static const struct {
    int code;
    const char *name;
} resolver_errors[] = {
    {.code = EAI_AGAIN, .name = "EAI_AGAIN"},
    {.code = EAI_BADFLAGS, .name = "EAI_BADFLAGS"},
    {.code = EAI_FAIL, .name = "EAI_FAIL"},
    {.code = EAI_FAMILY, .name = "EAI_FAMILY"},
    {.code = EAI_MEMORY, .name = "EAI_MEMORY"},
    {.code = EAI_NONAME, .name = "EAI_NONAME"},
    {.code = EAI_OVERFLOW, .name = "EAI_OVERFLOW"},
    {.code = EAI_SERVICE, .name = "EAI_SERVICE"},
    {.code = EAI_SOCKTYPE, .name = "EAI_SOCKTYPE"},
#ifdef EAI_NODATA /* not in POSIX, and glibc shows the name only to GNU programs */
    {.code = EAI_NODATA, .name = "EAI_NODATA"},
#endif
#ifdef EAI_ADDRFAMILY
    {.code = EAI_ADDRFAMILY, .name = "EAI_ADDRFAMILY"},
#endif
};

void die_resolving(int code)
{
    if (code == EAI_SYSTEM)
        die("getaddrinfo");
    for (size_t i = 0; i < sizeof resolver_errors / sizeof resolver_errors[0]; i++) {
        if (resolver_errors[i].code == code) {
            fprintf(stderr, "getaddrinfo: %s\n", resolver_errors[i].name);
            exit(EXIT_SYSTEM);
        }
    }
    fprintf(stderr, "getaddrinfo: %s (%d)\n", gai_strerror(code), code);
    exit(EXIT_SYSTEM);
}

int premature_end(const char *program)
{
    fprintf(stderr, "%s: server terminated prematurely\n", program);
    return EXIT_PREMATURE;
}

/* printf is not safe in a signal handler; write is, so the text is put together by hand, from its
 * end. */
void print_terminated(pid_t child)
{
    static const char before[] = "child ";
    static const char after[] = " terminated\n";
    char text[sizeof before + sizeof after + 20];
    size_t at = sizeof text - (sizeof after - 1);
    memcpy(text + at, after, sizeof after - 1);
    do {
        text[--at] = (char)('0' + child % 10);
        child /= 10;
    } while (child > 0);
    at -= sizeof before - 1;
    memcpy(text + at, before, sizeof before - 1);
    /* Nothing useful can be done when stdout is gone. */
    if (write(STDOUT_FILENO, text + at, sizeof text - at) < 0)
        return;
}
