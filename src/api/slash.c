/* What the message box completes and does: slash commands, and files behind an @. Worker threads.
 */
#include "agent/slash.h"
#include "api/call.h"
#include "api/files.h"

int bx_route_commands(struct bx_api_call *c, struct bx_err *err) {
    (void)err;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "commands");
    bx_slash_list(c->api->config->agent, w);
    bx_jw_end(w);
    bx_jw_end(w);
    return 0;
}

static void write_result(struct bx_jw *w, const struct bx_slash_result *r) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "kind", bx_slash_kind_name(r->kind));
    if (r->text)
        bx_jw_kstr(w, "text", r->text);
    if (r->id[0]) /* "run", "queued" or "session" */
        bx_jw_kstr(w, bx_slash_kind_name(r->kind), r->id);
    if (r->what)
        bx_jw_kstr(w, "what", r->what);
    bx_jw_end(w);
}

int bx_route_session_command(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    struct bx_slash_env env = {.doctor = config->doctor, .user = config->user};
    struct bx_slash_result result = {0};
    r = bx_agent_slash(config->agent, session, bx_val_get_str(c->body, "text"), &env, &result, err);
    if (r == 0)
        write_result(bx_call_json(c, 200), &result);
    else if (r == BX_ERR_INVALID)
        snprintf(c->field, sizeof c->field, "text");
    bx_slash_result_deinit(&result);
    return r;
}

int bx_route_files(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf query = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    uint64_t limit;
    int r = bx_call_query_uint(c, "limit", 1, 200, 20, &limit, err);
    if (r < 0)
        return r;
    bx_http_query(c->req, "q", &query);
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_files_complete(c->api->config->root, bx_buf_str(&query), (size_t)limit, w);
    bx_jw_end(w);
    return 0;
}
