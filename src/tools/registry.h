/* tools/registry.h: all tools by name, and the one way to run one.
 *
 * Any thread. The registry holds native built-ins, the embedded guests and what the tools folders give; a changed file
 * replaces its tool, a broken one is listed with the reason. */
#ifndef BX_TOOLS_REGISTRY_H
#define BX_TOOLS_REGISTRY_H

#include "tools/tool.h"

struct bx_registry;
struct bx_box;
struct bx_receipts;

struct bx_registry_config {
    struct bx_box *box;
    struct bx_receipts *receipts;  /* may be NULL: no record (tests) */
    const struct bx_val *settings; /* limits by tool; copied */
};
int bx_registry_new(const struct bx_registry_config *config, struct bx_registry **ret, struct bx_err *err);
void bx_registry_free(struct bx_registry *r);
BX_DEFINE_AUTO(struct bx_registry, bx_registry_free)

struct bx_tool *bx_registry_find(struct bx_registry *r, const char *name);             /* a new reference or NULL */
const char *bx_registry_nearest(struct bx_registry *r, const char *name);              /* a view, or NULL */
/* All, in stable (name) order: new references in a new array. */
struct bx_tool **bx_registry_all(struct bx_registry *r, size_t *ret_count);
/* A box tool from a .wasm file that is in no folder (`tool run FILE.wasm`); its descriptor by --describe. */
int bx_registry_load_file(struct bx_registry *r, const char *path, struct bx_tool **ret, struct bx_err *err);

/* The limits that a call of this tool gets: default → descriptor's wish → settings → `over` (a --limit list; may be NULL).
 * Each with its origin, for `tool describe` and the page. */
int bx_registry_limits(struct bx_registry *r, const struct bx_tool *t, const struct bx_limits *over, struct bx_limits *ret,
                       struct bx_err *err);

/* What a call would touch, from its input: guest paths (normal, absolute), outside-root flag, guarded path, hosts, command.
 * For the permission check; arena-owned. */
struct bx_call_reach {
    const char **paths;
    size_t path_count;
    bool outside_root;
    const char *guarded_path;
    const char **hosts;
    size_t host_count;
    const char *command;
};
struct bx_arena;
void bx_tool_reach(const struct bx_tool *t, const struct bx_val *input, const struct bx_grant *grant, struct bx_arena *arena,
                   struct bx_call_reach *ret);

/* Schema check, path mapping (a host path below the root becomes its guest path), execute, receipt. The permission check
 * comes before this and is the caller's. Input that does not fit is a result with is_error and a sentence that lets the
 * model mend its call; a negative return means that the call could not be made at all. */
int bx_registry_execute(struct bx_registry *r, struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                        struct bx_tool_result *ret, struct bx_err *err);
/* A receipt for a call that was denied. */
void bx_registry_record_denied(struct bx_registry *r, const struct bx_tool *t, const struct bx_val *input,
                               const struct bx_tool_ctx *ctx, const char *verdict, char **ret_receipt);

#endif
