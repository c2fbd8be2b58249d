#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A plain file where a socket's name would be. */
static int plain_file(const struct address *address)
{
    return open(address->un.sun_path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
}

/* A name whose socket has gone: a file, and nobody behind it. */
static int stale_name(const struct kind *kind, const struct address *address)
{
    const int fd = bound_to(kind, *address);

    return fd < 0 ? -1 : close(fd);
}

/* --- a name that is taken ------------------------------------------------------------------------
 */

/* bind() says EADDRINUSE for a name whose socket has gone: closing does not remove the file.
 *
 * POSIX.1-2024 bind() [EADDRINUSE]; unix(7); Linux net/unix/af_unix.c unix_bind_bsd(). */
CASE(a_stale_socket_file_is_in_use, EACH(unix_all), BEHAVIOUR("M13"),
     ABOUT("bind", "EADDRINUSE", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(stale_name(kind, &name));
    FAILS(bind(fd, &name.any, name.length), EADDRINUSE);
}

/* Once that file is unlinked the name is free.
 *
 * unix(7): "Binding to a socket with a filename creates a socket in the filesystem that must be
 * deleted by the caller when it is no longer needed (using unlink(2))." */
CASE(an_unlinked_name_is_free, EACH(unix_all), BEHAVIOUR("M13"), ABOUT("bind", "unlink", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(stale_name(kind, &name));
    NEED(unlink(name.un.sun_path));
    SUCCEEDS(bind(fd, &name.any, name.length));
}

/* SO_REUSEADDR, on the old and the new socket, does not free a stale name.
 *
 * unix(7) has no such option for names; Linux net/unix/af_unix.c unix_bind_bsd() does not ask. */
CASE(so_reuseaddr_frees_no_stale_name, EACH(unix_all), BEHAVIOUR("M13"),
     ABOUT("SO_REUSEADDR", "EADDRINUSE", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int old = NEED(new_socket(kind)), fd = NEED(new_socket(kind));

    NEED(set_option(old, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(bind(old, &name.any, name.length));
    NEED(close(old));
    FAILS(bind(fd, &name.any, name.length), EADDRINUSE);
}

/* The name of a socket that lives is in use as well.
 *
 * POSIX.1-2024 bind() [EADDRINUSE]. */
CASE(a_name_that_is_bound_is_in_use, EACH(unix_all), BEHAVIOUR("M13"),
     ABOUT("bind", "EADDRINUSE", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(bound_to(kind, name));
    FAILS(bind(fd, &name.any, name.length), EADDRINUSE);
}

/* A plain file in its place makes a name just as unfit.
 *
 * POSIX.1-2024 bind() [EADDRINUSE]; Linux net/unix/af_unix.c unix_bind_bsd() (EEXIST of mknod). */
CASE(a_plain_file_is_in_the_way, EACH(unix_all), BEHAVIOUR("M13", "V3"),
     ABOUT("bind", "EADDRINUSE", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(plain_file(&name));
    FAILS(bind(fd, &name.any, name.length), EADDRINUSE);
}

/* --- a name and its socket are two things --------------------------------------------------------
 */

/* A listener whose name is unlinked can be replaced while it lives: who connects finds the new one.
 *
 * unix(7); Linux net/unix/af_unix.c unix_find_bsd() looks for the file's inode. */
CASE(an_unlinked_listener_can_be_replaced, EACH(unix_connected), BEHAVIOUR("M13"),
     ABOUT("unlink", "connect", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int old = NEED(listening_socket(kind)), client = NEED(new_socket(kind));

    NEED(unlink(name.un.sun_path));
    const int new = NEED(listening_socket(kind));
    NEED(connect(client, &name.any, name.length));
    EVENTS_ARE(events_now(new, POLLIN), POLLIN);
    EVENTS_ARE(events_now(old, POLLIN), 0);
}

/* A connection goes on without the name that it was made by.
 *
 * unix(7). */
CASE(a_connection_needs_no_name, EACH(unix_connected), BEHAVIOUR("M13"),
     ABOUT("unlink", "send", "AF_UNIX"))
{
    char byte;
    const struct address name = loopback(kind, PORT);
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(unlink(name.un.sun_path));
    GIVES(send(pair.mine, "x", 1, 0), 1);
    GIVES(recv(pair.peer, &byte, 1, MSG_DONTWAIT), 1);
}

/* A socket whose file is renamed is found at the new name.
 *
 * POSIX.1-2024 rename(); Linux net/unix/af_unix.c unix_find_bsd(). */
CASE(a_renamed_socket_is_found_at_its_new_name, EACH(unix_connected), BEHAVIOUR("M13"),
     ABOUT("rename", "connect", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT), other = loopback(kind, OTHER_PORT);
    const int fd = NEED(new_socket(kind));

    NEED(listening_socket(kind));
    NEED(rename(name.un.sun_path, other.un.sun_path));
    SUCCEEDS(connect(fd, &other.any, other.length));
}

/* getsockname() goes on telling the name that it was bound to.
 *
 * Linux net/unix/af_unix.c unix_getname(): the address is that of bind. */
CASE(a_renamed_socket_tells_its_old_name, EACH(unix_all), BEHAVIOUR("M13"),
     ABOUT("rename", "getsockname", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT), other = loopback(kind, OTHER_PORT);
    const int fd = NEED(bound_socket(kind));
    struct address own;

    NEED(rename(name.un.sun_path, other.un.sun_path));
    SUCCEEDS(own_address(fd, &own));
    BYTES_ARE(own.un.sun_path, (long)strlen(own.un.sun_path), name.un.sun_path);
}

/* --- nobody answers at a name --------------------------------------------------------------------
 */

/* connect() says ECONNREFUSED at a stale name: there is a socket's file, and no socket.
 *
 * POSIX.1-2024 connect() [ECONNREFUSED]; unix(7). */
CASE(a_stale_name_refuses, EACH(unix_all), BEHAVIOUR("M8"),
     ABOUT("connect", "ECONNREFUSED", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(stale_name(kind, &name));
    FAILS(connect(fd, &name.any, name.length), ECONNREFUSED);
}

/* And ENOENT when the name has gone, too.
 *
 * POSIX.1-2024 connect() [ENOENT]. */
CASE(a_missing_name_is_enoent, EACH(unix_all), BEHAVIOUR("M8"),
     ABOUT("connect", "ENOENT", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(stale_name(kind, &name));
    NEED(unlink(name.un.sun_path));
    FAILS(connect(fd, &name.any, name.length), ENOENT);
}

/* A socket that is bound and does not listen refuses as one that is gone does.
 *
 * POSIX.1-2024 connect() [ECONNREFUSED]; Linux net/unix/af_unix.c unix_stream_connect(). */
CASE(a_socket_that_does_not_listen_refuses, EACH(unix_connected), BEHAVIOUR("M8"),
     ABOUT("connect", "ECONNREFUSED", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(bound_socket(kind));
    FAILS(connect(fd, &name.any, name.length), ECONNREFUSED);
}

/* A plain file refuses on Linux.
 *
 * Linux net/unix/af_unix.c unix_find_bsd() (S_ISSOCK). Darwin and FreeBSD say ENOTSOCK
 * (unp_connect()). */
CASE(a_plain_file_refuses, EACH(unix_all), BEHAVIOUR("M8"),
     ABOUT("connect", "ECONNREFUSED", "ENOTSOCK", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    NEED(plain_file(&name));
    FAILS(connect(fd, &name.any, name.length),
          ON(LINUX(ECONNREFUSED), DARWIN(ENOTSOCK), FREEBSD(ENOTSOCK)));
}

static KINDS(unlike, KIND("stream_to_datagram", .type = SOCK_STREAM, .other = SOCK_DGRAM),
             KIND("stream_to_seqpacket", .type = SOCK_STREAM, .other = SOCK_SEQPACKET),
             KIND("datagram_to_stream", .type = SOCK_DGRAM, .other = SOCK_STREAM),
             KIND("seqpacket_to_stream", .type = SOCK_SEQPACKET, .other = SOCK_STREAM));

/* connect() says EPROTOTYPE where a socket of another type has the name.
 *
 * POSIX.1-2024 connect() [EPROTOTYPE]; Linux net/unix/af_unix.c unix_find_bsd(). */
CASE(a_socket_of_another_type_is_eprototype, EACH(unlike), BEHAVIOUR("M8", "V6"),
     ABOUT("connect", "EPROTOTYPE", "AF_UNIX"))
{
    const struct kind mine = {.family = AF_UNIX, .type = kind->type};
    const struct kind theirs = {.family = AF_UNIX, .type = kind->other};
    const struct address name = loopback(&theirs, PORT);
    const int fd = NEED(new_socket(&mine));

    NEED(bound_socket(&theirs));
    FAILS(connect(fd, &name.any, name.length), EPROTOTYPE);
}

/* A datagram to a peer that has closed says ECONNREFUSED.
 *
 * unix(7) [ECONNREFUSED]; Linux net/unix/af_unix.c unix_dgram_sendmsg() (SOCK_DEAD). */
CASE(a_datagram_to_a_closed_peer_is_refused, BEHAVIOUR("M8"),
     ABOUT("send", "ECONNREFUSED", "AF_UNIX"))
{
    struct pair pair;

    NEED(connected_pair(&unix_datagram, &pair));
    NEED(close(pair.peer));
    FAILS(send(pair.mine, "x", 1, 0), ECONNREFUSED);
}

/* That refusal dissolves the connection: the next send says ENOTCONN.
 *
 * Linux net/unix/af_unix.c unix_dgram_sendmsg() (unix_dgram_disconnected()). */
CASE(a_refused_datagram_dissolves_the_connection, BEHAVIOUR("M8"),
     ABOUT("send", "ENOTCONN", "AF_UNIX"))
{
    struct pair pair;

    NEED(connected_pair(&unix_datagram, &pair));
    NEED(close(pair.peer));
    GIVEN(send(pair.mine, "x", 1, 0) < 0 && errno == ECONNREFUSED);
    FAILS(send(pair.mine, "x", 1, 0), ENOTCONN);
}
