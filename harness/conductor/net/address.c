#include "address.h"

#include "hex.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

size_t address_length(const struct address *address)
{
    return address->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

static int prefix_parse(const char *text, int most, int *prefix)
{
    char *end;
    const long number = strtol(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || number > most)
        return -1;
    *prefix = (int)number;
    return 0;
}

int address_parse(const char *text, bool prefix, struct address *address)
{
    char plain[INET6_ADDRSTRLEN];
    const size_t length = strcspn(text, "/");
    int most;

    if (length >= sizeof plain || prefix != (text[length] == '/'))
        return -1;
    memcpy(plain, text, length);
    plain[length] = '\0';
    address->family = strchr(plain, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(address->family, plain, address->bytes) != 1)
        return -1;
    most = (int)address_length(address) * 8;
    address->prefix = most;
    return prefix ? prefix_parse(text + length + 1, most, &address->prefix) : 0;
}

void address_text(const struct address *address, char text[ADDRESS_TEXT_ROOM])
{
    char plain[INET6_ADDRSTRLEN] = "";

    inet_ntop(address->family, address->bytes, plain, sizeof plain);
    snprintf(text, ADDRESS_TEXT_ROOM, "%s/%d", plain, address->prefix);
}

int mac_parse(const char *text, unsigned char mac[MAC_LENGTH])
{
    if (strlen(text) != MAC_TEXT_ROOM - 1)
        return -1;
    for (size_t i = 0; i < MAC_LENGTH; i++, text += 3) {
        const int high = hex_digit(text[0]), low = hex_digit(text[1]);

        if (high < 0 || low < 0 || text[2] != (i + 1 < MAC_LENGTH ? ':' : '\0'))
            return -1;
        mac[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

void mac_text(const unsigned char mac[MAC_LENGTH], char text[MAC_TEXT_ROOM])
{
    snprintf(text, MAC_TEXT_ROOM, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}
