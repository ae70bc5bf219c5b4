#include "agent/executor.h"

#include "base/unwire.h"

/* The same run again: after a restart, with its question and its executors; and before one, what is
 * left open for it. */

/* ---- the program ends ---- */

/* A question that a person can still answer stays open: the next start goes on with it, and with
 * the runs above it, which wait for what becomes of it. */
void bx_agent_suspend(struct bx_agent *a) {
    for (size_t i = 0; i < a->runs.n && !bx_unwired("resume"); i++) {
        struct bx_run *run = a->runs.p[i];
        if (!run->question.id[0] || run->question.answered || run->headless ||
            bx_cancel_fired(run->cancel))
            continue;
        run->suspended = true;
        for (struct bx_executor *at = run->executor; at && at->manager; at = at->above)
            at->manager->suspended = true;
    }
}

/* ---- and starts again ---- */

static void spend_again(struct bx_run *run) {
    const struct bx_resume *r = run->resume;
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++)
        if (kind != BX_BUDGET_TIME_MS)
            bx_budget_charge(run->budget, (enum bx_budget_kind)kind, r->used[kind], NULL);
    bx_budget_age(run->budget, r->used[BX_BUDGET_TIME_MS]);
    run->turn = r->turn;
    run->start_ms -= (uint64_t)BX_MIN(r->used[BX_BUDGET_TIME_MS], (int64_t)run->start_ms);
}

/* Its managers' watchers hear of it again: what they heard before the restart was not kept. */
static void open_question_again(struct bx_run *run) {
    const struct bx_val *event = bx_doc_root(run->resume->question);
    struct bx_question q = {.questions = bx_val_get(event, "questions")};
    snprintf(q.id, sizeof q.id, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "question")));
    bx_val_foreach_item (bx_val_get(event, "choices"), word) {
        enum bx_choice choice;
        if (bx_choice_parse(bx_val_str(word), &choice))
            q.choices |= 1u << choice;
    }
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_EVENT_MAX);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, event);
    {
        BX_LOCKED(&run->agent->lock);
        run->question = q;
    }
    bx_executor_on_question(run, bx_buf_str(&text));
}

/* Its own one, where it had one: the session's may allow more. */
static const char *mode_again(const struct bx_run *run) {
    const struct bx_resume *r = run->resume;
    bool allowed = run->agent->allow_bypass || !r->own_mode || strcmp(r->own_mode, "bypass") != 0;
    return r->own_mode && r->plans ? "plan" : allowed ? r->own_mode : NULL;
}

static int begin_again(struct bx_run *run, struct bx_history *h, struct bx_executor *as,
                       struct bx_err *err) {
    struct bx_run_options options = {
        .executor = as, .model = run->resume->model, .mode = mode_again(run)};
    int rc = bx_executor_enter(run, &options, err);
    for (size_t i = 0; i < BX_BUDGET_COUNT; i++)
        options.budget[i] = BX_MAX(run->resume->caps[i], 0);
    options.max_turns = 0; /* it is one of the caps */
    if (rc || (rc = bx_executor_move_in(run, err)) ||
        (rc = bx_run_read_options(run, &options, err)))
        return rc;
    spend_again(run);
    if (!bx_executors_adopt(run) && !bx_resume_call(run->resume))
        return bx_fail(err, BX_ERR_NOTFOUND, "none of its executors can go on");
    if ((rc = bx_session_close_calls(run->session, h, run, err)))
        return rc;
    run->history = bx_agent_take_history(run->agent, run);
    if ((rc = bx_history_catch_up(run->history, run->session, err)) ||
        (rc = bx_run_load_rules(run, err)))
        return rc;
    if (bx_resume_call(run->resume))
        open_question_again(run);
    if (as) { /* it waits: bx_run_await_again takes the place again */
        BX_LOCKED(&run->agent->lock);
        as->waits++;
    }
    return 0;
}

int bx_agent_go_on(struct bx_agent *a, struct bx_session *session, struct bx_history *h,
                   struct bx_resume *take_resume, struct bx_executor *as, struct bx_err *err) {
    struct bx_run *run = bx_run_new(a, session, as ? as->cancel : NULL);
    memcpy(run->id, take_resume->run, sizeof run->id);
    run->resume = take_resume;
    int rc = bx_run_reserve(a, run, err);
    if (rc) {
        bx_run_free(run);
        return rc;
    }
    rc = begin_again(run, h, as, err);
    if (!rc)
        rc = bx_run_start(run, err);
    if (rc) {
        bx_cancel_fire(run->cancel, "the run of its manager cannot go on");
        bx_executors_end(run);
        bx_run_give_up(run);
    }
    return rc;
}
