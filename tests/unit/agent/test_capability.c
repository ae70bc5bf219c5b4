/* What an executor may do, worked out from what its manager may: as tables, without a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/capability.h"
#include "base/file.h"
#include "base/path.h"
#include "tools/embedded.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

static char dir[256];
static struct bx_tool reads = {.name = "read", .level = BX_LEVEL_READ_ONLY, .refs = 1},
                      writes = {.name = "write", .level = BX_LEVEL_WRITE, .refs = 1},
                      runs = {.name = "bash", .level = BX_LEVEL_EXECUTE, .refs = 1},
                      asks = {.name = "AskUserQuestion", .level = BX_LEVEL_NONE, .refs = 1};
static struct bx_tool *const tools[] = {&reads, &writes, &runs, &asks};

static int setup(void **state) {
    (void)state;
    char made[] = "/tmp/bx-capability-XXXXXX";
    assert_non_null(mkdtemp(made));
    bx_auto(bx_freep) char *real = bx_path_real(made, NULL);
    snprintf(dir, sizeof dir, "%s", real);
    static const char *const folders[] = {"root/src/deep", "root/docs", "data/in"};
    for (size_t i = 0; i < BX_ARRAY_LEN(folders); i++) {
        bx_auto(bx_freep) char *path = bx_path_join(dir, folders[i]);
        assert_int_equal(bx_dir_make(path, 0700, NULL), 0);
    }
    bx_auto(bx_freep) char *link = bx_path_join(dir, "root/out");
    return symlink("/etc", link);
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

struct made {
    struct bx_capability may;
    struct bx_err err;
    int rc;
};

static struct made make(struct bx_capability_from *from, const char *wish, const char *settings) {
    struct made m = {.rc = 0};
    struct bx_doc *input = NULL, *set = NULL;
    struct bx_executor_settings s;
    static int64_t none[BX_BUDGET_COUNT];
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root"), *data = bx_path_join(dir, "data"),
                           *empty = bx_path_join(dir, "empty");
    struct bx_mount mounts[] = {{root, "/", true}, {data, "/data", false}};
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        none[k] = -1;
    from->tools = tools;
    from->tool_count = BX_ARRAY_LEN(tools);
    from->mounts = mounts;
    from->mount_count = 2;
    from->mode = from->mode ? from->mode : BX_MODE_AUTO;
    from->max_turns = 20;
    from->left = from->left ? from->left : none;
    assert_int_equal(bx_doc_parse(bx_str(wish), NULL, &input, NULL), 0);
    assert_int_equal(bx_doc_parse(bx_str(settings), NULL, &set, NULL), 0);
    assert_int_equal(bx_executor_settings_read(bx_doc_root(set), &s, &m.err), 0);
    m.rc = bx_capability_compute(from, bx_doc_root(input), NULL, &s, empty, &m.may, &m.err);
    bx_doc_free(input);
    bx_doc_free(set);
    return m;
}

static void refused(struct bx_capability_from from, const char *wish, const char *says) {
    struct made m = make(&from, wish, "{}");
    if (m.rc >= 0 || !strstr(m.err.msg, says))
        fail_msg("%s: %d \"%s\" instead of \"%s\"", wish, m.rc, m.err.msg, says);
    bx_capability_deinit(&m.may);
}

static const char *const only_read[] = {"read", NULL};
static const char *const example[] = {"https://*.example.com", NULL};

static void test_more_is_refused(void **state) {
    (void)state;
    struct bx_narrow narrow = {"skill pdf", only_read, BX_LEVEL_DANGEROUS};
    struct bx_capability_from all = {.narrow_count = 0},
                              few = {.narrows = &narrow, .narrow_count = 1},
                              near = {.hosts = example};
    refused(few, "{\"tools\":[\"write\"]}", "do not have write yourself");
    refused(few, "{\"tools\":[\"bash(git *)\"]}", "do not have bash yourself");
    refused(all, "{\"tools\":[\"wrote\"]}", "no tool \"wrote\"");
    refused(all, "{\"tools\":[\"a b\"]}", "no pattern");
    refused(all, "{\"paths\":[\"/out\"]}", "leads out");
    refused(all, "{\"paths\":[\"/src/nothing\"]}", "no folder /src/nothing");
    refused(all, "{\"paths\":[\"src\"]}", "as you see it");
    refused(all, "{\"max_turns\":21}", "more than your own 20");
    refused(near, "{\"hosts\":[\"https://evil.com\"]}", "may not reach");
    refused(near, "{\"hosts\":[\"https://*.com\"]}", "may not reach");
    refused(near, "{\"hosts\":[\"*\"]}", "may not reach");
}

static void test_less_is_given(void **state) {
    (void)state;
    struct bx_narrow narrows[] = {{"skill pdf", only_read, BX_LEVEL_DANGEROUS},
                                  {BX_PLANNER, only_read, BX_LEVEL_READ_ONLY}};
    struct bx_capability_from from = {.narrows = narrows, .narrow_count = 2, .hosts = example};
    struct made m = make(
        &from, "{\"tools\":[\"read\",\"*\"],\"max_turns\":3,\"hosts\":[\"https://a.example.com\"]}",
        "{}");
    assert_int_equal(m.rc, 0);
    assert_int_equal(m.may.narrows.n, 2); /* the planner's own stays with it */
    assert_string_equal(m.may.narrows.p[0].by, "the manager's skill pdf");
    assert_int_equal(m.may.max_turns, 3);
    assert_string_equal(m.may.hosts[0], "https://a.example.com");
    assert_false(bx_narrows_offer(m.may.narrows.p, m.may.narrows.n, NULL, &writes));
    assert_true(bx_narrows_offer(m.may.narrows.p, m.may.narrows.n, NULL, &reads));
    assert_true(bx_narrows_offer(m.may.narrows.p, m.may.narrows.n, NULL, &asks));
    bx_capability_deinit(&m.may);
    m = make(&from, "{}", "{}"); /* what is not asked for is the manager's */
    assert_string_equal(m.may.hosts[0], example[0]);
    assert_int_equal(m.may.max_turns, 20);
    bx_capability_deinit(&m.may);
}

