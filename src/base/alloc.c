#include "base/base.h"

static _Noreturn void out_of_memory(size_t size) {
    bx_die("out of memory (asked for %zu bytes)", size);
}

void *bx_alloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p) {
        out_of_memory(size);
    }
    return p;
}

void *bx_realloc(void *take_p, size_t size) {
    void *p = realloc(take_p, size ? size : 1);
    if (!p) {
        out_of_memory(size);
    }
    return p;
}

void *bx_realloc_array(void *take_p, size_t count, size_t item_size) {
    size_t size;
    if (__builtin_mul_overflow(count, item_size, &size)) {
        bx_die("an array of %zu items of %zu bytes is too large", count, item_size);
    }
    return bx_realloc(take_p, size);
}

void bx_free(void *take_p) {
    free(take_p);
}

char *bx_strdup(const char *s) {
    return s ? bx_memdup(s, strlen(s) + 1) : NULL;
}

char *bx_strndup(const char *s, size_t n) {
    if (!s) {
        return NULL;
    }
    size_t len = strnlen(s, n);
    char *copy = bx_alloc(len + 1);
    memcpy(copy, s, len);
    return copy;
}

void *bx_memdup(const void *p, size_t n) {
    void *copy = bx_alloc(n);
    if (n > 0) {
        memcpy(copy, p, n);
    }
    return copy;
}

char *bx_asprintf(const char *fmt, ...) {
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        bx_die("formatting a string failed");
    }
    return s;
}
