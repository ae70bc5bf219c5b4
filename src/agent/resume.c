#include "agent/executor.h"
#include "agent/internal.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/unwire.h"

/* A run that a crash, or the end of the program, found waiting for an answer goes on waiting, and
 * so does one whose executors do. What it needs to know stands in its log: the model, what it may
 * spend and has spent, the question, which calls had begun, and its executors. */

#define READ_CHUNK (256 * BX_KIB)
#define MAX_LINE   (64 * BX_MIB)
#define MAX_LEVELS 8 /* of executors: more than the settings allow is nothing that we wrote */

static void below_deinit(struct bx_resume_below *b) {
    bx_doc_free(b->last);
    bx_free(b->problem);
    bx_session_unref(b->session);
    bx_history_free(b->history);
    bx_resume_free(b->resume);
}

void bx_resume_free(struct bx_resume *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->below.n; i++)
        below_deinit(&r->below.p[i]);
    bx_vec_free(&r->below);
    for (size_t i = 0; i < r->begun.n; i++)
        bx_free(r->begun.p[i]);
    bx_vec_free(&r->begun);
    bx_buf_deinit(&r->failures);
    bx_doc_free(r->question);
    bx_free(r->own_mode);
    bx_free(r->model);
    bx_free(r);
}

static size_t find(const struct bx_resume *r, const char *call) {
    size_t i = 0;
    while (i < r->begun.n && strcmp(r->begun.p[i], call))
        i++;
    return i;
}

bool bx_resume_had_begun(const struct bx_resume *r, const char *call) {
    return r && find(r, call) < r->begun.n;
}

const char *bx_resume_call(const struct bx_resume *r) {
    return r && r->question ? bx_val_get_z(bx_doc_root(r->question), "call") : NULL;
}

bool bx_resume_is_of(const struct bx_resume *r, const char *call, const char *kind) {
    const char *own = bx_resume_call(r);
    return own && strcmp(own, call) == 0 &&
           (!kind || bx_str_eqz(bx_val_get_str(bx_doc_root(r->question), "kind"), kind));
}

const struct bx_resume_below *bx_resume_below_of_call(const struct bx_resume *r, const char *call) {
    for (size_t i = 0; r && i < r->below.n; i++)
        if (bx_str_eqz(bx_val_get_str(bx_doc_root(r->below.p[i].last), "call"), call))
            return &r->below.p[i];
    return NULL;
}

/* ---- reading the log ---- */

static struct bx_resume_below *below(struct bx_resume *r, struct bx_str id) {
    for (size_t i = 0; i < r->below.n; i++)
        if (bx_str_eqz(id, r->below.p[i].id))
            return &r->below.p[i];
    return NULL;
}

static void fold_executor(struct bx_resume *r, struct bx_doc *take_event) {
    struct bx_str id = bx_val_get_str(bx_doc_root(take_event), "executor");
    struct bx_resume_below *b = below(r, id);
    if (!b && id.n == BX_ID_LEN) {
        struct bx_resume_below fresh = {.last = NULL};
        snprintf(fresh.id, sizeof fresh.id, BX_STR_FMT, BX_STR_ARG(id));
        bx_vec_push(&r->below, fresh);
        b = &r->below.p[r->below.n - 1];
    }
    if (!b) {
        bx_doc_free(take_event);
        return;
    }
    bx_doc_free(b->last);
    b->last = take_event;
    b->told = false;
}

static void tell(struct bx_resume *r, struct bx_str id) {
    struct bx_resume_below *b = id.n ? below(r, id) : NULL;
    if (b)
        b->told = true;
}

