#include "unit/agent/world.h"

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }
#define ALL "run_start user assistant permission tool_start tool_result limit run_end"

static void test_answer_without_tools(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "Hello."});
    w_send(w, "  Hi there\nsecond line", NULL);
    w_expect(w, "", "text title reason model",
             "run_start|test/scripted user|  Hi there\nsecond line title|Hi there assistant|Hello. "
             "usage run_end|done");
    assert_string_equal(w_model.dump, "user:   Hi there\nsecond line\n");
    assert_int_equal(w_model.tool_count, w_offered(w));
    char *title = bx_session_title(w->session);
    assert_string_equal(title, "Hi there");
    bx_free(title);
}

static void test_tool_loop(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "I look.", .calls = {READ("c1", "a.txt")}}, {.text = "It says ok."});
    w_send(w, "what is in a.txt?", NULL);
    w_expect(w, ALL, "decision is_error finish content reason by",
             "run_start user assistant|tool_calls permission|allow|mode default allows level "
             "read_only inside the root|mode"
             " tool_start tool_result|false|ok assistant|stop run_end|done");
    assert_string_equal(w_box.calls, "read {\"file_path\":\"/a.txt\"}\n");
    assert_string_equal(w_model.dump, "user: what is in a.txt?\n"
                                      "assistant: I look. [c1 read {\"file_path\":\"a.txt\"}]\n"
                                      "tool: (c1) ok\n");
}

static pthread_barrier_t all_here;
static void meet(struct bx_cancel *cancel) {
    (void)cancel;
    pthread_barrier_wait(&all_here);
}

static void test_eight_reads_at_once(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a"), READ("2", "b"), READ("3", "c"), READ("4", "d"),
                        READ("5", "e"), READ("6", "f"), READ("7", "g"), READ("8", "h")}},
             {.text = "done"});
    pthread_barrier_init(&all_here, NULL, 8);
    w_box.during = meet;
    w_send(w, "read all", NULL);
    assert_int_equal(w_box.most, 8);
    const char *at = w_model.dump; /* to the model in the order of the calls */
    for (char id[] = "(1)"; id[1] <= '8'; id[1]++) {
        const char *next = strstr(at, id);
        assert_non_null(next);
        at = next;
    }
    pthread_barrier_destroy(&all_here);
}

static void test_malformed_calls_are_explained(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {{"1", "read", "{\"file_path\":"},
                        {"2", "raed", "{}"},
                        {"3", "read", "{\"path\":\"a\"}"},
                        {"4", "read", "[1]"},
                        {"", "Sleep", ""},
                        {"1", "read", "{\"file_path\":\"b\"}"}}},
             {.text = "sorry"});
    w_send(w, "go", NULL);
    assert_non_null(strstr(w_model.dump, "(1 error) The arguments of read are not valid JSON"));
    assert_non_null(
        strstr(w_model.dump, "(2 error) There is no tool \"raed\". Did you mean \"read\"?"));
    assert_non_null(strstr(w_model.dump, "(3 error) The arguments of read do not fit"));
    assert_non_null(
        strstr(w_model.dump, "(4 error) The arguments of read must be one JSON object"));
    assert_non_null(strstr(w_model.dump, "error) Say how long")); /* no id: one was made up */
    assert_non_null(strstr(w_model.dump, ") ok\n")); /* the second call "1" has an id of its own */
    assert_string_equal(w_box.calls, "read {\"file_path\":\"/b\"}\n");
    w_expect(w, "run_end", "reason", "run_end|done");
}

static void test_repeated_failures_end_the_run(void **state) {
    struct world *w = *state;
    w_box.fails = true;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.calls = {READ("2", "b")}}, {.calls = {READ("3", "a")}},
             {.calls = {READ("4", "a")}}, {.calls = {READ("5", "a")}});
    w_send(w, "go", NULL);
    assert_int_equal(w_model.at, 5);
    w_expect(w, "limit run_end", "limit reason", "limit|repeated_calls run_end|repeated_calls");
}

static void test_max_turns_leaves_a_last_word(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.calls = {READ("2", "b")}},
             {.text = "So far so good.", .calls = {READ("3", "c")}});
    w_send(w, "go", &(struct bx_run_options){.max_turns = 2});
    assert_true(w_model.no_tools);
    assert_non_null(strstr(w_model.dump, "limit of turns"));
    assert_null(strstr(w_box.calls, "/c")); /* called all the same, and not executed */
    w_expect(w, "limit run_end", "limit reason", "limit|max_turns run_end|max_turns");
    W_SCRIPT({.text = "again"});
    w_send(w, "more", NULL);
    assert_non_null(strstr(w_model.dump, "(3 error) Not called"));
    assert_null(strstr(w_model.dump, "limit of turns for this task")); /* said for that turn only */
}

