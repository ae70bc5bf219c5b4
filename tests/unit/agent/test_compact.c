/* The window is kept from overflowing: summaries, what stands beside them, and what happens when
 * there is none. */
#include "unit/agent/world.h"

#include "agent/compact.h"
#include "agent/context.h"

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }
#define SUMMARY "## Goal\n- build the bridge\n## Decisions\n- steel, not wood\n"

static void add(struct world *w, const char *type, const char *body) {
    struct bx_err err = {0};
    if (bx_session_append(w->session, type, bx_str(body), BX_BATCHED, NULL, &err))
        fail_msg("%s", err.msg);
}

/* A conversation of n turns with about 170 tokens each. */
static void talk(struct world *w, int n) {
    char body[2000];
    for (int i = 0; i < n; i++) {
        snprintf(body, sizeof body, "{\"run\":\"r\",\"text\":\"question %d %0*d\"}", i, 700, 0);
        add(w, "user", body);
        snprintf(
            body, sizeof body,
            "{\"run\":\"r\",\"turn\":1,\"text\":\"answer %d\",\"calls\":[],\"finish\":\"stop\"}",
            i);
        add(w, "assistant", body);
    }
}

static const char *at(const char *text, const char *part) {
    const char *found = strstr(text, part);
    if (!found)
        fail_msg("\"%s\" is not in:\n%.3000s", part, text);
    return found;
}

static void not_at(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%.3000s", part, text);
}

/* The window in which `tokens` more than instructions and tools fill four fifths. */
static void window_for(struct world *w, int64_t tokens) {
    for (int i = 0; i < 3; i++) { /* fewer tools are told in a small window */
        struct bx_context *c = bx_context_new(&(struct bx_context_config){
            .registry = w->registry, .root = w->root, .window = w_model.window});
        w_model.window = (c->fixed_estimate + tokens) * 5 / 4;
        bx_context_free(c);
    }
}

static int64_t number(struct world *w, const char *type, const char *member) {
    char *text = w_log(w, type, member), *bar = strrchr(text, '|');
    int64_t n = bar ? strtoll(bar + 1, NULL, 10) : -1;
    bx_free(text);
    return n;
}

static void test_outputs_go_first_without_a_summary(void **state) {
    struct world *w = *state;
    char *big = bx_alloc(6001);
    memset(big, 'x', 6000);
    w_box.output = big;
    window_for(w, 3500);
    W_SCRIPT({.calls = {READ("1", "a")}}, {.calls = {READ("2", "b")}}, {.calls = {READ("3", "c")}},
             {.calls = {READ("4", "d")}}, {.calls = {READ("5", "e")}}, {.text = "done"});
    w_send(w, "read them", NULL);
    at(w_model.dump, "(1) [This output is left out here to save room; recall {\"call\":\"1\"}");
    at(w_model.dump, "(5) xxx");
    at(w_model.dump, "user: read them");
    char *events = w_log(w, "compact", "by why upto");
    at(events, "compact|threshold|no summaries today|0");
    bx_free(events);
    assert_true(number(w, "compact", "after_tokens") < number(w, "compact", "before_tokens"));
    w_expect(w, "run_end", "reason", "run_end|done");
    bx_free(big);
}

