// What replaces parts of the C library in the box: there the library's malloc takes a page of 64
// KiB for each size it is asked for, each by a system call of the host, and its realloc and memchr
// go byte by byte.
#ifndef BX_GUEST_NATIVE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

// Blocks are cut off one region that grows at its end. A block that is given back waits in the list
// of its size, or is joined to the end of the region when it lies there, so that a buffer which
// grows stays where it is.

enum {
    ALIGN = 16,
    PAGE_BYTES = 65536,
    N_SIZES = 132,
    MAX_BYTES = 0x7fff0000,
    MAX_EXTRA_PAGES = 64
};

struct block { // right before the caller's bytes
    size_t size;
    struct block *next; // while it waits
    char pad[ALIGN - sizeof(size_t) - sizeof(struct block *)];
};
_Static_assert(sizeof(struct block) == ALIGN, "the caller's bytes are aligned");

extern char __heap_base;
static uintptr_t top, end; // of the region: the next block, the end of the memory
static struct block *waiting[N_SIZES];

// Up to a size that has a list: steps of 16, from 128 on four steps for each doubling.
static size_t round_up(size_t n, size_t *ret_list) {
    n = n < ALIGN ? ALIGN : (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (n <= 128) {
        *ret_list = n / ALIGN;
        return n;
    }
    unsigned shift = 29U - (unsigned)__builtin_clz((unsigned)n); // of two bits below the highest
    size_t step = (size_t)1 << shift;
    n = (n + step - 1) & ~(step - 1);
    unsigned high = 31U - (unsigned)__builtin_clz((unsigned)n);
    *ret_list = 4 * (size_t)high + ((n >> (high - 2)) & 3);
    return n;
}

// Make `until` part of the memory; more than that when there is room, for growing is dear.
static bool grow(uintptr_t until) {
    size_t pages = (until - end + PAGE_BYTES - 1) / PAGE_BYTES, have = end / PAGE_BYTES;
    size_t extra = have / 4 < MAX_EXTRA_PAGES ? have / 4 : MAX_EXTRA_PAGES;
    if (__builtin_wasm_memory_grow(0, pages + extra) == (size_t)-1 &&
        __builtin_wasm_memory_grow(0, pages) == (size_t)-1) {
        return false;
    }
    end = __builtin_wasm_memory_size(0) * PAGE_BYTES;
    return true;
}

static bool has_room(uintptr_t until) {
    if (!end) {
        top = ((uintptr_t)&__heap_base + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
        end = __builtin_wasm_memory_size(0) * PAGE_BYTES;
    }
    return until <= end || grow(until);
}

static struct block *block_of(void *p) {
    return (struct block *)((char *)p - sizeof(struct block));
}

static uintptr_t end_of(const struct block *block) {
    return (uintptr_t)(block + 1) + block->size;
}

static void *cut(size_t size, size_t align) {
    if (!has_room(0)) {
        return NULL;
    }
    uintptr_t at = (top + sizeof(struct block) + align - 1) & ~(uintptr_t)(align - 1);
    if (at > MAX_BYTES || !has_room(at + size)) {
        errno = ENOMEM;
        return NULL;
    }
    block_of((void *)at)->size = size;
    top = at + size;
    return (void *)at;
}

void *malloc(size_t n) {
    size_t list;
    if (n > MAX_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    size_t size = round_up(n, &list);
    struct block *block = waiting[list];
    if (block) {
        waiting[list] = block->next;
        return block + 1;
    }
    return cut(size, ALIGN);
}

void free(void *p) {
    size_t list;
    if (!p) {
        return;
    }
    struct block *block = block_of(p);
    if (end_of(block) == top) {
        top = (uintptr_t)block;
        return;
    }
    round_up(block->size, &list);
    block->next = waiting[list];
    waiting[list] = block;
}

void *calloc(size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

void *realloc(void *p, size_t n) {
    size_t list;
    if (!p || n > MAX_BYTES) {
        return malloc(n);
    }
    struct block *block = block_of(p);
    if (n <= block->size) {
        return p;
    }
    size_t size = round_up(n, &list);
    if (end_of(block) == top && (uintptr_t)p + size <= MAX_BYTES && has_room((uintptr_t)p + size)) {
        block->size = size;
        top = end_of(block);
        return p;
    }
    void *fresh = malloc(n);
    if (fresh) {
        memcpy(fresh, p, block->size);
        free(p);
    }
    return fresh;
}

void *aligned_alloc(size_t align, size_t n) {
    size_t list;
    if (align <= ALIGN || n > MAX_BYTES) {
        return malloc(n);
    }
    return cut(round_up(n, &list), align);
}

size_t malloc_usable_size(void *p);
size_t malloc_usable_size(void *p) {
    return p ? block_of(p)->size : 0;
}

int posix_memalign(void **ret, size_t align, size_t n) {
    void *p = aligned_alloc(align, n);
    *ret = p ? p : *ret;
    return p ? 0 : ENOMEM;
}

void *memchr(const void *bytes, int c, size_t n) {
    const unsigned char *at = bytes, wanted = (unsigned char)c;
    const v128_t sixteen = wasm_u8x16_splat(wanted);
    for (; n >= 16; at += 16, n -= 16) {
        unsigned found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), sixteen));
        if (found) {
            return (void *)(uintptr_t)(at + __builtin_ctz(found));
        }
    }
    for (; n; at++, n--) {
        if (*at == wanted) {
            return (void *)(uintptr_t)at;
        }
    }
    return NULL;
}

// Where the component around this module gets its memory; without it every piece is a new page.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t n);
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t n) {
    (void)old_size;
    void *p = old ? realloc(old, n) : aligned_alloc(align, n);
    if (!p) {
        __builtin_trap();
    }
    return p;
}
#endif
