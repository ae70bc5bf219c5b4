/* skills/internal.h: what the files of this room share. Nobody else includes it. */
#ifndef BX_SKILLS_INTERNAL_H
#define BX_SKILLS_INTERNAL_H

#include "skills/skills.h"

/* Below the root a link may not lead out; the user's own folders may be links to wherever they keep them. A descriptor or -1. */
int bx_skill_open(int base_fd, bool in_root, const char *name, int flags);
/* At most what the buffer takes; false when there is no such regular file, or reading failed. */
bool bx_skill_read(int base_fd, bool in_root, const char *name, struct bx_buf *out);
bool bx_skill_read_fd(int fd, struct bx_buf *out);
/* One file of a new folder; parents are made. */
int bx_skill_write_file(const char *dir, const char *name, struct bx_str bytes, bool is_program, struct bx_err *err);
/* What a digest is made of: files in the order of names. */
void bx_skill_hash_file(struct bx_sha256 *h, const char *name, struct bx_str bytes, bool is_program);
void bx_skill_hash_end(struct bx_sha256 *h, char ret[static BX_SHA256_HEX + 1]);

#endif
