#include "elf_kind.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int file, void *buffer, size_t size, off_t offset)
{
    return pread(file, buffer, size, offset) == (ssize_t)size;
}

/* One that names its loader has a segment that says so. */
static bool names_loader(int file, const ElfW(Ehdr) * head)
{
    for (int i = 0; i < head->e_phnum; i++) {
        ElfW(Phdr) segment;
        const off_t place = (off_t)head->e_phoff + (off_t)i * head->e_phentsize;

        if (read_at(file, &segment, sizeof segment, place) && segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

bool elf_is_static(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    ElfW(Ehdr) head;
    bool fixed;

    if (file < 0)
        return false;
    fixed = read_at(file, &head, sizeof head, 0) && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
            !names_loader(file, &head);
    close(file);
    return fixed;
}
