#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* bind() and listen(): what they refuse. What differs by port and address is in check_bind.c and
 * check_ports.c, UNIX names are in check_unix_names.c. */

/* --- bind(): the descriptor ----------------------------------------------------------------------
 */

/* bind() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 bind() [EBADF]. */
CASE(binding_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V3"), ABOUT("bind", "EBADF"))
{
    const struct address here = loopback(&ipv4_stream, PORT);

    FAILS(bind(bad_descriptor(kind), &here.any, here.length), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 bind() [ENOTSOCK]; Linux net/socket.c sock_from_file(). */
CASE(binding_what_is_no_socket_is_enotsock, EACH(no_sockets), BEHAVIOUR("V3"),
     ABOUT("bind", "ENOTSOCK"))
{
    const struct address here = loopback(&ipv4_stream, PORT);
    const int fd = NEED(no_socket(kind));

    FAILS(bind(fd, &here.any, here.length), ENOTSOCK);
}

/* --- bind(): the address -------------------------------------------------------------------------
 */

/* An address that cannot be read is EFAULT.
 *
 * bind(2) [EFAULT]; Linux net/socket.c move_addr_to_kernel(). */
CASE(binding_to_unreadable_memory_is_efault, EACH(every_socket), BEHAVIOUR("V3"),
     ABOUT("bind", "EFAULT"))
{
    const struct sockaddr *const nowhere = unreadable();
    const struct address here = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, nowhere, here.length), EFAULT);
}

/* An address that is shorter than its family's is EINVAL.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/ipv4/af_inet.c inet_bind_sk(), net/ipv6/af_inet6.c
 * inet6_bind_sk() (24 bytes will do for IPv6). */
CASE(binding_to_a_short_address_is_refused, EACH(inet), BEHAVIOUR("V3"), ABOUT("bind", "EINVAL"))
{
    const struct address here = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &here.any, too_short(kind)), EINVAL);
}

static KINDS(no_lengths, KIND("minus_1", .value = -1),
             KIND("too_long", .value = sizeof(struct sockaddr_storage) + 1));

/* So is a length that no address has.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/socket.c move_addr_to_kernel(). */
CASE(binding_to_a_length_of_no_address_is_refused, EACH(every_socket, no_lengths), BEHAVIOUR("V3"),
     ABOUT("bind", "EINVAL"))
{
    const struct address here = loopback(kind, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &here.any, (socklen_t)kind->value), EINVAL);
}

/* An address of UNIX is EAFNOSUPPORT to IPv4 and IPv6.
 *
 * POSIX.1-2024 bind() [EAFNOSUPPORT]; Linux net/ipv4/af_inet.c __inet_bind(), net/ipv6/af_inet6.c
 * __inet6_bind(). */
CASE(binding_to_a_unix_address_is_refused, EACH(inet), BEHAVIOUR("V3"),
     ABOUT("bind", "EAFNOSUPPORT"))
{
    const struct address strange = loopback(&unix_stream, PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &strange.any, strange.length), EAFNOSUPPORT);
}

/* An address of IPv4 is EINVAL to a UNIX socket, where POSIX has EAFNOSUPPORT.
 *
 * Linux net/unix/af_unix.c unix_validate_addr(); POSIX.1-2024 bind() [EAFNOSUPPORT]. */
CASE(binding_unix_to_another_family_is_refused, EACH(unix_all), BEHAVIOUR("V3"),
     ABOUT("bind", "EINVAL", "EAFNOSUPPORT", "AF_UNIX"))
{
    const struct address strange = address_of(&ipv4_stream, "127.0.0.1", PORT);
    const int fd = NEED(new_socket(kind));

    FAILS(bind(fd, &strange.any, strange.length), EINVAL);
}

static KINDS(unspecified, KIND("wildcard", .text = "0.0.0.0", .value = SUCCESS),
             KIND("loopback", .text = "127.0.0.1", .value = EAFNOSUPPORT));
static KINDS(over_ipv4, KIND("TCP", .family = AF_INET, .type = SOCK_STREAM),
             KIND("UDP", .family = AF_INET, .type = SOCK_DGRAM));

/* IPv4 takes AF_UNSPEC for its own with the wildcard address, and with no other.
 *
 * Linux net/ipv4/af_inet.c __inet_bind() (it keeps old programs alive). */
CASE(an_unspecified_family_is_ipv4s_wildcard, EACH(over_ipv4, unspecified), BEHAVIOUR("V3"),
     ABOUT("bind", "EAFNOSUPPORT", "AF_UNSPEC"))
{
    struct address address = address_of(kind, kind->text, PORT);
    const int fd = NEED(new_socket(kind));

    address.any.sa_family = AF_UNSPEC;
    FAILS(bind(fd, &address.any, address.length), kind->value);
}

/* A socket that connect() has bound cannot be bound any more: EINVAL.
 *
 * POSIX.1-2024 bind() [EINVAL]; Linux net/ipv4/af_inet.c __inet_bind() (inet_num). */
