/* A server behind a URL: each message is a POST whose answer is JSON or a stream of events; or the
 * older transport (2024-11-05), where one GET stream carries all answers.
 *
 * A call's exchange runs on the calling thread. A thread of the wire holds the stream on which a
 * server tells of changes, or all answers of the older transport. */
#include "base/clock.h"
#include "base/arena.h"
#include "base/vec.h"
#include "fetch/fetch.h"
#include "fetch/sse.h"
#include "fetch/url.h"
#include "mcp/wire.h"

#define HEADERS_MAX      64
#define ERROR_BODY_MAX   (64 * BX_KIB)
#define SAY_CANCELLED_MS 80
#define LISTEN_WAIT_MS   UINT64_C(86400000)
#define BACKOFF_MAX_MS   30000

struct http {
    struct bx_mcp_wire wire;
    struct bx_mcp_wire_config config;
    char *url;
    BX_VEC(struct bx_fetch_header) headers; /* the configured ones, filled in */
    bool sse;
    struct bx_cancel *closing;
    pthread_t listener;
    bool listens;
    struct bx_mcp_waiters waiters; /* sse only */
    pthread_mutex_t lock;          /* of: */
    pthread_cond_t changed;
    char *session, *version, *endpoint, *challenge;
    bool expired; /* the session is gone at the server */
};

/* One POST or GET, and what came of it. */
struct reply {
    struct http *http;
    const struct bx_mcp_exchange *x; /* NULL for notifications and listening */
    int status;
    bool events, found;
    struct bx_sse reader;
    struct bx_buf body;
    struct bx_doc *doc;
    struct bx_rpc message;
};

static void reply_deinit(struct reply *r) {
    bx_sse_deinit(&r->reader);
    bx_buf_deinit(&r->body);
    bx_doc_free(r->doc);
}

static void keep(struct http *h, char **slot, const char *value) {
    BX_LOCKED(&h->lock);
    bx_free(*slot);
    *slot = bx_strdup(value);
}

static char *copy(struct http *h, char *const *slot) {
    BX_LOCKED(&h->lock);
    return bx_strdup(*slot);
}

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    (void)err;
    struct reply *r = user;
    const char *type = bx_fetch_head_get(head, "content-type");
    const char *session = bx_fetch_head_get(head, "mcp-session-id");
    r->status = head->status;
    r->events = type && bx_str_starts(bx_str(type), "text/event-stream");
    if (session && head->status < 300 && strlen(session) < 1000)
        keep(r->http, &r->http->session, session);
    if (head->status == 401)
        keep(r->http, &r->http->challenge, bx_fetch_head_get(head, "www-authenticate"));
    return 0;
}

static void deliver(struct reply *r, struct bx_doc *doc, const struct bx_rpc *m) {
    const struct bx_mcp_exchange *x = r->x;
    if (x && m->kind == BX_RPC_RESPONSE && !r->found && (bx_rpc_id_is(m, x->id) || !m->id)) {
        r->doc = doc;
        r->message = *m;
        r->found = true;
        return;
    }
    if (x && bx_rpc_progress_id(m) == x->id && x->on_progress) {
        bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * BX_KIB);
        bx_rpc_progress_text(m, &text);
        x->on_progress(x->user, bx_buf_str(&text));
    } else if (r->http->sse && bx_mcp_waiters_give(&r->http->waiters, doc, m)) {
        return;
    } else if (m->kind != BX_RPC_RESPONSE) {
        r->http->config.on_message(r->http->config.user, &r->http->wire, m);
    }
    bx_doc_free(doc);
}

/* The older transport says first where messages go; only to the place that the stream came from. */
static int take_endpoint(struct http *h, struct bx_str path, struct bx_err *err) {
    bx_auto(bx_freep) char *url = NULL, *text = bx_str_dup(bx_str_trim(path));
    struct bx_url base = {NULL}, target = {NULL};
    int rc = bx_url_parse(h->url, &base, err);
    if (rc)
        return rc;
    bool v6 = strchr(base.host, ':');
    if (strstr(text, "://"))
        url = bx_strdup(text);
    else
        url = bx_asprintf("%s://%s%s%s:%u%s%s", base.scheme, v6 ? "[" : "", base.host,
                          v6 ? "]" : "", base.port, text[0] == '/' ? "" : "/", text);
    rc = bx_url_parse(url, &target, err);
    if (!rc && (strcmp(target.scheme, base.scheme) || strcmp(target.host, base.host) ||
                target.port != base.port))
        rc = bx_fail(err, BX_ERR_DENIED, "the server sends us to another host (%s)", target.host);
    if (!rc) {
        BX_LOCKED(&h->lock);
        bx_free(h->endpoint);
        h->endpoint = bx_steal(&url);
        pthread_cond_broadcast(&h->changed);
    }
    bx_url_deinit(&base);
    bx_url_deinit(&target);
    return rc;
}

