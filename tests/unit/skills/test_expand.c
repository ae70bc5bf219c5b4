/* A skill's text filled in: parameters of both families, their checks, places in the text, skills
 * that use others. */
#include "unit/skills/folder.h"

#include "skills/expand.h"

static void expect(const char *name, const char *args, const char *want) {
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    struct bx_skill_use use;
    struct bx_err err = {0};
    if (bx_skill_expand(s, bx_str(name), bx_str(args), &use, &err))
        fail_msg("/%s %s: %s", name, args, err.msg);
    if (strcmp(use.text, want))
        fail_msg("/%s %s\n got: %s\nwant: %s", name, args, use.text, want);
    bx_skill_use_deinit(&use);
}

static void refuse(const char *name, const char *args, int code, const char *why) {
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    struct bx_skill_use use = {0};
    struct bx_err err = {0};
    int rc = bx_skill_expand(s, bx_str(name), bx_str(args), &use, &err);
    bx_skill_use_deinit(&use);
    if (rc != code || !strstr(err.msg, why))
        fail_msg("/%s %s\n got: %d %s\nwant: %d %s", name, args, rc, err.msg, code, why);
}

#define FRONT(name, more) "---\nname: " name "\ndescription: x\n" more "---\n"
#define WEATHER                                                                                    \
    FRONT("w", "parameters:\n"                                                                     \
               "  - {name: city, required: true, description: the place}\n"                        \
               "  - {name: days, type: integer, default: 3}\n"                                     \
               "  - {name: units, enum: [metric, imperial], default: metric}\n"                    \
               "  - {name: short, type: boolean}\n"                                                \
               "  - {name: factor, type: number}\n")

static void test_parameters(void **state) {
    (void)state;
    put("own/w/SKILL.md", WEATHER "{{city}}|{{ days }}|{{units}}|{{short}}|{{factor}}");
    expect("w", "Oslo", "Oslo|3|metric||");
    expect("/w", "New York", "New York|3|metric||"); /* the last of the required takes all */
    expect("w", "\"New York\" days=5", "New York|5|metric||");
    expect("w", "city=Rome --units=IMPERIAL short=yes factor=1.5", "Rome|3|imperial|true|1.5");
    expect("w", "city='Sao Paulo' 7", "Sao Paulo|7|metric||");
    expect("w", "{\"city\":\"Rome\",\"days\":9,\"short\":false,\"factor\":2.5}",
           "Rome|9|metric|false|2.5");
    expect("w", "city=a=b", "a=b|3|metric||");
    expect("w", "{{days}}", "{{days}}|3|metric||"); /* a value is not looked into again */
    refuse("w", "", BX_ERR_INVALID, "the skill w: missing: city (string): the place");
    refuse("w", "Rome days=many", BX_ERR_INVALID,
           "\"many\" does not fit the parameter days (integer; default 3)");
    refuse("w", "Rome units=kelvin", BX_ERR_INVALID, "one of metric, imperial");
    refuse("w", "Rome short=perhaps", BX_ERR_INVALID, "short (boolean)");
    refuse("w", "Rome factor=0x10", BX_ERR_INVALID, "factor (number)");
    refuse("w", "citty=Rome", BX_ERR_INVALID,
           "there is no parameter \"citty\": known are city, days, units");
    refuse("w", "{\"town\":\"Rome\"}", BX_ERR_INVALID, "there is no parameter \"town\"");
    refuse("w", "{\"city\":[1]}", BX_ERR_INVALID, "city is a text");
    refuse("ww", "", BX_ERR_NOTFOUND, "did you mean \"w\"?");
}

static void test_places_in_the_text(void **state) {
    (void)state;
    put("own/a/SKILL.md",
        FRONT("a", "") "[$ARGUMENTS] [$1] [$2] [$3] [\\$1] [\\{{x}}] [{{x}}] [$0] [$x]");
    expect("a", "one 'two words'",
           "[one 'two words'] [one] [two words] [$3] [$1] [{{x}}] [{{x}}] [$0] [$x]");
    expect("a", "", "[] [$1] [$2] [$3] [$1] [{{x}}] [{{x}}] [$0] [$x]");
    put("own/b/SKILL.md", FRONT("b", "") "awk '{print $1}'");
    expect("b", "", "awk '{print $1}'");
    put("own/c/SKILL.md",
        FRONT("c", "args: [{name: target}, {name: focus, default: all}]\n") "Review.");
    expect("c", "src security", "Review.\n\ntarget: src\nfocus: security");
    refuse("c", "a=1 b=2 c=3 focus=x target=y more", BX_ERR_INVALID, "is more than the parameters");
    put("own/d/SKILL.md", FRONT("d", "parameters: {type: object, properties: {n: {type: integer}}, "
                                     "required: [n]}\n") "{{n}}");
    expect("d", "4", "4");
    refuse("d", "", BX_ERR_INVALID, "missing: n (integer)");
}

static void test_a_default_that_does_not_fit_is_said(void **state) {
    (void)state;
    put("own/a/SKILL.md", FRONT("a", "parameters: [{name: n, type: integer, default: many}, {name: "
                                     "1x}, {name: n}]\n") "{{n}}");
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    assert_non_null(strstr(s->items[0].warning, "the default of n does not fit it"));
    assert_non_null(strstr(s->items[0].warning, "not \"1x\""));
    assert_non_null(strstr(s->items[0].warning, "the parameter n is there twice"));
    expect("a", "", "");
}

