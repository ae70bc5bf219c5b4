#include "base/map.h"

/* Entries stand in insertion order; the table holds their index + 1, linear probing, at most half full. A removed entry
 * keeps its place (key NULL) until the next rebuild. */
struct entry {
    char *key; /* NULL = removed */
    size_t key_n;
    uint64_t hash;
    void *value;
};
struct bx_map {
    void (*free_value)(void *value);
    struct entry *entries;
    size_t used, cap, live;
    uint32_t *table;
    size_t table_size; /* power of two */
};

struct bx_map *bx_map_new(void (*free_value)(void *value)) {
    struct bx_map *m = bx_new(struct bx_map);
    m->free_value = free_value;
    return m;
}

void bx_map_free(struct bx_map *m) {
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key && m->free_value) {
            m->free_value(m->entries[i].value);
        }
        bx_free(m->entries[i].key);
    }
    bx_free(m->entries);
    bx_free(m->table);
    bx_free(m);
}

static struct entry *find(const struct bx_map *m, struct bx_str key, uint64_t hash) {
    if (m->table_size == 0) {
        return NULL;
    }
    for (size_t at = hash & (m->table_size - 1); m->table[at]; at = (at + 1) & (m->table_size - 1)) {
        struct entry *e = &m->entries[m->table[at] - 1];
        if (e->key && e->hash == hash && bx_str_eq(bx_str_n(e->key, e->key_n), key)) {
            return e;
        }
    }
    return NULL;
}

static void index_entry(struct bx_map *m, size_t i) {
    size_t at = m->entries[i].hash & (m->table_size - 1);
    while (m->table[at]) {
        at = (at + 1) & (m->table_size - 1);
    }
    m->table[at] = (uint32_t)(i + 1);
}

/* Room for one more: drops removed entries, doubles when full. */
static void rebuild(struct bx_map *m) {
    size_t n = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key) {
            m->entries[n++] = m->entries[i];
        }
    }
    m->used = n;
    if (n * 2 >= m->cap) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->entries = bx_realloc_array(m->entries, m->cap, sizeof *m->entries);
    }
    m->table_size = m->cap * 2;
    bx_free(m->table);
    m->table = bx_alloc(m->table_size * sizeof *m->table);
    for (size_t i = 0; i < m->used; i++) {
        index_entry(m, i);
    }
}

void *bx_map_get(const struct bx_map *m, struct bx_str key) {
    struct entry *e = find(m, key, bx_str_hash(key));
    return e ? e->value : NULL;
}

void bx_map_put(struct bx_map *m, struct bx_str key, void *take_value) {
    assert(take_value);
    uint64_t hash = bx_str_hash(key);
    struct entry *e = find(m, key, hash);
    if (e) {
        if (m->free_value && e->value != take_value) {
            m->free_value(e->value);
        }
        e->value = take_value;
        return;
    }
    if (m->used == m->cap) {
        rebuild(m);
    }
    m->entries[m->used] = (struct entry){bx_str_dup(key), key.n, hash, take_value};
    index_entry(m, m->used++);
    m->live++;
}

bool bx_map_remove(struct bx_map *m, struct bx_str key) {
    struct entry *e = find(m, key, bx_str_hash(key));
    if (!e) {
        return false;
    }
    if (m->free_value) {
        m->free_value(e->value);
    }
    bx_free(e->key);
    e->key = NULL;
    e->value = NULL;
    m->live--;
    return true;
}

size_t bx_map_count(const struct bx_map *m) {
    return m->live;
}

bool bx_map_next(const struct bx_map *m, size_t *at, struct bx_str *ret_key, void **ret_value) {
    while (*at < m->used) {
        const struct entry *e = &m->entries[(*at)++];
        if (e->key) {
            if (ret_key) {
                *ret_key = bx_str_n(e->key, e->key_n);
            }
            if (ret_value) {
                *ret_value = e->value;
            }
            return true;
        }
    }
    return false;
}
