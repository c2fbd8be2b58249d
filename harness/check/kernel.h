#ifndef SOCKSPEC_KERNEL_H
#define SOCKSPEC_KERNEL_H

/* What a case changes of the kernel around it: of the item's own network namespace, where it has
 * one. Linux. */

/* Writes a setting: set_sysctl("net.core.somaxconn", "3"). 0, or -1 with errno. */
int set_sysctl(const char *name, const char *value);

/* Another network device beside loopback, up and without an IPv4 address: one end of a veth. 0, or
 * -1 with errno. */
int add_device(const char *name);

#endif
