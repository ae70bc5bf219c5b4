/* skills/skills.h: the skills of a workspace: folders with a SKILL.md, found, described and read.
 *
 * Any thread; a list never changes once it is made. Looked for in `.boxagnts/skills`, `.agents/skills` and `.claude/skills` of
 * the root, then in the user's folders; the nearest of a name wins and the others are shown as shadowed. A broken one is
 * listed with the reason and never used. In the root no link leads out of it (bx_file_open_beneath): a guest that plants one
 * shows the model nothing that the guest could not read. Limits: depth 6, 2,000 folders in each place, 64 KiB of front matter, 1 MiB of body.
 * `members` holds the whole front matter for those who need more of it than name and description. */
#ifndef BX_SKILLS_SKILLS_H
#define BX_SKILLS_SKILLS_H

#include "json/json.h"

struct bx_skill {
    char *name, *description;
    struct bx_doc *members; /* the front matter, or NULL when it could not be read as YAML */
    char *base;             /* host folder below which it lies */
    char *folder;           /* its folder, relative to base: ".claude/skills/pdf" */
    bool in_root;           /* its files have a guest path: "/" and folder */
    bool shadowed;          /* a nearer one has its name */
    char *problem;          /* why it cannot be used, or NULL */
    char *warning;          /* what is odd about it, or NULL */
};
struct bx_skills {
    struct bx_skill *items; /* nearest first, then by folder */
    size_t n;
    bool cut; /* there are more folders than are looked at */
};

/* user_folders: NULL ends the list, may be NULL; a folder that is not there is fine. Never fails: what cannot be read is left
 * out or listed as broken. */
struct bx_skills *bx_skills_find(const char *root, const char *const *user_folders);
void bx_skills_free(struct bx_skills *s);
BX_DEFINE_AUTO(struct bx_skills, bx_skills_free)

bool bx_skill_usable(const struct bx_skill *s); /* neither broken nor shadowed */
/* Of this name: the usable one, else a broken one, else NULL. */
const struct bx_skill *bx_skills_get(const struct bx_skills *s, struct bx_str name);
const char *bx_skills_nearest(const struct bx_skills *s, struct bx_str name); /* a usable one's, or NULL */

/* The body as it is on the disk now, with $ARGUMENTS replaced (arguments that the body has no place for are put behind it). */
int bx_skill_load(const struct bx_skill *s, struct bx_str arguments, struct bx_buf *out, struct bx_err *err);
/* Names of what lies beside SKILL.md, folders with a slash, by name; at most max. Each is the caller's. */
size_t bx_skill_files(const struct bx_skill *s, char **ret_names, size_t max);

#endif
