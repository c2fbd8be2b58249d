#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <signal.h>
#include <sys/select.h>
#include <unistd.h>

#ifdef __APPLE__
#define ppoll(entries, count, limit, mask)                                                         \
    ((void)(entries), (void)(count), (void)(limit), (void)(mask), lacks("ppoll"))
#endif

/* poll(), ppoll(), select() and pselect(): what they refuse. POLLNVAL and EBADF are in
 * check_exceptional.c. */

enum { SECOND_NS = 1000000000, MANY = 256 };

static void ignored(int number)
{
    (void)number;
}

/* A signal with a handler waits to be delivered till the mask is empty. */
static int hold_a_signal(sigset_t *none)
{
    struct sigaction action = {.sa_handler = ignored};
    sigset_t held;

    sigemptyset(none);
    sigemptyset(&held);
    sigaddset(&held, SIGUSR1);
    if (sigaction(SIGUSR1, &action, NULL) < 0 || sigprocmask(SIG_BLOCK, &held, NULL) < 0)
        return -1;
    return raise(SIGUSR1) ? -1 : 0;
}

/* --- poll() --------------------------------------------------------------------------------------
 */

/* Entries that cannot be written to are EFAULT.
 *
 * poll(2) [EFAULT]; Linux fs/select.c do_sys_poll(). */
CASE(polling_unwritable_entries_is_efault, BEHAVIOUR("V14"), ABOUT("poll", "EFAULT"))
{
    struct pollfd *const entries = unwritable();

    FAILS(poll(entries, 1, 0), EFAULT);
}

/* Entries that cannot be read are too.
 *
 * poll(2) [EFAULT]; Linux fs/select.c do_sys_poll(). */
CASE(polling_unreadable_entries_is_efault, BEHAVIOUR("V14"), ABOUT("ppoll", "EFAULT"))
{
    struct pollfd *const entries = unreadable();
    const struct timespec no_time = {0, 0};

    FAILS(ppoll(entries, 1, &no_time, NULL), EFAULT);
}

/* Of no entries none is read: it waits, and gives 0.
 *
 * POSIX.1-2024 poll() (nfds 0); Linux fs/select.c do_sys_poll(). */
CASE(polling_nothing_reads_nothing, BEHAVIOUR("V14"), ABOUT("poll"))
{
    GIVES(poll(NULL, 0, 0), 0);
}

/* More entries than the process may have descriptors are EINVAL, though they are of one descriptor.
 *
 * poll(2) [EINVAL] (RLIMIT_NOFILE); POSIX.1-2024 poll() [EINVAL] (OPEN_MAX); Linux fs/select.c
 * do_sys_poll(). */
CASE(polling_more_than_may_be_open_is_refused, EACH(every_socket), BEHAVIOUR("V14"),
     ABOUT("poll", "EINVAL", "RLIMIT_NOFILE"))
{
    const int fd = NEED(new_socket(kind));
    struct pollfd entries[MANY];

    for (int i = 0; i < MANY; i++)
        entries[i] = (struct pollfd){.fd = fd};
    NEED(leave_descriptors(0));
    FAILS(poll(entries, MANY, 0), EINVAL);
}

/* A signal that comes while ppoll() waits is EINTR.
 *
 * POSIX.1-2024 poll(), ppoll() [EINTR]; Linux fs/select.c do_sys_poll(). */
CASE(a_signal_ends_ppoll, EACH(every_socket), BEHAVIOUR("V14"), ABOUT("ppoll", "EINTR"))
{
    struct pollfd entry = {.events = POLLIN};
    struct pair pair;
    sigset_t none;

    NEED(connected_pair(kind, &pair));
    entry.fd = pair.mine;
    NEED(hold_a_signal(&none));
    FAILS(ppoll(&entry, 1, NULL, &none), EINTR);
}

static KINDS(no_times, KIND("minus_1_s", .value = -1), KIND("minus_1_ns", .other = -1),
             KIND("a_second_of_ns", .other = SECOND_NS));

/* A time that is none is EINVAL.
 *
 * POSIX.1-2024 ppoll() [EINVAL]; Linux fs/select.c poll_select_set_timeout(). */
