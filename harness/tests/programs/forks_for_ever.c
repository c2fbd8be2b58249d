/* forks_for_ever: forks, and so does every child, until there is an end to it. */
#include <unistd.h>

int main(void)
{
    for (;;)
        fork();
}
