/* The order in which a request is looked at: Host, where it comes from, who it is, and only then
 * what it wants. All of that happens on its head, before a byte of the body is taken. */
#include "api/call.h"
#include "api/page.h"
#include "api/socket.h"

static const char csp[] =
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; connect-src 'self'; frame-ancestors 'none'";

void bx_api_reply(struct bx_http_exchange *ex, struct bx_http_reply *take_reply) {
    static const char *const fixed[][2] = {
        {"Content-Security-Policy", csp},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(fixed); i++)
        bx_http_reply_header(take_reply, fixed[i][0], bx_str(fixed[i][1]));
    if (!strstr(bx_buf_z(&take_reply->head), "Cache-Control:"))
        bx_http_reply_header(take_reply, "Cache-Control", BX_STR_LIT("no-store"));
    bx_http_exchange_reply(ex, take_reply);
}

void bx_api_problem(struct bx_http_reply *reply, int status, const char *detail, const char *code,
                    const char *field) {
    struct bx_jw w;
    bx_http_reply_init(reply, status, 16 * BX_KIB);
    bx_http_reply_header(reply, "Content-Type", BX_STR_LIT("application/problem+json"));
    bx_jw_init(&w, &reply->body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "type", "about:blank");
    bx_jw_kstr(&w, "title", bx_http_status_text(status));
    bx_jw_kint(&w, "status", status);
    bx_jw_kstr(&w, "detail", detail);
    if (code)
        bx_jw_kstr(&w, "code", code);
    if (field && *field)
        bx_jw_kstr(&w, "field", field);
    bx_jw_end(&w);
}

static void refuse(struct bx_http_exchange *ex, int status, const char *detail, const char *code) {
    struct bx_http_reply reply;
    bx_api_problem(&reply, status, detail, code, NULL);
    bx_api_reply(ex, &reply);
}

/* What a person sees whose browser has no cookie. After a link from elsewhere a browser holds a
 * SameSite=Strict cookie back once; coming again from this very page brings it. */
static void refuse_person(struct bx_http_exchange *ex) {
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    struct bx_str site = bx_http_field(req, "sec-fetch-site");
    bool again = bx_str_ieqz(site, "cross-site") || bx_str_ieqz(site, "same-site");
    struct bx_http_reply reply;
    bx_http_reply_init(&reply, 401, 4 * BX_KIB);
    bx_http_reply_header(&reply, "Content-Type", BX_STR_LIT("text/html; charset=utf-8"));
    bx_buf_addf(&reply.body,
                "<!doctype html><html lang=\"en\"><meta "
                "charset=\"utf-8\">%s<title>BoxAgnts</title><h1>BoxAgnts</h1>"
                "<p>This browser is not signed in. Open the address that <code>boxagnts</code> "
                "printed when it started: "
                "it carries a token that works once. If it was used already, start "
                "<code>boxagnts</code> again.</p>"
                "<p><a href=\"/\">Try again</a></p></html>",
                again ? "<meta http-equiv=\"refresh\" content=\"0;url=/\">" : "");
    bx_api_reply(ex, &reply);
}

static bool is_open_path(struct bx_str path) {
    return bx_str_eqz(path, "/healthz") || bx_str_eqz(path, "/readyz") ||
           bx_str_eqz(path, "/version") ||
           bx_str_eqz(path,
                      "/oauth/callback"); /* another site sends the browser here, so without the
                                             cookie; what it carries is good once (mcp/oauth.h) */
}

static bool changes(enum bx_http_method method) {
    return method != BX_HTTP_GET && method != BX_HTTP_HEAD;
}

/* "/?token=…": 303 with the cookie when it is the token, also when this browser is known already.
 */
static bool sign_in(struct bx_api *api, struct bx_http_exchange *ex) {
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    bx_auto(bx_buf_deinit) struct bx_buf token = BX_BUF_INIT(256);
    if (!bx_str_eqz(req->path, "/") || req->method != BX_HTTP_GET ||
        !bx_http_query(req, "token", &token))
        return false;
    bool spent = bx_auth_spend_token(api->auth, bx_buf_str(&token));
    if (!spent && !bx_auth_is_known(api->auth, req))
        return false;
    struct bx_http_reply reply;
    bx_http_reply_init(&reply, 303, 0);
    bx_http_reply_header(&reply, "Location", BX_STR_LIT("/"));
    if (spent)
        bx_auth_set_cookie(api->auth, &reply);
    bx_api_reply(ex, &reply);
    return true;
}

