/* git/internal.h: what the files of this room share. */
#ifndef BX_GIT_INTERNAL_H
#define BX_GIT_INTERNAL_H

#include "base/map.h"
#include "base/thread.h"
#include "git/git.h"
#include "git/worktree.h"

#define BX_GIT_NO_WALL 125 /* exit code of the child that did not become git */

/* child_linux.c: the wall of this process, by rules of three strings each (KIND BASE PATH). */
int bx_git_wall(char **rules, char **end, struct bx_err *err);

#define BX_GIT_SLOW_MS    (10 * 60 * 1000) /* calls that write many files */
#define BX_GIT_NAMES_MAX  (64 * BX_MIB)    /* lists of paths */

struct bx_worktrees {
    char *root, *dir; /* dir: <state>/worktrees */
    pthread_mutex_t lock; /* of the two below */
    struct bx_git *git;
    struct bx_map *looks; /* look.c: id -> what was counted of an active one */
};

/* ---- repo.c: calls on the root's repository and on a worktree's own ---- */
int bx_worktrees_need_git(struct bx_worktrees *w, const struct bx_git **ret, struct bx_err *err);

/* One call and how it ended. Every argument list begins with the sub-command and ends with NULL. */
struct bx_repo_call {
    const char *const *argv;
    const char *id;      /* a worktree's own repository; NULL: the root's, where no file of the root is looked at */
    const char *work_tree, *index; /* others than the worktree's own; NULL */
    bool root_readable, root_writable; /* the files of the root, too */
    const char *other;   /* id of another worktree whose files and index may be changed, or NULL */
    struct bx_str input;
    size_t output_max_bytes;
    uint64_t timeout_ms;
    struct bx_cancel *cancel;
};
int bx_repo_run(struct bx_worktrees *w, const struct bx_repo_call *call, struct bx_git_result *ret, struct bx_err *err);
/* The same, and a status other than 0 is BX_ERR_IO with what git said. ret may be NULL. */
int bx_repo_must(struct bx_worktrees *w, const struct bx_repo_call *call, struct bx_git_result *ret, struct bx_err *err);
/* One line of output, the caller's; *ret NULL: status 1 (no such thing). */
int bx_repo_line(struct bx_worktrees *w, const char *id, const char *const *argv, char **ret, struct bx_err *err);
#define BX_ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The root's commit and branch ("refs/heads/main", NULL: detached). Both the caller's. */
int bx_repo_head(struct bx_worktrees *w, char **ret_commit, char **ret_branch, struct bx_err *err);
int bx_repo_check(struct bx_worktrees *w, struct bx_err *err);
/* A value of the root's configuration; the caller's, NULL: not set. */
int bx_repo_setting(struct bx_worktrees *w, const char *name, char **ret, struct bx_err *err);
/* A worktree's own repository in its new folder. */
int bx_repo_make(struct bx_worktrees *w, const char *id, struct bx_err *err);
int bx_repo_set_ref(struct bx_worktrees *w, const char *ref, const char *to, const char *from, const char *why,
                    struct bx_err *err); /* to NULL: goes; from "" : must not be there */

/* ---- record.c: worktree.json, and one call at a time on a worktree ---- */
char *bx_record_dir(const struct bx_worktrees *w, const char *id);
char *bx_record_path(const struct bx_worktrees *w, const char *id, const char *name);
int bx_record_read(struct bx_worktrees *w, const char *id, struct bx_worktree *ret, struct bx_err *err);
int bx_record_write(struct bx_worktrees *w, const struct bx_worktree *t, struct bx_err *err);
/* The id of a worktree from its id, branch or executor. */
int bx_record_find(struct bx_worktrees *w, const char *name, char ret[static 13], struct bx_err *err);
/* Also while another thread is starting a child, which has the descriptor for a moment. -1 is fine; for bx_auto. */
void bx_record_unlock(int *fd);
/* wait: for whoever holds it, else BX_ERR_BUSY. */
int bx_record_lock(struct bx_worktrees *w, const char *id, bool wait, int *ret_fd, struct bx_err *err);
/* Finds, locks, reads. */
int bx_record_open(struct bx_worktrees *w, const char *name, struct bx_worktree *ret, int *ret_fd, struct bx_err *err);
int bx_record_open_waiting(struct bx_worktrees *w, const char *name, struct bx_worktree *ret, int *ret_fd, struct bx_err *err);
bool bx_record_has_folder(const struct bx_worktree *t);

/* ---- commit.c ---- */
/* All files as they are into a tree; *ret_left_out: "x/, y/" that could not be taken, or NULL. Both the caller's. */
int bx_stage(struct bx_worktrees *w, const struct bx_worktree *t, char **ret_tree, char **ret_left_out, struct bx_err *err);
/* Stages and commits what is different, moves the branch, counts. The caller writes the record. */
int bx_commit_all(struct bx_worktrees *w, struct bx_worktree *t, struct bx_err *err);
/* What --shortstat says, "" when nothing changed. */
void bx_read_shortstat(struct bx_str text, uint64_t *ret_files, uint64_t *ret_insertions, uint64_t *ret_deletions);

#endif