CASE(polling_for_no_time_is_refused, EACH(no_times), BEHAVIOUR("V14"), ABOUT("ppoll", "EINVAL"))
{
    struct pollfd entry = {.fd = -1};
    const struct timespec limit = {.tv_sec = kind->value, .tv_nsec = kind->other};

    FAILS(ppoll(&entry, 1, &limit, NULL), EINVAL);
}

/* --- select() ------------------------------------------------------------------------------------
 */

/* select() says EINVAL for a negative number of descriptors.
 *
 * POSIX.1-2024 select() [EINVAL]; Linux fs/select.c core_sys_select(). */
CASE(selecting_of_a_negative_number_is_refused, BEHAVIOUR("V15"), ABOUT("select", "EINVAL"))
{
    struct timeval no_time = {0, 0};

    FAILS(select(-1, NULL, NULL, NULL, &no_time), EINVAL);
}

static KINDS(sets, KIND("readable", .value = 0), KIND("writable", .value = 1),
             KIND("exceptional", .value = 2));

/* A set that cannot be read is EFAULT.
 *
 * select(2), Linux fs/select.c core_sys_select() (get_fd_set()). */
CASE(selecting_from_an_unreadable_set_is_efault, EACH(sets), BEHAVIOUR("V15"),
     ABOUT("select", "EFAULT"))
{
    fd_set *of[3] = {NULL, NULL, NULL};
    struct timeval no_time = {0, 0};

    of[kind->value] = unreadable();
    FAILS(select(1, of[0], of[1], of[2], &no_time), EFAULT);
}

/* So is one that cannot be written to, for what it found.
 *
 * Linux fs/select.c core_sys_select() (set_fd_set()). */
CASE(selecting_into_an_unwritable_set_is_efault, EACH(sets), BEHAVIOUR("V15"),
     ABOUT("select", "EFAULT"))
{
    fd_set *of[3] = {NULL, NULL, NULL};
    struct timeval no_time = {0, 0};

    of[kind->value] = unwritable();
    FAILS(select(1, of[0], of[1], of[2], &no_time), EFAULT);
}

static KINDS(no_selected_times, KIND("minus_1_s", .value = -1), KIND("minus_1_us", .other = -1));

/* A time below 0 is EINVAL.
 *
 * POSIX.1-2024 select() [EINVAL]; Linux fs/select.c poll_select_set_timeout(). */
CASE(selecting_for_a_negative_time_is_refused, EACH(no_selected_times), BEHAVIOUR("V15"),
     ABOUT("select", "EINVAL"))
{
    struct timeval limit = {.tv_sec = kind->value, .tv_usec = kind->other};

    FAILS(select(0, NULL, NULL, NULL, &limit), EINVAL);
}

/* pselect() says so of a second of nanoseconds too.
 *
 * POSIX.1-2024 pselect() [EINVAL]; Linux fs/select.c poll_select_set_timeout(). */
CASE(pselecting_for_no_time_is_refused, EACH(no_times), BEHAVIOUR("V15"),
     ABOUT("pselect", "EINVAL"))
{
    const struct timespec limit = {.tv_sec = kind->value, .tv_nsec = kind->other};

    FAILS(pselect(0, NULL, NULL, NULL, &limit, NULL), EINVAL);
}

/* A signal that comes while pselect() waits is EINTR.
 *
 * POSIX.1-2024 pselect() [EINTR]; Linux fs/select.c core_sys_select(). */
CASE(a_signal_ends_pselect, EACH(every_socket), BEHAVIOUR("V15"), ABOUT("pselect", "EINTR"))
{
    fd_set readable;
    struct pair pair;
    sigset_t none;

    NEED(connected_pair(kind, &pair));
    FD_ZERO(&readable);
    FD_SET(pair.mine, &readable);
    NEED(hold_a_signal(&none));
    FAILS(pselect(pair.mine + 1, &readable, NULL, NULL, NULL, &none), EINTR);
}

/* A number beyond all descriptors that the process has had is taken for that.
 *
 * Linux fs/select.c core_sys_select() (max_fds); POSIX.1-2024 select() lets it be EINVAL above
 * FD_SETSIZE. */
CASE(selecting_of_a_large_number_succeeds, BEHAVIOUR("V15"), ABOUT("select", "EINVAL"))
{
    fd_set none[4];
    struct timeval no_time = {0, 0};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        FD_ZERO(&none[i]);
    GIVES(select(2 * FD_SETSIZE, none, NULL, NULL, &no_time), 0);
}
