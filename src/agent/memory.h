/* agent/memory.h: what is remembered in a workspace, for all its sessions: <state>/memory.md, which its user reads and edits.
 *
 * Any thread. A file of text; the model's own additions are lines "- text". It stands in every request. */
#ifndef BX_AGENT_MEMORY_H
#define BX_AGENT_MEMORY_H

#include "base/base.h"
#include "base/sha256.h"

#define BX_MEMORY_MAX_BYTES   (16 * BX_KIB)
#define BX_MEMORY_LINE_MAX    1000

char *bx_memory_path(const char *state_dir);
/* "" when there is no file; the caller's. */
int bx_memory_read(const char *state_dir, char **ret_text, struct bx_err *err);
/* Of a text as it was read: what a writer says that it began from. */
void bx_memory_digest(const char *text, char out[static BX_SHA256_HEX + 1]);
/* Whole; `digest` (NULL: whatever stands there): BX_ERR_EXISTS, and nothing is written, when the memory is another by
 * now. BX_ERR_LIMIT when it is too long, with how long it is and may be. */
int bx_memory_write(const char *state_dir, struct bx_str text, const char *digest,
                    struct bx_err *err);
/* One more line; 1: it is there already. BX_ERR_LIMIT when there is no room for it. */
int bx_memory_add(const char *state_dir, struct bx_str text, struct bx_err *err);

#endif
