#include "agent/internal.h"
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
}

static void type_into(struct world *w) {
    memset(&typing, 0, sizeof typing);
    typing.world = w;
    w_during_once(type_during_call);
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
    w_during_once(stop_during_call);
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

/* ---- skills ---- */

#define AUTO (&(struct bx_run_options){.mode = "auto"})
#define WRITE(id_)                                                                                 \
    { id_, "write", "{\"file_path\":\"/a\"}" }
#define SKILL_LOG "run_start user queued unqueue skill permission run_end"
#define LOOK      "/look the code"

static void put_skill(struct world *w, const char *name, const char *text) {
    bx_auto(bx_freep) char *folder = bx_asprintf("%s/%s", w->dir, name),
                           *path = bx_asprintf("%s/SKILL.md", folder);
    assert_int_equal(bx_dir_make(folder, 0700, NULL), 0);
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
}

static void put_look(struct world *w) {
    put_skill(w, "state/skills/look",
              "---\ndescription: Only looks\ntools: [Read]\n---\nLook at $ARGUMENTS.");
}

/* What agent/slash.h makes of "/look the code". */
static int say_skill(struct world *w, const char *skill, const char *args, struct bx_said *said,
                     struct bx_err *err) {
    bx_auto(bx_freep) char *text = bx_asprintf("/%s %s", skill, args);
    return bx_agent_say(w->agent, w->session, text,
                        &(struct bx_run_options){.skill = skill, .skill_args = args, .typed = text},
                        said, err);
}

static void type_skill(struct bx_cancel *cancel) {
    (void)cancel;
    struct world *w = typing.world;
    struct bx_said said;
    assert_int_equal(bx_agent_say(w->agent, w->session, "first", NULL, &said, NULL), 0);
    assert_int_equal(say_skill(w, "look", "the code", &typing.said, NULL), 0);
    assert_int_equal(bx_agent_say(w->agent, w->session, "last", NULL, &said, NULL), 0);
}

static void begin_typing(struct world *w, void (*during)(struct bx_cancel *)) {
    type_into(w);
    w_during_once(during);
    put_look(w);
}

/* In its place among the messages, as the model is told a skill; it narrows from then on and not
 * before. */
static void test_a_skill_joins(void **state) {
    struct world *w = *state;
    begin_typing(w, type_skill);
    W_SCRIPT({.calls = {READ("1", "a.txt"), WRITE("2")}}, {.calls = {WRITE("3")}},
             {.text = "Done."}, {.calls = {WRITE("4")}}, {.text = "Free."});
    w_send(w, "read a.txt", AUTO);
    assert_int_equal(strlen(typing.said.queued), 36);
    w_expect(w, SKILL_LOG " cache_break", "text skill args tool decision by",
             "run_start user|read a.txt permission|read|allow|mode permission|write|allow|mode "
             "queued|first queued|/look the code|look|the code queued|last user|first user|/look "
             "the code skill|look|user user|last permission|write|deny|narrow run_end");
    assert_non_null(strstr(w_model.dump,
                           "user: first\nuser: The user starts the skill look; follow "
                           "it. While it is active only these tools may be used: "
                           "read.\n\nLook at the code.\nuser: last\n"));
    w_send(w, "on", AUTO); /* the run's end ended it */
    bx_auto(bx_freep) char *log = w_log(w, "permission", "decision");
    assert_string_equal(log + strlen(log) - 5, "allow");
}

/* What is wrong is said at once, in the words that it has when nothing runs. */
static void type_wrong(struct bx_cancel *cancel) {
    (void)cancel;
    struct world *w = typing.world;
    struct bx_err err = {0};
    put_skill(w, "state/skills/city",
              "---\ndescription: x\nparameters: {city: {required: true}}\n---\n{{city}}");
    put_skill(w, "root/.claude/skills/theirs", "---\ndescription: x\n---\nx");
    assert_int_equal(say_skill(w, "city", "", &typing.said, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "missing: city"));
    assert_int_equal(say_skill(w, "theirs", "", &typing.said, &err), BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "boxagnts skill trust theirs"));
    assert_int_equal(say_skill(w, "lok", "", &typing.said, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "look"));
}

static void test_a_wrong_skill_is_refused_at_once(void **state) {
    struct world *w = *state;
    begin_typing(w, type_wrong);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Done."});
    w_send(w, "read a.txt", AUTO);
    w_expect(w, "user queued", "text", "user|read a.txt");
}

/* It went away meanwhile: the log has what was typed and why it was not sent, and the run goes on.
 */
