/* Items that do not tell of themselves as they should. Each is *broken*, and no run goes on. */
#include "case.h"
#include "sockets.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VERDICTS = 3, OTHER_EXIT = 7 };

static void hands_over(const char *text, size_t length)
{
    GIVEN(write(VERDICTS, text, length) == (ssize_t)length);
}

/* It does as it should.
 *
 * verdict.h */
CASE(behaves, ABOUT("broken"))
{
    IS(1, 1);
}

/* It claims what is false.
 *
 * verdict.h */
CASE(claims_what_is_false, ABOUT("broken"))
{
    IS(1, 2);
}

/* It crashes.
 *
 * verdict.h */
CASE(crashes, ABOUT("broken"))
{
    raise(SIGSEGV);
}

/* It crashes when all has been told.
 *
 * verdict.h */
CASE(crashes_at_the_end, ABOUT("broken"))
{
    atexit(abort);
}

/* It hangs.
 *
 * verdict.h */
CASE(hangs, DEADLINE(1))
{
    pause();
}

/* It leaves with success in the middle.
 *
 * verdict.h */
CASE(exits, ABOUT("broken"))
{
    exit(0);
}

/* The same, without handlers.
 *
 * verdict.h */
CASE(exits_at_once, ABOUT("broken"))
{
    _exit(0);
}

/* It says itself that it passed, and leaves.
 *
 * verdict.h */
CASE(says_passed_and_exits, ABOUT("broken"))
{
    hands_over("{\"verdict\":\"passed\"}\n", sizeof "{\"verdict\":\"passed\"}\n" - 1);
    exit(0);
}

/* It says so, and goes on to the verdict.
 *
 * verdict.h */
CASE(says_passed_twice, ABOUT("broken"))
{
    hands_over("{\"verdict\":\"passed\"}\n", sizeof "{\"verdict\":\"passed\"}\n" - 1);
}

/* It writes what is no verdict where verdicts go.
 *
 * verdict.h */
CASE(writes_garbage, ABOUT("broken"))
{
    hands_over("passed\n", sizeof "passed\n" - 1);
}

/* It closes the descriptor that verdicts go to.
 *
 * verdict.h */
CASE(closes_the_descriptor, ABOUT("broken"))
{
    close(VERDICTS);
}

static void leave_otherwise(void)
{
    _exit(OTHER_EXIT);
}

/* It passes, and ends otherwise.
 *
 * verdict.h */
CASE(passes_but_ends_otherwise, ABOUT("broken"))
{
    atexit(leave_otherwise);
}

static void leave_with_success(void)
{
    _exit(0);
}

/* It fails, and ends with success.
 *
 * verdict.h */
CASE(fails_but_ends_with_success, ABOUT("broken"))
{
    atexit(leave_with_success);
    IS(1, 2);
}

/* A child of it claims what is false, and its parent passes.
 *
 * verdict.h */
CASE(claims_in_a_child, ABOUT("broken"))
{
    const pid_t child = NEED(fork());

    if (child == 0) {
        IS(1, 2);
        _exit(0);
    }
    NEED(waitpid(child, NULL, 0));
}

/* It leaves a UNIX socket behind, and crashes.
 *
 * address.h */
CASE(leaves_a_folder, ABOUT("broken"))
{
    const struct address there = loopback(&unix_stream, PORT);
    const int descriptor = NEED(socket(AF_UNIX, SOCK_STREAM, 0));

    NEED(bind(descriptor, &there.any, there.length));
    raise(SIGKILL);
}