static void start(struct bx_resume *r, const struct bx_val *event) {
    int64_t t = 0;
    for (size_t i = 0; i < BX_BUDGET_COUNT; i++)
        r->caps[i] = -1;
    bx_time_parse(bx_val_get_str(event, "t"), &t);
    r->first_ms = r->last_ms = t;
    bx_free(r->model);
    r->model = bx_str_dup(bx_val_get_str(event, "model"));
    bx_free(r->own_mode);
    r->own_mode =
        bx_val_get_z(event, "own_mode") ? bx_strdup(bx_val_get_z(event, "own_mode")) : NULL;
    snprintf(r->manager, sizeof r->manager, BX_STR_FMT,
             BX_STR_ARG(bx_val_get_str(event, "manager")));
    bx_budget_read(bx_val_get(event, "budget"), r->caps, NULL);
}

static int64_t fuel_of(const struct bx_val *result) {
    return bx_val_get_int(bx_val_get(bx_val_get(result, "receipt"), "used"), "fuel", 0);
}

/* What an event says was spent. */
static void add_used(int64_t used[BX_BUDGET_COUNT], const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    if (bx_str_eqz(type, "assistant")) {
        used[BX_BUDGET_TURNS]++;
        used[BX_BUDGET_CALLS] += (int64_t)bx_val_len(bx_val_get(event, "calls"));
    } else if (bx_str_eqz(type, "usage")) {
        used[BX_BUDGET_TOKENS] += BX_MAX(bx_val_get_int(event, "input_tokens", 0), 0) +
                                  BX_MAX(bx_val_get_int(event, "output_tokens", 0), 0);
        used[BX_BUDGET_MONEY] +=
            (int64_t)(BX_MAX(bx_val_real(bx_val_get(event, "cost"), 0), 0) * 1e6);
    } else if (bx_str_eqz(type, "tool_result")) {
        used[BX_BUDGET_FUEL] += fuel_of(event);
    }
}

static void fold_usage(struct bx_resume *r, const struct bx_val *event) {
    const struct bx_val *cost = bx_val_get(event, "cost");
    r->input_tokens += BX_MAX(bx_val_get_int(event, "input_tokens", 0), 0);
    r->output_tokens += BX_MAX(bx_val_get_int(event, "output_tokens", 0), 0);
    r->cost_known |= bx_val_is(cost, BX_VAL_REAL) || bx_val_is(cost, BX_VAL_INT);
    r->cost += BX_MAX(bx_val_real(cost, 0), 0);
}

static void fold_result(struct bx_resume *r, const struct bx_val *event) {
    const char *call = bx_val_get_z(event, "call");
    size_t i = find(r, call ? call : "");
    if (i < r->begun.n) {
        bx_free(r->begun.p[i]);
        bx_vec_remove(&r->begun, i);
    }
    const struct bx_val *report = bx_val_get(event, "metadata");
    struct bx_str state = bx_val_get_str(report, "state");
    const char *tool = bx_val_get_z(event, "tool"), *limit = bx_val_get_z(event, "limit");
    r->calls++;
    if (bx_val_get_bool(event, "is_error", false) || limit) {
        r->failed_calls++;
        bx_executor_add_failure(&r->failures, tool ? tool : "", limit,
                                bx_val_get_str(event, "content"));
    }
    if (!bx_str_eqz(state, "queued") && !bx_str_eqz(state, "running"))
        tell(r, bx_val_get_str(report, "executor"));
    if (call && bx_resume_is_of(r, call, NULL)) {
        bx_doc_free(r->question);
        r->question = NULL;
    }
}

