/* pauses: waits for SIGUSR1, which has a handler without SA_RESTART, and says how often it ran. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void count(int number)
{
    (void)number;
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = count};

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGUSR1, &action, NULL) < 0)
        return 111;
    pause();
    printf("%s, handled %d\n", strerrorname_np(errno), (int)handled);
    return 0;
}
