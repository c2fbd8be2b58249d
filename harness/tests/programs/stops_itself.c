/* stops_itself: sends itself SIGSTOP; once continued, prints that it goes on. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
    if (kill(getpid(), SIGSTOP) < 0)
        return 111;
    return write(1, "going on\n", 9) == 9 ? 0 : 111;
}
