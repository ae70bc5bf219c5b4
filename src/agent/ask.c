#include "agent/compact.h"

#include "agent/executor.h"
#include "agent/prefix.h"
#include "agent/request.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/utf8.h"

/* One question to the model: its context, what streams in, and what becomes of it in the log. */

#define CONTEXT_ATTEMPTS 3 /* to make a request smaller that the provider finds too long */

struct stream { /* what has been shown of the reply that is coming in */
    struct bx_run *run;
    struct bx_buf text, reasoning;
    bool shown;
    struct bx_spend spend;
};

static void show_piece(struct stream *s, const char *member, struct bx_str piece,
                       struct bx_buf *kept) {
    struct bx_event e;
    bx_buf_adds(kept, piece);
    bx_delta_begin(&e, s->run->id, "delta");
    bx_jw_kuint(&e.w, "turn", s->run->turn);
    bx_jw_kstrn(&e.w, member, piece);
    bx_event_delta(s->run, &e);
    s->shown = true;
}

static void show_call(struct stream *s, const struct bx_model_event *ev) {
    struct bx_event e;
    bx_delta_begin(&e, s->run->id, "delta_call");
    bx_jw_kuint(&e.w, "turn", s->run->turn);
    bx_jw_kuint(&e.w, "index", ev->index);
    if (ev->tool)
        bx_jw_kstr(&e.w, "tool", ev->tool);
    bx_jw_kstrn(&e.w, "arguments", ev->kind == BX_EV_ARGUMENTS ? ev->text : BX_STR_LIT(""));
    bx_event_delta(s->run, &e);
    s->shown = true;
}

static void show_reset(struct stream *s) {
    bx_buf_reset(&s->text);
    bx_buf_reset(&s->reasoning);
    if (!s->shown)
        return;
    struct bx_event e;
    bx_delta_begin(&e, s->run->id, "delta_reset");
    bx_jw_kuint(&e.w, "turn", s->run->turn);
    bx_event_delta(s->run, &e);
    s->shown = false;
}

static void show_retry(struct stream *s, const struct bx_model_event *ev) {
    struct bx_event e;
    show_reset(s);
    bx_delta_begin(&e, s->run->id, "retry");
    bx_jw_kuint(&e.w, "turn", s->run->turn);
    bx_jw_kuint(&e.w, "attempt", ev->attempt);
    bx_jw_kuint(&e.w, "wait_ms", ev->wait_ms);
    bx_jw_kstrn(&e.w, "reason", ev->text);
    bx_event_delta(s->run, &e);
}

static void on_model_event(void *user, const struct bx_model_event *ev) {
    struct stream *s = user;
    if (ev->kind == BX_EV_TEXT || ev->kind == BX_EV_REASONING || ev->kind == BX_EV_ARGUMENTS)
        bx_spend_piece(&s->spend, ev->text.n);
    switch (ev->kind) {
    case BX_EV_PHASE:
        bx_run_state(s->run, "starting_model", ev->text);
        break;
    case BX_EV_TEXT:
        show_piece(s, "text", ev->text, &s->text);
        break;
    case BX_EV_REASONING:
        show_piece(s, "reasoning", ev->text, &s->reasoning);
        break;
    case BX_EV_CALL:
    case BX_EV_ARGUMENTS:
        show_call(s, ev);
        break;
    case BX_EV_RETRY:
        bx_spend_again(&s->spend);
        show_retry(s, ev);
        break;
    }
}

/* ---- is all of it read? ---- */

#define CUT_FROM 500 /* tokens: below that our own count says too little */

/* The provider counted far fewer tokens than were sent: it cuts the beginning off without a word
 * (Ollama does). */
static bool is_truncated(const struct bx_run *run, const struct bx_usage *u, int64_t estimated) {
    const struct bx_history *h = run->history;
    if (u->input_tokens <= 0 || estimated < CUT_FROM || bx_model_is_small(run->model))
        return false;
    /* some count what they had in their cache beside it, not within */
    int64_t counted = u->input_tokens + (u->cached_tokens > u->input_tokens ? u->cached_tokens : 0);
    double expected = (double)estimated * (h->factor_known ? h->factor : 1);
    return (double)counted < expected * (h->factor_known ? 0.5 : 0.35);
}

