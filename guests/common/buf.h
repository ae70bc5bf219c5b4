#ifndef BX_GUEST_BUF_H
#define BX_GUEST_BUF_H

#include <stddef.h>

/*
 * A growing run of bytes. Zero is a valid empty buffer; data is NUL-ended whenever it is not NULL.
 *
 * A guest has one thread and ends after one answer, so out of memory is not an error to hand
 * around: bx_die() answers in plain words and ends the program.
 */
struct bx_buf {
    char *data;
    size_t len;
    size_t cap;
};

/* Make room for n more bytes and the NUL. */
void bx_buf_reserve(struct bx_buf *buf, size_t n);
void bx_buf_add(struct bx_buf *buf, const void *bytes, size_t n);
void bx_buf_add_str(struct bx_buf *buf, const char *text);
void bx_buf_add_char(struct bx_buf *buf, char c);
void bx_buf_add_fmt(struct bx_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bx_buf_reset(struct bx_buf *buf);
void bx_buf_deinit(struct bx_buf *buf);

/* malloc and realloc that never return NULL; the caller owns the result. */
void *bx_alloc(size_t n_bytes);
void *bx_realloc(void *take_old, size_t n_bytes);
char *bx_strndup(const char *text, size_t len);

/* Print an error answer and end the program. message is plain ASCII without quotes. */
void bx_die(const char *message) __attribute__((noreturn));

#endif
