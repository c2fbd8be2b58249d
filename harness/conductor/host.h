#ifndef SOCKSPEC_HOST_H
#define SOCKSPEC_HOST_H

#include "reason.h"

#include <stddef.h>

/* A host is one network namespace. These work on the one that the caller is in. */

/* Brings a link up through netlink. 0, or -1 with errno (ENODEV: there is none of that name). */
int host_link_up(const char *link);

/* Sets a sysctl, or reads it, by its dotted name ("net.ipv4.tcp_fin_timeout"; inside a component
 * '/' stands for a dot). Only names under net. are taken. 0, or -1 with the reason. The value read
 * has no newline at its end; one that does not fit is an error. */
int host_sysctl_set(const char *name, const char *value, struct reason *why);
int host_sysctl_get(const char *name, char *value, size_t size, struct reason *why);

/* Hosts that are made while the caller is in this one have tables of sockets of their own, with
 * thousands of entries, where the kernel can do that (Linux 6.1, 6.2). Otherwise they have the
 * machine's, with hundreds of thousands, which every look at a host's sockets walks through. */
void host_small_tables_behind(void);

#endif
