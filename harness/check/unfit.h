#ifndef SOCKSPEC_UNFIT_H
#define SOCKSPEC_UNFIT_H

#include "address.h"
#include "kind.h"

/* What a call has to refuse, for set-up. All that give an int give -1 with errno where they
 * fail. */

/* --- descriptors, of the sets bad_descriptors and no_sockets --- */
int bad_descriptor(const struct kind *kind); /* where there is none the item is *broken* */
int no_socket(const struct kind *kind);

/* --- addresses --- */
/* A length that an address of that version of IP does not have: a byte less than it takes. */
socklen_t too_short(const struct kind *kind);

/* --- memory --- */
/* A page that is not there for this process; and one of zeros that can be read alone. Where there
 * is no memory for it the item is *broken*. */
void *unreadable(void);
void *unwritable(void);

/* --- paths, of the set bad_paths --- */
/* A UNIX address that leads nowhere, by the errno in `other`: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG,
 * EACCES. What it makes stands in the item's folder and goes when the process ends. EACCES needs
 * lose_privileges(). */
int bad_path(const struct kind *kind, struct address *address);

/* --- the process --- */
/* From now on so many descriptors more can be opened, if no gaps are among those that are open. */
int leave_descriptors(int count);
/* Gives up all that root may do. */
int lose_privileges(void);

#endif
