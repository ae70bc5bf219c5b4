#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((weak)) void bx_die(const char *message) {
    printf("{\"content\":\"%s\",\"is_error\":true,\"metadata\":{}}\n", message);
    fflush(stdout);
    _Exit(0);
}

void *bx_alloc(size_t n_bytes) {
    return bx_realloc(NULL, n_bytes);
}

void *bx_realloc(void *take_old, size_t n_bytes) {
    void *fresh = realloc(take_old, n_bytes ? n_bytes : 1);
    if (!fresh) {
        bx_die("The tool ran out of memory. Ask for less at once, or raise wasm_max_memory_size.");
    }
    return fresh;
}

char *bx_strndup(const char *text, size_t len) {
    char *copy = bx_alloc(len + 1);
    if (len) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

void bx_buf_reserve(struct bx_buf *buf, size_t n) {
    if (buf->cap - buf->len > n) {
        return;
    }
    size_t cap = buf->cap + buf->cap / 2;
    if (cap < buf->len + n + 1) {
        cap = buf->len + n + 1;
    }
    if (cap < 256) {
        cap = 256;
    }
    buf->data = bx_realloc(buf->data, cap);
    buf->cap = cap;
}

void bx_buf_add(struct bx_buf *buf, const void *bytes, size_t n) {
    bx_buf_reserve(buf, n);
    if (n) {
        memcpy(buf->data + buf->len, bytes, n);
    }
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void bx_buf_add_str(struct bx_buf *buf, const char *text) {
    bx_buf_add(buf, text, strlen(text));
}

void bx_buf_add_char(struct bx_buf *buf, char c) {
    bx_buf_reserve(buf, 1);
    buf->data[buf->len++] = c;
    buf->data[buf->len] = '\0';
}

void bx_buf_add_fmt(struct bx_buf *buf, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (need > 0) {
        bx_buf_reserve(buf, (size_t)need);
        vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, again);
        buf->len += (size_t)need;
    }
    va_end(again);
}

void bx_buf_reset(struct bx_buf *buf) {
    buf->len = 0;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

void bx_buf_deinit(struct bx_buf *buf) {
    free(buf->data);
    *buf = (struct bx_buf){0};
}
