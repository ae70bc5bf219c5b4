#include "agent/compact.h"

#include "base/id.h"
#include "base/log.h"
#include "skills/expand.h"

/* What a person types while a run is active: messages, skills ("/name args"), requests to compact.
 * It is on disk before it is acknowledged, joins at the next turn boundary, and can be taken back
 * until then. A run that was stopped, failed or crashed leaves it waiting: nothing is sent by
 * itself then, it goes out before the next message. */

#define QUEUED_MAX 100
#define BUSY_TRIES 3

static size_t read_queue(struct bx_session *s, struct bx_doc **ret) {
    bx_auto(bx_freep) char *text = bx_session_queued(s);
    *ret = NULL;
    return bx_doc_parse(bx_str(text), NULL, ret, NULL) ? 0 : bx_val_len(bx_doc_root(*ret));
}

bool bx_session_has_queued(struct bx_session *s) {
    bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
    return read_queue(s, &queue) > 0;
}

/* ---- what is said ---- */

int bx_run_say(struct bx_run *run, const char *text, const char *queued, struct bx_skill_use *use,
               struct bx_err *err) {
    struct bx_event e;
    bx_auto(bx_freep) char *folder = NULL;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "text", text);
    if (queued)
        bx_jw_kstr(&e.w, "queued", queued);
    if (use)
        bx_jw_kstr(&e.w, "expanded", use->text);
    bx_jw_end(&e.w);
    int rc = bx_session_append(run->session, "user", bx_buf_str(&e.body), BX_BATCHED, NULL, err);
    bx_buf_deinit(&e.body);
    if (rc)
        return rc;
    run->said = true;
    run->questions++;
    return use ? bx_run_begin_skill(run, NULL, use, &folder, err) : 0;
}

int bx_run_expand_skill(struct bx_run *run, const char *skill, const char *args,
                        struct bx_skills **ret_all, struct bx_skill_use *ret, struct bx_err *err) {
    *ret = (struct bx_skill_use){0};
    *ret_all = NULL;
    if (!skill)
        return 0;
    *ret_all = bx_run_skills(run);
    int rc = bx_skill_expand(*ret_all, bx_str(skill), bx_str(args), ret, err);
    return rc ? rc : bx_run_introduce_skill(run, ret, err);
}

/* ---- joining ---- */

/* It leaves the queue, and the log says what it was and why it was of no use. */
static int take_out(struct bx_run *run, const struct bx_val *one, const char *why) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kval(&e.w, "id", bx_val_get(one, "id"));
    bx_jw_kval(&e.w, "text", bx_val_get(one, "text"));
    bx_jw_kstr(&e.w, "why", why);
    return bx_event_append(run, &e, "unqueue", BX_DURABLE);
}

/* The skill as it is now: who typed it has waited for it until now. */
static int join_one(struct bx_run *run, const struct bx_val *one, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *skills = NULL;
    bx_auto(bx_skill_use_deinit) struct bx_skill_use use = {0};
    const char *skill = bx_val_get_z(one, "skill"), *args = bx_val_get_z(one, "args"),
               *message = bx_val_get_z(one, "message");
    int rc = bx_history_catch_up(run->history, run->session, err);
    if (rc)
        return rc;
    if (bx_run_expand_skill(run, skill, args, &skills, &use, err))
        return take_out(run, one, err->msg);
    if (!skill && !message)
        bx_run_propose_for_text(run, bx_val_get_str(one, "text"));
    return bx_run_say(run, message ? message : bx_val_get_z(one, "text"), bx_val_get_z(one, "id"),
                      skill ? &use : NULL, err);
}

int bx_run_join_queued(struct bx_run *run) {
    bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
    {
        BX_LOCKED(&run->agent->lock);
        run->rung = false;
    }
    BX_LOCKED(&run->agent->queue_lock); /* what waits joins or is taken back, never both */
    if (!read_queue(run->session, &queue))
        return 0;
    bx_val_foreach_item (bx_doc_root(queue), one) {
        struct bx_err err = {0};
        int rc = bx_val_get(one, "compact") ? 0 : join_one(run, one, &err);
        if (rc) {
            bx_run_log_failed(run, err.msg);
            return rc;
        }
    }
    return 0;
}

/* The next request to compact, from now on too late to be taken back; NULL: none waits. */
static const struct bx_val *next_request(struct bx_run *run, struct bx_doc **ret) {
    BX_LOCKED(&run->agent->queue_lock);
    if (!read_queue(run->session, ret))
        return NULL;
    bx_val_foreach_item (bx_doc_root(*ret), one) {
        if (!bx_val_get(one, "compact"))
            continue;
        BX_LOCKED(&run->agent->lock);
        snprintf(run->carries_out, sizeof run->carries_out, "%s", bx_val_get_z(one, "id"));
        return one;
    }
    return NULL;
}

