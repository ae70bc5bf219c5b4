/* fetch/cache.h: pages that were fetched a moment ago.
 *
 * Any thread. Bounded in bytes and entries; the least lately used goes first; nothing is kept longer than 15 minutes or than
 * its server says, and nothing that its server does not want kept (bx_cache_may). The cache knows no grants: who asks it
 * judges the URL and the address of the entry by the policy of the call first. */
#ifndef BX_FETCH_CACHE_H
#define BX_FETCH_CACHE_H

#include "fetch/fetch.h"

struct bx_cache;

struct bx_cache_config {
    size_t max_bytes;   /* of all entries, 0 = 16 MiB; one entry may have a quarter of it */
    size_t max_entries; /* 0 = 128 */
    uint64_t max_age_ms; /* 0 = 15 minutes */
};
struct bx_cache *bx_cache_new(const struct bx_cache_config *config); /* NULL: the defaults */
void bx_cache_free(struct bx_cache *c);
BX_DEFINE_AUTO(struct bx_cache, bx_cache_free)

/* For how long an answer may be kept, at most max_ms; 0: not at all. Only a plain 200 without private, no-store, no-cache,
 * Vary: * or a cookie in it. */
uint64_t bx_cache_may(const struct bx_fetch_head *head, uint64_t max_ms);

struct bx_cache_entry {
    struct bx_fetch_head head;
    struct bx_str body;
    char address[BX_IP_TEXT_SIZE]; /* where it came from */
    uint64_t age_ms;
};
/* A copy of the entry, or false. now_ms by bx_mono_ms(). */
bool bx_cache_get(struct bx_cache *c, const char *key, uint64_t now_ms, struct bx_cache_entry *ret);
void bx_cache_entry_deinit(struct bx_cache_entry *e);
/* Copies what it is given; does nothing when bx_cache_may says no or when it is too large. */
void bx_cache_put(struct bx_cache *c, const char *key, uint64_t now_ms, const struct bx_fetch_head *head, struct bx_str body,
                  const char *address);

#endif
