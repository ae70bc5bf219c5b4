#include "agent/executor.h"

#include "agent/context.h"
#include "base/clock.h"
#include "base/unwire.h"
#include "tools/network.h"

/* What a run does differently because it is an executor, a planner, or has executors. */

/* ---- entering ---- */

struct bx_budget *bx_executor_purse(const struct bx_run *run) {
    return run->executor && run->executor->manager ? run->executor->manager->budget : NULL;
}

int bx_executor_enter(struct bx_run *run, struct bx_run_options *options, struct bx_err *err) {
    int rc = 0;
    run->executor = bx_executor_ref(options->executor);
    if (!run->executor && strcmp(bx_session_header(run->session)->kind, "executor") == 0)
        rc = bx_executor_restore(run->agent, run->session, &run->executor, err);
    if (!rc && run->executor && !options->executor)
        rc = bx_executor_check_mounts(run->executor, err);
    if (rc || !run->executor)
        return rc;
    for (size_t i = 0; i < run->executor->may.narrows.n && !bx_unwired("executor_subset"); i++)
        bx_run_narrow(run, &run->executor->may.narrows.p[i]);
    if (!options->executor) {
        for (unsigned k = 0; k < BX_BUDGET_COUNT;
             k++) /* no manager: where it had no cap, the settings' count */
            options->budget[k] = BX_MAX(run->executor->may.caps[k], 0);
        if (!options->max_turns || options->max_turns > run->executor->may.max_turns)
            options->max_turns = run->executor->may.max_turns;
    }
    run->executor->has_worktree = run->executor->may.worktree;
    return 0;
}

int bx_executor_move_in(struct bx_run *run, struct bx_err *err) {
    int rc = run->executor ? bx_executor_resume_tree(run->executor, err) : 0;
    return rc || !run->executor ? rc : bx_capability_make_root(&run->executor->may, err);
}

void bx_executor_move_out(struct bx_run *run) {
    struct bx_executor *e = run->executor;
    if (!e || e->manager)
        return;
    bx_capability_clear_root(&e->may);
    if (e->tree.id[0])
        bx_executor_finish_tree(e);
}

const struct bx_mount *bx_run_mounts(const struct bx_run *run, size_t *ret_count) {
    const struct bx_executor *e = run->executor;
    bool own = e && !bx_unwired("executor_subset");
    *ret_count = own ? e->may.mount_count : run->agent->mount_count;
    return own ? e->may.mounts : run->agent->mounts;
}

const char *bx_run_project_root(const struct bx_run *run) {
    size_t count;
    const struct bx_mount *mounts = bx_run_mounts(run, &count);
    const struct bx_executor *e = run->executor;
    return e && e->may.empty_root ? run->agent->mounts[0].host_path : mounts[0].host_path;
}

/* ---- what its model is told ---- */

static const char executor_words[] =
    "\nYou are an executor: another agent gave you one task, the message below, and waits for "
    "the result. You see nothing of its conversation. Do that task and no more. Your last "
    "message is all that it gets: say what you found or changed, with paths, what you checked, "
    "and what is left.\n";

static const char planner_words[] =
    "\nYou are the planner of this session: you look, decide and delegate; you change nothing "
    "yourself. Split the work into tasks that do not touch the same files, and give each to an "
    "executor with the tool Agent. An executor sees only the prompt that you write: say what to "
    "do, where, and how its result can be checked. Start those that do not depend on each other "
    "in one reply; they work side by side. Keep the list of tasks with TodoWrite. Check what "
    "comes back before you report it.\n";

static void add_folders(const struct bx_executor *e, struct bx_buf *out) {
    if (!e->may.empty_root)
        return;
    bx_buf_addz(out, "You see these folders and nothing else:");
    for (size_t i = 1; i < e->may.mount_count; i++)
        bx_buf_addf(out, "%s %s%s", i > 1 ? "," : "", e->may.mounts[i].guest_path,
                    e->may.mounts[i].writable ? "" : " (read-only)");
    bx_buf_addz(out, ".\n");
}

static bool is_planner(struct bx_run *run) {
    return !run->executor && bx_session_planner(run->session);
}

