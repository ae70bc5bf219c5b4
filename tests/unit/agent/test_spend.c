#include "unit/agent/world.h"

/* What a run may spend: each kind of budget ends it by its name, after one more word where there is
 * something left for that. */

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }

static struct bx_run_options with(enum bx_budget_kind kind, int64_t cap) {
    struct bx_run_options o = {0};
    o.budget[kind] = cap;
    return o;
}

static void send_with(struct world *w, enum bx_budget_kind kind, int64_t cap) {
    struct bx_run_options o = with(kind, cap);
    w_send(w, "go", &o);
}

static void test_calls(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a")}},
             {.calls = {READ("2", "b"), READ("3", "c"), READ("4", "d")}},
             {.text = "Two are read."});
    send_with(w, BX_BUDGET_CALLS, 2);
    assert_non_null(strstr(w_box.calls, "/b")); /* what fits is done */
    assert_null(strstr(w_box.calls, "/c"));
    assert_true(w_model.no_tools);
    assert_non_null(strstr(w_model.dump, "(4 error) Not called: the budget of calls"));
    assert_non_null(strstr(w_model.dump, "limit of calls"));
    w_expect(w, "limit run_end", "limit reason", "limit|calls run_end|calls");
}

/* The reply that passed the cap is kept; what it wanted is not done, and the last word fits into
 * the tenth that is left. */
static void test_tokens(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a")}, .input = 30000, .output = 100},
             {.calls = {READ("2", "b")}, .input = 70000, .output = 100},
             {.text = "Half of it.", .input = 6000, .output = 3});
    send_with(w, BX_BUDGET_TOKENS, 100000);
    assert_null(strstr(w_box.calls, "/b"));
    assert_non_null(strstr(w_model.dump, "limit of tokens"));
    w_expect(w, "limit assistant run_end", "limit text reason",
             "assistant| assistant| limit|tokens|The budget of this run is used up: 100000 tokens. "
             "Raise it with --max-tokens, in the session's budget or in the settings (budgets). "
             "assistant|Half of it. run_end|tokens");
}

/* No last word where it would cost more than the tenth. */
static void test_no_last_word_past_the_cap(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("1", "a")}, .input = 900000, .output = 100}, {.text = "Never asked."});
    send_with(w, BX_BUDGET_TOKENS, 100000);
    assert_int_equal(w_model.at, 1);
    w_expect(w, "limit run_end", "limit reason", "limit|tokens run_end|tokens");
}

/* A request that does not fit by itself is not sent. */
static void test_too_small_for_the_first_request(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "Never asked."});
    send_with(w, BX_BUDGET_TOKENS, 10);
    assert_int_equal(w_model.at, 0);
    w_expect(w, "user assistant limit run_end", "limit reason", "user limit|tokens run_end|tokens");
}

/* What goes on with a reply that was cut is a request like any other. */
static void test_a_reply_that_is_cut_goes_on_within_the_budget(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "One,", .finish = BX_FINISH_LENGTH, .input = 60000, .output = 100},
             {.text = "two,", .finish = BX_FINISH_LENGTH, .input = 60000, .output = 100},
             {.text = "Never asked.", .input = 60000});
    send_with(w, BX_BUDGET_TOKENS, 100000);
    assert_true(w_model.once);
    assert_int_equal(w_model.at, 2);
    w_expect(w, "limit run_end", "limit reason", "limit|tokens run_end|tokens");
    W_SCRIPT({.text = "fine"});
    w_send(w, "without it", NULL);
    assert_false(w_model.once);
}

/* In mid-stream, too: by our own count, before the provider has said anything. */
static void test_a_stream_is_cut(void **state) {
    struct world *w = *state;
    static char flood[400001];
    static struct w_reply script[] = {{.until_stopped = true}, {.text = "It was long."}};
    memset(flood, 'x', sizeof flood - 1);
    script[0].text = flood;
    w_script(script, 2);
    send_with(w, BX_BUDGET_TOKENS, 50000);
    w_expect(w, "assistant limit run_end", "finish limit reason",
             "assistant|stopped limit|tokens run_end|tokens");
}

