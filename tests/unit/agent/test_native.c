/* The native tools inside a run: questions, plan mode, the list of tasks, notes. */
#include "base/unwire.h"
#include "unit/agent/world.h"

#define CALL(id_, tool_, ...)                                                                      \
    { id_, tool_, __VA_ARGS__ }
#define WRITE(id_, path) CALL(id_, "write", "{\"file_path\":\"" path "\"}")
#define DATABASE                                                                                   \
    "{\"question\":\"Which "                                                                       \
    "database?\",\"header\":\"Database\",\"options\":[{\"label\":\"SQLite\","                      \
    "\"description\":\"One file\"},{\"label\":\"Postgres\"}]}"
#define PLAN "{\"plan\":\"1. do it\"}"

static void start(struct world *w, const char *text, const struct bx_run_options *o) {
    assert_int_equal(bx_agent_send(w->agent, w->session, text, o, NULL, NULL), 0);
}

/* What bx_agent_answer says to this answer of the open question. */
static int say(struct world *w, enum bx_choice choice, const char *text, const char *answers,
               struct bx_err *err) {
    char *question = w_question(w);
    struct bx_doc *doc = NULL;
    if (answers)
        assert_int_equal(bx_doc_parse(bx_str(answers), NULL, &doc, NULL), 0);
    struct bx_answer answer = {
        .choice = choice, .text = text, .answers = doc ? bx_doc_root(doc) : NULL, .from = "api"};
    int rc = bx_agent_answer(w->agent, w_id(w), question, &answer, err);
    bx_doc_free(doc);
    bx_free(question);
    return rc;
}

static void answer(struct world *w, enum bx_choice choice, const char *text, const char *answers) {
    struct bx_err err = {0};
    if (say(w, choice, text, answers, &err))
        fail_msg("%s", err.msg);
}

static void refused(struct world *w, enum bx_choice choice, const char *answers, const char *why) {
    struct bx_err err = {0};
    assert_int_equal(say(w, choice, NULL, answers, &err), BX_ERR_INVALID);
    if (!strstr(err.msg, why))
        fail_msg("\n got: %s\nwant: %s", err.msg, why);
}

static void told(const char *text) {
    if (!strstr(w_model.dump, text))
        fail_msg("not told: %s\nbut: %s", text, w_model.dump);
}

/* ---- AskUserQuestion ---- */

static void test_a_question_holds_only_its_own_call(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "AskUserQuestion", DATABASE),
                        CALL("2", "read", "{\"file_path\":\"a\"}")}},
             {.text = "SQLite it is"});
    start(w, "go", NULL);
    char *question = w_question(w);
    w_wait_for(w, "tool_result", "call", "|2"); /* while the question is open */
    char open[37];
    bx_agent_open_question(w->agent, w_id(w), open);
    assert_string_equal(open, question);
    assert_true(bx_agent_is_waiting(w->agent, w_id(w)));
    refused(w, BX_CHOICE_ONCE, NULL, "this question takes answer, no; not \"once\"");
    refused(w, BX_CHOICE_ANSWER, NULL, "the answer is empty");
    refused(w, BX_CHOICE_ANSWER, "[{\"selected\":[\"Oracle\"]}]", "no option \"Oracle\"");
    refused(w, BX_CHOICE_ANSWER, "[{\"selected\":[\"SQLite\",\"Postgres\"]}]", "takes one option");
    refused(w, BX_CHOICE_ANSWER, "[]", "an array of 1");
    refused(w, BX_CHOICE_ANSWER, "[{\"selected\":\"SQLite\"}]", "an array of labels");
    refused(w, BX_CHOICE_ANSWER, "[{\"choose\":1}]", "unknown member \"choose\"");
    refused(w, BX_CHOICE_ANSWER, "[{\"text\":1}]", "must be a string");
    refused(w, BX_CHOICE_ANSWER, "[{\"text\":\"a\\u0000b\"}]", "without NUL");
    refused(w, BX_CHOICE_ANSWER, "[\"SQLite\"]", "must be an object");
    refused(w, BX_CHOICE_NO, "[{\"selected\":[\"SQLite\"]}]", "goes with the choice");
    answer(w, BX_CHOICE_ANSWER, NULL, "[{\"selected\":[\"SQLite\"],\"text\":\"in memory\"}]");
    bx_agent_wait(w->agent, w_id(w));
    told("(1) Which database?\nAnswer: \"SQLite\"; in the user's words: in memory");
    bx_agent_open_question(w->agent, w_id(w), open);
    assert_string_equal(open, "");
    w_expect(w, "question answer", "kind text choices questions choice answers from",
             "question|ask|Which database?|[\"answer\",\"no\"]|[{\"question\":\"Which database?\","
             "\"header\":\"Database\",\"options\":[{\"label\":\"SQLite\",\"description\":\"One "
             "file\"},{\"label\":\"Postgres\",\"description\":\"\"}],\"multi\":false}]"
             " answer||answer|[{\"selected\":[\"SQLite\"],\"text\":\"in memory\"}]|api");
    bx_free(question);
}