char *bx_run_role(struct bx_run *run) {
    struct bx_buf out = BX_BUF_INIT(256 * BX_KIB);
    const struct bx_executor *e = run->executor;
    if (e) {
        bx_buf_addz(&out, executor_words);
        add_folders(e, &out);
        if (e->role)
            bx_buf_addf(&out, "\n%s\n", e->role);
    } else if (is_planner(run)) {
        bx_buf_addz(&out, planner_words);
    }
    char *words = out.size ? bx_buf_steal(&out) : NULL;
    bx_buf_deinit(&out);
    return words;
}

static unsigned depth_left(const struct bx_run *run) {
    struct bx_settings *settings = NULL;
    struct bx_executor_settings s;
    unsigned depth = run->executor ? run->executor->depth : 0;
    if (bx_agent_settings(run->agent, &settings, NULL))
        return 0;
    int rc = bx_executor_settings_read(bx_settings_root(settings), &s, NULL);
    bx_settings_unref(settings);
    return rc || depth >= s.max_depth ? 0 : s.max_depth - depth;
}

/* It looks, and decides about what executors did; taking over their work asks like any other write.
 */
static bool planner_may(const struct bx_tool *t) {
    return t->level <= BX_LEVEL_READ_ONLY ||
           (t->kind == BX_TOOL_NATIVE && strcmp(t->name, "Worktree") == 0);
}

bool bx_run_offers(void *user, const struct bx_tool *t) {
    struct bx_run *run = user;
    const struct bx_executor *e = run->executor;
    bool is_agent_tool = t->kind == BX_TOOL_NATIVE && (bx_str_starts(bx_str(t->name), "Agent") ||
                                                       strcmp(t->name, "Worktree") == 0);
    if (is_agent_tool && (!depth_left(run) || bx_model_is_small(run->model)))
        return false;
    if (e && bx_str_ends(bx_str(t->name), "PlanMode") && t->kind == BX_TOOL_NATIVE)
        return false; /* its plan is its manager's business */
    if (is_planner(run) && !planner_may(t) && !bx_unwired("planner"))
        return false;
    if (e && t->kind == BX_TOOL_MCP && (e->may.own_mounts || e->may.hosts))
        return false;
    BX_LOCKED(&run->rules_lock);
    return bx_narrows_offer(run->narrows.p, run->narrows.n, NULL, t);
}

/* ---- bounds ---- */

enum bx_mode bx_executor_mode(const struct bx_run *run, enum bx_mode own) {
    const struct bx_executor *e = run->executor;
    if (!e || bx_unwired("executor_subset"))
        return own;
    own = BX_MIN(own, e->may.mode);
    return e->manager ? BX_MIN(own, bx_run_mode(e->manager)) : own;
}

bool bx_executor_forbids(const struct bx_call *call, char reason[static 300]) {
    const struct bx_executor *e = call->run->executor;
    if (!e || bx_unwired("executor_subset"))
        return false;
    if (call->tool->kind == BX_TOOL_MCP && (e->may.own_mounts || e->may.hosts)) {
        snprintf(reason, 300,
                 "`%.100s` works outside of the sandbox, where an executor that was given only "
                 "some folders or hosts cannot be held to them",
                 call->tool->name);
        return true;
    }
    for (size_t i = 0; i < call->reach.host_count; i++) {
        if (bx_outbound_within(&call->grant, &call->reach.hosts[i], 1))
            continue;
        snprintf(reason, 300, "%.160s is not among the hosts that this executor was given",
                 call->reach.hosts[i]);
        return true;
    }
    return false;
}

/* Settings may add folders to a tool; an executor that was given its own sees no others. */
void bx_executor_bound_grant(const struct bx_run *run, const struct bx_tool *t,
                             struct bx_arena *arena, struct bx_grant *grant) {
    const struct bx_executor *e = run->executor;
    if (!e)
        return;
    grant->worker = bx_session_header(run->session)->id;
    if (bx_unwired("executor_subset"))
        return;
    if (e->may.own_mounts) {
        struct bx_mount *own = bx_arena_alloc(arena, e->may.mount_count * sizeof *own);
        for (size_t i = 0; i < e->may.mount_count; i++) {
            own[i] = e->may.mounts[i];
            own[i].writable = own[i].writable && t->level >= BX_LEVEL_WRITE;
        }
        grant->mounts = own;
        grant->mount_count = e->may.mount_count;
    }
    grant->within_hosts = e->may.hosts;
    while (e->may.hosts && e->may.hosts[grant->within_host_count])
        grant->within_host_count++;
}

/* ---- what is noted of it ---- */

