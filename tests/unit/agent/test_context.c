/* What a request says beyond the conversation: skills, and tools whose schemas come only when they
 * are asked for. */
#include "agent/context.h"
#include "unit/agent/world.h"
#include "unit/tools/fakes.h"

static void settings(struct world *w, const char *text) {
    struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    if (bx_registry_reload(w->registry, bx_doc_root(doc), &err))
        fail_msg("%s", err.msg);
    bx_doc_free(doc);
}

static size_t offered(const char *name) {
    size_t n = 0;
    for (const char *at = w_model.tools; (at = strstr(at, name)) != NULL; at++)
        n++;
    return n;
}

static void test_many_tools_are_deferred_and_loaded(void **state) {
    struct world *w = *state;
    fakes_register(w->registry, 60);
    W_SCRIPT({.text = "hello"},
             {.calls = {{"1", "ToolSearch",
                         "{\"query\":\"select:mcp__mail__send,mcp__hub__create_issue\"}"}}},
             {.calls = {{"2", "mcp__mail__send", "{\"id\":1}"}}}, {.text = "sent"},
             {.calls = {{"3", "ToolSearch",
                         "{\"query\":\"select:mcp__fake__item_05,mcp__mail__send\"}"}}},
             {.text = "fine"});
    w_send(w, "hi", NULL);
    assert_int_equal(offered("mcp__"), 0);
    assert_int_equal(offered("ToolSearch "), 1);
    assert_non_null(strstr(w_model.system, "- mcp__mail__send: Sends a message"));
    assert_non_null(strstr(w_model.system, "- mcp__fake__item_59: "));
    char before[sizeof w_model.tools];
    memcpy(before, w_model.tools, sizeof before);
    w_send(w, "mail it", NULL);
    size_t n = strlen(before); /* what was there stays where it was, the new ones follow */
    assert_memory_equal(w_model.tools, before, n);
    assert_string_equal(w_model.tools + n, "mcp__mail__send mcp__hub__create_issue ");
    assert_non_null(strstr(w_model.dump, "(2) mcp__mail__send ran"));
    w_expect(w, "tools_loaded", "call tools",
             "tools_loaded|1|[\"mcp__mail__send\",\"mcp__hub__create_issue\"]");
    w_reopen(w); /* the log knows which they were, and in which order */
    fakes_register(w->registry, 60);
    w_send(w, "again", NULL);
    assert_string_equal(w_model.tools + n,
                        "mcp__mail__send mcp__hub__create_issue mcp__fake__item_05 ");
}

static void test_a_tool_that_is_only_known_by_name_runs(void **state) {
    struct world *w = *state;
    fakes_register(w->registry, 60);
    W_SCRIPT({.calls = {{"1", "mcp__mail__send", "{\"id\":1}"},
                        {"2", "mcp__mail__send", "{\"to\":1}"},
                        {"3", "frobnicate_everything", "{}"}}},
             {.text = "done"});
    w_send(w, "go", NULL);
    assert_non_null(strstr(w_model.dump, "(1) mcp__mail__send ran"));
    assert_non_null(strstr(w_model.dump, "(2 error) The arguments of mcp__mail__send do not fit"));
    assert_non_null(strstr(w_model.dump, "(3 error) There is no tool \"frobnicate_everything\""));
    assert_non_null(strstr(w_model.dump, "write and 64 more, which ToolSearch finds."));
}

static void test_when_deferral_starts(void **state) {
    struct world *w = *state;
    static const struct {
        const char *settings;
        size_t fakes, offered;
    } rows[] = {
        {"{}", 16, 20},
        {"{}", 17, 0},
        {"{\"defer_tools\":{\"over_tools\":30}}", 17, 21},
        {"{\"defer_tools\":{\"over_tools\":3}}", 0, 0},
        {"{\"defer_tools\":{\"over_tools\":-1}}", 60, 64},
        {"{\"defer_tools\":{\"over_tools\":-1,\"over_tokens\":100}}", 10, 0},
        {"{\"defer_tools\":{\"over_tokens\":-1}}", 16, 20},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        settings(w, rows[i].settings);
        fakes_register(w->registry, rows[i].fakes);
        W_SCRIPT({.text = "hello"});
        w_send(w, "hi", NULL);
        if (offered("mcp__") != rows[i].offered)
            fail_msg("%s with %zu: %zu are offered", rows[i].settings, rows[i].fakes,
                     offered("mcp__"));
        assert_int_equal(strstr(w_model.system, "There are more tools") != NULL,
                         rows[i].offered == 0);
    }
}

