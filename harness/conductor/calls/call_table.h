#ifndef SOCKSPEC_CALL_TABLE_H
#define SOCKSPEC_CALL_TABLE_H

#include "call.h"
#include "call_names.h"

/* What a row of the table of calls is made of. Private to call*.c. */

/* What an argument is; call_kinds.c says for each how it is collected and decoded. */
enum call_kind {
    KIND_NONE, /* not shown */
    KIND_INT,
    KIND_UNSIGNED,
    KIND_SIZE,
    KIND_LENGTH, /* the length of the data */
    KIND_DESCRIPTOR,
    KIND_DIRECTORY, /* a descriptor, or AT_FDCWD */
    KIND_NAMED,
    KIND_FLAGS,
    KIND_MODE,     /* with: the flags of open */
    KIND_PROTOCOL, /* with: the family */
    KIND_SIGNAL,
    KIND_CLONE_FLAGS,
    KIND_SENT,            /* data; with: its length */
    KIND_RECEIVED,        /* data; with: the buffer's length */
    KIND_VECTOR,          /* iovec; with: their number */
    KIND_ADDRESS,         /* sockaddr; with: its length */
    KIND_ADDRESS_RESULT,  /* sockaddr; with: the pointer to its length */
    KIND_LENGTH_RESULT,   /* pointer to a length */
    KIND_OPTION,          /* a socket option's name */
    KIND_OPTION_VALUE,    /* with: its length */
    KIND_OPTION_RESULT,   /* with: the pointer to its length */
    KIND_MESSAGE,         /* msghdr */
    KIND_MESSAGES,        /* mmsghdr; with: their number */
    KIND_POLL,            /* pollfd; with: their number */
    KIND_DESCRIPTOR_SET,  /* fd_set; with: the number of descriptors */
    KIND_EPOLL_EVENT,     /* epoll_event */
    KIND_EPOLL_EVENTS,    /* with: room for how many */
    KIND_TIMEVAL,         /* seconds */
    KIND_TIMESPEC,        /* seconds */
    KIND_ITIMERVAL,       /* seconds */
    KIND_OFFSET,          /* pointer to loff_t */
    KIND_SIGNAL_SET,      /* with: its size */
    KIND_SIGNAL_SET_PAIR, /* pointer to {pointer, size} */
    KIND_SIGACTION,
    KIND_STATUS,  /* of wait4 */
    KIND_SIGINFO, /* of waitid */
    KIND_PATH,
    KIND_STRINGS, /* argv */
    KIND_PAIR,    /* two descriptors */
    KIND_CLONE,   /* clone_args */
    KIND_FCNTL,   /* with: the command */
    KIND_IOCTL,   /* with: the request */
    CALL_KINDS
};

/* When an argument's memory is valid. */
enum call_way {
    WAY_IN,          /* the program fills it in: at entering */
    WAY_OUT,         /* the kernel fills it in: at leaving, if the call succeeded */
    WAY_BOTH,        /* both */
    WAY_INTERRUPTED, /* the kernel fills it in when the call was interrupted */
};

struct call_argument {
    const char *name;
    enum call_kind kind;
    enum call_way way;
    unsigned with;                  /* the argument that it cannot be understood without */
    const struct call_names *names; /* of KIND_NAMED, KIND_FLAGS */
};

/* The few calls that the conductor itself asks about. */
enum call_role { ROLE_NONE, ROLE_RESTART, ROLE_SIGACTION };

struct call_shape {
    const char *name;
    const char *known_as; /* how programs know it, when that differs */
    enum call_role role;
    struct call_argument arguments[CALL_ARGUMENTS];
};

enum { CALL_TABLE_LIMIT = 128 };
extern const struct call_shape call_table[];
extern const size_t call_table_rows; /* at most CALL_TABLE_LIMIT */

/* The value of the argument that this one cannot be understood without. */
uint64_t call_with(const struct call_shape *call, const uint64_t *arguments, size_t index);

/* Whether memory of that way is valid now. */
bool call_way_is_valid(enum call_way way, enum call_phase phase, int64_t result);

#endif
