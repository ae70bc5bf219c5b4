#include "tools/host.h"
#include "tools/native.h"

/* remember keeps a sentence beyond this session: in the workspace's memory, which its user reads
 * and edits, or as a pinned fact of the session. */

static int remember_execute(const struct bx_tool *t, const struct bx_val *input,
                            struct bx_tool_ctx *ctx, struct bx_tool_result *ret,
                            struct bx_err *err) {
    struct bx_err problem = {0};
    bool session = bx_str_eqz(bx_val_get_str(input, "for"), "session");
    if (bx_tool_needs_run(t, ctx, ret))
        return 0;
    int rc = ctx->host->remember(ctx, bx_val_get_str(input, "text"), session, &problem);
    if (rc == BX_ERR_INVALID || rc == BX_ERR_LIMIT) {
        bx_tool_result_text(ret, true, "It was not remembered: %s.", problem.msg);
        return 0;
    }
    if (rc < 0)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_tool_result_text(ret, false,
                        rc        ? "It is in the memory already."
                        : session ? "Pinned for this session."
                                  : "Remembered.");
    return 0;
}

const struct bx_native_spec bx_native_remember = {
    .name = "remember",
    .description = "Keeps one sentence for later: for all sessions of this workspace (its memory, "
                   "which every session is told), "
                   "or pinned for the rest of this session. For what will matter again and cannot "
                   "be seen in the project: a wish "
                   "of the user's, a decision, how something is built or tested here.",
    .level = BX_LEVEL_WRITE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"text\":{\"type\":\"string\",\"maxLength\":1000,\"description\":\"One sentence that "
        "stands by itself\"},"
        "\"for\":{\"enum\":[\"workspace\",\"session\"],\"description\":\"workspace unless told\"}},"
        "\"required\":[\"text\"],\"additionalProperties\":false}",
    .example = "{\"text\":\"The tests are run with make check, not with ctest.\"}",
    .execute = remember_execute,
};
