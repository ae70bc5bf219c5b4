#include "agent/internal.h"

#include "permit/rule.h"

/* Rules about commands, for what the line of a call does not show: they go along with the call, and
 * the box holds each start of a program against them. Those that count are those of its start. */

void bx_call_bars(const struct bx_permit_request *req, bool was_asked, struct bx_arena *arena,
                  struct bx_grant *ret) {
    size_t n = 0;
    for (size_t i = 0; i < req->rule_count; i++)
        n += bx_rule_bars(&req->rules[i], req, was_asked);
    if (!n)
        return;
    struct bx_bar *bars = bx_arena_alloc(arena, n * sizeof *bars);
    ret->bars = bars;
    ret->bar_count = n;
    for (size_t i = 0; i < req->rule_count; i++) {
        const struct bx_rule *r = &req->rules[i];
        if (!bx_rule_bars(r, req, was_asked))
            continue;
        *bars++ = (struct bx_bar){
            .pattern = bx_arena_str(arena, bx_str(r->command)),
            .rule = bx_arena_str(arena, bx_str(r->id)),
            .why = bx_arena_printf(arena,
                                   r->verdict == BX_DENY
                                       ? "the rule %.80s denies `%.160s`"
                                       : "the rule %.80s asks before `%.160s`: write the command "
                                         "into the line itself, so that it can be asked for",
                                   r->id, r->command),
        };
    }
}

static bool was_asked(const struct bx_call *call) {
    const char *by = call->permit.by ? call->permit.by : "";
    return strcmp(by, "user") == 0 || (call->run->yes_levels & (1u << call->tool->level));
}

void bx_call_take_bars(struct bx_call *call) {
    struct bx_run *run = call->run;
    struct bx_permit_request request;
    if (call->tool->kind != BX_TOOL_BOX)
        return;
    bx_call_request(call, &request);
    BX_LOCKED(&run->rules_lock);
    bx_run_load_rules(run, NULL); /* when they cannot be read those that were there count */
    request.rules = run->rules;
    request.rule_count = run->rule_count;
    bx_call_bars(&request, was_asked(call), &call->arena, &call->grant);
}
