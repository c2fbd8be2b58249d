#include "filter.h"

#include "call.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A balanced tree of comparisons instead of a list of them. */
enum { OPTIMIZE_BINARY_TREE = 2 };

static int add_rules(scmp_filter_ctx filter)
{
    const struct call_shape *call;

    for (size_t i = 0; (call = call_row(i)); i++) {
        int error;

        if (call_number(call) < 0)
            continue;
        error = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), call_number(call), 0);
        if (error)
            return error;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
}

/* libseccomp hands the program over through a file only. */
static int export(scmp_filter_ctx filter, struct sock_fprog *program)
{
    const int file = memfd_create("filter", MFD_CLOEXEC);
    int error = file < 0 ? -errno : seccomp_export_bpf(filter, file);
    const off_t size = error ? 0 : lseek(file, 0, SEEK_END);

    program->filter = size > 0 ? malloc((size_t)size) : NULL;
    if (!error && (!program->filter || pread(file, program->filter, (size_t)size, 0) != size))
        error = -ENOMEM;
    program->len = (unsigned short)((size_t)size / sizeof *program->filter);
    if (file >= 0)
        close(file);
    return error;
}

static struct sock_fprog compiled; /* owns its filter to the process's end */

const struct sock_fprog *filter_program(void)
{
    return &compiled;
}

int filter_compile(struct reason *why)
{
    scmp_filter_ctx filter;
    int error;

    if (compiled.filter)
        return 0;
    filter = seccomp_init(SCMP_ACT_ALLOW);
    error = filter ? 0 : -ENOMEM;
    if (!error)
        error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
    if (!error)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BINARY_TREE);
    if (!error)
        error = add_rules(filter);
    if (!error)
        error = export(filter, &compiled);
    seccomp_release(filter);
    if (!error)
        return 0;
    errno = -error;
    return because_of_errno(why, "seccomp filter");
}

/* Without privilege the kernel wants no_new_privs first. With it, set-uid programs keep their
 * meaning. */
int filter_install(const struct sock_fprog *program)
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == 0)
        return 0;
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program);
}
