#include "proc.h"

#include "capability/capability.h"
#include "sockets_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* PIDFD_THREAD, which older headers lack. */
enum { PIDFD_OF_THREAD = O_EXCL };

/* Reads a small file whole, as text. The number of bytes, or -1 with errno. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (file < 0)
        return -1;
    length = read(file, text, size - 1);
    close(file);
    text[length < 0 ? 0 : length] = '\0';
    return length;
}

char proc_state(pid_t pid, pid_t tid)
{
    char path[64], text[512];
    const char *end;

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    if (read_text(path, text, sizeof text) <= 0)
        return '?';
    end = strrchr(text, ')'); /* the name before it may hold anything */
    return end && end[1] == ' ' ? end[2] : '?';
}

enum { AWAKE = -2, NOT_TOLD = -3 }; /* -1: it is in none */

/* The number of the call that a thread in a state of sleep is in, or one of the above. Before it
 * tells a call the kernel waits till the thread is off its processor and its queue
 * (kernel/sched/core.c wait_task_inactive). */
static long sleeping_call(pid_t pid, pid_t tid)
{
    char path[64], text[256], *end;
    long number;

    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    if (read_text(path, text, sizeof text) <= 0)
        return NOT_TOLD;
    number = strtol(text, &end, 10);
    return end == text ? AWAKE : number;
}

bool proc_sleeps(pid_t pid, pid_t tid)
{
    return proc_state(pid, tid) == 'S' &&
           (!can(CAN_SLEEPING_CALL) || sleeping_call(pid, tid) != AWAKE);
}

bool proc_sleeps_in(pid_t pid, pid_t tid, int number)
{
    const char state = proc_state(pid, tid);
    long present;

    if (state != 'S' && state != 'D')
        return false;
    if (!can(CAN_SLEEPING_CALL))
        return true;
    present = sleeping_call(pid, tid);
    return present == number || present == SYS_restart_syscall;
}

/* Finds a line of /proc/TID/status by its beginning ("\nTgid:"); what follows it, or NULL. */
static const char *status_line(pid_t tid, const char *name, char *text, size_t size)
{
    char path[64];
    const char *line;

    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    if (read_text(path, text, size) <= 0)
        return NULL;
    line = strstr(text, name);
    return line ? line + strlen(name) : NULL;
}

pid_t proc_thread_group(pid_t tid)
{
    char text[1024];
    const char *line = status_line(tid, "\nTgid:", text, sizeof text);

    return line ? (pid_t)strtol(line, NULL, 10) : -1;
}

static uint64_t signal_set(pid_t tid, const char *name)
{
    char text[4096];
    const char *line = status_line(tid, name, text, sizeof text);

    return line ? strtoull(line, NULL, 16) : 0;
}

uint64_t proc_blocked_signals(pid_t tid)
{
    return signal_set(tid, "\nSigBlk:");
}

uint64_t proc_pending_signals(pid_t tid)
{
    return signal_set(tid, "\nSigPnd:") | signal_set(tid, "\nShdPnd:");
}

/* Whether a thread has ended, so that its process, if it lives on, does so in others. */
static bool has_ended(pid_t pid, pid_t tid)
{
    const char state = proc_state(pid, tid);

    return state == 'Z' || state == 'X' || state == '?';
}

static ssize_t read_file_of_memory(pid_t tid, uint64_t address, void *buffer, size_t length)
{
    char path[32];
    ssize_t got;
    int memory;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)tid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0)
        return -1;
    got = pread(memory, buffer, length, (off_t)address);
    close(memory);
    return got;
}

ssize_t proc_read_memory(pid_t tid, uint64_t address, void *buffer, size_t length)
{
    const struct iovec here = {buffer, length}, there = {(void *)(uintptr_t)address, length};

    if (!can(CAN_VM_READ))
        return read_file_of_memory(tid, address, buffer, length);
    return process_vm_readv(tid, &here, 1, &there, 1, 0);
}

static int numbers_only(const struct dirent *entry)
{
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

static int number_of(const struct dirent *entry)
{
    return (int)strtol(entry->d_name, NULL, 10);
}

static int by_number(const struct dirent **left, const struct dirent **right)
{
    return number_of(*left) - number_of(*right);
}

/* A thread that has the process's descriptors. That is the leader, till it ends: then it has none,
 * though the others go on. */
static pid_t thread_with_descriptors(pid_t pid)
{
    char path[64];
    struct dirent **entries;
    pid_t found = pid;
    int count;

    if (!has_ended(pid, pid))
        return pid;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    count = scandir(path, &entries, numbers_only, by_number);
    if (count < 0)
        return pid;
    for (int i = 0; i < count; i++) {
        if (found == pid && !has_ended(pid, number_of(entries[i])))
            found = number_of(entries[i]);
        free(entries[i]);
    }
    free(entries);
    return found;
}

int proc_exit_status(pid_t pid)
{
    char path[64], text[1024];
    const char *last;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_text(path, text, sizeof text) <= 0)
        return -1;
    last = strrchr(text, ' ');
    return last ? (int)strtol(last, NULL, 10) : -1;
}

