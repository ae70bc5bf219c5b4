/* agent/executor.h: runs that a run delegates to. Inside the agent room only.
 *
 * An executor is a run of its own: thread, session file (kind "executor"), worker processes, tools, turns, budget. It sees its
 * prompt and the project's instructions, nothing of its manager's conversation; its last message is what the manager gets.
 * What always holds:
 *   - It may do no more than its manager (capability.h).
 *   - It ends before its manager's run does: who ends, is stopped or runs out of budget ends all executors below it. So a
 *     pointer to the manager's run is good while the executor lives.
 *   - Its faults are its own: whatever ends it becomes a named end in the manager's tool result and log.
 *   - Of one message's executors at most max_concurrent work at a time; one that only waits for executors of its own, or for an
 *     answer, does not count, so a queue never waits for itself, nor for a person.
 * Rules that the manager's session was given count for it as well, but for those with a count; questions of its own go to the
 * user, with its name. */
#ifndef BX_AGENT_EXECUTOR_H
#define BX_AGENT_EXECUTOR_H

#include "agent/capability.h"
#include "agent/internal.h"
#include "git/worktree.h"
#include "tools/host.h"

enum bx_executor_state {
    BX_EXECUTOR_QUEUED, BX_EXECUTOR_RUNNING, BX_EXECUTOR_ENDING, /* the last event is being written */
    BX_EXECUTOR_DONE, BX_EXECUTOR_FAILED, BX_EXECUTOR_STOPPED, BX_EXECUTOR_LIMIT
};
#define BX_CUT_OFF "the program ended while it worked; what it had done by then stays" /* what went wrong, of one that was interrupted */
const char *bx_executor_state_name(enum bx_executor_state state); /* "queued" "running" "done" "failed" "stopped" "limit" */
static inline bool bx_executor_ended(enum bx_executor_state s) {
    return s >= BX_EXECUTOR_DONE;
}

struct bx_inherited; /* rules that the sessions above were given (executor_rules.c) */

struct bx_executor {
    unsigned refs; /* atomic */
    struct bx_agent *agent;
    struct bx_session *session;
    struct bx_run *manager;     /* that started it; NULL: a person goes on in an executor's session, long after */
    struct bx_executor *above;  /* what the manager is itself, a reference; or NULL */
    struct bx_run *root;        /* the run at the top: it outlives all; NULL without a manager */
    char root_run[37];          /* its id */
    char name[16];              /* "e3": the third of the manager's session */
    char call[BX_CALL_ID_MAX + 1]; /* of the manager's, that started it */
    unsigned depth;             /* 1: of a person's run */
    char *agent_name, *description, *model, *role; /* role: the agent's own instructions, or NULL */
    bool background;
    const char **packs;         /* attached to it, NULL ended; the arena of `may` has them */
    struct bx_capability may;
    struct bx_cancel *cancel;
    bool has_worktree;          /* its root is one; found by the id of its session */
    char session_id[37];        /* known before there is a session */
    struct bx_inherited *inherited; /* under the lock of its run's rules */
    /* agent->lock */
    enum bx_executor_state state;
    char *prompt;               /* that its next run begins with */
    BX_VEC(char *) messages;    /* from its manager, to be heard at its next turn */
    bool deaf;                  /* it will hear no more of them: it is about to end */
    const char *reason;         /* static: why it ended, as in run_end */
    char fault[480];            /* what went wrong, in a sentence; "" = nothing */
    struct bx_buf failures;     /* of its calls: "bash: memory limit", one a line */
    char *result;               /* its last message, or NULL */
    unsigned turns, calls, failed_calls, waits; /* waits: of its calls, for executors of its own or an answer */
    int64_t input_tokens, output_tokens;
    double cost;
    bool has_thread; /* its run ends it; before that, whoever could not start it does */
    bool left_open;  /* it has ended with the program only: nothing is written, and it goes on with the next start */
    bool cost_known, asks, told; /* asks: an answer is waited for; told: the manager knows of its end */
    int64_t started_at_ms;
    uint64_t start_ms, ms;
    struct bx_worktree tree;    /* as it was last looked at; id "": none, or nothing was changed in it */
};
struct bx_executor *bx_executor_ref(struct bx_executor *e); /* NULL gives NULL */
void bx_executor_unref(struct bx_executor *e);
BX_DEFINE_AUTO(struct bx_executor, bx_executor_unref)

/* ---- by the tools, on the thread of the manager's call (executor_host.c) ---- */
int bx_executor_tool(struct bx_tool_ctx *ctx, enum bx_executor_op op, const struct bx_val *input,
                     struct bx_tool_result *ret, struct bx_err *err);
