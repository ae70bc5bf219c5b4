#include "agent/compact.h"

#include "agent/context.h"
#include "base/unwire.h"

#define COMPACT_AT    80   /* percent of the window: the setting's default */
#define KEEP_SHARE    0.25 /* of the window: what stays of the conversation as it is */
#define ROOM_SHARE    0.35 /* … but of the room that instructions and tools leave, at most this */
#define SUMMARY_SHARE 0.1  /* of the window: what the summary may be long */
#define GROWN_SHARE   0.1  /* of the window: so much must have come since the last time */
#define FILES_MAX     50
#define KEPT_MAX      4
#define NO_WINDOW     32768 /* where the window is not known: what a half of it is counted from */

int64_t bx_run_window(const struct bx_run *run) {
    int64_t window = bx_model_window(run->model), cut = run->history->truncated_at;
    return cut > 0 && (window <= 0 || cut < window) ? cut : window;
}

bool bx_compact_at_ok(int64_t percent) {
    return percent == 0 || (percent >= 10 && percent <= 95);
}

int64_t bx_agent_compact_at(struct bx_agent *a, int64_t window) {
    struct bx_settings *settings = NULL;
    int64_t percent = COMPACT_AT;
    if (bx_agent_settings(a, &settings, NULL) == 0) {
        percent = bx_val_get_int(bx_settings_root(settings), "compact_at", COMPACT_AT);
        bx_settings_unref(settings);
    }
    return window * percent / 100;
}

/* ---- what goes ---- */

struct plan {
    struct bx_cut cut;
    size_t end; /* messages before it go */
    char *kept[KEPT_MAX];
    size_t turns, results;
    int64_t tokens; /* by our count, of what goes */
    char *files[FILES_MAX];
    size_t file_count;
    char *summary;
    struct bx_usage usage;
    char *why; /* there is no summary, or NULL */
};

static void plan_deinit(struct plan *p) {
    for (size_t i = 0; i < p->cut.kept_count; i++)
        bx_free(p->kept[i]);
    for (size_t i = 0; i < p->file_count; i++)
        bx_free(p->files[i]);
    bx_free(p->summary);
    bx_free(p->why);
}

/* May the conversation begin with this message? A reply, its results and their images stay
 * together. */
static bool is_border(const struct bx_history *h, size_t i) {
    const struct bx_message *m = h->messages.p[i];
    return m->role != BX_ROLE_TOOL && m->tag != BX_TAG_IMAGES && m->tag != BX_TAG_SUMMARY &&
           (i == 0 || m->origin != h->messages.p[i - 1]->origin);
}

/* The first message that stays: as many of the last ones as fit, and at least the last reply or
 * question. */
static size_t first_kept(const struct bx_history *h, int64_t keep) {
    size_t first = h->messages.n;
    int64_t tokens = 0;
    for (size_t i = h->messages.n; i-- > 0;) {
        tokens += bx_message_tokens(h->messages.p[i]);
        if (tokens > keep && first < h->messages.n)
            break;
        if (is_border(h, i))
            first = i;
    }
    return first;
}

static void keep(struct plan *p, char *take_text) {
    p->kept[p->cut.kept_count++] = take_text;
    p->cut.kept = (const char *const *)p->kept;
}

static char *rules_text(const struct bx_history *h) {
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB);
    for (size_t i = 0; i < h->given.rules.n; i++)
        bx_buf_addf(&out, "%s%s", i ? "\n" : "", h->given.rules.p[i].json);
    if (out.size && !bx_buf_failed(&out)) {
        char *text =
            bx_asprintf("Permission rules that the user gave to this session:\n%s", bx_buf_z(&out));
        bx_buf_deinit(&out);
        return text;
    }
    bx_buf_deinit(&out);
    return NULL;
}

static bool has_question(const struct bx_history *h, size_t from) {
    for (size_t i = from; i < h->messages.n; i++)
        if (bx_message_is_question(h->messages.p[i]))
            return true;
    return false;
}

static void keep_words(const struct bx_history *h, struct plan *p) {
    if (bx_unwired("pinned_facts"))
        return;
    bool current = h->request && !has_question(h, p->end);
    if (h->first_request && !(current && strcmp(h->first_request, h->request) == 0))
        keep(p, bx_asprintf("The user's first message, word for word:\n%s", h->first_request));
    if (current)
        keep(p, bx_asprintf("The user's last message, word for word:\n%s", h->request));
    char *rules = rules_text(h);
    if (rules)
        keep(p, rules);
}

/* Turns go, but for the last ones that fit into `keep_tokens` (our count). False: there is nothing
 * that could go. */