static void warn_truncated(struct bx_run *run, const struct bx_usage *u, int64_t estimated) {
    bx_event_limit(
        run, "context",
        "The provider counted %" PRId64 " tokens of about %" PRId64
        " that were sent: it leaves out the beginning without saying so. Give the model a larger "
        "window where it is served, or write its true \"window\" into the settings. Until then "
        "the conversation is kept within %" PRId64 " tokens.",
        u->input_tokens, (int64_t)((double)estimated * run->history->factor), u->input_tokens);
}

static void log_usage(struct bx_run *run, const struct bx_usage *u, int64_t estimated) {
    struct bx_event e;
    bool truncated = is_truncated(run, u, estimated), first = !run->history->truncated_at;
    int64_t window = bx_run_window(run);
    const struct {
        const char *name;
        int64_t n;
    } counts[] = {{"input_tokens", u->input_tokens},
                  {"output_tokens", u->output_tokens},
                  {"cached_tokens", u->cached_tokens},
                  {"window", window > 0 ? window : -1}};
    bx_event_begin(&e, run->id);
    bx_jw_kuint(&e.w, "turn", run->turn);
    for (size_t i = 0; i < BX_ARRAY_LEN(counts); i++) {
        bx_jw_key(&e.w, counts[i].name);
        if (counts[i].n < 0)
            bx_jw_null(&e.w);
        else
            bx_jw_int(&e.w, counts[i].n);
    }
    double cost = bx_model_cost(run->model, u);
    bx_jw_kreal_if(&e.w, "cost", cost, cost >= 0);
    bx_jw_kint(&e.w, "estimated", estimated);
    bx_jw_kbool(&e.w, "truncated", truncated);
    bx_jw_kint(&e.w, "ms", u->ms);
    bx_jw_kint(&e.w, "first_token_ms", u->first_token_ms);
    bx_jw_kobj(&e.w, "prefix");
    bx_prefix_write(run->prefix, run->history->told, &e.w);
    bx_jw_end(&e.w);
    bx_event_append(run, &e, "usage", BX_BATCHED);
    if (truncated && first)
        warn_truncated(run, u, estimated);
}

/* The arguments as JSON where they are, else as the text that they are. */
static void write_arguments(struct bx_jw *w, const char *arguments) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_str text = bx_str_trim(bx_str(arguments));
    bx_jw_key(w, "input");
    if (!text.n) {
        bx_jw_obj(w);
        bx_jw_end(w);
    } else if (bx_doc_parse(text, &(struct bx_json_limits){.max_depth = BX_JSON_PART_DEPTH}, &doc,
                            NULL) == 0) {
        bx_jw_val(w, bx_doc_root(doc));
    } else {
        bx_jw_z(w, arguments);
    }
}

static void log_assistant(struct bx_run *run, struct bx_str text, struct bx_str reasoning,
                          const struct bx_message *message, const char *finish) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kuint(&e.w, "turn", run->turn);
    bx_jw_kstrn(&e.w, "text", text);
    if (reasoning.n)
        bx_jw_kstrn(&e.w, "reasoning", reasoning);
    bx_jw_karr(&e.w, "calls");
    for (size_t i = 0; message && i < message->blocks.n; i++) {
        const struct bx_block *b = &message->blocks.p[i];
        if (b->kind != BX_BLOCK_CALL)
            continue;
        bx_jw_obj(&e.w);
        bx_jw_kstr(&e.w, "id", b->id);
        bx_jw_kstr(&e.w, "tool", b->tool ? b->tool : "");
        write_arguments(&e.w, b->arguments);
        bx_jw_end(&e.w);
    }
    bx_jw_end(&e.w);
    bx_jw_kstr(&e.w, "finish", finish);
    bx_event_append(run, &e, "assistant", BX_BATCHED);
}

