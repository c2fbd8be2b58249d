#include "case.h"
#include "epoll.h"
#include "sockets.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* What epoll does that neither select nor poll can: it keeps a list of what it watches, and need
 * not tell again what it has told. Its events have poll's numbers. */

/* An epoll that watches one descriptor. */
static int watching(int descriptor, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    const int epoll = NEED(epoll_create1(EPOLL_CLOEXEC));

    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
    return epoll;
}

static void watch_again(int epoll, int descriptor, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};

    NEED(epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event));
}

/* What it tells at once: 0 for nothing. */
static int told(int epoll)
{
    struct epoll_event event = {.events = 0};
    const int count = NEED(epoll_wait(epoll, &event, 1, 0));

    return count > 0 ? (int)event.events : 0;
}

/* --- EPOLLET -------------------------------------------------------------------------------------
 */

/* With EPOLLET what has arrived is told once, though it stays unread.
 *
 * epoll(7) (edge-triggered); Linux fs/eventpoll.c ep_send_events(). */
CASE(an_edge_is_told_once, EACH(every_socket), BEHAVIOUR("K7"), ABOUT("EPOLLET"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(epoll), POLLIN);
    EVENTS_ARE(told(epoll), 0);
}

/* Without EPOLLET it is told every time.
 *
 * epoll(7) (level-triggered); Linux fs/eventpoll.c ep_send_events() puts it back in the ready list.
 */
CASE(a_level_is_told_every_time, EACH(every_socket), BEHAVIOUR("K7"), ABOUT("epoll_wait"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN);
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(epoll), POLLIN);
    EVENTS_ARE(told(epoll), POLLIN);
}

/* More data are a new edge, though what came before is unread.
 *
 * epoll(7) (question 9); Linux fs/eventpoll.c ep_poll_callback(): each arrival wakes it. */
CASE(more_data_are_a_new_edge, EACH(every_socket), BEHAVIOUR("K7"), ABOUT("EPOLLET"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    GIVEN(told(epoll) == POLLIN);
    NEED(send(pair.peer, "y", 1, 0));
    EVENTS_ARE(told(epoll), POLLIN);
}

/* Arrivals that nobody waited for in between are one edge: it tells that there are, not how many.
 *
 * epoll(7) (question 2: events are combined); Linux fs/eventpoll.c ep_poll_callback(). */
CASE(two_arrivals_are_one_edge, EACH(every_socket), BEHAVIOUR("K7", "K12"), ABOUT("EPOLLET"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    NEED(send(pair.peer, "y", 1, 0));
    EVENTS_ARE(told(epoll), POLLIN);
    EVENTS_ARE(told(epoll), 0);
}

/* Reading a part makes no edge: who does not read till EAGAIN is never told of the rest.
 *
 * epoll(7) (read or write till EAGAIN); Linux fs/eventpoll.c. */
CASE(reading_a_part_is_no_edge, EACH(stream), BEHAVIOUR("K7"), ABOUT("EPOLLET", "recv"))
{
    char byte;
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "two", 2, 0));
    GIVEN(told(epoll) == POLLIN);
    NEED(recv(pair.mine, &byte, 1, 0));
    EVENTS_ARE(told(epoll), 0);
}

/* What was there before the descriptor was added is told: the first edge is not missed.
 *
 * Linux fs/eventpoll.c ep_insert() asks for its events. */
CASE(what_was_there_before_is_an_edge, EACH(every_socket), BEHAVIOUR("K7", "K12"), ABOUT("EPOLLET"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(watching(pair.mine, EPOLLIN | EPOLLET)), POLLIN);
}

/* EPOLL_CTL_MOD tells anew what is there.
 *
 * epoll_ctl(2); Linux fs/eventpoll.c ep_modify() asks for its events. */
