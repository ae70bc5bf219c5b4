/* What front matters of both families say, and what is wrong with hostile ones. */
#include "unit/skills/folder.h"

#include "base/gzip.h"
#include "skills/catalogue.h"
#include "skills/check.h"
#include "skills/front.h"
#include "skills/tool_names.h"

static void test_names_of_tools(void **state) {
    (void)state;
    static const struct {
        const char *theirs, *ours; /* NULL: refused */
    } rows[] = {
        {"Read", "read"},
        {"file-read", "read"},
        {"MultiEdit", "edit"},
        {"file_write", "write"},
        {"LS", "glob"},
        {"WebFetch", "web_fetch"},
        {"web-fetch", "web_fetch"},
        {"boxedjs", "jsexec"},
        {"Task", "Agent"},
        {"Bash", "bash"},
        {"Bash(*)", "bash"},
        {"Bash(git:*)", "bash(git*)"},
        {"Bash(git diff *)", "bash(git diff *)"},
        {"bash( ls )", "bash(ls)"},
        {"Read(src/**)", "read(/src/**)"},
        {"Write(./docs/*.md)", "write(/docs/*.md)"},
        {"Edit(/a.c)", "edit(/a.c)"},
        {"WebFetch(https://*.example.com)", "web_fetch(https://*.example.com)"},
        {"mcp__github__*", "mcp__github__*"},
        {"my_own.tool", "my_own.tool"},
        {"*", "*"},
        {"Bash(git", NULL},
        {"(git)", NULL},
        {"rm -rf", NULL},
        {"a/b", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        const char *problem;
        bx_auto(bx_freep) char *got = bx_tool_pattern_ours(bx_str(rows[i].theirs), &problem);
        if (rows[i].ours ? !got || strcmp(got, rows[i].ours) : got || !problem)
            fail_msg("%s\n got: %s\nwant: %s", rows[i].theirs, got ? got : problem, rows[i].ours);
    }
    struct bx_str rest = BX_STR_LIT(" Read, Bash(git diff *)  Grep,,Write(a b,c) "), one;
    static const char *const pieces[] = {"Read", "Bash(git diff *)", "Grep", "Write(a b,c)"};
    for (size_t i = 0; i < BX_ARRAY_LEN(pieces); i++) {
        assert_true(bx_tool_pattern_next(&rest, &one));
        assert_true(bx_str_eqz(one, pieces[i]));
    }
    assert_false(bx_tool_pattern_next(&rest, &one));
}

static struct bx_front front_of(const char *members) {
    struct bx_front f;
    bx_auto(bx_freep) char *text =
        bx_asprintf("---\nname: x\ndescription: d\n%s---\nbody", members);
    bx_front_parse(bx_str(text), "x", &f);
    assert_null(f.problem);
    return f;
}

static void test_both_families(void **state) {
    (void)state;
    struct bx_front f = front_of("license: MIT\ncompatibility: needs git\nmetadata: {author: a}\n"
                                 "allowed-tools: Read Bash(git:*)\n");
    assert_null(f.warning);
    assert_string_equal(f.meta.license, "MIT");
    assert_string_equal(f.meta.compatibility, "needs git");
    assert_true(f.meta.narrows);
    assert_int_equal(f.meta.tools.n, 2);
    assert_string_equal(f.meta.tools.p[1], "bash(git*)");
    bx_front_deinit(&f);
    f = front_of(
        "when_to_use: when it rains\ntriggers: rain, umbrella\ntools: \"file-read, grep\"\n"
        "args: [{name: city, required: true}]\nuses: [other]\n");
    assert_null(f.warning);
    assert_string_equal(f.meta.when, "when it rains");
    assert_int_equal(f.meta.triggers.n, 2);
    assert_string_equal(f.meta.triggers.p[1], "umbrella");
    assert_string_equal(f.meta.tools.p[0], "read");
    assert_true(f.meta.params.p[0].required);
    assert_string_equal(f.meta.uses.p[0], "other");
    bx_front_deinit(&f);
    f = front_of("triggers: {keywords: [rain], files: [\"*.css\", src/**]}\n");
    assert_int_equal(f.meta.triggers.n, 3);
    assert_false(bx_trigger_is_glob(f.meta.triggers.p[0]));
    assert_true(bx_trigger_is_glob(f.meta.triggers.p[1]));
    bx_front_deinit(&f);
    f = front_of("tools: []\n");
    assert_true(f.meta.narrows); /* to nothing */
    bx_front_deinit(&f);
    f = front_of("tools: [read, \"*\"]\n");
    assert_false(f.meta.narrows);
    bx_front_deinit(&f);
    f = front_of("tools:\n");
    assert_false(f.meta.narrows);
    bx_front_deinit(&f);
}

static void test_what_does_not_fit_is_left_out_and_said(void **state) {
    (void)state;
    static const struct {
        const char *members, *warning;
    } rows[] = {
        {"tools: {a: b}\n", "`tools` takes a text or a list of texts, not object"},
        {"tools: [read, 7]\n", "`tools` takes texts, not integer"},
        {"tools: [\"rm(\"]\n", "the tool \"rm(\" is left out: a parenthesis is not closed"},
        {"triggers: [x]\n", "a trigger has 2 to 100 bytes"},
        {"triggers: {colour: [red]}\n", "`triggers` knows keywords and files, not colour"},
        {"uses: [../../etc]\n", "\"../../etc\" is no name of a skill"},
        {"parameters: 7\n", "parameters are a list, not integer"},
        {"parameters: [{name: a, type: date}]\n",
         "the type of a is string, integer, number or boolean"},
        {"parameters: [{name: a, enum: x}]\n", "`enum` of a is a list"},
        {"license: [a]\n", "`license` is a text"},
        {"metadata: x\n", "`metadata` holds names and texts"},
        {"when_to_use: {a: b}\n", "`when_to_use` is a text"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_front f = front_of(rows[i].members);
        if (!f.warning || !strstr(f.warning, rows[i].warning))
            fail_msg("%s got: %s", rows[i].members, f.warning);
        bx_front_deinit(&f);
    }
}

static void test_many_of_everything(void **state) {
    (void)state;
    struct bx_buf m = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&m, "tools: [");
    for (int i = 0; i < 100; i++)
        bx_buf_addf(&m, "%stool_%d", i ? ", " : "", i);
    bx_buf_addz(&m, "]\nparameters: [");
    for (int i = 0; i < 100; i++)
        bx_buf_addf(&m, "%s{name: p%d}", i ? ", " : "", i);
    bx_buf_addz(&m, "]\n");
    struct bx_front f = front_of(bx_buf_z(&m));
    assert_int_equal(f.meta.tools.n, BX_SKILL_TOOLS_MAX);
    assert_int_equal(f.meta.params.n, BX_SKILL_PARAMS_MAX);
    assert_non_null(strstr(f.warning, "only the first 64 of `tools` count"));
    bx_front_deinit(&f);
    bx_buf_deinit(&m);
}

static void test_triggers(void **state) {
    (void)state;
    put("own/a/SKILL.md", "---\ndescription: d\ntriggers: [\"C++ code\", Release notes, \"*.css\", "
                          "src/**, /docs/*.md]\n---\nx");
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    static const struct {
        const char *text;
        bool fits;
    } texts[] = {{"write the RELEASE NOTES now", true},
                 {"release notes", true},
                 {"prerelease notes", false},
                 {"release notesy", false},
                 {"look at my c++ code!", true},
                 {"release  notes", false},
                 {"", false},
                 {"a *.css file", false}},
      paths[] = {{"/a/b/x.css", true},   {"/x.css", true},        {"/x.cs", false},
                 {"/src/a/b.c", true},   {"/lib/src/a.c", false}, {"/docs/a.md", true},
                 {"/docs/x/a.md", false}};
    for (size_t i = 0; i < BX_ARRAY_LEN(texts); i++)
        if (bx_skill_triggered_by_text(&s->items[0], bx_str(texts[i].text)) != texts[i].fits)
            fail_msg("%s", texts[i].text);
    for (size_t i = 0; i < BX_ARRAY_LEN(paths); i++)
        if (bx_skill_triggered_by_path(&s->items[0], paths[i].text) != paths[i].fits)
            fail_msg("%s", paths[i].text);
}

static void test_the_catalogue_has_bounds(void **state) {
    (void)state;
    for (int i = 0; i < 120; i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("own/s%03d/SKILL.md", i);
        put(name, "---\ndescription: \"line\\u0007 one "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 end\"\n---\nx");
    }
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    s->items[0].untrusted = true;
    bx_skills_catalogue(s, &out);
    assert_true(out.size < BX_CATALOGUE_MAX + 2 * BX_CATALOGUE_LINE_MAX);
    assert_non_null(strstr(bx_buf_z(&out), "more: call Skill without a name for the list"));
    assert_null(strstr(bx_buf_z(&out), "end"));
    assert_null(strchr(bx_buf_z(&out), 7));
    assert_non_null(strstr(bx_buf_z(&out), "- s000: (of the project;"));
    assert_non_null(strstr(bx_buf_z(&out), "- s001: line one"));
}

static void check_says(const char *text, const char *problem, const char *warning) {
    struct bx_skill_check c;
    struct bx_buf all = BX_BUF_INIT(64 * BX_KIB);
    bx_skill_check(bx_str(text), NULL, NULL, &c);
    for (size_t i = 0; i < c.warnings.n; i++)
        bx_buf_addf(&all, "%s\n", c.warnings.p[i]);
    if ((problem ? !c.problem || !strstr(c.problem, problem) : c.problem != NULL) ||
        (warning ? !strstr(bx_buf_z(&all), warning) : all.size > 0))
        fail_msg("%s\n got: %s / %s", text, c.problem, bx_buf_z(&all));
    bx_buf_deinit(&all);
    bx_skill_check_deinit(&c);
}

/* A text of braces is not read to its end for each of them, nor what is said of it compared with
 * all before. */
static void test_check_of_braces(void **state) {
    (void)state;
    struct bx_buf text = BX_BUF_INIT(2 * BX_MIB);
    struct bx_skill_check c;
    bx_buf_addz(&text, "---\nname: a\ndescription: d\n---\n");
    while (text.size < 500 * BX_KIB)
        bx_buf_addz(&text, "{{");
    for (unsigned i = 0; i < 50000; i++)
        bx_buf_addf(&text, "{{p%u}}", i);
    bx_skill_check(bx_buf_str(&text), NULL, NULL, &c);
    assert_null(c.problem);
    assert_int_equal(c.warnings.n, 100);
    bx_skill_check_deinit(&c);
    bx_buf_deinit(&text);
}

static void test_check(void **state) {
    (void)state;
    check_says("---\nname: a\ndescription: d\n---\nDo it.", NULL, NULL);
    check_says("Do it.", "no front matter", NULL);
    check_says("---\nname: a\ndescription: d\n---\n{{city}}", NULL, "{{city}} is no parameter");
    check_says("---\nname: a\ndescription: d\nparameters: [{name: city}]\n---\nx", NULL,
               "city has no place");
    check_says("---\nname: Big_One\ndescription: d\n---\nx", NULL,
               "small letters, digits and single hyphens");
    check_says("---\nname: a\ndescription: d\n---\n", NULL, "it has no text");
}

static void test_packing(void **state) {
    (void)state;
    struct bx_buf packed = BX_BUF_INIT(BX_MIB), plain = BX_BUF_INIT(100), small = BX_BUF_INIT(10);
    struct bx_str text = BX_STR_LIT("the same the same the same the same");
    assert_int_equal(bx_gzip(text, &packed, NULL), 0);
    assert_int_equal(bx_gunzip(bx_buf_str(&packed), &plain, NULL), 0);
    assert_true(bx_str_eq(bx_buf_str(&plain), text));
    assert_int_equal(bx_gunzip(bx_buf_str(&packed), &small, NULL), BX_ERR_LIMIT);
    assert_int_equal(
        bx_gunzip(bx_str_slice(bx_buf_str(&packed), 0, packed.size - 9), &packed, NULL),
        BX_ERR_DAMAGED);
    assert_int_equal(bx_crc32(BX_STR_LIT("123456789")), 0xcbf43926u);
    bx_buf_deinit(&packed);
    bx_buf_deinit(&plain);
    bx_buf_deinit(&small);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_names_of_tools),
        T(test_both_families),
        T(test_what_does_not_fit_is_left_out_and_said),
        T(test_many_of_everything),
        T(test_triggers),
        T(test_the_catalogue_has_bounds),
        T(test_check),
        T(test_check_of_braces),
        T(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
