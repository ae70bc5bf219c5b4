/* git/worktree.h: worktrees: copies of the root on branches of their own, for executors that work side by side.
 *
 * Any thread and any process of the workspace; all is on the disk, and a call that changes one worktree holds its lock (another
 * one meanwhile: BX_ERR_BUSY). Calls block for as long as git takes.
 *
 *   <state>/worktrees/<id>/tree             the files: an executor's root. There is no .git in it
 *   <state>/worktrees/<id>/git              index and configuration, which no guest sees
 *   <state>/worktrees/<id>/worktree.json    what this header says
 *
 * The branch `boxagnts/<id>` and the commits are in the root's repository, from the start. The root's own configuration is
 * never what git works with on files: of it a few harmless values are taken over (file modes, line ends, the kind of object
 * names), so nothing in it or in a worktree (filters, drivers, monitors, hooks) has an effect; on top of git's wall (git.h).
 * Files that go through a filter (Git LFS) are in a worktree as they are in the repository.
 *
 * From HEAD, or from another worktree as it is at that moment. Changes of the root that are not committed are not in it;
 * `uncommitted` counts them. */
#ifndef BX_GIT_WORKTREE_H
#define BX_GIT_WORKTREE_H

#include "base/cancel.h"
#include "base/vec.h"
#include "json/write.h"

struct bx_worktrees;

/* root, state: host folders. Makes nothing and runs nothing: git is looked for when it is first needed. */
struct bx_worktrees *bx_worktrees_new(const char *root, const char *state);
void bx_worktrees_free(struct bx_worktrees *w);
BX_DEFINE_AUTO(struct bx_worktrees, bx_worktrees_free)

enum bx_worktree_state {
    BX_WORKTREE_ACTIVE,   /* its executor is at work */
    BX_WORKTREE_FINISHED, /* committed on its branch, to be decided upon */
    BX_WORKTREE_CONFLICT, /* as finished; the last merge found a conflict and changed nothing */
    BX_WORKTREE_DEAD,     /* as finished; the program ended before its executor did */
    BX_WORKTREE_MERGED,   /* its branch is in the other one and gone; so is the folder */
    BX_WORKTREE_KEPT,     /* the branch stays, the folder is gone */
    BX_WORKTREE_DISCARDED /* in an answer only: nothing of it is left */
};
const char *bx_worktree_state_name(enum bx_worktree_state state); /* "active" … */

struct bx_worktree {
    char id[13];       /* 12 hex digits */
    char executor[37]; /* session id, or "" */
    char *branch;      /* "boxagnts/<id>" */
    char *base;        /* commit that it began from */
    char *tip;         /* of the branch; the base while nothing is committed */
    char *into;        /* what a merge goes into: the root's branch at the start, or the branch of the worktree it is from */
    char *path;        /* host folder of the files; not there any more when merged or kept */
    enum bx_worktree_state state;
    int64_t created_at_ms;
    uint64_t files, insertions, deletions; /* base to tip */
    uint64_t uncommitted;                  /* files of the root with changes that are not in it, at the start */
    char *problem;                         /* what went wrong or was left out, or NULL */
};
void bx_worktree_deinit(struct bx_worktree *t);
/* {"id","executor","branch","base","tip","into","path","state","created_at","files","insertions","deletions","uncommitted",
 * "problem"?}; executor: null where there is none. */
void bx_worktree_write(const struct bx_worktree *t, struct bx_jw *w);

/* Can there be worktrees of this root? BX_ERR_INVALID (no repository, no commit, bare, inside another one, a linked one, …),
 * BX_ERR_NOTFOUND or BX_ERR_UNAVAILABLE (git): each says what to do. */
int bx_worktrees_check(struct bx_worktrees *w, struct bx_err *err);
/* Path and version of git, for doctor; views, "" where there is none, which *err says why. */
int bx_worktrees_git(struct bx_worktrees *w, const char **ret_path, const char **ret_version, struct bx_err *err);

/* A new one, active. from: id or executor of the worktree that it begins from (what is in that one is committed there), NULL:
 * the root. ret may be NULL. */
int bx_worktree_add(struct bx_worktrees *w, const char *executor, const char *from, struct bx_cancel *cancel,
                    struct bx_worktree *ret, struct bx_err *err);
/* The executor has ended: all that is there goes into a commit on the branch (nothing changed: none). Waits for a call that
 * is at work on it: a look at its changes must not cost the executor its commit. ret may be NULL. */
int bx_worktree_finish(struct bx_worktrees *w, const char *id, struct bx_worktree *ret, struct bx_err *err);
/* The executor goes on (a message to one that has ended). BX_ERR_INVALID: the folder is gone. */
int bx_worktree_resume(struct bx_worktrees *w, const char *id, struct bx_worktree *ret, struct bx_err *err);

/* id everywhere: the worktree's, its branch, or its executor's. BX_ERR_NOTFOUND. */
int bx_worktree_get(struct bx_worktrees *w, const char *id, struct bx_worktree *ret, struct bx_err *err);
struct bx_worktree_list {
    struct bx_worktree *items; /* newest first */
    size_t n;
};
int bx_worktree_all(struct bx_worktrees *w, struct bx_worktree_list *ret, struct bx_err *err);
void bx_worktree_list_deinit(struct bx_worktree_list *list);
/* Of an active one: files, insertions and deletions as they are by now; of any other nothing changes. Takes no lock and writes nothing, so
 * the executor is not in its way. Counted again at the earliest after a second and after twenty times what it took; new files are
 * counted as far as LOOK_FILES and LOOK_BYTES of look.c go. What cannot be counted stays as it was. */
void bx_worktree_look(struct bx_worktrees *w, struct bx_worktree *t);
/* What is different from the base, as a patch; of an active one as it is now. *ret_cut: there is more than the buffer takes. */
int bx_worktree_diff(struct bx_worktrees *w, const char *id, struct bx_buf *out, bool *ret_cut, struct bx_err *err);

struct bx_worktree_answer {
    enum bx_worktree_state state;
    BX_VEC(char *) conflicts; /* paths that both sides changed, or that have changes which are not committed */
    char *problem;            /* why it was not merged, with what to do; or NULL */
};
/* {"state","conflicts","problem"?} */
void bx_worktree_answer_write(const struct bx_worktree_answer *a, struct bx_jw *w);
void bx_worktree_answer_deinit(struct bx_worktree_answer *a);
/* Into the branch that is checked out in the root (or the worktree that it is from), all of it or nothing: a conflict, or a
 * file there with changes that are not committed, is an answer. BX_ERR_BUSY while the executor is at work. */
int bx_worktree_merge(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret, struct bx_err *err);
int bx_worktree_keep(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret, struct bx_err *err);
/* Branch, folder and record go. ret may be NULL. */
int bx_worktree_discard(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret, struct bx_err *err);

/* Once at the start of a server, when no executor is at work: those that were active and hold no change go, the others are
 * committed and dead; but for those whose executor (never "") goes on. goes_on NULL: none does. */
int bx_worktrees_recover(struct bx_worktrees *w, bool (*goes_on)(void *user, const char *executor), void *user, size_t *ret_dead,
                         struct bx_err *err);
/* Records of merged and kept ones, dead ones without a change, and folders that nothing speaks of. How many went. */
int bx_worktrees_clean(struct bx_worktrees *w, size_t *ret_count, struct bx_err *err);

#endif
