#ifndef SOCKSPEC_DESCRIBE_H
#define SOCKSPEC_DESCRIBE_H

#include "core.h"

#include <jansson.h>

/* The core's facts as JSON (PROTOCOL.md: process, exit, event). Each returns a new reference. */

json_t *describe_exit(int status);
json_t *describe_process(const struct core *core, const struct process *process);
json_t *describe_processes(const struct core *core);

/* `raw`: with the bytes of segments. */
json_t *describe_event(const struct core *core, const struct record *record, bool raw);

#endif
