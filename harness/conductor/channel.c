#include "channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_open(struct channel *channel, int socket)
{
    *channel = (struct channel){.socket = socket};
    channel->buffer = malloc(CHANNEL_LINE_LIMIT);
    return channel->buffer ? 0 : -1;
}

int channel_take(struct channel *channel, int *descriptors, int most)
{
    const int count = channel->count;

    for (int i = 0; i < count && i < most; i++)
        descriptors[i] = channel->descriptors[i];
    for (int i = most; i < count; i++)
        close(channel->descriptors[i]);
    channel->count = 0;
    return count;
}

void channel_close(struct channel *channel)
{
    channel_take(channel, NULL, 0);
    free(channel->buffer);
    close(channel->socket);
}

static void keep_descriptors(struct channel *channel, struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int descriptor;

            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof descriptor, sizeof descriptor);
            if (channel->count < CHANNEL_DESCRIPTORS)
                channel->descriptors[channel->count++] = descriptor;
            else
                close(descriptor);
        }
    }
}

/* The number of bytes read, 0 at end of file, -1 with errno. */
static ssize_t receive(struct channel *channel)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec place = {channel->buffer + channel->used, CHANNEL_LINE_LIMIT - channel->used};
    struct msghdr message = {.msg_iov = &place,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    const ssize_t length = recvmsg(channel->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length < 0)
        return -1;
    keep_descriptors(channel, &message);
    channel->used += (size_t)length;
    return length;
}

static char *newline(const struct channel *channel)
{
    return memchr(channel->buffer, '\n', channel->used);
}

static void drop(struct channel *channel, size_t length)
{
    channel->used -= length;
    memmove(channel->buffer, channel->buffer + length, channel->used);
}

/* Forgets the rest of a line that was too long, as far as it has come. */
static void skip(struct channel *channel)
{
    const char *end = newline(channel);

    if (end)
        channel->skipping = false;
    drop(channel, end ? (size_t)(end - channel->buffer) + 1 : channel->used);
}

enum channel_state channel_next(struct channel *channel, const char **line, size_t *length)
{
    const char *end;

    drop(channel, channel->taken);
    channel->taken = 0;
    while (channel->skipping || !(end = newline(channel))) {
        if (channel->used == CHANNEL_LINE_LIMIT) {
            channel->used = 0;
            channel->skipping = true;
            return CHANNEL_TOO_LONG;
        }
        if (!channel->skipping || channel->used == 0) {
            const ssize_t count = receive(channel);

            if (count == 0)
                return CHANNEL_END;
            if (count < 0)
                return errno == EAGAIN || errno == EINTR ? CHANNEL_NOTHING : CHANNEL_END;
        }
        if (channel->skipping)
            skip(channel);
    }
    *line = channel->buffer;
    *length = (size_t)(end - channel->buffer);
    channel->taken = *length + 1;
    return CHANNEL_LINE;
}

/* The number of bytes sent, or -1 with errno. */
static ssize_t send_beside(int socket, const char *text, size_t length, int descriptor)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof descriptor)];
    } control = {0};
    struct iovec place = {(void *)(uintptr_t)text, length};
    struct msghdr message = {.msg_iov = &place,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);

    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int channel_hand_over(const struct channel *channel, json_t *reply, int descriptor)
{
    char *text = json_dumps(reply, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0, sent = 0;

    json_decref(reply);
    if (!text)
        return -1;
    text[length++] = '\n';
    while (sent < length) {
        const ssize_t count = sent == 0 && descriptor >= 0
                                  ? send_beside(channel->socket, text, length, descriptor)
                                  : send(channel->socket, text + sent, length - sent, MSG_NOSIGNAL);

        if (count < 0 && errno != EINTR)
            break;
        sent += count < 0 ? 0 : (size_t)count;
    }
    free(text);
    return sent == length ? 0 : -1;
}

int channel_send(const struct channel *channel, json_t *reply)
{
    return channel_hand_over(channel, reply, -1);
}
