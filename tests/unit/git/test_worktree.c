/* Worktrees from their beginning to each of their ends, with a real git. */
#include "repository.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "git/internal.h"

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

static void assert_answer(struct bx_worktree_answer a, enum bx_worktree_state wanted,
                          const char *problem, const char *conflicts) {
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(10000);
    for (size_t i = 0; i < a.conflicts.n; i++)
        bx_buf_addf(&names, "%s%s", i ? " " : "", a.conflicts.p[i]);
    if (problem && (!a.problem || !strstr(a.problem, problem)))
        fail_msg("%s", a.problem ? a.problem : "no problem");
    if (!problem && a.problem)
        fail_msg("%s", a.problem);
    assert_string_equal(bx_buf_z(&names), conflicts);
    assert_int_equal(a.state, wanted);
    bx_worktree_answer_deinit(&a);
}

/* Each root of which there can be no worktree, and what is said. */
static void test_roots_without(void **state) {
    static const struct {
        const char *make, *says;
    } rows[] = {
        {"true", "git init"},
        {"git init -q", "no commit yet"},
        {"git init -q --bare .", "bare"},
        {"git init -q ..; true", "inside the git repository"},
        {"git init -q; echo x > .git/config; true", "git"},
        {"git init -q; git commit -q --allow-empty -m x; echo /tmp > .git/objects/info/alternates",
         "borrows objects"},
        {"git init -q; git commit -q --allow-empty -m x; git config extensions.partialClone "
         "origin; git config "
         "core.repositoryFormatVersion 1",
         "partial clone"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_err err = {0}, check = {0};
        sh("%s", rows[i].make);
        int rc = bx_worktree_add(r_trees, "", NULL, NULL, NULL, &err);
        assert_int_not_equal(rc, 0);
        assert_int_not_equal(bx_worktrees_check(r_trees, &check), 0);
        if (!strstr(err.msg, rows[i].says) || !strstr(check.msg, rows[i].says))
            fail_msg("row %zu: %s; %s", i, err.msg, check.msg);
        assert_says("ls ../state/worktrees 2>/dev/null", "");
        teardown(state);
        setup_empty(state);
    }
}

static void test_conflict(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    put_file(t.path, "a.txt", "one\nTWO\nthree\n");
    put_file(t.path, "src/b.txt", "y\n");
    finish(&t);
    sh("printf 'one\\n2\\nthree\\n' > a.txt; git commit -qam other");
    bx_auto(bx_freep) char *head = said("git rev-parse HEAD");
    assert_answer(merge(&t), BX_WORKTREE_CONFLICT, "both sides", "a.txt");
    assert_says("git rev-parse HEAD", head);
    assert_says("git status --porcelain", "");
    assert_file(r_root, "src/b.txt", "x\n");
    struct bx_worktree now;
    assert_int_equal(bx_worktree_get(r_trees, t.branch, &now, NULL), 0);
    assert_int_equal(now.state, BX_WORKTREE_CONFLICT);
    bx_worktree_deinit(&now);
    /* a person mends it in the folder */
    put_file(t.path, "a.txt", "one\n2\nthree\n");
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_file(r_root, "src/b.txt", "y\n");
    assert_says("git log --format=%p -1 | wc -w", "2");
    bx_worktree_deinit(&t);
}

static void test_files_in_the_way(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    put_file(t.path, "src/b.txt", "y\n");
    put_file(t.path, "new.txt", "theirs\n");
    finish(&t);
    sh("echo mine > src/b.txt; echo mine > new.txt");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "not committed", "new.txt src/b.txt");
    assert_file(r_root, "src/b.txt", "mine\n");
    assert_file(r_root, "new.txt", "mine\n");
    sh("git add src/b.txt; rm new.txt"); /* in the index, too */
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "not committed", "src/b.txt");
    sh("git reset -q --hard; touch -d '2001-01-01' src/b.txt; echo keep > other.txt; git add "
       "other.txt");
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_file(r_root, "new.txt", "theirs\n");
    assert_says("git status --porcelain", "A  other.txt");
    bx_worktree_deinit(&t);
}

