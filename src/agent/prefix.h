/* agent/prefix.h: does a request begin as the last one of its session did?
 *
 * Providers keep what they have read of a prompt, and read on from there when the next one begins the same; a difference near the
 * front makes them read everything again, slowly and for money. A prefix is the digest of each piece of a request: tools, pieces
 * of the system text, messages, without what is said for one turn only. It stands in the log with the reply's `usage`, as what
 * differs from the one before, so that the first request after a restart has something to go on from. One thread at a time. */
#ifndef BX_AGENT_PREFIX_H
#define BX_AGENT_PREFIX_H

#include "agent/context.h"
#include "json/write.h"

struct bx_prefix;

struct bx_prefix *bx_prefix_take(const struct bx_context *c, const struct bx_history *h, const char *model);
void bx_prefix_free(struct bx_prefix *p);
BX_DEFINE_AUTO(struct bx_prefix, bx_prefix_free)

/* Members of the object that is open: `now`, where `told` (or NULL) is known to who reads the log in its order. */
void bx_prefix_write(const struct bx_prefix *now, const struct bx_prefix *told, struct bx_jw *w);
/* What was told, after such an object: take_told (or NULL) changed, or NULL where the two do not fit together. */
struct bx_prefix *bx_prefix_fold(struct bx_prefix *take_told, const struct bx_val *v);

struct bx_break {
    enum bx_part part; /* never facts, summary or results: those are history */
    char what[300];    /* one sentence: what is different */
};
/* What of `now` does not go on from `before`; false: nothing, or `before` is NULL. */
bool bx_prefix_breaks(const struct bx_prefix *before, const struct bx_prefix *now, struct bx_break *ret);

#endif
