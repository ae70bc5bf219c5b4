#include "http/exchange.h"

#include "http/sha1.h"

struct bx_http_exchange *bx_http_exchange_new(struct bx_http_conn *conn,
                                              const struct bx_http_limits *limits) {
    struct bx_http_exchange *ex = bx_new(struct bx_http_exchange);
    ex->refs = 1;
    ex->conn = conn;
    /* target and fields together; each has its own, smaller limit */
    bx_buf_init(&ex->request.text, limits->max_target_bytes + limits->max_head_bytes);
    bx_buf_init(&ex->request.path_text, limits->max_target_bytes + 1);
    return ex;
}

struct bx_http_exchange *bx_http_exchange_ref(struct bx_http_exchange *ex) {
    ex->refs++;
    return ex;
}

void bx_http_exchange_unref(struct bx_http_exchange *ex) {
    if (!ex || --ex->refs > 0)
        return;
    bx_buf_deinit(&ex->request.text);
    bx_buf_deinit(&ex->request.path_text);
    bx_buf_deinit(&ex->request.body);
    bx_http_reply_deinit(&ex->reply);
    bx_free(ex);
}

void bx_http_exchange_leave(struct bx_http_exchange *ex) {
    void (*fn)(void *) = ex->replied ? NULL : ex->on_gone;
    ex->on_gone = NULL;
    if (fn)
        fn(ex->gone_user);
}

const struct bx_http_request *bx_http_exchange_request(const struct bx_http_exchange *ex) {
    return &ex->request;
}

void bx_http_exchange_set_max_body(struct bx_http_exchange *ex, size_t max_body_bytes) {
    ex->max_body_bytes = max_body_bytes;
}

void bx_http_exchange_set_route(struct bx_http_exchange *ex, const void *route) {
    ex->route = route;
}

const void *bx_http_exchange_route(const struct bx_http_exchange *ex) {
    return ex->route;
}

void bx_http_exchange_on_gone(struct bx_http_exchange *ex, void (*fn)(void *user), void *user) {
    ex->on_gone = fn;
    ex->gone_user = user;
}

void bx_http_exchange_reply(struct bx_http_exchange *ex, struct bx_http_reply *take_reply) {
    if (ex->replied) {
        bx_http_reply_deinit(take_reply);
        return;
    }
    ex->reply = *take_reply;
    *take_reply = (struct bx_http_reply){0};
    if (bx_buf_failed(&ex->reply.head) || bx_buf_failed(&ex->reply.body)) {
        const char *why = bx_buf_failed(&ex->reply.head)
                              ? "The reply has a header that cannot be sent"
                              : "The reply is too large: ask for less at a time";
        bx_http_reply_deinit(&ex->reply);
        bx_http_reply_refuse(&ex->reply, 500, why);
    }
    ex->replied = true;
    ex->on_gone = NULL;
    if (ex->conn)
        bx_http_conn_replied(ex->conn, ex);
}

void bx_http_exchange_refuse(struct bx_http_exchange *ex, int status, const char *detail) {
    struct bx_http_reply reply;
    bx_http_reply_refuse(&reply, status, detail);
    reply.close = true;
    bx_http_exchange_reply(ex, &reply);
}

int bx_http_exchange_add_name(struct bx_http_exchange *ex, const char *p, size_t n) {
    struct bx_http_request *r = &ex->request;
    if (ex->in_value || r->field_count == 0) {
        if (r->field_count == BX_HTTP_MAX_FIELDS)
            return BX_ERR_LIMIT;
        r->field_count++;
        ex->in_value = false;
    }
    r->fields[r->field_count - 1].name.n += n;
    return bx_buf_add(&r->text, p, n);
}

int bx_http_exchange_add_value(struct bx_http_exchange *ex, const char *p, size_t n) {
    struct bx_http_request *r = &ex->request;
    ex->in_value = true;
    r->fields[r->field_count - 1].value.n += n;
    return bx_buf_add(&r->text, p, n);
}

/* Sizes are known, the memory has stopped moving: now the views. */
static void make_views(struct bx_http_request *r) {
    const char *p = r->text.p;
    r->target.p = p;
    p += r->target.n;
    for (size_t i = 0; i < r->field_count; i++) {
        r->fields[i].name.p = p;
        p += r->fields[i].name.n;
        struct bx_str value = {p, r->fields[i].value.n};
        p += value.n;
        r->fields[i].value = bx_str_trim(value);
    }
}

