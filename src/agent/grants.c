#include "agent/executor.h"

#include "base/clock.h"
#include "permit/rule.h"

/* What is granted to a call beside the settings, looked up anew whenever it matters: grant by
 * grant, also in mid-call. */

static bool is_used(const struct bx_live_grants *g, const char *id) {
    for (size_t i = 0; i < g->used.n; i++)
        if (strcmp(g->used.p[i], id) == 0)
            return true;
    return false;
}

static bool is_given(const struct bx_run *run, const char *id) {
    for (size_t i = 0; run && i < run->history->given.rules.n; i++)
        if (strcmp(run->history->given.rules.p[i].id, id) == 0)
            return true;
    return false;
}

/* The rules as they are now: of the run (its lock is held), or the settings'. */
static int rules_now(struct bx_live_grants *g, const struct bx_rule **ret, size_t *ret_count) {
    if (g->call) {
        struct bx_run *run = g->call->run;
        int rc = bx_run_load_rules(run, NULL);
        *ret = run->rules;
        *ret_count = run->rule_count;
        return rc;
    }
    bx_rules_free(g->rules, g->rule_count);
    g->rules = NULL;
    g->rule_count = 0;
    int rc = bx_agent_settings_rules(g->agent, &g->rules, &g->rule_count, NULL);
    *ret = g->rules;
    *ret_count = g->rule_count;
    return rc;
}

static pthread_mutex_t *lock_of(struct bx_live_grants *g) {
    return g->call ? &g->call->run->rules_lock : &g->lock;
}

void bx_live_hosts(struct bx_live_grants *g, const struct bx_rule *rules, size_t count,
                   struct bx_arena *arena, struct bx_host_grants *ret) {
    int64_t now = bx_wall_ms();
    size_t over_count = 0;
    while (g->over && g->over[over_count])
        over_count++;
    size_t most = count + g->yes_count + over_count + 1;
    const char **granted = bx_arena_alloc(arena, most * sizeof *granted),
               **ids = bx_arena_alloc(arena, most * sizeof *ids),
               **denied = bx_arena_alloc(arena, most * sizeof *denied);
    *ret = (struct bx_host_grants){.granted = granted, .ids = ids, .denied = denied};
    for (size_t i = 0; i < g->yes_count; i++)
        granted[ret->granted_count++] = bx_arena_str(arena, bx_str(g->yes[i]));
    for (size_t i = 0; i < over_count; i++)
        granted[ret->granted_count++] = bx_arena_str(arena, bx_str(g->over[i]));
    for (size_t i = 0; i < count; i++) {
        struct bx_rule r = rules[i];
        if (r.calls_left == 0 && is_used(g, r.id))
            r.calls_left = -1; /* this call was its last */
        if (!r.host || r.path || r.command || r.verdict == BX_ASK ||
            !bx_rule_is_live(&r, g->tool->name, bx_tool_identity(g->tool), now))
            continue;
        const char *entry = strstr(r.host, "://") ? bx_arena_str(arena, bx_str(r.host))
                                                  : bx_arena_printf(arena, "*://%s:*", r.host);
        if (r.verdict == BX_DENY) {
            denied[ret->denied_count++] = entry;
        } else {
            ids[ret->granted_count] = bx_arena_str(arena, bx_str(r.id));
            granted[ret->granted_count++] = entry;
        }
    }
}

static void hosts(void *user, struct bx_arena *arena, struct bx_host_grants *ret) {
    struct bx_live_grants *g = user;
    const struct bx_rule *rules = NULL;
    size_t count = 0;
    BX_LOCKED(lock_of(g));
    if (rules_now(g, &rules, &count) == 0)
        bx_live_hosts(g, rules, count, arena, ret);
}

/* The lock is held. False: somebody else had its last use. */
static bool use(struct bx_live_grants *g, const char *id, bool counted, const char *why) {
    struct bx_err err = {0};
    struct bx_run *run = g->call ? g->call->run : NULL;
    if (is_used(g, id) || (run && run->trial))
        return true;
    if (counted && !is_given(run, id) && bx_agent_use_rule(g->agent, id, &err))
        return false;
    bx_vec_push(&g->used, bx_strdup(id));
    if (run && why)
        bx_log_permission(g->call, true, "rule", why, id);
    return true;
}

bool bx_live_use(struct bx_live_grants *g, const struct bx_rule *rule, const char *why) {
    return use(g, rule->id, rule->calls_left >= 0, why);
}

static bool used(void *user, const char *id, const char *entry) {
    struct bx_live_grants *g = user;
    const struct bx_rule *rules = NULL;
    size_t count = 0;
    char why[300];
    snprintf(why, sizeof why, "the grant of %.200s", entry);
    BX_LOCKED(lock_of(g));
    if (rules_now(g, &rules, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].id, id) == 0)
            return bx_live_use(g, &rules[i], why);
    return false;
}

