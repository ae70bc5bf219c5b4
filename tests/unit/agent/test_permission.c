#include "unit/agent/world.h"

#define WRITE(id_, path)                                                                           \
    { id_, "write", "{\"file_path\":\"" path "\"}" }
#define TYPES "permission question answer tool_start tool_result run_end"

static void test_headless_is_refused(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.text = "I may not."});
    w_send(w, "go", &(struct bx_run_options){.headless = true});
    w_expect(w, TYPES, "decision by is_error reason",
             "permission|deny|headless|nobody is there to ask (mode default asks before level "
             "write): start with --yes write, or add a rule"
             " tool_result|true run_end|done");
    assert_string_equal(w_box.calls, "");
    assert_non_null(strstr(w_model.dump, "(1 error) Not permitted: nobody is there to ask"));
}

static void test_yes_for_a_level(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.text = "done"});
    w_send(w, "go", &(struct bx_run_options){.headless = true, .yes_levels = 1u << BX_LEVEL_WRITE});
    assert_string_equal(w_box.calls, "write {\"file_path\":\"/a\"}\n");
    w_expect(w, "permission", "decision by", "permission|allow|flag");
}

static void test_plan_mode_changes_nothing(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a"), {"2", "read", "{\"file_path\":\"a\"}"}}},
             {.text = "a plan"});
    w_send(w, "go", &(struct bx_run_options){.mode = "plan", .yes_levels = 1u << BX_LEVEL_WRITE});
    assert_string_equal(w_box.calls, "read {\"file_path\":\"/a\"}\n");
    w_expect(w, "run_start permission", "mode decision by",
             "run_start|plan permission|deny|mode permission|allow|mode");
}

static void test_guarded_and_outside(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", ".git/hooks/pre-commit"), WRITE("2", "../../etc/cron.d/x"),
                        WRITE("3", "ok")}},
             {.text = "done"});
    w_send(w, "go",
           &(struct bx_run_options){
               .mode = "accept-edits", .headless = true, .yes_levels = 1u << BX_LEVEL_WRITE});
    assert_null(strstr(w_box.calls, ".git"));
    assert_non_null(strstr(w_box.calls, "write {\"file_path\":\"/ok\"}"));
    w_expect(w, "permission", "call decision",
             "permission|1|deny permission|2|allow permission|3|allow");
    /* 2 was let through by --yes, and goes on as it was written: the wall refuses it */
    assert_non_null(strstr(w_box.calls, "write {\"file_path\":\"../../etc/cron.d/x\"}"));
}

static void start(struct world *w, const char *text) {
    assert_int_equal(bx_agent_send(w->agent, w->session, text, NULL, NULL, NULL), 0);
}

static void answer(struct world *w, enum bx_choice choice, const char *text) {
    char *question = w_question(w);
    struct bx_err err = {0};
    struct bx_answer said = {.choice = choice, .text = text, .from = "api"};
    assert_int_equal(bx_agent_answer(w->agent, w_id(w), "another", &said, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_agent_answer(w->agent, w_id(w), question, &said, NULL), 0);
    bx_free(question);
}

static void test_yes_once_is_once(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.calls = {WRITE("2", "a")}}, {.text = "done"});
    start(w, "go");
    answer(w, BX_CHOICE_ONCE, NULL);
    answer(w, BX_CHOICE_NO, "use b instead");
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, TYPES, "choice from decision by is_error",
             "question answer|once|api permission|allow|user tool_start tool_result|false "
             "question answer|no|api permission|deny|user tool_result|true run_end");
    assert_string_equal(w_box.calls, "write {\"file_path\":\"/a\"}\n");
    assert_non_null(
        strstr(w_model.dump, "(2 error) Not permitted: the user said no: use b instead"));
    struct bx_err err = {0};
    char *questions = w_log(w, "question", "question");
    struct bx_answer once = {.choice = BX_CHOICE_ONCE, .from = "api"};
    assert_int_equal(bx_agent_answer(w->agent, w_id(w), strchr(questions, '|') + 1, &once, &err),
                     BX_ERR_NOTFOUND);
    bx_free(questions);
}

/* Nothing is begun before a person has said something: no model is loaded to know its window. */
static void test_a_question_of_before_the_restart_waits_for_nothing(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.text = "done"});
    start(w, "go");
    bx_free(w_question(w));
    w_reopen(w);
    w_model.windows = 0;
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0);
    answer(w, BX_CHOICE_ONCE, NULL);
    bx_agent_wait(w->agent, w_id(w));
    assert_int_equal(w_model.windows, 0);
    w_expect(w, "question answer run_end", "choice reason", "question answer|once run_end|done");
}

