#include "agent/context.h"
#include "agent/executor.h"
#include "agent/pack.h"
#include "base/id.h"
#include "base/unwire.h"

/* From the input of the tool Agent to an executor in the queue. */

#define LIST_PAGE 500

/* How many the session has had, for the name of the next. */
static unsigned number_in(struct bx_agent *a, const char *session_id, struct bx_err *err) {
    unsigned n = 1;
    char before[37] = "";
    for (bool more = true; more;) {
        struct bx_session_list list = {0};
        struct bx_session_filter filter = {.before = *before ? before : NULL, .parent = session_id};
        if (bx_store_list(a->store, &filter, LIST_PAGE, &list, err))
            return 0;
        n += (unsigned)list.n;
        if (list.n)
            memcpy(before, list.rows[list.n - 1].id, sizeof before);
        more = list.more && list.n;
        bx_session_list_deinit(&list);
    }
    return n;
}

static int make_session(struct bx_executor *e, struct bx_run *manager, struct bx_err *err) {
    const struct bx_session_header *above = bx_session_header(manager->session);
    struct bx_session_header h = {.title = e->description,
                                  .model = e->model,
                                  .mode = bx_mode_name(e->may.mode),
                                  .root = e->may.mounts[0].host_path,
                                  .kind = "executor",
                                  .agent = e->agent_name};
    memcpy(h.id, e->session_id, sizeof h.id);
    memcpy(h.parent.session, above->id, sizeof h.parent.session);
    memcpy(h.parent.run, manager->id, sizeof h.parent.run);
    snprintf(h.parent.call, sizeof h.parent.call, "%s", e->call);
    BX_LOCKED(&e->agent->spawn_lock); /* no two of one name */
    unsigned number = number_in(e->agent, above->id, err);
    if (!number)
        return BX_ERR_IO;
    snprintf(e->name, sizeof e->name, "e%u", number);
    return bx_session_create(e->agent->store, &h, &e->session, err);
}

static int log_capability(struct bx_executor *e, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_capability_write(&w, &e->may);
    bx_jw_kstr(&w, "role", e->role);
    bx_jw_end(&w);
    return bx_session_append(e->session, "capability", bx_buf_str(&body), BX_BATCHED, NULL, err);
}

static int check_room(struct bx_run *run, const struct bx_executor_settings *s, unsigned depth,
                      struct bx_err *err) {
    if (depth > s->max_depth && !bx_unwired("executor_depth"))
        return bx_fail(err, BX_ERR_DENIED,
                       s->max_depth ? "you are an executor of level %u, and the limit is %u "
                                      "(max_executor_depth): do this work yourself"
                                    : "executors are switched off (level %u is over "
                                      "max_executor_depth %u): do this work yourself",
                       depth - 1, s->max_depth);
    BX_LOCKED(&run->agent->lock);
    unsigned *started = &bx_executor_root_of(run)->executors_started;
    if (*started >= s->max_total && !bx_unwired("executor_depth"))
        return bx_fail(err, BX_ERR_DENIED,
                       "this message has started %u executors already, which is the limit "
                       "(max_executors): go on with AgentSend to one of them, or do the work "
                       "yourself",
                       *started);
    ++*started;
    return 0;
}

static int find_definition(struct bx_agent_defs *defs, const struct bx_val *wish,
                           const struct bx_agent_def **ret, struct bx_err *err) {
    struct bx_str name = bx_val_get_str(wish, "agent");
    *ret = NULL;
    return name.n ? bx_agent_defs_find(defs, name, ret, err) : 0;
}

static int compute(struct bx_executor *e, struct bx_run *run, const struct bx_val *wish,
                   const struct bx_agent_def *def, const struct bx_executor_settings *settings,
                   struct bx_err *err) {
    BX_VEC(struct bx_tool *) tools = {0};
    bx_auto(bx_freep) char *empty = bx_executor_empty_root(e->agent, e->session_id);
    int64_t left[BX_BUDGET_COUNT];
    for (size_t i = 0; i < run->context->tools.n; i++)
        bx_vec_push(&tools, run->context->tools.p[i]);
    for (size_t i = 0; i < run->context->deferred.n; i++)
        bx_vec_push(&tools, run->context->deferred.p[i]);
    for (size_t i = 0; i < run->context->hidden.n; i++)
        bx_vec_push(&tools, run->context->hidden.p[i]);
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        left[k] = bx_budget_left(run->budget, k);
    struct bx_capability_from from = {.tools = tools.p,
                                      .tool_count = tools.n,
                                      .hosts = run->executor ? run->executor->may.hosts : NULL,
                                      .mode = bx_run_mode(run),
                                      .max_turns =
                                          (unsigned)bx_budget_cap(run->budget, BX_BUDGET_TURNS),
                                      .left = left};
    from.mounts = bx_run_mounts(run, &from.mount_count);
    struct bx_mount tree;
    struct bx_str isolation = bx_val_get_str(wish, "isolation");
    bool wants_tree = isolation.n ? bx_str_eqz(isolation, "worktree") : def && def->worktree;
    int rc = wants_tree ? bx_executor_make_tree(e, &tree, err) : 0;
    if (wants_tree) {
        from.mounts = &tree;
        from.mount_count = 1;
    }
    if (!rc) {
        BX_LOCKED(&run->rules_lock);
        from.narrows = run->narrows.p;
        from.narrow_count = run->narrows.n;
        rc = bx_capability_compute(&from, wish, def, settings, empty, &e->may, err);
        e->may.own_mounts |= wants_tree || (run->executor && run->executor->may.own_mounts);
        e->may.worktree = wants_tree;
    }
    bx_vec_free(&tools);
    return rc;
}

