#include "core.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The core: processes, watches, orders, the log. The source of events is this file. */

/* --- a source that only answers --- */

/* What it is asked, and what it says. */
static struct {
    enum descriptor_class class;
    int asked, process, descriptor;
} classified;

static enum descriptor_class classify(const struct process *process, int descriptor)
{
    classified.asked++;
    classified.process = process->number;
    classified.descriptor = descriptor;
    return classified.class;
}

static const struct source source = {.classify = classify};

static struct core *open_core(void)
{
    struct core *core = core_open(&source);

    ck_assert_ptr_nonnull(core);
    return core;
}

static const struct call_collected nothing = {NULL, 0};
static const uint64_t no_arguments[CALL_ARGUMENTS];

static const struct call_shape *call_named(const char *name)
{
    for (size_t i = 0; call_row(i); i++)
        if (strcmp(call_name(call_row(i)), name) == 0)
            return call_row(i);
    ck_abort_msg("the table lacks %s", name);
    return NULL;
}

/* A process of one thread that runs. Parent NULL: it was started, and has been released from its
 * exec. */
static struct thread *live(struct core *core, const struct thread *parent, pid_t pid)
{
    struct process *process =
        core_process(core, parent ? parent->process : NULL, pid, parent ? BORN_FORK : BORN_START);
    struct thread *thread;

    ck_assert_ptr_nonnull(process);
    thread = core_thread(process, pid);
    ck_assert_ptr_nonnull(thread);
    if (!parent)
        core_executed(core, thread, "/bin/program");
    thread->held = false;
    return thread;
}

static struct orders enter(struct core *core, struct thread *thread, const char *call)
{
    return core_entered(core, thread, call_named(call), no_arguments, nothing);
}

static struct orders leave(struct core *core, struct thread *thread)
{
    return core_left(core, thread, 0, 0, INJECTED_NOT, nothing);
}

static struct request hold_at(const struct thread *thread, enum moment_kind kind, const char *call)
{
    struct request request = {.process = thread->process->number,
                              .moment = {.kind = kind, .nth = 1},
                              .action = {.kind = ACTION_HOLD},
                              .times = 1};

    ck_assert_int_eq(snprintf(request.moment.call, sizeof request.moment.call, "%s", call),
                     (int)strlen(call));
    return request;
}

static struct watch *arm(struct core *core, struct request request)
{
    struct watch *watch = core_arm(core, &request);

    ck_assert_ptr_nonnull(watch);
    return watch;
}

/* A TCP segment from that host, on the wire w. */
static struct ruling cross(struct core *core, const char *from)
{
    static const struct segment segment = {.protocol = SEGMENT_TCP};
    const struct happening happening = {
        .kind = MOMENT_SEGMENT, .segment = &segment, .wire = "w", .from = from};
    const struct record head = {.kind = RECORD_SEGMENT, .segment = {.wire = 0, .length = 40}};

    return core_segment(core, &happening, &head, "bytes", 5);
}

static void ck_assert_no_orders(struct orders orders)
{
    ck_assert(!orders.hold && !orders.detach && !orders.shorten);
    ck_assert_int_eq(orders.skip, false);
    ck_assert_int_eq(orders.signal, 0);
}

/* --- processes --- */

START_TEST(processes_number_from_1_in_the_order_of_birth)
{
    struct core *core = open_core();
    const struct thread *first = live(core, NULL, 100), *second = live(core, NULL, 101);
    const struct thread *child = live(core, first, 102), *grandchild = live(core, child, 103);

    ck_assert_int_eq(first->process->number, 1);
    ck_assert_int_eq(second->process->number, 2);
    ck_assert_int_eq(child->process->number, 3);
    ck_assert_int_eq(grandchild->process->number, 4);
    ck_assert_int_eq(first->process->parent, 0);
    ck_assert_int_eq(second->process->parent, 0);
    ck_assert_int_eq(child->process->parent, 1);
    ck_assert_int_eq(grandchild->process->parent, 3);
    ck_assert_int_eq(first->process->program, 1);
    ck_assert_int_eq(second->process->program, 2);
    ck_assert_int_eq(child->process->program, 1);
    ck_assert_int_eq(grandchild->process->program, 1);
    core_close(core);
}
END_TEST

START_TEST(processes_are_found_by_number_and_pid)
{
    struct core *core = open_core();
    const struct thread *first = live(core, NULL, 100), *second = live(core, first, 101);

    ck_assert_ptr_eq(core_find(core, 1), first->process);
    ck_assert_ptr_eq(core_find(core, 2), second->process);
    ck_assert_ptr_null(core_find(core, 0));
    ck_assert_ptr_null(core_find(core, 3));
    ck_assert_ptr_eq(core_find_pid(core, 101), second->process);
    ck_assert_ptr_null(core_find_pid(core, 1));
    core_close(core);
}
END_TEST

/* The kernel gives pids again. */
START_TEST(the_youngest_of_a_pid_is_found)
{
    struct core *core = open_core();
    struct thread *first = live(core, NULL, 100), *old = live(core, first, 101);
    const struct thread *young;

    core_dead(core, old->process, 0);
    young = live(core, first, 101);
    ck_assert_ptr_eq(core_find_pid(core, 101), young->process);
    ck_assert_ptr_eq(core_find_thread(core, 101), young);
    core_close(core);
}
END_TEST

