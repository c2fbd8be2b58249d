/* Writes a line through a stream of the C library, goes back to the beginning, and prints what it
 * reads there. */

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    char name[] = "/tmp/rewindsXXXXXX", line[16] = "";
    FILE *file = fdopen(mkstemp(name), "w+");

    if (!file || remove(name) < 0 || fputs("twelve bytes", file) < 0)
        return 2;
    rewind(file);
    if (!fgets(line, sizeof line, file))
        return 1;
    puts(line);
    return 0;
}
