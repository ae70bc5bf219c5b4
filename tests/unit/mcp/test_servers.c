#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "mcp/mcp.h"
#include "tools/embedded.h"
#include "tools/host.h"
#include "tools/registry.h"

/* Servers that are programs (tests/peers/mcp/fake.py), many callers at once, with the sanitizers
 * watching. */

const struct bx_embedded_tool bx_embedded_tools[] = {{"none", "{}"}};
const size_t bx_embedded_tool_count = 0;

struct fixture {
    char dir[64];
    struct bx_registry *registry;
    struct bx_mcp *mcp;
    struct bx_grant grant;
};

static void open_mcp(struct fixture *f, const char *mode) {
    struct bx_err err = {0};
    struct bx_doc *doc = NULL;
    char *text = bx_asprintf("{\"mcpServers\":{\"fake\":{\"command\":\"python3\",\"args\":[\"%s/"
                             "peers/mcp/fake.py\",\"--state\","
                             "\"%s/state.json\",\"%s\"]}}}",
                             BX_TESTS_DIR, f->dir, mode);
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    bx_free(text);
    assert_int_equal(bx_registry_new(&(struct bx_registry_config){.box = NULL}, &f->registry, &err),
                     0);
    struct bx_mcp_config config = {
        .registry = f->registry, .settings = bx_doc_root(doc), .root = f->dir, .state_dir = f->dir};
    assert_int_equal(bx_mcp_new(&config, &f->mcp, &err), 0);
    bx_mcp_learn(f->mcp, 60000, NULL);
    bx_doc_free(doc);
}

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    snprintf(f->dir, sizeof f->dir, "/tmp/bx-mcp-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    bx_grant_init(&f->grant);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    bx_mcp_free(f->mcp);
    bx_registry_free(f->registry);
    (void)bx_dir_remove(f->dir, NULL);
    bx_free(f);
    return 0;
}

static void call_in_run(struct fixture *f, const char *tool, const char *input,
                        struct bx_cancel *cancel, const struct bx_tool_host *host,
                        struct bx_tool_result *ret) {
    struct bx_tool_ctx ctx = {.cancel = cancel,
                              .session_id = "",
                              .run_id = "",
                              .call_id = "",
                              .grant = &f->grant,
                              .host = host,
                              .user = f};
    struct bx_tool *t = bx_registry_find(f->registry, tool);
    struct bx_doc *doc = NULL;
    assert_non_null(t);
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    struct bx_tool_permit pass = {
        .tool = t, .input = bx_doc_root(doc), .allowed = true, .by = "mode"};
    ctx.permit = &pass;
    assert_int_equal(bx_registry_execute(f->registry, t, bx_doc_root(doc), &ctx, ret, NULL), 0);
    bx_doc_free(doc);
    bx_tool_unref(t);
}

static void call(struct fixture *f, const char *tool, const char *input, struct bx_cancel *cancel,
                 struct bx_tool_result *ret) {
    call_in_run(f, tool, input, cancel, NULL, ret);
}

static void *echo_many(void *user) {
    struct fixture *f = user;
    for (unsigned i = 0; i < 50; i++) {
        char input[40], expected[16];
        struct bx_tool_result r = {0};
        unsigned n = (unsigned)(uintptr_t)pthread_self() % 1000 + i;
        snprintf(input, sizeof input, "{\"text\":\"%u\"}", n);
        snprintf(expected, sizeof expected, "\"%u\"", n);
        call(f, "mcp__fake__echo", input, NULL, &r);
        if (r.is_error || strcmp(r.content, expected))
            bx_die("%s instead of %s", r.content, expected);
        bx_tool_result_deinit(&r);
    }
    return NULL;
}

static void test_many_at_once(void **state) {
    struct fixture *f = *state;
    pthread_t threads[8];
    open_mcp(f, "");
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "echo", echo_many, f, NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
}

static void *crash(void *user) {
    struct bx_tool_result r = {0};
    call(user, "mcp__fake__crash", "{}", NULL, &r);
    bx_tool_result_deinit(&r);
    return NULL;
}

static size_t ended; /* atomic */

