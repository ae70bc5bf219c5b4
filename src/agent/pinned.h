/* agent/pinned.h: what a session holds on to beside the conversation: pinned facts, attached packs, and the folders whose own
 * instructions the model was told.
 *
 * One thread at a time. Made from the log and in no other way. */
#ifndef BX_AGENT_PINNED_H
#define BX_AGENT_PINNED_H

#include "base/vec.h"
#include "json/json.h"

#define BX_FACT_MAX_BYTES  2000
#define BX_FACTS_MAX_BYTES (8 * BX_KIB) /* of all: they must fit into a small window, always */
#define BX_PACKS_MAX       16           /* attached to one session */

struct bx_fact {
    char *id, *text;
    bool by_model;
    uint64_t seq; /* of its event */
};
struct bx_told {
    char *folder; /* guest path */
    uint64_t seq;
};
struct bx_pinned {
    BX_VEC(struct bx_fact) facts; /* in the order in which they came */
    BX_VEC(char *) packs;         /* names, in the order in which they were attached */
    BX_VEC(struct bx_told) told;
};
void bx_pinned_deinit(struct bx_pinned *p);
/* Folds fact, fact_drop, attach, detach and instructions; true when it was one of them. */
bool bx_pinned_fold(struct bx_pinned *p, struct bx_str type, const struct bx_val *event);
/* NULL when there is none. */
const struct bx_fact *bx_pinned_fact(const struct bx_pinned *p, struct bx_str id);
size_t bx_pinned_fact_bytes(const struct bx_pinned *p);
bool bx_pinned_was_told(const struct bx_pinned *p, const char *folder);
/* What was told up to here is no longer in the context: it is told again when it matters again. */
void bx_pinned_forget_told(struct bx_pinned *p, uint64_t upto);

#endif
