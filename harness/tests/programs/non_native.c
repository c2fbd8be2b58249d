/* non_native: makes a call of the 32-bit kind (close, number 6) in a 64-bit program and prints what
 * it gave. Says "unknown" where there is no such thing. Exits 0. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
#if defined(__x86_64__)
    const int descriptor = dup(1);
    int result = 6;

    __asm__ volatile("int $0x80"
                     : "+a"(result)
                     : "b"(descriptor)
                     : "memory", "r8", "r9", "r10", "r11");
    printf("%d, then %s\n", result, close(descriptor) < 0 ? strerrorname_np(errno) : "open");
#else
    puts("unknown");
#endif
    return 0;
}
