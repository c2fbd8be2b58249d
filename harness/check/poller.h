#ifndef SOCKSPEC_POLLER_H
#define SOCKSPEC_POLLER_H

/* One way of asking whether a descriptor is ready, for cases that hold for all of them. */
struct poller {
    const char *lacks; /* NULL, or why this platform has none such */
    /* Waits till one of `events` (POLLIN, POLLOUT, POLLPRI) has come, or so many milliseconds (-1:
     * for ever). Which have, 0 for none, or -1 with errno. Of what poll tells unasked, select sees
     * none. */
    int (*wait)(int descriptor, int events, int milliseconds);
};

/* What it tells where poll, asked the same, tells these events. select has but three sets: an error
 * or a hang-up is what a call would not wait for, so it is ready (Linux fs/select.c POLLIN_SET,
 * POLLOUT_SET). */
int told_by(const struct poller *poller, int events);

extern const struct poller by_select, by_poll, by_epoll;

#endif
