#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "json/write.h"
#include "tools/beneath.h"
#include "tools/host.h"
#include "tools/native.h"
#include "tools/paths.h"

/* Brief tells the user something while the work goes on. Attachments are names of files in the
 * root, shown with their sizes; nothing outside of it is looked at. */

#define NOTE_BYTES (256 * BX_KIB)

/* -1: there is no such file inside. */
static int64_t size_of(const struct bx_grant *grant, struct bx_str path, struct bx_arena *arena,
                       const char **ret_guest) {
    bool outside = false;
    const char *guest = bx_guest_path(grant, path, arena, &outside);
    bx_auto(bx_fd_close) int fd =
        outside ? -1 : bx_open_beneath(grant, guest, BX_BENEATH_ANY, O_PATH);
    struct stat st;
    *ret_guest = guest;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return (int64_t)st.st_size;
    return -1;
}

/* False: the result says which attachment is not there. */
static bool write_attachments(struct bx_jw *w, const struct bx_val *list,
                              const struct bx_grant *grant, struct bx_arena *arena,
                              struct bx_tool_result *ret) {
    bx_jw_karr(w, "attachments");
    bx_val_foreach_item (list, item) {
        const char *guest = NULL;
        int64_t size = size_of(grant, bx_val_str(item), arena, &guest);
        if (size < 0) {
            bx_tool_result_text(ret, true,
                                "There is no file %.300s: the user was not told. Attach files of "
                                "the folder, by their path.",
                                guest);
            return false;
        }
        bx_jw_obj(w);
        bx_jw_kstr(w, "path", guest);
        bx_jw_kint(w, "size", size);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    return true;
}

static int brief_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    if (bx_tool_needs_run(t, ctx, ret))
        return 0;
    struct bx_str message = bx_str_trim(bx_val_get_str(input, "message"));
    if (!message.n) {
        bx_tool_result_text(ret, true, "\"message\" is empty: say what the user should know.");
        return 0;
    }
    bx_auto(bx_arena_deinit) struct bx_arena arena;
    bx_auto(bx_buf_deinit) struct bx_buf note = BX_BUF_INIT(NOTE_BYTES);
    bx_arena_init(&arena);
    const char *status = bx_val_get_z(input, "status");
    struct bx_jw w;
    bx_jw_init(&w, &note);
    bx_jw_obj(&w);
    bx_jw_kstrn(&w, "text", message);
    bx_jw_kstr(&w, "status", status ? status : "normal");
    if (!write_attachments(&w, bx_val_get(input, "attachments"), ctx->grant, &arena, ret))
        return 0;
    bx_jw_end(&w);
    struct bx_err problem = {0};
    int rc = ctx->host->record(ctx, "note", bx_buf_str(&note), &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_tool_result_text(ret, false, "The user was told.");
    ret->metadata = bx_buf_steal(&note);
    return 0;
}

const struct bx_native_spec bx_native_brief = {
    .name = "Brief",
    .description =
        "Shows the user a short message while the work goes on: a result on the way, something "
        "found, a change of plan. It does not wait and asks nothing. Your last answer needs "
        "no Brief.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"message\":{\"type\":\"string\",\"maxLength\":20000,\"description\":\"What to say, in "
        "Markdown\"},"
        "\"attachments\":{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"string\"},"
        "\"description\":\"Files of the folder that go with it\"},"
        "\"status\":{\"enum\":[\"normal\",\"proactive\"],\"description\":\"proactive: the user did "
        "not ask for it\"}},"
        "\"required\":[\"message\"],\"additionalProperties\":false}",
    .example = "{\"message\":\"The tests pass; now the page.\"}",
    .path_members = "attachments",
    .execute = brief_execute,
};
