#ifndef SOCKSPEC_CALL_IOCTL_H
#define SOCKSPEC_CALL_IOCTL_H

#include "call_table.h"

/* The requests of ioctl whose argument points at an int. */
struct call_ioctl {
    uint64_t request;
    enum call_way way;
};

/* NULL: the argument is something else. */
const struct call_ioctl *ioctl_find(uint64_t request);

#endif
