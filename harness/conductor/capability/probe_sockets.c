#include "probe.h"

#include "capability/capability.h"
#include "host.h"
#include "sockets_entry.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a kernel tells of its sockets where there is no sock_diag: a connection is made and ended,
 * in a network namespace that nobody else uses, and looked for. */

struct shown {
    bool others, orphans, queued, queues, timers;
};

/* Looks over all that is told of TCP. `other`: the port of a listener that is elsewhere. */
static void look(struct shown *shown, int other, int server, int client)
{
    const struct socket_filter every = {
        .type = SOCK_STREAM, .local = -1, .remote = -1, .inode = -1, .send_window = -1};
    struct listing listing = {.filter = &every};
    struct reason ignored = {.text = ""};

    if (sockets_of_proc(getpid(), &listing, &ignored) < 0)
        listing.count = 0;
    for (size_t i = 0; i < listing.count; i++) {
        const struct entry *entry = &listing.entries[i];

        if (entry->local.port == other)
            shown->others = true;
        if (entry->local.port == server) {
            shown->queued |= entry->remote.port != 0;
            shown->queues |= entry->receive_queue > 0;
        } else if (entry->local.port == client) {
            shown->orphans = true;
            shown->timers |= entry->timer != 0;
        }
    }
    free(listing.entries);
}

static int port_of(int descriptor)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;

    return getsockname(descriptor, (struct sockaddr *)&address, &length) < 0
               ? -1
               : ntohs(address.sin_port);
}

/* A connection that waits to be accepted; then the client closes first, so that TIME_WAIT is at its
 * port. */
static void make_and_look(struct shown *shown, int other)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    int own;

    if (listen(server, 1) < 0)
        return;
    address.sin_port = htons((in_port_t)port_of(server));
    if (connect(client, (struct sockaddr *)&address, sizeof address) < 0)
        return;
    own = port_of(client);
    look(shown, other, port_of(server), -1);
    close(client);
    close(accept(server, NULL, NULL));
    look(shown, other, -1, own);
}

static const struct shown *shown(void)
{
    static struct shown *place;
    pid_t child;

    if (place)
        return place;
    place = mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED)
        abort();
    child = fork();
    if (child == 0) {
        const int other = socket(AF_INET, SOCK_STREAM, 0);

        if (listen(other, 1) == 0 && unshare(CLONE_NEWNET) == 0 && host_link_up("lo") == 0)
            make_and_look(place, port_of(other));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return place;
}

bool probe_see_own_only(void)
{
    return can(CAN_SOCK_DIAG) || !shown()->others;
}

bool probe_see_orphans(void)
{
    return can(CAN_SOCK_DIAG) || shown()->orphans;
}

bool probe_see_queued(void)
{
    return can(CAN_SOCK_DIAG) || shown()->queued;
}

bool probe_see_queues(void)
{
    return can(CAN_SOCK_DIAG) || shown()->queues;
}

bool probe_see_timers(void)
{
    return can(CAN_SOCK_DIAG) || shown()->timers;
}
