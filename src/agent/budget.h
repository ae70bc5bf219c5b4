/* agent/budget.h: what a run may spend, and what says stop when it is spent.
 *
 * Any thread. A budget has a cap for each kind (-1 = none) and a token; the run makes everything that costs wait on that
 * token. What is charged to a budget is charged to its parent too, so that the executors of a manager spend from the manager's;
 * turns and time are each run's own and do not go up. When a cap is passed, anywhere up the chain, the budget whose cap it is
 * fires its token with the name of what ran out; the tokens of its children are children of that token and fire with it.
 * Time needs nobody to charge it: one thread for all budgets looks at the clock.
 *
 * A budget fires once. After bx_budget_extend it can fire once more: a last word costs a little, too. */
#ifndef BX_AGENT_BUDGET_H
#define BX_AGENT_BUDGET_H

#include "base/cancel.h"
#include "json/write.h"

enum bx_budget_kind {
    BX_BUDGET_TURNS,
    BX_BUDGET_TOKENS,  /* read and written, cached ones too */
    BX_BUDGET_MONEY,   /* micro-dollars */
    BX_BUDGET_CALLS,   /* of tools */
    BX_BUDGET_TIME_MS, /* since the budget was made; what waits for a person counts, too */
    BX_BUDGET_FUEL,    /* of tool calls in the box */
    BX_BUDGET_COUNT
};
/* The name in events and answers: "max_turns" "tokens" "money" "calls" "time" "fuel". */
const char *bx_budget_name(enum bx_budget_kind kind);
const char *bx_budget_known(const char *name); /* the same one, static; NULL: no budget is called so */

/* The form in settings.json ("budgets"), the event `budget` and the API: {"max_turns","tokens","money","calls","time","fuel"},
 * money in US$, time in seconds or as "10m"; null is the same as leaving it out. Sets the caps that it has, leaves the others.
 * BX_ERR_INVALID says what is wrong; a cap of 0 is. obj may be NULL. */
int bx_budget_read(const struct bx_val *obj, int64_t caps[static BX_BUDGET_COUNT], struct bx_err *err);
void bx_budget_write(struct bx_jw *w, const int64_t caps[static BX_BUDGET_COUNT]); /* one object, without those that are -1 */
/* "20000 tokens", "US$ 1.50", "10 min": for sentences. */
void bx_budget_print(struct bx_buf *out, enum bx_budget_kind kind, int64_t amount);

struct bx_budget; /* ref-counted */

/* caps: -1 = none. parent and cancel may be NULL; both are kept alive. cancel is fired, never cleared. */
struct bx_budget *bx_budget_new(struct bx_budget *parent, const int64_t caps[static BX_BUDGET_COUNT],
                                struct bx_cancel *cancel);
struct bx_budget *bx_budget_ref(struct bx_budget *b); /* NULL gives NULL */
void bx_budget_unref(struct bx_budget *b);            /* NULL is fine */
BX_DEFINE_AUTO(struct bx_budget, bx_budget_unref)

/* For what has been spent already, or is being spent: counts it whatever the caps say. False, and *ret_name (may be NULL) what
 * ran out, when this passes a cap. A negative amount corrects an estimate; it never clears what fired. */
bool bx_budget_charge(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount, const char **ret_name);
/* For what can be left undone: counts it only when it fits everywhere up the chain, else nothing is counted, and the budget
 * that has no room fires. */
bool bx_budget_take(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount, const char **ret_name);

int64_t bx_budget_left(struct bx_budget *b, enum bx_budget_kind kind); /* the least of the chain, >= 0; -1 = no cap */
int64_t bx_budget_used(struct bx_budget *b, enum bx_budget_kind kind); /* this one's and its children's */
int64_t bx_budget_cap(struct bx_budget *b, enum bx_budget_kind kind);  /* its own; -1 = none */
const char *bx_budget_fired(struct bx_budget *b); /* of it or of one above it; a static name, NULL = there is room */

/* How many of `want` fit, 0 when none do; those are counted, and nothing fires. */
int64_t bx_budget_take_some(struct bx_budget *b, enum bx_budget_kind kind, int64_t want);

void bx_budget_age(struct bx_budget *b, int64_t ms); /* so much of its time had passed before it was made */

/* A tenth more of the kind that fired, and `cancel` instead of the token that was fired, for the words at the end. False, and
 * nothing is changed: it has been extended before, or it is a budget above it that fired. */
bool bx_budget_extend(struct bx_budget *b, struct bx_cancel *cancel);

#endif
