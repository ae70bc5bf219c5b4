#include "agent/executor.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "base/unwire.h"

/* Executors from their making to their end: the queue, the waiting, the stopping. */

static const char *const state_names[] = {
    [BX_EXECUTOR_QUEUED] = "queued",  [BX_EXECUTOR_RUNNING] = "running",
    [BX_EXECUTOR_ENDING] = "running", [BX_EXECUTOR_DONE] = "done",
    [BX_EXECUTOR_FAILED] = "failed",  [BX_EXECUTOR_STOPPED] = "stopped",
    [BX_EXECUTOR_LIMIT] = "limit",
};

const char *bx_executor_state_name(enum bx_executor_state state) {
    return state_names[state];
}

struct bx_executor *bx_executor_ref(struct bx_executor *e) {
    if (e)
        __atomic_fetch_add(&e->refs, 1, __ATOMIC_RELAXED);
    return e;
}

static void executor_free(struct bx_executor *e) {
    bx_inherited_free(e->inherited);
    bx_session_unref(e->session);
    bx_executor_unref(e->above);
    bx_cancel_unref(e->cancel);
    bx_capability_deinit(&e->may);
    bx_buf_deinit(&e->failures);
    bx_free(e->agent_name);
    bx_free(e->description);
    bx_free(e->model);
    bx_free(e->role);
    bx_free(e->prompt);
    bx_free(e->result);
    bx_worktree_deinit(&e->tree);
    for (size_t i = 0; i < e->messages.n; i++)
        bx_free(e->messages.p[i]);
    bx_vec_free(&e->messages);
    bx_free(e);
}

void bx_executor_unref(struct bx_executor *e) {
    if (e && __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) == 0)
        executor_free(e);
}

/* ---- the queue ---- */

struct bx_run *bx_executor_root_of(struct bx_run *run) {
    return run->executor && run->executor->manager ? run->executor->root : run;
}

/* Lock held. Those of one message that work; who waits for its own executors or an answer does not.
 */
static unsigned working(const struct bx_agent *a, const char *root_run) {
    unsigned n = 0;
    for (size_t i = 0; i < a->executors.n; i++) {
        const struct bx_executor *e = a->executors.p[i];
        n += (e->state == BX_EXECUTOR_RUNNING || e->state == BX_EXECUTOR_ENDING) && !e->waits &&
             strcmp(e->root_run, root_run) == 0;
    }
    return n;
}

static unsigned max_concurrent(struct bx_agent *a) {
    struct bx_settings *settings = NULL;
    struct bx_executor_settings now;
    if (bx_agent_settings(a, &settings, NULL))
        return 1;
    int rc = bx_executor_settings_read(bx_settings_root(settings), &now, NULL);
    bx_settings_unref(settings);
    return rc ? 1 : now.max_concurrent;
}

/* The next one in the queue, which is now said to run; a reference, or NULL. */
static struct bx_executor *next_in_queue(struct bx_agent *a, const char *root_run) {
    unsigned most = bx_unwired("executor_queue") ? UINT_MAX : max_concurrent(a);
    BX_LOCKED(&a->lock);
    if (working(a, root_run) >= most)
        return NULL;
    for (size_t i = 0; i < a->executors.n; i++) {
        struct bx_executor *e = a->executors.p[i];
        if (e->state != BX_EXECUTOR_QUEUED || strcmp(e->root_run, root_run) ||
            bx_cancel_fired(e->cancel)) /* its manager ends, and it with it */
            continue;
        e->state = BX_EXECUTOR_RUNNING;
        e->start_ms = bx_mono_ms();
        e->started_at_ms = bx_wall_ms();
        return bx_executor_ref(e);
    }
    return NULL;
}

/* The last word about it: logged first, so that who waits for it finds it in the log. */
static void end(struct bx_executor *e, enum bx_executor_state state) {
    struct bx_agent *a = e->agent;
    {
        BX_LOCKED(&a->lock);
        e->ms += e->start_ms ? bx_mono_ms() - e->start_ms : 0;
        e->start_ms = 0;
    }
    bx_executor_log(e, state);
    BX_LOCKED(&a->lock);
    e->manager->woken = true;
    e->state = state;
    e->asks = false;
    pthread_cond_broadcast(&a->changed); /* from here on the manager's run may be gone */
}

/* Lock held. It was told to end before its run began: by somebody, or because the budget that it is
 * a part of was used up, which has a name. */
