/* WebSockets: the handshake, good and bad frames, the limit, pings, and nothing queued for a slow
 * client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conn.h"
#include "http/sha1.h"

struct world {
    struct bx_http_conn *conn;
    struct bx_http_limits limits;
    struct bx_ws *ws;
    struct bx_buf got; /* texts, each with a line end */
    struct bx_buf sent;
    unsigned closes, writables, wakes;
    size_t flood; /* texts to send while there is room */
};

static void on_text(void *user, struct bx_ws *ws, struct bx_str text) {
    struct world *w = user;
    assert_ptr_equal(ws, w->ws);
    bx_buf_adds(&w->got, text);
    bx_buf_addc(&w->got, '\n');
    bx_ws_send(ws, text);
}

static void on_writable(void *user, struct bx_ws *ws) {
    struct world *w = user;
    w->writables++;
    for (; w->flood && bx_ws_has_room(ws); w->flood--)
        bx_ws_send(
            ws,
            BX_STR_LIT("0123456789012345678901234567890123456789012345678901234567890123456789"));
}

static void on_close(void *user, struct bx_ws *ws) {
    struct world *w = user;
    assert_ptr_equal(ws, w->ws);
    w->closes++;
    w->ws = NULL;
}

static const struct bx_ws_handler ws_handler = {on_text, on_writable, on_close};

static void on_head(void *user, struct bx_http_exchange *ex) {
    struct world *w = user;
    w->ws = bx_http_exchange_upgrade(ex, &ws_handler, w);
}

static void on_request(void *user, struct bx_http_exchange *ex) {
    (void)user;
    (void)ex;
    fail_msg("every request was answered by its head");
}

static void on_wake(void *user) {
    ((struct world *)user)->wakes++;
}

static void flush(struct world *w) {
    struct bx_str pieces[2];
    for (size_t n; (n = bx_http_conn_peek(w->conn, pieces)) > 0;) {
        size_t size = 0;
        for (size_t i = 0; i < n; i++) {
            bx_buf_adds(&w->sent, pieces[i]);
            size += pieces[i].n;
        }
        bx_http_conn_consume(w->conn, size);
        bx_http_conn_flushed(w->conn, 0);
    }
}

static void setup(struct world *w) {
    static const struct bx_http_handler handler = {on_head, on_request};
    *w = (struct world){.got = BX_BUF_INIT(BX_MIB), .sent = BX_BUF_INIT(8 * BX_MIB)};
    bx_http_limits_default(&w->limits);
    w->limits.ws.max_message_bytes = 1000;
    w->conn = bx_http_conn_new(&w->limits, &handler, w, on_wake, w, 0);
}

static void teardown(struct world *w) {
    bool open = w->ws != NULL;
    unsigned before = w->closes;
    bx_http_conn_free(w->conn);
    assert_int_equal(w->closes, before + open); /* exactly once */
    bx_buf_deinit(&w->got);
    bx_buf_deinit(&w->sent);
}

#define HELLO                                                                                      \
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"     \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void open_ws(struct world *w) {
    setup(w);
    bx_http_conn_feed(w->conn, HELLO, strlen(HELLO), 0);
    assert_non_null(w->ws);
    flush(w);
    bx_buf_reset(&w->sent);
}

static void frame(struct bx_buf *out, unsigned first, struct bx_str payload, bool masked) {
    static const char mask[4] = {1, 2, 3, 4};
    bx_buf_addc(out, (char)first);
    if (payload.n < 126) {
        bx_buf_addc(out, (char)(payload.n | (masked ? 0x80 : 0)));
    } else {
        bx_buf_addc(out, (char)(126 | (masked ? 0x80 : 0)));
        bx_buf_addc(out, (char)(payload.n >> 8));
        bx_buf_addc(out, (char)payload.n);
    }
    if (masked)
        bx_buf_add(out, mask, 4);
    for (size_t i = 0; i < payload.n; i++)
        bx_buf_addc(out, (char)(payload.p[i] ^ (masked ? mask[i % 4] : 0)));
}

static void feed_frame(struct world *w, unsigned first, struct bx_str payload, bool masked) {
    struct bx_buf bytes = BX_BUF_INIT(BX_MIB);
    frame(&bytes, first, payload, masked);
    bx_http_conn_feed(w->conn, bytes.p, bytes.size, 0);
    flush(w);
    bx_buf_deinit(&bytes);
}

static unsigned close_code(const struct world *w) { /* of the frame that ends `sent` */
    const unsigned char *p = (const unsigned char *)w->sent.p;
    for (size_t at = 0; at + 4 <= w->sent.size; at += 2u + p[at + 1]) {
        if (p[at] == 0x88)
            return (unsigned)p[at + 2] << 8 | p[at + 3];
    }
    return 0;
}

