#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "box/grant.h"

static void test_values(void **state) {
    (void)state;
    static const struct {
        const char *pair;
        enum bx_limit_id id;
        uint64_t want;
    } cases[] = {
        {"time=60s", BX_LIMIT_TIME, 60000},
        {"time=500ms", BX_LIMIT_TIME, 500},
        {"time=2m", BX_LIMIT_TIME, 120000},
        {"time=1.5", BX_LIMIT_TIME, 1500},
        {"wasm_timeout=7", BX_LIMIT_TIME, 7000},
        {"time= 90 s ", BX_LIMIT_TIME, 90000},
        {"memory=64MiB", BX_LIMIT_MEMORY, 64 << 20},
        {"memory=2m", BX_LIMIT_MEMORY, 2 << 20},
        {"stack=64k", BX_LIMIT_STACK, 64 << 10},
        {"stack=100000", BX_LIMIT_STACK, 100000},
        {"fuel=10G", BX_LIMIT_FUEL, 10000000000},
        {"fuel=0", BX_LIMIT_FUEL, 0},
        {"table=200000", BX_LIMIT_TABLE, 200000},
        {"output=1.5KiB", BX_LIMIT_OUTPUT, 1536},
        {"max_written_bytes=1GiB", BX_LIMIT_WRITTEN, 1 << 30},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_limits l;
        struct bx_err err = {0};
        bx_limits_init(&l);
        assert_int_equal(bx_limits_set_pair(&l, cases[i].pair, &err), 0);
        assert_int_equal(l.value[cases[i].id], cases[i].want);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *pair;
        int code;
        const char *says;
    } cases[] = {
        {"time", BX_ERR_INVALID, "NAME=VALUE"},
        {"speed=1", BX_ERR_NOTFOUND, "time, cpu, fuel"},
        {"time=0", BX_ERR_INVALID, "from 10 ms to 24 h"},
        {"time=25h", BX_ERR_INVALID, "wasm_timeout"},
        {"time=soon", BX_ERR_INVALID, "30s"},
        {"time=-5", BX_ERR_INVALID, "30s"},
        {"time=5MiB", BX_ERR_INVALID, "30s"},
        {"time=", BX_ERR_INVALID, "30s"},
        {"time=1.2345", BX_ERR_INVALID, "30s"},
        {"memory=30s", BX_ERR_INVALID, "256MiB"},
        {"memory=1", BX_ERR_INVALID, "from 1 MiB to 1 GiB"},
        {"memory=99999999999999999999", BX_ERR_INVALID, "memory"},
        {"fuel=18446744073709551G", BX_ERR_INVALID, "fuel"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_limits l, before;
        struct bx_err err = {0};
        bx_limits_init(&l);
        before = l;
        assert_int_equal(bx_limits_set_pair(&l, cases[i].pair, &err), cases[i].code);
        if (!strstr(err.msg, cases[i].says)) {
            fail_msg("%s: %s", cases[i].pair, err.msg);
        }
        assert_memory_equal(&l, &before, sizeof l);
    }
}

static struct bx_doc *parse(const char *text) {
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    return doc;
}

static void test_settings(void **state) {
    (void)state;
    struct bx_limits l;
    struct bx_err err = {0};
    bx_limits_init(&l);
    struct bx_doc *doc =
        parse("{\"wasm_timeout\":60,\"cpu\":0.5,\"memory\":\"64MiB\",\"theme\":\"dark\"}");
    assert_int_equal(bx_limits_read(&l, bx_doc_root(doc), &err), 0);
    assert_int_equal(l.value[BX_LIMIT_TIME], 60000);
    assert_int_equal(l.value[BX_LIMIT_CPU], 500);
    assert_int_equal(l.value[BX_LIMIT_MEMORY], 64 << 20);
    bx_doc_free(doc);
    doc = parse("{\"time\":true}");
    assert_int_equal(bx_limits_read(&l, bx_doc_root(doc), &err), BX_ERR_INVALID);
    bx_doc_free(doc);
}

/* A descriptor asks: lower is taken, higher is not. */
static void test_lower(void **state) {
    (void)state;
    struct bx_limits l;
    bx_limits_init(&l);
    struct bx_doc *doc = parse("{\"time\":\"5s\",\"memory\":\"1GiB\",\"fuel\":1000}");
    assert_int_equal(bx_limits_lower(&l, bx_doc_root(doc), NULL), 0);
    assert_int_equal(l.value[BX_LIMIT_TIME], 5000);
    assert_int_equal(l.value[BX_LIMIT_MEMORY], 256 << 20);
    assert_int_equal(l.value[BX_LIMIT_FUEL], 1000);
    bx_doc_free(doc);
    doc = parse("{\"fuel\":0}"); /* would be more than 1000 */
    assert_int_equal(bx_limits_lower(&l, bx_doc_root(doc), NULL), 0);
    assert_int_equal(l.value[BX_LIMIT_FUEL], 1000);
    bx_doc_free(doc);
}

/* What is printed can be typed. */
static void test_print(void **state) {
    (void)state;
    static const struct {
        enum bx_limit_id id;
        uint64_t value;
        const char *want;
    } cases[] = {
        {BX_LIMIT_TIME, 30000, "30 s"},    {BX_LIMIT_TIME, 1500, "1500 ms"},
        {BX_LIMIT_TIME, 120000, "2 m"},    {BX_LIMIT_MEMORY, 256 << 20, "256 MiB"},
        {BX_LIMIT_MEMORY, 1500, "1500 B"}, {BX_LIMIT_TABLE, 100000, "100,000"},
        {BX_LIMIT_REQUEST, 0, "0 B"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(100);
        bx_limit_print(&out, cases[i].id, cases[i].value);
        assert_string_equal(bx_buf_z(&out), cases[i].want);
    }
}

static void test_grants(void **state) {
    (void)state;
    static const struct {
        struct bx_mount mounts[2];
        size_t count;
        int code;
    } cases[] = {
        {{{"/a", "/", false}}, 1, 0},
        {{{"/a", "/", false}, {"/a/b", "/b", true}}, 2, 0},
        {{{"/a", "/", false}, {"/b", "/", true}}, 2, BX_ERR_INVALID},
        {{{"a", "/", false}}, 1, BX_ERR_INVALID},
        {{{"/a/../etc", "/", false}}, 1, BX_ERR_INVALID},
        {{{"/a", "x", false}}, 1, BX_ERR_INVALID},
        {{{NULL, "/", false}}, 1, BX_ERR_INVALID},
        {{{"/a", "/", false}}, BX_MOUNTS_MAX + 1, BX_ERR_INVALID},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_grant g;
        bx_grant_init(&g);
        g.mounts = cases[i].mounts;
        g.mount_count = cases[i].count;
        assert_int_equal(bx_grant_check(&g, NULL), cases[i].code);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_settings), cmocka_unit_test(test_lower),
        cmocka_unit_test(test_print),    cmocka_unit_test(test_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