static bool path(void *user, const char *guest_path) {
    struct bx_live_grants *g = user;
    const struct bx_rule *rules = NULL;
    size_t count = 0;
    BX_LOCKED(lock_of(g));
    if (rules_now(g, &rules, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (bx_rule_grants_path(&rules[i], g->tool->name, bx_tool_identity(g->tool), guest_path,
                                bx_wall_ms()))
            return bx_live_use(g, &rules[i], "the grant of a guarded path");
    return false;
}

void bx_live_grants_init(struct bx_live_grants *g, struct bx_agent *a, struct bx_call *call,
                         const struct bx_tool *tool) {
    *g = (struct bx_live_grants){.agent = a, .call = call, .tool = tool};
    g->ask = (struct bx_tool_grants){.hosts = hosts, .used = used, .path = path, .user = g};
    pthread_mutex_init(&g->lock, NULL);
}

void bx_live_grants_deinit(struct bx_live_grants *g) {
    if (!g->agent)
        return;
    for (size_t i = 0; i < g->used.n; i++)
        bx_free(g->used.p[i]);
    bx_vec_free(&g->used);
    bx_rules_free(g->rules, g->rule_count);
    pthread_mutex_destroy(&g->lock);
}

/* ---- the grant of a call ---- */

static const struct bx_val *limits_of(const struct bx_rule *rule, struct bx_doc **docs, size_t n) {
    return bx_doc_parse(bx_str(rule->limits), NULL, &docs[n], NULL) ? NULL : bx_doc_root(docs[n]);
}

static int grant_with(struct bx_live_grants *live, const struct bx_tool *t,
                      const struct bx_tool_limits *given, struct bx_arena *arena,
                      struct bx_grant *ret, struct bx_err *err) {
    struct bx_agent *a = live->agent;
    const struct bx_run *run = live->call ? live->call->run : NULL;
    size_t count = a->mount_count;
    const struct bx_mount *mounts = run ? bx_run_mounts(run, &count) : a->mounts;
    int rc = bx_registry_grant(a->registry, t, given, mounts, count, arena, ret, err);
    if (!rc && run)
        bx_executor_bound_grant(run, t, arena, ret);
    return rc;
}

int bx_agent_grant(struct bx_live_grants *live, const struct bx_tool *t,
                   const struct bx_limits_wish *wish, struct bx_arena *arena, struct bx_grant *ret,
                   struct bx_err *err) {
    struct bx_agent *a = live->agent;
    const struct bx_rule *rules = NULL;
    size_t count = 0, n = 0;
    struct bx_host_grants now = {0};
    struct bx_tool_limits given;
    struct bx_settings *settings = NULL;
    BX_LOCKED(lock_of(live));
    int rc = bx_agent_settings(a, &settings, err); /* what was changed by hand counts from here */
    bx_settings_unref(settings);
    if (rc || (a->store && (rc = rules_now(live, &rules, &count))))
        return rc;
    struct bx_doc **docs = bx_arena_alloc(arena, (count + 1) * sizeof *docs);
    const struct bx_val **granted = bx_arena_alloc(arena, (count + 1) * sizeof *granted);
    for (size_t i = 0; i < count; i++)
        if (rules[i].limits && rules[i].verdict == BX_ALLOW &&
            bx_rule_is_live(&rules[i], t->name, bx_tool_identity(t), bx_wall_ms()) &&
            bx_live_use(live, &rules[i],
                        rules[i].calls_left >= 0 ? "the grant of its limits" : NULL)) {
            granted[n] = limits_of(&rules[i], docs, n);
            n++;
        }
    struct bx_limits_wish all = wish ? *wish : (struct bx_limits_wish){0};
    live->over = all.hosts;
    all.granted = granted;
    all.granted_count = n;
    rc = bx_registry_limits(a->registry, t, &all, arena, &given, err);
    for (size_t i = 0; i < n; i++)
        bx_doc_free(docs[i]);
    if (!rc)
        rc = grant_with(live, t, &given, arena, ret, err);
    if (rc)
        return rc;
    if (live->call)
        bx_run_mount_skills(live->call->run, arena, ret);
    bx_live_hosts(live, rules, count, arena, &now);
    ret->granted_hosts = now.granted;
    ret->granted_host_count = now.granted_count;
    return 0;
}

int bx_agent_tool_grant(struct bx_agent *a, const struct bx_tool *t,
                        const struct bx_tool_limits *limits, struct bx_arena *arena,
                        struct bx_grant *ret, struct bx_err *err) {
    return bx_registry_grant(a->registry, t, limits, a->mounts, a->mount_count, arena, ret, err);
}
