/* agent/memory.h: what is remembered in a workspace, for all its sessions: <state>/memory.md, which its user reads and edits.
 *
 * Any thread. A file of text; the model's own additions are lines "- text". It stands in every request. */
#ifndef BX_AGENT_MEMORY_H
#define BX_AGENT_MEMORY_H

#include "base/base.h"

#define BX_MEMORY_MAX_BYTES   (16 * BX_KIB)
#define BX_MEMORY_LINE_MAX    1000

char *bx_memory_path(const char *state_dir);
/* "" when there is no file; the caller's. */
int bx_memory_read(const char *state_dir, char **ret_text, struct bx_err *err);
/* Whole; BX_ERR_LIMIT when it is too long, with how long it is and may be. */
int bx_memory_write(const char *state_dir, struct bx_str text, struct bx_err *err);
/* One more line; 1: it is there already. BX_ERR_LIMIT when there is no room for it. */
int bx_memory_add(const char *state_dir, struct bx_str text, struct bx_err *err);

#endif
