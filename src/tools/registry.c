#include "tools/registry.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/vec.h"
#include "base/unwire.h"
#include "box/receipt.h"
#include "json/schema.h"
#include "skills/trust.h"
#include "tools/box_tool.h"
#include "tools/embedded.h"
#include "tools/mounts.h"
#include "tools/native.h"
#include "tools/remote.h"
#include "tools/network.h"
#include "tools/paths.h"
#include "tools/session.h"

#define MAX_INPUT_BYTES   (64 * BX_MIB)
#define DEFER_OVER_TOOLS  20
#define DEFER_OVER_TOKENS 8000

typedef BX_VEC(struct bx_tool *) tool_vec;

struct source {
    char *name;
    unsigned rank;
    tool_vec tools;
};

struct bx_registry {
    struct bx_box *box;
    struct bx_outbound *outbound;
    char *(*secret)(void *user, const char *name);
    void *secret_user;
    struct bx_receipts *receipts;
    struct bx_tool_sessions *sessions;
    BX_VEC(char *) user_skills; /* never changes; NULL ends it */
    const struct bx_file_blob *bundled_skills;
    struct bx_arena arena;
    struct bx_settings_where where;
    _Atomic uint16_t self_port;
    pthread_mutex_t lock; /* of: */
    BX_VEC(struct source) sources;
    tool_vec tools; /* what counts, by name; references of its own */
    struct bx_doc *settings;
    struct bx_defer defer;
    void (*on_change)(void *user);
    void *on_change_user;
};

static const struct bx_native_spec *const natives[] = {
    &bx_native_agent,    &bx_native_agent_output, &bx_native_agent_send, &bx_native_agent_stop,
    &bx_native_ask_user, &bx_native_brief,        &bx_native_enter_plan, &bx_native_exit_plan,
    &bx_native_recall,   &bx_native_remember,     &bx_native_skill,      &bx_native_sleep,
    &bx_native_todo,     &bx_native_tool_search,  &bx_native_worktree,
};

static void empty(tool_vec *tools) {
    for (size_t i = 0; i < tools->n; i++)
        bx_tool_unref(tools->p[i]);
    bx_vec_free(tools);
}

struct ranked {
    struct bx_tool *tool;
    unsigned rank;
};

static int by_name_and_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    int order = strcmp(x->tool->name, y->tool->name);
    return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

typedef BX_VEC(struct ranked) ranked_vec;

/* Of each name the one that counts first. The lock is held. */
static ranked_vec rank_all(const struct bx_registry *r) {
    ranked_vec all = {0};
    for (size_t i = 0; i < r->sources.n; i++)
        for (size_t j = 0; j < r->sources.p[i].tools.n; j++)
            bx_vec_push(&all, ((struct ranked){r->sources.p[i].tools.p[j], r->sources.p[i].rank}));
    if (all.n)
        qsort(all.p, all.n, sizeof *all.p, by_name_and_rank);
    return all;
}

/* The lock is held. */
static void merge_sources(struct bx_registry *r) {
    ranked_vec all = rank_all(r);
    empty(&r->tools);
    for (size_t i = 0; i < all.n; i++)
        if (i == 0 || strcmp(all.p[i].tool->name, all.p[i - 1].tool->name))
            bx_vec_push(&r->tools, bx_tool_ref(all.p[i].tool));
    bx_vec_free(&all);
}

struct bx_hidden_tool *bx_registry_hidden(struct bx_registry *r, size_t *ret_count) {
    BX_VEC(struct bx_hidden_tool) hidden = {0};
    BX_LOCKED(&r->lock);
    ranked_vec all = rank_all(r);
    for (size_t i = 1, first = 0; i < all.n; i++) {
        const struct bx_tool *t = all.p[i].tool, *by = all.p[first].tool;
        if (strcmp(t->name, by->name))
            first = i;
        else
            bx_vec_push(&hidden, ((struct bx_hidden_tool){bx_strdup(t->name), bx_strdup(t->source),
                                                          bx_strdup(by->source)}));
    }
    bx_vec_free(&all);
    *ret_count = hidden.n;
    return hidden.p;
}