CASE(binding_a_connected_socket_is_refused, EACH(inet_stream), BEHAVIOUR("V3", "A14"),
     ABOUT("bind", "EINVAL"))
{
    const struct address elsewhere = loopback(kind, OTHER_PORT);
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(bind(pair.mine, &elsewhere.any, elsewhere.length), EINVAL);
}

/* --- bind(): paths -------------------------------------------------------------------------------
 */

/* A path that leads nowhere is refused with what is wrong with it: ENOENT, ENOTDIR, ELOOP,
 * ENAMETOOLONG or, without the right to search a folder, EACCES.
 *
 * POSIX.1-2024 bind() [ENOENT], [ENOTDIR], [ELOOP], [ENAMETOOLONG], [EACCES]. */
CASE(binding_to_a_path_that_leads_nowhere, EACH(unix_all, bad_paths), BEHAVIOUR("V3", "M9"),
     ABOUT("bind", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES"))
{
    struct address name;
    const int fd = NEED(new_socket(kind));

    NEED(bad_path(kind, &name));
    NEED(lose_privileges());
    FAILS(bind(fd, &name.any, name.length), kind->other);
}

/* The folder that a path is in. */
static char *folder_of(struct address *name)
{
    *strrchr(name->un.sun_path, '/') = '\0';
    return name->un.sun_path;
}

/* bind() makes a file, and says EACCES where this process may make none.
 *
 * POSIX.1-2024 bind() [EACCES] (write permission); Linux net/unix/af_unix.c unix_bind_bsd(). */
CASE(binding_needs_the_right_to_write, EACH(unix_all), BEHAVIOUR("V3", "M9"),
     ABOUT("bind", "EACCES", "AF_UNIX"))
{
    const struct address name = loopback(kind, PORT);
    struct address folder = name;
    const int fd = NEED(new_socket(kind));

    NEED(chmod(folder_of(&folder), S_IRUSR | S_IXUSR));
    NEED(lose_privileges());
    FAILS(bind(fd, &name.any, name.length), EACCES);
}

#ifdef __linux__
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

/* What uncover() goes by: atexit hands nothing on. */
/* cppcheck-suppress unusedVariable */
static char read_only[sizeof(struct sockaddr_un)];

static void uncover(void)
{
    umount2(read_only, MNT_DETACH);
}

/* Over the folder lies an empty file system that cannot be written to, for this process alone. */
static int cover(const char *folder)
{
    snprintf(read_only, sizeof read_only, "%s", folder);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("none", folder, "tmpfs", MS_RDONLY, NULL) < 0 ? -1 : atexit(uncover);
}
#else
static int cover(const char *folder)
{
    (void)folder;
    return lacks("mount namespaces");
}
#endif

/* Where the file system is mounted read-only bind() says EROFS.
 *
 * POSIX.1-2024 bind() [EROFS]; Linux fs/namei.c filename_create() (mnt_want_write()). */
CASE(binding_in_a_read_only_file_system_is_erofs, EACH(unix_all), BEHAVIOUR("V3", "M9"),
     ABOUT("bind", "EROFS", "AF_UNIX"), REQUIRES("own host"))
{
    const struct address name = loopback(kind, PORT);
    struct address folder = name;
    const int fd = NEED(new_socket(kind));

    NEED(cover(folder_of(&folder)));
    FAILS(bind(fd, &name.any, name.length), EROFS);
}

/* --- listen() ------------------------------------------------------------------------------------
 */

/* listen() says EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 listen() [EBADF]. */
CASE(listening_on_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V4"),
     ABOUT("listen", "EBADF"))
{
    FAILS(listen(bad_descriptor(kind), 1), EBADF);
}

/* For a descriptor of something else it says ENOTSOCK.
 *
 * POSIX.1-2024 listen() [ENOTSOCK]. */
CASE(listening_on_what_is_no_socket_is_enotsock, EACH(no_sockets), BEHAVIOUR("V4"),
     ABOUT("listen", "ENOTSOCK"))
{
    const int fd = NEED(no_socket(kind));

    FAILS(listen(fd, 1), ENOTSOCK);
}

/* Two may be bound to one port with SO_REUSEADDR; the second to listen is refused: EADDRINUSE.
 *
 * POSIX.1-2024 listen() lets listen() fail so; listen(2) [EADDRINUSE]; Linux
 * net/ipv4/inet_connection_sock.c inet_csk_listen_start(). */
CASE(listening_beside_a_listener_is_refused, EACH(inet_stream), BEHAVIOUR("V4", "A3"),
     ABOUT("listen", "EADDRINUSE", "SO_REUSEADDR"))
{
    const struct address here = loopback(kind, PORT);
    const int first = NEED(new_socket(kind)), second = NEED(new_socket(kind));

    NEED(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1));
    NEED(bind(first, &here.any, here.length));
    NEED(bind(second, &here.any, here.length));
    NEED(listen(first, 1));
    FAILS(listen(second, 1), EADDRINUSE);
}
