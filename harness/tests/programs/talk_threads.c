/* talk_threads PORT: a server and, in a second thread, its client. The client prints the echo. */
#include "talk.h"

#include <pthread.h>

static void *ask_in_thread(void *port)
{
    ask(port);
    return NULL;
}

int main(int argc, char **argv)
{
    char *port = argc > 1 ? argv[1] : "";
    const int listener = listen_at(port);
    pthread_t client;

    if (pthread_create(&client, NULL, ask_in_thread, port) != 0)
        die("pthread_create");
    serve(listener);
    pthread_join(client, NULL);
    return 0;
}
