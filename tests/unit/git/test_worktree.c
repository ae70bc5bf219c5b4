/* Worktrees from their beginning to each of their ends, with a real git. */
#include "repository.h"

static void test_add_finish_merge(void **state) {
    (void)state;
    sh("echo dirty >> a.txt; echo new > untracked.txt");
    struct bx_worktree t = add(NULL);
    assert_int_equal(t.state, BX_WORKTREE_ACTIVE);
    assert_int_equal(t.uncommitted, 2);
    assert_string_equal(t.into, "main");
    assert_file(t.path, "a.txt", "one\ntwo\nthree\n");
    assert_file(t.path, ".git", "(none)");

    put_file(t.path, "src/b.txt", "changed\n");
    put_file(t.path, "docs/new.txt", "new\nfile\n");
    finish(&t);
    assert_int_equal(t.state, BX_WORKTREE_FINISHED);
    assert_int_equal(t.files, 2);
    assert_int_equal(t.insertions, 3);
    assert_int_equal(t.deletions, 1);
    assert_null(t.problem);
    struct bx_worktree_answer a = merge(&t);
    assert_null(a.problem);
    assert_int_equal(a.state, BX_WORKTREE_MERGED);
    assert_file(r_root, "src/b.txt", "changed\n");
    assert_file(r_root, "docs/new.txt", "new\nfile\n");
    assert_file(r_root, "a.txt", "one\ntwo\nthree\ndirty\n");
    assert_says("git status --porcelain", "M a.txt\n?? untracked.txt");
    assert_says("git branch --format='%(refname:short)'", "main");
    assert_says("git log -1 --format=%an", "BoxAgnts");
    assert_says("git fsck 2>&1 | grep -v dangling", "");
    assert_false(bx_file_exists(t.path));
    bx_worktree_answer_deinit(&a);
    bx_worktree_deinit(&t);
}

GIT_MAIN(IN_REPOSITORY(test_add_finish_merge))
