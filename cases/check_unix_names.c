#include "case.h"
#include "sockets.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BEFORE_PATH = offsetof(struct sockaddr_un, sun_path) };

/* A name of so many bytes, the first of which is NUL: an abstract one, in no file system. */
static struct address abstract(const char *bytes, size_t count)
{
    struct address name = {.un = {.sun_family = AF_UNIX}};

    memcpy(name.un.sun_path, bytes, count);
    name.length = (socklen_t)(BEFORE_PATH + count);
    return name;
}

/* A path in the item's folder that fills all of sun_path, without a NUL. */
static struct address longest_path(const struct kind *kind)
{
    struct address name = loopback(kind, PORT);
    const size_t used = strlen(name.un.sun_path);

    memset(name.un.sun_path + used, 'x', sizeof name.un.sun_path - used);
    name.length = sizeof name.un;
    return name;
}

/* The item's folder does not remove what is called so. */
static int unlink_longest(const struct address *name)
{
    char path[sizeof name->un.sun_path + 1] = "";

    memcpy(path, name->un.sun_path, sizeof name->un.sun_path);
    return unlink(path);
}

/* A path below that one. */
static struct address below(struct address name)
{
    const size_t used = strlen(name.un.sun_path);

    snprintf(name.un.sun_path + used, sizeof name.un.sun_path - used, "/x");
    return name;
}

/* --- paths ---------------------------------------------------------------------------------------
 */

/* bind() makes a file of the kind that is a socket.
 *
 * unix(7); POSIX.1-2024 <sys/stat.h> (S_ISSOCK); Linux net/unix/af_unix.c unix_bind_bsd(). */
CASE(binding_makes_a_socket_file, EACH(unix_all), BEHAVIOUR("M9"), ABOUT("bind", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));
    struct stat status;

    SUCCEEDS(bind(fd, &name.any, name.length));
    NEED(lstat(name.un.sun_path, &status));
    IS(S_ISSOCK(status.st_mode), true);
}

/* The file's permissions are those that the umask leaves of all.
 *
 * unix(7) (Pathname socket ownership and permissions); Linux net/unix/af_unix.c unix_bind_bsd(). */
CASE(the_umask_applies_to_a_socket_file, EACH(unix_all), BEHAVIOUR("M9"),
     ABOUT("bind", "umask", "AF_UNIX"))
{
    struct stat status;

    umask(0037);
    NEED(bound_socket(kind));
    NEED(lstat(loopback(kind, PORT).un.sun_path, &status));
    IS(status.st_mode & 0777, 0740);
}

/* A path may fill all of sun_path; no NUL need end it.
 *
 * unix(7) (BUGS); Linux net/unix/af_unix.c unix_mkname_bsd(). */
CASE(a_path_may_fill_the_address, EACH(unix_all), BEHAVIOUR("M9"), ABOUT("bind", "AF_UNIX"))
{
    const struct address name = longest_path(kind);
    const int fd = NEED(new_socket(kind));

    SUCCEEDS(bind(fd, &name.any, name.length));
    NEED(unlink_longest(&name));
}

/* getsockname() then tells one byte more than the structure has: the NUL.
 *
 * unix(7) (BUGS); Linux net/unix/af_unix.c unix_mkname_bsd(). */
CASE(the_longest_path_is_told_with_its_nul, EACH(unix_all), BEHAVIOUR("M9"),
     ABOUT("getsockname", "AF_UNIX"))
{
    const struct address name = longest_path(kind);
    const int fd = NEED(bound_to(kind, name));
    struct address own;

    NEED(unlink_longest(&name));
    NEED(own_address(fd, &own));
    IS(own.length, sizeof own.un + 1);
}

/* A path ends at its first NUL, however long the address is said to be.
 *
 * unix(7) (Address format: strlen(sun_path) + 1); Linux net/unix/af_unix.c unix_mkname_bsd(). */
