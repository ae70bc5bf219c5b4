/* docs/api.md as a table. */
#include "api/call.h"
#include "store/import.h"

#define SMALL (16 * BX_KIB)
#define LARGE (2 * BX_MIB)

static const struct bx_member no_members[] = {{.name = NULL}};
static const struct bx_member create_members[] = {
    {.name = "model", .type = BX_VAL_STR, .max_bytes = 1000},
    {.name = "mode", .type = BX_VAL_STR, .max_bytes = 100},
    {.name = "title", .type = BX_VAL_STR, .max_bytes = 400},
    {.name = NULL}};
static const struct bx_member patch_members[] = {
    {.name = "model", .type = BX_VAL_STR, .max_bytes = 1000},
    {.name = "mode", .type = BX_VAL_STR, .max_bytes = 100},
    {.name = "title", .type = BX_VAL_STR, .max_bytes = 400},
    {.name = "pinned", .type = BX_VAL_BOOL},
    {.name = "planner", .type = BX_VAL_BOOL},
    {.name = "budget", .type = BX_VAL_OBJ, .nullable = true},
    {.name = NULL}};
static const struct bx_member fork_members[] = {{.name = "seq", .type = BX_VAL_INT},
                                                {.name = NULL}};
static const struct bx_member bulk_members[] = {
    {.name = "ids", .type = BX_VAL_ARR, .required = true},
    {.name = "do", .type = BX_VAL_STR, .required = true, .max_bytes = 20},
    {.name = NULL}};
static const struct bx_member message_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = BX_MIB},
    {.name = "replace", .type = BX_VAL_INT},
    {.name = "stop", .type = BX_VAL_BOOL},
    {.name = NULL}};
static const struct bx_member command_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = BX_MIB}, {.name = NULL}};
static const struct bx_member answer_members[] = {
    {.name = "question", .type = BX_VAL_STR, .required = true, .max_bytes = 100},
    {.name = "choice", .type = BX_VAL_STR, .required = true, .max_bytes = 100},
    {.name = "text", .type = BX_VAL_STR, .max_bytes = 64 * BX_KIB},
    {.name = "answers", .type = BX_VAL_ARR},
    {.name = NULL}};
static const struct bx_member compact_members[] = {
    {.name = "focus", .type = BX_VAL_STR, .max_bytes = 2000}, {.name = NULL}};
static const struct bx_member fact_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = 8 * BX_KIB},
    {.name = NULL}};
static const struct bx_member memory_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = BX_MIB},
    {.name = "digest", .type = BX_VAL_STR, .max_bytes = 64},
    {.name = NULL}};
static const struct bx_member attach_members[] = {
    {.name = "name", .type = BX_VAL_STR, .required = true, .max_bytes = 100}, {.name = NULL}};
static const struct bx_member pack_members[] = {
    {.name = "description", .type = BX_VAL_STR, .max_bytes = 4 * BX_KIB},
    {.name = "items", .type = BX_VAL_ARR, .required = true},
    {.name = NULL}};
static const struct bx_member settings_members[] = {
    {.name = "model", .type = BX_VAL_STR, .nullable = true, .max_bytes = 1000},
    {.name = "mode", .type = BX_VAL_STR, .nullable = true, .max_bytes = 100},
    {.name = "providers", .type = BX_VAL_OBJ, .nullable = true},
    {.name = "limits", .type = BX_VAL_OBJ, .nullable = true},
    {.name = "retention", .type = BX_VAL_OBJ, .nullable = true},
    {.name = "budgets", .type = BX_VAL_OBJ, .nullable = true},
    {.name = "defer_tools", .type = BX_VAL_OBJ, .nullable = true},
    {.name = "compact_at", .type = BX_VAL_INT, .nullable = true},
    {.name = "max_concurrent_executors", .type = BX_VAL_INT, .nullable = true},
    {.name = "max_executor_depth", .type = BX_VAL_INT, .nullable = true},
    {.name = "max_executors", .type = BX_VAL_INT, .nullable = true},
    {.name = "executor_budget", .type = BX_VAL_OBJ, .nullable = true},
    {.name = NULL}};
