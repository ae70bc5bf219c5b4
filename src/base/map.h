/* base/map.h: string -> pointer, insertion order kept for walking. One thread at a time. Keys are copied. */
#ifndef BX_BASE_MAP_H
#define BX_BASE_MAP_H

#include "base/base.h"

struct bx_map;

struct bx_map *bx_map_new(void (*free_value)(void *value)); /* free_value may be NULL: values are borrowed */
void bx_map_free(struct bx_map *m);
void *bx_map_get(const struct bx_map *m, struct bx_str key);       /* NULL when absent */
void bx_map_put(struct bx_map *m, struct bx_str key, void *take_value); /* an old value is freed; value must not be NULL */
bool bx_map_remove(struct bx_map *m, struct bx_str key);
size_t bx_map_count(const struct bx_map *m);
/* for (size_t at = 0; bx_map_next(m, &at, &key, &value);) — the map must not change meanwhile */
bool bx_map_next(const struct bx_map *m, size_t *at, struct bx_str *ret_key, void **ret_value);
BX_DEFINE_AUTO(struct bx_map, bx_map_free)

#endif