void bx_hidden_tools_free(struct bx_hidden_tool *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bx_free(all[i].name);
        bx_free(all[i].source);
        bx_free(all[i].by);
    }
    bx_free(all);
}

static size_t find_source(const struct bx_registry *r, const char *name) {
    size_t i = 0;
    while (i < r->sources.n && strcmp(r->sources.p[i].name, name))
        i++;
    return i;
}

void bx_registry_set_self_port(struct bx_registry *r, uint16_t port) {
    r->self_port = port;
}

void bx_registry_set_source(struct bx_registry *r, const char *name, unsigned rank,
                            struct bx_tool *const *tools, size_t count) {
    struct source fresh = {.name = bx_strdup(name), .rank = rank}, old = {0};
    void (*on_change)(void *user);
    void *user;
    for (size_t i = 0; i < count; i++)
        bx_vec_push(&fresh.tools, bx_tool_ref(tools[i]));
    {
        BX_LOCKED(&r->lock);
        size_t at = find_source(r, name);
        if (at < r->sources.n) {
            old = r->sources.p[at];
            bx_vec_remove(&r->sources, at);
        }
        if (count)
            bx_vec_push(&r->sources, fresh);
        merge_sources(r);
        on_change = r->on_change;
        user = r->on_change_user;
    }
    if (!count)
        bx_free(fresh.name);
    empty(&old.tools); /* the last reference may free a tool: not under the lock */
    bx_free(old.name);
    if (on_change)
        on_change(user);
}

void bx_registry_on_change(struct bx_registry *r, void (*fn)(void *user), void *user) {
    BX_LOCKED(&r->lock);
    r->on_change = fn;
    r->on_change_user = user;
}

static int add_built_in(struct bx_registry *r, struct bx_err *err) {
    tool_vec tools = {0};
    int rc = 0;
    for (size_t i = 0; i < BX_ARRAY_LEN(natives); i++)
        bx_vec_push(&tools, bx_native_tool_new(natives[i]));
    for (size_t i = 0; i < bx_embedded_tool_count && rc == 0; i++) {
        struct bx_tool *tool = NULL;
        rc = bx_box_tool_embedded(r->box, r->outbound, &bx_embedded_tools[i], &tool, err);
        if (rc == 0)
            bx_vec_push(&tools, tool);
    }
    if (rc == 0)
        bx_registry_set_source(r, "built in", BX_RANK_BUILT_IN, tools.p, tools.n);
    empty(&tools);
    return rc;
}

/* The folders are the registry's own copies. */
static void copy_folders(struct bx_registry *r, const struct bx_registry_config *config) {
    struct bx_mount *mounts = bx_arena_alloc(&r->arena, (config->mount_count + 1) * sizeof *mounts);
    for (size_t i = 0; i < config->mount_count; i++)
        mounts[i] = (struct bx_mount){
            .host_path = bx_arena_str(&r->arena, bx_str(config->mounts[i].host_path)),
            .guest_path = bx_arena_str(&r->arena, bx_str(config->mounts[i].guest_path)),
            .writable = config->mounts[i].writable};
    r->where = (struct bx_settings_where){
        .base = config->mounts ? mounts : NULL,
        .base_count = config->mount_count,
        .state = config->state_dir ? bx_arena_str(&r->arena, bx_str(config->state_dir)) : NULL};
}

