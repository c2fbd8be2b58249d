#ifndef SOCKSPEC_ADDRESS_H
#define SOCKSPEC_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Addresses as requests write them. Pure. */

struct address {
    int family;              /* AF_INET, AF_INET6 */
    unsigned char bytes[16]; /* of the family, from the first on */
    int prefix;              /* bits; all of them where the text has none */
};

enum { MAC_LENGTH = 6 };

size_t address_length(const struct address *address); /* bytes */

/* "10.0.0.1" or, with `prefix`, "10.0.0.1/24" (needed then). 0, or -1 when it is none. */
int address_parse(const char *text, bool prefix, struct address *address);

/* "02:00:00:00:00:01". 0, or -1 when it is none. */
int mac_parse(const char *text, unsigned char mac[MAC_LENGTH]);

enum { ADDRESS_TEXT_ROOM = 64, MAC_TEXT_ROOM = 18 };

/* As they are parsed, the prefix always told. */
void address_text(const struct address *address, char text[ADDRESS_TEXT_ROOM]);
void mac_text(const unsigned char mac[MAC_LENGTH], char text[MAC_TEXT_ROOM]);

#endif
