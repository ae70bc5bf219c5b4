/* Finding, reading and loading skills, in a folder with everything that can be wrong with them. */
#include "unit/folder.h"
#include <sys/stat.h>

#include "skills/expand.h"
#include "skills/front.h"
#include "skills/skills.h"
#include "skills/yaml.h"

static struct bx_skills *find(bool with_user) {
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root");
    bx_auto(bx_freep) char *user = bx_path_join(dir, "user");
    const char *const folders[] = {user, "/nowhere/at/all", NULL};
    assert_int_equal(bx_dir_make(root, 0700, NULL), 0);
    return bx_skills_find(
        &(struct bx_skills_where){.root = root, .user = with_user ? folders : NULL});
}

#define SKILL(name, description) "---\nname: " name "\ndescription: " description "\n---\n"

static void test_places_and_precedence(void **state) {
    (void)state;
    put("root/.boxagnts/skills/a/SKILL.md", SKILL("a", "nearest") "near");
    put("root/.claude/skills/a/SKILL.md", SKILL("a", "farther") "far");
    put("root/.claude/skills/group/b/SKILL.md", SKILL("b", "in a folder"));
    put("root/.agents/skills/c/SKILL.md", SKILL("c", "agents'"));
    put("root/.agents/skills/c/deeper/SKILL.md", SKILL("not", "part of c"));
    put("root/.agents/skills/.hidden/x/SKILL.md", SKILL("x", "hidden"));
    put("root/.agents/skills/node_modules/y/SKILL.md", SKILL("y", "a package's"));
    put("root/.agents/skills/1/2/3/4/5/deep/SKILL.md", SKILL("deep", "depth 6"));
    put("root/.agents/skills/1/2/3/4/5/6/toodeep/SKILL.md", SKILL("toodeep", "depth 7"));
    put("user/b/SKILL.md", SKILL("b", "the user's"));
    put("user/d/SKILL.md", SKILL("d", "the user's"));
    bx_auto(bx_skills_freep) struct bx_skills *s = find(true);
    assert_int_equal(s->n, 7);
    assert_false(s->cut);
    const struct bx_skill *a = bx_skills_get(s, bx_str("a")), *b = bx_skills_get(s, bx_str("b"));
    assert_string_equal(a->description, "nearest");
    assert_string_equal(a->folder, ".boxagnts/skills/a");
    assert_true(a->in_root);
    assert_string_equal(b->description, "in a folder");
    assert_false(bx_skills_get(s, bx_str("d"))->in_root);
    assert_non_null(bx_skills_get(s, bx_str("deep")));
    static const char *const absent[] = {"not", "x", "y", "toodeep"};
    for (size_t i = 0; i < BX_ARRAY_LEN(absent); i++)
        assert_null(bx_skills_get(s, bx_str(absent[i])));
    size_t shadowed = 0;
    for (size_t i = 0; i < s->n; i++)
        shadowed += s->items[i].shadowed;
    assert_int_equal(shadowed, 2);
    assert_string_equal(bx_skills_nearest(s, bx_str("deeep")), "deep");
    assert_null(bx_skills_nearest(s, bx_str("something else")));
}

static void test_broken_ones_say_why(void **state) {
    (void)state;
    static const struct {
        const char *name, *text, *problem;
    } rows[] = {
        {"none", "just text", "no front matter"},
        {"open", "---\nname: open\ndescription: x\n", "no front matter"},
        {"undescribed", "---\nname: undescribed\n---\n", "no description"},
        {"null", "---\nname: null\ndescription:\n---\n", "no description"},
        {"list", "---\n- a\n- b\n---\n", "line 1: members are expected"},
        {"alias", "---\na: &x [1,2]\nb: *x\n---\n", "anchors are not taken"},
        {"twice", "---\nname: a\nname: b\n---\n", "a key comes twice"},
        {"binary", "---\nname: \xff\xfe\xff\xfe\xff\n---\n", "not UTF-8"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        bx_auto(bx_freep) char *path = bx_asprintf("root/.claude/skills/%s/SKILL.md", rows[i].name);
        put(path, rows[i].text);
    }
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    assert_int_equal(s->n, BX_ARRAY_LEN(rows));
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        const struct bx_skill *k = NULL;
        bx_auto(bx_freep) char *folder = bx_asprintf(".claude/skills/%s", rows[i].name);
        for (size_t n = 0; n < s->n; n++)
            if (strcmp(s->items[n].folder, folder) == 0)
                k = &s->items[n];
        assert_non_null(k);
        if (!k->problem || !strstr(k->problem, rows[i].problem))
            fail_msg("%s: %s", rows[i].name, k->problem ? k->problem : "(fine)");
        struct bx_buf out = BX_BUF_INIT(BX_MIB);
        struct bx_err err = {0};
        assert_int_equal(bx_skill_body(k, &out, &err), BX_ERR_INVALID);
        bx_buf_deinit(&out);
    }
}

