/* One server: started when needed, listed once a connection, started again after it ended. */
#include "base/clock.h"
#include "mcp/internal.h"
#include "mcp/params.h"

#define BACKOFF_MAX_MS 60000

struct bx_mcp_server *bx_mcp_server_new(struct bx_mcp *m, struct bx_mcp_server_config *take_config,
                                        const char *broken) {
    struct bx_mcp_server *s = bx_new(struct bx_mcp_server);
    s->mcp = m;
    s->config = *take_config;
    *take_config = (struct bx_mcp_server_config){0};
    s->broken = bx_strdup(broken);
    s->approved = !s->config.from_root;
    s->refs = 1;
    s->tail = BX_BUF_INIT(64 * BX_KIB);
    pthread_mutex_init(&s->lock, NULL);
    bx_cond_init(&s->changed);
    return s;
}

struct bx_mcp_server *bx_mcp_server_ref(struct bx_mcp_server *s) {
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void bx_mcp_server_unref(struct bx_mcp_server *s) {
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return;
    assert(!s->client && !s->lister_runs);
    for (size_t i = 0; i < s->entries.n; i++) {
        bx_free(s->entries.p[i].name);
        bx_mcp_definition_deinit(&s->entries.p[i].approved);
        bx_mcp_definition_deinit(&s->entries.p[i].now);
    }
    bx_vec_free(&s->entries);
    bx_buf_deinit(&s->tail);
    bx_mcp_server_config_deinit(&s->config);
    bx_free(s->challenge);
    bx_free(s->broken);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    bx_free(s);
}

int bx_mcp_server_usable(struct bx_mcp_server *s, struct bx_err *err) {
    if (s->broken)
        return bx_fail(err, BX_ERR_INVALID, "%s", s->broken);
    BX_LOCKED(&s->lock);
    if (s->gone)
        return bx_fail(err, BX_ERR_NOTFOUND, "the MCP server %s is not configured any more",
                       s->config.name);
    if (s->config.disabled)
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the MCP server %s is disabled in the settings",
                       s->config.name);
    if (!s->approved && !bx_unwired("mcp_approval"))
        return bx_fail(err, BX_ERR_DENIED,
                       "the MCP server %s comes with the folder (.mcp.json) and is not approved: "
                       "look at it with boxagnts mcp list, which says how to approve it",
                       s->config.name);
    return 0;
}

/* ---- its list of tools ---- */

enum bx_mcp_entry_state bx_mcp_entry_state(const struct bx_mcp_entry *e) {
    if (!e->now.doc)
        return BX_MCP_GONE;
    if (!e->approved.doc)
        return BX_MCP_UNAPPROVED;
    return strcmp(e->now.digest, e->approved.digest) ? BX_MCP_CHANGED : BX_MCP_OK;
}

struct listing {
    BX_VEC(struct bx_mcp_definition) tools;
    bool http;
};

static void add_listed(void *user, const struct bx_val *item) {
    struct listing *l = user;
    struct bx_mcp_definition d;
    if (bx_mcp_definition_make(item, &d, NULL))
        return;
    if (l->http && bx_mcp_params_check(bx_val_get(bx_doc_root(d.doc), "inputSchema"), NULL)) {
        bx_mcp_definition_deinit(&d); /* the standard wants such a tool to be left out */
        return;
    }
    for (size_t i = 0; i < l->tools.n; i++) { /* the first of a name counts */
        if (strcmp(bx_mcp_definition_name(&l->tools.p[i]), bx_mcp_definition_name(&d)) == 0) {
            bx_mcp_definition_deinit(&d);
            return;
        }
    }
    bx_vec_push(&l->tools, d);
}

static struct bx_mcp_entry *entry_of(struct bx_mcp_server *s, const char *name) {
    for (size_t i = 0; i < s->entries.n; i++)
        if (strcmp(s->entries.p[i].name, name) == 0)
            return &s->entries.p[i];
    bx_vec_push(&s->entries, ((struct bx_mcp_entry){.name = bx_strdup(name)}));
    return &s->entries.p[s->entries.n - 1];
}

/* Lock held. The first list of all is approved with the server; what comes later waits for a yes.
 */
static void take_listing(struct bx_mcp_server *s, struct listing *l) {
    for (size_t i = 0; i < s->entries.n; i++)
        bx_mcp_definition_deinit(&s->entries.p[i].now);
    for (size_t i = 0; i < l->tools.n; i++) {
        struct bx_mcp_entry *e = entry_of(s, bx_mcp_definition_name(&l->tools.p[i]));
        e->now = l->tools.p[i];
        if (!s->listed || bx_unwired("mcp_trust")) {
            bx_mcp_definition_deinit(&e->approved);
            bx_mcp_definition_copy(&e->now, &e->approved);
        }
    }
    for (size_t i = s->entries.n; i-- > 0;) { /* neither approved nor there: nothing to remember */
        if (!s->entries.p[i].now.doc && !s->entries.p[i].approved.doc) {
            bx_free(s->entries.p[i].name);
            bx_vec_remove(&s->entries, i);
        }
    }
    s->listed = true;
    pthread_cond_broadcast(&s->changed);
}