static int read_defer(const struct bx_val *settings, struct bx_defer *ret, struct bx_err *err) {
    const struct bx_val *set = bx_val_get(settings, "defer_tools");
    *ret = (struct bx_defer){.over_tools = DEFER_OVER_TOOLS, .over_tokens = DEFER_OVER_TOKENS};
    if (set && !bx_val_is(set, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: \"defer_tools\" must be an object: over_tools, over_tokens");
    bx_val_foreach_member (set, name, value) {
        bool tools = bx_str_eqz(name, "over_tools");
        int64_t n = bx_val_int(value, -2);
        if ((!tools && !bx_str_eqz(name, "over_tokens")) || n < -1 || n > 1000000)
            return bx_fail(err, BX_ERR_INVALID,
                           "settings: \"defer_tools\" takes over_tools and over_tokens, numbers "
                           "from 0 to 1000000, or -1 for never; not " BX_STR_FMT,
                           BX_STR_ARG(name));
        *(tools ? &ret->over_tools : &ret->over_tokens) = n;
    }
    return 0;
}

int bx_registry_new(const struct bx_registry_config *config, struct bx_registry **ret,
                    struct bx_err *err) {
    bx_auto(bx_registry_freep) struct bx_registry *r = bx_new(struct bx_registry);
    pthread_mutex_init(&r->lock, NULL);
    r->box = config->box;
    r->outbound = config->outbound;
    r->secret = config->secret;
    r->secret_user = config->secret_user;
    r->receipts = config->receipts;
    r->sessions = bx_tool_sessions_new(BX_TOOL_SESSIONS_MAX);
    for (const char *const *at = config->user_skills; at && *at; at++)
        bx_vec_push(&r->user_skills, bx_strdup(*at));
    bx_vec_push(&r->user_skills, NULL);
    r->bundled_skills = config->bundled_skills;
    bx_arena_init(&r->arena);
    copy_folders(r, config);
    int rc = bx_registry_reload(r, config->settings, err);
    if (!rc)
        rc = add_built_in(r, err);
    if (rc)
        return rc;
    *ret = bx_steal(&r);
    return 0;
}

void bx_registry_free(struct bx_registry *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->sources.n; i++) {
        empty(&r->sources.p[i].tools);
        bx_free(r->sources.p[i].name);
    }
    bx_vec_free(&r->sources);
    empty(&r->tools);
    bx_tool_sessions_free(r->sessions);
    for (size_t i = 0; i < r->user_skills.n; i++)
        bx_free(r->user_skills.p[i]);
    bx_vec_free(&r->user_skills);
    bx_doc_free(r->settings);
    bx_arena_deinit(&r->arena);
    pthread_mutex_destroy(&r->lock);
    bx_free(r);
}

const char *bx_registry_state(struct bx_registry *r) {
    return r->where.state;
}

static struct bx_skills_where skills_where(const struct bx_registry *r, const char *root,
                                           const char *own) {
    return (struct bx_skills_where){.root = root,
                                    .workspace = own,
                                    .user = (const char *const *)r->user_skills.p,
                                    .bundled = r->bundled_skills};
}

static char *own_skills(const struct bx_registry *r) {
    return r->where.state ? bx_path_join(r->where.state, "skills") : NULL;
}

struct bx_skills *bx_registry_skills(struct bx_registry *r, const char *root) {
    bx_auto(bx_freep) char *own = own_skills(r);
    struct bx_skills_where where = skills_where(r, root, own);
    struct bx_skills *s = bx_skills_find(&where);
    bx_skills_mark_trust(s, r->where.state);
    return s;
}

char *bx_registry_skill_place(struct bx_registry *r, const char *root, size_t i) {
    bx_auto(bx_freep) char *own = own_skills(r);
    struct bx_skills_where where = skills_where(r, root, own);
    return bx_skills_place(&where, i);
}

bool bx_tool_is_extra(const struct bx_tool *t) {
    return t->kind != BX_TOOL_NATIVE && strcmp(t->source, "built in") != 0;
}

