#include "case.h"
#include "sockets.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Children that end at once, and who waits for them. */

static int handle_sigchld(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    return sigaction(SIGCHLD, &action, NULL);
}

static void do_nothing(int number)
{
    (void)number;
}

static pid_t child_that_exits(int status)
{
    const pid_t child = fork();

    if (child == 0)
        _exit(status);
    return child;
}

/* waitid() tells of a child that has ended and, with WNOWAIT, leaves it as it is: a zombie, which
 * can be waited for again.
 *
 * POSIX.1-2024 waitid() (WNOWAIT: keep the process in a waitable state). */
CASE(a_child_stays_until_it_is_waited_for, BEHAVIOUR("L5"), ABOUT("zombie", "waitid", "WNOWAIT"))
{
    siginfo_t told = {.si_pid = 0};
    int status = 0;
    const pid_t child = NEED(child_that_exits(7));

    GIVES(waitid(P_PID, (id_t)child, &told, WEXITED | WNOWAIT), 0);
    IS(kill(child, 0), 0);
    IS(waitpid(child, &status, 0) == child, true);
    IS(WEXITSTATUS(status), 7);
    FAILS(kill(child, 0), ESRCH);
}

static KINDS(ways, KIND("SIG_IGN", .value = 0), KIND("SA_NOCLDWAIT", .value = 1));

/* With SIGCHLD ignored, or with SA_NOCLDWAIT, children leave no zombie: a wait sleeps till all have
 * ended and says ECHILD.
 *
 * POSIX.1-2024 wait() [ECHILD], sigaction() (SA_NOCLDWAIT), _Exit(). */
CASE(children_that_nobody_wants_leave_no_zombie, EACH(ways), BEHAVIOUR("L6"),
     ABOUT("SIGCHLD", "SIG_IGN", "SA_NOCLDWAIT", "ECHILD", "zombie"))
{
    NEED(kind->value ? handle_sigchld(do_nothing, SA_NOCLDWAIT) : handle_sigchld(SIG_IGN, 0));
    NEED(child_that_exits(0));
    FAILS(wait(NULL), ECHILD);
}

/* By default SIGCHLD does nothing either, but the child is a zombie, and can be waited for.
 *
 * POSIX.1-2024 <signal.h> (SIGCHLD: ignore by default), _Exit(). */
CASE(by_default_a_child_is_waited_for, BEHAVIOUR("L6", "L5"), ABOUT("SIGCHLD", "SIG_DFL", "zombie"))
{
    NEED(handle_sigchld(SIG_DFL, 0));
    const pid_t child = NEED(child_that_exits(0));

    IS(wait(NULL) == child, true);
}

/* Ignoring SIGCHLD when the child is a zombie already comes too late: it can still be waited for.
 *
 * Linux kernel/signal.c do_notify_parent() (decides at the child's end); POSIX.1-2024 leaves it
 * open. */
CASE(ignoring_sigchld_afterwards_is_too_late, BEHAVIOUR("L6"),
     ABOUT("SIGCHLD", "SIG_IGN", "zombie"))
{
    siginfo_t told = {.si_pid = 0};
    const pid_t child = NEED(child_that_exits(0));

    NEED(waitid(P_PID, (id_t)child, &told, WEXITED | WNOWAIT));
    NEED(handle_sigchld(SIG_IGN, 0));
    IS(waitpid(child, NULL, 0) == child, true);
}

/* The grandchild, when its own parent has been waited for, tells who its parent is now. */
static int parent_of_an_orphan(void)
{
    int go[2] = {-1, -1}, answer[2] = {-1, -1};
    char byte = 0;
    pid_t told = -1;
    pid_t child = -1;

    if (pipe(go) < 0 || pipe(answer) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        if (fork() != 0)
            _exit(0);
        if (read(go[0], &byte, 1) == 1) {
            told = getppid();
            _exit(write(answer[1], &told, sizeof told) != sizeof told);
        }
        _exit(1);
    }
    if (child < 0 || waitpid(child, NULL, 0) != child || write(go[1], "x", 1) != 1 ||
        read(answer[0], &told, sizeof told) != sizeof told)
        return -1;
    return (int)told;
}

/* An orphan gets init for a parent, of its own PID namespace.
 *
 * POSIX.1-2024 _Exit() (the parent process ID shall be that of an implementation-defined system
 * process); pid_namespaces(7). */
CASE(an_orphan_is_given_to_init, BEHAVIOUR("L10"), ABOUT("fork", "getppid", "init"),
     REQUIRES("own host"))
{
    IS(parent_of_an_orphan(), 1);
}

#ifdef __linux__
#include <sys/prctl.h>
#define become_subreaper() prctl(PR_SET_CHILD_SUBREAPER, 1)
#else
#define become_subreaper() lacks("PR_SET_CHILD_SUBREAPER")
#endif

/* Or its nearest ancestor that is a subreaper, which can then wait for it.
 *
 * PR_SET_CHILD_SUBREAPER(2const); Linux kernel/exit.c find_new_reaper(). */
CASE(an_orphan_is_given_to_a_subreaper, BEHAVIOUR("L10"),
     ABOUT("PR_SET_CHILD_SUBREAPER", "getppid"))
{
    int status = -1;

    NEED(become_subreaper());
    IS(parent_of_an_orphan() == getpid(), true);
    IS(wait(&status) > 0, true);
    IS(status, 0);
}