static enum bx_executor_state end_before_its_run(struct bx_executor *e) {
    const char *spent = bx_budget_known(bx_cancel_reason(e->cancel));
    e->state = BX_EXECUTOR_ENDING;
    e->reason = spent ? spent : "stopped";
    return spent ? BX_EXECUTOR_LIMIT : BX_EXECUTOR_STOPPED;
}

static void fail(struct bx_executor *e, const char *why) {
    enum bx_executor_state state = BX_EXECUTOR_FAILED;
    {
        BX_LOCKED(&e->agent->lock);
        e->state = BX_EXECUTOR_ENDING;
        e->reason = "error";
        if (bx_cancel_fired(e->cancel))
            state = end_before_its_run(e);
        snprintf(e->fault, sizeof e->fault, "%s", why);
    }
    bx_executor_finish_tree(e);
    end(e, state);
}

static bool has_thread(struct bx_executor *e) {
    BX_LOCKED(&e->agent->lock);
    return e->has_thread;
}

void bx_executor_pump(struct bx_agent *a, const char *root_run) {
    for (;;) {
        bx_auto(bx_executor_unrefp) struct bx_executor *e = next_in_queue(a, root_run);
        struct bx_err err = {0};
        if (!e)
            return;
        bx_executor_log(e, BX_EXECUTOR_RUNNING);
        bx_auto(bx_freep) char *prompt = NULL;
        {
            BX_LOCKED(&a->lock);
            prompt = bx_steal(&e->prompt);
        }
        struct bx_run_options options = {.executor = e,
                                         .headless = e->manager->headless,
                                         .yes_levels = e->manager->yes_levels,
                                         .allow_hosts = e->manager->allow_hosts,
                                         .model = e->model,
                                         .packs = e->packs,
                                         .max_turns = e->may.max_turns};
        memcpy(options.budget, e->may.caps, sizeof options.budget);
        if (bx_agent_send(a, e->session, prompt, &options, NULL, &err) && !has_thread(e))
            fail(e, err.msg);
    }
}

/* ---- saying more ---- */

/* Of several calls of one reply that send to it, one gets it. */
static bool take_ended(struct bx_executor *e, enum bx_executor_state *ret_was) {
    BX_LOCKED(&e->agent->lock);
    *ret_was = e->state;
    if (!bx_executor_ended(e->state) || e->left_open)
        return false;
    e->state = BX_EXECUTOR_ENDING;
    return true;
}

static void give_back(struct bx_executor *e, enum bx_executor_state was) {
    BX_LOCKED(&e->agent->lock);
    e->state = was;
    pthread_cond_broadcast(&e->agent->changed);
}

int bx_executor_again(struct bx_executor *e, const char *text, struct bx_err *err) {
    struct bx_agent *a = e->agent;
    enum bx_executor_state was;
    if (!take_ended(e, &was))
        return bx_fail(err, BX_ERR_BUSY, "it has not ended yet");
    int rc = bx_executor_check_mounts(e, err);
    if (rc) {
        give_back(e, was);
        return rc;
    }
    {
        BX_LOCKED(&a->lock);
        bx_free(e->prompt);
        bx_free(e->result);
        e->prompt = bx_strdup(text);
        e->result = NULL;
        e->state = BX_EXECUTOR_QUEUED;
        e->reason = NULL;
        e->fault[0] = 0;
        bx_buf_reset(&e->failures);
        e->told = e->has_thread = e->deaf = false;
        e->background = true; /* who sends does not wait */
        bx_cancel_unref(e->cancel);
        e->cancel = bx_cancel_new(e->manager->spend);
    }
    bx_executor_log(e, BX_EXECUTOR_QUEUED);
    bx_executor_pump(a, e->root_run);
    return 0;
}

int bx_executor_say(struct bx_executor *e, const char *text, struct bx_err *err) {
    BX_LOCKED(&e->agent->lock);
    if (e->deaf || e->state > BX_EXECUTOR_RUNNING)
        return bx_fail(err, BX_ERR_BUSY,
                       "%s is just ending: look at its result with AgentOutput, then send again",
                       e->name);
    bx_vec_push(&e->messages, bx_strdup(text));
    pthread_cond_broadcast(&e->agent->changed); /* it may wait for executors of its own */
    return 0;
}

static struct bx_executor *find_living(struct bx_run *manager, struct bx_str id) {
    BX_LOCKED(&manager->agent->lock);
    for (size_t i = 0; i < manager->agent->executors.n; i++) {
        struct bx_executor *e = manager->agent->executors.p[i];
        if (e->manager == manager &&
            (bx_str_eqz(id, e->name) || bx_str_eqz(id, bx_session_header(e->session)->id)))
            return bx_executor_ref(e);
    }
    return NULL;
}