START_TEST(threads_are_found_in_whatever_process)
{
    struct core *core = open_core();
    struct thread *first = live(core, NULL, 100), *child = live(core, first, 101);
    struct thread *second = core_thread(first->process, 102);

    ck_assert_ptr_eq(core_find_thread(core, 100), first);
    ck_assert_ptr_eq(core_find_thread(core, 101), child);
    ck_assert_ptr_eq(core_find_thread(core, 102), second);
    ck_assert_ptr_null(core_find_thread(core, 103));
    core_thread_gone(second);
    ck_assert_ptr_null(core_find_thread(core, 102));
    ck_assert_ptr_eq(core_find_thread(core, 100), first);
    core_close(core);
}
END_TEST

START_TEST(held_is_one_thread_standing_is_all)
{
    struct core *core = open_core();
    struct thread *first = live(core, NULL, 100);
    struct thread *second = core_thread(first->process, 101);
    const struct process *process = first->process;

    ck_assert(!process_held(process) && !process_standing(process));
    second->held = true;
    ck_assert(process_held(process) && !process_standing(process));
    first->held = true;
    ck_assert(process_held(process) && process_standing(process));
    core_thread_gone(first);
    core_thread_gone(second);
    ck_assert(!process_held(process) && !process_standing(process));
    core_close(core);
}
END_TEST

START_TEST(births_have_names)
{
    ck_assert_str_eq(born_name(BORN_START), "start");
    ck_assert_str_eq(born_name(BORN_FORK), "fork");
    ck_assert_str_eq(born_name(BORN_VFORK), "vfork");
    ck_assert_str_eq(born_name(BORN_CLONE), "clone");
}
END_TEST

