#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <unistd.h>

/* getsockname() and getpeername(): what they refuse. */

enum { OWN, PEERS };

static KINDS(names, KIND("getsockname", .value = OWN), KIND("getpeername", .value = PEERS));

static int named_by(const struct kind *kind, int fd, struct sockaddr *address, socklen_t *length)
{
    return kind->value == OWN ? getsockname(fd, address, length) : getpeername(fd, address, length);
}

/* Both say EBADF for what is no open descriptor.
 *
 * POSIX.1-2024 getsockname(), getpeername() [EBADF]. */
CASE(a_name_of_no_descriptor_is_ebadf, EACH(names, bad_descriptors), BEHAVIOUR("V12", "V13"),
     ABOUT("getsockname", "getpeername", "EBADF"))
{
    struct address name = {.length = sizeof name.storage};

    FAILS(named_by(kind, bad_descriptor(kind), &name.any, &name.length), EBADF);
}

/* For a descriptor of something else they say ENOTSOCK.
 *
 * POSIX.1-2024 getsockname(), getpeername() [ENOTSOCK]. */
CASE(a_name_of_what_is_no_socket_is_enotsock, EACH(names, no_sockets), BEHAVIOUR("V12", "V13"),
     ABOUT("getsockname", "getpeername", "ENOTSOCK"))
{
    struct address name = {.length = sizeof name.storage};
    const int fd = NEED(no_socket(kind));

    FAILS(named_by(kind, fd, &name.any, &name.length), ENOTSOCK);
}

/* Memory that the address cannot be written to is EFAULT.
 *
 * getsockname(2), getpeername(2) [EFAULT]; Linux net/socket.c move_addr_to_user(). */
CASE(a_name_that_cannot_be_told_is_efault, EACH(names, every_socket), BEHAVIOUR("V12", "V13"),
     ABOUT("getsockname", "getpeername", "EFAULT"))
{
    struct sockaddr *const nowhere = unwritable();
    socklen_t length = sizeof(struct sockaddr_storage);
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(named_by(kind, pair.mine, nowhere, &length), EFAULT);
}

/* Where its length cannot be written it is EFAULT too.
 *
 * getsockname(2), getpeername(2) [EFAULT]; Linux net/socket.c move_addr_to_user() (put_user()). */
CASE(a_names_length_that_cannot_be_told_is_efault, EACH(names, every_socket),
     BEHAVIOUR("V12", "V13"), ABOUT("getsockname", "getpeername", "EFAULT"))
{
    struct address name;
    socklen_t *const length = unwritable();
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(named_by(kind, pair.mine, &name.any, length), EFAULT);
}

/* A length below 0 is EINVAL.
 *
 * getsockname(2), getpeername(2) [EINVAL]; Linux net/socket.c move_addr_to_user(). */
CASE(a_name_of_negative_length_is_refused, EACH(names, every_socket), BEHAVIOUR("V12", "V13"),
     ABOUT("getsockname", "getpeername", "EINVAL"))
{
    struct address name = {.length = (socklen_t)-1};
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(named_by(kind, pair.mine, &name.any, &name.length), EINVAL);
}

/* A length of 0 will do: nothing is written, and the whole length is told.
 *
 * POSIX.1-2024 getsockname(), getpeername() (the address is truncated); Linux net/socket.c
 * move_addr_to_user(). */
CASE(a_name_of_length_0_is_told_by_its_length, EACH(names, inet), BEHAVIOUR("V12", "V13", "U5"),
     ABOUT("getsockname", "getpeername"))
{
    struct sockaddr *const nowhere = unwritable();
    socklen_t length = 0;
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    SUCCEEDS(named_by(kind, pair.mine, nowhere, &length));
    IS(length, kind->family == AF_INET ? (long)sizeof(struct sockaddr_in)
                                       : (long)sizeof(struct sockaddr_in6));
}
