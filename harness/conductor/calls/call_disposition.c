#include "call_layout.h"
#include "call_pieces.h"
#include "call_table.h"

#include <signal.h>

/* What an rt_sigaction changes. */

enum { SIGNAL_ARGUMENT, ACTION_ARGUMENT };

bool call_is_sigaction(const struct call_shape *call)
{
    return call->role == ROLE_SIGACTION;
}

bool call_sigaction(const struct call_shape *call, const uint64_t arguments[CALL_ARGUMENTS],
                    struct call_collected entered, int *signal, enum disposition *disposition,
                    unsigned long *flags)
{
    struct kernel_sigaction action;

    if (!call_is_sigaction(call) ||
        !piece_copy(pieces_find(entered, ACTION_ARGUMENT, PART_SELF), &action, sizeof action))
        return false;
    *signal = (int)arguments[SIGNAL_ARGUMENT];
    *flags = action.flags;
    *disposition = DISPOSITION_HANDLER;
    if (action.handler == (unsigned long)SIG_DFL)
        *disposition = DISPOSITION_DEFAULT;
    else if (action.handler == (unsigned long)SIG_IGN)
        *disposition = DISPOSITION_IGNORED;
    return true;
}
