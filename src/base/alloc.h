/* base/alloc.h: memory that is there or the process is not.
 *
 * Any thread. Running out of memory aborts with a message. That is sound only because every size that comes from
 * outside is checked against a limit before it reaches an allocation; keep it so. */
#ifndef BX_BASE_ALLOC_H
#define BX_BASE_ALLOC_H

#include <stddef.h>

void *bx_alloc(size_t size);                     /* zeroed; size 0 gives a unique pointer */
void *bx_realloc(void *take_p, size_t size);     /* new bytes are not zeroed */
void *bx_realloc_array(void *take_p, size_t count, size_t item_size); /* aborts when the product overflows */
void bx_free(void *take_p);                      /* NULL is fine */
char *bx_strdup(const char *s);                  /* NULL gives NULL */
char *bx_strndup(const char *s, size_t n);
void *bx_memdup(const void *p, size_t n);
char *bx_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void bx_freep(void *pp) { /* for bx_auto(bx_freep) char *s = …; */
    bx_free(*(void **)pp);
}
#define bx_new(type) ((type *)bx_alloc(sizeof(type)))

#endif