START_TEST(what_the_core_owns_goes_with_it)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const int handle = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(handle, 0);
    ck_assert_int_eq(thread->process->handle, -1);
    thread->process->handle = handle;
    thread->process->mechanism = malloc(1); /* whether these are freed is a sanitizer's business */
    thread->mechanism = malloc(1);
    arm(core, hold_at(thread, MOMENT_EXIT, ""));
    core_close(core);
    ck_assert_int_eq(fcntl(handle, F_GETFD), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* --- exec --- */

static struct thread *loading(struct core *core)
{
    struct process *process = core_process(core, NULL, 100, BORN_START);

    ck_assert_ptr_nonnull(process);
    ck_assert_int_eq(process->life, LIFE_LOADING);
    return core_thread(process, 100);
}

START_TEST(a_program_is_held_at_its_first_exec)
{
    struct core *core = open_core();
    struct thread *thread = loading(core);
    const struct orders orders = core_executed(core, thread, "/bin/program");

    ck_assert(orders.hold);
    ck_assert(thread->held);
    ck_assert_uint_eq(thread->held_at, log_last(core->log));
    ck_assert_int_eq(log_record(core->log, thread->held_at)->kind, RECORD_EXEC);
    ck_assert_int_eq(thread->process->life, LIFE_RUNNING);
    core_close(core);
}
END_TEST

START_TEST(it_is_not_held_at_the_next)
{
    struct core *core = open_core();
    struct thread *thread = loading(core);

    core_executed(core, thread, "/bin/program");
    thread->held = false;
    ck_assert_no_orders(core_executed(core, thread, "/bin/other"));
    ck_assert(!thread->held);
    core_close(core);
}
END_TEST

START_TEST(a_child_is_not_held_at_its_exec)
{
    struct core *core = open_core();
    struct thread *parent = live(core, NULL, 100), *child = live(core, parent, 101);

    ck_assert_int_eq(child->process->life, LIFE_RUNNING);
    ck_assert_no_orders(core_executed(core, child, "/bin/other"));
    ck_assert(!child->held);
    core_close(core);
}
END_TEST

#define SIXTY "123456789012345678901234567890123456789012345678901234567890"

static const struct {
    const char *path, *name;
} paths[] = {
    {"/bin/echo_server", "echo_server"},
    {"echo_server", "echo_server"},
    {"./a/b/c", "c"},
    {"/bin/" SIXTY "abc", SIXTY "abc"},
    {"/bin/" SIXTY "abcd", SIXTY "abc"},
    {"/bin/" SIXTY SIXTY, SIXTY "123"},
};
enum { PATHS = sizeof paths / sizeof paths[0] };

START_TEST(a_name_that_was_given_lasts_till_the_next_exec)
{
    struct core *core = open_core();
    struct thread *thread = loading(core);

    core_name(thread->process, "server");
    core_executed(core, thread, "/bin/emulator");
    ck_assert_str_eq(thread->process->name, "server");
    ck_assert_mem_eq(log_record(core->log, thread->held_at)->bytes, "server", 6);
    core_executed(core, thread, "/bin/other");
    ck_assert_str_eq(thread->process->name, "other");
    core_close(core);
}
END_TEST

START_TEST(a_process_is_called_as_its_program_and_so_is_its_child)
{
    struct core *core = open_core();
    struct thread *thread = loading(core);
    const struct record *record;
    const struct thread *child;

    core_executed(core, thread, paths[_i].path);
    child = live(core, thread, 101);
    record = log_record(core->log, thread->held_at);
    ck_assert_str_eq(thread->process->name, paths[_i].name);
    ck_assert_str_eq(child->process->name, paths[_i].name);
    ck_assert_uint_eq(record->tail, strlen(paths[_i].name));
    ck_assert_mem_eq(record->bytes, paths[_i].name, record->tail);
    core_close(core);
}
END_TEST

/* --- scopes --- */

enum member { ITSELF, CHILD, GRANDCHILD, PARENT, SIBLING, STRANGER, MEMBERS };

static const char *const member_names[MEMBERS] = {
    [ITSELF] = "itself", [CHILD] = "a child",     [GRANDCHILD] = "a grandchild",
    [PARENT] = "parent", [SIBLING] = "a sibling", [STRANGER] = "a stranger",
};

static const bool within[][MEMBERS] = {
    [SCOPE_PROCESS] = {[ITSELF] = true},
    [SCOPE_TREE] = {[ITSELF] = true, [CHILD] = true, [GRANDCHILD] = true},
    [SCOPE_CHILDREN] = {[CHILD] = true, [GRANDCHILD] = true},
};
enum { SCOPES = sizeof within / sizeof within[0] };

static void make_family(struct core *core, struct thread *family[MEMBERS])
{
    family[PARENT] = live(core, NULL, 100);
    family[ITSELF] = live(core, family[PARENT], 101);
    family[SIBLING] = live(core, family[PARENT], 102);
    family[CHILD] = live(core, family[ITSELF], 103);
    family[GRANDCHILD] = live(core, family[CHILD], 104);
    family[STRANGER] = live(core, NULL, 105);
}

/* _i runs over all pairs of a scope and a member of the family. */
START_TEST(a_watch_looks_at_its_scope_only)
{
    const enum scope scope = (enum scope)(_i / MEMBERS);
    const int who = _i % MEMBERS;
    struct core *core = open_core();
    struct thread *family[MEMBERS];
    struct request request;
    struct watch *watch;

    make_family(core, family);
    request = hold_at(family[ITSELF], MOMENT_ENTER, "accept");
    request.scope = scope;
    watch = arm(core, request);
    ck_assert_msg(enter(core, family[who], "accept").hold == within[scope][who],
                  "scope %d looks at %s wrongly", (int)scope, member_names[who]);
    ck_assert_int_eq(family[who]->held, within[scope][who]);
    ck_assert_int_eq(watch->struck, within[scope][who]);
    ck_assert_int_eq(watch->seen, within[scope][who]);
    core_close(core);
}
END_TEST

/* The line between a process and its descendants may be dead. */
START_TEST(a_scope_reaches_descendants_to_come_past_the_dead)
{
    struct core *core = open_core();
    struct thread *root = live(core, NULL, 100), *child, *grandchild;
    struct request request = hold_at(root, MOMENT_BORN, "");
    struct watch *watch;

    request.scope = SCOPE_CHILDREN;
    request.times = 0;
    watch = arm(core, request);
    child = live(core, root, 101);
    ck_assert(core_born(core, child).hold);
    grandchild = live(core, child, 102);
    core_dead(core, child->process, 0);
    ck_assert(core_born(core, grandchild).hold);
    ck_assert_int_eq(watch->struck, 2);
    ck_assert_int_eq(watch->last_process, grandchild->process->number);
    ck_assert_uint_eq(watch->last_event, log_last(core->log));
    core_close(core);
}
END_TEST

/* --- counting --- */

/* At which of eight events a watch strikes. */
static const struct {
    int nth, times;
    const char *strikes;
} countings[] = {
    {1, 1, "x......."}, {2, 1, ".x......"}, {8, 1, ".......x"}, {9, 1, "........"},
    {1, 3, "xxx....."}, {3, 2, "..xx...."}, {7, 5, "......xx"}, {1, 0, "xxxxxxxx"},
    {4, 0, "...xxxxx"}, {9, 0, "........"},
};
enum { COUNTINGS = sizeof countings / sizeof countings[0] };

START_TEST(a_watch_strikes_from_the_nth_so_many_times)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct request request = hold_at(thread, MOMENT_ENTER, "accept");
    char strikes[9] = "";

    enter(core, thread, "accept"); /* before the arming: does not count */
    request.moment.nth = countings[_i].nth;
    request.times = countings[_i].times;
    arm(core, request);
    for (int i = 0; i < 8; i++) {
        thread->held = false;
        enter(core, thread, "read"); /* nor does what is another moment */
        ck_assert(!thread->held);
        strikes[i] = enter(core, thread, "accept").hold ? 'x' : '.';
        ck_assert_int_eq(thread->held, strikes[i] == 'x');
        leave(core, thread);
    }
    ck_assert_str_eq(strikes, countings[_i].strikes);
    core_close(core);
}
END_TEST

START_TEST(moments_count_over_the_whole_scope)
{
    struct core *core = open_core();
    struct thread *root = live(core, NULL, 100), *one = live(core, root, 101);
    struct thread *two = live(core, root, 102);
    struct request request = hold_at(root, MOMENT_ENTER, "accept");
    const struct watch *watch;

    request.scope = SCOPE_TREE;
    request.moment.nth = 3;
    watch = arm(core, request);
    ck_assert(!enter(core, one, "accept").hold);
    ck_assert(!enter(core, root, "accept").hold);
    ck_assert(enter(core, two, "accept4").hold);
    ck_assert(two->held && !one->held && !root->held);
    ck_assert_int_eq(watch->last_process, two->process->number);
    core_close(core);
}
END_TEST

START_TEST(two_watches_count_each_for_itself)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct request request = hold_at(thread, MOMENT_ENTER, "accept");
    const struct watch *first, *second;

    request.moment.nth = 2;
    first = arm(core, request);
    ck_assert(!enter(core, thread, "accept").hold);
    second = arm(core, request);
    ck_assert(enter(core, thread, "accept").hold);
    ck_assert_int_eq(first->struck, 1);
    ck_assert_int_eq(second->struck, 0);
    ck_assert(enter(core, thread, "accept").hold);
    ck_assert_int_eq(first->struck, 1);
    ck_assert_int_eq(second->struck, 1);
    core_close(core);
}
END_TEST

