/* Preloaded into a conductor: halts it after the n-th stop that waitpid tells it of, once it is
 * init of its lab: what it tries of the kernel before is none of the case's.
 *
 * SOCKSPEC_HALT=N:FIFO   a byte goes to FIFO at that stop, and the conductor stands still till
 * FIFO.go is opened for writing. With N = 0 a byte goes to FIFO at every stop, and nothing stands
 * still.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *fifo)
{
    const int file = open(fifo, O_WRONLY | O_CLOEXEC);

    if (file < 0 || write(file, ".", 1) != 1)
        abort();
    close(file);
}

static void stand_still(const char *fifo)
{
    char gate[4096];

    snprintf(gate, sizeof gate, "%s.go", fifo);
    close(open(gate, O_RDONLY | O_CLOEXEC));
}

static void stopped(void)
{
    static long count;
    const char *order = getenv("SOCKSPEC_HALT"), *fifo = order ? strchr(order, ':') : NULL;
    long nth;

    if (!fifo || getpid() != 1 || strcmp(program_invocation_short_name, "conductor") != 0)
        return;
    nth = strtol(order, NULL, 10);
    count++;
    if (nth == 0 || nth == count)
        tell(fifo + 1);
    if (nth == count)
        stand_still(fifo + 1);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    static pid_t (*next)(pid_t, int *, int);
    pid_t found;

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "waitpid");
    found = next(pid, status, options);
    if (found > 0 && status && WIFSTOPPED(*status))
        stopped();
    return found;
}
