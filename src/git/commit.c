#include "base/file.h"
#include "git/internal.h"

/* Paths with changes, each with a NUL behind; a name with a slash at its end is a folder that holds
 * a repository of its own, which is not taken: git would only note which commit it is at. */
static void keep_files(struct bx_str names, struct bx_buf *out, struct bx_buf *left_out) {
    struct bx_str name;
    while (bx_str_split(&names, '\0', &name)) {
        if (!name.n)
            continue;
        if (!bx_str_ends(name, "/")) {
            bx_buf_adds(out, name);
            bx_buf_addc(out, '\0');
        } else if (left_out->size + name.n + 2 < left_out->max) {
            bx_buf_addf(left_out, "%s" BX_STR_FMT, left_out->size ? ", " : "", BX_STR_ARG(name));
        }
    }
}

int bx_stage(struct bx_worktrees *w, const struct bx_worktree *t, char **ret_tree,
             char **ret_left_out, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf files = BX_BUF_INIT(BX_GIT_NAMES_MAX),
                                         left_out = BX_BUF_INIT(200);
    struct bx_git_result names = {0};
    *ret_tree = *ret_left_out = NULL;
    int rc = bx_repo_must(w,
                          &(struct bx_repo_call){.id = t->id,
                                                 .argv = BX_ARGV("ls-files", "-z", "-m", "-d", "-o",
                                                                 "--exclude-standard"),
                                                 .output_max_bytes = BX_GIT_NAMES_MAX,
                                                 .timeout_ms = BX_GIT_SLOW_MS},
                          &names, err);
    if (!rc)
        keep_files(bx_buf_str(&names.out), &files, &left_out);
    bx_git_result_deinit(&names);
    if (!rc && files.size)
        rc =
            bx_repo_must(w,
                         &(struct bx_repo_call){.id = t->id,
                                                .argv = BX_ARGV("update-index", "--add", "--remove",
                                                                "--replace", "-z", "--stdin"),
                                                .input = bx_buf_str(&files),
                                                .timeout_ms = BX_GIT_SLOW_MS},
                         NULL, err);
    rc = rc ? rc : bx_repo_line(w, t->id, BX_ARGV("write-tree"), ret_tree, err);
    if (!rc && !*ret_tree)
        rc = bx_fail(err, BX_ERR_IO, "git write-tree failed");
    if (!rc && left_out.size)
        *ret_left_out = bx_buf_steal(&left_out);
    return rc;
}

/* " 3 files changed, 10 insertions(+), 2 deletions(-)" */
static void read_stat(struct bx_str text, struct bx_worktree *t) {
    struct bx_str part;
    t->files = t->insertions = t->deletions = 0;
    while (bx_str_split(&text, ',', &part)) {
        uint64_t n = 0;
        part = bx_str_trim(part);
        size_t blank = bx_str_find(part, ' ');
        if (!bx_str_to_u64(bx_str_slice(part, 0, blank), &n))
            continue;
        struct bx_str what = bx_str_slice(part, blank + 1, part.n);
        if (bx_str_starts(what, "file"))
            t->files = n;
        else if (bx_str_starts(what, "ins"))
            t->insertions = n;
        else
            t->deletions = n;
    }
}

static int count(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *stat = NULL;
    int rc = bx_repo_line(w, t->id,
                          BX_ARGV("diff-tree", "-r", "--shortstat", "--no-ext-diff",
                                  "--no-textconv", t->base, t->tip),
                          &stat, err);
    if (!rc)
        read_stat(bx_str(stat), t);
    return rc;
}

static int commit(struct bx_worktrees *w, struct bx_worktree *t, const char *tree,
                  struct bx_err *err) {
    bx_auto(bx_freep) char *text =
        bx_asprintf("Work of an executor of BoxAgnts\n\nExecutor: %s\n", t->executor);
    bx_auto(bx_freep) char *ref = bx_asprintf("refs/heads/%s", t->branch);
    bx_auto(bx_freep) char *made = NULL;
    int rc =
        bx_repo_line(w, t->id, BX_ARGV("commit-tree", tree, "-p", t->tip, "-m", text), &made, err);
    if (!rc && !made)
        rc = bx_fail(err, BX_ERR_IO, "git commit-tree failed");
    rc = rc ? rc : bx_repo_set_ref(w, ref, made, t->tip, "boxagnts: an executor's work", err);
    if (rc)
        return bx_wrap(err, rc,
                       "the work of the worktree %s was not committed (its files are in %s)", t->id,
                       t->path);
    bx_free(t->tip);
    t->tip = bx_steal(&made);
    return 0;
}

int bx_commit_all(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *tree = NULL;
    bx_auto(bx_freep) char *left_out = NULL;
    bx_auto(bx_freep) char *before = NULL;
    bx_auto(bx_freep) char *name = bx_asprintf("%s^{tree}", t->tip);
    int rc = bx_stage(w, t, &tree, &left_out, err);
    rc = rc ? rc
            : bx_repo_line(w, t->id, BX_ARGV("rev-parse", "-q", "--verify", name), &before, err);
    if (!rc && (!before || strcmp(before, tree)))
        rc = commit(w, t, tree, err);
    rc = rc ? rc : count(w, t, err);
    bx_free(t->problem);
    t->problem =
        left_out ? bx_asprintf("left out, because each is a repository of its own: %s", left_out)
                 : NULL;
    return rc;
}
