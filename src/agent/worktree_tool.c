#include "agent/executor.h"
#include "git/worktree.h"

/* The tool Worktree, on the side of the run that calls it. A run decides about the worktrees of
 * executors below it and no others. */

#define DIFF_MAX   (256 * BX_KIB)
#define MAX_LEVELS 16
#define NAMED_MAX  40

/* Is the executor's session below the run's? By the headers, so that it is so after a restart, too.
 */
static bool is_below(struct bx_run *run, const char *executor) {
    const char *own = bx_session_header(run->session)->id;
    char at[37];
    snprintf(at, sizeof at, "%s", executor);
    for (int level = 0; level < MAX_LEVELS && at[0]; level++) {
        struct bx_session_row row = {0};
        if (bx_store_row(run->agent->store, at, &row, NULL))
            return false;
        snprintf(at, sizeof at, "%s", row.parent.session);
        bx_session_row_deinit(&row);
        if (strcmp(at, own) == 0)
            return true;
    }
    return false;
}

/* "e1", the executor's session, the worktree's id or its branch. */
static int find(struct bx_run *run, const char *id, struct bx_worktree *ret, struct bx_err *err) {
    bx_auto(bx_executor_unrefp) struct bx_executor *e = bx_executor_find(run, bx_str(id));
    const char *name = e ? bx_session_header(e->session)->id : id;
    int rc = bx_worktree_get(run->agent->worktrees, name, ret, err);
    if (rc == BX_ERR_NOTFOUND && e)
        return bx_fail(err, rc, "the executor %s has no worktree: it worked in the root", id);
    if (rc)
        return rc;
    if (is_below(run, ret->executor))
        return 0;
    bx_worktree_deinit(ret);
    return bx_fail(err, BX_ERR_NOTFOUND, "there is no worktree %.60s of an executor of yours", id);
}

static int show_diff(struct bx_run *run, const struct bx_worktree *t, struct bx_tool_result *ret,
                     struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf patch = BX_BUF_INIT(DIFF_MAX),
                                         text = BX_BUF_INIT(4 * DIFF_MAX);
    bool cut = false;
    int rc = bx_worktree_diff(run->agent->worktrees, t->id, &patch, &cut, err);
    if (rc)
        return rc;
    if (!patch.size)
        bx_buf_addz(&patch, "Nothing is different.");
    bx_json_quote(&text, bx_buf_str(&patch));
    ret->content = bx_buf_steal(&text);
    if (cut)
        bx_tool_result_add(
            ret,
            "\n[There is more: the first %d KiB are shown. The whole: boxagnts worktree diff %s]",
            (int)(DIFF_MAX / BX_KIB), t->id);
    return 0;
}

static void say(const struct bx_worktree *t, const struct bx_worktree_answer *a,
                struct bx_tool_result *ret) {
    if (a->problem) {
        bx_tool_result_text(ret, true, "Not merged: %s.", a->problem);
        for (size_t i = 0; i < a->conflicts.n && i < NAMED_MAX; i++)
            bx_tool_result_add(ret, "\n%s", a->conflicts.p[i]);
        if (a->conflicts.n > NAMED_MAX)
            bx_tool_result_add(ret, "\nand %zu more", a->conflicts.n - NAMED_MAX);
    } else if (a->state == BX_WORKTREE_MERGED) {
        bx_tool_result_text(ret, false,
                            "Merged into %s: %" PRIu64 " file%s, +%" PRIu64 " -%" PRIu64 ".",
                            *t->into ? t->into : "the root's branch", t->files,
                            t->files == 1 ? "" : "s", t->insertions, t->deletions);
    } else {
        bx_tool_result_text(ret, false, "Kept on the branch %s; its folder is gone.", t->branch);
    }
}

static int act(struct bx_run *run, const struct bx_worktree *t, struct bx_str action,
               struct bx_tool_result *ret, struct bx_err *err) {
    struct bx_worktrees *trees = run->agent->worktrees;
    struct bx_worktree_answer answer = {0};
    if (bx_str_eqz(action, "diff"))
        return show_diff(run, t, ret, err);
    bool discard = bx_str_eqz(action, "discard");
    int rc = discard                       ? bx_worktree_discard(trees, t->id, &answer, err)
             : bx_str_eqz(action, "merge") ? bx_worktree_merge(trees, t->id, &answer, err)
                                           : bx_worktree_keep(trees, t->id, &answer, err);
    if (!rc && discard)
        bx_tool_result_text(ret, false,
                            "Thrown away: the branch %s and its %" PRIu64 " changed file%s.",
                            t->branch, t->files, t->files == 1 ? "" : "s");
    else if (!rc)
        say(t, &answer, ret);
    if (!rc)
        ret->metadata = bx_asprintf("{\"worktree\":\"%s\",\"state\":\"%s\"}", t->id,
                                    discard ? "discarded" : bx_worktree_state_name(answer.state));
    bx_worktree_answer_deinit(&answer);
    return rc;
}

int bx_worktree_tool(struct bx_tool_ctx *ctx, const struct bx_val *input,
                     struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    struct bx_call *call = ctx->user;
    struct bx_worktree t = {0};
    struct bx_err problem = {0};
    int rc = find(call->run, bx_val_get_z(input, "id"), &t, &problem);
    if (!rc)
        rc = act(call->run, &t, bx_val_get_str(input, "action"), ret, &problem);
    bx_worktree_deinit(&t);
    if (rc) {
        bx_tool_result_deinit(ret);
        bx_tool_result_text(ret, true, "%s.", problem.msg);
    }
    return 0;
}
