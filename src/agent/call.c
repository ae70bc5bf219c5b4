#include "agent/context.h"
#include "agent/executor.h"

#include "base/clock.h"
#include "base/unwire.h"
#include "json/schema.h"
#include "tools/network.h"

#define RULE_MAX (64 * BX_KIB) /* that a yes to a call makes */

/* One call: read it, ask the one permission check, run it, log it. Whatever goes wrong becomes a
 * result that tells the model what to do instead. */

static void refuse(struct bx_call *call, const char *fmt, ...) BX_PRINTF(2, 3);
static void refuse(struct bx_call *call, const char *fmt, ...) {
    char text[1600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    bx_tool_result_text(&call->result, true, "%s", text);
    call->has_result = true;
}

static void refuse_unknown(struct bx_call *call) {
    struct bx_registry *registry = call->run->agent->registry;
    bx_auto(bx_freep) char *nearest = bx_registry_nearest(registry, call->tool_name);
    if (nearest) {
        refuse(call, "There is no tool \"%.100s\". Did you mean \"%s\"?", call->tool_name, nearest);
        return;
    }
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(4 * BX_KIB);
    size_t count = 0, shown = 0;
    struct bx_tool **all = bx_registry_all(registry, &count);
    for (size_t i = 0; i < count; i++) {
        if (!bx_tool_is_extra(all[i]))
            bx_buf_addf(&names, "%s%s", shown++ ? ", " : "", all[i]->name);
        bx_tool_unref(all[i]);
    }
    bx_free(all);
    if (shown < count)
        bx_buf_addf(&names, " and %zu more, which ToolSearch finds", count - shown);
    refuse(call, "There is no tool \"%.100s\". The tools are: %s.", call->tool_name,
           bx_buf_z(&names));
}

static void fill_ctx(struct bx_call *call, struct bx_tool_ctx *ret) {
    *ret = (struct bx_tool_ctx){
        .cancel = call->run->spend,
        .session_id = bx_session_header(call->run->session)->id,
        .run_id = call->run->id,
        .call_id = call->id,
        .permit = call->permit.tool ? &call->permit : NULL,
        .grant = &call->grant,
        .grants = &call->live.ask,
        .user = call,
        .host = &bx_call_host,
    };
}

/* Name, JSON and schema. False: the call has a result. */
static bool read_call(struct bx_call *call) {
    struct bx_err err = {0};
    /* The model decided by what it was shown: a file that was replaced meanwhile counts from the
     * next run on. */
    if (!bx_unwired("same_tools"))
        call->tool = bx_context_tool(call->run->context, call->tool_name);
    if (!call->tool)
        call->tool = bx_registry_find(call->run->agent->registry, call->tool_name);
    if (!call->tool) {
        refuse_unknown(call);
        return false;
    }
    struct bx_str text = bx_str_trim(bx_str(call->arguments));
    struct bx_json_limits limits = {.max_depth = BX_JSON_PART_DEPTH};
    if (bx_doc_parse(text.n ? text : BX_STR_LIT("{}"), &limits, &call->input, &err)) {
        refuse(call,
               "The arguments of %s are not valid JSON: %s. Call it again with one JSON object.",
               call->tool_name, err.msg);
        return false;
    }
    if (!bx_val_is(bx_doc_root(call->input), BX_VAL_OBJ)) {
        refuse(call, "The arguments of %s must be one JSON object, not %s.", call->tool_name,
               bx_val_type_name(bx_doc_root(call->input)));
        return false;
    }
    if (bx_schema_check(call->tool->schema, bx_doc_root(call->input), &err)) {
        struct bx_tool_ctx ctx;
        fill_ctx(call, &ctx);
        ctx.grant = NULL; /* it never came to one */
        refuse(call, "The arguments of %s do not fit: %s.%s%s", call->tool_name, err.msg,
               call->tool->example ? " Example: " : "",
               call->tool->example ? call->tool->example : "");
        bx_registry_record_denied(call->run->agent->registry, call->tool, bx_doc_root(call->input),
                                  &ctx, "the arguments do not fit the schema",
                                  &call->result.receipt);
        return false;
    }
    return true;
}

enum bx_mode bx_run_mode(struct bx_run *run) {
    bx_auto(bx_freep) char *name = NULL;
    {
        BX_LOCKED(&run->agent->lock);
        name = run->mode ? bx_strdup(run->mode) : NULL;
    }
    if (!name)
        name = bx_session_mode(run->session);
    enum bx_mode mode = BX_MODE_DEFAULT;
    bx_mode_parse(bx_str(name), &mode);
    /* bypass is a switch at the start, not something that a session's file can say */
    if (mode == BX_MODE_BYPASS && !run->agent->allow_bypass)
        mode = BX_MODE_DEFAULT;
    return bx_executor_mode(run, mode);
}

/* Decided: for the log, the receipt, and, if it is allowed, the pass. */
static void decided(struct bx_call *call, bool allowed, const char *by, const char *reason,
                    const char *rule) {
    call->permit = (struct bx_tool_permit){
        .tool = call->tool,
        .input = bx_doc_root(call->input),
        .allowed = allowed,
        .by = by,
        .rule = rule ? bx_arena_str(&call->arena, bx_str(rule)) : NULL,
    };
    bx_log_permission(call, allowed, by, reason, rule);
}

void bx_log_permission(struct bx_call *call, bool allowed, const char *by, const char *reason,
                       const char *rule) {
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_jw_kstr(&e.w, "decision", allowed ? "allow" : "deny");
    bx_jw_kstr(&e.w, "reason", reason);
    bx_jw_kstr(&e.w, "by", by);
    if (rule)
        bx_jw_kstr(&e.w, "rule", rule);
    bx_event_append(call->run, &e, "permission", BX_BATCHED);
}

static void deny(struct bx_call *call, const char *by, const char *reason, const char *rule) {
    struct bx_tool_ctx ctx;
    decided(call, false, by, reason, rule);
    fill_ctx(call, &ctx);
    refuse(call, "Not permitted: %s", reason);
    bx_registry_record_denied(call->run->agent->registry, call->tool, bx_doc_root(call->input),
                              &ctx, reason, &call->result.receipt);
}

/* A denial that a setting would lift names the limit, and the setting. */
static void name_limit(struct bx_call *call, const struct bx_permit_request *request) {
    bx_auto(bx_freep) char *line = NULL;
    if (request->leaves_box) {
        line = bx_outbound_line(call->tool->name, &call->grant, call->reach.hosts[0]);
        call->result.limit = "network";
        call->result.denied =
            bx_denied_json("network", "host", call->reach.hosts[0], "allowed_outbound_hosts", line);
    } else if (request->paths_outside_root) {
        line = bx_path_line(call->tool->name);
        call->result.limit = "path";
        call->result.denied =
            bx_denied_json("path", "path", call->reach.outside_path, "map_dirs", line);
        bx_tool_result_add(&call->result,
                           "A folder is added with --mount HOST:GUEST or, in "
                           "settings.json, %s.",
                           line);
    }
}

/* What was allowed by name is allowed for this call, whoever said so. */
static void allow_hosts(struct bx_call *call) {
    call->live.yes = call->reach.hosts;
    call->live.yes_count = call->reach.host_count;
}

static void obey_answer(struct bx_call *call, const struct bx_question *answer) {
    struct bx_run *run = call->run;
    struct bx_err err = {0};
    if (answer->choice == BX_CHOICE_NO) {
        char reason[600];
        snprintf(reason, sizeof reason,
                 answer->text ? "the user said no: %.500s" : "the user said no.%s",
                 answer->text ? answer->text
                              : " Do not try it again in another way; ask what to do instead.");
        deny(call, "user", reason, NULL);
        return;
    }
    decided(call, true, "user",
            answer->choice == BX_CHOICE_ONCE      ? "the user allowed it once"
            : answer->choice == BX_CHOICE_SESSION ? "the user allowed it for this session"
                                                  : "the user allowed it for this workspace",
            NULL);
    int rc = 0;
    allow_hosts(call);
    if (answer->choice == BX_CHOICE_ALWAYS) {
        bx_auto(bx_buf_deinit) struct bx_buf rule = BX_BUF_INIT(RULE_MAX);
        rc = bx_rule_of_call(call, "workspace", &rule, &err);
        if (!rc)
            rc = bx_agent_keep_rule(run->agent, bx_buf_str(&rule), &err);
    }
    if (!rc && answer->choice != BX_CHOICE_ONCE) {
        BX_LOCKED(&run->rules_lock);
        rc = bx_run_load_rules(run, &err);
    }
    if (rc) /* this call goes on: the yes was heard; what could not be kept is said */
        bx_event_error(run, "store", &err);
}

void bx_call_request(const struct bx_call *call, struct bx_permit_request *ret) {
    const struct bx_run *run = call->run;
    const struct bx_tool *t = call->tool;
    *ret = (struct bx_permit_request){
        .tool = t->name,
        .digest = bx_tool_identity(t),
        .level = t->level,
        .mode = call->mode,
        .in_box = t->kind == BX_TOOL_BOX,
        .paths = call->reach.paths,
        .path_count = call->reach.path_count,
        .paths_outside_root = call->reach.outside_root,
        .guarded_path = call->reach.guarded_path,
        .hosts = call->reach.hosts,
        .host_count = call->reach.host_count,
        .command = call->reach.command,
        .headless = run->headless,
        .yes_levels = run->yes_levels,
        .now_ms = bx_wall_ms(),
    };
}

/* rules_lock is held. */
static void check_hosts(struct bx_call *call, struct bx_permit_request *request,
                        struct bx_arena *arena) {
    struct bx_host_grants now;
    bx_live_hosts(&call->live, request->rules, request->rule_count, arena, &now);
    struct bx_grant grant = call->grant;
    grant.granted_hosts = now.granted;
    grant.granted_host_count = now.granted_count;
    request->leaves_box = !bx_outbound_allows(&grant, call->reach.hosts, call->reach.host_count) &&
                          !bx_unwired("network_question");
}

void bx_call_decide(struct bx_call *call, struct bx_arena *arena,
                    struct bx_permit_request *ret_request, struct bx_decision *ret) {
    struct bx_run *run = call->run;
    char bounds[300];
    bx_run_load_rules(run, NULL); /* when they cannot be read those that were there count */
    bx_call_request(call, ret_request);
    ret_request->rules = run->rules;
    ret_request->rule_count = run->rule_count;
    ret_request->narrows = run->narrows.p;
    ret_request->narrow_count = run->narrows.n;
    if (call->reach.host_count) {
        bx_auto(bx_freep) char *line =
            bx_outbound_line(call->tool->name, &call->grant, call->reach.hosts[0]);
        ret_request->tool_settings = bx_arena_str(arena, bx_str(line));
    }
    check_hosts(call, ret_request, arena);
    bx_permit_evaluate(ret_request, ret);
    if (bx_executor_forbids(call, bounds)) {
        *ret = (struct bx_decision){.verdict = BX_DENY, .by = "narrow"};
        snprintf(ret->reason, sizeof ret->reason, "%s", bounds);
    }
}

/* The one check, with the mode and the rules as they are now. What it decides is logged, but for a
 * question, which is still to be asked. */
static enum bx_verdict judge(struct bx_call *call, struct bx_permit_request *ret_request) {
    struct bx_run *run = call->run;
    struct bx_decision decision;
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    call->mode = bx_run_mode(run);
    BX_LOCKED(&run->rules_lock);
    do
        bx_call_decide(call, &arena, ret_request, &decision);
    while (decision.verdict == BX_ALLOW && decision.rule &&
           !bx_live_use(&call->live, decision.rule, NULL)); /* its last use was another's */
    ret_request->rules = NULL; /* another answer may change them any time */
    ret_request->rule_count = 0;
    ret_request->narrows = NULL;
    ret_request->narrow_count = 0;
    ret_request->tool_settings = NULL;
    const char *rule = decision.rule ? decision.rule->id : NULL;
    if (decision.verdict == BX_DENY) {
        deny(call, decision.by, decision.reason, rule);
        if (strcmp(decision.by, "headless") == 0 || strcmp(decision.by, "network") == 0 ||
            strcmp(decision.by, "root") == 0)
            name_limit(call, ret_request);
    } else if (decision.verdict == BX_ALLOW) {
        decided(call, true, decision.by, decision.reason, rule);
        if (ret_request->leaves_box)
            allow_hosts(call); /* mode bypass: nothing is asked */
    }
    return decision.verdict;
}

static int ask(struct bx_call *call, const struct bx_permit_request *request,
               struct bx_question *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(8 * BX_KIB),
                                         rule = BX_BUF_INIT(RULE_MAX),
                                         members = BX_BUF_INIT(BX_EVENT_MAX);
    bx_permit_describe(request, &text);
    /* What is too long to be a rule can only be allowed as it is asked */
    bool keeps = bx_rule_of_call(call, "session", &rule, NULL) == 0;
    struct bx_jw w;
    bx_jw_init(&w, &members);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "level", bx_level_name(request->level));
    bx_jw_kval(&w, "input", bx_doc_root(call->input));
    if (request->leaves_box) { /* what POST /api/v1/grants takes, for who wants it otherwise */
        bx_jw_kobj(&w, "grant");
        bx_jw_kstr(&w, "tool", call->tool_name);
        bx_jw_kstr(&w, "host", call->reach.hosts[0]);
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    struct bx_ask question = {.kind = request->leaves_box ? "network" : "permission",
                              .text = bx_buf_z(&text),
                              .choices = 1u << BX_CHOICE_ONCE | 1u << BX_CHOICE_NO,
                              .members = bx_buf_str(&members)};
    if (keeps) {
        question.choices |= 1u << BX_CHOICE_SESSION | 1u << BX_CHOICE_ALWAYS;
        question.session_rule = bx_buf_str(&rule);
    }
    return bx_run_ask(call->run, call, &question, ret);
}

/* Its question was open when the program ended, and has its answer: that one counts, whatever the
 * rules say by now, but for a denial. */
static bool was_asked(const struct bx_call *call) {
    const struct bx_resume *r = call->run->resume;
    return bx_resume_is_of(r, call->id, "permission") || bx_resume_is_of(r, call->id, "network");
}

/* Waits for the turn of this call's question, and asks if it is still one then: an answer before it
 * may have been "for this session". */
static void ask_permission(struct bx_call *call) {
    struct bx_permit_request request;
    struct bx_question answer = {0};
    if (bx_run_ask_begin(call->run)) {
        refuse(call, "Stopped before the question was asked.");
        return;
    }
    if (judge(call, &request) == BX_ASK || (!call->has_result && was_asked(call))) {
        if (ask(call, &request, &answer))
            refuse(call, "Stopped before the question was answered.");
        else
            obey_answer(call, &answer);
        bx_question_deinit(&answer);
    }
    bx_run_ask_end(call->run);
}

/* No call may burn more than what the run has left, and those of one reply no more together: each
 * takes its share before it begins, and gives back what it did not need. */
static void take_fuel(struct bx_call *call) {
    struct bx_budget *budget = call->run->budget;
    int64_t left = bx_budget_left(budget, BX_BUDGET_FUEL);
    uint64_t *fuel = &call->grant.limits.value[BX_LIMIT_FUEL];
    if (left == 0 && !bx_budget_take(budget, BX_BUDGET_FUEL, 1, NULL)) {
        refuse(call, "Not called: the budget of fuel is used up.");
        return;
    }
    if (left <= 0 || call->tool->kind != BX_TOOL_BOX)
        return;
    int64_t calls = (int64_t)BX_MAX(__atomic_load_n(call->left, __ATOMIC_ACQUIRE), (size_t)1),
            share = BX_MAX(left / calls, (int64_t)1);
    if (*fuel > 0 && *fuel < (uint64_t)share)
        share = (int64_t)*fuel;
    call->fuel_taken = bx_budget_take_some(budget, BX_BUDGET_FUEL, share);
    if (!call->fuel_taken)
        refuse(call, "Not called: the budget of fuel is used up.");
    else
        *fuel = (uint64_t)call->fuel_taken;
}

static void charge_fuel(struct bx_call *call) {
    bx_auto(bx_doc_freep) struct bx_doc *receipt = NULL;
    int64_t used = 0;
    if (call->grant.limits.value[BX_LIMIT_FUEL] && call->result.receipt &&
        bx_doc_parse(bx_str(call->result.receipt), NULL, &receipt, NULL) == 0)
        used = bx_val_get_int(bx_val_get(bx_doc_root(receipt), "used"), "fuel", 0);
    if (used != call->fuel_taken)
        bx_budget_charge(call->run->budget, BX_BUDGET_FUEL, used - call->fuel_taken, NULL);
}

int bx_call_measure(struct bx_call *call, struct bx_err *err) {
    struct bx_limits_wish wish = {.hosts = call->run->allow_hosts};
    bx_live_grants_init(&call->live, call->run->agent, call, call->tool);
    int rc = bx_agent_grant(&call->live, call->tool, &wish, &call->arena, &call->grant, err);
    if (!rc)
        bx_tool_reach(call->tool, bx_doc_root(call->input), &call->grant, &call->arena,
                      &call->reach);
    return rc;
}

void bx_call_prepare(struct bx_call *call) {
    bx_arena_init(&call->arena);
    if (bx_cancel_fired(call->run->spend)) {
        refuse(call, "Stopped before it began.");
        return;
    }
    if (!read_call(call))
        return;
    struct bx_err err = {0};
    if (bx_call_measure(call, &err)) {
        refuse(call, "The call cannot be made: %s.", err.msg);
        return;
    }
    struct bx_permit_request request;
    call->asks = judge(call, &request) == BX_ASK || (!call->has_result && was_asked(call));
}

/* Another call of the same reply may have changed the mode since this one was judged. */
static void settle(struct bx_call *call) {
    struct bx_permit_request request;
    if (!call->has_result && bx_cancel_fired(call->run->spend))
        refuse(call, "Stopped before it began.");
    if (!call->has_result && !call->asks && bx_run_mode(call->run) != call->mode &&
        !bx_unwired("mode_recheck"))
        call->asks = judge(call, &request) == BX_ASK;
    if (!call->has_result && call->asks)
        ask_permission(call);
}

static void on_output(void *user, const char *stream, struct bx_str text) {
    struct bx_call *call = user;
    struct bx_event e;
    bx_delta_begin(&e, call->run->id, "delta_output");
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "stream", stream);
    bx_jw_kstrn(&e.w, "text", text);
    bx_event_delta(call->run, &e);
}

