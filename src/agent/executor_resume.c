#include "agent/executor.h"

#include "base/clock.h"

/* The executors of a run that goes on after a restart. Each is there again under its name, so that
 * the run's calls wait for the same ones, and its model is told of what became of the others. */

#define NOT_BEGUN                                                                                  \
    "it had not begun when the program ended, and what it was to do is not known any more: start " \
    "it again"

static void add(struct bx_executor *e) {
    BX_LOCKED(&e->agent->lock);
    bx_vec_push(&e->agent->executors, bx_executor_ref(e));
}

/* From its session and its manager's log; no more than its manager has. */
static int restore(struct bx_run *run, const struct bx_resume_below *b, struct bx_executor **ret,
                   struct bx_err *err) {
    const struct bx_val *event = bx_doc_root(b->last);
    bx_auto(bx_executor_unrefp) struct bx_executor *e = NULL;
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int rc = bx_session_open(run->agent->store, b->id, &session, err);
    if (!rc)
        rc = bx_executor_restore(run->agent, session, &e, err);
    if (rc)
        return rc;
    bx_executor_take_event(e, event);
    e->model = b->resume ? bx_strdup(b->resume->model) : bx_session_model(session);
    bx_executor_bind(e, run);
    bx_executor_look_at_tree(e);
    e->background = bx_val_get_bool(event, "background", false);
    e->told = b->told;
    *ret = bx_steal(&e);
    return 0;
}

/* What cannot be written now is closed by the next start. */
static void close_session(struct bx_session *s) {
    bx_auto(bx_history_freep) struct bx_history *h =
        bx_history_new(bx_session_header(s)->id, SIZE_MAX);
    if (bx_history_catch_up(h, s, NULL) == 0)
        (void)bx_session_close_open(s, h, NULL);
}

/* It had not ended, and does not go on. */
static void cut_off(struct bx_executor *e, const char *why) {
    e->state = BX_EXECUTOR_STOPPED;
    e->reason = "interrupted";
    e->asks = false;
    e->start_ms = 0;
    if (why || !e->fault[0])
        snprintf(e->fault, sizeof e->fault, "%s", why ? why : BX_CUT_OFF);
    close_session(e->session);
    if (e->tree.id[0] && e->tree.state == BX_WORKTREE_ACTIVE)
        bx_executor_finish_tree(e); /* the start of the program left it for one that goes on */
    bx_executor_keep_result(e);
    bx_executor_log(e, BX_EXECUTOR_STOPPED);
}

/* ---- who goes on ---- */

static void take_counts(struct bx_executor *e, const struct bx_resume *r) {
    e->turns = r->turn;
    e->calls += r->calls;
    e->failed_calls += r->failed_calls;
    bx_buf_adds(&e->failures, bx_buf_str(&r->failures));
    e->input_tokens += r->input_tokens;
    e->output_tokens += r->output_tokens;
    e->cost += r->cost;
    e->cost_known |= r->cost_known;
    e->state = BX_EXECUTOR_RUNNING;
    e->reason = NULL;
    e->start_ms = bx_mono_ms();
    e->ms += (uint64_t)r->used[BX_BUDGET_TIME_MS];
    e->started_at_ms = bx_wall_ms();
}

static bool go_on(struct bx_executor *e, struct bx_resume_below *b) {
    struct bx_err err = {0};
    take_counts(e, b->resume);
    int rc = bx_executor_check_mounts(e, &err);
    rc = rc ? rc : bx_agent_go_on(e->agent, e->session, b->history, bx_steal(&b->resume), e, &err);
    if (!rc)
        return true;
    bx_capability_clear_root(&e->may);
    cut_off(e, err.msg);
    return false;
}

/* ---- who had not begun ---- */

static void take_packs(struct bx_executor *e, const struct bx_val *names) {
    size_t n = 0;
    e->packs = bx_arena_alloc(&e->may.arena, (bx_val_len(names) + 1) * sizeof *e->packs);
    bx_val_foreach_item (names, name)
        e->packs[n++] = bx_arena_str(&e->may.arena, bx_val_str(name));
}

/* Into the queue, with the words of the call that started it. */
static bool wait_in_turn(struct bx_executor *e) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(e->session_id, SIZE_MAX);
    const struct bx_val *input = bx_resume_find_call(e->manager->session, e->call, &doc);
    struct bx_str prompt = bx_val_get_str(input, "prompt");
    struct bx_err err;
    if (!prompt.n || bx_history_catch_up(h, e->session, NULL) || h->messages.n ||
        bx_executor_check_mounts(e, &err))
        return false;
    e->prompt = bx_str_dup(prompt);
    take_packs(e, bx_val_get(input, "packs"));
    e->state = BX_EXECUTOR_QUEUED;
    e->reason = NULL;
    return true;
}

/* ---- all of them ---- */

static void spend_again(struct bx_run *run, const struct bx_resume_below *b) {
    int64_t used[BX_BUDGET_COUNT] = {0};
    bx_resume_add_spent(run->agent->store, b->id, run->id, b->resume ? b->resume->run : NULL, used);
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++)
        if (kind != BX_BUDGET_TURNS && kind != BX_BUDGET_TIME_MS)
            bx_budget_charge(run->budget, (enum bx_budget_kind)kind, used[kind], NULL);
}

static bool adopt(struct bx_run *run, struct bx_resume_below *b) {
    const struct bx_val *event = bx_doc_root(b->last);
    bool open = bx_executor_is_open(event),
         queued = bx_str_eqz(bx_val_get_str(event, "state"), "queued");
    bx_auto(bx_executor_unrefp) struct bx_executor *e = NULL;
    struct bx_err why = {0};
    spend_again(run, b);
    if (restore(run, b, &e, &why)) {
        b->problem = bx_strdup(why.msg);
        if (open)
            bx_executor_close(run->session, event, why.msg, NULL);
        return false;
    }
    if (b->resume) {
        bool goes_on = go_on(e, b);
        add(e);
        return goes_on;
    }
    if (!open)
        bx_executor_keep_result(e);
    else if (!queued)
        cut_off(e, NULL);
    else if (!wait_in_turn(e))
        cut_off(e, NOT_BEGUN);
    add(e);
    return false;
}

size_t bx_executors_adopt(struct bx_run *run) {
    struct bx_resume *r = run->resume;
    size_t n = 0;
    {
        BX_LOCKED(&run->agent->lock);
        bx_executor_root_of(run)->executors_started += (unsigned)r->below.n;
    }
    for (size_t i = 0; i < r->below.n; i++) {
        struct bx_resume_below *b = &r->below.p[i];
        n += adopt(run, b);
        bx_history_free(bx_steal(&b->history)); /* not for as long as the run lives */
    }
    return n;
}

/* ---- its calls ---- */

struct bx_executor *bx_executor_of_call(struct bx_run *run, const char *call) {
    BX_LOCKED(&run->agent->lock);
    for (size_t i = 0; i < run->agent->executors.n; i++) {
        struct bx_executor *e = run->agent->executors.p[i];
        if (e->manager == run && strcmp(e->call, call) == 0)
            return bx_executor_ref(e);
    }
    return NULL;
}

bool bx_executor_takes_up(struct bx_run *run, const char *call, const char *tool) {
    if (strcmp(tool, "AgentOutput") == 0 || strcmp(tool, "AgentStop") == 0)
        return true;
    bx_auto(bx_executor_unrefp) struct bx_executor *e =
        strcmp(tool, "Agent") == 0 ? bx_executor_of_call(run, call) : NULL;
    return e != NULL;
}
