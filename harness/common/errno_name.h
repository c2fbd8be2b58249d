#ifndef SOCKSPEC_ERRNO_NAME_H
#define SOCKSPEC_ERRNO_NAME_H

/* The name of an errno ("EADDRINUSE"), or NULL when this platform gives the number no name. Aliases
 * answer with the name POSIX uses: EAGAIN, EOPNOTSUPP. The text is static. */
const char *errno_name(int number);

/* The number this platform gives to the errno of that name, or -1 when it has none. Knows aliases
 * too. */
int errno_number(const char *name);

#endif
