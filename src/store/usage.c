#include "store/usage.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"

#define READ_BYTES (256 * BX_KIB)
#define RUNS_MAX   100000
#define DEPTH_MAX  16

struct sum {
    int64_t input_tokens, output_tokens, cached_tokens, turns, unpriced, calls, errors, ms;
    double cost;
    bool cost_known;
};
struct run {
    char id[37], t[25], reason[24];
    char *model;
    struct sum sum;
};
struct usage {
    struct sum all;
    struct bx_map *models, *tools; /* name -> struct sum, in the order in which they came */
    BX_VEC(struct run) runs;
};

static void usage_deinit(struct usage *u) {
    bx_map_free(u->models);
    bx_map_free(u->tools);
    for (size_t i = 0; i < u->runs.n; i++)
        bx_free(u->runs.p[i].model);
    bx_vec_free(&u->runs);
}

static struct sum *sum_of(struct bx_map *m, struct bx_str name) {
    struct sum *s = bx_map_get(m, name);
    if (!s) {
        s = bx_new(struct sum);
        bx_map_put(m, name, s);
    }
    return s;
}

static int64_t count(const struct bx_val *event, const char *key) {
    return BX_MAX(bx_val_get_int(event, key, 0), 0); /* -1: the provider did not say */
}

static void add_usage(struct sum *s, const struct bx_val *event) {
    double cost = bx_val_real(bx_val_get(event, "cost"), -1);
    s->input_tokens += count(event, "input_tokens");
    s->output_tokens += count(event, "output_tokens");
    s->cached_tokens += count(event, "cached_tokens");
    s->ms += count(event, "ms");
    s->turns++;
    s->cost += BX_MAX(cost, 0);
    s->cost_known |= cost >= 0;
    s->unpriced += cost < 0;
}

static void add_result(struct sum *s, const struct bx_val *event) {
    s->calls++;
    s->errors += bx_val_get_bool(event, "is_error", false);
    s->ms += count(event, "ms");
}

/* The event's run: the last one in nearly every case. */
static struct run *run_of(struct usage *u, const struct bx_val *event) {
    struct bx_str id = bx_val_get_str(event, "run");
    for (size_t i = u->runs.n; i-- > 0;) {
        if (bx_str_eqz(id, u->runs.p[i].id))
            return &u->runs.p[i];
        if (u->runs.n - i > 8)
            break;
    }
    return NULL;
}

static void begin_run(struct usage *u, const struct bx_val *event) {
    struct run r = {.reason = ""};
    snprintf(r.id, sizeof r.id, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "run")));
    snprintf(r.t, sizeof r.t, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "t")));
    r.model = bx_str_dup(bx_val_get_str(event, "model"));
    if (u->runs.n < RUNS_MAX)
        bx_vec_push(&u->runs, r);
    else
        bx_free(r.model);
}

static void take(struct usage *u, const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    if (bx_str_eqz(type, "run_start")) {
        begin_run(u, event);
        return;
    }
    bool usage = bx_str_eqz(type, "usage"), result = bx_str_eqz(type, "tool_result"),
         end = bx_str_eqz(type, "run_end");
    if (!usage && !result && !end)
        return;
    struct run *run = run_of(u, event);
    if (usage) {
        int64_t runs_ms = u->all.ms; /* the time of the runs, which their turns are part of */
        add_usage(&u->all, event);
        u->all.ms = runs_ms;
        if (run)
            add_usage(&run->sum, event);
        add_usage(sum_of(u->models, bx_str(run ? run->model : "")), event);
    } else if (result) {
        add_result(sum_of(u->tools, bx_val_get_str(event, "tool")), event);
        u->all.calls++;
    } else {
        int64_t ms = count(event, "ms");
        u->all.ms += ms;
        if (run) {
            run->sum.ms = ms; /* from its start to its end, not the sum of its turns */
            snprintf(run->reason, sizeof run->reason, BX_STR_FMT,
                     BX_STR_ARG(bx_val_get_str(event, "reason")));
        }
    }
}

