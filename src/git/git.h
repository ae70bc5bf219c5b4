/* git/git.h: the user's git, by argv, one call at a time, behind a wall.
 *
 * Any thread; blocks until git has ended. What it reads (the repository's configuration, attributes, hooks, an index, files of
 * a worktree) may have been written by a guest or come with a clone, so git is never trusted with it: every call is a child
 * that first puts up a wall and then becomes git. Behind it git can start no other process (no hook, no filter, no pager, no
 * helper), make no socket, reach no file but those named for the call, and run no file but git itself; of root's powers it has
 * those over files of other owners only. Where the kernel has no such wall there is no git: BX_ERR_UNAVAILABLE. Hooks are off
 * besides, there is no configuration of the user or the system, nothing is asked, and the environment is ours. */
#ifndef BX_GIT_GIT_H
#define BX_GIT_GIT_H

#include "base/cancel.h"

/* The first argument of the child; whoever owns main() must look for it:
 *     if (argc > 1 && strcmp(argv[1], BX_GIT_CHILD_ARG) == 0) return bx_git_child_main(argc, argv); */
#define BX_GIT_CHILD_ARG "--git-child"
int bx_git_child_main(int argc, char **argv);

#define BX_GIT_VERSION_MIN "2.38" /* merge-tree --write-tree */

struct bx_git {
    char *path;        /* of the program, without links */
    char *loader;      /* the program that loads it (its ELF interpreter), or NULL */
    char version[24];  /* "2.39.5" */
};
/* The first git of PATH that is a program (no script) and lies below none of the folders `not_below` (NULL ends them; may be
 * NULL): a project brings no git of its own. Runs it once for its version. BX_ERR_NOTFOUND, BX_ERR_UNAVAILABLE (too old, no
 * wall), each with what to do. */
int bx_git_find(const char *const *not_below, struct bx_git **ret, struct bx_err *err);
void bx_git_free(struct bx_git *g);
BX_DEFINE_AUTO(struct bx_git, bx_git_free)

/* What a call may reach. `base` NULL: path is absolute. Else path is relative to base and resolved there by the kernel: no
 * link leads out of it. */
struct bx_git_reach {
    const char *base, *path;
    bool writable;
    bool optional; /* fine when it is not there */
};
struct bx_git_call {
    const struct bx_git *git;
    const struct bx_git_reach *reach;
    size_t reach_count;
    const char *git_dir, *work_tree, *objects, *index, *shallow; /* GIT_DIR …; NULL = not said */
    const char *const *argv; /* without "git"; NULL ended */
    struct bx_str input;     /* on standard input */
    size_t output_max_bytes; /* 0 = 8 MiB */
    uint64_t timeout_ms;     /* 0 = 60 s */
    struct bx_cancel *cancel;
};
struct bx_git_result {
    int status;      /* exit code */
    struct bx_buf out;
    bool cut;        /* there was more output than the maximum: git was stopped there */
    char said[300];  /* the first line of standard error without "fatal: ", "" = nothing */
};
/* 0: it ran, whatever its status. BX_ERR_UNAVAILABLE: no wall. BX_ERR_TIMEOUT, BX_ERR_CANCELLED, BX_ERR_IO. */
int bx_git_run(const struct bx_git_call *call, struct bx_git_result *ret, struct bx_err *err);
void bx_git_result_deinit(struct bx_git_result *r);

#endif
