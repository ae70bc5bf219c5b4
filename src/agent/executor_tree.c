#include "agent/executor.h"

#include "base/log.h"

/* An executor with isolation "worktree": its root is a worktree on a branch of its own, made before
 * it begins and committed when it ends. What becomes of the branch is decided by others. */

int bx_executor_make_tree(struct bx_executor *e, struct bx_mount *ret_mount, struct bx_err *err) {
    struct bx_run *run = e->manager;
    const struct bx_executor *above = e->above;
    size_t count;
    const struct bx_mount *root = bx_run_mounts(run, &count);
    if (above && above->may.empty_root)
        return bx_fail(err, BX_ERR_DENIED,
                       "isolation: a worktree holds the whole project, and you see only some of "
                       "its folders; leave isolation out");
    int rc = bx_worktree_add(e->agent->worktrees, e->session_id,
                             above && above->has_worktree ? above->session_id : NULL, run->spend,
                             &e->tree, err);
    if (rc)
        return bx_wrap(err, rc, "isolation: worktree");
    e->has_worktree = true;
    *ret_mount =
        (struct bx_mount){.host_path = e->tree.path, .guest_path = "/", .writable = root->writable};
    return 0;
}

static void take(struct bx_executor *e, struct bx_worktree *take_now) {
    struct bx_worktree old;
    {
        BX_LOCKED(&e->agent->lock);
        old = e->tree;
        e->tree = *take_now;
    }
    bx_worktree_deinit(&old);
}

int bx_executor_resume_tree(struct bx_executor *e, struct bx_err *err) {
    struct bx_worktree now = {0};
    bool works = e->tree.id[0] && e->tree.state == BX_WORKTREE_ACTIVE;
    if (!e->has_worktree || works)
        return 0;
    int rc = bx_worktree_resume(e->agent->worktrees, e->session_id, &now, err);
    if (rc)
        return bx_wrap(err, rc, "the worktree of this executor");
    take(e, &now);
    return 0;
}

void bx_executor_look_at_tree(struct bx_executor *e) {
    struct bx_worktree now = {0};
    if (e->has_worktree && bx_worktree_get(e->agent->worktrees, e->session_id, &now, NULL) == 0)
        take(e, &now);
}

/* One that could not be committed, and one whose state is not known, may hold work. */
bool bx_executor_tree_is_empty(const struct bx_executor *e) {
    bool rests = e->tree.state == BX_WORKTREE_FINISHED || e->tree.state == BX_WORKTREE_DEAD;
    return e->tree.id[0] && rests && !e->tree.files;
}

void bx_executor_discard_tree(struct bx_executor *e) {
    struct bx_worktree none = {0};
    if (!e->has_worktree)
        return;
    bx_worktree_finish(e->agent->worktrees, e->session_id, NULL, NULL);
    bx_worktree_discard(e->agent->worktrees, e->session_id, NULL, NULL);
    take(e, &none);
}

void bx_executor_finish_tree(struct bx_executor *e) {
    struct bx_worktree now = {0};
    struct bx_err err = {0};
    if (!e->has_worktree)
        return;
    if (bx_worktree_finish(e->agent->worktrees, e->session_id, &now, &err)) {
        bx_warn("agent", "the worktree of %s: %s", e->session_id, err.msg);
        BX_LOCKED(&e->agent->lock);
        if (!e->fault[0])
            snprintf(e->fault, sizeof e->fault, "its worktree: %.400s", err.msg);
        return;
    }
    take(e, &now);
}
