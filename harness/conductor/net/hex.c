#include "hex.h"

#include <string.h>

int hex_digit(char letter)
{
    static const char digits[] = "0123456789abcdef", capitals[] = "ABCDEF";
    const char *at = letter ? strchr(digits, letter) : NULL;

    if (at)
        return (int)(at - digits);
    at = letter ? strchr(capitals, letter) : NULL;
    return at ? (int)(at - capitals) + 10 : -1;
}

long hex_bytes(const char *text, unsigned char *bytes, size_t room)
{
    const size_t length = strlen(text);

    if (length % 2 != 0 || length / 2 > room)
        return -1;
    for (size_t i = 0; i < length / 2; i++) {
        const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return (long)(length / 2);
}
