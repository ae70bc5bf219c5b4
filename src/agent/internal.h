/* agent/internal.h: what the files of this room share: the agent, one run, one call. Nobody else includes it. */
#ifndef BX_AGENT_INTERNAL_H
#define BX_AGENT_INTERNAL_H

#include "agent/agent.h"
#include "agent/batch.h"
#include "agent/history.h"
#include "base/arena.h"
#include "base/cancel.h"
#include "base/thread.h"
#include "json/write.h"

#define BX_EVENT_MAX (64 * BX_MIB) /* one event's JSON */

struct bx_prefix;

struct bx_agent {
    struct bx_store *store;
    struct bx_models *models;
    struct bx_registry *registry;
    struct bx_mount *mounts; /* the first is the root */
    size_t mount_count;
    bool allow_bypass;
    const struct bx_file_blob *built_in_agents;
    char *user_agents;
    struct bx_worktrees *worktrees; /* or NULL */
    struct bx_crew *crew;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    BX_VEC(struct bx_run *) runs;           /* running, or ended and not yet joined */
    BX_VEC(struct bx_executor *) executors; /* of runs that go on, in the order of their starts (executor.h) */
    BX_VEC(struct bx_history *) histories;  /* of sessions that rest, oldest first */
    bool closing;
    pthread_mutex_t queue_lock;    /* a message that waits joins or is taken back, never both (queue.c) */
    pthread_mutex_t settings_lock; /* of what follows (settings.c) */
    struct bx_settings *settings;  /* as last read and found good */
    uint64_t bad_stamp;            /* of the file that was not */
    char settings_problem[480];    /* "" = none */
    pthread_mutex_t spawn_lock;    /* one executor is made at a time: they are numbered */
    pthread_mutex_t show_lock;     /* what is shown of an executor is never older than what was shown before */
};

/* ---- settings.json (settings.c) ---- */
struct bx_settings; /* immutable */
/* As it is now, or as it last was good; a new reference. Fails only where there never was a good one. */
int bx_agent_settings(struct bx_agent *a, struct bx_settings **ret, struct bx_err *err);
struct bx_settings *bx_settings_ref(struct bx_settings *s);
void bx_settings_unref(struct bx_settings *s); /* NULL is fine */
BX_DEFINE_AUTO(struct bx_settings, bx_settings_unref)
const struct bx_val *bx_settings_root(const struct bx_settings *s);

/* ---- grants of a call (grants.c) ---- */
/* Asks the rules anew at each request; a rule that has a count is used once a call. */
struct bx_live_grants {
    struct bx_tool_grants ask;
    struct bx_agent *agent;
    struct bx_call *call; /* NULL: a call by a person, who has the settings' rules only */
    const struct bx_tool *tool; /* outlives it */
    const char *const *yes; /* hosts that this call was allowed, by whoever allowed it */
    const char *const *over; /* hosts that the person who began it granted (--allow-host), NULL ended; may be NULL */
    size_t yes_count;
    pthread_mutex_t lock; /* of what follows; in a run it is the run's rules_lock */
    BX_VEC(char *) used;  /* ids */
    struct bx_rule *rules;
    size_t rule_count;
};
void bx_live_grants_init(struct bx_live_grants *g, struct bx_agent *a, struct bx_call *call,
                         const struct bx_tool *tool);
void bx_live_grants_deinit(struct bx_live_grants *g); /* a zeroed one is fine */
/* The lock is held. */
void bx_live_hosts(struct bx_live_grants *g, const struct bx_rule *rules, size_t count, struct bx_arena *arena,
                   struct bx_host_grants *ret);
/* Notes the use; why: for the log, NULL = it is in it. False: the last use was somebody else's. The lock is held. */
bool bx_live_use(struct bx_live_grants *g, const struct bx_rule *rule, const char *why);

