/* Agent files: what is read from them, in all the forms that are about, and what hostile ones get:
 * nothing more. */
#include "unit/folder.h"
#include <sys/stat.h>

#include "agent/agents.h"
#include "base/unwire.h"
#include "tools/embedded.h"
#include "tools/registry.h"

const struct bx_embedded_tool bx_embedded_tools[] = {
    {"read", "{\"name\":\"read\",\"description\":\"Reads a "
             "file\",\"permission_level\":\"read_only\",\"input_schema\":{\"type\":\"object\"}}"},
};
const size_t bx_embedded_tool_count = 1;

static struct bx_agent_defs *load(void) {
    static const struct bx_file_blob built_in[] = {
        {"explore.md",
         {(const unsigned char *)"---\ndescription: ours\n---\nbody",
          sizeof "---\ndescription: ours\n---\nbody" - 1},
         false},
        {NULL, {NULL, 0}, false}};
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root");
    bx_auto(bx_freep) char *state = bx_path_join(dir, "state");
    bx_auto(bx_freep) char *user = bx_path_join(dir, "user");
    assert_int_equal(bx_dir_make(root, 0700, NULL), 0);
    return bx_agent_defs_load(&(struct bx_agent_places){
        .root = root, .state = state, .user = user, .built_in = built_in});
}

static void parse(const char *text, struct bx_agent_def *ret) {
    bx_agent_def_parse(bx_str(text), "/x/helper.md", NULL, ret);
}

static char *tools_of(const struct bx_agent_def *d) {
    struct bx_buf out = BX_BUF_INIT(1000);
    bx_buf_addz(&out, "");
    for (size_t i = 0; d->tools && d->tools[i]; i++)
        bx_buf_addf(&out, "%s%s", i ? "|" : "", d->tools[i]);
    return d->tools ? bx_buf_steal(&out) : (bx_buf_deinit(&out), bx_strdup("all"));
}

/* One row: a front matter, and what it means. */
static void test_front_matters(void **state) {
    (void)state;
    static const struct {
        const char *front, *tools, *model, *mode;
        unsigned turns;
        bool worktree;
    } rows[] = {
        {"", "all", NULL, NULL, 0, false},
        {"tools: read, glob, grep\nmode: plan\nmax_turns: 7", "read|glob|grep", NULL, "plan", 7,
         false},
        {"tools: [read, 'mcp__*']\nmodel: a/b\nisolation: worktree", "read|mcp__*", "a/b", NULL, 0,
         true},
        /* Claude Code's */
        {"tools: Read, Grep, Glob, Bash\nmodel: inherit\npermissionMode: acceptEdits\nmaxTurns: "
         "3\ncolor: red",
         "read|grep|glob|bash", NULL, "accept-edits", 3, false},
        {"tools: Bash(git diff:*), Bash(npm run a, b), Task",
         "bash(git diff *)|bash(npm run a, b)|Agent", NULL, NULL, 0, false},
        {"tools: '*'", "all", NULL, NULL, 0, false},
        {"tools:", "all", NULL, NULL, 0, false},
        {"model: sonnet\npermissionMode: bypassPermissions", "all", NULL, NULL, 0, false},
        {"tools: Read, Write, Bash\ndisallowedTools: Write", "read|bash", NULL, NULL, 0, false},
        /* opencode's */
        {"mode: subagent\ntools:\n  read: true\n  write: false\nsteps: 9", "read", NULL, NULL, 9,
         false},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        bx_auto(bx_freep) char *text =
            bx_asprintf("---\ndescription: d\n%s\n---\nDo it.\n", rows[i].front);
        struct bx_agent_def d;
        parse(text, &d);
        bx_auto(bx_freep) char *tools = tools_of(&d);
        assert_null(d.problem);
        assert_string_equal(tools, rows[i].tools);
        assert_string_equal(d.model ? d.model : "none", rows[i].model ? rows[i].model : "none");
        assert_string_equal(d.has_mode ? bx_mode_name(d.mode) : "none",
                            rows[i].mode ? rows[i].mode : "none");
        assert_int_equal(d.max_turns, rows[i].turns);
        assert_int_equal(d.worktree, rows[i].worktree);
        assert_string_equal(d.name, "helper");
        assert_string_equal(d.prompt, "Do it.");
        bx_agent_def_deinit(&d);
    }
}

