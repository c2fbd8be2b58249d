/* blocking_threads CALL DISPOSITION alone|thread|other: what a signal does to a call that sleeps.
 *
 * A child of this program, the waiter, sets the signal's disposition and makes the call: in its
 * only thread, in a second one which the signal comes to, or in a second one while the signal comes
 * to the first. When the waiter sleeps the program sends the signal, waits till all that the signal
 * does is done, and, if the call still sleeps, gives it what it waits for. It prints what became of
 * the call: a traced waiter must print what an untraced one does. Nothing is left to time: that the
 * waiter sleeps, and that no signal is on its way to it, is read in /proc. Exits 100 for wrong
 * arguments, 111 when a step of its own failed, 1 when it had to give up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MUCH = 1 << 20, /* more bytes than any buffer here holds */
    SMALL_BUFFER = 1 << 14,
    LONG = 600, /* seconds: longer than any test */
    PATIENCE = 30,
    EXIT_GAVE_UP = 1,
    EXIT_USAGE = 100,
    EXIT_SYSTEM = 111
};

enum way { WAY_ALONE, WAY_THREAD, WAY_OTHER, WAYS };

static const char *const ways[WAYS] = {
    [WAY_ALONE] = "alone", [WAY_THREAD] = "thread", [WAY_OTHER] = "other"};

/* What the program and the waiter both see. */
struct shared {
    atomic_bool calls, returned;
    atomic_int handled;
    atomic_int victim; /* a child of the waiter whose death is the signal */
    pid_t program;
    long result;
    int error;
    sem_t semaphore;
};

struct stage {
    int near, far;   /* the waiter's end, and the program's */
    int spare;       /* a third descriptor: an epoll set, a listener; -1: none */
    int life[2];     /* the victim lives till it is written to */
    int queue, sems; /* of System V; -1: none */
    pid_t waiter;
};

static struct shared *shared;

/* The alarm's handler has to know what to clean up. */
static struct stage stage = {
    .near = -1, .far = -1, .spare = -1, .life = {-1, -1}, .queue = -1, .sems = -1};

static void clean_up(void)
{
    if (stage.queue >= 0)
        msgctl(stage.queue, IPC_RMID, NULL);
    if (stage.sems >= 0)
        semctl(stage.sems, 0, IPC_RMID);
    if (stage.waiter > 0)
        kill(stage.waiter, SIGKILL);
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerrorname_np(errno));
    clean_up();
    exit(EXIT_SYSTEM);
}

static void must(bool done, const char *what)
{
    if (!done)
        die(what);
}

static void give_up(int number)
{
    (void)number;
    clean_up();
    _exit(EXIT_GAVE_UP);
}

/* --- what is set up before the waiter is made --- */

static void make_pipe(void)
{
    int ends[2];

    must(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
    stage.near = ends[0];
    stage.far = ends[1];
}

static void make_pipe_to_fill(void)
{
    make_pipe();
    const int reading = stage.near;

    stage.near = stage.far;
    stage.far = reading;
}

static void make_sockets(void)
{
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    stage.near = ends[0];
    stage.far = ends[1];
}

static void limit_receiving(int descriptor)
{
    const struct timeval limit = {.tv_sec = LONG};

    must(setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
}

static void make_sockets_with_limit(void)
{
    make_sockets();
    limit_receiving(stage.near);
}

static void make_half_message(void)
{
    make_sockets();
    must(write(stage.far, "x", 1) == 1, "write");
}

static void fill(void)
{
    static const char text[4096];
    ssize_t sent;

    do
        sent = send(stage.near, text, sizeof text, MSG_DONTWAIT);
    while (sent > 0);
    do
        sent = send(stage.near, text, 1, MSG_DONTWAIT);
    while (sent > 0);
    must(errno == EAGAIN, "send");
}

static void make_full_sockets(void)
{
    make_sockets();
    fill();
}

static void make_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    stage.near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(stage.near >= 0, "socket");
    must(bind(stage.near, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(stage.near, 0) == 0, "listen");
}

static void make_listener_with_limit(void)
{
    make_listener();
    limit_receiving(stage.near);
}

static int connected_to(int listener, int flags)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int connection = -1;

    must(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    connection = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    must(connection >= 0, "socket");
    if (connect(connection, (struct sockaddr *)&address, length) < 0)
        must(flags && (errno == EINPROGRESS || errno == EAGAIN), "connect");
    return connection;
}

static void give_connection(void)
{
    connected_to(stage.near, 0);
}

static void keep_small(int descriptor)
{
    const int size = SMALL_BUFFER;

    must(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0, "SO_RCVBUF");
    must(setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0, "SO_SNDBUF");
}

static void make_connection(void)
{
    make_listener();
    keep_small(stage.near);
    stage.spare = stage.near;
    stage.near = connected_to(stage.spare, 0);
    keep_small(stage.near);
    stage.far = accept4(stage.spare, NULL, NULL, SOCK_CLOEXEC);
    must(stage.far >= 0, "accept4");
}

/* One connection more than the backlog of 0 has room for: the next has to wait. */
static void make_full_listener(void)
{
    make_listener();
    stage.far = stage.near;
    give_connection();
    stage.near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(stage.near >= 0, "socket");
}

static void make_full_unix_listener(void)
{
    const struct sockaddr_un none = {.sun_family = AF_UNIX};

    stage.far = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(stage.far >= 0, "socket");
    must(bind(stage.far, (const struct sockaddr *)&none, sizeof none.sun_family) == 0, "bind");
    must(listen(stage.far, 0) == 0, "listen");
    connected_to(stage.far, SOCK_NONBLOCK);
    stage.near = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(stage.near >= 0, "socket");
}

static void make_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN};

    make_sockets();
    stage.spare = epoll_create1(EPOLL_CLOEXEC);
    must(stage.spare >= 0, "epoll_create1");
    must(epoll_ctl(stage.spare, EPOLL_CTL_ADD, stage.near, &event) == 0, "epoll_ctl");
}