struct bx_question {
    char id[37]; /* "" = none is open */
    unsigned choices; /* bits: what it takes */
    const struct bx_val *questions; /* of kind ask, else NULL; a view, good while it is open */
    bool answered;
    enum bx_choice choice;
    char *text, from[16];
    char *answers; /* JSON text, or NULL */
    enum bx_answer_fate { BX_ANSWER_TAKEN, BX_ANSWER_LOGGED, BX_ANSWER_LOST } *fate; /* who answered waits for it to change, with
                                                                                      * agent->lock; NULL: nobody does */
};
void bx_question_deinit(struct bx_question *q);
/* What became of the answer, for who waits. agent->lock is held. */
void bx_question_tell(struct bx_agent *a, struct bx_question *q, enum bx_answer_fate fate);

/* ---- edit and resend (rewind.c) ---- */
/* Appends the `rewind` to the `user` event `to`. BX_ERR_INVALID: there is no such message in the conversation. */
int bx_session_rewind(struct bx_session *s, uint64_t to, struct bx_err *err);
int bx_session_check_rewind(struct bx_session *s, uint64_t to, struct bx_err *err); /* could it? Nothing is written */

struct bx_context;

struct bx_run {
    struct bx_agent *agent;
    struct bx_session *session;
    struct bx_model *model;
    struct bx_cancel *cancel; /* the user's stop, or the end of the program */
    struct bx_cancel *spend;  /* its child: the budget's, too. Everything that costs waits on it */
    struct bx_budget *budget;
    struct bx_price price;
    bool has_price;
    pthread_t thread;
    char id[37];
    /* options */
    unsigned yes_levels;
    bool headless, trial; /* trial: nothing is executed, used up or logged (trial.c) */
    const char **allow_hosts; /* NULL ended */
    char *model_option;       /* or NULL: the session's */
    int64_t budget_option[BX_BUDGET_COUNT];
    struct bx_resume *resume; /* it goes on after a restart; or NULL */
    char *compact; /* it only compacts, with this focus; or NULL */
    bool leaves_queue; /* … and something waited before: it goes out with the next message, not by itself */
    struct bx_executor *executor; /* what it is to a manager (executor.h); NULL: a person's run. A reference */
    /* the run thread's */
    struct bx_history *history;
    struct bx_context *context;
    struct bx_prefix *prefix; /* of the request that was made last, or NULL */
    unsigned turn, failures; /* failures: the same failing call in a row */
    unsigned questions;      /* messages that it was told */
    bool said;               /* one of them since the model was asked last */
    char *last_failure;
    uint64_t start_ms;
    bool log_failed;         /* atomic: calls of one reply end on several threads */
    /* rules_lock: calls of one reply are judged and answered on several threads. It also guards the history while they run */
    pthread_mutex_t rules_lock;
    struct bx_rule *rules;   /* settings' and session's, made of: */
    size_t rule_count;
    struct bx_settings *rules_settings;
    uint64_t rules_given, rules_inherited;
    BX_VEC(struct bx_narrow) narrows; /* narrow.c */
    struct bx_skills *skills; /* as they were at the start (skills.c), this and the next: the run thread's */
    bx_texts proposed, to_propose;
    unsigned propose_turn; /* in whose note to_propose stands */
    /* agent->lock */
    char *mode;              /* the run's own, or NULL: the session's, looked at for each call */
    char *earlier_mode;      /* the run's own before it entered plan mode, or NULL */
    unsigned tickets, serving; /* who asks next: one question of a run is open at a time */
    struct bx_question question;
    const struct bx_call *asking; /* the call that the open question holds */
    bool suspended; /* the program ends while it, or one of its executors, waits for an answer: it goes on with the next start */
    bool woken;     /* it goes on after a restart, and something has happened to one of its executors */
    unsigned executors_started; /* by the message that began this run, on all levels */
    bool rung;    /* a message was queued since the run last looked */
    char carries_out[37]; /* the request of the queue that it works on: too late to take it back; "" = none */
    bool started; /* thread may be joined */
    bool ending; /* the last event is being written: a new run may wait for the thread */
    bool done;   /* the next run may begin: it is begun here, when something waits to be sent */
    bool over;   /* the thread touches nothing any more and can be joined */
};
void *bx_run_main(void *run);
/* Keeps it for the session's next run, or frees it when there is no room. */
void bx_agent_keep_history(struct bx_agent *a, struct bx_history *take_h);
size_t bx_agent_result_max(int64_t window); /* bytes that one output may be told with */
/* The one that was kept, or an empty one, for the window of the run's model; not caught up. */
struct bx_history *bx_agent_take_history(struct bx_agent *a, const struct bx_run *run);