static int read_all(struct usage *u, struct bx_session *s, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(65 * BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    while ((n = bx_session_read(s, &cursor, READ_BYTES, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (line.n && bx_doc_parse(line, NULL, &doc, NULL) == 0)
                take(u, bx_doc_root(doc));
        }
        bx_buf_reset(&lines);
    }
    return n;
}

static void write_tokens(struct bx_jw *w, const struct sum *s) {
    bx_jw_kint(w, "input_tokens", s->input_tokens);
    bx_jw_kint(w, "output_tokens", s->output_tokens);
    bx_jw_kint(w, "cached_tokens", s->cached_tokens);
    bx_jw_kreal_if(w, "cost", s->cost, s->cost_known);
    bx_jw_kint(w, "turns", s->turns);
}

/* The rows of the list know each session's sums. */
static int add_executors(struct bx_store *store, const char *id, unsigned depth, struct sum *sum,
                         struct bx_err *err) {
    struct bx_session_filter filter = {.parent = id};
    struct bx_session_list list;
    int rc = bx_store_list(store, &filter, SIZE_MAX, &list, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < list.n && rc == 0; i++) {
        const struct bx_session_row *row = &list.rows[i];
        sum->calls++; /* sessions */
        sum->input_tokens += row->input_tokens;
        sum->output_tokens += row->output_tokens;
        sum->cost += row->cost;
        sum->cost_known |= row->cost_known;
        if (depth < DEPTH_MAX)
            rc = add_executors(store, row->id, depth + 1, sum, err);
    }
    bx_session_list_deinit(&list);
    return rc;
}

static void write_executors(const struct sum *sum, struct bx_jw *w) {
    bx_jw_kobj(w, "executors");
    bx_jw_kint(w, "sessions", sum->calls);
    bx_jw_kint(w, "input_tokens", sum->input_tokens);
    bx_jw_kint(w, "output_tokens", sum->output_tokens);
    bx_jw_kreal_if(w, "cost", sum->cost, sum->cost_known);
    bx_jw_end(w);
}

static void write_usage(const struct usage *u, const struct sum *executors, struct bx_jw *w) {
    struct bx_str name;
    void *sum;
    bx_jw_obj(w);
    write_tokens(w, &u->all);
    bx_jw_kint(w, "unpriced", u->all.unpriced);
    bx_jw_kint(w, "calls", u->all.calls);
    bx_jw_kint(w, "ms", u->all.ms);
    bx_jw_karr(w, "by_model");
    for (size_t at = 0; bx_map_next(u->models, &at, &name, &sum);) {
        bx_jw_obj(w);
        bx_jw_kstrn(w, "model", name);
        write_tokens(w, sum);
        bx_jw_kint(w, "ms", ((struct sum *)sum)->ms);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_karr(w, "by_tool");
    for (size_t at = 0; bx_map_next(u->tools, &at, &name, &sum);) {
        const struct sum *tool = sum;
        bx_jw_obj(w);
        bx_jw_kstrn(w, "tool", name);
        bx_jw_kint(w, "calls", tool->calls);
        bx_jw_kint(w, "errors", tool->errors);
        bx_jw_kint(w, "ms", tool->ms);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_karr(w, "runs");
    for (size_t i = 0; i < u->runs.n; i++) {
        const struct run *r = &u->runs.p[i];
        bx_jw_obj(w);
        bx_jw_kstr(w, "run", r->id);
        bx_jw_kstr(w, "t", r->t);
        bx_jw_kstr(w, "reason", r->reason[0] ? r->reason : NULL);
        write_tokens(w, &r->sum);
        bx_jw_kint(w, "ms", r->sum.ms);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    write_executors(executors, w);
    bx_jw_end(w);
}

int bx_session_usage(struct bx_store *store, struct bx_session *s, struct bx_jw *w,
                     struct bx_err *err) {
    bx_auto(usage_deinit) struct usage u = {.models = bx_map_new(bx_free),
                                            .tools = bx_map_new(bx_free)};
    int rc = read_all(&u, s, err);
    struct sum executors = {.calls = 0};
    if (rc == 0)
        rc = add_executors(store, bx_session_header(s)->id, 0, &executors, err);
    if (rc == 0)
        write_usage(&u, &executors, w);
    return rc;
}
