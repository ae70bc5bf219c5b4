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

int bx_session_close_calls(struct bx_session *s, struct bx_history *h, const struct bx_resume *but,
                           struct bx_err *err) {
    struct bx_event e;
    for (size_t i = 0; i < h->open_calls.n; i++) {
        const char *call = h->open_calls.p[i];
        if (but && (!bx_resume_had_begun(but, call) || bx_resume_is_of(but, call, NULL)))
            continue;
        bx_event_begin(&e, h->open_run);
        bx_jw_kuint(&e.w, "turn", 0);
        bx_jw_kstr(&e.w, "call", h->open_calls.p[i]);
        bx_jw_kstr(&e.w, "tool", tool_of_call(h, h->open_calls.p[i]));
        bx_jw_kstr(&e.w, "content",
                   "Interrupted: the program ended before this call did. Whether it had an effect "
                   "is not known; look before "
                   "you do it again.");
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

/* Another program, which only works in one session, leaves the questions of the others as they are.
 */
static bool waits(struct bx_session *s, const struct bx_history *h) {
    bx_auto(bx_resume_freep) struct bx_resume *resume = NULL;
    return strcmp(bx_session_header(s)->kind, "executor") != 0 &&
           bx_resume_read(s, h->open_run, &resume, NULL) == 0 && bx_resume_call(resume);
}

static int recover_one(struct bx_agent *a, const char *id, bool resume, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(id, SIZE_MAX);
    int rc = bx_session_open(a->store, id, &s, err);
    if (!rc)
        rc = bx_history_catch_up(h, s, err);
    if (!rc && h->open_run[0] && (resume ? bx_agent_resume(a, s, h, NULL) == 0 : waits(s, h)))
        return 0;
    if (!rc)
        rc = bx_history_catch_up(h, s, err);
    return rc ? rc : bx_session_close_open(s, h, err);
}

/* A session that cannot be closed is left as it is and tried again when it is used; the others go
 * on. */
int bx_agent_recover(struct bx_agent *a, bool resume, struct bx_err *err) {
    size_t dead;
    (void)bx_worktrees_recover(a->worktrees, &dead, NULL); /* what failed is in their records */
    char before[37] = "";
    bx_agent_sweep_skill_files(a);
    for (bool more = true; more;) {
        struct bx_session_list list = {0};
        struct bx_session_filter all = {.before = *before ? before : NULL};
        int rc = bx_store_list(a->store, &all, LIST_PAGE, &list, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < list.n; i++)
            if (list.rows[i].open_run && !list.rows[i].damaged)
                recover_one(a, list.rows[i].id, resume, NULL);
        if (list.n)
            memcpy(before, list.rows[list.n - 1].id, sizeof before);
        more = list.more && list.n;
        bx_session_list_deinit(&list);
    }
    return 0;
}