/* --- orders --- */

static struct watch *arm_action(struct core *core, const struct thread *thread,
                                struct action action)
{
    struct request request = hold_at(thread, MOMENT_ENTER, "write");

    request.action = action;
    return arm(core, request);
}

START_TEST(each_action_gives_its_order)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct orders orders;

    arm_action(core, thread, (struct action){.kind = ACTION_HOLD});
    orders = enter(core, thread, "write");
    ck_assert(orders.hold && !orders.detach && !orders.shorten && !orders.skip && !orders.signal);
    thread->held = false;
    arm_action(core, thread, (struct action){.kind = ACTION_KILL, .signal = SIGTERM});
    orders = enter(core, thread, "write");
    ck_assert(!orders.hold && !orders.detach && !orders.shorten && !orders.skip);
    ck_assert_int_eq(orders.signal, SIGTERM);
    arm_action(core, thread, (struct action){.kind = ACTION_RESULT, .result = -EMFILE});
    orders = enter(core, thread, "write");
    ck_assert(!orders.hold && !orders.detach && !orders.shorten && !orders.signal);
    ck_assert_int_eq(orders.result, -EMFILE);
    arm_action(core, thread, (struct action){.kind = ACTION_SHORT, .length = 0});
    orders = enter(core, thread, "write");
    ck_assert(!orders.hold && !orders.detach && orders.shorten && !orders.skip && !orders.signal);
    ck_assert_uint_eq(orders.length, 0);
    arm_action(core, thread, (struct action){.kind = ACTION_DETACH});
    orders = enter(core, thread, "write");
    ck_assert(!orders.hold && orders.detach && !orders.shorten && !orders.skip && !orders.signal);
    ck_assert(!thread->held);
    core_close(core);
}
END_TEST

START_TEST(several_watches_at_one_event_all_have_their_way)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const struct watch *watches[] = {
        arm_action(core, thread, (struct action){.kind = ACTION_SHORT, .length = 3}),
        arm_action(core, thread, (struct action){.kind = ACTION_HOLD}),
        arm_action(core, thread, (struct action){.kind = ACTION_RESULT, .result = -EPIPE}),
        arm_action(core, thread, (struct action){.kind = ACTION_KILL, .signal = SIGINT}),
        arm_action(core, thread, (struct action){.kind = ACTION_DETACH}),
    };
    const struct orders orders = enter(core, thread, "write");

    ck_assert(orders.hold && orders.detach && orders.shorten);
    ck_assert_uint_eq(orders.length, 3);
    ck_assert_int_eq(orders.result, -EPIPE);
    ck_assert_int_eq(orders.signal, SIGINT);
    ck_assert(thread->held);
    ck_assert_uint_eq(thread->held_at, log_last(core->log));
    for (size_t i = 0; i < sizeof watches / sizeof *watches; i++) {
        ck_assert_int_eq(watches[i]->struck, 1);
        ck_assert_uint_eq(watches[i]->last_event, log_last(core->log));
    }
    ck_assert_no_orders(enter(core, thread, "write"));
    core_close(core);
}
END_TEST

START_TEST(only_the_watches_that_strike_are_heard)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct request late = hold_at(thread, MOMENT_ENTER, "write");
    struct orders orders;

    late.moment.nth = 2;
    arm(core, late);
    arm(core, hold_at(thread, MOMENT_LEAVE, "write"));
    arm(core, hold_at(thread, MOMENT_ENTER, "read"));
    arm_action(core, thread, (struct action){.kind = ACTION_KILL, .signal = SIGINT});
    orders = enter(core, thread, "write");
    ck_assert_int_eq(orders.signal, SIGINT);
    ck_assert(!orders.hold && !thread->held);
    core_close(core);
}
END_TEST

/* --- watches --- */

START_TEST(watches_number_from_1_and_are_found)
{
    struct core *core = open_core();
    const struct thread *thread = live(core, NULL, 100);
    struct watch *first = arm(core, hold_at(thread, MOMENT_EXIT, ""));
    struct watch *second = arm(core, hold_at(thread, MOMENT_EXIT, ""));

    ck_assert_int_eq(first->number, 1);
    ck_assert_int_eq(second->number, 2);
    ck_assert_ptr_eq(core_find_watch(core, 1), first);
    ck_assert_ptr_eq(core_find_watch(core, 2), second);
    ck_assert_ptr_null(core_find_watch(core, 0));
    ck_assert_ptr_null(core_find_watch(core, 3));
    core_close(core);
}
END_TEST

START_TEST(a_watch_that_was_disarmed_is_gone_and_its_number_too)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct request request = hold_at(thread, MOMENT_ENTER, "accept");
    struct watch *third;

    arm(core, request);
    arm(core, request);
    third = arm(core, request);
    core_disarm(core, core_find_watch(core, 2));
    ck_assert_ptr_null(core_find_watch(core, 2));
    core_disarm(core, core_find_watch(core, 1));
    ck_assert_ptr_eq(core_find_watch(core, 3), third);
    core_disarm(core, third);
    ck_assert_ptr_null(core_find_watch(core, 3));
    ck_assert_no_orders(enter(core, thread, "accept"));
    ck_assert_int_eq(arm(core, request)->number, 4);
    core_close(core);
}
END_TEST

/* --- moments and what brings them --- */

