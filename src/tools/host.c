#include "tools/host.h"

void bx_tool_answer_deinit(struct bx_tool_answer *a) {
    bx_free(a->text);
    bx_doc_free(a->answers);
    *a = (struct bx_tool_answer){0};
}

bool bx_tool_needs_run(const struct bx_tool *t, const struct bx_tool_ctx *ctx,
                       struct bx_tool_result *ret) {
    if (ctx->host)
        return false;
    bx_tool_result_text(ret, true,
                        "%s belongs to a run: it needs a session and somebody in front of it, and "
                        "a call by hand has neither. Send a message instead (the page, or "
                        "`boxagnts run`).",
                        t->name);
    return true;
}

int bx_tool_host_failed(int rc, const struct bx_err *problem, struct bx_tool_result *ret,
                        struct bx_err *err) {
    if (rc != BX_ERR_DENIED && rc != BX_ERR_INVALID)
        return bx_fail(err, rc, "%s", problem->msg);
    bx_tool_result_text(ret, true, "%s", problem->msg);
    return 0;
}
