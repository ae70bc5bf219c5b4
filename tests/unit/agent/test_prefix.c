/* The guard of the prefix: what broke a cache is named. */
#include "unit/agent/world.h"

#include "agent/prefix.h"

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }

static void test_what_breaks_a_cache_is_named(void **state) {
    struct world *w = *state;
    static const struct w_reply script[] = {{.text = "1"}, {.calls = {READ("c", "a")}},
                                            {.text = "2"}, {.text = "3"},
                                            {.text = "4"}, {.text = "5"},
                                            {.text = "6"}};
    w_script(script, BX_ARRAY_LEN(script));
    w_put(w, "AGENTS.md", "one");
    w_send(w, "hi", NULL);
    w_send(w, "hi", NULL); /* two turns more: all go on from what was there */
    w_expect(w, "cache_break", "", "");
    w_put(w, "AGENTS.md", "two");
    w_send(w, "hi", NULL);
    w_expect(w, "cache_break", "part what", "cache_break|project|/AGENTS.md changed");
    struct bx_err err = {0};
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("remember"), NULL, &err), 0);
    w_send(w, "hi", NULL);
    w_append(w, "compact",
             "{\"by\":\"user\",\"upto\":3,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}");
    w_send(w, "hi", NULL);
    w_expect(w, "cache_break", "part what",
             "cache_break|project|/AGENTS.md changed cache_break|memory|memory.md came "
             "cache_break|tools|tool recall came");
    w_send(w, "hi", NULL);
    char *breaks = w_log(w, "cache_break", "");
    assert_int_equal(strlen(breaks), strlen("cache_break cache_break cache_break"));
    bx_free(breaks);
}

/* What was told stands in the log: a restart makes no difference to the guard. */
static void test_the_guard_goes_on_after_a_restart(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "1"}, {.calls = {READ("c", "a")}}, {.text = "2"}, {.text = "3"},
             {.text = "4"});
    w_put(w, "AGENTS.md", "one");
    w_send(w, "hi", NULL);
    w_reopen(w);
    w_send(w, "hi", NULL);
    w_expect(w, "cache_break", "", "");
    w_put(w, "AGENTS.md", "two");
    w_reopen(w);
    w_send(w, "hi", NULL);
    w_expect(w, "cache_break", "part what", "cache_break|project|/AGENTS.md changed");
    w_append(w, "compact",
             "{\"by\":\"user\",\"upto\":3,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}");
    w_reopen(w);
    w_send(w, "hi", NULL);
    w_expect(w, "cache_break", "part what",
             "cache_break|project|/AGENTS.md changed cache_break|tools|tool recall came");
}

/* Sessions come from outside, too: what is no digest is none, and the next whole one counts. */
static void test_digests_that_are_wrong(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{}",
        "[]",
        "{\"model\":\"m\",\"keep\":0,\"messages\":[]}", /* nothing before it */
        "{\"model\":\"m\",\"front\":[],\"keep\":1,\"messages\":[]}",
        "{\"model\":\"m\",\"front\":[],\"keep\":-1,\"messages\":[]}",
        "{\"model\":7,\"front\":[],\"keep\":0,\"messages\":[]}",
        "{\"model\":\"m\",\"front\":[[\"other\",\"n\",\"1\"]],\"keep\":0}",
        "{\"model\":\"m\",\"front\":[[\"tools\",\"n\",\"zz\"]],\"keep\":0}",
        "{\"model\":\"m\",\"front\":[[\"tools\"]],\"keep\":0}",
        "{\"model\":\"m\",\"front\":[7],\"keep\":0}",
        "{\"model\":\"m\",\"front\":[],\"keep\":0,\"messages\":[[-1,\"1\"]]}",
        "{\"model\":\"m\",\"front\":[],\"keep\":0,\"messages\":[[1]]}"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wrong); i++) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        assert_int_equal(bx_doc_parse(bx_str(wrong[i]), NULL, &doc, NULL), 0);
        if (bx_prefix_fold(NULL, bx_doc_root(doc)))
            fail_msg("%s was taken", wrong[i]);
    }
    static const char good[] = "{\"model\":\"m\",\"front\":[[\"tools\",\"n\",\"a\"]],\"keep\":0,"
                               "\"messages\":[[1,\"1\"]]}";
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(good), NULL, &doc, NULL), 0);
    bx_auto(bx_prefix_freep) struct bx_prefix *p = bx_prefix_fold(NULL, bx_doc_root(doc));
    assert_non_null(p);
}

