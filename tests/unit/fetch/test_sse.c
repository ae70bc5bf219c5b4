#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/sse.h"

static int on_event(void *user, const struct bx_sse_event *e) {
    bx_buf_addf(user, "[" BX_STR_FMT "|" BX_STR_FMT "]", BX_STR_ARG(e->type), BX_STR_ARG(e->data));
    return 0;
}

static const struct {
    const char *bytes, *events;
} cases[] = {
    {"", ""},
    {"data: a\n\n", "[message|a]"},
    {"data: a\r\n\r\n", "[message|a]"},
    {"data: a\r\r", "[message|a]"},
    {"data:a\n\n", "[message|a]"},
    {"data:  a\n\n", "[message| a]"},
    {"data: a\ndata: b\n\n", "[message|a\nb]"},
    {"data\n\n", "[message|]"},
    {"data:\ndata:\n\n", "[message|\n]"},
    {": hello\n\ndata: a\n: x\n\n", "[message|a]"},
    {"event: ping\n\n", ""},
    {"event: e\ndata: a\n\ndata: b\n\n", "[e|a][message|b]"},
    {"id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", "[message|a]"},
    {"\xef\xbb\xbf"
     "data: a\n\n",
     "[message|a]"},
    {"data: \xef\xbb\xbf\n\n", "[message|\xef\xbb\xbf]"},
    {"data: a", "[message|a]"},
    {"data: a\n", "[message|a]"},
    {"\n\n\ndata: a\n\n\n\n", "[message|a]"},
    {"data: a:b: c\n\n", "[message|a:b: c]"},
    {"data: h\xc3\xa9\xf0\x9f\x98\x80\n\n", "[message|h\xc3\xa9\xf0\x9f\x98\x80]"},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "[message|a][message|b]"},
};

static void every_split(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].bytes);
        for (size_t a = 0; a <= n; a++) {
            for (size_t b = a; b <= n; b++) {
                struct bx_sse s;
                struct bx_buf got = BX_BUF_INIT(4096);
                bx_sse_init(&s, 1024);
                struct bx_str all = bx_str(cases[i].bytes);
                assert_int_equal(bx_sse_feed(&s, bx_str_slice(all, 0, a), on_event, &got, NULL), 0);
                assert_int_equal(bx_sse_feed(&s, bx_str_slice(all, a, b - a), on_event, &got, NULL),
                                 0);
                assert_int_equal(bx_sse_feed(&s, bx_str_slice(all, b, n - b), on_event, &got, NULL),
                                 0);
                assert_int_equal(bx_sse_end(&s, on_event, &got, NULL), 0);
                assert_string_equal(bx_buf_z(&got), cases[i].events);
                bx_sse_deinit(&s);
                bx_buf_deinit(&got);
            }
        }
    }
}

static int feed_repeated(const char *piece, int times) {
    struct bx_sse s;
    struct bx_buf got = BX_BUF_INIT(4096);
    bx_sse_init(&s, 1024);
    int r = 0;
    for (int i = 0; i < times && r == 0; i++) {
        r = bx_sse_feed(&s, bx_str(piece), on_event, &got, NULL);
    }
    bx_sse_deinit(&s);
    bx_buf_deinit(&got);
    return r;
}

static void limits(void **state) {
    (void)state;
    assert_int_equal(feed_repeated("data: x", 1000), BX_ERR_LIMIT);          // a line without end
    assert_int_equal(feed_repeated("data: xxxxxxxx\n", 1000), BX_ERR_LIMIT); // an event without end
    char line[2000] = "data: ";
    memset(line + 6, 'x', sizeof line - 7);
    line[sizeof line - 2] = '\n'; // too long, but it ends in the same piece
    line[sizeof line - 1] = 0;
    assert_int_equal(feed_repeated(line, 1), BX_ERR_LIMIT);
    assert_int_equal(feed_repeated(": comment\n", 1000), 0); // comments cost nothing
}

static int stop(void *user, const struct bx_sse_event *e) {
    (void)e;
    (*(int *)user)++;
    return -77;
}

static void callback_stops(void **state) {
    (void)state;
    struct bx_sse s;
    int calls = 0;
    bx_sse_init(&s, 1024);
    assert_int_equal(bx_sse_feed(&s, BX_STR_LIT("data: a\n\ndata: b\n\n"), stop, &calls, NULL),
                     -77);
    assert_int_equal(calls, 1);
    bx_sse_deinit(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(limits),
        cmocka_unit_test(callback_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