static void expect_front(const char *text, const char *folder, const char *name,
                         const char *description, const char *warning) {
    struct bx_front f;
    bx_front_parse(bx_str(text), folder, &f);
    if (f.problem)
        fail_msg("%s: %s", text, f.problem);
    assert_string_equal(f.name, name);
    assert_string_equal(f.description, description);
    if (!warning)
        assert_null(f.warning);
    else if (!f.warning || !strstr(f.warning, warning))
        fail_msg("%s: warning is %s", text, f.warning ? f.warning : "(none)");
    bx_front_deinit(&f);
}

static void test_what_can_be_mended_is(void **state) {
    (void)state;
    expect_front("\xEF\xBB\xBF---\r\nname: a\r\ndescription: \"x: y\"\r\n---\r\nbody", "a", "a",
                 "x: y", NULL);
    expect_front("---\nname: a\ndescription: >\n  two\n  lines\n...\n", "a", "a", "two lines",
                 NULL);
    expect_front("---\nname: a\ndescription: Use when: asked\n---\n", "a", "a", "Use when: asked",
                 "is not YAML (line 2");
    struct bx_front kept;
    bx_front_parse(
        BX_STR_LIT("---\nname: a\ndescription: Use when: asked\ntools: [Read, Grep]\n---\n"), "a",
        &kept);
    assert_null(kept.problem);
    assert_int_equal(kept.meta.tools.n, 2);
    bx_front_deinit(&kept);
    /* a list of tools that got lost would be a wider one */
    bx_front_parse(
        BX_STR_LIT("---\nname: a\ndescription: Use when: asked\ntools:\n  - Read\n---\n"), "a",
        &kept);
    assert_non_null(strstr(kept.problem, "cannot be read: line 2"));
    bx_front_deinit(&kept);
    expect_front("---\ndescription: x\n---\n", "my-skill", "my-skill", "x", "it has no name");
    expect_front("---\nname: Bad name!\ndescription: x\n---\n", "good", "good", "x",
                 "not made of letters");
    expect_front("---\nname: other\ndescription: x\n---\n", "folder", "other", "x",
                 "not that of its folder");
    struct bx_buf long_text = BX_BUF_INIT(8192);
    bx_buf_addz(&long_text, "---\nname: a\ndescription: ");
    for (int i = 0; i < 1000; i++)
        bx_buf_addz(&long_text, "äx");
    bx_buf_addz(&long_text, "\n---\n");
    struct bx_front f;
    bx_front_parse(bx_buf_str(&long_text), "a", &f);
    assert_true(strlen(f.description) <= 1024 && strlen(f.description) >= 1021);
    assert_non_null(strstr(f.warning, "the first 1024 count"));
    bx_front_deinit(&f);
    bx_buf_deinit(&long_text);
}

static void test_all_members_are_kept(void **state) {
    (void)state;
    struct bx_front f;
    bx_front_parse(bx_str("---\nname: a\ndescription: x\ntriggers: [pdf, '1']\nmetadata:\n  n: 1\n"
                          "  t: true\n  z: ~\n  s: \"2\"\n---\n"),
                   "a", &f);
    const struct bx_val *root = bx_doc_root(f.members), *m = bx_val_get(root, "metadata");
    assert_string_equal(bx_val_z(bx_val_at(bx_val_get(root, "triggers"), 1)), "1");
    assert_int_equal(bx_val_get_int(m, "n", 0), 1);
    assert_true(bx_val_get_bool(m, "t", false));
    assert_true(bx_val_is(bx_val_get(m, "z"), BX_VAL_NULL));
    assert_string_equal(bx_val_get_z(m, "s"), "2");
    bx_front_deinit(&f);
}

static void expect_yaml(const char *text, int rc, const char *why) {
    struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    assert_int_equal(bx_yaml_parse(bx_str(text), &doc, &err), rc);
    if (!strstr(err.msg, why))
        fail_msg("%s: %s", text, err.msg);
    bx_doc_free(doc);
}