static const char *tools_of(const char *name) {
    static char got[200];
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    struct bx_skill_use use;
    assert_int_equal(bx_skill_expand(s, bx_str(name), bx_str(""), &use, NULL), 0);
    got[0] = 0;
    for (size_t i = 0; use.tools && use.tools[i]; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", use.tools[i]);
    if (!use.tools)
        snprintf(got, sizeof got, "any");
    bx_skill_use_deinit(&use);
    return got;
}

static void test_skills_that_use_others(void **state) {
    (void)state;
    put("own/a/SKILL.md",
        FRONT("a", "uses: [b, c]\nparameters: [{name: city, default: Oslo}]\n") "A {{city}}.");
    put("own/b/SKILL.md",
        FRONT("b",
              "uses: c\ntools: Read\nparameters: [{name: city, required: true}]\n") "B {{city}}.");
    put("own/c/SKILL.md", FRONT("c", "tools: Grep\n") "C.");
    expect("a", "", "A Oslo.\n\n# Skill b\n\nB Oslo.\n\n# Skill c\n\nC."); /* c once */
    expect("a", "Rome", "A Rome.\n\n# Skill b\n\nB Rome.\n\n# Skill c\n\nC.");
    assert_string_equal(tools_of("a"), "read grep "); /* all it uses narrow */
    put("own/c/SKILL.md", FRONT("c", "") "C.");
    assert_string_equal(tools_of("a"), "any"); /* one of them does not */
    put("own/a/SKILL.md",
        FRONT(
            "a",
            "uses: [b, c]\ntools: Bash(git:*)\nparameters: [{name: city, default: Oslo}]\n") "A.");
    assert_string_equal(tools_of("a"), "bash(git*) "); /* its own word counts */
    put("own/a/SKILL.md", FRONT("a", "uses: [b]\n") "A.");
    refuse("a", "", BX_ERR_INVALID, "the skill a uses b: missing: city (string)");
    put("own/a/SKILL.md", FRONT("a", "uses: [nobody]\n") "A.");
    refuse("a", "", BX_ERR_NOTFOUND, "the skill a uses nobody, which is not there");
    put("own/a/SKILL.md", FRONT("a", "uses: [broken]\n") "A.");
    put("own/broken/SKILL.md", "nothing");
    refuse("a", "", BX_ERR_INVALID, "the skill a uses broken: the skill broken is broken");
}

static void test_circles_are_refused_with_the_chain(void **state) {
    (void)state;
    put("own/a/SKILL.md", FRONT("a", "uses: b\n") "A.");
    put("own/b/SKILL.md", FRONT("b", "uses: [c]\n") "B.");
    put("own/c/SKILL.md", FRONT("c", "uses: a\n") "C.");
    put("own/self/SKILL.md", FRONT("self", "uses: self\n") "S.");
    refuse("a", "", BX_ERR_INVALID, "a → b → c → a");
    refuse("c", "", BX_ERR_INVALID, "c → a → b → c");
    refuse("self", "", BX_ERR_INVALID, "self → self");
    put("own/d1/SKILL.md", FRONT("d1", "uses: d2\n") "1");
    put("own/d2/SKILL.md", FRONT("d2", "uses: d3\n") "2");
    put("own/d3/SKILL.md", FRONT("d3", "uses: d4\n") "3");
    put("own/d4/SKILL.md", FRONT("d4", "uses: d5\n") "4");
    put("own/d5/SKILL.md", FRONT("d5", "uses: d6\n") "5");
    put("own/d6/SKILL.md", FRONT("d6", "") "6");
    refuse("d1", "", BX_ERR_INVALID, "deeper than 5: d1 → d2 → d3 → d4 → d5 → d6");
    expect("d6", "", "6");
    refuse("d6", "{", 0, "");
}

static void test_size(void **state) {
    (void)state;
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&text, FRONT("a", ""));
    for (int i = 0; i < 200; i++)
        bx_buf_addz(&text, "$ARGUMENTS ");
    put("own/a/SKILL.md", bx_buf_z(&text));
    bx_buf_reset(&text);
    while (text.size < 100 * BX_KIB)
        bx_buf_addc(&text, 'x');
    refuse("a", bx_buf_z(&text), BX_ERR_LIMIT, "at most 4 MiB");
    while (text.size < 200 * BX_KIB)
        bx_buf_addc(&text, 'x');
    refuse("a", bx_buf_z(&text), BX_ERR_LIMIT, "larger than 128 KiB");
    bx_buf_deinit(&text);
}

static void test_braces_without_an_end(void **state) {
    (void)state;
    struct bx_buf text = BX_BUF_INIT(2 * BX_MIB);
    bx_buf_addz(&text, FRONT("a", ""));
    size_t front = text.size;
    while (text.size < front + 900 * BX_KIB)
        bx_buf_addz(&text, "{{");
    put("own/a/SKILL.md", bx_buf_z(&text));
    expect("a", "", bx_buf_z(&text) + front);
    bx_buf_deinit(&text);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_parameters),
        T(test_places_in_the_text),
        T(test_a_default_that_does_not_fit_is_said),
        T(test_skills_that_use_others),
        T(test_circles_are_refused_with_the_chain),
        T(test_size),
        T(test_braces_without_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
