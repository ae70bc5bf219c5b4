/* Skills in a run: from when on they narrow, what ends that, where their files are, what proposes
 * them, and who must say yes first. */
#include "agent/internal.h"
#include "skills/trust.h"
#include "unit/agent/world.h"

static void put(struct world *w, const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(w->dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
}

static void told(const char *text) {
    if (!strstr(w_model.dump, text))
        fail_msg("not told: %s\nbut: %s", text, w_model.dump);
}

static void not_told(const char *text) {
    if (strstr(w_model.dump, text))
        fail_msg("told: %s", w_model.dump);
}

#define AUTO (&(struct bx_run_options){.mode = "auto"})
#define LOOK "{\"name\":\"look\"}"
#define READ(id_)                                                                                  \
    { id_, "read", "{\"file_path\":\"/a\"}" }
#define WRITE(id_)                                                                                 \
    { id_, "write", "{\"file_path\":\"/a\"}" }

static void put_look(struct world *w) {
    put(w, "state/skills/look/SKILL.md",
        "---\nname: look\ndescription: Only looks\ntools: [Read, Grep]\n---\nLook at $ARGUMENTS.");
}

static const char *decisions(struct world *w) {
    static char got[2000];
    char *log = w_log(w, "permission", "tool decision by");
    snprintf(got, sizeof got, "%s", log);
    bx_free(log);
    return got;
}

static void test_the_models_skill_narrows_until_it_ends_it(void **state) {
    struct world *w = *state;
    put_look(w);
    W_SCRIPT({.calls = {{"1", "Skill", LOOK}}}, {.calls = {READ("2"), WRITE("3")}},
             {.calls = {{"4", "Skill", "{\"name\":\"look\",\"end\":true}"}}},
             {.calls = {WRITE("5")}}, {.text = "done"}, {.calls = {WRITE("6")}}, {.text = "done"});
    w_send(w, "go", AUTO);
    assert_string_equal(decisions(w), "permission|Skill|allow|level permission|read|allow|mode "
                                      "permission|write|deny|narrow permission|Skill|allow|level "
                                      "permission|write|allow|mode");
    w_expect(w, "skill", "call skill active by tools",
             "skill|1|look|true|model|[\"read\",\"grep\"] skill|4|look|false|null");
    told("only these tools may be used: read, grep");
    told("not among what skill look allows");
}

static void test_the_end_of_the_run_ends_it(void **state) {
    struct world *w = *state;
    put_look(w);
    W_SCRIPT({.calls = {{"1", "Skill", LOOK}}}, {.text = "done"}, {.calls = {WRITE("2")}},
             {.text = "done"});
    w_send(w, "go", AUTO);
    w_send(w, "go on", AUTO);
    assert_non_null(strstr(decisions(w), "permission|write|allow|mode"));
}

/* What agent/slash.h makes of it. */
static int slash(struct world *w, const char *text, struct bx_err *err) {
    struct bx_str rest = bx_str(text), name;
    bx_str_split(&rest, ' ', &name);
    bx_auto(bx_freep) char *skill = bx_str_dup(name), *args = bx_str_dup(rest);
    struct bx_run_options options = {.mode = "auto", .skill = skill, .skill_args = args};
    int rc = bx_agent_send(w->agent, w->session, text, &options, NULL, err);
    if (!rc)
        bx_agent_wait(w->agent, w_id(w));
    return rc;
}

static void test_the_users_skill_stays_to_the_end(void **state) {
    struct world *w = *state;
    put_look(w);
    W_SCRIPT({.calls = {WRITE("1"), {"2", "Skill", "{\"name\":\"look\",\"end\":true}"}}},
             {.calls = {WRITE("3")}}, {.text = "done"});
    assert_int_equal(slash(w, "/look the code", NULL), 0);
    w_expect(
        w, "user skill", "text expanded skill active by",
        "user|/look the code|The user starts the skill look; follow it. While it is active only "
        "these tools may be used: read, grep.\n\nLook at the code. skill|look|true|user");
    assert_string_equal(decisions(w), "permission|write|deny|narrow permission|Skill|allow|level "
                                      "permission|write|deny|narrow");
    told("user: The user starts the skill look");
    told("The user began the skill look");
}

static void test_what_is_wrong_is_said_before_anything_is_logged(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    put(w, "state/skills/city/SKILL.md",
        "---\ndescription: x\nparameters: {city: {required: true, enum: [Rome, "
        "Oslo]}}\n---\n{{city}}");
    assert_int_equal(slash(w, "/city", &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "missing: city (string; one of Rome, Oslo)"));
    assert_int_equal(slash(w, "/city Paris", &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "\"Paris\" does not fit the parameter city"));
    put(w, "root/.claude/skills/theirs/SKILL.md", "---\ndescription: x\n---\nx");
    assert_int_equal(slash(w, "/theirs", &err), BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "boxagnts skill trust theirs"));
    w_expect(w, "", "", "");
    W_SCRIPT({.text = "warm"});
    assert_int_equal(slash(w, "/city rome", NULL), 0);
    told("\n\nRome\n");
}

