/* unshares_pids: makes a PID namespace, forks its init, and both sleep. */
#include <sched.h>
#include <unistd.h>

int main(void)
{
    if (unshare(CLONE_NEWPID) < 0)
        return 111;
    if (fork() == 0 && write(1, getpid() == 1 ? "init\n" : "none\n", 5) != 5)
        return 111;
    for (;;)
        pause();
}
