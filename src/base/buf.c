#include "base/base.h"

void bx_buf_init(struct bx_buf *b, size_t max) {
    *b = BX_BUF_INIT(max);
}

void bx_buf_deinit(struct bx_buf *b) {
    bx_free(b->p);
    *b = BX_BUF_INIT(b->max);
}

void bx_buf_reset(struct bx_buf *b) {
    bx_buf_cut(b, 0);
}

/* Room for n more bytes and the NUL behind them. */
static int grow(struct bx_buf *b, size_t n) {
    size_t max = BX_MIN(b->max, SIZE_MAX / 4);
    if (b->failed || b->size > max || n > max - b->size) {
        b->failed = true;
        return BX_ERR_LIMIT;
    }
    size_t need = b->size + n + 1;
    if (need <= b->cap) {
        return 0;
    }
    size_t cap = BX_MAX(b->cap * 2, (size_t)64);
    cap = BX_MAX(BX_MIN(cap, max + 1), need);
    b->p = bx_realloc(b->p, cap);
    b->cap = cap;
    b->p[b->size] = '\0';
    return 0;
}

int bx_buf_add(struct bx_buf *b, const void *p, size_t n) {
    int r = grow(b, n);
    if (r < 0) {
        return r;
    }
    if (n > 0) {
        memcpy(b->p + b->size, p, n);
    }
    bx_buf_grew(b, n);
    return 0;
}

int bx_buf_addz(struct bx_buf *b, const char *z) {
    return bx_buf_add(b, z, z ? strlen(z) : 0);
}

int bx_buf_adds(struct bx_buf *b, struct bx_str s) {
    return bx_buf_add(b, s.p, s.n);
}

int bx_buf_addc(struct bx_buf *b, char c) {
    return bx_buf_add(b, &c, 1);
}

int bx_buf_addf(struct bx_buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int r = bx_buf_vaddf(b, fmt, ap);
    va_end(ap);
    return r;
}

int bx_buf_vaddf(struct bx_buf *b, const char *fmt, va_list ap) {
    va_list measure;
    va_copy(measure, ap);
    int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    if (n < 0) {
        bx_die("formatting a string failed");
    }
    int r = grow(b, (size_t)n);
    if (r < 0) {
        return r;
    }
    vsnprintf(b->p + b->size, (size_t)n + 1, fmt, ap);
    b->size += (size_t)n;
    return 0;
}

char *bx_buf_space(struct bx_buf *b, size_t n) {
    return grow(b, n) < 0 ? NULL : b->p + b->size;
}

void bx_buf_grew(struct bx_buf *b, size_t n) {
    assert(b->p && n < b->cap - b->size);
    b->size += n;
    b->p[b->size] = '\0';
}

void bx_buf_cut(struct bx_buf *b, size_t size) {
    assert(size <= b->size);
    b->size = size;
    b->failed = false;
    if (b->p) {
        b->p[size] = '\0';
    }
}

void bx_buf_consume(struct bx_buf *b, size_t n) {
    assert(n <= b->size);
    if (n > 0) {
        memmove(b->p, b->p + n, b->size - n + 1);
        b->size -= n;
    }
}

char *bx_buf_steal(struct bx_buf *b) {
    char *p = b->p ? b->p : bx_strdup("");
    *b = BX_BUF_INIT(b->max);
    return p;
}

const char *bx_buf_z(const struct bx_buf *b) {
    return b->p ? b->p : "";
}
