#include "agent/internal.h"

#include "base/id.h"

/* A question is open from its event to its answer or to the end of the run. It waits for as long as
 * it takes. */

static void wake(void *user) {
    struct bx_agent *a = user;
    BX_LOCKED(&a->lock);
    pthread_cond_broadcast(&a->changed);
}

static int wait_for_answer(struct bx_run *run, struct bx_question *ret) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    bx_cancel_watch(run->cancel, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    while (!run->question.answered && !bx_cancel_fired(run->cancel))
        pthread_cond_wait(&a->changed, &a->lock);
    *ret = run->question;
    run->question = (struct bx_question){0};
    pthread_mutex_unlock(&a->lock);
    bx_cancel_unwatch(&watch);
    if (ret->answered)
        return 0;
    bx_free(ret->text);
    ret->text = NULL;
    return BX_ERR_CANCELLED;
}

static void log_question(struct bx_run *run, const struct bx_call *call,
                         const struct bx_permit_request *request, const char *id) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(8 * BX_KIB);
    bx_permit_describe(request, &text);
    static const char *const choices[] = {"once", "session", "always", "no"};
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "question", id);
    bx_jw_kstr(&e.w, "kind", "permission");
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_jw_kstr(&e.w, "level", bx_level_name(request->level));
    bx_jw_kval(&e.w, "input", bx_doc_root(call->input));
    bx_jw_kstrn(&e.w, "text", bx_buf_str(&text));
    bx_jw_karr(&e.w, "choices");
    for (size_t i = 0; i < BX_ARRAY_LEN(choices); i++)
        bx_jw_z(&e.w, choices[i]);
    bx_jw_end(&e.w);
    bx_event_append(run, &e, "question", BX_BATCHED);
}

static void log_answer(struct bx_run *run, const struct bx_call *call,
                       const struct bx_question *q) {
    static const char *const names[] = {"once", "session", "always", "no"};
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "question", q->id);
    bx_jw_kstr(&e.w, "choice", names[q->choice]);
    bx_jw_kstr(&e.w, "text", q->text ? q->text : "");
    bx_jw_kstr(&e.w, "from", q->from);
    if (q->choice == BX_CHOICE_SESSION) {
        bx_auto(bx_buf_deinit) struct bx_buf rule = BX_BUF_INIT(16 * BX_KIB);
        bx_rule_of_call(call, "session", &rule);
        bx_jw_kraw(&e.w, "rule",
                   bx_buf_str(&rule)); /* from here it is known again after a restart */
    }
    bx_event_append(run, &e, "answer", BX_DURABLE);
}

int bx_run_ask(struct bx_run *run, const struct bx_call *call,
               const struct bx_permit_request *request, struct bx_question *ret) {
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    { /* open before it is seen: the answer may come at once */
        BX_LOCKED(&run->agent->lock);
        memcpy(run->question.id, id, sizeof id);
    }
    log_question(run, call, request, id);
    bx_run_state(run, "waiting", BX_STR_LIT("waiting for an answer"));
    int rc = wait_for_answer(run, ret);
    if (rc)
        return rc;
    log_answer(run, call, ret);
    return 0;
}

int bx_agent_answer(struct bx_agent *a, const char *session_id, const char *question,
                    enum bx_choice choice, const char *text, const char *from, struct bx_err *err) {
    BX_LOCKED(&a->lock);
    for (size_t i = 0; i < a->runs.n; i++) {
        struct bx_run *run = a->runs.p[i];
        struct bx_question *q = &run->question;
        if (strcmp(bx_session_header(run->session)->id, session_id) || !q->id[0] ||
            strcmp(q->id, question) || q->answered)
            continue;
        q->choice = choice;
        q->text = text && *text ? bx_strdup(text) : NULL;
        snprintf(q->from, sizeof q->from, "%s", from);
        q->answered = true;
        pthread_cond_broadcast(&a->changed);
        return 0;
    }
    return bx_fail(err, BX_ERR_NOTFOUND,
                   "this question is not open any more: it was answered, or its run has ended");
}
