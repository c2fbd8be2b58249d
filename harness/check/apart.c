#include "apart.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#endif

enum { MOST_OPEN = 16, FOLDER_ROOM = 40 };

static char folder[FOLDER_ROOM];
static bool has_folder, has_network;

/* --- a network of its own ------------------------------------------------------------------------
 */

#ifdef __linux__
static bool write_file(const char *path, const char *text)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    const bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

    if (file >= 0)
        close(file);
    return written;
}

/* Whoever is not root becomes it in a user namespace, as in a lab. */
static bool become_root(void)
{
    char users[32], groups[32];

    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    return unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups);
}

static bool bring_loopback_up(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool up = descriptor >= 0 && ioctl(descriptor, SIOCSIFFLAGS, &lo) == 0;

    if (descriptor >= 0)
        close(descriptor);
    return up;
}

static bool take_network(void)
{
    if (unshare(CLONE_NEWNET) < 0 && !(become_root() && unshare(CLONE_NEWNET) == 0))
        return false;
    return bring_loopback_up();
}
#else
static bool take_network(void)
{
    return false;
}
#endif

/* Tried in a child, since there is no way back. */
static bool can_take_network(void)
{
    const pid_t child = fork();
    int status = 1;

    if (child == 0)
        _exit(!take_network());
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void apart_item(void)
{
    /* cppcheck-suppress knownConditionTrueFalse ; elsewhere than on Linux */
    if (has_network && !take_network()) {
        perror("a network of its own");
        exit(EXIT_FAILURE); /* which Check counts as a failure */
    }
}

/* --- a folder for their folders ------------------------------------------------------------------
 */

/* Names of UNIX sockets are short. */
static void name_folder(void)
{
    const char *above = getenv("TMPDIR");

    if (!above || snprintf(folder, sizeof folder, "%s/sockspec.XXXXXX", above) >= FOLDER_ROOM)
        snprintf(folder, sizeof folder, "/tmp/sockspec.XXXXXX");
}

void apart_begin(void)
{
    name_folder();
    has_folder = mkdtemp(folder) != NULL && setenv("TMPDIR", folder, 1) == 0;
    has_network = can_take_network();
    if (!has_network)
        fprintf(stderr, "Items share this machine's network, as namespaces are not to be had: what "
                        "one leaves in TIME_WAIT may disturb the next.\n");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    remove(path);
    return 0;
}

void apart_end(void)
{
    if (has_folder)
        nftw(folder, remove_one, MOST_OPEN, FTW_DEPTH | FTW_PHYS);
    has_folder = false;
}
