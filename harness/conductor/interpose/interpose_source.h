#ifndef SOCKSPEC_INTERPOSE_SOURCE_H
#define SOCKSPEC_INTERPOSE_SOURCE_H

#include "core.h"

/* Events from a library that is loaded into the programs (harness/interpose), which reports the
 * calls that they make of the C library and waits at each till it is told to go on. A program that
 * is linked statically runs unseen; what cannot be seen, or brought about, from within a process is
 * refused as lacking ptrace. */
extern const struct source interpose_source;

#endif