static void log_start(struct bx_call *call) {
    struct bx_event e;
    call->began = true;
    if (bx_resume_had_begun(call->run->resume, call->id))
        return; /* before the program ended: it stands in the log */
    bx_event_begin(&e, call->run->id);
    bx_jw_kuint(&e.w, "turn", call->run->turn);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_jw_kstr(&e.w, "level", bx_level_name(call->tool->level));
    bx_jw_key(&e.w, "limits");
    bx_limits_write(&e.w, &call->grant.limits);
    bx_event_append(call->run, &e, "tool_start", BX_BATCHED);
}

static void log_guarded(struct bx_call *call) {
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_event_json(&e.w, "paths", call->result.guarded, "[]");
    bx_jw_kstr(&e.w, "text",
               "The tool changed files that your own programs run or obey; they were put back.");
    bx_event_append(call->run, &e, "guarded", BX_BATCHED);
}

static void log_not_started(struct bx_call *call) {
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_jw_kraw(&e.w, "commands", bx_str(call->result.not_started));
    bx_jw_kstr(&e.w, "text", "Rules denied commands that the tool tried to start.");
    bx_event_append(call->run, &e, "not_started", BX_BATCHED);
}

static void log_result(struct bx_call *call) {
    bx_executor_on_result(call);
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_event_result(&e.w, call);
    if (bx_run_leaves_open(call->run, call)) {
        bx_buf_deinit(&e.body);
        return;
    }
    /* One flush for a batch, and only when something outside of the log has changed. */
    bool last = __atomic_sub_fetch(call->left, 1, __ATOMIC_ACQ_REL) == 0;
    bx_event_append(call->run, &e, "tool_result", last && call->durable ? BX_DURABLE : BX_BATCHED);
}