/* What cannot be kept to is a problem, never a wider agent. */
static void test_broken(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"no front matter", "no front matter"},
        {"---\nname: a\n---\nx", "no description"},
        {"---\ndescription: d\n---\n", "no text"},
        {"---\ndescription: d\ntools: 7\n---\nx", "tools are neither"},
        {"---\ndescription: d\ntools: {read: perhaps}\n---\nx", "tools are neither"},
        {"---\ndescription: d\ntools: read; rm -rf\n---\nx", "no pattern"},
        {"---\ndescription: d\ndisallowedTools: Write\n---\nx", "only a list"},
        {"---\ndescription: d\ntools: write\ndisallowedTools: Write\n---\nx", "only a list"},
        {"---\ndescription: d\nmode: yolo\n---\nx", "mode is none of"},
        {"---\ndescription: d\nmax_turns: 0\n---\nx", "max_turns"},
        {"---\ndescription: d\nmax_turns: many\n---\nx", "max_turns"},
        {"---\ndescription: d\nisolation: docker\n---\nx", "isolation"},
        {"---\ndescription: d\nmodel: [a]\n---\nx", "model is no name"},
        {"---\ndescription: a: b: c\ntools:\n  - read\n---\nx", "cannot be read"},
        {"---\ndescription: a: b\ntools: read\ntools: write\n---\nx", "cannot be read"},
        {"---\ndescription: a: b\ntools: [read, write\n---\nx", "no pattern"},
        {"---\nname: '../../x'\ndescription: d\xff\n---\nx", "UTF-8"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_agent_def d;
        parse(rows[i].text, &d);
        assert_non_null(d.problem);
        if (!strstr(d.problem, rows[i].says))
            fail_msg("row %zu: %s", i, d.problem);
        bx_agent_def_deinit(&d);
    }
}

/* A description with a colon in it is the usual case. */
static void test_almost_yaml(void **state) {
    (void)state;
    struct bx_agent_def d;
    parse("---\nname: fixer\ndescription: Use it so: \"fix it\" <example>Context: "
          "x</example>\ntools: Read, Edit\n---\nx",
          &d);
    assert_null(d.problem);
    assert_string_equal(d.name, "fixer");
    assert_string_equal(d.description, "Use it so: \"fix it\" <example>Context: x</example>");
    bx_auto(bx_freep) char *tools = tools_of(&d);
    assert_string_equal(tools, "read|edit");
    assert_non_null(strstr(d.warning, "not YAML"));
    bx_agent_def_deinit(&d);
    parse("---\nname: ../up\ndescription: d\nmaxturns: 3\nhooks: {}\n---\nx", &d);
    assert_null(d.problem);
    assert_string_equal(d.name, "helper");
    assert_non_null(strstr(d.warning, "did you mean"));
    assert_non_null(strstr(d.warning, "hooks are not read"));
    bx_agent_def_deinit(&d);
}

static void test_places_and_precedence(void **state) {
    (void)state;
    put("root/.claude/agents/explore.md", "---\nname: explore\ndescription: the project's\n---\nx");
    put("root/.boxagnts/agents/a.md", "---\nname: a\n---\nbroken: no description");
    put("state/agents/a.md", "---\nname: a\ndescription: the workspace's\n---\nx");
    put("user/a.md", "---\nname: a\ndescription: the user's\n---\nx");
    put("user/more/deep.md", "---\nname: deep\ndescription: in a folder\n---\nx");
    put("user/.hidden/no.md", "---\nname: no\ndescription: not looked at\n---\nx");
    put("user/note.txt", "no agent");
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = load();
    struct bx_err err = {0};
    const struct bx_agent_def *d;
    assert_int_equal(defs->n, 6);
    assert_int_equal(bx_agent_defs_find(defs, bx_str("explore"), &d, &err), 0);
    assert_int_equal(d->source, BX_AGENT_ROOT);
    assert_string_equal(d->path, "/.claude/agents/explore.md");
    assert_true(defs->items[defs->n - 1].shadowed); /* the built-in one */
    assert_int_equal(bx_agent_defs_find(defs, bx_str("a"), &d, &err), 0);
    assert_string_equal(d->description, "the workspace's");
    assert_non_null(bx_agent_defs_get(defs, bx_str("deep")));
    assert_null(bx_agent_defs_get(defs, bx_str("no")));
    assert_int_equal(bx_agent_defs_find(defs, bx_str("exlpore"), &d, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "did you mean explore"));
    assert_int_equal(bx_agent_defs_find(defs, bx_str("zzzzzzzz"), &d, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "there are: "));
}

/* A link out of the root shows nothing of what it leads to; inside it is followed. */
static void test_links(void **state) {
    (void)state;
    put("secret.md", "---\nname: secret\ndescription: not of the root\n---\nkey");
    put("root/docs/inside.md", "---\nname: inside\ndescription: of the root\n---\nx");
    link_to("root/.claude/agents/out.md", "../../../secret.md");
    link_to("root/.claude/agents/in.md", "../../docs/inside.md");
    link_to("root/.agents", "..");
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = load();
    const struct bx_agent_def *out = bx_agent_defs_get(defs, bx_str("out"));
    assert_non_null(out->problem);
    assert_null(out->text && *out->text ? out->text : NULL);
    assert_null(bx_agent_defs_get(defs, bx_str("secret")));
    assert_null(bx_agent_defs_get(defs, bx_str("inside"))->problem);
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "agents_beneath", 1);
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *open = load();
    unsetenv("BX_UNWIRE");
    assert_non_null(bx_agent_defs_get(open, bx_str("secret")));
