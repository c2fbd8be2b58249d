/* ignores_signals: ignores every signal that can be ignored, says so, and sleeps. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
    for (int number = 1; number <= SIGRTMAX; number++)
        signal(number, SIG_IGN); /* not SIGKILL and SIGSTOP */
    if (write(1, "ignoring\n", 9) != 9)
        return 111;
    for (;;)
        pause();
}
