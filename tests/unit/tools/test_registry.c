#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread.h"
#include "box/box.h"
#include "tools/box_tool.h"
#include "tools/registry.h"

/* The registry with two guests whose box is here: it notes what it was asked and answers what the
 * test wants. */

#define SCHEMA                                                                                     \
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"file_path\":{\"type\":\"string\"},"   \
    "\"limit\":{\"type\":\"integer\"}},\"required\":[\"file_path\"]}"
const struct bx_embedded_tool bx_embedded_tools[] = {
    {"read",
     "{\"name\":\"read\",\"version\":\"1\",\"description\":\"Reads\",\"permission_level\":\"read_"
     "only\"," SCHEMA ",\"wants\":{\"limits\":{\"time\":\"10s\",\"memory\":\"1GiB\"}}}"},
    {"write", "{\"name\":\"write\",\"version\":\"1\",\"description\":\"Writes\",\"permission_"
              "level\":\"write\"," SCHEMA "}"},
};
const size_t bx_embedded_tool_count = 2;

static struct {
    char input[256], output[256], errors[64];
    enum bx_box_exit exit;
    const char *limit, *message;
    int rc, calls;
    bool repeatable;
} box;

int bx_box_call(struct bx_box *b, const struct bx_box_request *request, struct bx_cancel *cancel,
                struct bx_box_result *ret, struct bx_err *err) {
    (void)b, (void)cancel;
    box.calls++;
    box.repeatable = request->repeatable;
    snprintf(box.input, sizeof box.input, BX_STR_FMT, BX_STR_ARG(request->input));
    if (box.rc)
        return bx_fail(err, box.rc, "no worker");
    *ret = (struct bx_box_result){.exit = box.exit,
                                  .limit = box.limit,
                                  .out = BX_BUF_INIT(BX_KIB),
                                  .err = BX_BUF_INIT(BX_KIB)};
    snprintf(ret->message, sizeof ret->message, "%s", box.message ? box.message : "");
    bx_buf_addz(&ret->out, box.output);
    bx_buf_addz(&ret->err, box.errors);
    return 0;
}

void bx_box_result_deinit(struct bx_box_result *r) {
    bx_buf_deinit(&r->out);
    bx_buf_deinit(&r->err);
}

void bx_box_end_worker(struct bx_box *b, const char *worker) {
    (void)b, (void)worker;
}

int bx_box_image(struct bx_box *b, struct bx_str wasm, bool fuel, struct bx_image **ret,
                 struct bx_err *err) {
    (void)b, (void)wasm, (void)fuel, (void)ret;
    return bx_fail(err, BX_ERR_INVALID, "not used here");
}

struct fixture {
    struct bx_registry *registry;
    struct bx_mount mount;
    struct bx_grant grant;
    struct bx_tool_ctx ctx;
    struct bx_tool_result result;
};

static struct bx_registry *registry_with(const char *settings, struct bx_err *err) {
    struct bx_doc *doc = NULL;
    struct bx_registry *r = NULL;
    if (settings)
        assert_int_equal(bx_doc_parse(bx_str(settings), NULL, &doc, NULL), 0);
    struct bx_registry_config config = {.settings = doc ? bx_doc_root(doc) : NULL};
    int rc = bx_registry_new(&config, &r, err);
    bx_doc_free(doc);
    assert_int_equal(rc == 0, r != NULL);
    return r;
}

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    memset(&box, 0, sizeof box);
    f->registry = registry_with(NULL, NULL);
    f->mount = (struct bx_mount){.host_path = "/tmp/root", .guest_path = "/", .writable = true};
    bx_grant_init(&f->grant);
    f->grant.mounts = &f->mount;
    f->grant.mount_count = 1;
    f->ctx =
        (struct bx_tool_ctx){.session_id = "", .run_id = "", .call_id = "c", .grant = &f->grant};
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    bx_registry_free(f->registry);
    bx_tool_result_deinit(&f->result);
    bx_free(f);
    return 0;
}

