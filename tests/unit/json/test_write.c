#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "json/write.h"

static void test_shape(void **state) {
    (void)state;
    struct bx_buf b = BX_BUF_INIT(1000);
    struct bx_jw w;
    bx_jw_init(&w, &b);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "type", "user");
    bx_jw_kstr(&w, "none", NULL);
    bx_jw_karr(&w, "list");
    bx_jw_obj(&w);
    bx_jw_end(&w);
    bx_jw_arr(&w);
    bx_jw_end(&w);
    bx_jw_int(&w, INT64_MIN);
    bx_jw_uint(&w, UINT64_MAX);
    bx_jw_null(&w);
    bx_jw_end(&w);
    bx_jw_kobj(&w, "o");
    bx_jw_kbool(&w, "b", true);
    bx_jw_kraw(&w, "raw", BX_STR_LIT("[1]"));
    bx_jw_kval(&w, "absent", NULL);
    bx_jw_end(&w);
    bx_jw_kreal(&w, "r", 0.1);
    bx_jw_end(&w);
    assert_string_equal(bx_buf_z(&b),
                        "{\"type\":\"user\",\"none\":null,\"list\":[{},[],-9223372036854775808,"
                        "18446744073709551615,null],\"o\":{\"b\":true,\"raw\":[1],\"absent\":null},"
                        "\"r\":0.1}");
    bx_buf_deinit(&b);
}

static void quoted(struct bx_str s, const char *want) {
    struct bx_buf b = BX_BUF_INIT(1000);
    assert_int_equal(bx_json_quote(&b, s), 0);
    assert_string_equal(bx_buf_z(&b), want);
    bx_buf_deinit(&b);
}

static void test_strings(void **state) {
    (void)state;
    quoted(bx_str(NULL), "\"\"");
    quoted(BX_STR_LIT("a\"b\\c/\n\r\t"), "\"a\\\"b\\\\c/\\n\\r\\t\"");
    quoted(BX_STR_LIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"");
    quoted(bx_str("\xe2\x82\xac\xe2\x80\xa8"), "\"\xe2\x82\xac\xe2\x80\xa8\"");
    quoted(bx_str("a\xff\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Whatever bytes a string holds, the line parses and gives them back. */
static void test_every_byte(void **state) {
    (void)state;
    char all[128];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (char)i;
    }
    struct bx_buf b = BX_BUF_INIT(2000);
    assert_int_equal(bx_json_quote(&b, bx_str_n(all, sizeof all)), 0);
    assert_int_equal(bx_str_find(bx_buf_str(&b), '\n'), (size_t)-1);
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&b), NULL, &doc, NULL), 0);
    assert_true(bx_str_eq(bx_val_str(bx_doc_root(doc)), bx_str_n(all, sizeof all)));
    bx_doc_free(doc);
    bx_buf_deinit(&b);
}

static void same_text(const char *text) {
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    struct bx_buf b = BX_BUF_INIT(2000);
    struct bx_jw w;
    bx_jw_init(&w, &b);
    bx_jw_val(&w, bx_doc_root(doc));
    assert_string_equal(bx_buf_z(&b), text);
    bx_buf_deinit(&b);
    bx_doc_free(doc);
}

static void test_values_survive(void **state) {
    (void)state;
    same_text("[9007199254740993,-9007199254740993,9223372036854775807,9223372036854775808]");
    same_text("[18446744073709551615,-9223372036854775808,0,0.1,1.5e+300]");
    same_text("{\"a\":\"x\\u0000y\",\"b\":[true,false,null,{}],\"c\":{\"d\":[[[]]]}}");
    same_text("\"\"");
}

static void test_reals(void **state) {
    (void)state;
    static const double numbers[] = {0.1,           1.0 / 3, 5e-324, 1.7976931348623157e308,
                                     123456789.125, 1e21};
    for (size_t i = 0; i < BX_ARRAY_LEN(numbers); i++) {
        struct bx_buf b = BX_BUF_INIT(100);
        struct bx_jw w;
        bx_jw_init(&w, &b);
        bx_jw_real(&w, numbers[i]);
        struct bx_doc *doc = NULL;
        assert_int_equal(bx_doc_parse(bx_buf_str(&b), NULL, &doc, NULL), 0);
        assert_true(bx_val_real(bx_doc_root(doc), NAN) == numbers[i]);
        bx_doc_free(doc);
        bx_buf_reset(&b);
        bx_jw_init(&w, &b);
        bx_jw_arr(&w);
        bx_jw_real(&w, NAN);
        bx_jw_real(&w, -INFINITY);
        bx_jw_end(&w);
        assert_string_equal(bx_buf_z(&b), "[null,null]");
        bx_buf_deinit(&b);
    }
}

static void test_full(void **state) {
    (void)state;
    struct bx_buf b = BX_BUF_INIT(10);
    struct bx_jw w;
    bx_jw_init(&w, &b);
    bx_jw_arr(&w);
    bx_jw_z(&w, "1234567890");
    bx_jw_int(&w, 1);
    bx_jw_end(&w);
    assert_true(bx_buf_failed(&b));
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&b), NULL, &doc, NULL),
                     BX_ERR_PROTO); /* cut, not wrong */
    bx_buf_deinit(&b);
}

static void test_pretty(void **state) {
    (void)state;
    struct bx_doc *doc = NULL;
    struct bx_buf b = BX_BUF_INIT(1000);
    assert_int_equal(bx_doc_parse(bx_str("{\"a\":[1,{\"b\":[]}],\"c\":{}}"), NULL, &doc, NULL), 0);
    assert_int_equal(bx_json_pretty(&b, bx_doc_root(doc)), 0);
    assert_string_equal(
        bx_buf_z(&b), "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
    bx_buf_deinit(&b);
    struct bx_buf small = BX_BUF_INIT(5);
    assert_int_equal(bx_json_pretty(&small, bx_doc_root(doc)), BX_ERR_LIMIT);
    bx_buf_deinit(&small);
    bx_doc_free(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),      cmocka_unit_test(test_strings),
        cmocka_unit_test(test_every_byte), cmocka_unit_test(test_values_survive),
        cmocka_unit_test(test_reals),      cmocka_unit_test(test_full),
        cmocka_unit_test(test_pretty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
