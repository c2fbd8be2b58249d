/* registers: writes sixteen bytes, and says how many went, and whether the call left the arguments
 * in the registers that it must leave alone. Says "unknown" on an architecture it does not know. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
int main(void)
{
    static const char text[] = "0123456789abcde\n";
    char said[64];
    const char *address = text;
    size_t length = 16;
    long result = SYS_write;
    bool kept;

    __asm__ volatile("syscall"
                     : "+a"(result), "+S"(address), "+d"(length)
                     : "D"(1L)
                     : "rcx", "r11", "memory");
    /* cppcheck-suppress knownConditionTrueFalse ; it does not see what the call may change */
    kept = address == text && length == 16;
    snprintf(said, sizeof said, "%ld, %s\n", result, kept ? "kept" : "changed");
    return write(STDERR_FILENO, said, strlen(said)) < 0;
}
#else
int main(void)
{
    fputs("unknown\n", stderr);
    return 0;
}
#endif