static int on_event(void *user, const struct bx_sse_event *event) {
    struct reply *r = user;
    struct bx_doc *doc = NULL;
    struct bx_rpc m;
    if (r->http->sse && bx_str_eqz(event->type, "endpoint"))
        return take_endpoint(r->http, event->data, NULL);
    if (!event->data.n || bx_rpc_parse(event->data, &doc, &m, NULL))
        return 0; /* a first event without data is usual; what is no message is nothing to us */
    deliver(r, doc, &m);
    return r->found ? BX_ERR_EXISTS
                    : 0; /* the answer is here: the rest of the stream is not waited for */
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct reply *r = user;
    if (r->events && r->status < 300)
        return bx_sse_feed(&r->reader, piece, on_event, r, err);
    if (bx_buf_adds(&r->body, piece))
        return bx_fail(err, BX_ERR_LIMIT, "the answer is larger than 32 MiB");
    return 0;
}

/* ---- one exchange ---- */

struct header_list {
    struct bx_fetch_header p[HEADERS_MAX + 16];
    size_t n;
    struct bx_arena *arena;
};

static void add_header(struct header_list *l, const char *name, const char *value) {
    if (value && l->n < BX_ARRAY_LEN(l->p))
        l->p[l->n++] = (struct bx_fetch_header){name, value};
}

/* As the standard wants it: plain where it is visible ASCII, else base64 in a frame. */
static const char *header_value(struct bx_arena *arena, const char *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(text), at = 0;
    bool plain =
        n && text[0] != ' ' && text[n - 1] != ' ' && !bx_str_starts(bx_str(text), "=?base64?");
    for (size_t i = 0; i < n && plain; i++)
        plain = text[i] >= 0x20 && text[i] < 0x7f;
    if (plain)
        return text;
    char *out = bx_arena_alloc(arena, (n + 2) / 3 * 4 + 1);
    for (size_t i = 0; i < n; i += 3) {
        unsigned left = (unsigned)BX_MIN(n - i, (size_t)3), v = 0;
        for (unsigned k = 0; k < 3; k++)
            v = v << 8 | (k < left ? (unsigned char)text[i + k] : 0u);
        for (unsigned k = 0; k < 4; k++)
            out[at++] = k <= left ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    return bx_arena_printf(arena, "=?base64?%s?=", out);
}

static void make_headers(struct http *h, const struct bx_mcp_exchange *x, bool post,
                         struct header_list *l) {
    bx_auto(bx_freep) char *session = copy(h, &h->session), *version = copy(h, &h->version),
                           *token = h->config.token ? h->config.token(h->config.token_user) : NULL;
    bool authorised = false;
    for (size_t i = 0; i < h->headers.n; i++) {
        add_header(l, h->headers.p[i].name, h->headers.p[i].value);
        authorised |= strcasecmp(h->headers.p[i].name, "authorization") == 0;
    }
    if (post)
        add_header(l, "Content-Type", "application/json");
    add_header(l, "Accept", post ? "application/json, text/event-stream" : "text/event-stream");
    if (version && !h->sse)
        add_header(l, "MCP-Protocol-Version", bx_arena_str(l->arena, bx_str(version)));
    if (session)
        add_header(l, "Mcp-Session-Id", bx_arena_str(l->arena, bx_str(session)));
    if (token && !authorised)
        add_header(l, "Authorization", bx_arena_printf(l->arena, "Bearer %s", token));
    if (!x || !version || strcmp(version, BX_MCP_NEWEST) < 0)
        return;
    add_header(l, "Mcp-Method", x->method);
    if (x->name)
        add_header(l, "Mcp-Name", header_value(l->arena, x->name));
    for (size_t i = 0; i < x->param_count; i++)
        add_header(l, x->params[i].name, header_value(l->arena, x->params[i].value));
}

static int perform(struct http *h, const char *method, struct bx_str body,
                   const struct bx_mcp_exchange *x, struct bx_cancel *cancel, uint64_t wait_ms,
                   struct reply *r, struct bx_err *err) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct header_list headers = {.n = 0, .arena = &arena};
    bool post = strcmp(method, "POST") == 0;
    bx_auto(bx_freep) char *endpoint = copy(h, &h->endpoint);
    *r = (struct reply){.http = h, .x = h->sse ? NULL : x, .body = BX_BUF_INIT(BX_MCP_MESSAGE_MAX)};
    bx_sse_init(&r->reader, BX_MCP_MESSAGE_MAX);
    make_headers(h, x, post, &headers);
    struct bx_fetch_request request = {
        .method = method,
        .url = post && endpoint ? endpoint : h->url,
        .headers = headers.p,
        .header_count = headers.n,
        .body = body,
        .connect_timeout_ms = BX_MIN(wait_ms, UINT64_C(10000)),
        .first_byte_timeout_ms = wait_ms,
        .stall_timeout_ms = wait_ms,
        .total_timeout_ms = wait_ms,
        .max_response_bytes = SIZE_MAX / 4,
        .on_head = on_head,
        .on_body = on_body,
        .user = r,
        .cancel = cancel,
    };
    struct bx_fetch_result result;
    int rc = bx_fetch_perform(h->config.fetch, &request, &result, err);
    if (rc && r->found)
        rc = 0;
    if (!rc && r->events && !r->found && r->status < 300) {
        rc = bx_sse_end(&r->reader, on_event, r, err);
        rc = r->found ? 0 : rc;
    }
    return rc;
}

