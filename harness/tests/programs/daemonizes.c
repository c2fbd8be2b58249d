/* daemonizes: becomes a daemon as books tell it, two forks and a session between; the daemon says
 * so and sleeps. */
#include <unistd.h>

int main(void)
{
    if (fork() > 0)
        return 0;
    if (setsid() < 0)
        return 111;
    if (fork() > 0)
        return 0;
    if (write(1, "daemon\n", 7) != 7)
        return 111;
    for (;;)
        pause();
}
