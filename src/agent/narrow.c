#include "agent/internal.h"

/* What is left of the session's tools in one run (struct bx_narrow): by a skill, an agent's
 * definition, the planner's switch. The evaluator is asked under the same lock. */

static void narrow_deinit(struct bx_narrow *n) {
    bx_free((char *)(uintptr_t)n->by);
    for (size_t i = 0; n->tools && n->tools[i]; i++)
        bx_free((char *)(uintptr_t)n->tools[i]);
    bx_free((void *)(uintptr_t)n->tools);
}

static void copy(const struct bx_narrow *from, struct bx_narrow *ret) {
    size_t n = 0;
    while (from->tools && from->tools[n])
        n++;
    const char **tools = from->tools ? bx_alloc((n + 1) * sizeof *tools) : NULL;
    for (size_t i = 0; i < n; i++)
        tools[i] = bx_strdup(from->tools[i]);
    *ret =
        (struct bx_narrow){.by = bx_strdup(from->by), .tools = tools, .max_level = from->max_level};
}

void bx_run_narrow(struct bx_run *run, const struct bx_narrow *n) {
    struct bx_narrow own;
    copy(n, &own);
    bx_run_widen(run, n->by);
    BX_LOCKED(&run->rules_lock);
    bx_vec_push(&run->narrows, own);
}

void bx_run_widen(struct bx_run *run, const char *by) {
    BX_LOCKED(&run->rules_lock);
    for (size_t i = 0; i < run->narrows.n; i++) {
        if (strcmp(run->narrows.p[i].by, by) == 0) {
            narrow_deinit(&run->narrows.p[i]);
            bx_vec_remove(&run->narrows, i);
            return;
        }
    }
}

void bx_run_narrows_free(struct bx_run *run) {
    for (size_t i = 0; i < run->narrows.n; i++)
        narrow_deinit(&run->narrows.p[i]);
    bx_vec_free(&run->narrows);
}
