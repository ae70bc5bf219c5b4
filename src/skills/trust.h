/* skills/trust.h: whose skills may be used, and what was known of those that came from elsewhere: <state>/skills.json.
 *
 * Any thread, any process (a lock file keeps changes apart). What the user wrote and what is part of the program is trusted.
 * A skill of the root came with somebody's project: its text is not used before a person has said yes to it, and the yes is
 * for its digest: it is asked again when a file of it has changed. The same holds for a skill that was added from a file or
 * an address, when it is no longer what was added. */
#ifndef BX_SKILLS_TRUST_H
#define BX_SKILLS_TRUST_H

#include "skills/skills.h"

/* Sets untrusted (and `approved`, the digest that was said yes to) in a list. What it finds trusted by a digest is read
 * once: text and digest of such a skill belong together. state may be NULL: nothing of the root is trusted. */
void bx_skills_mark_trust(struct bx_skills *s, const char *state);

/* A yes to this digest of the skill. */
int bx_skill_trust(const char *state, const struct bx_skill *s, const char *digest, struct bx_err *err);

/* What was added from elsewhere (`skill add`): where from, and its digest then. from: NULL = stays what it was. */
int bx_skill_record(const char *state, const struct bx_skill *s, const char *from, const char *digest, struct bx_err *err);
/* Both the caller's, NULL = nothing is known. */
void bx_skill_recorded(const char *state, const struct bx_skill *s, char **ret_from, char **ret_digest);
int bx_skill_forget(const char *state, const struct bx_skill *s, struct bx_err *err);

#endif