static void test_limits_of_the_yaml(void **state) {
    (void)state;
    struct bx_buf deep = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&deep, "a: ");
    for (int i = 0; i < 20; i++)
        bx_buf_addc(&deep, '[');
    for (int i = 0; i < 20; i++)
        bx_buf_addc(&deep, ']');
    expect_yaml(bx_buf_z(&deep), BX_ERR_PROTO, "more than 16 levels");
    bx_buf_reset(&deep);
    bx_buf_addz(&deep, "a: ");
    while (deep.size <= BX_YAML_MAX)
        bx_buf_addc(&deep, 'x');
    expect_yaml(bx_buf_z(&deep), BX_ERR_LIMIT, "64 KiB");
    bx_buf_deinit(&deep);
    expect_yaml("a: !!python/object x", BX_ERR_PROTO, "tags are not taken");
    expect_yaml("[a]: b", BX_ERR_PROTO, "a key must be a plain word");
    expect_yaml("a: b\n---\nc: d", BX_ERR_PROTO, "line 2: a second document begins");
    expect_yaml("a: 'open", BX_ERR_PROTO, "line 1");
    expect_yaml("just words", BX_ERR_PROTO, "members are expected");
    expect_yaml("", 0, "");
    expect_yaml("# only a comment", 0, "");
}

static void expect_loaded(const struct bx_skills *s, const char *name, const char *args,
                          const char *want) {
    struct bx_skill_use use;
    assert_int_equal(bx_skill_expand(s, bx_str(name), bx_str(args), &use, NULL), 0);
    assert_string_equal(use.text, want);
    bx_skill_use_deinit(&use);
}

static void test_loading(void **state) {
    (void)state;
    put("root/.claude/skills/a/SKILL.md", SKILL("a", "x") "\nDo $ARGUMENTS, then $ARGUMENTS.\n");
    put("root/.claude/skills/a/reference.md", "more");
    put("root/.claude/skills/a/scripts/x.sh", "more");
    put("root/.claude/skills/b/SKILL.md", SKILL("b", "x") "Plain.");
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    expect_loaded(s, "a", "it", "Do it, then it.");
    expect_loaded(s, "a", "", "Do , then .");
    expect_loaded(s, "b", "", "Plain.");
    expect_loaded(s, "b", "this", "Plain.\n\nARGUMENTS: this");
    char *names[5];
    assert_int_equal(bx_skill_files(bx_skills_get(s, bx_str("a")), names, 5), 2);
    assert_string_equal(names[0], "reference.md");
    assert_string_equal(names[1], "scripts/");
    bx_free(names[0]);
    bx_free(names[1]);
    put("root/.claude/skills/b/SKILL.md", SKILL("b", "x") "Changed.");
    expect_loaded(s, "b", "", "Changed.");
    struct bx_buf big = BX_BUF_INIT(4 * BX_MIB), out = BX_BUF_INIT(4 * BX_MIB);
    bx_buf_addz(&big, SKILL("b", "x"));
    while (big.size < BX_MIB + 200)
        bx_buf_addz(&big, "0123456789 0123456789 0123456789\n");
    put("root/.claude/skills/b/SKILL.md", bx_buf_z(&big));
    struct bx_err err = {0};
    assert_int_equal(bx_skill_body(bx_skills_get(s, bx_str("b")), &out, &err), BX_ERR_LIMIT);
    assert_non_null(strstr(err.msg, "larger than 1 MiB"));
    bx_buf_deinit(&big);
    bx_buf_deinit(&out);
}

/* What lies outside of the root is nobody's skill, whatever leads there. */
static void test_no_link_leads_out_of_the_root(void **state) {
    (void)state;
    put("secret/SKILL.md", SKILL("secret", "outside"));
    put("root/.claude/skills/file/other", "");
    link_to("root/.claude/skills/folder", "../../../secret");
    link_to("root/.claude/skills/file/SKILL.md", "../../../../secret/SKILL.md");
    link_to("root/.agents", "../secret");
    put("root/inside/SKILL.md", SKILL("inside", "fine"));
    link_to("root/.boxagnts/skills/inside", "../../inside");
    link_to("user/linked", "../secret"); /* the user's own folder may hold links */
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    assert_int_equal(s->n, 1);
    assert_string_equal(s->items[0].name, "inside");
    bx_auto(bx_skills_freep) struct bx_skills *with_user = find(true);
    assert_int_equal(with_user->n, 2);
    /* one that is exchanged after it was found */
    put("root/.claude/skills/later/SKILL.md", SKILL("later", "x") "fine");
    bx_auto(bx_skills_freep) struct bx_skills *before = find(false);
    bx_auto(bx_freep) char *path = bx_path_join(dir, "root/.claude/skills/later/SKILL.md");
    assert_int_equal(unlink(path), 0);
    link_to("root/.claude/skills/later/SKILL.md", "../../../../secret/SKILL.md");
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_skill_body(bx_skills_get(before, bx_str("later")), &out, NULL),
                     BX_ERR_NOTFOUND);
    bx_buf_deinit(&out);
}