static int call(struct fixture *f, const char *tool, const char *input) {
    struct bx_tool *t = bx_registry_find(f->registry, tool);
    struct bx_doc *doc = NULL;
    assert_non_null(t);
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    bx_tool_result_deinit(&f->result);
    struct bx_tool_permit pass = {
        .tool = t, .input = bx_doc_root(doc), .allowed = true, .by = "mode"};
    f->ctx.permit = &pass;
    int rc = bx_registry_execute(f->registry, t, bx_doc_root(doc), &f->ctx, &f->result, NULL);
    f->ctx.permit = NULL;
    bx_doc_free(doc);
    bx_tool_unref(t);
    return rc;
}

static void test_list(void **state) {
    struct fixture *f = *state;
    size_t count = 0;
    struct bx_tool **all = bx_registry_all(f->registry, &count);
    size_t read = 0;
    while (strcmp(all[read]->name, "read"))
        read++;
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(all[i - 1]->name, all[i]->name) < 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(all[i]->kind == BX_TOOL_NATIVE, all[i]->name[0] <= 'Z' ||
                                                             strcmp(all[i]->name, "recall") == 0 ||
                                                             strcmp(all[i]->name, "remember") == 0);
    assert_string_equal(all[read]->name, "read");
    assert_string_equal(all[count - 1]->name, "write");
    assert_string_equal(all[read]->path_members, "file_path");
    assert_int_equal(all[count - 1]->level, BX_LEVEL_WRITE);
    for (size_t i = 0; i < count; i++)
        bx_tool_unref(all[i]);
    bx_free(all);
    assert_null(bx_registry_find(f->registry, "Read"));
}

static void test_nearest(void **state) {
    struct fixture *f = *state;
    static const char *const slips[][2] = {
        {"Read", "read"}, {"read_file", "read"}, {"wirte", "write"}, {"sleep", "Sleep"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(slips); i++) {
        bx_auto(bx_freep) char *nearest = bx_registry_nearest(f->registry, slips[i][0]);
        assert_string_equal(nearest, slips[i][1]);
    }
    assert_null(bx_registry_nearest(f->registry, "kubernetes_deploy"));
    assert_null(bx_registry_nearest(f->registry, ""));
}

static void test_broken_input_never_reaches_the_box(void **state) {
    struct fixture *f = *state;
    assert_int_equal(call(f, "read", "{\"path\":\"a\"}"), 0);
    assert_true(f->result.is_error);
    assert_non_null(strstr(f->result.content, "file_path"));
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\",\"limit\":\"many\"}"), 0);
    assert_true(f->result.is_error);
    assert_int_equal(call(f, "read", "[1]"), 0);
    assert_true(f->result.is_error);
    assert_int_equal(box.calls, 0);
}

static void test_paths_are_guest_paths(void **state) {
    struct fixture *f = *state;
    snprintf(box.output, sizeof box.output, "text");
    assert_int_equal(call(f, "read", "{\"file_path\":\"/tmp/root/src/a.c\",\"limit\":3}"), 0);
    assert_string_equal(box.input, "{\"file_path\":\"/src/a.c\",\"limit\":3}");
    assert_true(box.repeatable);
    assert_int_equal(call(f, "write", "{\"file_path\":\"b\"}"), 0);
    assert_string_equal(box.input, "{\"file_path\":\"/b\"}");
    assert_false(box.repeatable); /* it would write twice when its worker dies */
}

static void test_results(void **state) {
    struct fixture *f = *state;
    snprintf(box.output, sizeof box.output, "plain \"text\"\n");
    snprintf(box.errors, sizeof box.errors, "a warning\n");
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_string_equal(f->result.content, "\"plain \\\"text\\\"\\n\"");
    assert_false(f->result.is_error);
    assert_string_equal(f->result.metadata, "{\"stderr\":\"a warning\"}");

    snprintf(box.output, sizeof box.output,
             "{\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"is_error\":true,\"metadata\":{"
             "\"n\":1}}");
    box.errors[0] = '\0';
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_string_equal(f->result.content, "[{\"type\":\"text\",\"text\":\"x\"}]");
    assert_string_equal(f->result.metadata, "{\"n\":1}");
    assert_true(f->result.is_error);

    snprintf(box.output, sizeof box.output, "{\"answer\":42}"); /* an object, but not ours: text */
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_string_equal(f->result.content, "\"{\\\"answer\\\":42}\"");
    assert_false(f->result.is_error);
    assert_non_null(strstr(f->result.receipt, "\"tool\":\"read\""));
}

