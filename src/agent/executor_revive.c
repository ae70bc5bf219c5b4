#include "agent/executor.h"

#include "base/path.h"

/* Executors of earlier messages: a person goes on in the session of one, or its manager asks for
 * its result and says more to it. It may do what it might then, and no more than its manager may
 * now. */

#define NO_MORE_LEVELS 1000

/* ---- what its session says ---- */

/* An executor's session that a person goes on with: what it may do stands in its log. */
static int read_capability(struct bx_session *session, struct bx_executor *e, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(64 * BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    while (bx_session_read(session, &cursor, 64 * BX_KIB, &lines, NULL) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (bx_str_find_str(bx_str_slice(line, 0, 120), BX_STR_LIT("\"capability\"")) ==
                    (size_t)-1 ||
                bx_doc_parse(line, NULL, &doc, NULL))
                continue;
            const char *role = bx_val_get_z(bx_doc_root(doc), "role");
            e->role = role ? bx_strdup(role) : NULL;
            return bx_capability_read(bx_doc_root(doc), &e->may, err);
        }
        bx_buf_reset(&lines);
    }
    return bx_fail(err, BX_ERR_DAMAGED,
                   "this executor's session does not say what it may do, so nothing is run in it");
}

char *bx_executor_empty_root(struct bx_agent *a, const char *session_id) {
    bx_auto(bx_freep) char *state = bx_path_real(bx_store_dir(a->store), NULL);
    return bx_asprintf("%s/executors/%s", state ? state : bx_store_dir(a->store), session_id);
}

static bool is_of(const struct bx_mount *m, const char *host, bool writable) {
    return bx_path_is_under(m->host_path, host) && (writable || !m->writable);
}

/* The manager's, where there is one: an executor of an executor has its folders from that one. */
static bool is_of_those_above(const struct bx_executor *e, const struct bx_mount *m) {
    size_t n = e->agent->mount_count;
    const struct bx_mount *above = e->manager ? bx_run_mounts(e->manager, &n) : e->agent->mounts;
    for (size_t i = 0; i < n; i++)
        if (is_of(m, above[i].host_path, above[i].writable))
            return true;
    return false;
}

/* A session file may come from elsewhere. What is mounted is of this workspace now, and of what its
 * manager has, or the executor's own worktree, whatever the file says. */
int bx_executor_check_mounts(struct bx_executor *e, struct bx_err *err) {
    struct bx_capability *c = &e->may;
    struct bx_worktree tree = {0};
    bx_auto(bx_freep) char *empty = bx_executor_empty_root(e->agent, e->session_id);
    bool good =
        !c->worktree || bx_worktree_get(e->agent->worktrees, e->session_id, &tree, NULL) == 0;
    if (c->empty_root)
        c->mounts[0] = (struct bx_mount){.host_path = bx_arena_str(&c->arena, bx_str(empty)),
                                         .guest_path = "/"};
    for (size_t i = c->empty_root ? 1 : 0; i < c->mount_count && good; i++) {
        struct bx_mount *m = &c->mounts[i];
        bx_auto(bx_freep) char *real = bx_path_real(m->host_path, NULL);
        good = real && strcmp(real, m->host_path) == 0 &&
               (c->worktree ? is_of(m, tree.path, true) : is_of_those_above(e, m));
    }
    bx_worktree_deinit(&tree);
    return good ? 0
                : bx_fail(
                      err, BX_ERR_DENIED,
                      "the folders that this executor worked in are not there any more, or are "
                      "not this workspace's: nothing is run in its session; its log can be read");
}

int bx_executor_restore(struct bx_agent *a, struct bx_session *session, struct bx_executor **ret,
                        struct bx_err *err) {
    const struct bx_session_header *h = bx_session_header(session);
    bx_auto(bx_executor_unrefp) struct bx_executor *e = bx_new(struct bx_executor);
    e->refs = 1;
    e->agent = a;
    e->session = bx_session_ref(session);
    memcpy(e->session_id, h->id, sizeof e->session_id);
    e->agent_name = bx_strdup(h->agent);
    e->description = bx_strdup(h->title);
    e->failures = BX_BUF_INIT(2 * BX_KIB);
    e->depth = NO_MORE_LEVELS; /* its own executors were its manager's business */
    int rc = read_capability(session, e, err);
    if (!rc)
        *ret = bx_steal(&e);
    return rc;
}