/* One call of a reply, from what the model wrote to its result. */
struct bx_call {
    struct bx_run *run;
    const char *id, *tool_name, *arguments; /* views into the reply */
    struct bx_doc *input;
    struct bx_tool *tool;
    struct bx_arena arena;
    struct bx_grant grant;
    struct bx_call_reach reach;
    struct bx_live_grants live;
    struct bx_tool_permit permit; /* what was decided last */
    struct bx_tool_result result;
    bool began;      /* its tool_start is written */
    bool has_result; /* it will not be executed: broken, denied or stopped */
    bool held;       /* it waited for an executor when its run was cancelled; of its own thread */
    bool asks;       /* the permission check wants a question, which is asked when the call's turn comes */
    enum bx_mode mode; /* in which it was judged */
    int64_t fuel_taken; /* of the budget, for as long as it runs */
    size_t *left;    /* calls of the batch that have not ended, and whether the last one makes the log durable */
    bool durable;
};
/* Reads the call and judges it; never waits. Afterwards it may run, will ask, or has a result. */
void bx_call_prepare(struct bx_call *call);
/* What the check says of a call that is read: no log, no question. The caller's arena holds what the decision views; the
 * rules that count stay those of the run until its lock is given up, so it is held. */
void bx_call_decide(struct bx_call *call, struct bx_arena *arena, struct bx_permit_request *ret_request,
                    struct bx_decision *ret);
/* What is asked of the check, but for the rules and narrowings. */
void bx_call_request(const struct bx_call *call, struct bx_permit_request *ret);
/* bars.c: what rules about commands leave to the box. The arena's. was_asked: a person, or --yes, allowed this very call. */
void bx_call_bars(const struct bx_permit_request *req, bool was_asked, struct bx_arena *arena, struct bx_grant *ret);
void bx_call_take_bars(struct bx_call *call); /* of the rules as they are when it starts */
/* Grant and reach of a call that is read. BX_ERR_…: it cannot be made. */
int bx_call_measure(struct bx_call *call, struct bx_err *err);
/* Asks where it must, which holds only this call and those that may not overtake it; judges anew when the mode has changed
 * since; runs it; logs tool_start and tool_result. */
void bx_call_execute(void *call);
void bx_call_reset(struct bx_call *call);
extern const struct bx_tool_host bx_call_host; /* host.c */

enum bx_mode bx_run_mode(struct bx_run *run); /* the one that counts now */
/* Mounts, hosts and limits of one call, by settings, rules and wish (may be NULL). Arena-owned. */
int bx_agent_grant(struct bx_live_grants *live, const struct bx_tool *t, const struct bx_limits_wish *wish,
                   struct bx_arena *arena, struct bx_grant *ret, struct bx_err *err);
void bx_log_permission(struct bx_call *call, bool allowed, const char *by, const char *reason, const char *rule);

/* ---- rules (rules.c) ---- */
/* Those of settings.json and what the session was given, as they are now; costs little when nothing has changed. rules_lock. */
int bx_run_load_rules(struct bx_run *run, struct bx_err *err);
int bx_agent_settings_rules(struct bx_agent *a, struct bx_rule **ret, size_t *ret_count, struct bx_err *err);
int bx_rule_check_limits(struct bx_agent *a, const struct bx_rule *rule, struct bx_err *err);
/* The rule that "for this session" or "always" makes of a call; BX_ERR_LIMIT when it does not fit into `out`. */
int bx_rule_of_call(const struct bx_call *call, const char *scope, struct bx_buf *out, struct bx_err *err);
/* In settings.json. drop, use: BX_ERR_NOTFOUND; use: BX_ERR_DENIED when it is used up. */
int bx_agent_keep_rule(struct bx_agent *a, struct bx_str rule, struct bx_err *err);
int bx_agent_drop_rule(struct bx_agent *a, const char *id, struct bx_err *err);
int bx_agent_use_rule(struct bx_agent *a, const char *id, struct bx_err *err);

