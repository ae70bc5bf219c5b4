/* skills/archive_internal.h: what the two formats share. */
#ifndef BX_SKILLS_ARCHIVE_INTERNAL_H
#define BX_SKILLS_ARCHIVE_INTERNAL_H

#include "skills/archive.h"

struct bx_unpacker {
    const char *dir;
    size_t files, bytes;
};
/* A folder's name ends in a slash. Checks name and sum; writes. BX_ERR_INVALID, BX_ERR_LIMIT. */
int bx_unpack_entry(struct bx_unpacker *u, struct bx_str name, struct bx_str bytes, bool is_program, struct bx_err *err);
static inline size_t bx_unpack_left(const struct bx_unpacker *u) {
    return BX_SKILL_FILES_BYTES_MAX - u->bytes;
}

int bx_unzip(struct bx_str zip, struct bx_unpacker *u, struct bx_err *err);
int bx_untar(struct bx_str tar, struct bx_unpacker *u, struct bx_err *err);

/* Writers: entries in order, then the end. */
struct bx_packer {
    struct bx_buf *out;
    struct bx_buf directory; /* of a ZIP */
    size_t entries;
    char *top;
};
int bx_zip_add(struct bx_packer *p, const char *name, struct bx_str bytes, bool is_program, struct bx_err *err);
int bx_zip_end(struct bx_packer *p, struct bx_err *err);
int bx_tar_add(struct bx_packer *p, const char *name, struct bx_str bytes, bool is_program, struct bx_err *err);
int bx_tar_end(struct bx_packer *p, struct bx_err *err);

#endif
