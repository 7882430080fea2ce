/* What a kernel prints, on its way to the log. */
#ifndef P4V_TEXT_H
#define P4V_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define P4V_TEXT_ONE 65536u             /* the most that one call of printf can print */
#define P4V_TEXT_FULL P4V_TEXT_ONE      /* from here on the kernel waits until the text was fetched */
#define P4V_TEXT_NOTE 64u               /* room to say that a text was cut */
#define P4V_TEXT_PIECE 1024u            /* of one LOG event */

typedef struct {
    uint32_t start, end;
    char bytes[P4V_TEXT_FULL + P4V_TEXT_ONE + P4V_TEXT_NOTE];
} p4v_text;

static inline bool p4v_text_full(const p4v_text *t) { return t->end >= P4V_TEXT_FULL; }

#endif
