#include "isolate.h"

#include "capability/capability.h"
#include "host.h"
#include "root.h"
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char userns_switch[] = "/proc/sys/kernel/unprivileged_userns_clone",
                  apparmor_switch[] = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                  host_name[] = "lab";

static const struct {
    int flag;
    const char *name, *limit, *option;
} walls[] = {
    {CLONE_NEWPID, "PID", "pid", "PID_NS"},     {CLONE_NEWNS, "mount", "mnt", "NAMESPACES"},
    {CLONE_NEWNET, "network", "net", "NET_NS"}, {CLONE_NEWIPC, "IPC", "ipc", "IPC_NS"},
    {CLONE_NEWUTS, "UTS", "uts", "UTS_NS"},
};

enum { WALLS = sizeof walls / sizeof *walls };

/* The lab's own files. Without a resolv.conf resolvers do as with an empty one. */
static const struct {
    const char *source, *target, *text;
    bool needed;
} files[] = {
    {"/proc/hosts", "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", true},
    {"/proc/nsswitch.conf", "/etc/nsswitch.conf", "hosts: files\n", true},
    {"/proc/resolv.conf", "/etc/resolv.conf", "", false},
};

/* The number in a file of /proc/sys, or -1. */
static int read_switch(const char *path)
{
    char text[16] = "";
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    return length > 0 ? (int)strtol(text, NULL, 10) : -1;
}

static int write_file(const char *path, int flags, const char *text)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
    const size_t length = strlen(text);
    int status = 0, error;

    if (file < 0)
        return -1;
    if (length > 0 && write(file, text, length) != (ssize_t)length)
        status = -1;
    error = errno;
    close(file);
    errno = error;
    return status;
}

/* What forbids something, given EPERM or EACCES. */
static int forbidden(struct reason *why, const char *what)
{
    if (read_switch(apparmor_switch) > 0)
        return because(why, "%s is forbidden: set %s to 0", what, apparmor_switch);
    return because(why,
                   "%s is forbidden: run outside of this container or chroot, or allow unshare and "
                   "mount in its security profile",
                   what);
}

static int explain_user(int error, struct reason *why)
{
    if (error == EPERM && read_switch(userns_switch) == 0)
        return because(why, "user namespaces are forbidden: set %s to 1", userns_switch);
    if (error == EPERM || error == EACCES)
        return forbidden(why, "making a user namespace");
    if (error == ENOSPC || error == EUSERS)
        return because(why,
                       "no more user namespaces: raise /proc/sys/user/max_user_namespaces, now %d",
                       read_switch("/proc/sys/user/max_user_namespaces"));
    if (error == EINVAL)
        return because(why, "the kernel has no user namespaces: it needs CONFIG_USER_NS, or run "
                            "as root");
    errno = error;
    return because_of_errno(why, "unshare of the user namespace");
}

/* A user namespace in which the caller's own uid is all there is, as 0. More takes privilege. */
static int make_user(struct reason *why)
{
    const uid_t user = geteuid();
    char users[64], groups[64];

    snprintf(users, sizeof users, "0 %u 1\n", user);
    snprintf(groups, sizeof groups, "0 %u 1\n", getegid());
    if (unshare(CLONE_NEWUSER) < 0)
        return explain_user(errno, why);
    if (write_file("/proc/self/setgroups", 0, "deny") == 0 &&
        write_file("/proc/self/uid_map", 0, users) == 0 &&
        write_file("/proc/self/gid_map", 0, groups) == 0)
        return 0;
    if (errno == EPERM && user == 0)
        return because(why, "root lacks the capabilities here: grant it CAP_SYS_ADMIN (docker and "
                            "podman: --cap-add SYS_ADMIN)");
    if (errno == EPERM || errno == EACCES)
        return forbidden(why, "mapping the own uid into a user namespace");
    return because_of_errno(why, "writing /proc/self/setgroups, uid_map and gid_map");
}

