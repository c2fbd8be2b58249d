/* copies STATUS: copies its input to its output, 16 bytes at a time; at the end it says on stderr
 * what its streams are, and exits with STATUS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(int descriptor)
{
    struct stat status;

    if (isatty(descriptor))
        return "tty";
    if (fstat(descriptor, &status) < 0)
        return strerrorname_np(errno);
    return S_ISFIFO(status.st_mode) ? "pipe" : S_ISREG(status.st_mode) ? "file" : "other";
}

static int copy(void)
{
    char text[16];

    for (;;) {
        const ssize_t got = read(STDIN_FILENO, text, sizeof text);

        if (got <= 0)
            return (int)got;
        for (ssize_t sent = 0, more; sent < got; sent += more) {
            more = write(STDOUT_FILENO, text + sent, (size_t)(got - sent));
            if (more < 0)
                return -1;
        }
    }
}

int main(int argc, char **argv)
{
    if (copy() < 0)
        fprintf(stderr, "%s ", strerrorname_np(errno));
    fprintf(stderr, "%s %s %s\n", kind_of(0), kind_of(1), kind_of(2));
    return argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
}
