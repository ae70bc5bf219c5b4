#include "store/ring.h"

void bx_ring_init(struct bx_ring *r, size_t max_bytes) {
    *r = (struct bx_ring){.max_bytes = max_bytes, .first_id = 1};
    bx_buf_init(&r->text, 2 * max_bytes);
}

void bx_ring_deinit(struct bx_ring *r) {
    bx_buf_deinit(&r->text);
    bx_vec_free(&r->entries);
}

/* Moves what is left to the front: once per max_bytes of text, so the cost per delta stays
 * constant. */
static void compact(struct bx_ring *r) {
    size_t gone = r->first < r->entries.n ? r->entries.p[r->first].at : r->text.size;
    bx_buf_consume(&r->text, gone);
    r->entries.n -= r->first;
    memmove(r->entries.p, r->entries.p + r->first, r->entries.n * sizeof *r->entries.p);
    for (size_t i = 0; i < r->entries.n; i++)
        r->entries.p[i].at -= gone;
    r->first = 0;
}

void bx_ring_add(struct bx_ring *r, uint64_t after_seq, struct bx_str text) {
    if (text.n > r->max_bytes)
        return;
    while (r->first < r->entries.n &&
           r->text.size - r->entries.p[r->first].at + text.n > r->max_bytes) {
        r->first++;
        r->first_id++;
    }
    if (r->first > 0 && (r->text.size + text.n > r->text.max || r->first == r->entries.n))
        compact(r);
    struct bx_ring_entry e = {.at = r->text.size, .n = text.n, .after_seq = after_seq};
    bx_buf_adds(&r->text, text);
    assert(!bx_buf_failed(&r->text));
    bx_vec_push(&r->entries, e);
}

uint64_t bx_ring_next_id(const struct bx_ring *r) {
    return r->first_id + (r->entries.n - r->first);
}

bool bx_ring_get(const struct bx_ring *r, uint64_t *id, uint64_t *ret_after_seq,
                 struct bx_str *ret_text) {
    if (*id >= bx_ring_next_id(r))
        return false;
    if (*id < r->first_id)
        *id = r->first_id;
    const struct bx_ring_entry *e = &r->entries.p[r->first + (size_t)(*id - r->first_id)];
    *ret_after_seq = e->after_seq;
    *ret_text = bx_str_n(r->text.p + e->at, e->n);
    return true;
}
