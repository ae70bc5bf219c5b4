#include "base/arena.h"

#define BLOCK_SIZE ((size_t)8 * 1024)
#define ALIGNMENT  ((size_t)16)

struct bx_arena_block {
    struct bx_arena_block *next;
    size_t used, cap;
    _Alignas(16) char bytes[];
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

static struct bx_arena_block *block_new(size_t cap) {
    struct bx_arena_block *b = bx_alloc(sizeof *b + cap);
    b->cap = cap;
    return b;
}

void *bx_arena_alloc(struct bx_arena *a, size_t size) {
    if (size > SIZE_MAX / 2) {
        bx_die("an arena cannot hold %zu bytes", size);
    }
    size = (BX_MAX(size, (size_t)1) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct bx_arena_block *b = a->head;
    if (!b || b->cap - b->used < size) {
        b = block_new(BX_MAX(size, BLOCK_SIZE));
        /* A large piece goes behind the block in use, which may still have room for small ones. */
        if (size >= BLOCK_SIZE && a->head) {
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

char *bx_arena_str(struct bx_arena *a, struct bx_str s) {
    char *copy = bx_arena_alloc(a, s.n + 1);
    if (s.n > 0) {
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
    if (n < 0) {
        bx_die("formatting a string failed");
    }
    char *s = bx_arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}
