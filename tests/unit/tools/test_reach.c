#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/path.h"
#include "tools/embedded.h"
#include "tools/paths.h"
#include "tools/reach.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

struct fixture {
    char root[64];
    struct bx_mount mounts[2];
    struct bx_grant grant;
    struct bx_arena arena;
};

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    snprintf(f->root, sizeof f->root, "/tmp/bx-reach-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    char *real = bx_path_real(f->root, NULL);
    snprintf(f->root, sizeof f->root, "%s", real);
    bx_free(real);
    bx_grant_init(&f->grant);
    f->mounts[0] = (struct bx_mount){.host_path = f->root, .guest_path = "/", .writable = true};
    f->mounts[1] = (struct bx_mount){.host_path = "/usr/share", .guest_path = "/share"};
    f->grant.mounts = f->mounts;
    f->grant.mount_count = 2;
    bx_arena_init(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    bx_dir_remove(f->root, NULL);
    bx_arena_deinit(&f->arena);
    bx_free(f);
    return 0;
}

static void same(struct fixture *f, const char *written, const char *guest, bool outside) {
    bool is_outside = !outside;
    const char *got = bx_guest_path(&f->grant, bx_str(written), &f->arena, &is_outside);
    if (!outside)
        assert_string_equal(got, guest);
    assert_int_equal(is_outside, outside);
}

static const char *below_root(struct fixture *f, const char *rest) {
    return bx_arena_printf(&f->arena, "%s%s", f->root, rest);
}

static void test_spellings_of_one_file(void **state) {
    struct fixture *f = *state;
    same(f, "a.c", "/a.c", false);
    same(f, "/a.c", "/a.c", false);
    same(f, "./a.c", "/a.c", false);
    same(f, "/src//x/../a.c", "/src/a.c", false);
    same(f, below_root(f, "/src/a.c"), "/src/a.c", false);
    same(f, f->root, "/", false);
    same(f, "", "/", false);
    same(f, "/usr/share/doc", "/share/doc", false);
    same(f, "/etc/passwd", "/etc/passwd", false); /* of the root, not of the machine */
    same(f, below_root(f, "x"), below_root(f, "x"),
         false); /* a neighbour that only begins like the root */
}

static void test_climbing_is_outside(void **state) {
    struct fixture *f = *state;
    same(f, "..", NULL, true);
    same(f, "../etc/passwd", NULL, true);
    same(f, "/../etc/passwd", NULL, true);
    same(f, "a/../../b", NULL, true);
    same(f, below_root(f, "/../other/secret"), NULL, true);
    same(f, below_root(f, "/a/../../other"), NULL, true);
    bool outside = false;
    bx_guest_path(&f->grant, bx_str_n("a\0b", 3), &f->arena, &outside);
    assert_true(outside);
}

static void test_guarded_names(void **state) {
    (void)state;
    assert_non_null(bx_guarded_part("/.git/hooks/pre-commit"));
    assert_non_null(bx_guarded_part("/sub/.GIT/config"));
    assert_non_null(bx_guarded_part("/.envrc"));
    assert_non_null(bx_guarded_part("/a/.vscode/tasks.json"));
    assert_non_null(bx_guarded_part("/.husky/pre-push"));
    assert_null(bx_guarded_part("/git/hooks"));
    assert_null(bx_guarded_part("/.gitignore"));
    assert_null(bx_guarded_part("/x.git"));
    assert_null(bx_guarded_part("/"));
}

static struct bx_call_reach reach_of(struct fixture *f, enum bx_level level, const char *input) {
    struct bx_tool t = {.name = "t",
                        .level = level,
                        .path_members = "file_path, paths",
                        .command_member = "command"};
    struct bx_doc *doc = NULL;
    struct bx_call_reach reach;
    assert_int_equal(bx_doc_parse(bx_str(input), NULL, &doc, NULL), 0);
    bx_tool_reach(&t, bx_doc_root(doc), &f->grant, &f->arena, &reach);
    reach.command = reach.command ? bx_arena_str(&f->arena, bx_str(reach.command)) : NULL;
    bx_doc_free(doc);
    return reach;
}

static void test_reach_names_everything(void **state) {
    struct fixture *f = *state;
    struct bx_call_reach r = reach_of(f, BX_LEVEL_WRITE,
                                      "{\"file_path\":\"a\",\"paths\":[\"b/\",7,\"/"
                                      "c\"],\"url\":\"https://Ex.org:8/x\",\"command\":\"ls\"}");
    assert_int_equal(r.path_count, 3);
    assert_string_equal(r.paths[0], "/a");
    assert_string_equal(r.paths[1], "/b");
    assert_string_equal(r.paths[2], "/c");
    assert_int_equal(r.host_count, 1);
    assert_string_equal(r.hosts[0], "https://ex.org:8");
    assert_string_equal(r.command, "ls");
    assert_false(r.outside_root);
    assert_null(r.guarded_path);
    r = reach_of(
        f, BX_LEVEL_EXECUTE,
        "{\"urls\":[\"ex.org/a\",\"http://0x7f.1:80/\",\"https://me@ex.org/\",\"ftp://a\",7]}");
    assert_int_equal(r.host_count, 2); /* no request can be made with the others */
    assert_string_equal(r.hosts[0], "https://ex.org");
    assert_string_equal(r.hosts[1], "http://127.0.0.1");
    assert_true(reach_of(f, BX_LEVEL_READ_ONLY, "{\"file_path\":\"../x\"}").outside_root);
}

static void test_writes_are_judged_behind_links(void **state) {
    struct fixture *f = *state;
    assert_int_equal(bx_dir_make(below_root(f, "/.git/hooks"), 0700, NULL), 0);
    assert_int_equal(symlink(".git/hooks", below_root(f, "/docs")), 0);
    assert_int_equal(symlink("/etc", below_root(f, "/out")), 0);
    assert_int_equal(symlink("nowhere", below_root(f, "/dangling")), 0);
    struct bx_call_reach r = reach_of(f, BX_LEVEL_WRITE, "{\"file_path\":\"docs/pre-commit\"}");
    assert_string_equal(r.guarded_path, "/.git/hooks/pre-commit");
    assert_false(r.outside_root);
    assert_true(reach_of(f, BX_LEVEL_WRITE, "{\"file_path\":\"/out/cron.d/x\"}").outside_root);
    assert_true(reach_of(f, BX_LEVEL_WRITE, "{\"file_path\":\"dangling\"}").outside_root);
    r = reach_of(f, BX_LEVEL_WRITE, "{\"file_path\":\"new/deep/file.txt\"}");
    assert_false(r.outside_root);
    assert_null(r.guarded_path);
    assert_string_equal(reach_of(f, BX_LEVEL_WRITE, "{\"file_path\":\".git/config\"}").guarded_path,
                        "/.git/config");
    assert_null(reach_of(f, BX_LEVEL_READ_ONLY, "{\"file_path\":\".git/config\"}").guarded_path);
}

static void test_input_is_mapped(void **state) {
    struct fixture *f = *state;
    struct bx_tool t = {.name = "t", .path_members = "file_path,paths"};
    struct bx_doc *doc = NULL;
    char *text = bx_asprintf(
        "{\"file_path\":\"%s/a b\",\"paths\":[\"x\",\"../y\"],\"content\":\"/tmp/x\",\"n\":3}",
        f->root);
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    struct bx_buf out = BX_BUF_INIT(BX_KIB);
    bx_tool_map_input(&t, bx_doc_root(doc), &f->grant, &f->arena, &out);
    assert_string_equal(
        bx_buf_z(&out),
        "{\"file_path\":\"/a b\",\"paths\":[\"/x\",\"../y\"],\"content\":\"/tmp/x\",\"n\":3}");
    bx_buf_deinit(&out);
    bx_doc_free(doc);
    bx_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spellings_of_one_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_climbing_is_outside, setup, teardown),
        cmocka_unit_test(test_guarded_names),
        cmocka_unit_test_setup_teardown(test_reach_names_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writes_are_judged_behind_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_input_is_mapped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
