#include "tools/settings.h"

#include "base/glob.h"
#include "fetch/policy.h"
#include "tools/mounts.h"

#define LIST_MAX 256 /* entries of one list */

static const struct bx_list_info infos[BX_LIST_COUNT] = {
    [BX_LIST_HOSTS] = {"allowed_outbound_hosts", "network", false,
                       "hosts that it may reach: scheme://host[:port]"},
    [BX_LIST_BLOCK] = {"block_networks", "network", false,
                       "networks that it never reaches: CIDRs, or private"},
    [BX_LIST_WORK_DIR] = {"work_dir", "path", true, "the folder that it sees as /; none: the root"},
    [BX_LIST_MAP_DIRS] = {"map_dirs", "path", false,
                          "further folders: HOST:GUEST or HOST:GUEST:ro"},
    [BX_LIST_GUARDED] = {"guarded_paths", "guarded", false,
                         "files that your own programs obey, beside .git, .envrc …"},
};

const struct bx_list_info *bx_list_info(enum bx_list_id id) {
    assert((unsigned)id < BX_LIST_COUNT);
    return &infos[id];
}

const char *bx_limit_from_name(enum bx_limit_from from) {
    static const char *const names[] = {"default", "descriptor", "settings", "grant", "call"};
    return names[from];
}

void bx_tool_limits_init(struct bx_tool_limits *l) {
    struct bx_grant grant;
    bx_grant_init(&grant);
    *l = (struct bx_tool_limits){.limits = grant.limits};
    l->lists[BX_LIST_BLOCK].items = grant.block_networks;
    l->lists[BX_LIST_BLOCK].n = grant.block_network_count;
}

static int find_list(struct bx_str name) {
    for (int i = 0; i < BX_LIST_COUNT; i++)
        if (bx_str_eqz(name, infos[i].setting))
            return i;
    return -1;
}

/* ---- reading ---- */

/* A text stands for a list of one. */
static int read_list(enum bx_list_id id, const struct bx_val *v, struct bx_arena *arena,
                     struct bx_tool_list *ret, struct bx_err *err) {
    const char **items = bx_arena_alloc(arena, (bx_val_len(v) + 1) * sizeof *items);
    size_t n = 0;
    if (bx_val_is(v, BX_VAL_STR))
        items[n++] = bx_arena_str(arena, bx_val_str(v));
    else if (!bx_val_is(v, BX_VAL_ARR) || infos[id].single)
        return bx_fail(err, BX_ERR_INVALID, "%s must be %s, not %s", infos[id].setting,
                       infos[id].single ? "a text" : "a list of texts", bx_val_type_name(v));
    bx_val_foreach_item (v, item) {
        struct bx_str text = bx_val_str(item);
        if (!text.n || memchr(text.p, 0, text.n) || n >= LIST_MAX)
            return bx_fail(err, BX_ERR_INVALID,
                           "%s must hold texts that are not empty, at most %d of them",
                           infos[id].setting, LIST_MAX);
        items[n++] = bx_arena_str(arena, text);
    }
    ret->items = items;
    ret->n = n;
    return 0;
}

int bx_tool_limits_read(struct bx_tool_limits *l, const struct bx_val *values,
                        enum bx_limit_from from, const char *key, struct bx_arena *arena,
                        struct bx_err *err) {
    int rc = bx_limits_read(&l->limits, values, err);
    for (size_t i = 0; i < BX_LIMIT_COUNT && !rc; i++) {
        const struct bx_limit_info *info = bx_limit_info((enum bx_limit_id)i);
        if (!bx_val_get(values, info->name) && !bx_val_get(values, info->setting))
            continue;
        l->from[i] = (unsigned char)from;
        l->key[i] = key;
    }
    for (int i = 0; i < BX_LIST_COUNT && !rc; i++) {
        const struct bx_val *v = bx_val_get(values, infos[i].setting);
        struct bx_tool_list list = {.from = from, .key = key}, *into = &l->lists[i];
        if (!v || (rc = read_list((enum bx_list_id)i, v, arena, &list, err)))
            continue;
        if (i == BX_LIST_GUARDED)
            for (size_t k = 0; k < list.n; k++)
                bx_tool_limits_add(l, BX_LIST_GUARDED, list.items[k], from, arena);
        else
            *into = list;
        into->key = key;
    }
    return rc;
}

