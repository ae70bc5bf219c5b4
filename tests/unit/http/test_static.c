#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/router.h"
#include "http/static.h"

#define BYTES(s) (const unsigned char *)(s), sizeof(s) - 1
static const struct bx_page_file files[] = {
    {"/index.html", "text/html; charset=utf-8", BYTES("<p>page</p>"), BYTES("GZ"), "\"abc\""},
    {"/logo.png", "image/png", BYTES("0123456789"), NULL, 0, "\"def\""},
};

/* GET path with up to one field; returns the status, the head in *ret. */
static int get(const char *path, const char *name, const char *value, struct bx_http_reply *ret) {
    struct bx_http_request req = {.method = BX_HTTP_GET, .path = bx_str(path)};
    if (name)
        req.fields[req.field_count++] = (struct bx_http_field){bx_str(name), bx_str(value)};
    if (!bx_static_reply(files, BX_ARRAY_LEN(files), &req, ret)) {
        bx_http_reply_init(ret, 404, 0);
        return 404;
    }
    assert_false(bx_buf_failed(&ret->head));
    return ret->status;
}

static void check(const char *path, const char *name, const char *value, int status,
                  const char *body, const char *in_head) {
    struct bx_http_reply reply;
    int got = get(path, name, value, &reply);
    if (got != status || !bx_str_eqz(reply.fixed, body) ||
        (in_head && !strstr(bx_buf_z(&reply.head), in_head)))
        fail_msg("%s %s: %s: %d '" BX_STR_FMT "' %s", path, name ? name : "", value ? value : "",
                 got, BX_STR_ARG(reply.fixed), bx_buf_z(&reply.head));
    bx_http_reply_deinit(&reply);
}

static void test_files(void **state) {
    (void)state;
    check("/", NULL, NULL, 200, "<p>page</p>", "ETag: \"abc\"");
    check("/index.html", NULL, NULL, 200, "<p>page</p>", "Content-Type: text/html");
    check("/logo.png", "accept-encoding", "gzip", 200, "0123456789", "ETag: \"def\"");
    check("/", "Accept-Encoding", "br, gzip", 200, "GZ", "Content-Encoding: gzip");
    check("/", "Accept-Encoding", "gzip", 200, "GZ", "ETag: \"abc-gz\"");
    check("/", "Accept-Encoding", "gzip;q=0", 200, "<p>page</p>", "Vary: Accept-Encoding");
    check("/", "If-None-Match", "\"abc\"", 304, "", NULL);
    check("/", "If-None-Match", "\"x\", W/\"abc\"", 304, "", NULL);
    check("/", "If-None-Match", "*", 304, "", NULL);
    check("/", "If-None-Match", "\"abc-gz\"", 200, "<p>page</p>", NULL);
}

static void test_no_way_out(void **state) {
    (void)state;
    static const char *const paths[] = {"/../etc/passwd", "//index.html", "/index.html/",
                                        "/./index.html",  "index.html",   "",
                                        "/INDEX.HTML",    "/index.html\\"};
    for (size_t i = 0; i < BX_ARRAY_LEN(paths); i++)
        check(paths[i], NULL, NULL, 404, "", NULL);
}

static void test_ranges(void **state) {
    (void)state;
    check("/logo.png", "Range", "bytes=0-0", 206, "0", "Content-Range: bytes 0-0/10");
    check("/logo.png", "Range", "bytes=2-4", 206, "234", "Content-Range: bytes 2-4/10");
    check("/logo.png", "Range", "bytes=7-", 206, "789", "Content-Range: bytes 7-9/10");
    check("/logo.png", "Range", "bytes=-3", 206, "789", "Content-Range: bytes 7-9/10");
    check("/logo.png", "Range", "bytes=-30", 206, "0123456789", "Content-Range: bytes 0-9/10");
    check("/logo.png", "Range", "bytes=8-99", 206, "89", "Content-Range: bytes 8-9/10");
    check("/logo.png", "Range", "bytes=10-", 416, "", "Content-Range: bytes */10");
    check("/logo.png", "Range", "bytes=-0", 416, "", "Content-Range: bytes */10");
    static const char *const ignored[] = {"bytes=4-2", "bytes=0-1,3-4",
                                          "bytes=-",   "bytes=a-b",
                                          "items=0-1", "bytes=99999999999999999999-"};
    for (size_t i = 0; i < BX_ARRAY_LEN(ignored); i++)
        check("/logo.png", "Range", ignored[i], 200, "0123456789", NULL);
}