static void test_keep_and_discard(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL), u = add(NULL);
    struct bx_worktree_answer a;
    struct bx_err err = {0};
    put_file(t.path, "new.txt", "new\n");
    assert_int_equal(bx_worktree_merge(r_trees, t.id, &a, &err), BX_ERR_BUSY);
    assert_int_equal(bx_worktree_discard(r_trees, t.id, NULL, &err), BX_ERR_BUSY);
    assert_non_null(strstr(err.msg, "at work"));
    finish(&t);
    finish(&u);
    assert_int_equal(bx_worktree_discard(r_trees, u.id, NULL, &err), 0);
    assert_false(bx_file_exists(u.path));
    assert_int_equal(bx_worktree_get(r_trees, u.id, NULL, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_worktree_keep(r_trees, t.id, &a, &err), 0);
    assert_answer(a, BX_WORKTREE_KEPT, NULL, "");
    assert_false(bx_file_exists(t.path));
    assert_says("git branch --format='%(refname:short)' | sed 's/[0-9a-f]*$//'", "boxagnts/\nmain");
    struct bx_buf patch = BX_BUF_INIT(10000);
    bool cut = true;
    assert_int_equal(bx_worktree_diff(r_trees, t.id, &patch, &cut, &err), 0);
    assert_non_null(strstr(bx_buf_z(&patch), "+new"));
    assert_false(cut);
    bx_buf_deinit(&patch);
    assert_int_equal(bx_worktree_resume(r_trees, t.id, NULL, &err), BX_ERR_INVALID);
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, ""); /* its branch is there */
    assert_file(r_root, "new.txt", "new\n");
    assert_says("git branch --format='%(refname:short)'", "main");
    size_t n = 0;
    assert_int_equal(bx_worktrees_clean(r_trees, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_says("ls ../state/worktrees", "merge.lock");
    bx_worktree_deinit(&t);
    bx_worktree_deinit(&u);
}

static void test_nothing_changed(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    bx_auto(bx_freep) char *head = said("git rev-parse HEAD");
    finish(&t);
    assert_string_equal(t.tip, t.base);
    assert_int_equal(t.files, 0);
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_says("git rev-parse HEAD", head);
    bx_worktree_deinit(&t);
}

/* All that can be done to files, with names as they may be. */
static void test_kinds_of_change(void **state) {
    (void)state;
    sh("mkdir d; echo 1 > d/x; echo 2 > gone; echo 3 > turns; echo 4 > mode; echo '*.log' > "
       ".gitignore; git add -A; git commit -qm more");
    struct bx_worktree t = add(NULL);
    char command[1000];
    snprintf(command, sizeof command,
             "cd %s; rm gone; rm -r d; echo file > d; rm turns; mkdir turns; echo in > turns/in; "
             "chmod +x mode; ln -s a.txt link;"
             "echo n > \"$(printf 'new\\nline')\"; echo u > 'ä ö'; echo q > '\"q\"'; echo l > "
             "x.log; mkdir empty; echo dash > -n",
             t.path);
    sh("%s", command);
    finish(&t);
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_file(r_root, "d", "file\n");
    assert_file(r_root, "turns/in", "in\n");
    assert_file(r_root, "new\nline", "n\n");
    assert_file(r_root, "ä ö", "u\n");
    assert_file(r_root, "\"q\"", "q\n");
    assert_file(r_root, "-n", "dash\n");
    assert_file(r_root, "gone", "(none)");
    assert_file(r_root, "x.log", "(none)");
    assert_says("test -x mode && readlink link && git status --porcelain", "a.txt");
    bx_worktree_deinit(&t);
}

/* One that begins from another, and goes into it. */
static void test_from_another(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    struct bx_err err = {0};
    put_file(t.path, "of-manager.txt", "m\n");
    struct bx_worktree u = add(t.id);
    assert_string_equal(u.into, t.branch);
    assert_file(u.path, "of-manager.txt", "m\n"); /* not committed before: it is now */
    put_file(u.path, "of-executor.txt", "e\n");
    finish(&u);
    put_file(t.path, "later.txt", "l\n");
    assert_answer(merge(&u), BX_WORKTREE_MERGED, NULL, "");
    assert_file(t.path, "of-executor.txt", "e\n");
    assert_file(t.path, "later.txt", "l\n");
    assert_file(r_root, "of-executor.txt", "(none)");
    finish(&t);
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_file(r_root, "of-executor.txt", "e\n");
    assert_file(r_root, "later.txt", "l\n");
    assert_says("git status --porcelain", "");
    assert_int_equal(bx_worktree_add(r_trees, "", "no-such", NULL, NULL, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_worktree_add(r_trees, "", t.id, NULL, NULL, &err), BX_ERR_INVALID);
    bx_worktree_deinit(&t);
    bx_worktree_deinit(&u);
}

static void test_root_is_not_ready(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    put_file(t.path, "new.txt", "new\n");
    finish(&t);
    sh("git switch -q --detach");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "detached", "");
    sh("git switch -q main; git rev-parse HEAD > .git/MERGE_HEAD");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "MERGE_HEAD", "");
    sh("rm .git/MERGE_HEAD; git config core.sparseCheckout true");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "git merge boxagnts/", "");
    sh("git config core.sparseCheckout false; echo '*.txt filter=lfs' > .gitattributes; git add "
       "-A; git commit -qm lfs");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "filter lfs", "");
    sh("git rm -q .gitattributes; git commit -qm none; touch .git/index.lock");
    assert_answer(merge(&t), BX_WORKTREE_FINISHED, "index.lock", "");
    assert_file(r_root, "new.txt", "(none)");
    assert_says("ls .git/index.lock", ".git/index.lock"); /* somebody else's */
    sh("rm .git/index.lock");
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    bx_worktree_deinit(&t);
}