/* A context of pieces "part:name=text" separated by '|'. */
static struct bx_prefix *prefix_of(const char *text) {
    struct bx_context c = {0};
    struct bx_history *h = bx_history_new("s", 100);
    struct bx_str rest = bx_str(text), one;
    struct bx_buf system = BX_BUF_INIT(BX_KIB);
    while (bx_str_split(&rest, '|', &one)) {
        struct bx_str part, name;
        bx_str_split(&one, ':', &part);
        bx_str_split(&one, '=', &name);
        size_t i = 0;
        while (!bx_str_eqz(part, bx_part_name((enum bx_part)i)))
            i++;
        struct bx_context_item item = {
            .part = (enum bx_part)i, .name = bx_str_dup(name), .from = system.size, .n = one.n};
        bx_vec_push(&c.items, item);
        bx_buf_adds(&system, one);
    }
    bx_buf_addz(&system, "");
    c.system = system.p;
    struct bx_prefix *p = bx_prefix_take(&c, h, "m");
    for (size_t i = 0; i < c.items.n; i++)
        bx_free(c.items.p[i].name);
    bx_vec_free(&c.items);
    bx_buf_deinit(&system);
    bx_history_free(h);
    return p;
}

static void test_how_differences_are_named(void **state) {
    (void)state;
    static const struct {
        const char *before, *now, *part, *what;
    } rows[] = {
        {"instructions:date=1", "instructions:date=1", NULL, NULL},
        {"instructions:how=x|instructions:date=1", "instructions:how=x|instructions:date=2",
         "instructions", "date changed"},
        {"packs:a=1|packs:b=2", "packs:b=2", "packs", "pack a is gone"},
        {"packs:b=2", "packs:a=1|packs:b=2", "packs", "pack a came"},
        {"packs:a=1|packs:b=2", "packs:b=2|packs:a=1", "packs", "pack a moved; pack b moved"},
        {"skills:catalogue=1|memory:memory.md=1", "skills:catalogue=2|memory:memory.md=2", "skills",
         "catalogue changed; memory.md changed"},
        {"memory:memory.md=1", "", "memory", "memory.md is gone"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        bx_auto(bx_prefix_freep) struct bx_prefix *before =
            prefix_of(*rows[i].before ? rows[i].before : "skills:x=");
        bx_auto(bx_prefix_freep) struct bx_prefix *now =
            prefix_of(*rows[i].now ? rows[i].now : "memory:memory.md=1");
        if (!*rows[i].now) { /* nothing at all */
            bx_prefix_free(now);
            struct bx_context none = {.system = (char *)(uintptr_t) ""};
            bx_auto(bx_history_freep) struct bx_history *h = bx_history_new("s", 100);
            now = bx_prefix_take(&none, h, "m");
        }
        struct bx_break found;
        bool breaks = bx_prefix_breaks(before, now, &found);
        assert_int_equal(breaks, rows[i].what != NULL);
        if (breaks) {
            assert_string_equal(found.what, rows[i].what);
            assert_string_equal(bx_part_name(found.part), rows[i].part);
        }
    }
    struct bx_break found;
    bx_auto(bx_prefix_freep) struct bx_prefix *now = prefix_of("memory:m=1");
    assert_false(
        bx_prefix_breaks(NULL, now, &found)); /* the first request has nothing to go on from */
}

#ifdef BX_UNWIRE
static void test_without_the_guard_nothing_is_said(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "1"}, {.text = "2"});
    w_put(w, "AGENTS.md", "one");
    w_send(w, "hi", NULL);
    w_put(w, "AGENTS.md", "two");
    setenv("BX_UNWIRE", "prefix_guard", 1);
    w_send(w, "hi", NULL);
    unsetenv("BX_UNWIRE");
    w_expect(w, "cache_break", "", "");
}
#endif

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_what_breaks_a_cache_is_named),
        T(test_the_guard_goes_on_after_a_restart),
        cmocka_unit_test(test_digests_that_are_wrong),
        cmocka_unit_test(test_how_differences_are_named),
#ifdef BX_UNWIRE
        T(test_without_the_guard_nothing_is_said),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
