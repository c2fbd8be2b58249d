#ifndef SOCKSPEC_CASE_H
#define SOCKSPEC_CASE_H

#include "expect.h"
#include "kind.h"
#include "lacking.h"
#include "poller.h"

/* A case: one claim about behaviour that one process can show. A comment right before it says the
 * claim in a sentence and, after an empty line, where it comes from; see CONTRIBUTING.md.
 *
 *     CASE(an_occupied_port_is_refused, EACH(inet_stream), BEHAVIOUR("A1"), ABOUT("EADDRINUSE"))
 *     {
 *         ... the body in the order of time; `kind` is what its items differ in
 *     }
 *
 * The harness reads all of this from the source, without compiling it; names of sets and literal
 * strings are all that it takes here. */
enum { MOST_WORDS = 16, MOST_SETS = 2 };

struct sockspec_case {
    const char *name, *file;
    int line;
    void (*body)(const struct kind *kind);
    const struct kind *sets[MOST_SETS];
    const char *behaviour[MOST_WORDS], *about[MOST_WORDS], *requires[MOST_WORDS];
    int deadline;
    bool waits, slow;
    struct sockspec_case *next;
};

/* One item for each kind of the set, or for each pair of kinds of two sets. */
#define EACH(...) .sets = {__VA_ARGS__}
/* Rows of the catalogue of behaviours. */
#define BEHAVIOUR(...) .behaviour = {__VA_ARGS__}
/* The options, errnos and states that it is about: pytest -k finds it by them. */
#define ABOUT(...) .about = {__VA_ARGS__}
/* What is unsupported where the platform lacks it: see harness/check/requirements.py. */
#define REQUIRES(...) .requires = {__VA_ARGS__}
/* Seconds that an item may take; 5 unless this is said, 10 with sanitizers. */
#define DEADLINE(seconds) .deadline = (seconds)
/* It waits for a timer of the kernel; runs beside the busy ones. */
#define WAITS .waits = true
/* It takes a minute or more. */
#define SLOW .slow = true

#define CASE(claim, ...)                                                                           \
    static void claim(const struct kind *kind);                                                    \
    __attribute__((constructor)) static void claim##_registers(void)                               \
    {                                                                                              \
        static struct sockspec_case self = {                                                       \
            .name = #claim, .file = __FILE__, .line = __LINE__, .body = claim, __VA_ARGS__};       \
        case_register(&self);                                                                      \
    }                                                                                              \
    static void claim(const struct kind *kind __attribute__((unused)))

/* Called before main, once for each case, in the order of a file. */
void case_register(struct sockspec_case *registered);

#endif
