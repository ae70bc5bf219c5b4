#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "git/internal.h"

struct changes {
    int tree;                  /* folder of the files */
    struct bx_buf there, gone; /* paths, each with a NUL behind */
    struct bx_buf left_out;    /* for people */
};

static void add_name(struct bx_buf *b, struct bx_str name) {
    bx_buf_adds(b, name);
    bx_buf_addc(b, '\0');
}

static bool is_repository(int tree, struct bx_str folder) {
    bx_auto(bx_freep) char *git = bx_asprintf(BX_STR_FMT "/.git", BX_STR_ARG(folder));
    bx_auto(bx_fd_close) int fd = bx_file_open_without_links(tree, git, O_PATH | O_NOFOLLOW);
    return fd >= 0;
}

/* A folder that holds a repository of its own is not taken: git would only note which commit it is
 * at. A path that is a folder now, or lies behind a link, is no file any more. */
static void sort_name(struct changes *c, struct bx_str name) {
    bx_auto(bx_freep) char *path = bx_str_dup(name);
    bx_auto(bx_fd_close) int fd = bx_file_open_without_links(c->tree, path, O_PATH | O_NOFOLLOW);
    struct stat st;
    bool there = fd >= 0 && fstat(fd, &st) == 0, folder = there && S_ISDIR(st.st_mode);
    if (bx_str_ends(name, "/") || (folder && is_repository(c->tree, name))) {
        if (c->left_out.size + name.n + 2 < c->left_out.max)
            bx_buf_addf(&c->left_out, "%s" BX_STR_FMT, c->left_out.size ? ", " : "",
                        BX_STR_ARG(name));
        return;
    }
    add_name(there && !folder ? &c->there : &c->gone, name);
}

static int find_changes(struct bx_worktrees *w, const struct bx_worktree *t, struct changes *c,
                        struct bx_err *err) {
    struct bx_git_result names = {0};
    int rc = bx_repo_must(w,
                          &(struct bx_repo_call){.id = t->id,
                                                 .argv = BX_ARGV("ls-files", "-z", "-m", "-d", "-o",
                                                                 "--exclude-standard"),
                                                 .output_max_bytes = BX_GIT_NAMES_MAX,
                                                 .timeout_ms = BX_GIT_SLOW_MS},
                          &names, err);
    struct bx_str rest = bx_buf_str(&names.out), name;
    while (!rc && bx_str_split(&rest, '\0', &name))
        if (name.n)
            sort_name(c, name);
    bx_git_result_deinit(&names);
    return rc;
}

static int update_index(struct bx_worktrees *w, const struct bx_worktree *t,
                        const char *const *argv, const struct bx_buf *names, struct bx_err *err) {
    struct bx_repo_call call = {
        .id = t->id, .argv = argv, .input = bx_buf_str(names), .timeout_ms = BX_GIT_SLOW_MS};
    return names->size ? bx_repo_must(w, &call, NULL, err) : 0;
}

int bx_stage(struct bx_worktrees *w, const struct bx_worktree *t, char **ret_tree,
             char **ret_left_out, struct bx_err *err) {
    struct changes c = {.tree = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC),
                        .there = BX_BUF_INIT(BX_GIT_NAMES_MAX),
                        .gone = BX_BUF_INIT(BX_GIT_NAMES_MAX),
                        .left_out = BX_BUF_INIT(200)};
    *ret_tree = *ret_left_out = NULL;
    int rc = c.tree < 0 ? bx_fail_errno(err, errno, "%s", t->path) : find_changes(w, t, &c, err);
    rc = rc ? rc
            : update_index(w, t, BX_ARGV("update-index", "--force-remove", "-z", "--stdin"),
                           &c.gone, err);
    rc = rc ? rc
            : update_index(
                  w, t, BX_ARGV("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
                  &c.there, err);
    rc = rc ? rc : bx_repo_line(w, t->id, BX_ARGV("write-tree"), ret_tree, err);
    if (!rc && !*ret_tree)
        rc = bx_fail(err, BX_ERR_IO, "git write-tree failed");
    if (!rc && c.left_out.size)
        *ret_left_out = bx_buf_steal(&c.left_out);
    bx_fd_close(&c.tree);
    bx_buf_deinit(&c.there);
    bx_buf_deinit(&c.gone);
    bx_buf_deinit(&c.left_out);
    return rc;
}

/* " 3 files changed, 10 insertions(+), 2 deletions(-)" */
void bx_read_shortstat(struct bx_str text, uint64_t *ret_files, uint64_t *ret_insertions,
                       uint64_t *ret_deletions) {
    struct bx_str part;
    *ret_files = *ret_insertions = *ret_deletions = 0;
    while (bx_str_split(&text, ',', &part)) {
        uint64_t n = 0;
        part = bx_str_trim(part);
        size_t blank = bx_str_find(part, ' ');
        if (!bx_str_to_u64(bx_str_slice(part, 0, blank), &n))
            continue;
        struct bx_str what = bx_str_slice(part, blank + 1, part.n);
        if (bx_str_starts(what, "file"))
            *ret_files = n;
        else if (bx_str_starts(what, "ins"))
            *ret_insertions = n;
        else
            *ret_deletions = n;
    }
}

static int count(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *stat = NULL;
    int rc = bx_repo_line(w, t->id,
                          BX_ARGV("diff-tree", "-r", "--shortstat", "--no-ext-diff",
                                  "--no-textconv", t->base, t->tip),
                          &stat, err);
    if (!rc)
        bx_read_shortstat(bx_str(stat), &t->files, &t->insertions, &t->deletions);
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
