#include "base/base.h"

void bx_buf_init(struct bx_buf *b, size_t max) {
    *b = BX_BUF_INIT(max);
}

void bx_buf_deinit(struct bx_buf *b) {
    bx_free(b->p);
    *b = BX_BUF_INIT(b->max);
}

void bx_buf_reset(struct bx_buf *b) {
    b->size = 0;
    b->failed = false;
    if (b->p) {
        b->p[0] = '\0';
    }
}

char *bx_buf_space(struct bx_buf *b, size_t n) {
    if (b->failed || n > b->max - b->size) { /* size never exceeds max */
        b->failed = true;
        return NULL;
    }
    size_t need = b->size + n + 1;
    if (need > b->cap) {
        size_t cap = BX_MAX(b->cap * 2, (size_t)64);
        cap = BX_MAX(cap, need);
        if (cap > b->max) {
            cap = BX_MAX(b->max + 1, need);
        }
        b->p = bx_realloc(b->p, cap);
        b->cap = cap;
    }
    return b->p + b->size;
}

void bx_buf_grew(struct bx_buf *b, size_t n) {
    assert(b->size + n < b->cap);
    b->size += n;
    b->p[b->size] = '\0';
}

int bx_buf_add(struct bx_buf *b, const void *p, size_t n) {
    char *to = bx_buf_space(b, n);
    if (!to) {
        return BX_ERR_LIMIT;
    }
    if (n) {
        memcpy(to, p, n);
    }
    bx_buf_grew(b, n);
    return 0;
}

int bx_buf_addz(struct bx_buf *b, const char *z) {
    return bx_buf_add(b, z, strlen(z));
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
    va_list again;
    va_copy(again, ap);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    assert(n >= 0);
    int r = 0;
    if ((size_t)n < sizeof small) {
        r = bx_buf_add(b, small, (size_t)n);
    } else {
        char *to = bx_buf_space(b, (size_t)n);
        if (to) {
            vsnprintf(to, (size_t)n + 1, fmt, again);
            bx_buf_grew(b, (size_t)n);
        } else {
            r = BX_ERR_LIMIT;
        }
    }
    va_end(again);
    return r;
}

void bx_buf_cut(struct bx_buf *b, size_t size) {
    assert(size <= b->size);
    b->size = size;
    if (b->p) {
        b->p[size] = '\0';
    }
}

void bx_buf_consume(struct bx_buf *b, size_t n) {
    assert(n <= b->size);
    if (n) {
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
