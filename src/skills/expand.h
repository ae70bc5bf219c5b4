/* skills/expand.h: a skill's text with its parameters filled in, ready to be said to a model.
 *
 * Any thread; reads the disk. One way for all: the tool Skill, the user's "/name args", the API.
 *
 * Arguments are one text, as a user types it: words, "quoted words", name=value for parameters; or one JSON object. What has
 * no name fills the required parameters in their order (without such: the others), the last one takes all that is left. {{name}}, $ARGUMENTS (the whole text) and
 * $1, $2 … (words) are replaced; a backslash before them leaves them as they are. A $N without its word stays, too: skills
 * show shell code. What has no place in the text is put behind it. */
#ifndef BX_SKILLS_EXPAND_H
#define BX_SKILLS_EXPAND_H

#include "skills/skills.h"

#define BX_SKILL_USES_DEPTH     5
#define BX_SKILL_EXPANDED_MAX   (4 * BX_MIB)
#define BX_SKILL_ARGUMENTS_MAX  (128 * BX_KIB)

struct bx_skill_use {
    const struct bx_skill *skill; /* a view into the list */
    const struct bx_skill *all[BX_SKILL_USES_MAX + 1]; /* it and those that it uses */
    size_t all_count;
    char *text;         /* what the model is told: the body, and those of the skills that it uses */
    char *by;           /* "skill NAME": who narrows */
    const char **tools; /* patterns in our names, NULL ended, while it is active; NULL: it does not narrow */
};
/* "/name" is taken as well. tools are the skill's own, else, when every skill that it uses has some, all of theirs.
 * BX_ERR_NOTFOUND (names the nearest), BX_ERR_INVALID (broken; an argument that does not fit or is missing: it names it and
 * what is allowed; uses in a circle: the chain), BX_ERR_DENIED (not trusted: it says how), BX_ERR_LIMIT. */
int bx_skill_expand(const struct bx_skills *skills, struct bx_str name, struct bx_str args, struct bx_skill_use *ret,
                    struct bx_err *err);
void bx_skill_use_deinit(struct bx_skill_use *u);

#define BX_SKILL_MOUNT "/skills" /* where skills' texts expect their files: /skills/NAME/… */
/* Their files are below another guest path: the paths in the text follow. */
void bx_skill_move(struct bx_skill_use *u, const char *mount);
/* What stands before the text when it is told: that it is active, where its files are (folder: guest path or NULL), which
 * tools it leaves, and how it ends. */
void bx_skill_introduce(const struct bx_skill_use *u, const char *folder, bool by_user, struct bx_buf *out);

/* The chain "a → b → a" when the skill's `uses` lead in a circle or deeper than BX_SKILL_USES_DEPTH; NULL = fine. The caller's. */
char *bx_skill_uses_problem(const struct bx_skills *skills, const struct bx_skill *s);

#endif