static void type_and_remove(struct bx_cancel *cancel) {
    struct world *w = typing.world;
    bx_auto(bx_freep) char *folder = bx_asprintf("%s/skills/look", w->state);
    type_skill(cancel);
    bx_dir_remove(folder, NULL);
}

static void test_a_skill_that_went_away(void **state) {
    struct world *w = *state;
    begin_typing(w, type_and_remove);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.calls = {WRITE("2")}}, {.text = "Done."});
    w_send(w, "read a.txt", AUTO);
    bx_auto(bx_freep) char *log = w_log(w, "user unqueue skill run_end", "text why reason");
    assert_non_null(strstr(log, "user|first unqueue|/look the code|there is no skill \"look\""));
    assert_non_null(strstr(log, " user|last run_end|done"));
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_string_equal(left, "[]");
}

static void stop_after_typing(struct bx_cancel *cancel) {
    type_skill(cancel);
    assert_int_equal(bx_agent_stop_run(typing.world->agent, w_id(typing.world), NULL), 0);
}

/* Stopped, and the program ended: it waits, with its skill, and begins the next run. */
static void test_a_skill_waits_on(void **state) {
    struct world *w = *state;
    begin_typing(w, stop_after_typing);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.calls = {WRITE("2")}}, {.text = "Done."});
    w_send(w, "read a.txt", AUTO);
    w_reopen(w);
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0);
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_non_null(strstr(left, "\"skill\":\"look\",\"args\":\"the code\"}"));
    w_send(w, "go on", AUTO);
    w_expect(w, "user skill permission", "text decision by",
             "user|read a.txt permission|allow|mode user|first user|/look the code skill|user "
             "user|last user|go on permission|deny|narrow");
}

/* ---- /compact ---- */

static void type_compact(struct bx_cancel *cancel) {
    (void)cancel;
    struct world *w = typing.world;
    struct bx_run_options options = {.compact = true, .typed = "/compact the bridge"};
    assert_int_equal(bx_agent_say(w->agent, w->session, "the bridge", &options, &typing.said, NULL),
                     0);
    if (typing.take_back)
        typing.unqueued = bx_agent_unqueue(w->agent, w->session, typing.said.queued, NULL);
}

/* Two turns that can go, a third in which it is typed. */
static void talk_and_compact(struct world *w, const struct bx_run_options *options) {
    static char text[6000];
    memset(text, 'w', sizeof text - 1);
    static struct w_reply script[] = {{.text = text},
                                      {.text = text},
                                      {.calls = {READ("1", "a.txt")}},
                                      {.text = "Read."},
                                      {.text = "More."}};
    w_script(script, BX_ARRAY_LEN(script));
    w_model.window = 16000;
    w_model.summary = "## Goal\nA bridge.";
    w_send(w, "one", NULL);
    w_send(w, "two", NULL);
    type_into(w);
    w_during_once(type_compact);
    w_send(w, "read a.txt", options);
}

static void test_compact_between_two_turns(void **state) {
    struct world *w = *state;
    talk_and_compact(w, NULL);
    w_expect(w, "queued tool_result compact run_end", "text by compact reason",
             "run_end|done run_end|done queued|/compact the bridge|the bridge tool_result "
             "compact|user run_end|done");
    assert_int_equal(w_model.summaries, 1);
    assert_non_null(strstr(w_model.asked_summary, "the bridge"));
    assert_non_null(strstr(w_model.dump, "A bridge."));
    assert_non_null(strstr(w_model.dump, "user: read a.txt\nassistant: [1 read "));
    assert_null(strstr(w_model.dump, "wwww"));
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_string_equal(left, "[]");
    assert_int_equal(bx_agent_unqueue(w->agent, w->session, typing.said.queued, NULL),
                     BX_ERR_NOTFOUND);
}

/* The run ends first: the next one begins with it, asks the model for nothing else, and ends. */
static void test_the_next_run_compacts(void **state) {
    struct world *w = *state;
    talk_and_compact(w, &(struct bx_run_options){.max_turns = 1});
    w_wait_for(w, "compact run_end", "by reason", "compact|user run_end|done");
    bx_agent_wait(w->agent, w_id(w));
    assert_int_equal(w_model.at, 4); /* the last word of the one that ended, and no more */
}

