#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/path.h"

static void is(char *take_got, const char *want) {
    assert_string_equal(take_got, want);
    bx_free(take_got);
}

static void test_normal(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"/", "/"},
        {"//a//b/", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/../..", "/"},
        {"/a/..", "/"},
        {"", "."},
        {".", "."},
        {"a/..", "."},
        {"a/../b", "b"},
        {"../a", "../a"},
        {"../../a/..", "../.."},
        {"a/b/../c", "a/c"},
        {"a/../../b", "../b"},
        {"..a/b..", "..a/b.."},
        {"/..a/../b", "/b"},
        {"ab/../../../c/d/..", "../../c"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        is(bx_path_normal(cases[i][0]), cases[i][1]);
    }
}

static void test_parts(void **state) {
    (void)state;
    is(bx_path_join("a", "b"), "a/b");
    is(bx_path_join("a/", "b"), "a/b");
    is(bx_path_join("/", "b"), "/b");
    is(bx_path_join("", "b"), "b");
    is(bx_path_join("a", "/b"), "/b");
    is(bx_path_dir("a"), ".");
    is(bx_path_dir("/a"), "/");
    is(bx_path_dir("a//b"), "a");
    assert_string_equal(bx_path_base("a/b"), "b");
    assert_string_equal(bx_path_base("b"), "b");
    is(bx_path_absolute("/a/../b"), "/b");
    char *absolute = bx_path_absolute("x");
    assert_true(absolute[0] == '/' && bx_str_ends(bx_str(absolute), "/x"));
    bx_free(absolute);
}

static void test_under(void **state) {
    (void)state;
    assert_true(bx_path_is_under("/a", "/a"));
    assert_true(bx_path_is_under("/a/b", "/a"));
    assert_true(bx_path_is_under("/a", "/"));
    assert_true(bx_path_is_under("/", "/"));
    assert_false(bx_path_is_under("/ab", "/a"));
    assert_false(bx_path_is_under("/", "/a"));
}

static void test_real(void **state) {
    (void)state;
    struct bx_err err;
    assert_null(bx_path_real("/no/such/thing", &err));
    assert_int_equal(err.code, BX_ERR_NOTFOUND);
    is(bx_path_real("/proc/..", &err), "/");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_under),
        cmocka_unit_test(test_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