/* What an answer means that is no message. */
static int judge_status(struct http *h, struct reply *r, struct bx_err *err) {
    if (r->status == 401)
        return bx_fail(err, BX_ERR_AUTH, "the server wants a sign-in: boxagnts mcp login %s",
                       h->config.server->name);
    if (r->status == 404 && h->session) {
        BX_LOCKED(&h->lock);
        h->expired = true;
        return bx_fail(err, BX_ERR_RETRY, "the server has forgotten the session");
    }
    if (r->status >= 300 && r->status < 400)
        return bx_fail(err, BX_ERR_PROTO,
                       "the server answers with a redirect (%d), which is not followed: configure "
                       "the place that it leads to",
                       r->status);
    if (r->status == 403)
        return bx_fail(err, BX_ERR_DENIED, "the server refuses (HTTP 403)");
    if (r->status >= 500 || r->status == 429)
        return bx_fail(err, BX_ERR_RETRY, "the server answers HTTP %d", r->status);
    if (r->status >= 400)
        return bx_fail(err, BX_ERR_NOTFOUND, "the server answers HTTP %d", r->status);
    return bx_fail(err, BX_ERR_PROTO, "the server gave no answer (HTTP %d)", r->status);
}

static int take_body(struct http *h, struct reply *r, struct bx_err *err) {
    if (!r->found && !r->events && r->body.size && r->status != 401) {
        struct bx_doc *doc = NULL;
        struct bx_rpc m;
        if (!bx_rpc_parse(bx_buf_str(&r->body), &doc, &m, r->status < 300 ? err : NULL))
            deliver(r, doc, &m);
        else if (r->status < 300)
            return bx_wrap(err, BX_ERR_PROTO, "the answer is no MCP message");
    }
    return r->found ? 0 : judge_status(h, r, err);
}

static void say_cancelled(struct http *h, uint64_t id) {
    bx_auto(bx_freep) char *version = copy(h, &h->version);
    if (!version || strcmp(version, BX_MCP_NEWEST) >= 0)
        return; /* closing the exchange has said it */
    struct bx_rpc_writer m;
    bx_rpc_begin(&m, 0, "notifications/cancelled");
    bx_jw_kuint(&m.w, "requestId", id);
    bx_rpc_end(&m);
    h->wire.notify(&h->wire, bx_buf_str(&m.body), bx_mono_ms() + SAY_CANCELLED_MS, NULL);
    bx_buf_deinit(&m.body);
}

static uint64_t left_ms(uint64_t deadline_ms) {
    uint64_t now = bx_mono_ms();
    return deadline_ms > now ? deadline_ms - now : 1;
}

/* The older transport: the POST is only accepted; the answer comes by the stream. */
static int send_accepted(void *user, const struct bx_mcp_exchange *x, struct bx_err *err) {
    struct http *h = user;
    bx_auto(reply_deinit) struct reply r;
    int rc = perform(h, "POST", x->body, x, x->cancel, left_ms(x->deadline_ms), &r, err);
    return rc || r.status < 300 ? rc : judge_status(h, &r, err);
}

