#include "json/write.h"
#include "tools/host.h"
#include "tools/native.h"

/* recall reads again what the conversation no longer shows: long outputs by pages, and anything in
 * the session's log by words. */

static bool read_wish(const struct bx_val *input, struct bx_recall_wish *wish,
                      struct bx_tool_result *ret) {
    *wish = (struct bx_recall_wish){.call = bx_val_get_z(input, "call"),
                                    .query = bx_val_get_z(input, "query"),
                                    .seq = bx_val_get_int(input, "seq", 0),
                                    .offset = bx_val_get_int(input, "offset", 0),
                                    .limit = bx_val_get_int(input, "limit", 0)};
    int ways = (wish->call != NULL) + (wish->query != NULL) + (wish->seq > 0);
    if (ways != 1)
        bx_tool_result_text(
            ret, true,
            "Give one of \"call\" (a result by its call), \"seq\" (an event by its number) and "
            "\"query\" (words to look for).");
    return ways == 1;
}

static void write_meta(const struct bx_recall_wish *wish, const struct bx_recall_result *found,
                       struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    if (wish->call)
        bx_jw_kstr(&w, "handle", wish->call);
    if (!wish->query) {
        bx_jw_kuint(&w, "bytes", found->bytes);
        bx_jw_key(&w, "next");
        if (found->next >= 0)
            bx_jw_int(&w, found->next);
        else
            bx_jw_null(&w);
    }
    bx_jw_end(&w);
}

static int recall_execute(const struct bx_tool *t, const struct bx_val *input,
                          struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    struct bx_recall_wish wish;
    struct bx_recall_result found = {0};
    struct bx_err problem = {0};
    if (bx_tool_needs_run(t, ctx, ret) || !read_wish(input, &wish, ret))
        return 0;
    int rc = ctx->host->recall(ctx, &wish, &found, &problem);
    if (rc == BX_ERR_NOTFOUND || rc == BX_ERR_INVALID) {
        bx_tool_result_text(ret, true, "%s.", problem.msg);
        return 0;
    }
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    struct bx_buf json = BX_BUF_INIT(128 * BX_MIB), meta = BX_BUF_INIT(4 * BX_KIB);
    bx_json_quote(&json, bx_buf_str(&found.text));
    write_meta(&wish, &found, &meta);
    bx_buf_deinit(&found.text);
    ret->content = bx_buf_steal(&json);
    ret->metadata = bx_buf_steal(&meta);
    return 0;
}

const struct bx_native_spec bx_native_recall = {
    .name = "recall",
    .description = "Shows again what this conversation no longer holds: the rest of a long output "
                   "by its call, anything said or found "
                   "earlier in this session by words, one event by its number. Whole outputs and "
                   "everything that was summarised are "
                   "kept.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"call\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"Id of the call whose "
        "output is wanted\"},"
        "\"seq\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"Number of an event, as a "
        "search gives it\"},"
        "\"query\":{\"type\":\"string\",\"maxLength\":1000,\"description\":\"Words to look for in "
        "the whole session\"},"
        "\"offset\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"Byte to begin at\"},"
        "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"description\":\"Bytes "
        "to read (8192 unless "
        "told), or hits of a search (8)\"}},"
        "\"additionalProperties\":false}",
    .example = "{\"query\":\"port of the database\"}",
    .execute = recall_execute,
};
