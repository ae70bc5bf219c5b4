/* tools/guard.h: files that the user's own programs run or obey stay as they were, whatever a program in the box does.
 *
 * Any thread, around one call that may run programs and write. bx_guard_keep copies the guarded files of the writable
 * mounts, bx_guard_restore puts them back, takes out those that are new, and says which. No link is ever followed.
 * Within reason: guarded names in folders down to BX_GUARD_DEPTH below a mount, the first BX_GUARD_DIRS folders; of a .git its config,
 * hooks and info; files up to BX_GUARD_FILE_MAX (larger ones are not kept: a change of one is not seen), at most
 * BX_GUARD_ENTRIES of them. What the user changes there in the meantime is put back too. */
#ifndef BX_TOOLS_GUARD_H
#define BX_TOOLS_GUARD_H

#include <sys/types.h>

#include "base/vec.h"
#include "tools/tool.h"

#define BX_GUARD_DEPTH    4
#define BX_GUARD_DIRS     512
#define BX_GUARD_ENTRIES  1000
#define BX_GUARD_FILE_MAX (256 * BX_KIB)

struct bx_guarded_file {
    char *guest; /* path as the tool names it */
    char *text;  /* content, or where a link leads; NULL: a folder, or something else that is only named */
    size_t size;
    mode_t mode;
};
struct bx_guard {
    BX_VEC(struct bx_guarded_file) files; /* parents before what is in them */
};
void bx_guard_keep(struct bx_guard *g, const struct bx_grant *grant);
/* ret_paths: JSON array of what was put back or taken out, NULL = nothing; the caller's. grants may be NULL. */
void bx_guard_restore(struct bx_guard *g, const struct bx_grant *grant, const struct bx_tool_grants *grants, char **ret_paths);
void bx_guard_deinit(struct bx_guard *g);

#endif