static void test_several_questions_in_one_call(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "AskUserQuestion",
                             "{\"questions\":[{\"question\":\"Which files?\",\"options\":[{"
                             "\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\"}],"
                             "\"multiSelect\":true},{\"question\":\"Why?\"}]}")}},
             {.text = "fine"});
    start(w, "go", NULL);
    refused(w, BX_CHOICE_ANSWER, "[{\"selected\":[\"a\",\"a\"]},{}]", "an option twice");
    answer(w, BX_CHOICE_ANSWER, "and hurry", "[{\"selected\":[\"a\",\"c\"]},{}]");
    bx_agent_wait(w->agent, w_id(w));
    told("Which files?\nAnswer: \"a\", \"c\"\nWhy?\nAnswer: (no answer)\nThe user says: and hurry");
}

static void test_a_no_and_free_text(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "AskUserQuestion", DATABASE)}},
             {.calls = {CALL("2", "AskUserQuestion", DATABASE)}}, {.text = "fine"});
    start(w, "go", NULL);
    answer(w, BX_CHOICE_NO, "later", NULL);
    answer(w, BX_CHOICE_ANSWER, "whatever is there", NULL);
    bx_agent_wait(w->agent, w_id(w));
    told("(1) The user did not answer: later");
    told("(2) The user says: whatever is there");
}

static void test_questions_that_are_not_asked(void **state) {
    struct world *w = *state;
    W_SCRIPT(
        {.calls = {CALL("1", "AskUserQuestion", "{}"),
                   CALL("2", "AskUserQuestion",
                        "{\"question\":\"a\",\"questions\":[{\"question\":\"b\"}]}"),
                   CALL("3", "AskUserQuestion", "{\"question\":\"  \"}"),
                   CALL("4", "AskUserQuestion",
                        "{\"question\":\"a\",\"options\":[{\"label\":\"x\"},{\"label\":\"x\"}]}"),
                   CALL("5", "ExitPlanMode", PLAN)}},
        {.text = "sorry"});
    w_send(w, "go", NULL);
    told("(1 error) Give either \"question\"");
    told("(2 error) Give either \"question\" (with \"options\") or \"questions\", a list of such "
         "objects, not both");
    told("(3 error) The user was not asked: \"question\" is missing or empty");
    told("(4 error) The user was not asked: two options have the same \"label\"");
    told("(5 error) The session is not in plan mode (it is in default)");
    w_expect(w, "question", "", "");
}

static void test_headless_is_told_why(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "AskUserQuestion", DATABASE), CALL("2", "EnterPlanMode", "{}")}},
             {.text = "sorry"}, {.calls = {CALL("3", "ExitPlanMode", PLAN)}}, {.text = "a plan"});
    w_send(w, "go", &(struct bx_run_options){.headless = true});
    told("(1 error) Nobody can be asked");
    told("(2 error) Nobody is there to approve a plan"); /* else it could not be left again */
    w_send(w, "plan", &(struct bx_run_options){.headless = true, .mode = "plan"});
    told("(3 error) Nobody can be asked");
    w_expect(w, "question mode", "", "");
}

static void test_stop_while_asked(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "AskUserQuestion", DATABASE),
                        CALL("2", "AskUserQuestion", DATABASE)}});
    start(w, "go", NULL);
    bx_free(w_question(w));
    assert_int_equal(bx_agent_stop_run(w->agent, w_id(w), NULL), 0);
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, "question tool_result run_end", "is_error reason",
             "question tool_result|true tool_result|true run_end|stopped");
}