/* Of the tool Worktree (worktree_tool.c) */
int bx_worktree_tool(struct bx_tool_ctx *ctx, const struct bx_val *input, struct bx_tool_result *ret, struct bx_err *err);
/* What became of it, for the manager: its last message, how it ended, what went wrong. */
void bx_executor_report(struct bx_executor *e, struct bx_tool_result *ret);

/* ---- life (executor.c; executor_new.c makes them) ---- */
/* Makes one and puts it into the queue. BX_ERR_DENIED, BX_ERR_INVALID, BX_ERR_NOTFOUND: a sentence that lets the model mend its
 * call. */
int bx_executor_new(struct bx_call *call, const struct bx_val *wish, struct bx_executor **ret, struct bx_err *err);
/* Starts what there is room for. Any thread; never under the lock. */
void bx_executor_pump(struct bx_agent *a, const char *root_run);
/* Waits for its end, for at most timeout_ms (UINT64_MAX = as long as it takes). 0; BX_ERR_TIMEOUT; BX_ERR_CANCELLED: the waiting run
 * is stopped. */
int bx_executor_wait(struct bx_run *run, struct bx_executor *e, uint64_t timeout_ms);
/* A run that waits (see above) leaves its place in the queue to others, and takes one again, which can take long. */
void bx_executor_pause(struct bx_run *run, bool begins);
/* Does not wait. why: for its token. */
void bx_executor_stop(struct bx_executor *e, const char *why);
/* One that has ended works again, on this. BX_ERR_BUSY: it has not ended. */
int bx_executor_again(struct bx_executor *e, const char *text, struct bx_err *err);
/* One that works hears it at its next turn. BX_ERR_BUSY: it is just ending. */
int bx_executor_say(struct bx_executor *e, const char *text, struct bx_err *err);
/* One of the run's own, by session id or name; a new reference, or NULL. */
struct bx_executor *bx_executor_find(struct bx_run *manager, struct bx_str id);
/* Stops the executors of a session whose run has nothing to stop. True: there were some. */
bool bx_executors_stop_session(struct bx_agent *a, const char *session_id);

/* ---- those of earlier messages (executor_revive.c) ---- */
/* One of the session's that has ended long ago, as one of this run's; a new reference, or NULL. */
struct bx_executor *bx_executor_revive(struct bx_run *run, struct bx_str id);
/* From its session alone, without a manager. BX_ERR_DAMAGED: what it may do is not known. */
int bx_executor_restore(struct bx_agent *a, struct bx_session *session, struct bx_executor **ret, struct bx_err *err);
struct bx_doc *bx_executor_last_event(struct bx_session *manager, struct bx_str id); /* by name or session id; or NULL */
char *bx_executor_last_words(const struct bx_history *h); /* its last message, whole or as far as it came; or NULL */
/* Before it runs: BX_ERR_DENIED: its folders are gone, or were never this workspace's. */
int bx_executor_check_mounts(struct bx_executor *e, struct bx_err *err);
char *bx_executor_empty_root(struct bx_agent *a, const char *session_id); /* a folder's name; the caller's */
struct bx_run *bx_executor_root_of(struct bx_run *run);

/* What is read from the newest event of it in its manager's log; and the manager, of which it may not have more. */
void bx_executor_take_event(struct bx_executor *e, const struct bx_val *event);
void bx_executor_bind(struct bx_executor *e, struct bx_run *run);
void bx_executor_keep_result(struct bx_executor *e);

/* ---- after a restart (executor_resume.c) ---- */
/* Those of a run that goes on, as its log has them: who waits for an answer goes on, who had not begun is in the queue, the others
 * have ended, by name. What they had spent is spent. How many go on. */
size_t bx_executors_adopt(struct bx_run *run);
/* The one that this call had started before the restart, a new reference; or NULL. */
struct bx_executor *bx_executor_of_call(struct bx_run *run, const char *call);
/* May this call, which had begun, be made once more? It only waits for an executor, or stops it. */
bool bx_executor_takes_up(struct bx_run *run, const char *call, const char *tool);

/* ---- its worktree (executor_tree.c) ---- */
/* For a new one: makes it, so that it can be the only mount that is worked out. BX_ERR_DENIED: the manager sees less than the root. */
int bx_executor_make_tree(struct bx_executor *e, struct bx_mount *ret_mount, struct bx_err *err);
int bx_executor_resume_tree(struct bx_executor *e, struct bx_err *err); /* fine when it is at work, and when there is none */
void bx_executor_finish_tree(struct bx_executor *e);  /* commits what is there */
void bx_executor_discard_tree(struct bx_executor *e); /* it was for nothing */
void bx_executor_look_at_tree(struct bx_executor *e); /* one of an earlier run: as it is now */
bool bx_executor_tree_is_empty(const struct bx_executor *e); /* committed, and there is nothing to decide upon */

