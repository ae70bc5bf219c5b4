/* api/call.h: one request of docs/api.md on its way through a worker.
 *
 * A route is a plain function that blocks as it likes: it runs on a worker thread, reads `params` and `body`, and fills
 * `reply`, or returns an error, which becomes a problem document. */
#ifndef BX_API_CALL_H
#define BX_API_CALL_H

#include "api/api.h"
#include "api/body.h"
#include "base/cancel.h"
#include "http/router.h"

#define BX_CALL_QUERY_MAX (8 * BX_KIB) /* of a value in the address; whoever reads one has room for it */

struct bx_call_route;

struct bx_api_call {
    struct bx_api *api;
    struct bx_http_exchange *ex; /* a reference; the worker reads its request only */
    const struct bx_http_request *req;
    const struct bx_call_route *route;
    struct bx_http_match match;
    struct bx_doc *doc;
    const struct bx_val *body; /* an object, checked against the route's members */
    struct bx_http_reply reply;
    char field[64];            /* the member at fault */
    struct bx_cancel *cancel;  /* slow routes and those that ask for it, else NULL: fires when the client leaves or the server stops */
    struct bx_jw json;         /* of bx_call_json */
};

struct bx_call_route {
    int (*run)(struct bx_api_call *call, struct bx_err *err);
    const struct bx_member *members; /* NULL: no body */
    bool slow;
    bool cancels; /* a quick one that wants `cancel` all the same */
};

/* Takes an exchange whose request is whole; replies, now or later. Loop thread. */
void bx_api_call_start(struct bx_api *api, struct bx_http_exchange *ex, const struct bx_http_match *match);

/* For routes. */
struct bx_jw *bx_call_json(struct bx_api_call *c, int status); /* begins a JSON reply: write one value */
void bx_call_empty(struct bx_api_call *c, int status);
struct bx_str bx_call_param(const struct bx_api_call *c, size_t index);
/* params[0] as a session id; BX_ERR_NOTFOUND for what cannot be one. */
int bx_call_session_id(struct bx_api_call *c, char ret[static 37], struct bx_err *err);
int bx_call_session(struct bx_api_call *c, struct bx_session **ret, struct bx_err *err);
/* A number of the query in [min, max]; fallback when absent. */
int bx_call_query_uint(struct bx_api_call *c, const char *name, uint64_t min, uint64_t max, uint64_t fallback,
                       uint64_t *ret, struct bx_err *err);
int bx_call_fault(struct bx_api_call *c, const char *field, struct bx_err *err, const char *fmt, ...) BX_PRINTF(4, 5);

extern const struct bx_http_route bx_api_routes[]; /* target: struct bx_call_route */
extern const size_t bx_api_route_count;

/* The routes, by file: sessions.c, settings.c, tools.c, grants.c, receipts.c */
int bx_route_sessions_list(struct bx_api_call *c, struct bx_err *err);
int bx_route_sessions_create(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_patch(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_delete(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_restore(struct bx_api_call *c, struct bx_err *err); /* session_ops.c */
int bx_route_session_fork(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_usage(struct bx_api_call *c, struct bx_err *err);
int bx_route_sessions_bulk(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_events(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_export(struct bx_api_call *c, struct bx_err *err); /* session_files.c */
int bx_route_retention(struct bx_api_call *c, struct bx_err *err); /* retention.c */
int bx_route_session_import(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_message(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_unqueue(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_stop(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_answer(struct bx_api_call *c, struct bx_err *err);
int bx_route_session_command(struct bx_api_call *c, struct bx_err *err); /* slash.c */
int bx_route_commands(struct bx_api_call *c, struct bx_err *err);
int bx_route_files(struct bx_api_call *c, struct bx_err *err);
int bx_route_executors(struct bx_api_call *c, struct bx_err *err); /* executors.c */
int bx_route_session_context(struct bx_api_call *c, struct bx_err *err); /* context.c */
int bx_route_session_compact(struct bx_api_call *c, struct bx_err *err);
int bx_route_fact_add(struct bx_api_call *c, struct bx_err *err);
int bx_route_fact_drop(struct bx_api_call *c, struct bx_err *err);
int bx_route_pack_attach(struct bx_api_call *c, struct bx_err *err);
int bx_route_pack_detach(struct bx_api_call *c, struct bx_err *err);
int bx_route_memory_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_memory_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_packs(struct bx_api_call *c, struct bx_err *err);
int bx_route_pack_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_pack_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_pack_remove(struct bx_api_call *c, struct bx_err *err);
int bx_route_models(struct bx_api_call *c, struct bx_err *err);
int bx_route_settings_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_settings_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_provider_key(struct bx_api_call *c, struct bx_err *err);
int bx_route_tool_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_tool_limits(struct bx_api_call *c, struct bx_err *err);
int bx_route_agents(struct bx_api_call *c, struct bx_err *err); /* agents.c */
int bx_route_agent_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_agent_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_agent_delete(struct bx_api_call *c, struct bx_err *err);
int bx_route_worktrees(struct bx_api_call *c, struct bx_err *err); /* worktrees.c */
int bx_route_worktree_diff(struct bx_api_call *c, struct bx_err *err);
int bx_route_worktree_merge(struct bx_api_call *c, struct bx_err *err);
int bx_route_worktree_keep(struct bx_api_call *c, struct bx_err *err);
int bx_route_worktree_discard(struct bx_api_call *c, struct bx_err *err);
int bx_route_grants(struct bx_api_call *c, struct bx_err *err);
int bx_route_grant_add(struct bx_api_call *c, struct bx_err *err);
int bx_route_permit_test(struct bx_api_call *c, struct bx_err *err);
int bx_route_grant_remove(struct bx_api_call *c, struct bx_err *err);
int bx_reply_tool(struct bx_api_call *c, struct bx_tool *t, struct bx_err *err); /* the body of GET tools/NAME */
int bx_route_tools(struct bx_api_call *c, struct bx_err *err);
int bx_route_tool_run(struct bx_api_call *c, struct bx_err *err);
int bx_route_skills(struct bx_api_call *c, struct bx_err *err); /* skills.c */
int bx_route_skill_get(struct bx_api_call *c, struct bx_err *err);
int bx_route_skill_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_skill_delete(struct bx_api_call *c, struct bx_err *err);
int bx_route_skill_check(struct bx_api_call *c, struct bx_err *err);
int bx_route_skill_expand(struct bx_api_call *c, struct bx_err *err);
int bx_route_skill_trust(struct bx_api_call *c, struct bx_err *err);
int bx_route_receipts(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_list(struct bx_api_call *c, struct bx_err *err); /* mcp.c */
int bx_route_mcp_put(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_delete(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_prompts(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_restart(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_approve(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_login(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_logout(struct bx_api_call *c, struct bx_err *err);
int bx_route_mcp_callback(struct bx_api_call *c, struct bx_err *err);
int bx_route_system(struct bx_api_call *c, struct bx_err *err);

#endif
