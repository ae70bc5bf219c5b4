#include "agent/executor.h"
#include "agent/internal.h"

#include "base/clock.h"

/* A run that a crash, or the end of the program, found waiting for an answer goes on waiting. What
 * it needs to know stands in its log: the model, what it may spend and has spent, the question, and
 * which calls had begun. */

#define READ_CHUNK (256 * BX_KIB)
#define MAX_LINE   (64 * BX_MIB)

void bx_resume_free(struct bx_resume *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->begun.n; i++)
        bx_free(r->begun.p[i]);
    bx_vec_free(&r->begun);
    bx_doc_free(r->question);
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

/* ---- reading the log ---- */

static void start(struct bx_resume *r, const struct bx_val *event) {
    int64_t t = 0;
    for (size_t i = 0; i < BX_BUDGET_COUNT; i++)
        r->caps[i] = -1;
    bx_time_parse(bx_val_get_str(event, "t"), &t);
    r->first_ms = r->last_ms = t;
    bx_free(r->model);
    r->model = bx_str_dup(bx_val_get_str(event, "model"));
    bx_budget_read(bx_val_get(event, "budget"), r->caps, NULL);
}

static void fold_result(struct bx_resume *r, const struct bx_val *event) {
    const char *call = bx_val_get_z(event, "call");
    size_t i = find(r, call ? call : "");
    if (i < r->begun.n) {
        bx_free(r->begun.p[i]);
        bx_vec_remove(&r->begun, i);
    }
    r->used[BX_BUDGET_FUEL] +=
        bx_val_get_int(bx_val_get(bx_val_get(event, "receipt"), "used"), "fuel", 0);
    if (call && bx_resume_is_of(r, call, NULL)) {
        bx_doc_free(r->question);
        r->question = NULL;
    }
}

static void fold(struct bx_resume *r, struct bx_doc **doc) {
    const struct bx_val *event = bx_doc_root(*doc);
    struct bx_str type = bx_val_get_str(event, "type");
    bx_time_parse(bx_val_get_str(event, "t"), &r->last_ms);
    if (bx_str_eqz(type, "assistant")) {
        r->turn = (unsigned)BX_MAX(bx_val_get_int(event, "turn", 0), (int64_t)r->turn);
        r->used[BX_BUDGET_TURNS]++;
        r->used[BX_BUDGET_CALLS] += (int64_t)bx_val_len(bx_val_get(event, "calls"));
    } else if (bx_str_eqz(type, "usage")) {
        r->used[BX_BUDGET_TOKENS] += BX_MAX(bx_val_get_int(event, "input_tokens", 0), 0) +
                                     BX_MAX(bx_val_get_int(event, "output_tokens", 0), 0);
        r->used[BX_BUDGET_MONEY] +=
            (int64_t)(BX_MAX(bx_val_real(bx_val_get(event, "cost"), 0), 0) * 1e6);
    } else if (bx_str_eqz(type, "tool_start")) {
        bx_vec_push(&r->begun, bx_str_dup(bx_val_get_str(event, "call")));
    } else if (bx_str_eqz(type, "tool_result")) {
        fold_result(r, event);
    } else if (bx_str_eqz(type, "question")) {
        bx_doc_free(r->question);
        r->question = bx_steal(doc);
    } else if (bx_str_eqz(type, "answer")) {
        bx_doc_free(r->question);
        r->question = NULL;
    }
}

int bx_resume_read(struct bx_session *s, const char *run, struct bx_resume **ret,
                   struct bx_err *err) {
    struct bx_resume *r = bx_new(struct bx_resume);
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(MAX_LINE + READ_CHUNK);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    snprintf(r->run, sizeof r->run, "%s", run);
    while ((n = bx_session_read(s, &cursor, READ_CHUNK, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (bx_str_find_str(line, bx_str(run)) == (size_t)-1 ||
                bx_doc_parse(line, NULL, &doc, NULL) ||
                !bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "run"), run))
                continue;
            if (bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "type"), "run_start"))
                start(r, bx_doc_root(doc));
            else
                fold(r, &doc);
        }
        bx_buf_reset(&lines);
    }
    r->used[BX_BUDGET_TIME_MS] = BX_MAX(r->last_ms - r->first_ms, 0);
    *ret = r;
    return n;
}

/* ---- going on ---- */

void bx_run_spend_again(struct bx_run *run) {
    const struct bx_resume *r = run->resume;
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++)
        if (kind != BX_BUDGET_TIME_MS)
            bx_budget_charge(run->budget, (enum bx_budget_kind)kind, r->used[kind], NULL);
    bx_budget_age(run->budget, r->used[BX_BUDGET_TIME_MS]);
    run->turn = r->turn;
    run->start_ms -= (uint64_t)BX_MIN(r->used[BX_BUDGET_TIME_MS], (int64_t)run->start_ms);
}

void bx_run_open_question_again(struct bx_run *run) {
    const struct bx_val *event = bx_doc_root(run->resume->question);
    struct bx_question q = {.questions = bx_val_get(event, "questions")};
    snprintf(q.id, sizeof q.id, "%s", bx_val_get_z(event, "question"));
    bx_val_foreach_item (bx_val_get(event, "choices"), word) {
        enum bx_choice choice;
        if (bx_choice_parse(bx_val_str(word), &choice))
            q.choices |= 1u << choice;
    }
    BX_LOCKED(&run->agent->lock);
    run->question = q;
}
