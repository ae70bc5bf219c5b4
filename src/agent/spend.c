#include "agent/executor.h"

/* What one run may spend (settings, session, options: the nearest counts), and what its requests to
 * the model have spent so far: first by our own count, so that it stops in the middle of a stream,
 * then as the provider counted. */

#define DEFAULT_MAX_TURNS 50
#define TURNS_MAX         10000
#define BYTES_PER_TOKEN   4
#define MICRO             1e6

static int read_session(struct bx_session *s, int64_t *caps, struct bx_err *err) {
    bx_auto(bx_freep) char *text = bx_session_budget(s);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = bx_doc_parse(bx_str(text), NULL, &doc, err);
    rc = rc ? rc : bx_budget_read(bx_doc_root(doc), caps, err);
    return rc ? bx_wrap(err, rc, "the session's budget") : 0;
}

static int read_caps(struct bx_run *run, const struct bx_val *settings, int64_t *caps,
                     struct bx_err *err) {
    int64_t turns = bx_val_get_int(settings, "max_turns", DEFAULT_MAX_TURNS);
    for (size_t i = 0; i < BX_BUDGET_COUNT; i++)
        caps[i] = -1;
    caps[BX_BUDGET_TURNS] = BX_MAX(1, BX_MIN(turns, TURNS_MAX));
    int rc = bx_budget_read(bx_val_get(settings, "budgets"), caps, err);
    if (!rc)
        rc = read_session(run->session, caps, err);
    for (size_t i = 0; i < BX_BUDGET_COUNT; i++)
        if (run->budget_option[i])
            caps[i] = run->budget_option[i];
    return rc;
}

int bx_run_open_budget(struct bx_run *run, const struct bx_val *settings, struct bx_err *err) {
    int64_t caps[BX_BUDGET_COUNT];
    int rc = read_caps(run, settings, caps, err);
    if (rc)
        return rc;
    run->has_price = bx_model_price(run->model, &run->price);
    bool counts_money =
        caps[BX_BUDGET_MONEY] >= 0 || bx_budget_left(bx_executor_purse(run), BX_BUDGET_MONEY) >= 0;
    if (counts_money && !run->has_price)
        return bx_fail(
            err, BX_ERR_INVALID,
            "a budget of money needs to know what %.100s costs: put \"price\": {\"input\": "
            "N, \"output\": N} (US$ for a million tokens) to the model in settings.json "
            "(providers), or use a budget of tokens",
            bx_model_id(run->model));
    run->spend = bx_cancel_new(run->cancel);
    run->budget = bx_budget_new(bx_executor_purse(run), caps, run->spend);
    return 0;
}

void bx_run_write_budget(struct bx_run *run, struct bx_jw *w) {
    int64_t caps[BX_BUDGET_COUNT];
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++)
        caps[kind] = bx_budget_cap(run->budget, (enum bx_budget_kind)kind);
    bx_jw_key(w, "budget");
    bx_budget_write(w, caps);
}

/* ---- the session's ---- */

static void write_merged(struct bx_jw *w, const struct bx_val *old, const struct bx_val *patch) {
    bx_jw_obj(w);
    bx_jw_kobj(w, "budget");
    bx_val_foreach_member (old, name, value) {
        if (!bx_val_get_n(patch, name) && !bx_val_is(patch, BX_VAL_NULL)) {
            bx_jw_keys(w, name);
            bx_jw_val(w, value);
        }
    }
    bx_val_foreach_member (patch, name, value) {
        if (!bx_val_is(value, BX_VAL_NULL)) {
            bx_jw_keys(w, name);
            bx_jw_val(w, value);
        }
    }
    bx_jw_end(w);
    bx_jw_end(w);
}

int bx_agent_set_budget(struct bx_session *session, const struct bx_val *patch,
                        struct bx_err *err) {
    int64_t ignored[BX_BUDGET_COUNT];
    bx_auto(bx_freep) char *text = bx_session_budget(session);
    bx_auto(bx_doc_freep) struct bx_doc *old = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    int rc = bx_budget_read(patch, ignored, err);
    if (!rc)
        rc = bx_doc_parse(bx_str(text), NULL, &old, err);
    if (rc)
        return rc;
    bx_jw_init(&w, &body);
    write_merged(&w, bx_doc_root(old), patch);
    return bx_session_append(session, "budget", bx_buf_str(&body), BX_DURABLE, NULL, err);
}

/* ---- one request ---- */

