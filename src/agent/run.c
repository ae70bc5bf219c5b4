#include "agent/compact.h"

#include "agent/executor.h"
#include "agent/request.h"
#include "base/clock.h"

/* One run: context → ask → permission → tools → append → again. Read run_turns first. */

#define MAX_CALLS         64 /* of one reply */
#define FAILURES_MAX      3  /* the same failing call in a row */
#define CONTINUATIONS_MAX 3  /* of a reply that the output limit cut */

static const char last_words[] = "The limit of %s for this task is reached and no tool can be "
                                 "called any more. Say in a few sentences what is done, "
                                 "what is not, and what you would do next.";
static const char go_on[] =
    "Your answer was cut off by the limit of its length. Go on exactly where it stopped.";

/* ---- the calls of one reply ---- */

struct calls {
    struct bx_call *items;
    size_t n, left;
};

static void calls_deinit(struct calls *c) {
    for (size_t i = 0; i < c->n; i++)
        bx_call_reset(&c->items[i]);
    bx_free(c->items);
}

static void take_calls(struct bx_run *run, const struct bx_message *m, struct calls *c) {
    *c = (struct calls){.items = bx_alloc((m->blocks.n + 1) * sizeof *c->items)};
    for (size_t i = 0; i < m->blocks.n; i++) {
        const struct bx_block *b = &m->blocks.p[i];
        if (b->kind == BX_BLOCK_CALL)
            c->items[c->n++] = (struct bx_call){.run = run,
                                                .id = b->id,
                                                .tool_name = b->tool ? b->tool : "",
                                                .arguments = b->arguments ? b->arguments : "",
                                                .left = &c->left};
    }
    c->left = c->n;
}

static void answer_all(struct calls *c, size_t from, const char *text) {
    for (size_t i = from; i < c->n; i++) {
        bx_tool_result_text(&c->items[i].result, true, "%s", text);
        c->items[i].has_result = true;
    }
}

static void run_calls(struct bx_run *run, struct calls *c) {
    bx_auto(bx_freep) struct bx_batch_item *batch = bx_alloc((c->n + 1) * sizeof *batch);
    bool durable = false;
    bx_run_state(run, "tools", BX_STR_LIT(""));
    for (size_t i = 0; i < c->n; i++) {
        struct bx_call *call = &c->items[i];
        batch[i] = (struct bx_batch_item){.level = BX_LEVEL_NONE, .user = call};
        if (call->has_result)
            continue;
        batch[i].level = call->tool->level;
        batch[i].paths = call->reach.paths;
        batch[i].path_count = call->reach.path_count;
        durable |= call->tool->level >= BX_LEVEL_WRITE;
    }
    for (size_t i = 0; i < c->n; i++)
        c->items[i].durable = durable;
    bx_batch_run(run->agent->crew, batch, c->n, bx_call_execute);
}

/* Three times the same failing call in a row: the model does not get out of it by itself. */
static bool repeats_failure(struct bx_run *run, const struct calls *c) {
    for (size_t i = 0; i < c->n; i++) {
        const struct bx_call *call = &c->items[i];
        char *key =
            call->result.is_error ? bx_asprintf("%s %s", call->tool_name, call->arguments) : NULL;
        bool same = key && run->last_failure && strcmp(key, run->last_failure) == 0;
        run->failures = same ? run->failures + 1 : key != NULL;
        bx_free(run->last_failure);
        run->last_failure = key;
        if (run->failures >= FAILURES_MAX) {
            bx_event_limit(run, "repeated_calls",
                           "%s failed %d times in a row with the same arguments.", call->tool_name,
                           FAILURES_MAX);
            return true;
        }
    }
    return false;
}

/* ---- turns ---- */

static const char *cut_short(struct bx_run *run) {
    bool closing;
    {
        BX_LOCKED(&run->agent->lock);
        closing = run->agent->closing;
    }
    return __atomic_load_n(&run->log_failed, __ATOMIC_ACQUIRE) ? "error"
           : closing                                           ? "interrupted"
                                                               : "stopped";
}

/* As many of the calls as the budget has room for; the others are told. */
static void take_from_budget(struct bx_run *run, struct calls *c) {
    size_t n = BX_MIN(c->n, MAX_CALLS);
    size_t some = (size_t)bx_budget_take_some(run->budget, BX_BUDGET_CALLS, (int64_t)n);
    for (size_t i = 0; i < some; i++)
        bx_call_prepare(&c->items[i]);
    if (some < n)
        answer_all(c, some, "Not called: the budget of calls is used up.");
    else
        answer_all(
            c, MAX_CALLS,
            "Not called: at most 64 calls fit into one reply. Make the other calls in the next.");
    run_calls(run, c);
    if (some < n)
        bx_budget_take(run->budget, BX_BUDGET_CALLS, 1,
                       NULL); /* what was allowed is done: now it fires */
}