/* ---- for its manager ---- */

static const char *reason_of(struct bx_str name) {
    static const char *const names[] = {"done",        "stopped",        "error",
                                        "interrupted", "repeated_calls", "context"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (bx_str_eqz(name, names[i]))
            return names[i];
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        if (bx_str_eqz(name, bx_budget_name((enum bx_budget_kind)k)))
            return bx_budget_name((enum bx_budget_kind)k);
    return NULL;
}

/* What a crash left open was stopped. */
static enum bx_executor_state state_of(struct bx_str name) {
    for (unsigned s = BX_EXECUTOR_DONE; s <= BX_EXECUTOR_LIMIT; s++)
        if (bx_str_eqz(name, bx_executor_state_name((enum bx_executor_state)s)))
            return (enum bx_executor_state)s;
    return BX_EXECUTOR_STOPPED;
}

void bx_executor_take_event(struct bx_executor *e, const struct bx_val *event) {
    const struct bx_val *cost = bx_val_get(event, "cost");
    e->state = state_of(bx_val_get_str(event, "state"));
    e->reason = reason_of(bx_val_get_str(event, "reason"));
    e->turns = (unsigned)bx_val_get_int(event, "turns", 0);
    e->calls = (unsigned)bx_val_get_int(event, "calls", 0);
    e->input_tokens = bx_val_get_int(event, "input_tokens", 0);
    e->output_tokens = bx_val_get_int(event, "output_tokens", 0);
    e->cost = bx_val_real(cost, 0);
    e->cost_known = bx_val_is(cost, BX_VAL_REAL) || bx_val_is(cost, BX_VAL_INT);
    e->ms = (uint64_t)BX_MAX(bx_val_get_int(event, "ms", 0), 0);
    if (bx_val_get(event, "text"))
        snprintf(e->fault, sizeof e->fault, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    snprintf(e->name, sizeof e->name, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "name")));
    snprintf(e->call, sizeof e->call, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "call")));
}

void bx_executor_bind(struct bx_executor *e, struct bx_run *run) {
    e->manager = run;
    e->above = bx_executor_ref(run->executor);
    e->root = bx_executor_root_of(run);
    memcpy(e->root_run, e->root->id, sizeof e->root_run);
    e->depth = run->executor ? run->executor->depth + 1 : 1;
    e->cancel = bx_cancel_new(run->spend);
    e->background = e->told = true;
    e->has_worktree = e->may.worktree;
    e->inherited = bx_inherited_new(e);
    e->may.max_turns =
        (unsigned)BX_MIN((int64_t)e->may.max_turns, bx_budget_cap(run->budget, BX_BUDGET_TURNS));
    e->may.mode = BX_MIN(e->may.mode, bx_run_mode(run));
    BX_LOCKED(&run->rules_lock);
    bx_capability_pass(&e->may, run->narrows.p, run->narrows.n);
}

void bx_executor_keep_result(struct bx_executor *e) {
    bx_auto(bx_history_freep) struct bx_history *h = bx_history_new(e->session_id, SIZE_MAX);
    if (bx_history_catch_up(h, e->session, NULL) == 0)
        e->result = bx_executor_last_words(h);
}

struct bx_executor *bx_executor_revive(struct bx_run *run, struct bx_str id) {
    bx_auto(bx_doc_freep) struct bx_doc *event = bx_executor_last_event(run->session, id);
    bx_auto(bx_executor_unrefp) struct bx_executor *e = NULL;
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    const char *session_id = event ? bx_val_get_z(bx_doc_root(event), "executor") : NULL;
    if (!session_id || bx_session_open(run->agent->store, session_id, &session, NULL) ||
        bx_executor_restore(run->agent, session, &e, NULL))
        return NULL;
    bx_executor_take_event(e, bx_doc_root(event));
    e->model = bx_session_model(session);
    bx_executor_bind(e, run);
    bx_executor_look_at_tree(e);
    bx_executor_keep_result(e);
    BX_LOCKED(&run->agent->lock);
    bx_vec_push(&run->agent->executors, bx_executor_ref(e));
    return bx_steal(&e);
}
