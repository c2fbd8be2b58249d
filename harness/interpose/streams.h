#ifndef SOCKSPEC_INTERPOSE_STREAMS_H
#define SOCKSPEC_INTERPOSE_STREAMS_H

/* The C library reads and writes its streams by calls of its own, which cannot be interposed. So
 * the standard streams are made anew, over calls that can, and so is what fdopen makes. */
void streams_begin(void);

#endif
