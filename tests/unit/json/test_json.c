#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "json/json.h"

static struct bx_doc *parse(const char *text) {
    struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    int r = bx_doc_parse(bx_str(text), NULL, &doc, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(r, 0);
    return doc;
}

static void test_readers(void **state) {
    (void)state;
    bx_auto(bx_doc_freep) struct bx_doc *doc = parse(
        "{\"s\":\"x\\u0000y\",\"i\":9007199254740993,\"min\":-9223372036854775808,"
        "\"u\":18446744073709551615,\"r\":2.5,\"whole\":3.0,\"big\":1e300,\"t\":true,\"n\":null,"
        "\"a\":[1,[2],{}],\"\":\"empty\"}");
    const struct bx_val *v = bx_doc_root(doc);
    assert_int_equal(bx_val_type(v), BX_VAL_OBJ);
    assert_int_equal(bx_val_len(v), 11);
    struct bx_str s = bx_val_get_str(v, "s");
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "x\0y", 4);
    assert_string_equal(bx_val_get_z(v, ""), "empty");
    assert_true(bx_val_get_int(v, "i", 0) == 9007199254740993);
    assert_true(bx_val_get_int(v, "min", 0) == INT64_MIN);
    assert_true(bx_val_get_int(v, "u", 0) == INT64_MAX);
    assert_int_equal(bx_val_get_int(v, "r", -1), -1);
    assert_int_equal(bx_val_get_int(v, "whole", -1), 3);
    assert_int_equal(bx_val_get_int(v, "big", -1), -1);
    assert_int_equal(bx_val_get_int(v, "s", -1), -1);
    assert_true(bx_val_real(bx_val_get(v, "r"), 0) == 2.5);
    assert_true(bx_val_real(bx_val_get(v, "whole"), 0) == 3.0);
    assert_true(bx_val_get_bool(v, "t", false));
    assert_true(bx_val_get_bool(v, "n", true));
    const struct bx_val *a = bx_val_get(v, "a");
    assert_int_equal(bx_val_len(a), 3);
    assert_int_equal(bx_val_int(bx_val_at(bx_val_at(a, 1), 0), 0), 2);
    assert_null(bx_val_at(a, 3));
    assert_null(bx_val_get(a, "s"));
    assert_null(bx_val_get(v, "none"));
    assert_string_equal(bx_val_type_name(a), "array");
    assert_string_equal(bx_val_type_name(bx_val_get(v, "i")), "integer");
    assert_string_equal(bx_val_type_name(NULL), "nothing");
}

static void test_absent(void **state) {
    (void)state;
    assert_int_equal(bx_val_type(NULL), BX_VAL_ABSENT);
    assert_null(bx_val_str(NULL).p);
    assert_null(bx_val_z(NULL));
    assert_int_equal(bx_val_int(NULL, 5), 5);
    assert_true(bx_val_bool(NULL, true));
    assert_int_equal(bx_val_len(NULL), 0);
    assert_null(bx_val_get(NULL, "x"));
    assert_null(bx_val_at(NULL, 0));
    assert_true(bx_val_equal(NULL, NULL));
    bx_val_foreach_item (NULL, item) {
        fail_msg("an item of nothing: %p", (const void *)item);
    }
    bx_val_foreach_member (NULL, key, value) {
        fail_msg("a member of nothing: %p %s", (const void *)value, key.p);
    }
    bx_doc_free(NULL);
}

static void test_walk(void **state) {
    (void)state;
    bx_auto(bx_doc_freep) struct bx_doc *doc =
        parse("{\"a\":[1,[5,6],{\"x\":[7]},4],\"b\":{\"c\":{},\"d\":[]},\"e\":2}");
    struct bx_buf out = BX_BUF_INIT(1000);
    bx_val_foreach_member (bx_doc_root(doc), key, value) {
        bx_buf_addf(&out, BX_STR_FMT "(", BX_STR_ARG(key));
        bx_val_foreach_item (value, item) {
            bx_buf_addf(&out, "%d ", (int)bx_val_int(item, -1));
        }
        bx_val_foreach_member (value, inner, unused) {
            bx_buf_addf(&out, BX_STR_FMT "%zu ", BX_STR_ARG(inner), bx_val_len(unused));
        }
        bx_buf_addz(&out, ")");
    }
    assert_string_equal(bx_buf_z(&out), "a(1 -1 -1 4 )b(c0 d0 )e()");
    int seen = 0;
    bx_val_foreach_member (bx_doc_root(doc), name, member) {
        (void)name;
        (void)member;
        if (++seen == 2) {
            break;
        }
    }
    assert_int_equal(seen, 2);
    bx_buf_deinit(&out);
}

