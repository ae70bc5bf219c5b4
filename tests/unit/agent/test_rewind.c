#include "unit/agent/world.h"

#include "agent/history.h"

/* Edit and resend: the model never sees what was taken back, the log keeps it. */

static void send_again(struct world *w, uint64_t replace, const char *text, int expect) {
    struct bx_run_options o = {.replace = replace};
    assert_int_equal(bx_agent_send(w->agent, w->session, text, &o, NULL, NULL), expect);
    bx_agent_wait(w->agent, w_id(w));
}

/* The seq of the n-th event (1…) of the type. */
static uint64_t seq_of(struct world *w, const char *type, unsigned n) {
    struct bx_buf lines = BX_BUF_INIT(BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    uint64_t found = 0;
    while (bx_session_read(w->session, &cursor, 1, &lines, NULL) > 0 && !found) {
        struct bx_doc *doc = NULL;
        assert_int_equal(bx_doc_parse(bx_str_trim(bx_buf_str(&lines)), NULL, &doc, NULL), 0);
        if (bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "type"), type) && --n == 0)
            found = (uint64_t)bx_val_get_int(bx_doc_root(doc), "seq", 0);
        bx_doc_free(doc);
        bx_buf_reset(&lines);
    }
    bx_buf_deinit(&lines);
    return found;
}

static void test_model_never_sees_what_was_rewound(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "first answer"}, {.calls = {{"c1", "read", "{\"file_path\":\"secret\"}"}}},
             {.text = "second answer"}, {.text = "third answer"}, {.text = "fourth"},
             {.text = "fifth"});
    w_send(w, "one", NULL);
    w_send(w, "two", NULL);
    uint64_t two = seq_of(w, "user", 2), last = bx_session_last_seq(w->session);
    send_again(w, two, "two, better", 0);
    assert_string_equal(w_model.dump, "user: one\nassistant: first answer\nuser: two, better\n");
    assert_true(bx_session_last_seq(w->session) > last); /* nothing went */
    send_again(w, two, "x", BX_ERR_INVALID);             /* it is out already */
    send_again(w, 1, "x", BX_ERR_INVALID);               /* no message */
    send_again(w, 100000, "x", BX_ERR_INVALID);
    w_reopen(w); /* from the disk the same */
    send_again(w, 0, "more", 0);
    assert_string_equal(w_model.dump, "user: one\nassistant: first answer\nuser: two, "
                                      "better\nassistant: third answer\nuser: more\n");
    send_again(w, seq_of(w, "user", 1), "all anew", 0); /* a range around the first one */
    assert_string_equal(w_model.dump, "user: all anew\n");
    struct bx_seq_range *ranges = NULL;
    assert_int_equal(bx_session_rewound(w->session, &ranges), 1);
    bx_free(ranges);
}

/* What was allowed for the session stays allowed; a list of ranges is searched rightly. */
static void test_ranges(void **state) {
    struct world *w = *state;
    static const char user[] = "{\"run\":\"r\",\"text\":\"t\"}";
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            bx_session_append(w->session, "user", bx_str(user), BX_BATCHED, NULL, NULL), 0);
    static const struct {
        const char *to;
        size_t ranges;
    } rewinds[] = {
        {"{\"to\":20}", 1}, {"{\"to\":25}", 1}, {"{\"to\":0}", 1}, {"{}", 1}, {"{\"to\":19}", 1}};
    for (size_t i = 0; i < BX_ARRAY_LEN(rewinds); i++) {
        assert_int_equal(
            bx_session_append(w->session, "rewind", bx_str(rewinds[i].to), BX_BATCHED, NULL, NULL),
            0);
        struct bx_seq_range *ranges = NULL;
        assert_int_equal(bx_session_rewound(w->session, &ranges), rewinds[i].ranges);
        bx_free(ranges);
    }
    assert_int_equal(bx_session_append(w->session, "user", bx_str(user), BX_BATCHED, NULL, NULL),
                     0);
    assert_int_equal(bx_session_append(w->session, "user", bx_str(user), BX_BATCHED, NULL, NULL),
                     0);
    assert_int_equal(
        bx_session_append(w->session, "rewind", bx_str("{\"to\":27}"), BX_BATCHED, NULL, NULL), 0);
    for (int again = 0; again < 2; again++) {
        struct bx_seq_range *ranges = NULL;
        size_t n = bx_session_rewound(w->session, &ranges);
        assert_int_equal(n, 2);
        for (uint64_t seq = 0; seq < 40; seq++)
            assert_int_equal(bx_seq_in(ranges, n, seq),
                             (seq >= 19 && seq <= 25) || (seq >= 27 && seq <= 28));
        bx_free(ranges);
        w_reopen(w);
    }
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(w_id(w), SIZE_MAX);
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_int_equal(h->messages.n, 19);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model_never_sees_what_was_rewound, w_setup,
                                        w_teardown),
        cmocka_unit_test_setup_teardown(test_ranges, w_setup, w_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
