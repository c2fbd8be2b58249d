#include "probe.h"

#include "ptrace/filter.h"
#include "ptrace/registers.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How a traced call stops, seen on a child that makes one. */

struct manner {
    bool tried, information, seccomp_last, wakes_stopped;
};

/* Its getppid and its nanosleep go to the tracer, with whom it dies. */
static _Noreturn void be_traced(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_nanosleep, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    const struct timespec moment = {.tv_nsec = 10000000};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 &&
        raise(SIGSTOP) == 0 && filter_install(&program) == 0) {
        syscall(SYS_getppid);
        syscall(SYS_nanosleep, &moment, NULL);
    }
    _exit(0);
}

/* Goes on to the next stop; its status, or 0. */
static int go_on(pid_t child, int how)
{
    int status;

    if (ptrace(how, child, 0, 0) < 0 || waitpid(child, &status, __WALL) < 0)
        return 0;
    return WIFSTOPPED(status) ? status : 0;
}

/* A signal comes between the filter's stop and the sleep, which then must not take its time. */
static bool wakes_stopped(pid_t child)
{
    struct registers registers;

    return go_on(child, PTRACE_CONT) >> 16 == PTRACE_EVENT_SECCOMP && kill(child, SIGUSR1) == 0 &&
           go_on(child, PTRACE_CONT) >> 8 == SIGUSR1 && registers_read(child, &registers) == 0 &&
           registers_result(&registers) < 0;
}

/* After the filter's stop comes the call's exit, at which it has its result; or another entry. */
static void watch(pid_t child, struct manner *manner)
{
    const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP;
    struct __ptrace_syscall_info info;
    struct registers registers;
    int status;

    if (waitpid(child, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, child, 0, options) < 0 ||
        go_on(child, PTRACE_CONT) >> 16 != PTRACE_EVENT_SECCOMP)
        return;
    manner->information = ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0;
    manner->seccomp_last = go_on(child, PTRACE_SYSCALL) >> 8 == (SIGTRAP | 0x80) &&
                           registers_read(child, &registers) == 0 &&
                           !registers_entering(&registers);
    manner->wakes_stopped = wakes_stopped(child);
}

static const struct manner *manner(void)
{
    static struct manner known;
    pid_t child;

    if (known.tried)
        return &known;
    known.tried = true;
    child = fork();
    if (child == 0)
        be_traced();
    if (child < 0)
        return &known;
    watch(child, &known);
    kill(child, SIGKILL);
    while (waitpid(child, &(int){0}, __WALL) == child)
        ; /* its exit stop may come first */
    return &known;
}

bool probe_syscall_info(void)
{
    return manner()->information;
}

bool probe_wake_stopped(void)
{
    return manner()->wakes_stopped;
}

bool probe_seccomp_last(void)
{
    return manner()->seccomp_last;
}
