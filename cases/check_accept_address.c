#include "case.h"
#include "sockets.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The address that accept tells, and its length. */

static socklen_t size_of(const struct kind *kind)
{
    return loopback(kind, 0).length;
}

static bool is_untouched(const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;

    while (length > 0 && byte[length - 1] == 0xAA)
        length--;
    return length == 0;
}

/* accept() tells the address and the port that the client has.
 *
 * POSIX.1-2024 accept() (the address of the peer). */
CASE(accept_tells_the_clients_address, EACH(inet_stream_mapped), BEHAVIOUR("G14"),
     ABOUT("accept", "getsockname"))
{
    struct address own, told = {.length = sizeof told.storage};
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(own_address(client, &own));
    SUCCEEDS(accept(listener, &told.any, &told.length));
    IS(memcmp(&told.any, &own.any, own.length), 0);
}

/* Of a longer room it says what the address takes.
 *
 * POSIX.1-2024 accept() (address_len: on output the length of the stored address). */
CASE(accept_tells_the_addresss_own_length, EACH(inet_stream_mapped), BEHAVIOUR("G14"),
     ABOUT("accept"))
{
    struct address told = {.length = sizeof told.storage};
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    SUCCEEDS(accept(listener, &told.any, &told.length));
    IS(told.length, size_of(kind));
}

/* accept() and getpeername() of what it gave tell the same.
 *
 * POSIX.1-2024 accept(), getpeername(). */
CASE(accept_tells_what_getpeername_tells, EACH(stream), BEHAVIOUR("G14"),
     ABOUT("accept", "getpeername"))
{
    struct address told = {.length = sizeof told.storage}, peer;
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    const int fd = SUCCEEDS(accept(listener, &told.any, &told.length));
    NEED(peer_address(fd, &peer));
    IS(told.length, peer.length);
    IS(memcmp(&told.any, &peer.any, peer.length), 0);
}

static KINDS(rooms, KIND("0_bytes", .value = 0), KIND("2_bytes", .value = 2),
             KIND("8_bytes", .value = 8));

/* An address that is longer than its room is cut, and nothing is written beyond.
 *
 * POSIX.1-2024 accept() (the stored address shall be truncated). */
CASE(a_short_room_cuts_the_address, EACH(inet_stream, rooms), BEHAVIOUR("G14", "U5"),
     ABOUT("accept"))
{
    struct address told;
    socklen_t length = (socklen_t)kind->value;
    const size_t room = sizeof told.storage - (size_t)kind->value;
    const int listener = NEED(listening_socket(kind));

    memset(&told, 0xAA, sizeof told);
    NEED(waiting_client(kind));
    SUCCEEDS(accept(listener, &told.any, &length));
    IS(is_untouched((char *)&told.storage + kind->value, room), true);
    IS(kind->value == 0 || told.any.sa_family == kind->family, true);
}

/* Of a room that is too short Linux says what would have been needed, BSD what it has written.
 *
 * accept(2) (addrlen will return a value greater than was supplied); POSIX.1-2024 has it return the
 * length of the stored address; FreeBSD sys/kern/uipc_syscalls.c kern_accept4() (the smaller). */
CASE(of_a_short_room_the_length_needed_is_told, EACH(inet_stream, rooms), BEHAVIOUR("G14", "U5"),
     ABOUT("accept"))
{
    struct address told;
    socklen_t length = (socklen_t)kind->value;
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    SUCCEEDS(accept(listener, &told.any, &length));
    IS(length,
       ON(LINUX((long)size_of(kind)), DARWIN((long)size_of(kind)), FREEBSD((long)kind->value)));
}

/* Without a place for the address its length is left alone.
 *
 * POSIX.1-2024 accept() (address: a null pointer); Linux net/socket.c do_accept(). */
CASE(without_an_address_the_length_is_left_alone, EACH(connected), BEHAVIOUR("G14"),
     ABOUT("accept"))
{
    socklen_t length = 77;
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    SUCCEEDS(accept(listener, NULL, &length));
    IS(length, 77);
}

/* --- an address that cannot be told --------------------------------------------------------------
 */

/* A length below 0 is EINVAL.
 *
 * accept(2) EINVAL (addrlen is invalid, e.g. negative); Linux net/socket.c move_addr_to_user(). */
CASE(a_length_below_0_is_refused, EACH(connected), BEHAVIOUR("G14", "V5"),
     ABOUT("accept", "EINVAL"))
{
    struct address told;
    socklen_t length = (socklen_t)-1;
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    FAILS(accept(listener, &told.any, &length), EINVAL);
}

/* A place that cannot be written is EFAULT.
 *
 * accept(2) EFAULT. */
CASE(an_address_nowhere_is_efault, EACH(connected), BEHAVIOUR("G14", "V5"),
     ABOUT("accept", "EFAULT"))
{
    struct sockaddr *const nowhere = (struct sockaddr *)8;
    socklen_t length = sizeof(struct sockaddr_storage);
    const int listener = NEED(listening_socket(kind));

    NEED(waiting_client(kind));
    FAILS(accept(listener, nowhere, &length), EFAULT);
}

/* The connection whose address could not be told is lost: it had left the queue, and is closed.
 *
 * Linux net/socket.c do_accept() (the address comes after the accept; out_fd closes). */
CASE(a_connection_whose_address_cannot_be_told_is_lost, EACH(connected), BEHAVIOUR("G14"),
     ABOUT("accept", "EFAULT", "FIN"))
{
    struct sockaddr *const nowhere = (struct sockaddr *)8;
    socklen_t length = sizeof(struct sockaddr_storage);
    char byte;
    const int listener = NEED(listening_socket(kind)), client = NEED(waiting_client(kind));

    NEED(nonblocking(listener));
    FAILS(accept(listener, nowhere, &length), EFAULT);
    GIVES(recv(client, &byte, 1, MSG_DONTWAIT), 0);
    FAILS(accept(listener, NULL, NULL), EAGAIN);
}