static int find_leak(void *user, const char *name, struct bx_str bytes, bool is_program,
                     struct bx_err *err) {
    (void)is_program, (void)err;
    *(bool *)user |= strstr(name, "leak") && bx_str_eqz(bytes, "outside");
    return 0;
}

/* Nor out of a skill's folder, also where the user's own folder may be a link. */
static void test_no_link_leads_out_of_a_skill(void **state) {
    (void)state;
    put("secret.txt", "outside");
    put("user/mine/SKILL.md", SKILL("mine", "x"));
    put("user/mine/inside.txt", "inside");
    link_to("user/mine/leak1", "../../secret.txt");
    link_to("user/mine/leak2", "/etc/hostname");
    link_to("user/mine/fine", "inside.txt");
    link_to("user/mine/folder", ".");
    bx_auto(bx_skills_freep) struct bx_skills *s = find(true);
    bool leaks = false;
    assert_int_equal(bx_skill_each_file(&s->items[0], find_leak, &leaks, NULL), 0);
    assert_false(leaks);
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "skills_beneath", 1);
    assert_int_equal(bx_skill_each_file(&s->items[0], find_leak, &leaks, NULL), 0);
    unsetenv("BX_UNWIRE");
    assert_true(leaks);
#endif
}

#ifdef BX_UNWIRE
static void test_without_the_kernels_resolution_it_does(void **state) {
    (void)state;
    put("secret/SKILL.md", SKILL("secret", "outside"));
    put("root/x", "");
    link_to("root/.claude/skills/folder", "../../../secret");
    setenv("BX_UNWIRE", "skills_beneath", 1);
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    unsetenv("BX_UNWIRE");
    assert_int_equal(s->n, 1);
}
#endif

static void test_a_fifo_does_not_hang(void **state) {
    (void)state;
    put("root/.claude/skills/a/x", "");
    bx_auto(bx_freep) char *path = bx_path_join(dir, "root/.claude/skills/a/SKILL.md");
    assert_int_equal(mkfifo(path, 0600), 0);
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    assert_int_equal(s->n, 0);
}

static void test_limits_of_one_skill(void **state) {
    (void)state;
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&text, "---\ndescription: x\n");
    while (text.size <= BX_YAML_MAX)
        bx_buf_addz(&text, "# a comment that goes on\n");
    bx_buf_addz(&text, "---\nbody");
    put("root/.claude/skills/long/SKILL.md", bx_buf_z(&text));
    bx_buf_deinit(&text);
    put("root/.claude/skills/many/SKILL.md", SKILL("many", "x"));
    for (int i = 0; i <= BX_SKILL_FILES_MAX; i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("root/.claude/skills/many/f%d", i);
        put(name, "");
    }
    bx_auto(bx_skills_freep) struct bx_skills *s = find(false);
    char digest[BX_SHA256_HEX + 1];
    struct bx_err err = {0};
    assert_non_null(strstr(bx_skills_get(s, BX_STR_LIT("long"))->problem, "64 KiB"));
    assert_int_equal(bx_skill_digest(bx_skills_get(s, BX_STR_LIT("many")), digest, &err),
                     BX_ERR_LIMIT);
    assert_non_null(strstr(err.msg, "more than 1000 files"));
}

/* Links to the folder itself: four at each of six levels would be thousands of folders. */
static void test_too_many_folders(void **state) {
    (void)state;
    put("root/.claude/skills/a/SKILL.md", SKILL("a", "x"));
    link_to("root/.claude/skills/l1", ".");
    link_to("root/.claude/skills/l2", ".");
    link_to("root/.claude/skills/l3", ".");
    link_to("root/.claude/skills/l4", ".");
    put("user/mine/SKILL.md", SKILL("mine", "x"));
    bx_auto(bx_skills_freep) struct bx_skills *s = find(true);
    assert_true(s->cut);
    assert_true(bx_skill_usable(bx_skills_get(s, bx_str("a"))));
    assert_true(bx_skill_usable(bx_skills_get(s, bx_str("mine")))); /* each place has its count */
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_places_and_precedence),
        T(test_broken_ones_say_why),
        T(test_what_can_be_mended_is),
        T(test_all_members_are_kept),
        T(test_limits_of_the_yaml),
        T(test_loading),
#ifdef BX_UNWIRE
        T(test_without_the_kernels_resolution_it_does),
#endif
        T(test_no_link_leads_out_of_the_root),
        T(test_no_link_leads_out_of_a_skill),
        T(test_a_fifo_does_not_hang),
        T(test_too_many_folders),
        T(test_limits_of_one_skill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
