#ifndef SOCKSPEC_ELF_KIND_H
#define SOCKSPEC_ELF_KIND_H

#include <stdbool.h>

/* Whether the file is an executable that no dynamic loader loads, and so no library either. */
bool elf_is_static(const char *path);

#endif
