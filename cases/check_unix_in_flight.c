#include "case.h"
#include "passing.h"

#include <poll.h>
#include <unistd.h>

/* --- in flight -----------------------------------------------------------------------------------
 */

/* What is in flight stays open when its sender closes it.
 *
 * unix(7) (SCM_RIGHTS); POSIX.1-2024 <sys/socket.h>. */
CASE(a_descriptor_in_flight_outlives_the_senders, EACH(unix_all), BEHAVIOUR("M3"),
     ABOUT("SCM_RIGHTS", "close"))
{
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED(close(of.writer));
    GIVES(is_hung_up(of.reader), 0);
    GIVES(write(NEED(receive_one(of.pair.peer)), "x", 1), 1);
}

/* And when the socket is closed that it was sent over.
 *
 * unix(7). */
CASE(a_descriptor_in_flight_outlives_its_socket, EACH(unix_all), BEHAVIOUR("M3"),
     ABOUT("SCM_RIGHTS", "close"))
{
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED(close(of.writer));
    NEED(close(of.pair.mine));
    GIVES(write(SUCCEEDS(receive_one(of.pair.peer)), "x", 1), 1);
}

/* It is closed when the socket is that it waits at.
 *
 * Linux net/unix/af_unix.c unix_release_sock(), unix_destruct_scm(). */
CASE(closing_the_receiver_closes_what_is_in_flight, EACH(unix_all), BEHAVIOUR("M3"),
     ABOUT("SCM_RIGHTS", "close"))
{
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED(close(of.writer));
    GIVEN(is_hung_up(of.reader) == 0);
    NEED(close(of.pair.peer));
    GIVES(is_hung_up(of.reader), 1);
}

static KINDS(cycles, KIND("in_its_own_queue", .value = 1), KIND("in_each_others", .value = 2));

/* Sockets that only their own messages in flight hold are collected, with all that waits there:
 * when any other UNIX socket is released, since nothing of a cycle ever is.
 *
 * unix(7); Linux net/unix/garbage.c unix_gc(), which unix_release_sock() has a worker run. */
CASE(a_cycle_in_flight_is_collected, EACH(unix_all, cycles), WAITS, DEADLINE(10), BEHAVIOUR("M6"),
     ABOUT("SCM_RIGHTS", "close"))
{
    struct passing of;
    const int unrelated = NEED(new_socket(kind));

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED(pass(of.pair.mine, kind->value == 1 ? of.pair.peer : of.pair.mine));
    if (kind->value == 2)
        NEED(pass(of.pair.peer, of.pair.peer));
    NEED(close(of.writer));
    NEED(close(of.pair.mine));
    NEED(close(of.pair.peer));
    NEED(close(unrelated));
    GIVES(await_events(of.reader, POLLIN), POLLHUP);
}

/* --- close-on-exec -------------------------------------------------------------------------------
 */

/* With MSG_CMSG_CLOEXEC what comes is closed on exec.
 *
 * POSIX.1-2024 recvmsg() (MSG_CMSG_CLOEXEC); recvmsg(2). */
CASE(msg_cmsg_cloexec_sets_close_on_exec, EACH(unix_all), BEHAVIOUR("M4", "L3"),
     ABOUT("SCM_RIGHTS", "MSG_CMSG_CLOEXEC", "FD_CLOEXEC"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    message_takes(&message, CMSG_SPACE(sizeof(int)));
    NEED((int)recvmsg(of.pair.peer, &message.header, MSG_CMSG_CLOEXEC));
    GIVES(fcntl(nth_in(&message, 0), F_GETFD), FD_CLOEXEC);
}

/* Without it it is not, even if the sender's is: the flag is of a descriptor, not of its file.
 *
 * POSIX.1-2024 recvmsg(), fcntl() (FD_CLOEXEC). */
CASE(close_on_exec_is_not_passed, EACH(unix_all), BEHAVIOUR("M4", "L3"),
     ABOUT("SCM_RIGHTS", "FD_CLOEXEC"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(fcntl(of.writer, F_SETFD, FD_CLOEXEC));
    NEED(pass(of.pair.mine, of.writer));
    message_takes(&message, CMSG_SPACE(sizeof(int)));
    NEED((int)recvmsg(of.pair.peer, &message.header, 0));
    GIVES(fcntl(nth_in(&message, 0), F_GETFD), 0);
}

/* --- looking ahead -------------------------------------------------------------------------------
 */

/* MSG_PEEK gives descriptors, and the read that follows gives them again, by other numbers.
 *
 * Linux net/unix/af_unix.c unix_peek_fds(). */
CASE(peeking_gives_descriptors_of_its_own, EACH(unix_all), BEHAVIOUR("M5"),
     ABOUT("SCM_RIGHTS", "MSG_PEEK"))
{
    struct message message;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    message_takes(&message, CMSG_SPACE(sizeof(int)));
    GIVES(recvmsg(of.pair.peer, &message.header, MSG_PEEK), 1);
    const int peeked = SUCCEEDS(nth_in(&message, 0)), taken = SUCCEEDS(receive_one(of.pair.peer));
    IS(peeked != taken, true);
    GIVES(write(peeked, "x", 1), 1);
    GIVES(write(taken, "x", 1), 1);
}

/* A peek without room for control data loses no descriptor.
 *
 * Linux net/unix/af_unix.c unix_peek_fds(). */
CASE(a_plain_peek_leaves_the_descriptors, EACH(unix_all), BEHAVIOUR("M5"),
     ABOUT("SCM_RIGHTS", "MSG_PEEK"))
{
    char byte;
    struct passing of;

    NEED(new_passing(kind, &of));
    NEED(pass(of.pair.mine, of.writer));
    NEED((int)recv(of.pair.peer, &byte, 1, MSG_PEEK));
    GIVES(write(SUCCEEDS(receive_one(of.pair.peer)), "x", 1), 1);
}
