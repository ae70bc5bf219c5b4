/* base/buf.h: bytes that grow, born with a maximum.
 *
 * Any thread, one at a time. Always NUL ended behind size (size does not count it). Every add checks the maximum:
 * beyond it the add does nothing and returns BX_ERR_LIMIT, so unbounded input is an error, not memory. A failed
 * buffer remembers it (bx_buf_failed) and refuses every further add until reset, cut, deinit or steal, so a long row of
 * adds may be checked once at its end and never leaves a hole in the middle. What is added must not lie in b itself. */
#ifndef BX_BASE_BUF_H
#define BX_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct bx_buf {
    char *p; /* never NULL after the first add; use bx_buf_z for a C string */
    size_t size;
    size_t cap;
    size_t max;
    bool failed;
};

#define BX_BUF_INIT(max_) ((struct bx_buf){.max = (max_)})

void bx_buf_init(struct bx_buf *b, size_t max);
void bx_buf_deinit(struct bx_buf *b);      /* frees; the buffer may be used again with its maximum */
void bx_buf_reset(struct bx_buf *b);       /* size 0, memory kept */
int bx_buf_add(struct bx_buf *b, const void *p, size_t n);
int bx_buf_addz(struct bx_buf *b, const char *z);
int bx_buf_adds(struct bx_buf *b, struct bx_str s);
int bx_buf_addc(struct bx_buf *b, char c);
int bx_buf_addf(struct bx_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int bx_buf_vaddf(struct bx_buf *b, const char *fmt, va_list ap);
/* Room for n more bytes, or NULL beyond the maximum; the bytes count after bx_buf_grew(b, k), k <= n. */
char *bx_buf_space(struct bx_buf *b, size_t n);
void bx_buf_grew(struct bx_buf *b, size_t n);
void bx_buf_cut(struct bx_buf *b, size_t size);            /* shortens to size */
void bx_buf_consume(struct bx_buf *b, size_t n);           /* drops n bytes at the front */
char *bx_buf_steal(struct bx_buf *b);                      /* NUL ended, the caller's; b is empty after */
const char *bx_buf_z(const struct bx_buf *b);              /* "" when empty; a view */
static inline bool bx_buf_failed(const struct bx_buf *b) {
    return b->failed;
}
static inline struct bx_str bx_buf_str(const struct bx_buf *b) {
    return (struct bx_str){b->p, b->size};
}

#endif