/* The calls of one reply, from permission to result. False: the same call fails again and again. */
static bool work_off(struct bx_run *run, const struct bx_message *reply) {
    bx_auto(calls_deinit) struct calls calls;
    take_calls(run, reply, &calls);
    take_from_budget(run, &calls);
    for (size_t i = 0; i < calls.n; i++) {
        bx_run_propose_for_call(run, &calls.items[i]);
        if (!calls.items[i].result.is_error)
            bx_run_tell_folders(run, calls.items[i].reach.paths, calls.items[i].reach.path_count);
    }
    return bx_cancel_fired(run->spend) || !repeats_failure(run, &calls);
}

static bool has_calls(const struct bx_message *m) {
    for (size_t i = 0; i < m->blocks.n; i++)
        if (m->blocks.p[i].kind == BX_BLOCK_CALL)
            return true;
    return false;
}

/* The name of the budget that ended it: its own, or the one of what it is a part of, which stops
 * the run with that name (and may have been extended for its own last word since). NULL: it was
 * something else. */
static const char *out_of_budget(struct bx_run *run) {
    return bx_cancel_fired(run->cancel) ? bx_budget_known(bx_cancel_reason(run->cancel))
                                        : bx_budget_fired(run->budget);
}

/* A budget has run out: the model says where it stands, if there is something left for that. */
static const char *say_last(struct bx_run *run) {
    const char *name = out_of_budget(run);
    char words[400];
    bx_run_log_budget(run, name);
    bx_executors_end(
        run); /* they end by that name, too, before there is a little more for the words */
    if (!bx_run_last_word(run))
        return name;
    snprintf(words, sizeof words, last_words, strcmp(name, "max_turns") ? name : "turns");
    run->turn++;
    bx_auto(bx_reply_deinit) struct bx_reply reply = {0};
    if (bx_run_ask_model(run, words, true, &reply) == 0 && has_calls(reply.message)) {
        bx_auto(calls_deinit) struct calls calls;
        take_calls(run, reply.message, &calls);
        answer_all(&calls, 0, "Not called: the limit of this task is reached.");
        run_calls(run, &calls);
    }
    return out_of_budget(run) || !bx_cancel_fired(run->cancel) ? name : cut_short(run);
}

/* Why the model's reply, or the calls of one, could not be had. */
static const char *give_reason(struct bx_run *run) {
    return out_of_budget(run)             ? say_last(run)
           : bx_cancel_fired(run->cancel) ? cut_short(run)
                                          : "error";
}

static void take_open_calls(struct bx_run *run, struct calls *c) {
    const struct bx_history *h = run->history;
    size_t last = h->messages.n;
    *c = (struct calls){0};
    if (!h->open_calls.n)
        return;
    while (last > 0 && h->messages.p[last - 1]->role != BX_ROLE_ASSISTANT)
        last--;
    struct calls all = {.items = NULL};
    if (last > 0) /* else its line is lost, and with it the calls */
        take_calls(run, h->messages.p[last - 1], &all);
    *c = (struct calls){.items = bx_alloc((all.n + 1) * sizeof *c->items)};
    for (size_t i = 0; i < all.n; i++) {
        bool open = false;
        for (size_t k = 0; k < h->open_calls.n; k++)
            open |= strcmp(h->open_calls.p[k], all.items[i].id) == 0;
        if (open)
            c->items[c->n++] = all.items[i];
    }
    bx_free(all.items);
    c->left = c->n;
    for (size_t i = 0; i < c->n; i++) {
        c->items[i].left = &c->left;
        if (bx_resume_is_of(run->resume, c->items[i].id,
                            NULL)) { /* the one that was asked for comes first */
            struct bx_call asked = c->items[i];
            memmove(c->items + 1, c->items, i * sizeof *c->items);
            c->items[0] = asked;
        }
    }
}

/* After a restart, with the answer (or stopped: then the calls say so): what was left of the reply.
 */
static bool resume_turn(struct bx_run *run) {
    bx_auto(calls_deinit) struct calls c;
    bx_run_look_at_planner(run);
    take_open_calls(run, &c);
    for (size_t i = 0; i < c.n; i++)
        bx_call_prepare(&c.items[i]);
    size_t asked = bx_resume_call(run->resume) ? BX_MIN(c.n, (size_t)1) : 0;
    struct calls first = {.items = c.items, .n = asked},
                 rest = {.items = c.items + asked, .n = c.n - asked};
    if (first.n)
        run_calls(run, &first);
    bx_run_settle_answer(run);
    if (rest.n)
        run_calls(run, &rest);
    return bx_cancel_fired(run->spend) || !repeats_failure(run, &c);
}