START_TEST(every_report_brings_its_moment)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const struct thread *child = live(core, thread, 101);
    const struct watch *watches[MOMENT_KINDS];

    for (int kind = 0; kind < MOMENT_KINDS; kind++)
        watches[kind] = arm(core, hold_at(thread, (enum moment_kind)kind, "accept"));
    ck_assert(enter(core, thread, "accept").hold);
    ck_assert(leave(core, thread).hold);
    ck_assert(core_signal(core, thread, SIGCHLD, 0, DISPOSITION_HANDLER).hold);
    ck_assert(core_forked(core, thread, child->process).hold);
    ck_assert(core_born(core, thread).hold);
    ck_assert(core_executed(core, thread, "/bin/other").hold);
    ck_assert(core_exiting(core, thread, 0).hold);
    ck_assert_int_eq(cross(core, "server").fate, FATE_HELD);
    for (int kind = 0; kind < MOMENT_KINDS; kind++) {
        ck_assert_int_eq(watches[kind]->seen, 1);
        ck_assert_int_eq(watches[kind]->struck, 1);
        ck_assert_uint_eq(watches[kind]->last_event, log_last(core->log) - 7 + (uint64_t)kind);
    }
    core_close(core);
}
END_TEST

START_TEST(an_ignored_signal_is_recorded_and_no_moment)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const struct watch *watch = arm(core, hold_at(thread, MOMENT_SIGNAL, ""));

    ck_assert_no_orders(core_signal(core, thread, SIGPIPE, 0, DISPOSITION_IGNORED));
    ck_assert_int_eq(watch->seen, 0);
    ck_assert_int_eq(log_record(core->log, log_last(core->log))->kind, RECORD_SIGNAL);
    ck_assert(core_signal(core, thread, SIGPIPE, 0, DISPOSITION_DEFAULT).hold);
    core_close(core);
}
END_TEST

START_TEST(a_signal_moment_asks_for_its_signal)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct request request = hold_at(thread, MOMENT_SIGNAL, "");

    request.moment.signal = SIGCHLD;
    arm(core, request);
    ck_assert_no_orders(core_signal(core, thread, SIGINT, 0, DISPOSITION_HANDLER));
    ck_assert(core_signal(core, thread, SIGCHLD, 0, DISPOSITION_HANDLER).hold);
    core_close(core);
}
END_TEST

/* --- segments --- */

static struct request on_wire(enum action_kind action, int nth, int times)
{
    return (struct request){.moment = {.kind = MOMENT_SEGMENT, .nth = nth},
                            .action = {.kind = action, .delay = 7},
                            .times = times};
}

START_TEST(a_segment_nobody_asked_about_passes)
{
    struct core *core = open_core();
    const struct ruling ruling = cross(core, "server");
    const struct record *record = log_record(core->log, ruling.event);

    ck_assert_int_eq(ruling.fate, FATE_PASSED);
    ck_assert_int_eq(ruling.watch, 0);
    ck_assert_uint_eq(ruling.event, log_last(core->log));
    ck_assert_int_eq(record->kind, RECORD_SEGMENT);
    ck_assert_int_eq(record->segment.fate, FATE_PASSED);
    ck_assert_uint_eq(record->segment.length, 40);
    ck_assert_int_eq(record->process, 0);
    ck_assert_uint_eq(record->tail, 5);
    ck_assert_int_eq(memcmp(record->bytes, "bytes", 5), 0);
    core_close(core);
}
END_TEST

static const struct {
    enum action_kind action;
    enum fate fate;
} fates[] = {{ACTION_HOLD, FATE_HELD},
             {ACTION_DROP, FATE_DROPPED},
             {ACTION_DUPLICATE, FATE_DUPLICATED},
             {ACTION_DELAY, FATE_DELAYED}};
enum { FATE_ROWS = sizeof fates / sizeof fates[0] };

START_TEST(a_watch_decides_a_segments_fate)
{
    struct core *core = open_core();
    const struct watch *watch = arm(core, on_wire(fates[_i].action, 1, 1));
    const struct ruling ruling = cross(core, "server");

    ck_assert_int_eq(ruling.fate, fates[_i].fate);
    ck_assert_int_eq(ruling.watch, watch->number);
    ck_assert_uint_eq(ruling.delay, 7);
    ck_assert_int_eq(log_record(core->log, ruling.event)->segment.fate, fates[_i].fate);
    ck_assert_uint_eq(watch->last_event, ruling.event);
    ck_assert_int_eq(watch->last_process, 0);
    ck_assert_int_eq(cross(core, "server").fate, FATE_PASSED);
    ck_assert_int_eq(watch->seen, 2);
    ck_assert_int_eq(watch->struck, 1);
    core_close(core);
}
END_TEST

START_TEST(of_watches_the_first_armed_has_the_segment)
{
    struct core *core = open_core();
    const struct watch *second = arm(core, on_wire(ACTION_DROP, 2, 1)),
                       *all = arm(core, on_wire(ACTION_HOLD, 1, 2));

    ck_assert_int_eq(cross(core, "server").fate, FATE_HELD);
    ck_assert_int_eq(cross(core, "server").fate, FATE_DROPPED);
    ck_assert_int_eq(cross(core, "server").fate, FATE_HELD);
    ck_assert_int_eq(cross(core, "server").fate, FATE_PASSED);
    ck_assert_int_eq(second->seen, 4);
    ck_assert_int_eq(second->struck, 1);
    ck_assert_int_eq(all->seen, 4);
    ck_assert_int_eq(all->struck, 2);
    core_close(core);
}
END_TEST

