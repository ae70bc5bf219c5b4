/* skills/archive.h: a skill as one file, .zip or .tar.gz.
 *
 * Any thread. Unpacking takes plain files and folders only, each below the target: names that are absolute, hold "..",
 * a backslash or a NUL, or come twice, links, devices and encrypted or split archives are refused, each in words; at most
 * BX_SKILL_FILES_MAX files of BX_SKILL_FILES_BYTES_MAX together. Packing is reproducible: the same files give the same bytes,
 * with no time, owner or machine in them. */
#ifndef BX_SKILLS_ARCHIVE_H
#define BX_SKILLS_ARCHIVE_H

#include "skills/skills.h"

#define BX_ARCHIVE_MAX (16 * BX_MIB) /* of a packed one */

enum bx_archive_kind { BX_ARCHIVE_ZIP, BX_ARCHIVE_TAR_GZ };
/* By its name: ".zip", ".tar.gz", ".tgz", ".skill" (a .zip). */
bool bx_archive_kind_of(const char *name, enum bx_archive_kind *ret);

/* By its first bytes. dir is made; on failure it may hold a part. BX_ERR_INVALID, BX_ERR_DAMAGED, BX_ERR_LIMIT, BX_ERR_IO. */
int bx_archive_unpack(struct bx_str bytes, const char *dir, struct bx_err *err);
/* "NAME/SKILL.md" … */
int bx_archive_pack(const struct bx_skill *s, enum bx_archive_kind kind, struct bx_buf *out, struct bx_err *err);

#endif