static void test_folders(void **state) {
    (void)state;
    struct bx_capability_from from = {.narrow_count = 0};
    struct made m = make(&from, "{\"paths\":[\"/src\",\"/docs:ro\",\"/data\"]}", "{}");
    assert_int_equal(m.rc, 0);
    static const struct {
        const char *guest;
        bool writable;
    } want[] = {{"/", false}, {"/src", true}, {"/docs", false}, {"/data", false}};
    assert_int_equal(m.may.mount_count, BX_ARRAY_LEN(want));
    for (size_t i = 0; i < BX_ARRAY_LEN(want); i++) {
        assert_string_equal(m.may.mounts[i].guest_path, want[i].guest);
        assert_int_equal(m.may.mounts[i].writable, want[i].writable);
    }
    assert_true(m.may.own_mounts && m.may.empty_root);
    assert_int_equal(bx_capability_make_root(&m.may, NULL), 0);
    bx_auto(bx_freep) char *stand_in = bx_path_join(m.may.mounts[0].host_path, "src");
    assert_true(bx_file_exists(stand_in));
    bx_capability_clear_root(&m.may);
    assert_false(bx_file_exists(stand_in));
    bx_capability_deinit(&m.may);
    m = make(&from, "{\"paths\":[\"/:ro\"]}", "{}"); /* all of it, and what is mounted below it */
    assert_int_equal(m.may.mount_count, 2);
    assert_false(m.may.mounts[0].writable || m.may.mounts[1].writable || m.may.empty_root);
    bx_capability_deinit(&m.may);
}

static void budget(const char *settings, int64_t left, const char *wish, int64_t want) {
    int64_t all[BX_BUDGET_COUNT];
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        all[k] = -1;
    all[BX_BUDGET_TOKENS] = left;
    struct bx_capability_from from = {.left = all};
    struct made m = make(&from, wish, settings);
    assert_int_equal(m.rc, want == -2 ? BX_ERR_DENIED : 0);
    if (want != -2)
        assert_int_equal(m.may.caps[BX_BUDGET_TOKENS], want);
    bx_capability_deinit(&m.may);
}

