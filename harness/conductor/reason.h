#ifndef SOCKSPEC_REASON_H
#define SOCKSPEC_REASON_H

/* Why a request cannot be done, in one line for the person who made it. */
struct reason {
    char text[512];
    const char *lacks; /* what the kernel would need for it, by name; or NULL */
};

/* Writes the reason, cut to fit, and returns -1, so that a caller can `return because(why, ...)`.
 */
int because(struct reason *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, followed by ": ENAME" for errno. */
int because_of_errno(struct reason *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
