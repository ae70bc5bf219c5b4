/* tools/mounts.h: further folders for tools, from the command line (--mount) and from settings.json (map_dirs, work_dir).
 *
 * Any thread; looks at the disk. A folder that holds the state, or lies in it, is refused: tools would change their own
 * rules. */
#ifndef BX_TOOLS_MOUNTS_H
#define BX_TOOLS_MOUNTS_H

#include "base/arena.h"
#include "box/grant.h"

/* "HOST:GUEST", "HOST:GUEST:ro", "HOST:GUEST:rw" (what nothing says too). ret's two paths are the caller's. BX_ERR_INVALID (the
 * form, / as guest path), BX_ERR_NOTFOUND, BX_ERR_DENIED (not readable). */
int bx_mount_parse(const char *text, struct bx_mount *ret, struct bx_err *err);
/* The folder without links, or a sentence why not. The caller's. */
int bx_mount_dir(const char *path, char **ret, struct bx_err *err);
/* what: "the root", "the folder" … for the message; both without links. */
int bx_mount_check_apart(const char *what, const char *seen, const char *state, struct bx_err *err);

/* The mounts of a call: base (the first is the root) with work_dir in place of the root where it is given (host path, or
 * relative to the root) and map_dirs behind them. state may be NULL: not checked. Arena-owned. Folders that hold each other are
 * refused when the inner one is meant to be read-only inside a writable one. */
struct bx_mounts_wish {
    const struct bx_mount *base;
    size_t base_count;
    const char *work_dir;        /* or NULL */
    const char *const *map_dirs; /* as bx_mount_parse takes them */
    size_t map_count;
    const char *state;
};
int bx_mounts_make(const struct bx_mounts_wish *wish, struct bx_arena *arena, struct bx_mount **ret, size_t *ret_count,
                   struct bx_err *err);

#endif
