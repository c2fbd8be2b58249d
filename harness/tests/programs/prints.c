/* prints N: prints N bytes in pieces of 64 KiB; without N it prints for ever. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char piece[1 << 16];
    const long most = argc > 1 ? strtol(argv[1], NULL, 10) : -1;

    memset(piece, 'x', sizeof piece);
    for (long left = most; most < 0 || left > 0;) {
        const size_t length = left > 0 && left < (long)sizeof piece ? (size_t)left : sizeof piece;
        const ssize_t written = write(1, piece, length);

        if (written < 0)
            return 111;
        left -= most < 0 ? 0 : written;
    }
    return 0;
}
