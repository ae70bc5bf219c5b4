/* A git repository in a temporary folder, made with the machine's own git as a user would; included by one test program each. */
#ifndef BX_TESTS_UNIT_GIT_REPOSITORY_H
#define BX_TESTS_UNIT_GIT_REPOSITORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "git/git.h"
#include "git/worktree.h"

static char r_dir[64], r_root[80], r_state[80];
static struct bx_worktrees *r_trees;

/* In the root, by the shell; $D is the temporary folder. */
__attribute__((format(printf, 1, 2))) static void sh(const char *fmt, ...) {
    char command[4096], all[5000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    snprintf(all, sizeof all,
             "exec >/dev/null 2>&1; set -e; export D=%s GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=1 "
             "GIT_CONFIG_KEY_0=gc.autoDetach GIT_CONFIG_VALUE_0=false GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
             "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; cd %s; %s",
             r_dir, r_root, command);
    if (system(all) != 0)
        fail_msg("%s", command);
}

static char *slurp(const char *path) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&text, "");
    if (bx_file_read(path, &text, NULL)) {
        bx_buf_deinit(&text);
        return bx_strdup("(none)");
    }
    return bx_buf_steal(&text);
}

__attribute__((unused)) static void assert_file(const char *dir, const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    bx_auto(bx_freep) char *is = slurp(path);
    assert_string_equal(is, text);
}

__attribute__((unused)) static void put_file(const char *dir, const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What the shell says, without the newline. */
static char *said(const char *command) {
    char all[1000];
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    snprintf(all, sizeof all, "cd %s; %s", r_root, command);
    FILE *pipe = popen(all, "r");
    char piece[1000];
    for (size_t n; (n = fread(piece, 1, sizeof piece, pipe)) > 0;)
        bx_buf_add(&out, piece, n);
    pclose(pipe);
    char *text = bx_str_dup(bx_str_trim(bx_buf_str(&out)));
    bx_buf_deinit(&out);
    return text;
}

static void assert_says(const char *command, const char *text) {
    bx_auto(bx_freep) char *is = said(command);
    assert_string_equal(is, text);
}

__attribute__((unused)) static int setup_empty(void **state) {
    (void)state;
    snprintf(r_dir, sizeof r_dir, "/tmp/bx-git-XXXXXX");
    if (!mkdtemp(r_dir))
        return -1;
    snprintf(r_root, sizeof r_root, "%s/root", r_dir);
    snprintf(r_state, sizeof r_state, "%s/state", r_dir);
    mkdir(r_root, 0700);
    mkdir(r_state, 0700);
    r_trees = bx_worktrees_new(r_root, r_state);
    return 0;
}

static int setup(void **state) {
    int rc = setup_empty(state);
    if (!rc)
        sh("git init -q -b main; printf 'one\\ntwo\\nthree\\n' > a.txt; mkdir src; echo x > src/b.txt; git add -A; git commit -qm start");
    return rc;
}

static int teardown(void **state) {
    (void)state;
    bx_worktrees_free(r_trees);
    return bx_dir_remove(r_dir, NULL);
}

static struct bx_worktree add(const char *from) {
    struct bx_worktree t;
    struct bx_err err = {0};
    if (bx_worktree_add(r_trees, "", from, NULL, &t, &err))
        fail_msg("%s", err.msg);
    return t;
}

__attribute__((unused)) static void finish(struct bx_worktree *t) {
    struct bx_worktree now;
    struct bx_err err = {0};
    if (bx_worktree_finish(r_trees, t->id, &now, &err))
        fail_msg("%s", err.msg);
    bx_worktree_deinit(t);
    *t = now;
}

__attribute__((unused)) static struct bx_worktree_answer merge(const struct bx_worktree *t) {
    struct bx_worktree_answer a;
    struct bx_err err = {0};
    if (bx_worktree_merge(r_trees, t->id, &a, &err))
        fail_msg("%s", err.msg);
    return a;
}

/* Every program of these tests is also git's child; and what stands in git's place, when as_git is not NULL: git is always
 * called with "-c". */
#define GIT_MAIN(as_git, ...)                                                                                          \
    int main(int argc, char **argv) {                                                                                  \
        int (*stands_in)(int, char **) = as_git;                                                                       \
        if (argc > 1 && strcmp(argv[1], BX_GIT_CHILD_ARG) == 0)                                                        \
            return bx_git_child_main(argc, argv);                                                                      \
        if (stands_in && argc > 1 && strcmp(argv[1], "-c") == 0)                                                       \
            return stands_in(argc, argv);                                                                              \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                               \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }
#define IN_REPOSITORY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define IN_FOLDER(f)     cmocka_unit_test_setup_teardown(f, setup_empty, teardown)

#endif