CASE(modifying_tells_anew, EACH(every_socket), BEHAVIOUR("K7"), ABOUT("EPOLLET", "EPOLL_CTL_MOD"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    GIVEN(told(epoll) == POLLIN);
    GIVEN(told(epoll) == 0);
    watch_again(epoll, pair.mine, EPOLLIN | EPOLLET);
    EVENTS_ARE(told(epoll), POLLIN);
}

/* An edge is told to each epoll that watches the socket.
 *
 * epoll(7) (question 2); Linux fs/eventpoll.c: each has an entry in the socket's wait queue. */
CASE(each_epoll_is_told_of_an_edge, EACH(every_socket), BEHAVIOUR("K12"), ABOUT("EPOLLET"))
{
    struct pair pair;
    int one, other;

    NEED(connected_pair(kind, &pair));
    one = watching(pair.mine, EPOLLIN | EPOLLET);
    other = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(one), POLLIN);
    EVENTS_ARE(told(other), POLLIN);
}

/* The end of file is an edge of its own after data that were told.
 *
 * epoll(7); Linux net/ipv4/tcp_input.c tcp_fin() and net/unix/af_unix.c unix_shutdown() wake. */
CASE(the_end_of_file_is_an_edge, EACH(connected), BEHAVIOUR("K7", "K15"), ABOUT("EPOLLET", "FIN"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLET);
    NEED(send(pair.peer, "x", 1, 0));
    GIVEN(told(epoll) == POLLIN);
    NEED(shutdown(pair.peer, SHUT_WR));
    EVENTS_ARE(told(epoll), POLLIN);
}

/* --- EPOLLONESHOT --------------------------------------------------------------------------------
 */

/* With EPOLLONESHOT it tells once, and not of what comes later.
 *
 * epoll_ctl(2) (EPOLLONESHOT); Linux fs/eventpoll.c ep_send_events() (EP_PRIVATE_BITS). */
CASE(one_shot_tells_once, EACH(every_socket), BEHAVIOUR("K8"), ABOUT("EPOLLONESHOT"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLONESHOT);
    NEED(send(pair.peer, "x", 1, 0));
    EVENTS_ARE(told(epoll), POLLIN);
    NEED(send(pair.peer, "y", 1, 0));
    EVENTS_ARE(told(epoll), 0);
}

/* EPOLL_CTL_MOD arms it again, and what came meanwhile is told.
 *
 * epoll_ctl(2) (EPOLLONESHOT); Linux fs/eventpoll.c ep_modify(). */
CASE(one_shot_is_armed_again, EACH(every_socket), BEHAVIOUR("K8"),
     ABOUT("EPOLLONESHOT", "EPOLL_CTL_MOD"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN | EPOLLONESHOT);
    NEED(send(pair.peer, "x", 1, 0));
    GIVEN(told(epoll) == POLLIN);
    GIVEN(told(epoll) == 0);
    watch_again(epoll, pair.mine, EPOLLIN | EPOLLONESHOT);
    EVENTS_ARE(told(epoll), POLLIN);
}

/* Spent, it does not even tell of a hang-up, which is told unasked otherwise.
 *
 * epoll_ctl(2) (EPOLLHUP, EPOLLONESHOT); Linux fs/eventpoll.c ep_poll_callback(): without an event
 * it is disabled. */
CASE(a_spent_one_shot_tells_of_no_hang_up, EACH(connected), BEHAVIOUR("K8"),
     ABOUT("EPOLLONESHOT", "POLLHUP"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLOUT | EPOLLONESHOT);
    GIVEN(told(epoll) == POLLOUT);
    NEED(shutdown(pair.mine, SHUT_RDWR));
    GIVEN(events_now(pair.mine, 0) == POLLHUP);
    EVENTS_ARE(told(epoll), 0);
}

/* EPOLLONESHOT keeps the descriptor in the list: adding it again says EEXIST.
 *
 * epoll_ctl(2) EEXIST, EPOLLONESHOT (disabled, not removed); Linux fs/eventpoll.c do_epoll_ctl().
 */
CASE(a_spent_one_shot_stays_in_the_list, EACH(every_socket), BEHAVIOUR("K8"),
     ABOUT("EPOLLONESHOT", "EEXIST"))
{
    struct epoll_event event = {.events = EPOLLIN};
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLOUT | EPOLLONESHOT);
    GIVEN(told(epoll) == POLLOUT);
    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair.mine, &event), EEXIST);
}

