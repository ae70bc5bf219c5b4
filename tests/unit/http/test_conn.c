/* What tests/cases cannot show: replies that come later, timeouts, a full socket, clients that
 * leave, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conn.h"

struct world {
    struct bx_http_conn *conn;
    struct bx_http_exchange *pending; /* a reference */
    struct bx_http_limits limits;
    unsigned requests, wakes, gone;
    struct bx_buf sent;
    struct bx_http_output taken;
};

static void on_gone(void *user) {
    ((struct world *)user)->gone++;
}

static void on_head(void *user, struct bx_http_exchange *ex) {
    (void)user;
    bx_http_exchange_set_max_body(ex, 100);
}

static void on_request(void *user, struct bx_http_exchange *ex) {
    struct world *w = user;
    w->requests++;
    w->pending = bx_http_exchange_ref(ex);
    bx_http_exchange_on_gone(ex, on_gone, w);
}

static void on_wake(void *user) {
    ((struct world *)user)->wakes++;
}

static void setup(struct world *w) {
    static const struct bx_http_handler handler = {on_head, on_request};
    *w = (struct world){.sent = BX_BUF_INIT(BX_MIB)};
    bx_http_limits_default(&w->limits);
    w->conn = bx_http_conn_new(&w->limits, &handler, w, on_wake, w, 1000);
}

static void teardown(struct world *w) {
    bx_http_conn_free(w->conn);
    bx_http_exchange_unref(w->pending);
    bx_buf_deinit(&w->sent);
    bx_free(w->taken.p);
}

static void feedz(struct world *w, const char *z, uint64_t now_ms) {
    bx_http_conn_feed(w->conn, z, strlen(z), now_ms);
}

static void answer(struct world *w, struct bx_str header_value) {
    struct bx_http_reply reply;
    bx_http_reply_init(&reply, 200, 100);
    bx_http_reply_header(&reply, "X-Value", header_value);
    bx_buf_addz(&reply.body, "hello");
    struct bx_http_exchange *ex = bx_steal(&w->pending);
    bx_http_exchange_reply(ex, &reply);
    bx_http_exchange_unref(ex);
}

static size_t send_all(struct world *w, uint64_t now_ms) {
    struct bx_str pieces[2];
    size_t total = 0;
    for (size_t n; (n = bx_http_conn_peek(w->conn, pieces)) > 0;) {
        size_t size = 0;
        for (size_t i = 0; i < n; i++) {
            bx_buf_adds(&w->sent, pieces[i]);
            size += pieces[i].n;
        }
        bx_http_conn_consume(w->conn, size);
        bx_http_conn_flushed(w->conn, now_ms);
        total += size;
    }
    return total;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static void test_pipelined_requests_wait(void **state) {
    (void)state;
    struct world w;
    setup(&w);
    feedz(&w, GET GET, 1000);
    assert_int_equal(w.requests, 1);
    answer(&w, BX_STR_LIT("1"));
    assert_int_equal(w.wakes, 1);
    assert_int_equal(w.requests, 1); /* not before the first reply has left */
    assert_true(send_all(&w, 1000) > 0);
    assert_int_equal(w.requests, 2);
    /* bytes behind a request in work: 64 KiB, then reading stops */
    struct bx_buf many = BX_BUF_INIT(BX_MIB);
    while (many.size < BX_HTTP_READ_BYTES)
        bx_buf_addz(&many, GET);
    assert_true(bx_http_conn_wants_read(w.conn));
    bx_http_conn_feed(w.conn, many.p, BX_HTTP_READ_BYTES, 1000);
    assert_false(bx_http_conn_wants_read(w.conn));
    assert_int_equal(w.requests, 2);
    answer(&w, BX_STR_LIT("2"));
    send_all(&w, 1000);
    assert_int_equal(w.requests, 3);
    bx_buf_deinit(&many);
    teardown(&w);
}

static void test_header_injection_is_a_500(void **state) {
    (void)state;
    struct world w;
    setup(&w);
    feedz(&w, GET, 1000);
    answer(&w, BX_STR_LIT("a\r\nSet-Cookie: x=y"));
    send_all(&w, 1000);
    assert_non_null(strstr(bx_buf_z(&w.sent), "HTTP/1.1 500 "));
    assert_null(strstr(bx_buf_z(&w.sent), "Set-Cookie"));
    teardown(&w);
}

static void test_too_large_reply_is_a_500(void **state) {
    (void)state;
    struct world w;
    struct bx_http_reply reply;
    setup(&w);
    feedz(&w, GET, 1000);
    bx_http_reply_init(&reply, 200, 3);
    bx_buf_addz(&reply.body, "four");
    bx_http_exchange_reply(w.pending, &reply);
    send_all(&w, 1000);
    assert_non_null(strstr(bx_buf_z(&w.sent), "HTTP/1.1 500 "));
    teardown(&w);
}

static void test_timeouts(void **state) {
    (void)state;
    struct world w;
    setup(&w); /* nothing at all: idle */
    bx_http_conn_tick(w.conn, 1000 + w.limits.idle_timeout_ms - 1);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    bx_http_conn_tick(w.conn, 1000 + w.limits.idle_timeout_ms);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_ABORT);
    teardown(&w);

    setup(&w); /* a head that trickles in: bytes do not buy time */
    feedz(&w, "GET / HTTP/1.1\r\nHost: a\r\n", 2000);
    feedz(&w, "X: y\r\n", 2000 + w.limits.head_timeout_ms - 1);
    bx_http_conn_tick(w.conn, 2000 + w.limits.head_timeout_ms);
    send_all(&w, 2000);
    assert_non_null(strstr(bx_buf_z(&w.sent), "HTTP/1.1 408 "));
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    teardown(&w);

    setup(&w); /* line ends alone are no request and buy no time either */
    feedz(&w, "\r\n\r\n\r\n", 2000);
    bx_http_conn_tick(w.conn, 1000 + w.limits.idle_timeout_ms);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_ABORT);
    teardown(&w);

    setup(&w); /* a body */
    feedz(&w, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 2000);
    feedz(&w, "ab", 2000 + w.limits.body_timeout_ms - 1);
    bx_http_conn_tick(w.conn, 2000 + w.limits.body_timeout_ms);
    send_all(&w, 2000);
    assert_non_null(strstr(bx_buf_z(&w.sent), "HTTP/1.1 408 "));
    teardown(&w);

    setup(&w); /* work has all the time it wants; the client then has its time to take the reply */
    feedz(&w, GET, 2000);
    bx_http_conn_tick(w.conn, 2000000);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    answer(&w, BX_STR_LIT("x"));
    bx_http_conn_take(w.conn, &w.taken);
    bx_http_conn_tick(w.conn, 2000000 + w.limits.write_timeout_ms - 1);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    bx_http_conn_tick(w.conn, 2000000 + w.limits.write_timeout_ms);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_ABORT);
    teardown(&w);
}

