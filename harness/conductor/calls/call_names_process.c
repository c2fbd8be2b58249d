#include "call_names.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

/* Constants of processes, signals and clocks. */

static const struct call_name wait_rows[] = {
    {CALL_NAME(WNOHANG)},     {CALL_NAME(WUNTRACED)}, {CALL_NAME(WCONTINUED)},
#ifdef __WNOTHREAD
    {CALL_NAME(__WNOTHREAD)},
#endif
#ifdef __WALL
    {CALL_NAME(__WALL)},
#endif
#ifdef __WCLONE
    {CALL_NAME(__WCLONE)},
#endif
};
const struct call_names names_wait = {CALL_NAMES(wait_rows)};

static const struct call_name waitid_rows[] = {
    {CALL_NAME(WNOHANG)},     {CALL_NAME(WEXITED)}, {CALL_NAME(WSTOPPED)},
    {CALL_NAME(WCONTINUED)},  {CALL_NAME(WNOWAIT)},
#ifdef __WNOTHREAD
    {CALL_NAME(__WNOTHREAD)},
#endif
#ifdef __WALL
    {CALL_NAME(__WALL)},
#endif
#ifdef __WCLONE
    {CALL_NAME(__WCLONE)},
#endif
};
const struct call_names names_waitid = {CALL_NAMES(waitid_rows)};

/* P_PIDFD is no macro everywhere, and its number is the same. */
static const struct call_name id_type_rows[] = {
    {"P_ALL", P_ALL, 0},
    {"P_PID", P_PID, 0},
    {"P_PGID", P_PGID, 0},
    {"P_PIDFD", 3, 0},
};
const struct call_names names_id_type = {CALL_NAMES(id_type_rows)};

static const struct call_name sigaction_rows[] = {
    {CALL_NAME(SA_NOCLDSTOP)}, {CALL_NAME(SA_NOCLDWAIT)}, {CALL_NAME(SA_SIGINFO)},
    {CALL_NAME(SA_ONSTACK)},   {CALL_NAME(SA_RESTART)},   {CALL_NAME(SA_NODEFER)},
    {CALL_NAME(SA_RESETHAND)}, {CALL_NAME(SA_INTERRUPT)},
};
const struct call_names names_sigaction = {CALL_NAMES(sigaction_rows)};

static const struct call_name mask_how_rows[] = {
    {CALL_NAME(SIG_BLOCK)},
    {CALL_NAME(SIG_UNBLOCK)},
    {CALL_NAME(SIG_SETMASK)},
};
const struct call_names names_mask_how = {CALL_NAMES(mask_how_rows)};

static const struct call_name clone_rows[] = {
    {CALL_NAME(CLONE_VM)},
    {CALL_NAME(CLONE_FS)},
    {CALL_NAME(CLONE_FILES)},
    {CALL_NAME(CLONE_SIGHAND)},
#ifdef CLONE_PIDFD
    {CALL_NAME(CLONE_PIDFD)},
#endif
    {CALL_NAME(CLONE_PTRACE)},
    {CALL_NAME(CLONE_VFORK)},
    {CALL_NAME(CLONE_PARENT)},
    {CALL_NAME(CLONE_THREAD)},
    {CALL_NAME(CLONE_NEWNS)},
    {CALL_NAME(CLONE_SYSVSEM)},
    {CALL_NAME(CLONE_SETTLS)},
    {CALL_NAME(CLONE_PARENT_SETTID)},
    {CALL_NAME(CLONE_CHILD_CLEARTID)},
    {CALL_NAME(CLONE_DETACHED)},
    {CALL_NAME(CLONE_UNTRACED)},
    {CALL_NAME(CLONE_CHILD_SETTID)},
    {CALL_NAME(CLONE_NEWCGROUP)},
    {CALL_NAME(CLONE_NEWUTS)},
    {CALL_NAME(CLONE_NEWIPC)},
    {CALL_NAME(CLONE_NEWUSER)},
    {CALL_NAME(CLONE_NEWPID)},
    {CALL_NAME(CLONE_NEWNET)},
    {CALL_NAME(CLONE_IO)},
#ifdef CLONE_CLEAR_SIGHAND
    {CALL_NAME(CLONE_CLEAR_SIGHAND)},
#endif
#ifdef CLONE_INTO_CGROUP
    {CALL_NAME(CLONE_INTO_CGROUP)},
#endif
};
const struct call_names names_clone = {CALL_NAMES(clone_rows)};

static const struct call_name clock_rows[] = {
    {CALL_NAME(CLOCK_REALTIME)},
    {CALL_NAME(CLOCK_MONOTONIC)},
    {CALL_NAME(CLOCK_PROCESS_CPUTIME_ID)},
    {CALL_NAME(CLOCK_THREAD_CPUTIME_ID)},
    {CALL_NAME(CLOCK_MONOTONIC_RAW)},
    {CALL_NAME(CLOCK_REALTIME_COARSE)},
    {CALL_NAME(CLOCK_MONOTONIC_COARSE)},
    {CALL_NAME(CLOCK_BOOTTIME)},
    {CALL_NAME(CLOCK_REALTIME_ALARM)},
    {CALL_NAME(CLOCK_BOOTTIME_ALARM)},
    {CALL_NAME(CLOCK_TAI)},
};
const struct call_names names_clock = {CALL_NAMES(clock_rows)};

static const struct call_name clock_flags_rows[] = {
    {CALL_NAME(TIMER_ABSTIME)},
};
const struct call_names names_clock_flags = {CALL_NAMES(clock_flags_rows)};

static const struct call_name timer_rows[] = {
    {CALL_NAME(ITIMER_REAL)},
    {CALL_NAME(ITIMER_VIRTUAL)},
    {CALL_NAME(ITIMER_PROF)},
};
const struct call_names names_timer = {CALL_NAMES(timer_rows)};
