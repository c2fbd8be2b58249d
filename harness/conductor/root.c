#include "root.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

int root_make(char path[ROOT_ROOM], struct reason *why)
{
    snprintf(path, ROOT_ROOM, "/tmp/sockspec-XXXXXX");
    return mkdtemp(path) ? 0 : because_of_errno(why, "making a directory in /tmp");
}

/* Devices are a file system of their own, as terminals are. Where they are missing nothing is lost
 * but them. */
static void show_devices(const char *path)
{
    static const char *const folders[] = {"/dev", "/dev/pts"};
    char place[ROOT_ROOM + 16];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(place, sizeof place, "%s%s", path, folders[i]);
        mount(folders[i], place, NULL, MS_BIND, NULL);
    }
}

/* Not every kernel can show all that is mounted below at once. */
static int show_all(const char *path)
{
    if (mount("/", path, NULL, MS_BIND | MS_REC, NULL) == 0)
        return 0;
    if (errno != EINVAL || mount("/", path, NULL, MS_BIND, NULL) < 0)
        return -1;
    show_devices(path);
    return 0;
}

int root_enter(const char *path, struct reason *why)
{
    char here[PATH_MAX];

    if (!getcwd(here, sizeof here))
        return because_of_errno(why, "getcwd");
    if (show_all(path) < 0)
        return because_of_errno(why, "showing the root directory at %s", path);
    if (chroot(path) < 0 || chdir(here) < 0)
        return because_of_errno(why, "chroot to %s", path);
    return 0;
}

void root_remove(const char *path)
{
    umount2(path, MNT_DETACH);
    rmdir(path);
}