CASE(a_path_ends_at_its_nul, EACH(unix_all), BEHAVIOUR("M9"), ABOUT("getsockname", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(bound_to(kind, name));
    struct address own;

    GIVEN(name.length == sizeof name.un);
    NEED(own_address(fd, &own));
    IS(own.length, BEFORE_PATH + (int)strlen(name.un.sun_path) + 1);
}

static KINDS(bad_lengths, KIND("family_cut", .value = sizeof(sa_family_t) - 1),
             KIND("too_long", .value = sizeof(struct sockaddr_un) + 1));

/* bind() says EINVAL for an address shorter than its family or longer than the structure.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/unix/af_unix.c unix_validate_addr(). */
CASE(a_length_out_of_bounds_is_refused, EACH(unix_all, bad_lengths), BEHAVIOUR("M9", "V3"),
     ABOUT("bind", "EINVAL", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &name.any, (socklen_t)kind->value), EINVAL);
}

/* bind() says ENOENT when a folder of the path is missing.
 *
 * POSIX.1-2024 bind() [ENOENT]. */
CASE(a_path_in_no_folder_is_enoent, EACH(unix_all), BEHAVIOUR("M9", "V3"),
     ABOUT("bind", "ENOENT", "AF_UNIX"))
{
    const struct address name = below(loopback(kind, PORT));
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &name.any, name.length), ENOENT);
}

/* And ENOTDIR when what should be a folder is none.
 *
 * POSIX.1-2024 bind() [ENOTDIR]. */
CASE(a_path_below_a_file_is_enotdir, EACH(unix_all), BEHAVIOUR("M9", "V3"),
     ABOUT("bind", "ENOTDIR", "AF_UNIX"))
{
    const struct address file = loopback(kind, PORT), name = below(file);
    const int fd = NEED(new_socket(kind));

    NEED(bound_to(kind, file));
    FAILS(bind(fd, &name.any, name.length), ENOTDIR);
}

/* bind() says EINVAL when the socket has a name already.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/unix/af_unix.c unix_bind_bsd(). */
CASE(a_named_socket_cannot_be_named_again, EACH(unix_all), BEHAVIOUR("M9", "A14"),
     ABOUT("bind", "EINVAL", "AF_UNIX"))
{
    const struct address other = loopback(kind, OTHER_PORT);
    const int fd = NEED(bound_socket(kind));

    FAILS(bind(fd, &other.any, other.length), EINVAL);
}

/* --- no name -------------------------------------------------------------------------------------
 */

/* getsockname() of a socket without a name tells its family alone.
 *
 * unix(7) (unnamed); Linux net/unix/af_unix.c unix_getname(). */
CASE(a_nameless_socket_tells_its_family, EACH(unix_all), BEHAVIOUR("M9", "U3"),
     ABOUT("getsockname", "AF_UNIX"))
{
    struct address own;
    const int fd = NEED(new_socket(kind));

    NEED(own_address(fd, &own));
    IS(own.length, ON(LINUX(sizeof(sa_family_t)), DARWIN(16), FREEBSD(16)));
}

/* accept() tells as little of a client that has no name.
 *
 * unix(7) (unnamed); Linux net/unix/af_unix.c unix_accept(), unix_getname(). */
