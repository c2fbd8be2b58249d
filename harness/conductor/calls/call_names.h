#ifndef SOCKSPEC_CALL_NAMES_H
#define SOCKSPEC_CALL_NAMES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The names of the constants that calls take. */

struct call_name {
    const char *name;
    uint64_t value;
    uint64_t mask; /* among flags: the bits that must have this value */
};

struct call_names {
    const struct call_name *rows;
    size_t count;
};

/* What stands between the braces of a row, of a row whose flag fills a field, of a whole list. */
#define CALL_NAME(constant) #constant, constant, constant
#define CALL_FIELD(constant, mask) #constant, constant, mask
#define CALL_NAMES(rows) rows, sizeof rows / sizeof rows[0]

/* The name that the list gives to the value, or NULL. */
const char *names_find(const struct call_names *names, uint64_t value);

/* The name as text, or the value as a number when it has none. A new reference, or NULL when memory
 * runs out. */
json_t *names_one(const struct call_names *names, uint64_t value);

/* The names of the flags in the list's order, and a number last where bits are left over. A new
 * reference; NULL when memory runs out. */
json_t *names_flags(const struct call_names *names, uint64_t value);

/* Sockets */
extern const struct call_names names_family, names_socket_type, names_plain_socket_type,
    names_accept, names_inet_protocol, names_netlink_protocol, names_level, names_message,
    names_shutdown;
/* Waiting for descriptors */
extern const struct call_names names_poll, names_epoll_operation, names_epoll_events,
    names_epoll_create, names_eventfd, names_signalfd, names_timerfd;
/* Files and descriptors */
extern const struct call_names names_open, names_status, names_pipe, names_descriptor, names_fcntl,
    names_ioctl, names_unlink, names_exec, names_splice, names_close_range;
/* Processes, signals, clocks */
extern const struct call_names names_wait, names_waitid, names_id_type, names_sigaction,
    names_mask_how, names_clone, names_clock, names_clock_flags, names_timer;

#endif