static void test_model_error_keeps_what_was_shown(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "Half an ans", .rc = BX_ERR_AUTH});
    w_send(w, "go", NULL);
    w_expect(w, "assistant error run_end", "text finish where code reason",
             "assistant|Half an ans|error error|the model failed|model|auth run_end|error");
    W_SCRIPT({.text = "fine"});
    w_send(w, "again", NULL);
    assert_non_null(strstr(w_model.dump, "assistant: Half an ans\nuser: again\n"));
}

static void test_cut_answer_is_continued(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "One, two,", .finish = BX_FINISH_LENGTH}, {.text = " three."});
    w_send(w, "count", NULL);
    assert_non_null(strstr(w_model.dump, "assistant: One, two,\nuser: Your answer was cut off"));
    w_expect(w, "assistant run_end", "finish reason",
             "assistant|length assistant|stop run_end|done");
}

static void test_refused_before_the_first_event(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    struct bx_run_options no_model = {.model = "none"}, bypass = {.mode = "bypass"},
                          typo = {.mode = "planning"};
    assert_int_equal(bx_agent_send(w->agent, w->session, "x", &no_model, NULL, &err),
                     BX_ERR_NOTFOUND);
    assert_int_equal(bx_agent_send(w->agent, w->session, "x", &bypass, NULL, &err), BX_ERR_DENIED);
    assert_int_equal(bx_agent_send(w->agent, w->session, "x", &typo, NULL, &err), BX_ERR_INVALID);
    assert_int_equal(bx_session_last_seq(w->session), 0);
    assert_false(bx_agent_is_running(w->agent, w_id(w)));
}

static void wait_until_asked(size_t n) {
    pthread_mutex_lock(&w_model.lock);
    while (w_model.at < n)
        pthread_cond_wait(&w_model.asked, &w_model.lock);
    pthread_mutex_unlock(&w_model.lock);
}

static void test_stop_in_the_stream(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "Once upon a", .until_stopped = true});
    assert_int_equal(bx_agent_send(w->agent, w->session, "tell", NULL, NULL, NULL), 0);
    wait_until_asked(1);
    struct bx_err err = {0};
    assert_int_equal(bx_agent_send(w->agent, w->session, "more", NULL, NULL, &err), BX_ERR_BUSY);
    assert_int_equal(bx_agent_stop_run(w->agent, w_id(w), NULL), 0);
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, "assistant error run_end", "text finish reason",
             "assistant|Once upon a|stopped run_end|stopped");
    assert_int_equal(bx_agent_stop_run(w->agent, w_id(w), &err), BX_ERR_NOTFOUND);
}

static struct world *stopped_world;
static void stop_from_inside(struct bx_cancel *cancel) {
    bx_agent_stop_run(stopped_world->agent, w_id(stopped_world), NULL);
    while (bx_cancel_sleep(cancel, 1000) != BX_ERR_CANCELLED) {
    }
}

static void test_stop_in_a_tool(void **state) {
    struct world *w = stopped_world = *state;
    w_box.during = stop_from_inside;
    W_SCRIPT({.calls = {{"1", "write", "{\"file_path\":\"a\"}"},
                        {"2", "write", "{\"file_path\":\"a\"}"}}});
    w_send(w, "go", &(struct bx_run_options){.yes_levels = 1u << BX_LEVEL_WRITE});
    assert_string_equal(
        w_box.calls, "write {\"file_path\":\"/a\"}\n"); /* the second one waited and never began */
    w_expect(w, "tool_start tool_result run_end", "call reason",
             "tool_start|1 tool_result|1 tool_result|2 run_end|stopped");
}

static void test_ending_the_program_interrupts(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "Once", .until_stopped = true});
    assert_int_equal(bx_agent_send(w->agent, w->session, "tell", NULL, NULL, NULL), 0);
    wait_until_asked(1);
    bx_agent_free(w->agent);
    w->agent = NULL;
    w_expect(w, "run_end", "reason", "run_end|interrupted");
}

