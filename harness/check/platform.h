#ifndef SOCKSPEC_PLATFORM_H
#define SOCKSPEC_PLATFORM_H

#include <stdbool.h>

/* An expectation that differs from platform to platform, as a value beside the case, with its
 * source:
 *
 *     FAILS(listen(other, 1), ON(LINUX(EADDRINUSE), DARWIN(SUCCESS)));
 *
 * A platform that is not named does as Linux does. */
struct expected {
    struct {
        bool given;
        long value;
    } linux_, darwin, freebsd, gvisor;
};

#define ON(...) ((struct expected){__VA_ARGS__})
#define LINUX(expected) .linux_ = {true, (expected)}
#define DARWIN(expected) .darwin = {true, (expected)}
#define FREEBSD(expected) .freebsd = {true, (expected)}
#define GVISOR(expected) .gvisor = {true, (expected)}
#define SUCCESS 0

/* One value, or what ON() chooses. */
#define EXPECTED(value)                                                                            \
    _Generic((value), struct expected : expected_here, default : expected_everywhere)(value)

long expected_here(struct expected expected);
/* Its value is as wide as an unsigned length, whose sign a long of 32 bits might change. */
long expected_everywhere(long long value);

/* Which platform expectations are chosen for: its name, or NULL when SOCKSPEC_PLATFORM names none
 * that is known. Without that it is the one compiled for. */
const char *platform_chosen(void);

#endif