static int ask_once(struct bx_run *run, struct stream *s, const char *note, bool no_tools,
                    struct bx_reply *ret, struct bx_err *err) {
    struct bx_model_request request;
    bx_run_request(run, note, &request);
    bx_run_guard_prefix(run);
    request.no_tools = no_tools;
    request.once = bx_budget_left(run->budget, BX_BUDGET_TOKENS) >= 0 ||
                   bx_budget_left(run->budget, BX_BUDGET_MONEY) >= 0;
    bx_run_state(run, "thinking", BX_STR_LIT(""));
    if (!bx_spend_begin(&s->spend, run, bx_context_estimate(run->context, run->history)))
        return bx_fail(err, BX_ERR_CANCELLED, "the budget is used up");
    int rc = bx_model_ask(run->model, &request, on_model_event, s, run->spend, ret, err);
    if (!rc)
        bx_spend_end(&s->spend, &ret->usage);
    return rc;
}

static const char *finish_name(const struct bx_reply *reply) {
    static const char *const names[] = {[BX_FINISH_STOP] = "stop",
                                        [BX_FINISH_CALLS] = "tool_calls",
                                        [BX_FINISH_LENGTH] = "length",
                                        [BX_FINISH_FILTER] = "stop"};
    return names[reply->finish];
}

static void log_reply(struct bx_run *run, const struct bx_reply *reply, int64_t estimated) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_EVENT_MAX),
                                         reasoning = BX_BUF_INIT(BX_EVENT_MAX);
    for (size_t i = 0; i < reply->message->blocks.n; i++) {
        const struct bx_block *b = &reply->message->blocks.p[i];
        if (b->kind == BX_BLOCK_TEXT && b->text)
            bx_buf_addz(&text, b->text);
        else if (b->kind == BX_BLOCK_REASONING && b->text)
            bx_buf_addz(&reasoning, b->text);
    }
    log_assistant(run, bx_buf_str(&text), bx_buf_str(&reasoning), reply->message,
                  finish_name(reply));
    log_usage(run, &reply->usage, estimated);
    bx_executor_on_usage(run, &reply->usage);
}

/* Results are told apart by the call's id; models and servers repeat them, or leave them out. */
static void make_ids_unique(struct bx_run *run, struct bx_message *m) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        struct bx_block *b = &m->blocks.p[i];
        if (b->kind != BX_BLOCK_CALL)
            continue;
        bool used = !b->id || !*b->id || bx_history_knows_call(run->history, b->id);
        for (size_t k = 0; k < i && !used; k++)
            used = m->blocks.p[k].kind == BX_BLOCK_CALL && strcmp(m->blocks.p[k].id, b->id) == 0;
        if (used) {
            char id[BX_ID_LEN + 1];
            bx_id_new(id);
            bx_free(b->id);
            b->id = bx_asprintf("call_%s", id + 14);
        }
    }
}

/* 0 and a logged reply, or a negative code, with what was shown of the reply and the reason in the
 * log. */
int bx_run_ask_model(struct bx_run *run, const char *note, bool no_tools, struct bx_reply *ret) {
    struct bx_err err = {0};
    struct stream s = {
        .run = run, .text = BX_BUF_INIT(BX_EVENT_MAX), .reasoning = BX_BUF_INIT(BX_EVENT_MAX)};
    int rc = bx_history_catch_up(run->history, run->session, &err);
    if (!rc)
        bx_compact_when_full(run);
    int64_t estimated = run->context->fixed_estimate + run->history->estimate;
    if (!rc)
        rc = ask_once(run, &s, note, no_tools, ret, &err);
    for (unsigned i = 0; rc == BX_ERR_LIMIT && i < CONTEXT_ATTEMPTS &&
                         !bx_cancel_fired(run->spend) && bx_compact_after_error(run, i);
         i++) {
        show_reset(&s);
        estimated = run->context->fixed_estimate + run->history->estimate;
        rc = ask_once(run, &s, note, no_tools, ret, &err);
    }
    if (!rc) {
        make_ids_unique(run, ret->message);
        log_reply(run, ret, estimated);
    } else {
        bool stopped = bx_cancel_fired(run->spend);
        if ((s.text.size || s.reasoning.size) && /* what was shown stays */
            !bx_run_leaves_open(run, NULL))      /* or the model is asked anew */
            log_assistant(run, bx_buf_str(&s.text), bx_buf_str(&s.reasoning), NULL,
                          stopped ? "stopped" : "error");
        if (!stopped)
            bx_event_error(run, "model", &err);
    }
    bx_buf_deinit(&s.text);
    bx_buf_deinit(&s.reasoning);
    return rc;
}
