/* base/fold.h: finding text whatever the case of its letters. Any thread.
 *
 * Case is folded by Unicode's simple rules, of which those are left out where the two forms have different numbers of bytes in
 * UTF-8 ("ẞ", "K" for kelvin): a place that is found has as many bytes as what was looked for. Nothing else is folded: "e" is
 * not "é", and a letter with its accent behind it is not the letter that has it. What is no UTF-8 is compared byte by byte. */
#ifndef BX_BASE_FOLD_H
#define BX_BASE_FOLD_H

#include "base/base.h"

uint32_t bx_fold_char(uint32_t c);

/* A text that is looked for, made ready once for many places to look at. */
struct bx_needle {
    struct bx_str text; /* a view, the caller's */
    bool is_ascii;
    size_t anchor;      /* of its bytes, the one that is looked for first */
    unsigned char forms[4]; /* that byte in each case */
    size_t form_count;
};
void bx_needle_init(struct bx_needle *n, struct bx_str text);
/* The first place in text that has it, or SIZE_MAX; an empty one is found at 0. */
size_t bx_needle_find(const struct bx_needle *n, struct bx_str text);
size_t bx_find_folded(struct bx_str text, struct bx_str needle);

#endif
