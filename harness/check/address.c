#include "address.h"

#include "lacking.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDER_ROOM = 64, USUAL_PORT = 9877 };

static char folder[FOLDER_ROOM];
static bool folder_is_there;

uint16_t own_port(int index)
{
    const char *first = getenv("SOCKSPEC_PORT");

    return (uint16_t)((first ? strtol(first, NULL, 10) : USUAL_PORT) + index);
}

/* The folder and what it may hold go when the process ends in order; else with what TMPDIR names:
 * see harness/check/items.py and apart.h. */
static void remove_folder(void)
{
    const int ports[] = {PORT, OTHER_PORT};
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path];

    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, ports[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void make_folder(void)
{
    const char *above = getenv("TMPDIR");

    if (folder_is_there)
        return;
    if (!above || snprintf(folder, sizeof folder, "%s/sockspec.XXXXXX", above) >= FOLDER_ROOM)
        snprintf(folder, sizeof folder, "/tmp/sockspec.XXXXXX");
    folder_is_there = mkdtemp(folder) != NULL; /* else bind says what is wrong */
    if (folder_is_there)
        atexit(remove_folder);
}

static struct address unix_address(int port)
{
    struct address address = {.un = {.sun_family = AF_UNIX}, .length = sizeof address.un};

    make_folder();
    snprintf(address.un.sun_path, sizeof address.un.sun_path, "%s/%d", folder, port);
    return address;
}

static struct address ipv4_address(const char *text, int port)
{
    struct address address = {.in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)},
                              .length = sizeof address.in};

    inet_pton(AF_INET, text, &address.in.sin_addr);
    return address;
}

static struct address ipv6_address(const char *text, int port)
{
    struct address address = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)},
                              .length = sizeof address.in6};

    inet_pton(AF_INET6, text, &address.in6.sin6_addr);
    return address;
}

struct address address_of(const struct kind *kind, const char *text, int port)
{
    char mapped[64];

    if (kind->family == AF_UNIX)
        return unix_address(port);
    if (kind->family == AF_INET)
        return ipv4_address(text, port);
    snprintf(mapped, sizeof mapped, "%s%s", kind->mapped ? "::ffff:" : "", text);
    return ipv6_address(mapped, port);
}

struct address loopback(const struct kind *kind, int port)
{
    return address_of(kind, kind->family == AF_INET || kind->mapped ? "127.0.0.1" : "::1", port);
}

struct address wildcard(const struct kind *kind, int port)
{
    return address_of(kind, kind->family == AF_INET || kind->mapped ? "0.0.0.0" : "::", port);
}

int own_address(int descriptor, struct address *address)
{
    address->length = sizeof address->storage;
    return getsockname(descriptor, &address->any, &address->length);
}

int peer_address(int descriptor, struct address *address)
{
    address->length = sizeof address->storage;
    return getpeername(descriptor, &address->any, &address->length);
}

int port_of(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohs(address->in.sin_port);
    if (address->any.sa_family == AF_INET6)
        return ntohs(address->in6.sin6_port);
    errno = EAFNOSUPPORT;
    return -1;
}
