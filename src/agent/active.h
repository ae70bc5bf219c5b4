/* agent/active.h: the skills of a session, as its log tells: which are active in the run that is open, where their files are.
 *
 * One thread at a time. Made from `skill` events and in no other way, so a restart changes nothing. A skill is active from
 * its event to the one that ends it, at most to the end of the run. */
#ifndef BX_AGENT_ACTIVE_H
#define BX_AGENT_ACTIVE_H

#include "skills/meta.h"

struct bx_active_skill {
    char *name;
    bool by_user;
    const char **tools; /* patterns, NULL ended; NULL: it does not narrow */
};
struct bx_active_skills {
    BX_VEC(struct bx_active_skill) now;
    char *mount; /* guest path below which skills' files are, from the first skill with files on; or NULL */
};
void bx_active_deinit(struct bx_active_skills *a);
void bx_active_fold(struct bx_active_skills *a, struct bx_str type, const struct bx_val *event);
const struct bx_active_skill *bx_active_get(const struct bx_active_skills *a, const char *name);

#endif
