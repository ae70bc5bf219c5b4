#ifndef BX_GUEST_LITERALS_H
#define BX_GUEST_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/finder.h"
#include "common/regex.h"

/*
 * Texts one of which every match holds. n = 0: none that would help. Caseless: in lower case. is_all: they are all that the
 * pattern can match, so that finding one is a match.
 */
struct bx_literals {
    struct bx_needle needles[BX_NEEDLES_MAX];
    size_t n;
    bool is_all;
};
void bx_literals_find(const struct bx_regex *regex, struct bx_literals *ret);

#endif