/* --- closed descriptors --------------------------------------------------------------------------
 */

/* A descriptor that is closed goes from the list when no duplicate is left.
 *
 * epoll(7) (question 6); Linux fs/eventpoll.c eventpoll_release_file(). */
CASE(closing_the_last_takes_it_out_of_the_list, EACH(every_socket), BEHAVIOUR("K17", "K9"),
     ABOUT("close"))
{
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLOUT);
    GIVEN(told(epoll) == POLLOUT);
    NEED(close(pair.mine));
    EVENTS_ARE(told(epoll), 0);
}

/* As long as a duplicate is open, events of the closed descriptor are reported under its number.
 *
 * epoll(7) (question 6); Linux fs/eventpoll.c: what is watched is the open file. */
CASE(a_closed_descriptor_is_reported_through_its_duplicate, EACH(every_socket), BEHAVIOUR("K17"),
     ABOUT("close", "dup"))
{
    struct epoll_event event = {.events = 0};
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN);
    NEED(fcntl(pair.mine, F_DUPFD_CLOEXEC, 0));
    NEED(close(pair.mine));
    NEED(send(pair.peer, "x", 1, 0));
    GIVES(epoll_wait(epoll, &event, 1, 0), 1);
    IS(event.data.fd, pair.mine);
}

/* It cannot be taken out any more: its number is closed.
 *
 * epoll(7) (question 6); epoll_ctl(2) EBADF; Linux fs/eventpoll.c do_epoll_ctl(). */
CASE(a_closed_descriptor_cannot_be_taken_out, EACH(every_socket), BEHAVIOUR("K17"),
     ABOUT("EBADF", "EPOLL_CTL_DEL"))
{
    struct epoll_event event = {.events = 0};
    struct pair pair;
    int epoll;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN);
    NEED(fcntl(pair.mine, F_DUPFD_CLOEXEC, 0));
    NEED(close(pair.mine));
    FAILS(epoll_ctl(epoll, EPOLL_CTL_DEL, pair.mine, &event), EBADF);
}

/* Nor through the duplicate: that is not in the list.
 *
 * epoll_ctl(2) ENOENT; Linux fs/eventpoll.c ep_find(): the key is file and number. */
CASE(the_duplicate_is_not_in_the_list, EACH(every_socket), BEHAVIOUR("K17"),
     ABOUT("ENOENT", "EPOLL_CTL_DEL"))
{
    struct epoll_event event = {.events = 0};
    struct pair pair;
    int epoll, duplicate;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLIN);
    duplicate = NEED(fcntl(pair.mine, F_DUPFD_CLOEXEC, 0));
    NEED(close(pair.mine));
    FAILS(epoll_ctl(epoll, EPOLL_CTL_DEL, duplicate, &event), ENOENT);
}

/* A process that was forked keeps the descriptor in the list of the parent that closed it.
 *
 * epoll(7) (question 6: fork duplicates too); Linux fs/eventpoll.c. */
CASE(a_closed_descriptor_is_reported_while_a_child_has_it, EACH(every_socket), BEHAVIOUR("K17"),
     ABOUT("close", "fork"))
{
    struct pair pair;
    int epoll, till_written[2], status;
    pid_t child;
    char byte;

    NEED(connected_pair(kind, &pair));
    epoll = watching(pair.mine, EPOLLOUT);
    NEED(pipe(till_written));
    child = NEED(fork());
    if (child == 0) {
        close(till_written[1]);
        _exit(read(till_written[0], &byte, 1) == 1 ? 0 : 1);
    }
    NEED(close(pair.mine));
    EVENTS_ARE(told(epoll), POLLOUT);
    NEED(write(till_written[1], "x", 1));
    GIVEN(waitpid(child, &status, 0) == child && status == 0);
    EVENTS_ARE(told(epoll), 0);
}