/* ---- by the run (executor_run.c) ---- */
/* Fills what the run of an executor takes from it; also for an executor's session that a person goes on with, and for a look at
 * what its next request would hold: nothing is changed on the disk. */
int bx_executor_enter(struct bx_run *run, struct bx_run_options *options, struct bx_err *err);
/* What it works in is there from now on: its worktree, its empty root. */
int bx_executor_move_in(struct bx_run *run, struct bx_err *err);
/* The run of a person's message did not begin after all: its worktree rests as before. */
void bx_executor_move_out(struct bx_run *run);
void bx_run_look_at_planner(struct bx_run *run); /* narrows it, or widens it, as the session's switch stands now */
struct bx_budget *bx_executor_purse(const struct bx_run *run); /* the budget that its own is below; NULL = none */
/* What its context is told beside the usual; the caller's, NULL = nothing. For planners too. */
char *bx_run_role(struct bx_run *run);
/* Whose AGENTS.md counts: the root's, also where only parts of it are seen. */
const char *bx_run_project_root(const struct bx_run *run);
bool bx_run_offers(void *run, const struct bx_tool *t); /* is the tool worth telling the model of? */
const struct bx_mount *bx_run_mounts(const struct bx_run *run, size_t *ret_count);
/* At a turn's beginning: ends of background executors become messages; the planner's switch is looked at. True: something was told. */
bool bx_executors_tell(struct bx_run *run);
/* The model has nothing to do: waits for an end that it has not been told of. False: there is none to come. */
bool bx_executors_await(struct bx_run *run);
/* Stops the run's executors and waits for their ends. */
void bx_executors_end(struct bx_run *run);
void bx_executor_on_usage(struct bx_run *run, const struct bx_usage *u);
void bx_executor_on_result(struct bx_call *call);
void bx_executor_add_failure(struct bx_buf *out, const char *tool, const char *limit, struct bx_str content); /* one line; limit or NULL */
void bx_executor_on_fault(struct bx_run *run, const char *text);
void bx_executor_on_question(struct bx_run *run, struct bx_str question); /* the event; empty: answered */
void bx_run_wake_above(struct bx_run *run); /* the lock is held: something has happened to it that its managers wait for */
void bx_executor_on_end(struct bx_run *run, const char *reason); /* behind run_end; the history is still the run's */
/* On its thread when its session is free again: its place in the queue goes on. Not earlier: the next in the queue may be the same
 * executor, sent new work meanwhile, whose new run waits for the old one to be done. */
void bx_executor_leave(const struct bx_run *run);

/* ---- by a call ---- */
enum bx_mode bx_executor_mode(const struct bx_run *run, enum bx_mode own); /* the stricter of its own and those above */
/* Bounds of an executor that no narrowing can say; reason: for the model. True: the call must not be made. */
bool bx_executor_forbids(const struct bx_call *call, char reason[static 300]);
void bx_executor_bound_grant(const struct bx_run *run, const struct bx_tool *t, struct bx_arena *arena, struct bx_grant *grant);

/* ---- rules from above (executor_rules.c); the lock of the run's rules is held ---- */
struct bx_inherited *bx_inherited_new(struct bx_executor *e);
void bx_inherited_free(struct bx_inherited *i);
uint64_t bx_inherited_catch_up(struct bx_inherited *i); /* another number: something is different; NULL gives 0 */
void bx_inherited_write(const struct bx_inherited *i, struct bx_jw *w);

/* ---- the manager's log (executor_log.c) ---- */
void bx_executor_log(struct bx_executor *e, enum bx_executor_state state);  /* a change of state: event `executor` */
void bx_executor_show(struct bx_executor *e);                               /* delta `executor_state`, for all above */
void bx_executor_members(const struct bx_executor *e, enum bx_executor_state state, struct bx_jw *w);

/* ---- after a crash (executor_list.c) ---- */
bool bx_executor_is_open(const struct bx_val *event); /* the newest one of an executor: it says no end */
/* Its end, written by who finds it open. text: why, or NULL. */
int bx_executor_close(struct bx_session *manager, const struct bx_val *event, const char *text, struct bx_err *err);
int bx_executors_recover(struct bx_session *s, struct bx_err *err); /* ends for those that have none, reason "interrupted" */

#endif
