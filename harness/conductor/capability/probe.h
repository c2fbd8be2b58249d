#ifndef SOCKSPEC_PROBE_H
#define SOCKSPEC_PROBE_H

#include <stdbool.h>

/* One for each capability: whether this kernel has it. */
bool probe_syscall_info(void);
bool probe_seccomp_last(void);
bool probe_wake_stopped(void);
bool probe_pidfd(void);
bool probe_vm_read(void);
bool probe_sleeping_call(void);
bool probe_hangup(void);
bool probe_sock_diag(void);
bool probe_see_own_only(void);
bool probe_see_orphans(void);
bool probe_see_queued(void);
bool probe_see_queues(void);
bool probe_see_timers(void);
bool probe_sysctls(void);
bool probe_capture(void);
bool probe_capture_ring(void);
bool probe_mount_privately(void);
bool probe_setns(void);
bool probe_veth(void);
bool probe_isolate(void);

#endif