static void test_failures_are_named(void **state) {
    struct fixture *f = *state;
    box.exit = BX_BOX_TRAPPED;
    box.limit = "time";
    box.message = "stopped after 30 s";
    snprintf(box.output, sizeof box.output, "half");
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_true(f->result.is_error);
    assert_string_equal(f->result.limit, "time");
    assert_string_equal(f->result.content, "\"half\\nstopped after 30 s\"");

    box.exit = BX_BOX_ERROR;
    box.limit = NULL;
    box.message = NULL;
    box.output[0] = '\0';
    snprintf(box.errors, sizeof box.errors, "no such file\n");
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_true(f->result.is_error);
    assert_string_equal(f->result.content, "\"no such file\"");

    box.exit = BX_BOX_OK; /* it coped, and what only the host knows stands behind what it says */
    box.limit = "network";
    box.message = "x is not allowed; add x";
    snprintf(box.output, sizeof box.output, "{\"content\":\"Denied.\",\"is_error\":true}");
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_string_equal(f->result.content, "\"Denied.\\nx is not allowed; add x\"");
    snprintf(box.output, sizeof box.output, "{\"content\":\"Fine.\",\"is_error\":false}");
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), 0);
    assert_string_equal(f->result.content, "\"Fine.\"");

    box.rc = BX_ERR_UNAVAILABLE;
    assert_int_equal(call(f, "read", "{\"file_path\":\"a\"}"), BX_ERR_UNAVAILABLE);
}

static uint64_t limit(struct bx_registry *r, const char *tool, const char *const *over,
                      enum bx_limit_id id, enum bx_limit_from from) {
    struct bx_tool *t = bx_registry_find(r, tool);
    struct bx_tool_limits l;
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_limits_wish wish = {.over = over};
    assert_int_equal(bx_registry_limits(r, t, &wish, &arena, &l, NULL), 0);
    bx_tool_unref(t);
    assert_int_equal(l.from[id], from);
    return l.limits.value[id];
}

static void test_limits_by_layer(void **state) {
    (void)state;
    struct bx_registry *r = registry_with(
        "{\"limits\":{\"*\":{\"cpu_time\":\"5s\"},\"write\":{\"time\":\"7s\"}}}", NULL);
    assert_int_equal(limit(r, "read", NULL, BX_LIMIT_TIME, BX_FROM_DESCRIPTOR), 10000);
    assert_int_equal(limit(r, "read", NULL, BX_LIMIT_MEMORY, BX_FROM_DEFAULT),
                     256 << 20); /* a wish only lowers */
    assert_int_equal(limit(r, "read", NULL, BX_LIMIT_CPU, BX_FROM_SETTINGS), 5000);
    assert_int_equal(limit(r, "write", NULL, BX_LIMIT_TIME, BX_FROM_SETTINGS), 7000);
    const char *over[] = {"time=90s", "memory=8MiB", NULL};
    assert_int_equal(limit(r, "write", over, BX_LIMIT_TIME, BX_FROM_CALL), 90000);
    assert_int_equal(limit(r, "write", over, BX_LIMIT_MEMORY, BX_FROM_CALL), 8 << 20);

    struct bx_doc *doc = NULL;
    assert_int_equal(
        bx_doc_parse(bx_str("{\"limits\":{\"write\":{\"time\":\"9s\"}}}"), NULL, &doc, NULL), 0);
    assert_int_equal(bx_registry_reload(r, bx_doc_root(doc), NULL), 0);
    assert_int_equal(limit(r, "write", NULL, BX_LIMIT_TIME, BX_FROM_SETTINGS), 9000);
    bx_doc_free(doc);
    bx_registry_free(r);
}

static void test_wrong_settings_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"{\"limits\":{\"read\":{\"time\":\"1ms\"}}}",
                                        "{\"limits\":{\"read\":{\"tiem\":\"1s\"}}}",
                                        "{\"limits\":{\"time\":\"1s\"}}", "{\"limits\":7}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wrong); i++) {
        struct bx_err err = {0};
        assert_null(registry_with(wrong[i], &err));
        assert_non_null(strstr(err.msg, "limit"));
    }
}

