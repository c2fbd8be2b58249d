#ifndef SOCKSPEC_DESCRIBE_H
#define SOCKSPEC_DESCRIBE_H

#include "lab.h"

#include <jansson.h>

/* A lab's facts as JSON (PROTOCOL.md: process, exit, event). Each returns a new reference. */

json_t *describe_exit(int status);
json_t *describe_process(const struct lab *lab, const struct process *process);
json_t *describe_living(const struct lab *lab); /* those that are not dead */
json_t *describe_processes(const struct lab *lab);

/* `raw`: with the bytes of segments. */
json_t *describe_event(const struct lab *lab, const struct record *record, bool raw);

#endif
