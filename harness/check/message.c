#include "message.h"

#include <stdlib.h>
#include <string.h>

void message_says(struct message *message, const char *text)
{
    memset(message, 0, sizeof *message);
    message->part = (struct iovec){message->bytes, strlen(text)};
    if (message->part.iov_len > sizeof message->bytes)
        abort();
    memcpy(message->bytes, text, message->part.iov_len);
    message->header.msg_iov = &message->part;
    message->header.msg_iovlen = 1;
}

/* Not by CMSG_NXTHDR(), which takes what is not written yet for a length. */
void message_adds(struct message *message, int level, int type, const void *data, size_t size)
{
    const size_t used = message->header.msg_controllen;
    struct cmsghdr *item = (struct cmsghdr *)(void *)(message->control + used);

    if (used + CMSG_SPACE(size) > sizeof message->control)
        abort();
    item->cmsg_len = (socklen_t)CMSG_LEN(size); /* a size_t on Linux alone */
    item->cmsg_level = level;
    item->cmsg_type = type;
    memcpy(CMSG_DATA(item), data, size);
    message->header.msg_control = message->control;
    message->header.msg_controllen = (socklen_t)(used + CMSG_SPACE(size));
}

void message_takes(struct message *message, size_t control_room)
{
    message_says(message, "");
    message->part.iov_len = sizeof message->bytes;
    message->header.msg_name = &message->from;
    message->header.msg_namelen = sizeof message->from;
    message->header.msg_control = control_room ? message->control : NULL;
    message->header.msg_controllen = (socklen_t)control_room;
}

const void *message_has(struct message *message, int level, int type, size_t *size)
{
    struct msghdr *header = &message->header;

    for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
        if (item->cmsg_level != level || item->cmsg_type != type)
            continue;
        *size = item->cmsg_len - CMSG_LEN(0);
        return CMSG_DATA(item);
    }
    return NULL;
}
