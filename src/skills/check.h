/* skills/check.h: what an author should know of a SKILL.md before others use it. Any thread; pure. */
#ifndef BX_SKILLS_CHECK_H
#define BX_SKILLS_CHECK_H

#include "skills/skills.h"

struct bx_skill_check {
    char *problem;     /* why it could not be used; NULL = it could */
    bx_texts warnings; /* each a sentence without a full stop */
    struct bx_skill_meta meta;
    char *name;
};
/* text: of a whole SKILL.md. folder: its folder's name, or NULL when it has none yet. others: for `uses`; may be NULL. */
void bx_skill_check(struct bx_str text, const char *folder, const struct bx_skills *others, struct bx_skill_check *ret);
void bx_skill_check_deinit(struct bx_skill_check *c);

#endif
