#include "unit/agent/world.h"

/* What is typed while a run is active. */

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }
#define ALL "run_start user assistant queued unqueue tool_result run_end"

static struct {
    struct world *world;
    struct bx_said said;
    int unqueued;
    bool take_back;
} typing;

/* Typed while the call runs. */
static void type_during_call(struct bx_cancel *cancel) {
    (void)cancel;
    struct world *w = typing.world;
    assert_int_equal(bx_agent_say(w->agent, w->session, "and b.txt", NULL, &typing.said, NULL), 0);
    if (typing.take_back)
        typing.unqueued = bx_agent_unqueue(w->agent, w->session, typing.said.queued, NULL);
    w_box.during = NULL;
}

static void type_into(struct world *w) {
    memset(&typing, 0, sizeof typing);
    typing.world = w;
    w_box.during = type_during_call;
}

static void test_joins_at_the_next_turn(void **state) {
    struct world *w = *state;
    type_into(w);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Both."});
    w_send(w, "read a.txt", NULL);
    assert_string_equal(typing.said.run, "");
    assert_int_equal(strlen(typing.said.queued), 36);
    w_expect(w, ALL, "text reason",
             "run_start user|read a.txt assistant| queued|and b.txt tool_result user|and b.txt "
             "assistant|Both. run_end|done");
    assert_non_null(strstr(w_model.dump, "tool: (1) ok\nuser: and b.txt\n"));
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_string_equal(left, "[]");
    /* it has joined: too late to take it back */
    assert_int_equal(bx_agent_unqueue(w->agent, w->session, typing.said.queued, NULL),
                     BX_ERR_NOTFOUND);
}

static void test_taken_back(void **state) {
    struct world *w = *state;
    type_into(w);
    typing.take_back = true;
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "One."});
    w_send(w, "read a.txt", NULL);
    assert_int_equal(typing.unqueued, 0);
    w_expect(w, ALL, "text reason",
             "run_start user|read a.txt assistant| queued|and b.txt unqueue tool_result "
             "assistant|One. run_end|done");
    assert_int_equal(bx_agent_unqueue(w->agent, w->session, typing.said.queued, NULL),
                     BX_ERR_NOTFOUND);
    assert_int_equal(bx_agent_unqueue(w->agent, w->session, "no such", NULL), BX_ERR_NOTFOUND);
}

/* The run's last reply was being written: it goes on for one more turn. */
static void test_typed_into_the_last_reply(void **state) {
    struct world *w = *state;
    struct bx_said said;
    static const struct w_reply script[] = {{.text = "a"}, {.text = "b"}};
    w_script(script, 2);
    assert_int_equal(bx_session_append(w->session, "queued",
                                       BX_STR_LIT("{\"id\":\"x\",\"text\":\"first\"}"), BX_DURABLE,
                                       NULL, NULL),
                     0);
    assert_int_equal(bx_agent_say(w->agent, w->session, "second", NULL, &said, NULL), 0);
    assert_string_equal(said.queued, ""); /* nothing runs: it is sent, behind what waited */
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, ALL, "text queued reason",
             "queued|first run_start user|first|x user|second assistant|a run_end|done");
}

static void stop_during_call(struct bx_cancel *cancel) {
    type_during_call(cancel);
    assert_int_equal(bx_agent_stop_run(typing.world->agent, w_id(typing.world), NULL), 0);
}

/* Stopped: nothing is sent by itself; the message waits, also after a restart, and goes out before
 * the next one. */
static void test_waits_after_a_stop(void **state) {
    struct world *w = *state;
    type_into(w);
    w_box.during = stop_during_call;
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Good."});
    w_send(w, "read a.txt", NULL);
    assert_int_equal(w_model.at, 1);
    w_reopen(w);
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_non_null(strstr(left, "and b.txt"));
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0);
    assert_false(bx_agent_is_running(w->agent, w_id(w)));
    w_send(w, "go on", NULL);
    assert_non_null(strstr(w_model.dump, "user: and b.txt\nuser: go on\n"));
}

/* The run ends at a limit with a message waiting: the next begins with it by itself, with the same
 * options. */
static void test_the_next_run_begins_with_it(void **state) {
    struct world *w = *state;
    type_into(w);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "I must end."}, {.text = "Hello again."});
    w_send(w, "read a.txt", &(struct bx_run_options){.max_turns = 1});
    w_wait_for(w, ALL, "text", "assistant|Hello again. run_end");
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, ALL, "text max_turns reason",
             "run_start|1 user|read a.txt assistant| queued|and b.txt tool_result assistant|I must "
             "end. run_end|max_turns run_start|1 user|and b.txt assistant|Hello again. "
             "run_end|done");
}

/* Many threads type, the run takes; none is lost and none is said twice. */
static void *type_many(void *user) {
    struct world *w = user;
    for (int i = 0; i < 10; i++) {
        struct bx_said said;
        struct bx_err err = {0};
        if (bx_agent_say(w->agent, w->session, "x", NULL, &said, &err))
            fail_msg("%s", err.msg);
    }
    return NULL;
}

static void test_none_is_lost(void **state) {
    struct world *w = *state;
    static struct w_reply script[100];
    pthread_t threads[4];
    for (size_t i = 0; i < BX_ARRAY_LEN(script); i++)
        script[i].text = "y";
    w_script(script, BX_ARRAY_LEN(script));
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "type", type_many, w, NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    bx_auto(bx_freep) char *left = NULL;
    do { /* one run may begin behind another */
        bx_agent_wait(w->agent, w_id(w));
        bx_free(left);
        left = bx_session_queued(w->session);
    } while (strcmp(left, "[]") || bx_agent_is_running(w->agent, w_id(w)));
    bx_auto(bx_freep) char *users = w_log(w, "user", "");
    assert_int_equal(strlen(users), 40 * strlen("user ") - 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_joins_at_the_next_turn),      T(test_taken_back),
        T(test_typed_into_the_last_reply),   T(test_waits_after_a_stop),
        T(test_the_next_run_begins_with_it), T(test_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