/* What takes more than a whole run may spend would begin one run after the other. */
static void test_compact_that_no_budget_has_room_for(void **state) {
    struct world *w = *state;
    struct bx_run_options options = {0};
    options.budget[BX_BUDGET_TIME_MS] = 1000;
    w_model.summary_hangs = true;
    talk_and_compact(w, &options);
    w_wait_for(w, "unqueue", "why", "unqueue|the budget of the run was used up before it was done");
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, "run_start run_end unqueue", "reason",
             "run_start run_end|done run_start run_end|done run_start unqueue run_end|time");
}

/* Nothing can go: the log says so, and the run goes on. */
static void test_nothing_to_compact(void **state) {
    struct world *w = *state;
    type_into(w);
    w_during_once(type_compact);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Done."});
    w_send(w, "read a.txt", NULL);
    w_expect(w, "queued unqueue run_end", "text why reason",
             "queued|/compact the bridge unqueue|/compact the bridge|The conversation was not "
             "compacted: there are no earlier turns. Nothing has changed run_end|done");
}

/* What a stop left waiting is not sent because the conversation was compacted meanwhile. */
static void test_compact_sends_nothing(void **state) {
    struct world *w = *state;
    type_into(w);
    w_during_once(stop_during_call);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Never."});
    w_send(w, "read a.txt", NULL);
    w_send(w, "", &(struct bx_run_options){.compact = true});
    assert_false(bx_agent_goes_on(w->agent, w_id(w)));
    assert_int_equal(w_model.at, 1);
    bx_auto(bx_freep) char *left = bx_session_queued(w->session);
    assert_non_null(strstr(left, "and b.txt"));
}

/* What the run would have gone on for was taken back: the model is not asked for nothing. */
static void test_compact_is_taken_back(void **state) {
    struct world *w = *state;
    type_into(w);
    typing.take_back = true;
    w_during_once(type_compact);
    W_SCRIPT({.calls = {READ("1", "a.txt")}}, {.text = "Done."});
    w_send(w, "read a.txt", NULL);
    assert_int_equal(typing.unqueued, 0);
    w_expect(w, "queued unqueue compact run_end", "reason", "queued unqueue run_end|done");
}

/* ---- edit and resend ---- */

static void test_stop_and_resend(void **state) {
    struct world *w = *state;
    struct bx_said said;
    struct bx_err err = {0};
    static const struct w_reply script[] = {{.text = "on and on", .until_stopped = true},
                                            {.text = "In other words."}};
    w_script(script, 2);
    assert_int_equal(bx_agent_say(w->agent, w->session, "one", NULL, &said, NULL), 0);
    pthread_mutex_lock(&w_model.lock);
    while (w_model.at < 1)
        pthread_cond_wait(&w_model.asked, &w_model.lock);
    pthread_mutex_unlock(&w_model.lock);
    struct bx_run_options options = {.replace = 2};
    assert_int_equal(bx_agent_say(w->agent, w->session, "two", &options, &said, &err), BX_ERR_BUSY);
    assert_non_null(strstr(err.msg, "\"stop\": true"));
    options.stop = true;
    options.replace = 1; /* no message: nothing is stopped for it */
    assert_int_equal(bx_agent_say(w->agent, w->session, "two", &options, &said, &err),
                     BX_ERR_INVALID);
    assert_true(bx_agent_is_running(w->agent, w_id(w)));
    struct bx_said waits;
    assert_int_equal(bx_agent_say(w->agent, w->session, "waits", NULL, &waits, NULL), 0);
    options.replace = 2;
    assert_int_equal(bx_agent_say(w->agent, w->session, "two", &options, &said, NULL), 0);
    assert_int_equal(strlen(said.run), 36);
    bx_agent_wait(w->agent, w_id(w));
    w_expect(w, "run_start user rewind queued run_end", "text to reason",
             "run_start user|one queued|waits run_end|stopped rewind|2 run_start user|two "
             "user|waits run_end|done");
    assert_string_equal(w_model.dump, "user: two\nuser: waits\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_joins_at_the_next_turn),
        T(test_taken_back),
        T(test_typed_into_the_last_reply),
        T(test_waits_after_a_stop),
        T(test_the_next_run_begins_with_it),
        T(test_none_is_lost),
        T(test_a_skill_joins),
        T(test_a_wrong_skill_is_refused_at_once),
        T(test_a_skill_that_went_away),
        T(test_a_skill_waits_on),
        T(test_compact_between_two_turns),
        T(test_the_next_run_compacts),
        T(test_compact_that_no_budget_has_room_for),
        T(test_nothing_to_compact),
        T(test_compact_is_taken_back),
        T(test_stop_and_resend),
        T(test_compact_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