int bx_run_compact_queued(struct bx_run *run) {
    for (;;) {
        bx_auto(bx_doc_freep) struct bx_doc *queue = NULL;
        struct bx_err err = {0};
        const struct bx_val *one = next_request(run, &queue);
        if (!one)
            return 0;
        int rc = bx_history_catch_up(run->history, run->session, &err);
        if (!rc)
            rc = bx_compact_on_request(run, bx_val_get_z(one, "compact"), &err);
        if (rc && rc != BX_ERR_CANCELLED)
            rc = take_out(run, one, err.msg);
        else if (rc && bx_budget_fired(run->budget)) /* the next run would have no more for it */
            take_out(run, one, "the budget of the run was used up before it was done");
        BX_LOCKED(&run->agent->lock);
        run->carries_out[0] = '\0';
        if (rc)
            return rc;
    }
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
        if (bx_agent_carries_out(a, bx_session_header(session)->id, id))
            return bx_fail(
                err, BX_ERR_NOTFOUND,
                "this does not wait any more: it is being done, stopping the run ends it");
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

/* ---- waiting ---- */

/* Checked at once, as it will be when it joins: who typed it is still there to mend it. */
static int check(struct bx_agent *a, const struct bx_run_options *o, struct bx_err *err) {
    if (!o || !o->skill)
        return 0;
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(a->registry, a->mounts[0].host_path);
    bx_auto(bx_skill_use_deinit) struct bx_skill_use use = {0};
    return bx_skill_expand(skills, bx_str(o->skill), bx_str(o->skill_args), &use, err);
}

static void write_waiting(struct bx_jw *w, const char *id, const char *text,
                          const struct bx_run_options *o) {
    bool typed = o && o->typed;
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", id);
    bx_jw_kstr(w, "text", typed ? o->typed : text);
    if (o && o->skill) {
        bx_jw_kstr(w, "skill", o->skill);
        bx_jw_kstr(w, "args", o->skill_args ? o->skill_args : "");
    } else if (o && o->compact) {
        bx_jw_kstr(w, "compact", text);
    } else if (typed) {
        bx_jw_kstr(w, "message", text);
    }
    bx_jw_end(w);
}

static int queue(struct bx_session *session, const char *text, const struct bx_run_options *o,
                 char *ret_id, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *waiting = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_EVENT_MAX);
    struct bx_jw w;
    if (read_queue(session, &waiting) >= QUEUED_MAX)
        return bx_fail(err, BX_ERR_LIMIT,
                       "%d messages wait already: wait for the run, or take some of them back",
                       QUEUED_MAX);
    bx_id_new(ret_id);
    bx_jw_init(&w, &body);
    write_waiting(&w, ret_id, text, o);
    return bx_session_append(session, "queued", bx_buf_str(&body), BX_DURABLE, NULL, err);
}

/* The run that goes on is stopped for what takes the place of an earlier message. */
static int make_way(struct bx_agent *a, struct bx_session *session, const struct bx_run_options *o,
                    struct bx_err *err) {
    const char *id = bx_session_header(session)->id;
    if (!o->stop)
        return bx_fail(err, BX_ERR_BUSY,
                       "this session is working on a message: stop it first, or send this with "
                       "\"stop\": true");
    int rc = bx_session_check_rewind(session, o->replace, err);
    if (rc)
        return rc;
    (void)bx_agent_stop_run(a, id, NULL); /* it may just have ended */
    bx_agent_wait(a, id);
    return 0;
}

int bx_agent_say(struct bx_agent *a, struct bx_session *session, const char *text,
                 const struct bx_run_options *options, struct bx_said *ret, struct bx_err *err) {
    const char *id = bx_session_header(session)->id;
    bool replaces = options && options->replace;
    unsigned idle = 0; /* times that no run was what was busy */
    *ret = (struct bx_said){0};
    while (replaces || !bx_agent_takes_queued(a, id, false)) {
        int rc = bx_agent_send(a, session, text, options, ret->run, err);
        if (rc != BX_ERR_BUSY || (!bx_agent_is_running(a, id) && ++idle == BUSY_TRIES))
            return rc; /* e.g. an executor's worktree is */
        if (replaces && (rc = make_way(a, session, options, err)))
            return rc;
    }
    int rc = check(a, options, err);
    if (rc || (rc = queue(session, text, options, ret->queued, err)))
        return rc;
    /* The run may have looked for the last time before this was written. */
    if (!bx_agent_takes_queued(a, id, true)) {
        struct bx_run_options rest = options ? *options : (struct bx_run_options){0};
        rest.skill = rest.skill_args = rest.typed = NULL;
        rest.compact = false;
        (void)bx_agent_send(a, session, NULL, &rest, NULL, NULL);
    }
    return 0;
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
    /* that there was nothing to compact keeps nobody from the next message */
    bool goes_on = goes_on_after(reason) || (run->compact && strcmp(reason, "error") == 0);
    if (!goes_on || run->leaves_queue || strcmp(kind, "executor") == 0 ||
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
