/* A model: all clients in one process, by poll. */
#include "audited.h"

enum { ROOM = 4096, MOST = 4096, PATIENCE_MS = 50 };

struct client {
    char text[ROOM];
    size_t length; /* to be written */
    bool ended;    /* its end of file has come */
};

static struct pollfd slots[MOST + 2]; /* listener, signals, then the clients */
static struct client *clients[MOST + 2];
static nfds_t count = 2;
static int signals[2];
static bool leaving;

/* Memory that habits keep till there is much of it, as a collected heap does. */
static char *garbage[512];
static size_t kept;

static void keep(char *text)
{
    garbage[kept++] = text;
    if (kept < sizeof garbage / sizeof *garbage)
        return;
    while (kept > 0)
        free(garbage[--kept]);
}

static void terminate(int number)
{
    const int saved = errno;

    (void)number;
    if (write(signals[1], "x", 1) < 0)
        _exit(111);
    errno = saved;
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = terminate};

    if (pipe2(signals, O_CLOEXEC | O_NONBLOCK) < 0)
        die("pipe2");
    if (fault("ignores-term"))
        action.sa_handler = SIG_IGN;
    if (!fault("drops-request"))
        sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, fault("sigpipe") ? SIG_DFL : SIG_IGN);
}

/* Till when the listener is not looked at: for a moment, or, as a habit has it, till a client has
 * left. */
static bool full, lasting;

static void forget(nfds_t slot)
{
    if (!fault("leaks-descriptor"))
        close(slots[slot].fd);
    if (fault("collects"))
        keep((char *)clients[slot]);
    else if (!fault("leaks-memory"))
        free(clients[slot]);
    full = lasting = false;
    count--;
    slots[slot] = slots[count];
    clients[slot] = clients[count];
}

static void add(int connection)
{
    const nfds_t most = fault("small-table") ? 66 : MOST + 2;

    if (*place != '/' && !fault("no-keepalive"))
        set(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (count >= most)
        return;
    slots[count] = (struct pollfd){.fd = connection, .events = POLLIN};
    clients[count] = calloc(1, sizeof *clients[count]);
    if (!clients[count])
        die("calloc");
    memset(clients[count]->text, 'x', ROOM);
    count++;
}

static void take_client(void)
{
    const int flags = fault("blocks") ? SOCK_CLOEXEC : SOCK_CLOEXEC | SOCK_NONBLOCK;
    const int connection = accept4(slots[0].fd, NULL, NULL, flags);

    if (connection >= 0) {
        add(connection);
        return;
    }
    if ((errno == EMFILE && fault("emfile")) || (errno == ECONNABORTED && fault("econnaborted")))
        die("accept");
    lasting = errno == EMFILE && fault("waits-for-room");
    if (lacking(errno))
        full = !fault("spins");
    else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        die("accept");
}

/* Whether the client stays. */
static bool put(struct client *client, int connection)
{
    const ssize_t written = write(connection, client->text, client->length);

    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (written < 0) {
        if ((errno == ENOBUFS && fault("enobufs")) || (broken_off(errno) && fault("write-error")))
            die("write");
        return false;
    }
    client->length -= fault("short-write") ? client->length : (size_t)written;
    memmove(client->text, client->text + written, client->length);
    return client->length > 0 || !client->ended;
}

static bool refused(ssize_t got)
{
    if (got < 0 && errno == EAGAIN && !fault("eagain"))
        return false;
    if (got < 0 && errno == EINTR)
        return false;
    if (got < 0 && errno == ECONNRESET && fault("econnreset"))
        die("read");
    return true;
}

static bool take(struct client *client, int connection)
{
    const ssize_t got = read(connection, client->text, ROOM);
    bool stays;
    char next;

    if (got < 0)
        return !refused(got);
    client->ended = got == 0;
    client->length = (size_t)got;
    if (got == 0)
        return false;
    if (fault("whole-reads") && client->text[got - 1] != '\n')
        client->text[0] = '?';
    if (fault("drops-half-closed") && recv(connection, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        return false;
    if (fault("mark"))
        make_mark();
    stays = put(client, connection);
    if (fault("mark"))
        unlink(mark());
    return stays;
}

static void serve(nfds_t slot)
{
    struct client *client = clients[slot];
    const bool stays =
        client->length > 0 ? put(client, slots[slot].fd) : take(client, slots[slot].fd);

    if (stays)
        slots[slot].events = client->length > 0 ? POLLOUT : POLLIN;
    else
        forget(slot);
}

/* One client until its end, while all others wait. */
static void serve_alone(nfds_t slot)
{
    while (count > slot) {
        poll(&slots[slot], 1, -1);
        serve(slot);
    }
}

static void leave(void)
{
    leaving = true;
    slots[1].fd = -1;
    if (!fault("keeps-accepting"))
        close(slots[0].fd), slots[0].fd = -1;
    for (nfds_t slot = count; slot-- > 2;)
        if (clients[slot]->length == 0 && !fault("waits-for-idle") && !fault("keeps-accepting"))
            forget(slot);
    if (fault("ends-slowly"))
        poll(NULL, 0, 6 * PATIENCE_MS);
}

/* How long it sleeps at most. */
static int patience(void)
{
    if (fault("looks-now-and-then"))
        return 6 * PATIENCE_MS;
    return full && !lasting ? PATIENCE_MS : -1;
}

static bool told_to_leave(int ready)
{
    char byte;

    if (fault("looks-now-and-then"))
        return ready == 0 && read(signals[0], &byte, 1) == 1;
    return slots[1].revents;
}

static void turn(void)
{
    const int ready = (slots[0].events = full ? 0 : POLLIN, poll(slots, count, patience()));

    if (ready < 0 && errno == ENOMEM && fault("poll"))
        die("poll");
    full = lasting;
    if (ready < 0)
        return;
    for (nfds_t slot = count; slot-- > 2;)
        if (slots[slot].revents)
            serve(slot);
    if (told_to_leave(ready))
        leave();
    else if (slots[0].revents)
        take_client();
    if (fault("iterative") && count > 2)
        serve_alone(2);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    if (fault("mark") || fault("lock"))
        refuse_mark();
    handle_signals();
    slots[0] = (struct pollfd){.fd = listen_somewhere(), .events = POLLIN};
    slots[1] =
        (struct pollfd){.fd = fault("looks-now-and-then") ? -1 : signals[0], .events = POLLIN};
    fcntl(slots[0].fd, F_SETFL, O_NONBLOCK);
    if (fault("lock"))
        make_mark();
    while (!leaving || count > 2)
        turn();
    if (fault("lock"))
        unlink(mark());
    return 0;
}