/* Before the restart its model had said its word, and it waited for executors: it does so again. */
static bool had_said_its_word(const struct bx_run *run) {
    const struct bx_history *h = run->history;
    return run->resume && h->messages.n &&
           h->messages.p[h->messages.n - 1]->role == BX_ROLE_ASSISTANT;
}

/* Between two turns: what has come meanwhile. open: the model has something to answer. 1: it has;
 * 0: there is nothing (what waited was taken back, or has been done) and nothing comes; else
 * negative. */
static int begin_turn(struct bx_run *run, bool open) {
    for (;;) {
        open |= bx_executors_tell(run);
        int rc = bx_run_join_queued(run);
        if (rc || (rc = bx_run_compact_queued(run)))
            return rc;
        if (open || run->said)
            return 1;
        if (!bx_session_has_queued(run->session) && !bx_executors_await(run))
            return 0;
        if (bx_cancel_fired(run->spend))
            return BX_ERR_CANCELLED;
    }
}

static const char *run_turns(struct bx_run *run) {
    unsigned continuations = 0;
    const char *note = NULL;
    if (run->resume && !resume_turn(run))
        return "repeated_calls";
    bool open = run->resume && !had_said_its_word(run);
    if (run->resume && !open && !bx_session_has_queued(run->session) && !bx_executors_await(run))
        return "done";
    if (bx_cancel_fired(run->spend))
        return give_reason(run);
    while (bx_budget_take(run->budget, BX_BUDGET_TURNS, 1, NULL)) {
        bx_auto(bx_reply_deinit) struct bx_reply reply = {0};
        run->turn++;
        int goes_on = begin_turn(run, open);
        run->said = false;
        if (!goes_on) {
            run->turn--;
            return "done";
        }
        if (goes_on < 0 || bx_run_ask_model(run, note, false, &reply))
            return give_reason(run);
        note = NULL;
        open = has_calls(reply.message);
        if (open) {
            if (!work_off(run, reply.message))
                return "repeated_calls";
        } else if (reply.finish == BX_FINISH_LENGTH && continuations++ < CONTINUATIONS_MAX) {
            note = go_on;
            open = true;
        } else if (!bx_session_has_queued(run->session) && !bx_executors_await(run)) {
            return "done";
        }
        if (bx_cancel_fired(run->spend))
            return give_reason(run);
    }
    return give_reason(run);
}

/* ---- begin and end ---- */

static void write_end(struct bx_run *run, struct bx_jw *w, const char *reason) {
    bx_jw_kstr(w, "reason", reason);
    bx_jw_kuint(w, "turns", run->turn);
    bx_jw_kuint(w, "ms", bx_mono_ms() - run->start_ms);
}

static void end_run(struct bx_run *run, const char *reason) {
    if (bx_run_leaves_open(run, NULL))
        return;
    {
        BX_LOCKED(&run->agent->lock);
        run->ending = true;
    }
    struct bx_event e;
    bx_event_begin(&e, run->id);
    write_end(run, &e.w, reason);
    if (bx_event_append(run, &e, "run_end",
                        BX_DURABLE)) { /* nobody shall wait for it: those who watch hear it live */
        bx_delta_begin(&e, run->id, "run_end");
        write_end(run, &e.w, "error");
        bx_event_delta(run, &e);
    }
    bx_run_state(run, "idle", BX_STR_LIT(""));
}

void *bx_run_main(void *user) {
    struct bx_run *run = user;
    struct bx_agent *a = run->agent;
    struct bx_err err = {0};
    const char *reason;
    if (!run->resume) /* that one waits for a person first, and nothing is begun before */
        bx_run_await_window(run);
    if (bx_history_catch_up(run->history, run->session, &err)) {
        bx_event_error(run, "store", &err);
        reason = "error";
    } else if (run->resume && bx_run_await_again(run) && bx_run_leaves_open(run, NULL)) {
        reason = "interrupted"; /* the program ends again, and nobody has answered */
    } else {
        run->context = bx_run_context_new(run);
        bx_run_restore_skills(run);
        bx_run_propose_for_text(run, bx_str(run->history->request));
        reason = run->compact ? bx_compact_by_user(run, run->compact) : run_turns(run);
    }
    bx_executors_end(run);
    end_run(run, reason);
    bx_executor_on_end(run, reason);
    bx_agent_keep_history(a, bx_steal(&run->history));
    {
        BX_LOCKED(&a->lock);
        bx_question_tell(a, &run->question, BX_ANSWER_LOST);
        run->done = true;
        pthread_cond_broadcast(&a->changed);
    }
    bx_run_go_on(run, reason);
    bx_executor_leave(run);
    BX_LOCKED(&a->lock);
    run->over = true;
    pthread_cond_broadcast(&a->changed);
    return NULL;
}
