#include "agent/executor.h"

#define LIST_PAGE 200

/* What a crash left open is closed with events of its own; nothing that was written is changed. */

static int append(struct bx_session *s, struct bx_event *take_e, const char *type,
                  enum bx_durability durability, struct bx_err *err) {
    bx_jw_end(&take_e->w);
    int rc = bx_session_append(s, type, bx_buf_str(&take_e->body), durability, NULL, err);
    bx_buf_deinit(&take_e->body);
    return rc;
}

static const char *tool_of_call(const struct bx_history *h, const char *id) {
    for (size_t i = h->pending; i < h->messages.n; i++) {
        const struct bx_message *m = h->messages.p[i];
        if (m->role == BX_ROLE_TOOL && m->blocks.p[0].id && strcmp(m->blocks.p[0].id, id) == 0)
            return m->blocks.p[0].tool;
    }
    return "";
}

static const char cut_short[] =
    "Interrupted: the program ended before this call did. Whether it had an effect is not known; "
    "look before you do it again.";

static char *words_for(const struct bx_resume *r, const char *call) {
    const struct bx_resume_below *b = bx_resume_below_of_call(r, call);
    const char *name = b ? bx_val_get_z(bx_doc_root(b->last), "name") : NULL;
    if (!name)
        return bx_strdup(cut_short);
    if (b->problem)
        return bx_asprintf("Interrupted: the executor %s is lost: %s. Look at what it had done.",
                           name, b->problem);
    return bx_asprintf("Interrupted: the program ended before the executor %s did. AgentOutput "
                       "{\"id\":\"%s\"} shows how far it came, AgentSend goes on with it.",
                       name, name);
}

/* Those of a run that goes on: calls that had not begun, the one whose question is open, and those
 * that wait for an executor. */
static bool is_left(struct bx_run *by, const char *call, const char *tool) {
    return by && (!bx_resume_had_begun(by->resume, call) ||
                  bx_resume_is_of(by->resume, call, NULL) || bx_executor_takes_up(by, call, tool));
}

int bx_session_close_calls(struct bx_session *s, struct bx_history *h, struct bx_run *by,
                           struct bx_err *err) {
    struct bx_event e;
    bx_auto(bx_resume_freep) struct bx_resume *own = NULL;
    if (!by && h->open_calls.n && h->open_run[0])
        bx_resume_read(s, h->open_run, &own, NULL);
    for (size_t i = 0; i < h->open_calls.n; i++) {
        const char *call = h->open_calls.p[i], *tool = tool_of_call(h, call);
        if (is_left(by, call, tool))
            continue;
        bx_auto(bx_freep) char *text = words_for(by ? by->resume : own, call);
        bx_event_begin(&e, h->open_run);
        bx_jw_kuint(&e.w, "turn", 0);
        bx_jw_kstr(&e.w, "call", call);
        bx_jw_kstr(&e.w, "tool", tool);
        bx_jw_kstr(&e.w, "content", text);
        bx_jw_kbool(&e.w, "is_error", true);
        bx_jw_kstr(&e.w, "limit", NULL);
        bx_jw_kstr(&e.w, "receipt", NULL);
        bx_jw_kuint(&e.w, "ms", 0);
        int rc = append(s, &e, "tool_result", BX_BATCHED, err);
        if (rc)
            return rc;
    }
    return 0;
}

int bx_session_close_open(struct bx_session *s, struct bx_history *h, struct bx_err *err) {
    struct bx_event e;
    if (!h->open_run[0])
        return 0;
    int rc = bx_session_close_calls(s, h, NULL, err);
    if (rc || (rc = bx_executors_recover(s, err)))
        return rc;
    bx_event_begin(&e, h->open_run);
    bx_jw_kstr(&e.w, "reason", "interrupted");
    bx_jw_kuint(&e.w, "turns", 0);
    bx_jw_kuint(&e.w, "ms", 0);
    rc = append(s, &e, "run_end", BX_DURABLE, err);
    return rc ? rc : bx_history_catch_up(h, s, err);
}

/* ---- at the start ---- */

struct found { /* a session with an open run */
    char id[37];
    struct bx_session *session;
    struct bx_history *history;
    struct bx_resume *resume; /* of one that waits, and is no executor of one that does */
};
struct below {
    char id[37];
};
struct all_found {
    BX_VEC(struct found) items;
    BX_VEC(struct below) below; /* executors that go on with them */
};

