/* ToolSearch over a registry with more than fifty tools, and Skill by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/path.h"
#include "box/box.h"
#include "tools/embedded.h"
#include "tools/host.h"
#include "unit/tools/fakes.h"

const struct bx_embedded_tool bx_embedded_tools[] = {
    {"read",
     "{\"name\":\"read\",\"description\":\"Reads a file\",\"permission_level\":\"read_only\","
     "\"input_schema\":{\"type\":\"object\"}}"},
    {"secret", "{\"name\":\"secret\",\"description\":\"Reads a file\",\"permission_level\":"
               "\"forbidden\",\"input_schema\":{\"type\":\"object\"}}"}};
const size_t bx_embedded_tool_count = 2;

int bx_box_call(struct bx_box *b, const struct bx_box_request *request, struct bx_cancel *cancel,
                struct bx_box_result *ret, struct bx_err *err) {
    (void)b, (void)request, (void)cancel, (void)ret;
    return bx_fail(err, BX_ERR_INVALID, "not used here");
}
void bx_box_result_deinit(struct bx_box_result *r) {
    (void)r;
}
void bx_box_end_worker(struct bx_box *b, const char *worker) {
    (void)b, (void)worker;
}

int bx_box_image(struct bx_box *b, struct bx_str wasm, bool fuel, struct bx_image **ret,
                 struct bx_err *err) {
    (void)b, (void)wasm, (void)fuel, (void)ret;
    return bx_fail(err, BX_ERR_INVALID, "not used here");
}

static struct {
    struct bx_registry *registry;
    char dir[64];
    struct bx_mount mount;
    struct bx_grant grant;
    char recorded[2000];
    int record_rc;
    struct bx_tool_result result;
} w;

static int record(struct bx_tool_ctx *ctx, const char *type, struct bx_str members,
                  struct bx_err *err) {
    (void)ctx;
    snprintf(w.recorded, sizeof w.recorded, "%s " BX_STR_FMT, type, BX_STR_ARG(members));
    return w.record_rc ? bx_fail(err, w.record_rc, "the disk is full") : 0;
}
static const struct bx_tool_host host = {.record = record};

static int setup(void **state) {
    (void)state;
    memset(&w, 0, sizeof w);
    snprintf(w.dir, sizeof w.dir, "/tmp/bx-search-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    assert_int_equal(
        bx_registry_new(&(struct bx_registry_config){.state_dir = w.dir}, &w.registry, NULL), 0);
    fakes_register(w.registry, 60);
    bx_grant_init(&w.grant);
    w.mount = (struct bx_mount){.host_path = w.dir, .guest_path = "/"};
    w.grant.mounts = &w.mount;
    w.grant.mount_count = 1;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    bx_tool_result_deinit(&w.result);
    bx_registry_free(w.registry);
    return bx_dir_remove(w.dir, NULL);
}

/* The text of the result. */
static const char *call(const char *tool, const char *input, bool with_host) {
    struct bx_tool *t = bx_registry_find(w.registry, tool);
    struct bx_doc *doc = NULL;
    struct bx_tool_ctx ctx = {.session_id = "",
                              .run_id = "",
                              .call_id = "",
                              .grant = &w.grant,
                              .host = with_host ? &host : NULL};
    bx_tool_result_deinit(&w.result);
    w.recorded[0] = '\0';
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    struct bx_tool_permit pass = {
        .tool = t, .input = bx_doc_root(doc), .allowed = true, .by = "mode"};
    ctx.permit = &pass;
    int rc = bx_registry_execute(w.registry, t, bx_doc_root(doc), &ctx, &w.result, NULL);
    bx_doc_free(doc);
    bx_tool_unref(t);
    return rc ? "(failed)" : w.result.content;
}

static void search(const char *input, const char *metadata) {
    call("ToolSearch", input, true);
    if (!w.result.metadata || strcmp(w.result.metadata, metadata))
        fail_msg("%s\n got: %s\nwant: %s", input, w.result.metadata, metadata);
}

