#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcp/config.h"
#include "mcp/content.h"
#include "mcp/definition.h"
#include "mcp/rpc.h"
#include "tools/embedded.h"

/* What needs no server: configuration, messages, descriptions, names, results. */

const struct bx_embedded_tool bx_embedded_tools[] = {{"none", "{}"}};
const size_t bx_embedded_tool_count = 0;

static struct bx_doc *json(const char *text) {
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    return doc;
}

/* ---- configuration ---- */

static int parse(const char *text, bool from_root, struct bx_mcp_server_config *ret,
                 struct bx_err *err) {
    struct bx_doc *doc = json(text);
    int rc = bx_mcp_server_config_parse(BX_STR_LIT("x"), bx_doc_root(doc), from_root, ret, err);
    bx_doc_free(doc);
    return rc;
}

static void test_entries(void **state) {
    (void)state;
    struct bx_mcp_server_config c;
    assert_int_equal(
        parse("{\"command\":\"npx\",\"args\":[\"-y\"],\"env\":{\"A\":\"b\"}}", false, &c, NULL), 0);
    assert_int_equal(c.transport, BX_MCP_STDIO);
    assert_int_equal(c.level, BX_LEVEL_EXECUTE);
    bx_mcp_server_config_deinit(&c);
    assert_int_equal(parse("{\"url\":\"http://h/mcp\",\"timeout\":90}", false, &c, NULL), 0);
    assert_int_equal(c.transport, BX_MCP_HTTP);
    assert_int_equal(c.timeout_ms, 90000);
    bx_mcp_server_config_deinit(&c);
    assert_int_equal(
        parse("{\"url\":\"http://h/\",\"type\":\"sse\",\"timeout\":60000}", false, &c, NULL), 0);
    assert_int_equal(c.transport, BX_MCP_SSE);
    assert_int_equal(c.timeout_ms, 60000);
    bx_mcp_server_config_deinit(&c);
}

static void test_a_folder_cannot_trust_itself(void **state) {
    (void)state;
    struct bx_mcp_server_config c;
    static const char text[] = "{\"command\":\"x\",\"trusted\":true,\"level\":\"none\"}";
    assert_int_equal(parse(text, true, &c, NULL), 0);
    assert_false(c.trusted);
    assert_int_equal(c.level, BX_LEVEL_EXECUTE);
    bx_mcp_server_config_deinit(&c);
    assert_int_equal(parse(text, false, &c, NULL), 0);
    assert_true(c.trusted);
    assert_int_equal(c.level, BX_LEVEL_NONE);
    bx_mcp_server_config_deinit(&c);
}

static void test_broken_entries(void **state) {
    (void)state;
    static const char *const wrong[] = {"{}",
                                        "[]",
                                        "{\"command\":\"a\",\"url\":\"b\"}",
                                        "{\"command\":7}",
                                        "{\"command\":\"a\",\"args\":[1]}",
                                        "{\"command\":\"a\",\"env\":{\"A\":1}}",
                                        "{\"command\":\"a\",\"type\":\"http\"}",
                                        "{\"url\":\"a\",\"type\":\"pigeon\"}",
                                        "{\"command\":\"a\",\"timeout\":-1}",
                                        "{\"command\":\"a\",\"level\":\"root\"}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wrong); i++) {
        struct bx_mcp_server_config c;
        struct bx_err err = {0};
        assert_int_equal(parse(wrong[i], false, &c, &err), BX_ERR_INVALID);
        assert_non_null(strstr(err.msg, "\"x\""));
    }
}

static void test_digest_ignores_order(void **state) {
    (void)state;
    struct bx_mcp_server_config a, b, c;
    assert_int_equal(parse("{\"command\":\"a\",\"args\":[\"1\"]}", false, &a, NULL), 0);
    assert_int_equal(parse("{\"args\":[\"1\"],\"command\":\"a\"}", false, &b, NULL), 0);
    assert_int_equal(parse("{\"args\":[\"2\"],\"command\":\"a\"}", false, &c, NULL), 0);
    assert_string_equal(a.digest, b.digest);
    assert_string_not_equal(a.digest, c.digest);
    bx_mcp_server_config_deinit(&a);
    bx_mcp_server_config_deinit(&b);
    bx_mcp_server_config_deinit(&c);
}

