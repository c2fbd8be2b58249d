#ifndef SOCKSPEC_PASSAGE_H
#define SOCKSPEC_PASSAGE_H

#include "report.h"

#include <signal.h>
#include <stdbool.h>

/* A call's way past the conductor: reported at entering and at leaving, each time with all signals
 * blocked, so that a process that is held there meets none before it goes on. */

struct passage {
    enum reported_call call;
    uint64_t given[6];     /* by the program: what is reported */
    uint64_t arguments[6]; /* what the call is to be made with */
    int64_t result;        /* what it gave: below 0 it failed, with errno */
    bool silent;           /* nobody listens */
    bool skipped;          /* it is not made, and gives … */
    int64_t instead;       /* … this, or -errno */
};

/* Reports the entering; `call` and `given` are filled in. True: the call is to be made, with
 * `arguments`. */
bool passage_enter(struct passage *passage);

/* Reports `result`, which is then the caller's, with its errno. */
int64_t passage_leave(struct passage *passage);

/* Everything that can be blocked, from here to the other. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);

#endif