START_TEST(what_does_not_match_is_not_counted)
{
    struct core *core = open_core();
    struct request request = on_wire(ACTION_DROP, 1, 0);
    const struct watch *watch;

    strcpy(request.moment.segment.from, "client");
    watch = arm(core, request);
    ck_assert_int_eq(cross(core, "server").fate, FATE_PASSED);
    ck_assert_int_eq(watch->seen, 0);
    ck_assert_int_eq(cross(core, "client").fate, FATE_DROPPED);
    ck_assert_int_eq(cross(core, "client").fate, FATE_DROPPED);
    core_close(core);
}
END_TEST

START_TEST(a_segment_can_always_come)
{
    struct core *core = open_core();
    const struct watch *watch = arm(core, on_wire(ACTION_HOLD, 1, 1));
    struct thread *thread;

    ck_assert(core_can_strike(core, watch));
    thread = live(core, NULL, 100);
    ck_assert_no_orders(enter(core, thread, "accept"));
    ck_assert_int_eq(watch->seen, 0);
    core_close(core);
}
END_TEST

START_TEST(children_are_where_their_parents_are)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);

    ck_assert_int_eq(thread->process->host, 0);
    thread->process->host = 3;
    ck_assert_int_eq(live(core, live(core, thread, 101), 102)->process->host, 3);
    core_close(core);
}
END_TEST

/* --- the call's descriptor --- */

static struct request hold_on(const struct thread *thread, enum moment_kind kind, const char *call,
                              enum descriptor_class class)
{
    struct request request = hold_at(thread, kind, call);

    request.moment.on = class;
    request.times = 0;
    classified.asked = 0;
    classified.class = CLASS_LISTENING;
    return request;
}

START_TEST(the_first_descriptor_is_classified_at_entering_and_leaving)
{
    static const uint64_t arguments[CALL_ARGUMENTS] = {17, 18, 19};
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);

    arm(core, hold_on(thread, MOMENT_ENTER, "accept", CLASS_SOCKET));
    arm(core, hold_on(thread, MOMENT_LEAVE, "accept", CLASS_LISTENING));
    ck_assert(core_entered(core, thread, call_named("accept"), arguments, nothing).hold);
    ck_assert_int_eq(classified.asked, 1);
    ck_assert_int_eq(classified.process, 1);
    ck_assert_int_eq(classified.descriptor, 17);
    classified.descriptor = -1;
    ck_assert(leave(core, thread).hold);
    ck_assert_int_eq(classified.asked, 2);
    ck_assert_int_eq(classified.descriptor, 17);
    core_close(core);
}
END_TEST

START_TEST(what_close_has_closed_is_known_from_its_entering)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);

    classified.class = CLASS_CONNECTION;
    ck_assert_no_orders(enter(core, thread, "close"));
    arm(core, hold_on(thread, MOMENT_LEAVE, "close", CLASS_CONNECTION));
    classified.class = CLASS_OTHER;
    ck_assert(leave(core, thread).hold);

    thread->held = false;
    arm(core, hold_on(thread, MOMENT_LEAVE, "read", CLASS_FILE));
    enter(core, thread, "read");
    classified.class = CLASS_FILE;
    ck_assert(leave(core, thread).hold);
    core_close(core);
}
END_TEST

START_TEST(another_class_is_another_moment)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const struct watch *watch = arm(core, hold_on(thread, MOMENT_ENTER, "read", CLASS_CONNECTION));

    ck_assert_no_orders(enter(core, thread, "read"));
    ck_assert_int_eq(classified.asked, 1);
    ck_assert_int_eq(watch->seen, 0);
    classified.class = CLASS_CONNECTION;
    ck_assert(enter(core, thread, "read").hold);
    core_close(core);
}
END_TEST

START_TEST(nobody_is_asked_without_need)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100), *stranger = live(core, NULL, 101);

    arm(core, hold_on(thread, MOMENT_ENTER, "read", CLASS_LISTENING));
    arm(core, hold_on(thread, MOMENT_ENTER, "write", CLASS_ANY));
    enter(core, thread, "accept");
    leave(core, thread);
    ck_assert(enter(core, thread, "write").hold);
    enter(core, stranger, "read");
    ck_assert_int_eq(classified.asked, 0);
    core_close(core);
}
END_TEST

START_TEST(a_call_without_descriptor_is_on_other)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);

    arm(core, hold_on(thread, MOMENT_ENTER, "fork", CLASS_OTHER));
    ck_assert(enter(core, thread, "fork").hold);
    ck_assert_int_eq(classified.asked, 0);
    core_close(core);
}
END_TEST

/* --- whether a watch can still strike --- */

enum state { RUNS, HELD, HALF_HELD, LOADS, EXITS, DIED, DETACHED, STATES };

static void put(struct core *core, struct thread *thread, enum state state)
{
    struct process *process = thread->process;

    switch (state) {
    case HALF_HELD:
        ck_assert_ptr_nonnull(core_thread(process, process->pid + 1000));
        thread->held = true;
        break;
    case HELD:
        thread->held = true;
        break;
    case LOADS:
        process->life = LIFE_LOADING;
        break;
    case EXITS:
        core_exiting(core, thread, 0);
        break;
    case DIED:
        core_dead(core, process, 0);
        break;
    case DETACHED:
        process->detached = true;
        break;
    default:
        break;
    }
}

