/* Bringing a worktree's branch into what it began from: first in the object store alone, then, when
 * nothing is in the way, into the files. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/path.h"
#include "git/internal.h"

#define LOCK_PATIENCE_MS 30000
#define CONFLICTS_MAX    200

void bx_worktree_answer_deinit(struct bx_worktree_answer *a) {
    for (size_t i = 0; i < a->conflicts.n; i++)
        bx_free(a->conflicts.p[i]);
    bx_vec_free(&a->conflicts);
    bx_free(a->problem);
    *a = (struct bx_worktree_answer){0};
}

void bx_worktree_answer_write(const struct bx_worktree_answer *a, struct bx_jw *w) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "state", bx_worktree_state_name(a->state));
    bx_jw_karr(w, "conflicts");
    for (size_t i = 0; i < a->conflicts.n; i++)
        bx_jw_z(w, a->conflicts.p[i]);
    bx_jw_end(w);
    if (a->problem)
        bx_jw_kstr(w, "problem", a->problem);
    bx_jw_end(w);
}

struct merge {
    struct bx_worktrees *w;
    struct bx_worktree *from;
    struct bx_worktree other; /* what it goes into, when that is a worktree: other.id */
    char *ref, *head;         /* of the target */
    char *index, *tree;       /* host paths */
    char *next;               /* the commit that it will be at */
    struct bx_worktree_answer *answer;
};

static void merge_deinit(struct merge *m) {
    char *texts[] = {m->ref, m->head, m->index, m->tree, m->next};
    for (size_t i = 0; i < BX_ARRAY_LEN(texts); i++)
        bx_free(texts[i]);
    bx_worktree_deinit(&m->other);
}

/* It cannot be merged now; that is an answer. Returns 1: the caller ends. */
static int refuse(struct merge *m, char *take_why) {
    m->answer->problem = take_why;
    return 1;
}

static char *by_hand(const struct merge *m) {
    return bx_asprintf("merge it by hand: git merge %s", m->from->branch);
}

/* A call on the files of the target. */
static struct bx_repo_call target_call(const struct merge *m) {
    return (struct bx_repo_call){.id = m->from->id,
                                 .index = m->index,
                                 .work_tree = m->tree,
                                 .root_writable = !m->other.id[0],
                                 .other = m->other.id[0] ? m->other.id : NULL,
                                 .output_max_bytes = BX_GIT_NAMES_MAX,
                                 .timeout_ms = BX_GIT_SLOW_MS};
}

/* ---- the target ---- */

static int check_in_progress(struct merge *m) {
    static const char *const marks[] = {"MERGE_HEAD",   "CHERRY_PICK_HEAD", "REVERT_HEAD",
                                        "rebase-merge", "rebase-apply",     "BISECT_LOG"};
    for (size_t i = 0; i < BX_ARRAY_LEN(marks); i++) {
        bx_auto(bx_freep) char *name = bx_asprintf(".git/%s", marks[i]);
        bx_auto(bx_freep) char *path = bx_path_join(m->w->root, name);
        struct stat st;
        if (lstat(path, &st) == 0)
            return refuse(m, bx_asprintf("the root is in the middle of something of git's own "
                                         "(%s): finish or abort that first",
                                         name));
    }
    return 0;
}

static int check_settings(struct merge *m, struct bx_err *err) {
    static const char *const names[] = {"core.splitIndex", "core.sparseCheckout", "index.sparse"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        bx_auto(bx_freep) char *value = NULL;
        bx_auto(bx_freep) char *hand = by_hand(m);
        int rc = bx_repo_setting(m->w, names[i], &value, err);
        if (rc)
            return rc;
        if (value && strcmp(value, "false"))
            return refuse(
                m, bx_asprintf("the root's repository has %s, which is not understood here; %s",
                               names[i], hand));
    }
    return 0;
}

static int target_root(struct merge *m, struct bx_err *err) {
    int rc = bx_repo_head(m->w, &m->head, &m->ref, err);
    if (rc)
        return rc;
    if (!m->ref)
        return refuse(m, bx_strdup("no branch is checked out in the root (its HEAD is detached): "
                                   "git switch to one first"));
    rc = check_in_progress(m);
    rc = rc ? rc : check_settings(m, err);
    m->index = bx_path_join(m->w->root, ".git/index");
    m->tree = bx_strdup(m->w->root);
    return rc;
}

