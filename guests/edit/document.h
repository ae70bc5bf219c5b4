#ifndef BX_GUEST_DOCUMENT_H
#define BX_GUEST_DOCUMENT_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/text.h"

struct bx_answer;

/*
 * A text file while it is edited: its content as UTF-8, and what it takes to write it back the way
 * it was. What no edit touches comes back byte for byte.
 */
struct bx_document {
    struct bx_buf text;
    enum bx_encoding encoding;
    bool is_crlf; /* most lines end with CR LF */
};

/* Decode the bytes of a file (taken). False after an answer: binary, or damaged UTF-16. */
bool bx_document_open(struct bx_document *doc, const char *path, struct bx_buf *take_bytes,
                      struct bx_answer *answer);

/* Append the bytes of the file. False after an answer: a character that Latin-1 does not have. */
bool bx_document_encode(const struct bx_document *doc, const char *path, struct bx_buf *out,
                        struct bx_answer *answer);

#endif
