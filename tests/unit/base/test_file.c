#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"

static char folder[64];

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/bx-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    return bx_dir_remove(folder, NULL);
}

static char *in(const char *name) {
    static char paths[4][600];
    static unsigned at;
    char *path = paths[at++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int count_one(void *user, const char *name) {
    (void)name;
    ++*(int *)user;
    return 0;
}

static int entries(const char *path) {
    int n = 0;
    assert_int_equal(bx_dir_each(path, count_one, &n, NULL), 0);
    return n;
}

static void write_text(const char *path, const char *text) {
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
}

static void file_is(const char *path, const char *text) {
    struct bx_buf b = BX_BUF_INIT(1000);
    assert_int_equal(bx_file_read(path, &b, NULL), 0);
    assert_string_equal(bx_buf_z(&b), text);
    bx_buf_deinit(&b);
}

static void test_read(void **state) {
    (void)state;
    struct bx_err err;
    struct bx_buf b = BX_BUF_INIT(5);
    write_text(in("f"), "1234");
    bx_buf_addc(&b, '0');
    assert_int_equal(bx_file_read(in("f"), &b, &err), 0);
    assert_string_equal(bx_buf_z(&b), "01234");
    assert_int_equal(bx_file_read(in("f"), &b, &err), BX_ERR_LIMIT);
    assert_string_equal(bx_buf_z(&b), "01234");
    assert_int_equal(bx_file_read("/proc/self/status", &b, &err), BX_ERR_LIMIT); /* says size 0 */
    assert_string_equal(bx_buf_z(&b), "01234");
    assert_int_equal(bx_file_read(in("none"), &b, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "none"));
    assert_int_equal(bx_file_read(folder, &b, &err), BX_ERR_INVALID);
    assert_int_equal(mkfifo(in("pipe"), 0600), 0);
    assert_int_equal(bx_file_read(in("pipe"), &b, &err), BX_ERR_INVALID);
    bx_buf_deinit(&b);

    struct bx_buf large = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_file_read("/proc/self/status", &large, &err), 0);
    assert_true(large.size > 100);
    bx_buf_deinit(&large);
}

static void test_write(void **state) {
    (void)state;
    struct stat st;
    write_text(in("f"), "old");
    assert_int_equal(stat(in("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    ino_t old = st.st_ino;
    int held = open(in("f"), O_RDONLY);
    write_text(in("f"), "new");
    assert_int_equal(stat(in("f"), &st), 0);
    assert_true(st.st_ino != old); /* renamed, not written over */
    char text[4] = "";
    assert_int_equal(read(held, text, 3), 3);
    assert_string_equal(text, "old"); /* whoever had it open sees all of the old one */
    close(held);
    file_is(in("f"), "new");
    assert_int_equal(entries(folder), 1);
    struct bx_err err;
    assert_int_equal(bx_file_write_atomic(in("no/f"), bx_str("x"), 0600, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_file_write_atomic(in(""), bx_str("x"), 0600, &err), BX_ERR_INVALID);
}

/* A failure on the way leaves the old content and no temporary file. */
static void test_write_fails(void **state) {
    (void)state;
    struct bx_err err;
    assert_int_equal(mkdir(in("dir"), 0700), 0);
    write_text(in("dir/kept"), "kept");
    assert_true(bx_file_write_atomic(in("dir"), bx_str("x"), 0600, &err) < 0); /* rename fails */
    file_is(in("dir/kept"), "kept");
    assert_int_equal(entries(folder), 1);

    write_text(in("f"), "old");
    char *content = bx_alloc(100 * BX_KIB);
    struct rlimit before, small = {50 * BX_KIB, 50 * BX_KIB};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int r = bx_file_write_atomic(in("f"), bx_str_n(content, 100 * BX_KIB), 0600, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    bx_free(content);
    assert_int_equal(r, BX_ERR_LIMIT); /* EFBIG */
    file_is(in("f"), "old");
    assert_int_equal(entries(folder), 2);
}

static void test_dir_make(void **state) {
    (void)state;
    struct bx_err err;
    assert_int_equal(bx_dir_make(in("a/b//c/"), 0700, &err), 0);
    assert_int_equal(bx_dir_make(in("a/b/c"), 0700, &err), 0);
    assert_true(bx_file_exists(in("a/b/c")));
    assert_int_equal(bx_dir_make("/", 0700, &err), 0);
    write_text(in("f"), "");
    assert_int_equal(bx_dir_make(in("f"), 0700, &err), BX_ERR_EXISTS);
    assert_int_equal(bx_dir_make(in("f/x"), 0700, &err), BX_ERR_EXISTS);
    assert_false(bx_file_exists(in("none")));
}

static int stop_at_two(void *user, const char *name) {
    (void)name;
    return ++*(int *)user == 2 ? 42 : 0;
}

static void test_dir_each(void **state) {
    (void)state;
    struct bx_err err;
    int n = 0;
    for (int i = 0; i < 5; i++) {
        write_text(in((const char *[]){"a", "b", "c", "d", "e"}[i]), "");
    }
    assert_int_equal(entries(folder), 5);
    assert_int_equal(bx_dir_each(folder, stop_at_two, &n, &err), 42);
    assert_int_equal(n, 2);
    assert_int_equal(bx_dir_each(in("none"), count_one, &n, &err), BX_ERR_NOTFOUND);
}

static void test_remove_follows_no_link(void **state) {
    (void)state;
    struct bx_err err;
    assert_int_equal(bx_dir_make(in("outside/kept"), 0700, NULL), 0);
    write_text(in("outside/kept/f"), "kept");
    assert_int_equal(bx_dir_make(in("tree/sub"), 0700, NULL), 0);
    assert_int_equal(symlink(in("outside"), in("tree/to_dir")), 0);
    assert_int_equal(symlink(in("outside/kept/f"), in("tree/sub/to_file")), 0);
    assert_int_equal(symlink("/nowhere", in("tree/sub/dangling")), 0);
    assert_int_equal(symlink(in("outside"), in("link")), 0);

    assert_int_equal(bx_dir_remove(in("link"), &err), BX_ERR_INVALID);
    assert_int_equal(bx_dir_remove(in("tree"), &err), 0);
    assert_false(bx_file_exists(in("tree")));
    file_is(in("outside/kept/f"), "kept");
    assert_int_equal(bx_dir_remove(in("tree"), &err), 0);
    assert_int_equal(bx_dir_remove(in("outside/kept/f"), &err), BX_ERR_INVALID);
    file_is(in("outside/kept/f"), "kept");
}

/* Deeper than there are descriptors, and with a folder that may not be read. */
static void test_remove_deep(void **state) {
    (void)state;
    assert_int_equal(mkdir(in("deep"), 0700), 0);
    int fd = open(in("deep"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 400; i++) {
        assert_int_equal(mkdirat(fd, "d", 0700), 0);
        assert_int_equal(mkdirat(fd, "e", 0700), 0);
        assert_int_equal(symlinkat("/", fd, "l"), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    assert_int_equal(mkdirat(fd, "closed", 0700), 0);
    assert_int_equal(mkdirat(fd, "closed/x", 0700), 0);
    assert_int_equal(fchmodat(fd, "closed", 0, 0), 0);
    close(fd);
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &few);
    struct bx_err err = {0};
    int r = bx_dir_remove(in("deep"), &err);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_string_equal(err.msg, "");
    assert_int_equal(r, 0);
    assert_int_equal(entries(folder), 0);
}

/* A name lasts through a crash when the folder that has it was brought to the platter. */
static void test_names_that_last(void **state) {
    (void)state;
    uint64_t before = bx_dir_syncs();
    assert_int_equal(bx_dir_make(in("a/b"), 0700, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before);
    assert_int_equal(bx_dir_make_lasting(in("a/b/c/d"), 0700, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 2); /* c in b, d in c */
    assert_int_equal(bx_dir_make_lasting(in("a/b/c/d"), 0700, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 2);
    write_text(in("a/b/f"), "x");
    assert_int_equal(symlink("/nowhere", in("a/b/c/dangling")), 0);
    before = bx_dir_syncs();
    assert_int_equal(bx_tree_sync(in("a"), NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 4);
    before = bx_dir_syncs();
    assert_int_equal(bx_file_write_atomic(in("a/g"), BX_STR_LIT("x"), 0600, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 1);
    assert_int_equal(bx_tree_sync(in("not there"), NULL), BX_ERR_NOTFOUND);
    assert_int_equal(mkdir(in("drop"), 0300), 0);
    assert_int_equal(bx_dir_make_lasting(in("drop/in"), 0700, NULL), 0);
    assert_true(bx_file_exists(in("drop/in")));
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_read),        FILE_TEST(test_write),
        FILE_TEST(test_write_fails), FILE_TEST(test_dir_make),
        FILE_TEST(test_dir_each),    FILE_TEST(test_remove_follows_no_link),
        FILE_TEST(test_remove_deep), FILE_TEST(test_names_that_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
