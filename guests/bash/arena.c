#include "bash/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 8192, SPARE_BYTES = 4096 };

struct sh_arena_chunk {
    struct sh_arena_chunk *before;
    size_t used, size;
    _Alignas(16) char bytes[];
};

static _Alignas(16) char spare[SPARE_BYTES]; // what is handed out after a failure

static void *fail(struct sh_arena *arena, size_t n_bytes) {
    arena->failed = true;
    if (n_bytes > sizeof spare) {
        return NULL; // who asks for so much looks at `failed` first
    }
    memset(spare, 0, sizeof spare);
    return spare;
}

void *sh_arena_alloc(struct sh_arena *arena, size_t n_bytes) {
    n_bytes = (n_bytes + 15) & ~(size_t)15;
    struct sh_arena_chunk *chunk = arena->last;
    if (!chunk || chunk->size - chunk->used < n_bytes) {
        size_t size = n_bytes > CHUNK_BYTES ? n_bytes : CHUNK_BYTES;
        if (arena->failed || (arena->max_bytes && arena->size_bytes + size > arena->max_bytes)) {
            return fail(arena, n_bytes);
        }
        chunk = malloc(sizeof *chunk + size);
        if (!chunk) {
            return fail(arena, n_bytes);
        }
        *chunk = (struct sh_arena_chunk){.before = arena->last, .size = size};
        arena->size_bytes += size;
        arena->last = chunk;
    }
    void *p = chunk->bytes + chunk->used;
    chunk->used += n_bytes;
    memset(p, 0, n_bytes);
    return p;
}

char *sh_arena_copy(struct sh_arena *arena, const char *text, size_t len) {
    if (arena->failed) {
        return "";
    }
    char *copy = sh_arena_alloc(arena, len + 1);
    if (arena->failed) {
        return "";
    }
    if (len) {
        memcpy(copy, text, len);
    }
    return copy;
}

struct sh_arena_mark sh_arena_mark(const struct sh_arena *arena) {
    return (struct sh_arena_mark){arena->last, arena->last ? arena->last->used : 0};
}

void sh_arena_rewind(struct sh_arena *arena, struct sh_arena_mark mark) {
    while (arena->last && arena->last != mark.chunk) {
        struct sh_arena_chunk *chunk = arena->last;
        arena->last = chunk->before;
        arena->size_bytes -= chunk->size;
        free(chunk);
    }
    if (arena->last) {
        arena->last->used = mark.used;
    }
}

void sh_arena_deinit(struct sh_arena *arena) {
    sh_arena_rewind(arena, (struct sh_arena_mark){NULL, 0});
    *arena = (struct sh_arena){.max_bytes = arena->max_bytes};
}

void sh_text_add(struct sh_text *text, const char *bytes, size_t n) {
    if (text->arena->failed) {
        return;
    }
    if (text->cap - text->len <= n) {
        size_t cap = text->cap * 2 > text->len + n + 1 ? text->cap * 2 : text->len + n + 32;
        char *grown = sh_arena_alloc(text->arena, cap);
        if (text->arena->failed) {
            return;
        }
        if (text->len) {
            memcpy(grown, text->data, text->len);
        }
        text->data = grown;
        text->cap = cap;
    }
    if (n) {
        memcpy(text->data + text->len, bytes, n);
    }
    text->len += n;
    text->data[text->len] = '\0';
}

void sh_text_char(struct sh_text *text, char c) {
    sh_text_add(text, &c, 1);
}
