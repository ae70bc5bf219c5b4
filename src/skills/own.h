/* skills/own.h: the workspace's own skills, <state>/skills: written, taken away, put in from elsewhere. Any thread. */
#ifndef BX_SKILLS_OWN_H
#define BX_SKILLS_OWN_H

#include "skills/skills.h"

/* Writes the text as the workspace's skill of this name. Of one that lies elsewhere the files beside it come along: the copy
 * stands before it from then on. BX_ERR_INVALID: the name, or the text could not be used (the sentence says why). */
int bx_skill_put(const char *state, const struct bx_skills *all, const char *name, struct bx_str text, struct bx_err *err);
/* Moves it to <state>/trash/skills. BX_ERR_DENIED for one that is not the workspace's: whose it is, and what to do. */
int bx_skill_remove(const char *state, const struct bx_skills *all, const char *name, struct bx_err *err);
/* Says yes to the skill of this name as it is now. digest: what was looked at, NULL = whatever it is. BX_ERR_EXISTS: it is
 * another one by now. */
int bx_skill_say_yes(const char *state, const struct bx_skills *all, const char *name, const char *digest, struct bx_err *err);

/* A folder with a SKILL.md, from anywhere, becomes the workspace's (or, with `into`, another place's) skill. ret_name: 65 bytes. */
struct bx_skill_adding {
    const char *state;  /* where is recorded what was added */
    const char *into;   /* folder of skills */
    const char *from;   /* what the user named, for the record */
    const char *folder; /* whose files are looked at: links in it lead nowhere outside of it */
    bool replace;       /* one that is there and differs is replaced */
};
/* BX_ERR_EXISTS: a different one of the name is there (both digests in the sentence). */
int bx_skill_add(const struct bx_skill_adding *a, char ret_name[static 65], char ret_digest[static BX_SHA256_HEX + 1],
                 bool *ret_same, struct bx_err *err);

#endif