static void *fire(void *user) {
    bx_cancel_fire(user, "stop");
    return NULL;
}

static void test_sleep(void **state) {
    struct fixture *f = *state;
    f->ctx.cancel = bx_cancel_new(NULL);
    assert_int_equal(call(f, "Sleep", "{\"ms\":1}"), 0);
    assert_false(f->result.is_error);
    assert_int_equal(call(f, "Sleep", "{}"), 0);
    assert_true(f->result.is_error);
    pthread_t thread;
    assert_int_equal(bx_thread_start(&thread, "fire", fire, f->ctx.cancel, NULL), 0);
    assert_int_equal(call(f, "Sleep", "{\"seconds\":3000}"),
                     0); /* ends by the token, or this test does not end */
    assert_true(f->result.is_error);
    assert_string_equal(f->result.limit, "cancelled");
    pthread_join(thread, NULL);
    bx_cancel_unref(f->ctx.cancel);
}

/* ---- sources that come and go ---- */

static int freed;

static void note_free(struct bx_tool *t) {
    freed++;
    bx_free(t);
}

static struct bx_tool *tool_of(const char *name, const char *source) {
    struct bx_tool *t = bx_new(struct bx_tool);
    *t = (struct bx_tool){
        .name = name, .source = source, .path_members = "", .destroy = note_free, .refs = 1};
    return t;
}

static void set_one(struct bx_registry *r, const char *source, unsigned rank, const char *name) {
    struct bx_tool *t = tool_of(name, source);
    bx_registry_set_source(r, source, rank, &t, 1);
    bx_tool_unref(t);
}

static void expect_source(struct bx_registry *r, const char *name, const char *source) {
    bx_auto(bx_tool_unrefp) struct bx_tool *t = bx_registry_find(r, name);
    if (!source) {
        assert_null(t);
        return;
    }
    assert_non_null(t);
    assert_string_equal(t->source, source);
}

static void test_the_nearest_source_counts(void **state) {
    struct bx_registry *r = ((struct fixture *)*state)->registry;
    set_one(r, "far", BX_RANK_FOLDER + 1, "read");
    expect_source(r, "read", "far");
    set_one(r, "near", BX_RANK_FOLDER, "read");
    expect_source(r, "read", "near");
    bx_registry_set_source(r, "near", BX_RANK_FOLDER, NULL, 0);
    expect_source(r, "read", "far");
    bx_registry_set_source(r, "far", BX_RANK_FOLDER + 1, NULL, 0);
    expect_source(r, "read", "built in");
}

static void test_a_source_is_replaced_whole(void **state) {
    struct bx_registry *r = ((struct fixture *)*state)->registry;
    size_t before, after;
    struct bx_tool **all = bx_registry_all(r, &before);
    for (size_t i = 0; i < before; i++)
        bx_tool_unref(all[i]);
    bx_free(all);
    struct bx_tool *two[] = {tool_of("zeta", "s"), tool_of("alpha", "s")};
    bx_registry_set_source(r, "s", BX_RANK_MCP, two, 2);
    all = bx_registry_all(r, &after);
    assert_int_equal(after, before + 2);
    for (size_t i = 1; i < after; i++)
        assert_true(strcmp(all[i - 1]->name, all[i]->name) < 0);
    for (size_t i = 0; i < after; i++)
        bx_tool_unref(all[i]);
    bx_free(all);
    set_one(r, "s", BX_RANK_MCP, "beta");
    expect_source(r, "zeta", NULL);
    expect_source(r, "beta", "s");
    bx_tool_unref(two[0]);
    bx_tool_unref(two[1]);
}

static void test_what_was_handed_out_stays(void **state) {
    struct bx_registry *r = ((struct fixture *)*state)->registry;
    set_one(r, "s", BX_RANK_MCP, "short-lived");
    struct bx_tool *held = bx_registry_find(r, "short-lived");
    freed = 0;
    bx_registry_set_source(r, "s", BX_RANK_MCP, NULL, 0);
    assert_int_equal(freed, 0);
    assert_string_equal(held->name, "short-lived");
    bx_tool_unref(held);
    assert_int_equal(freed, 1);
}

