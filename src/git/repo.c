#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "git/internal.h"

struct bx_worktrees *bx_worktrees_new(const char *root, const char *state) {
    struct bx_worktrees *w = bx_new(struct bx_worktrees);
    pthread_mutex_init(&w->lock, NULL);
    w->root = bx_strdup(root);
    w->dir = bx_path_join(state, "worktrees");
    w->looks = bx_map_new(bx_free);
    return w;
}

void bx_worktrees_free(struct bx_worktrees *w) {
    if (!w)
        return;
    bx_git_free(w->git);
    bx_map_free(w->looks);
    bx_free(w->root);
    bx_free(w->dir);
    pthread_mutex_destroy(&w->lock);
    bx_free(w);
}

/* Once found it stays; what was not found is looked for again, somebody may have installed it. */
int bx_worktrees_need_git(struct bx_worktrees *w, const struct bx_git **ret, struct bx_err *err) {
    const char *const not_below[] = {w->root, w->dir, NULL};
    struct bx_git *found = NULL;
    {
        BX_LOCKED(&w->lock);
        *ret = w->git;
    }
    if (*ret)
        return 0;
    int rc = bx_git_find(not_below, &found, err);
    if (rc)
        return rc;
    BX_LOCKED(&w->lock);
    if (!w->git)
        w->git = found;
    else
        bx_git_free(found);
    *ret = w->git;
    return 0;
}

int bx_worktrees_git(struct bx_worktrees *w, const char **ret_path, const char **ret_version,
                     struct bx_err *err) {
    const struct bx_git *git;
    int rc = bx_worktrees_need_git(w, &git, err);
    *ret_path = rc ? "" : git->path;
    *ret_version = rc ? "" : git->version;
    return rc;
}

/* ---- calls ---- */

int bx_repo_run(struct bx_worktrees *w, const struct bx_repo_call *call, struct bx_git_result *ret,
                struct bx_err *err) {
    const struct bx_git *git;
    int rc = bx_worktrees_need_git(w, &git, err);
    if (rc)
        return rc;
    bx_auto(bx_freep) char *root_git = bx_path_join(w->root, ".git");
    bx_auto(bx_freep) char *objects = bx_path_join(root_git, "objects");
    bx_auto(bx_freep) char *shallow = bx_path_join(root_git, "shallow");
    bx_auto(bx_freep) char *dir = call->id ? bx_record_dir(w, call->id) : NULL;
    bx_auto(bx_freep) char *own = call->id ? bx_record_path(w, call->id, "git") : NULL;
    bx_auto(bx_freep) char *tree = call->id ? bx_record_path(w, call->id, "tree") : NULL;
    bx_auto(bx_freep) char *other = call->other ? bx_record_dir(w, call->other) : NULL;
    struct bx_git_reach reach[5];
    size_t n = 0;
    if (call->id) {
        reach[n++] = (struct bx_git_reach){.path = dir, .writable = true};
        reach[n++] =
            (struct bx_git_reach){.base = w->root, .path = ".git/objects", .writable = true};
        reach[n++] =
            (struct bx_git_reach){.base = w->root, .path = ".git/shallow", .optional = true};
    } else {
        reach[n++] = (struct bx_git_reach){.base = w->root, .path = ".git", .writable = true};
    }
    if (call->root_readable || call->root_writable)
        reach[n++] = (struct bx_git_reach){.path = w->root, .writable = call->root_writable};
    if (other)
        reach[n++] = (struct bx_git_reach){.path = other, .writable = true};
    bool gone = tree && !call->work_tree && !bx_file_exists(tree);
    struct bx_git_call run = {.git = git,
                              .reach = reach,
                              .reach_count = n,
                              .git_dir = call->id ? own : root_git,
                              .work_tree = call->work_tree ? call->work_tree
                                           : gone          ? dir
                                                           : tree,
                              .objects = call->id ? objects : NULL,
                              .index = call->index,
                              .shallow = call->id ? shallow : NULL,
                              .argv = call->argv,
                              .input = call->input,
                              .output_max_bytes = call->output_max_bytes,
                              .timeout_ms = call->timeout_ms,
                              .cancel = call->cancel};
    return bx_git_run(&run, ret, err);
}

int bx_repo_must(struct bx_worktrees *w, const struct bx_repo_call *call, struct bx_git_result *ret,
                 struct bx_err *err) {
    struct bx_git_result own = {0};
    int rc = bx_repo_run(w, call, &own, err);
    if (!rc && own.cut)
        rc =
            bx_fail(err, BX_ERR_LIMIT, "git %s lists more than can be handled here", call->argv[0]);
    if (!rc && own.status)
        rc = bx_fail(err, BX_ERR_IO, "git %s failed: %s", call->argv[0],
                     own.said[0] ? own.said : "it said nothing");
    if (rc || !ret) {
        bx_git_result_deinit(&own);
        return rc;
    }
    *ret = own;
    return 0;
}

