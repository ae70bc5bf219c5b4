/* agent/given.h: the rules that a session was given: by answers ("for this session") and by grants, as its log tells.
 *
 * One thread at a time. Made from the log and in no other way, so a restart changes nothing: a use of a rule that has a count
 * is in the log too (a `permission` that names it). */
#ifndef BX_AGENT_GIVEN_H
#define BX_AGENT_GIVEN_H

#include "base/vec.h"
#include "json/write.h"
#include "store/session.h"

struct bx_given_rule {
    char *id;
    char *json; /* one object */
    bool allows;
    int64_t max_calls, uses; /* max_calls: -1 = without count */
};
struct bx_given {
    BX_VEC(struct bx_given_rule) rules;
    uint64_t changes; /* another number: something is different */
};
void bx_given_deinit(struct bx_given *g);
void bx_given_fold(struct bx_given *g, struct bx_str type, const struct bx_val *event);
/* Each as a rule (permit.h), max_calls being what is left. */
void bx_given_write(const struct bx_given *g, struct bx_jw *w);
/* All of a session that rests. */
int bx_given_read(struct bx_session *s, struct bx_given *ret, struct bx_err *err);

#endif
