#include "unfit.h"

#include "expect.h"
#include "lacking.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/capability.h>
#include <sys/syscall.h>
#endif

enum { LONG_NAME = 300, OWNER_ALONE = 0700, SHORT_IPV4 = 15, SHORT_IPV6 = 23 };

/* --- descriptors ---------------------------------------------------------------------------------
 */

static int closed_number(void)
{
    const int descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    return descriptor < 0 || close(descriptor) < 0 ? -1 : descriptor;
}

int bad_descriptor(const struct kind *kind)
{
    if (kind->other)
        return kind->other;
    /* -1 would pass for what it should be. */
    return need(HERE, "bad_descriptor(kind)", closed_number());
}

int no_socket(const struct kind *kind)
{
    int ends[2];

    if (kind->text)
        return open(kind->text, O_RDONLY | O_CLOEXEC);
    return pipe(ends) < 0 ? -1 : ends[1];
}

/* --- addresses -----------------------------------------------------------------------------------
 */

/* 24 bytes will do for IPv6: without the scope (RFC 2133). */
socklen_t too_short(const struct kind *kind)
{
    return kind->family == AF_INET ? SHORT_IPV4 : SHORT_IPV6;
}

/* --- memory --------------------------------------------------------------------------------------
 */

static void *page(int protection)
{
    void *start = mmap(NULL, (size_t)getpagesize(), protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    GIVEN(start != MAP_FAILED); /* NULL would pass for what it should be */
    return start;
}

void *unreadable(void)
{
    return page(PROT_NONE);
}

void *unwritable(void)
{
    return page(PROT_READ);
}

/* --- paths ---------------------------------------------------------------------------------------
 */

static char obstacle[sizeof((struct sockaddr_un *)NULL)->sun_path];

static void remove_obstacle(void)
{
    if (unlink(obstacle) < 0)
        rmdir(obstacle);
}

/* What stands where the path has a folder. */
static int make_obstacle(int error)
{
    char name[LONG_NAME + 1];
    int file;

    memset(name, 'x', LONG_NAME);
    name[LONG_NAME] = '\0';
    switch (error) {
    case ENOENT:
        return 0;
    case ENOTDIR:
        file = open(obstacle, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ALONE);
        return file < 0 ? -1 : close(file);
    case ELOOP:
        return symlink(obstacle, obstacle);
    case ENAMETOOLONG: /* sun_path has no room for one: a link does */
        return symlink(name, obstacle);
    default:
        return mkdir(obstacle, 0);
    }
}

int bad_path(const struct kind *kind, struct address *address)
{
    *address = loopback(&unix_stream, PORT);
    memcpy(obstacle, address->un.sun_path, sizeof obstacle);
    if (strlen(obstacle) + sizeof "/x" > sizeof obstacle) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address->un.sun_path + strlen(obstacle), "/x", sizeof "/x");
    /* Handlers run in reverse order: this one before that which removes the folder. */
    return atexit(remove_obstacle) ? -1 : make_obstacle(kind->other);
}

/* --- the process ---------------------------------------------------------------------------------
 */

int leave_descriptors(int count)
{
    struct rlimit limit;
    int next;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    limit.rlim_cur = limit.rlim_max; /* it may have been lowered before */
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || (next = closed_number()) < 0)
        return -1;
    limit.rlim_cur = (rlim_t)next + (rlim_t)count;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

#ifdef __linux__
int lose_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return (int)syscall(SYS_capset, &header, none);
}
#else
int lose_privileges(void)
{
    enum { NOBODY = 65534 };

    return seteuid(NOBODY);
}
#endif