static void charge(struct bx_spend *s) {
    int64_t tokens = s->input + s->output_bytes / BYTES_PER_TOKEN - s->charged_tokens;
    double micro = (double)s->input * s->run->price.input +
                   (double)(s->output_bytes / BYTES_PER_TOKEN) * s->run->price.output;
    int64_t money = s->run->has_price ? (int64_t)micro - s->charged_micro : 0;
    if (tokens)
        bx_budget_charge(s->run->budget, BX_BUDGET_TOKENS, tokens, NULL);
    if (money)
        bx_budget_charge(s->run->budget, BX_BUDGET_MONEY, money, NULL);
    s->charged_tokens += tokens;
    s->charged_micro += money;
}

bool bx_spend_begin(struct bx_spend *s, struct bx_run *run, int64_t input_tokens) {
    *s = (struct bx_spend){.run = run, .input = input_tokens};
    int64_t micro = run->has_price ? (int64_t)((double)input_tokens * run->price.input) : 0;
    if (!bx_budget_take(run->budget, BX_BUDGET_TOKENS, input_tokens, NULL))
        return false;
    s->charged_tokens = input_tokens;
    if (!bx_budget_take(run->budget, BX_BUDGET_MONEY, micro, NULL)) {
        bx_budget_charge(run->budget, BX_BUDGET_TOKENS, -input_tokens, NULL);
        return false;
    }
    s->charged_micro = micro;
    return true;
}

void bx_spend_piece(struct bx_spend *s, size_t bytes) {
    s->output_bytes += (int64_t)bytes;
    charge(s);
}

void bx_spend_again(struct bx_spend *s) {
    int64_t input = s->input;
    if (!s->output_bytes)
        return; /* it was refused before it began: nobody bills that */
    *s = (struct bx_spend){.run = s->run, .input = input};
    charge(s);
}

void bx_spend_end(struct bx_spend *s, const struct bx_usage *usage) {
    double cost = bx_model_cost(s->run->model, usage);
    if (usage->input_tokens >= 0 && usage->output_tokens >= 0) {
        int64_t counted = usage->input_tokens + usage->output_tokens;
        bx_budget_charge(s->run->budget, BX_BUDGET_TOKENS, counted - s->charged_tokens, NULL);
    }
    if (cost >= 0)
        bx_budget_charge(s->run->budget, BX_BUDGET_MONEY,
                         (int64_t)(cost * MICRO) - s->charged_micro, NULL);
}

/* ---- the end ---- */

static enum bx_budget_kind kind_of(const char *name) {
    unsigned kind = 0;
    while (kind + 1 < BX_BUDGET_COUNT && strcmp(name, bx_budget_name((enum bx_budget_kind)kind)))
        kind++;
    return (enum bx_budget_kind)kind;
}

void bx_run_log_budget(struct bx_run *run, const char *name) {
    static const char *const flags[BX_BUDGET_COUNT] = {
        [BX_BUDGET_TURNS] = "--max-turns",  [BX_BUDGET_TOKENS] = "--max-tokens",
        [BX_BUDGET_MONEY] = "--max-cost",   [BX_BUDGET_CALLS] = "--max-calls",
        [BX_BUDGET_TIME_MS] = "--max-time", [BX_BUDGET_FUEL] = "--max-fuel",
    };
    enum bx_budget_kind kind = kind_of(name);
    int64_t cap = bx_budget_cap(run->budget, kind);
    bx_auto(bx_buf_deinit) struct bx_buf amount = BX_BUF_INIT(100);
    bx_budget_print(&amount, kind, cap);
    if (bx_budget_used(run->budget, kind) < cap || cap < 0)
        bx_event_limit(run, name, "The budget (%s) of what this is a part of is used up.", name);
    else if (kind == BX_BUDGET_TURNS)
        bx_event_limit(run, name,
                       "The limit of %" PRId64 " turns is reached; raise it with --max-turns.",
                       cap);
    else
        bx_event_limit(run, name,
                       "The budget of this run is used up: %s. Raise it with %s, in the session's "
                       "budget or in the settings (budgets).",
                       bx_buf_z(&amount), flags[kind]);
}

bool bx_run_last_word(struct bx_run *run) {
    struct bx_cancel *fresh = bx_cancel_new(run->cancel);
    if (!bx_budget_extend(run->budget, fresh)) {
        bx_cancel_unref(fresh);
        return false;
    }
    bx_cancel_unref(run->spend);
    run->spend = fresh;
    return !bx_cancel_fired(run->cancel);
}
