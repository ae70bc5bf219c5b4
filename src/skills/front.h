/* skills/front.h: the front matter of a SKILL.md. Any thread, pure.
 *
 * Lenient: what can be mended is mended and said in a warning; what cannot (no front matter, no description) is a problem, and
 * the skill is shown as broken. */
#ifndef BX_SKILLS_FRONT_H
#define BX_SKILLS_FRONT_H

#include "skills/meta.h"

#define BX_SKILL_NAME_MAX        64
#define BX_SKILL_DESCRIPTION_MAX 1024
#define BX_SKILL_BODY_MAX        BX_MIB

struct bx_front {
    struct bx_doc *members; /* all of them, an object; NULL when it cannot be read */
    char *name, *description;
    struct bx_skill_meta meta;
    char *problem, *warning; /* sentences without a full stop, or NULL */
};
/* text: the file from its start, at least the front matter. folder: its folder's name, for a skill that names itself nothing. */
void bx_front_parse(struct bx_str text, const char *folder, struct bx_front *ret);
void bx_front_deinit(struct bx_front *f);

/* Where the body begins; 0 when there is no front matter. */
size_t bx_front_end(struct bx_str text, struct bx_str *ret_yaml);
bool bx_skill_name_ok(struct bx_str name); /* [A-Za-z0-9._-]{1,64} */

#endif
