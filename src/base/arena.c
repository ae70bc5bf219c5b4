#include "base/arena.h"

struct bx_arena_block {
    struct bx_arena_block *next;
    size_t used, cap;
    _Alignas(16) char data[];
};

void bx_arena_init(struct bx_arena *a) {
    a->head = NULL;
}

void bx_arena_deinit(struct bx_arena *a) {
    while (a->head) {
        struct bx_arena_block *next = a->head->next;
        bx_free(a->head);
        a->head = next;
    }
}

void *bx_arena_alloc(struct bx_arena *a, size_t size) {
    size = (size + 15) & ~(size_t)15;
    struct bx_arena_block *b = a->head;
    if (!b || b->cap - b->used < size) {
        size_t cap = BX_MAX(size, (size_t)4096 - sizeof *b);
        b = bx_alloc(sizeof *b + cap);
        b->cap = cap;
        b->next = a->head;
        a->head = b;
    }
    void *p = b->data + b->used;
    b->used += size;
    return p;
}

char *bx_arena_str(struct bx_arena *a, struct bx_str s) {
    char *copy = bx_arena_alloc(a, s.n + 1);
    if (s.n) {
        memcpy(copy, s.p, s.n);
    }
    return copy;
}

char *bx_arena_printf(struct bx_arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *s = bx_arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}
