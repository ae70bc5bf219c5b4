/* tools/host.h: what a native tool may ask of the run that called it.
 *
 * Implemented by the agent (agent/host.c), handed over in ctx->host; NULL where there is no run (`tool run`, "try it" on the
 * page): bx_tool_needs_run says so in words. Called on the call's own thread. */
#ifndef BX_TOOLS_HOST_H
#define BX_TOOLS_HOST_H

#include "tools/tool.h"

struct bx_tool_question {
    const char *kind;               /* "ask" or "plan" (docs/events.md) */
    const char *text;               /* one sentence */
    const char *const *choices;     /* "answer", "approve", "approve_edits", "no"; NULL ends the list */
    const struct bx_val *questions; /* of kind ask: the member `questions`; answers are held against it */
    struct bx_str members;          /* what else belongs into the event: one JSON object, or empty */
};
struct bx_tool_answer {
    const char *choice;   /* one of the choices; constant */
    char *text;           /* free text, or NULL */
    struct bx_doc *answers; /* ask: [{"selected":[label…],"text"}], one a question, checked; or NULL */
};
void bx_tool_answer_deinit(struct bx_tool_answer *a);

struct bx_skill_use;
/* Executors: what the tools Agent, AgentOutput, AgentStop and AgentSend want done (agent/executor.h). */
enum bx_executor_op { BX_EXECUTOR_START, BX_EXECUTOR_OUTPUT, BX_EXECUTOR_STOP, BX_EXECUTOR_SEND };
struct bx_recall_wish { /* one of call, seq, query */
    const char *call, *query; /* or NULL */
    int64_t seq;              /* or 0 */
    int64_t offset, limit;    /* bytes; of a query: limit is the number of hits. 0 = as usual */
};
struct bx_recall_result {
    struct bx_buf text; /* the caller's */
    size_t bytes;       /* of the whole that it is a part of */
    int64_t next;       /* offset to go on with; -1: that was all */
};

struct bx_tool_host {
    /* Asks the user and waits as long as it takes. BX_ERR_DENIED: nobody can be asked (the sentence says why);
     * BX_ERR_CANCELLED. */
    int (*ask)(struct bx_tool_ctx *ctx, const struct bx_tool_question *question, struct bx_tool_answer *ret, struct bx_err *err);
    bool (*can_ask)(struct bx_tool_ctx *ctx); /* is anybody there who could answer? */
    const char *(*mode)(struct bx_tool_ctx *ctx); /* the mode that counts now; constant */
    /* NULL: back to the mode before. Logged; *ret_mode is the one that counts from here on. */
    int (*set_mode)(struct bx_tool_ctx *ctx, const char *mode, const char **ret_mode, struct bx_err *err);
    /* Appends an event of the call's: its type and its own members, one JSON object. */
    int (*record)(struct bx_tool_ctx *ctx, const char *type, struct bx_str members, struct bx_err *err);
    /* input: as the tool's schema has it. What is wrong with it is a result that says so. */
    int (*executor)(struct bx_tool_ctx *ctx, enum bx_executor_op op, const struct bx_val *input, struct bx_tool_result *ret,
                    struct bx_err *err);
    /* Of an executor's worktree; as executor. */
    int (*worktree)(struct bx_tool_ctx *ctx, const struct bx_val *input, struct bx_tool_result *ret, struct bx_err *err);
    /* The session's log, read again. BX_ERR_NOTFOUND, BX_ERR_INVALID: the sentence is for the model. */
    int (*recall)(struct bx_tool_ctx *ctx, const struct bx_recall_wish *wish, struct bx_recall_result *ret, struct bx_err *err);
    /* Into the workspace's memory, or as a fact of the session. 1: it is there already; BX_ERR_INVALID, BX_ERR_LIMIT. */
    int (*remember)(struct bx_tool_ctx *ctx, struct bx_str text, bool for_session, struct bx_err *err);
    /* The skill is active in the run from here on: logged, its tools narrow, its files can be read, its text names their place.
     * ret_folder: where, the caller's; NULL = it has none. end_skill: BX_ERR_INVALID it is not; BX_ERR_DENIED the user began it. */
    int (*begin_skill)(struct bx_tool_ctx *ctx, struct bx_skill_use *use, char **ret_folder, struct bx_err *err);
    int (*end_skill)(struct bx_tool_ctx *ctx, const char *skill, struct bx_err *err);
};

/* True, and the result says so, when there is no run behind the call. */
bool bx_tool_needs_run(const struct bx_tool *t, const struct bx_tool_ctx *ctx, struct bx_tool_result *ret);
/* A host function failed: the result says why. Returns what execute returns. */
int bx_tool_host_failed(int rc, const struct bx_err *problem, struct bx_tool_result *ret, struct bx_err *err);

#endif