static char *secret(void *user, const char *name) {
    (void)user;
    return strcmp(name, "key") == 0 ? bx_strdup("s3cret") : NULL;
}

static void expands(const char *text, const char *expected) {
    struct bx_buf out = BX_BUF_INIT(BX_KIB);
    struct bx_err err = {0};
    int rc = bx_mcp_expand(bx_str(text), secret, NULL, &out, &err);
    if (expected)
        assert_string_equal(bx_buf_z(&out), expected);
    else
        assert_int_equal(rc, BX_ERR_NOTFOUND);
    bx_buf_deinit(&out);
}

static void test_expansion(void **state) {
    (void)state;
    setenv("BX_TEST_A", "one", 1);
    setenv("BX_TEST_EMPTY", "", 1);
    unsetenv("BX_TEST_NONE");
    expands("plain", "plain");
    expands("${BX_TEST_A}-${BX_TEST_A}", "one-one");
    expands("${BX_TEST_NONE:-two}", "two");
    expands("${BX_TEST_EMPTY:-two}", "two");
    expands("${BX_TEST_NONE:-}", "");
    expands("Bearer ${secret:key}", "Bearer s3cret");
    expands("${BX_TEST_NONE}", NULL);
    expands("${secret:other}", NULL);
    expands("open ${BX", "open ${BX");
}

/* ---- messages ---- */

static void test_messages(void **state) {
    (void)state;
    struct bx_rpc m;
    struct bx_doc *doc;
    static const struct {
        const char *text;
        int kind; /* -1: none */
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", BX_RPC_RESPONSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"error\":{\"code\":1}}", BX_RPC_RESPONSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", BX_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", BX_RPC_NOTIFICATION},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", -1},
        {"{\"id\":1,\"result\":{}}", -1},
        {"[]", -1},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":1}", -1},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        int rc = bx_rpc_parse(bx_str(cases[i].text), &doc, &m, NULL);
        assert_int_equal(rc == 0 ? (int)m.kind : -1, cases[i].kind);
        if (rc == 0)
            bx_doc_free(doc);
    }
    assert_int_equal(bx_rpc_parse(bx_str(cases[1].text), &doc, &m, NULL), 0);
    assert_true(bx_rpc_id_is(&m, 1)); /* a number given back as text */
    assert_false(bx_rpc_id_is(&m, 2));
    bx_doc_free(doc);
}

static void test_clean(void **state) {
    (void)state;
    struct bx_buf out = BX_BUF_INIT(BX_KIB);
    bx_mcp_clean(&out,
                 bx_str("a\x1b[31mb\tc\n\xe2\x80\xae"
                        "d\xf3\xa0\x81\x81"
                        "e\xc2\x9b"
                        "f\xc3\xa9"),
                 100);
    assert_string_equal(bx_buf_z(&out), "a [31mb\tc\n d e f\xc3\xa9");
    bx_buf_reset(&out);
    bx_mcp_clean(&out, bx_str("ab\xc3\xa9"), 3);
    assert_string_equal(bx_buf_z(&out), "ab");
    bx_buf_deinit(&out);
}

/* ---- descriptions and names ---- */

