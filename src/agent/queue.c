#include "agent/internal.h"

#include "base/id.h"
#include "base/log.h"

/* What a person types while a run is active. It is on disk before it is acknowledged, joins at the
 * next turn boundary, and can be taken back until then. A run that was stopped, failed or crashed
 * leaves it waiting: nothing is sent by itself then, it goes out before the next message. */

#define QUEUED_MAX 100

static size_t read_queue(struct bx_session *s, struct bx_doc **ret) {
    bx_auto(bx_freep) char *text = bx_session_queued(s);
    *ret = NULL;
    return bx_doc_parse(bx_str(text), NULL, ret, NULL) ? 0 : bx_val_len(bx_doc_root(*ret));
}

bool bx_session_has_queued(struct bx_session *s) {
    bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
    return read_queue(s, &queue) > 0;
}

int bx_run_join_queued(struct bx_run *run) {
    bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
    {
        BX_LOCKED(&run->agent->lock);
        run->rung = false;
    }
    BX_LOCKED(&run->agent->queue_lock); /* a message joins or is taken back, never both */
    if (!read_queue(run->session, &queue))
        return 0;
    bx_val_foreach_item (bx_doc_root(queue), one) {
        struct bx_event e;
        bx_event_begin(&e, run->id);
        bx_jw_kval(&e.w, "text", bx_val_get(one, "text"));
        bx_jw_kval(&e.w, "queued", bx_val_get(one, "id"));
        int rc = bx_event_append(run, &e, "user", BX_BATCHED);
        if (rc)
            return rc;
    }
    return 0;
}

int bx_agent_unqueue(struct bx_agent *a, struct bx_session *session, const char *id,
                     struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_KIB);
    struct bx_jw w;
    bool waits = false;
    {
        BX_LOCKED(&a->queue_lock);
        read_queue(session, &queue);
        bx_val_foreach_item (queue ? bx_doc_root(queue) : NULL, one)
            waits |= bx_str_eqz(bx_val_get_str(one, "id"), id);
        if (!waits)
            return bx_fail(
                err, BX_ERR_NOTFOUND,
                "this message does not wait any more: it has joined the conversation, or "
                "was taken back");
        bx_jw_init(&w, &body);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "id", id);
        bx_jw_end(&w);
        int rc = bx_session_append(session, "unqueue", bx_buf_str(&body), BX_BATCHED, NULL, err);
        if (rc)
            return rc;
    }
    return bx_session_sync(session, err);
}

static int queue(struct bx_session *session, const char *text, char *ret_id, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *waiting = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_EVENT_MAX);
    struct bx_jw w;
    if (read_queue(session, &waiting) >= QUEUED_MAX)
        return bx_fail(err, BX_ERR_LIMIT,
                       "%d messages wait already: wait for the run, or take some of them back",
                       QUEUED_MAX);
    bx_id_new(ret_id);
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", ret_id);
    bx_jw_kstr(&w, "text", text);
    bx_jw_end(&w);
    return bx_session_append(session, "queued", bx_buf_str(&body), BX_DURABLE, NULL, err);
}

int bx_agent_say(struct bx_agent *a, struct bx_session *session, const char *text,
                 const struct bx_run_options *options, struct bx_said *ret, struct bx_err *err) {
    const char *id = bx_session_header(session)->id;
    bool own_run = options && (options->replace || options->compact || options->skill);
    *ret = (struct bx_said){0};
    while (own_run || !bx_agent_takes_queued(a, id, false)) {
        int rc = bx_agent_send(a, session, text, options, ret->run, err);
        if (rc != BX_ERR_BUSY || own_run)
            return rc;
    }
    int rc = queue(session, text, ret->queued, err);
    /* The run may have looked for the last time before this was written. */
    if (!rc && !bx_agent_takes_queued(a, id, true))
        (void)bx_agent_send(a, session, NULL, options, NULL, NULL);
    return rc;
}

/* Reasons after which the next run begins by itself. */
static bool goes_on_after(const char *reason) {
    static const char *const not [] = {"stopped", "error", "interrupted"};
    for (size_t i = 0; i < BX_ARRAY_LEN(not ); i++)
        if (strcmp(reason, not [i]) == 0)
            return false;
    return true;
}

void bx_run_go_on(const struct bx_run *run, const char *reason) {
    const char *kind = bx_session_header(run->session)->kind;
    if (!goes_on_after(reason) || strcmp(kind, "executor") == 0 ||
        !bx_session_has_queued(run->session))
        return;
    struct bx_run_options options = {.headless = run->headless,
                                     .yes_levels = run->yes_levels,
                                     .model = run->model_option,
                                     .mode = run->mode,
                                     .allow_hosts = run->allow_hosts};
    memcpy(options.budget, run->budget_option, sizeof options.budget);
    struct bx_err err = {0};
    int rc = bx_agent_send(run->agent, run->session, NULL, &options, NULL, &err);
    if (rc && rc != BX_ERR_BUSY && rc != BX_ERR_NOTFOUND && rc != BX_ERR_UNAVAILABLE)
        bx_warn("run", "the messages that wait in %s were not sent: %s",
                bx_session_header(run->session)->id, err.msg);
}