int bx_repo_line(struct bx_worktrees *w, const char *id, const char *const *argv, char **ret,
                 struct bx_err *err) {
    struct bx_git_result result = {0};
    *ret = NULL;
    int rc = bx_repo_run(
        w, &(struct bx_repo_call){.id = id, .argv = argv, .output_max_bytes = 64 * BX_KIB}, &result,
        err);
    if (!rc && result.status > 1)
        rc = bx_fail(err, BX_ERR_IO, "git %s failed: %s", argv[0], result.said);
    if (!rc && result.status == 0)
        *ret = bx_str_dup(bx_str_trim(bx_buf_str(&result.out)));
    bx_git_result_deinit(&result);
    return rc;
}

int bx_repo_head(struct bx_worktrees *w, char **ret_commit, char **ret_branch, struct bx_err *err) {
    *ret_commit = *ret_branch = NULL;
    int rc = bx_repo_line(w, NULL, BX_ARGV("rev-parse", "-q", "--verify", "HEAD^{commit}"),
                          ret_commit, err);
    if (!rc && !*ret_commit)
        rc = bx_fail(err, BX_ERR_INVALID,
                     "the repository has no commit yet, from which a worktree could begin: git "
                     "commit --allow-empty -m start");
    if (!rc)
        rc = bx_repo_line(w, NULL, BX_ARGV("symbolic-ref", "-q", "HEAD"), ret_branch, err);
    if (rc) {
        bx_free(*ret_commit);
        *ret_commit = NULL;
    }
    return rc;
}

int bx_repo_setting(struct bx_worktrees *w, const char *name, char **ret, struct bx_err *err) {
    return bx_repo_line(w, NULL, BX_ARGV("config", "--local", "--includes", "--get", name), ret,
                        err);
}

int bx_repo_set_ref(struct bx_worktrees *w, const char *ref, const char *to, const char *from,
                    const char *why, struct bx_err *err) {
    if (!to)
        return bx_repo_must(
            w, &(struct bx_repo_call){.argv = BX_ARGV("update-ref", "-d", ref, from)}, NULL, err);
    return bx_repo_must(
        w, &(struct bx_repo_call){.argv = BX_ARGV("update-ref", "-m", why, ref, to, from)}, NULL,
        err);
}

/* ---- may there be worktrees? ---- */

static bool is_there(const char *dir, const char *name, mode_t type) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    struct stat st;
    return lstat(path, &st) == 0 && (!type || (st.st_mode & S_IFMT) == type);
}

static int say_no_repository(struct bx_worktrees *w, struct bx_err *err) {
    if (is_there(w->root, "HEAD", S_IFREG) && is_there(w->root, "objects", S_IFDIR) &&
        is_there(w->root, "refs", S_IFDIR))
        return bx_fail(
            err, BX_ERR_INVALID,
            "the root is a bare git repository: clone it, and take the clone as the root");
    bx_auto(bx_freep) char *above = bx_path_dir(w->root);
    while (strcmp(above, "/")) {
        if (is_there(above, ".git", 0))
            return bx_fail(err, BX_ERR_INVALID,
                           "the root is a folder inside the git repository %.200s: start boxagnts "
                           "there, or make the root a "
                           "repository of its own (git init)",
                           above);
        char *next = bx_path_dir(above);
        bx_free(above);
        above = next;
    }
    return bx_fail(
        err, BX_ERR_INVALID,
        "the root is no git repository: git init && git add -A && git commit -m start in %.200s",
        w->root);
}

int bx_repo_check(struct bx_worktrees *w, struct bx_err *err) {
    if (!is_there(w->root, ".git", 0))
        return say_no_repository(w, err);
    if (is_there(w->root, ".git", S_IFREG))
        return bx_fail(err, BX_ERR_INVALID,
                       "the root's .git is a file that points elsewhere (a linked worktree or a "
                       "submodule), which is not followed: "
                       "take a clone as the root");
    if (!is_there(w->root, ".git", S_IFDIR))
        return bx_fail(
            err, BX_ERR_INVALID,
            "the root's .git is a link, which is not followed: take a clone as the root");
    if (is_there(w->root, ".git/objects/info/alternates", 0))
        return bx_fail(err, BX_ERR_INVALID,
                       "the repository borrows objects from another one "
                       "(.git/objects/info/alternates), which is out of reach: git "
                       "repack -a -d, then delete that file");
    bx_auto(bx_freep) char *partial = NULL;
    int rc = bx_repo_setting(w, "extensions.partialClone", &partial, err);
    if (!rc && partial)
        rc = bx_fail(err, BX_ERR_INVALID,
                     "the repository is a partial clone, whose files would have to be fetched: git "
                     "fetch --refetch --no-filter, or "
                     "clone it anew");
    return rc;
}