void bx_tool_limits_add(struct bx_tool_limits *l, enum bx_list_id id, const char *item,
                        enum bx_limit_from from, struct bx_arena *arena) {
    struct bx_tool_list *list = &l->lists[id];
    const char **items = bx_arena_alloc(arena, (list->n + 1) * sizeof *items);
    for (size_t i = 0; i < list->n; i++)
        items[i] = list->items[i];
    items[list->n] = bx_arena_str(arena, bx_str(item));
    *list = (struct bx_tool_list){.items = items, .n = list->n + 1, .from = from};
}

int bx_tool_limits_over(struct bx_tool_limits *l, const char *const *over, struct bx_err *err) {
    int rc = 0;
    for (; !rc && over && *over; over++) {
        struct bx_str name = bx_str(*over);
        name = bx_str_slice(name, 0, bx_str_find(name, '='));
        rc = bx_limits_set_pair(&l->limits, *over, err);
        for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
            const struct bx_limit_info *info = bx_limit_info((enum bx_limit_id)i);
            if (bx_str_eqz(name, info->name) || bx_str_eqz(name, info->setting)) {
                l->from[i] = BX_FROM_CALL;
                l->key[i] = NULL;
            }
        }
    }
    return rc;
}

static bool is_pattern(struct bx_str key) {
    return bx_str_find(key, '*') != (size_t)-1;
}

int bx_tool_settings_apply(const struct bx_val *limits, const char *tool, struct bx_arena *arena,
                           struct bx_tool_limits *l, struct bx_err *err) {
    int rc = 0;
    for (int pass = 0; pass < 3 && !rc; pass++) {
        bx_val_foreach_member (limits, name, values) {
            int order = bx_str_eqz(name, "*") ? 0 : is_pattern(name) ? 1 : 2;
            const char *key = bx_arena_str(arena, name);
            if (!rc && order == pass && bx_glob_text(key, bx_str(tool)))
                rc = bx_tool_limits_read(l, values, BX_FROM_SETTINGS, key, arena, err);
        }
    }
    return rc;
}

/* ---- checking ---- */

static int unknown(const char *key, struct bx_str name, struct bx_err *err) {
    const char *best = NULL;
    size_t least = 4;
    for (size_t i = 0; i < BX_LIMIT_COUNT + BX_LIST_COUNT; i++) {
        const struct bx_limit_info *info =
            i < BX_LIMIT_COUNT ? bx_limit_info((enum bx_limit_id)i) : NULL;
        const char *known[] = {info ? info->name : infos[i - BX_LIMIT_COUNT].setting,
                               info ? info->setting : infos[i - BX_LIMIT_COUNT].setting};
        for (size_t k = 0; k < 2; k++) {
            size_t slips = bx_str_slips(name, bx_str(known[k]));
            if (slips < least) {
                least = slips;
                best = known[k];
            }
        }
    }
    return bx_fail(err, BX_ERR_INVALID,
                   "settings: there is no limit \"" BX_STR_FMT "\" (for \"%s\")%s%s%s",
                   BX_STR_ARG(bx_str_slice(name, 0, 60)), key, best ? "; did you mean \"" : "",
                   best ? best : "", best ? "\"?" : "");
}

