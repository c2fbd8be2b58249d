#include "case.h"
#include "sockets.h"

#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* accept: what it takes, what it gives, and what it says when there is nothing to take. */

/* --- flags ---------------------------------------------------------------------------------------
 */

/* accept4() with SOCK_CLOEXEC gives a descriptor that exec closes.
 *
 * POSIX.1-2024 accept4() (SOCK_CLOEXEC); accept4(2). */
CASE(accept4_sets_close_on_exec, EACH(connected), BEHAVIOUR("G1"), ABOUT("accept4", "SOCK_CLOEXEC"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    const int fd = SUCCEEDS(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    IS(NEED(fcntl(fd, F_GETFD)) & FD_CLOEXEC, FD_CLOEXEC);
    IS(NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK, 0);
}

/* With SOCK_NONBLOCK it gives one that does not block.
 *
 * POSIX.1-2024 accept4() (SOCK_NONBLOCK); accept4(2). */
CASE(accept4_sets_o_nonblock, EACH(connected), BEHAVIOUR("G1"), ABOUT("accept4", "SOCK_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    const int fd = SUCCEEDS(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    IS(NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK, O_NONBLOCK);
    IS(NEED(fcntl(fd, F_GETFD)) & FD_CLOEXEC, 0);
}

static KINDS(no_flags, KIND("1", .value = 1), KIND("MSG_DONTWAIT", .value = MSG_DONTWAIT),
             KIND("minus_1", .value = -1));

/* Any other flag is EINVAL, and nothing is taken.
 *
 * POSIX.1-2024 accept4() [EINVAL]; accept4(2) EINVAL; Linux net/socket.c __sys_accept4_file(). */
CASE(accept4_refuses_other_flags, EACH(connected, no_flags), BEHAVIOUR("G1", "V5"),
     ABOUT("accept4", "EINVAL"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    FAILS(accept4(listener, NULL, NULL, kind->value), EINVAL);
    EVENTS_ARE(events_now(listener, POLLIN), POLLIN);
}

/* accept() gives a blocking descriptor though the listener has O_NONBLOCK; BSD hands the flag down.
 *
 * POSIX.1-2024 accept() (O_NONBLOCK shall be clear); accept(2) (portable programs should not rely
 * on inheritance); FreeBSD sys/kern/uipc_syscalls.c kern_accept4(). */
CASE(o_nonblock_is_not_inherited, EACH(connected), BEHAVIOUR("G2"), ABOUT("accept", "O_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(nonblocking(listener));
    NEED(waiting_client(kind));
    const int fd = SUCCEEDS(accept(listener, NULL, NULL));
    IS(NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK,
       ON(LINUX(0), DARWIN(O_NONBLOCK), FREEBSD(O_NONBLOCK)));
}

/* Nor is FD_CLOEXEC, which belongs to a descriptor and not to the socket.
 *
 * POSIX.1-2024 accept() (FD_CLOEXEC shall be clear). */
CASE(close_on_exec_is_not_inherited, EACH(connected), BEHAVIOUR("G2"),
     ABOUT("accept", "FD_CLOEXEC"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(fcntl(listener, F_SETFD, FD_CLOEXEC));
    NEED(waiting_client(kind));
    const int fd = SUCCEEDS(accept(listener, NULL, NULL));
    IS(NEED(fcntl(fd, F_GETFD)), 0);
}

/* O_NONBLOCK that the listener is given does not reach who was accepted before.
 *
 * POSIX.1-2024 open() (file status flags are of the open file description). */
CASE(o_nonblock_of_the_listener_is_its_own, EACH(connected), BEHAVIOUR("G2"),
     ABOUT("accept", "O_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    const int fd = NEED(accept(listener, NULL, NULL));
    NEED(nonblocking(listener));
    IS(NEED(fcntl(fd, F_GETFL)) & O_NONBLOCK, 0);
}

/* --- nobody there --------------------------------------------------------------------------------
 */

/* accept() on a listener with O_NONBLOCK says EAGAIN when nobody waits.
 *
 * POSIX.1-2024 accept() [EAGAIN]; Linux net/ipv4/inet_connection_sock.c inet_csk_accept(). */
CASE(with_nobody_there_accept_says_eagain, EACH(connected), BEHAVIOUR("G3", "V5"),
     ABOUT("accept", "EAGAIN", "O_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(nonblocking(listener));
    FAILS(accept(listener, NULL, NULL), EAGAIN);
}

/* It says so again once all were taken: each connection is given once.
 *
 * POSIX.1-2024 accept() [EAGAIN] (no connections are present). */
CASE(when_all_were_taken_accept_says_eagain, EACH(connected), BEHAVIOUR("G3"),
     ABOUT("accept", "EAGAIN", "O_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(nonblocking(listener));
    NEED(waiting_client(kind));
    NEED(waiting_client(kind));
    NEED(accept(listener, NULL, NULL));
    NEED(accept(listener, NULL, NULL));
    FAILS(accept(listener, NULL, NULL), EAGAIN);
}

/* accept4() without SOCK_NONBLOCK does not wait either: what counts is the listener's flag.
 *
 * POSIX.1-2024 accept4(); Linux net/socket.c do_accept() (the listener's f_flags). */
CASE(a_nonblocking_listener_needs_no_flag, EACH(connected), BEHAVIOUR("G3", "G1"),
     ABOUT("accept4", "EAGAIN", "SOCK_NONBLOCK"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(nonblocking(listener));
    FAILS(accept4(listener, NULL, NULL, 0), EAGAIN);
}

/* --- the queue -----------------------------------------------------------------------------------
 */

/* accept() gives the connections in the order in which they came.
 *
 * POSIX.1-2024 accept() (the first connection on the queue). */
CASE(who_came_first_is_accepted_first, EACH(connected), BEHAVIOUR("V5"), ABOUT("accept"))
{
    char byte;
    const int listener = NEED(listening_socket(kind));
    const int first = NEED(waiting_client(kind)), second = NEED(waiting_client(kind));

    NEED(send(second, "2", 1, 0));
    NEED(send(first, "1", 1, 0));
    const int one = NEED(accept(listener, NULL, NULL)), other = NEED(accept(listener, NULL, NULL));
    BYTES_ARE(&byte, recv(one, &byte, 1, 0), "1");
    BYTES_ARE(&byte, recv(other, &byte, 1, 0), "2");
}

/* connect() is done before accept() is called, and what the client sent meanwhile is there to read.
 *
 * RFC 9293 §3.5 (the handshake is the two TCPs' alone); listen(2); unix_stream_connect(). */
CASE(what_was_sent_before_accept_is_readable, EACH(connected), BEHAVIOUR("G11"),
     ABOUT("accept", "recv"))
{
    char text[16];
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(send(client, "early", 5, 0));
    const int fd = NEED(accept(listener, NULL, NULL));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT), "early");
}

/* A client that has sent and closed before accept() is still heard: its data, then the end.
 *
 * RFC 9293 §3.6 (data before the FIN is delivered). */
CASE(who_left_before_accept_is_still_heard, EACH(connected), BEHAVIOUR("G11", "C2"),
     ABOUT("accept", "recv", "FIN"))
{
    char text[16];
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(send(client, "early", 5, 0));
    NEED(close(client));
    const int fd = SUCCEEDS(accept(listener, NULL, NULL));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT), "early");
    GIVES(recv(fd, text, sizeof text, MSG_DONTWAIT), 0);
}

/* A client may send more than once before accept(): all of it waits, and a record stays a record.
 *
 * RFC 9293 §3.10.7.4; unix(7) SOCK_SEQPACKET. */
CASE(all_that_was_sent_before_accept_waits, EACH(connected), BEHAVIOUR("G11"),
     ABOUT("accept", "recv"))
{
    char text[16];
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(send(client, "ear", 3, 0));
    NEED(send(client, "ly", 2, 0));
    const int fd = NEED(accept(listener, NULL, NULL));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT),
              kind->type == SOCK_STREAM ? "early" : "ear");
}

/* --- no descriptor is free -----------------------------------------------------------------------
 */

enum { ENOUGH = 256 };

static int descriptors_at_most(rlim_t count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    limit.rlim_cur = count;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* accept() says EMFILE when the process has as many descriptors as it may.
 *
 * POSIX.1-2024 accept() [EMFILE]; getrlimit(2) RLIMIT_NOFILE. */
CASE(without_a_free_descriptor_accept_says_emfile, EACH(connected), BEHAVIOUR("G10", "V5"),
     ABOUT("accept", "EMFILE"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    NEED(descriptors_at_most(0));
    FAILS(accept(listener, NULL, NULL), EMFILE);
    NEED(descriptors_at_most(ENOUGH)); /* for Check, which counts */
}

/* The connection stays in the queue: the listener is readable still, which is how servers that do
 * not expect it come to spin.
 *
 * accept(2) EMFILE; Linux net/socket.c __sys_accept4_file() (the descriptor comes first). */
CASE(after_emfile_the_listener_is_still_readable, EACH(connected), BEHAVIOUR("G10"),
     ABOUT("accept", "EMFILE", "POLLIN"))
{
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    NEED(descriptors_at_most(0));
    FAILS(accept(listener, NULL, NULL), EMFILE);
    NEED(descriptors_at_most(ENOUGH));
    EVENTS_ARE(events_now(listener, POLLIN), POLLIN);
}

/* Once a descriptor is free accept() gives that connection, with what the client has sent.
 *
 * accept(2) EMFILE; Linux net/socket.c __sys_accept4_file(). */
CASE(after_emfile_the_connection_can_be_accepted, EACH(connected), BEHAVIOUR("G10"),
     ABOUT("accept", "EMFILE"))
{
    char text[16];
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(send(client, "patient", 7, 0));
    NEED(descriptors_at_most(0));
    FAILS(accept(listener, NULL, NULL), EMFILE);
    NEED(descriptors_at_most(ENOUGH));
    const int fd = SUCCEEDS(accept(listener, NULL, NULL));
    BYTES_ARE(text, recv(fd, text, sizeof text, MSG_DONTWAIT), "patient");
}

/* --- no listener ---------------------------------------------------------------------------------
 */

/* accept() on a socket that does not listen says EINVAL, be it bound or not.
 *
 * POSIX.1-2024 accept() [EINVAL]; Linux net/ipv4/inet_connection_sock.c inet_csk_accept(). */
CASE(accept_without_listen_says_einval, EACH(connected), BEHAVIOUR("G8", "V5"),
     ABOUT("accept", "EINVAL"))
{
    const int fresh = NEED(new_socket(kind)), bound = NEED(bound_socket(kind));

    FAILS(accept(fresh, NULL, NULL), EINVAL);
    FAILS(accept(bound, NULL, NULL), EINVAL);
}

/* So it does on a connection.
 *
 * POSIX.1-2024 accept() [EINVAL]. */
CASE(accept_on_a_connection_says_einval, EACH(connected), BEHAVIOUR("G8"),
     ABOUT("accept", "EINVAL"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(accept(pair.mine, NULL, NULL), EINVAL);
    FAILS(accept(pair.peer, NULL, NULL), EINVAL);
}

/* On a socket that knows no connections it says EOPNOTSUPP.
 *
 * POSIX.1-2024 accept() [EOPNOTSUPP]; FreeBSD says EINVAL
 * (sys/kern/uipc_syscalls.c kern_accept4(): it does not listen). */
CASE(accept_on_datagrams_says_eopnotsupp, EACH(datagram), BEHAVIOUR("G8", "V5"),
     ABOUT("accept", "EOPNOTSUPP"))
{
    const int fd = NEED(bound_socket(kind));

    FAILS(accept(fd, NULL, NULL), ON(LINUX(EOPNOTSUPP), FREEBSD(EINVAL)));
}
