#include "http/conn.h"

#include <llhttp.h>

#include "base/unwire.h"
#include "http/exchange.h"

#define MAX_OUT (80 * BX_MIB)
#define KEPT_OUT_BYTES                                                                             \
    (2 * BX_KIB) /* larger output memory is given back once sent: most sockets are idle */

enum state {
    READING,   /* a request, or waiting for one */
    ANSWERING, /* a request is whole (or refused): its reply is being made */
    SENDING,   /* the reply is in out */
    SOCKET,    /* a WebSocket */
    CLOSING,   /* the last words are in out; whatever comes is dropped */
    DEAD
};

struct bx_http_conn {
    const struct bx_http_limits *limits;
    const struct bx_http_handler *handler;
    void *user;
    void (*wake)(void *);
    void *wake_user;
    llhttp_t parser;
    enum state state;
    struct bx_http_exchange *ex;
    struct bx_ws *ws;
    struct bx_buf held, out;
    size_t out_at;
    struct bx_str fixed;
    size_t head_bytes; /* of this request, for the limit: also trailers and chunk extensions */
    int refuse_status; /* set by a parser callback that stops the parser */
    bool keep_alive, whole, busy /* wake is not needed: the transport called us */, in_flight, shut,
        eof;
    uint64_t now_ms, deadline_ms;
};

void bx_http_limits_default(struct bx_http_limits *ret) {
    *ret = (struct bx_http_limits){.max_target_bytes = 8 * BX_KIB,
                                   .max_head_bytes = 16 * BX_KIB,
                                   .max_held_bytes = 64 * BX_KIB,
                                   .head_timeout_ms = 10000,
                                   .body_timeout_ms = 60000,
                                   .idle_timeout_ms = 120000,
                                   .write_timeout_ms = 60000,
                                   .ws = {.max_message_bytes = BX_MIB, .ping_every_ms = 30000}};
}

/* --- the parser's callbacks: they only collect and check
 * ------------------------------------------------------ */

static int stop_with(struct bx_http_conn *c, int status) {
    c->refuse_status = status;
    return -1;
}

static int count_head(struct bx_http_conn *c, size_t n) {
    c->head_bytes += n;
    return c->head_bytes > c->limits->max_head_bytes ? stop_with(c, 431) : 0;
}

static int on_begin(llhttp_t *p) {
    struct bx_http_conn *c = p->data;
    c->ex = bx_http_exchange_new(c, c->limits);
    c->head_bytes = 0;
    c->whole = false;
    c->deadline_ms = c->now_ms + c->limits->head_timeout_ms;
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t n) {
    struct bx_http_conn *c = p->data;
    struct bx_http_request *r = &c->ex->request;
    if (n > c->limits->max_target_bytes - r->target.n)
        return stop_with(c, 414);
    r->target.n += n;
    return bx_buf_add(&r->text, at, n) < 0 ? stop_with(c, 414) : 0;
}

static int on_name(llhttp_t *p, const char *at, size_t n) {
    struct bx_http_conn *c = p->data;
    int r = count_head(c, n + 4);  /* ": " and CRLF */
    if (r < 0 || c->ex->head_done) /* trailers are counted and dropped */
        return r;
    return bx_http_exchange_add_name(c->ex, at, n) < 0 ? stop_with(c, 431) : 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n) {
    struct bx_http_conn *c = p->data;
    int r = count_head(c, n);
    if (r < 0 || c->ex->head_done)
        return r;
    return bx_http_exchange_add_value(c->ex, at, n) < 0 ? stop_with(c, 431) : 0;
}

static int on_extension(llhttp_t *p, const char *at, size_t n) {
    (void)at;
    return count_head(p->data, n);
}

static bool method_of(const llhttp_t *p, enum bx_http_method *ret) {
    switch (llhttp_get_method((llhttp_t *)p)) {
    case HTTP_GET:
        *ret = BX_HTTP_GET;
        return true;
    case HTTP_HEAD:
        *ret = BX_HTTP_HEAD;
        return true;
    case HTTP_POST:
        *ret = BX_HTTP_POST;
        return true;
    case HTTP_PUT:
        *ret = BX_HTTP_PUT;
        return true;
    case HTTP_PATCH:
        *ret = BX_HTTP_PATCH;
        return true;
    case HTTP_DELETE:
        *ret = BX_HTTP_DELETE;
        return true;
    case HTTP_OPTIONS:
        *ret = BX_HTTP_OPTIONS;
        return true;
    default:
        return false;
    }
}

