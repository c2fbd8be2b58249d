#ifndef SOCKSPEC_APART_H
#define SOCKSPEC_APART_H

/* What the harness's labs do for an item, for those who run a program by hand: what an item leaves
 * behind, a connection in TIME_WAIT or a folder, does not reach the next. */

/* Before the first item. Says on standard error if items share the machine's network. */
void apart_begin(void);

/* In the item's process: it has a network of its own from here on, where that is allowed. */
void apart_item(void);

/* After the last: removes what items left, those that crashed too. */
void apart_end(void);

#endif