static bool plan_turns(const struct bx_history *h, int64_t keep_tokens, struct plan *p) {
    p->end = first_kept(h, keep_tokens);
    if (p->end == 0 || p->end >= h->messages.n || h->messages.p[p->end - 1]->tag == BX_TAG_SUMMARY)
        return false;
    p->cut.summary = "";
    p->cut.upto = h->messages.p[p->end]->origin - 1;
    for (size_t i = 0; i < p->end; i++) {
        const struct bx_message *m = h->messages.p[i];
        p->turns += bx_message_is_question(m);
        p->results += m->role == BX_ROLE_TOOL;
        p->tokens += bx_message_tokens(m);
    }
    p->file_count = bx_summary_files(h, p->end, p->files, FILES_MAX);
    keep_words(h, p);
    return true;
}

/* Outputs before the newest ones go; with `newest` those, too, down to `bytes` each. */
static void plan_outputs(const struct bx_history *h, bool newest, size_t bytes, struct plan *p) {
    bool open = h->pending > 0 && h->pending < h->messages.n;
    uint64_t last = open && !newest ? h->messages.p[h->pending - 1]->origin : UINT64_MAX;
    p->cut.summary = "";
    p->cut.result_bytes = bytes;
    for (size_t i = 0; i < h->messages.n; i++) {
        const struct bx_message *m = h->messages.p[i];
        if ((m->role != BX_ROLE_TOOL && m->tag != BX_TAG_IMAGES) || m->origin >= last)
            continue;
        p->results++;
        p->cut.results_upto = BX_MAX(p->cut.results_upto, m->origin);
    }
}

/* ---- the event ---- */

static void write_lost(struct bx_jw *w, const struct plan *p, double factor) {
    bx_jw_kobj(w, "lost");
    bx_jw_kuint(w, "turns", p->turns);
    bx_jw_kuint(w, "results", p->results);
    bx_jw_kint(w, "tokens", (int64_t)((double)p->tokens * factor));
    bx_jw_karr(w, "files");
    for (size_t i = 0; i < p->file_count; i++)
        bx_jw_z(w, p->files[i]);
    bx_jw_end(w);
    bx_jw_end(w);
}

static int log_compact(struct bx_run *run, const char *by, const struct plan *p, int64_t before,
                       int64_t after) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "by", by);
    bx_jw_kuint(&e.w, "upto", p->cut.upto);
    if (p->cut.results_upto) {
        bx_jw_kuint(&e.w, "results_upto", p->cut.results_upto);
        bx_jw_kuint(&e.w, "result_bytes", p->cut.result_bytes);
    }
    bx_jw_kstr(&e.w, "summary", p->cut.summary);
    bx_jw_karr(&e.w, "kept");
    for (size_t i = 0; i < p->cut.kept_count; i++)
        bx_jw_z(&e.w, p->cut.kept[i]);
    bx_jw_end(&e.w);
    write_lost(&e.w, p, run->history->factor);
    bx_jw_kint(&e.w, "before_tokens", before);
    bx_jw_kint(&e.w, "after_tokens", after);
    if (p->summary) {
        bx_jw_kint(&e.w, "input_tokens", BX_MAX(p->usage.input_tokens, 0));
        bx_jw_kint(&e.w, "output_tokens", BX_MAX(p->usage.output_tokens, 0));
    }
    if (p->why)
        bx_jw_kstr(&e.w, "why", p->why);
    if (run->carries_out[0])
        bx_jw_kstr(&e.w, "queued", run->carries_out);
    return bx_event_append(run, &e, "compact", BX_DURABLE);
}

static int64_t in_provider_tokens(const struct bx_run *run, int64_t history_tokens) {
    return (int64_t)((double)(run->context->fixed_estimate + history_tokens) *
                     run->history->factor);
}

/* Writes it down and does it; false: it would not make the request smaller, or could not be
 * written. */
static bool carry_out(struct bx_run *run, const char *by, const struct plan *p) {
    int64_t before = in_provider_tokens(run, run->history->estimate),
            after = in_provider_tokens(run, bx_history_after(run->history, &p->cut));
    return after < before && log_compact(run, by, p, before, after) == 0 &&
           bx_history_catch_up(run->history, run->session, NULL) == 0;
}

/* ---- the ways, one after the other ---- */

static bool by_summary(struct bx_run *run, const char *by, const char *focus, int64_t window,
                       int64_t keep_tokens, char **ret_why) {
    struct bx_err err = {0};
    bx_auto(plan_deinit) struct plan p = {0};
    struct bx_summary_wish wish = {
        .focus = focus, .window = window, .max_tokens = (int64_t)((double)window * SUMMARY_SHARE)};
    if (!plan_turns(run->history, keep_tokens, &p)) {
        *ret_why = bx_strdup("there are no earlier turns");
        return false;
    }
    wish.end = p.end;
    p.summary = bx_summary_ask(run, &wish, &p.usage, &err);
    p.cut.summary = p.summary ? p.summary : "";
    if (!p.summary)
        *ret_why = bx_strdup(err.msg);
    else if (bx_history_after(run->history, &p.cut) >= run->history->estimate)
        *ret_why = bx_strdup("the summary is longer than what it stands for");
    else
        return carry_out(run, by, &p);
    return false;
}

