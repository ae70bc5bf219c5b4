#ifndef BX_GUEST_DECODE_H
#define BX_GUEST_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* From the bytes that came to text. */

enum bx_decoded {
    BX_DECODED,
    BX_DECODED_CUT,     /* more than max_bytes: what is there is the beginning */
    BX_DECODED_DAMAGED, /* what is there came before the damage */
    BX_DECODED_UNKNOWN, /* nothing is there: another compression */
};

/* Undo "Content-Encoding: gzip, br" (NULL or "": nothing to undo). *io is replaced. At most max_bytes at each step, so a
 * small answer cannot become a large one. */
enum bx_decoded bx_decode_content(const char *encodings, size_t max_bytes, struct bx_buf *io);

/* Make UTF-8 of text in the encoding that its BOM, else the label (of the Content-Type header; may be NULL), else for HTML a
 * <meta> names; else UTF-8 if it is that, else windows-1252. *io is replaced; the name of the encoding is returned. */
const char *bx_decode_text(const char *label, bool is_html, struct bx_buf *io);

#endif
