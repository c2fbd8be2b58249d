#ifndef SOCKSPEC_VERDICT_H
#define SOCKSPEC_VERDICT_H

/* What an item found. Under the harness it is handed over as JSON lines on a descriptor of its own
 * (see harness/check/items.py); by hand Check's own report has it. */

/* Where a word is said in a case file. */
struct place {
    const char *file;
    int line;
};
#define HERE ((struct place){__FILE__, __LINE__})

/* To that descriptor; -1 for nobody. Before the first item. */
void verdict_open(int descriptor);

/* Which item runs, and where its case is, for messages. */
void verdict_item(const char *item, struct place place);
struct place verdict_place(void);

/* The ends of an item. Those that do not return leave the body. */
void item_passed(void);
_Noreturn void item_failed(struct place place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void item_broken(struct place place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void item_unsupported(struct place place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs a body, which may leave by item_unsupported. */
void item_run(void (*body)(const void *), const void *argument);

/* Hands over an observation by name: an errno, or a value with its names (NULL: it has none). */
void observe_errno(const char *name, int number);
void observe_value(const char *name, long value, const char *names);
/* One that nothing is claimed about, and that may be another one the next time. */
void observe_note(const char *name, long value);
void observe_text(const char *name, const char *text);

/* What Check itself counted. */
void verdict_counted(int ran, int failed);

#endif