static void count_change(void *user) {
    ++*(int *)user;
}

static void test_a_listener_hears_of_changes(void **state) {
    struct bx_registry *r = ((struct fixture *)*state)->registry;
    int heard = 0;
    bx_registry_on_change(r, count_change, &heard);
    set_one(r, "s", BX_RANK_MCP, "x");
    bx_registry_set_source(r, "s", BX_RANK_MCP, NULL, 0);
    assert_int_equal(heard, 2);
    bx_registry_on_change(r, NULL, NULL);
    set_one(r, "s", BX_RANK_MCP, "x");
    assert_int_equal(heard, 2);
}

/* ---- the pass of the permission check ---- */

static int executed;

static int count_execution(const struct bx_tool *t, const struct bx_val *input,
                           struct bx_tool_ctx *ctx, struct bx_tool_result *ret,
                           struct bx_err *err) {
    (void)t, (void)input, (void)ctx, (void)err;
    executed++;
    bx_tool_result_text(ret, false, "ok");
    return 0;
}

static int execute(struct fixture *f, struct bx_tool *t, const struct bx_val *input,
                   const struct bx_tool_permit *pass) {
    struct bx_err err = {0};
    f->ctx.permit = pass;
    bx_tool_result_deinit(&f->result);
    int rc = bx_registry_execute(f->registry, t, input, &f->ctx, &f->result, &err);
    f->ctx.permit = NULL;
    assert_true(rc == 0 || strstr(err.msg, "permission check"));
    return rc;
}

/* Whatever a tool is: without the pass for this very call nothing of it is executed. */
static void test_nothing_runs_without_its_pass(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_tool_unrefp) struct bx_tool *read = bx_registry_find(f->registry, "read");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL, *other = NULL;
    assert_int_equal(bx_doc_parse(BX_STR_LIT("{\"file_path\":\"/a\"}"), NULL, &doc, NULL), 0);
    assert_int_equal(bx_doc_parse(BX_STR_LIT("{\"file_path\":\"/b\"}"), NULL, &other, NULL), 0);
    const struct bx_val *input = bx_doc_root(doc);
    static const enum bx_tool_kind kinds[] = {BX_TOOL_NATIVE, BX_TOOL_BOX, BX_TOOL_MCP,
                                              BX_TOOL_REMOTE};
    for (size_t i = 0; i < BX_ARRAY_LEN(kinds); i++) {
        struct bx_tool t = {.name = "x",
                            .kind = kinds[i],
                            .path_members = "",
                            .schema = read->schema,
                            .execute = count_execution,
                            .refs = 1};
        const struct bx_tool_permit good = {&t, input, true, "mode", NULL},
                                    denied = {&t, input, false, "mode", NULL},
                                    of_another_tool = {read, input, true, "mode", NULL},
                                    of_another_input = {&t, bx_doc_root(other), true, "mode", NULL};
        const struct bx_tool_permit *const bad[] = {NULL, &denied, &of_another_tool,
                                                    &of_another_input};
        for (size_t k = 0; k < BX_ARRAY_LEN(bad); k++) {
            executed = 0;
            assert_int_equal(execute(f, &t, input, bad[k]), BX_ERR_DENIED);
            assert_int_equal(executed, 0);
#ifdef BX_UNWIRE /* the other position: only the pass has held it */
            setenv("BX_UNWIRE", "permit", 1);
            assert_int_equal(execute(f, &t, input, bad[k]), 0);
            assert_int_equal(executed, 1);
            unsetenv("BX_UNWIRE");
#endif
        }
        executed = 0;
        assert_int_equal(execute(f, &t, input, &good), 0);
        assert_int_equal(executed, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nearest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_input_never_reaches_the_box, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_are_guest_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_results, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures_are_named, setup, teardown),
        cmocka_unit_test(test_limits_by_layer),
        cmocka_unit_test(test_wrong_settings_are_refused),
        cmocka_unit_test_setup_teardown(test_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_nearest_source_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_source_is_replaced_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_handed_out_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_listener_hears_of_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_runs_without_its_pass, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
