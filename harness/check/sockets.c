#include "sockets.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#include <sys/ioctl.h>
#endif

enum { LIMIT_MS = 5000, MOST_CONNECTS = 8, CHUNK = 4096 };

/* --- one socket ----------------------------------------------------------------------------------
 */

static int flag_if_wanted(const struct kind *kind, int descriptor)
{
    return descriptor >= 0 && kind->nonblocking && nonblocking(descriptor) < 0 ? -1 : descriptor;
}

static int plain_socket(const struct kind *kind)
{
    const int descriptor = socket(kind->family, kind->type, 0);

    return descriptor < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -1 : descriptor;
}

int new_socket(const struct kind *kind)
{
    return flag_if_wanted(kind, plain_socket(kind));
}

int bound_to(const struct kind *kind, struct address address)
{
    const int descriptor = new_socket(kind);

    if (descriptor < 0 || bind(descriptor, &address.any, address.length) < 0)
        return -1;
    return descriptor;
}

int bound_socket(const struct kind *kind)
{
    return bound_to(kind, loopback(kind, PORT));
}

int listening_at(const struct kind *kind, struct address address, int backlog)
{
    const int descriptor = bound_to(kind, address);

    return descriptor < 0 || listen(descriptor, backlog) < 0 ? -1 : descriptor;
}

int listening_socket(const struct kind *kind)
{
    return listening_at(kind, loopback(kind, PORT), SOMAXCONN);
}

int waiting_client(const struct kind *kind)
{
    const struct address there = loopback(kind, PORT);
    const int client = plain_socket(kind);

    if (client < 0 || connect(client, &there.any, there.length) < 0)
        return -1;
    return flag_if_wanted(kind, client);
}

/* Begins to connect: 0 when it is done, 1 when it is in progress, -1 with errno. On loopback it is
 * done when connect returns, which says EINPROGRESS all the same. */
static int begin_connecting(int descriptor, const struct address *address)
{
    int events;

    if (descriptor < 0 || nonblocking(descriptor) < 0)
        return -1;
    if (connect(descriptor, &address->any, address->length) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -1;
    events = events_now(descriptor, POLLOUT);
    return events < 0 ? -1 : events == 0;
}

/* When the listener's queue is full its SYNs are dropped. */
int connecting_socket(const struct kind *kind)
{
    const struct address there = loopback(kind, PORT);

    if (listening_at(kind, there, 0) < 0)
        return -1;
    for (int i = 0; i < MOST_CONNECTS; i++) {
        const int descriptor = plain_socket(kind);
        const int status = begin_connecting(descriptor, &there);

        if (status != 0)
            return status < 0 ? -1 : descriptor;
    }
    errno = ETIMEDOUT;
    return -1;
}

/* --- two ends of a connection --------------------------------------------------------------------
 */

static int join_by_listener(const struct kind *kind, struct pair *pair)
{
    const struct kind plain = {.family = kind->family, .type = kind->type, .mapped = kind->mapped};
    const struct address there = loopback(kind, PORT);
    const int listener = listening_at(&plain, there, 1);

    pair->mine = plain_socket(kind);
    if (listener < 0 || pair->mine < 0 || connect(pair->mine, &there.any, there.length) < 0)
        return -1;
    pair->peer = accept(listener, NULL, NULL);
    if (pair->peer < 0 || close(listener) < 0)
        return -1;
    return fcntl(pair->peer, F_SETFD, FD_CLOEXEC);
}

/* Datagram sockets, each bound and connected to the other. */
static int join_to_each_other(const struct kind *kind, struct pair *pair)
{
    const struct kind plain = {.family = kind->family, .type = kind->type, .mapped = kind->mapped};
    const struct address mine = loopback(kind, OTHER_PORT), theirs = loopback(kind, PORT);

    pair->mine = bound_to(&plain, mine);
    pair->peer = bound_to(&plain, theirs);
    if (pair->mine < 0 || pair->peer < 0)
        return -1;
    return connect(pair->mine, &theirs.any, theirs.length) < 0 ||
                   connect(pair->peer, &mine.any, mine.length) < 0
               ? -1
               : 0;
}

int connected_pair(const struct kind *kind, struct pair *pair)
{
    const bool datagrams = kind->type == SOCK_DGRAM;

    *pair = (struct pair){-1, -1};
    if ((datagrams ? join_to_each_other : join_by_listener)(kind, pair) < 0)
        return -1;
    if (kind->nonblocking && (nonblocking(pair->mine) < 0 || nonblocking(pair->peer) < 0))
        return -1;
    return 0;
}

/* That the peer's end has arrived shows as readable: an end of file or an error. */
static int await_arrival(const struct pair *pair)
{
    return await_events(pair->mine, POLLIN) < 0 ? -1 : 0;
}

int half_closed_pair(const struct kind *kind, struct pair *pair)
{
    if (connected_pair(kind, pair) < 0 || shutdown(pair->peer, SHUT_WR) < 0)
        return -1;
    return await_arrival(pair);
}

static int close_peer(struct pair *pair)
{
    const int peer = pair->peer;

    pair->peer = -1;
    return close(peer) < 0 ? -1 : await_arrival(pair);
}

int closed_pair(const struct kind *kind, struct pair *pair)
{
    return connected_pair(kind, pair) < 0 ? -1 : close_peer(pair);
}

/* TCP resets when it lingers for no time; UNIX sockets when they discard data. */
int reset_pair(const struct kind *kind, struct pair *pair)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (connected_pair(kind, pair) < 0)
        return -1;
    if (kind->family == AF_UNIX) {
        if (send(pair->mine, "x", 1, 0) != 1)
            return -1;
    } else if (setsockopt(pair->peer, SOL_SOCKET, SO_LINGER, &none, sizeof none) < 0) {
        return -1;
    }
    return close_peer(pair);
}

