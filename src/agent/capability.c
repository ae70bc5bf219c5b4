#include "agent/capability.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/glob.h"
#include "base/path.h"
#include "base/unwire.h"
#include "fetch/policy.h"

#define PATHS_MAX 16
#define HOSTS_MAX 64

/* ---- tools ---- */

/* "bash(git *)" speaks of the tool bash. */
static bool pattern_names(struct bx_arena *arena, const char *pattern, const char *tool) {
    size_t open = strcspn(pattern, "(");
    struct bx_str name = bx_str_trim(bx_str_n(pattern, open));
    return bx_glob_text(bx_arena_str(arena, name), bx_str(tool));
}

bool bx_narrows_offer(const struct bx_narrow *narrows, size_t count, const char *skip,
                      const struct bx_tool *t) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    if (t->level == BX_LEVEL_NONE)
        return true;
    for (size_t i = 0; i < count; i++) {
        const struct bx_narrow *n = &narrows[i];
        if (skip && strcmp(n->by, skip) == 0)
            continue;
        bool named = !n->tools;
        for (size_t k = 0; n->tools && n->tools[k] && !named; k++)
            named = pattern_names(&arena, n->tools[k], t->name);
        if (!named || t->level > n->max_level)
            return false;
    }
    return true;
}

static void copy_narrow(struct bx_capability *c, const char *by, const struct bx_narrow *from) {
    size_t n = 0;
    while (from->tools && from->tools[n])
        n++;
    const char **tools = from->tools ? bx_arena_alloc(&c->arena, (n + 1) * sizeof *tools) : NULL;
    for (size_t i = 0; i < n; i++)
        tools[i] = bx_arena_str(&c->arena, bx_str(from->tools[i]));
    struct bx_narrow own = {
        .by = bx_arena_str(&c->arena, bx_str(by)), .tools = tools, .max_level = from->max_level};
    bx_vec_push(&c->narrows, own);
}

/* Under another name, so that the executor cannot put one of its own in its place. */
void bx_capability_pass(struct bx_capability *c, const struct bx_narrow *narrows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct bx_narrow *n = &narrows[i];
        if (strcmp(n->by, BX_PLANNER) == 0)
            continue;
        bool passed = bx_str_starts(bx_str(n->by), "the manager's ");
        char *by = bx_arena_printf(&c->arena, "%s%.100s", passed ? "" : "the manager's ", n->by);
        copy_narrow(c, by, n);
    }
}

static const struct bx_tool *find_tool(const struct bx_capability_from *from, const char *name) {
    for (size_t i = 0; i < from->tool_count; i++)
        if (strcmp(from->tools[i]->name, name) == 0)
            return from->tools[i];
    return NULL;
}

/* A name without a star must be one of the manager's. */
static int check_named(struct bx_capability *c, const struct bx_capability_from *from,
                       struct bx_str pattern, struct bx_err *err) {
    size_t open = bx_str_find(pattern, '(');
    const char *name = bx_arena_str(
        &c->arena, bx_str_trim(open == (size_t)-1 ? pattern : bx_str_slice(pattern, 0, open)));
    if (strchr(name, '*'))
        return 0;
    const struct bx_tool *tool = find_tool(from, name);
    if (!tool)
        return bx_fail(err, BX_ERR_INVALID,
                       "tools: there is no tool \"%.100s\"; leave tools out to give the executor "
                       "all that you have",
                       name);
    if (bx_narrows_offer(from->narrows, from->narrow_count, BX_PLANNER, tool) ||
        bx_unwired("executor_subset"))
        return 0;
    return bx_fail(err, BX_ERR_DENIED,
                   "tools: you do not have %.100s yourself, so no executor of yours gets it", name);
}

static int take_tools(struct bx_capability *c, const struct bx_capability_from *from,
                      const struct bx_val *wish, struct bx_err *err) {
    size_t n = 0;
    if (!wish)
        return 0;
    const char **tools = bx_arena_alloc(&c->arena, (bx_val_len(wish) + 1) * sizeof *tools);
    bx_val_foreach_item (wish, item) {
        struct bx_str pattern = bx_str_trim(bx_val_str(item));
        int rc = bx_narrow_check_pattern(pattern, err);
        if (rc || (rc = check_named(c, from, pattern, err)))
            return rc;
        tools[n++] = bx_arena_str(&c->arena, pattern);
    }
    struct bx_narrow own = {
        .by = "the tools that it was given", .tools = tools, .max_level = BX_LEVEL_DANGEROUS};
    bx_vec_push(&c->narrows, own);
    return 0;
}