/* No call gets more than what is left, and what it burns is counted. */
static void test_fuel(void **state) {
    struct world *w = *state;
    w_box.fuel = 400;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.calls = {READ("2", "b")}}, {.calls = {READ("3", "c")}},
             {.text = "Burnt."});
    send_with(w, BX_BUDGET_FUEL, 1000);
    assert_int_equal(w_box.fuel_count, 3);
    assert_int_equal(w_box.fuel_limits[0], 1000);
    assert_int_equal(w_box.fuel_limits[1], 600);
    assert_int_equal(w_box.fuel_limits[2], 200);
    w_expect(w, "limit run_end", "limit reason", "limit|fuel run_end|fuel");
}

/* Side by side they take no more together than is left. */
static void test_fuel_of_one_reply(void **state) {
    struct world *w = *state;
    w_box.fuel = 400;
    W_SCRIPT({.calls = {READ("1", "a"), READ("2", "b"), READ("3", "c")}}, {.text = "Burnt."});
    send_with(w, BX_BUDGET_FUEL, 1000);
    uint64_t sum = 0;
    for (size_t i = 0; i < w_box.fuel_count; i++)
        sum += w_box.fuel_limits[i];
    assert_int_equal(w_box.fuel_count, 3);
    assert_true(w_box.fuel_limits[0] > 0 && sum <= 1000);
}

static void test_money(void **state) {
    struct world *w = *state;
    w_model.price = 2; /* US$ for a million */
    W_SCRIPT({.calls = {READ("1", "a")}, .input = 400000, .output = 100},
             {.calls = {READ("2", "b")}, .input = 400000, .output = 100},
             {.text = "Enough.", .input = 90});
    send_with(w, BX_BUDGET_MONEY, 1000000);
    w_expect(w, "usage limit run_end", "cost limit reason",
             "usage|0.8002 usage|0.8002 limit|money run_end|money");
}

static void test_money_without_price(void **state) {
    struct world *w = *state;
    struct bx_run_options o = with(BX_BUDGET_MONEY, 1000000);
    struct bx_err err = {0};
    assert_int_equal(bx_agent_send(w->agent, w->session, "go", &o, NULL, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "\"price\""));
    w_expect(w, "", "", ""); /* refused before the first event */
    W_SCRIPT({.text = "fine"});
    w_send(w, "without it", NULL);
    w_expect(w, "usage run_end", "cost reason", "usage|null run_end|done");
}

/* Time needs nobody to look: a model that says nothing more is left after it. */
static void test_time(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "I think", .until_stopped = true}, {.text = "and", .until_stopped = true});
    send_with(w, BX_BUDGET_TIME_MS, 30);
    w_expect(w, "assistant limit run_end", "limit text reason",
             "assistant|I think limit|time|The budget of this run is used up: 30 ms. Raise it with "
             "--max-time, in the session's budget or in the settings (budgets). assistant|and "
             "run_end|time");
}

static void wait_until_stopped(struct bx_cancel *cancel) {
    while (bx_cancel_sleep(cancel, 1000) != BX_ERR_CANCELLED) {
    }
}

static void test_time_stops_a_call(void **state) {
    struct world *w = *state;
    w_box.during = wait_until_stopped;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.text = "It took too long."});
    send_with(w, BX_BUDGET_TIME_MS, 30);
    w_expect(w, "limit run_end", "limit reason", "limit|time run_end|time");
}

static void test_time_closes_a_question(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {{"1", "write", "{\"file_path\":\"a\"}"}}}, {.text = "Nobody answered."});
    send_with(w, BX_BUDGET_TIME_MS, 30);
    w_expect(w, "answer limit run_end", "limit reason", "limit|time run_end|time");
}