/* The worktree that it began from; its own work is committed first, so that nothing of it is in the
 * way. */
static int target_worktree(struct merge *m, int *ret_lock, struct bx_err *err) {
    int rc = bx_record_open(m->w, m->from->into, &m->other, ret_lock, err);
    if (rc == BX_ERR_NOTFOUND || (!rc && m->other.state == BX_WORKTREE_KEPT)) {
        m->other.id[0] = 0;
        return refuse(m, bx_asprintf("it began from the worktree %s, whose files are gone: keep "
                                     "it, then git switch %s and git merge %s",
                                     m->from->into, m->from->into, m->from->branch));
    }
    if (rc)
        return rc;
    if (m->other.state == BX_WORKTREE_MERGED) { /* what it began from is in the root by now */
        bx_record_unlock(ret_lock);
        bx_worktree_deinit(&m->other);
        return target_root(m, err);
    }
    rc = bx_commit_all(m->w, &m->other, err);
    rc = rc ? rc : bx_record_write(m->w, &m->other, err);
    if (rc)
        return rc;
    m->head = bx_strdup(m->other.tip);
    m->ref = bx_asprintf("refs/heads/%s", m->other.branch);
    m->index = bx_record_path(m->w, m->other.id, "git/index");
    m->tree = bx_strdup(m->other.path);
    return 0;
}

/* ---- in the object store ---- */

static int is_ancestor(struct merge *m, const char *a, const char *b, bool *ret,
                       struct bx_err *err) {
    bx_auto(bx_freep) char *line = NULL;
    int rc =
        bx_repo_line(m->w, m->from->id, BX_ARGV("merge-base", "--is-ancestor", a, b), &line, err);
    *ret = line != NULL;
    return rc;
}

static void take_conflicts(struct merge *m, struct bx_str names) {
    struct bx_str name;
    while (bx_str_split(&names, '\0', &name) && m->answer->conflicts.n < CONFLICTS_MAX)
        if (name.n)
            bx_vec_push(&m->answer->conflicts, bx_str_dup(name));
}

static int merge_trees(struct merge *m, char **ret_tree, struct bx_err *err) {
    struct bx_git_result result = {0};
    struct bx_str rest, tree = {0};
    int rc = bx_repo_run(
        m->w,
        &(struct bx_repo_call){.id = m->from->id,
                               .argv = BX_ARGV("merge-tree", "--write-tree", "-z", "--name-only",
                                               "--no-messages", m->head, m->from->tip),
                               .output_max_bytes = BX_GIT_NAMES_MAX,
                               .timeout_ms = BX_GIT_SLOW_MS},
        &result, err);
    if (rc)
        return rc;
    rest = bx_buf_str(&result.out);
    if (!bx_str_split(&rest, '\0', &tree) || !tree.n || result.status > 1 || result.cut) {
        rc = bx_fail(err, BX_ERR_IO, "git merge-tree failed: %s", result.said);
    } else if (result.status == 1) {
        take_conflicts(m, rest);
        rc = refuse(m, bx_asprintf("both sides changed the same places; nothing was merged. Let an "
                                   "executor mend it from the newer "
                                   "state, or git merge %s by hand",
                                   m->from->branch));
        m->answer->state = BX_WORKTREE_CONFLICT;
    } else {
        *ret_tree = bx_str_dup(bx_str_trim(tree));
    }
    bx_git_result_deinit(&result);
    return rc;
}

/* m->next, or NULL when there is nothing to do. */
static int make_next(struct merge *m, struct bx_err *err) {
    bool done = false, forward = false;
    bx_auto(bx_freep) char *tree = NULL;
    bx_auto(bx_freep) char *text =
        bx_asprintf("Merge the worktree %s\n\nExecutor: %s\n", m->from->branch, m->from->executor);
    int rc = is_ancestor(m, m->from->tip, m->head, &done, err);
    if (rc || done)
        return rc;
    rc = is_ancestor(m, m->head, m->from->tip, &forward, err);
    if (!rc && forward) {
        m->next = bx_strdup(m->from->tip);
        return 0;
    }
    rc = rc ? rc : merge_trees(m, &tree, err);
    if (rc)
        return rc;
    rc = bx_repo_line(m->w, m->from->id,
                      BX_ARGV("commit-tree", tree, "-p", m->head, "-p", m->from->tip, "-m", text),
                      &m->next, err);
    return !rc && !m->next ? bx_fail(err, BX_ERR_IO, "git commit-tree failed") : rc;
}

