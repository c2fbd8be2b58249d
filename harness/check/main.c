#include "apart.h"
#include "case.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 100, EXIT_SYSTEM = 111, NAME_ROOM = 256, DEADLINE_BY_HAND = 10 };

/* One TCase: a case with a kind of each of its sets. */
struct item {
    const struct sockspec_case *of;
    struct kind kind;
    char id[NAME_ROOM];
    TTest test;
};

static struct sockspec_case *first, **last = &first;
static struct item *items;
static int count;

void case_register(struct sockspec_case *registered)
{
    *last = registered;
    last = &registered->next;
}

_Noreturn int lacks(const char *what)
{
    item_unsupported(verdict_place(), "this platform has no %s", what);
}

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(EXIT_SYSTEM);
}

/* --- which items there are -----------------------------------------------------------------------
 */

static void run_body(const void *argument)
{
    const struct item *item = argument;

    if (item->kind.poller && item->kind.poller->lacks)
        item_unsupported(verdict_place(), "%s", item->kind.poller->lacks);
    item->of->body(&item->kind);
}

static void run_item(int index)
{
    const struct sockspec_case *of = items[index].of;

    verdict_item(items[index].id, (struct place){of->file, of->line});
    item_run(run_body, &items[index]);
}

static struct kind joined(const struct kind *one, const struct kind *other)
{
    struct kind both = *one;

    both.family = one->family ? one->family : other->family;
    both.type = one->type ? one->type : other->type;
    both.mapped = one->mapped || other->mapped;
    both.nonblocking = one->nonblocking || other->nonblocking;
    both.poller = one->poller ? one->poller : other->poller;
    both.text = one->text ? one->text : other->text;
    both.value = one->value ? one->value : other->value;
    both.other = one->other ? one->other : other->other;
    return both;
}

static struct item *add_item(const struct sockspec_case *of, struct kind kind)
{
    struct item *grown = realloc(items, sizeof *items * (size_t)(count + 1));

    if (!grown)
        die("realloc");
    items = grown;
    items[count] = (struct item){.of = of, .kind = kind};
    return &items[count++];
}

static void add_kind(const struct sockspec_case *of, const struct kind *kind)
{
    if (!of->sets[1]) {
        struct item *item = add_item(of, *kind);

        snprintf(item->id, sizeof item->id, "%s[%s]", of->name, kind->name);
        return;
    }
    for (const struct kind *other = of->sets[1]; other->name; other++) {
        struct item *item = add_item(of, joined(kind, other));

        snprintf(item->id, sizeof item->id, "%s[%s-%s]", of->name, kind->name, other->name);
    }
}

static void add_case(const struct sockspec_case *of)
{
    if (!of->sets[0]) {
        struct item *item = add_item(of, ipv4_stream);

        snprintf(item->id, sizeof item->id, "%s", of->name);
        return;
    }
    for (const struct kind *kind = of->sets[0]; kind->name; kind++)
        add_kind(of, kind);
}

static void gather(void)
{
    for (const struct sockspec_case *of = first; of; of = of->next)
        add_case(of);
}

/* --- what can be done with them ------------------------------------------------------------------
 */

static void print_words(const char *const words[MOST_WORDS])
{
    putchar('\t');
    for (int i = 0; i < MOST_WORDS && words[i]; i++)
        printf("%s%s", i ? " | " : "", words[i]);
}

static void list(void)
{
    for (const struct item *item = items; item < items + count; item++) {
        printf("%s\t%d", item->id, item->of->line);
        print_words(item->of->behaviour);
        print_words(item->of->about);
        print_words(item->of->requires);
        printf("\t%d%s%s\n", item->of->deadline, item->of->waits ? " waits" : "",
               item->of->slow ? " slow" : "");
    }
}

static Suite *suite(const char *program, bool by_hand)
{
    Suite *all = suite_create(program);

    for (int i = 0; i < count; i++) {
        const struct sockspec_case *of = items[i].of;
        TCase *one = tcase_create(items[i].id);

        items[i].test = (TTest){of->name, run_item, of->file, of->line};
        tcase_set_timeout(one, of->deadline ? of->deadline : DEADLINE_BY_HAND);
        if (by_hand)
            tcase_add_checked_fixture(one, apart_item, NULL);
        tcase_add_loop_test(one, &items[i].test, i, i + 1);
        suite_add_tcase(all, one);
    }
    return all;
}

static int run(const char *program, bool by_hand)
{
    SRunner *runner = srunner_create(suite(program, by_hand));
    int ran, failed;

    if (by_hand)
        apart_begin();
    srunner_run_all(runner, CK_ENV);
    if (by_hand)
        apart_end();
    ran = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    verdict_counted(ran, failed);
    if (ran == 0)
        fprintf(stderr, "%s: no case is called %s\n", program, getenv("CK_RUN_CASE"));
    return ran == 0 ? EXIT_USAGE : failed > 0;
}

static _Noreturn void usage(const char *program, int status)
{
    fprintf(status ? stderr : stdout,
            "usage: %s [--list]\n"
            "Runs its %d cases, each in a process of its own. CK_RUN_CASE=NAME runs one,\n"
            "CK_VERBOSITY=verbose tells of each, CK_FORK=no is for a debugger. --list prints\n"
            "name, line, behaviour, about, requirements, deadline of each.\n",
            program, count);
    exit(status);
}

/* The harness says which descriptor verdicts go to; programs that a case starts have no business
 * with it. Whether there is one. */
static bool open_verdict(void)
{
    const char *text = getenv("SOCKSPEC_VERDICT");
    const int descriptor = text ? (int)strtol(text, NULL, 10) : -1;

    if (text && fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        die("SOCKSPEC_VERDICT");
    verdict_open(descriptor);
    return text != NULL;
}

int main(int argc, char **argv)
{
    gather();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc > 1)
        usage(argv[0], strcmp(argv[1], "-h") == 0 ? 0 : EXIT_USAGE);
    if (!platform_chosen()) {
        fprintf(stderr, "%s: SOCKSPEC_PLATFORM: no expectations are known for %s\n", argv[0],
                getenv("SOCKSPEC_PLATFORM"));
        return EXIT_USAGE;
    }
    return run(argv[0], !open_verdict());
}