static void test_accept_encoding(void **state) {
    (void)state;
    static const char *const yes[] = {"gzip", "GZIP",    "deflate, gzip;q=0.5",
                                      "*",    "*;q=0.1", "identity;q=0, gzip;q=1"};
    static const char *const no[] = {"",      "br",   "gzip;q=0", "gzip;q=0.000", "gzip; q=0, *",
                                     "*;q=0", "xgzip"};
    for (size_t i = 0; i < BX_ARRAY_LEN(yes); i++)
        assert_true(bx_static_takes_gzip(bx_str(yes[i])));
    for (size_t i = 0; i < BX_ARRAY_LEN(no); i++)
        assert_false(bx_static_takes_gzip(bx_str(no[i])));
}

static void test_router(void **state) {
    (void)state;
    static const struct bx_http_route routes[] = {{BX_HTTP_GET, "/s", 0, "list"},
                                                  {BX_HTTP_POST, "/s", 10, "new"},
                                                  {BX_HTTP_GET, "/s/*", 0, "one"},
                                                  {BX_HTTP_POST, "/s/*/stop", 0, "stop"}};
    static const struct {
        enum bx_http_method method;
        const char *path, *target, *param;
        unsigned methods;
    } cases[] = {
        {BX_HTTP_GET, "/s", "list", NULL,
         1 << BX_HTTP_GET | 1 << BX_HTTP_HEAD | 1 << BX_HTTP_POST | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_HEAD, "/s", "list", NULL,
         1 << BX_HTTP_GET | 1 << BX_HTTP_HEAD | 1 << BX_HTTP_POST | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_POST, "/s", "new", NULL,
         1 << BX_HTTP_GET | 1 << BX_HTTP_HEAD | 1 << BX_HTTP_POST | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_DELETE, "/s", NULL, NULL,
         1 << BX_HTTP_GET | 1 << BX_HTTP_HEAD | 1 << BX_HTTP_POST | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_GET, "/s/x y", "one", "x y",
         1 << BX_HTTP_GET | 1 << BX_HTTP_HEAD | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_POST, "/s/7/stop", "stop", "7", 1 << BX_HTTP_POST | 1 << BX_HTTP_OPTIONS},
        {BX_HTTP_GET, "/s/", NULL, NULL, 0},
        {BX_HTTP_GET, "/s/7/", NULL, NULL, 0},
        {BX_HTTP_GET, "/s/7/stop/x", NULL, NULL, 0},
        {BX_HTTP_GET, "/", NULL, NULL, 0},
        {BX_HTTP_GET, "", NULL, NULL, 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_http_match match;
        bool found = bx_http_route_find(routes, BX_ARRAY_LEN(routes), cases[i].method,
                                        bx_str(cases[i].path), &match);
        assert_int_equal(found, cases[i].target != NULL);
        assert_int_equal(match.methods, cases[i].methods);
        if (found)
            assert_string_equal((const char *)match.route->target, cases[i].target);
        assert_int_equal(match.param_count, cases[i].param != NULL);
        if (cases[i].param)
            assert_true(bx_str_eqz(match.params[0], cases[i].param));
    }
}

static void test_fields(void **state) {
    (void)state;
    struct bx_buf value = BX_BUF_INIT(100);
    struct bx_http_request req = {
        .query = BX_STR_LIT("a=1+2%21&b&c=%zz&d=%0a&a=9"),
        .fields = {{BX_STR_LIT("Cookie"), BX_STR_LIT("x=1; boxagnts=abc;boxagnts2=d")},
                   {BX_STR_LIT("connection"), BX_STR_LIT("keep-alive , UpGrade")}},
        .field_count = 2};
    assert_true(bx_http_query(&req, "a", &value));
    assert_string_equal(bx_buf_z(&value), "1 2!");
    bx_buf_reset(&value);
    assert_true(bx_http_query(&req, "b", &value));
    assert_string_equal(bx_buf_z(&value), "");
    assert_false(bx_http_query(&req, "c", &value));
    assert_false(bx_http_query(&req, "d", &value));
    assert_false(bx_http_query(&req, "e", &value));
    assert_true(bx_str_eqz(bx_http_cookie(&req, "boxagnts"), "abc"));
    assert_true(bx_str_eqz(bx_http_cookie(&req, "boxagnts2"), "d"));
    assert_null(bx_http_cookie(&req, "box").p);
    assert_true(bx_http_field_has_token(&req, "Connection", "upgrade"));
    assert_false(bx_http_field_has_token(&req, "Connection", "keep"));
    bx_buf_deinit(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),  cmocka_unit_test(test_no_way_out),
        cmocka_unit_test(test_ranges), cmocka_unit_test(test_accept_encoding),
        cmocka_unit_test(test_router), cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