static void test_images_follow_the_results(void **state) {
    struct world *w = *state;
    w_box.output = "{\"content\":[{\"type\":\"text\",\"text\":\"a.png\"},{\"type\":\"image\","
                   "\"mime\":\"image/png\",\"data\":\"QUJD\"}]}";
    W_SCRIPT({.calls = {READ("1", "a.png")}}, {.text = "a cat"});
    w_send(w, "look", NULL);
    assert_non_null(
        strstr(w_model.dump, "(1) a.png\n[image, shown below]\nuser: <image/png QUJD>\n"));
}

static void test_what_the_project_says(void **state) {
    struct world *w = *state;
    char path[160], outside[160];
    snprintf(outside, sizeof outside, "%s/secret", w->dir);
    assert_int_equal(bx_file_write_atomic(outside, bx_str("TOP SECRET"), 0600, NULL), 0);
    snprintf(path, sizeof path, "%s/AGENTS.md", w->root);
    assert_int_equal(symlink(outside, path), 0);
    W_SCRIPT({.text = "1"}, {.text = "2"}, {.text = "3"});
    w_send(w, "x", NULL);
    assert_null(strstr(w_model.system, "TOP SECRET")); /* a link out of the root shows nothing */
    snprintf(path, sizeof path, "%s/CLAUDE.md", w->root);
    assert_int_equal(bx_file_write_atomic(path, bx_str("Use tabs."), 0600, NULL), 0);
    w_send(w, "x", NULL);
    assert_non_null(strstr(w_model.system, "Use tabs."));
    w_model.small = true;
    w_send(w, "x", NULL);
    assert_null(strstr(w_model.system, "Use tabs."));
    assert_non_null(strstr(w_model.system, "/CLAUDE.md"));
    assert_int_equal(w_model.tool_count, 2); /* Sleep is not worth a small model's attention */
}

static void test_the_log_is_the_conversation(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.text = "A."}, {.text = "B."});
    w_send(w, "first", NULL);
    char id[37];
    memcpy(id, w_id(w), sizeof id);
    w_close(w); /* a restart */
    w_open(w);
    assert_int_equal(bx_session_open(w->store, id, &w->session, NULL), 0);
    w_send(w, "second", NULL);
    assert_string_equal(w_model.dump,
                        "user: first\nassistant: [1 read {\"file_path\":\"a\"}]\ntool: (1) ok\n"
                        "assistant: A.\nuser: second\n");
}

static void test_recovery_closes_what_a_crash_left_open(void **state) {
    struct world *w = *state;
    static const char *const events[][2] = {
        {"run_start", "{\"run\":\"r\",\"model\":\"m\",\"mode\":\"default\",\"max_turns\":5}"},
        {"user", "{\"run\":\"r\",\"text\":\"hi\"}"},
        {"assistant", "{\"run\":\"r\",\"turn\":1,\"text\":\"\",\"calls\":[{\"id\":\"1\",\"tool\":"
                      "\"read\",\"input\":{}},"
                      "{\"id\":\"2\",\"tool\":\"write\",\"input\":{}}],\"finish\":\"tool_calls\"}"},
        {"tool_result", "{\"run\":\"r\",\"turn\":1,\"call\":\"1\",\"tool\":\"read\",\"content\":"
                        "\"fine\",\"is_error\":false}"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(events); i++)
        assert_int_equal(bx_session_append(w->session, events[i][0], bx_str(events[i][1]),
                                           BX_DURABLE, NULL, NULL),
                         0);
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0);
    w_expect(w, "tool_result run_end", "run call tool is_error reason",
             "tool_result|r|1|read|false tool_result|r|2|write|true run_end|r|interrupted");
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0); /* once */
    assert_int_equal(bx_session_last_seq(w->session), 6);
    W_SCRIPT({.text = "ok"});
    w_send(w, "go on", NULL);
    assert_non_null(strstr(w_model.dump, "tool: (1) fine\ntool: (2 error) Interrupted"));
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_answer_without_tools),
        T(test_tool_loop),
        T(test_eight_reads_at_once),
        T(test_malformed_calls_are_explained),
        T(test_repeated_failures_end_the_run),
        T(test_max_turns_leaves_a_last_word),
        T(test_model_error_keeps_what_was_shown),
        T(test_cut_answer_is_continued),
        T(test_refused_before_the_first_event),
        T(test_stop_in_the_stream),
        T(test_stop_in_a_tool),
        T(test_ending_the_program_interrupts),
        T(test_images_follow_the_results),
        T(test_what_the_project_says),
        T(test_the_log_is_the_conversation),
        T(test_recovery_closes_what_a_crash_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
