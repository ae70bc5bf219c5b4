#ifndef SH_ARENA_H
#define SH_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that is given back all at once, or back to a mark. Zero is an empty arena without a limit.
 *
 * The parser takes everything from one, so that it can also run in the server (src/permit), where what it parses comes
 * from a model: there `max` bounds it. When the memory or the limit is exhausted, `failed` is set and a spare block is
 * handed out, over and over: callers look at `failed` now and then instead of at every pointer.
 */
struct sh_arena {
    struct sh_arena_chunk *last;
    size_t size_bytes, max_bytes; /* 0: no limit */
    bool failed;
};
struct sh_arena_mark {
    struct sh_arena_chunk *chunk;
    size_t used;
};

void *sh_arena_alloc(struct sh_arena *arena, size_t n_bytes); /* zeroed */
char *sh_arena_copy(struct sh_arena *arena, const char *text, size_t len); /* with a NUL */
struct sh_arena_mark sh_arena_mark(const struct sh_arena *arena);
void sh_arena_rewind(struct sh_arena *arena, struct sh_arena_mark mark);
void sh_arena_deinit(struct sh_arena *arena);

/* A text that grows in an arena. data is NUL-ended whenever it is not NULL. */
struct sh_text {
    struct sh_arena *arena;
    char *data;
    size_t len, cap;
};
void sh_text_add(struct sh_text *text, const char *bytes, size_t n);
void sh_text_char(struct sh_text *text, char c);

#endif