static int list(struct bx_mcp_server *s, struct bx_mcp_client *client, uint64_t deadline_ms,
                struct bx_cancel *cancel, struct bx_err *err) {
    struct listing l = {.http = s->config.transport != BX_MCP_STDIO};
    const struct bx_mcp_facts *facts = bx_mcp_client_facts(client);
    int rc = facts->tools ? bx_mcp_client_list(client, "tools/list", "tools", BX_MCP_TOOLS_MAX,
                                               deadline_ms, cancel, add_listed, &l, err)
                          : 0;
    if (!rc) {
        BX_LOCKED(&s->lock);
        take_listing(s, &l);
        snprintf(s->version, sizeof s->version, "%s", facts->version);
        snprintf(s->about, sizeof s->about, "%s", facts->server);
        s->resources = facts->resources;
        s->prompts = facts->prompts;
        s->last_error[0] = 0;
    } else {
        for (size_t i = 0; i < l.tools.n; i++)
            bx_mcp_definition_deinit(&l.tools.p[i]);
    }
    bx_vec_free(&l.tools);
    if (rc)
        return rc;
    bx_mcp_state_write(s->mcp);
    bx_mcp_server_publish(s);
    bx_mcp_publish_own(s->mcp);
    return 0;
}

/* ---- starting ---- */

static void on_changed(void *user) {
    struct bx_mcp_server *s = user;
    {
        BX_LOCKED(&s->lock);
        s->stale = true;
    }
    bx_mcp_server_list_soon(s);
}

static char *token(void *user) {
    struct bx_mcp_server *s = user;
    return bx_mcp_oauth_token(s->mcp, s);
}

/* Lock held. The next start is at once after the first end, then later and later. */
static void note_failure(struct bx_mcp_server *s, const char *why) {
    snprintf(s->last_error, sizeof s->last_error, "%s", why);
    uint64_t wait_ms = s->failures ? UINT64_C(500) << BX_MIN(s->failures, 7u) : 0;
    s->next_try_ms = bx_mono_ms() + BX_MIN(wait_ms, (uint64_t)BACKOFF_MAX_MS);
    s->failures++;
}

static int start(struct bx_mcp_server *s, uint64_t deadline_ms, struct bx_cancel *cancel,
                 struct bx_mcp_client **ret, struct bx_err *err) {
    struct bx_err problem = {0};
    struct bx_buf tail = BX_BUF_INIT(64 * BX_KIB);
    char *challenge = NULL, version[16];
    {
        BX_LOCKED(&s->lock);
        memcpy(version, s->version, sizeof version);
    }
    struct bx_mcp_client_config config = {
        .wire = {.server = &s->config,
                 .root = s->mcp->root,
                 .fetch = s->mcp->fetch,
                 /* whoever wrote .mcp.json is not to have the user's secrets */
                 .secret = s->config.from_root ? NULL : s->mcp->config.secret,
                 .secret_user = s->mcp->config.user,
                 .token = s->config.transport == BX_MCP_STDIO ? NULL : token,
                 .token_user = s},
        .known_version = version,
        .on_changed = on_changed,
        .user = s,
    };
    struct bx_mcp_client *client = NULL;
    int rc = bx_mcp_client_open(&config, deadline_ms, cancel, &tail, &challenge, &client, &problem);
    if (!rc && (rc = list(s, client, deadline_ms, cancel, &problem))) {
        bx_mcp_client_tail(client, &tail);
        bx_mcp_client_unref(client);
    }
    BX_LOCKED(&s->lock);
    if (rc && rc != BX_ERR_CANCELLED) {
        note_failure(s, problem.msg);
        bx_buf_deinit(&s->tail);
        s->tail = tail;
        tail = BX_BUF_INIT(1);
        bx_free(s->challenge);
        s->challenge = bx_steal(&challenge);
        s->version[0] = 0; /* what was known of it may be wrong now */
    } else if (!rc && !s->gone) {
        s->client = bx_mcp_client_ref(client);
    }
    s->starting = false;
    pthread_cond_broadcast(&s->changed);
    bx_buf_deinit(&tail);
    bx_free(challenge);
    *ret = rc ? NULL : client; /* of one that is gone meanwhile it is the caller's alone, and ends
                                  with the call */
    return rc ? bx_fail(err, rc, "MCP server %s: %s", s->config.name, problem.msg) : 0;
}

/* Lock held. A connection that ended is taken out; the caller lets go of it without the lock. */
static struct bx_mcp_client *take_dead(struct bx_mcp_server *s) {
    char why[200];
    struct bx_mcp_client *client = s->client;
    if (!client || bx_mcp_client_is_alive(client, why))
        return NULL;
    s->client = NULL;
    note_failure(s, why);
    bx_buf_deinit(&s->tail);
    bx_mcp_client_tail(client, &s->tail);
    return client;
}