struct bx_executor *bx_executor_find(struct bx_run *manager, struct bx_str id) {
    struct bx_executor *e = find_living(manager, id);
    if (e)
        return e;
    BX_LOCKED(&manager->agent->spawn_lock); /* two calls of one reply ask for the same one */
    e = find_living(manager, id);
    return e ? e : bx_executor_revive(manager, id);
}

/* ---- waiting ---- */

static void wake(void *user) {
    struct bx_agent *a = user;
    BX_LOCKED(&a->lock);
    pthread_cond_broadcast(&a->changed);
}

/* Lock held. Until it has ended, its time is over or the run is stopped, as it is when the program
 * ends. */
static int wait_for_end(struct bx_run *run, const struct bx_executor *e, uint64_t deadline_ms) {
    struct bx_agent *a = run->agent;
    while (!bx_executor_ended(e->state)) {
        uint64_t now = bx_mono_ms();
        if (bx_cancel_fired(run->spend))
            return BX_ERR_CANCELLED;
        if (now >= deadline_ms)
            return BX_ERR_TIMEOUT;
        if (deadline_ms == UINT64_MAX)
            pthread_cond_wait(&a->changed, &a->lock);
        else
            bx_cond_wait_ms(&a->changed, &a->lock, deadline_ms - now);
    }
    return e->left_open ? BX_ERR_CANCELLED : 0;
}

void bx_executor_pause(struct bx_run *run, bool begins) {
    struct bx_executor *self = run->executor;
    struct bx_agent *a = run->agent;
    if (!self || !self->manager)
        return;
    if (begins) {
        {
            BX_LOCKED(&a->lock);
            self->waits++;
            pthread_cond_broadcast(&a->changed); /* one that goes on may want the place, too */
        }
        bx_executor_pump(a, self->root_run); /* into the place that it leaves */
        return;
    }
    unsigned most = bx_unwired("executor_queue") ? UINT_MAX : max_concurrent(a);
    struct bx_cancel_watch watch;
    bx_cancel_watch(run->spend, &watch, wake, a);
    {
        BX_LOCKED(&a->lock);
        while (self->waits == 1 && working(a, self->root_run) >= most &&
               !bx_cancel_fired(run->spend))
            pthread_cond_wait(&a->changed, &a->lock);
        self->waits--;
    }
    bx_cancel_unwatch(&watch);
}

int bx_executor_wait(struct bx_run *run, struct bx_executor *e, uint64_t timeout_ms) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    uint64_t deadline_ms = timeout_ms == UINT64_MAX ? UINT64_MAX : bx_mono_ms() + timeout_ms;
    bx_executor_pause(run, true);
    bx_crew_block(a->crew);
    bx_cancel_watch(run->spend, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    int rc = wait_for_end(run, e, deadline_ms);
    pthread_mutex_unlock(&a->lock);
    bx_executor_pause(run, false);
    bx_cancel_unwatch(&watch);
    bx_crew_unblock(a->crew);
    return rc;
}

/* ---- stopping and ending ---- */

/* Lock held. Nothing is written, so that the next start finds it as it is. */
static void leave_open(struct bx_executor *e) {
    e->left_open = true;
    e->state = BX_EXECUTOR_STOPPED;
    pthread_cond_broadcast(&e->agent->changed);
}

/* Never had a thread: its end is written here. */
static void stop_queued(struct bx_executor *e) {
    enum bx_executor_state state;
    {
        BX_LOCKED(&e->agent->lock);
        if (e->state != BX_EXECUTOR_QUEUED)
            return;
        if (e->manager->suspended) {
            leave_open(e);
            return;
        }
        state = end_before_its_run(e);
    }
    bx_executor_finish_tree(e);
    end(e, state);
}

void bx_executor_stop(struct bx_executor *e, const char *why) {
    struct bx_cancel *token;
    {
        BX_LOCKED(&e->agent->lock);
        token = bx_cancel_ref(e->cancel);
    }
    bx_cancel_fire(token, why);
    bx_cancel_unref(token);
    stop_queued(e);
}