static void test_a_summary_stands_for_old_turns(void **state) {
    struct world *w = *state;
    talk(w, 10);
    add(w, "fact", "{\"id\":\"f1\",\"text\":\"The customer is ACME.\",\"from\":\"user\"}");
    talk(w, 13); /* more than the share of the window that is kept */
    window_for(w, 3000);
    w_model.summary = SUMMARY;
    W_SCRIPT({.text = "one"}, {.text = "two"}, {.text = "three"});
    w_send(w, "go on", NULL);
    assert_int_equal(w_model.summaries, 1);
    at(w_model.asked_summary, "[user] question 0");
    at(w_model.asked_summary, "ACME");
    at(w_model.dump, "user: <earlier-conversation>");
    at(w_model.dump, "## Goal\n- build the bridge\n\n## Decisions\n- steel, not wood\n\n## Files "
                     "touched\nnone\n\n"
                     "## Open tasks\nnone\n\n## Facts\nnone\n");
    at(w_model.dump, "<pinned-fact by=\"the user\">\nThe customer is ACME.\n</pinned-fact>");
    at(w_model.dump, "first message, word for word:\nquestion 0");
    not_at(w_model.dump, "question 1 ");
    at(at(w_model.dump, "question 12"), "user: go on\n");
    assert_true(number(w, "compact", "after_tokens") < number(w, "compact", "before_tokens"));
    w_expect(w, "usage", "for", "usage|summary usage");
    char *lost = w_log(w, "compact", "lost kept");
    at(lost, "\"turns\":1");
    at(lost, "word for word:\\nquestion 0");
    bx_free(lost);
    char before[4000];
    snprintf(before, sizeof before, "%.3000s", w_model.dump);
    w_reopen(w); /* what is on the disk is what the model sees */
    w_send(w, "and on", NULL);
    assert_memory_equal(before, w_model.dump, strlen(before));
    assert_int_equal(w_model.summaries, 1);
    add(w, "fact_drop", "{\"id\":\"f1\"}");
    w_send(w, "and on", NULL);
    not_at(w_model.dump, "ACME");
}

static void test_a_request_that_is_being_worked_on_is_kept(void **state) {
    struct world *w = *state;
    char *big = bx_alloc(3001);
    memset(big, 'y', 3000);
    w_box.output = big;
    window_for(w, 3000);
    w_model.summary = SUMMARY;
    talk(w, 2);
    W_SCRIPT({.calls = {READ("1", "a")}}, {.calls = {READ("2", "b")}},
             {.calls = {READ("3", "c.txt")}}, {.calls = {READ("4", "d")}},
             {.calls = {READ("5", "e")}}, {.calls = {READ("6", "f")}}, {.text = "done"});
    w_send(w, "read all six of them", NULL);
    at(w_model.dump, "last message, word for word:\nread all six of them");
    at(w_model.dump, "- c.txt"); /* files come from the calls, not from the model */
    not_at(w_model.dump, "[1 read");
    at(w_model.dump, "[6 read");
    at(w_model.dump, "(6) yyy");
    w_expect(w, "run_end", "reason", "run_end|done");
    bx_free(big);
}

static void test_summaries_that_are_no_use(void **state) {
    struct world *w = *state;
    static char huge[40000];
    memset(huge, 'z', sizeof huge - 1);
    static const char *const useless[] = {"", "  \n ", NULL};
    for (size_t i = 0; i < BX_ARRAY_LEN(useless); i++) {
        talk(w, 20);
        window_for(w, 3000);
        w_model.summary = useless[i];
        W_SCRIPT({.text = "fine"});
        w_send(w, "go on", NULL);
        char *events = w_log(w, "compact", "why");
        at(events, i == 2 ? "no summaries today" : "the model gave no summary");
        bx_free(events);
        at(w_model.dump, "There is no summary of it.");
        assert_true(number(w, "compact", "after_tokens") <= w_model.window * 4 / 5);
        w_expect(w, "error", "", "");
    }
    talk(w, 20); /* one that is too long is cut, so it still is shorter than what it stands for */
    window_for(w, 3000);
    w_model.summary = huge;
    W_SCRIPT({.text = "fine"});
    w_send(w, "go on", NULL);
    at(w_model.dump, "zzzz");
    assert_true(number(w, "compact", "after_tokens") <= w_model.window * 4 / 5);
}

static void test_a_context_error_is_survived(void **state) {
    struct world *w = *state;
    talk(w, 12);
    w_model.summary = SUMMARY;
    W_SCRIPT({.rc = BX_ERR_LIMIT}, {.rc = BX_ERR_LIMIT}, {.text = "fine"});
    w_send(w, "go on", NULL);
    assert_int_equal(w_model.summaries, 1); /* then outputs and turns go without one */
    w_expect(w, "error run_end", "reason", "run_end|done");
    char *events = w_log(w, "compact", "by");
    at(events, "compact|error");
    bx_free(events);
}