static void test_client_leaves(void **state) {
    (void)state;
    struct world w;
    setup(&w); /* the sending side is shut: told, and the reply is still given */
    feedz(&w, GET, 1000);
    bx_http_conn_eof(w.conn);
    assert_int_equal(w.gone, 1);
    assert_false(bx_http_conn_wants_read(w.conn));
    answer(&w, BX_STR_LIT("x"));
    assert_true(send_all(&w, 1000) > 0);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    teardown(&w);

    setup(&w); /* gone altogether: told once, the late reply goes nowhere */
    feedz(&w, GET, 1000);
    bx_http_conn_free(bx_steal(&w.conn));
    assert_int_equal(w.gone, 1);
    answer(&w, BX_STR_LIT("x"));
    assert_int_equal(w.wakes, 0);
    teardown(&w);

    setup(&w); /* after the reply nobody is told */
    feedz(&w, GET, 1000);
    answer(&w, BX_STR_LIT("x"));
    bx_http_conn_free(bx_steal(&w.conn));
    assert_int_equal(w.gone, 0);
    teardown(&w);
}

static void test_first_reply_counts(void **state) {
    (void)state;
    struct world w;
    struct bx_http_reply second;
    setup(&w);
    feedz(&w, GET, 1000);
    struct bx_http_exchange *ex = bx_http_exchange_ref(w.pending);
    answer(&w, BX_STR_LIT("x"));
    bx_http_reply_init(&second, 404, 100);
    bx_http_exchange_reply(ex, &second);
    bx_http_exchange_unref(ex);
    send_all(&w, 1000);
    assert_null(strstr(bx_buf_z(&w.sent), "404"));
    teardown(&w);
}

static void test_server_stops(void **state) {
    (void)state;
    struct world w;
    setup(&w);
    bx_http_conn_shut(w.conn); /* idle */
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    teardown(&w);

    setup(&w);
    feedz(&w, GET GET, 1000);
    bx_http_conn_shut(w.conn); /* in work: the reply is given, the next request is not begun */
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    answer(&w, BX_STR_LIT("x"));
    send_all(&w, 1000);
    assert_non_null(strstr(bx_buf_z(&w.sent), "Connection: close"));
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    assert_int_equal(w.requests, 1);
    teardown(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined_requests_wait),
        cmocka_unit_test(test_header_injection_is_a_500),
        cmocka_unit_test(test_too_large_reply_is_a_500),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_first_reply_counts),
        cmocka_unit_test(test_server_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
