/* base/arena.h: many small things that die together (one request, one turn). One thread at a time. */
#ifndef BX_BASE_ARENA_H
#define BX_BASE_ARENA_H

#include "base/base.h"

struct bx_arena {
    struct bx_arena_block *head;
};

void bx_arena_init(struct bx_arena *a);
void bx_arena_deinit(struct bx_arena *a);
void *bx_arena_alloc(struct bx_arena *a, size_t size); /* zeroed, 16-byte aligned, lives until deinit */
char *bx_arena_str(struct bx_arena *a, struct bx_str s);  /* NUL ended copy */
char *bx_arena_printf(struct bx_arena *a, const char *fmt, ...) BX_PRINTF(2, 3);

#endif
