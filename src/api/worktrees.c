/* Worktrees. Slow workers: git takes as long as it takes. */
#include "api/call.h"
#include "git/worktree.h"

#define DIFF_MAX (4 * BX_MIB)

static struct bx_worktrees *trees_of(struct bx_api_call *c) {
    return bx_agent_worktrees(c->api->config->agent);
}

int bx_route_worktrees(struct bx_api_call *c, struct bx_err *err) {
    struct bx_worktree_list all;
    int r = bx_worktree_all(trees_of(c), &all, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "worktrees");
    for (size_t i = 0; i < all.n; i++) {
        bx_worktree_look(trees_of(c), &all.items[i]);
        bx_worktree_write(&all.items[i], w);
    }
    bx_jw_end(w);
    bx_jw_end(w);
    bx_worktree_list_deinit(&all);
    return 0;
}

int bx_route_worktree_diff(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_buf_deinit) struct bx_buf patch = BX_BUF_INIT(DIFF_MAX);
    bool cut = false;
    int r = bx_worktree_diff(trees_of(c), id, &patch, &cut, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstrn(w, "diff", bx_buf_str(&patch));
    bx_jw_kbool(w, "cut", cut);
    bx_jw_end(w);
    return 0;
}

static int reply_answer(struct bx_api_call *c, int r, struct bx_worktree_answer *answer) {
    if (r == 0)
        bx_worktree_answer_write(answer, bx_call_json(c, 200));
    bx_worktree_answer_deinit(answer);
    return r;
}

int bx_route_worktree_merge(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 0));
    struct bx_worktree_answer answer = {0};
    return reply_answer(c, bx_worktree_merge(trees_of(c), id, &answer, err), &answer);
}

int bx_route_worktree_keep(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 0));
    struct bx_worktree_answer answer = {0};
    return reply_answer(c, bx_worktree_keep(trees_of(c), id, &answer, err), &answer);
}

int bx_route_worktree_discard(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 0));
    struct bx_worktree_answer answer = {0};
    return reply_answer(c, bx_worktree_discard(trees_of(c), id, &answer, err), &answer);
}
