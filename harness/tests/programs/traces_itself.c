/* traces_itself: asks to be traced, and prints the errno, or 0. */
#include <errno.h>
#include <stdio.h>
#include <sys/ptrace.h>

int main(void)
{
    const long status = ptrace(PTRACE_TRACEME, 0, NULL, NULL);

    printf("%d\n", status < 0 ? errno : 0);
    return 0;
}