bool bx_tool_is_core(const struct bx_tool *t) {
    static const char *const names[] = {"read", "write", "edit",      "glob",
                                        "grep", "bash",  "ToolSearch"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (strcmp(t->name, names[i]) == 0)
            return !bx_tool_is_extra(t);
    return false;
}

struct bx_defer bx_registry_defer(struct bx_registry *r) {
    BX_LOCKED(&r->lock);
    return r->defer;
}

struct bx_tool *bx_registry_find(struct bx_registry *r, const char *name) {
    BX_LOCKED(&r->lock);
    for (size_t i = 0; i < r->tools.n; i++)
        if (strcmp(r->tools.p[i]->name, name) == 0)
            return bx_tool_ref(r->tools.p[i]);
    return NULL;
}

char *bx_registry_nearest(struct bx_registry *r, const char *name) {
    BX_LOCKED(&r->lock);
    const char *best = NULL;
    size_t best_distance = 1 + strlen(name) / 2;
    for (size_t i = 0; i < r->tools.n; i++) {
        const char *known = r->tools.p[i]->name;
        size_t d = bx_str_slips(bx_str(name), bx_str(known));
        if (strlen(name) > 3 && (strcasestr(name, known) || strcasestr(known, name)))
            d = BX_MIN(d, 1); /* read_file → read */
        if (d < best_distance) {
            best_distance = d;
            best = known;
        }
    }
    return best ? bx_strdup(best) : NULL;
}

struct bx_tool **bx_registry_all(struct bx_registry *r, size_t *ret_count) {
    BX_LOCKED(&r->lock);
    struct bx_tool **all = bx_realloc_array(NULL, r->tools.n + 1, sizeof *all);
    for (size_t i = 0; i < r->tools.n; i++)
        all[i] = bx_tool_ref(r->tools.p[i]);
    all[r->tools.n] = NULL;
    *ret_count = r->tools.n;
    return all;
}

int bx_registry_load_file(struct bx_registry *r, const char *path, struct bx_tool **ret,
                          struct bx_err *err) {
    struct bx_remote_config remote = {r->outbound, r->secret, r->secret_user};
    return bx_str_ends(bx_str(path), BX_REMOTE_SUFFIX)
               ? bx_remote_tool_load(&remote, path, ret, err)
               : bx_box_tool_load(r->box, r->outbound, path, ret, err);
}

struct bx_tool_session *bx_registry_session(struct bx_registry *r, const char *session_id) {
    return bx_tool_sessions_get(r->sessions, session_id);
}

void bx_registry_end_worker(struct bx_registry *r, const char *worker) {
    if (r->box)
        bx_box_end_worker(r->box, worker);
}

static void note_wishes(struct bx_tool_limits *now, const struct bx_limits *before,
                        enum bx_limit_from from) {
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++)
        if (now->limits.value[i] != before->value[i])
            now->from[i] = (unsigned char)from;
}

/* A descriptor may only lower. What an MCP tool wants was written by the user, into the server's
 * configuration. */
static int wish_of(const struct bx_tool *t, struct bx_limits *limits, struct bx_err *err) {
    const struct bx_val *wanted = bx_val_get(t->wants, "limits");
    if (t->kind == BX_TOOL_BOX)
        return bx_box_tool_wish(t, limits, err);
    return t->kind == BX_TOOL_MCP ? bx_limits_read(limits, wanted, err)
                                  : bx_limits_lower(limits, wanted, err);
}

int bx_registry_limits(struct bx_registry *r, const struct bx_tool *t,
                       const struct bx_limits_wish *wish, struct bx_arena *arena,
                       struct bx_tool_limits *ret, struct bx_err *err) {
    struct bx_tool_limits l;
    bx_tool_limits_init(&l);
    struct bx_limits before = l.limits;
    int rc = wish_of(t, &l.limits, err);
    note_wishes(&l, &before, t->kind == BX_TOOL_MCP ? BX_FROM_SETTINGS : BX_FROM_DESCRIPTOR);
    if (!rc) {
        BX_LOCKED(&r->lock);
        rc = bx_tool_settings_apply(bx_val_get(bx_doc_root(r->settings), "limits"), t->name, arena,
                                    &l, err);
    }
    for (size_t i = 0; wish && i < wish->granted_count && !rc; i++)
        rc = bx_tool_limits_read(&l, wish->granted[i], BX_FROM_GRANT, NULL, arena, err);
    if (!rc && wish)
        rc = bx_tool_limits_over(&l, wish->over, err);
    if (!rc)
        *ret = l;
    return rc;
}