/* 0 and *ret, or 1: the caller starts it. */
static int get_or_begin(struct bx_mcp_server *s, uint64_t deadline_ms, struct bx_cancel *cancel,
                        struct bx_mcp_client **ret, struct bx_err *err) {
    BX_LOCKED(&s->lock);
    while (s->starting) {
        uint64_t now = bx_mono_ms();
        if (bx_cancel_fired(cancel))
            return bx_fail(err, BX_ERR_CANCELLED, "stopped");
        if (now >= deadline_ms)
            return bx_fail(err, BX_ERR_TIMEOUT, "MCP server %s is still starting", s->config.name);
        bx_cond_wait_ms(&s->changed, &s->lock, BX_MIN(deadline_ms - now, 50));
    }
    uint64_t now = bx_mono_ms();
    if (s->client) {
        *ret = bx_mcp_client_ref(s->client);
        return 0;
    }
    if (now < s->next_try_ms)
        return bx_fail(err, BX_ERR_RETRY,
                       "MCP server %s failed %u times (%.200s); the next start is in %" PRIu64 " s",
                       s->config.name, s->failures, s->last_error,
                       (s->next_try_ms - now + 999) / 1000);
    s->starting = true;
    return 1;
}

int bx_mcp_server_client(struct bx_mcp_server *s, uint64_t deadline_ms, struct bx_cancel *cancel,
                         struct bx_mcp_client **ret, struct bx_err *err) {
    struct bx_mcp_client *dead;
    int rc = bx_mcp_server_usable(s, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&s->lock);
    dead = s->starting ? NULL : take_dead(s);
    pthread_mutex_unlock(&s->lock);
    bx_mcp_client_unref(dead);
    rc = get_or_begin(s, deadline_ms, cancel, ret, err);
    return rc == 1 ? start(s, deadline_ms, cancel, ret, err) : rc;
}

void bx_mcp_server_worked(struct bx_mcp_server *s) {
    BX_LOCKED(&s->lock);
    s->failures = 0;
    s->next_try_ms = 0;
}

/* ---- listing on its own ---- */

/* Lock held, and not taken again: whoever starts the next lister joins this one under it. */
static void lister_ends(struct bx_mcp_server *s) {
    s->lister_runs = false;
    pthread_cond_broadcast(&s->changed);
}

static bool still_stale(struct bx_mcp_server *s) {
    BX_LOCKED(&s->lock);
    bool stale = (s->stale || !s->listed) && !s->gone;
    s->stale = false;
    if (!stale)
        lister_ends(s); /* with the look: a change that comes after it starts the next one */
    return stale;
}

/* The connection was another one by then: what was said of the new one meanwhile is to be listed.
 */
static bool changed_meanwhile(struct bx_mcp_server *s) {
    BX_LOCKED(&s->lock);
    bool again = s->stale && !s->gone;
    if (!again)
        lister_ends(s);
    return again;
}

static bool list_once(struct bx_mcp_server *s) {
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    struct bx_cancel *closing = s->mcp->closing;
    bool known;
    {
        BX_LOCKED(&s->lock);
        known = s->client != NULL;
    }
    int rc = bx_mcp_server_client(s, bx_mono_ms() + BX_MCP_START_MS, closing, &client, NULL);
    if (!rc && known) /* a new connection has been listed by its start */
        rc = list(s, client, bx_mono_ms() + BX_MCP_LIST_MS, closing, NULL);
    return !rc && !bx_cancel_sleep(closing, 100); /* a storm of changes is one change */
}

static void *list_main(void *user) {
    struct bx_mcp_server *s = user;
    while (still_stale(s) && (list_once(s) || changed_meanwhile(s))) {
    }
    return NULL;
}

/* One lister a server. The one before has ended: joining it takes no time and needs no lock. */
void bx_mcp_server_list_soon(struct bx_mcp_server *s) {
    BX_LOCKED(&s->lock);
    if (s->lister_runs || s->gone)
        return;
    if (s->lister_joinable)
        pthread_join(s->lister, NULL);
    s->lister_runs = bx_thread_start(&s->lister, "bx-mcp-list", list_main, s, NULL) == 0;
    s->lister_joinable = s->lister_runs;
}

void bx_mcp_server_stop(struct bx_mcp_server *s, bool gone) {
    struct bx_mcp_client *client;
    pthread_t lister;
    bool join;
    do { /* a lister may just have started another one; a connection that ends may just have asked
            for a lister */
        {
            BX_LOCKED(&s->lock);
            s->gone |= gone;
            s->failures = 0;
            s->next_try_ms = 0;
            client = bx_steal(&s->client);
            lister = s->lister;
            join = gone && s->lister_joinable;
            s->lister_joinable &= !join;
        }
        bx_mcp_client_unref(client);
        if (join)
            pthread_join(lister, NULL);
    } while (client || join);
}