/* git dies while it writes the files: what was written is put back. */
static void test_cut_short(void **state) {
    (void)state;
    struct rlimit before, small;
    struct bx_worktree t = add(NULL);
    put_file(t.path, "a.txt", "other\n");
    put_file(t.path, "aa.txt", "new\n");
    char command[200];
    snprintf(command, sizeof command, "rm %s/src/b.txt; head -c 3000000 /dev/zero > %s/zz.bin",
             t.path, t.path);
    sh("%s", command);
    finish(&t);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){1000000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    struct bx_worktree_answer a = merge(&t);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_answer(a, BX_WORKTREE_FINISHED, "nothing was merged", "");
    assert_says("git status --porcelain", "");
    assert_file(r_root, "src/b.txt", "x\n");
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    assert_says("wc -c < zz.bin", "3000000");
    bx_worktree_deinit(&t);
}

static void test_after_a_crash(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL), u = add(NULL), now;
    struct bx_worktree_list all;
    size_t n = 0;
    put_file(t.path, "new.txt", "new\n");
    put_file(r_state, "worktrees/0123456789ab/tree/x", "an addition that was cut short");
    sh("git branch boxagnts/0123456789ab");
    put_file(r_state, "worktrees/ba9876543210/worktree.json", "{damaged");
    assert_int_equal(bx_worktrees_recover(r_trees, NULL, NULL, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_int_equal(bx_worktree_all(r_trees, &all, NULL), 0);
    assert_int_equal(all.n, 1);
    bx_worktree_list_deinit(&all);
    assert_false(bx_file_exists(u.path));
    assert_int_equal(bx_worktree_get(r_trees, t.id, &now, NULL), 0);
    assert_int_equal(now.state, BX_WORKTREE_DEAD);
    assert_int_equal(now.files, 1);
    assert_int_equal(bx_worktrees_clean(r_trees, &n, NULL), 0);
    assert_int_equal(n, 1); /* never what holds work, nor what cannot be read */
    assert_says("git branch --list 'boxagnts/0123456789ab'", "");
    assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
    bx_worktree_deinit(&now);
    bx_worktree_deinit(&t);
    bx_worktree_deinit(&u);
}

static void test_a_branch_that_was_moved(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    struct bx_err err = {0};
    put_file(t.path, "new.txt", "new\n");
    sh("echo more > m; git add m; git commit -qm more; git branch -f %s", t.branch);
    assert_int_not_equal(bx_worktree_finish(r_trees, t.id, NULL, &err), 0);
    assert_non_null(strstr(err.msg, t.path));
    assert_file(t.path, "new.txt", "new\n");
    bx_worktree_deinit(&t);
}

/* Repositories that are not quite the usual one. */
static void test_other_repositories(void **state) {
    static const char *const make[] = {
        "git init -q --object-format=sha256 -b main; echo x > x; git add x; git commit -qm x",
        "git init -q $D/far -b main; cd $D/far; for i in 1 2 3; do echo $i > x; git add x; git "
        "commit -qm $i; done; cd $D/root; git clone -q "
        "--depth 1 file://$D/far .",
        "git init -q -b main; echo x > x; git add x; git commit -qm x; git gc -q; git pack-refs "
        "--all; git config core.fileMode false",
        "git init -q -b feature/a; echo x > x; git add x; git commit -qm x; git worktree add -q "
        "$D/linked",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(make); i++) {
        teardown(state);
        setup_empty(state);
        sh("%s", make[i]);
        struct bx_worktree t = add(NULL);
        put_file(t.path, "x", "y\n");
        finish(&t);
        assert_answer(merge(&t), BX_WORKTREE_MERGED, NULL, "");
        assert_file(r_root, "x", "y\n");
        assert_says("git status --porcelain", "");
        bx_worktree_deinit(&t);
    }
}

static void test_line_ends_are_the_repositorys(void **state) {
    (void)state;
    sh("git config core.autocrlf true; rm a.txt; git checkout -q a.txt");
    struct bx_worktree t = add(NULL);
    assert_file(t.path, "a.txt", "one\r\ntwo\r\nthree\r\n");
    put_file(t.path, "a.txt", "one\r\ntwo\r\nthree\r\nfour\r\n");
    finish(&t);
    assert_int_equal(t.insertions, 1);
    assert_int_equal(t.deletions, 0);
    bx_worktree_deinit(&t);
}

static void *finish_one(void *user) {
    finish(user);
    return NULL;
}

/* Is somebody waiting for this lock? */
static bool waited_for(int lock) {
    char inode[40];
    struct stat st;
    assert_int_equal(fstat(lock, &st), 0);
    snprintf(inode, sizeof inode, ":%ju ", (uintmax_t)st.st_ino);
    bx_auto(bx_freep) char *locks = slurp("/proc/locks");
    for (char *at = locks; (at = strstr(at, "->")); at += 2) {
        char *line_end = strchrnul(at, '\n'), *found = strstr(at, inode);
        if (found && found < line_end)
            return true;
    }
    return false;
}

/* One that ends while its changes are being looked at is committed afterwards; all else is told to
 * try again. */
static void test_one_at_a_time(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    struct bx_err err = {0};
    pthread_t thread;
    bx_auto(bx_record_unlock) int lock = -1;
    put_file(t.path, "new.txt", "x\n");
    char id[sizeof t.id];
    memcpy(id, t.id, sizeof id);
    assert_int_equal(bx_record_lock(r_trees, id, false, &lock, &err), 0);
    assert_int_equal(bx_worktree_discard(r_trees, id, NULL, &err), BX_ERR_BUSY);
    assert_int_equal(bx_thread_start(&thread, "finish", finish_one, &t, NULL), 0);
    while (!waited_for(lock))
        sched_yield();
    bx_record_unlock(&lock);
    pthread_join(thread, NULL);
    assert_int_equal(t.state, BX_WORKTREE_FINISHED);
    assert_int_equal(t.files, 1);
    bx_worktree_deinit(&t);
}

static void assert_counts(const struct bx_worktree *t, uint64_t files, uint64_t insertions,
                          uint64_t deletions) {
    if (t->files != files || t->insertions != insertions || t->deletions != deletions)
        fail_msg("%ju files, +%ju -%ju", (uintmax_t)t->files, (uintmax_t)t->insertions,
                 (uintmax_t)t->deletions);
}

/* While it works: what it has done by now, and nothing is left behind by looking. */
static void test_look(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL), u = add(NULL);
    bx_auto(bx_freep) char *objects = said("find .git/objects -type f | sort");
    put_file(t.path, "a.txt", "one\nthree\nfour\n");
    put_file(t.path, "docs/new.txt", "new\nno end of line");
    put_file(t.path, ".gitignore", "*.o\n");
    put_file(t.path, "x.o", "not counted\n");
    bx_auto(bx_freep) char *binary = bx_path_join(t.path, "b.bin");
    bx_auto(bx_buf_deinit) struct bx_buf bytes = BX_BUF_INIT(100);
    bx_buf_adds(&bytes, bx_str_n("\n\0\n", 3));
    assert_int_equal(bx_file_write_atomic(binary, bx_buf_str(&bytes), 0600, NULL), 0);
    uint64_t from_ms = bx_mono_ms();
    bx_worktree_look(r_trees, &t);
    assert_counts(&t, 4, 4, 1);
    put_file(t.path, "later.txt", "x\n");
    bx_worktree_look(r_trees, &t);
    if (bx_mono_ms() - from_ms < 1000) /* at once: as it was counted a moment ago */
        assert_counts(&t, 4, 4, 1);
    bx_worktree_look(r_trees, &u);
    assert_counts(&u, 0, 0, 0);
    assert_says("find .git/objects -type f | sort", objects);
    finish(&t);
    assert_counts(&t, 5, 5, 1);
    t.files = 7;
    bx_worktree_look(r_trees, &t);
    assert_int_equal(t.files, 7); /* the record's */
    bx_worktree_deinit(&t);
    bx_worktree_deinit(&u);
}

