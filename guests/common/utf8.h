#ifndef BX_GUEST_UTF8_H
#define BX_GUEST_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* UTF-8, strictly: no overlong forms, no halves of surrogate pairs, nothing above U+10FFFF. */

/* Bytes of the character at text, 0 when it is not one (or is cut by len). */
size_t bx_utf8_length(const char *text, size_t len);
bool bx_utf8_valid(const char *text, size_t len);

/* Write one character (1 to 4 bytes) and return how many. */
size_t bx_utf8_encode(char *out, uint32_t c);

/* Read the valid character at text. */
uint32_t bx_utf8_decode(const char *text, size_t len, size_t *ret_len);

/* The largest length <= max that does not cut a character. */
size_t bx_utf8_cut(const char *text, size_t len, size_t max);

/* Append text as UTF-8: as it is when it is valid, else (false) read as Latin-1. NUL becomes U+2400. */
bool bx_utf8_add_text(struct bx_buf *out, const char *text, size_t len);

#endif
