#include "json/write.h"
#include "tools/host.h"
#include "tools/native.h"

/* TodoWrite keeps the session's list of tasks: each call brings the whole list, an empty one clears
 * it. */

#define TODO_BYTES (128 * BX_KIB)

static bool has_status(const struct bx_val *todo, const char *status) {
    return bx_str_eqz(bx_val_get_str(todo, "status"), status);
}

static void write_list(const struct bx_val *todos, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "todos");
    bx_val_foreach_item (todos, todo) {
        struct bx_str active = bx_val_get_str(todo, "activeForm");
        bx_jw_obj(&w);
        bx_jw_kstrn(&w, "content", bx_str_trim(bx_val_get_str(todo, "content")));
        bx_jw_kstrn(&w, "status", bx_val_get_str(todo, "status"));
        if (active.n)
            bx_jw_kstrn(&w, "activeForm", active);
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
}

static int todo_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    const struct bx_val *todos = bx_val_get(input, "todos");
    size_t active = 0, done = 0;
    if (bx_tool_needs_run(t, ctx, ret))
        return 0;
    bx_val_foreach_item (todos, todo) {
        active += has_status(todo, "in_progress");
        done += has_status(todo, "completed");
        if (!bx_str_trim(bx_val_get_str(todo, "content")).n) {
            bx_tool_result_text(ret, true, "A task has an empty \"content\": say what is to do.");
            return 0;
        }
    }
    if (active > 1) {
        bx_tool_result_text(ret, true,
                            "%zu tasks are in_progress; only one can be: set the others to "
                            "pending, or to completed when they are done.",
                            active);
        return 0;
    }
    bx_auto(bx_buf_deinit) struct bx_buf list = BX_BUF_INIT(TODO_BYTES);
    write_list(todos, &list);
    if (bx_buf_failed(&list)) {
        bx_tool_result_text(ret, true, "The list is larger than 128 KiB: say it in fewer words.");
        return 0;
    }
    struct bx_err problem = {0};
    int rc = ctx->host->record(ctx, "todo", bx_buf_str(&list), &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    size_t all = bx_val_len(todos);
    if (all)
        bx_tool_result_text(ret, false,
                            "The list has %zu task%s: %zu done, %zu in progress, %zu "
                            "to do.",
                            all, all == 1 ? "" : "s", done, active, all - done - active);
    else
        bx_tool_result_text(ret, false, "The list is empty now.");
    ret->metadata = bx_buf_steal(&list);
    return 0;
}

const struct bx_native_spec bx_native_todo = {
    .name = "TodoWrite",
    .description =
        "Keeps the list of tasks of this session, which the user sees. Each call brings the whole "
        "list in its order; an empty list clears it. Use it for work of three steps or more: "
        "set a task to in_progress before you begin it (one at a time), to completed as soon as it "
        "is done.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{\"todos\":{\"type\":\"array\",\"maxItems\":200,"
        "\"items\":{\"type\":\"object\",\"properties\":{"
        "\"content\":{\"type\":\"string\",\"maxLength\":2000,\"description\":\"What is to do\"},"
        "\"status\":{\"enum\":[\"pending\",\"in_progress\",\"completed\"]},"
        "\"activeForm\":{\"type\":\"string\",\"maxLength\":2000,\"description\":\"The same as what "
        "is being done, for the user\"}},"
        "\"required\":[\"content\",\"status\"],\"additionalProperties\":false}}},"
        "\"required\":[\"todos\"],\"additionalProperties\":false}",
    .example = "{\"todos\":[{\"content\":\"Read the parser\",\"status\":\"completed\"},"
               "{\"content\":\"Add the test\",\"status\":\"in_progress\",\"activeForm\":\"Adding "
               "the test\"}]}",
    .execute = todo_execute,
};