static void test_stop_and_bounds(void **state) {
    (void)state;
    struct bx_cancel *stop = bx_cancel_new(NULL);
    struct bx_err err = {0};
    struct bx_buf patch = BX_BUF_INIT(100);
    bool cut = false;
    bx_cancel_fire(stop, "by the test");
    assert_int_equal(bx_worktree_add(r_trees, "", NULL, stop, NULL, &err), BX_ERR_CANCELLED);
    bx_cancel_unref(stop);
    assert_says("ls ../state/worktrees; git branch --format='%(refname:short)'", "main");
    struct bx_worktree t = add(NULL);
    put_file(t.path, "a.txt",
             "a line that is longer than the room that there is for it, which is one hundred "
             "bytes, all of them\n");
    assert_int_equal(bx_worktree_diff(r_trees, t.id, &patch, &cut, &err), 0);
    assert_true(cut);
    assert_int_equal(patch.size, 100);
    bx_buf_deinit(&patch);
    bx_worktree_deinit(&t);
}

/* Several at once, as executors are. */
static void *one_of_many(void *user) {
    struct bx_worktree t = add(NULL);
    char name[40];
    snprintf(name, sizeof name, "many/%s.txt", t.id);
    put_file(t.path, name, "x\n");
    finish(&t);
    *(struct bx_worktree *)user = t;
    return NULL;
}