void bx_call_execute(void *user) {
    struct bx_call *call = user;
    settle(call);
    if (!call->has_result)
        take_fuel(call);
    uint64_t start_ms = bx_mono_ms();
    if (!call->has_result) {
        struct bx_tool_ctx ctx;
        struct bx_err err = {0};
        bx_call_take_bars(call);
        fill_ctx(call, &ctx);
        ctx.on_output = on_output;
        log_start(call);
        int rc = bx_registry_execute(call->run->agent->registry, call->tool,
                                     bx_doc_root(call->input), &ctx, &call->result, &err);
        if (rc) {
            bx_tool_result_deinit(&call->result);
            refuse(call, rc == BX_ERR_CANCELLED ? "Stopped.%s" : "The call could not be made: %s.",
                   rc == BX_ERR_CANCELLED ? "" : err.msg);
        }
        charge_fuel(call);
        call->result.ms = bx_mono_ms() - start_ms;
        call->has_result = true;
    }
    if (call->result.not_started)
        log_not_started(call);
    if (call->result.guarded)
        log_guarded(call);
    log_result(call);
}

void bx_call_reset(struct bx_call *call) {
    bx_tool_result_deinit(&call->result);
    bx_live_grants_deinit(&call->live);
    bx_tool_unref(call->tool);
    bx_doc_free(call->input);
    bx_arena_deinit(&call->arena);
}
