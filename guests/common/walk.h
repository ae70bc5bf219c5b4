#ifndef BX_GUEST_WALK_H
#define BX_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The files below a folder, in the order of their names. Leaves out .git and what .gitignore files
 * leave out (those above the start count too; the start itself is always entered). Symbolic links
 * are reported and never followed, so there are no loops. Pipes, sockets and devices are left out.
 *
 * Memory: the names of one folder for each level.
 */
enum bx_walk_kind {
    BX_WALK_FILE,
    BX_WALK_LINK,
    BX_WALK_DIR,     /* return false: not entered */
    BX_WALK_IGNORED, /* a file that is left out; the result does not matter */
};

struct bx_walk {
    /* Called for each; sets is_stopped to end the walk. */
    bool (*visit)(struct bx_walk *walk, const char *path, enum bx_walk_kind kind);
    void *user;
    bool is_stopped;
    size_t n_unreadable; /* folders that could not be listed, or not wholly */
    size_t n_too_deep;   /* folders below the 200th level */
    size_t n_ignored;    /* files and folders left out */
};

/* Returns false and sets errno when the start cannot be listed. */
bool bx_walk_run(struct bx_walk *walk, const char *start);

#endif