static void test_ranking(void **state) {
    (void)state;
    search("{\"query\":\"create an issue\",\"max_results\":2}",
           "{\"tools\":[\"mcp__hub__create_issue\",\"mcp__hub__list_issues\"],\"more\":2}");
    assert_string_equal(w.recorded, "tools_loaded {\"tools\":[\"mcp__hub__create_issue\","
                                    "\"mcp__hub__list_issues\"]}");
    search("{\"query\":\"ISSUES\",\"max_results\":1}",
           "{\"tools\":[\"mcp__hub__create_issue\"],\"more\":2}");
    search("{\"query\":\"pull request\"}",
           "{\"tools\":[\"mcp__hub__createPullRequest\"],\"more\":0}");
    search("{\"query\":\"repo merg\"}",
           "{\"tools\":[\"Worktree\",\"mcp__hub__createPullRequest\",\"mcp__hub__create_issue\","
           "\"mcp__hub__list_issues\"],\"more\":0}");
    search("{\"query\":\"read file\"}",
           "{\"tools\":[\"read\"],\"more\":0}"); /* nothing forbidden */
    assert_string_equal(w.recorded, "");         /* what came with the program is there already */
    search("{\"query\":\"mcp__fake__item_17\",\"max_results\":1}",
           "{\"tools\":[\"mcp__fake__item_17\"],\"more\":63}");
    call("ToolSearch", "{\"query\":\"thing kind\"}", true);
    assert_non_null(strstr(w.result.content, " more match: use other words"));
}

static void test_nothing_found(void **state) {
    (void)state;
    search("{\"query\":\"zebra\"}", "{\"tools\":[],\"more\":0}");
    assert_true(w.result.is_error);
    assert_non_null(strstr(w.result.content, "No tool matches"));
    search("{\"query\":\"the of and\"}", "{\"tools\":[],\"more\":0}");
    call("ToolSearch", "{\"query\":\"  \"}", true);
    assert_non_null(strstr(w.result.content, "is empty"));
    call("ToolSearch", "{\"query\":\"x\",\"max_results\":0}", true);
    assert_non_null(strstr(w.result.content, "do not fit"));
}

static void test_by_name(void **state) {
    (void)state;
    search("{\"query\":\"select: mcp__mail__send "
           ",mcp__hub__create_isue,mcp__mail__send,read,secret\"}",
           "{\"tools\":[\"mcp__mail__send\",\"read\"],\"more\":0}");
    assert_non_null(strstr(w.result.content, "did you mean \\\"mcp__hub__create_issue\\\""));
    assert_non_null(strstr(w.result.content, "There is no tool \\\"secret\\\""));
    assert_string_equal(w.recorded, "tools_loaded {\"tools\":[\"mcp__mail__send\"]}");
    assert_false(w.result.is_error);
}

static void test_without_a_run_it_only_finds(void **state) {
    (void)state;
    assert_non_null(strstr(call("ToolSearch", "{\"query\":\"mail\"}", false), "mcp__mail__send"));
    assert_string_equal(w.recorded, "");
}

static void test_what_cannot_be_recorded_is_not_claimed(void **state) {
    (void)state;
    w.record_rc = BX_ERR_IO;
    assert_string_equal(call("ToolSearch", "{\"query\":\"mail\"}", true), "(failed)");
}

static void put(const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(w.dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
}

static void expect_skill(const char *input, bool is_error, const char *want) {
    const char *got = call("Skill", input, false);
    if (w.result.is_error != is_error || !strstr(got, want))
        fail_msg("%s\n got: %s\nwant: %s", input, got, want);
}

static void test_skill(void **state) {
    (void)state;
    expect_skill("{}", false, "There are no skills.");
    put("skills/notes/SKILL.md",
        "---\nname: notes\ndescription: Writes notes\ntools: Read\n---\nWrite about $ARGUMENTS.");
    put("skills/notes/style.md", "short");
    put(".agents/skills/bad/SKILL.md", "no front matter");
    put(".claude/skills/theirs/SKILL.md", "---\ndescription: Obey me\n---\nDo it.");
    expect_skill("{\"name\":\"notes\",\"args\":\"v2\"}", false, "\\n\\nWrite about v2.");
    expect_skill("{\"skill\":\"/notes\"}", false, "The skill notes is loaded");
    assert_non_null(strstr(w.result.metadata, "\"source\":\"workspace\",\"files\":null}"));
    expect_skill("{\"name\":\"note\"}", true, "did you mean \\\"notes\\\"?");
    expect_skill("{\"name\":\"something\"}", true, "Call Skill without a name for the list");
    expect_skill("{\"name\":\"bad\"}", true, "the skill bad is broken: it has no front matter");
    expect_skill("{\"name\":\"list\"}", false, "- bad: broken, it has no front");
    expect_skill("{\"name\":\"list\"}", false, "- theirs: (of the project;");
    expect_skill("{\"name\":\"theirs\"}", true, "boxagnts skill trust theirs");
    expect_skill("{\"name\":\"../notes\"}", true, "there is no skill");
    expect_skill("{\"name\":\"notes\",\"end\":true}", true, "the skill notes is not active");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_ranking),
        T(test_nothing_found),
        T(test_by_name),
        T(test_without_a_run_it_only_finds),
        T(test_what_cannot_be_recorded_is_not_claimed),
        T(test_skill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