static void test_definitions(void **state) {
    (void)state;
    struct bx_mcp_definition d, again;
    struct bx_doc *doc =
        json("{\"name\":\"t\",\"description\":\"x\\u001by\",\"inputSchema\":"
             "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}");
    assert_int_equal(bx_mcp_definition_make(bx_doc_root(doc), &d, NULL), 0);
    assert_string_equal(bx_val_get_z(bx_doc_root(d.doc), "description"), "x y");
    assert_int_equal(bx_mcp_definition_read(bx_doc_root(d.doc), &again, NULL), 0);
    assert_string_equal(d.digest, again.digest); /* as the state file keeps it */
    bx_mcp_definition_deinit(&again);
    bx_doc_free(doc);
    doc = json("{\"name\":\"t\",\"description\":\"x y!\",\"inputSchema\":{\"type\":\"object\"}}");
    assert_int_equal(bx_mcp_definition_make(bx_doc_root(doc), &again, NULL), 0);
    assert_string_not_equal(d.digest, again.digest);
    bx_mcp_definition_deinit(&again);
    bx_mcp_definition_deinit(&d);
    bx_doc_free(doc);
    doc = json("{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":7}}");
    assert_int_equal(bx_mcp_definition_make(bx_doc_root(doc), &d, NULL), 0);
    assert_non_null(
        strstr(bx_val_get_z(bx_doc_root(d.doc), "description"), "schema could not be used"));
    assert_int_equal(bx_val_len(bx_val_get(bx_doc_root(d.doc), "inputSchema")), 1);
    bx_mcp_definition_deinit(&d);
    bx_doc_free(doc);
    doc = json("{\"name\":\"a\\nb\"}");
    assert_int_equal(bx_mcp_definition_make(bx_doc_root(doc), &d, NULL), BX_ERR_INVALID);
    bx_doc_free(doc);
}

static void test_names(void **state) {
    (void)state;
    char a[65], b[65];
    bx_mcp_tool_name("git", "log", false, a);
    assert_string_equal(a, "mcp__git__log");
    bx_mcp_tool_name("git", "log.all of", false, a);
    assert_string_equal(a, "mcp__git__log_all_of");
    bx_mcp_tool_name("git", "log.x", true, a);
    bx_mcp_tool_name("git", "log_x", true, b);
    assert_string_not_equal(a, b);
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    bx_mcp_tool_name("server", name, false, a);
    assert_int_equal(strlen(a), 64);
    name[150] = 'm';
    bx_mcp_tool_name("server", name, false, b);
    assert_string_not_equal(a, b);
}

/* ---- results ---- */

static void result_is(const char *text, size_t max, const char *content, bool is_error,
                      const char *limit) {
    struct bx_tool_result r = {0};
    struct bx_doc *doc = json(text);
    bx_mcp_content_result("t", bx_doc_root(doc), max, &r);
    if (content)
        assert_string_equal(r.content, content);
    assert_int_equal(r.is_error, is_error);
    assert_true(limit ? r.limit && strcmp(r.limit, limit) == 0 : !r.limit);
    bx_tool_result_deinit(&r);
    bx_doc_free(doc);
}

static void test_results(void **state) {
    (void)state;
    result_is(
        "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}",
        100, "\"a\\nb\"", false, NULL);
    result_is("{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"isError\":true}", 100, "\"a\"",
              true, NULL);
    result_is("{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\",\"mimeType\":"
              "\"image/png\",\"data\":\"AA==\"}]}",
              100,
              "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\",\"mime\":\"image/"
              "png\",\"data\":\"AA==\"}]",
              false, NULL);
    result_is(
        "{\"content\":[{\"type\":\"image\",\"mimeType\":\"text/html\",\"data\":\"<script>\"}]}",
        100, "\"[an image that is none]\"", false, NULL);
    result_is("{\"content\":[],\"structuredContent\":{\"a\":1}}", 100, "\"{\\\"a\\\":1}\"", false,
              NULL);
    result_is("{\"content\":[{\"type\":\"resource_link\",\"uri\":\"f://x\",\"name\":\"n\"}]}", 100,
              "\"[resource link n: f://x]\"", false, NULL);
    result_is("{\"content\":[{\"type\":\"text\",\"text\":\"0123456789\"}]}", 9, NULL, true,
              "response");
    result_is("{\"content\":7}", 9, "\"\"", false, NULL);
    result_is("7", 9, "\"\"", false, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),        cmocka_unit_test(test_a_folder_cannot_trust_itself),
        cmocka_unit_test(test_broken_entries), cmocka_unit_test(test_digest_ignores_order),
        cmocka_unit_test(test_expansion),      cmocka_unit_test(test_messages),
        cmocka_unit_test(test_clean),          cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