static int split_target(struct bx_http_request *r) {
    if (r->method == BX_HTTP_OPTIONS && bx_str_eqz(r->target, "*")) {
        r->path = r->target;
        return 0;
    }
    if (r->target.n == 0 || r->target.p[0] != '/' || bx_str_find(r->target, '#') != (size_t)-1)
        return BX_ERR_INVALID;
    size_t mark = bx_str_find(r->target, '?');
    struct bx_str path = mark == (size_t)-1 ? r->target : bx_str_slice(r->target, 0, mark);
    if (mark != (size_t)-1)
        r->query = bx_str_slice(r->target, mark + 1, r->target.n);
    int status = bx_http_decode(path, false, &r->path_text);
    r->path = bx_buf_str(&r->path_text);
    return status;
}

int bx_http_exchange_finish_head(struct bx_http_exchange *ex, const char **ret_why) {
    /* fields whose doubles could be read in two ways */
    static const char *const single[] = {"host",
                                         "content-length",
                                         "transfer-encoding",
                                         "content-type",
                                         "authorization",
                                         "origin",
                                         "cookie",
                                         "expect",
                                         "upgrade",
                                         "sec-websocket-key"};
    struct bx_http_request *r = &ex->request;
    ex->head_done = true;
    make_views(r);
    if (split_target(r) < 0) {
        *ret_why = "The target must be a path that begins with a slash and has valid escapes";
        return 400;
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(single); i++) {
        if (bx_http_field_count(r, single[i]) > 1) {
            *ret_why = "A header field came twice that may come once only";
            return 400;
        }
    }
    if (bx_http_field(r, "host").n == 0) {
        *ret_why = "The Host header is missing";
        return 400;
    }
    struct bx_str coding = bx_http_field(r, "transfer-encoding");
    if (coding.p && bx_http_field_count(r, "content-length")) {
        *ret_why = "Content-Length and Transfer-Encoding exclude each other";
        return 400;
    }
    if (coding.p && !bx_str_ieqz(coding, "chunked")) {
        *ret_why = "The only transfer coding is chunked";
        return 501;
    }
    return 0;
}

static bool is_handshake(const struct bx_http_exchange *ex) {
    const struct bx_http_request *r = &ex->request;
    return !ex->has_body && r->method == BX_HTTP_GET &&
           bx_http_field_has_token(r, "upgrade", "websocket") &&
           bx_http_field_has_token(r, "connection", "upgrade") &&
           bx_base64_is(bx_http_field(r, "sec-websocket-key"), 16);
}

static void add_accept(const struct bx_http_request *r, struct bx_http_reply *reply) {
    struct bx_buf text = BX_BUF_INIT(256);
    unsigned char hash[20];
    bx_buf_adds(&text, bx_http_field(r, "sec-websocket-key"));
    bx_buf_addz(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    bx_sha1(bx_buf_str(&text), hash);
    bx_buf_reset(&text);
    bx_base64_add(&text, hash, sizeof hash);
    bx_http_reply_header(reply, "Sec-WebSocket-Accept", bx_buf_str(&text));
    bx_buf_deinit(&text);
}

struct bx_ws *bx_http_exchange_upgrade(struct bx_http_exchange *ex,
                                       const struct bx_ws_handler *handler, void *user) {
    const struct bx_http_request *r = &ex->request;
    if (!bx_str_eqz(bx_http_field(r, "sec-websocket-version"), "13") || !is_handshake(ex)) {
        struct bx_http_reply reply;
        bool version = is_handshake(ex);
        bx_http_reply_refuse(&reply, version ? 426 : 400,
                             version ? "This server speaks WebSocket version 13 only"
                                     : "This address wants a WebSocket handshake");
        bx_http_reply_header(&reply, "Sec-WebSocket-Version", BX_STR_LIT("13"));
        bx_http_reply_header(&reply, "Upgrade", BX_STR_LIT("websocket"));
        bx_http_exchange_reply(ex, &reply);
        return NULL;
    }
    struct bx_http_reply reply;
    bx_http_reply_init(&reply, 101, 0);
    bx_http_reply_header(&reply, "Upgrade", BX_STR_LIT("websocket"));
    bx_http_reply_header(&reply, "Connection", BX_STR_LIT("Upgrade"));
    add_accept(r, &reply);
    struct bx_ws *ws =
        ex->conn && !ex->replied ? bx_http_conn_upgrade(ex->conn, handler, user) : NULL;
    bx_http_exchange_reply(ex, &reply);
    return ws;
}