static void make_queue(void)
{
    stage.queue = msgget(IPC_PRIVATE, 0600);
    must(stage.queue >= 0, "msgget");
}

static void make_semaphores(void)
{
    stage.sems = semget(IPC_PRIVATE, 1, 0600);
    must(stage.sems >= 0, "semget");
}

static void make_locked_file(void)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    stage.near = memfd_create("locked", MFD_CLOEXEC);
    must(stage.near >= 0, "memfd_create");
    must(fcntl(stage.near, F_SETLK, &whole) == 0, "F_SETLK");
}

static void make_nothing(void)
{
}

/* --- the calls --- */

static long call_read(void)
{
    char byte;

    return read(stage.near, &byte, 1);
}

static long call_recv(void)
{
    char byte;

    return recv(stage.near, &byte, 1, 0);
}

static long call_recv_whole(void)
{
    char bytes[2];

    return recv(stage.near, bytes, sizeof bytes, MSG_WAITALL);
}

static long call_accept(void)
{
    return accept(stage.near, NULL, NULL) < 0 ? -1 : 0;
}

static long call_connect(void)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    getsockname(stage.far, (struct sockaddr *)&address, &length);
    return connect(stage.near, (struct sockaddr *)&address, length);
}

static long call_send_one(void)
{
    return send(stage.near, "x", 1, 0);
}

/* How much of a part went through is the buffers' business. */
static long all_or_part(ssize_t sent)
{
    return sent > 0 && sent < MUCH ? 1 : sent;
}

static long call_send_much(void)
{
    static const char text[MUCH];

    return all_or_part(send(stage.near, text, sizeof text, 0));
}

static long call_write_much(void)
{
    static const char text[MUCH];

    return all_or_part(write(stage.near, text, sizeof text));
}

static long call_poll(void)
{
    struct pollfd wanted = {.fd = stage.near, .events = POLLIN};

    return poll(&wanted, 1, -1);
}

static long call_poll_limited(void)
{
    struct pollfd wanted = {.fd = stage.near, .events = POLLIN};

    return poll(&wanted, 1, LONG * 1000);
}

/* The thread's own: a narrower one would have the signal come to another thread. */
static sigset_t mask_now(void)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return mask;
}

static long call_ppoll(void)
{
    struct pollfd wanted = {.fd = stage.near, .events = POLLIN};
    const struct timespec limit = {.tv_sec = LONG};
    const sigset_t mask = mask_now();

    return ppoll(&wanted, 1, &limit, &mask);
}

static long select_within(struct timeval *limit)
{
    fd_set wanted;

    FD_ZERO(&wanted);
    FD_SET(stage.near, &wanted);
    return select(stage.near + 1, &wanted, NULL, NULL, limit);
}

static long call_select(void)
{
    return select_within(NULL);
}