void bx_executor_on_usage(struct bx_run *run, const struct bx_usage *u) {
    struct bx_executor *e = run->executor;
    if (!e || !e->manager)
        return;
    double cost = bx_model_cost(run->model, u);
    {
        BX_LOCKED(&e->agent->lock);
        e->turns = run->turn;
        e->input_tokens += BX_MAX(u->input_tokens, 0);
        e->output_tokens += BX_MAX(u->output_tokens, 0);
        e->cost_known |= cost >= 0;
        e->cost += BX_MAX(cost, 0);
    }
    bx_executor_show(e);
}

/* The last line of a result: reasons stand behind what a tool printed. */
void bx_executor_add_failure(struct bx_buf *out, const char *tool, const char *limit,
                             struct bx_str content) {
    struct bx_str text = bx_str_trim(content), line = {0};
    while (bx_str_split(&text, '\n', &line)) {
    }
    if (limit)
        bx_buf_addf(out, "%s: %s limit\n", tool, limit);
    else
        bx_buf_addf(out, "%s: " BX_STR_FMT "\n", tool, BX_STR_ARG(bx_str_slice(line, 0, 200)));
}

static void add_failure(struct bx_executor *e, const struct bx_call *call) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_str text = {0};
    if (call->result.content && !bx_doc_parse(bx_str(call->result.content), NULL, &doc, NULL))
        text = bx_val_str(bx_doc_root(doc));
    BX_LOCKED(&e->agent->lock);
    e->failed_calls++;
    bx_executor_add_failure(&e->failures, call->tool_name, call->result.limit, text);
}

void bx_executor_on_result(struct bx_call *call) {
    struct bx_executor *e = call->run->executor;
    if (!e || !e->manager)
        return;
    {
        BX_LOCKED(&e->agent->lock);
        e->calls++;
    }
    if (call->result.is_error || call->result.limit)
        add_failure(e, call);
    bx_executor_show(e);
}

void bx_executor_on_fault(struct bx_run *run, const char *text) {
    struct bx_executor *e = run->executor;
    if (!e || !e->manager)
        return;
    BX_LOCKED(&e->agent->lock);
    snprintf(e->fault, sizeof e->fault, "%s", text);
}

void bx_executor_on_question(struct bx_run *run, struct bx_str question) {
    struct bx_executor *e = run->executor;
    if (!e || !e->manager)
        return;
    {
        BX_LOCKED(&e->agent->lock);
        e->asks = question.n > 0;
    }
    bx_executor_show(e);
    for (struct bx_executor *at = e; question.n && at && at->manager; at = at->above) {
        struct bx_event event;
        bx_delta_begin(&event, at->manager->id, "executor_question");
        bx_jw_kstr(&event.w, "executor", bx_session_header(e->session)->id);
        bx_jw_kstr(&event.w, "name", e->name);
        bx_jw_kstr(&event.w, "agent", e->agent_name);
        bx_jw_kstr(&event.w, "description", e->description);
        bx_jw_kraw(&event.w, "question", question);
        bx_event_delta(at->manager, &event);
    }
}

void bx_run_wake_above(struct bx_run *run) {
    for (struct bx_executor *at = run->executor; at && at->manager; at = at->above)
        at->manager->woken = true;
    pthread_cond_broadcast(&run->agent->changed);
}

/* ---- telling the manager ---- */

static void tell(struct bx_run *run, struct bx_executor *e) {
    struct bx_tool_result result = {0};
    bx_executor_report(e, &result);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_event event;
    bx_event_begin(&event, run->id);
    bx_jw_kstr(&event.w, "executor", bx_session_header(e->session)->id);
    if (bx_doc_parse(bx_str(result.content), NULL, &doc, NULL) == 0)
        bx_jw_kstrn(&event.w, "text", bx_val_str(bx_doc_root(doc)));
    bx_event_append(run, &event, "user", BX_BATCHED);
    bx_tool_result_deinit(&result);
}

/* Of one that is only left open there is nothing to tell. */
static bool has_ended(const struct bx_executor *e) { /* lock held */
    return bx_executor_ended(e->state) && !e->left_open;
}

/* One that has ended and was not told of; a reference, or NULL. */
static struct bx_executor *next_untold(struct bx_run *run) {
    BX_LOCKED(&run->agent->lock);
    for (size_t i = 0; i < run->agent->executors.n; i++) {
        struct bx_executor *e = run->agent->executors.p[i];
        if (e->manager != run || !e->background || e->told || !has_ended(e))
            continue;
        e->told = true;
        return bx_executor_ref(e);
    }
    return NULL;
}

