/* skills/write.h: a skill as JSON, for the API and `skill list --json`. Any thread; reads the disk for the digest. */
#ifndef BX_SKILLS_WRITE_H
#define BX_SKILLS_WRITE_H

#include "json/write.h"
#include "skills/skills.h"

/* "ok" "broken" "shadowed" "untrusted" */
const char *bx_skill_state(const struct bx_skill *s);
/* Why it is not ok, or NULL. The caller's. */
char *bx_skill_why(const struct bx_skill *s, const struct bx_skills *all);
/* Members of an object that the caller opened: name, description, source, path, state, problem, warning, triggers, parameters,
 * tools, uses, digest, and what the front matter says beside. more_warning may be NULL. */
void bx_skill_write(struct bx_jw *w, const struct bx_skill *s, const struct bx_skills *all, const char *more_warning);

#endif
