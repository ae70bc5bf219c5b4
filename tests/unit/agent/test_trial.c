#include "unit/agent/world.h"

/* What would happen to a call is what does happen to it, and asking changes nothing. */

static char *try_call(struct world *w, const char *tool, const char *input, const char *mode,
                      bool in_session, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw jw;
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    struct bx_trial t = {.tool = tool,
                         .mode = mode,
                         .input = bx_doc_root(doc),
                         .session = in_session ? w->session : NULL};
    bx_jw_init(&jw, &out);
    if (bx_agent_try_call(w->agent, &t, &jw, err)) {
        bx_buf_deinit(&out);
        return NULL;
    }
    return bx_buf_steal(&out);
}

static void expect(struct world *w, const char *tool, const char *input, const char *mode,
                   bool in_session, const char *decision, const char *by) {
    struct bx_err err = {0};
    bx_auto(bx_freep) char *text = try_call(w, tool, input, mode, in_session, &err);
    bx_auto(bx_freep) char *want = bx_asprintf("{\"decision\":\"%s\",\"by\":\"%s\",", decision, by);
    if (!text || strncmp(text, want, strlen(want)))
        fail_msg("%s %s %s: %s", tool, input, mode ? mode : "", text ? text : err.msg);
}

#define FILE_A "{\"file_path\":\"/a\",\"content\":\"x\"}"

static void test_without_a_session(void **state) {
    struct world *w = *state;
    expect(w, "read", "{\"file_path\":\"/a\"}", NULL, false, "allow", "mode");
    expect(w, "read", "{\"file_path\":\"/../../etc/passwd\"}", NULL, false, "ask", "root");
    expect(w, "write", FILE_A, NULL, false, "ask", "mode");
    expect(w, "write", FILE_A, "plan", false, "deny", "mode");
    expect(w, "write", FILE_A, "accept-edits", false, "allow", "mode");
    expect(w, "write", "{\"file_path\":\"/.envrc\",\"content\":\"x\"}", "accept-edits", false,
           "ask", "guarded");
    expect(w, "format_disk", FILE_A, "bypass", false, "deny", "level");
}

static void add_rule(struct world *w, const char *json, bool in_session) {
    char id[37];
    struct bx_err err = {0};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(json), NULL, &doc, NULL), 0);
    if (bx_agent_add_grant(w->agent, bx_doc_root(doc), in_session ? w_id(w) : NULL, id, &err))
        fail_msg("%s", err.msg);
}

static void test_rules_of_workspace_and_session(void **state) {
    struct world *w = *state;
    add_rule(w, "{\"tool\":\"write\",\"path\":\"/a\",\"scope\":\"workspace\",\"max_calls\":1}",
             false);
    add_rule(w, "{\"tool\":\"wri*\",\"verdict\":\"deny\",\"scope\":\"session\"}", true);
    for (int i = 0; i < 3; i++) /* the one use of the first is not used up by asking */
        expect(w, "write", FILE_A, NULL, false, "allow", "rule");
    expect(w, "write", FILE_A, NULL, true, "deny", "rule");
    add_rule(w, "{\"tool\":\"read\",\"verdict\":\"ask\",\"scope\":\"workspace\"}", false);
    expect(w, "read", "{\"file_path\":\"/a\"}", NULL, true, "ask", "rule");
    w_expect(w, "permission tool_start tool_result", "", "");
}

static void test_mode_of_the_session(void **state) {
    struct world *w = *state;
    assert_int_equal(bx_session_append(w->session, "mode", BX_STR_LIT("{\"mode\":\"plan\"}"),
                                       BX_DURABLE, NULL, NULL),
                     0);
    expect(w, "write", FILE_A, NULL, true, "deny", "mode");
    expect(w, "write", FILE_A, "default", true, "ask", "mode");
}

static void test_what_cannot_be_tried(void **state) {
    struct world *w = *state;
    static const struct {
        const char *tool, *input, *mode, *says;
    } table[] = {
        {"wrte", "{}", NULL, "did you mean \"write\""},
        {"write", "{}", NULL, "file_path"},
        {"write", FILE_A, "yolo", "there is no mode"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        struct bx_err err = {0};
        assert_null(try_call(w, table[i].tool, table[i].input, table[i].mode, false, &err));
        assert_non_null(strstr(err.msg, table[i].says));
    }
}

/* Each call of the table, tried and then made: the log says the same. */
static void test_the_same_as_the_real_call(void **state) {
    struct world *w = *state;
    add_rule(w, "{\"tool\":\"write\",\"path\":\"/ok\",\"scope\":\"workspace\"}", false);
    add_rule(w, "{\"tool\":\"*\",\"path\":\"/no\",\"verdict\":\"deny\",\"scope\":\"session\"}",
             true);
    static const char *const calls[][2] = {{"read", "{\"file_path\":\"/ok\"}"},
                                           {"read", "{\"file_path\":\"/no\"}"},
                                           {"write", "{\"file_path\":\"/ok\"}"},
                                           {"write", "{\"file_path\":\"/no\"}"},
                                           {"format_disk", "{\"file_path\":\"/ok\"}"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(calls); i++) {
        struct w_reply script[] = {{.calls = {{"c", calls[i][0], calls[i][1]}}}, {.text = "x"}};
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        bx_auto(bx_freep) char *text = try_call(w, calls[i][0], calls[i][1], NULL, true, NULL);
        assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
        w_script(script, 2);
        w_send(w, "go", NULL);
        bx_auto(bx_freep) char *log = w_log(w, "permission", "decision by reason");
        bx_auto(bx_freep) char *want = bx_asprintf(
            "permission|%s|%s|%s", bx_val_get_z(bx_doc_root(doc), "decision"),
            bx_val_get_z(bx_doc_root(doc), "by"), bx_val_get_z(bx_doc_root(doc), "reason"));
        struct bx_str all = bx_str(log);
        if (!bx_str_ends(all, want))
            fail_msg("%s %s\n log: %s\ntry: %s", calls[i][0], calls[i][1], log, want);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_without_a_session),         T(test_rules_of_workspace_and_session),
        T(test_mode_of_the_session),       T(test_what_cannot_be_tried),
        T(test_the_same_as_the_real_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
