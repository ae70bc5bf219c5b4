#include "agent/executor.h"
#include "agent/internal.h"

#include "base/unwire.h"
#include "json/schema.h"
#include "permit/shell.h"

/* What would happen to a call: the preparation and the check of a real one, in a run that has no
 * thread and no log. Nothing is executed, no count of a rule is used. */

static const char *const verdicts[] = {"allow", "ask", "deny"};

static void trial_deinit(struct bx_run *run) {
    bx_executor_unref(run->executor);
    bx_history_free(run->history);
    bx_rules_free(run->rules, run->rule_count);
    bx_settings_unref(run->rules_settings);
    bx_run_narrows_free(run);
    bx_free(run->mode);
    pthread_mutex_destroy(&run->rules_lock);
}

static int trial_init(struct bx_run *run, struct bx_agent *a, const struct bx_trial *t,
                      struct bx_err *err) {
    enum bx_mode mode = BX_MODE_DEFAULT;
    *run = (struct bx_run){.agent = a, .session = t->session, .trial = true};
    pthread_mutex_init(&run->rules_lock, NULL);
    if (t->mode && *t->mode && !bx_mode_parse(bx_str(t->mode), &mode))
        return bx_fail(err, BX_ERR_INVALID,
                       "there is no mode \"%.60s\": plan, default, accept-edits, auto or bypass",
                       t->mode);
    if ((t->mode && *t->mode) || !t->session)
        run->mode = bx_strdup(bx_mode_name(mode));
    run->history = bx_history_new(t->session ? bx_session_header(t->session)->id : "", SIZE_MAX);
    if (!t->session)
        return 0;
    struct bx_run_options none = {0};
    int rc = bx_history_catch_up(run->history, t->session, err);
    if (!rc)
        rc = bx_executor_enter(run, &none, err);
    if (!rc)
        bx_run_look_at_planner(run);
    return rc;
}

static int read_call(struct bx_call *call, const struct bx_trial *t, struct bx_err *err) {
    struct bx_err why = {0};
    call->tool_name = t->tool;
    call->tool = bx_registry_find(call->run->agent->registry, t->tool);
    if (!call->tool) {
        bx_auto(bx_freep) char *nearest = bx_registry_nearest(call->run->agent->registry, t->tool);
        return bx_fail(err, BX_ERR_NOTFOUND,
                       nearest ? "there is no tool \"%.100s\"; did you mean \"%s\"?"
                               : "there is no tool \"%.100s\"%s",
                       t->tool, nearest ? nearest : "");
    }
    if (bx_schema_check(call->tool->schema, t->input, &why))
        return bx_fail(err, BX_ERR_INVALID, "the input of %s does not fit: %s", t->tool, why.msg);
    call->input = bx_val_copy(t->input);
    return 0;
}

/* Each command of a line by itself, as it is written: which one makes the whole line ask or be
 * denied. */
static void write_parts(struct bx_jw *w, const struct bx_permit_request *whole) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_shell_parts parts;
    size_t written;
    if (!whole->command || !bx_shell_split(bx_str(whole->command), &arena, &parts, &written))
        return;
    bx_jw_karr(w, "parts");
    for (size_t i = 0; i < written; i++) {
        struct bx_permit_request one = *whole;
        struct bx_decision decision;
        one.command = bx_arena_str(&arena, parts.p[i].text);
        bx_permit_evaluate(&one, &decision);
        bx_jw_obj(w);
        bx_jw_kstr(w, "command", one.command);
        bx_jw_kstr(w, "decision", verdicts[decision.verdict]);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

/* What the line may hide, and would not be started. */
static void write_denied_commands(struct bx_jw *w, const struct bx_call *call,
                                  const struct bx_permit_request *request, bool asks,
                                  struct bx_arena *arena) {
    struct bx_grant grant = {.bar_count = 0};
    if (call->tool->kind == BX_TOOL_BOX)
        bx_call_bars(request, asks, arena, &grant);
    if (grant.bar_count)
        bx_jw_karr(w, "denied_commands");
    for (size_t i = 0; i < grant.bar_count; i++)
        bx_jw_z(w, grant.bars[i].pattern);
    if (grant.bar_count)
        bx_jw_end(w);
}

static void write_decision(struct bx_call *call, struct bx_jw *w) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_permit_request request;
    struct bx_decision decision;
    call->mode = bx_run_mode(call->run);
    BX_LOCKED(&call->run->rules_lock);
    bx_call_decide(call, &arena, &request, &decision);
    bx_jw_obj(w);
    bx_jw_kstr(w, "decision", verdicts[decision.verdict]);
    bx_jw_kstr(w, "by", decision.by);
    bx_jw_kstr(w, "reason", decision.reason);
    if (decision.rule)
        bx_jw_kstr(w, "rule", decision.rule->id);
    write_parts(w, &request);
    if (decision.verdict != BX_DENY)
        write_denied_commands(w, call, &request, decision.verdict == BX_ASK, &arena);
    bx_jw_end(w);
}

int bx_agent_try_call(struct bx_agent *a, const struct bx_trial *t, struct bx_jw *w,
                      struct bx_err *err) {
    struct bx_run run;
    struct bx_call call = {.run = &run, .id = ""};
    bx_arena_init(&call.arena);
    int rc = trial_init(&run, a, t, err);
    if (!rc)
        rc = read_call(&call, t, err);
    if (!rc)
        rc = bx_call_measure(&call, err);
    if (!rc)
        write_decision(&call, w);
    bx_call_reset(&call);
    trial_deinit(&run);
    return rc;
}
