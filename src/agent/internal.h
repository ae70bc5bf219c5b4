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

struct bx_agent {
    struct bx_store *store;
    struct bx_models *models;
    struct bx_registry *registry;
    struct bx_mount *mounts; /* the first is the root */
    size_t mount_count;
    bool allow_bypass;
    struct bx_crew *crew;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    BX_VEC(struct bx_run *) runs;           /* running, or ended and not yet joined */
    BX_VEC(struct bx_history *) histories;  /* of sessions that rest, oldest first */
    bool closing;
};

struct bx_question {
    char id[37]; /* "" = none is open */
    bool answered;
    enum bx_choice choice;
    char *text, from[16];
};

struct bx_context;

struct bx_run {
    struct bx_agent *agent;
    struct bx_session *session;
    struct bx_model *model;
    struct bx_cancel *cancel;
    pthread_t thread;
    char id[37];
    /* options */
    unsigned max_turns, yes_levels;
    bool headless;
    char *mode;              /* the run's own, or NULL: the session's, looked at for each call */
    /* the run thread's */
    struct bx_history *history;
    struct bx_context *context;
    unsigned turn, failures; /* failures: the same failing call in a row */
    char *last_failure;
    uint64_t start_ms;
    struct bx_rule *rules;   /* settings' and session's */
    size_t rule_count;
    bool log_failed;         /* atomic: calls of one reply end on several threads */
    /* agent->lock */
    struct bx_question question;
    bool started; /* thread may be joined */
    bool ending; /* the last event is being written: a new run may wait for the thread */
    bool done;   /* the thread touches nothing any more */
};
void *bx_run_main(void *run);
/* Keeps it for the session's next run, or frees it when there is no room. */
void bx_agent_keep_history(struct bx_agent *a, struct bx_history *take_h);

/* One call of a reply, from what the model wrote to its result. */
struct bx_call {
    struct bx_run *run;
    const char *id, *tool_name, *arguments; /* views into the reply */
    struct bx_doc *input;
    struct bx_tool *tool;
    struct bx_arena arena;
    struct bx_grant grant;
    struct bx_call_reach reach;
    struct bx_tool_result result;
    bool has_result; /* it will not be executed: broken, denied or stopped */
    size_t *left;    /* calls of the batch that have not ended, and whether the last one makes the log durable */
    bool durable;
};
/* Reads the call and asks for permission, waiting for an answer where one is needed. Afterwards it may run, or has a result. */
void bx_call_prepare(struct bx_call *call);
void bx_call_execute(void *call); /* logs tool_start and tool_result */
void bx_call_reset(struct bx_call *call);

enum bx_mode bx_run_mode(struct bx_run *run); /* the one that counts now */
/* Mounts and limits of one call. Arena-owned. */
int bx_agent_grant(struct bx_agent *a, const struct bx_tool *t, const char *const *limits, struct bx_arena *arena,
                   struct bx_grant *ret, struct bx_err *err);

/* ---- rules (rules.c) ---- */
/* Those of settings.json and the ones that the session's answers gave. */
int bx_run_load_rules(struct bx_run *run, struct bx_err *err);
int bx_agent_settings_rules(struct bx_agent *a, const char *session_rules, struct bx_rule **ret, size_t *ret_count,
                            struct bx_err *err);
/* The rule that "for this session" or "always" makes of a call. */
void bx_rule_of_call(const struct bx_call *call, const char *scope, struct bx_buf *out);
int bx_agent_keep_rule(struct bx_agent *a, struct bx_str rule, struct bx_err *err); /* into settings.json */

/* ---- questions (question.c) ---- */
/* Asks and waits without a time-out. 0, or BX_ERR_CANCELLED. ret->text is the caller's. */
int bx_run_ask(struct bx_run *run, const struct bx_call *call, const struct bx_permit_request *request,
               struct bx_question *ret);

/* ---- the log (event.c): each writes one event; a log that cannot be written ends the run ---- */
struct bx_event { /* a body that is being written: run is in it */
    struct bx_buf body;
    struct bx_jw w;
};
void bx_event_begin(struct bx_event *e, const char *run);
int bx_event_append(struct bx_run *run, struct bx_event *take_e, const char *type, enum bx_durability durability);
void bx_event_delta(struct bx_run *run, struct bx_event *take_e); /* after bx_delta_begin */
void bx_delta_begin(struct bx_event *e, const char *run, const char *type);
void bx_run_state(struct bx_run *run, const char *phase, struct bx_str text);
void bx_event_error(struct bx_run *run, const char *where, const struct bx_err *err);
void bx_event_limit(struct bx_run *run, const char *limit, const char *fmt, ...) BX_PRINTF(3, 4);
void bx_event_result(struct bx_jw *w, const struct bx_call *call); /* the members of tool_result */

/* ---- the model (ask.c) ---- */
/* 0 and a logged reply, or a negative code, with what was shown of the reply and the reason in the log. note: said for this
 * turn only, or NULL. */
int bx_run_ask_model(struct bx_run *run, const char *note, bool no_tools, struct bx_reply *ret);

/* ---- recovery (recover.c) ---- */
/* Closes the run that a crash left open in this session. */
int bx_session_close_open(struct bx_session *s, struct bx_history *h, struct bx_err *err);

#endif