/* Puts the walls up one by one to learn which of them fails, and why. */
static int explain_walls(int error, struct reason *why)
{
    size_t i = 0;
    char what[64];

    while (i < WALLS && unshare(walls[i].flag) == 0)
        i++;
    error = i < WALLS ? errno : error;
    i = i < WALLS ? i : 0;
    snprintf(what, sizeof what, "making a %s namespace", walls[i].name);
    if (error == EPERM || error == EACCES)
        return forbidden(why, what);
    if (error == ENOSPC)
        return because(why, "no more %s namespaces: raise /proc/sys/user/max_%s_namespaces",
                       walls[i].name, walls[i].limit);
    if (error == EINVAL)
        return because(why, "the kernel has no %s namespaces: it needs CONFIG_%s", walls[i].name,
                       walls[i].option);
    errno = error;
    return because_of_errno(why, "%s", what);
}

/* Root without CAP_SYS_ADMIN, as in many containers, is an ordinary user here. */
static int put_up_walls(struct reason *why)
{
    int all = 0;

    for (size_t i = 0; i < WALLS; i++)
        all |= walls[i].flag;
    if (geteuid() == 0) {
        if (unshare(all) == 0)
            return 0;
        if (errno != EPERM)
            return explain_walls(errno, why);
    }
    if (make_user(why) < 0)
        return -1;
    return unshare(all) == 0 ? 0 : explain_walls(errno, why);
}

/* Closes every descriptor from 3 on but that one. */
static int close_all_but(int kept)
{
    const unsigned above = kept < 3 ? 3 : (unsigned)kept + 1;

    if (kept > 3 && close_range(3, (unsigned)kept - 1, 0) < 0)
        return -1;
    return close_range(above, INT_MAX, 0);
}

/* Holds nothing but the lifeline, so that whoever waits for the other end of a descriptor sees it
 * when init lets go. No exit handlers: they are init's. */
static _Noreturn void wait_for(pid_t init, int lifeline, const char *root,
                               const struct isolation *isolation)
{
    int status = 0;

    if (!can(CAN_ISOLATE))
        share_outlive();
    close_all_but(lifeline);
    while (waitpid(init, &status, 0) < 0)
        if (errno != EINTR)
            _exit(111);
    if (!can(CAN_ISOLATE))
        share_end(isolation);
    if (*root)
        root_remove(root);
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int die_with_parent(void)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* In init getppid() is 0, dead parent or not: but the lifeline is cut when the parent is dead. */
static bool is_orphan(int lifeline)
{
    struct pollfd end = {.fd = lifeline};

    return poll(&end, 1, 0) != 0;
}

static int pin(struct isolation *isolation, struct reason *why)
{
    const int cpu = isolation->cpu >= 0 ? isolation->cpu : sched_getcpu();
    cpu_set_t only;

    CPU_ZERO(&only);
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_SET((size_t)cpu, &only);
    if (sched_setaffinity(0, sizeof only, &only) < 0)
        return because_of_errno(why, "processor %d: this process may not use it", cpu);
    isolation->cpu = cpu;
    return 0;
}

static int refuse_mount(struct reason *why, const char *what)
{
    if (errno == EPERM || errno == EACCES)
        return forbidden(why, what);
    return because_of_errno(why, "%s", what);
}

/* Nothing that is mounted from here on reaches the machine's own mounts. */
static int make_private(struct reason *why)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return 0;
    if (errno == EINVAL)
        return because(why, "the root directory is no mount point (a chroot?): make it one with "
                            "mount --bind DIRECTORY DIRECTORY");
    return refuse_mount(why, "making mounts private");
}

/* Binds the lab's files over the machine's; where one is missing there is nothing to bind over, and
 * all of them are laid over /etc instead. */
static void supply_files(void)
{
    bool missing = false;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (mount(files[i].source, files[i].target, NULL, MS_BIND, NULL) < 0)
            missing |= files[i].needed;
    if (missing)
        mount("overlay", "/etc", "overlay", MS_RDONLY, "lowerdir=/proc:/etc");
}

/* A folder for what goes with the lab. Whoever works in the machine's own /dev/shm keeps that. */
static void supply_memory(void)
{
    char here[PATH_MAX];

    if (!getcwd(here, sizeof here) || strncmp(here, "/dev/shm", strlen("/dev/shm")) == 0)
        return;
    if (mkdir("/proc/shm", 0700) == 0 && chmod("/proc/shm", 01777) == 0)
        mount("/proc/shm", "/dev/shm", NULL, MS_BIND, NULL);
}

/* /proc is the one directory that is sure to exist and to be nobody's home: the files are made in a
 * tmpfs there. The binds keep them when the tmpfs goes and the new /proc comes. */
