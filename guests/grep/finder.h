#ifndef BX_GUEST_FINDER_H
#define BX_GUEST_FINDER_H

#include <stdbool.h>
#include <stddef.h>

#include "lanes.h"

enum { BX_NEEDLES_MAX = 64 };

struct bx_needle {
    const char *text;
    size_t len;
};

/*
 * Finding the first of one or several texts, sixteen bytes at a time: one by its two rarest bytes, several by the nibbles of
 * their first two or three bytes, in eight groups. Only places where those fit are compared.
 */
struct bx_finder {
    struct bx_needle needles[BX_NEEDLES_MAX];
    size_t n;
    bool is_caseless; /* of ASCII letters; the needles are in lower case then */
    /* one */
    size_t first, second; /* offsets of the bytes that are looked for */
    bx_lanes bytes[2], cases[2];
    /* several */
    size_t n_columns; /* first bytes that are looked at */
    size_t shortest;
    bx_lanes low[3], high[3];
    unsigned char groups[8][BX_NEEDLES_MAX]; /* indices of the needles of a group */
    size_t group_sizes[8];
};

/* The texts are borrowed, none is empty, and of several each has two bytes at least. */
void bx_finder_init(struct bx_finder *f, const struct bx_needle *needles, size_t n, bool is_caseless);

/* The first place in [at, end), or NULL; *ret_len is the length of what was found. */
const char *bx_finder_find(const struct bx_finder *f, const char *at, const char *end, size_t *ret_len);

/* How rare a byte is in source text, 0 (common) to 255. */
unsigned char bx_finder_rarity(unsigned char c);

#endif
