#include "case.h"
#include "passing.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { SCM_MOST = 253, DESCRIPTORS_SEEN = 512 };

static int open_descriptors(void)
{
    int count = 0;

    for (int i = 0; i < DESCRIPTORS_SEEN; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* --- a descriptor is passed ----------------------------------------------------------------------
 */

/* A descriptor that SCM_RIGHTS brings refers to what was sent: a pipe's writing end writes there.
 *
 * POSIX.1-2024 <sys/socket.h> (SCM_RIGHTS); unix(7). */
CASE(a_descriptor_is_passed, EACH(unix_all), BEHAVIOUR("M1"), ABOUT("SCM_RIGHTS", "recvmsg"))
{
    char bytes[4];
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    message_takes(&message, CMSG_SPACE(sizeof(int)));
    GIVES(recvmsg(of.pair.peer, &message.header, 0), 1);
    NEED((int)write(nth_in(&message, 0), "pipe", 4));
    GIVES(read(of.reader, bytes, sizeof bytes), 4);
}

/* It has the lowest number that is free, as if by dup().
 *
 * unix(7) (SCM_RIGHTS); Linux fs/file.c receive_fd(). */
CASE(a_passed_descriptor_has_the_lowest_number, EACH(unix_all), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS"))
{
    struct passing of;

    NEED(new_passing(kind, &of));
    const int hole = NEED(dup(of.reader));
    NEED(dup(of.reader));
    NEED(pass(of.pair.mine, of.writer));
    NEED(close(hole));
    IS(receive_one(of.pair.peer), hole);
}

/* It shares the open file: reading through one moves the other's offset.
 *
 * POSIX.1-2024 <sys/socket.h> (SCM_RIGHTS: the same open file description); unix(7). */
CASE(a_passed_descriptor_shares_the_offset, EACH(unix_all), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS", "lseek"))
{
    char byte;
    struct pair pair;
    FILE *file = tmpfile();

    GIVEN(file != NULL && fputs("abc", file) >= 0 && fflush(file) == 0);
    NEED(connected_pair(kind, &pair));
    NEED(pass(pair.mine, fileno(file)));
    NEED((int)lseek(fileno(file), 0, SEEK_SET));
    NEED((int)read(NEED(receive_one(pair.peer)), &byte, 1));
    IS(lseek(fileno(file), 0, SEEK_CUR), 1);
}

/* O_NONBLOCK is of the open file as well, and shared.
 *
 * POSIX.1-2024 fcntl() (file status flags are of the open file description). */
CASE(a_passed_descriptor_shares_o_nonblock, EACH(unix_all), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS", "O_NONBLOCK"))
{
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.reader));
    NEED(nonblocking(NEED(receive_one(of.pair.peer))));
    IS((NEED(fcntl(of.reader, F_GETFL)) & O_NONBLOCK) != 0, true);
}

/* Several come in the order that they were sent in.
 *
 * unix(7) (SCM_RIGHTS: an array); Linux net/core/scm.c scm_detach_fds(). */
CASE(several_descriptors_keep_their_order, EACH(unix_all), BEHAVIOUR("M1"), ABOUT("SCM_RIGHTS"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    with_descriptors(&message, (int[]){of.writer, of.reader}, 2);
    NEED((int)sendmsg(of.pair.mine, &message.header, 0));
    message_takes(&message, CMSG_SPACE(2 * sizeof(int)));
    NEED((int)recvmsg(of.pair.peer, &message.header, 0));
    IS(count_in(&message), 2);
    IS(fcntl(nth_in(&message, 0), F_GETFL) & O_ACCMODE, O_WRONLY);
    IS(fcntl(nth_in(&message, 1), F_GETFL) & O_ACCMODE, O_RDONLY);
}

/* A message carries 253 descriptors.
 *
 * unix(7) (SCM_MAX_FD); Linux include/net/scm.h. */
CASE(a_message_carries_253_descriptors, EACH(unix_all), BEHAVIOUR("M1"), ABOUT("SCM_RIGHTS"))
{
    int many[SCM_MOST];
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    for (int i = 0; i < SCM_MOST; i++)
        many[i] = of.writer;
    with_descriptors(&message, many, SCM_MOST);
    NEED((int)sendmsg(of.pair.mine, &message.header, 0));
    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(of.pair.peer, &message.header, 0));
    IS(count_in(&message), SCM_MOST);
}

/* One more is EINVAL.
 *
 * unix(7) (SCM_MAX_FD) [EINVAL]; Linux net/core/scm.c scm_fp_copy(). */
CASE(a_message_of_254_descriptors_is_refused, EACH(unix_all), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS", "EINVAL"))
{
    int many[SCM_MOST + 1];
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    for (int i = 0; i < SCM_MOST + 1; i++)
        many[i] = of.writer;
    with_descriptors(&message, many, SCM_MOST + 1);
    FAILS(sendmsg(of.pair.mine, &message.header, 0), EINVAL);
}

/* What is no descriptor cannot be passed: EBADF.
 *
 * unix(7) [EBADF]; Linux net/core/scm.c scm_fp_copy(). */
CASE(a_closed_descriptor_cannot_be_passed, EACH(unix_all), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS", "EBADF"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    with_descriptors(&message, &of.writer, 1);
    NEED(close(of.writer));
    FAILS(sendmsg(of.pair.mine, &message.header, 0), EBADF);
}

/* On a stream a descriptor needs a byte to go with: without one none is sent.
 *
 * unix(7): "At least one byte of real data should be sent when sending ancillary data."; Linux
 * net/unix/af_unix.c unix_stream_sendmsg(). */
CASE(on_a_stream_a_descriptor_needs_a_byte, BEHAVIOUR("M1"), ABOUT("SCM_RIGHTS", "sendmsg"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(&unix_stream, &of));
    with_descriptors(&message, &of.writer, 1);
    message.part.iov_len = 0;
    GIVES(sendmsg(of.pair.mine, &message.header, 0), 0);
    EVENTS_ARE(events_now(of.pair.peer, POLLIN), 0);
}

static KINDS(records, KIND("datagram", .family = AF_UNIX, .type = SOCK_DGRAM),
             KIND("seqpacket", .family = AF_UNIX, .type = SOCK_SEQPACKET));

/* A record of no bytes carries it.
 *
 * unix(7); Linux net/unix/af_unix.c unix_dgram_sendmsg(). */
CASE(a_record_of_no_bytes_carries_a_descriptor, EACH(records), BEHAVIOUR("M1"),
     ABOUT("SCM_RIGHTS", "sendmsg"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    with_descriptors(&message, &of.writer, 1);
    message.part.iov_len = 0;
    GIVES(sendmsg(of.pair.mine, &message.header, 0), 0);
    SUCCEEDS(receive_one(of.pair.peer));
}

/* A read of a stream ends with the bytes that descriptors came with, though more are there.
 *
 * unix(7) (ancillary data is a barrier for the received data); Linux net/unix/af_unix.c
 * unix_stream_read_generic(). */
CASE(descriptors_are_a_barrier_in_a_stream, BEHAVIOUR("M1"), ABOUT("SCM_RIGHTS", "recvmsg"))
{
    char bytes[8];
    struct passing of;

    NEED(new_passing(&unix_stream, &of));
    NEED((int)send(of.pair.mine, "before", 6, 0));
    NEED(pass(of.pair.mine, of.writer));
    NEED((int)send(of.pair.mine, "after", 5, 0));
    GIVES(recv(of.pair.peer, bytes, sizeof bytes, 0), 7);
    GIVES(recv(of.pair.peer, bytes, sizeof bytes, 0), 5);
}

/* --- too little room -----------------------------------------------------------------------------
 */

/* Descriptors that there is no room for are told of by MSG_CTRUNC.
 *
 * POSIX.1-2024 recvmsg() (MSG_CTRUNC); unix(7) (SCM_RIGHTS). */
CASE(truncated_control_data_is_told_of, EACH(unix_all), BEHAVIOUR("M2"),
     ABOUT("SCM_RIGHTS", "MSG_CTRUNC"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    with_descriptors(&message, (int[]){of.writer, of.reader}, 2);
    NEED((int)sendmsg(of.pair.mine, &message.header, 0));
    message_takes(&message, CMSG_LEN(sizeof(int)));
    NEED((int)recvmsg(of.pair.peer, &message.header, 0));
    IS(message.header.msg_flags & MSG_CTRUNC, MSG_CTRUNC);
    IS(count_in(&message), 1);
}

static KINDS(rooms, KIND("for_one", .value = CMSG_LEN(sizeof(int))),
             KIND("for_a_header", .value = CMSG_LEN(0)), KIND("for_nothing", .value = 0));

/* No descriptor is opened that there was no room to tell of.
 *
 * unix(7) (SCM_RIGHTS: the excess file descriptors are automatically closed); Linux
 * net/core/scm.c scm_detach_fds(). */
CASE(truncated_control_data_leaks_no_descriptor, EACH(unix_all, rooms), BEHAVIOUR("M2"),
     ABOUT("SCM_RIGHTS", "MSG_CTRUNC"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    with_descriptors(&message, (int[]){of.writer, of.reader}, 2);
    NEED((int)sendmsg(of.pair.mine, &message.header, 0));
    message_takes(&message, (size_t)kind->value);
    const int before = open_descriptors();
    NEED((int)recvmsg(of.pair.peer, &message.header, 0));
    IS(open_descriptors() - before, count_in(&message));
    IS(count_in(&message), kind->value > (int)CMSG_LEN(0));
}

/* A recv(), which takes no control data, closes what came with the bytes.
 *
 * unix(7) (SCM_RIGHTS); Linux net/core/scm.c scm_destroy(). */
CASE(a_plain_recv_closes_the_descriptors, EACH(unix_all), BEHAVIOUR("M2"),
     ABOUT("SCM_RIGHTS", "recv"))
{
    char byte;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED(close(of.writer));
    GIVEN(is_hung_up(of.reader) == 0);
    GIVES(recv(of.pair.peer, &byte, 1, 0), 1);
    GIVES(is_hung_up(of.reader), 1);
}