/* The watch looks at a process; it, its child and a stranger are in these states. */
static const struct {
    enum scope scope;
    enum state itself, child, stranger;
    bool can;
} prospects[] = {
    {SCOPE_PROCESS, RUNS, DIED, DIED, true},
    {SCOPE_PROCESS, HALF_HELD, DIED, DIED, true},
    {SCOPE_PROCESS, HELD, RUNS, RUNS, false},
    {SCOPE_PROCESS, LOADS, RUNS, RUNS, false},
    {SCOPE_PROCESS, EXITS, RUNS, RUNS, false},
    {SCOPE_PROCESS, DIED, RUNS, RUNS, false},
    {SCOPE_PROCESS, DETACHED, RUNS, RUNS, false},
    {SCOPE_TREE, RUNS, DIED, DIED, true},
    {SCOPE_TREE, HELD, RUNS, DIED, true},
    {SCOPE_TREE, DIED, RUNS, DIED, true},
    {SCOPE_TREE, HELD, HELD, RUNS, false},
    {SCOPE_TREE, DIED, EXITS, RUNS, false},
    {SCOPE_TREE, DETACHED, DETACHED, RUNS, false},
    /* The process itself may have more children. */
    {SCOPE_CHILDREN, RUNS, DIED, DIED, true},
    {SCOPE_CHILDREN, DIED, RUNS, DIED, true},
    {SCOPE_CHILDREN, HELD, HALF_HELD, DIED, true},
    {SCOPE_CHILDREN, HELD, HELD, RUNS, false},
    {SCOPE_CHILDREN, DIED, DIED, RUNS, false},
};
enum { PROSPECTS = sizeof prospects / sizeof prospects[0] };

START_TEST(a_watch_can_strike_while_somebody_in_its_scope_can_run)
{
    struct core *core = open_core();
    struct thread *itself = live(core, NULL, 100), *child = live(core, itself, 101);
    struct thread *stranger = live(core, NULL, 102);
    struct request request = hold_at(itself, MOMENT_ENTER, "accept");

    request.scope = prospects[_i].scope;
    put(core, child, prospects[_i].child);
    put(core, stranger, prospects[_i].stranger);
    put(core, itself, prospects[_i].itself);
    ck_assert_int_eq(core_can_strike(core, arm(core, request)), prospects[_i].can);
    core_close(core);
}
END_TEST

/* --- the log --- */

static const struct record *last_record(const struct core *core)
{
    const struct record *record = log_record(core->log, log_last(core->log));

    ck_assert_ptr_nonnull(record);
    return record;
}

static void ck_assert_record(const struct core *core, enum record_kind kind,
                             const struct thread *thread)
{
    const struct record *record = last_record(core);

    ck_assert_int_eq(record->kind, kind);
    ck_assert_int_eq(record->process, thread->process->number);
    ck_assert_int_eq(record->thread, thread->tid);
    ck_assert_uint_gt(record->time, 0);
}

START_TEST(a_call_is_recorded_at_entering_and_leaving)
{
    static const uint64_t arguments[CALL_ARGUMENTS] = {1, 2, 3, 4, 5, 6};
    static const unsigned char at_enter[] = "in", at_leave[] = "out";
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    const struct call_shape *call = call_named("write");
    uint64_t entered;

    core_entered(core, thread, call, arguments, (struct call_collected){at_enter, 2});
    ck_assert_record(core, RECORD_ENTER, thread);
    ck_assert_int_eq(last_record(core)->enter.number, call_number(call));
    ck_assert_mem_eq(last_record(core)->enter.arguments, arguments, sizeof arguments);
    entered = log_last(core->log);
    ck_assert_ptr_eq(thread->in, call);
    ck_assert_uint_eq(thread->entered, entered);
    core_left(core, thread, -EPIPE, 2, INJECTED_ERRNO, (struct call_collected){at_leave, 3});
    ck_assert_record(core, RECORD_LEAVE, thread);
    ck_assert_uint_eq(last_record(core)->leave.entered, entered);
    ck_assert_int_eq(last_record(core)->leave.result, -EPIPE);
    ck_assert_int_eq(last_record(core)->leave.restarted, 2);
    ck_assert_int_eq(last_record(core)->leave.injected, INJECTED_ERRNO);
    ck_assert_ptr_null(thread->in);
    ck_assert_uint_eq(core_collected(core, entered).length, 2);
    ck_assert_mem_eq(core_collected(core, entered).bytes, "in", 2);
    ck_assert_mem_eq(core_collected(core, entered + 1).bytes, "out", 3);
    ck_assert_ptr_null(core_collected(core, entered + 2).bytes);
    ck_assert_ptr_null(core_collected(core, 0).bytes);
    core_close(core);
}
END_TEST

START_TEST(signals_and_births_are_recorded)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100), *child = live(core, thread, 101);

    core_signal(core, thread, SIGINT, 42, DISPOSITION_HANDLER);
    ck_assert_record(core, RECORD_SIGNAL, thread);
    ck_assert_int_eq(last_record(core)->signal.number, SIGINT);
    ck_assert_int_eq(last_record(core)->signal.from, 42);
    ck_assert_int_eq(last_record(core)->signal.disposition, DISPOSITION_HANDLER);
    core_forked(core, thread, child->process);
    ck_assert_record(core, RECORD_FORK, thread);
    ck_assert_int_eq(last_record(core)->fork.child, child->process->number);
    core_born(core, child);
    ck_assert_record(core, RECORD_BORN, child);
    core_close(core);
}
END_TEST

