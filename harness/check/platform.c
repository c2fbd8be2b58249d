#include "platform.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined __APPLE__
#define COMPILED_FOR "darwin"
#elif defined __FreeBSD__
#define COMPILED_FOR "freebsd"
#else
#define COMPILED_FOR "linux"
#endif

const char *platform_chosen(void)
{
    static const char *const known[] = {"linux", "darwin", "freebsd", "gvisor"};
    const char *asked = getenv("SOCKSPEC_PLATFORM");

    if (!asked)
        return COMPILED_FOR;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        /* "linux-6.18-x86_64" is linux. */
        if (strncmp(asked, known[i], strlen(known[i])) == 0)
            return known[i];
    }
    return NULL;
}

long expected_everywhere(long long value)
{
    return (long)value;
}

long expected_here(struct expected expected)
{
    const char *platform = platform_chosen();

    if (expected.darwin.given && strcmp(platform, "darwin") == 0)
        return expected.darwin.value;
    if (expected.freebsd.given && strcmp(platform, "freebsd") == 0)
        return expected.freebsd.value;
    if (expected.gvisor.given && strcmp(platform, "gvisor") == 0)
        return expected.gvisor.value;
    return expected.linux_.value;
}