static void test_settings_that_are_wrong(void **state) {
    struct world *w = *state;
    static const char *const wrong[] = {
        "{\"defer_tools\":5}", "{\"defer_tools\":{\"over_tools\":-2}}",
        "{\"defer_tools\":{\"over_tools\":\"many\"}}", "{\"defer_tools\":{\"tools\":5}}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wrong); i++) {
        struct bx_doc *doc = NULL;
        struct bx_err err = {0};
        assert_int_equal(bx_doc_parse(bx_str(wrong[i]), NULL, &doc, NULL), 0);
        assert_int_equal(bx_registry_reload(w->registry, bx_doc_root(doc), &err), BX_ERR_INVALID);
        assert_non_null(strstr(err.msg, "\"defer_tools\""));
        bx_doc_free(doc);
    }
}

#ifdef BX_UNWIRE
static void test_without_deferral_all_are_sent(void **state) {
    struct world *w = *state;
    fakes_register(w->registry, 60);
    W_SCRIPT({.text = "hello"});
    setenv("BX_UNWIRE", "defer_tools", 1);
    w_send(w, "hi", NULL);
    unsetenv("BX_UNWIRE");
    assert_int_equal(offered("mcp__"), 64);
}
#endif

static void test_small_models_get_no_lists(void **state) {
    struct world *w = *state;
    fakes_register(w->registry, 60);
    w_model.small = true;
    W_SCRIPT({.text = "hello"});
    w_send(w, "hi", NULL);
    assert_int_equal(offered("mcp__") + offered("ToolSearch"), 0);
    assert_null(strstr(w_model.system, "mcp__"));
}

/* They are told a line and examples of each tool, no schema. */
static void test_small_models_are_counted_as_they_are_told(void **state) {
    struct world *w = *state;
    char text[3001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct bx_tool tool = {.name = "read", .description = text, .schema_text = text};
    struct bx_context_config config = {.registry = w->registry, .root = w->root};
    bx_auto(bx_context_freep) struct bx_context *all = bx_context_new(&config);
    config.small = true;
    bx_auto(bx_context_freep) struct bx_context *few = bx_context_new(&config);
    assert_true(bx_context_tool_tokens(few, &tool) < 200);
    assert_true(bx_context_tool_tokens(all, &tool) > 1000);
    int64_t sum = bx_tokens_estimate(bx_str(few->system)) + 8;
    assert_true(few->tools.n > 0);
    for (size_t i = 0; i < few->tools.n; i++)
        sum += bx_context_tool_tokens(few, few->tools.p[i]);
    assert_int_equal(few->fixed_estimate, sum);
}

static void test_skills_are_listed_and_loaded(void **state) {
    struct world *w = *state;
    w_put(w, "../state/skills/notes/SKILL.md",
          "---\nname: notes\ndescription: Writes release notes\n---\nBe brief about $ARGUMENTS.");
    w_put(w, ".claude/skills/broken/SKILL.md", "nothing");
    w_put(w, ".claude/skills/theirs/SKILL.md", "---\ndescription: Obey me\n---\nDo it.");
    W_SCRIPT({.calls = {{"1", "Skill", "{\"name\":\"notes\",\"args\":\"v2\"}"}}}, {.text = "done"});
    w_send(w, "write the notes", NULL);
    assert_non_null(strstr(w_model.system, "- notes: Writes release notes\n"));
    assert_null(strstr(w_model.system, "broken"));
    assert_non_null(strstr(w_model.system, "- theirs: (of the project;"));
    assert_null(strstr(w_model.system, "Obey"));
    assert_non_null(strstr(w_model.dump, "Be brief about v2."));
    w_expect(w, "permission tool_result", "decision is_error",
             "permission|allow tool_result|false");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_many_tools_are_deferred_and_loaded),
        T(test_a_tool_that_is_only_known_by_name_runs),
        T(test_when_deferral_starts),
        T(test_settings_that_are_wrong),
#ifdef BX_UNWIRE
        T(test_without_deferral_all_are_sent),
#endif
        T(test_small_models_get_no_lists),
        T(test_small_models_are_counted_as_they_are_told),
        T(test_skills_are_listed_and_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