static void test_yes_for_the_session_survives_a_restart(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.calls = {WRITE("2", "b")}}, {.text = "done"},
             {.calls = {WRITE("3", "c")}}, {.text = "done"}, {.calls = {WRITE("4", ".git/config")}},
             {.text = "done"}, {.calls = {WRITE("5", "d")}}, {.text = "done"});
    start(w, "go");
    answer(w, BX_CHOICE_SESSION, NULL);
    bx_agent_wait(w->agent, w_id(w));
    char id[37];
    memcpy(id, w_id(w), sizeof id);
    w_close(w);
    w_open(w);
    assert_int_equal(bx_session_open(w->store, id, &w->session, NULL), 0);
    w_send(w, "more", &(struct bx_run_options){.headless = true});
    w_send(w, "hook",
           &(struct bx_run_options){.headless = true}); /* it was said of ordinary files */
    w_expect(w, "permission", "call decision by",
             "permission|1|allow|user permission|2|allow|rule permission|3|allow|rule "
             "permission|4|deny|headless");
    struct bx_session_header h = {
        .title = "", .model = "", .mode = "default", .root = w->root, .kind = "chat"};
    bx_session_unref(w->session);
    assert_int_equal(bx_session_create(w->store, &h, &w->session, NULL), 0);
    w_send(w, "another session", &(struct bx_run_options){.headless = true});
    w_expect(w, "permission", "call decision by", "permission|5|deny|headless");
}

static void test_always_goes_into_the_settings(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.text = "done"}, {.calls = {WRITE("2", "b")}},
             {.text = "done"});
    start(w, "go");
    answer(w, BX_CHOICE_ALWAYS, NULL);
    bx_agent_wait(w->agent, w_id(w));
    struct bx_session_header h = {
        .title = "", .model = "", .mode = "default", .root = w->root, .kind = "chat"};
    bx_session_unref(w->session);
    assert_int_equal(bx_session_create(w->store, &h, &w->session, NULL), 0);
    w_send(w, "another session", &(struct bx_run_options){.headless = true});
    w_expect(w, "permission", "call decision by", "permission|2|allow|rule");
    struct bx_doc *settings = NULL;
    assert_int_equal(bx_settings_load(w->store, &settings, NULL), 0);
    assert_int_equal(bx_val_len(bx_val_get(bx_doc_root(settings), "rules")), 1);
    bx_doc_free(settings);
}

static void test_stop_while_a_question_waits(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}});
    start(w, "go");
    char *question = w_question(w);
    assert_int_equal(bx_agent_stop_run(w->agent, w_id(w), NULL), 0);
    bx_agent_wait(w->agent, w_id(w));
    struct bx_answer once = {.choice = BX_CHOICE_ONCE, .from = "api"};
    assert_int_equal(bx_agent_answer(w->agent, w_id(w), question, &once, NULL), BX_ERR_NOTFOUND);
    assert_string_equal(w_box.calls, "");
    w_expect(w, TYPES, "reason", "question tool_result run_end|stopped");
    bx_free(question);
}

static void test_a_rule_denies_whatever_the_mode(void **state) {
    struct world *w = *state;
    struct bx_doc *patch = NULL;
    assert_int_equal(
        bx_doc_parse(
            bx_str(
                "{\"rules\":[{\"tool\":\"read\",\"path\":\"/secrets/**\",\"verdict\":\"deny\"}]}"),
            NULL, &patch, NULL),
        0);
    assert_int_equal(bx_settings_patch(w->store, bx_doc_root(patch), NULL), 0);
    bx_doc_free(patch);
    W_SCRIPT({.calls = {{"1", "read", "{\"file_path\":\"x/../secrets/key\"}"},
                        {"2", "read", "{\"file_path\":\"x\"}"}}},
             {.text = "done"});
    w_send(w, "go", &(struct bx_run_options){.mode = "auto"});
    w_expect(w, "permission", "call decision by", "permission|1|deny|rule permission|2|allow|mode");
    assert_string_equal(w_box.calls, "read {\"file_path\":\"/x\"}\n");
}

