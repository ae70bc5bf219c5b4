#ifndef BX_GUEST_TEXT_H
#define BX_GUEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* How the bytes of a file are text, or that they are not. */
enum bx_encoding {
    BX_ENCODING_UTF8,
    BX_ENCODING_UTF8_BOM,
    BX_ENCODING_UTF16LE, /* with its BOM */
    BX_ENCODING_UTF16BE, /* with its BOM */
    BX_ENCODING_LATIN1,  /* neither UTF-8 nor binary; every file can be read this way */
    BX_ENCODING_BINARY,  /* has a NUL near its start */
};

/* Judge by the first bytes of a file (some KiB; a character cut at their end is forgiven). */
enum bx_encoding bx_text_encoding(const char *start, size_t n);

/* The same, but for what is neither: UTF-8 and Latin-1 are not told apart (UTF8), which takes a closer look. */
enum bx_encoding bx_text_family(const char *start, size_t n);

/* "utf-8", "utf-8-bom", … */
const char *bx_text_encoding_name(enum bx_encoding encoding);

/* Bytes of the byte order mark. */
size_t bx_text_bom_size(enum bx_encoding encoding);

/* What kind of file the first bytes say it is: name for people, MIME type when it is an image that can be shown. */
struct bx_kind {
    const char *name;
    const char *image_mime;
    const char *hint;   /* what can be done with it: a sentence, or NULL */
    bool is_never_text; /* even where it looks like text at its start */
};
struct bx_kind bx_text_kind(const char *start, size_t n);

/* UTF-16 into UTF-8, in pieces of any size. Zero-initialised but for is_big. */
struct bx_utf16 {
    bool is_big;
    bool has_byte;
    bool is_lossy; /* out: half a pair stood alone and became U+FFFD */
    unsigned char byte;
    uint32_t high;
};
void bx_utf16_decode(struct bx_utf16 *state, const char *bytes, size_t n, struct bx_buf *out);
void bx_utf16_encode(const char *utf8, size_t n, bool is_big, struct bx_buf *out);

/* Latin-1. Encoding is false when a character does not fit (out is then useless). */
void bx_latin1_decode(const char *bytes, size_t n, struct bx_buf *out);
bool bx_latin1_encode(const char *utf8, size_t n, struct bx_buf *out);

void bx_base64_encode(const char *bytes, size_t n, struct bx_buf *out);

size_t bx_text_count(const char *text, size_t n, char c);

/* "12 bytes", "3.4 KB", "1.2 GB" into a buffer of 32. Returns it. */
const char *bx_text_size(unsigned long long n_bytes, char *out);

#endif