static long call_select_limited(void)
{
    return select_within(&(struct timeval){.tv_sec = LONG});
}

static long call_pselect(void)
{
    const struct timespec limit = {.tv_sec = LONG};
    const sigset_t mask = mask_now();
    fd_set wanted;

    FD_ZERO(&wanted);
    FD_SET(stage.near, &wanted);
    return pselect(stage.near + 1, &wanted, NULL, NULL, &limit, &mask);
}

static long call_epoll_wait(void)
{
    struct epoll_event event;

    return epoll_wait(stage.spare, &event, 1, -1);
}

static long call_epoll_wait_limited(void)
{
    struct epoll_event event;

    return epoll_wait(stage.spare, &event, 1, LONG * 1000);
}

static long call_epoll_pwait(void)
{
    const sigset_t mask = mask_now();
    struct epoll_event event;

    return epoll_pwait(stage.spare, &event, 1, -1, &mask);
}

/* A child of the waiter that lives till there is something to read, or nobody left to write it. */
static pid_t make_child(int life)
{
    char byte;
    const pid_t child = fork();

    must(child >= 0, "fork");
    if (child == 0) {
        close(stage.far);
        _exit(read(life, &byte, 1) < 0);
    }
    return child;
}

static long call_wait4(void)
{
    const pid_t child = make_child(stage.near);

    atomic_store(&shared->calls, true);
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static long call_waitid(void)
{
    const pid_t child = make_child(stage.near);
    siginfo_t how;

    atomic_store(&shared->calls, true);
    return waitid(P_PID, (id_t)child, &how, WEXITED);
}

static long call_nanosleep(void)
{
    return nanosleep(&(struct timespec){.tv_sec = LONG}, NULL);
}

/* These two return their error. */
static long with_errno(int error)
{
    errno = error;
    return error ? -1 : 0;
}

static long call_clock_nanosleep(void)
{
    return with_errno(
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = LONG}, NULL));
}

static long call_clock_nanosleep_until(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LONG;
    return with_errno(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
}

static long call_pause(void)
{
    return pause();
}

static long call_sigsuspend(void)
{
    const sigset_t mask = mask_now();

    return sigsuspend(&mask);
}

static sigset_t only_second_user_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return set;
}

static long call_sigwaitinfo(void)
{
    const sigset_t set = only_second_user_signal();

    return sigwaitinfo(&set, NULL);
}

static long call_sigtimedwait(void)
{
    const sigset_t set = only_second_user_signal();

    return sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = LONG});
}

static long call_sem_wait(void)
{
    return sem_wait(&shared->semaphore);
}

static long call_sem_timedwait(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LONG;
    return sem_timedwait(&shared->semaphore, &until);
}

struct letter {
    long kind;
    char text[1];
};

static long call_msgrcv(void)
{
    struct letter letter;

    return msgrcv(stage.queue, &letter, sizeof letter.text, 0, 0);
}

static long call_semop(void)
{
    return semop(stage.sems, &(struct sembuf){.sem_op = -1}, 1);
}

static long call_semtimedop(void)
{
    return semtimedop(stage.sems, &(struct sembuf){.sem_op = -1}, 1,
                      &(struct timespec){.tv_sec = LONG});
}

static long call_lock(void)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(stage.near, F_SETLKW, &whole);
}

/* --- giving what is waited for --- */

static void give_byte(void)
{
    must(write(stage.far, "x", 1) == 1, "write");
}

static void give_room(void)
{
    char text[4096];
    ssize_t got;

    do
        got = recv(stage.far, text, sizeof text, MSG_DONTWAIT);
    while (got > 0);
}

static void give_much_room(void)
{
    char text[4096];
    ssize_t got;

    close(stage.near); /* so that the end is seen should the waiter have sent a part only */
    for (ssize_t all = 0; all < MUCH; all += got) {
        got = read(stage.far, text, sizeof text);
        if (got <= 0)
            return;
    }
}

static void give_place(void)
{
    must(accept(stage.far, NULL, NULL) >= 0, "accept");
}

static void give_signal(void)
{
    kill(stage.waiter, SIGUSR2);
}

static void give_end(void)
{
    kill(stage.waiter, SIGTERM);
}

static void give_semaphore(void)
{
    must(sem_post(&shared->semaphore) == 0, "sem_post");
}