/* Those below a run, or (run NULL) those that a session's runs started: references. */
static size_t collect(struct bx_agent *a, const struct bx_run *run, const char *session_id,
                      struct bx_executor ***ret) {
    BX_VEC(struct bx_executor *) found = {0};
    BX_LOCKED(&a->lock);
    for (size_t i = 0; i < a->executors.n; i++) {
        struct bx_executor *e = a->executors.p[i];
        bool its = run ? e->manager == run
                       : !bx_executor_ended(e->state) &&
                             strcmp(bx_session_header(e->session)->id, session_id) == 0;
        if (its)
            bx_vec_push(&found, bx_executor_ref(e));
    }
    *ret = found.p;
    return found.n;
}

bool bx_executors_stop_session(struct bx_agent *a, const char *session_id) {
    bx_auto(bx_freep) struct bx_executor **found = NULL;
    size_t n = collect(a, NULL, session_id, &found);
    for (size_t i = 0; i < n; i++) {
        bx_executor_stop(found[i], "stopped by the user");
        bx_executor_unref(found[i]);
    }
    return n > 0;
}

static void forget(struct bx_agent *a, const struct bx_executor *e) {
    BX_LOCKED(&a->lock);
    for (size_t i = 0; i < a->executors.n; i++) {
        if (a->executors.p[i] == e) {
            bx_executor_unref(a->executors.p[i]);
            bx_vec_remove(&a->executors, i);
            return;
        }
    }
}

void bx_executors_end(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    bx_auto(bx_freep) struct bx_executor **all = NULL;
    size_t n = collect(a, run, NULL, &all);
    for (size_t i = 0; i < n; i++)
        bx_executor_stop(all[i], "the run of its manager ended");
    for (size_t i = 0; i < n; i++) {
        {
            BX_LOCKED(&a->lock);
            while (!bx_executor_ended(all[i]->state))
                pthread_cond_wait(&a->changed, &a->lock);
        }
        if (!all[i]->left_open && bx_executor_tree_is_empty(all[i]))
            bx_executor_discard_tree(all[i]); /* it holds nothing to decide upon */
        forget(a, all[i]);
        bx_executor_unref(all[i]);
    }
}

char *bx_executor_last_words(const struct bx_history *h) {
    for (size_t i = h->messages.n; i-- > 0;) {
        struct bx_buf text = BX_BUF_INIT(BX_EVENT_MAX);
        const struct bx_message *m = h->messages.p[i];
        for (size_t k = 0; m->role == BX_ROLE_ASSISTANT && k < m->blocks.n; k++)
            if (m->blocks.p[k].kind == BX_BLOCK_TEXT && m->blocks.p[k].text)
                bx_buf_addz(&text, m->blocks.p[k].text);
        if (text.size)
            return bx_buf_steal(&text);
        bx_buf_deinit(&text);
    }
    return NULL;
}

void bx_executor_on_end(struct bx_run *run, const char *reason) {
    struct bx_executor *e = run->executor;
    if (!e)
        return;
    struct bx_agent *a = e->agent;
    bool stays = bx_run_leaves_open(run, NULL);
    bx_registry_end_worker(a->registry, e->session_id);
    bx_capability_clear_root(&e->may);
    if (!stays)
        bx_executor_finish_tree(e);
    if (!e->manager)
        return;
    if (stays) {
        BX_LOCKED(&a->lock);
        leave_open(e);
        return;
    }
    const char *spent = bx_budget_fired(run->budget); /* perhaps by one above */
    if (spent && strcmp(reason, "stopped") == 0)
        reason = spent;
    bool limit = strcmp(reason, "done") && strcmp(reason, "stopped") && strcmp(reason, "error") &&
                 strcmp(reason, "interrupted");
    enum bx_executor_state state = strcmp(reason, "done") == 0    ? BX_EXECUTOR_DONE
                                   : strcmp(reason, "error") == 0 ? BX_EXECUTOR_FAILED
                                   : limit                        ? BX_EXECUTOR_LIMIT
                                                                  : BX_EXECUTOR_STOPPED;
    bx_history_catch_up(run->history, run->session, NULL);
    bx_auto(bx_freep) char *said = bx_executor_last_words(run->history);
    {
        BX_LOCKED(&a->lock);
        e->state = BX_EXECUTOR_ENDING;
        e->reason = reason;
        if (strcmp(reason, "interrupted") == 0 && !e->fault[0])
            snprintf(e->fault, sizeof e->fault, BX_CUT_OFF);
        e->turns = run->turn;
        bx_free(e->result);
        e->result = bx_steal(&said);
    }
    end(e, state);
}

void bx_executor_leave(const struct bx_run *run) {
    const struct bx_executor *e = run->executor;
    if (e && e->manager)
        bx_executor_pump(run->agent, e->root_run);
}
