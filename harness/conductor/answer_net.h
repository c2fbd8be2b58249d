#ifndef SOCKSPEC_ANSWER_NET_H
#define SOCKSPEC_ANSWER_NET_H

#include "lab.h"

/* What the verbs about hosts and wires do: the answer, or NULL with the reason. */

json_t *answer_host(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_wire(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_address(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_neighbour(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_route(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_cut(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_mend(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_pass(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_discard(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_forge(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_socket(struct lab *lab, const struct request *request, struct reason *why);
json_t *answer_boot(struct lab *lab, const struct request *request, struct reason *why);

/* Of `crash`, which waits: what it does before, and the fact it waits for, as pending.c looks at
 * it: whether all of the host's processes are dead. Then there is an answer. */
int begin_crash(struct lab *lab, struct request *request, struct reason *why);
bool finish_crash(struct lab *lab, json_t **answer);

/* Whether there is the wire and the host that a moment at a segment names. 0, or -1 with the
 * reason. */
int check_places(struct lab *lab, const struct segment_pattern *pattern, struct reason *why);

#endif