/* ---- narrowings (narrow.c): what is left of the session's tools for this run; any thread ---- */
/* Copied; takes the place of one of the same `by`. Counts from the next judgement on. */
void bx_run_narrow(struct bx_run *run, const struct bx_narrow *n);
void bx_run_widen(struct bx_run *run, const char *by); /* one that is not there is fine */
void bx_run_narrows_free(struct bx_run *run);

/* ---- skills (skills.c) ---- */
struct bx_skill_use;
struct bx_skills *bx_run_skills(struct bx_run *run); /* as they are on the disk now; the caller's */
/* Active from here on: its files are laid out for the tools, it is logged, its tools narrow. call: NULL = the user began it.
 * ret_folder: the guest path of its files, the caller's, or NULL. */
/* Lays its files out, and puts before its text where they are and what it leaves: for one that the user starts. */
int bx_run_introduce_skill(struct bx_run *run, struct bx_skill_use *use, struct bx_err *err);
int bx_run_begin_skill(struct bx_run *run, const char *call, struct bx_skill_use *use, char **ret_folder,
                       struct bx_err *err);
/* BX_ERR_INVALID: it is not active; BX_ERR_DENIED: the user began it, so the run's end ends it. */
int bx_run_end_skill(struct bx_run *run, const char *call, const char *skill, struct bx_err *err);
void bx_run_restore_skills(struct bx_run *run); /* what the log says is active narrows again */
/* The folder of skills' files, read-only, when the session has loaded a skill that has some. rules_lock is held. */
void bx_run_mount_skills(struct bx_run *run, struct bx_arena *arena, struct bx_grant *g);
/* Triggers only propose, in the note of the next turn; each skill once a run. The run thread's. */
void bx_run_propose_for_text(struct bx_run *run, struct bx_str message);
void bx_run_propose_for_call(struct bx_run *run, const struct bx_call *call);
void bx_run_add_proposals(struct bx_run *run, struct bx_buf *out);
void bx_agent_sweep_skill_files(struct bx_agent *a); /* of roots that are gone; at the start */
void bx_run_skills_deinit(struct bx_run *run);

/* ---- questions (question.c) ---- */
struct bx_ask {
    const char *kind, *text;        /* docs/events.md; text: one sentence */
    unsigned choices;               /* bits: 1u << BX_CHOICE_ONCE … */
    const struct bx_val *questions; /* kind ask: answers are held against it */
    struct bx_str members;          /* further members of the event: one JSON object, or empty */
    struct bx_str session_rule;     /* what BX_CHOICE_SESSION allows from here on: goes into the answer event; or empty */
};
/* Questions of a run come one after another: begin waits for the turn (BX_ERR_CANCELLED when the run is stopped first), end
 * gives it on. What an earlier answer settled can be looked at in between, before anybody is asked. */
int bx_run_ask_begin(struct bx_run *run);
void bx_run_ask_end(struct bx_run *run);
/* Asks and waits without a time-out. 0, or BX_ERR_CANCELLED. *ret is the caller's. */
int bx_run_ask(struct bx_run *run, const struct bx_call *call, const struct bx_ask *ask, struct bx_question *ret);
/* After a restart: the answer to a question that need not be asked any more is logged all the same. */
void bx_run_settle_answer(struct bx_run *run);

/* ---- the log (event.c): each writes one event; a log that cannot be written ends the run ---- */
struct bx_event { /* a body that is being written: run is in it */
    struct bx_buf body;
    struct bx_jw w;
};
void bx_event_begin(struct bx_event *e, const char *run);
/* A member that somebody else wrote: as it is when it is JSON of a depth that can be read again here, else `otherwise`, which is. */
void bx_event_json(struct bx_jw *w, const char *key, const char *text, const char *otherwise);
void bx_event_members(struct bx_event *e, struct bx_str object); /* those of one JSON object; empty = none */
int bx_event_append(struct bx_run *run, struct bx_event *take_e, const char *type, enum bx_durability durability);
void bx_run_log_failed(struct bx_run *run, const char *why); /* what bx_event_append does then */
void bx_event_delta(struct bx_run *run, struct bx_event *take_e); /* after bx_delta_begin */
void bx_delta_begin(struct bx_event *e, const char *run, const char *type);
void bx_run_state(struct bx_run *run, const char *phase, struct bx_str text);
void bx_event_error(struct bx_run *run, const char *where, const struct bx_err *err);
void bx_event_limit(struct bx_run *run, const char *limit, const char *fmt, ...) BX_PRINTF(3, 4);
void bx_event_result(struct bx_jw *w, const struct bx_call *call); /* the members of tool_result */