/* ---- folders ---- */

static const struct bx_mount *mount_of(const struct bx_capability_from *from, const char *path) {
    const struct bx_mount *best = NULL;
    for (size_t i = 0; i < from->mount_count; i++)
        if (bx_path_is_under(path, from->mounts[i].guest_path) &&
            (!best || strlen(from->mounts[i].guest_path) > strlen(best->guest_path)))
            best = &from->mounts[i];
    return best;
}

static void add_mount(struct bx_capability *c, const char *host, const char *guest, bool writable) {
    c->mounts[c->mount_count++] =
        (struct bx_mount){.host_path = bx_arena_str(&c->arena, bx_str(host)),
                          .guest_path = bx_arena_str(&c->arena, bx_str(guest)),
                          .writable = writable};
}

static bool has_guest(const struct bx_capability *c, const char *guest) {
    for (size_t i = 0; i < c->mount_count; i++)
        if (strcmp(c->mounts[i].guest_path, guest) == 0)
            return true;
    return false;
}

/* A folder of the manager's, "/src" or "/src:ro": itself, and the manager's mounts below it. */
static int take_path(struct bx_capability *c, const struct bx_capability_from *from,
                     struct bx_str text, struct bx_err *err) {
    bool ro = bx_str_ends(text, ":ro");
    const char *written = bx_arena_str(&c->arena, ro ? bx_str_slice(text, 0, text.n - 3) : text);
    if (written[0] != '/')
        return bx_fail(err, BX_ERR_INVALID,
                       "paths: \"%.200s\" must be a folder as you see it, such as /src, or "
                       "/src:ro to read only",
                       written);
    bx_auto(bx_freep) char *guest = bx_path_normal(written), *real = NULL;
    const struct bx_mount *m = mount_of(from, guest);
    struct stat st;
    if (m) {
        const char *rest = guest + (strcmp(m->guest_path, "/") ? strlen(m->guest_path) : 0);
        bx_auto(bx_freep) char *host = bx_asprintf("%s%s", m->host_path, rest);
        real = bx_path_real(host, NULL);
    }
    if (!real)
        return bx_fail(err, m ? BX_ERR_INVALID : BX_ERR_DENIED,
                       "paths: there is no folder %.200s among what you see", guest);
    if (!bx_path_is_under(real, m->host_path) && !bx_unwired("executor_subset"))
        return bx_fail(err, BX_ERR_DENIED,
                       "paths: %.200s leads out of the folders that you see yourself", guest);
    if (stat(real, &st) || !S_ISDIR(st.st_mode))
        return bx_fail(err, BX_ERR_INVALID,
                       "paths: %.200s is not a folder; give the folder that holds it", guest);
    if (!has_guest(c, guest))
        add_mount(c, real, guest, m->writable && !ro);
    for (size_t i = 0; i < from->mount_count; i++) {
        const struct bx_mount *inner = &from->mounts[i];
        if (inner != m && bx_path_is_under(inner->guest_path, guest) &&
            !has_guest(c, inner->guest_path))
            add_mount(c, inner->host_path, inner->guest_path, inner->writable && !ro);
    }
    return 0;
}

int bx_capability_make_root(const struct bx_capability *c, struct bx_err *err) {
    if (!c->empty_root)
        return 0;
    int rc = bx_dir_make(c->mounts[0].host_path, 0700, err);
    for (size_t i = 1; i < c->mount_count && !rc; i++) {
        bx_auto(bx_freep) char *stand_in =
            bx_asprintf("%s%s", c->mounts[0].host_path, c->mounts[i].guest_path);
        rc = bx_dir_make(stand_in, 0700, err);
    }
    return rc;
}

void bx_capability_clear_root(const struct bx_capability *c) {
    if (c->empty_root)
        bx_dir_remove(c->mounts[0].host_path, NULL);
}

/* A folder to read inside one to write would be no protection: the writable one reaches it by
 * another name. */