/* The duplicate is closed at once: as long as it is open it would keep the connection's FIN back.
 */
static enum descriptor_class socket_class(int handle, pid_t pid, pid_t tid, int descriptor)
{
    const int own = tid == pid ? -1 : (int)syscall(SYS_pidfd_open, tid, PIDFD_OF_THREAD);
    const int copy = (int)syscall(SYS_pidfd_getfd, own < 0 ? handle : own, descriptor, 0);
    int listening = 0;
    socklen_t length = sizeof listening;

    if (own >= 0)
        close(own);
    if (copy < 0)
        return CLASS_OTHER;
    if (getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0)
        listening = 0;
    close(copy);
    return listening ? CLASS_LISTENING : CLASS_CONNECTION;
}

static ssize_t read_target(pid_t tid, int descriptor, char *target, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)tid, descriptor);
    return readlink(path, target, size);
}

/* Without a handle nothing can be asked of the socket itself. */
static enum descriptor_class socket_class_of_inode(pid_t tid, int descriptor)
{
    char target[64] = "";
    uint64_t inode = 0;

    if (!proc_descriptor_target(tid, descriptor, target, sizeof target, &inode))
        return CLASS_OTHER;
    return sockets_listens(tid, inode) ? CLASS_LISTENING : CLASS_CONNECTION;
}

static bool look_at(pid_t tid, int descriptor, struct stat *status)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)tid, descriptor);
    return stat(path, status) == 0;
}

enum descriptor_class proc_descriptor_class(int handle, pid_t pid, int descriptor)
{
    pid_t tid = pid;
    struct stat status;

    if (!look_at(tid, descriptor, &status)) {
        tid = thread_with_descriptors(pid);
        if (tid == pid || !look_at(tid, descriptor, &status))
            return CLASS_OTHER;
    }
    switch (status.st_mode & S_IFMT) {
    case S_IFSOCK:
        return handle >= 0 ? socket_class(handle, pid, tid, descriptor)
                           : socket_class_of_inode(tid, descriptor);
    case S_IFIFO:
        return CLASS_PIPE;
    case S_IFREG:
    case S_IFDIR:
        return CLASS_FILE;
    case S_IFCHR: {
        char target[64] = "";

        proc_descriptor_target(pid, descriptor, target, sizeof target, &(uint64_t){0});
        return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0
                   ? CLASS_TTY
                   : CLASS_OTHER;
    }
    default:
        return CLASS_OTHER;
    }
}

bool proc_descriptor_target(pid_t pid, int descriptor, char *target, size_t size, uint64_t *inode)
{
    const char *bracket;
    ssize_t length = read_target(pid, descriptor, target, size - 1);

    if (length < 0)
        length = read_target(thread_with_descriptors(pid), descriptor, target, size - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    bracket = strncmp(target, "socket:[", 8) == 0 || strncmp(target, "pipe:[", 6) == 0
                  ? strchr(target, '[')
                  : NULL;
    *inode = bracket ? strtoull(bracket + 1, NULL, 10) : 0;
    return true;
}

int proc_descriptors(pid_t pid, void (*take)(void *context, int descriptor), void *context)
{
    char path[64];
    struct dirent **entries;
    int count;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)thread_with_descriptors(pid));
    count = scandir(path, &entries, numbers_only, by_number);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        take(context, number_of(entries[i]));
        free(entries[i]);
    }
    free(entries);
    return 0;
}

struct search {
    pid_t pid;
    uint64_t inode;
    bool found;
};

static void look_for(void *context, int descriptor)
{
    struct search *search = context;
    char target[64];
    uint64_t inode;

    if (proc_descriptor_target(search->pid, descriptor, target, sizeof target, &inode))
        search->found |= inode == search->inode;
}

bool proc_holds(pid_t pid, uint64_t inode)
{
    struct search search = {.pid = pid, .inode = inode};

    return inode != 0 && proc_descriptors(pid, look_for, &search) == 0 && search.found;
}