static int mount_files(struct reason *why)
{
    if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0) {
        if (errno == ENOENT)
            return because(why, "/proc is missing: make that directory");
        return refuse_mount(why, "mounting a tmpfs");
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (write_file(files[i].source, O_CREAT | O_EXCL, files[i].text) < 0)
            return because_of_errno(why, "writing the lab's %s", files[i].target);
    supply_files();
    supply_memory();
    if (umount2("/proc", MNT_DETACH) < 0)
        return because_of_errno(why, "unmounting the tmpfs");
    return 0;
}

static int mount_proc(struct reason *why)
{
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
        return 0;
    if (errno == EPERM)
        return because(why, "mounting a new /proc is forbidden, as parts of the old one are "
                            "covered: run the container with an unmasked /proc (docker and podman: "
                            "--security-opt systempaths=unconfined or unmask=ALL)");
    return refuse_mount(why, "mounting a new /proc");
}

/* Whether there is but one uid: the user namespace, whoever made it, maps no more, or the user is
 * an ordinary one. */
static bool is_sole_user(void)
{
    char text[128] = "", *at = text;
    const int file = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    strtoul(at, &at, 10);
    strtoul(at, &at, 10);
    return geteuid() != 0 || (length > 0 && strtoul(at, &at, 10) == 1 && strcmp(at, "\n") == 0);
}

static int furnish(const char *root, struct reason *why)
{
    if ((*root ? root_enter(root, why) : make_private(why)) < 0 || mount_files(why) < 0 ||
        mount_proc(why) < 0)
        return -1;
    if (sethostname(host_name, strlen(host_name)) < 0)
        return because_of_errno(why, "sethostname");
    if (host_link_up("lo") < 0)
        return because_of_errno(why, "bringing lo up");
    return 0;
}

/* There is another way: share.h. */
static int offer_ports(struct reason *why)
{
    static const char offer[] = "; or do without namespaces: --isolation ports";

    strncat(why->text, offer, sizeof why->text - strlen(why->text) - 1);
    return -1;
}

/* In init. */
static int settle(struct isolation *isolation, int lifeline, const char *root, struct reason *why)
{
    if (die_with_parent() < 0)
        return because_of_errno(why, "PR_SET_PDEATHSIG");
    if (is_orphan(lifeline))
        _exit(128 + SIGKILL);
    if (close_all_but(isolation->control) < 0)
        return because_of_errno(why, "close_range");
    if (pin(isolation, why) < 0)
        return -1;
    isolation->sole_user = is_sole_user();
    if (!can(CAN_ISOLATE))
        return share_host(isolation, why);
    return furnish(root, why) == 0 ? 0 : offer_ports(why);
}

/* What is done before there is an init. */
static int prepare(struct isolation *isolation, char root[ROOT_ROOM], struct reason *why)
{
    if (!can(CAN_ISOLATE))
        return share_folder(isolation, why);
    if (put_up_walls(why) < 0)
        return offer_ports(why);
    host_small_tables_behind();
    return can(CAN_MOUNT_PRIVATELY) ? 0 : root_make(root, why);
}

int isolate(struct isolation *isolation, struct reason *why)
{
    const pid_t parent = getppid();
    char root[ROOT_ROOM] = "";
    int lifeline[2];
    pid_t init;

    signal(SIGCHLD, SIG_DFL); /* were it ignored, there would be no status to wait for */
    if (die_with_parent() < 0)
        return because_of_errno(why, "PR_SET_PDEATHSIG");
    capabilities_of_ptrace();
    if (prepare(isolation, root, why) < 0)
        return -1;
    /* Once more: what changes the credentials may clear it. */
    if (die_with_parent() < 0 || pipe2(lifeline, O_CLOEXEC) < 0)
        return because_of_errno(why, "PR_SET_PDEATHSIG, pipe");
    if (getppid() != parent)
        _exit(128 + SIGKILL);
    init = fork();
    if (init < 0) {
        because_of_errno(why, "fork");
        close(lifeline[0]);
        close(lifeline[1]);
        return -1;
    }
    if (init > 0)
        wait_for(init, lifeline[1], root, isolation);
    close(lifeline[1]);
    return settle(isolation, lifeline[0], root, why);
}