static void give_letter(void)
{
    must(msgsnd(stage.queue, &(struct letter){.kind = 1}, 1, 0) == 0, "msgsnd");
}

static void give_up_one(void)
{
    must(semop(stage.sems, &(struct sembuf){.sem_op = 1}, 1) == 0, "semop");
}

static void give_lock(void)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    must(fcntl(stage.near, F_SETLK, &whole) == 0, "F_SETLK");
}

static const struct row {
    const char *name;
    void (*make)(void);
    long (*call)(void);
    void (*give)(void);
    bool makes_child; /* the call says itself when it begins */
} rows[] = {
    {"read_pipe", make_pipe, call_read, give_byte, false},
    {"read_socket", make_sockets, call_read, give_byte, false},
    {"recv_timeout", make_sockets_with_limit, call_recv, give_byte, false},
    {"recv_whole", make_half_message, call_recv_whole, give_byte, false},
    {"accept", make_listener, call_accept, give_connection, false},
    {"accept_timeout", make_listener_with_limit, call_accept, give_connection, false},
    {"connect", make_full_listener, call_connect, give_end, false},
    {"connect_unix", make_full_unix_listener, call_connect, give_place, false},
    {"send_one", make_full_sockets, call_send_one, give_room, false},
    {"send_much", make_connection, call_send_much, give_much_room, false},
    {"send_much_unix", make_sockets, call_send_much, give_much_room, false},
    {"write_much_pipe", make_pipe_to_fill, call_write_much, give_much_room, false},
    {"poll", make_sockets, call_poll, give_byte, false},
    {"poll_timeout", make_sockets, call_poll_limited, give_byte, false},
    {"ppoll", make_sockets, call_ppoll, give_byte, false},
    {"select", make_sockets, call_select, give_byte, false},
    {"select_timeout", make_sockets, call_select_limited, give_byte, false},
    {"pselect", make_sockets, call_pselect, give_byte, false},
    {"epoll_wait", make_epoll, call_epoll_wait, give_byte, false},
    {"epoll_wait_timeout", make_epoll, call_epoll_wait_limited, give_byte, false},
    {"epoll_pwait", make_epoll, call_epoll_pwait, give_byte, false},
    {"wait4", make_pipe, call_wait4, give_byte, true},
    {"waitid", make_pipe, call_waitid, give_byte, true},
    {"nanosleep", make_nothing, call_nanosleep, give_end, false},
    {"clock_nanosleep", make_nothing, call_clock_nanosleep, give_end, false},
    {"clock_nanosleep_until", make_nothing, call_clock_nanosleep_until, give_end, false},
    {"pause", make_nothing, call_pause, give_end, false},
    {"sigsuspend", make_nothing, call_sigsuspend, give_end, false},
    {"sigwaitinfo", make_nothing, call_sigwaitinfo, give_signal, false},
    {"sigtimedwait", make_nothing, call_sigtimedwait, give_signal, false},
    {"sem_wait", make_nothing, call_sem_wait, give_semaphore, false},
    {"sem_timedwait", make_nothing, call_sem_timedwait, give_semaphore, false},
    {"msgrcv", make_queue, call_msgrcv, give_letter, false},
    {"semop", make_semaphores, call_semop, give_up_one, false},
    {"semtimedop", make_semaphores, call_semtimedop, give_up_one, false},
    {"lock", make_locked_file, call_lock, give_lock, false},
};

/* --- what is done to it --- */

static const struct disposition {
    const char *name;
    int caught, flags; /* the signal with a handler; 0: none */
    int ignored;       /* the signal set to SIG_IGN; 0: none */
    int sent[2];       /* in this order */
    bool child, stop;  /* a child dies; it is stopped and continued */
} dispositions[] = {
    {.name = "nothing"},
    {.name = "child_default", .child = true},
    {.name = "child_ignored", .child = true, .ignored = SIGCHLD},
    {.name = "child_handler", .child = true, .caught = SIGCHLD},
    {.name = "urgent_default", .sent = {SIGURG}},
    {.name = "window_default", .sent = {SIGWINCH}},
    {.name = "continue_default", .sent = {SIGCONT}},
    {.name = "user_ignored", .ignored = SIGUSR1, .sent = {SIGUSR1}},
    {.name = "handler", .caught = SIGUSR1, .sent = {SIGUSR1}},
    {.name = "handler_restarts", .caught = SIGUSR1, .flags = SA_RESTART, .sent = {SIGUSR1}},
    /* Of two that are pending the kernel takes the lower number first. */
    {.name = "ignored_then_handler",
     .caught = SIGUSR1,
     .ignored = SIGHUP,
     .sent = {SIGHUP, SIGUSR1}},
    {.name = "handler_then_ignored", .caught = SIGUSR1, .sent = {SIGWINCH, SIGUSR1}},
    {.name = "ignored_then_handler_restarts",
     .caught = SIGUSR1,
     .flags = SA_RESTART,
     .ignored = SIGHUP,
     .sent = {SIGHUP, SIGUSR1}},
    {.name = "ignored_twice", .ignored = SIGHUP, .sent = {SIGHUP, SIGWINCH}},
    {.name = "stopped", .stop = true},
    {.name = "stopped_then_handler", .stop = true, .caught = SIGCONT},
    {.name = "stopped_then_ignored", .stop = true, .ignored = SIGCONT},
};

