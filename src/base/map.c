#include "base/map.h"

#include "base/id.h"

/* Entries stand in order of insertion; slots hold entry index + 1 (0 = free, DEAD = removed) and
 * are probed linearly. The hash is SipHash-1-3 under a random key of each map, because keys may
 * come from outside. */
#define DEAD SIZE_MAX

struct entry {
    char *key; /* NULL = removed */
    size_t key_size;
    uint64_t hash;
    void *value;
};

struct bx_map {
    void (*free_value)(void *value);
    struct entry *entries;
    size_t used, cap, count;
    size_t *slots;
    size_t slot_count; /* a power of two */
    uint64_t seed[2];
};

static uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t hash_of(const struct bx_map *m, struct bx_str key) {
    uint64_t v[4] = {m->seed[0] ^ 0x736f6d6570736575u, m->seed[1] ^ 0x646f72616e646f6du,
                     m->seed[0] ^ 0x6c7967656e657261u, m->seed[1] ^ 0x7465646279746573u};
    for (size_t at = 0; at <= key.n; at += 8) {
        uint64_t word = 0;
        size_t n = BX_MIN(key.n - at, (size_t)8);
        if (n > 0) {
            memcpy(&word, key.p + at, n);
        }
        if (n < 8) {
            word |= (uint64_t)(key.n & 0xff) << 56;
        }
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct bx_map *bx_map_new(void (*free_value)(void *value)) {
    struct bx_map *m = bx_new(struct bx_map);
    m->free_value = free_value;
    bx_random(m->seed, sizeof m->seed);
    return m;
}

static void value_free(const struct bx_map *m, void *value) {
    if (m->free_value) {
        m->free_value(value);
    }
}

void bx_map_free(struct bx_map *m) {
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key) {
            value_free(m, m->entries[i].value);
            bx_free(m->entries[i].key);
        }
    }
    bx_free(m->entries);
    bx_free(m->slots);
    bx_free(m);
}

/* The slot that leads to key, or NULL. */
static size_t *slot_of(const struct bx_map *m, struct bx_str key, uint64_t hash) {
    if (m->slot_count == 0) {
        return NULL;
    }
    for (size_t i = (size_t)hash & (m->slot_count - 1); m->slots[i] != 0;
         i = (i + 1) & (m->slot_count - 1)) {
        if (m->slots[i] == DEAD) {
            continue;
        }
        const struct entry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && bx_str_eq(bx_str_n(e->key, e->key_size), key)) {
            return &m->slots[i];
        }
    }
    return NULL;
}

static void link_entry(struct bx_map *m, size_t index) {
    size_t i = (size_t)m->entries[index].hash & (m->slot_count - 1);
    while (m->slots[i] != 0) {
        i = (i + 1) & (m->slot_count - 1);
    }
    m->slots[i] = index + 1;
}

/* Drops removed entries, makes room for one more and builds the slots anew: at most half of them
 * are in use. */
static void rebuild(struct bx_map *m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key) {
            m->entries[kept++] = m->entries[i];
        }
    }
    m->used = kept;
    m->cap = BX_MAX((size_t)8, kept * 2);
    m->entries = bx_realloc_array(m->entries, m->cap, sizeof *m->entries);
    m->slot_count = 16;
    while (m->slot_count < m->cap * 2) {
        m->slot_count *= 2;
    }
    bx_free(m->slots);
    m->slots = bx_alloc(m->slot_count * sizeof *m->slots);
    for (size_t i = 0; i < kept; i++) {
        link_entry(m, i);
    }
}

void *bx_map_get(const struct bx_map *m, struct bx_str key) {
    const size_t *slot = slot_of(m, key, hash_of(m, key));
    return slot ? m->entries[*slot - 1].value : NULL;
}

void bx_map_put(struct bx_map *m, struct bx_str key, void *take_value) {
    assert(take_value);
    uint64_t hash = hash_of(m, key);
    const size_t *slot = slot_of(m, key, hash);
    if (slot) {
        struct entry *e = &m->entries[*slot - 1];
        void *old = e->value;
        e->value = take_value;
        if (old != take_value) {
            value_free(m, old);
        }
        return;
    }
    if (m->used == m->cap) {
        rebuild(m);
    }
    m->entries[m->used] = (struct entry){bx_str_dup(key), key.n, hash, take_value};
    link_entry(m, m->used++);
    m->count++;
}

bool bx_map_remove(struct bx_map *m, struct bx_str key) {
    size_t *slot = slot_of(m, key, hash_of(m, key));
    if (!slot) {
        return false;
    }
    struct entry *e = &m->entries[*slot - 1];
    void *value = e->value;
    bx_free(e->key); /* key may be a view of it: not used below */
    *e = (struct entry){0};
    *slot = DEAD;
    m->count--;
    value_free(m, value);
    return true;
}

size_t bx_map_count(const struct bx_map *m) {
    return m->count;
}

bool bx_map_next(const struct bx_map *m, size_t *at, struct bx_str *ret_key, void **ret_value) {
    while (*at < m->used && !m->entries[*at].key) {
        (*at)++;
    }
    if (*at == m->used) {
        return false;
    }
    const struct entry *e = &m->entries[(*at)++];
    if (ret_key) {
        *ret_key = bx_str_n(e->key, e->key_size);
    }
    if (ret_value) {
        *ret_value = e->value;
    }
    return true;
}
