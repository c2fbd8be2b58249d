#include "case.h"
#include "sockets.h"

#include <string.h>
#include <sys/uio.h>

enum { MANY = 3, ROOM = 8 };

/* As many messages, each with a buffer of its own. */
struct batch {
    struct mmsghdr headers[MANY];
    struct iovec parts[MANY];
    char bytes[MANY][ROOM];
};

/* Each of as many bytes as its number says: "", "b", "cc". */
static struct mmsghdr *batch_to_send(struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    for (size_t i = 0; i < MANY; i++) {
        memset(batch->bytes[i], 'a' + (int)i, i);
        batch->parts[i] = (struct iovec){batch->bytes[i], i};
        batch->headers[i].msg_hdr.msg_iov = &batch->parts[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
    }
    return batch->headers;
}

static struct mmsghdr *batch_to_receive(struct batch *batch)
{
    batch_to_send(batch);
    for (size_t i = 0; i < MANY; i++)
        batch->parts[i].iov_len = ROOM;
    return batch->headers;
}

static int send_batch(int fd)
{
    struct batch batch;

    return sendmmsg(fd, batch_to_send(&batch), MANY, 0);
}

/* sendmmsg() sends each as a datagram of its own, and tells the length of each.
 *
 * sendmmsg(2); Linux net/socket.c __sys_sendmmsg(). */
CASE(sendmmsg_sends_each, EACH(datagram), BEHAVIOUR("Q7"), ABOUT("sendmmsg"))
{
    char bytes[ROOM];
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    GIVES(sendmmsg(pair.mine, batch_to_send(&batch), MANY, 0), MANY);
    for (int i = 0; i < MANY; i++) {
        IS(batch.headers[i].msg_len, i);
        GIVES(recv(pair.peer, bytes, sizeof bytes, MSG_DONTWAIT), i);
    }
}

/* When one fails it gives how many went before it; the error is not told.
 *
 * sendmmsg(2) (an error only if no datagrams could be sent); Linux net/socket.c __sys_sendmmsg().
 */
CASE(sendmmsg_gives_what_went_before_an_error, EACH(datagram), BEHAVIOUR("Q7"), ABOUT("sendmmsg"))
{
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    batch_to_send(&batch);
    batch.headers[2].msg_hdr.msg_iov = NULL;
    GIVES(sendmmsg(pair.mine, batch.headers, MANY, 0), 2);
    GIVES(so_error(pair.mine), 0);
}

/* When the first fails its error is told.
 *
 * sendmmsg(2). */
CASE(sendmmsg_tells_the_error_of_the_first, EACH(datagram), BEHAVIOUR("Q7"),
     ABOUT("sendmmsg", "EFAULT"))
{
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    batch_to_send(&batch);
    batch.headers[0].msg_hdr.msg_iov = NULL;
    FAILS(sendmmsg(pair.mine, batch.headers, MANY, 0), EFAULT);
}

/* recvmmsg() gives all that are there, each with its length.
 *
 * recvmmsg(2); Linux net/socket.c do_recvmmsg(). */
CASE(recvmmsg_gives_each, EACH(datagram), BEHAVIOUR("Q7"), ABOUT("recvmmsg"))
{
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send_batch(pair.peer));
    GIVES(recvmmsg(pair.mine, batch_to_receive(&batch), MANY, 0, NULL), MANY);
    for (int i = 0; i < MANY; i++)
        IS(batch.headers[i].msg_len, i);
}

/* With MSG_WAITFORONE it waits for the first and takes what else is there.
 *
 * recvmmsg(2) (MSG_WAITFORONE). */
CASE(msg_waitforone_takes_what_is_there, EACH(datagram), BEHAVIOUR("Q7"),
     ABOUT("recvmmsg", "MSG_WAITFORONE"))
{
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    NEED((int)send(pair.peer, "y", 1, 0));
    GIVES(recvmmsg(pair.mine, batch_to_receive(&batch), MANY, MSG_WAITFORONE, NULL), 2);
}

/* A socket that may not wait is given those that are there, and EAGAIN when none is.
 *
 * recvmmsg(2) [EAGAIN]. */
CASE(recvmmsg_does_not_wait_if_it_may_not, EACH(datagram), BEHAVIOUR("Q7"),
     ABOUT("recvmmsg", "MSG_DONTWAIT", "EAGAIN"))
{
    struct batch batch;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    GIVES(recvmmsg(pair.mine, batch_to_receive(&batch), MANY, MSG_DONTWAIT, NULL), 1);
    FAILS(recvmmsg(pair.mine, batch_to_receive(&batch), MANY, MSG_DONTWAIT, NULL), EAGAIN);
}

/* A time that is none is EINVAL, though something is there.
 *
 * recvmmsg(2) [EINVAL] (timeout is invalid). */
CASE(recvmmsg_refuses_a_time_that_is_none, EACH(datagram), BEHAVIOUR("Q7"),
     ABOUT("recvmmsg", "EINVAL"))
{
    struct batch batch;
    struct pair pair;
    struct timespec none = {.tv_nsec = 1000000000};

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.peer, "x", 1, 0));
    FAILS(recvmmsg(pair.mine, batch_to_receive(&batch), MANY, MSG_DONTWAIT, &none), EINVAL);
}
