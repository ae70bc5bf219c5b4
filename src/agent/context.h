/* agent/context.h: one request to the model, most stable part first, so that prefix caches hold: instructions, tools, the
 * project's own instructions, history, and what is said for this turn only.
 *
 * Belongs to one run thread. What is made here once stays the same for the whole run. */
#ifndef BX_AGENT_CONTEXT_H
#define BX_AGENT_CONTEXT_H

#include "agent/history.h"
#include "model/model.h"
#include "tools/registry.h"

struct bx_context {
    char *system;
    BX_VEC(struct bx_tool *) tools;    /* references: a run keeps what it started with */
    struct bx_tool_spec *specs;        /* of `tools` */
    BX_VEC(struct bx_tool *) deferred; /* known by name only, until the session has loaded them (`tools_loaded`) */
    BX_VEC(struct bx_tool *) hidden;   /* known, and not told: no call of them could be permitted (bx_context_suit) */
    int64_t fixed_estimate; /* tokens of instructions and tools */
    BX_VEC(const struct bx_message *) messages;
    struct bx_message *note; /* said for this turn only, or NULL */
};

/* small: short instructions, few tools, and a list of what lies in the root. */
struct bx_context *bx_context_new(struct bx_registry *registry, const char *root, bool small);
/* Before the first request: hides the tools that are not offered, and puts words behind the instructions (NULL = none). */
void bx_context_suit(struct bx_context *c, bool (*offers)(void *user, const struct bx_tool *t), void *user, const char *words);
void bx_context_free(struct bx_context *c);
BX_DEFINE_AUTO(struct bx_context, bx_context_free)

/* The request of this turn; views, valid until the next call or a change of the history. note may be NULL. */
void bx_context_request(struct bx_context *c, const struct bx_history *h, const char *note, struct bx_model_request *ret);
int64_t bx_context_estimate(const struct bx_context *c, const struct bx_history *h); /* in the provider's tokens */

/* The tool of this name as the run knows it from its start, loaded or not; a new reference, or NULL. */
struct bx_tool *bx_context_tool(const struct bx_context *c, const char *name);

/* AGENTS.md of the root, else CLAUDE.md, when it is a file of the root (a link out of it is not followed); NULL when there
 * is none. The caller's. */
char *bx_context_project_text(const char *root);

#endif