/* ---- what is in the way ---- */

static int names_of(const struct merge *m, const char *const *argv, struct bx_git_result *ret,
                    struct bx_err *err) {
    struct bx_repo_call call = target_call(m);
    call.argv = argv;
    return bx_repo_must(m->w, &call, ret, err);
}

static void put_names(struct bx_map *map, struct bx_str names) {
    static int here;
    struct bx_str name;
    while (bx_str_split(&names, '\0', &name))
        if (name.n)
            bx_map_put(map, name, &here);
}

/* Files that would come and are there already, without being committed. */
static int find_untracked(struct merge *m, struct bx_map *dirty, struct bx_err *err) {
    struct bx_git_result added = {0};
    static int here;
    int rc = names_of(m,
                      BX_ARGV("diff-tree", "-r", "-z", "--name-only", "--no-renames",
                              "--diff-filter=A", m->head, m->next),
                      &added, err);
    bx_auto(bx_fd_close) int dir = open(m->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct bx_str names = bx_buf_str(&added.out), name;
    while (!rc && dir >= 0 && bx_str_split(&names, '\0', &name)) {
        bx_auto(bx_freep) char *path = bx_str_dup(name);
        bx_auto(bx_fd_close) int fd =
            name.n ? bx_file_open_without_links(dir, path, O_PATH | O_NOFOLLOW) : -1;
        struct stat st; /* what is in a folder in its place is told by its own names, and git looks
                           at the rest */
        if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
            bx_map_put(dirty, name, &here);
    }
    bx_git_result_deinit(&added);
    return rc;
}

static int find_dirty(struct merge *m, struct bx_map *dirty, struct bx_err *err) {
    struct bx_repo_call call = target_call(m);
    struct bx_git_result result = {0};
    call.argv = BX_ARGV("update-index", "-q", "--refresh");
    int rc = bx_repo_run(m->w, &call, &result,
                         err); /* its status says only whether something has changed */
    bx_git_result_deinit(&result);
    rc = rc ? rc
            : names_of(
                  m, BX_ARGV("diff-index", "-z", "--name-only", "--ignore-submodules=all", m->head),
                  &result, err);
    if (!rc)
        put_names(dirty, bx_buf_str(&result.out));
    bx_git_result_deinit(&result);
    return rc ? rc : find_untracked(m, dirty, err);
}

static int check_dirty(struct merge *m, struct bx_str changed, struct bx_err *err) {
    bx_auto(bx_map_freep) struct bx_map *dirty = bx_map_new(NULL);
    struct bx_str name;
    int rc = find_dirty(m, dirty, err);
    while (!rc && bx_str_split(&changed, '\0', &name))
        if (name.n && bx_map_get(dirty, name) && m->answer->conflicts.n < CONFLICTS_MAX)
            bx_vec_push(&m->answer->conflicts, bx_str_dup(name));
    if (!rc && m->answer->conflicts.n)
        rc = refuse(m, bx_strdup("these files have changes that are not committed, which the merge "
                                 "would overwrite; nothing was "
                                 "merged: commit or stash them, then merge again"));
    return rc;
}

/* A filter (Git LFS) is a program, and none is run here: the files would come out as they are in
 * the repository. */
static int check_filters(struct merge *m, struct bx_str changed, struct bx_err *err) {
    struct bx_repo_call call = target_call(m);
    struct bx_git_result result = {0};
    call.argv = BX_ARGV("check-attr", "-z", "--stdin", "filter");
    call.input = changed;
    int rc = bx_repo_must(m->w, &call, &result, err);
    struct bx_str rest = bx_buf_str(&result.out), path, attribute, value;
    while (!rc && bx_str_split(&rest, '\0', &path) && bx_str_split(&rest, '\0', &attribute) &&
           bx_str_split(&rest, '\0', &value)) {
        if (bx_str_eqz(value, "unspecified") || bx_str_eqz(value, "unset"))
            continue;
        bx_auto(bx_freep) char *hand = by_hand(m);
        rc = refuse(m, bx_asprintf("%.*s goes through the filter %.*s of the repository, and no "
                                   "filter is run here; %s",
                                   (int)BX_MIN(path.n, (size_t)200), path.p,
                                   (int)BX_MIN(value.n, (size_t)40), value.p, hand));
    }
    bx_git_result_deinit(&result);
    return rc;
}

/* ---- into the files ---- */

/* A file below the target's folder goes; no link leads out of it. */
static void remove_file(const struct merge *m, struct bx_str name) {
    bx_auto(bx_freep) char *path = bx_str_dup(name);
    bx_auto(bx_freep) char *folder = bx_path_dir(path);
    bx_auto(bx_fd_close) int top = open(m->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bx_auto(bx_fd_close) int dir =
        top < 0 ? -1 : bx_file_open_beneath(top, folder, O_PATH | O_DIRECTORY);
    if (dir >= 0)
        unlinkat(dir, bx_path_base(path), 0);
}

/* git died in the middle of writing (a full disk, a kill): what it wrote is put back. Before it
 * began none of these files was there or had changes. */
static int put_back(struct merge *m, struct bx_str changed, struct bx_err *err) {
    bx_auto(bx_map_freep) struct bx_map *dirty = bx_map_new(NULL), *added = bx_map_new(NULL);
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(BX_GIT_NAMES_MAX);
    struct bx_str name;
    int rc = find_dirty(m, dirty, err);
    rc = rc ? rc : find_untracked(m, added, err);
    while (!rc && bx_str_split(&changed, '\0', &name)) {
        if (!name.n || !bx_map_get(dirty, name))
            continue;
        if (bx_map_get(added, name)) {
            remove_file(m, name);
        } else {
            bx_buf_adds(&names, name);
            bx_buf_addc(&names, '\0');
        }
    }
    struct bx_repo_call call = target_call(m);
    call.argv = BX_ARGV("checkout-index", "-f", "-z", "--stdin");
    call.input = bx_buf_str(&names);
    return rc || !names.size ? rc : bx_repo_must(m->w, &call, NULL, err);
}

/* A git that was killed leaves its lock; one that found a lock has said so and ended by itself. */
static void drop_lock(const struct merge *m, int status) {
    bx_auto(bx_freep) char *lock = bx_asprintf("%s.lock", m->index);
    if (status > 128)
        unlink(lock);
}

static int move_files(struct merge *m, const char *from, const char *to, struct bx_str changed,
                      struct bx_err *err) {
    struct bx_repo_call call = target_call(m);
    struct bx_git_result result = {0};
    call.argv = BX_ARGV("read-tree", "-m", "-u", from, to);
    int rc = bx_repo_run(m->w, &call, &result, err), status = result.status;
    bx_auto(bx_freep) char *why = bx_asprintf("nothing was merged: git read-tree: %s",
                                              result.said[0] ? result.said : "it was killed");
    bx_git_result_deinit(&result);
    if (!rc && !status)
        return 0;
    drop_lock(m, rc ? 129 : status);
    int back = put_back(m, changed, rc ? NULL : err);
    if (!rc && back)
        return bx_wrap(err, back,
                       "the merge was cut short, and not all of it could be put back: compare git "
                       "status and git diff");
    return rc ? rc : refuse(m, bx_steal(&why));
}

/* read-tree looks at everything before it writes anything. The branch moves last: a crash of ours
 * in between leaves the new files as changes that are not committed. */
static int apply(struct merge *m, struct bx_str changed, struct bx_err *err) {
    bx_auto(bx_freep) char *why = bx_asprintf("merge %s: by boxagnts", m->from->branch);
    int rc = move_files(m, m->head, m->next, changed, err);
    if (rc)
        return rc;
    rc = bx_repo_set_ref(m->w, m->ref, m->next, m->head, why, err);
    if (rc) /* somebody else moved it */
        (void)move_files(m, m->next, m->head, changed, NULL);
    return rc;
}

static int merge_into(struct merge *m, struct bx_err *err) {
    struct bx_git_result changed = {0};
    int rc = make_next(m, err);
    if (rc || !m->next)
        return rc;
    rc = names_of(m,
                  BX_ARGV("diff-tree", "-r", "-z", "--name-only", "--no-renames", m->head, m->next),
                  &changed, err);
    rc = rc ? rc : check_dirty(m, bx_buf_str(&changed.out), err);
    rc = rc ? rc : check_filters(m, bx_buf_str(&changed.out), err);
    rc = rc ? rc : apply(m, bx_buf_str(&changed.out), err);
    bx_git_result_deinit(&changed);
    if (!rc && m->other.id[0]) {
        bx_free(m->other.tip);
        m->other.tip = bx_strdup(m->next);
        rc = bx_record_write(m->w, &m->other, err);
    }
    return rc;
}

/* One merge at a time in a workspace. */
static int lock_merges(struct bx_worktrees *w, int *ret, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(w->dir, "merge.lock");
    bx_auto(bx_fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    uint64_t until = bx_mono_ms() + LOCK_PATIENCE_MS;
    if (fd < 0)
        return bx_fail_errno(err, errno, "%s", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (bx_mono_ms() >= until)
            return bx_fail(err, BX_ERR_BUSY, "another merge takes very long; try again");
        bx_cancel_sleep(NULL, 20);
    }
    *ret = fd;
    fd = -1;
    return 0;
}

static int drop_folder(struct bx_worktrees *w, const struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *index = bx_record_path(w, t->id, "git/index");
    unlink(index);
    return bx_dir_remove(t->path, err);
}

/* Its branch is part of the other one now, so its name says nothing any more. */
static int close_merged(struct merge *m, struct bx_err *err) {
    bx_auto(bx_freep) char *ref = bx_asprintf("refs/heads/%s", m->from->branch);
    bool had_folder = bx_record_has_folder(m->from);
    (void)bx_repo_set_ref(m->w, ref, NULL, m->from->tip, "",
                          NULL); /* moved by somebody: it stays */
    m->from->state = m->answer->state = BX_WORKTREE_MERGED;
    int rc = bx_record_write(m->w, m->from, err);
    return rc || !had_folder ? rc : drop_folder(m->w, m->from, err);
}

static int rest(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    if (t->state == BX_WORKTREE_ACTIVE)
        return bx_fail(err, BX_ERR_BUSY,
                       "the executor of the worktree %s is at work: wait for its end, or stop it",
                       t->id);
    if (!bx_record_has_folder(t))
        return 0;
    return bx_commit_all(w, t, err); /* what a person changed in the folder meanwhile */
}

static int merge_open(struct merge *m, struct bx_err *err) {
    bx_auto(bx_record_unlock) int merges = -1, other = -1;
    int rc = lock_merges(m->w, &merges, err);
    rc = rc ? rc : rest(m->w, m->from, err);
    if (!rc)
        rc = strncmp(m->from->into, "boxagnts/", 9) ? target_root(m, err)
                                                    : target_worktree(m, &other, err);
    rc = rc ? rc : merge_into(m, err);
    if (rc == 0)
        return close_merged(m, err);
    if (rc < 0)
        return rc;
    m->from->state = m->answer->state == BX_WORKTREE_CONFLICT && bx_record_has_folder(m->from)
                         ? BX_WORKTREE_CONFLICT
                         : m->from->state;
    m->answer->state = m->from->state;
    bx_free(m->from->problem);
    m->from->problem = bx_strdup(m->answer->problem);
    return bx_record_write(m->w, m->from, err);
}

int bx_worktree_merge(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret,
                      struct bx_err *err) {
    struct bx_worktree t = {0};
    struct merge m = {.w = w, .from = &t, .answer = ret};
    bx_auto(bx_record_unlock) int lock = -1;
    *ret = (struct bx_worktree_answer){0};
    int rc = bx_repo_check(w, err);
    rc = rc ? rc : bx_record_open(w, id, &t, &lock, err);
    if (!rc) {
        ret->state = t.state;
        rc = t.state == BX_WORKTREE_MERGED ? 0 : merge_open(&m, err);
    }
    merge_deinit(&m);
    bx_worktree_deinit(&t);
    if (rc)
        bx_worktree_answer_deinit(ret);
    return rc;
}

int bx_worktree_keep(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret,
                     struct bx_err *err) {
    struct bx_worktree t = {0};
    bx_auto(bx_record_unlock) int lock = -1;
    *ret = (struct bx_worktree_answer){0};
    int rc = bx_record_open(w, id, &t, &lock, err);
    rc = rc ? rc : rest(w, &t, err);
    if (!rc && bx_record_has_folder(&t)) {
        t.state = BX_WORKTREE_KEPT;
        rc = bx_record_write(w, &t, err);
        rc = rc ? rc : drop_folder(w, &t, err);
    }
    ret->state = t.state;
    bx_worktree_deinit(&t);
    return rc;
}
