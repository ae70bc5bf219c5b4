/* Bodies and WebSocket messages: what is taken, what is refused and by which name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/ops.h"

#define ID "01a20a94-3463-738d-b7df-b0575e67599c"

static void test_ops(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int result; /* an op, or an error */
    } cases[] = {
        {"{\"op\":\"ping\"}", BX_OP_PING},
        {"{\"op\":\"subscribe\",\"session\":\"" ID "\"}", BX_OP_SUBSCRIBE},
        {"{\"op\":\"subscribe\",\"session\":\"" ID "\",\"from\":7,\"ref\":\"r\"}", BX_OP_SUBSCRIBE},
        {"{\"op\":\"unsubscribe\",\"session\":\"" ID "\"}", BX_OP_UNSUBSCRIBE},
        {"{\"op\":\"send\",\"session\":\"" ID "\",\"text\":\"x\"}", BX_OP_SEND},
        {"{\"op\":\"stop\",\"session\":\"" ID "\"}", BX_OP_STOP},
        {"{\"op\":\"answer\",\"session\":\"" ID
         "\",\"question\":\"q\",\"choice\":\"no\",\"text\":\"t\"}",
         BX_OP_ANSWER},
        {"{\"op\":\"answer\",\"session\":\"" ID
         "\",\"question\":\"q\",\"choice\":\"answer\",\"answers\":[{\"selected\":[\"a\"]}]}",
         BX_OP_ANSWER},
        {"{\"op\":\"answer\",\"session\":\"" ID
         "\",\"question\":\"q\",\"choice\":\"answer\",\"answers\":\"a\"}",
         BX_ERR_INVALID},
        {"", BX_ERR_INVALID},
        {"[]", BX_ERR_INVALID},
        {"{}", BX_ERR_INVALID},
        {"{\"op\":null}", BX_ERR_INVALID},
        {"{\"op\":\"PING\"}", BX_ERR_INVALID},
        {"{\"op\":\"ping\",\"session\":\"" ID "\"}", BX_ERR_INVALID},
        {"{\"op\":\"subscribe\"}", BX_ERR_INVALID},
        {"{\"op\":\"subscribe\",\"session\":\"x\"}", BX_ERR_NOTFOUND},
        {"{\"op\":\"subscribe\",\"session\":\"" ID "0\"}", BX_ERR_LIMIT},
        {"{\"op\":\"subscribe\",\"session\":\"" ID "\",\"from\":0}", BX_ERR_INVALID},
        {"{\"op\":\"subscribe\",\"session\":\"" ID "\",\"from\":\"1\"}", BX_ERR_INVALID},
        {"{\"op\":\"send\",\"session\":\"" ID "\",\"text\":\" \\n\"}", BX_ERR_INVALID},
        {"{\"op\":\"send\",\"session\":\"" ID "\",\"text\":\"a\\u0000b\"}", BX_ERR_INVALID},
        {"{\"op\":\"send\",\"session\":\"" ID "\"}", BX_ERR_INVALID},
        {"{\"op\":\"send\",\"session\":\"" ID "\",\"text\":\"a\",\"stop\":true}", BX_ERR_INVALID},
        {"{\"op\":\"send\",\"session\":\"" ID "\",\"text\":\"a\",\"replace\":2,\"stop\":true}",
         BX_OP_SEND},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_doc *doc = NULL;
        struct bx_err err = {0};
        enum bx_op op = BX_OP_PING;
        char *ref;
        int r = bx_op_parse(bx_str(cases[i].text), &op, &doc, &ref, &err);
        if ((r < 0 ? r : (int)op) != cases[i].result || (r < 0) != (err.msg[0] != '\0'))
            fail_msg("%s: %d %s", cases[i].text, r, err.msg);
        bx_doc_free(doc);
        bx_free(ref);
    }
}

static void test_ref_of_a_bad_message(void **state) {
    (void)state;
    struct bx_doc *doc = NULL;
    enum bx_op op;
    char *ref;
    assert_int_equal(
        bx_op_parse(BX_STR_LIT("{\"op\":\"?\",\"ref\":\"r1\"}"), &op, &doc, &ref, NULL),
        BX_ERR_INVALID);
    assert_string_equal(ref, "r1");
    bx_free(ref);
}

static void test_texts(void **state) {
    (void)state;
    struct bx_buf out = BX_BUF_INIT(1000);
    bx_op_write_ok(&out, "a\"b", &(struct bx_said){.run = "run"});
    assert_string_equal(bx_buf_z(&out), "{\"op\":\"ok\",\"ref\":\"a\\\"b\",\"run\":\"run\"}");
    bx_buf_reset(&out);
    bx_op_write_ok(&out, NULL, NULL);
    assert_string_equal(bx_buf_z(&out), "{\"op\":\"ok\"}");
    bx_buf_reset(&out);
    bx_op_write_error(&out, "r", BX_ERR_BUSY, "");
    assert_string_equal(bx_buf_z(&out),
                        "{\"op\":\"error\",\"ref\":\"r\",\"code\":\"busy\",\"text\":\"busy\"}");
    bx_buf_reset(&out);
    bx_op_write_event(&out, "s", BX_STR_LIT("{\"seq\":1}"));
    assert_string_equal(bx_buf_z(&out),
                        "{\"op\":\"event\",\"session\":\"s\",\"event\":{\"seq\":1}}");
    bx_buf_reset(&out);
    bx_op_write_caught_up(&out, "s", 3, true);
    assert_string_equal(bx_buf_z(&out),
                        "{\"op\":\"caught_up\",\"session\":\"s\",\"seq\":3,\"running\":true}");
    bx_buf_deinit(&out);
}

static void test_bodies(void **state) {
    (void)state;
    static const struct bx_member members[] = {
        {.name = "name", .type = BX_VAL_STR, .required = true, .max_bytes = 5},
        {.name = "mode", .type = BX_VAL_STR, .nullable = true},
        {.name = NULL}};
    static const struct {
        const char *text;
        int result;
        const char *field, *says;
    } cases[] = {
        {"{\"name\":\"x\"}", 0, "", ""},
        {"{\"name\":\"12345\",\"mode\":null}", 0, "", ""},
        {"{\"name\":\"123456\"}", BX_ERR_LIMIT, "name", "at most 5"},
        {"{\"name\":null}", BX_ERR_INVALID, "name", "must be a string"},
        {"{\"name\":\"x\",\"nmae\":1}", BX_ERR_INVALID, "nmae", "known are name, mode"},
        {"{}", BX_ERR_INVALID, "name", "missing"},
        {" ", BX_ERR_INVALID, "name", "missing"},
        {"[]", BX_ERR_INVALID, "", "object"},
        {"{\"name\":", BX_ERR_INVALID, "", "not valid JSON"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_doc *doc = NULL;
        struct bx_err err = {0};
        char field[64];
        int r = bx_body_parse(bx_str(cases[i].text), members, &doc, field, &err);
        if (r != cases[i].result || strcmp(field, cases[i].field) != 0 ||
            !strstr(err.msg, cases[i].says))
            fail_msg("%s: %d '%s' %s", cases[i].text, r, field, err.msg);
        bx_doc_free(doc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ops),
                                       cmocka_unit_test(test_ref_of_a_bad_message),
                                       cmocka_unit_test(test_texts), cmocka_unit_test(test_bodies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