static void call_by_hand(struct world *w, const char *tool, const char *input,
                         const char *const *limits, struct bx_tool_result *ret) {
    struct bx_tool *t = bx_registry_find(w->registry, tool);
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    *ret = (struct bx_tool_result){0};
    assert_int_equal(bx_agent_call_tool(w->agent, t, bx_doc_root(doc),
                                        &(struct bx_limits_wish){.over = limits}, NULL, ret, NULL),
                     0);
    bx_doc_free(doc);
    bx_tool_unref(t);
}

static void test_a_call_by_hand_passes_the_same_check(void **state) {
    struct world *w = *state;
    struct bx_tool_result r;
    call_by_hand(w, "write", "{\"file_path\":\"a\"}", NULL,
                 &r); /* who calls by hand has answered */
    assert_false(r.is_error);
    bx_tool_result_deinit(&r);
    struct bx_doc *patch = NULL;
    assert_int_equal(bx_doc_parse(bx_str("{\"rules\":[{\"tool\":\"write\",\"verdict\":\"deny\"}]}"),
                                  NULL, &patch, NULL),
                     0);
    assert_int_equal(bx_settings_patch(w->store, bx_doc_root(patch), NULL), 0);
    bx_doc_free(patch);
    call_by_hand(w, "write", "{\"file_path\":\"b\"}", NULL, &r);
    assert_true(r.is_error);
    assert_non_null(strstr(r.content, "Not permitted"));
    bx_tool_result_deinit(&r);
    assert_null(strstr(w_box.calls, "/b"));
    call_by_hand(w, "read", "{}", NULL, &r);
    assert_true(r.is_error);
    bx_tool_result_deinit(&r);
}

static void test_reading_tools_get_a_root_that_is_not_writable(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {{"1", "read", "{\"file_path\":\"a\"}"}}}, {.calls = {WRITE("2", "a")}},
             {.text = "done"}, {.calls = {WRITE("3", "a")}}, {.text = "done"});
    struct bx_run_options yes = {.yes_levels = 1u << BX_LEVEL_WRITE};
    w_send(w, "go", &yes);
    assert_string_equal(w_box.writable, "read:0 write:1 ");
    bx_agent_free(w->agent);
    struct bx_agent_config config = {
        .store = w->store, .registry = w->registry, .root = w->root, .root_read_only = true};
    assert_int_equal(bx_agent_new(&config, &w->agent, NULL), 0);
    w_send(w, "go", &yes);
    assert_string_equal(w_box.writable, "read:0 write:1 write:0 ");
}

static void test_a_session_cannot_say_bypass(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a")}}, {.text = "done"});
    struct bx_str mode = BX_STR_LIT("{\"mode\":\"bypass\"}");
    assert_int_equal(bx_session_append(w->session, "mode", mode, BX_DURABLE, NULL, NULL), 0);
    w_send(w, "go", &(struct bx_run_options){.headless = true});
    w_expect(w, "run_start permission", "mode decision by",
             "run_start|default permission|deny|headless");
}

static void test_forbidden_is_not_offered_and_not_run(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {{"1", "format_disk", "{\"file_path\":\"/\"}"}}}, {.text = "no"});
    w_send(w, "go", &(struct bx_run_options){.yes_levels = ~0u});
    assert_int_equal(w_model.tool_count, w_offered(w));
    assert_null(strstr(w_model.tools, "format_disk"));
    w_expect(w, "permission", "decision by", "permission|deny|level");
    assert_string_equal(w_box.calls, "");
}

static void test_nobody_is_asked_about_a_broken_call(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {{"1", "write", "{\"path\":\"a\"}"}}}, {.text = "sorry"});
    w_send(w, "go", &(struct bx_run_options){.headless = true});
    w_expect(w, "permission question run_end", "reason", "run_end|done");
    assert_non_null(strstr(w_model.dump, "(1 error) The arguments of write do not fit"));
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_headless_is_refused),
        T(test_yes_for_a_level),
        T(test_plan_mode_changes_nothing),
        T(test_guarded_and_outside),
        T(test_yes_once_is_once),
        T(test_a_question_of_before_the_restart_waits_for_nothing),
        T(test_yes_for_the_session_survives_a_restart),
        T(test_always_goes_into_the_settings),
        T(test_stop_while_a_question_waits),
        T(test_a_rule_denies_whatever_the_mode),
        T(test_a_call_by_hand_passes_the_same_check),
        T(test_reading_tools_get_a_root_that_is_not_writable),
        T(test_a_session_cannot_say_bypass),
        T(test_forbidden_is_not_offered_and_not_run),
        T(test_nobody_is_asked_about_a_broken_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