static void test_side_by_side(void **state) {
    (void)state;
    pthread_t threads[4];
    struct bx_worktree t[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bx_thread_start(&threads[i], "many", one_of_many, &t[i], NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 4; i++) {
        assert_answer(merge(&t[i]), BX_WORKTREE_MERGED, NULL, "");
        bx_worktree_deinit(&t[i]);
    }
    assert_says("ls many | wc -l; git status --porcelain", "4");
}

GIT_MAIN(NULL, IN_REPOSITORY(test_add_finish_merge), IN_FOLDER(test_roots_without),
         IN_REPOSITORY(test_conflict), IN_REPOSITORY(test_files_in_the_way),
         IN_REPOSITORY(test_keep_and_discard), IN_REPOSITORY(test_nothing_changed),
         IN_REPOSITORY(test_kinds_of_change), IN_REPOSITORY(test_from_another),
         IN_REPOSITORY(test_root_is_not_ready), IN_REPOSITORY(test_cut_short),
         IN_REPOSITORY(test_after_a_crash), IN_REPOSITORY(test_a_branch_that_was_moved),
         IN_REPOSITORY(test_other_repositories), IN_REPOSITORY(test_line_ends_are_the_repositorys),
         IN_REPOSITORY(test_one_at_a_time), IN_REPOSITORY(test_look),
         IN_REPOSITORY(test_stop_and_bounds), IN_REPOSITORY(test_side_by_side))
