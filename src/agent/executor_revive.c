#include "agent/executor.h"

/* An executor that an earlier message of the session started: its manager may ask for its result
 * and say more to it. It may do what it might then, and no more than its manager may now. */

static const char *reason_of(struct bx_str name) {
    static const char *const names[] = {"done",        "stopped",        "error",
                                        "interrupted", "repeated_calls", "context"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (bx_str_eqz(name, names[i]))
            return names[i];
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        if (bx_str_eqz(name, bx_budget_name((enum bx_budget_kind)k)))
            return bx_budget_name((enum bx_budget_kind)k);
    return NULL;
}

/* What a crash left open was stopped. */
static enum bx_executor_state state_of(struct bx_str name) {
    for (unsigned s = BX_EXECUTOR_DONE; s <= BX_EXECUTOR_LIMIT; s++)
        if (bx_str_eqz(name, bx_executor_state_name((enum bx_executor_state)s)))
            return (enum bx_executor_state)s;
    return BX_EXECUTOR_STOPPED;
}

static void take_event(struct bx_executor *e, const struct bx_val *event) {
    const struct bx_val *cost = bx_val_get(event, "cost");
    e->state = state_of(bx_val_get_str(event, "state"));
    e->reason = reason_of(bx_val_get_str(event, "reason"));
    e->turns = (unsigned)bx_val_get_int(event, "turns", 0);
    e->calls = (unsigned)bx_val_get_int(event, "calls", 0);
    e->input_tokens = bx_val_get_int(event, "input_tokens", 0);
    e->output_tokens = bx_val_get_int(event, "output_tokens", 0);
    e->cost = bx_val_real(cost, 0);
    e->cost_known = bx_val_is(cost, BX_VAL_REAL) || bx_val_is(cost, BX_VAL_INT);
    e->ms = (uint64_t)BX_MAX(bx_val_get_int(event, "ms", 0), 0);
    if (bx_val_get(event, "text"))
        snprintf(e->fault, sizeof e->fault, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    snprintf(e->name, sizeof e->name, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "name")));
    snprintf(e->call, sizeof e->call, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "call")));
}

static void bind(struct bx_executor *e, struct bx_run *run) {
    e->manager = run;
    e->above = bx_executor_ref(run->executor);
    e->root = bx_executor_root_of(run);
    memcpy(e->root_run, e->root->id, sizeof e->root_run);
    e->depth = run->executor ? run->executor->depth + 1 : 1;
    e->cancel = bx_cancel_new(run->spend);
    e->background = e->told = true;
    e->has_worktree = e->may.worktree;
    e->inherited = bx_inherited_new(e);
    e->may.max_turns =
        (unsigned)BX_MIN((int64_t)e->may.max_turns, bx_budget_cap(run->budget, BX_BUDGET_TURNS));
    e->may.mode = BX_MIN(e->may.mode, bx_run_mode(run));
    BX_LOCKED(&run->rules_lock);
    bx_capability_pass(&e->may, run->narrows.p, run->narrows.n);
}

static void keep_result(struct bx_executor *e) {
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(e->session_id, SIZE_MAX);
    if (bx_history_catch_up(h, e->session, NULL) == 0)
        e->result = bx_executor_last_words(h);
}

struct bx_executor *bx_executor_revive(struct bx_run *run, struct bx_str id) {
    bx_auto(bx_doc_freep) struct bx_doc *event = bx_executor_last_event(run->session, id);
    bx_auto(bx_executor_unrefp) struct bx_executor *e = NULL;
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    const char *session_id = event ? bx_val_get_z(bx_doc_root(event), "executor") : NULL;
    if (!session_id || bx_session_open(run->agent->store, session_id, &session, NULL) ||
        bx_executor_restore(run->agent, session, &e, NULL))
        return NULL;
    take_event(e, bx_doc_root(event));
    e->model = bx_session_model(session);
    bind(e, run);
    keep_result(e);
    BX_LOCKED(&run->agent->lock);
    bx_vec_push(&run->agent->executors, bx_executor_ref(e));
    return bx_steal(&e);
}
