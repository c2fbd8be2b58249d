#include "passing.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

int new_passing(const struct kind *kind, struct passing *of)
{
    int ends[2];

    if (connected_pair(kind, &of->pair) < 0 || pipe(ends) < 0)
        return -1;
    of->reader = ends[0];
    of->writer = ends[1];
    return 0;
}

void with_descriptors(struct message *message, const int *descriptors, int count)
{
    message_says(message, "x");
    message_adds(message, SOL_SOCKET, SCM_RIGHTS, descriptors, sizeof(int) * (size_t)count);
}

int pass(int over, int descriptor)
{
    struct message message;

    with_descriptors(&message, &descriptor, 1);
    return (int)sendmsg(over, &message.header, 0);
}

int count_in(struct message *message)
{
    size_t size = 0;

    return message_has(message, SOL_SOCKET, SCM_RIGHTS, &size) ? (int)(size / sizeof(int)) : 0;
}

int nth_in(struct message *message, int nth)
{
    int descriptor;
    size_t size;
    const char *data = message_has(message, SOL_SOCKET, SCM_RIGHTS, &size);

    if (!data || (size_t)(nth + 1) * sizeof descriptor > size) {
        errno = EBADF;
        return -1;
    }
    memcpy(&descriptor, data + (size_t)nth * sizeof descriptor, sizeof descriptor);
    return descriptor;
}

int receive_one(int from)
{
    struct message message;

    message_takes(&message, CMSG_SPACE(sizeof(int)));
    return recvmsg(from, &message.header, MSG_DONTWAIT) < 0 ? -1 : nth_in(&message, 0);
}

int is_hung_up(int reader)
{
    const int events = events_now(reader, POLLIN);

    return events < 0 ? -1 : (events & POLLHUP) != 0;
}