static void fill(struct bx_executor *e, struct bx_call *call, const struct bx_val *wish,
                 const struct bx_agent_def *def) {
    struct bx_run *run = call->run;
    const char *model = bx_val_get_z(wish, "model");
    bx_id_new(e->session_id);
    e->agent = run->agent;
    e->manager = run;
    e->above = bx_executor_ref(run->executor);
    e->depth = run->executor ? run->executor->depth + 1 : 1;
    e->root = bx_executor_root_of(run);
    memcpy(e->root_run, e->root->id, sizeof e->root_run);
    snprintf(e->call, sizeof e->call, "%s", call->id);
    e->agent_name = bx_strdup(def ? def->name : "");
    e->description = bx_str_dup(bx_str_trim(bx_val_get_str(wish, "description")));
    e->prompt = bx_str_dup(bx_val_get_str(wish, "prompt"));
    e->role = def ? bx_strdup(def->prompt) : NULL;
    e->model = bx_strdup(model && *model     ? model
                         : def && def->model ? def->model
                                             : bx_model_id(run->model));
    e->background = bx_val_get_bool(wish, "background", false);
    e->cancel = bx_cancel_new(run->spend);
    e->failures = BX_BUF_INIT(2 * BX_KIB);
}

static int take_packs(struct bx_executor *e, const struct bx_val *wish, struct bx_err *err) {
    size_t n = 0;
    e->packs = bx_arena_alloc(&e->may.arena, (bx_val_len(wish) + 1) * sizeof *e->packs);
    bx_val_foreach_item (wish, name) {
        bx_auto(bx_doc_freep) struct bx_doc *pack = NULL;
        const char *own = bx_arena_str(&e->may.arena, bx_val_str(name));
        int rc = bx_pack_get(bx_store_dir(e->agent->store), own, &pack, err);
        if (rc)
            return bx_wrap(err, rc, "packs");
        e->packs[n++] = own;
    }
    return 0;
}

static int check_model(struct bx_executor *e, struct bx_err *err) {
    bx_auto(bx_model_unrefp) struct bx_model *model = NULL;
    return bx_models_get(e->agent->models, e->model, &model, err);
}

int bx_executor_new(struct bx_call *call, const struct bx_val *wish, struct bx_executor **ret,
                    struct bx_err *err) {
    struct bx_run *run = call->run;
    struct bx_agent *a = run->agent;
    struct bx_settings *settings = NULL;
    struct bx_executor_settings s;
    bx_auto(bx_executor_unrefp) struct bx_executor *e = bx_new(struct bx_executor);
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = bx_agent_definitions(a);
    const struct bx_agent_def *def = NULL;
    e->refs = 1;
    int rc = bx_agent_settings(a, &settings, err);
    if (!rc)
        rc = bx_executor_settings_read(bx_settings_root(settings), &s, err);
    bx_settings_unref(settings);
    if (!rc)
        rc = find_definition(defs, wish, &def, err);
    if (!rc)
        rc = check_room(run, &s, run->executor ? run->executor->depth + 1 : 1, err);
    if (rc)
        return rc;
    fill(e, call, wish, def);
    if ((rc = check_model(e, err)) || (rc = compute(e, run, wish, def, &s, err)) ||
        (rc = take_packs(e, bx_val_get(wish, "packs"), err)) || (rc = make_session(e, run, err)) ||
        (rc = log_capability(e, err))) {
        bx_executor_discard_tree(e);
        BX_LOCKED(&a->lock);
        e->root->executors_started--; /* what was refused is not one of them */
        return rc;
    }
    e->inherited = bx_inherited_new(e);
    {
        BX_LOCKED(&a->lock);
        bx_vec_push(&a->executors, bx_executor_ref(e));
    }
    bx_executor_log(e, BX_EXECUTOR_QUEUED);
    bx_executor_pump(a, e->root_run);
    *ret = bx_steal(&e);
    return 0;
}