/* What its manager said meanwhile. */
static bool hear(struct bx_run *run) {
    struct bx_executor *e = run->executor;
    bool heard = false;
    for (;;) {
        bx_auto(bx_freep) char *text = NULL;
        struct bx_event event;
        {
            BX_LOCKED(&run->agent->lock);
            if (!e || !e->messages.n)
                return heard;
            text = e->messages.p[0];
            bx_vec_remove(&e->messages, 0);
        }
        bx_event_begin(&event, run->id);
        bx_jw_kstr(&event.w, "text", text);
        bx_jw_kstr(&event.w, "from", "manager");
        bx_event_append(run, &event, "user", BX_BATCHED);
        heard = true;
    }
}

static void narrow_to_names(struct bx_run *run) {
    BX_VEC(const char *) names = {0};
    const struct {
        struct bx_tool *const *p;
        size_t n;
    } all[] = {{run->context->tools.p, run->context->tools.n},
               {run->context->deferred.p, run->context->deferred.n},
               {run->context->hidden.p, run->context->hidden.n}};
    for (size_t i = 0; i < BX_ARRAY_LEN(all); i++)
        for (size_t k = 0; k < all[i].n; k++)
            if (all[i].p[k]->level != BX_LEVEL_NONE && planner_may(all[i].p[k]))
                bx_vec_push(&names, all[i].p[k]->name);
    bx_vec_push(&names, NULL);
    bx_run_narrow(
        run, &(struct bx_narrow){.by = BX_PLANNER, .tools = names.p, .max_level = BX_LEVEL_WRITE});
    bx_vec_free(&names);
}

/* The switch counts from the next turn on; what it says to the model, from the next run on. A run
 * that is only tried has no context: there, levels stand for the names of tools. */
void bx_run_look_at_planner(struct bx_run *run) {
    struct bx_narrow by_level = {.by = BX_PLANNER, .max_level = BX_LEVEL_READ_ONLY};
    if (!is_planner(run) || bx_unwired("planner"))
        bx_run_widen(run, BX_PLANNER);
    else if (run->context)
        narrow_to_names(run);
    else
        bx_run_narrow(run, &by_level);
}

bool bx_executors_tell(struct bx_run *run) {
    bool told = hear(run);
    for (;;) {
        bx_auto(bx_executor_unrefp) struct bx_executor *e = next_untold(run);
        if (!e)
            break;
        tell(run, e);
        told = true;
    }
    bx_run_look_at_planner(run);
    return told;
}

static unsigned alive_below(const struct bx_run *run) { /* lock held */
    unsigned n = 0;
    for (size_t i = 0; i < run->agent->executors.n; i++) {
        const struct bx_executor *e = run->agent->executors.p[i];
        n += e->manager == run && e->background && (!has_ended(e) || !e->told);
    }
    return n;
}

static void wake(void *user) {
    struct bx_agent *a = user;
    BX_LOCKED(&a->lock);
    pthread_cond_broadcast(&a->changed);
}

static bool has_untold(const struct bx_run *run) { /* lock held */
    for (size_t i = 0; i < run->agent->executors.n; i++) {
        const struct bx_executor *e = run->agent->executors.p[i];
        if (e->manager == run && e->background && !e->told && has_ended(e))
            return true;
    }
    return false;
}

static bool has_messages(const struct bx_run *run) { /* lock held */
    return run->executor && run->executor->messages.n > 0;
}

bool bx_executors_await(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    char text[80];
    unsigned alive;
    {
        BX_LOCKED(&a->lock);
        alive = alive_below(run);
        if (has_messages(run))
            return true;
        if (!alive && run->executor)
            run->executor->deaf = true;
    }
    if (!alive)
        return false;
    snprintf(text, sizeof text, "waiting for %u executor%s", alive, alive == 1 ? "" : "s");
    bx_run_state(run, "waiting", bx_str(text));
    bx_executor_pause(run, true);
    bx_cancel_watch(run->spend, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    while (alive_below(run) && !has_untold(run) && !has_messages(run) && !run->rung &&
           !bx_cancel_fired(run->spend))
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    bx_cancel_unwatch(&watch);
    bx_executor_pause(run, false);
    return true;
}
