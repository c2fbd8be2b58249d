#ifndef SOCKSPEC_REAL_H
#define SOCKSPEC_REAL_H

#include <stddef.h>

/* Functions of the C library that are interposed, and the originals behind them.
 *
 * INTERPOSE declares interposed_NAME, which stands for NAME in the program from then on; REAL(NAME)
 * is the C library's own. On Linux the library is looked at before the C library, as LD_PRELOAD
 * names it; on macOS dyld reads which function stands for which from a section of their own. */

#if defined(__APPLE__)

#define INTERPOSE(result, name, parameters)                                                        \
    static result interposed_##name parameters;                                                    \
    static const struct {                                                                          \
        const void *ours, *theirs;                                                                 \
    } pair_of_##name                                                                               \
        __attribute__((used, section("__DATA,__interpose,regular,no_dead_strip"))) = {             \
            (const void *)interposed_##name, (const void *)name};                                  \
    static
#define REAL(name) name
#define REAL_AS(result, name, types) name

#else

/* As a word, since functions have many types. */
void *real_function(void **kept, const char *name);

#define INTERPOSE(result, name, parameters)                                                        \
    __attribute__((visibility("default"))) result interposed_##name parameters __asm__(#name);
#define REAL_FUNCTION(type, name)                                                                  \
    (__extension__({                                                                               \
        static void *kept;                                                                         \
        (type) real_function(&kept, #name);                                                        \
    }))
#define REAL(name) REAL_FUNCTION(__typeof__(&name), name)
/* For those whose header has a union where POSIX has a pointer. */
#define REAL_AS(result, name, types) REAL_FUNCTION(result(*) types, name)

#endif

#endif