START_TEST(a_process_exits_and_is_dead_once)
{
    struct core *core = open_core();
    struct thread *thread = live(core, NULL, 100);
    struct process *process = thread->process;
    uint64_t last;

    core_exiting(core, thread, 0x100);
    ck_assert_record(core, RECORD_EXIT, thread);
    ck_assert_int_eq(last_record(core)->exit.status, 0x100);
    ck_assert_int_eq(process->life, LIFE_EXITING);
    ck_assert_int_eq(process->status, 0x100);
    core_dead(core, process, SIGKILL); /* it was killed on its way out */
    ck_assert_int_eq(last_record(core)->kind, RECORD_DEAD);
    ck_assert_int_eq(last_record(core)->process, 1);
    ck_assert_int_eq(last_record(core)->thread, 100);
    ck_assert_int_eq(last_record(core)->exit.status, SIGKILL);
    ck_assert_int_eq(process->life, LIFE_DEAD);
    ck_assert_int_eq(process->status, SIGKILL);
    ck_assert_ptr_null(process->threads);
    last = log_last(core->log);
    core_dead(core, process, 0);
    ck_assert_uint_eq(log_last(core->log), last);
    ck_assert_int_eq(process->status, SIGKILL);
    ck_assert_ptr_eq(core_find(core, 1), process);
    core_close(core);
}
END_TEST

/* ---------- */

static void add_processes(Suite *suite)
{
    TCase *processes = tcase_create("processes"), *exec = tcase_create("exec");

    tcase_add_test(processes, processes_number_from_1_in_the_order_of_birth);
    tcase_add_test(processes, processes_are_found_by_number_and_pid);
    tcase_add_test(processes, the_youngest_of_a_pid_is_found);
    tcase_add_test(processes, threads_are_found_in_whatever_process);
    tcase_add_test(processes, held_is_one_thread_standing_is_all);
    tcase_add_test(processes, births_have_names);
    tcase_add_test(processes, what_the_core_owns_goes_with_it);
    tcase_add_test(processes, children_are_where_their_parents_are);
    tcase_add_test(exec, a_program_is_held_at_its_first_exec);
    tcase_add_test(exec, it_is_not_held_at_the_next);
    tcase_add_test(exec, a_child_is_not_held_at_its_exec);
    tcase_add_test(exec, a_name_that_was_given_lasts_till_the_next_exec);
    tcase_add_loop_test(exec, a_process_is_called_as_its_program_and_so_is_its_child, 0, PATHS);
    suite_add_tcase(suite, processes);
    suite_add_tcase(suite, exec);
}

static void add_watching(Suite *suite)
{
    TCase *scopes = tcase_create("scopes"), *counting = tcase_create("counting");
    TCase *orders = tcase_create("orders"), *watches = tcase_create("watches");
    TCase *prospect = tcase_create("can_strike");

    tcase_add_loop_test(scopes, a_watch_looks_at_its_scope_only, 0, SCOPES * MEMBERS);
    tcase_add_test(scopes, a_scope_reaches_descendants_to_come_past_the_dead);
    tcase_add_loop_test(counting, a_watch_strikes_from_the_nth_so_many_times, 0, COUNTINGS);
    tcase_add_test(counting, moments_count_over_the_whole_scope);
    tcase_add_test(counting, two_watches_count_each_for_itself);
    tcase_add_test(orders, each_action_gives_its_order);
    tcase_add_test(orders, several_watches_at_one_event_all_have_their_way);
    tcase_add_test(orders, only_the_watches_that_strike_are_heard);
    tcase_add_test(watches, watches_number_from_1_and_are_found);
    tcase_add_test(watches, a_watch_that_was_disarmed_is_gone_and_its_number_too);
    tcase_add_loop_test(prospect, a_watch_can_strike_while_somebody_in_its_scope_can_run, 0,
                        PROSPECTS);
    suite_add_tcase(suite, scopes);
    suite_add_tcase(suite, counting);
    suite_add_tcase(suite, orders);
    suite_add_tcase(suite, watches);
    suite_add_tcase(suite, prospect);
}

static void add_segments(Suite *suite)
{
    TCase *segments = tcase_create("segments");

    tcase_add_test(segments, a_segment_nobody_asked_about_passes);
    tcase_add_loop_test(segments, a_watch_decides_a_segments_fate, 0, FATE_ROWS);
    tcase_add_test(segments, of_watches_the_first_armed_has_the_segment);
    tcase_add_test(segments, what_does_not_match_is_not_counted);
    tcase_add_test(segments, a_segment_can_always_come);
    suite_add_tcase(suite, segments);
}

static void add_reports(Suite *suite)
{
    TCase *moments = tcase_create("moments"), *descriptor = tcase_create("descriptor");
    TCase *log = tcase_create("log");

    tcase_add_test(moments, every_report_brings_its_moment);
    tcase_add_test(moments, an_ignored_signal_is_recorded_and_no_moment);
    tcase_add_test(moments, a_signal_moment_asks_for_its_signal);
    tcase_add_test(descriptor, the_first_descriptor_is_classified_at_entering_and_leaving);
    tcase_add_test(descriptor, what_close_has_closed_is_known_from_its_entering);
    tcase_add_test(descriptor, another_class_is_another_moment);
    tcase_add_test(descriptor, nobody_is_asked_without_need);
    tcase_add_test(descriptor, a_call_without_descriptor_is_on_other);
    tcase_add_test(log, a_call_is_recorded_at_entering_and_leaving);
    tcase_add_test(log, signals_and_births_are_recorded);
    tcase_add_test(log, a_process_exits_and_is_dead_once);
    suite_add_tcase(suite, moments);
    suite_add_tcase(suite, descriptor);
    suite_add_tcase(suite, log);
}

int main(void)
{
    Suite *suite = suite_create("core");
    SRunner *runner = srunner_create(suite);
    int failed;

    add_processes(suite);
    add_watching(suite);
    add_segments(suite);
    add_reports(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
