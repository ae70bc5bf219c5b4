/* agent/agent.h: runs.
 *
 * An agent binds a workspace: store, models, tools, mode, root. bx_agent_send starts a run thread for a session; everything
 * that happens is in the session's log and its deltas (docs/events.md): the page, the terminal and tests all read there.
 * Functions here are for any thread. One run a session at a time. */
#ifndef BX_AGENT_AGENT_H
#define BX_AGENT_AGENT_H

#include "agent/agents.h"
#include "git/worktree.h"
#include "agent/budget.h"
#include "json/write.h"
#include "model/models.h"
#include "permit/permit.h"
#include "store/session.h"
#include "tools/registry.h"

struct bx_agent;

struct bx_agent_config {
    struct bx_store *store;        /* may be NULL where no run is started: then there are no settings either */
    struct bx_models *models;      /* may be NULL where no run is started (`tool run`) */
    struct bx_registry *registry;
    const char *root;              /* host folder that tools see as "/" */
    bool root_read_only;           /* `tool run --ro` */
    const struct bx_mount *mounts; /* further ones */
    size_t mount_count;
    unsigned tool_threads;         /* 0 = 128 */
    bool allow_bypass;             /* the start-up flag was given */
    const struct bx_file_blob *built_in_agents; /* agents.h; may be NULL */
    const char *user_agents;       /* the user's folder of agents; may be NULL */
};
int bx_agent_new(const struct bx_agent_config *config, struct bx_agent **ret, struct bx_err *err);
/* Stops every run (reason "interrupted" stays visible), joins their threads. */
void bx_agent_free(struct bx_agent *a);
BX_DEFINE_AUTO(struct bx_agent, bx_agent_free)

struct bx_run_options {
    unsigned max_turns;      /* 0 = settings, else 50 */
    bool headless;           /* nobody can answer: what would ask is refused */
    unsigned yes_levels;     /* bit per level */
    const char *model, *mode;/* NULL = the session's */
    uint64_t replace;        /* seq of a `user` event: it and all behind it leave the conversation first (edit and resend); 0 = none */
    bool stop;               /* with replace: a run that goes on is stopped for it (bx_agent_say) */
    const char *typed;       /* what stands for the text while it waits, e.g. "/init"; NULL = the text */
    const char *const *allow_hosts; /* granted to all tools of this run, NULL ended; copied; may be NULL */
    struct bx_executor *executor; /* of the room itself: the run is this executor's; NULL: a person's */
    const char *const *packs; /* attached to the session first, NULL ended; may be NULL. One that is not there is said in the context */
    const char *skill, *skill_args; /* the message is "/skill args", as typed: the model is told the skill's text, and the skill is
                                active for this run (skills/expand.h says what can be wrong with it); NULL = no */
    bool compact;            /* the run only compacts the conversation; the text is what to keep above all, may be "" */
    int64_t budget[BX_BUDGET_COUNT];/* 0 = the session's, else the settings'; turns: max_turns */
};
/* The user's message is on disk before this returns, behind those that waited (bx_agent_say). text NULL: those alone,
 * BX_ERR_NOTFOUND when there are none. BX_ERR_BUSY while the session runs. ret_run: id (37 bytes), may be NULL. */
int bx_agent_send(struct bx_agent *a, struct bx_session *session, const char *text, const struct bx_run_options *options,
                  char *ret_run, struct bx_err *err);
/* The same, but what is said to a session that works on another message waits in its log for the next turn boundary: messages,
 * skills (what is wrong with one is said at once), requests to compact (queue.c). With replace: BX_ERR_BUSY, unless `stop`. */
struct bx_said {
    char run[37], queued[37]; /* one of them, the other "" */
};
int bx_agent_say(struct bx_agent *a, struct bx_session *session, const char *text, const struct bx_run_options *options,
                 struct bx_said *ret, struct bx_err *err);
/* Takes one back. BX_ERR_NOTFOUND: it has joined the conversation, is being carried out, or never waited. */
int bx_agent_unqueue(struct bx_agent *a, struct bx_session *session, const char *id, struct bx_err *err);
/* The budget of the session's runs from here on: members of `patch` (bx_budget_read) replace those that were set, null takes
 * one out; a patch that is null takes out all. One that runs keeps the one that it began with. */
