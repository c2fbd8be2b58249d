#include "case.h"
#include "message.h"
#include "sockets.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who the socket says is at its other end; set-up. */
static struct ucred peer_of(int fd)
{
    struct ucred who = {0};
    socklen_t size = sizeof who;

    NEED(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
    return who;
}

/* Who a message says has sent it; the process 0 when it does not. */
static struct ucred sender_in(struct message *message)
{
    struct ucred who = {0};
    size_t size;
    const void *data = message_has(message, SOL_SOCKET, SCM_CREDENTIALS, &size);

    if (data && size == sizeof who)
        memcpy(&who, data, sizeof who);
    return who;
}

static int telling_credentials(const struct kind *kind, struct pair *pair)
{
    return connected_pair(kind, pair) < 0 ? -1 : set_option(pair->peer, SOL_SOCKET, SO_PASSCRED, 1);
}

/* Another process does that, and has ended. Gives its number. */
static int by_another(int (*action)(int), int fd)
{
    int status;
    const pid_t process = fork();

    if (process == 0)
        _exit(action(fd) < 0);
    if (process < 0 || waitpid(process, &status, 0) < 0)
        return -1;
    return status == 0 ? process : -1;
}

static int say_a(int fd)
{
    return (int)send(fd, "a", 1, 0);
}

static int connect_to_port(int fd)
{
    const struct address there = loopback(&unix_stream, PORT);

    return connect(fd, &there.any, there.length);
}

static int listen_here(int fd)
{
    return listen(fd, 1);
}

/* --- of a connection -----------------------------------------------------------------------------
 */

/* SO_PEERCRED tells each end which process and user the other is of.
 *
 * unix(7) (SO_PEERCRED); Linux net/core/sock.c sk_getsockopt(). */
CASE(so_peercred_tells_of_the_other_end, EACH(unix_connected), BEHAVIOUR("M7"),
     ABOUT("SO_PEERCRED"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    IS(peer_of(pair.mine).pid, getpid());
    IS(peer_of(pair.peer).pid, getpid());
    IS(peer_of(pair.peer).uid, geteuid());
    IS(peer_of(pair.peer).gid, getegid());
}

/* It is who has connected, not who has the descriptor now, nor whether that process lives.
 *
 * unix(7) (SO_PEERCRED: the credentials that were in effect at the time of connect()). */
CASE(so_peercred_tells_who_has_connected, BEHAVIOUR("M7"), ABOUT("SO_PEERCRED", "connect"))
{
    const int listener = NEED(listening_socket(&unix_stream)),
              client = NEED(new_socket(&unix_stream));
    const int process = NEED(by_another(connect_to_port, client));
    const int connection = NEED(accept(listener, NULL, NULL));

    IS(peer_of(connection).pid, process);
}

/* And who has called listen().
 *
 * unix(7) (SO_PEERCRED); Linux net/unix/af_unix.c unix_listen() (init_peercred()). */
CASE(so_peercred_tells_who_has_listened, BEHAVIOUR("M7"), ABOUT("SO_PEERCRED", "listen"))
{
    const int listener = NEED(bound_socket(&unix_stream)), client = NEED(new_socket(&unix_stream));
    const int process = NEED(by_another(listen_here, listener));

    NEED(connect_to_port(client));
    IS(peer_of(client).pid, process);
}

/* A socket without a connection tells of no process.
 *
 * Linux net/core/sock.c cred_to_ucred(). */
CASE(so_peercred_of_no_peer_is_nobody, EACH(unix_all), BEHAVIOUR("M7"), ABOUT("SO_PEERCRED"))
{
    struct ucred who = {.pid = 1};
    socklen_t size = sizeof who;
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
    IS(who.pid, 0);
    IS(who.uid, (uid_t)-1);
}

/* --- of a message --------------------------------------------------------------------------------
 */

/* With SO_PASSCRED each message tells who has sent it, unasked.
 *
 * unix(7) (SO_PASSCRED, SCM_CREDENTIALS); Linux net/unix/af_unix.c maybe_add_creds(). */
CASE(so_passcred_tells_who_has_sent, EACH(unix_all), BEHAVIOUR("M7"),
     ABOUT("SO_PASSCRED", "SCM_CREDENTIALS"))
{
    struct message message;
    struct pair pair;

    NEED(telling_credentials(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, 0));
    message_takes(&message, sizeof message.control);
    GIVES(recvmsg(pair.peer, &message.header, 0), 1);
    IS(sender_in(&message).pid, getpid());
    IS(sender_in(&message).uid, getuid());
    IS(sender_in(&message).gid, getgid());
}

/* Without it there is no control data.
 *
 * unix(7) (SO_PASSCRED). */
CASE(without_so_passcred_nobody_is_told_of, EACH(unix_all), BEHAVIOUR("M7"), ABOUT("SO_PASSCRED"))
{
    struct message message;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED((int)send(pair.mine, "x", 1, 0));
    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(pair.peer, &message.header, 0));
    IS(message.header.msg_controllen, 0);
}

/* It is the process that sends, whoever has connected.
 *
 * unix(7) (SCM_CREDENTIALS). */
CASE(so_passcred_tells_of_the_sending_process, EACH(unix_all), BEHAVIOUR("M7"),
     ABOUT("SO_PASSCRED", "SCM_CREDENTIALS"))
{
    struct message message;
    struct pair pair;

    NEED(telling_credentials(kind, &pair));
    const int process = NEED(by_another(say_a, pair.mine));
    message_takes(&message, sizeof message.control);
    NEED((int)recvmsg(pair.peer, &message.header, 0));
    IS(sender_in(&message).pid, process);
}

/* A stream then joins no bytes of two processes in one read.
 *
 * Linux net/unix/af_unix.c unix_stream_read_generic() ("Never glue messages from different
 * writers"). */
CASE(a_read_joins_no_bytes_of_two_senders, BEHAVIOUR("M7"), ABOUT("SO_PASSCRED"))
{
    struct message message;
    struct pair pair;

    NEED(telling_credentials(&unix_stream, &pair));
    NEED(by_another(say_a, pair.mine));
    NEED((int)send(pair.mine, "b", 1, 0));
    message_takes(&message, sizeof message.control);
    GIVES(recvmsg(pair.peer, &message.header, 0), 1);
}

/* Who may act as another user may say that another has sent it; anybody else may not: EPERM.
 *
 * unix(7) (SCM_CREDENTIALS) [EPERM]; Linux net/core/scm.c scm_check_creds(), to which the saved
 * user is one's own as well. */
CASE(false_credentials_are_refused, EACH(unix_all), BEHAVIOUR("M7"), REQUIRES("other users"),
     ABOUT("SCM_CREDENTIALS", "EPERM"))
{
    struct message message;
    struct pair pair;
    const struct ucred other = {.pid = getpid(), .uid = 2000, .gid = getgid()};

    NEED(connected_pair(kind, &pair));
    NEED(setresuid(1000, 1000, 0));
    message_says(&message, "x");
    message_adds(&message, SOL_SOCKET, SCM_CREDENTIALS, &other, sizeof other);
    FAILS(sendmsg(pair.mine, &message.header, 0), EPERM);
    NEED(setresuid(0, 0, 0));
}