static int check_lists(const struct bx_tool_limits *l, const struct bx_settings_where *where,
                       struct bx_arena *arena, struct bx_err *err) {
    const struct bx_tool_list *hosts = &l->lists[BX_LIST_HOSTS], *block = &l->lists[BX_LIST_BLOCK],
                              *guarded = &l->lists[BX_LIST_GUARDED],
                              *work_dir = &l->lists[BX_LIST_WORK_DIR];
    struct bx_policy_config config = {.allowed_hosts = hosts->items,
                                      .allowed_host_count = hosts->n,
                                      .block_networks = block->items,
                                      .block_network_count = block->n};
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    int rc = bx_policy_new(&config, &policy, err);
    for (size_t i = 0; i < guarded->n && !rc; i++) {
        const char *g = guarded->items[i];
        if (g[0] != '/' && strchr(g, '/'))
            rc = bx_fail(err, BX_ERR_INVALID,
                         "guarded_paths: \"%.100s\" must be a name, or a path that starts with / "
                         "(the root that tools see)",
                         g);
    }
    if (rc || !where || !where->base)
        return rc;
    struct bx_mounts_wish wish = {.base = where->base,
                                  .base_count = where->base_count,
                                  .work_dir = work_dir->n ? work_dir->items[0] : NULL,
                                  .map_dirs = l->lists[BX_LIST_MAP_DIRS].items,
                                  .map_count = l->lists[BX_LIST_MAP_DIRS].n,
                                  .state = where->state};
    struct bx_mount *mounts;
    size_t count;
    return bx_mounts_make(&wish, arena, &mounts, &count, err);
}

int bx_tool_settings_check_one(const char *key, const struct bx_val *values,
                               const struct bx_settings_where *where, struct bx_err *err) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_tool_limits l;
    if (!bx_val_is(values, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: limits are given by tool, {\"*\":{\"time\":\"60s\"}} is for all "
                       "of them; \"%s\" is no object",
                       key);
    bx_val_foreach_member (values, name, value) {
        (void)value;
        if (find_list(name) < 0 && !bx_limit_is_known(name))
            return unknown(key, name, err);
    }
    bx_tool_limits_init(&l);
    int rc = bx_tool_limits_read(&l, values, BX_FROM_SETTINGS, NULL, &arena, err);
    if (!rc)
        rc = check_lists(&l, where, &arena, err);
    return rc ? bx_wrap(err, rc, "settings: limits of \"%s\"", key) : 0;
}

int bx_tool_settings_check(const struct bx_val *limits, const struct bx_settings_where *where,
                           struct bx_err *err) {
    if (limits && !bx_val_is(limits, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: \"limits\" must be an object of tool names (or \"*\")");
    bx_val_foreach_member (limits, name, values) {
        bx_auto(bx_freep) char *key = bx_str_dup(bx_str_slice(name, 0, 128));
        int rc = bx_tool_settings_check_one(key, values, where, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- writing ---- */

static void write_from(struct bx_jw *w, enum bx_limit_from from, const char *key) {
    bx_jw_kstr(w, "from", bx_limit_from_name(from));
    if (key)
        bx_jw_kstr(w, "key", key);
}

void bx_tool_limits_write(struct bx_jw *w, const struct bx_tool_limits *l) {
    static const char *const units[] = {
        [BX_UNIT_MS] = "ms", [BX_UNIT_BYTES] = "bytes", [BX_UNIT_COUNT] = "count"};
    bx_jw_obj(w);
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        const struct bx_limit_info *info = bx_limit_info((enum bx_limit_id)i);
        bx_jw_kobj(w, info->name);
        bx_jw_kuint(w, "value", l->limits.value[i]);
        bx_jw_kstr(w, "unit", units[info->unit]);
        write_from(w, (enum bx_limit_from)l->from[i], l->key[i]);
        bx_jw_kstr(w, "setting", info->setting);
        bx_jw_kuint(w, "min", info->min);
        bx_jw_kuint(w, "max", info->max);
        bx_jw_kuint(w, "default", info->default_value);
        bx_jw_kstr(w, "what", info->what);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

void bx_tool_lists_write(struct bx_jw *w, const struct bx_tool_limits *l) {
    bx_jw_obj(w);
    for (size_t i = 0; i < BX_LIST_COUNT; i++) {
        const struct bx_tool_list *list = &l->lists[i];
        bx_jw_kobj(w, infos[i].setting);
        bx_jw_key(w, "value");
        if (infos[i].single) {
            bx_jw_z(w, list->n ? list->items[0] : NULL);
        } else {
            bx_jw_arr(w);
            for (size_t k = 0; k < list->n; k++)
                bx_jw_z(w, list->items[k]);
            bx_jw_end(w);
        }
        write_from(w, list->from, list->key);
        bx_jw_kstr(w, "limit", infos[i].limit);
        bx_jw_kstr(w, "what", infos[i].what);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}
