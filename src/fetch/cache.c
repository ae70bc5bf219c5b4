#include "fetch/cache.h"

#include "base/thread.h"
#include "base/vec.h"

struct kept {
    char *key;
    struct bx_cache_entry entry; /* its age is not used */
    uint64_t stored_ms, until_ms, used;
    size_t bytes;
};

struct bx_cache {
    pthread_mutex_t lock;
    struct bx_cache_config config;
    BX_VEC(struct kept) kept;
    size_t bytes;
    uint64_t uses;
};

struct bx_cache *bx_cache_new(const struct bx_cache_config *config) {
    struct bx_cache *c = bx_new(struct bx_cache);
    pthread_mutex_init(&c->lock, NULL);
    c->config = config ? *config : (struct bx_cache_config){0};
    c->config.max_bytes = c->config.max_bytes ? c->config.max_bytes : 16 * BX_MIB;
    c->config.max_entries = c->config.max_entries ? c->config.max_entries : 128;
    c->config.max_age_ms = c->config.max_age_ms ? c->config.max_age_ms : 15 * 60 * 1000;
    return c;
}

void bx_cache_entry_deinit(struct bx_cache_entry *e) {
    for (size_t i = 0; i < e->head.header_count; i++) {
        bx_free((char *)(uintptr_t)e->head.headers[i].name);
        bx_free((char *)(uintptr_t)e->head.headers[i].value);
    }
    bx_free((void *)(uintptr_t)e->head.headers);
    bx_free((char *)(uintptr_t)e->body.p);
    *e = (struct bx_cache_entry){0};
}

static void drop(struct bx_cache *c, size_t at) {
    c->bytes -= c->kept.p[at].bytes;
    bx_free(c->kept.p[at].key);
    bx_cache_entry_deinit(&c->kept.p[at].entry);
    bx_vec_remove(&c->kept, at);
}

void bx_cache_free(struct bx_cache *c) {
    if (!c) {
        return;
    }
    while (c->kept.n > 0) {
        drop(c, c->kept.n - 1);
    }
    bx_vec_free(&c->kept);
    pthread_mutex_destroy(&c->lock);
    bx_free(c);
}

static struct bx_cache_entry copy(const struct bx_fetch_head *head, struct bx_str body,
                                  const char *address) {
    struct bx_fetch_header *headers =
        bx_realloc_array(NULL, head->header_count + 1, sizeof *headers);
    for (size_t i = 0; i < head->header_count; i++) {
        headers[i] = (struct bx_fetch_header){bx_strdup(head->headers[i].name),
                                              bx_strdup(head->headers[i].value)};
    }
    struct bx_cache_entry e = {
        .head = {head->status, headers, head->header_count},
        .body = {bx_str_dup(body), body.n},
    };
    snprintf(e.address, sizeof e.address, "%s", address);
    return e;
}

static bool has_directive(const struct bx_fetch_head *head, const char *name,
                          struct bx_str *ret_value) {
    for (size_t i = 0; i < head->header_count; i++) {
        if (!bx_str_ieqz(bx_str(head->headers[i].name), "cache-control")) {
            continue;
        }
        struct bx_str rest = bx_str(head->headers[i].value), one;
        while (bx_str_split(&rest, ',', &one)) {
            struct bx_str value = bx_str_trim(one), word;
            if (bx_str_split(&value, '=', &word) && bx_str_ieqz(bx_str_trim(word), name)) {
                *ret_value = bx_str_trim(value);
                return true;
            }
        }
    }
    return false;
}

uint64_t bx_cache_may(const struct bx_fetch_head *head, uint64_t max_ms) {
    static const char *const refusals[] = {"no-store", "no-cache", "private"};
    struct bx_str value;
    const char *vary = bx_fetch_head_get(head, "vary");
    if (head->status != 200 || bx_fetch_head_get(head, "set-cookie") ||
        (vary && strchr(vary, '*'))) {
        return 0;
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(refusals); i++) {
        if (has_directive(head, refusals[i], &value)) {
            return 0;
        }
    }
    uint64_t seconds;
    if (has_directive(head, "max-age", &value)) {
        return bx_str_to_u64(value, &seconds) ? BX_MIN(seconds, max_ms / 1000) * 1000 : 0;
    }
    return max_ms;
}

bool bx_cache_get(struct bx_cache *c, const char *key, uint64_t now_ms,
                  struct bx_cache_entry *ret) {
    BX_LOCKED(&c->lock);
    for (size_t i = 0; i < c->kept.n; i++) {
        struct kept *k = &c->kept.p[i];
        if (strcmp(k->key, key) == 0) {
            if (now_ms >= k->until_ms) {
                drop(c, i);
                return false;
            }
            k->used = ++c->uses;
            *ret = copy(&k->entry.head, k->entry.body, k->entry.address);
            ret->age_ms = now_ms - k->stored_ms;
            return true;
        }
    }
    return false;
}

static void make_room(struct bx_cache *c, size_t bytes) {
    while (c->kept.n > 0 &&
           (c->bytes + bytes > c->config.max_bytes || c->kept.n >= c->config.max_entries)) {
        size_t oldest = 0;
        for (size_t i = 1; i < c->kept.n; i++) {
            if (c->kept.p[i].used < c->kept.p[oldest].used) {
                oldest = i;
            }
        }
        drop(c, oldest);
    }
}

void bx_cache_put(struct bx_cache *c, const char *key, uint64_t now_ms,
                  const struct bx_fetch_head *head, struct bx_str body, const char *address) {
    uint64_t keep_ms = bx_cache_may(head, c->config.max_age_ms);
    size_t bytes = body.n + strlen(key) + sizeof(struct kept);
    for (size_t i = 0; i < head->header_count; i++) {
        bytes += strlen(head->headers[i].name) + strlen(head->headers[i].value) + 64;
    }
    if (keep_ms == 0 || bytes > c->config.max_bytes / 4) {
        return;
    }
    BX_LOCKED(&c->lock);
    for (size_t i = 0; i < c->kept.n; i++) {
        if (strcmp(c->kept.p[i].key, key) == 0) {
            drop(c, i);
            break;
        }
    }
    make_room(c, bytes);
    bx_vec_push(&c->kept, ((struct kept){.key = bx_strdup(key),
                                         .entry = copy(head, body, address),
                                         .stored_ms = now_ms,
                                         .until_ms = now_ms + keep_ms,
                                         .used = ++c->uses,
                                         .bytes = bytes}));
    c->bytes += bytes;
}
