#include "signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

struct name {
    const char *name;
    int number;
};

/* Where two names share a number the first row answers for it. */
static const struct name names[] = {
#ifdef SIGHUP
    {"SIGHUP", SIGHUP},
#endif
#ifdef SIGINT
    {"SIGINT", SIGINT},
#endif
#ifdef SIGQUIT
    {"SIGQUIT", SIGQUIT},
#endif
#ifdef SIGILL
    {"SIGILL", SIGILL},
#endif
#ifdef SIGTRAP
    {"SIGTRAP", SIGTRAP},
#endif
#ifdef SIGABRT
    {"SIGABRT", SIGABRT},
#endif
#ifdef SIGIOT
    {"SIGIOT", SIGIOT},
#endif
#ifdef SIGEMT
    {"SIGEMT", SIGEMT},
#endif
#ifdef SIGBUS
    {"SIGBUS", SIGBUS},
#endif
#ifdef SIGFPE
    {"SIGFPE", SIGFPE},
#endif
#ifdef SIGKILL
    {"SIGKILL", SIGKILL},
#endif
#ifdef SIGUSR1
    {"SIGUSR1", SIGUSR1},
#endif
#ifdef SIGSEGV
    {"SIGSEGV", SIGSEGV},
#endif
#ifdef SIGUSR2
    {"SIGUSR2", SIGUSR2},
#endif
#ifdef SIGPIPE
    {"SIGPIPE", SIGPIPE},
#endif
#ifdef SIGALRM
    {"SIGALRM", SIGALRM},
#endif
#ifdef SIGTERM
    {"SIGTERM", SIGTERM},
#endif
#ifdef SIGSTKFLT
    {"SIGSTKFLT", SIGSTKFLT},
#endif
#ifdef SIGCHLD
    {"SIGCHLD", SIGCHLD},
#endif
#ifdef SIGCLD
    {"SIGCLD", SIGCLD},
#endif
#ifdef SIGCONT
    {"SIGCONT", SIGCONT},
#endif
#ifdef SIGSTOP
    {"SIGSTOP", SIGSTOP},
#endif
#ifdef SIGTSTP
    {"SIGTSTP", SIGTSTP},
#endif
#ifdef SIGTTIN
    {"SIGTTIN", SIGTTIN},
#endif
#ifdef SIGTTOU
    {"SIGTTOU", SIGTTOU},
#endif
#ifdef SIGURG
    {"SIGURG", SIGURG},
#endif
#ifdef SIGXCPU
    {"SIGXCPU", SIGXCPU},
#endif
#ifdef SIGXFSZ
    {"SIGXFSZ", SIGXFSZ},
#endif
#ifdef SIGVTALRM
    {"SIGVTALRM", SIGVTALRM},
#endif
#ifdef SIGPROF
    {"SIGPROF", SIGPROF},
#endif
#ifdef SIGWINCH
    {"SIGWINCH", SIGWINCH},
#endif
#ifdef SIGIO
    {"SIGIO", SIGIO},
#endif
#ifdef SIGPOLL
    {"SIGPOLL", SIGPOLL},
#endif
#ifdef SIGPWR
    {"SIGPWR", SIGPWR},
#endif
#ifdef SIGINFO
    {"SIGINFO", SIGINFO},
#endif
#ifdef SIGLOST
    {"SIGLOST", SIGLOST},
#endif
#ifdef SIGSYS
    {"SIGSYS", SIGSYS},
#endif
#ifdef SIGUNUSED
    {"SIGUNUSED", SIGUNUSED},
#endif
#ifdef SIGTHR
    {"SIGTHR", SIGTHR},
#endif
#ifdef SIGLIBRT
    {"SIGLIBRT", SIGLIBRT},
#endif
};

enum { NAMES = sizeof names / sizeof names[0] };

#ifdef SIGRTMIN
/* Written out, so that a name is static text. SIGRTMIN itself is no constant: libraries take the
 * first few of the kernel's real-time signals for themselves. */
static const char *const real_time[] = {
    "SIGRTMIN",    "SIGRTMIN+1",  "SIGRTMIN+2",  "SIGRTMIN+3",  "SIGRTMIN+4",  "SIGRTMIN+5",
    "SIGRTMIN+6",  "SIGRTMIN+7",  "SIGRTMIN+8",  "SIGRTMIN+9",  "SIGRTMIN+10", "SIGRTMIN+11",
    "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+16", "SIGRTMIN+17",
    "SIGRTMIN+18", "SIGRTMIN+19", "SIGRTMIN+20", "SIGRTMIN+21", "SIGRTMIN+22", "SIGRTMIN+23",
    "SIGRTMIN+24", "SIGRTMIN+25", "SIGRTMIN+26", "SIGRTMIN+27", "SIGRTMIN+28", "SIGRTMIN+29",
    "SIGRTMIN+30", "SIGRTMIN+31", "SIGRTMIN+32", "SIGRTMIN+33", "SIGRTMIN+34", "SIGRTMIN+35",
    "SIGRTMIN+36", "SIGRTMIN+37", "SIGRTMIN+38", "SIGRTMIN+39", "SIGRTMIN+40", "SIGRTMIN+41",
    "SIGRTMIN+42", "SIGRTMIN+43", "SIGRTMIN+44", "SIGRTMIN+45", "SIGRTMIN+46", "SIGRTMIN+47",
    "SIGRTMIN+48", "SIGRTMIN+49", "SIGRTMIN+50", "SIGRTMIN+51", "SIGRTMIN+52", "SIGRTMIN+53",
    "SIGRTMIN+54", "SIGRTMIN+55", "SIGRTMIN+56", "SIGRTMIN+57", "SIGRTMIN+58", "SIGRTMIN+59",
    "SIGRTMIN+60", "SIGRTMIN+61", "SIGRTMIN+62",
};

enum { REAL_TIME = sizeof real_time / sizeof real_time[0] };

static const char *real_time_name(int number)
{
    if (number < SIGRTMIN || number > SIGRTMAX || number - SIGRTMIN >= REAL_TIME)
        return NULL;
    return real_time[number - SIGRTMIN];
}

static int real_time_number(const char *name)
{
    if (strcmp(name, "SIGRTMAX") == 0)
        return SIGRTMAX;
    for (int offset = 0; offset < REAL_TIME && SIGRTMIN + offset <= SIGRTMAX; offset++)
        if (strcmp(real_time[offset], name) == 0)
            return SIGRTMIN + offset;
    return -1;
}
#else
static const char *real_time_name(int number)
{
    (void)number;
    return NULL;
}

static int real_time_number(const char *name)
{
    (void)name;
    return -1;
}
#endif

const char *signal_name(int number)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].number == number)
            return names[i].name;
    return real_time_name(number);
}

int signal_number(const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].number;
    return real_time_number(name);
}
