#include "agent/executor.h"

#include "base/clock.h"

/* What the manager's session says of its executors: events at changes of state, deltas in between.
 */

void bx_executor_members(const struct bx_executor *e, enum bx_executor_state state,
                         struct bx_jw *w) {
    bx_jw_kstr(w, "call", e->call);
    bx_jw_kstr(w, "executor", bx_session_header(e->session)->id);
    bx_jw_kstr(w, "name", e->name);
    bx_jw_kstr(w, "agent", e->agent_name);
    bx_jw_kstr(w, "description", e->description);
    bx_jw_kuint(w, "depth", e->depth);
    bx_jw_kbool(w, "background", e->background);
    bx_jw_kstr(w, "state", bx_executor_state_name(state));
    bx_jw_kstr(w, "reason", e->reason);
    if (e->fault[0])
        bx_jw_kstr(w, "text", e->fault);
    bx_jw_kuint(w, "turns", e->turns);
    bx_jw_kuint(w, "max_turns", e->may.max_turns);
    bx_jw_kuint(w, "calls", e->calls);
    bx_jw_kuint(w, "failed_calls", e->failed_calls);
    bx_jw_kint(w, "input_tokens", e->input_tokens);
    bx_jw_kint(w, "output_tokens", e->output_tokens);
    bx_jw_kreal_if(w, "cost", e->cost, e->cost_known);
    bx_jw_kuint(w, "ms", e->ms + (e->start_ms ? bx_mono_ms() - e->start_ms : 0));
    bx_jw_kbool(w, "waiting", e->asks);
    if (!e->tree.id[0])
        return;
    bx_jw_kobj(w, "worktree");
    bx_jw_kstr(w, "id", e->tree.id);
    bx_jw_kstr(w, "branch", e->tree.branch);
    bx_jw_kstr(w, "state", bx_worktree_state_name(e->tree.state));
    bx_jw_kuint(w, "files", e->tree.files);
    bx_jw_kuint(w, "insertions", e->tree.insertions);
    bx_jw_kuint(w, "deletions", e->tree.deletions);
    bx_jw_end(w);
}

void bx_executor_log(struct bx_executor *e, enum bx_executor_state state) {
    struct bx_event event;
    bx_event_begin(&event, e->manager->id);
    {
        BX_LOCKED(&e->agent->lock);
        bx_executor_members(e, state, &event.w);
    }
    bx_event_append(e->manager, &event, "executor",
                    state == BX_EXECUTOR_RUNNING ? BX_BATCHED : BX_DURABLE);
}

void bx_executor_show(struct bx_executor *e) {
    BX_LOCKED(&e->agent->show_lock);
    for (struct bx_executor *at = e; at && at->manager; at = at->above) {
        struct bx_event event;
        bx_delta_begin(&event, at->manager->id, "executor_state");
        {
            BX_LOCKED(&e->agent->lock);
            bx_executor_members(e, e->state, &event.w);
        }
        bx_jw_kstr(&event.w, "parent", bx_session_header(e->manager->session)->id);
        bx_event_delta(at->manager, &event);
    }
}