static void test_one_question_at_a_time(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {WRITE("1", "a"), WRITE("2", "b"), CALL("3", "AskUserQuestion", DATABASE)}},
             {.text = "done"});
    start(w, "go", NULL);
    for (unsigned asked = 0; asked < 2; asked++) { /* in whichever order they arose */
        char *question = w_question(w), *kinds = w_log(w, "question", "kind");
        bool ask = strcmp(strrchr(kinds, '|'), "|ask") == 0;
        answer(w, ask ? BX_CHOICE_ANSWER : BX_CHOICE_SESSION, ask ? "any" : NULL, NULL);
        bx_free(kinds);
        bx_free(question);
    }
    bx_agent_wait(w->agent, w_id(w)); /* the other write was allowed by then and not asked about */
    char *log = w_log(w, "question answer", "");
    assert_string_equal(log, "question answer question answer");
    bx_free(log);
    assert_non_null(strstr(w_box.calls, "/a"));
    assert_non_null(strstr(w_box.calls, "/b"));
}

/* ---- plan mode ---- */

static void expect_mode(struct world *w, const char *want) {
    char *mode = bx_session_mode(w->session);
    assert_string_equal(mode, want);
    bx_free(mode);
}

static void switch_mode(struct world *w, const char *body) { /* as the page does */
    assert_int_equal(bx_session_append(w->session, "mode", bx_str(body), BX_DURABLE, NULL, NULL),
                     0);
}

static void test_the_circle_of_plan_mode(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "EnterPlanMode", "{}")}}, {.calls = {WRITE("2", "a")}},
             {.calls = {CALL("3", "EnterPlanMode", "{}"),
                        CALL("4", "ExitPlanMode", "{\"plan\":\" \"}")}},
             {.calls = {CALL("5", "ExitPlanMode", PLAN)}},
             {.calls = {CALL("6", "ExitPlanMode", PLAN)}}, {.calls = {WRITE("7", "a")}},
             {.text = "done"});
    start(w, "go", NULL);
    answer(w, BX_CHOICE_NO, "in smaller steps", NULL);
    expect_mode(w, "plan");
    answer(w, BX_CHOICE_APPROVE, "mind the tests", NULL);
    answer(w, BX_CHOICE_ONCE, NULL, NULL); /* the earlier mode asks before level write */
    bx_agent_wait(w->agent, w_id(w));
    expect_mode(w, "default");
    told("(1) The session is in plan mode now.");
    told("(2 error) Not permitted: mode plan does not allow level write");
    told("(3) The session is in plan mode already.");
    told("(4 error) \"plan\" is empty");
    told("(5) The user did not approve the plan: in smaller steps\nThe mode stays plan.");
    told("(6) The user approved the plan. The mode is default now: begin. The user adds: mind the "
         "tests");
    assert_null(strstr(w_model.dump, "You may look at everything"));
    assert_string_equal(w_box.calls, "write {\"file_path\":\"/a\"}\n");
    w_expect(w, "mode question answer", "mode by call kind plan choices choice",
             "mode|plan|tool|1 question|5|plan|1. do it|[\"approve\",\"approve_edits\",\"no\"] "
             "answer|no question|6|plan|1. do it|[\"approve\",\"approve_edits\",\"no\"] "
             "answer|approve mode|default|tool|6 question|7|permission|[\"once\",\"session\","
             "\"always\",\"no\"] answer|once");
}

static void test_approval_with_edits(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "EnterPlanMode", "{}")}},
             {.calls = {CALL("2", "ExitPlanMode", PLAN)}}, {.calls = {WRITE("3", "a")}},
             {.text = "done"});
    start(w, "go", NULL);
    answer(w, BX_CHOICE_APPROVE_EDITS, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
    expect_mode(w, "accept-edits");
    assert_string_equal(w_box.calls, "write {\"file_path\":\"/a\"}\n");
}

static void test_the_earlier_mode_survives_a_restart(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "EnterPlanMode", "{}")}}, {.text = "planning"},
             {.calls = {CALL("2", "ExitPlanMode", PLAN)}}, {.text = "done"});
    switch_mode(w, "{\"mode\":\"auto\"}");
    w_send(w, "go", NULL);
    w_reopen(w);
    expect_mode(w, "plan");
    start(w, "go on", NULL);
    bx_free(w_question(w));
    told("You may look at everything"); /* the model is told, after the restart too */
    answer(w, BX_CHOICE_APPROVE, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
    expect_mode(w, "auto");
}

static void test_the_user_switches_the_mode_meanwhile(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "EnterPlanMode", "{}")}},
             {.calls = {CALL("2", "ExitPlanMode", PLAN)}}, {.text = "done"});
    start(w, "go", NULL);
    bx_free(w_question(w));
    switch_mode(w, "{\"mode\":\"auto\"}");
    answer(w, BX_CHOICE_APPROVE_EDITS, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
    expect_mode(w, "auto");
    told("The mode is auto now");
}