static void count(int number)
{
    (void)number;
    atomic_fetch_add(&shared->handled, 1);
}

static void end_it(int number)
{
    (void)number;
}

static void set_action(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    must(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void set_dispositions(const struct disposition *disposition)
{
    static const int left_alone[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGALRM};
    const sigset_t blocked = only_second_user_signal();

    for (size_t i = 0; i < sizeof left_alone / sizeof *left_alone; i++)
        set_action(left_alone[i], SIG_DFL, 0);
    set_action(SIGTERM, end_it, 0);
    if (disposition->ignored)
        set_action(disposition->ignored, SIG_IGN, 0);
    if (disposition->caught)
        set_action(disposition->caught, count, disposition->flags);
    must(sigprocmask(SIG_SETMASK, &blocked, NULL) == 0, "sigprocmask");
}

static void make_the_call(const struct row *row)
{
    atomic_store(&shared->calls, !row->makes_child);
    shared->result = row->call();
    shared->error = errno;
    atomic_store(&shared->returned, true);
}

struct work {
    const struct row *row;
    sigset_t mask;
};

static void *in_thread(void *context)
{
    const struct work *work = context;

    pthread_sigmask(SIG_SETMASK, &work->mask, NULL);
    make_the_call(work->row);
    return NULL;
}

/* Of the two threads one blocks the signals that are sent, the other what ends the call. The kernel
 * keeps what the first thread blocks, though it is ignored: then it wakes the second. Of two
 * signals only the last is blocked, or it would be a race which of them the call's end is due to.
 */
static void make_the_call_in_thread(const struct row *row, const struct disposition *disposition,
                                    enum way way)
{
    struct work work = {.row = row};
    sigset_t all, end;
    pthread_t thread;

    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    end = only_second_user_signal();
    sigaddset(&end, SIGTERM);
    work.mask = way == WAY_THREAD ? only_second_user_signal() : all;
    if (way == WAY_THREAD)
        sigfillset(&end);
    if (disposition->sent[1])
        sigdelset(&end, disposition->sent[0]);
    must(pthread_sigmask(SIG_SETMASK, &end, NULL) == 0, "pthread_sigmask");
    must(pthread_create(&thread, NULL, in_thread, &work) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static _Noreturn void wait_for_it(const struct row *row, const struct disposition *disposition,
                                  enum way way)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != shared->program)
        _exit(EXIT_GAVE_UP);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* its parent shall read /proc */
    close(stage.life[1]);
    set_dispositions(disposition);
    if (disposition->child)
        atomic_store(&shared->victim, make_child(stage.life[0]));
    if (way == WAY_ALONE)
        make_the_call(row);
    else
        make_the_call_in_thread(row, disposition, way);
    _exit(0);
}

/* --- watching it --- */

static bool read_file(pid_t thread, const char *name, char *text, size_t size)
{
    char path[80];
    ssize_t length = 0;
    int file = -1;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)thread, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        length = read(file, text, size - 1);
        close(file);
    }
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static char state_of(pid_t thread)
{
    char text[512];
    const char *end = read_file(thread, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;

    return end ? end[2] : '?';
}

static bool has_pending(const char *status, const char *name)
{
    const char *line = strstr(status, name);

    return !line || strtoull(line + strlen(name), NULL, 16) != 0;
}

/* Whether a thread sleeps in a call with no signal on its way to it. The signals are looked at
 * first: none is sent meanwhile. */
static bool thread_sleeps(pid_t thread)
{
    char status[4096], call[256];

    return read_file(thread, "status", status, sizeof status) &&
           !has_pending(status, "\nSigPnd:") && !has_pending(status, "\nShdPnd:") &&
           state_of(thread) == 'S' && read_file(thread, "syscall", call, sizeof call) &&
           call[0] >= '0' && call[0] <= '9' && state_of(thread) == 'S';
}

static bool sleeps(pid_t process)
{
    char path[64];
    bool all = true;
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    threads = opendir(path);
    must(threads != NULL, "opendir");
    for (const struct dirent *entry; all && (entry = readdir(threads));)
        all = entry->d_name[0] == '.' || thread_sleeps((pid_t)strtol(entry->d_name, NULL, 10));
    closedir(threads);
    return all;
}

static void await_sleep(void)
{
    while (!atomic_load(&shared->returned) &&
           !(atomic_load(&shared->calls) && sleeps(stage.waiter)))
        sched_yield();
}

static void await_death(pid_t process)
{
    for (;;) {
        const char state = state_of(process);

        if (state == 'Z' || state == 'X' || state == '?')
            return;
        sched_yield();
    }
}

/* --- the run --- */

static void do_to_it(const struct disposition *disposition)
{
    int status;

    if (disposition->child) {
        must(write(stage.life[1], "x", 1) == 1, "write");
        await_death(atomic_load(&shared->victim));
    }
    for (int i = 0; i < 2 && disposition->sent[i]; i++)
        must(kill(stage.waiter, disposition->sent[i]) == 0, "kill");
    if (!disposition->stop)
        return;
    must(kill(stage.waiter, SIGSTOP) == 0, "kill");
    must(waitpid(stage.waiter, &status, WUNTRACED) == stage.waiter && WIFSTOPPED(status), "stop");
    must(kill(stage.waiter, SIGCONT) == 0, "kill");
}

static void print_result(void)
{
    if (shared->result < 0)
        printf("%s", strerrorname_np(shared->error));
    else
        printf("%ld", shared->result);
}

static void run(const struct row *row, const struct disposition *disposition, enum way way)
{
    int status;

    must(pipe2(stage.life, O_CLOEXEC) == 0, "pipe2");
    row->make();
    fflush(stdout);
    stage.waiter = fork();
    must(stage.waiter >= 0, "fork");
    if (stage.waiter == 0)
        wait_for_it(row, disposition, way);
    await_sleep();
    must(!atomic_load(&shared->returned), "too early");
    do_to_it(disposition);
    await_sleep();
    if (!atomic_load(&shared->returned)) {
        printf("still blocked, then ");
        row->give();
    }
    must(waitpid(stage.waiter, &status, 0) == stage.waiter, "waitpid");
    stage.waiter = 0;
    must(status == 0, "the waiter died");
    print_result();
    printf(", handled %d\n", atomic_load(&shared->handled));
}

static _Noreturn void list(FILE *file, int status)
{
    fprintf(file, "usage: blocking_threads CALL DISPOSITION alone|thread|other\ncalls:");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(file, " %s", rows[i].name);
    fprintf(file, "\ndispositions:");
    for (size_t i = 0; i < sizeof dispositions / sizeof *dispositions; i++)
        fprintf(file, " %s", dispositions[i].name);
    fprintf(file, "\n");
    exit(status);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    list(stderr, EXIT_USAGE);
}

static const struct disposition *find_disposition(const char *name)
{
    for (size_t i = 0; i < sizeof dispositions / sizeof *dispositions; i++) {
        if (strcmp(dispositions[i].name, name) == 0)
            return &dispositions[i];
    }
    list(stderr, EXIT_USAGE);
}

static enum way find_way(const char *name)
{
    for (enum way way = WAY_ALONE; way < WAYS; way++) {
        if (strcmp(ways[way], name) == 0)
            return way;
    }
    list(stderr, EXIT_USAGE);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-h") == 0)
        list(stdout, 0);
    if (argc != 4)
        list(stderr, EXIT_USAGE);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED, "mmap");
    shared->program = getpid();
    must(sem_init(&shared->semaphore, 1, 0) == 0, "sem_init");
    set_action(SIGALRM, give_up, 0);
    set_action(SIGCHLD, SIG_DFL, 0);
    alarm(PATIENCE);
    run(find_row(argv[1]), find_disposition(argv[2]), find_way(argv[3]));
    clean_up();
    return 0;
}