int bx_registry_grant(struct bx_registry *r, const struct bx_tool *t,
                      const struct bx_tool_limits *l, const struct bx_mount *base,
                      size_t base_count, struct bx_arena *arena, struct bx_grant *ret,
                      struct bx_err *err) {
    const struct bx_tool_list *lists = l->lists;
    struct bx_mount *mounts = NULL;
    size_t count = 0;
    struct bx_mounts_wish wish = {
        .base = base,
        .base_count = base_count,
        .work_dir = lists[BX_LIST_WORK_DIR].n ? lists[BX_LIST_WORK_DIR].items[0] : NULL,
        .map_dirs = lists[BX_LIST_MAP_DIRS].items,
        .map_count = lists[BX_LIST_MAP_DIRS].n,
        .state = r->where.state};
    int rc = bx_mounts_make(&wish, arena, &mounts, &count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        mounts[i].writable = mounts[i].writable && t->level >= BX_LEVEL_WRITE;
    *ret = (struct bx_grant){.mounts = mounts,
                             .mount_count = count,
                             .limits = l->limits,
                             .hosts = lists[BX_LIST_HOSTS].items,
                             .host_count = lists[BX_LIST_HOSTS].n,
                             .block_networks = lists[BX_LIST_BLOCK].items,
                             .block_network_count = lists[BX_LIST_BLOCK].n,
                             .guarded_paths = lists[BX_LIST_GUARDED].items,
                             .guarded_path_count = lists[BX_LIST_GUARDED].n,
                             .self_port = r->self_port};
    return 0;
}

int bx_registry_check_limits(struct bx_registry *r, const char *key, const struct bx_val *values,
                             struct bx_err *err) {
    return bx_tool_settings_check_one(key, values, &r->where, err);
}

int bx_registry_reload(struct bx_registry *r, const struct bx_val *settings, struct bx_err *err) {
    struct bx_defer defer;
    int rc = bx_tool_settings_check(bx_val_get(settings, "limits"), &r->where, err);
    if (!rc)
        rc = read_defer(settings, &defer, err);
    if (rc)
        return rc;
    struct bx_doc *copy = bx_val_copy(settings), *old;
    pthread_mutex_lock(&r->lock);
    old = r->settings;
    r->settings = copy;
    r->defer = defer;
    pthread_mutex_unlock(&r->lock);
    bx_doc_free(old);
    return 0;
}

/* ---- one call ---- */

static char *record(struct bx_registry *r, const struct bx_tool *t, const struct bx_val *input,
                    const struct bx_tool_ctx *ctx, struct bx_receipt *receipt) {
    char id[BX_ID_LEN + 1];
    if (!r->receipts)
        return NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(MAX_INPUT_BYTES),
                                         json = BX_BUF_INIT(4 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, input);
    receipt->tool = t->name;
    receipt->call_id = ctx->call_id;
    receipt->input = bx_buf_str(&text);
    receipt->granted = ctx->grant;
    receipt->permit = bx_tool_permit_said(ctx->permit);
    if (bx_receipts_append(r->receipts, receipt, id, NULL))
        return NULL; /* the record is no condition of the call: its folder's trouble is said by
                        doctor */
    bx_jw_init(&w, &json);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", id);
    bx_jw_kstr(&w, "tool", t->name);
    bx_jw_kobj(&w, "used");
    bx_jw_kuint(&w, "wall_us", receipt->wall_us);
    bx_jw_end(&w);
    bx_jw_kstr(&w, "limit", receipt->limit);
    bx_jw_kstr(&w, "verdict", receipt->verdict);
    bx_jw_end(&w);
    return bx_buf_steal(&json);
}

void bx_registry_record_denied(struct bx_registry *r, const struct bx_tool *t,
                               const struct bx_val *input, const struct bx_tool_ctx *ctx,
                               const char *reason, char **ret_receipt) {
    struct bx_receipt receipt = {.verdict = "denied", .reason = reason};
    *ret_receipt = record(r, t, input, ctx, &receipt);
}

/* The input with guest paths, in a document of its own; NULL when it is too large for one. */
static struct bx_doc *map_input(const struct bx_tool *t, const struct bx_val *input,
                                const struct bx_grant *grant) {
    bx_auto(bx_arena_deinit) struct bx_arena arena;
    bx_auto(bx_buf_deinit) struct bx_buf mapped = BX_BUF_INIT(MAX_INPUT_BYTES);
    struct bx_json_limits limits = {.max_size_bytes = MAX_INPUT_BYTES};
    struct bx_doc *doc = NULL;
    bx_arena_init(&arena);
    bx_tool_map_input(t, input, grant, &arena, &mapped);
    if (bx_buf_failed(&mapped) || bx_doc_parse(bx_buf_str(&mapped), &limits, &doc, NULL))
        return NULL;
    return doc;
}

/* A path that leads out of the folders: the sentence of the guest or of the wall knows nothing of
 * the setting. */
static void explain_path(const struct bx_tool *t, const struct bx_val *input,
                         const struct bx_tool_ctx *ctx, struct bx_tool_result *ret) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_call_reach reach;
    bx_tool_reach(t, input, ctx->grant, &arena, &reach);
    const char *outside = reach.outside_path;
    for (size_t i = 0; i < reach.path_count && !outside; i++)
        if (!bx_guest_path_real(ctx->grant, reach.paths[i], &arena))
            outside = reach.paths[i];
    if (!outside)
        return;
    bx_auto(bx_freep) char *line = bx_path_line(t->name);
    bx_tool_result_add(
        ret,
        "%s leads outside of the folders that %s sees (path limit); a folder is added "
        "with --mount HOST:GUEST or, in settings.json, %s.",
        outside, t->name, line);
    ret->limit = "path";
    bx_free(ret->denied);
    ret->denied = bx_denied_json("path", "path", outside, "map_dirs", line);
}

