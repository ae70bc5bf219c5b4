#ifndef BX_GUEST_DIFF_H
#define BX_GUEST_DIFF_H

#include <stddef.h>

#include "common/buf.h"

/*
 * A unified diff of two texts (hunks with three lines around them, without file names), for the
 * page. Bounded: texts that differ too much are shown as one replacement, and out ends after about
 * 32 KiB with a line that says so.
 */
struct bx_diff_size {
    size_t added, removed; /* lines, of the whole difference */
};
struct bx_diff_size bx_diff_put(struct bx_buf *out, const char *before, size_t before_len, const char *after,
                 size_t after_len);

#endif
