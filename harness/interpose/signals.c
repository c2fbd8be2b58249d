#include "signals.h"

#include "channel.h"
#include "passage.h"
#include "real.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(NSIG)
enum { SIGNALS = NSIG };
#else
enum { SIGNALS = _NSIG };
#endif

/* Those that end a process by default and come from outside its instructions. */
static const int fatal[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGABRT, SIGPIPE,   SIGALRM, SIGTERM,
                            SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF};

/* What the program has set, or has been given. */
static struct sigaction actions[SIGNALS];

static bool is_fatal(int number)
{
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        if (fatal[i] == number)
            return true;
    }
    return false;
}

static bool has_handler(const struct sigaction *action)
{
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

static void answer_signal(int number, const siginfo_t *information, bool handled)
{
#if defined(__APPLE__)
    const bool sent = information->si_pid > 0;
#else
    const bool sent = information->si_code <= 0 || number == SIGCHLD;
#endif
    struct report report = {.kind = REPORT_SIGNAL,
                            .number = number,
                            .from = sent ? information->si_pid : 0,
                            .fatal = !handled,
                            .flags = (uint64_t)actions[number].sa_flags};
    const struct slot answer = channel_ask(&report);

    if (answer.detach)
        channel_leave();
}

static _Noreturn void end_by(int number)
{
    struct report report = {.kind = REPORT_EXITING, .number = number};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t only;

    if (channel_open())
        channel_ask(&report);
    REAL(sigaction)(number, &by_default, NULL);
    sigemptyset(&only);
    sigaddset(&only, number);
    REAL(kill)(getpid(), number);
    REAL(pthread_sigmask)(SIG_UNBLOCK, &only, NULL);
    REAL(_exit)(112); /* it has not ended us */
    __builtin_unreachable();
}

static void deliver(int number, siginfo_t *information, void *context);

/* The kernel's own handler of a signal: ours where there is something to tell. */
static int set_real(int number)
{
    struct sigaction ours = actions[number];

    if (has_handler(&ours) || (ours.sa_handler == SIG_DFL && is_fatal(number) && channel_open())) {
        if (!has_handler(&ours)) {
            ours.sa_flags = SA_RESTART;
            sigemptyset(&ours.sa_mask);
        }
        ours.sa_flags |= SA_SIGINFO;
        ours.sa_sigaction = deliver;
    }
    return REAL(sigaction)(number, &ours, NULL);
}

static void call_handler(const struct sigaction *action, int number, siginfo_t *information,
                         void *context)
{
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(number, information, context);
    else
        action->sa_handler(number);
}

static void deliver(int number, siginfo_t *information, void *context)
{
    const int saved = errno;
    const struct sigaction action = actions[number];
    struct report handled = {.kind = REPORT_HANDLED, .number = number};
    sigset_t before;

    signals_block(&before);
    if (channel_open())
        answer_signal(number, information, has_handler(&action));
    if (!has_handler(&action))
        end_by(number);
    if ((unsigned)action.sa_flags & SA_RESETHAND) {
        memset(&actions[number], 0, sizeof actions[number]);
        set_real(number);
    }
    signals_restore(&before);
    errno = saved;
    call_handler(&action, number, information, context);
    if (channel_open())
        channel_tell(&handled);
}

void signals_begin(void)
{
    for (int number = 1; number < SIGNALS; number++)
        REAL(sigaction)(number, NULL, &actions[number]);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        set_real(fatal[i]);
}

void signals_hand_back(void)
{
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        set_real(fatal[i]);
}

int signals_interrupting(const sigset_t *mask, bool restarted)
{
    sigset_t pending;

    if (sigpending(&pending) < 0)
        return 0;
    for (int number = 1; number < SIGNALS; number++) {
        const struct sigaction *action = &actions[number];

        if (sigismember(&pending, number) == 1 && sigismember(mask, number) == 0 &&
            has_handler(action) && !(restarted && (action->sa_flags & SA_RESTART)))
            return number;
    }
    return 0;
}

/* --- what programs call
 * ------------------------------------------------------------------------------- */

/* As the kernel lays it out: what the conductor reads. */
struct told {
    unsigned long handler, flags, restorer, mask;
};

static struct told telling(const struct sigaction *action)
{
    struct told told = {.handler = (unsigned long)(uintptr_t)action->sa_handler,
                        .flags = (unsigned long)action->sa_flags};

    memcpy(&told.mask, &action->sa_mask,
           sizeof told.mask < sizeof action->sa_mask ? sizeof told.mask : sizeof action->sa_mask);
    return told;
}

static int set_action(int number, const struct sigaction *action, struct sigaction *old)
{
    struct sigaction former;

    if (!channel_open() || (unsigned)number >= SIGNALS)
        return REAL(sigaction)(number, action, old);
    former = actions[number];
    if (action) {
        actions[number] = *action;
        if (set_real(number) < 0) {
            actions[number] = former;
            return -1;
        }
    }
    if (old)
        *old = former;
    return 0;
}

INTERPOSE(int, sigaction, (int, const struct sigaction *, struct sigaction *))
int interposed_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    struct told new_told = {0}, old_told = {0};
    struct passage passage = {
        .call = REPORTED_rt_sigaction,
        .given = {(uint64_t)number, action ? (uint64_t)(uintptr_t)&new_told : 0,
                  old ? (uint64_t)(uintptr_t)&old_told : 0, sizeof new_told.mask}};

    if (action)
        new_told = telling(action);
    if (passage_enter(&passage)) {
        passage.result = set_action(number, action, old);
        if (old && passage.result == 0)
            old_told = telling(old);
    }
    return (int)passage_leave(&passage);
}

typedef void signal_handler(int);

static signal_handler *set_handler(int number, signal_handler *handler, unsigned flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)flags}, old = {0};

    sigemptyset(&action.sa_mask);
    return interposed_sigaction(number, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

INTERPOSE(signal_handler *, signal, (int, signal_handler *))
signal_handler *interposed_signal(int number, signal_handler *handler)
{
    return set_handler(number, handler, SA_RESTART);
}

#if !defined(__APPLE__)
/* What signal is to a program of plain POSIX. */
INTERPOSE(signal_handler *, __sysv_signal, (int, signal_handler *))
signal_handler *interposed___sysv_signal(int number, signal_handler *handler)
{
    return set_handler(number, handler, SA_RESETHAND | SA_NODEFER);
}
#endif