static void test_a_mode_of_the_run_alone(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "EnterPlanMode", "{}")}}, {.calls = {WRITE("2", "a")}},
             {.calls = {CALL("3", "ExitPlanMode", PLAN)}}, {.calls = {WRITE("4", "a")}},
             {.text = "done"}, {.calls = {CALL("5", "ExitPlanMode", PLAN)}},
             {.calls = {WRITE("6", "b")}}, {.text = "done"});
    start(w, "go", &(struct bx_run_options){.mode = "auto"});
    answer(w, BX_CHOICE_APPROVE, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
    expect_mode(w, "default"); /* the session's own came back, and the run's */
    told("The mode is auto now");
    assert_string_equal(w_box.calls, "write {\"file_path\":\"/a\"}\n");
    start(w, "again", &(struct bx_run_options){.mode = "plan", .yes_levels = 1u << BX_LEVEL_WRITE});
    answer(w, BX_CHOICE_APPROVE, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
    told("The mode is default now");
    assert_non_null(strstr(w_box.calls, "/b"));
    expect_mode(w, "default");
}

/* `run` waits for the write, which is asked about; meanwhile the mode changes. */
static void judged_anew(struct world *w) {
    W_SCRIPT({.calls = {WRITE("1", ".envrc"), CALL("2", "run", "{\"file_path\":\"a\"}")}},
             {.text = "done"});
    switch_mode(w, "{\"mode\":\"auto\"}");
    start(w, "go", NULL);
    bx_free(w_question(w));
    switch_mode(w, "{\"mode\":\"plan\"}");
    answer(w, BX_CHOICE_NO, NULL, NULL);
    bx_agent_wait(w->agent, w_id(w));
}

static void test_a_mode_counts_for_calls_that_wait(void **state) {
    struct world *w = *state;
    judged_anew(w);
    told("(2 error) Not permitted: mode plan does not allow level execute");
    assert_string_equal(w_box.calls, "");
}

#ifdef BX_UNWIRE
static void test_without_the_second_look_it_runs(void **state) {
    struct world *w = *state;
    setenv("BX_UNWIRE", "mode_recheck", 1);
    judged_anew(w);
    unsetenv("BX_UNWIRE");
    assert_non_null(strstr(w_box.calls, "run "));
}
#endif

/* ---- TodoWrite ---- */

#define ONE_TODO "[{\"content\":\"a\",\"status\":\"in_progress\",\"activeForm\":\"doing a\"}]"

static void expect_todos(struct world *w, const char *want) {
    char *todos = bx_session_todos(w->session);
    assert_string_equal(todos, want);
    bx_free(todos);
}

static void test_the_list_of_tasks(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {CALL("1", "TodoWrite", "{\"todos\":" ONE_TODO "}")}},
             {.calls = {CALL("2", "TodoWrite",
                             "{\"todos\":[{\"content\":\"a\",\"status\":\"in_progress\"},{"
                             "\"content\":\"b\",\"status\":\"in_progress\"}]}"),
                        CALL("3", "TodoWrite",
                             "{\"todos\":[{\"content\":\" \",\"status\":\"pending\"}]}"),
                        CALL("4", "TodoWrite",
                             "{\"todos\":[{\"content\":\"a\",\"status\":\"doing\"}]}")}},
             {.text = "so far"}, {.calls = {CALL("5", "TodoWrite", "{\"todos\":[]}")}},
             {.text = "done"});
    expect_todos(w, "[]");
    w_send(w, "go", NULL);
    told("(1) The list has 1 task: 0 done, 1 in progress, 0 to do.");
    told("(2 error) 2 tasks are in_progress; only one can be");
    told("(3 error) A task has an empty \"content\"");
    told("(4 error) The arguments of TodoWrite do not fit");
    w_expect(w, "todo", "call todos", "todo|1|" ONE_TODO);
    w_reopen(w);
    expect_todos(w, ONE_TODO);
    w_send(w, "more", NULL);
    told("(5) The list is empty now.");
    expect_todos(w, "[]");
}

