#include "api/call.h"

#include "base/id.h"

#define MAX_REPLY (64 * BX_MIB)

static void free_call(struct bx_api_call *c) {
    bx_http_exchange_unref(c->ex);
    bx_doc_free(c->doc);
    bx_http_reply_deinit(&c->reply);
    bx_cancel_unref(c->cancel);
    bx_free(c);
}

static void fail(struct bx_api_call *c, int code, const char *message) {
    bx_http_reply_deinit(&c->reply);
    bx_api_problem(&c->reply, bx_err_http_status(code), message, bx_err_name(code), c->field);
}

static int read_body(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_buf *body = &c->req->body;
    if (!c->route->members)
        return 0;
    struct bx_str type = bx_http_field(c->req, "content-type");
    size_t semicolon = bx_str_find(type, ';');
    if (body->size &&
        !bx_str_ieqz(bx_str_trim(bx_str_slice(type, 0, semicolon)), "application/json")) {
        bx_api_problem(&c->reply, 415, "the body must be JSON: send Content-Type: application/json",
                       "invalid", NULL);
        return 1;
    }
    int r = bx_body_parse(bx_buf_str(body), c->route->members, &c->doc, c->field, err);
    if (r == 0)
        c->body = bx_doc_root(c->doc);
    return r;
}

/* A value that cannot be read would be one that was not given: another question than the one that
 * was asked. */
static int check_query(struct bx_api_call *c, struct bx_err *err) {
    struct bx_str rest = c->req->query, pair;
    while (bx_str_split(&rest, '&', &pair)) {
        bx_auto(bx_buf_deinit) struct bx_buf value = BX_BUF_INIT(BX_CALL_QUERY_MAX);
        size_t equals = bx_str_find(pair, '=');
        if (bx_http_decode(pair, true, &value))
            return bx_call_fault(
                c, "", err,
                "\"%.*s\" in the address cannot be read: it is longer than %zu KiB, "
                "is not percent-encoded or holds a control character",
                (int)BX_MIN(BX_MIN(equals, pair.n), (size_t)60), pair.p,
                BX_CALL_QUERY_MAX / BX_KIB);
    }
    return 0;
}

static void work(void *user) {
    struct bx_api_call *c = user;
    struct bx_err err = {0};
    int r = check_query(c, &err);
    if (r == 0)
        r = read_body(c, &err);
    if (r == 0)
        r = c->route->run(c, &err);
    if (r < 0)
        fail(c, r, err.msg[0] ? err.msg : bx_err_text(r));
}

static void done(void *user) {
    struct bx_api_call *c = user;
    bx_api_reply(c->ex, &c->reply);
    free_call(c);
}

static void on_gone(void *user) {
    bx_cancel_fire(user, "the client left");
}

void bx_api_call_start(struct bx_api *api, struct bx_http_exchange *ex,
                       const struct bx_http_match *match) {
    struct bx_api_call *c = bx_new(struct bx_api_call);
    c->api = api;
    c->ex = bx_http_exchange_ref(ex);
    c->req = bx_http_exchange_request(ex);
    c->match = *match;
    c->route = match->route->target;
    if (c->route->slow || c->route->cancels) {
        c->cancel = bx_cancel_new(api->cancel);
        bx_http_exchange_on_gone(ex, on_gone,
                                 c->cancel); /* lives until the reply, as this call does */
    }
    if (!bx_workers_run(c->route->slow ? api->slow : api->quick, work, done, c)) {
        fail(c, BX_ERR_UNAVAILABLE, "too much is waiting: try again in a moment");
        done(c);
    }
}

struct bx_jw *bx_call_json(struct bx_api_call *c, int status) {
    bx_http_reply_init(&c->reply, status, MAX_REPLY);
    bx_http_reply_header(&c->reply, "Content-Type", BX_STR_LIT("application/json"));
    bx_jw_init(&c->json, &c->reply.body);
    return &c->json;
}

void bx_call_empty(struct bx_api_call *c, int status) {
    bx_http_reply_init(&c->reply, status, 0);
}

struct bx_str bx_call_param(const struct bx_api_call *c, size_t index) {
    assert(index < c->match.param_count);
    return c->match.params[index];
}

int bx_call_session_id(struct bx_api_call *c, char ret[static 37], struct bx_err *err) {
    struct bx_str id = bx_call_param(c, 0);
    if (!bx_id_is_valid(id))
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no such session");
    memcpy(ret, id.p, BX_ID_LEN);
    ret[BX_ID_LEN] = '\0';
    return 0;
}

int bx_call_session(struct bx_api_call *c, struct bx_session **ret, struct bx_err *err) {
    char id[37];
    int r = bx_call_session_id(c, id, err);
    return r < 0 ? r : bx_session_open(c->api->config->store, id, ret, err);
}

int bx_call_query_uint(struct bx_api_call *c, const char *name, uint64_t min, uint64_t max,
                       uint64_t fallback, uint64_t *ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    uint64_t n = fallback;
    if (bx_http_query(c->req, name, &text) &&
        (!bx_str_to_u64(bx_buf_str(&text), &n) || n < min || n > max))
        return bx_call_fault(c, name, err, "\"%s\" must be a number from %" PRIu64 " to %" PRIu64,
                             name, min, max);
    *ret = n;
    return 0;
}

int bx_call_fault(struct bx_api_call *c, const char *field, struct bx_err *err, const char *fmt,
                  ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(c->field, sizeof c->field, "%s", field);
    return bx_fail(err, BX_ERR_INVALID, "%s", text);
}
