#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/utf8.h"

static void test_messages(void **state) {
    (void)state;
    struct bx_err err;
    assert_int_equal(bx_fail(&err, BX_ERR_DENIED, "no %s", "entry"), BX_ERR_DENIED);
    assert_int_equal(err.code, BX_ERR_DENIED);
    assert_string_equal(err.msg, "no entry");
    assert_int_equal(bx_wrap(&err, BX_ERR_IO, "file %d", 3), BX_ERR_IO);
    assert_string_equal(err.msg, "file 3: no entry");
    assert_int_equal(err.code, BX_ERR_IO);
    bx_fail(&err, BX_ERR_IO, "<%s>", err.msg); /* its own text as an argument */
    assert_string_equal(err.msg, "<file 3: no entry>");
    assert_int_equal(bx_fail_errno(&err, ENOENT, "cannot open '%s'", "x"), BX_ERR_NOTFOUND);
    assert_string_equal(err.msg, "cannot open 'x': No such file or directory");
    assert_int_equal(bx_fail_errno(&err, EIO, "x"), BX_ERR_IO);
    assert_int_equal(bx_fail_errno(&err, EACCES, "x"), BX_ERR_DENIED);
    assert_int_equal(bx_fail(NULL, BX_ERR_BUSY, "x"), BX_ERR_BUSY);
    assert_int_equal(bx_fail_errno(NULL, EEXIST, "x"), BX_ERR_EXISTS);
    assert_int_equal(bx_wrap(NULL, BX_ERR_BUSY, "x"), BX_ERR_BUSY);
}

/* However long a text is and wherever its characters end, the message is UTF-8 and says the reason.
 */
static void test_long(void **state) {
    (void)state;
    char text[3000];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) {
            memcpy(text + i, "\xe2\x82\xac", 4);
        }
        struct bx_err err;
        bx_fail(&err, BX_ERR_IO, "%s", text);
        assert_true(bx_utf8_valid(bx_str(err.msg)));
        assert_true(strlen(err.msg) > sizeof err.msg - 5);
        bx_wrap(&err, BX_ERR_IO, "%s", text);
        assert_true(bx_utf8_valid(bx_str(err.msg)));
        bx_fail_errno(&err, ENOENT, "%s", text);
        assert_true(bx_utf8_valid(bx_str(err.msg)));
        assert_true(bx_str_ends(bx_str(err.msg), ": No such file or directory"));
    }
}

static void test_table(void **state) {
    (void)state;
    assert_string_equal(bx_err_name(0), "ok");
    assert_string_equal(bx_err_name(BX_ERR_NOTFOUND), "notfound");
    assert_string_equal(bx_err_text(BX_ERR_LIMIT), "limit exceeded");
    assert_int_equal(bx_err_http_status(0), 200);
    assert_int_equal(bx_err_http_status(BX_ERR_AUTH), 401);
    assert_int_equal(bx_err_http_status(-9999), 500);
#define XX(name, code, status, text)                                                               \
    for (const char *n = bx_err_name(code), *u = #name; *n || *u; n++, u++) {                      \
        assert_int_equal(*n - 'a', *u - 'A');                                                      \
    }
    BX_ERR_MAP(XX)
#undef XX
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