/* False: refused. */
static bool may_pass(struct bx_api *api, struct bx_http_exchange *ex) {
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    bool is_api = bx_str_starts(req->path, "/api/") || bx_str_eqz(req->path, "/ws");
    if (!bx_auth_host_is_ours(api->auth, req)) {
        refuse(
            ex, 421,
            "this server answers to its own address only: use 127.0.0.1 or localhost with its port",
            "host");
        return false;
    }
    if ((changes(req->method) || is_api) && !bx_auth_origin_is_ours(api->auth, req)) {
        refuse(ex, 403, "this request comes from another site's page", "origin");
        return false;
    }
    if (is_open_path(req->path) || sign_in(api, ex) || bx_auth_is_known(api->auth, req))
        return true;
    if (!is_api &&
        bx_str_find_str(bx_http_field(req, "accept"), BX_STR_LIT("text/html")) != (size_t)-1)
        refuse_person(ex);
    else
        refuse(
            ex, 401,
            "who are you? A browser opens the address that was printed at start; a program sends "
            "Authorization: Bearer with the api_token of auth.json",
            "auth");
    return false;
}

static void refuse_method(struct bx_http_exchange *ex, unsigned methods) {
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    struct bx_http_reply reply;
    bx_auto(bx_buf_deinit) struct bx_buf allow = BX_BUF_INIT(100);
    bx_http_allow(methods, &allow);
    if (req->method == BX_HTTP_OPTIONS)
        bx_http_reply_init(&reply, 204, 0);
    else
        bx_api_problem(&reply, 405, "this address does not know this method", "invalid", NULL);
    bx_http_reply_header(&reply, "Allow", bx_buf_str(&allow));
    bx_api_reply(ex, &reply);
}

static void on_head(void *user, struct bx_http_exchange *ex) {
    struct bx_api *api = user;
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    struct bx_http_match match;
    const unsigned reads = 1u << BX_HTTP_GET | 1u << BX_HTTP_HEAD | 1u << BX_HTTP_OPTIONS;
    if (!may_pass(api, ex))
        return;
    if (bx_http_route_find(bx_api_routes, bx_api_route_count, req->method, req->path, &match)) {
        bx_http_exchange_set_max_body(ex, match.route->max_body_bytes);
        return;
    }
    if (match.methods)
        refuse_method(ex, match.methods);
    else if (bx_str_starts(req->path, "/api/"))
        refuse(ex, 404, "there is no such address: docs/api.md has them all", "notfound");
    else if (req->method == BX_HTTP_OPTIONS || changes(req->method))
        refuse_method(ex, reads);
    else if (bx_str_eqz(req->path, "/ws"))
        bx_socket_open(api, ex);
}

static void small_json(struct bx_http_exchange *ex, int status, const char *key,
                       const char *value) {
    struct bx_http_reply reply;
    struct bx_jw w;
    bx_http_reply_init(&reply, status, 1000);
    bx_http_reply_header(&reply, "Content-Type", BX_STR_LIT("application/json"));
    bx_jw_init(&w, &reply.body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, key, value);
    bx_jw_end(&w);
    bx_api_reply(ex, &reply);
}

static void on_request(void *user, struct bx_http_exchange *ex) {
    struct bx_api *api = user;
    const struct bx_http_request *req = bx_http_exchange_request(ex);
    struct bx_http_match match;
    struct bx_http_reply reply;
    if (bx_http_route_find(bx_api_routes, bx_api_route_count, req->method, req->path, &match))
        bx_api_call_start(api, ex, &match);
    else if (bx_str_eqz(req->path, "/healthz"))
        small_json(ex, 200, "status", "alive");
    else if (bx_str_eqz(req->path, "/readyz"))
        small_json(ex, 200, "status", "ready"); /* it listens only once all parts are there */
    else if (bx_str_eqz(req->path, "/version"))
        small_json(ex, 200, "version", BX_VERSION);
    else if (bx_static_reply(bx_page_files, bx_page_file_count, req, &reply))
        bx_api_reply(ex, &reply);
    else
        refuse(ex, 404, "there is nothing here", "notfound");
}

const struct bx_http_handler bx_api_handler = {on_head, on_request};
