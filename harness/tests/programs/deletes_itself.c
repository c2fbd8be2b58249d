/* deletes_itself: removes its own file, says so, and sleeps. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 1 || unlink(argv[0]) < 0)
        return 111;
    if (write(1, "deleted\n", 8) != 8)
        return 111;
    for (;;)
        pause();
}
