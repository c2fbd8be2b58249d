#ifndef SOCKSPEC_LOG_H
#define SOCKSPEC_LOG_H

#include "call.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The event log: records of fixed head and raw tail, appended as things happen and decoded only
 * when somebody looks. Records never move and are never changed; seq counts from 1 without gaps. */

enum record_kind {
    RECORD_ENTER,
    RECORD_LEAVE,
    RECORD_SIGNAL,
    RECORD_FORK,
    RECORD_BORN,
    RECORD_EXEC,
    RECORD_EXIT,
    RECORD_DEAD,
    RECORD_SEGMENT,
    RECORD_KINDS
};

/* What became of a segment on a wire. */
enum fate {
    FATE_PASSED,
    FATE_DROPPED,
    FATE_HELD,
    FATE_DUPLICATED,
    FATE_DELAYED,
    FATE_FORGED,
    FATE_CUT,      /* the wire was cut, or there was no host at its end */
    FATE_RELEASED, /* of one that was held or delayed */
    FATES
};

enum injected { INJECTED_NOT, INJECTED_ERRNO, INJECTED_VALUE, INJECTED_SHORT };

struct record {
    uint64_t seq, time; /* time: ns of CLOCK_REALTIME */
    enum record_kind kind;
    int process; /* 0: none (segments) */
    pid_t thread;
    union {
        struct {
            int number; /* of the system call */
            uint64_t arguments[6];
        } enter;
        struct {
            uint64_t entered; /* seq of its enter record */
            int64_t result;   /* −errno for a failure */
            int restarted;
            enum injected injected;
        } leave;
        struct {
            int number;
            pid_t from; /* 0: not a process */
            enum disposition disposition;
        } signal;
        struct {
            int child;
        } fork;
        struct {
            int status; /* as wait() tells it */
        } exit;
        struct {
            int host; /* index: it came from there */
            int wire; /* index; -1: the host's loopback */
            enum fate fate;
            uint64_t of; /* seq of its coming, when it was held or delayed; else 0 */
            uint16_t protocol;
            size_t length; /* of the whole frame, from the network header on */
        } segment;
    };
    size_t tail; /* bytes that follow the head */
    unsigned char bytes[];
};

struct log;

/* "enter", "leave", … */
const char *record_kind_name(enum record_kind kind);

/* The kind of that name, or -1. */
int record_kind_of(const char *name);

/* "passed", … */
const char *fate_name(enum fate fate);

/* NULL with errno. `capacity` is the most bytes it may grow to; memory is used only as records
 * come. */
struct log *log_open(size_t capacity);
void log_close(struct log *log);

/* Appends a record: a copy of the head, with seq filled in (and time, where the head has 0), and of
 * the tail. Its seq, or 0 when the log is full: the event then counts as lost. */
uint64_t log_append(struct log *log, const struct record *head, const void *tail, size_t length);

/* The record of that seq, or NULL. Valid as long as the log. */
const struct record *log_record(const struct log *log, uint64_t seq);

uint64_t log_last(const struct log *log); /* 0: empty */
uint64_t log_lost(const struct log *log);

/* Now, in ns of CLOCK_REALTIME. */
uint64_t log_now(void);

#endif