static int http_request(struct bx_mcp_wire *w, const struct bx_mcp_exchange *x, struct bx_doc **ret,
                        struct bx_rpc *ret_message, struct bx_err *err) {
    struct http *h = (struct http *)w;
    int rc;
    if (h->sse) {
        rc = bx_mcp_waiters_run(&h->waiters, x, send_accepted, h, ret, ret_message, err);
    } else {
        bx_auto(reply_deinit) struct reply r;
        rc = perform(h, "POST", x->body, x, x->cancel, left_ms(x->deadline_ms), &r, err);
        if (!rc)
            rc = take_body(h, &r, err);
        if (!rc) {
            *ret = bx_steal(&r.doc);
            *ret_message = r.message;
        }
    }
    if (rc == BX_ERR_CANCELLED || rc == BX_ERR_TIMEOUT)
        say_cancelled(h, x->id);
    return rc;
}

static int http_notify(struct bx_mcp_wire *w, struct bx_str body, uint64_t deadline_ms,
                       struct bx_err *err) {
    struct http *h = (struct http *)w;
    bx_auto(reply_deinit) struct reply r;
    int rc = perform(h, "POST", body, NULL, h->closing, left_ms(deadline_ms), &r, err);
    return rc || r.status < 300 ? rc : judge_status(h, &r, err);
}

/* ---- listening ---- */

/* The stream of the era: GET, or the request subscriptions/listen. True when it makes sense to try
 * again. */
static bool listen_once(struct http *h) {
    bx_auto(bx_freep) char *version = copy(h, &h->version);
    bx_auto(reply_deinit) struct reply r;
    bool modern = version && strcmp(version, BX_MCP_NEWEST) >= 0;
    struct bx_rpc_writer m = {.body = BX_BUF_INIT(1)};
    struct bx_mcp_exchange x = {.id = UINT32_MAX, .method = "subscriptions/listen"};
    if (modern) {
        bx_rpc_begin(&m, x.id, x.method);
        bx_jw_kobj(&m.w, "_meta");
        bx_jw_kstr(&m.w, "io.modelcontextprotocol/protocolVersion", version);
        bx_jw_kobj(&m.w, "io.modelcontextprotocol/clientCapabilities");
        bx_jw_end(&m.w);
        bx_jw_end(&m.w);
        bx_jw_kobj(&m.w, "notifications");
        bx_jw_kbool(&m.w, "toolsListChanged", true);
        bx_jw_end(&m.w);
        bx_rpc_end(&m);
    }
    int rc =
        perform(h, modern ? "POST" : "GET", modern ? bx_buf_str(&m.body) : (struct bx_str){NULL, 0},
                modern ? &x : NULL, h->closing, LISTEN_WAIT_MS, &r, NULL);
    bx_buf_deinit(&m.body);
    return rc != BX_ERR_CANCELLED && (r.status < 300 || r.status >= 500 || r.status == 429) &&
           (!rc || rc == BX_ERR_RETRY || rc == BX_ERR_UNAVAILABLE || rc == BX_ERR_TIMEOUT);
}

static void *listen_main(void *user) {
    struct http *h = user;
    uint64_t wait_ms = 1000;
    while (!bx_cancel_fired(h->closing)) {
        uint64_t start = bx_mono_ms();
        bool again = listen_once(h);
        if (h->sse) { /* all answers came by it */
            bx_mcp_waiters_gone(&h->waiters, "the server closed its stream");
            BX_LOCKED(&h->lock);
            pthread_cond_broadcast(&h->changed);
            break;
        }
        if (!again)
            break;
        wait_ms = bx_mono_ms() - start > 60000 ? 1000 : BX_MIN(wait_ms * 2, BACKOFF_MAX_MS);
        if (bx_cancel_sleep(h->closing, wait_ms))
            break;
    }
    return NULL;
}

static void http_ready(struct bx_mcp_wire *w, const char *version, bool listen) {
    struct http *h = (struct http *)w;
    keep(h, &h->version, version);
    if (listen && !h->listens)
        h->listens = bx_thread_start(&h->listener, "bx-mcp-listen", listen_main, h, NULL) == 0;
}

static bool http_is_alive(struct bx_mcp_wire *w, char why[static 200]) {
    struct http *h = (struct http *)w;
    if (h->sse)
        return !bx_mcp_waiters_is_gone(&h->waiters, why);
    BX_LOCKED(&h->lock);
    snprintf(why, 200, "%s", h->expired ? "the server has forgotten the session" : "");
    return !h->expired;
}

static void http_tail(struct bx_mcp_wire *w, struct bx_buf *out) {
    (void)w, (void)out;
}

