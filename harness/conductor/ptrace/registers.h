#ifndef SOCKSPEC_REGISTERS_H
#define SOCKSPEC_REGISTERS_H

#include <errno.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/* The registers of a stopped thread, as far as calls go. One block for each architecture. */

#if defined(__x86_64__)
#define REGISTERS_AUDIT_ARCH AUDIT_ARCH_X86_64

struct registers {
    struct user_regs_struct raw;
};

/* Whether the stop comes out of a system call rather than from running code. */
static inline bool registers_in_call(const struct registers *registers)
{
    return (int64_t)registers->raw.orig_rax >= 0;
}

static inline int64_t registers_result(const struct registers *registers)
{
    return (int64_t)registers->raw.rax;
}

static inline void registers_set_result(struct registers *registers, int64_t result)
{
    registers->raw.rax = (unsigned long long)result;
}

/* At a call's entry or exit. The 32-bit kind that a 64-bit program can make looks like the other.
 */
static inline bool registers_are_native(const struct registers *registers)
{
    enum { CODE_OF_64_BITS = 0x33 };

    return registers->raw.cs == CODE_OF_64_BITS;
}

static inline int registers_number(const struct registers *registers)
{
    return (int)registers->raw.orig_rax;
}

/* Whether the call has no result yet: the kernel lays this one down for one that is not made. */
static inline bool registers_entering(const struct registers *registers)
{
    return registers_in_call(registers) && registers_result(registers) == -ENOSYS;
}

static inline uint64_t registers_instruction(const struct registers *registers)
{
    return registers->raw.rip;
}

static inline uint64_t registers_stack(const struct registers *registers)
{
    return registers->raw.rsp;
}

/* At a call's entry: the call is not made and gives that result. */
static inline void registers_skip_call(struct registers *registers, int64_t result)
{
    registers->raw.orig_rax = (unsigned long long)-1;
    registers->raw.rax = (unsigned long long)result;
}

static inline unsigned long long *registers_place(struct registers *registers, int index)
{
    struct user_regs_struct *raw = &registers->raw;

    switch (index) {
    case 0:
        return &raw->rdi;
    case 1:
        return &raw->rsi;
    case 2:
        return &raw->rdx;
    case 3:
        return &raw->r10;
    case 4:
        return &raw->r8;
    default:
        return &raw->r9;
    }
}

static inline uint64_t registers_argument(struct registers *registers, int index)
{
    return *registers_place(registers, index);
}

static inline void registers_set_argument(struct registers *registers, int index, uint64_t value)
{
    *registers_place(registers, index) = value;
}
#else
#error "registers.h knows x86-64 only: add a block for this architecture"
#endif

/* 0, or -1 with errno (ESRCH: the thread has been killed). */
int registers_read(pid_t tid, struct registers *registers);
int registers_write(pid_t tid, struct registers *registers);

#endif