#endif
}

static void test_limits(void **state) {
    (void)state;
    bx_auto(bx_freep) char *large = bx_alloc(200 * BX_KIB);
    memset(large, 'a', 200 * BX_KIB - 1);
    memcpy(large, "---\ndescription: d\n---\n", 23);
    put("user/large.md", large);
    large[BX_AGENT_TEXT_MAX + 100] = 0;
    put("user/long.md", large);
    for (int i = 0; i < 205; i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("state/agents/n%03d.md", i);
        put(name, "---\ndescription: d\n---\nx");
    }
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = load();
    assert_true(defs->cut);
    assert_int_equal(defs->n, 200 + 2 + 1);
    assert_non_null(strstr(bx_agent_defs_get(defs, bx_str("large"))->problem, "128 KiB"));
    assert_non_null(strstr(bx_agent_defs_get(defs, bx_str("long"))->problem, "64 KiB"));
}

/* A project's agent takes away and never gives. */
static void test_narrow(void **state) {
    (void)state;
    struct bx_agent_def d;
    struct bx_narrow n;
    char by[80];
    parse("---\ndescription: d\ntools: read\nmode: plan\n---\nx", &d);
    bx_agent_def_narrow(&d, by, &n);
    assert_string_equal(n.by, "agent helper");
    assert_string_equal(n.tools[0], "read");
    assert_int_equal(n.max_level, BX_LEVEL_READ_ONLY);
    struct bx_rule all = {.tool = (char *)(uintptr_t) "*", .verdict = BX_ALLOW, .calls_left = -1};
    struct bx_permit_request req = {.tool = "write",
                                    .level = BX_LEVEL_WRITE,
                                    .mode = BX_MODE_BYPASS,
                                    .in_box = true,
                                    .rules = &all,
                                    .rule_count = 1,
                                    .narrows = &n,
                                    .narrow_count = 1};
    struct bx_decision decision;
    bx_permit_evaluate(&req, &decision);
    assert_int_equal(decision.verdict, BX_DENY);
    assert_string_equal(decision.by, "narrow");
    bx_agent_def_deinit(&d);
}

/* A name that no tool has is said with one that is near; when none of them is there, the agent can
 * do nothing. */
static void test_unknown_tools(void **state) {
    (void)state;
    bx_auto(bx_registry_freep) struct bx_registry *registry = NULL;
    struct bx_err err = {0};
    struct bx_agent_def d;
    assert_int_equal(bx_registry_new(&(struct bx_registry_config){0}, &registry, &err), 0);
    bx_agent_def_parse(
        bx_str("---\ndescription: d\ntools: Read, raed, mcp__later__x, frobnicate\n---\nx"), "a.md",
        registry, &d);
    assert_null(d.problem);
    assert_non_null(strstr(d.warning, "there is no tool raed; did you mean read"));
    assert_non_null(strstr(d.warning, "there is no tool frobnicate"));
    assert_null(strstr(d.warning, "mcp__later"));
    bx_agent_def_deinit(&d);
    bx_agent_def_parse(bx_str("---\ndescription: d\ntools: [raed, frobnicate]\n---\nx"), "a.md",
                       registry, &d);
    assert_non_null(strstr(d.problem, "no tool that there is"));
    bx_agent_def_deinit(&d);
}

static void test_put_and_remove(void **state) {
    (void)state;
    bx_auto(bx_freep) char *folder = bx_path_join(dir, "state/agents");
    struct bx_err err = {0};
    const char *good = "---\nname: mine\ndescription: d\n---\nx";
    assert_int_equal(bx_agent_def_put(folder, "../up", bx_str(good), NULL, &err), BX_ERR_INVALID);
    assert_int_equal(bx_agent_def_put(folder, "other", bx_str(good), NULL, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "name: other"));
    assert_int_equal(bx_agent_def_put(folder, "mine", bx_str("---\n---\n"), NULL, &err),
                     BX_ERR_INVALID);
    assert_int_equal(bx_agent_def_put(folder, "mine", bx_str(good), NULL, &err), 0);
    put("root/.claude/agents/theirs.md", "---\nname: theirs\ndescription: d\n---\nx");
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = load();
    assert_true(bx_agent_def_usable(bx_agent_defs_get(defs, bx_str("mine"))));
    assert_int_equal(bx_agent_def_remove(defs, "theirs", &err), BX_ERR_DENIED);
    assert_int_equal(bx_agent_def_remove(defs, "explore", &err), BX_ERR_DENIED);
    assert_int_equal(bx_agent_def_remove(defs, "nobody", &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_agent_def_remove(defs, "mine", &err), 0);
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *after = load();
    assert_null(bx_agent_defs_get(after, bx_str("mine")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_front_matters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_almost_yaml, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places_and_precedence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_narrow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_tools, setup, teardown),
        cmocka_unit_test_setup_teardown(test_put_and_remove, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
