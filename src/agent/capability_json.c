#include "agent/capability.h"

/* What stands in settings.json, in the input of the tool Agent and in the event `capability`. */

#define MAX_CONCURRENT 32
#define MAX_DEPTH      8
#define MAX_TOTAL      1000

/* ---- settings ---- */

static int read_count(const struct bx_val *settings, const char *name, unsigned min, unsigned max,
                      unsigned *ret, struct bx_err *err) {
    const struct bx_val *v = bx_val_get(settings, name);
    int64_t n = bx_val_int(v, -1);
    if (!v)
        return 0;
    if (n < min || n > max)
        return bx_fail(err, BX_ERR_INVALID, "settings: \"%s\" must be a number from %u to %u", name,
                       min, max);
    *ret = (unsigned)n;
    return 0;
}

static int read_share(const struct bx_val *v, struct bx_executor_settings *ret,
                      struct bx_err *err) {
    static const char *const kinds[] = {[BX_SHARE_POOL] = "shared_pool",
                                        [BX_SHARE_PERCENT] = "percentage",
                                        [BX_SHARE_FIXED] = "fixed_caps"};
    struct bx_str kind = bx_val_get_str(v, "kind");
    size_t i = 0;
    if (!v)
        return 0;
    while (i < BX_ARRAY_LEN(kinds) && !bx_str_eqz(kind, kinds[i]))
        i++;
    if (i == BX_ARRAY_LEN(kinds))
        return bx_fail(
            err, BX_ERR_INVALID,
            "settings: \"executor_budget\" needs \"kind\": shared_pool, percentage "
            "(with \"percent\") or fixed_caps (with \"caps\": tokens, money, calls, time)");
    ret->share = (enum bx_share)i;
    int64_t percent = bx_val_get_int(v, "percent", 25);
    if (percent < 1 || percent > 100)
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: \"percent\" of \"executor_budget\" must be 1 to 100");
    ret->percent = (unsigned)percent;
    int rc = bx_budget_read(bx_val_get(v, "caps"), ret->caps, err);
    return rc ? bx_wrap(err, rc, "settings: executor_budget") : 0;
}

int bx_executor_settings_read(const struct bx_val *settings, struct bx_executor_settings *ret,
                              struct bx_err *err) {
    *ret = (struct bx_executor_settings){
        .max_concurrent = 4, .max_depth = 2, .max_total = 64, .percent = 25};
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        ret->caps[k] = -1;
    int rc = read_count(settings, "max_concurrent_executors", 1, MAX_CONCURRENT,
                        &ret->max_concurrent, err);
    if (!rc)
        rc = read_count(settings, "max_executor_depth", 0, MAX_DEPTH, &ret->max_depth, err);
    if (!rc)
        rc = read_count(settings, "max_executors", 1, MAX_TOTAL, &ret->max_total, err);
    return rc ? rc : read_share(bx_val_get(settings, "executor_budget"), ret, err);
}

/* ---- the event ---- */

static void write_list(struct bx_jw *w, const char *key, const char *const *items) {
    if (!items) {
        bx_jw_kstr(w, key, NULL);
        return;
    }
    bx_jw_karr(w, key);
    for (; *items; items++)
        bx_jw_z(w, *items);
    bx_jw_end(w);
}

void bx_capability_write(struct bx_jw *w, const struct bx_capability *c) {
    bx_jw_karr(w, "narrows");
    for (size_t i = 0; i < c->narrows.n; i++) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "by", c->narrows.p[i].by);
        write_list(w, "tools", c->narrows.p[i].tools);
        bx_jw_kstr(w, "max_level", bx_level_name(c->narrows.p[i].max_level));
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_mounts_write(w, c->mounts, c->mount_count);
    bx_jw_kbool(w, "own_mounts", c->own_mounts);
    bx_jw_kbool(w, "empty_root", c->empty_root);
    bx_jw_kbool(w, "worktree", c->worktree);
    write_list(w, "hosts", c->hosts);
    bx_jw_kstr(w, "mode", bx_mode_name(c->mode));
    bx_jw_kuint(w, "max_turns", c->max_turns);
    bx_jw_key(w, "budget");
    bx_budget_write(w, c->caps);
}

static const char **read_list(struct bx_arena *arena, const struct bx_val *v) {
    size_t n = 0;
    if (!bx_val_is(v, BX_VAL_ARR))
        return NULL;
    const char **items = bx_arena_alloc(arena, (bx_val_len(v) + 1) * sizeof *items);
    bx_val_foreach_item (v, item)
        items[n++] = bx_arena_str(arena, bx_val_str(item));
    return items;
}

/* False: a level that nobody wrote here. */
static bool read_narrows(struct bx_capability *c, const struct bx_val *v) {
    bx_val_foreach_item (v, item) {
        struct bx_narrow n = {.by = bx_arena_str(&c->arena, bx_val_get_str(item, "by")),
                              .tools = read_list(&c->arena, bx_val_get(item, "tools"))};
        if (!bx_level_parse(bx_val_get_str(item, "max_level"), &n.max_level))
            return false;
        bx_vec_push(&c->narrows, n);
    }
    return bx_val_is(v, BX_VAL_ARR);
}

int bx_capability_read(const struct bx_val *v, struct bx_capability *ret, struct bx_err *err) {
    const struct bx_val *mounts = bx_val_get(v, "mounts");
    *ret = (struct bx_capability){.own_mounts = bx_val_get_bool(v, "own_mounts", true),
                                  .empty_root = bx_val_get_bool(v, "empty_root", false),
                                  .worktree = bx_val_get_bool(v, "worktree", false)};
    bx_arena_init(&ret->arena);
    ret->mounts = bx_arena_alloc(&ret->arena, (bx_val_len(mounts) + 1) * sizeof *ret->mounts);
    bx_val_foreach_item (mounts, m)
        ret->mounts[ret->mount_count++] =
            (struct bx_mount){.host_path = bx_arena_str(&ret->arena, bx_val_get_str(m, "host")),
                              .guest_path = bx_arena_str(&ret->arena, bx_val_get_str(m, "guest")),
                              .writable = bx_val_get_bool(m, "writable", false)};
    ret->hosts = read_list(&ret->arena, bx_val_get(v, "hosts"));
    ret->max_turns = (unsigned)BX_MAX(1, bx_val_get_int(v, "max_turns", 1));
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        ret->caps[k] = -1;
    if (!read_narrows(ret, bx_val_get(v, "narrows")) || !ret->mount_count ||
        !bx_mode_parse(bx_val_get_str(v, "mode"), &ret->mode))
        return bx_fail(err, BX_ERR_DAMAGED,
                       "what this executor may do cannot be read from its session, so nothing is "
                       "run in it; fork it, or start a new session");
    return bx_budget_read(bx_val_get(v, "budget"), ret->caps, err);
}
