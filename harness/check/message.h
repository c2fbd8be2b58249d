#ifndef SOCKSPEC_MESSAGE_H
#define SOCKSPEC_MESSAGE_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MESSAGE_ROOM = 256, CONTROL_ROOM = 2048 };

/* What sendmsg() and recvmsg() take, in one piece: one text, and control data. It points into
 * itself: prepare it where it stays. */
struct message {
    struct msghdr header;
    struct iovec part;
    char bytes[MESSAGE_ROOM];
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) char control[CONTROL_ROOM];
};

/* To be sent: that text, and no control data yet. */
void message_says(struct message *message, const char *text);
/* One item of control data more; what does not fit ends the process. */
void message_adds(struct message *message, int level, int type, const void *data, size_t size);
/* To be received into: so much room for control data, and all there is for text and sender. */
void message_takes(struct message *message, size_t control_room);

/* In a message that was received: the first such item of control data, and its size; NULL for none.
 */
const void *message_has(struct message *message, int level, int type, size_t *size);

#endif
