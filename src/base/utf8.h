/* base/utf8.h: UTF-8 by RFC 3629 (no surrogates, no overlong forms, at most U+10FFFF). Any thread. */
#ifndef BX_BASE_UTF8_H
#define BX_BASE_UTF8_H

#include "base/base.h"

bool bx_utf8_valid(struct bx_str s);
/* Length of the longest valid prefix; an incomplete last character is not part of it. */
size_t bx_utf8_valid_prefix(struct bx_str s);
/* Bytes of the last, incomplete character at the end (0..3): what a stream must keep for its next piece. */
size_t bx_utf8_incomplete_tail(struct bx_str s);
/* Largest n' <= n that does not split a character. */
size_t bx_utf8_cut(struct bx_str s, size_t n);
/* Adds s with every invalid byte replaced by U+FFFD. */
int bx_utf8_add_clean(struct bx_buf *b, struct bx_str s);
int bx_utf8_add_char(struct bx_buf *b, uint32_t c);

#endif