static void fold(struct bx_resume *r, struct bx_doc **doc) {
    const struct bx_val *event = bx_doc_root(*doc);
    struct bx_str type = bx_val_get_str(event, "type");
    bx_time_parse(bx_val_get_str(event, "t"), &r->last_ms);
    add_used(r->used, event);
    if (bx_str_eqz(type, "assistant")) {
        r->turn = (unsigned)BX_MAX(bx_val_get_int(event, "turn", 0), (int64_t)r->turn);
    } else if (bx_str_eqz(type, "usage")) {
        fold_usage(r, event);
    } else if (bx_str_eqz(type, "tool_start")) {
        bx_vec_push(&r->begun, bx_str_dup(bx_val_get_str(event, "call")));
    } else if (bx_str_eqz(type, "tool_result")) {
        fold_result(r, event);
    } else if (bx_str_eqz(type, "question")) {
        bx_doc_free(r->question);
        r->question = bx_steal(doc);
    } else if (bx_str_eqz(type, "executor")) {
        fold_executor(r, bx_steal(doc));
    } else if (bx_str_eqz(type, "mode")) { /* by a tool: a run that plans, or has planned */
        r->plans = bx_str_eqz(bx_val_get_str(event, "mode"), "plan");
    } else if (bx_str_eqz(type, "user")) {
        tell(r, bx_val_get_str(event, "executor"));
    } else if (bx_str_eqz(type, "answer")) {
        bx_doc_free(r->question);
        r->question = NULL;
    }
}

/* Each event of the session whose line has this word. */
static int read_events(struct bx_session *s, const char *word,
                       void (*take)(void *user, struct bx_doc **event), void *user,
                       struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(MAX_LINE + READ_CHUNK);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    while ((n = bx_session_read(s, &cursor, READ_CHUNK, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (bx_str_find_str(line, bx_str(word)) != (size_t)-1 &&
                bx_doc_parse(line, NULL, &doc, NULL) == 0)
                take(user, &doc);
        }
        bx_buf_reset(&lines);
    }
    return n;
}

static void take_event(void *user, struct bx_doc **doc) {
    struct bx_resume *r = user;
    if (!bx_str_eqz(bx_val_get_str(bx_doc_root(*doc), "run"), r->run))
        return;
    if (bx_str_eqz(bx_val_get_str(bx_doc_root(*doc), "type"), "run_start"))
        start(r, bx_doc_root(*doc));
    else
        fold(r, doc);
}

int bx_resume_read(struct bx_session *s, const char *run, struct bx_resume **ret,
                   struct bx_err *err) {
    struct bx_resume *r = bx_new(struct bx_resume);
    snprintf(r->run, sizeof r->run, "%s", run);
    r->failures = BX_BUF_INIT(2 * BX_KIB);
    int rc = read_events(s, run, take_event, r, err);
    r->used[BX_BUDGET_TIME_MS] = BX_MAX(r->last_ms - r->first_ms, 0);
    *ret = r;
    return rc;
}

struct sought {
    const char *call;
    struct bx_doc *doc;
    const struct bx_val *input;
};

static void take_call(void *user, struct bx_doc **doc) {
    struct sought *s = user;
    const struct bx_val *event = bx_doc_root(*doc);
    if (s->input || !bx_str_eqz(bx_val_get_str(event, "type"), "assistant"))
        return;
    bx_val_foreach_item (bx_val_get(event, "calls"), call)
        if (bx_str_eqz(bx_val_get_str(call, "id"), s->call))
            s->input = bx_val_get(call, "input");
    if (s->input)
        s->doc = bx_steal(doc);
}

const struct bx_val *bx_resume_find_call(struct bx_session *session, const char *call,
                                         struct bx_doc **ret_doc) {
    struct sought s = {.call = call};
    read_events(session, call, take_call, &s, NULL);
    *ret_doc = s.doc;
    return s.input;
}

/* ---- who goes on ---- */

static bool look(struct bx_store *store, struct bx_resume *r, unsigned levels);

/* An executor that the log leaves at work, when it or one below it waits for an answer. */
static void look_at(struct bx_store *store, const char *manager, struct bx_resume_below *b,
                    unsigned levels) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(b->id, SIZE_MAX);
    bx_auto(bx_resume_freep) struct bx_resume *r = NULL;
    if (!bx_executor_is_open(bx_doc_root(b->last)) || bx_session_open(store, b->id, &s, NULL) ||
        strcmp(bx_session_header(s)->kind, "executor") || bx_history_catch_up(h, s, NULL) ||
        !h->open_run[0] || bx_resume_read(s, h->open_run, &r, NULL) ||
        strcmp(r->manager, manager) || !look(store, r, levels))
        return;
    b->session = bx_steal(&s);
    b->history = bx_steal(&h);
    b->resume = bx_steal(&r);
}