int bx_agent_set_budget(struct bx_session *session, const struct bx_val *patch, struct bx_err *err);
/* Honoured within 100 ms. BX_ERR_NOTFOUND when nothing runs. */
int bx_agent_stop_run(struct bx_agent *a, const char *session_id, struct bx_err *err);
/* Items of an array that the caller opened: all executors that the session and its executors have had. */
int bx_agent_list_executors(struct bx_agent *a, const char *session_id, struct bx_jw *w, struct bx_err *err);
bool bx_agent_is_running(struct bx_agent *a, const char *session_id);
bool bx_agent_is_waiting(struct bx_agent *a, const char *session_id); /* for an answer */
/* Waits for the end of the session's run; at once when there is none. */
void bx_agent_wait(struct bx_agent *a, const char *session_id);
/* Does one run? After the end of another this waits until it is settled whether what waits begins the next. */
bool bx_agent_goes_on(struct bx_agent *a, const char *session_id);

/* The words for an answer; which of them a question takes is in its event (docs/events.md). */
enum bx_choice {
    BX_CHOICE_ONCE, BX_CHOICE_SESSION, BX_CHOICE_ALWAYS, BX_CHOICE_ANSWER, BX_CHOICE_APPROVE, BX_CHOICE_APPROVE_EDITS,
    BX_CHOICE_NO, BX_CHOICE_COUNT
};
const char *bx_choice_name(enum bx_choice choice); /* "once", "approve_edits" … */
bool bx_choice_parse(struct bx_str s, enum bx_choice *ret);

struct bx_answer {
    enum bx_choice choice;
    const char *text;             /* free text; NULL or "" = none */
    const struct bx_val *answers; /* with BX_CHOICE_ANSWER: [{"selected":[label…],"text":"…"}], one a question; or NULL */
    const char *from;             /* "page" "terminal" "api" */
};
/* A question is answered once. Returns when the answer is in the log; not on the run's own thread. BX_ERR_NOTFOUND: it is not open
 * (answered already, run over); BX_ERR_INVALID: it takes no such answer, and stays open. */
int bx_agent_answer(struct bx_agent *a, const char *session_id, const char *question, const struct bx_answer *answer,
                    struct bx_err *err);
/* The id of the session's open question (37 bytes), "" when there is none. One at a time: the next is asked when this one is
 * answered. */
void bx_agent_open_question(struct bx_agent *a, const char *session_id, char *ret);

/* Copies of the root for executors (git/worktree.h); NULL where there is no store. */
struct bx_worktrees *bx_agent_worktrees(struct bx_agent *a);
/* The agent definitions as they are on the disk now (agents.h). The caller's. */
struct bx_agent_defs *bx_agent_definitions(struct bx_agent *a);
/* The i-th folder in which they are looked for, to be watched; the caller's, NULL behind the last. */
char *bx_agent_definition_folder(const struct bx_agent *a, size_t i);
/* Where they are looked for; views. */
void bx_agent_definition_places(const struct bx_agent *a, struct bx_agent_places *ret);

/* Closes runs that a crash left open (run_end "interrupted", results for calls without one). Once at start. One that waits
 * for an answer goes on waiting with `resume`, else it is left for who does. */
int bx_agent_recover(struct bx_agent *a, bool resume, struct bx_err *err);
/* Its log has an open run that waits for an answer, or whose executors do: the next start of a server goes on with it. */
bool bx_session_waits(struct bx_store *store, const char *session_id);

/* ---- context: what the next request of a session holds ---- */
/* One JSON object (docs/api.md, GET sessions/ID/context), made by the code that makes the request itself. */
int bx_agent_context_report(struct bx_agent *a, struct bx_session *session, struct bx_jw *w, struct bx_err *err);
bool bx_compact_at_ok(int64_t percent); /* as the setting `compact_at` */
/* Pinned facts: at most 2,000 bytes each, 8 KiB in all (BX_ERR_LIMIT). They count from the next request on. */
int bx_agent_add_fact(struct bx_agent *a, struct bx_session *s, struct bx_str text, bool by_model, char ret_id[static 37],
                      struct bx_err *err);
