#include "channel.h"

#include "real.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__APPLE__)
/* The system's own way to sleep on a word in shared memory; the public one is newer than many a
 * machine. */
int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t microseconds);
enum { UL_COMPARE_AND_WAIT_SHARED = 3 };
#else
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

static struct slot *slots;
static pid_t own;
static pthread_key_t key;
static _Thread_local int place = -1;

static void sleep_on(_Atomic uint32_t *word)
{
#if defined(__APPLE__)
    __ulock_wait(UL_COMPARE_AND_WAIT_SHARED, word, 1, 0);
#else
    syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
#endif
}

static int32_t this_thread(void)
{
#if defined(__APPLE__)
    uint64_t number = 0;

    pthread_threadid_np(NULL, &number);
    return (int32_t)number;
#else
    return (int32_t)syscall(SYS_gettid);
#endif
}

uint64_t channel_thread(void)
{
    return (uint64_t)this_thread();
}

/* A thread that ends gives its slot back; when the process ends with it the conductor does. */
static void thread_ends(void *unused)
{
    struct report report = {.kind = REPORT_GONE};

    (void)unused;
    if (channel_open())
        channel_tell(&report);
    place = -1;
}

bool channel_join(void)
{
    const size_t size = sizeof *slots * REPORT_SLOTS;
    struct stat status;
    void *memory;

    if (fstat(REPORT_MEMORY, &status) < 0 || status.st_size != (off_t)size)
        return false;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, REPORT_MEMORY, 0);
    if (memory == MAP_FAILED || pthread_key_create(&key, thread_ends) != 0)
        return false;
    slots = memory;
    own = getpid();
    return true;
}

bool channel_open(void)
{
    return slots != NULL;
}

void channel_leave(void)
{
    slots = NULL;
}

void channel_forked(void)
{
    place = -1;
    own = getpid();
}

bool channel_owns(int descriptor)
{
    return slots && (descriptor == REPORT_SOCKET || descriptor == REPORT_MEMORY);
}

/* Nobody gives slots out: whoever finds a free one takes it. */
static int claim(int32_t thread)
{
    for (int i = 0; i < REPORT_SLOTS; i++) {
        const int candidate = (thread + i) % REPORT_SLOTS;
        int32_t nobody = 0;

        if (candidate != REPORT_NO_SLOT &&
            atomic_compare_exchange_strong(&slots[candidate].owner, &nobody, thread))
            return candidate;
    }
    return -1;
}

/* Without a conductor nothing that the program did would be known, nor would anybody end it. */
static _Noreturn void give_up(void)
{
    REAL(_exit)(112);
    __builtin_unreachable();
}

void channel_tell(struct report *report)
{
    report->pid = own;
    report->thread = this_thread();
    if (place < 0) {
        place = claim(report->thread);
        /* Any value but NULL has the key's destructor called. */
        pthread_setspecific(key, slots);
    }
    if (place < 0)
        give_up();
    report->slot = (uint32_t)place;
    while (REAL(send)(REPORT_SOCKET, report, sizeof *report, 0) < 0) {
        if (errno != EINTR && errno != ENOBUFS)
            give_up();
    }
}

struct slot channel_ask(struct report *report)
{
    struct slot *mine;

    if (place < 0)
        place = claim(this_thread());
    if (place < 0)
        give_up();
    pthread_setspecific(key, slots);
    mine = &slots[place];
    atomic_store(&mine->asked, 1);
    channel_tell(report);
    while (atomic_load(&mine->asked))
        sleep_on(&mine->asked);
    return *mine;
}