static const struct bx_member key_members[] = {
    {.name = "key", .type = BX_VAL_STR, .required = true, .max_bytes = 4 * BX_KIB}, {.name = NULL}};
static const struct bx_member run_members[] = {
    {.name = "input", .type = BX_VAL_OBJ, .required = true},
    {.name = "limits", .type = BX_VAL_OBJ},
    {.name = "allow_hosts", .type = BX_VAL_ARR},
    {.name = NULL}};
static const struct bx_member agent_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = 256 * BX_KIB},
    {.name = NULL}};
static const struct bx_member limits_members[] = {
    {.name = "limits", .type = BX_VAL_OBJ, .required = true, .nullable = true}, {.name = NULL}};
static const struct bx_member grant_members[] = {
    {.name = "tool", .type = BX_VAL_STR, .required = true, .max_bytes = 200},
    {.name = "verdict", .type = BX_VAL_STR, .max_bytes = 20},
    {.name = "host", .type = BX_VAL_STR, .max_bytes = 1000},
    {.name = "path", .type = BX_VAL_STR, .max_bytes = 4 * BX_KIB},
    {.name = "command", .type = BX_VAL_STR},
    {.name = "limits", .type = BX_VAL_OBJ},
    {.name = "scope", .type = BX_VAL_STR, .required = true, .max_bytes = 20},
    {.name = "session", .type = BX_VAL_STR, .max_bytes = 100},
    {.name = "expires_at", .type = BX_VAL_STR, .max_bytes = 40},
    {.name = "expires_in_s", .type = BX_VAL_INT},
    {.name = "max_calls", .type = BX_VAL_INT},
    {.name = NULL}};

static const struct bx_member trial_members[] = {
    {.name = "tool", .type = BX_VAL_STR, .required = true, .max_bytes = 200},
    {.name = "input", .type = BX_VAL_OBJ, .required = true},
    {.name = "mode", .type = BX_VAL_STR, .max_bytes = 100},
    {.name = "session", .type = BX_VAL_STR, .max_bytes = 100},
    {.name = NULL}};

static const struct bx_member server_members[] = {
    {.name = "entry", .type = BX_VAL_OBJ, .required = true}, {.name = NULL}};
static const struct bx_member approve_members[] = {
    {.name = "digest", .type = BX_VAL_STR, .required = true, .max_bytes = 64},
    {.name = "tool", .type = BX_VAL_STR, .max_bytes = 200},
    {.name = NULL}};

static const struct bx_member skill_text_members[] = {
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = 2 * BX_MIB},
    {.name = NULL}};
static const struct bx_member skill_args_members[] = {
    {.name = "args", .type = BX_VAL_STR, .max_bytes = 128 * BX_KIB}, {.name = NULL}};
static const struct bx_member skill_trust_members[] = {
    {.name = "digest", .type = BX_VAL_STR, .max_bytes = 64}, {.name = NULL}};

#define ROUTE(run, members, slow)                                                                  \
    &(const struct bx_call_route) {                                                                \
        run, members, slow, false                                                                  \
    }
#define SEARCH(run)                                                                                \
    &(const struct bx_call_route) {                                                                \
        run, NULL, false, true                                                                     \
    }
#define S "/api/v1/sessions"