/* Without the model: outputs first, then turns, then the newest outputs, until it fits. `why` there
 * is no summary, or NULL. */
static bool by_leaving_out(struct bx_run *run, const char *by, const char *why, int64_t target,
                           int64_t keep_tokens) {
    const struct bx_history *h = run->history;
    bool did = false;
    for (int step = 0; step < 4 && in_provider_tokens(run, h->estimate) > target; step++) {
        bx_auto(plan_deinit) struct plan p = {.why = bx_strdup(why)};
        if (step == 0)
            plan_outputs(h, false, 0, &p);
        else if (step == 1 && !plan_turns(h, keep_tokens, &p))
            continue;
        else if (step >= 2)
            plan_outputs(h, true, step == 2 ? (size_t)(BX_MAX(keep_tokens, 200) * 2) : 0, &p);
        did |= carry_out(run, by, &p);
    }
    return did;
}

/* target: of the whole request, in the provider's tokens. */
static bool compact(struct bx_run *run, const char *by, const char *focus, int64_t target,
                    bool may_ask) {
    int64_t window = bx_run_window(run) > 0 ? bx_run_window(run) : NO_WINDOW;
    int64_t room = (int64_t)((double)target / run->history->factor) - run->context->fixed_estimate;
    int64_t keep_tokens = BX_MIN((int64_t)((double)window * KEEP_SHARE / run->history->factor),
                                 BX_MAX((int64_t)((double)room * ROOM_SHARE), 0));
    bx_auto(bx_freep) char *why = NULL;
    bx_run_state(run, "thinking", BX_STR_LIT("making room in the model's window"));
    bool did = may_ask && by_summary(run, by, focus, window, keep_tokens, &why);
    if (bx_cancel_fired(run->spend))
        return false;
    return by_leaving_out(run, by, why, target, keep_tokens) || did;
}

void bx_compact_when_full(struct bx_run *run) {
    int64_t window = bx_run_window(run), at = bx_agent_compact_at(run->agent, window),
            size = in_provider_tokens(run, run->history->estimate);
    if (at <= 0 || size <= at || bx_unwired("compaction"))
        return;
    /* Where instructions and tools alone fill it, compacting each turn would help nobody. */
    int64_t grown = size - run->history->after_cut;
    if (run->history->after_cut && grown < (int64_t)((double)window * GROWN_SHARE))
        return;
    compact(run, "threshold", NULL, at, true);
}

bool bx_compact_after_error(struct bx_run *run, unsigned attempt) {
    const struct bx_history *h = run->history;
    /* Tools and instructions stay; what can go is what was said. */
    int64_t half = in_provider_tokens(run, h->estimate / 2);
    return !bx_unwired("compaction") && compact(run, "error", NULL, half, attempt == 0);
}

/* Of what the run was told and what follows it, or of the last question. */
static int64_t last_turn(const struct bx_run *run) {
    const struct bx_history *h = run->history;
    unsigned questions = BX_MAX(run->questions, 1u);
    int64_t tokens = 0;
    for (size_t i = h->messages.n; i-- > 0 && questions;) {
        tokens += bx_message_tokens(h->messages.p[i]);
        questions -= bx_message_is_question(h->messages.p[i]);
    }
    return tokens;
}

int bx_compact_on_request(struct bx_run *run, const char *focus, struct bx_err *err) {
    bx_auto(bx_freep) char *why = NULL;
    int64_t window = bx_run_window(run) > 0 ? bx_run_window(run) : NO_WINDOW,
            share = (int64_t)((double)window * KEEP_SHARE / run->history->factor);
    bx_run_state(run, "thinking", BX_STR_LIT("summarising the conversation"));
    if (by_summary(run, "user", focus, window, BX_MIN(share, last_turn(run)), &why))
        return 0;
    if (bx_cancel_fired(run->spend))
        return bx_fail(err, BX_ERR_CANCELLED, "the run was stopped");
    return bx_fail(err, BX_ERR_INVALID,
                   "The conversation was not compacted: %s. Nothing has changed",
                   why ? why : "it could not be written down");
}

const char *bx_compact_by_user(struct bx_run *run, const char *focus) {
    struct bx_err err = {0};
    int rc = bx_compact_on_request(run, focus, &err);
    if (rc == BX_ERR_CANCELLED)
        return bx_budget_fired(run->budget) ? bx_budget_fired(run->budget) : "stopped";
    if (rc)
        bx_event_error(run, "context", &err);
    return rc ? "error" : "done";
}