static void *wait_long(void *user) {
    struct bx_tool_result r = {0};
    call(user, "mcp__fake__slow", "{}", NULL, &r);
    if (!r.is_error || !r.retryable)
        bx_die("a call whose server ended must fail, and may be made again");
    bx_tool_result_deinit(&r);
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* One call makes the server end: those that wait for it fail at once, the next one starts it again.
 */
static void test_crash_under_others(void **state) {
    struct fixture *f = *state;
    pthread_t threads[4], crasher;
    open_mcp(f, "--modern");
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "slow", wait_long, f, NULL), 0);
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < BX_ARRAY_LEN(threads)) {
        assert_int_equal(bx_thread_start(&crasher, "crash", crash, f, NULL), 0);
        pthread_join(crasher, NULL);
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
}

struct stopper {
    char file[80]; /* there once the server is at it */
    struct bx_cancel *cancel;
};

static void *fire(void *user) {
    struct stopper *s = user;
    while (!bx_file_exists(s->file))
        bx_cancel_sleep(NULL, 1);
    bx_cancel_fire(s->cancel, "stop");
    return NULL;
}

static void test_stop(void **state) {
    struct fixture *f = *state;
    pthread_t thread;
    struct bx_tool_result r = {0};
    struct stopper s = {.cancel = bx_cancel_new(NULL)};
    snprintf(s.file, sizeof s.file, "%s/state.json.slow", f->dir);
    open_mcp(f, "");
    f->grant.limits.value[BX_LIMIT_TIME] =
        3600000; /* ends by the token, or this test does not end */
    assert_int_equal(bx_thread_start(&thread, "fire", fire, &s, NULL), 0);
    call(f, "mcp__fake__slow", "{}", s.cancel, &r);
    assert_string_equal(r.limit, "cancelled");
    bx_tool_result_deinit(&r);
    pthread_join(thread, NULL);
    bx_cancel_unref(s.cancel);
    call(f, "mcp__fake__cancelled", "{}", NULL, &r);
    assert_true(strlen(r.content) > 2); /* it was told */
    bx_tool_result_deinit(&r);
}

/* ---- what an approval is for ---- */

static struct bx_doc *listing(struct fixture *f) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_mcp_write(f->mcp, &w);
    assert_false(bx_buf_failed(&out));
    assert_int_equal(bx_doc_parse(bx_buf_str(&out), NULL, &doc, NULL), 0);
    return doc;
}

static const char *server_digest(const struct bx_doc *doc) {
    return bx_val_get_z(bx_val_at(bx_doc_root(doc), 0), "digest");
}

static const struct bx_val *echo_in(const struct bx_doc *doc) {
    bx_val_foreach_item (bx_val_get(bx_val_at(bx_doc_root(doc), 0), "tools"), tool)
        if (bx_str_eqz(bx_val_get_str(tool, "name"), "echo"))
            return tool;
    fail_msg("there is no echo");
    return NULL;
}

/* The server says another thing of echo, and we know. */
static void change_echo(struct fixture *f) {
    struct bx_tool_result r = {0};
    struct bx_doc *before = listing(f), *now = listing(f);
    call(f, "mcp__fake__change", "{}", NULL, &r);
    assert_string_equal(r.content, "\"changed\"");
    bx_tool_result_deinit(&r);
    while (bx_str_eqz(bx_val_get_str(echo_in(now), "digest"),
                      bx_val_get_z(echo_in(before), "digest"))) {
        bx_cancel_sleep(NULL, 5);
        bx_doc_free(now);
        now = listing(f);
    }
    bx_doc_free(before);
    bx_doc_free(now);
}

static void expect_echo(struct fixture *f, const char *state, const char *approved,
                        const char *description) {
    struct bx_doc *doc = listing(f);
    const struct bx_val *echo = echo_in(doc), *before = bx_val_get(echo, "approved");
    assert_string_equal(bx_val_get_z(echo, "state"), state);
    assert_string_equal(bx_val_get_z(echo, "description"), description);
    if (approved)
        assert_string_equal(bx_val_get_z(before, "description"), approved);
    bx_doc_free(doc);
}

