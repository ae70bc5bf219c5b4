#include "agent/internal.h"

#include "base/clock.h"

/* A call by a person: no session, no question; everything else as for a model's call. */

static int judge(struct bx_live_grants *live, struct bx_tool *tool, const struct bx_val *input,
                 struct bx_grant *grant, struct bx_arena *arena, struct bx_decision *ret,
                 char ret_rule[static 100], struct bx_err *err) {
    struct bx_call_reach reach;
    struct bx_rule *rules = NULL;
    size_t rule_count = 0;
    int rc =
        live->agent->store ? bx_agent_settings_rules(live->agent, &rules, &rule_count, err) : 0;
    if (rc)
        return rc;
    bx_tool_reach(tool, input, grant, arena, &reach);
    struct bx_permit_request request = {
        .tool = tool->name,
        .digest = bx_tool_identity(tool),
        .level = tool->level,
        .mode = BX_MODE_DEFAULT,
        .in_box = tool->kind == BX_TOOL_BOX,
        .paths = reach.paths,
        .path_count = reach.path_count,
        .paths_outside_root = reach.outside_root,
        .guarded_path = reach.guarded_path,
        .hosts = reach.hosts,
        .host_count = reach.host_count,
        .command = reach.command,
        .now_ms = bx_wall_ms(),
        .rules = rules,
        .rule_count = rule_count,
    };
    /* who makes the call by hand has answered what would be asked */
    bx_permit_evaluate(&request, ret);
    snprintf(ret_rule, 100, "%s", ret->rule ? ret->rule->id : "");
    ret->rule = NULL;
    bx_call_bars(&request, true, arena, grant);
    bx_rules_free(rules, rule_count);
    return 0;
}

int bx_agent_call_tool(struct bx_agent *a, struct bx_tool *tool, const struct bx_val *input,
                       const struct bx_limits_wish *wish, struct bx_cancel *cancel,
                       struct bx_tool_result *ret, struct bx_err *err) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    bx_auto(bx_live_grants_deinit) struct bx_live_grants live;
    struct bx_grant grant;
    struct bx_decision decision;
    char rule[100] = "";
    bx_live_grants_init(&live, a, NULL, tool);
    int rc = bx_agent_grant(&live, tool, wish, &arena, &grant, err);
    if (!rc)
        rc = judge(&live, tool, input, &grant, &arena, &decision, rule, err);
    if (rc)
        return rc;
    bool asked = decision.verdict == BX_ASK; /* who makes it by hand has answered that */
    struct bx_tool_permit pass = {.tool = tool,
                                  .input = input,
                                  .allowed = decision.verdict != BX_DENY,
                                  .by = asked ? "user" : decision.by,
                                  .rule = asked || !rule[0] ? NULL : rule};
    struct bx_tool_ctx ctx = {.cancel = cancel,
                              .permit = &pass,
                              .session_id = "",
                              .run_id = "",
                              .call_id = "",
                              .grant = &grant,
                              .grants = a->store ? &live.ask : NULL};
    struct bx_tool_result result = {0};
    if (decision.verdict == BX_DENY) {
        bx_tool_result_text(&result, true, "Not permitted: %s", decision.reason);
        bx_registry_record_denied(a->registry, tool, input, &ctx, decision.reason, &result.receipt);
    } else {
        rc = bx_registry_execute(a->registry, tool, input, &ctx, &result, err);
    }
    if (rc)
        bx_tool_result_deinit(&result);
    else
        *ret = result;
    return rc;
}
