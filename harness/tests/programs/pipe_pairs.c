/* pipe_pairs N: writes five bytes into a pipe and reads them back, N times; prints the nanoseconds
 * that a pair took. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const long pairs = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct timespec begin, end;
    int ends[2];
    char bytes[5];

    if (pairs < 1 || pipe(ends) < 0)
        return 100;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < pairs; i++) {
        if (write(ends[1], "hello", 5) != 5 || read(ends[0], bytes, 5) != 5)
            return 111;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f\n",
           ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
               (double)pairs);
    return 0;
}
