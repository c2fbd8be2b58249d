#ifndef SOCKSPEC_HEX_H
#define SOCKSPEC_HEX_H

#include <stddef.h>

/* The value of a hexadecimal digit, or -1. */
int hex_digit(char letter);

/* Bytes written as two digits each. How many they are, or -1 when the text is something else or
 * more than fits. */
long hex_bytes(const char *text, unsigned char *bytes, size_t room);

#endif