static int check_overlaps(const struct bx_capability *c, struct bx_err *err) {
    for (size_t i = 0; i < c->mount_count; i++)
        for (size_t k = 0; k < c->mount_count; k++)
            if (!c->mounts[i].writable && c->mounts[k].writable &&
                bx_path_is_under(c->mounts[i].host_path, c->mounts[k].host_path) &&
                !bx_unwired("executor_subset"))
                return bx_fail(err, BX_ERR_INVALID,
                               "paths: %.200s cannot be read-only inside %.200s, which is "
                               "writable: give that one read-only, too, or other folders",
                               c->mounts[i].guest_path, c->mounts[k].guest_path);
    return 0;
}

/* The root is the first mount, so it is put there before the others. */
static int take_paths(struct bx_capability *c, const struct bx_capability_from *from,
                      const struct bx_val *wish, const char *empty, struct bx_err *err) {
    c->mounts = bx_arena_alloc(&c->arena, (1 + PATHS_MAX + from->mount_count * (PATHS_MAX + 1)) *
                                              sizeof *c->mounts);
    if (!bx_val_len(wish)) {
        for (size_t i = 0; i < from->mount_count; i++)
            add_mount(c, from->mounts[i].host_path, from->mounts[i].guest_path,
                      from->mounts[i].writable);
        return 0;
    }
    if (bx_val_len(wish) > PATHS_MAX)
        return bx_fail(err, BX_ERR_INVALID, "paths: at most %d folders", PATHS_MAX);
    c->own_mounts = true;
    bool whole = false;
    bx_val_foreach_item (wish, item)
        whole |= bx_str_eqz(bx_val_str(item), "/") || bx_str_eqz(bx_val_str(item), "/:ro");
    c->empty_root = !whole;
    if (!whole)
        add_mount(c, empty, "/", false);
    for (int first = 1; first >= 0; first--)
        bx_val_foreach_item (wish, path) {
            struct bx_str text = bx_val_str(path);
            bool is_root = bx_str_eqz(text, "/") || bx_str_eqz(text, "/:ro");
            int rc = is_root == (bool)first ? take_path(c, from, text, err) : 0;
            if (rc)
                return rc;
        }
    return check_overlaps(c, err);
}

/* ---- hosts ---- */

static bool host_within(const char *const *bound, const char *entry) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    size_t n = 0;
    for (; bound[n]; n++)
        if (strcmp(bound[n], entry) == 0)
            return true;
    struct bx_policy_config config = {.allowed_hosts = bound, .allowed_host_count = n};
    return bx_policy_new(&config, &policy, NULL) == 0 &&
           bx_policy_check_entry(policy, entry, NULL) == 0;
}

static int take_hosts(struct bx_capability *c, const struct bx_capability_from *from,
                      const struct bx_val *wish, struct bx_err *err) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    size_t n = 0, inherited = 0;
    while (from->hosts && from->hosts[inherited])
        inherited++;
    if (!wish && !from->hosts)
        return 0;
    if (bx_val_len(wish) > HOSTS_MAX)
        return bx_fail(err, BX_ERR_INVALID, "hosts: at most %d", HOSTS_MAX);
    c->hosts = bx_arena_alloc(&c->arena, (bx_val_len(wish) + inherited + 1) * sizeof *c->hosts);
    for (size_t i = 0; !wish && i < inherited; i++)
        c->hosts[n++] = bx_arena_str(&c->arena, bx_str(from->hosts[i]));
    bx_val_foreach_item (wish, item) {
        struct bx_str text = bx_val_str(item);
        const char *entry =
            bx_str_find_str(text, BX_STR_LIT("://")) == (size_t)-1
                ? bx_arena_printf(&c->arena, "*://" BX_STR_FMT ":*", BX_STR_ARG(text))
                : bx_arena_str(&c->arena, text);
        if (from->hosts && !host_within(from->hosts, entry) && !bx_unwired("executor_subset"))
            return bx_fail(err, BX_ERR_DENIED,
                           "hosts: you may not reach " BX_STR_FMT
                           " yourself, so no executor of yours may",
                           BX_STR_ARG(bx_str_slice(text, 0, 200)));
        c->hosts[n++] = entry;
    }
    struct bx_policy_config config = {.allowed_hosts = c->hosts, .allowed_host_count = n};
    int rc = bx_policy_new(&config, &policy, err);
    return rc ? bx_wrap(err, rc, "hosts") : 0;
}