static void test_an_approval_is_for_what_was_shown(void **state) {
    struct fixture *f = *state;
    struct bx_err err = {0};
    open_mcp(f, "");
    change_echo(f);
    struct bx_doc *shown = listing(f);
    const char *digest = bx_val_get_z(echo_in(shown), "digest");
    change_echo(f);
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", "echo", digest, &err), BX_ERR_EXISTS);
    assert_non_null(strstr(err.msg, "the description of echo"));
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", NULL, server_digest(shown), NULL),
                     BX_ERR_EXISTS);
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", "echo", "", NULL), BX_ERR_EXISTS);
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", "none", "", NULL), BX_ERR_NOTFOUND);
    expect_echo(f, "changed", "Says the text back", "!!");
    bx_doc_free(shown);
    shown = listing(f);
    digest = bx_val_get_z(echo_in(shown), "digest");
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", "echo", digest, NULL), 0);
    expect_echo(f, "ok", NULL, "!!");
    bx_doc_free(shown);
}

static bool changes_meanwhile;

static int say_yes(struct bx_tool_ctx *ctx, const struct bx_tool_question *question,
                   struct bx_tool_answer *ret, struct bx_err *err) {
    (void)err;
    assert_string_equal(question->kind, "trust");
    if (changes_meanwhile)
        change_echo(ctx->user);
    ret->choice = "approve";
    return 0;
}

static void test_a_change_under_the_question(void **state) {
    static const struct bx_tool_host host = {.ask = say_yes};
    struct fixture *f = *state;
    struct bx_tool_result r = {0};
    open_mcp(f, "");
    change_echo(f);
    changes_meanwhile = true;
    call_in_run(f, "mcp__fake__echo", "{\"text\":\"hello\"}", NULL, &host, &r);
    assert_true(r.is_error);
    assert_non_null(strstr(r.content, "again while the question"));
    bx_tool_result_deinit(&r);
    expect_echo(f, "changed", "Says the text back", "!!");
    changes_meanwhile = false;
    call_in_run(f, "mcp__fake__echo", "{\"text\":\"hello\"}", NULL, &host, &r);
    assert_string_equal(r.content, "\"hello\"");
    bx_tool_result_deinit(&r);
    expect_echo(f, "ok", NULL, "!!");
}

static void test_all_that_is_odd(void **state) {
    static const char *const tools[] = {"image",     "structured", "wrong_id", "ask_back",
                                        "storm",     "drip",       "huge",     "progress",
                                        "rpc_error", "error",      "change"};
    struct fixture *f = *state;
    open_mcp(f, "");
    for (size_t i = 0; i < BX_ARRAY_LEN(tools); i++) {
        struct bx_tool_result r = {0};
        char *name = bx_asprintf("mcp__fake__%s", tools[i]);
        call(f, name, "{}", NULL, &r);
        assert_non_null(r.content);
        bx_tool_result_deinit(&r);
        bx_free(name);
    }
    struct bx_doc *doc = listing(f);
    assert_int_equal(bx_mcp_approve(f->mcp, "fake", NULL, server_digest(doc), NULL), 0);
    bx_doc_free(doc);
    assert_int_equal(bx_mcp_test(f->mcp, "fake", 60000, NULL, NULL), 0);
    assert_int_equal(bx_mcp_reload(f->mcp, NULL, NULL), 0);
    assert_null(bx_registry_find(f->registry, "mcp__fake__echo"));
}

static void test_hostile_starts(void **state) {
    static const char *const modes[] = {"dies", "garbage", "flood", "endless_line"};
    struct fixture *f = *state;
    for (size_t i = 0; i < BX_ARRAY_LEN(modes); i++) {
        open_mcp(f, modes[i]);
        assert_null(bx_registry_find(f->registry, "mcp__fake__echo"));
        bx_mcp_free(f->mcp);
        bx_registry_free(f->registry);
        f->mcp = NULL;
        f->registry = NULL;
    }
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crash_under_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_approval_is_for_what_was_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_change_under_the_question, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_that_is_odd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_starts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
