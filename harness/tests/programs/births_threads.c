/* births_threads WAY: ways in which processes come to be and change. Each prints what it is.
 *
 * vfork, spawn: a child that becomes `births_threads leaf`. orphan: a grandchild whose parent ends.
 * exec: a second thread becomes the leaf. late_exec: the same, after the leader has ended.
 * leaderless: the leader ends, and a second thread talks with itself and ends with 3. leaf: ends
 * with 5.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *call)
{
    fprintf(stderr, "%s: %s\n", call, strerrorname_np(errno));
    exit(111);
}

/* /proc/self is the leader's, and of no use when that has ended. */
static char self[4096], leaf_word[] = "leaf";
static char *const leaf_arguments[] = {self, leaf_word, NULL};

static int leaf(void)
{
    printf("leaf %d\n", (int)getpid());
    return 5;
}

static int report(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child)
        die("child");
    printf("child exited %d\n", WEXITSTATUS(status));
    return 0;
}

static int by_vfork(void)
{
    const pid_t child =
        vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the subject */

    if (child == 0) {
        execv(self, leaf_arguments);
        _exit(111);
    }
    return report(child);
}

static int by_spawn(void)
{
    pid_t child;

    if (posix_spawn(&child, self, NULL, NULL, leaf_arguments, environ) != 0)
        die("posix_spawn");
    return report(child);
}

static _Noreturn void be_orphan(int go)
{
    char byte;

    if (read(go, &byte, 1) != 1)
        die("read");
    printf("parent %d\n", (int)getppid());
    exit(7);
}

static int orphan(void)
{
    int go[2], end[2];
    char byte;
    pid_t middle;

    if (pipe(go) < 0 || pipe(end) < 0)
        die("pipe");
    middle = fork();
    if (middle == 0) {
        if (fork() == 0)
            be_orphan(go[0]);
        _exit(0);
    }
    if (middle < 0 || waitpid(middle, NULL, 0) != middle)
        die("middle");
    close(end[1]);
    if (write(go[1], "x", 1) != 1 || read(end[0], &byte, 1) != 0) /* till the orphan has ended */
        die("orphan");
    return 0;
}

static void *exec_leaf(void *nothing)
{
    (void)nothing;
    execv(self, leaf_arguments);
    die("execv");
}

static int exec_in_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, exec_leaf, NULL) != 0)
        die("pthread_create");
    pthread_join(thread, NULL);
    return 0;
}

/* Till the leader is a zombie. */
static void await_leader(void)
{
    char path[64], text[256];

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    do {
        const int file = open(path, O_RDONLY | O_CLOEXEC);
        const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);

        close(file);
        text[length > 0 ? length : 0] = '\0';
        sched_yield();
    } while (!strstr(text, ") Z"));
}

static void *exec_late(void *nothing)
{
    await_leader();
    return exec_leaf(nothing);
}

static void *talk_alone(void *nothing)
{
    int ends[2];
    char text[5];

    (void)nothing;
    await_leader();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        die("socketpair");
    if (write(ends[0], "hello", 5) != 5 || recv(ends[1], text, 5, 0) != 5)
        die("talk");
    printf("%.5s\n", text);
    exit(3);
}

static int leave_to(void *(*routine)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, routine, NULL) != 0)
        die("pthread_create");
    pthread_exit(NULL);
}

static int leave_to_exec(void)
{
    return leave_to(exec_late);
}

static int leave_to_talk(void)
{
    return leave_to(talk_alone);
}

static const struct {
    const char *name;
    int (*run)(void);
} ways[] = {{"vfork", by_vfork},
            {"spawn", by_spawn},
            {"orphan", orphan},
            {"exec", exec_in_thread},
            {"late_exec", leave_to_exec},
            {"leaderless", leave_to_talk},
            {"leaf", leaf}};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        die("readlink");
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(argv[1], ways[i].name) == 0)
            return ways[i].run();
    }
    fprintf(stderr, "usage: births_threads WAY\n");
    return 100;
}