/* Does the head allow its body? Answers, and returns false, when not. */
static bool check_body(struct bx_http_conn *c, const llhttp_t *p) {
    struct bx_http_exchange *ex = c->ex;
    struct bx_str expect = bx_http_field(&ex->request, "expect");
    if (bx_unwired("body_limit"))
        ex->max_body_bytes = 64 * BX_MIB;
    if (!(p->flags & F_CHUNKED) && p->content_length > ex->max_body_bytes)
        bx_http_exchange_refuse(ex, 413, "The body is larger than this address takes");
    else if (expect.p && !bx_str_ieqz(expect, "100-continue"))
        bx_http_exchange_refuse(ex, 417, "The only expectation is 100-continue");
    else if (expect.p && p->http_minor > 0)
        bx_buf_addz(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    bx_buf_init(&ex->request.body, ex->max_body_bytes);
    return !ex->replied;
}

static int on_head(llhttp_t *p) {
    struct bx_http_conn *c = p->data;
    struct bx_http_exchange *ex = c->ex;
    const char *why = "This server speaks the HTTP versions 1.0 and 1.1";
    bool known = method_of(p, &ex->request.method);
    bool has_body = ex->has_body = (p->flags & F_CHUNKED) || p->content_length > 0;
    int status = p->http_major == 1 && p->http_minor <= 1 ? 0 : 505;
    if (!status && !known) {
        status = 501;
        why = "This method is not known here";
    }
    if (!status)
        status = bx_http_exchange_finish_head(ex, &why);
    if (status)
        bx_http_exchange_refuse(ex, status, why);
    else
        c->handler->on_head(c->user, ex);
    if (c->ws) {
        p->upgrade = 1;
        return 2; /* no body: the bytes behind the head are frames */
    }
    p->upgrade = 0; /* any other offer to upgrade is declined by ignoring it */
    c->deadline_ms = c->now_ms + c->limits->body_timeout_ms;
    if (has_body && (ex->replied || !check_body(c, p))) {
        ex->reply.close = true; /* nobody reads that body */
        return HPE_PAUSED;
    }
    return status ? HPE_PAUSED : 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n) {
    struct bx_http_conn *c = p->data;
    return bx_buf_add(&c->ex->request.body, at, n) < 0 ? stop_with(c, 413) : 0;
}

static int on_complete(llhttp_t *p) {
    struct bx_http_conn *c = p->data;
    c->whole = true;
    c->keep_alive = llhttp_should_keep_alive(p) == 1;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_message_begin = on_begin,
                                           .on_url = on_url,
                                           .on_header_field = on_name,
                                           .on_header_value = on_value,
                                           .on_chunk_extension_name = on_extension,
                                           .on_chunk_extension_value = on_extension,
                                           .on_headers_complete = on_head,
                                           .on_body = on_body,
                                           .on_message_complete = on_complete};

/* --- replies
 * ----------------------------------------------------------------------------------------------------
 */

static void send_reply(struct bx_http_conn *c) {
    struct bx_http_exchange *ex = c->ex;
    struct bx_http_reply *reply = &ex->reply;
    bool keep = c->keep_alive && !reply->close && !c->shut && reply->status != 101;
    bx_http_reply_write_head(reply, keep, &c->out);
    if (ex->request.method != BX_HTTP_HEAD && reply->status != 204 && reply->status != 304) {
        if (reply->fixed.p)
            c->fixed = reply->fixed;
        else
            bx_buf_adds(&c->out, bx_buf_str(&reply->body));
    }
    c->state = c->ws ? SOCKET : keep ? SENDING : CLOSING;
    c->deadline_ms = c->now_ms + c->limits->write_timeout_ms;
    ex->conn = NULL;
    bx_http_exchange_unref(bx_steal(&c->ex));
    if (bx_buf_failed(&c->out))
        c->state = DEAD;
}

void bx_http_conn_replied(struct bx_http_conn *c, struct bx_http_exchange *ex) {
    assert(c->ex == ex);
    if (c->state != ANSWERING)
        return; /* still reading it: advance() sends the reply when the parser has come back */
    send_reply(c);
    if (!c->busy)
        c->wake(c->wake_user);
}

static void ws_wake(void *user) {
    struct bx_http_conn *c = user;
    if (!c->busy)
        c->wake(c->wake_user);
}

struct bx_ws *bx_http_conn_upgrade(struct bx_http_conn *c, const struct bx_ws_handler *handler,
                                   void *user) {
    c->ws = bx_ws_new(&c->limits->ws, handler, user, &c->out, ws_wake, c, c->now_ms);
    return c->ws;
}

static int status_of(llhttp_errno_t error) {
    return error == HPE_INVALID_VERSION ? 505 : error == HPE_INVALID_METHOD ? 501 : 400;
}

static const char *why_of(int status) {
    switch (status) {
    case 408:
        return "The request took too long to arrive";
    case 413:
        return "The body is larger than this address takes";
    case 414:
        return "The address is too long";
    case 431:
        return "The header is too large";
    case 501:
        return "This method is not known here";
    case 505:
        return "This server speaks the HTTP versions 1.0 and 1.1";
    default:
        return "This is not a valid HTTP request";
    }
}

/* The parser cannot go on: the last reply of this connection. */
static void refuse(struct bx_http_conn *c, int status) {
    if (!c->ex)
        c->ex = bx_http_exchange_new(c, c->limits);
    c->state = ANSWERING;
    c->keep_alive = false;
    if (c->ex->replied)
        send_reply(c);
    else
        bx_http_exchange_refuse(c->ex, status, why_of(status));
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------
 */

/* A request was parsed as far as it will be. */
static void request_ended(struct bx_http_conn *c) {
    struct bx_http_exchange *ex = c->ex;
    c->state = ANSWERING;
    if (!c->whole)
        c->keep_alive = false;
    c->deadline_ms = UINT64_MAX;
    if (ex->replied)
        send_reply(c);
    else
        c->handler->on_request(c->user, ex);
}

static void hold(struct bx_http_conn *c, const char *p, size_t n) {
    if (n && bx_buf_add(&c->held, p, n) < 0)
        c->state = DEAD;
}

static void advance(struct bx_http_conn *c, const char *p, size_t n) {
    if (c->state == SOCKET) {
        bx_ws_feed(c->ws, p, n, c->now_ms);
        return;
    }
    if (c->state == ANSWERING || c->state == SENDING)
        hold(c, p, n);
    if (c->state != READING || n == 0)
        return;
    llhttp_errno_t error = llhttp_execute(&c->parser, p, n);
    if (error == HPE_OK)
        return;
    if (error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
        refuse(c, c->refuse_status ? c->refuse_status : status_of(error));
        return;
    }
    const char *rest = llhttp_get_error_pos(&c->parser);
    size_t left = n - (size_t)(rest - p);
    request_ended(c);
    if (c->state == SOCKET)
        bx_ws_feed(c->ws, rest, left, c->now_ms);
    else if (c->state == ANSWERING || c->state == SENDING)
        hold(c, rest, left);
}

void bx_http_conn_feed(struct bx_http_conn *c, const char *p, size_t n, uint64_t now_ms) {
    c->now_ms = now_ms;
    c->busy = true;
    advance(c, p, n);
    c->busy = false;
}

void bx_http_conn_eof(struct bx_http_conn *c) {
    c->busy = c->eof = true;
    if (c->state == ANSWERING) {
        c->keep_alive = false; /* perhaps only its sending side is shut: the reply is still tried */
        bx_http_exchange_leave(c->ex);
    } else if (c->state == SENDING) {
        c->state = CLOSING;
    } else if (c->state != CLOSING) {
        c->state = DEAD;
    }
    c->busy = false;
}

bool bx_http_conn_wants_read(const struct bx_http_conn *c) {
    if (c->eof)
        return false;
    switch (c->state) {
    case READING:
        return true;
    case ANSWERING:
        return c->held.size < c->limits->max_held_bytes;
    case SOCKET:
        return !c->in_flight; /* a client that does not read gets no answers, and so may not ask */
    case CLOSING:
        return true;
    default:
        return false;
    }
}

/* --- output
 * ------------------------------------------------------------------------------------------------------
 */

size_t bx_http_conn_peek(const struct bx_http_conn *c, struct bx_str ret[static 2]) {
    size_t n = 0;
    if (c->state == DEAD || c->in_flight)
        return 0;
    if (c->out.size > c->out_at)
        ret[n++] = (struct bx_str){c->out.p + c->out_at, c->out.size - c->out_at};
    if (c->fixed.n)
        ret[n++] = c->fixed;
    return n;
}

static void drop_out(struct bx_http_conn *c) {
    c->out_at = 0;
    if (c->out.cap > KEPT_OUT_BYTES)
        bx_buf_deinit(&c->out);
    else
        bx_buf_reset(&c->out);
}

/* Something went out or was handed over: the client has this long to take the rest. */
static void write_progress(struct bx_http_conn *c) {
    if (c->state == SENDING || c->state == CLOSING || c->state == SOCKET)
        c->deadline_ms = c->now_ms + c->limits->write_timeout_ms;
}

void bx_http_conn_consume(struct bx_http_conn *c, size_t n) {
    size_t from_out = BX_MIN(n, c->out.size - c->out_at);
    c->out_at += from_out;
    if (c->out_at == c->out.size)
        drop_out(c);
    n -= from_out;
    c->fixed = n == c->fixed.n ? (struct bx_str){NULL, 0} : bx_str_slice(c->fixed, n, c->fixed.n);
    write_progress(c);
}

void bx_http_conn_take(struct bx_http_conn *c, struct bx_http_output *ret) {
    size_t at = c->out_at, size = c->out.size;
    *ret = (struct bx_http_output){.p = bx_buf_steal(&c->out)};
    ret->pieces[0] = (struct bx_str){ret->p + at, size - at};
    ret->pieces[1] = c->fixed;
    c->out_at = 0;
    c->fixed = (struct bx_str){NULL, 0};
    c->in_flight = true;
    write_progress(c);
    if (c->ws)
        bx_ws_set_in_flight(c->ws, true);
}

static void next_request(struct bx_http_conn *c) {
    struct bx_buf held = c->held;
    c->held = BX_BUF_INIT(held.max);
    c->state = READING;
    c->deadline_ms = c->now_ms + c->limits->idle_timeout_ms;
    llhttp_resume(&c->parser);
    advance(c, held.p, held.size);
    bx_buf_deinit(&held);
}

void bx_http_conn_flushed(struct bx_http_conn *c, uint64_t now_ms) {
    c->now_ms = now_ms;
    c->in_flight = false;
    c->busy = true;
    if (c->state == SOCKET) {
        bx_ws_set_in_flight(c->ws, false);
        bx_ws_flushed(c->ws);
    } else if (c->state == SENDING && c->out.size == 0 && c->fixed.n == 0) {
        if (c->shut)
            c->state = CLOSING;
        else
            next_request(c);
    }
    c->busy = false;
}

/* --- life
 * --------------------------------------------------------------------------------------------------------
 */

struct bx_http_conn *bx_http_conn_new(const struct bx_http_limits *limits,
                                      const struct bx_http_handler *handler, void *user,
                                      void (*wake)(void *wake_user), void *wake_user,
                                      uint64_t now_ms) {
    struct bx_http_conn *c = bx_new(struct bx_http_conn);
    c->limits = limits;
    c->handler = handler;
    c->user = user;
    c->wake = wake;
    c->wake_user = wake_user;
    c->now_ms = now_ms;
    c->deadline_ms = now_ms + limits->idle_timeout_ms;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
    bx_buf_init(&c->held, limits->max_held_bytes + BX_HTTP_READ_BYTES);
    bx_buf_init(&c->out, MAX_OUT);
    return c;
}

void bx_http_conn_free(struct bx_http_conn *c) {
    if (!c)
        return;
    c->busy = true;
    c->state = DEAD;
    if (c->ex) {
        c->ex->conn = NULL;
        bx_http_exchange_leave(c->ex);
        bx_http_exchange_unref(c->ex);
    }
    bx_ws_free(c->ws);
    bx_buf_deinit(&c->held);
    bx_buf_deinit(&c->out);
    bx_free(c);
}

enum bx_http_end bx_http_conn_end(const struct bx_http_conn *c) {
    bool pending = c->in_flight || c->out.size > c->out_at || c->fixed.n;
    if (c->state == DEAD)
        return BX_HTTP_ABORT;
    if (c->state == SOCKET && bx_ws_is_over(c->ws))
        return pending ? BX_HTTP_OPEN : BX_HTTP_LINGER;
    return c->state == CLOSING && !pending ? BX_HTTP_LINGER : BX_HTTP_OPEN;
}

uint64_t bx_http_conn_deadline_ms(const struct bx_http_conn *c) {
    if (c->state == SOCKET && !c->in_flight)
        return bx_ws_deadline_ms(c->ws);
    return c->deadline_ms;
}

void bx_http_conn_tick(struct bx_http_conn *c, uint64_t now_ms) {
    c->now_ms = now_ms;
    if (now_ms < bx_http_conn_deadline_ms(c))
        return;
    c->busy = true;
    if (c->state == SOCKET && !c->in_flight)
        bx_ws_tick(c->ws, now_ms);
    else if (c->state == READING && c->ex)
        refuse(c, 408);
    else
        c->state = DEAD; /* idle, or a client that does not read */
    c->busy = false;
}

void bx_http_conn_shut(struct bx_http_conn *c) {
    c->shut = true;
    c->busy = true;
    if (c->state == SOCKET)
        bx_ws_close(c->ws, BX_WS_GOING_AWAY, "the server stops");
    else if (c->state == READING)
        c->state = CLOSING;
    c->busy = false;
}
