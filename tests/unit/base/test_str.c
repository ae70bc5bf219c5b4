#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/utf8.h"

/* The pieces of text, each in brackets. */
static void split_is(struct bx_str text, const char *want) {
    struct bx_buf all = BX_BUF_INIT(1000);
    struct bx_str piece;
    while (bx_str_split(&text, ',', &piece)) {
        bx_buf_addf(&all, "[" BX_STR_FMT "]", BX_STR_ARG(piece));
    }
    assert_string_equal(bx_buf_z(&all), want);
    bx_buf_deinit(&all);
}

static void test_split(void **state) {
    (void)state;
    split_is(bx_str("a,,b"), "[a][][b]");
    split_is(bx_str("a,"), "[a][]");
    split_is(bx_str(",a"), "[][a]");
    split_is(bx_str(""), "[]");
    split_is(bx_str(NULL), "");
}

static void test_views(void **state) {
    (void)state;
    struct bx_str s = bx_str("  Hello\t\n"), none = bx_str(NULL);
    assert_true(bx_str_eqz(bx_str_trim(s), "Hello"));
    assert_int_equal(bx_str_trim(bx_str(" \r\n")).n, 0);
    assert_true(bx_str_ieqz(bx_str_trim(s), "hELLO"));
    assert_false(bx_str_ieqz(bx_str("Hell"), "hello"));
    assert_true(bx_str_eq(none, bx_str("")));
    assert_true(bx_str_cmp(bx_str("ab"), bx_str("abc")) < 0);
    assert_true(bx_str_cmp(bx_str("b"), bx_str("abc")) > 0);
    assert_int_equal(bx_str_cmp(none, none), 0);
    assert_true(bx_str_starts(bx_str("abc"), "ab") && !bx_str_starts(bx_str("a"), "ab"));
    assert_true(bx_str_ends(bx_str("abc"), "bc") && !bx_str_ends(bx_str("c"), "bc"));
    assert_int_equal(bx_str_find(bx_str("abc"), 'c'), 2);
    assert_int_equal(bx_str_find(none, 'c'), (size_t)-1);
    assert_int_equal(bx_str_find_str(bx_str("aab"), bx_str("ab")), 1);
    assert_int_equal(bx_str_find_str(bx_str("aab"), bx_str("abc")), (size_t)-1);
    assert_int_equal(bx_str_slice(bx_str("abc"), 5, 9).n, 0);
    assert_true(bx_str_eqz(bx_str_slice(bx_str("abc"), 1, SIZE_MAX), "bc"));
    char *copy = bx_str_dup(BX_STR_LIT("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    bx_free(copy);
}

static void test_numbers(void **state) {
    (void)state;
    int64_t i = 77;
    uint64_t u = 77;
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "0x1", "1.0", "9223372036854775808", "-9223372036854775809",
    };
    for (size_t k = 0; k < BX_ARRAY_LEN(bad); k++) {
        assert_false(bx_str_to_i64(bx_str(bad[k]), &i));
    }
    assert_int_equal(i, 77);
    assert_true(bx_str_to_i64(bx_str("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    assert_true(bx_str_to_i64(bx_str("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_false(bx_str_to_u64(bx_str("18446744073709551616"), &u));
    assert_false(bx_str_to_u64(bx_str("-1"), &u));
    assert_int_equal(u, 77);
    assert_true(bx_str_to_u64(bx_str("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
}

static void test_utf8_valid(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",
                                      "\xe0\x9f\xbf", "\xed\xa0\x80",     "\xf0\x8f\xbf\xbf",
                                      "\xff",         "\xf4\x90\x80\x80", "\xe2\x82",
                                      "\xc3(",        "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < BX_ARRAY_LEN(good); i++) {
        assert_true(bx_utf8_valid(bx_str(good[i])));
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        assert_false(bx_utf8_valid(bx_str(bad[i])));
    }
    assert_int_equal(bx_utf8_valid_prefix(bx_str("a\xe2\x82")), 1);
    assert_int_equal(bx_utf8_incomplete_tail(bx_str("a\xe2\x82")), 2);
    assert_int_equal(bx_utf8_incomplete_tail(bx_str("a\xf0\x9f\x98")), 3);
    assert_int_equal(bx_utf8_incomplete_tail(bx_str("a\xc3")), 1);
    assert_int_equal(bx_utf8_incomplete_tail(bx_str("\xe2\x82\xac")), 0);
    assert_int_equal(bx_utf8_incomplete_tail(bx_str("\x80\x80")), 0);
}

static void test_utf8_change(void **state) {
    (void)state;
    struct bx_str euro = bx_str("a\xe2\x82\xac"); /* bytes 1 to 3 */
    static const size_t cuts[] = {0, 1, 1, 1, 4, 4};
    for (size_t n = 0; n < BX_ARRAY_LEN(cuts); n++) {
        assert_int_equal(bx_utf8_cut(euro, n), cuts[n]);
    }
    struct bx_buf b = BX_BUF_INIT(100);
    assert_int_equal(bx_utf8_add_clean(&b, bx_str("a\xff\xe2\x82"
                                                  "b")),
                     0);
    assert_string_equal(bx_buf_z(&b), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                      "b");
    bx_buf_reset(&b);
    bx_utf8_add_char(&b, 'a');
    bx_utf8_add_char(&b, 0xe9);
    bx_utf8_add_char(&b, 0x20ac);
    bx_utf8_add_char(&b, 0x1f600);
    bx_utf8_add_char(&b, 0xd800);
    bx_utf8_add_char(&b, 0x110000);
    assert_string_equal(bx_buf_z(&b),
                        "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd");
    bx_buf_deinit(&b);
}

static void slips(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t n;
    } rows[] = {
        {"", "", 0},         {"", "abc", 3},          {"port", "port", 0}, {"prot", "port", 1},
        {"port", "root", 2}, {"Sleep", "sleep", 0},   {"red", "read", 1},  {"reads", "read", 1},
        {"raad", "read", 1}, {"kitten", "sitting", 3}};
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        assert_int_equal(bx_str_slips(bx_str(rows[i].a), bx_str(rows[i].b)), rows[i].n);
        assert_int_equal(bx_str_slips(bx_str(rows[i].b), bx_str(rows[i].a)), rows[i].n);
    }
    char longer[65];
    memset(longer, 'a', sizeof longer);
    assert_int_equal(bx_str_slips(bx_str_n(longer, 64), bx_str("")), 64);
    assert_true(bx_str_slips(bx_str_n(longer, 65), bx_str("a")) == SIZE_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips),           cmocka_unit_test(test_split),
        cmocka_unit_test(test_views),      cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf8_valid), cmocka_unit_test(test_utf8_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
