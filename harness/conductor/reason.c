#include "reason.h"

#include "errno_name.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int because(struct reason *why, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return -1;
}

int because_of_errno(struct reason *why, const char *format, ...)
{
    const int error = errno;
    const char *name = errno_name(error);
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    used = strlen(why->text);
    snprintf(why->text + used, sizeof why->text - used, ": %s", name ? name : "unknown errno");
    return -1;
}
