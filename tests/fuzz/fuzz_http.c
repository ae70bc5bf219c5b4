/* Requests, cut into pieces of a size that the first byte chooses. Whatever comes: no request
 * without a Host, no two at a time, and after a refusal nothing more. */
#include "fuzz.h"
#include "http/conn.h"

struct watch {
    bool in_work, refused;
};

static void on_head(void *user, struct bx_http_exchange *ex) {
    struct watch *w = user;
    const struct bx_http_request *r = bx_http_exchange_request(ex);
    assert(!w->in_work && !w->refused);
    assert(bx_http_field_count(r, "host") == 1 && bx_http_field(r, "host").n > 0);
    assert(
        !(bx_http_field_count(r, "content-length") && bx_http_field_count(r, "transfer-encoding")));
    assert(r->path.n > 0 && bx_str_find(r->path, '\0') == (size_t)-1);
    bx_http_exchange_set_max_body(ex, 100);
}

static void on_request(void *user, struct bx_http_exchange *ex) {
    struct watch *w = user;
    const struct bx_http_request *r = bx_http_exchange_request(ex);
    struct bx_http_reply reply;
    struct bx_buf value = BX_BUF_INIT(1000);
    assert(!w->in_work && r->body.size <= 100);
    bx_http_query(r, "q", &value);
    bx_http_cookie(r, "c");
    bx_http_reply_init(&reply, 200, BX_KIB);
    bx_http_reply_header(&reply, "X-Path", r->path);
    bx_buf_adds(&reply.body, bx_buf_str(&r->body));
    bx_http_exchange_reply(ex, &reply);
    bx_buf_deinit(&value);
}

static void on_wake(void *user) {
    (void)user;
}

static void flush(struct bx_http_conn *c) {
    struct bx_str pieces[2];
    for (size_t n; (n = bx_http_conn_peek(c, pieces)) > 0;) {
        bx_http_conn_consume(c, pieces[0].n + (n > 1 ? pieces[1].n : 0));
        bx_http_conn_flushed(c, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct bx_http_handler handler = {on_head, on_request};
    struct bx_http_limits limits;
    struct watch watch = {0};
    if (size < 2)
        return 0;
    size_t step = data[0] ? data[0] : BX_HTTP_READ_BYTES;
    bx_http_limits_default(&limits);
    struct bx_http_conn *c = bx_http_conn_new(&limits, &handler, &watch, on_wake, NULL, 0);
    for (size_t at = 1; at < size && bx_http_conn_end(c) == BX_HTTP_OPEN;) {
        size_t n = BX_MIN(step, size - at);
        char *copy = bx_memdup(data + at, n);
        if (bx_http_conn_wants_read(c))
            bx_http_conn_feed(c, copy, n, 0);
        bx_free(copy);
        flush(c);
        at += n;
    }
    watch.refused = bx_http_conn_end(c) != BX_HTTP_OPEN;
    if (watch.refused)
        bx_http_conn_feed(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, 0); /* on_head would assert */
    bx_http_conn_eof(c);
    bx_http_conn_tick(c, UINT64_MAX / 2);
    bx_http_conn_free(c);
    return 0;
}
