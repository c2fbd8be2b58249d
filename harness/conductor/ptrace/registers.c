#include "registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

int registers_read(pid_t tid, struct registers *registers)
{
    struct iovec place = {&registers->raw, sizeof registers->raw};

    return (int)ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &place);
}

int registers_write(pid_t tid, struct registers *registers)
{
    struct iovec place = {&registers->raw, sizeof registers->raw};

    return (int)ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &place);
}
