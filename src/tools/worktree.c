#include "tools/host.h"
#include "tools/native.h"

/* Worktree: what becomes of the work of an executor that had a worktree of its own. The run that
 * calls it does it (agent/worktree_tool.c). */

static int worktree_execute(const struct bx_tool *t, const struct bx_val *input,
                            struct bx_tool_ctx *ctx, struct bx_tool_result *ret,
                            struct bx_err *err) {
    return bx_tool_needs_run(t, ctx, ret) ? 0 : ctx->host->worktree(ctx, input, ret, err);
}

const struct bx_native_spec bx_native_worktree = {
    .name = "Worktree",
    .description = "What becomes of the work of an executor that had a worktree of its own: look "
                   "at its changes (diff), then bring "
                   "them into the branch that you work on (merge), leave them on their branch "
                   "(keep), or throw them away (discard). "
                   "A merge is made whole or not at all; conflicts are named.",
    .level = BX_LEVEL_WRITE,
    .schema = "{\"type\":\"object\",\"properties\":{"
              "\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80,\"description\":\"Of "
              "the worktree or of its executor, such "
              "as e1\"},"
              "\"action\":{\"enum\":[\"diff\",\"merge\",\"keep\",\"discard\"]}},"
              "\"required\":[\"id\",\"action\"],\"additionalProperties\":false}",
    .example = "{\"id\":\"e1\",\"action\":\"diff\"}",
    .execute = worktree_execute,
};
