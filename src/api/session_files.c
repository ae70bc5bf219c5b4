/* Sessions as documents: export, import. Worker threads. */
#include "api/sessions.h"
#include "store/export.h"
#include "store/import.h"

#define EXPORT_MAX (64 * BX_MIB)

int bx_route_session_export(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf format = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    bool html = bx_http_query(c->req, "format", &format) && bx_str_eqz(bx_buf_str(&format), "html");
    if (!html && format.size && !bx_str_eqz(bx_buf_str(&format), "json"))
        return bx_call_fault(c, "format", err, "\"format\" must be json or html");
    uint64_t executors;
    if ((r = bx_call_query_uint(c, "executors", 0, 1, 1, &executors, err)) < 0)
        return r;
    bx_http_reply_init(&c->reply, 200, EXPORT_MAX);
    bx_http_reply_header(&c->reply, "Content-Type",
                         bx_str(html ? "text/html; charset=utf-8" : "application/json"));
    bx_http_reply_headerf(&c->reply, "Content-Disposition",
                          "attachment; filename=\"boxagnts-%s.%s\"", bx_session_header(session)->id,
                          html ? "html" : "json");
    struct bx_store *store = c->api->config->store;
    return html ? bx_session_export_html(store, session, executors == 1, &c->reply.body, err)
                : bx_session_export_json(store, session, executors == 1, &c->reply.body, err);
}

int bx_route_session_import(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_warnings_deinit) struct bx_warnings warnings = {.texts = {0}};
    struct bx_session_row row;
    int r = bx_session_import(c->api->config->store, bx_buf_str(&c->req->body),
                              c->api->config->root, &session, &warnings, err);
    if (r == 0)
        r = bx_store_row(c->api->config->store, bx_session_header(session)->id, &row, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 201);
    bx_jw_obj(w);
    bx_jw_key(w, "session");
    bx_api_write_row(w, c->api->config->agent, &row);
    bx_jw_karr(w, "warnings");
    for (size_t i = 0; i < warnings.texts.n; i++)
        bx_jw_z(w, warnings.texts.p[i]);
    bx_jw_end(w);
    bx_jw_end(w);
    bx_session_row_deinit(&row);
    return 0;
}