/* ---- what a run spends (spend.c) ---- */
/* Makes run->spend and run->budget. BX_ERR_INVALID says which budget is wrong. */
int bx_run_open_budget(struct bx_run *run, const struct bx_val *settings, struct bx_err *err);
void bx_run_write_budget(struct bx_run *run, struct bx_jw *w); /* the member "budget" of run_start */
struct bx_spend { /* one request to the model */
    struct bx_run *run;
    int64_t input, output_bytes, charged_tokens, charged_micro;
};
/* False: the request does not fit; the budget has fired. */
bool bx_spend_begin(struct bx_spend *s, struct bx_run *run, int64_t input_tokens);
void bx_spend_piece(struct bx_spend *s, size_t bytes);
void bx_spend_again(struct bx_spend *s); /* it broke off and is sent once more */
void bx_spend_end(struct bx_spend *s, const struct bx_usage *usage);
void bx_run_log_budget(struct bx_run *run, const char *name); /* the limit event; name: bx_budget_fired */
/* A little more, so that the model can say where it stands. False: nothing is left for that. */
bool bx_run_last_word(struct bx_run *run);

/* ---- the model (ask.c) ---- */
/* 0 and a logged reply, or a negative code, with what was shown of the reply and the reason in the log. note: said for this
 * turn only, or NULL. */
int bx_run_ask_model(struct bx_run *run, const char *note, bool no_tools, struct bx_reply *ret);

/* ---- what is said for one turn (note.c) ---- */
/* `words` (NULL = none) behind the mode and the list of tasks, where they must be said; NULL when there is nothing. The
 * caller's. */
char *bx_run_note(struct bx_run *run, const char *words);

/* ---- what is said, at once or after it has waited (queue.c) ---- */
/* A message of the user's becomes part of the conversation. queued: its id while it waited, or NULL. use: it is "/name args"
 * of this skill, expanded and introduced, which is active from here on; or NULL. */
int bx_run_say(struct bx_run *run, const char *text, const char *queued, struct bx_skill_use *use, struct bx_err *err);
/* "/name args": found, filled in and its files laid out; nothing is logged. What *ret views is in *ret_all, the caller's. */
int bx_run_expand_skill(struct bx_run *run, const char *skill, const char *args, struct bx_skills **ret_all,
                        struct bx_skill_use *ret, struct bx_err *err);
bool bx_session_has_queued(struct bx_session *s);
/* All messages that wait become part of the conversation; a skill that cannot be used any more is taken out with the reason.
 * 0, or the log cannot be written and the run is cancelled. */
int bx_run_join_queued(struct bx_run *run);
/* Then the requests that wait are carried out, on the run's thread. BX_ERR_CANCELLED: they wait on. */
int bx_run_compact_queued(struct bx_run *run);
/* After the run's end, on its thread: begins the next one with what still waits. */
void bx_run_go_on(const struct bx_run *run, const char *reason);
/* A run goes on and will look once more. ring: if it waits for something else (executors), it looks now. */
bool bx_agent_takes_queued(struct bx_agent *a, const char *session_id, bool ring);
bool bx_agent_carries_out(struct bx_agent *a, const char *session_id, const char *queued);