static void append(struct world *w, const char *type, const char *body) {
    assert_int_equal(bx_session_append(w->session, type, bx_str(body), BX_DURABLE, NULL, NULL), 0);
}

/* Settings, then the session, then the run: the nearest counts. */
static void test_where_a_budget_comes_from(void **state) {
    struct world *w = *state;
    bx_auto(bx_doc_freep) struct bx_doc *patch = NULL;
    assert_int_equal(
        bx_doc_parse(BX_STR_LIT("{\"budgets\":{\"calls\":7,\"time\":\"2m\",\"tokens\":9000000}}"),
                     NULL, &patch, NULL),
        0);
    assert_int_equal(bx_settings_patch(w->store, bx_doc_root(patch), NULL), 0);
    append(w, "budget", "{\"budget\":{\"calls\":8,\"money\":null}}");
    struct bx_run_options o = with(BX_BUDGET_TOKENS, 8000000);
    W_SCRIPT({.text = "hi"});
    w_send(w, "go", &o);
    w_expect(w, "run_start", "budget",
             "run_start|{\"max_turns\":50,\"tokens\":8000000,\"calls\":8,\"time\":120}");
    w_reopen(w);
    bx_auto(bx_freep) char *kept = bx_session_budget(w->session);
    assert_string_equal(kept, "{\"calls\":8,\"money\":null}");
}

static void test_what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *json, *says;
    } table[] = {
        {"{\"tokens\":0}", "above 0"},      {"{\"tokens\":-5}", "above 0"},
        {"{\"tokens\":1.5}", "above 0"},    {"{\"tokens\":\"many\"}", "above 0"},
        {"{\"money\":0}", "US$"},           {"{\"money\":\"1\"}", "US$"},
        {"{\"money\":1e9}", "US$"},         {"{\"time\":0}", "seconds"},
        {"{\"time\":\"0s\"}", "time"},      {"{\"time\":\"soon\"}", "30s"},
        {"{\"max_turns\":10001}", "10000"}, {"{\"calls\":false}", "above 0"},
        {"{\"token\":5}", "no budget"},     {"[]", "object"},
        {"{\"time\":90000}", "seconds"},    {"{\"fuel\":0}", "above 0"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        int64_t caps[BX_BUDGET_COUNT];
        struct bx_err err = {0};
        assert_int_equal(bx_doc_parse(bx_str(table[i].json), NULL, &doc, NULL), 0);
        if (bx_budget_read(bx_doc_root(doc), caps, &err) != BX_ERR_INVALID ||
            !strstr(err.msg, table[i].says))
            fail_msg("%s: %s", table[i].json, err.msg);
    }
}

#ifdef BX_UNWIRE
/* The off-switch: without the control each of these runs goes on to its own end. */
static void test_unwired(void **state) {
    struct world *w = *state;
    setenv("BX_UNWIRE", "budget", 1);
    W_SCRIPT({.calls = {READ("1", "a"), READ("2", "b")}, .input = 900000}, {.text = "All done."});
    struct bx_run_options o = with(BX_BUDGET_TOKENS, 10);
    o.budget[BX_BUDGET_CALLS] = 1;
    o.budget[BX_BUDGET_TIME_MS] = 1;
    w_send(w, "go", &o);
    unsetenv("BX_UNWIRE");
    w_expect(w, "limit run_end", "limit reason", "run_end|done");
}
#endif

#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_calls),
        T(test_tokens),
        T(test_no_last_word_past_the_cap),
        T(test_too_small_for_the_first_request),
        T(test_a_reply_that_is_cut_goes_on_within_the_budget),
        T(test_a_stream_is_cut),
        T(test_fuel),
        T(test_fuel_of_one_reply),
        T(test_money),
        T(test_money_without_price),
        T(test_time),
        T(test_time_stops_a_call),
        T(test_time_closes_a_question),
        T(test_where_a_budget_comes_from),
        T(test_what_is_refused),
#ifdef BX_UNWIRE
        T(test_unwired),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