static void refused(const char *text, int code, const char *part) {
    struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, &err), code);
    assert_null(doc);
    if (!strstr(err.msg, part)) {
        fail_msg("'%s' does not say '%s'", err.msg, part);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "[01]",
        "[+1]",
        "[1.]",
        "[.5]",
        "[NaN]",
        "[1e]",
        "'a'",
        "// c\n1",
        "1 2",
        "[\"\t\"]",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\xef\xbb\xbf{}",
        "tru",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        refused(bad[i], BX_ERR_PROTO, "line 1, column ");
    }
    refused("{\n  \"a\": 1,\n  \"b\" 2\n}", BX_ERR_PROTO, "line 3, column 7");
}

static void test_limits(void **state) {
    (void)state;
    struct bx_json_limits limits = {.max_size_bytes = 10, .max_depth = 3};
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str("[[[\"[[\"]]]"), &limits, &doc, NULL), 0);
    bx_doc_free(doc);
    doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str("[[[[]]]]"), &limits, &doc, NULL), BX_ERR_LIMIT);
    assert_int_equal(bx_doc_parse(bx_str("[12345678, 9]"), &limits, &doc, NULL), BX_ERR_LIMIT);
    char deep[300];
    memset(deep, '[', 150);
    memset(deep + 150, ']', 150);
    assert_int_equal(bx_doc_parse(bx_str_n(deep, 300), NULL, &doc, NULL), BX_ERR_LIMIT);
    assert_int_equal(bx_doc_parse(bx_str_n(deep + 25, 250), NULL, &doc, NULL), 0); /* 125 */
    bx_doc_free(doc);
}

static void test_copy_and_equal(void **state) {
    (void)state;
    struct bx_doc *doc = parse("{\"a\":[1,\"x\\u0000\",{\"b\":null}],\"c\":true}");
    struct bx_doc *copy = bx_val_copy(bx_val_get(bx_doc_root(doc), "a"));
    bx_doc_free(doc);
    bx_auto(bx_doc_freep) struct bx_doc *want = parse("[1,\"x\\u0000\",{\"b\":null}]");
    assert_true(bx_val_equal(bx_doc_root(copy), bx_doc_root(want)));
    bx_doc_free(copy);
    bx_auto(bx_doc_freep) struct bx_doc *nothing = bx_val_copy(NULL);
    assert_int_equal(bx_val_type(bx_doc_root(nothing)), BX_VAL_NULL);
    bx_auto(bx_doc_freep) struct bx_doc *a = parse("{\"x\":1,\"y\":2}");
    bx_auto(bx_doc_freep) struct bx_doc *b = parse("{\"y\":2,\"x\":1}");
    bx_auto(bx_doc_freep) struct bx_doc *c = parse("{\"y\":2,\"x\":3}");
    assert_true(bx_val_equal(bx_doc_root(a), bx_doc_root(b)));
    assert_false(bx_val_equal(bx_doc_root(a), bx_doc_root(c)));
}

static void test_file(void **state) {
    (void)state;
    char folder[] = "/tmp/bx-json-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/a.json", folder);
    struct bx_err err;
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_read_file(path, NULL, &doc, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_file_write_atomic(path, bx_str("{\"a\":"), 0600, NULL), 0);
    assert_int_equal(bx_doc_read_file(path, NULL, &doc, &err), BX_ERR_PROTO);
    assert_non_null(strstr(err.msg, "a.json: not valid JSON at line 1"));
    assert_int_equal(bx_file_write_atomic(path, bx_str("{\"a\":1}"), 0600, NULL), 0);
    struct bx_json_limits small = {.max_size_bytes = 3};
    assert_int_equal(bx_doc_read_file(path, &small, &doc, &err), BX_ERR_LIMIT);
    assert_int_equal(bx_doc_read_file(path, NULL, &doc, &err), 0);
    assert_int_equal(bx_val_get_int(bx_doc_root(doc), "a", 0), 1);
    bx_doc_free(doc);
    assert_int_equal(bx_dir_remove(folder, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers), cmocka_unit_test(test_absent),
        cmocka_unit_test(test_walk),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_copy_and_equal),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
