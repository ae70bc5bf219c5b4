#include "agent/active.h"

static void skill_deinit(struct bx_active_skill *s) {
    bx_free(s->name);
    for (size_t i = 0; s->tools && s->tools[i]; i++)
        bx_free((char *)(uintptr_t)s->tools[i]);
    bx_free(s->tools);
}

static void end_all(struct bx_active_skills *a) {
    for (size_t i = 0; i < a->now.n; i++)
        skill_deinit(&a->now.p[i]);
    a->now.n = 0;
}

void bx_active_deinit(struct bx_active_skills *a) {
    end_all(a);
    bx_vec_free(&a->now);
    bx_free(a->mount);
    *a = (struct bx_active_skills){0};
}

const struct bx_active_skill *bx_active_get(const struct bx_active_skills *a, const char *name) {
    for (size_t i = 0; i < a->now.n; i++)
        if (strcmp(a->now.p[i].name, name) == 0)
            return &a->now.p[i];
    return NULL;
}

static void end_one(struct bx_active_skills *a, const char *name) {
    for (size_t i = 0; i < a->now.n; i++) {
        if (strcmp(a->now.p[i].name, name) == 0) {
            skill_deinit(&a->now.p[i]);
            bx_vec_remove(&a->now, i);
            return;
        }
    }
}

static void begin_one(struct bx_active_skills *a, const char *name, const struct bx_val *event) {
    const struct bx_val *tools = bx_val_get(event, "tools");
    const char *mount = bx_val_get_z(event, "mount");
    size_t n = 0;
    const struct bx_active_skill *before = bx_active_get(a, name);
    /* what the user began stays the user's, however often the model loads it again */
    bool by_user = bx_str_eqz(bx_val_get_str(event, "by"), "user") || (before && before->by_user);
    end_one(a, name);
    struct bx_active_skill s = {.name = bx_strdup(name), .by_user = by_user};
    if (bx_val_is(tools, BX_VAL_ARR)) {
        s.tools = bx_alloc((bx_val_len(tools) + 1) * sizeof *s.tools);
        bx_val_foreach_item (tools, pattern)
            s.tools[n++] = bx_str_dup(bx_val_str(pattern));
    }
    bx_vec_push(&a->now, s);
    if (mount && !a->mount)
        a->mount = bx_strdup(mount);
}

void bx_active_fold(struct bx_active_skills *a, struct bx_str type, const struct bx_val *event) {
    const char *name = bx_val_get_z(event, "skill");
    if (bx_str_eqz(type, "run_start") || bx_str_eqz(type, "run_end"))
        end_all(a);
    if (!bx_str_eqz(type, "skill") || !name)
        return;
    if (bx_val_get_bool(event, "active", false))
        begin_one(a, name, event);
    else
        end_one(a, name);
}
