/* agent/capability.h: what an executor may do: never more than its manager, worked out before it starts.
 *
 * Any thread; pure but for looking at folders on the disk. Tools, folders, hosts, mode, turns and budgets each are the manager's
 * or less. Who asks for more by name is refused with the difference; what an agent's definition or a pattern with a star takes
 * in without naming it is cut down silently. What is worked out is enforced elsewhere: tools by narrowings (permit.h), folders
 * by the mounts of the executor's own workers, hosts by the bound of its grants (grant.h), spending by a budget below the
 * manager's (budget.h). The planner's switch (by "planner") binds the manager itself and does not pass down: what an executor
 * may is bounded by what the session may. */
#ifndef BX_AGENT_CAPABILITY_H
#define BX_AGENT_CAPABILITY_H

#include "agent/agents.h"
#include "agent/budget.h"
#include "base/vec.h"
#include "box/grant.h"
#include "json/write.h"
#include "permit/permit.h"
#include "tools/tool.h"

#define BX_PLANNER "planner" /* `by` of the narrowing that planner mode is */

/* How budgets are shared out, from the settings: "executor_budget". */
enum bx_share { BX_SHARE_POOL, BX_SHARE_PERCENT, BX_SHARE_FIXED };
struct bx_executor_settings {
    unsigned max_concurrent; /* "max_concurrent_executors", 4: that work at a time, of one session; the others wait in turn */
    unsigned max_depth;      /* "max_executor_depth", 2: levels of executors; 0 = none */
    unsigned max_total;      /* "max_executors", 64: that one message may start, on all levels */
    enum bx_share share;     /* "shared_pool", "percentage", "fixed_caps" */
    unsigned percent;
    int64_t caps[BX_BUDGET_COUNT]; /* fixed_caps: "caps"; -1 = none */
};
/* BX_ERR_INVALID names the member and what it may be. */
int bx_executor_settings_read(const struct bx_val *settings, struct bx_executor_settings *ret, struct bx_err *err);

/* What the manager has. Views. */
struct bx_capability_from {
    struct bx_tool *const *tools; /* that its run knows */
    size_t tool_count;
    const struct bx_narrow *narrows;
    size_t narrow_count;
    const struct bx_mount *mounts;
    size_t mount_count;
    const char *const *hosts; /* its own bound, NULL ended; NULL = none */
    enum bx_mode mode;
    unsigned max_turns;
    const int64_t *left;      /* BX_BUDGET_COUNT numbers of its budget; -1 = no cap */
};
struct bx_capability {
    struct bx_arena arena; /* owns all of it */
    BX_VEC(struct bx_narrow) narrows;
    struct bx_mount *mounts; /* the first is the root */
    size_t mount_count;
    bool own_mounts;   /* nothing but these: neither work_dir nor map_dirs of the settings */
    bool worktree;     /* the root is a worktree of its own */
    bool empty_root;   /* the first mount is a folder that holds nothing but names; made for a run, taken away behind it */
    const char **hosts; /* NULL ended; NULL = no bound of its own */
    enum bx_mode mode; /* the most that counts */
    unsigned max_turns;
    int64_t caps[BX_BUDGET_COUNT];
};
/* wish: the input of the tool Agent. def may be NULL. empty: a host folder, not there yet, for the root where `paths` leaves it
 * out. BX_ERR_DENIED: more than the manager has, with the difference;
 * BX_ERR_INVALID: what is written wrongly. *ret is bx_capability_deinit's in every case. */
int bx_capability_compute(const struct bx_capability_from *from, const struct bx_val *wish, const struct bx_agent_def *def,
                          const struct bx_executor_settings *settings, const char *empty, struct bx_capability *ret,
                          struct bx_err *err);
/* Makes the empty root, where there is one, with folders that stand for the others; and takes it away. */
int bx_capability_make_root(const struct bx_capability *c, struct bx_err *err);
void bx_capability_clear_root(const struct bx_capability *c);
/* What the manager is narrowed to (but for the planner's switch) narrows it, too. */
void bx_capability_pass(struct bx_capability *c, const struct bx_narrow *narrows, size_t count);
void bx_capability_deinit(struct bx_capability *c); /* a zeroed one is fine */

/* As the event `capability` says it, and back: what an executor may stays what it was when its session is used later. */
void bx_capability_write(struct bx_jw *w, const struct bx_capability *c);
int bx_capability_read(const struct bx_val *v, struct bx_capability *ret, struct bx_err *err);

/* May a call of this tool be made at all, so that it is worth telling the model of it? `skip`: a narrowing not to look at, by
 * its name; may be NULL. */
bool bx_narrows_offer(const struct bx_narrow *narrows, size_t count, const char *skip, const struct bx_tool *t);

#endif