int bx_worktrees_check(struct bx_worktrees *w, struct bx_err *err) {
    bx_auto(bx_freep) char *commit = NULL;
    bx_auto(bx_freep) char *branch = NULL;
    int rc = bx_repo_check(w, err);
    return rc ? rc : bx_repo_head(w, &commit, &branch, err);
}

/* ---- a worktree's own repository ---- */

/* What decides how files are written, and nothing that names a program or a file. */
static const char taken_over[] =
    "^(core\\.(filemode|symlinks|ignorecase|precomposeunicode|autocrlf|eol|checkstat|trustctime)"
    "|extensions\\.objectformat)$";

static bool plain(struct bx_str value) {
    for (size_t i = 0; i < value.n; i++)
        if (!((value.p[i] >= 'a' && value.p[i] <= 'z') ||
              (value.p[i] >= 'A' && value.p[i] <= 'Z') || (value.p[i] >= '0' && value.p[i] <= '9')))
            return false;
    return value.n <= 16;
}

/* Pairs "section.name\nvalue\0". */
static void write_config(struct bx_str pairs, struct bx_buf *out) {
    struct bx_str pair;
    bool extended = bx_str_find_str(pairs, BX_STR_LIT("extensions.")) != (size_t)-1;
    bx_buf_addf(out, "[core]\n\trepositoryformatversion = %d\n\tbare = false\n", extended);
    while (bx_str_split(&pairs, '\0', &pair)) {
        size_t dot = bx_str_find(pair, '.'), end = bx_str_find(pair, '\n');
        if (dot == (size_t)-1)
            continue;
        end = end == (size_t)-1 ? pair.n : end; /* a name without a value is true */
        struct bx_str section = bx_str_slice(pair, 0, dot),
                      name = bx_str_slice(pair, dot + 1, end - dot - 1),
                      value =
                          end < pair.n ? bx_str_slice(pair, end + 1, pair.n) : BX_STR_LIT("true");
        if (plain(value))
            bx_buf_addf(out, "[" BX_STR_FMT "]\n\t" BX_STR_FMT " = " BX_STR_FMT "\n",
                        BX_STR_ARG(section), BX_STR_ARG(name), BX_STR_ARG(value));
    }
}

/* A file of the root's .git, without following a link out of the root; nothing when it is not
 * there. */
static void add_root_file(struct bx_worktrees *w, const char *name, struct bx_buf *out) {
    bx_auto(bx_fd_close) int root = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bx_auto(bx_fd_close) int fd =
        root < 0 ? -1 : bx_file_open_beneath(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char piece[16384];
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        bx_buf_add(out, piece, (size_t)n);
}

static int put(struct bx_worktrees *w, const char *id, const char *name, struct bx_str text,
               struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_record_path(w, id, name);
    bx_auto(bx_freep) char *dir = bx_path_dir(path);
    int rc = bx_dir_make(dir, 0700, err);
    return rc ? rc : bx_file_write_atomic(path, text, 0600, err);
}

int bx_repo_make(struct bx_worktrees *w, const char *id, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf config = BX_BUF_INIT(BX_MIB),
                                         exclude = BX_BUF_INIT(BX_MIB);
    struct bx_git_result pairs = {0};
    int rc = bx_repo_run(w,
                         &(struct bx_repo_call){.argv = BX_ARGV("config", "--local", "--includes",
                                                                "-z", "--get-regexp", taken_over)},
                         &pairs, err);
    if (!rc && pairs.status > 1)
        rc = bx_fail(err, BX_ERR_INVALID, "the repository's configuration cannot be read: %s",
                     pairs.said);
    if (!rc) {
        write_config(bx_buf_str(&pairs.out), &config);
        if (bx_unwired("git_config"))
            add_root_file(w, ".git/config", &config);
        add_root_file(w, ".git/info/exclude", &exclude);
    }
    bx_git_result_deinit(&pairs);
    static const char *const folders[] = {"tree", "git/refs", "git/info"};
    for (size_t i = 0; i < BX_ARRAY_LEN(folders) && !rc; i++) {
        bx_auto(bx_freep) char *path = bx_record_path(w, id, folders[i]);
        rc = bx_dir_make(path, 0700, err);
    }
    rc = rc ? rc : put(w, id, "git/HEAD", BX_STR_LIT("ref: refs/heads/none\n"), err);
    rc = rc ? rc : put(w, id, "git/config", bx_buf_str(&config), err);
    return rc ? rc : put(w, id, "git/info/exclude", bx_buf_str(&exclude), err);
}
