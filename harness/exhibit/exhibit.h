#ifndef SOCKSPEC_EXHIBIT_H
#define SOCKSPEC_EXHIBIT_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* What the programs in servers/ and clients/ share: reading their arguments and telling how they
 * failed. Every socket call is in the program itself, where a reader looks for it. */

/* Exit statuses other than 0. Premature: the server ended where the client still expected something
 * of it. */
enum { EXIT_PREMATURE = 1, EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

/* Pieces of usage texts, so that an option is called and explained alike wherever it exists. */
#define USAGE_HELP "  -h          print this and end\n"
#define USAGE_REUSE_ADDRESS "  -r          SO_REUSEADDR before bind\n"
#define USAGE_REUSE_PORT "  -p          SO_REUSEPORT before bind\n"
#define USAGE_NO_RESTART "  -i          install the SIGCHLD handler without SA_RESTART\n"
#define USAGE_LOCAL "  -a ADDRESS  bind to this numeric IPv4 or IPv6 address, not to 0.0.0.0\n"
#define USAGE_PORT "  PORT        1 to 65535\n"
#define USAGE_HOST "  HOST        a numeric IPv4 or IPv6 address\n"

struct arguments {
    bool option['z' + 1];            /* option['r']: -r was given */
    const char *host;                /* a client's HOST, a server's -a ADDRESS, or NULL */
    const char *port;                /* checked: 1 to 65535 */
    struct sockaddr_storage address; /* host and port in binary; a server's without -a is 0.0.0.0 */
    socklen_t length;                /* of the address; 0 when HOST is a name */
};

/* Read [OPTIONS] PORT or [OPTIONS] HOST PORT. `options` is getopt's string without the h, which all
 * have. With -h they print the usage text on stdout and exit 0; when anything is wrong, on stderr,
 * and exit with EXIT_USAGE. They also make stdout line buffered, so that each line is seen as it is
 * printed, and once only after a fork. */
struct arguments server_arguments(int argc, char **argv, const char *options, const char *usage);
struct arguments client_arguments(int argc, char **argv, const char *options, const char *usage);

/* As client_arguments, for a client that looks HOST up: it may be a name too. */
struct arguments resolver_arguments(int argc, char **argv, const char *options, const char *usage);

/* Tell which call failed and why: "bind: EADDRINUSE (98)" on stderr. */
void complain(const char *call);

/* Complain, and exit with EXIT_SYSTEM. */
_Noreturn void die(const char *call);

/* The same for what getaddrinfo returned: "getaddrinfo: EAI_NONAME". */
_Noreturn void die_resolving(int code);

/* Tell that the server ended too early: "tcpcli01: server terminated prematurely" on stderr.
 * Returns EXIT_PREMATURE. */
int premature_end(const char *program);

/* Print "child PID terminated" on stdout. May be called from a signal handler. */
void print_terminated(pid_t child);

#endif
