#ifndef SOCKSPEC_REQUEST_NET_H
#define SOCKSPEC_REQUEST_NET_H

#include "request.h"

/* Readers of the members that are about hosts, wires and segments. Each fills in its part of the
 * request; 0, or -1 with the reason. */

int read_name(json_t *value, struct request *request, struct reason *why);
int read_capture(json_t *value, struct request *request, struct reason *why);
int read_ends(json_t *value, struct request *request, struct reason *why);
int read_mtu(json_t *value, struct request *request, struct reason *why);
int read_neighbours(json_t *value, struct request *request, struct reason *why);
int read_wire(json_t *value, struct request *request, struct reason *why);
int read_side(json_t *value, struct request *request, struct reason *why);
int read_destination(json_t *value, struct request *request, struct reason *why);
int read_via(json_t *value, struct request *request, struct reason *why);
int read_link(json_t *value, struct request *request, struct reason *why);
int read_prefix(json_t *value, struct request *request, struct reason *why);
int read_address(json_t *value, struct request *request, struct reason *why);
int read_mac(json_t *value, struct request *request, struct reason *why);
int read_change(json_t *value, struct request *request, struct reason *why);
int read_order(json_t *value, struct request *request, struct reason *why);
int read_to(json_t *value, struct request *request, struct reason *why);
int read_frame(json_t *value, struct request *request, struct reason *why);

/* Whether a moment at a segment has that member, besides "at" and "nth"; and reading it. */
bool segment_member(const char *key);
int read_segment_member(const char *key, json_t *value, struct segment_pattern *pattern,
                        struct reason *why);

#endif
