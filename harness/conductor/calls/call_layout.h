#ifndef SOCKSPEC_CALL_LAYOUT_H
#define SOCKSPEC_CALL_LAYOUT_H

#include <stdint.h>

/* Structures as the kernel lays them out, where the C library's differ or are missing. */

/* Signals are numbered from 1: signal n is bit n − 1, counted in words. */
#if defined(__mips__)
enum { KERNEL_SIGNAL_BYTES = 16 };
#else
enum { KERNEL_SIGNAL_BYTES = 8 };
#endif

typedef struct {
    unsigned long words[KERNEL_SIGNAL_BYTES / sizeof(unsigned long)];
} kernel_signal_set;

struct kernel_sigaction {
#if defined(__mips__)
    unsigned int flags;
    unsigned long handler;
#else
    unsigned long handler;
    unsigned long flags;
#endif
#if !defined(__mips__) && !defined(__alpha__) && !defined(__hppa__) && !defined(__riscv) &&        \
    !defined(__loongarch__) && !defined(__ia64__)
    unsigned long restorer;
#endif
    kernel_signal_set mask;
};

/* The C library's own flag: it says that the restorer is set. */
#if defined(__mips__) || defined(__alpha__) || defined(__hppa__) || defined(__riscv) ||            \
    defined(__loongarch__) || defined(__ia64__) || defined(__sparc__)
#define KERNEL_SA_RESTORER 0UL
#else
#define KERNEL_SA_RESTORER 0x04000000UL
#endif

/* What clone3 takes, as far as it is of interest. */
struct kernel_clone {
    uint64_t flags, pidfd, child_thread, parent_thread, exit_signal;
};

/* What pselect6's last argument points at. */
struct kernel_signal_set_pair {
    unsigned long set, size;
};

#endif