/* ---- numbers ---- */

static int take_turns(struct bx_capability *c, const struct bx_capability_from *from,
                      const struct bx_val *wish, const struct bx_agent_def *def,
                      struct bx_err *err) {
    int64_t asked = bx_val_get_int(wish, "max_turns", 0);
    c->max_turns = from->max_turns;
    if (def && def->max_turns)
        c->max_turns = BX_MIN(c->max_turns, def->max_turns);
    if (!asked)
        return 0;
    if (asked > from->max_turns && !bx_unwired("executor_subset"))
        return bx_fail(err, BX_ERR_DENIED,
                       "max_turns: %" PRId64 " are more than your own %u: ask for at most that",
                       asked, from->max_turns);
    c->max_turns = (unsigned)asked;
    return 0;
}

/* How much of its own it may have when nothing is asked for; -1 = as the manager. */
static int64_t share_of(const struct bx_executor_settings *s, enum bx_budget_kind kind,
                        int64_t left) {
    if (s->share == BX_SHARE_PERCENT && left >= 0)
        return left / 100 * s->percent + left % 100 * s->percent / 100;
    return s->share == BX_SHARE_FIXED ? s->caps[kind] : -1;
}

static int take_budget(struct bx_capability *c, const struct bx_capability_from *from,
                       const struct bx_val *wish, const struct bx_executor_settings *settings,
                       struct bx_err *err) {
    int64_t asked[BX_BUDGET_COUNT];
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++)
        asked[k] = -1;
    int rc = bx_budget_read(bx_val_get(wish, "budget"), asked, err);
    if (rc)
        return rc;
    for (unsigned k = 0; k < BX_BUDGET_COUNT; k++) {
        int64_t left = k == BX_BUDGET_TURNS ? -1 : from->left[k], own = share_of(settings, k, left);
        int64_t most = own < 0 ? left : left < 0 ? own : BX_MIN(own, left);
        if (asked[k] >= 0 && most >= 0 && asked[k] > most && !bx_unwired("executor_subset")) {
            bx_auto(bx_buf_deinit) struct bx_buf want = BX_BUF_INIT(100), have = BX_BUF_INIT(100);
            bx_budget_print(&want, k, asked[k]);
            bx_budget_print(&have, k, most);
            return bx_fail(err, BX_ERR_DENIED,
                           "budget: %s are more than the %s that an executor of yours can have "
                           "now: ask for at most that",
                           bx_buf_z(&want), bx_buf_z(&have));
        }
        c->caps[k] = asked[k] >= 0 ? asked[k] : own < 0 ? -1 : most;
    }
    return 0;
}

/* ---- all of it ---- */

int bx_capability_compute(const struct bx_capability_from *from, const struct bx_val *wish,
                          const struct bx_agent_def *def,
                          const struct bx_executor_settings *settings, const char *empty,
                          struct bx_capability *ret, struct bx_err *err) {
    *ret = (struct bx_capability){.mode = from->mode};
    bx_arena_init(&ret->arena);
    bx_capability_pass(ret, from->narrows, from->narrow_count);
    if (def) {
        char by[80];
        struct bx_narrow narrow;
        bx_agent_def_narrow(def, by, &narrow);
        copy_narrow(ret, by, &narrow);
        if (def->has_mode)
            ret->mode = BX_MIN(ret->mode, def->mode);
    }
    int rc = take_tools(ret, from, bx_val_get(wish, "tools"), err);
    if (!rc)
        rc = take_paths(ret, from, bx_val_get(wish, "paths"), empty, err);
    if (!rc)
        rc = take_hosts(ret, from, bx_val_get(wish, "hosts"), err);
    if (!rc)
        rc = take_turns(ret, from, wish, def, err);
    return rc ? rc : take_budget(ret, from, wish, settings, err);
}

void bx_capability_deinit(struct bx_capability *c) {
    bx_vec_free(&c->narrows);
    bx_arena_deinit(&c->arena);
    *c = (struct bx_capability){0};
}