const struct bx_http_route bx_api_routes[] = {
    {BX_HTTP_GET, S, 0, SEARCH(bx_route_sessions_list)},
    {BX_HTTP_POST, S, SMALL, ROUTE(bx_route_sessions_create, create_members, false)},
    {BX_HTTP_POST, S "/import", BX_IMPORT_MAX_BYTES,
     ROUTE(bx_route_session_import, NULL, false)}, /* the body is the document */
    {BX_HTTP_POST, S "/bulk", LARGE, ROUTE(bx_route_sessions_bulk, bulk_members, false)},
    {BX_HTTP_GET, S "/*", 0, ROUTE(bx_route_session_get, NULL, false)},
    {BX_HTTP_PATCH, S "/*", SMALL, ROUTE(bx_route_session_patch, patch_members, false)},
    {BX_HTTP_DELETE, S "/*", SMALL, ROUTE(bx_route_session_delete, no_members, false)},
    {BX_HTTP_POST, S "/*/restore", SMALL, ROUTE(bx_route_session_restore, no_members, false)},
    {BX_HTTP_POST, S "/*/fork", SMALL, ROUTE(bx_route_session_fork, fork_members, false)},
    {BX_HTTP_GET, S "/*/usage", 0, ROUTE(bx_route_session_usage, NULL, false)},
    {BX_HTTP_GET, S "/*/events", 0, ROUTE(bx_route_session_events, NULL, false)},
    {BX_HTTP_GET, S "/*/export", 0, ROUTE(bx_route_session_export, NULL, false)},
    {BX_HTTP_POST, S "/*/messages", LARGE, ROUTE(bx_route_session_message, message_members, false)},
    {BX_HTTP_DELETE, S "/*/queued/*", SMALL, ROUTE(bx_route_session_unqueue, no_members, false)},
    {BX_HTTP_POST, S "/*/stop", SMALL, ROUTE(bx_route_session_stop, no_members, false)},
    {BX_HTTP_POST, S "/*/answers", LARGE, ROUTE(bx_route_session_answer, answer_members, false)},
    {BX_HTTP_POST, S "/*/command", LARGE, ROUTE(bx_route_session_command, command_members, true)},
    {BX_HTTP_GET, "/api/v1/commands", 0, ROUTE(bx_route_commands, NULL, false)},
    {BX_HTTP_GET, "/api/v1/files", 0, ROUTE(bx_route_files, NULL, true)},
    {BX_HTTP_GET, S "/*/executors", 0, ROUTE(bx_route_executors, NULL, false)},
    {BX_HTTP_GET, S "/*/context", 0, ROUTE(bx_route_session_context, NULL, false)},
    {BX_HTTP_POST, S "/*/compact", SMALL, ROUTE(bx_route_session_compact, compact_members, false)},
    {BX_HTTP_POST, S "/*/facts", SMALL, ROUTE(bx_route_fact_add, fact_members, false)},
    {BX_HTTP_DELETE, S "/*/facts/*", SMALL, ROUTE(bx_route_fact_drop, no_members, false)},
    {BX_HTTP_POST, S "/*/packs", SMALL, ROUTE(bx_route_pack_attach, attach_members, false)},
    {BX_HTTP_DELETE, S "/*/packs/*", SMALL, ROUTE(bx_route_pack_detach, no_members, false)},
    {BX_HTTP_GET, "/api/v1/memory", 0, ROUTE(bx_route_memory_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/memory", LARGE, ROUTE(bx_route_memory_put, memory_members, false)},
    {BX_HTTP_GET, "/api/v1/packs", 0, ROUTE(bx_route_packs, NULL, false)},
    {BX_HTTP_GET, "/api/v1/packs/*", 0, ROUTE(bx_route_pack_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/packs/*", LARGE, ROUTE(bx_route_pack_put, pack_members, false)},
    {BX_HTTP_DELETE, "/api/v1/packs/*", SMALL, ROUTE(bx_route_pack_remove, no_members, false)},
    {BX_HTTP_GET, "/api/v1/retention", 0, ROUTE(bx_route_retention, NULL, false)},
    {BX_HTTP_GET, "/api/v1/models", 0, ROUTE(bx_route_models, NULL, false)},
    {BX_HTTP_GET, "/api/v1/settings", 0, ROUTE(bx_route_settings_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/settings", LARGE, ROUTE(bx_route_settings_put, settings_members, false)},
    {BX_HTTP_PUT, "/api/v1/providers/*/key", SMALL,
     ROUTE(bx_route_provider_key, key_members, false)},
    {BX_HTTP_GET, "/api/v1/tools", 0, ROUTE(bx_route_tools, NULL, false)},
    {BX_HTTP_GET, "/api/v1/tools/*", 0, ROUTE(bx_route_tool_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/tools/*/limits", LARGE,
     ROUTE(bx_route_tool_limits, limits_members, false)},
    {BX_HTTP_GET, "/api/v1/agents", 0, ROUTE(bx_route_agents, NULL, false)},
    {BX_HTTP_GET, "/api/v1/agents/*", 0, ROUTE(bx_route_agent_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/agents/*", LARGE, ROUTE(bx_route_agent_put, agent_members, false)},
    {BX_HTTP_DELETE, "/api/v1/agents/*", SMALL, ROUTE(bx_route_agent_delete, no_members, false)},
    {BX_HTTP_GET, "/api/v1/worktrees", 0, ROUTE(bx_route_worktrees, NULL, false)},
    {BX_HTTP_GET, "/api/v1/worktrees/*/diff", 0, ROUTE(bx_route_worktree_diff, NULL, true)},
    {BX_HTTP_POST, "/api/v1/worktrees/*/merge", SMALL,
     ROUTE(bx_route_worktree_merge, no_members, true)},
    {BX_HTTP_POST, "/api/v1/worktrees/*/keep", SMALL,
     ROUTE(bx_route_worktree_keep, no_members, true)},
    {BX_HTTP_POST, "/api/v1/worktrees/*/discard", SMALL,
     ROUTE(bx_route_worktree_discard, no_members, true)},
    {BX_HTTP_GET, "/api/v1/grants", 0, ROUTE(bx_route_grants, NULL, false)},
    {BX_HTTP_POST, "/api/v1/grants", LARGE, ROUTE(bx_route_grant_add, grant_members, false)},
    {BX_HTTP_POST, "/api/v1/permit/test", LARGE, ROUTE(bx_route_permit_test, trial_members, false)},
    {BX_HTTP_DELETE, "/api/v1/grants/*", SMALL, ROUTE(bx_route_grant_remove, no_members, false)},
    {BX_HTTP_POST, "/api/v1/tools/*/run", LARGE, ROUTE(bx_route_tool_run, run_members, true)},
    {BX_HTTP_GET, "/api/v1/skills", 0, ROUTE(bx_route_skills, NULL, false)},
    {BX_HTTP_POST, "/api/v1/skills/check", LARGE,
     ROUTE(bx_route_skill_check, skill_text_members, false)},
    {BX_HTTP_GET, "/api/v1/skills/*", 0, ROUTE(bx_route_skill_get, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/skills/*", LARGE, ROUTE(bx_route_skill_put, skill_text_members, false)},
    {BX_HTTP_DELETE, "/api/v1/skills/*", SMALL, ROUTE(bx_route_skill_delete, no_members, false)},
    {BX_HTTP_POST, "/api/v1/skills/*/expand", LARGE,
     ROUTE(bx_route_skill_expand, skill_args_members, false)},
    {BX_HTTP_POST, "/api/v1/skills/*/trust", SMALL,
     ROUTE(bx_route_skill_trust, skill_trust_members, false)},
    {BX_HTTP_GET, "/api/v1/receipts", 0, ROUTE(bx_route_receipts, NULL, false)},
    {BX_HTTP_GET, "/api/v1/mcp", 0, ROUTE(bx_route_mcp_list, NULL, false)},
    {BX_HTTP_PUT, "/api/v1/mcp/*", LARGE, ROUTE(bx_route_mcp_put, server_members, false)},
    {BX_HTTP_DELETE, "/api/v1/mcp/*", SMALL, ROUTE(bx_route_mcp_delete, no_members, false)},
    {BX_HTTP_GET, "/api/v1/mcp/*/prompts", 0, ROUTE(bx_route_mcp_prompts, NULL, true)},
    {BX_HTTP_POST, "/api/v1/mcp/*/restart", SMALL, ROUTE(bx_route_mcp_restart, no_members, true)},
    {BX_HTTP_POST, "/api/v1/mcp/*/approve", SMALL,
     ROUTE(bx_route_mcp_approve, approve_members, false)},
    {BX_HTTP_POST, "/api/v1/mcp/*/login", SMALL, ROUTE(bx_route_mcp_login, no_members, true)},
    {BX_HTTP_POST, "/api/v1/mcp/*/logout", SMALL, ROUTE(bx_route_mcp_logout, no_members, false)},
    {BX_HTTP_GET, "/oauth/callback", 0, ROUTE(bx_route_mcp_callback, NULL, true)},
    {BX_HTTP_GET, "/api/v1/system", 0, ROUTE(bx_route_system, NULL, true)},
};
const size_t bx_api_route_count = BX_ARRAY_LEN(bx_api_routes);