static bool look(struct bx_store *store, struct bx_resume *r, unsigned levels) {
    bool waits = bx_resume_call(r) != NULL;
    for (size_t i = 0; levels && i < r->below.n; i++) {
        struct bx_resume_below *b = &r->below.p[i];
        look_at(store, r->run, b, levels - 1);
        waits |= b->resume != NULL;
        if (b->resume) /* who waits for it has lived as long */
            r->used[BX_BUDGET_TIME_MS] =
                BX_MAX(r->used[BX_BUDGET_TIME_MS],
                       b->resume->first_ms - r->first_ms + b->resume->used[BX_BUDGET_TIME_MS]);
    }
    return waits;
}

bool bx_resume_look(struct bx_store *store, struct bx_resume *r) {
    return !bx_unwired("resume") && look(store, r, MAX_LEVELS);
}

/* ---- what executors have spent ---- */

struct seen { /* an executor in a run */
    char id[37], run[37];
};
struct spent {
    struct bx_store *store;
    const char *manager, *but;
    int64_t *used;
    unsigned levels;
    char run[37]; /* the one that is being read, when it is the manager's; else "" */
    BX_VEC(struct seen) below;
};

static void see(struct spent *s, struct bx_str id) {
    for (size_t i = 0; i < s->below.n; i++)
        if (bx_str_eqz(id, s->below.p[i].id) && strcmp(s->below.p[i].run, s->run) == 0)
            return;
    struct seen seen;
    snprintf(seen.id, sizeof seen.id, BX_STR_FMT, BX_STR_ARG(id));
    memcpy(seen.run, s->run, sizeof seen.run);
    bx_vec_push(&s->below, seen);
}

static void take_spent(void *user, struct bx_doc **doc) {
    struct spent *s = user;
    const struct bx_val *event = bx_doc_root(*doc);
    struct bx_str run = bx_val_get_str(event, "run"), type = bx_val_get_str(event, "type");
    if (bx_str_eqz(type, "run_start")) {
        bool its = bx_str_eqz(bx_val_get_str(event, "manager"), s->manager) &&
                   !(s->but && bx_str_eqz(run, s->but));
        snprintf(s->run, sizeof s->run, BX_STR_FMT, BX_STR_ARG(its ? run : BX_STR_LIT("")));
    }
    if (!s->run[0] || !bx_str_eqz(run, s->run))
        return;
    add_used(s->used, event);
    if (bx_str_eqz(type, "executor"))
        see(s, bx_val_get_str(event, "executor"));
}

static void add_spent(struct spent *s, const char *session_id) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    if (s->levels && bx_session_open(s->store, session_id, &session, NULL) == 0)
        read_events(session, "\"run\"", take_spent, s, NULL);
    for (size_t i = 0; i < s->below.n; i++) {
        struct spent one = {.store = s->store,
                            .manager = s->below.p[i].run,
                            .used = s->used,
                            .levels = s->levels - 1};
        add_spent(&one, s->below.p[i].id);
    }
    bx_vec_free(&s->below);
}

void bx_resume_add_spent(struct bx_store *store, const char *session_id, const char *manager,
                         const char *but, int64_t used[static BX_BUDGET_COUNT]) {
    struct spent s = {
        .store = store, .manager = manager, .but = but, .used = used, .levels = MAX_LEVELS};
    add_spent(&s, session_id);
}

bool bx_session_waits(struct bx_store *store, const char *session_id) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(session_id, SIZE_MAX);
    bx_auto(bx_resume_freep) struct bx_resume *r = NULL;
    return bx_session_open(store, session_id, &s, NULL) == 0 &&
           bx_history_catch_up(h, s, NULL) == 0 && h->open_run[0] &&
           bx_resume_read(s, h->open_run, &r, NULL) == 0 && bx_resume_look(store, r);
}
