#include "kernel.h"

#include "lacking.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__

int set_sysctl(const char *name, const char *value)
{
    char path[128];
    FILE *file;
    bool written;

    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
        *dot = '/';
    file = fopen(path, "we");
    written = file != NULL && fputs(value, file) >= 0;
    return file == NULL || fclose(file) != 0 || !written ? -1 : 0;
}

#else

int set_sysctl(const char *name, const char *value)
{
    (void)name;
    (void)value;
    return lacks("settings of a network namespace");
}

#endif
