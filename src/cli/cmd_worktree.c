/* worktree list, diff, merge, keep, discard, clean: beside a running server too, which locks what
 * it works on. */
#include "agent/agent.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/show.h"
#include "git/worktree.h"
#include "json/write.h"

#define DIFF_MAX (64 * BX_MIB)

static bool waits(void *store, const char *executor) {
    return bx_session_waits(store, executor);
}

/* Where no server runs, no executor can be alive: what says that it is at work is dead, but for
 * those that the next server goes on with. */
static int open_trees(const struct bx_args *args, struct bx_cli_context *c,
                      struct bx_worktrees **ret, struct bx_err *err) {
    struct bx_err problem = {0};
    size_t dead;
    int r = bx_cli_store_open(args, BX_STORE_OWNER, c, &problem);
    bool owner = r == 0;
    if (r == BX_ERR_BUSY)
        r = bx_cli_store_open(args, BX_STORE_READER, c, &problem);
    if (r < 0)
        return bx_fail(err, r, "%s", problem.msg);
    *ret = bx_worktrees_new(c->workspace.root, c->workspace.state);
    if (owner && bx_worktrees_recover(*ret, waits, c->store, &dead, &problem))
        fprintf(stderr, "boxagnts: %s\n", problem.msg);
    return 0;
}

static void close_trees(struct bx_cli_context *c, struct bx_worktrees *w) {
    bx_worktrees_free(w);
    bx_cli_context_close(c);
}

/* Names of files are what an executor, or the project, made of them. */
static void add_safe(struct bx_buf *out, const char *before, const char *text) {
    bx_buf_addz(out, before);
    bx_show_add_safe(out, bx_str(text), true);
    bx_buf_addc(out, '\n');
}

static void add_row(const struct bx_worktree *t, struct bx_buf *out) {
    bx_buf_addf(out, "%s  %-8s  %" PRIu64 " file%s +%" PRIu64 " -%" PRIu64 "  from %.10s, into %s",
                t->id, bx_worktree_state_name(t->state), t->files, t->files == 1 ? "" : "s",
                t->insertions, t->deletions, t->base, *t->into ? t->into : "(no branch)");
    if (t->executor[0])
        bx_buf_addf(out, "  executor %s", t->executor);
    bx_buf_addc(out, '\n');
    if (t->problem)
        add_safe(out, "              ", t->problem);
}

int bx_cmd_worktree_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_worktrees *trees;
    struct bx_worktree_list all = {0};
    struct bx_err err;
    if (open_trees(args, &c, &trees, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = bx_worktree_all(trees, &all, &err);
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    bool json = bx_args_has(args, "json");
    struct bx_jw w;
    bx_jw_init(&w, &out);
    if (json)
        bx_jw_arr(&w);
    for (size_t i = 0; i < all.n; i++)
        if (json)
            bx_worktree_write(&all.items[i], &w);
        else
            add_row(&all.items[i], &out);
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    } else if (!all.n && r == 0) {
        bx_buf_addz(&out, "There are no worktrees.\n");
    }
    bx_worktree_list_deinit(&all);
    close_trees(&c, trees);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

int bx_cmd_worktree_diff(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_worktrees *trees;
    struct bx_err err;
    bool cut = false;
    if (open_trees(args, &c, &trees, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(DIFF_MAX);
    int r = bx_worktree_diff(trees, args->operands.p[0], &out, &cut, &err);
    close_trees(&c, trees);
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    if (cut)
        fprintf(stderr, "boxagnts: this is the beginning; the whole is more than 64 MiB\n");
    return bx_cli_print(&out);
}

static void say_answer(const struct bx_worktree_answer *a, struct bx_buf *out) {
    if (!a->problem) {
        bx_buf_addf(out, "%s\n", bx_worktree_state_name(a->state));
        return;
    }
    add_safe(out, "not merged: ", a->problem);
    for (size_t i = 0; i < a->conflicts.n; i++)
        add_safe(out, "  ", a->conflicts.p[i]);
}

typedef int action_fn(struct bx_worktrees *w, const char *id, struct bx_worktree_answer *ret,
                      struct bx_err *err);

static int decide(const struct bx_args *args, action_fn *action) {
    struct bx_cli_context c;
    struct bx_worktrees *trees;
    struct bx_worktree_answer answer = {0};
    struct bx_err err;
    if (open_trees(args, &c, &trees, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = action(trees, args->operands.p[0], &answer, &err);
    close_trees(&c, trees);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bool refused = answer.problem != NULL;
    bx_jw_init(&w, &out);
    if (bx_args_has(args, "json")) {
        bx_worktree_answer_write(&answer, &w);
        bx_buf_addc(&out, '\n');
    } else {
        say_answer(&answer, &out);
    }
    bx_worktree_answer_deinit(&answer);
    int code = bx_cli_print(&out);
    return refused ? BX_EXIT_FAILED : code;
}

int bx_cmd_worktree_merge(const struct bx_args *args) {
    return decide(args, bx_worktree_merge);
}

int bx_cmd_worktree_keep(const struct bx_args *args) {
    return decide(args, bx_worktree_keep);
}

int bx_cmd_worktree_discard(const struct bx_args *args) {
    return decide(args, bx_worktree_discard);
}

int bx_cmd_worktree_clean(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_worktrees *trees;
    struct bx_err err;
    size_t count = 0;
    if (open_trees(args, &c, &trees, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = bx_worktrees_clean(trees, &count, &err);
    close_trees(&c, trees);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(200);
    bx_buf_addf(&out, "%zu taken away; what holds work that is not merged stays\n", count);
    return bx_cli_print(&out);
}
