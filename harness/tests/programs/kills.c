/* kills PID: sends SIGKILL to PID, which may be -1, prints the outcome, and sleeps. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    printf("%d\n", kill((pid_t)strtol(argv[1], NULL, 10), SIGKILL) < 0 ? errno : 0);
    if (fflush(stdout) != 0)
        return 111;
    for (;;)
        pause();
}
