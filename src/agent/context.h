/* agent/context.h: one request to the model, most stable part first, so that prefix caches hold: instructions, tools, skills, the
 * project's own instructions, memory, packs, history, and what is said for this turn only.
 *
 * Belongs to one run thread. What is made here once stays the same for the whole run. */
#ifndef BX_AGENT_CONTEXT_H
#define BX_AGENT_CONTEXT_H

#include "agent/history.h"
#include "model/model.h"
#include "tools/registry.h"

enum bx_part {
    BX_PART_INSTRUCTIONS, BX_PART_TOOLS, BX_PART_SKILLS, BX_PART_PROJECT, BX_PART_MEMORY, BX_PART_PACKS, BX_PART_FACTS,
    BX_PART_SUMMARY, BX_PART_HISTORY, BX_PART_RESULTS, BX_PART_COUNT
};
const char *bx_part_name(enum bx_part part); /* "instructions" … */

/* A piece of the system text. The items follow one another without a gap. */
struct bx_context_item {
    enum bx_part part;
    char *name;
    size_t from, n; /* bytes of `system` */
};

struct bx_context_text {
    const char *name, *text;
};
struct bx_context_config {
    struct bx_registry *registry;
    const char *root;
    bool small;     /* short instructions, few tools, and a list of what lies in the root */
    int64_t window; /* of the model, tokens; 0 = not known. Each part may have its share of it */
    const char *memory;                  /* may be NULL */
    const struct bx_context_text *packs; /* attached ones */
    size_t pack_count;
};

struct bx_context {
    bool small;     /* as of the config */
    char *system;
    BX_VEC(struct bx_context_item) items; /* of `system` */
    BX_VEC(struct bx_tool *) tools;    /* references: a run keeps what it started with */
    struct bx_tool_spec *specs;        /* of `tools` */
    BX_VEC(struct bx_tool *) deferred; /* not in the list until the session has loaded them (`tools_loaded`) */
    BX_VEC(struct bx_tool *) hidden;   /* known, and not told: no call of them could be permitted (bx_context_suit) */
    int64_t fixed_estimate; /* tokens of instructions and tools */
    BX_VEC(const struct bx_message *) messages;
    struct bx_message *note; /* said for this turn only, or NULL */
};

struct bx_context *bx_context_new(const struct bx_context_config *config);
/* Before the first request: hides the tools that are not offered, and puts words behind the instructions (NULL = none). */
void bx_context_suit(struct bx_context *c, bool (*offers)(void *user, const struct bx_tool *t), void *user, const char *words);
void bx_context_free(struct bx_context *c);
BX_DEFINE_AUTO(struct bx_context, bx_context_free)

/* The request of this turn; views, valid until the next call or a change of the history. note may be NULL. */
void bx_context_request(struct bx_context *c, const struct bx_history *h, const char *note, struct bx_model_request *ret);
int64_t bx_context_estimate(const struct bx_context *c, const struct bx_history *h); /* in the provider's tokens */
/* By our count, of what the model is told of it: a small one hears of a line and examples (model/constrained.h). */
int64_t bx_context_tool_tokens(const struct bx_context *c, const struct bx_tool *t);

/* The tool of this name as the run knows it from its start, loaded or not; a new reference, or NULL. */
struct bx_tool *bx_context_tool(const struct bx_context *c, const char *name);

/* The system text and its items (context_system.c); the tools are chosen already. */
void bx_context_write_system(struct bx_context *c, const struct bx_context_config *config);

#endif