static void test_the_list_outlives_the_turns_that_held_it(void **state) {
    struct world *w = *state;
    char *big = bx_alloc(6001);
    memset(big, 'x', 6000);
    w_box.output = big;
    W_SCRIPT({.calls = {CALL("1", "TodoWrite", "{\"todos\":" ONE_TODO "}")}}, {.text = "first"},
             {.calls = {CALL("2", "read", "{\"file_path\":\"a\"}")}}, {.text = "second"},
             {.rc = BX_ERR_LIMIT}, {.text = "third"});
    w_send(w, "go", NULL);
    w_send(w, "read", NULL);
    assert_null(strstr(w_model.dump, "as it stands"));
    w_send(w, "and?", NULL);
    while (!strstr(w_model.dump, "as it stands")) { /* until the first turn has gone */
        W_SCRIPT({.rc = BX_ERR_LIMIT}, {.text = "fine"});
        w_send(w, "and?", NULL);
    }
    assert_null(strstr(w_model.dump, "TodoWrite {"));
    told("The list of tasks as it stands (TodoWrite):\n[>] a");
    bx_free(big);
}

/* ---- Brief ---- */

static void test_a_note_to_the_user(void **state) {
    struct world *w = *state;
    bx_auto(bx_freep) char *inside = bx_path_join(w->root, "a.txt");
    bx_auto(bx_freep) char *outside = bx_path_join(w->dir, "secret");
    bx_auto(bx_freep) char *link = bx_path_join(w->root, "link");
    assert_int_equal(bx_file_write_atomic(inside, bx_str("12345"), 0600, NULL), 0);
    assert_int_equal(bx_file_write_atomic(outside, bx_str("1"), 0600, NULL), 0);
    assert_int_equal(symlink(outside, link), 0);
    W_SCRIPT(
        {.calls = {CALL("1", "Brief", "{\"message\":\" Halfway. \",\"attachments\":[\"a.txt\"]}"),
                   CALL("2", "Brief", "{\"message\":\"x\",\"attachments\":[\"link\"]}"),
                   CALL("3", "Brief", "{\"message\":\"x\",\"attachments\":[\"../secret\"]}"),
                   CALL("4", "Brief", "{\"message\":\"x\",\"attachments\":[\"none\"]}"),
                   CALL("5", "Brief", "{\"message\":\" \"}")}},
        {.text = "done"});
    w_send(w, "go", NULL);
    w_expect(w, "note", "call text status attachments",
             "note|1|Halfway.|normal|[{\"path\":\"/a.txt\",\"size\":5}]");
    told("(2 error) There is no file /link");
    told("(3 error) There is no file");
    told("(4 error) There is no file /none");
    told("(5 error) \"message\" is empty");
}

/* ---- without a run ---- */

static void test_by_hand_they_say_what_they_need(void **state) {
    struct world *w = *state;
    static const struct {
        const char *tool, *input;
    } calls[] = {{"AskUserQuestion", DATABASE},
                 {"EnterPlanMode", "{}"},
                 {"ExitPlanMode", PLAN},
                 {"TodoWrite", "{\"todos\":[]}"},
                 {"Brief", "{\"message\":\"x\"}"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(calls); i++) {
        struct bx_tool *t = bx_registry_find(w->registry, calls[i].tool);
        struct bx_doc *doc = NULL;
        struct bx_tool_result r = {0};
        assert_int_equal(bx_doc_parse(bx_str(calls[i].input), NULL, &doc, NULL), 0);
        assert_int_equal(bx_agent_call_tool(w->agent, t, bx_doc_root(doc), NULL, NULL, &r, NULL),
                         0);
        assert_true(r.is_error);
        assert_non_null(strstr(r.content, "belongs to a run"));
        bx_tool_result_deinit(&r);
        bx_doc_free(doc);
        bx_tool_unref(t);
    }
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_question_holds_only_its_own_call),
        T(test_several_questions_in_one_call),
        T(test_a_no_and_free_text),
        T(test_questions_that_are_not_asked),
        T(test_headless_is_told_why),
        T(test_stop_while_asked),
        T(test_one_question_at_a_time),
        T(test_the_circle_of_plan_mode),
        T(test_approval_with_edits),
        T(test_the_earlier_mode_survives_a_restart),
        T(test_the_user_switches_the_mode_meanwhile),
        T(test_a_mode_of_the_run_alone),
        T(test_a_mode_counts_for_calls_that_wait),
#ifdef BX_UNWIRE
        T(test_without_the_second_look_it_runs),
#endif
        T(test_the_list_of_tasks),
        T(test_the_list_outlives_the_turns_that_held_it),
        T(test_a_note_to_the_user),
        T(test_by_hand_they_say_what_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
