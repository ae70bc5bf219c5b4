/* tools/paths.h: from what a model writes as a path to the path that a guest uses.
 *
 * Any thread. `/x`, `x` and the host's path of a file below a mount all mean the same file. These functions judge names;
 * that a guest cannot leave its mounts whatever the names is the business of WASI and of the second wall. */
#ifndef BX_TOOLS_PATHS_H
#define BX_TOOLS_PATHS_H

#include "base/arena.h"
#include "box/grant.h"

/* Guest path, normal and absolute. *ret_outside: `..` leads above the root, or the name cannot be a path; the returned
 * path is then what stays inside and good for messages only. */
const char *bx_guest_path(const struct bx_grant *grant, struct bx_str path, struct bx_arena *arena, bool *ret_outside);

/* The same path with the links resolved that are on the disk now. NULL: it leads outside of its mount, or to a link that
 * leads nowhere. */
const char *bx_guest_path_real(const struct bx_grant *grant, const char *guest, struct bx_arena *arena);

/* Files that the user's own programs run or obey: the part of the path that is one of them, e.g. ".git", or NULL. At any
 * depth; letter case does not matter. */
const char *bx_guarded_part(const char *guest);
/* The same with what the settings add (bx_grant.guarded_paths). */
bool bx_is_guarded(const struct bx_grant *grant, const char *guest);
/* The built-in names, NULL ended. */
extern const char *const bx_guarded_names[];

#endif
