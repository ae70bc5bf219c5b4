/* tools/tool.h: the one interface of everything a model can call.
 *
 * Native, box (WebAssembly), MCP and remote tools are implementations of it; the agent, the permission check, receipts,
 * the page and `boxagnts tool run` see no difference. execute runs on a tool thread, may block, honours ctx->cancel, and is
 * called by bx_registry_execute only, after the schema check. A tool is immutable and ref-counted: a run keeps what it
 * started with while the registry moves on. */
#ifndef BX_TOOLS_TOOL_H
#define BX_TOOLS_TOOL_H

#include "base/arena.h"
#include "base/cancel.h"
#include "base/level.h"
#include "box/receipt.h"
#include "json/json.h"

struct bx_tool_host;
struct bx_registry;
struct bx_tool_session;
struct bx_receipt_host;
/* What a person granted beside the settings, asked anew for each request and each file: a grant that was taken back, has
 * expired or is used up no longer counts. Any thread. */
struct bx_host_grants { /* entries as in allowed_outbound_hosts; the arena's */
    const char **granted, **ids; /* ids: of the rule, NULL for a yes to this call only */
    size_t granted_count;
    const char **denied; /* by rules */
    size_t denied_count;
};
struct bx_tool_grants {
    void (*hosts)(void *user, struct bx_arena *arena, struct bx_host_grants *ret);
    bool (*used)(void *user, const char *id, const char *entry); /* may a request go out because of this rule? counted once a call */
    bool (*path)(void *user, const char *guest_path);            /* may this guarded path be changed? */
    void *user;
};


/* What the permission check said of one call: the pass without which nothing is executed. It is good for this tool with this
 * input and no other. */
struct bx_tool_permit {
    const struct bx_tool *tool;
    const struct bx_val *input;
    bool allowed;
    const char *by, *rule; /* for the receipt; rule: its id, or NULL */
};
/* For the receipt; NULL: it never came to a check. */
struct bx_receipt_permit bx_tool_permit_said(const struct bx_tool_permit *p);

struct bx_tool_ctx {
    const struct bx_tool_permit *permit; /* NULL: nothing will be executed */
    const struct bx_tool_grants *grants; /* NULL: nothing beside the settings */
    struct bx_cancel *cancel;
    const char *session_id, *run_id, *call_id; /* "" where there is none */
    const struct bx_grant *grant;              /* mounts, hosts, limits of this call */
    struct bx_tool_session *session;           /* what the session's tools remember; set by bx_registry_execute for the
                                                  time of the call, NULL for a call by a person */
    void (*on_output)(void *user, const char *stream, struct bx_str text); /* live output, NULL = not wanted */
    void *user;                          /* of on_output and host */
    const struct bx_tool_host *host;     /* the run behind the call; NULL: there is none (a call by hand) */
    struct bx_receipt_host *traffic;     /* for the record: which host a remote tool talked to, and how much (it fills it; the
                                            name is the registry's to free); set by bx_registry_execute, else NULL */
    struct bx_registry *registry;        /* the one that executes; set by bx_registry_execute */
};

struct bx_tool_result {
    char *content;  /* JSON text: a string or an array of blocks */
    char *metadata; /* JSON text of an object, or NULL */
    const char *limit; /* static name of the limit that fired, or NULL */
    char *receipt;  /* JSON text, or NULL */
    char *denied;   /* JSON text: what was denied and the setting that would allow it, said by the host; or NULL */
    char *not_started; /* JSON array of {"command","pattern","rule"?,"times"}: starts of programs that rules stopped; or NULL */
    char *guarded;  /* JSON array of guarded files that the call changed and the host put back; or NULL */
    bool is_error;
    bool retryable;
    uint64_t ms;
};
void bx_tool_result_deinit(struct bx_tool_result *r);
void bx_tool_result_text(struct bx_tool_result *r, bool is_error, const char *fmt, ...) BX_PRINTF(3, 4);
/* More of the text that the model reads, behind what is there. */
void bx_tool_result_add(struct bx_tool_result *r, const char *fmt, ...) BX_PRINTF(2, 3);
/* {"content","is_error","metadata","limit","receipt","denied"?}: what `tool run --json` prints */
void bx_tool_result_write(const struct bx_tool_result *r, struct bx_buf *out);

enum bx_tool_kind { BX_TOOL_NATIVE, BX_TOOL_BOX, BX_TOOL_MCP, BX_TOOL_REMOTE };

struct bx_tool {
    const char *name;        /* [A-Za-z0-9_.-]{1,128} */
    const char *description;
    const char *version;
    enum bx_tool_kind kind;
    enum bx_level level;
    const char *source;      /* "built in", or the file it came from */
    const char *digest;      /* SHA-256, hex, of all that decides what a tool from outside is and does; NULL: built in */
    const char *schema_text; /* JSON text of the input schema */
    const struct bx_val *schema;
    const char *example;     /* JSON text or NULL */
    const char *path_members;/* comma-separated input members that name paths, e.g. "file_path" or "path" */
    const char *url;         /* where a remote tool's requests go, before the input is filled in; NULL: nowhere by itself */
    const char *command_member; /* input member that holds a shell command, or NULL */
    const struct bx_val *wants; /* limits, hosts, paths that the descriptor asks for, or NULL */
    /* 0 also when the tool says is_error; negative only when the call could not be made. */
    int (*execute)(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                   struct bx_tool_result *ret, struct bx_err *err);
    void (*destroy)(struct bx_tool *t);
    int refs; /* atomic */
};
/* Which one of its name it is, for rules that are about this one: its digest; "built in"; NULL: it cannot be told. */
const char *bx_tool_identity(const struct bx_tool *t);
struct bx_tool *bx_tool_ref(struct bx_tool *t);
void bx_tool_unref(struct bx_tool *t);
BX_DEFINE_AUTO(struct bx_tool, bx_tool_unref)

#endif