CASE(accept_tells_no_name_of_a_nameless_client, EACH(unix_connected), BEHAVIOUR("M9", "G14"),
     ABOUT("accept", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    const int listener = NEED(listening_socket(kind)), client = NEED(new_socket(kind));
    struct address peer = {.length = sizeof peer.storage};

    NEED(connect(client, &name.any, name.length));
    SUCCEEDS(accept(listener, &peer.any, &peer.length));
    IS(peer.length, ON(LINUX(sizeof(sa_family_t)), DARWIN(16), FREEBSD(16)));
}

/* --- abstract names: Linux's own -----------------------------------------------------------------
 */

/* An address of the family alone has the kernel choose: a NUL and five hexadecimal digits.
 *
 * unix(7) (Autobind feature); Linux net/unix/af_unix.c unix_autobind(). */
CASE(a_family_alone_binds_a_name_of_five_digits, EACH(unix_all), BEHAVIOUR("M9"),
     ABOUT("bind", "autobind", "AF_UNIX"))
{
    const struct address nameless = {.un = {.sun_family = AF_UNIX}, .length = sizeof(sa_family_t)};
    const int fd = NEED(new_socket(kind));
    struct address own;

    SUCCEEDS(bind(fd, &nameless.any, nameless.length));
    NEED(own_address(fd, &own));
    IS(own.length, BEFORE_PATH + 6);
    IS(own.un.sun_path[0], 0);
    IS(strspn(own.un.sun_path + 1, "0123456789abcdef") >= 5, true);
}

/* An empty path with the whole structure's length is no missing name but one of NULs only.
 *
 * unix(7) (abstract: sun_path[0] is a null byte, and the length counts); Linux net/unix/af_unix.c
 * unix_bind_abstract(). */
CASE(an_empty_path_is_a_name_of_nuls, EACH(unix_all), BEHAVIOUR("M9"), ABOUT("bind", "AF_UNIX"))
{
    const struct address empty = {.un = {.sun_family = AF_UNIX}, .length = sizeof empty.un};
    const int fd = NEED(new_socket(kind));
    struct address own;

    SUCCEEDS(bind(fd, &empty.any, empty.length));
    NEED(own_address(fd, &own));
    IS(own.length, sizeof own.un);
}

/* An abstract name that is taken says EADDRINUSE.
 *
 * unix(7); Linux net/unix/af_unix.c unix_bind_abstract(). */
CASE(an_abstract_name_can_be_taken, EACH(unix_all), BEHAVIOUR("M9"),
     ABOUT("bind", "EADDRINUSE", "AF_UNIX"))
{
    const struct address name = abstract("\0sockspec", 9);
    const int fd = NEED(new_socket(kind));

    NEED(bound_to(kind, name));
    FAILS(bind(fd, &name.any, name.length), EADDRINUSE);
}

/* An abstract name is free as soon as its socket is closed: there is nothing to unlink.
 *
 * unix(7): "Abstract sockets automatically disappear when all open references to the socket are
 * closed." */
CASE(an_abstract_name_is_free_after_close, EACH(unix_all), BEHAVIOUR("M9", "M13"),
     ABOUT("bind", "AF_UNIX"))
{
    const struct address name = abstract("\0sockspec", 9);
    const int old = NEED(bound_to(kind, name)), fd = NEED(new_socket(kind));

    NEED(close(old));
    SUCCEEDS(bind(fd, &name.any, name.length));
}

/* A NUL at the end makes another abstract name: each byte of the length counts.
 *
 * unix(7) (abstract: null bytes in the name have no special significance). */
CASE(a_nul_more_is_another_abstract_name, EACH(unix_all), BEHAVIOUR("M9"), ABOUT("bind", "AF_UNIX"))
{
    const struct address name = abstract("\0sockspec", 9), other = abstract("\0sockspec\0", 10);
    const int fd = NEED(new_socket(kind));

    NEED(bound_to(kind, name));
    SUCCEEDS(bind(fd, &other.any, other.length));
}

/* connect() to an abstract name that nobody has says ECONNREFUSED: never ENOENT.
 *
 * unix(7) [ECONNREFUSED]; Linux net/unix/af_unix.c unix_find_abstract(). */
CASE(a_missing_abstract_name_refuses, EACH(unix_all), BEHAVIOUR("M9", "M8"),
     ABOUT("connect", "ECONNREFUSED", "AF_UNIX"))
{
    const struct address name = abstract("\0sockspec", 9);
    const int fd = NEED(new_socket(kind));

    FAILS(connect(fd, &name.any, name.length), ECONNREFUSED);
}
