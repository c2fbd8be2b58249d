#include "passage.h"

#include "channel.h"
#include "real.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

void signals_block(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    REAL(pthread_sigmask)(SIG_SETMASK, &all, before);
}

void signals_restore(const sigset_t *before)
{
    REAL(pthread_sigmask)(SIG_SETMASK, before, NULL);
}

/* What a call may sleep for. */
enum sleep { NEVER, TO_READ, TO_WRITE, FOR_A_CHILD, ALWAYS };

static const struct {
    enum sleep sleeps;
    bool restarted; /* after a handler with SA_RESTART */
} habits[REPORTED_CALLS] = {
    [REPORTED_accept] = {TO_READ, true},
    [REPORTED_accept4] = {TO_READ, true},
    [REPORTED_read] = {TO_READ, true},
    [REPORTED_readv] = {TO_READ, true},
    [REPORTED_recvfrom] = {TO_READ, true},
    [REPORTED_recvmsg] = {TO_READ, true},
    [REPORTED_write] = {TO_WRITE, true},
    [REPORTED_writev] = {TO_WRITE, true},
    [REPORTED_sendto] = {TO_WRITE, true},
    [REPORTED_sendmsg] = {TO_WRITE, true},
    [REPORTED_connect] = {ALWAYS, true},
    [REPORTED_wait4] = {FOR_A_CHILD, true},
    [REPORTED_waitid] = {FOR_A_CHILD, true},
    [REPORTED_epoll_pwait] = {ALWAYS, false},
    [REPORTED_poll] = {ALWAYS, false},
    [REPORTED_ppoll] = {ALWAYS, false},
    [REPORTED_pselect6] = {ALWAYS, false},
    [REPORTED_epoll_wait] = {ALWAYS, false},
    [REPORTED_pause] = {ALWAYS, false},
    [REPORTED_clock_nanosleep] = {ALWAYS, false},
    [REPORTED_rt_sigtimedwait] = {ALWAYS, false},
};

static bool ready(int descriptor, short events)
{
    struct pollfd one = {.fd = descriptor, .events = events};
    const int flags = REAL(fcntl)(descriptor, F_GETFL);

    return flags < 0 || (flags & O_NONBLOCK) || REAL(poll)(&one, 1, 0) != 0;
}

static bool may_sleep(const struct passage *passage)
{
    switch (habits[passage->call].sleeps) {
    case TO_READ:
        return !ready((int)passage->arguments[0], POLLIN);
    case TO_WRITE:
        return !ready((int)passage->arguments[0], POLLOUT);
    case FOR_A_CHILD:
        return !(passage->arguments[passage->call == REPORTED_waitid ? 3 : 2] & WNOHANG);
    case ALWAYS:
        return true;
    default:
        return false;
    }
}

/* A signal that came while the thread was held here will be handled before the call begins, where a
 * call that begins with a signal pending would end with EINTR if it had to sleep. No program can
 * begin one so by itself: it is owned up to. */
static void own_up(const struct passage *passage, const sigset_t *before)
{
    const int number = signals_interrupting(before, habits[passage->call].restarted);
    struct report report = {
        .kind = REPORT_UNABLE, .call = (int32_t)passage->call, .number = number};

    if (number && may_sleep(passage))
        channel_tell(&report);
}

static struct slot ask(const struct passage *passage, enum report_kind kind)
{
    struct report report = {
        .kind = (int32_t)kind, .call = (int32_t)passage->call, .result = passage->result};

    memcpy(report.arguments, passage->given, sizeof report.arguments);
    return channel_ask(&report);
}

static void heed(const struct slot *answer)
{
    if (!answer->detach)
        return;
    channel_leave();
    signals_hand_back();
}

bool passage_enter(struct passage *passage)
{
    const int saved = errno;
    sigset_t before;
    struct slot answer;

    memcpy(passage->arguments, passage->given, sizeof passage->arguments);
    passage->silent = !channel_open();
    if (passage->silent)
        return true;
    signals_block(&before);
    answer = ask(passage, REPORT_ENTER);
    passage->skipped = answer.skip;
    passage->instead = answer.result;
    if (answer.shorten >= 0)
        passage->arguments[answer.shorten] = answer.length;
    if (!passage->skipped && answer.held)
        own_up(passage, &before);
    heed(&answer);
    signals_restore(&before);
    errno = saved;
    return !passage->skipped;
}

int64_t passage_leave(struct passage *passage)
{
    const bool refused = passage->skipped && passage->instead < 0;
    const int error = refused ? (int)-passage->instead : errno;
    const int64_t given = passage->skipped ? passage->instead : passage->result;
    const int64_t result = refused ? -1 : given;
    sigset_t before;
    struct slot answer;

    if (!passage->silent && channel_open()) {
        signals_block(&before);
        passage->result = result < 0 ? -error : result;
        answer = ask(passage, REPORT_LEAVE);
        heed(&answer);
        signals_restore(&before);
    }
    errno = error;
    return result;
}
