#include "case.h"
#include "epoll.h"
#include "sockets.h"
#include "unfit.h"

#include <signal.h>
#include <unistd.h>

#ifndef __linux__
#define epoll_create(size) lacks("epoll")
#define epoll_pwait(epoll, events, room, limit, mask)                                              \
    ((void)(epoll), (void)(events), (void)(room), (void)(limit), (void)(mask), lacks("epoll"))
#endif

/* epoll: what it refuses. */

enum { NO_FLAG = 1, NO_OPERATION = 99, MOST_NESTED = 4 };

static int new_epoll(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

/* --- epoll_create1() -----------------------------------------------------------------------------
 */

/* epoll_create1() says EINVAL for any flag but EPOLL_CLOEXEC.
 *
 * epoll_create1(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_create(). */
CASE(an_epoll_with_a_flag_that_is_none, BEHAVIOUR("V16"), ABOUT("epoll_create1", "EINVAL"))
{
    FAILS(epoll_create1(NO_FLAG), EINVAL);
}

static KINDS(no_sizes, KIND("0", .value = 0), KIND("minus_1", .value = -1));

/* epoll_create() says EINVAL for a size that is not above 0, though it has no use for it.
 *
 * epoll_create(2) [EINVAL]; Linux fs/eventpoll.c epoll_create(). */
CASE(an_epoll_of_no_size, EACH(no_sizes), BEHAVIOUR("V16"), ABOUT("epoll_create", "EINVAL"))
{
    FAILS(epoll_create(kind->value), EINVAL);
}

/* An epoll is a descriptor: without one to spare it is EMFILE.
 *
 * epoll_create1(2) [EMFILE]. */
CASE(an_epoll_needs_a_free_descriptor, BEHAVIOUR("V16"), ABOUT("epoll_create1", "EMFILE"))
{
    NEED(leave_descriptors(0));
    FAILS(epoll_create1(EPOLL_CLOEXEC), EMFILE);
}

/* --- epoll_ctl() ---------------------------------------------------------------------------------
 */

static KINDS(operations, KIND("ADD", .value = EPOLL_CTL_ADD), KIND("MOD", .value = EPOLL_CTL_MOD),
             KIND("DEL", .value = EPOLL_CTL_DEL));

/* epoll_ctl() says EBADF where the epoll is no open descriptor.
 *
 * epoll_ctl(2) [EBADF]. */
CASE(the_list_of_no_descriptor_is_ebadf, EACH(operations, bad_descriptors), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EBADF"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int fd = NEED(new_socket(&ipv4_stream));

    FAILS(epoll_ctl(bad_descriptor(kind), kind->value, fd, &event), EBADF);
}

/* And where what is to be watched is none.
 *
 * epoll_ctl(2) [EBADF]. */
CASE(watching_no_descriptor_is_ebadf, EACH(operations, bad_descriptors), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EBADF"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll());

    FAILS(epoll_ctl(epoll, kind->value, bad_descriptor(kind), &event), EBADF);
}

/* Where the epoll is something else it says EINVAL.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl() (is_file_epoll()). */
CASE(the_list_of_a_socket_is_refused, EACH(operations, every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int fd = NEED(new_socket(kind)), other = NEED(new_socket(kind));

    FAILS(epoll_ctl(fd, kind->value, other, &event), EINVAL);
}

/* What is watched cannot be added again: EEXIST.
 *
 * epoll_ctl(2) [EEXIST]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(watching_twice_is_eexist, EACH(every_socket), BEHAVIOUR("V16"), ABOUT("epoll_ctl", "EEXIST"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EEXIST);
}

static KINDS(changes, KIND("MOD", .value = EPOLL_CTL_MOD), KIND("DEL", .value = EPOLL_CTL_DEL));

/* What is not watched can be neither changed nor taken out: ENOENT.
 *
 * epoll_ctl(2) [ENOENT]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(changing_what_is_not_watched_is_enoent, EACH(changes, every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "ENOENT"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    FAILS(epoll_ctl(epoll, kind->value, fd, &event), ENOENT);
}

static KINDS(files, KIND("folder", .text = "/"), KIND("plain", .text = "/proc/self/exe"));

/* Files and folders are always ready: epoll watches none, EPERM.
 *
 * epoll_ctl(2) [EPERM]; Linux fs/eventpoll.c do_epoll_ctl() (file_can_poll()). */
CASE(watching_a_file_is_eperm, EACH(files), BEHAVIOUR("V16"), ABOUT("epoll_ctl", "EPERM"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(no_socket(kind));

    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EPERM);
}

/* An operation that is none is EINVAL.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(an_operation_that_is_none_is_refused, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    FAILS(epoll_ctl(epoll, NO_OPERATION, fd, &event), EINVAL);
}

static KINDS(reading, KIND("ADD", .value = EPOLL_CTL_ADD), KIND("MOD", .value = EPOLL_CTL_MOD));

/* An event that cannot be read is EFAULT.
 *
 * Linux fs/eventpoll.c epoll_ctl() (copy_from_user()). */
CASE(an_unreadable_event_is_efault, EACH(reading), BEHAVIOUR("V16"), ABOUT("epoll_ctl", "EFAULT"))
{
    struct epoll_event *const event = unreadable();
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(&ipv4_stream));

    FAILS(epoll_ctl(epoll, kind->value, fd, event), EFAULT);
}

/* Taking out reads no event.
 *
 * epoll_ctl(2) BUGS (NULL since Linux 2.6.9); Linux fs/eventpoll.c ep_op_has_event(). */
CASE(taking_out_needs_no_event, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EPOLL_CTL_DEL"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    SUCCEEDS(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, unreadable()));
}

/* --- an epoll in an epoll ------------------------------------------------------------------------
 */

/* An epoll cannot watch itself: EINVAL.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(an_epoll_cannot_watch_itself, EACH(operations), BEHAVIOUR("V16"), ABOUT("epoll_ctl", "EINVAL"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll());

    FAILS(epoll_ctl(epoll, kind->value, epoll, &event), EINVAL);
}

/* Two cannot watch each other: ELOOP.
 *
 * epoll_ctl(2) [ELOOP]; Linux fs/eventpoll.c ep_loop_check(). */
CASE(two_epolls_cannot_watch_each_other, BEHAVIOUR("V16"), ABOUT("epoll_ctl", "ELOOP"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int one = NEED(new_epoll()), other = NEED(new_epoll());

    NEED(epoll_ctl(one, EPOLL_CTL_ADD, other, &event));
    FAILS(epoll_ctl(other, EPOLL_CTL_ADD, one, &event), ELOOP);
}

/* Nor can they be nested deeper than five.
 *
 * epoll_ctl(2) [ELOOP]; Linux fs/eventpoll.c ep_loop_check() (EP_MAX_NESTS). */
CASE(epolls_cannot_be_nested_deeply, BEHAVIOUR("V16"), ABOUT("epoll_ctl", "ELOOP"))
{
    struct epoll_event event = {.events = EPOLLIN};
    int inner = NEED(new_epoll());

    for (int depth = 0; depth < MOST_NESTED; depth++) {
        const int outer = NEED(new_epoll());

        SUCCEEDS(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
        inner = outer;
    }
    const int outermost = NEED(new_epoll());
    FAILS(epoll_ctl(outermost, EPOLL_CTL_ADD, inner, &event), ELOOP);
}

/* --- EPOLLEXCLUSIVE ------------------------------------------------------------------------------
 */

/* What is watched exclusively cannot be changed: EINVAL.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(an_exclusive_watch_cannot_be_changed, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL", "EPOLLEXCLUSIVE"))
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    event.events = EPOLLIN;
    FAILS(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
}

/* Nor can a watch be made exclusive later.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(a_watch_cannot_be_made_exclusive, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL", "EPOLLEXCLUSIVE"))
{
    struct epoll_event event = {.events = EPOLLIN};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    event.events |= EPOLLEXCLUSIVE;
    FAILS(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
}

/* Nor can an epoll be watched exclusively.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(an_epoll_cannot_be_watched_exclusively, BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL", "EPOLLEXCLUSIVE"))
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    const int epoll = NEED(new_epoll()), other = NEED(new_epoll());

    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event), EINVAL);
}

/* EPOLLONESHOT does not go with it.
 *
 * epoll_ctl(2) [EINVAL]; Linux fs/eventpoll.c EPOLLEXCLUSIVE_OK_BITS. */
CASE(an_exclusive_watch_is_not_one_shot, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_ctl", "EINVAL", "EPOLLEXCLUSIVE", "EPOLLONESHOT"))
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT};
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EINVAL);
}

/* --- epoll_wait() --------------------------------------------------------------------------------
 */

/* epoll_wait() says EBADF for what is no open descriptor.
 *
 * epoll_wait(2) [EBADF]. */
CASE(waiting_on_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V16"),
     ABOUT("epoll_wait", "EBADF"))
{
    struct epoll_event event;

    FAILS(epoll_wait(bad_descriptor(kind), &event, 1, 0), EBADF);
}

/* For a descriptor of something else it says EINVAL.
 *
 * epoll_wait(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_wait() (is_file_epoll()). */
CASE(waiting_on_a_socket_is_refused, EACH(every_socket), BEHAVIOUR("V16"),
     ABOUT("epoll_wait", "EINVAL"))
{
    struct epoll_event event;
    const int fd = NEED(new_socket(kind));

    FAILS(epoll_wait(fd, &event, 1, 0), EINVAL);
}

/* Room for no event is EINVAL.
 *
 * epoll_wait(2) [EINVAL]; Linux fs/eventpoll.c do_epoll_wait(). */
CASE(waiting_without_room_is_refused, EACH(no_sizes), BEHAVIOUR("V16"),
     ABOUT("epoll_wait", "EINVAL"))
{
    struct epoll_event event;
    const int epoll = NEED(new_epoll());

    FAILS(epoll_wait(epoll, &event, kind->value, 0), EINVAL);
}

/* Memory that an event cannot be written to is EFAULT.
 *
 * epoll_wait(2) [EFAULT]; Linux fs/eventpoll.c ep_send_events() (epoll_put_uevent()). */
CASE(waiting_into_unwritable_memory_is_efault, EACH(datagram), BEHAVIOUR("V16"),
     ABOUT("epoll_wait", "EFAULT"))
{
    struct epoll_event event = {.events = EPOLLOUT};
    struct epoll_event *const nowhere = unwritable();
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    FAILS(epoll_wait(epoll, nowhere, 1, 0), EFAULT);
}

/* An event that could not be told is not lost: the next call gives it.
 *
 * Linux fs/eventpoll.c ep_send_events() (it goes back to the list). */
CASE(efault_leaves_the_event, EACH(datagram), BEHAVIOUR("V16"), ABOUT("epoll_wait", "EFAULT"))
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
    struct epoll_event *const nowhere = unwritable();
    const int epoll = NEED(new_epoll()), fd = NEED(new_socket(kind));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    FAILS(epoll_wait(epoll, nowhere, 1, 0), EFAULT);
    GIVES(epoll_wait(epoll, &event, 1, 0), 1);
}

static void ignored(int number)
{
    (void)number;
}

/* A signal that comes while it waits is EINTR, also with SA_RESTART.
 *
 * epoll_wait(2) [EINTR]; signal(7) (never restarted); Linux fs/eventpoll.c ep_poll(). */
CASE(a_signal_ends_epoll_pwait, BEHAVIOUR("V16"), ABOUT("epoll_pwait", "EINTR", "SA_RESTART"))
{
    struct sigaction action = {.sa_handler = ignored, .sa_flags = SA_RESTART};
    struct epoll_event event;
    sigset_t held, none;
    const int epoll = NEED(new_epoll());

    sigemptyset(&none);
    sigemptyset(&held);
    sigaddset(&held, SIGUSR1);
    NEED(sigaction(SIGUSR1, &action, NULL));
    NEED(sigprocmask(SIG_BLOCK, &held, NULL));
    NEED(raise(SIGUSR1));
    FAILS(epoll_pwait(epoll, &event, 1, -1, &none), EINTR);
}