int bx_agent_drop_fact(struct bx_agent *a, struct bx_session *s, const char *id, struct bx_err *err); /* BX_ERR_NOTFOUND */
/* Packs count from the next run on. */
int bx_agent_attach_pack(struct bx_agent *a, struct bx_session *s, const char *name, struct bx_err *err);
int bx_agent_detach_pack(struct bx_agent *a, struct bx_session *s, const char *name, struct bx_err *err);
/* {"text","digest","path","max_bytes"}; the text is what its user wrote, BX_ERR_LIMIT when it is too long. `digest` (may be NULL):
 * of the memory that it was made from; BX_ERR_EXISTS when that is another by now. */
int bx_agent_memory(struct bx_agent *a, struct bx_jw *w, struct bx_err *err);
int bx_agent_set_memory(struct bx_agent *a, struct bx_str text, const char *digest, struct bx_err *err);
void bx_agent_list_packs(struct bx_agent *a, struct bx_jw *w); /* items of an array that the caller opened */
int bx_agent_get_pack(struct bx_agent *a, const char *name, struct bx_jw *w, struct bx_err *err); /* one object */
int bx_agent_put_pack(struct bx_agent *a, const char *name, const struct bx_val *pack, struct bx_err *err);
int bx_agent_remove_pack(struct bx_agent *a, const char *name, struct bx_err *err);

/* ---- grants: rules as people give and take them; any time, also while a run goes on ---- */
/* {"tool","verdict":"allow|ask|deny"?,"host"?,"limits"?,"path"?,"command"?,"scope":"once|session|workspace","expires_at"|"expires_in_s"?,"max_calls"?}; of a
 * session, or (NULL) of the workspace. BX_ERR_INVALID says what is wrong. */
int bx_agent_add_grant(struct bx_agent *a, const struct bx_val *grant, const char *session_id, char ret_id[static 37],
                       struct bx_err *err);
int bx_agent_remove_grant(struct bx_agent *a, const char *id, const char *session_id, struct bx_err *err);
/* Items of an array that the caller opened: all rules of the workspace, and those that the session was given. */
int bx_agent_list_grants(struct bx_agent *a, const char *session_id, struct bx_jw *w, struct bx_err *err);
/* What would happen to a call, by the check of a real one; nothing is executed. One object: {"decision","by","reason","rule"?,
 * "parts"?:[{"command","decision"}]}. */
struct bx_trial {
    const char *tool, *mode;     /* mode: NULL = the session's, else default */
    const struct bx_val *input;
    struct bx_session *session;  /* its rules and mode count too; or NULL */
};
int bx_agent_try_call(struct bx_agent *a, const struct bx_trial *t, struct bx_jw *w, struct bx_err *err);
/* What a call with these limits would see: for `tool describe` and the page. */
int bx_agent_tool_grant(struct bx_agent *a, const struct bx_tool *t, const struct bx_tool_limits *limits,
                        struct bx_arena *arena, struct bx_grant *ret, struct bx_err *err);
/* What is wrong with settings.json as it is on the disk now, so that an earlier one is in force; "" = nothing. */
void bx_agent_settings_problem(struct bx_agent *a, char ret[static 480]);

/* One call by a person (`tool run`, the page's "try it"): the same permission check, path and record as an agent's call. Who
 * makes it by hand has answered what would be asked, but for hosts: those of the settings, of grants and of wish count. What is
 * denied stays denied. wish: limits and hosts of the call, may be NULL.
 * tool: from bx_registry_find or bx_registry_load_file. A denied or malformed call is a result with is_error. */
int bx_agent_call_tool(struct bx_agent *a, struct bx_tool *tool, const struct bx_val *input,
                       const struct bx_limits_wish *wish, struct bx_cancel *cancel, struct bx_tool_result *ret, struct bx_err *err);

#endif