static void http_free(struct http *h) {
    for (size_t i = 0; i < h->headers.n; i++) {
        bx_free((void *)(uintptr_t)h->headers.p[i].name);
        bx_free((void *)(uintptr_t)h->headers.p[i].value);
    }
    bx_vec_free(&h->headers);
    bx_mcp_waiters_deinit(&h->waiters);
    bx_cancel_unref(h->closing);
    bx_free(h->url);
    bx_free(h->session);
    bx_free(h->version);
    bx_free(h->endpoint);
    bx_free(h->challenge);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    bx_free(h);
}

static void http_close(struct bx_mcp_wire *w) {
    struct http *h = (struct http *)w;
    bx_cancel_fire(h->closing, "closed");
    if (h->listens)
        pthread_join(h->listener, NULL);
    if (h->session && !h->sse && !h->expired) { /* polite, and not waited for */
        bx_auto(reply_deinit) struct reply r;
        (void)perform(h, "DELETE", (struct bx_str){NULL, 0}, NULL, NULL, 200, &r, NULL);
    }
    http_free(h);
}

char *bx_mcp_http_challenge(struct bx_mcp_wire *w) {
    return copy((struct http *)w, &((struct http *)w)->challenge);
}

/* ---- opening ---- */

static int expand(const struct http *h, struct bx_str text, char **ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    int rc = bx_mcp_expand(text, h->config.secret, h->config.secret_user, &out, err);
    if (!rc)
        *ret = out.size ? bx_buf_steal(&out) : bx_strdup("");
    return rc;
}

static int configure(struct http *h, struct bx_err *err) {
    const struct bx_val *entry = bx_doc_root(h->config.server->doc);
    int rc = expand(h, bx_val_get_str(entry, "url"), &h->url, err);
    bx_val_foreach_member (bx_val_get(entry, "headers"), key, value) {
        char *text = NULL;
        if (!rc && h->headers.n >= HEADERS_MAX)
            rc = bx_fail(err, BX_ERR_LIMIT, "more than %d headers", HEADERS_MAX);
        if (!rc && !(rc = expand(h, bx_val_str(value), &text, err)))
            bx_vec_push(&h->headers, ((struct bx_fetch_header){bx_str_dup(key), text}));
    }
    return rc;
}

static void wake(void *user) {
    struct http *h = user;
    BX_LOCKED(&h->lock);
    pthread_cond_broadcast(&h->changed);
}

static int await_endpoint(struct http *h, uint64_t deadline_ms, struct bx_cancel *cancel,
                          struct bx_err *err) {
    struct bx_cancel_watch watch = {.fn = NULL};
    char why[200];
    int rc = 0;
    bx_cancel_watch(cancel, &watch, wake, h);
    pthread_mutex_lock(&h->lock);
    while (!h->endpoint && !rc) {
        uint64_t now = bx_mono_ms();
        if (bx_cancel_fired(cancel))
            rc = bx_fail(err, BX_ERR_CANCELLED, "stopped");
        else if (bx_mcp_waiters_is_gone(&h->waiters, why))
            rc = bx_fail(err, BX_ERR_UNAVAILABLE, "the server gives no event stream");
        else if (now >= deadline_ms)
            rc = bx_fail(err, BX_ERR_TIMEOUT, "the server did not say where messages go");
        else
            bx_cond_wait_ms(&h->changed, &h->lock, deadline_ms - now);
    }
    pthread_mutex_unlock(&h->lock);
    bx_cancel_unwatch(&watch);
    return rc;
}

int bx_mcp_http_open(const struct bx_mcp_wire_config *config, bool sse, uint64_t deadline_ms,
                     struct bx_cancel *cancel, struct bx_mcp_wire **ret, struct bx_err *err) {
    struct http *h = bx_new(struct http);
    *h = (struct http){.wire = {.request = http_request,
                                .notify = http_notify,
                                .ready = http_ready,
                                .is_alive = http_is_alive,
                                .tail = http_tail,
                                .close = http_close},
                       .config = *config,
                       .sse = sse,
                       .closing = bx_cancel_new(NULL)};
    pthread_mutex_init(&h->lock, NULL);
    bx_cond_init(&h->changed);
    bx_mcp_waiters_init(&h->waiters);
    int rc = configure(h, err);
    if (!rc && sse) {
        rc = bx_thread_start(&h->listener, "bx-mcp-listen", listen_main, h, err);
        h->listens = !rc;
        if (!rc)
            rc = await_endpoint(h, deadline_ms, cancel, err);
    }
    if (rc) {
        http_close(&h->wire);
        return rc;
    }
    *ret = &h->wire;
    return 0;
}
