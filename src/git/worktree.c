#include "git/worktree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "git/internal.h"

#define PREFIX "boxagnts/"

/* ---- adding ---- */

/* The end of the executor's id, which is its random part; another one when that is taken. */
static void choose_id(struct bx_worktrees *w, const char *executor, char ret[static 13]) {
    size_t n = strlen(executor);
    unsigned char bytes[6];
    if (bx_id_is_valid(bx_str(executor)))
        snprintf(ret, 13, "%s", executor + n - 12);
    else
        ret[0] = 0;
    bx_auto(bx_freep) char *dir = bx_record_dir(w, ret);
    while (!ret[0] || bx_file_exists(dir)) {
        bx_random(bytes, sizeof bytes);
        bx_hex(bytes, sizeof bytes, ret);
        bx_free(dir);
        dir = bx_record_dir(w, ret);
    }
}

static uint64_t count_names(const struct bx_buf *names) {
    uint64_t n = 0;
    for (size_t i = 0; i < names->size; i++)
        n += !names->p[i];
    return n;
}

/* A copy: git refreshes what it looks at, and the user's index is the user's. */
static int copy_index(struct bx_worktrees *w, const char *to, struct bx_err *err) {
    bx_auto(bx_fd_close) int root = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bx_auto(bx_fd_close) int in =
        root < 0 ? -1 : bx_file_open_beneath(root, ".git/index", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    bx_auto(bx_fd_close) int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char piece[65536];
    int rc = out < 0 ? -errno : 0;
    for (ssize_t n; in >= 0 && !rc && (n = read(in, piece, sizeof piece)) > 0;)
        rc = bx_write_all(out, piece, (size_t)n);
    return rc ? bx_fail_errno(err, -rc, "%s", to) : 0;
}

/* How many files of the root are not as they are committed. */
static int count_uncommitted(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *index = bx_record_path(w, t->id, "git/index.root");
    struct bx_repo_call call = {.id = t->id,
                                .index = index,
                                .work_tree = w->root,
                                .root_readable = true,
                                .output_max_bytes = BX_GIT_NAMES_MAX,
                                .timeout_ms = BX_GIT_SLOW_MS};
    static const char *const refresh[] = {"update-index", "-q", "--refresh", NULL};
    static const char *const others[] = {
        "ls-files", "-z", "-o", "--exclude-standard", "--directory", "--no-empty-directory", NULL};
    const char *const changed[] = {"diff-index", "-z", "--name-only", "--ignore-submodules=all",
                                   t->base,      NULL};
    struct bx_git_result result = {0};
    int rc = copy_index(w, index, err);
    call.argv = refresh;
    rc = rc ? rc
            : bx_repo_run(w, &call, &result,
                          err); /* its status says only whether something has changed */
    bx_git_result_deinit(&result);
    for (int i = 0; i < 2 && !rc; i++) {
        call.argv = i ? others : changed;
        rc = bx_repo_must(w, &call, &result, err);
        t->uncommitted += rc ? 0 : count_names(&result.out);
        bx_git_result_deinit(&result);
    }
    unlink(index);
    return rc;
}

/* Where it begins: the root's commit, or another worktree, as it is now. */
static int begin_from_root(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *branch = NULL;
    int rc = bx_repo_head(w, &t->base, &branch, err);
    if (!rc)
        t->into = bx_strdup(branch && strncmp(branch, "refs/heads/", 11) == 0 ? branch + 11 : "");
    return rc;
}

static int begin_from(struct bx_worktrees *w, const char *from, struct bx_worktree *t,
                      struct bx_err *err) {
    struct bx_worktree other = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_record_open(w, from, &other, &lock, err);
    if (!rc && !bx_record_has_folder(&other))
        rc = bx_fail(err, BX_ERR_INVALID, "the worktree %s is %s, its files are gone", other.id,
                     bx_worktree_state_name(other.state));
    rc = rc ? rc : bx_commit_all(w, &other, err);
    rc = rc ? rc : bx_record_write(w, &other, err);
    if (!rc) {
        t->base = bx_strdup(other.tip);
        t->into = bx_strdup(other.branch);
    }
    bx_worktree_deinit(&other);
    return rc;
}

static int make(struct bx_worktrees *w, struct bx_worktree *t, const char *from,
                struct bx_cancel *cancel, struct bx_err *err) {
    bx_auto(bx_freep) char *ref = bx_asprintf("refs/heads/%s", t->branch);
    int rc = bx_repo_make(w, t->id, err);
    if (!rc)
        rc = bx_repo_must(w,
                          &(struct bx_repo_call){.id = t->id,
                                                 .argv = BX_ARGV("read-tree", "-m", "-u", t->base),
                                                 .timeout_ms = BX_GIT_SLOW_MS,
                                                 .cancel = cancel},
                          NULL, err);
    if (!rc && !from)
        rc = count_uncommitted(w, t, err);
    rc = rc ? rc : bx_repo_set_ref(w, ref, t->base, "", "boxagnts: a worktree", err);
    if (rc)
        return rc;
    rc = bx_record_write(w, t, err);
    if (rc)
        (void)bx_repo_set_ref(w, ref, NULL, t->base, "", NULL);
    return rc;
}

int bx_worktree_add(struct bx_worktrees *w, const char *executor, const char *from,
                    struct bx_cancel *cancel, struct bx_worktree *ret, struct bx_err *err) {
    struct bx_worktree t = {.state = BX_WORKTREE_ACTIVE, .created_at_ms = bx_wall_ms()};
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_repo_check(w, err);
    rc = rc ? rc : from ? begin_from(w, from, &t, err) : begin_from_root(w, &t, err);
    if (!rc) {
        choose_id(w, executor, t.id);
        snprintf(t.executor, sizeof t.executor, "%s", executor);
        t.branch = bx_asprintf(PREFIX "%s", t.id);
        t.tip = bx_strdup(t.base);
        t.path = bx_record_path(w, t.id, "tree");
        bx_auto(bx_freep) char *dir = bx_record_dir(w, t.id);
        rc = bx_dir_make(dir, 0700, err);
        rc = rc ? rc : bx_record_lock(w, t.id, false, &lock, err);
        rc = rc ? rc : make(w, &t, from, cancel, err);
        if (rc)
            (void)bx_dir_remove(dir, NULL);
    }
    if (!rc && ret)
        *ret = t;
    else
        bx_worktree_deinit(&t);
    return rc ? bx_wrap(err, rc, "no worktree can be made") : 0;
}

/* ---- its end ---- */

static void give(struct bx_worktree *t, int rc, struct bx_worktree *ret) {
    if (!rc && ret)
        *ret = *t;
    else
        bx_worktree_deinit(t);
}

static int finish_as(struct bx_worktrees *w, const char *id, enum bx_worktree_state state,
                     struct bx_worktree *ret, struct bx_err *err) {
    struct bx_worktree t = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_record_open_waiting(w, id, &t, &lock, err);
    if (!rc && bx_record_has_folder(&t)) {
        rc = bx_commit_all(w, &t, err);
        if (!rc && t.state == BX_WORKTREE_ACTIVE)
            t.state = state;
        rc = rc ? rc : bx_record_write(w, &t, err);
    }
    give(&t, rc, ret);
    return rc;
}

int bx_worktree_finish(struct bx_worktrees *w, const char *id, struct bx_worktree *ret,
                       struct bx_err *err) {
    return finish_as(w, id, BX_WORKTREE_FINISHED, ret, err);
}

int bx_worktree_resume(struct bx_worktrees *w, const char *id, struct bx_worktree *ret,
                       struct bx_err *err) {
    struct bx_worktree t = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_record_open(w, id, &t, &lock, err);
    if (!rc && !bx_record_has_folder(&t))
        rc = bx_fail(err, BX_ERR_INVALID, "the worktree %s is %s, its files are gone", t.id,
                     bx_worktree_state_name(t.state));
    if (!rc) {
        t.state = BX_WORKTREE_ACTIVE;
        rc = bx_record_write(w, &t, err);
    }
    give(&t, rc, ret);
    return rc;
}

int bx_worktree_diff(struct bx_worktrees *w, const char *id, struct bx_buf *out, bool *ret_cut,
                     struct bx_err *err) {
    struct bx_worktree t = {0};
    struct bx_git_result patch = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    bx_auto(bx_freep) char *tree = NULL;
    bx_auto(bx_freep) char *left_out = NULL;
    int rc = bx_record_open(w, id, &t, &lock, err);
    if (!rc && bx_record_has_folder(&t))
        rc = bx_stage(w, &t, &tree, &left_out, err);
    if (!rc)
        rc = bx_repo_run(
            w,
            &(struct bx_repo_call){.id = t.id,
                                   .argv = BX_ARGV("diff-tree", "-r", "-p", "-M", "--no-color",
                                                   "--no-ext-diff", "--no-textconv", t.base,
                                                   tree ? tree : t.tip),
                                   .output_max_bytes = out->max - out->size},
            &patch, err);
    if (!rc && patch.status && !patch.cut)
        rc = bx_fail(err, BX_ERR_IO, "git diff-tree failed: %s", patch.said);
    if (!rc) {
        bx_buf_adds(out, bx_buf_str(&patch.out));
        *ret_cut = patch.cut;
    }
    bx_git_result_deinit(&patch);
    bx_worktree_deinit(&t);
    return rc;
}

static int discard_open(struct bx_worktrees *w, const struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *ref = bx_asprintf("refs/heads/%s", t->branch);
    bx_auto(bx_freep) char *dir = bx_record_dir(w, t->id);
    bx_auto(bx_freep) char *now = NULL;
    int rc = bx_repo_line(w, NULL, BX_ARGV("rev-parse", "-q", "--verify", ref), &now, err);
    if (!rc && now)
        rc = bx_repo_set_ref(w, ref, NULL, now, "", err);
    return rc ? rc : bx_dir_remove(dir, err);
}

static int must_rest(const struct bx_worktree *t, struct bx_err *err) {
    return t->state == BX_WORKTREE_ACTIVE
               ? bx_fail(err, BX_ERR_BUSY,
                         "the executor of the worktree %s is at work: wait for its end, or stop it",
                         t->id)
               : 0;
}

int bx_worktree_discard(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret,
                        struct bx_err *err) {
    struct bx_worktree t = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_record_open(w, id, &t, &lock, err);
    rc = rc ? rc : must_rest(&t, err);
    rc = rc ? rc : discard_open(w, &t, err);
    if (ret)
        *ret = (struct bx_worktree_answer){.state = BX_WORKTREE_DISCARDED};
    bx_worktree_deinit(&t);
    return rc;
}

/* ---- after a crash, and cleaning ---- */

/* What cannot be committed (no git any more, a branch that was moved) is dead all the same, and
 * says why. */
static int recover_one(struct bx_worktrees *w, const char *id, struct bx_err *err) {
    struct bx_worktree t = {0};
    struct bx_err why = {0};
    if (finish_as(w, id, BX_WORKTREE_DEAD, &t, &why) == 0) {
        bool empty = strcmp(t.tip, t.base) == 0;
        bx_worktree_deinit(&t);
        return empty ? bx_worktree_discard(w, id, NULL, err) : 0;
    }
    bx_auto(bx_record_unlock) int lock = -1;
    int rc = bx_record_open(w, id, &t, &lock, err);
    if (rc)
        return rc;
    t.state = BX_WORKTREE_DEAD;
    bx_free(t.problem);
    t.problem = bx_strdup(why.msg);
    rc = bx_record_write(w, &t, err);
    bx_worktree_deinit(&t);
    return rc;
}

int bx_worktrees_recover(struct bx_worktrees *w, bool (*goes_on)(void *user, const char *executor),
                         void *user, size_t *ret_dead, struct bx_err *err) {
    struct bx_worktree_list all;
    *ret_dead = 0;
    int rc = bx_worktree_all(w, &all, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < all.n; i++) {
        const struct bx_worktree *t = &all.items[i];
        if (t->state != BX_WORKTREE_ACTIVE ||
            (goes_on && t->executor[0] && goes_on(user, t->executor)))
            continue;
        *ret_dead += 1;
        int one = recover_one(w, all.items[i].id, err);
        rc = rc ? rc : one; /* the others have their turn all the same */
    }
    bx_worktree_list_deinit(&all);
    return rc;
}

struct cleaner {
    struct bx_worktrees *w;
    size_t count;
};

/* A folder without a record: an addition that a crash cut short, with or without its branch. One
 * that is being made is locked.
 */
static int clean_orphan(void *user, const char *id) {
    struct cleaner *c = user;
    bx_auto(bx_freep) char *dir = bx_record_dir(c->w, id);
    bx_auto(bx_freep) char *record = bx_record_path(c->w, id, "worktree.json");
    bx_auto(bx_record_unlock) int lock = -1;
    struct bx_worktree t = {0};
    struct stat st;
    if (strlen(id) + 1 != sizeof t.id || lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) ||
        bx_file_exists(record) || bx_record_lock(c->w, id, false, &lock, NULL))
        return 0;
    snprintf(t.id, sizeof t.id, "%s", id);
    t.branch = bx_asprintf(PREFIX "%s", id);
    c->count += discard_open(c->w, &t, NULL) == 0;
    bx_worktree_deinit(&t);
    return 0;
}

int bx_worktrees_clean(struct bx_worktrees *w, size_t *ret_count, struct bx_err *err) {
    struct cleaner c = {.w = w};
    struct bx_worktree_list all;
    int rc = bx_worktree_all(w, &all, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < all.n && !rc; i++) {
        const struct bx_worktree *t = &all.items[i];
        bx_auto(bx_freep) char *dir = bx_record_dir(w, t->id);
        bool gone = !bx_record_has_folder(t);
        bool empty = t->state != BX_WORKTREE_ACTIVE && strcmp(t->tip, t->base) == 0;
        if (gone)
            rc = bx_dir_remove(dir, err);
        else if (empty)
            rc = bx_worktree_discard(w, t->id, NULL, err);
        c.count += !rc && (gone || empty);
    }
    bx_worktree_list_deinit(&all);
    if (!rc && bx_file_exists(w->dir))
        rc = bx_dir_each(w->dir, clean_orphan, &c, err);
    *ret_count = c.count;
    return rc;
}
