#include "unit/agent/world.h"

#include "agent/history.h"
#include "base/utf8.h"

static void test_shortened_text_counts_honestly(void **state) {
    (void)state;
    char *same = bx_text_shorten(bx_str("short"), 5, NULL);
    assert_string_equal(same, "short");
    bx_free(same);
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    for (int i = 0; i < 1000; i++)
        bx_buf_addf(&text, "line %d é\n", i);
    for (size_t max = 60; max < 3000; max += 7) {
        char *cut = bx_text_shorten(bx_buf_str(&text), max, NULL);
        assert_true(bx_utf8_valid(bx_str(cut)));
        char *mark = strstr(cut, "\n[… ");
        size_t gone = 0, all = 0;
        assert_int_equal(sscanf(mark, "\n[… %zu of %zu bytes", &gone, &all), 2);
        assert_int_equal(all, text.size);
        const char *tail = strchr(mark + 1, '\n') + 1;
        size_t head = (size_t)(mark - cut);
        assert_int_equal(head + gone + strlen(tail), text.size);
        assert_true(head + strlen(tail) <= max);
        assert_memory_equal(cut, text.p, head);
        assert_memory_equal(tail, text.p + text.size - strlen(tail), strlen(tail));
        bx_free(cut);
    }
    bx_buf_deinit(&text);
}

static void add(struct world *w, const char *type, const char *body) {
    struct bx_err err = {0};
    if (bx_session_append(w->session, type, bx_str(body), BX_BATCHED, NULL, &err))
        fail_msg("%s", err.msg);
}

static void test_unknown_events_change_nothing(void **state) {
    struct world *w = *state;
    add(w, "user", "{\"run\":\"r\",\"text\":\"hi\",\"future\":1}");
    add(w, "weather", "{\"run\":\"r\",\"text\":\"rain\"}");
    add(w, "tool_result",
        "{\"run\":\"r\",\"call\":\"never made\",\"content\":\"x\",\"is_error\":false}");
    add(w, "assistant",
        "{\"run\":\"r\",\"turn\":1,\"text\":\"\",\"calls\":[],\"finish\":\"error\"}"); /* empty:
                                                                                          refused */
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(w_id(w), SIZE_MAX);
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_int_equal(h->messages.n, 1);
}

static void test_the_providers_count_corrects_ours(void **state) {
    struct world *w = *state;
    add(w, "usage", "{\"run\":\"r\",\"turn\":1,\"input_tokens\":300,\"estimated\":200}");
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(w_id(w), SIZE_MAX);
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_true(h->factor > 1.49 && h->factor < 1.51);
    add(w, "usage", "{\"run\":\"r\",\"turn\":1,\"input_tokens\":null,\"estimated\":200}");
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_true(h->factor > 1.49 && h->factor < 1.51); /* not said: as before */
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortened_text_counts_honestly),
        T(test_unknown_events_change_nothing),
        T(test_the_providers_count_corrects_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