/* ---- recovery (recover.c) ---- */
/* What the log says of an open run (resume.c). */
struct bx_resume {
    char run[37], manager[37]; /* manager: the run that it works for, "": a person's */
    char *model;
    int64_t caps[BX_BUDGET_COUNT], used[BX_BUDGET_COUNT]; /* used: without its executors' */
    int64_t first_ms, last_ms; /* wall clock, of its events */
    unsigned turn, calls, failed_calls; /* calls: that have a result */
    int64_t input_tokens, output_tokens;
    double cost;
    bool cost_known;
    struct bx_buf failures;    /* of its calls, one a line */
    char *own_mode;            /* that the run began with, beside the session's; or NULL */
    bool plans;                /* it went into plan mode, and has not left it */
    struct bx_doc *question;   /* the event of the one that is open; NULL: none is */
    BX_VEC(char *) begun;      /* ids of calls that have begun and have no result */
    BX_VEC(struct bx_resume_below) below; /* its executors, in the order of their beginnings */
};
struct bx_resume_below {
    char id[37];         /* its session */
    struct bx_doc *last; /* the newest event of it in its manager's log */
    bool told;           /* the manager knows of its end */
    char *problem;       /* why there is nothing left of it to ask; or NULL */
    /* One that waits for an answer, or has executors that do; else NULL (bx_resume_look). */
    struct bx_session *session;
    struct bx_history *history;
    struct bx_resume *resume;
};
int bx_resume_read(struct bx_session *s, const char *run, struct bx_resume **ret, struct bx_err *err);
void bx_resume_free(struct bx_resume *r); /* NULL is fine */
BX_DEFINE_AUTO(struct bx_resume, bx_resume_free)
/* Which of its executors go on, on all levels. True: it waits for an answer itself, or one of them does. */
bool bx_resume_look(struct bx_store *store, struct bx_resume *r);
bool bx_resume_had_begun(const struct bx_resume *r, const char *call);
const char *bx_resume_call(const struct bx_resume *r); /* whose question is open; NULL = none */
bool bx_resume_is_of(const struct bx_resume *r, const char *call, const char *kind); /* kind NULL: any */
const struct bx_resume_below *bx_resume_below_of_call(const struct bx_resume *r, const char *call); /* or NULL */
/* Its input, as the reply has it, in a document that is the caller's; NULL: the log has no such call. */
const struct bx_val *bx_resume_find_call(struct bx_session *s, const char *call, struct bx_doc **ret_doc);
/* Spent by the executor's runs for this manager's run, and below them; but: a run that is not counted, or NULL. */
void bx_resume_add_spent(struct bx_store *store, const char *session_id, const char *manager, const char *but,
                         int64_t used[static BX_BUDGET_COUNT]);

/* ---- going on (resume_run.c) ---- */
/* Starts it again: the same run, the same question, its executors with theirs. as: the executor that it is to a manager that
 * goes on too, or NULL. Takes `take_resume`. A negative code: nothing of it runs, and it is the caller's to close. */
int bx_agent_go_on(struct bx_agent *a, struct bx_session *session, struct bx_history *h, struct bx_resume *take_resume,
                   struct bx_executor *as, struct bx_err *err);
/* The answer to its question, or news of one of its executors; BX_ERR_CANCELLED. */
int bx_run_await_again(struct bx_run *run);
/* Nothing of this call, nor (NULL) of the run, is closed in the log: it goes on with the next start. */
bool bx_run_leaves_open(struct bx_run *run, const struct bx_call *call);
void bx_agent_suspend(struct bx_agent *a); /* the program ends: those that go on with the next start; the lock is held */

/* Results for calls that had begun and whose end is not known. by: the run that goes on, whose own are left, or NULL. */
int bx_session_close_calls(struct bx_session *s, struct bx_history *h, struct bx_run *by, struct bx_err *err);

/* ---- a run without its thread (agent.c) ---- */
struct bx_run *bx_run_new(struct bx_agent *a, struct bx_session *session, struct bx_cancel *above);
/* Puts it into the list, so that there is one a session. One that is just writing its end is waited for. */
int bx_run_reserve(struct bx_agent *a, struct bx_run *run, struct bx_err *err);
int bx_run_read_options(struct bx_run *run, const struct bx_run_options *o, struct bx_err *err);
int bx_run_start(struct bx_run *run, struct bx_err *err); /* from here on it may be gone any time */
void bx_run_give_up(struct bx_run *run); /* frees one that is in the list and never got a thread */
void bx_run_free(struct bx_run *run);    /* one that is not in it; NULL is fine */

/* Closes the run that a crash left open in this session. */
int bx_session_close_open(struct bx_session *s, struct bx_history *h, struct bx_err *err);

#endif
