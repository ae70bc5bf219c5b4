#include "agent/executor.h"

#include "base/clock.h"
#include "base/map.h"

/* The tree of a session's executors: those that live as they are now, the others as the logs tell.
 */

#define LINES_MAX (64 * BX_MIB)
#define ROWS_MAX  2000

struct row {
    char id[37];
    char started_at[32];
    struct bx_doc *last; /* its newest event */
};
struct rows {
    BX_VEC(struct row) items;
};

static void rows_deinit(struct rows *r) {
    for (size_t i = 0; i < r->items.n; i++)
        bx_doc_free(r->items.p[i].last);
    bx_vec_free(&r->items);
}

static void fold(struct rows *r, struct bx_doc *take_event) {
    const struct bx_val *event = bx_doc_root(take_event);
    struct bx_str id = bx_val_get_str(event, "executor");
    size_t i = 0;
    while (i < r->items.n && !bx_str_eqz(id, r->items.p[i].id))
        i++;
    if (!bx_str_eqz(bx_val_get_str(event, "type"), "executor") || id.n != 36 ||
        (i == r->items.n && i == ROWS_MAX)) {
        bx_doc_free(take_event);
        return;
    }
    if (i == r->items.n) {
        struct row fresh = {.last = NULL};
        snprintf(fresh.id, sizeof fresh.id, BX_STR_FMT, BX_STR_ARG(id));
        bx_vec_push(&r->items, fresh);
    }
    struct row *row = &r->items.p[i];
    if (!row->started_at[0] && bx_str_eqz(bx_val_get_str(event, "state"), "running"))
        snprintf(row->started_at, sizeof row->started_at, "%s", bx_val_get_z(event, "t"));
    bx_doc_free(row->last);
    row->last = take_event;
}

static int read_rows(struct bx_session *s, struct rows *r, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(LINES_MAX);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    while ((n = bx_session_read(s, &cursor, 256 * BX_KIB, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            struct bx_doc *doc = NULL;
            if (bx_str_find_str(bx_str_slice(line, 0, 120), BX_STR_LIT("\"executor\"")) !=
                    (size_t)-1 &&
                bx_doc_parse(line, NULL, &doc, NULL) == 0)
                fold(r, doc);
        }
        bx_buf_reset(&lines);
    }
    return n;
}

static struct bx_executor *live(struct bx_agent *a, const char *id) {
    BX_LOCKED(&a->lock);
    for (size_t i = 0; i < a->executors.n; i++)
        if (strcmp(bx_session_header(a->executors.p[i]->session)->id, id) == 0)
            return bx_executor_ref(a->executors.p[i]);
    return NULL;
}

bool bx_executor_is_open(const struct bx_val *event) {
    struct bx_str state = bx_val_get_str(event, "state");
    return bx_str_eqz(state, "queued") || bx_str_eqz(state, "running");
}

/* As the log has it; what it leaves open was cut off by the end of the program. */
static void write_past(const struct bx_val *event, struct bx_jw *w) {
    static const char *const kept[] = {
        "call",          "name",  "agent",     "description", "depth",        "background",
        "text",          "turns", "max_turns", "calls",       "failed_calls", "input_tokens",
        "output_tokens", "cost",  "ms",        "worktree"};
    for (size_t i = 0; i < BX_ARRAY_LEN(kept); i++)
        if (bx_val_get(event, kept[i]))
            bx_jw_kval(w, kept[i], bx_val_get(event, kept[i]));
    bx_jw_kstr(w, "state", bx_executor_is_open(event) ? "stopped" : bx_val_get_z(event, "state"));
    bx_jw_kstr(w, "reason",
               bx_executor_is_open(event) ? "interrupted" : bx_val_get_z(event, "reason"));
    bx_jw_kbool(w, "waiting", false);
}

static int write_tree(struct bx_agent *a, const char *session_id, unsigned depth, struct bx_jw *w,
                      struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(rows_deinit) struct rows rows = {0};
    int rc = bx_session_open(a->store, session_id, &session, err);
    if (!rc)
        rc = read_rows(session, &rows, err);
    for (size_t i = 0; i < rows.items.n && !rc; i++) {
        const struct row *row = &rows.items.p[i];
        bx_auto(bx_executor_unrefp) struct bx_executor *e = live(a, row->id);
        bx_jw_obj(w);
        bx_jw_kstr(w, "session", row->id);
        bx_jw_kstr(w, "parent", session_id);
        bx_jw_kstr(w, "started_at", row->started_at[0] ? row->started_at : NULL);
        if (e) {
            BX_LOCKED(&a->lock);
            bx_executor_members(e, e->state, w);
        } else {
            write_past(bx_doc_root(row->last), w);
        }
        bx_jw_end(w);
        if (depth) /* one that cannot be read has no executors to show */
            write_tree(a, row->id, depth - 1, w, NULL);
    }
    return rc;
}

int bx_agent_list_executors(struct bx_agent *a, const char *session_id, struct bx_jw *w,
                            struct bx_err *err) {
    return write_tree(a, session_id, 8, w, err);
}

struct bx_doc *bx_executor_last_event(struct bx_session *manager, struct bx_str id) {
    bx_auto(rows_deinit) struct rows rows = {0};
    if (read_rows(manager, &rows, NULL))
        return NULL;
    for (size_t i = rows.items.n; i-- > 0;) {
        struct row *row = &rows.items.p[i];
        if (bx_str_eqz(id, row->id) ||
            bx_str_eq(id, bx_val_get_str(bx_doc_root(row->last), "name")))
            return bx_steal(&row->last);
    }
    return NULL;
}

/* ---- after a crash ---- */

int bx_executor_close(struct bx_session *s, const struct bx_val *event, const char *text,
                      struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kval(&w, "run", bx_val_get(event, "run"));
    bx_jw_kval(&w, "executor", bx_val_get(event, "executor"));
    write_past(event, &w);
    if (text && !bx_val_get(event, "text"))
        bx_jw_kstr(&w, "text", text);
    bx_jw_end(&w);
    return bx_session_append(s, "executor", bx_buf_str(&body), BX_BATCHED, NULL, err);
}

int bx_executors_recover(struct bx_session *s, struct bx_err *err) {
    bx_auto(rows_deinit) struct rows rows = {0};
    int rc = read_rows(s, &rows, err);
    for (size_t i = 0; i < rows.items.n && !rc; i++)
        if (bx_executor_is_open(bx_doc_root(rows.items.p[i].last)))
            rc = bx_executor_close(s, bx_doc_root(rows.items.p[i].last), NULL, err);
    return rc;
}