static int run_here(struct bx_registry *r, struct bx_tool *t, const struct bx_val *input,
                    struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    uint64_t start_us = bx_mono_us();
    struct bx_receipt_host traffic = {.host = NULL};
    ctx->traffic = &traffic;
    int rc = t->execute(t, input, ctx, ret, err);
    ctx->traffic = NULL;
    struct bx_receipt receipt = {
        .digest = t->digest,
        .hosts = &traffic,
        .host_count = traffic.host ? 1 : 0,
        .output = bx_str(ret->content),
        .wall_us = bx_mono_us() - start_us,
        .limit = ret->limit,
        .verdict = rc              ? "failed"
                   : ret->limit    ? "stopped"
                   : ret->is_error ? "error"
                                   : "ok",
        .reason = rc && err ? err->msg : NULL,
    };
    ret->receipt = record(r, t, input, ctx, &receipt);
    bx_free(traffic.host);
    return rc;
}

int bx_registry_execute(struct bx_registry *r, struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    struct bx_err problem = {0};
    uint64_t start_ms = bx_mono_ms();
    const struct bx_tool_permit *pass = ctx->permit;
    ctx->registry = r;
    if (!(pass && pass->allowed && pass->tool == t && pass->input == input) &&
        !bx_unwired("permit"))
        return bx_fail(err, BX_ERR_DENIED, "this call of %s has not passed the permission check",
                       t->name);
    if (!bx_val_is(input, BX_VAL_OBJ) || bx_schema_check(t->schema, input, &problem)) {
        bx_tool_result_text(ret, true, "The arguments of %s do not fit: %s.", t->name,
                            problem.code ? problem.msg : "they must be one JSON object");
        bx_registry_record_denied(r, t, input, ctx, "the arguments do not fit the schema",
                                  &ret->receipt);
        return 0;
    }
    bx_auto(bx_doc_freep) struct bx_doc *mapped = NULL;
    if (*t->path_members) {
        mapped = map_input(t, input, ctx->grant);
        if (!mapped) {
            bx_tool_result_text(ret, true, "The arguments of %s are larger than 64 MiB.", t->name);
            return 0;
        }
        input = bx_doc_root(mapped);
    }
    bx_auto(bx_tool_session_unrefp) struct bx_tool_session *session =
        bx_registry_session(r, ctx->session_id);
    ctx->session = session;
    /* A sandboxed call's receipt is the box's, which knows what was used; the others' are written
     * here. */
    int rc = t->kind == BX_TOOL_BOX ? t->execute(t, input, ctx, ret, err)
                                    : run_here(r, t, input, ctx, ret, err);
    ctx->session = NULL;
    if (!rc && ret->is_error && !ret->limit && *t->path_members)
        explain_path(t, input, ctx, ret);
    ret->ms = bx_mono_ms() - start_ms;
    return rc;
}
