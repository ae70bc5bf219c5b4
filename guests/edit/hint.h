#ifndef BX_GUEST_HINT_H
#define BX_GUEST_HINT_H

#include <stddef.h>

#include "common/buf.h"

/*
 * Why a text was not found: appends a sentence or two that point at the place that was probably
 * meant, and at what is different there (white space, quotes, line numbers…), with that place's
 * lines.
 */
void bx_hint_put(struct bx_buf *out, const char *text, size_t len, const char *wanted,
                 size_t wanted_len);

#endif