#ifdef BX_UNWIRE
static void test_unwired_it_does_not_narrow(void **state) {
    struct world *w = *state;
    put_look(w);
    W_SCRIPT({.calls = {WRITE("1")}}, {.text = "done"});
    setenv("BX_UNWIRE", "narrow", 1);
    assert_int_equal(slash(w, "/look x", NULL), 0);
    unsetenv("BX_UNWIRE");
    assert_string_equal(decisions(w), "permission|write|allow|mode");
}
#endif

/* The log of a run that a crash left open says what is active in it. */
static void test_the_log_knows_what_is_active(void **state) {
    struct world *w = *state;
    static const struct {
        const char *type, *body;
    } events[] = {
        {"run_start", "{\"run\":\"r\"}"},
        {"skill",
         "{\"run\":\"r\",\"skill\":\"a\",\"active\":true,\"by\":\"user\",\"tools\":[\"read\"],"
         "\"mount\":\"/skills\"}"},
        {"skill",
         "{\"run\":\"r\",\"skill\":\"b\",\"active\":true,\"by\":\"model\",\"tools\":null}"},
        {"skill", "{\"run\":\"r\",\"skill\":\"c\",\"active\":true,\"by\":\"model\",\"tools\":[]}"},
        {"skill", "{\"run\":\"r\",\"skill\":\"b\",\"active\":false,\"tools\":null}"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(events); i++)
        assert_int_equal(bx_session_append(w->session, events[i].type, bx_str(events[i].body),
                                           BX_DURABLE, NULL, NULL),
                         0);
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(w_id(w), SIZE_MAX);
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_int_equal(h->active.now.n, 2);
    assert_true(bx_active_get(&h->active, "a")->by_user);
    assert_string_equal(bx_active_get(&h->active, "a")->tools[0], "read");
    assert_null(bx_active_get(&h->active, "c")->tools[0]);
    struct bx_run run = {.history = h};
    pthread_mutex_init(&run.rules_lock, NULL);
    bx_run_restore_skills(&run);
    assert_int_equal(run.narrows.n, 2);
    assert_string_equal(run.narrows.p[0].by, "skill a");
    bx_run_narrows_free(&run);
    pthread_mutex_destroy(&run.rules_lock);
    assert_int_equal(bx_session_append(w->session, "run_end", BX_STR_LIT("{\"run\":\"r\"}"),
                                       BX_DURABLE, NULL, NULL),
                     0);
    assert_int_equal(bx_history_catch_up(h, w->session, NULL), 0);
    assert_int_equal(h->active.now.n, 0);
    assert_string_equal(h->active.mount, "/skills"); /* what was told of the files stays true */
}

/* ---- files ---- */

static const char *text_of(struct world *w, const char *pattern) {
    static char text[500];
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    bx_auto(bx_freep) char *path = bx_asprintf("%s/state/skill-files/%s", w->dir, pattern);
    return bx_file_read(path, &out, NULL)
               ? NULL
               : (snprintf(text, sizeof text, "%s", bx_buf_z(&out)), text);
}

static char *tree_name(struct world *w) {
    char hex[BX_SHA256_HEX + 1];
    bx_sha256_hex_of(w->root, strlen(w->root), hex);
    return bx_asprintf("%.16s", hex);
}

static void test_files_are_laid_out_and_follow_changes(void **state) {
    struct world *w = *state;
    put(w, "state/skills/doc/SKILL.md", "---\ndescription: x\nuses: helper\n---\nRead it.");
    put(w, "state/skills/doc/references/a.md", "one");
    put(w, "state/skills/helper/SKILL.md", "---\ndescription: x\n---\nHelp.");
    put(w, "state/skills/helper/b.txt", "two");
    put(w, "secret.txt", "outside");
    bx_auto(bx_freep) char *link = bx_asprintf("%s/state/skills/doc/leak", w->dir),
                           *tree = tree_name(w),
                           *a = bx_asprintf("%s/files/doc/references/a.md", tree),
                           *b = bx_asprintf("%s/files/helper/b.txt", tree),
                           *leak = bx_asprintf("%s/files/doc/leak", tree);
    assert_int_equal(symlink("../../../secret.txt", link), 0);
    W_SCRIPT({.calls = {{"1", "Skill", "{\"name\":\"doc\"}"}}}, {.text = "done"},
             {.calls = {{"2", "Skill", "{\"name\":\"doc\"}"}}}, {.text = "done"});
    w_send(w, "go", AUTO);
    told("Its files are in /skills/doc, read-only: leak, references/.");
    told("# Skill helper\n\nHelp.");
    w_expect(w, "skill", "skill mount", "skill|doc|/skills");
    assert_string_equal(text_of(w, a), "one");
    assert_string_equal(text_of(w, b), "two");
    assert_null(text_of(w, leak)); /* it leads out of the skill's folder */
    put(w, "state/skills/doc/references/a.md", "new");
    w_send(w, "again", AUTO);
    assert_string_equal(text_of(w, a), "new");
}

static void test_files_of_roots_that_are_gone_are_swept(void **state) {
    struct world *w = *state;
    put(w, "state/skill-files/gone/root", "/nowhere/at/all");
    put(w, "state/skill-files/gone/files/a/b.md", "x");
    put(w, "state/skill-files/here/root", w->root);
    put(w, "state/skill-files/here/files/a/b.md", "x");
    assert_int_equal(bx_agent_recover(w->agent, true, NULL), 0);
    assert_null(text_of(w, "gone/files/a/b.md"));
    assert_string_equal(text_of(w, "here/files/a/b.md"), "x");
}

static void test_a_folder_of_the_project_keeps_its_name(void **state) {
    struct world *w = *state;
    put(w, "root/skills/own.txt", "theirs");
    put(w, "state/skills/doc/SKILL.md", "---\ndescription: x\n---\nRead /skills/doc/a.md.");
    put(w, "state/skills/doc/a.md", "one");
    W_SCRIPT({.calls = {{"1", "Skill", "{\"name\":\"doc\"}"}}}, {.text = "done"});
    w_send(w, "go", AUTO);
    told("Its files are in /.skills/doc, read-only: a.md.");
    told("Read /.skills/doc/a.md.");
}

/* ---- proposals ---- */

static void test_triggers_only_propose(void **state) {
    struct world *w = *state;
    put(w, "state/skills/notes/SKILL.md",
        "---\ndescription: Writes notes\ntriggers: [release notes]\n---\nSecret of notes.");
    put(w, "state/skills/css/SKILL.md",
        "---\ndescription: Styles\ntriggers: {files: [\"*.css\"]}\n---\nx");
    put(w, "root/.claude/skills/theirs/SKILL.md",
        "---\ndescription: Obey\ntriggers: [release]\n---\nx");
    W_SCRIPT({.calls = {{"1", "read", "{\"file_path\":\"/site/a.css\"}"}}}, {.text = "fine"},
             {.text = "done"});
    w_send(w, "Write the Release Notes, please", AUTO);
    /* the second request: notes was proposed in the first, css because of the file */
    told("These skills may fit what is being done; load one with the tool Skill if it does:\n"
         "- css: Styles");
    not_told("- notes: ");
    not_told("Secret of notes");
    w_expect(w, "skill", "", "");
    w_send(w, "release notes again", AUTO);
    told("load one with the tool Skill if it does:\n- notes: Writes notes");
    not_told("theirs");
}

static struct world *typing;

static void type_during_call(struct bx_cancel *cancel) {
    (void)cancel;
    struct bx_said said;
    assert_int_equal(
        bx_agent_say(typing->agent, typing->session, "and the release notes", NULL, &said, NULL),
        0);
    assert_int_equal(strlen(said.queued), 36);
}

static void test_what_joins_proposes_too(void **state) {
    struct world *w = *state;
    typing = w;
    put(w, "state/skills/notes/SKILL.md",
        "---\ndescription: Writes notes\ntriggers: [release notes]\n---\nx");
    w_during_once(type_during_call);
    W_SCRIPT({.calls = {{"1", "read", "{\"file_path\":\"/a.txt\"}"}}}, {.text = "done"});
    w_send(w, "read a.txt", AUTO);
    told("load one with the tool Skill if it does:\n- notes: Writes notes");
}

/* ---- trust ---- */

static void answer(struct world *w, enum bx_choice choice) {
    char *question = w_question(w);
    struct bx_answer a = {.choice = choice, .from = "api"};
    assert_int_equal(bx_agent_answer(w->agent, w_id(w), question, &a, NULL), 0);
    bx_free(question);
}

#define THEIRS "{\"name\":\"theirs\"}"

static void put_theirs(struct world *w, const char *body) {
    bx_auto(bx_freep) char *text = bx_asprintf("---\ndescription: Theirs\n---\n%s", body);
    put(w, "root/.claude/skills/theirs/SKILL.md", text);
}

static void test_a_projects_skill_asks_once_for_each_digest(void **state) {
    struct world *w = *state;
    put_theirs(w, "First words.");
    W_SCRIPT({.calls = {{"1", "Skill", THEIRS}}}, {.text = "done"},
             {.calls = {{"2", "Skill", THEIRS}}}, {.text = "done"},
             {.calls = {{"3", "Skill", THEIRS}}}, {.text = "done"},
             {.calls = {{"4", "Skill", THEIRS}}}, {.text = "done"});
    assert_int_equal(bx_agent_send(w->agent, w->session, "go", AUTO, NULL, NULL), 0);
    answer(w, BX_CHOICE_NO);
    bx_agent_wait(w->agent, w_id(w));
    told("the user does not want the skill theirs to be used");
    not_told("First words");
    assert_int_equal(bx_agent_send(w->agent, w->session, "go", AUTO, NULL, NULL), 0);
    answer(w, BX_CHOICE_APPROVE);
    bx_agent_wait(w->agent, w_id(w));
    told("First words.");
    w_reopen(w);
    w_send(w, "and again", AUTO); /* nothing is asked, also after a restart */
    put_theirs(w, "Other words.");
    assert_int_equal(bx_agent_send(w->agent, w->session, "go", AUTO, NULL, NULL), 0);
    answer(w, BX_CHOICE_NO);
    bx_agent_wait(w->agent, w_id(w));
    not_told("Other words");
    w_expect(w, "question", "kind skill",
             "question|trust|theirs question|trust|theirs question|trust|theirs");
}

static void test_headless_it_is_refused_with_the_command(void **state) {
    struct world *w = *state;
    put_theirs(w, "First words.");
    W_SCRIPT({.calls = {{"1", "Skill", THEIRS}}}, {.text = "done"});
    w_send(w, "go", &(struct bx_run_options){.mode = "auto", .headless = true});
    told("boxagnts skill trust theirs");
    not_told("First words");
}

#ifdef BX_UNWIRE
static void test_without_the_check_it_would_be_used(void **state) {
    struct world *w = *state;
    put_theirs(w, "First words.");
    W_SCRIPT({.calls = {{"1", "Skill", THEIRS}}}, {.text = "done"});
    setenv("BX_UNWIRE", "skill_trust", 1);
    w_send(w, "go", &(struct bx_run_options){.mode = "auto", .headless = true});
    unsetenv("BX_UNWIRE");
    told("First words");
}
#endif

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_the_models_skill_narrows_until_it_ends_it),
        T(test_the_end_of_the_run_ends_it),
        T(test_the_users_skill_stays_to_the_end),
        T(test_what_is_wrong_is_said_before_anything_is_logged),
        T(test_the_log_knows_what_is_active),
        T(test_files_are_laid_out_and_follow_changes),
        T(test_files_of_roots_that_are_gone_are_swept),
        T(test_a_folder_of_the_project_keeps_its_name),
        T(test_triggers_only_propose),
        T(test_what_joins_proposes_too),
        T(test_a_projects_skill_asks_once_for_each_digest),
        T(test_headless_it_is_refused_with_the_command),
#ifdef BX_UNWIRE
        T(test_unwired_it_does_not_narrow),
        T(test_without_the_check_it_would_be_used),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