static void test_budgets(void **state) {
    (void)state;
#define POOL      "{\"executor_budget\":{\"kind\":\"shared_pool\"}}"
#define TENTH     "{\"executor_budget\":{\"kind\":\"percentage\",\"percent\":10}}"
#define FIXED     "{\"executor_budget\":{\"kind\":\"fixed_caps\",\"caps\":{\"tokens\":500}}}"
#define TOKENS(n) "{\"budget\":{\"tokens\":" #n "}}"
    budget(POOL, 1000, "{}", -1);
    budget(POOL, 1000, TOKENS(1000), 1000);
    budget(POOL, 1000, TOKENS(1001), -2);
    budget(POOL, -1, TOKENS(5), 5);
    budget(TENTH, 1000, "{}", 100);
    budget(TENTH, 1000, TOKENS(100), 100);
    budget(TENTH, 1000, TOKENS(101), -2);
    budget(TENTH, -1, "{}", -1);
    budget(FIXED, 1000, "{}", 500);
    budget(FIXED, 100, "{}", 100);
    budget(FIXED, -1, TOKENS(501), -2);
}

static void test_what_is_written_is_read(void **state) {
    (void)state;
    struct bx_capability_from from = {.hosts = example, .mode = BX_MODE_ACCEPT_EDITS};
    struct made m =
        make(&from,
             "{\"tools\":[\"read\"],\"paths\":[\"/src\"],\"budget\":{\"tokens\":9,\"money\":0.5}}",
             "{}");
    assert_int_equal(m.rc, 0);
    struct bx_buf first = BX_BUF_INIT(BX_MIB), second = BX_BUF_INIT(BX_MIB);
    struct bx_capability back;
    struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &first);
    bx_jw_obj(&w);
    bx_capability_write(&w, &m.may);
    bx_jw_end(&w);
    assert_int_equal(bx_doc_parse(bx_buf_str(&first), NULL, &doc, NULL), 0);
    assert_int_equal(bx_capability_read(bx_doc_root(doc), &back, NULL), 0);
    bx_jw_init(&w, &second);
    bx_jw_obj(&w);
    bx_capability_write(&w, &back);
    bx_jw_end(&w);
    assert_string_equal(bx_buf_z(&first), bx_buf_z(&second));
    bx_capability_deinit(&back);
    bx_doc_free(doc);
    static const char *const damaged[] = {
        "{}", "{\"mounts\":[],\"narrows\":[],\"mode\":\"auto\"}",
        "{\"mounts\":[{\"host\":\"/\",\"guest\":\"/"
        "\"}],\"narrows\":[{\"by\":\"x\",\"max_level\":\"all\"}],\"mode\":\"auto\"}",
        "{\"mounts\":[{\"host\":\"/\",\"guest\":\"/\"}],\"narrows\":[],\"mode\":\"god\"}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(damaged);
         i++) { /* nothing is run with what cannot be read */
        assert_int_equal(bx_doc_parse(bx_str(damaged[i]), NULL, &doc, NULL), 0);
        assert_int_equal(bx_capability_read(bx_doc_root(doc), &back, NULL), BX_ERR_DAMAGED);
        bx_capability_deinit(&back);
        bx_doc_free(doc);
    }
    bx_buf_deinit(&first);
    bx_buf_deinit(&second);
    bx_capability_deinit(&m.may);
}

static void test_settings(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{\"max_concurrent_executors\":0}", "max_concurrent_executors"},
        {"{\"max_concurrent_executors\":33}", "from 1 to 32"},
        {"{\"max_executor_depth\":-1}", "max_executor_depth"},
        {"{\"max_executors\":\"many\"}", "max_executors"},
        {"{\"executor_budget\":{}}", "shared_pool"},
        {"{\"executor_budget\":{\"kind\":\"percentage\",\"percent\":0}}", "1 to 100"},
        {"{\"executor_budget\":{\"kind\":\"fixed_caps\",\"caps\":{\"tokens\":0}}}", "tokens"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_executor_settings s;
        struct bx_err err = {0};
        struct bx_doc *doc = NULL;
        assert_int_equal(bx_doc_parse(bx_str(rows[i].text), NULL, &doc, NULL), 0);
        assert_int_equal(bx_executor_settings_read(bx_doc_root(doc), &s, &err), BX_ERR_INVALID);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("%s: %s", rows[i].text, err.msg);
        bx_doc_free(doc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_more_is_refused),
                                       cmocka_unit_test(test_less_is_given),
                                       cmocka_unit_test(test_folders),
                                       cmocka_unit_test(test_budgets),
                                       cmocka_unit_test(test_what_is_written_is_read),
                                       cmocka_unit_test(test_settings)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