static void all_found_deinit(struct all_found *f) {
    for (size_t i = 0; i < f->items.n; i++) {
        bx_session_unref(f->items.p[i].session);
        bx_history_free(f->items.p[i].history);
        bx_resume_free(f->items.p[i].resume);
    }
    bx_vec_free(&f->items);
    bx_vec_free(&f->below);
}

static int find(struct bx_store *store, struct all_found *f, struct bx_err *err) {
    char before[37] = "";
    for (bool more = true; more;) {
        struct bx_session_list list = {0};
        struct bx_session_filter all = {.before = *before ? before : NULL};
        int rc = bx_store_list(store, &all, LIST_PAGE, &list, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < list.n; i++) {
            struct found one = {.session = NULL};
            memcpy(one.id, list.rows[i].id, sizeof one.id);
            if (list.rows[i].open_run && !list.rows[i].damaged)
                bx_vec_push(&f->items, one);
        }
        if (list.n)
            memcpy(before, list.rows[list.n - 1].id, sizeof before);
        more = list.more && list.n;
        bx_session_list_deinit(&list);
    }
    return 0;
}

/* An executor's run goes on with its manager's, not by itself. */
static void look(struct bx_store *store, struct found *one) {
    one->history = bx_history_new(one->id, SIZE_MAX);
    if (bx_session_open(store, one->id, &one->session, NULL) ||
        bx_history_catch_up(one->history, one->session, NULL) || !one->history->open_run[0])
        return;
    bx_auto(bx_resume_freep) struct bx_resume *r = NULL;
    if (bx_resume_read(one->session, one->history->open_run, &r, NULL) == 0 && !r->manager[0] &&
        bx_resume_look(store, r))
        one->resume = bx_steal(&r);
}

static void collect_below(struct all_found *f, const struct bx_resume *r) {
    for (size_t i = 0; i < r->below.n; i++) {
        const struct bx_resume_below *b = &r->below.p[i];
        struct below one;
        memcpy(one.id, b->id, sizeof one.id);
        if (b->resume) {
            bx_vec_push(&f->below, one);
            collect_below(f, b->resume);
        }
    }
}

static bool is_below(const struct all_found *f, const char *session_id) {
    for (size_t i = 0; i < f->below.n; i++)
        if (strcmp(f->below.p[i].id, session_id) == 0)
            return true;
    return false;
}

static bool goes_on(void *user, const char *session_id) {
    const struct all_found *f = user;
    for (size_t i = 0; i < f->items.n; i++) /* a person's own run in an executor's session */
        if (f->items.p[i].resume && strcmp(f->items.p[i].id, session_id) == 0)
            return true;
    return is_below(f, session_id);
}

/* A session that cannot be closed is left as it is and tried again when it is used; the others go
 * on. */
static void close_one(struct found *one) {
    if (one->session && bx_history_catch_up(one->history, one->session, NULL) == 0)
        bx_session_close_open(one->session, one->history, NULL);
}

/* Another program, which only works in one session, leaves the questions of the others as they are.
 */
static void settle(struct bx_agent *a, struct all_found *f, bool resume) {
    for (size_t i = 0; resume && i < f->items.n; i++) {
        struct found *one = &f->items.p[i];
        if (one->resume)
            bx_agent_go_on(a, one->session, one->history, bx_steal(&one->resume), NULL, NULL);
    }
    for (size_t i = 0; i < f->items.n; i++) {
        struct found *one = &f->items.p[i];
        bool waits = !resume && (one->resume || is_below(f, one->id));
        if (!waits && !bx_agent_is_running(a, one->id))
            close_one(one);
    }
}

int bx_agent_recover(struct bx_agent *a, bool resume, struct bx_err *err) {
    bx_auto(all_found_deinit) struct all_found f = {0};
    size_t dead;
    bx_agent_sweep_skill_files(a);
    int rc = find(a->store, &f, err);
    for (size_t i = 0; i < f.items.n; i++)
        look(a->store, &f.items.p[i]);
    for (size_t i = 0; i < f.items.n; i++)
        if (f.items.p[i].resume)
            collect_below(&f, f.items.p[i].resume);
    /* what failed is in their records */
    (void)bx_worktrees_recover(a->worktrees, goes_on, &f, &dead, NULL);
    if (!rc)
        settle(a, &f, resume);
    return rc;
}