static void test_it_never_loops(void **state) {
    struct world *w = *state;
    talk(w, 12);
    w_model.summary = SUMMARY;
    W_SCRIPT({.rc = BX_ERR_LIMIT}, {.rc = BX_ERR_LIMIT}, {.rc = BX_ERR_LIMIT}, {.rc = BX_ERR_LIMIT},
             {.rc = BX_ERR_LIMIT}, {.text = "never reached"});
    w_send(w, "go on", NULL);
    assert_true(w_model.at <= 4);
    w_expect(w, "error run_end", "code reason", "error|limit run_end|error");
    /* Where instructions and tools alone fill the window, not every turn is compacted. */
    struct bx_context *c =
        bx_context_new(&(struct bx_context_config){.registry = w->registry, .root = w->root});
    w_model.window = c->fixed_estimate;
    bx_context_free(c);
    size_t before = w_model.summaries;
    W_SCRIPT({.text = "1"}, {.text = "2"}, {.text = "3"}, {.text = "4"}, {.text = "5"},
             {.text = "6"});
    for (int i = 0; i < 6; i++)
        w_send(w, "more", NULL);
    assert_true(w_model.summaries - before <= 2);
}

static void test_by_request(void **state) {
    struct world *w = *state;
    struct bx_run_options compact = {.compact = true};
    talk(w, 3);
    w_send(w, "the bridge", &compact); /* no summary: nothing has changed */
    w_expect(w, "user compact error run_end", "where reason",
             "user user user error|context run_end|error");
    w_model.summary = SUMMARY;
    w_send(w, "the bridge", &compact);
    at(w_model.asked_summary, "Keep above all what bears on this: the bridge");
    w_expect(w, "compact run_end", "by reason", "run_end|error compact|user run_end|done");
    W_SCRIPT({.text = "hello"});
    w_send(w, "hi", NULL);
    not_at(w_model.dump, "question 1");
    at(w_model.dump, "question 2"); /* the last turn stays */
}

static void test_a_rewind_takes_a_summary_back(void **state) {
    struct world *w = *state;
    talk(w, 3); /* seq 1 to 6 */
    w_model.summary = SUMMARY;
    struct bx_run_options compact = {.compact = true};
    w_send(w, "", &compact);
    add(w, "rewind", "{\"to\":3}");
    W_SCRIPT({.text = "hello"}, {.text = "hello"});
    w_send(w, "instead", NULL);
    at(w_model.dump, "user: question 0");
    not_at(w_model.dump, "question 1");
    not_at(w_model.dump, "earlier-conversation");
    at(w_model.dump, "answer 0\nuser: instead\n");
    w_reopen(w);
    w_send(w, "again", NULL);
    at(w_model.dump, "answer 0\nuser: instead\nassistant: hello\nuser: again\n");
}

static void test_a_provider_that_cuts_silently(void **state) {
    struct world *w = *state;
    talk(w, 20);
    w_model.counted = 700;
    W_SCRIPT({.text = "what?"}, {.text = "again?"}, {.text = "ah"}, {.text = "oh"});
    w_send(w, "remember the first question?", NULL);
    w_expect(w, "usage", "truncated", "usage|true");
    char *said = w_log(w, "limit", "limit text");
    at(said, "limit|context|The provider counted 700 tokens of about");
    bx_free(said);
    w_send(w, "and?", NULL); /* said once; from here on it is kept within what is read */
    char *compacts = w_log(w, "compact limit", "by");
    at(compacts, "compact|threshold");
    bx_free(compacts);
    assert_true(number(w, "usage", "window") == 700);
    add(w, "model",
        "{\"model\":\"test/scripted\"}"); /* chosen again: the server may have been mended */
    w_model.counted = 0;
    w_send(w, "now?", NULL);
    char *windows = w_log(w, "usage", "window");
    assert_string_equal(strrchr(windows, '|'), "|null");
    bx_free(windows);
}

