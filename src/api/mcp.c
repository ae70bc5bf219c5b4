/* MCP servers: what they are and do, and what a person decides about them. Worker threads. */
#include "mcp/mcp.h"

#include "api/call.h"
#include "base/thread.h"

#define TEST_MS 60000

static char *server_of(struct bx_api_call *c) {
    return bx_str_dup(bx_call_param(c, 0));
}

static int reply_list(struct bx_api_call *c) {
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_key(w, "servers");
    bx_mcp_write(c->api->config->mcp, w);
    bx_jw_end(w);
    return 0;
}

int bx_route_mcp_list(struct bx_api_call *c, struct bx_err *err) {
    (void)err;
    return reply_list(c);
}

static int change_entry(struct bx_api_call *c, const char *name, const struct bx_val *entry,
                        struct bx_err *err) {
    struct bx_store *store = c->api->config->store;
    bx_auto(bx_doc_freep) struct bx_doc *after = NULL;
    BX_LOCKED(&c->api->settings_mutex);
    int r = bx_settings_change(store, bx_mcp_change_entry,
                               &(struct bx_mcp_entry_change){name, entry}, err);
    if (r == 0)
        r = bx_settings_load(store, &after, err);
    return r < 0 ? r : bx_mcp_reload(c->api->config->mcp, bx_doc_root(after), err);
}

static int entry_fault(struct bx_api_call *c, struct bx_err *err) {
    struct bx_err problem = *err;
    return bx_call_fault(c, "entry", err, "%s", problem.msg);
}

int bx_route_mcp_put(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    const struct bx_val *entry = bx_val_get(c->body, "entry");
    int r = bx_mcp_check_entry(name, entry, err);
    if (r < 0)
        return entry_fault(c, err);
    r = change_entry(c, name, entry, err);
    if (r < 0)
        return r;
    bx_mcp_learn(c->api->config->mcp, 0, NULL);
    return reply_list(c);
}

int bx_route_mcp_delete(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    int r = change_entry(c, name, NULL, err);
    return r < 0 ? r : reply_list(c);
}

int bx_route_mcp_prompts(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    return bx_mcp_prompts(c->api->config->mcp, name, c->cancel, bx_call_json(c, 200), err);
}

int bx_route_mcp_restart(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    int r = bx_mcp_test(c->api->config->mcp, name, TEST_MS, c->cancel, err);
    return r < 0 ? r : reply_list(c);
}

int bx_route_mcp_approve(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    int r = bx_mcp_approve(c->api->config->mcp, name, bx_val_get_z(c->body, "tool"),
                           bx_val_get_z(c->body, "digest"), err);
    return r < 0 ? r : reply_list(c);
}

int bx_route_mcp_login(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c), *url = NULL;
    bx_auto(bx_freep) char *redirect =
        bx_asprintf("http://127.0.0.1:%u/oauth/callback", bx_http_server_port(c->api->server));
    int r = bx_mcp_login_begin(c->api->config->mcp, name, redirect, c->cancel, &url, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstr(w, "url", url);
    bx_jw_end(w);
    return 0;
}

int bx_route_mcp_logout(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = server_of(c);
    int r = bx_mcp_logout(c->api->config->mcp, name, err);
    return r < 0 ? r : reply_list(c);
}

static const char *query(struct bx_api_call *c, const char *name, struct bx_buf *out) {
    return bx_http_query(c->req, name, out) ? bx_buf_z(out) : NULL;
}

/* The browser comes here from the authorization server: what it reads is a page for a person. */
int bx_route_mcp_callback(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf state = BX_BUF_INIT(BX_KIB),
                                         code = BX_BUF_INIT(8 * BX_KIB),
                                         issuer = BX_BUF_INIT(2 * BX_KIB);
    bx_auto(bx_freep) char *server = NULL;
    int r =
        bx_mcp_login_finish(c->api->config->mcp, query(c, "state", &state), query(c, "code", &code),
                            query(c, "iss", &issuer), c->cancel, &server, err);
    bx_http_reply_init(&c->reply, r < 0 ? bx_err_http_status(r) : 200, 4 * BX_KIB);
    bx_http_reply_header(&c->reply, "Content-Type", BX_STR_LIT("text/html; charset=utf-8"));
    bx_buf_addf(&c->reply.body,
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>BoxAgnts</title>"
                "<h1>%s</h1><p>%s</p></html>",
                r < 0 ? "Not signed in" : "Signed in",
                r < 0 ? "Begin the sign-in again in BoxAgnts; its list of MCP servers says more."
                      : "You can close this page and go back to BoxAgnts.");
    return 0;
}
