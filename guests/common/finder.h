#ifndef BX_GUEST_FINDER_H
#define BX_GUEST_FINDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/lanes.h"

enum { BX_NEEDLES_MAX = 8 };

struct bx_needle {
    const char *text;
    size_t len;
};

/*
 * Finding the first of one or several texts, sixteen bytes at a time, each by its bytes at two places that are rare: only where
 * both fit is it compared. (A table look-up of bytes would do for more texts; the baseline CPU has none.)
 */
struct bx_finder {
    struct bx_needle needles[BX_NEEDLES_MAX];
    size_t n;
    size_t longest;
    bool is_caseless;         /* of ASCII letters; the needles are in lower case then */
    size_t offsets[2];        /* the two places, the same in all */
    struct bx_finder_bytes {
        bx_lanes bytes, cases; /* what is there, and the bit that makes a letter lower case */
    } at[BX_NEEDLES_MAX][2];
};

/* The texts are borrowed and none is empty. */
void bx_finder_init(struct bx_finder *f, const struct bx_needle *needles, size_t n, bool is_caseless);

/* The first place in [at, end), or NULL; *ret_len is the length of what was found. */
const char *bx_finder_find(const struct bx_finder *f, const char *at, const char *end, size_t *ret_len);

/* How rare a byte is in source text, 0 (common) to 255. */
unsigned char bx_finder_rarity(unsigned char c);

#endif