static void test_handshake(void **state) {
    (void)state;
    struct world w;
    setup(&w);
    bx_http_conn_feed(w.conn, HELLO "\x81\x82\x01\x02\x03\x04\x69\x6b", strlen(HELLO) + 8,
                      0); /* "hi" right behind */
    flush(&w);
    assert_non_null(strstr(bx_buf_z(&w.sent), "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_non_null(
        strstr(bx_buf_z(&w.sent),
               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")); /* RFC 6455 §1.3 */
    assert_null(strstr(bx_buf_z(&w.sent), "Content-Length"));
    assert_string_equal(bx_buf_z(&w.got), "hi\n");
    teardown(&w);
}

static void test_bad_handshakes(void **state) {
    (void)state;
    static const struct {
        const char *fields, *status;
    } cases[] = {
        {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "400"},
        {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
         "13\r\nSec-WebSocket-Key: abc\r\n",
         "400"},
        {"Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "400"},
        {"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
         "dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "400"},
        {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "426"},
        {"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 2\r\n",
         "400"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct world w;
        struct bx_buf text = BX_BUF_INIT(4096);
        setup(&w);
        bx_buf_addf(&text, "GET /ws HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].fields);
        bx_http_conn_feed(w.conn, text.p, text.size, 0);
        flush(&w);
        assert_null(w.ws);
        assert_memory_equal(bx_buf_z(&w.sent) + 9, cases[i].status, 3);
        bx_buf_deinit(&text);
        teardown(&w);
    }
}

static void test_messages(void **state) {
    (void)state;
    struct world w;
    open_ws(&w);
    feed_frame(&w, 0x81, BX_STR_LIT("one"), true);
    feed_frame(&w, 0x01, BX_STR_LIT("t"), true); /* in three pieces, a ping between them */
    feed_frame(&w, 0x00, BX_STR_LIT("w"), true);
    feed_frame(&w, 0x89, BX_STR_LIT("?"), true);
    feed_frame(&w, 0x80, BX_STR_LIT("o"), true);
    assert_string_equal(bx_buf_z(&w.got), "one\ntwo\n");
    assert_memory_equal(w.sent.p, "\x81\x03one\x8a\x01?\x81\x03two", 13);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    teardown(&w);
}

static void test_bad_frames(void **state) {
    (void)state;
    char big[1001];
    memset(big, 'x', sizeof big);
    const struct {
        const char *what;
        unsigned first;
        struct bx_str payload;
        bool unmasked;
        unsigned code;
    } cases[] = {
        {"unmasked", 0x81, BX_STR_LIT("a"), true, 1002},
        {"reserved bit", 0xc1, BX_STR_LIT("a"), false, 1002},
        {"unknown opcode", 0x83, BX_STR_LIT("a"), false, 1002},
        {"unknown control opcode", 0x8b, BX_STR_LIT(""), false, 1002},
        {"continuation of nothing", 0x80, BX_STR_LIT("a"), false, 1002},
        {"too long", 0x81, {big, sizeof big}, false, 1009},
        {"not UTF-8", 0x81, BX_STR_LIT("\xc3\x28"), false, 1007},
        {"cut UTF-8", 0x81, BX_STR_LIT("\xc3"), false, 1007},
        {"surrogate", 0x81, BX_STR_LIT("\xed\xa0\x80"), false, 1007},
        {"binary", 0x82, BX_STR_LIT("a"), false, 1003},
        {"bad close code", 0x88, BX_STR_LIT("\x03\xec"), false, 1002},
        {"close", 0x88, BX_STR_LIT("\x03\xe8"), false, 1000},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct world w;
        open_ws(&w);
        feed_frame(&w, cases[i].first, cases[i].payload, !cases[i].unmasked);
        if (close_code(&w) != cases[i].code)
            fail_msg("%s: closed with %u instead of %u", cases[i].what, close_code(&w),
                     cases[i].code);
        assert_int_equal(w.got.size, 0);
        feed_frame(&w, 0x88, BX_STR_LIT("\x03\xe8"), true);
        assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
        teardown(&w);
    }
}

static void test_limit_is_of_the_message(void **state) {
    (void)state;
    struct world w;
    char part[400];
    memset(part, 'x', sizeof part);
    open_ws(&w);
    feed_frame(&w, 0x01, bx_str_n(part, sizeof part), true);
    feed_frame(&w, 0x00, bx_str_n(part, sizeof part), true);
    assert_int_equal(close_code(&w), 0);
    feed_frame(&w, 0x00, bx_str_n(part, sizeof part), true);
    assert_int_equal(close_code(&w), 1009);
    teardown(&w);
}

/* A second text inside a fragmented one */
static void test_interleaved_texts(void **state) {
    (void)state;
    struct world w;
    open_ws(&w);
    feed_frame(&w, 0x01, BX_STR_LIT("a"), true);
    feed_frame(&w, 0x81, BX_STR_LIT("b"), true);
    assert_int_equal(close_code(&w), 1002);
    teardown(&w);
}

static void test_slow_client_costs_nothing(void **state) {
    (void)state;
    struct world w;
    struct bx_http_output stuck;
    open_ws(&w);
    w.flood = 1000000;
    on_writable(&w, w.ws);
    size_t begun = 1000000 - w.flood;
    assert_true(begun > 0 && begun < 2000); /* about 64 KiB, then no room */
    bx_http_conn_take(w.conn, &stuck);      /* the socket is full */
    assert_false(bx_ws_has_room(w.ws));
    assert_false(bx_http_conn_wants_read(w.conn)); /* who does not read may not ask */
    bx_http_conn_flushed(w.conn, 0);
    assert_true(1000000 - w.flood > begun); /* it goes on by itself */
    bx_http_conn_tick(w.conn, 0);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    bx_free(stuck.p);
    bx_http_conn_take(w.conn, &stuck);
    bx_http_conn_tick(w.conn, w.limits.write_timeout_ms);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_ABORT); /* not for ever */
    bx_free(stuck.p);
    teardown(&w);
}

static void test_pings(void **state) {
    (void)state;
    struct world w;
    open_ws(&w);
    uint64_t now_ms = bx_http_conn_deadline_ms(w.conn);
    assert_int_equal(now_ms, w.limits.ws.ping_every_ms);
    bx_http_conn_tick(w.conn, now_ms);
    flush(&w);
    assert_memory_equal(w.sent.p, "\x89\x00", 2);
    bx_http_conn_feed(w.conn, "\x8a\x80\1\2\3\4", 6, now_ms + 5); /* pong */
    now_ms = bx_http_conn_deadline_ms(w.conn);
    bx_http_conn_tick(w.conn, now_ms);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_OPEN);
    flush(&w);
    bx_http_conn_tick(w.conn, now_ms + w.limits.ws.ping_every_ms); /* silence */
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    teardown(&w);
}

static void test_server_closes(void **state) {
    (void)state;
    struct world w;
    open_ws(&w);
    bx_http_conn_shut(w.conn);
    flush(&w);
    assert_int_equal(close_code(&w), 1001);
    bx_ws_send(w.ws, BX_STR_LIT("late")); /* nothing behind a close frame */
    assert_int_equal(bx_http_conn_peek(w.conn, (struct bx_str[2]){{0}}), 0);
    feed_frame(&w, 0x88, BX_STR_LIT("\x03\xe9"), true);
    assert_int_equal(bx_http_conn_end(w.conn), BX_HTTP_LINGER);
    teardown(&w);
}

static void test_cork(void **state) {
    (void)state;
    struct world w;
    open_ws(&w);
    bx_ws_cork(w.ws);
    bx_ws_send(w.ws, BX_STR_LIT("a"));
    bx_ws_send(w.ws, BX_STR_LIT("b"));
    assert_int_equal(w.wakes, 0);
    bx_ws_uncork(w.ws);
    assert_int_equal(w.wakes, 1);
    teardown(&w);
}

static void test_base64_is(void **state) {
    (void)state;
    assert_true(bx_base64_is(BX_STR_LIT("dGhlIHNhbXBsZSBub25jZQ=="), 16));
    assert_false(bx_base64_is(BX_STR_LIT("dGhlIHNhbXBsZSBub25jZQ="), 16));
    assert_false(bx_base64_is(BX_STR_LIT("dGhlIHNhbXBsZSBub25jZ==="), 16));
    assert_false(bx_base64_is(BX_STR_LIT("dGhlIHNhbXBs\0SBub25jZQ=="), 16));
    assert_false(bx_base64_is((struct bx_str){NULL, 0}, 16));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_bad_handshakes),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_limit_is_of_the_message),
        cmocka_unit_test(test_interleaved_texts),
        cmocka_unit_test(test_slow_client_costs_nothing),
        cmocka_unit_test(test_pings),
        cmocka_unit_test(test_server_closes),
        cmocka_unit_test(test_cork),
        cmocka_unit_test(test_base64_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