/* --- what is done to one -------------------------------------------------------------------------
 */

int nonblocking(int descriptor)
{
    const int flags = fcntl(descriptor, F_GETFL);

    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int set_option(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

int get_option(int descriptor, int level, int option)
{
    int value = 0;
    socklen_t size = sizeof value;

    return getsockopt(descriptor, level, option, &value, &size) < 0 ? -1 : value;
}

int so_error(int descriptor)
{
    return get_option(descriptor, SOL_SOCKET, SO_ERROR);
}

/* Sends so many bytes at a time till EAGAIN: how many in all. */
static int stuff(int descriptor, size_t size)
{
    static const char chunk[CHUNK];
    ssize_t sent;
    int total = 0;

    while ((sent = send(descriptor, chunk, size, 0)) > 0)
        total += (int)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? total : -1;
}

/* Waits till all that TCP has sent is acknowledged, which frees room; a delayed acknowledgement
 * takes its time. What the window keeps back is not sent. */
static int await_acknowledgement(int descriptor)
{
#ifdef __linux__
    const time_t start = time(NULL);
    int queued, unsent;

    for (;;) {
        if (ioctl(descriptor, SIOCOUTQNSD, &unsent) < 0)
            return errno == ENOTTY ? 0 : -1; /* A UNIX socket's have arrived when they are sent. */
        if (ioctl(descriptor, SIOCOUTQ, &queued) < 0)
            return -1;
        if (queued == unsent)
            return 0;
        if (time(NULL) - start > LIMIT_MS / 1000) {
            errno = ETIMEDOUT;
            return -1;
        }
        sched_yield();
    }
#else
    (void)descriptor;
    return 0;
#endif
}

/* Sends so many bytes at a time till there is no room though all is acknowledged: how many in all.
 */
static int fill_by(int descriptor, size_t size)
{
    int total = 0, more;

    do {
        more = stuff(descriptor, size);
        if (more < 0 || await_acknowledgement(descriptor) < 0)
            return -1;
        total += more;
    } while (more > 0);
    return total;
}

/* What is left of the room may be less than a chunk. Bytes come when no acknowledgement frees more:
 * there would be very many of them. */
int fill(int descriptor)
{
    int chunks, bytes;

    if (nonblocking(descriptor) < 0)
        return -1;
    chunks = fill_by(descriptor, CHUNK);
    if (chunks < 0)
        return -1;
    bytes = fill_by(descriptor, 1);
    return bytes < 0 ? -1 : chunks + bytes;
}

int drain(int descriptor)
{
    char chunk[CHUNK];
    ssize_t received;
    int total = 0;

    while ((received = recv(descriptor, chunk, sizeof chunk, MSG_DONTWAIT)) > 0)
        total += (int)received;
    return received < 0 && errno != EAGAIN && errno != EWOULDBLOCK ? -1 : total;
}

/* --- what is awaited -----------------------------------------------------------------------------
 */

int await_events(int descriptor, int events)
{
    struct pollfd one = {.fd = descriptor, .events = (short)events};
    const int count = poll(&one, 1, LIMIT_MS);

    if (count == 0)
        errno = ETIMEDOUT;
    return count <= 0 ? -1 : one.revents;
}

int events_now(int descriptor, int events)
{
    struct pollfd one = {.fd = descriptor, .events = (short)events};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

int tcp_information(int descriptor, struct tcp_info *told, size_t least)
{
#ifdef __linux__
    socklen_t size = sizeof *told;

    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, told, &size) < 0)
        return -1;
    errno = ENODATA;
    return size < least ? -1 : 0;
#else
    (void)descriptor, (void)told, (void)least;
    return lacks("TCP_INFO");
#endif
}

int tcp_state(int descriptor)
{
#ifdef __linux__
    struct tcp_info told;

    return tcp_information(descriptor, &told, 1) < 0 ? -1 : told.tcpi_state;
#else
    return tcp_information(descriptor, NULL, 0);
#endif
}
