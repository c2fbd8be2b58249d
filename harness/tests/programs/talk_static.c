/* talk_static PORT: as talk, without a dynamic loader. */
#include "talk.h"

#include <sys/wait.h>

int main(int argc, char **argv)
{
    const char *port = argc > 1 ? argv[1] : "";
    const int listener = listen_at(port);
    const pid_t child = fork();

    if (child < 0)
        die("fork");
    if (child == 0) {
        close(listener);
        ask(port);
        return 0;
    }
    serve(listener);
    if (waitpid(child, NULL, 0) != child)
        die("waitpid");
    return 0;
}
