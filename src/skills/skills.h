/* skills/skills.h: the skills of a workspace: folders with a SKILL.md, found, described and read.
 *
 * Any thread; a list never changes once it is made. Looked for, the nearest first: in the workspace's own folder (what its
 * user wrote or added), in `.boxagnts/skills`, `.agents/skills` and `.claude/skills` of the root, in the user's folders, in
 * the program. The nearest of a name wins and the others are shown as shadowed. A broken one is listed with the reason and
 * never used. In the root no link leads out of it (bx_file_open_beneath): a guest that plants one shows the model nothing
 * that the guest could not read. Limits: depth 6, 2,000 folders in each place, 64 KiB of front matter, 1 MiB of body. */
#ifndef BX_SKILLS_SKILLS_H
#define BX_SKILLS_SKILLS_H

#include "base/blob.h"
#include "base/sha256.h"
#include "skills/meta.h"

#define BX_SKILL_FILE       "SKILL.md"
#define BX_SKILL_FRONT_READ (64 * BX_KIB + 16) /* bytes of it that are looked at for the front matter */

enum bx_skill_source { BX_SKILL_WORKSPACE, BX_SKILL_ROOT, BX_SKILL_USER, BX_SKILL_BUNDLED };
const char *bx_skill_source_name(enum bx_skill_source source); /* "workspace" "root" "user" "bundled" */

struct bx_skill {
    char *name, *description;
    struct bx_doc *members; /* the front matter, or NULL when it could not be read as YAML */
    struct bx_skill_meta meta;
    enum bx_skill_source source;
    char *base;             /* host folder below which it lies; NULL: it is part of the program */
    char *folder;           /* its folder, relative to base: ".claude/skills/pdf"; "./pdf" where base is the place itself */
    const struct bx_file_blob *files; /* bundled: all bundled files; those below folder are its */
    bool in_root;           /* its files have a guest path: "/" and folder */
    bool shadowed;          /* a nearer one has its name */
    bool untrusted;         /* nobody has said yet that its text may be used (trust.h) */
    char *approved;         /* the digest that somebody said yes to, or that was recorded; or NULL */
    char *text;             /* SKILL.md as it was read with that digest, or NULL: it is read when it is needed */
    size_t text_bytes;
    char front_digest[BX_SHA256_HEX + 1]; /* of the first BX_SKILL_FRONT_READ bytes */
    char *problem;          /* why it cannot be used, or NULL */
    char *warning;          /* what is odd about it, or NULL */
};
struct bx_skills {
    struct bx_skill *items; /* nearest first, then by folder */
    size_t n;
    bool cut; /* there are more folders than are looked at */
};

struct bx_skills_where { /* each may be NULL; a folder that is not there is fine */
    const char *root;
    const char *workspace;               /* the workspace's own: <state>/skills */
    const char *const *user;             /* NULL ends the list */
    const struct bx_file_blob *bundled;  /* "name/SKILL.md" …; lives as long as the list */
};
/* Never fails: what cannot be read is left out or listed as broken. Those whose `uses` lead back to themselves are broken. */
struct bx_skills *bx_skills_find(const struct bx_skills_where *where);
/* The i-th folder in which it looks, there or not; the caller's; NULL behind the last. */
char *bx_skills_place(const struct bx_skills_where *where, size_t i);
/* Of one folder: the skill that it is, or those below it, as the workspace's. */
struct bx_skills *bx_skills_read(const char *dir);
void bx_skills_free(struct bx_skills *s);
BX_DEFINE_AUTO(struct bx_skills, bx_skills_free)

bool bx_skill_usable(const struct bx_skill *s); /* neither broken nor shadowed; it may be untrusted */
/* Of this name: the usable one, else a broken one, else NULL. */
const struct bx_skill *bx_skills_get(const struct bx_skills *s, struct bx_str name);
const char *bx_skills_nearest(const struct bx_skills *s, struct bx_str name); /* a usable one's, or NULL */
int bx_skills_missing(const struct bx_skills *s, struct bx_str name, struct bx_err *err); /* BX_ERR_NOTFOUND, and the nearest */
char *bx_skill_path(const struct bx_skill *s); /* for people: of its folder on the host, or "bundled/NAME"; the caller's */

/* ---- what lies in its folder (files.c) ---- */
#define BX_SKILL_FILES_MAX       1000
#define BX_SKILL_FILES_BYTES_MAX (32 * BX_MIB)

/* The text of its SKILL.md as it is now. BX_ERR_NOTFOUND, BX_ERR_LIMIT. */
int bx_skill_text(const struct bx_skill *s, struct bx_buf *out, struct bx_err *err);
/* Without the front matter. BX_ERR_INVALID when it is broken. */
int bx_skill_body(const struct bx_skill *s, struct bx_buf *out, struct bx_err *err);
/* Names of what lies beside SKILL.md, folders with a slash, by name; at most max. Each is the caller's. */
size_t bx_skill_files(const struct bx_skill *s, char **ret_names, size_t max);

/* One regular file of the skill: its name below the folder, in the order of names, and its bytes. A negative code ends it. */
typedef int bx_skill_file_fn(void *user, const char *name, struct bx_str bytes, bool is_program, struct bx_err *err);
/* All of them, SKILL.md too. Nothing outside of its folder is read, whatever links say; hidden files are left out.
 * BX_ERR_LIMIT beyond the two limits above. */
int bx_skill_each_file(const struct bx_skill *s, bx_skill_file_fn *fn, void *user, struct bx_err *err);
/* Of the names and bytes of all its files, and which are programs: another digest is another skill. */
int bx_skill_digest(const struct bx_skill *s, char ret[static BX_SHA256_HEX + 1], struct bx_err *err);
/* Copies all its files into the new folder `dir`; ret_digest is of what was copied. */
int bx_skill_copy(const struct bx_skill *s, const char *dir, char ret_digest[static BX_SHA256_HEX + 1], struct bx_err *err);

#endif
