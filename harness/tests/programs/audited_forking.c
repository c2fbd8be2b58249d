/* A model: a child for each client. */
#include "audited.h"

#include <sys/file.h>
#include <sys/wait.h>

static void children_ended(int number)
{
    const int saved = errno;

    (void)number;
    if (fault("reaps-once"))
        waitpid(-1, NULL, WNOHANG);
    else
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    errno = saved;
}

static void handle_signals(void)
{
    struct sigaction children = {.sa_handler = children_ended, .sa_flags = SA_NOCLDSTOP};

    sigaction(SIGCHLD, &children, NULL);
    signal(SIGPIPE, fault("sigpipe") ? SIG_DFL : SIG_IGN);
}

static bool write_all(int connection, const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(connection, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

static void echo(int connection)
{
    const int lock = fault("trylock") ? open(mark(), O_CREAT | O_RDWR | O_CLOEXEC, 0600) : -1;
    char text[4096];

    for (;;) {
        const ssize_t got = read(connection, text, sizeof text);

        if (got < 0 && errno == EINTR && !fault("read-eintr"))
            continue;
        if (got > 0 && fault("trylock") && flock(lock, LOCK_EX | LOCK_NB) < 0)
            return;
        if (got <= 0 || !write_all(connection, text, (size_t)got))
            return;
        if (fault("trylock"))
            flock(lock, LOCK_UN);
    }
}

/* A process that does nothing but have the connection open. */
static void leave_helper(void)
{
    if (fork() == 0)
        for (;;)
            pause();
}

static void serve(int listener, int connection)
{
    const pid_t child = fork();

    if (child < 0 && fault("fork"))
        die("fork");
    if (child == 0) {
        if (!fault("child-keeps-listener"))
            close(listener);
        if (fault("helper"))
            leave_helper();
        echo(connection);
        _exit(0);
    }
    if (!fault("parent-keeps-connection"))
        close(connection);
}

/* Another program, as servers run them for logs and scripts. */
static void run_program(void)
{
    if (fork() > 0)
        return;
    if (!fault("sigpipe-inherited"))
        signal(SIGPIPE, SIG_DFL);
    execl("/bin/true", "true", (char *)NULL);
    _exit(111);
}

/* A worker that accepts, and another when it has ended. It outlives its parent. */
static void have_worker(void)
{
    while (fork() > 0)
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
            ;
}

int main(int argc, char **argv)
{
    int listener;

    read_arguments(argc, argv);
    handle_signals();
    run_program();
    listener = listen_somewhere();
    if (fault("worker"))
        have_worker();
    for (;;) {
        const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0) {
            if (*place != '/' && !fault("no-keepalive"))
                set(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
            serve(listener, connection);
        } else if (lacking(errno)) {
            poll(NULL, 0, 50);
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
            die("accept");
        }
    }
}
