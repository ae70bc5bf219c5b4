/* agent/project.h: the project's own instructions: AGENTS.md, or CLAUDE.md where a folder has no AGENTS.md.
 *
 * Any thread. The nearest to the work counts most: the root's stands in every request, those of folders below it are told when a
 * call first comes into such a folder, behind the history, so that what stands before them stays the same for prefix caches. No
 * link leads out of the root: a file that no tool may read is not shown here either. */
#ifndef BX_AGENT_PROJECT_H
#define BX_AGENT_PROJECT_H

#include "base/base.h"

#define BX_PROJECT_MAX_BYTES (32 * BX_KIB) /* of one file; a longer one is told as head and tail, and says so */
#define BX_FOLDER_MAX_BYTES  (8 * BX_KIB)  /* of one below the root */
#define BX_FOLDERS_TOLD_MAX  32            /* in one session's context */

/* Text of the file in a folder ("" is the root itself, else "src/api"), at most max_bytes; NULL when there is none. Both are the
 * caller's; ret_file: its name as a guest path. */
char *bx_project_text(const char *root, const char *folder, size_t max_bytes, char **ret_file);
/* Reads a file below the root by the kernel's own resolution, as valid UTF-8 text, whole. path: relative. BX_ERR_NOTFOUND,
 * BX_ERR_LIMIT, BX_ERR_DENIED (it leads out of the root). */
int bx_project_read(const char *root, const char *path, struct bx_buf *out, struct bx_err *err);

#endif
