/* store/ring.h: the last deltas of a session, bounded; the oldest make room.
 *
 * One thread at a time (the session's lock). A delta has a number (1, 2, 3 …) and the seq of the event it stands behind. */
#ifndef BX_STORE_RING_H
#define BX_STORE_RING_H

#include "base/vec.h"

struct bx_ring_entry {
    size_t at, n; /* of text */
    uint64_t after_seq;
};
struct bx_ring {
    struct bx_buf text;
    size_t max_bytes;
    BX_VEC(struct bx_ring_entry) entries;
    size_t first;      /* entries and text before it are gone, their memory is taken back now and then */
    uint64_t first_id; /* of entries.p[first] */
};

void bx_ring_init(struct bx_ring *r, size_t max_bytes);
void bx_ring_deinit(struct bx_ring *r);
void bx_ring_add(struct bx_ring *r, uint64_t after_seq, struct bx_str text); /* larger than the ring: not kept */
uint64_t bx_ring_next_id(const struct bx_ring *r); /* the number the next one will have */
/* The first delta with a number >= *id; *id becomes its number. False when there is none. The text is a view. */
bool bx_ring_get(const struct bx_ring *r, uint64_t *id, uint64_t *ret_after_seq, struct bx_str *ret_text);

#endif