static void test_the_setting(void **state) {
    struct world *w = *state;
    char *path = bx_path_join(w->state, "settings.json");
    talk(w, 20);
    window_for(w, 3000);
    w_model.summary = SUMMARY;
    assert_int_equal(bx_file_write_atomic(path, BX_STR_LIT("{\"compact_at\":0}"), 0600, NULL), 0);
    W_SCRIPT({.text = "1"}, {.text = "2"});
    w_send(w, "go", NULL);
    assert_int_equal(w_model.summaries, 0); /* never by itself */
    assert_int_equal(bx_file_write_atomic(path, BX_STR_LIT("{\"compact_at\":50}"), 0600, NULL), 0);
    assert_int_equal(bx_agent_compact_at(w->agent, 8000), 4000);
    w_send(w, "go", NULL);
    assert_int_equal(w_model.summaries, 1);
    bx_free(path);
}

static void test_small_models_have_words_of_their_own(void **state) {
    struct world *w = *state;
    w_model.small = true;
    w_model.window = 1500;
    w_model.summary = "The bridge is of steel.\nIt costs 12 million.";
    talk(w, 10);
    W_SCRIPT({.text = "fine"});
    w_send(w, "go", NULL);
    at(w_model.dump, "## Goal\n- question 0"); /* the shape is ours where the model has none */
    at(w_model.dump, "## Facts\nThe bridge is of steel.\nIt costs 12 million.");
    assert_true(strlen(w_model.asked_summary) < 5000);
}

static void test_any_text_gets_the_shape(void **state) {
    (void)state;
    char *files[] = {"/a.c", "/b.c"};
    static const char todos[] =
        "[{\"content\":\"test it\",\"status\":\"pending\"},{\"content\":\"done thing\","
        "\"status\":\"completed\"}]";
    char *s =
        bx_summary_shape(BX_STR_LIT("Sure!\n\n**Decisions:**\n- x\n# FACTS\n- y\n### goal\n- z\n"),
                         "g", files, 2, bx_str(todos));
    assert_string_equal(s,
                        "## Goal\n- z\n\n## Decisions\n- x\n\n## Files touched\n- /a.c\n- /b.c\n\n"
                        "## Open tasks\n- test it\n\n## Facts\nSure!\n- y\n");
    bx_free(s);
    s = bx_summary_shape(BX_STR_LIT(""), NULL, NULL, 0, BX_STR_LIT("[]"));
    assert_string_equal(
        s,
        "## Goal\nnone\n\n## Decisions\nnone\n\n## Files touched\nnone\n\n## Open tasks\nnone\n\n"
        "## Facts\nnone\n");
    bx_free(s);
}

#ifdef BX_UNWIRE
static void test_without_compaction_the_run_ends(void **state) {
    struct world *w = *state;
    talk(w, 12);
    w_model.summary = SUMMARY;
    W_SCRIPT({.rc = BX_ERR_LIMIT}, {.text = "fine"});
    setenv("BX_UNWIRE", "compaction", 1);
    w_send(w, "go on", NULL);
    unsetenv("BX_UNWIRE");
    w_expect(w, "compact run_end", "reason", "run_end|error");
}

static void test_without_pinning_facts_are_lost(void **state) {
    struct world *w = *state;
    add(w, "fact", "{\"id\":\"f1\",\"text\":\"The customer is ACME.\",\"from\":\"user\"}");
    talk(w, 20);
    window_for(w, 3000);
    w_model.summary = SUMMARY;
    W_SCRIPT({.text = "fine"});
    setenv("BX_UNWIRE", "pinned_facts", 1);
    w_send(w, "go on", NULL);
    unsetenv("BX_UNWIRE");
    not_at(w_model.dump, "ACME");
    not_at(w_model.dump, "word for word");
}
#endif

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_outputs_go_first_without_a_summary),
        T(test_a_summary_stands_for_old_turns),
        T(test_a_request_that_is_being_worked_on_is_kept),
        T(test_summaries_that_are_no_use),
        T(test_a_context_error_is_survived),
        T(test_it_never_loops),
        T(test_by_request),
        T(test_a_rewind_takes_a_summary_back),
        T(test_a_provider_that_cuts_silently),
        T(test_the_setting),
        T(test_small_models_have_words_of_their_own),
        cmocka_unit_test(test_any_text_gets_the_shape),
#ifdef BX_UNWIRE
        T(test_without_compaction_the_run_ends),
        T(test_without_pinning_facts_are_lost),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
