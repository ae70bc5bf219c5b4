#include "mcp/mcp.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "fetch/fetch.h"
#include "mcp/internal.h"

#define ROOT_FILE_MAX (256 * BX_KIB)

/* ---- the list ---- */

struct bx_mcp_server **bx_mcp_all(struct bx_mcp *m, size_t *ret_count) {
    BX_LOCKED(&m->lock);
    struct bx_mcp_server **all = bx_realloc_array(NULL, m->servers.n + 1, sizeof *all);
    for (size_t i = 0; i < m->servers.n; i++)
        all[i] = bx_mcp_server_ref(m->servers.p[i]);
    *ret_count = m->servers.n;
    return all;
}

struct bx_mcp_server *bx_mcp_find(struct bx_mcp *m, const char *name, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(16 * BX_KIB);
    BX_LOCKED(&m->lock);
    for (size_t i = 0; i < m->servers.n; i++) {
        if (strcmp(m->servers.p[i]->config.name, name) == 0)
            return bx_mcp_server_ref(m->servers.p[i]);
        bx_buf_addf(&names, "%s%s", names.size ? ", " : "", m->servers.p[i]->config.name);
    }
    if (names.size)
        bx_fail(err, BX_ERR_NOTFOUND, "there is no MCP server \"%.100s\"; there are: %.300s", name,
                bx_buf_z(&names));
    else
        bx_fail(err, BX_ERR_NOTFOUND, "there is no MCP server \"%.100s\": none is configured",
                name);
    return NULL;
}

typedef BX_VEC(struct bx_mcp_server *) server_vec;

static bool has(const server_vec *list, struct bx_str name) {
    for (size_t i = 0; i < list->n; i++)
        if (bx_str_eqz(name, list->p[i]->config.name))
            return true;
    return false;
}

/* A broken entry stays in the list under its name, with the reason. */
static void add_entry(struct bx_mcp *m, server_vec *list, struct bx_str name,
                      const struct bx_val *entry, bool from_root) {
    struct bx_mcp_server_config config = {0};
    struct bx_err err = {0};
    if (list->n >= BX_MCP_SERVERS_MAX || has(list, name) || !name.n || name.n > 100)
        return;
    if (bx_mcp_server_config_parse(name, entry, from_root, &config, &err)) {
        config = (struct bx_mcp_server_config){.name = bx_str_dup(name), .from_root = from_root};
        if (bx_doc_parse(BX_STR_LIT("{}"), NULL, &config.doc, NULL))
            bx_die("an empty object");
    }
    bx_vec_push(list, bx_mcp_server_new(m, &config, err.code ? err.msg : NULL));
}

static void add_entries(struct bx_mcp *m, server_vec *list, const struct bx_val *servers,
                        bool from_root) {
    bx_val_foreach_member (servers, name, entry)
        add_entry(m, list, name, entry, from_root);
}

int bx_mcp_check_entry(const char *name, const struct bx_val *entry, struct bx_err *err) {
    struct bx_mcp_server_config config = {0};
    int rc = bx_mcp_server_config_parse(bx_str(name), entry, false, &config, err);
    bx_mcp_server_config_deinit(&config);
    return rc;
}

/* .mcp.json may be a link, or anything else that a folder can hold: only a plain file below the
 * root counts. */
static struct bx_doc *read_root_file(struct bx_mcp *m) {
    bx_auto(bx_freep) char *path = bx_path_join(m->root, ".mcp.json"),
                           *real = bx_path_real(path, NULL);
    struct bx_json_limits limits = {.max_size_bytes = ROOT_FILE_MAX};
    struct bx_doc *doc = NULL;
    if (!real || !bx_path_is_under(real, m->root) || bx_doc_read_file(real, &limits, &doc, NULL))
        return NULL;
    return doc;
}

/* Those whose entry is the same go on as they are. */
static void keep_same(server_vec *fresh, server_vec *old) {
    for (size_t i = 0; i < fresh->n; i++) {
        for (size_t k = 0; k < old->n; k++) {
            struct bx_mcp_server *a = fresh->p[i], *b = old->p[k];
            if (strcmp(a->config.name, b->config.name) == 0 && !a->broken && !b->broken &&
                a->config.from_root == b->config.from_root &&
                strcmp(a->config.digest, b->config.digest) == 0) {
                fresh->p[i] = b;
                bx_mcp_server_unref(a);
                bx_vec_remove(old, k);
                break;
            }
        }
    }
}

int bx_mcp_reload(struct bx_mcp *m, const struct bx_val *settings, struct bx_err *err) {
    const struct bx_val *servers = bx_val_get(settings, "mcpServers");
    server_vec fresh = {0}, old = {0};
    if (servers && !bx_val_is(servers, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "settings: \"mcpServers\" must be an object");
    bx_auto(bx_doc_freep) struct bx_doc *doc = read_root_file(m);
    add_entries(m, &fresh, servers, false);
    add_entries(m, &fresh, doc ? bx_val_get(bx_doc_root(doc), "mcpServers") : NULL, true);
    bx_mcp_state_read(m, fresh.p, fresh.n);
    {
        BX_LOCKED(&m->lock);
        for (size_t i = 0; i < m->servers.n; i++)
            bx_vec_push(&old, m->servers.p[i]);
        keep_same(&fresh, &old);
        bx_vec_free(&m->servers);
        for (size_t i = 0; i < fresh.n; i++)
            bx_vec_push(&m->servers, fresh.p[i]);
    }
    for (size_t i = 0; i < old.n; i++) {
        bx_mcp_server_stop(old.p[i], true);
        bx_mcp_server_publish(old.p[i]);
        bx_mcp_server_unref(old.p[i]);
    }
    for (size_t i = 0; i < fresh.n; i++)
        bx_mcp_server_publish(fresh.p[i]);
    bx_mcp_publish_own(m);
    bx_vec_free(&fresh);
    bx_vec_free(&old);
    return 0;
}

int bx_mcp_new(const struct bx_mcp_config *config, struct bx_mcp **ret, struct bx_err *err) {
    bx_auto(bx_mcp_freep) struct bx_mcp *m = bx_new(struct bx_mcp);
    m->config = *config;
    m->config.settings = NULL;
    m->root = bx_path_real(config->root, NULL);
    if (!m->root)
        m->root = bx_strdup(config->root);
    m->state_dir = bx_strdup(config->state_dir);
    m->closing = bx_cancel_new(NULL);
    m->logins = bx_mcp_logins_new();
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->state_lock, NULL);
    int rc = bx_fetch_new(&(struct bx_fetch_config){.offline = config->offline}, &m->fetch, err);
    if (!rc)
        rc = bx_mcp_reload(m, config->settings, err);
    if (rc)
        return rc;
    *ret = bx_steal(&m);
    return 0;
}

void bx_mcp_free(struct bx_mcp *m) {
    if (!m)
        return;
    bx_cancel_fire(m->closing, "the program ends");
    for (size_t i = 0; i < m->servers.n; i++) {
        bx_mcp_server_stop(m->servers.p[i], true);
        bx_mcp_server_publish(m->servers.p[i]); /* takes its tools out */
    }
    bx_registry_set_source(m->config.registry, "mcp", BX_RANK_MCP, NULL, 0);
    for (size_t i = 0; i < m->servers.n; i++)
        bx_mcp_server_unref(m->servers.p[i]);
    bx_vec_free(&m->servers);
    bx_fetch_free(m->fetch);
    bx_mcp_logins_free(m->logins);
    bx_cancel_unref(m->closing);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->state_lock);
    bx_free(m->root);
    bx_free(m->state_dir);
    bx_free(m);
}

/* ---- learning, approving, testing ---- */

static void wait_listed(struct bx_mcp_server *s, uint64_t deadline_ms, struct bx_cancel *cancel) {
    BX_LOCKED(&s->lock);
    while (((s->lister_runs && !s->listed) || s->starting) && !bx_cancel_fired(cancel)) {
        uint64_t now = bx_mono_ms();
        if (now >= deadline_ms)
            return;
        bx_cond_wait_ms(&s->changed, &s->lock, BX_MIN(deadline_ms - now, 100));
    }
}

void bx_mcp_learn(struct bx_mcp *m, uint64_t wait_ms, struct bx_cancel *cancel) {
    size_t count;
    uint64_t deadline_ms = bx_mono_ms() + wait_ms;
    struct bx_mcp_server **all = bx_mcp_all(m, &count);
    for (size_t i = 0; i < count; i++) {
        bool listed;
        {
            BX_LOCKED(&all[i]->lock);
            listed = all[i]->listed;
        }
        if (!listed && !bx_mcp_server_usable(all[i], NULL))
            bx_mcp_server_list_soon(all[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (wait_ms)
            wait_listed(all[i], deadline_ms, cancel);
        bx_mcp_server_unref(all[i]);
    }
    bx_free(all);
}

/* Lock held. Of all that an approval of the server is for: its entry, and each tool that it lists.
 */
static void server_digest(const struct bx_mcp_server *s, char out[static BX_SHA256_HEX + 1]) {
    bx_auto(bx_buf_deinit) struct bx_buf all = BX_BUF_INIT(BX_MIB);
    bx_buf_addz(&all, s->config.digest);
    for (size_t i = 0; i < s->entries.n; i++)
        bx_buf_addz(&all, s->entries.p[i].now.digest); /* empty: not listed any more */
    bx_sha256_hex_of(all.p, all.size, out);
}

/* Lock held. */
static int check_shown(const struct bx_mcp_server *s, const char *tool, const char *digest,
                       struct bx_err *err) {
    char now[BX_SHA256_HEX + 1] = "";
    if (!tool)
        server_digest(s, now);
    for (size_t i = 0; tool && i < s->entries.n; i++)
        if (strcmp(tool, s->entries.p[i].name) == 0)
            memcpy(now, s->entries.p[i].now.digest, sizeof now);
    if (!now[0])
        return bx_fail(err, BX_ERR_NOTFOUND, "MCP server %s has no tool \"%.100s\"", s->config.name,
                       tool);
    if (strcmp(digest, now) == 0 || bx_unwired("mcp_shown"))
        return 0;
    return bx_fail(err, BX_ERR_EXISTS,
                   "MCP server %s is not what you looked at any more (%s%.100s), so nothing was "
                   "approved: list it again, and approve what you see then",
                   s->config.name, tool ? "the description of " : "its entry or its tools",
                   tool ? tool : "");
}

static int approve_shown(struct bx_mcp_server *s, const char *tool, const char *digest,
                         struct bx_err *err) {
    BX_LOCKED(&s->lock);
    int rc = check_shown(s, tool, digest, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->entries.n; i++) {
        struct bx_mcp_entry *e = &s->entries.p[i];
        if ((tool && strcmp(tool, e->name)) || !e->now.doc)
            continue;
        bx_mcp_definition_deinit(&e->approved);
        bx_mcp_definition_copy(&e->now, &e->approved);
    }
    if (!tool)
        s->approved = true;
    return 0;
}

int bx_mcp_approve(struct bx_mcp *m, const char *server, const char *tool, const char *digest,
                   struct bx_err *err) {
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, server, err);
    if (!s)
        return BX_ERR_NOTFOUND;
    if (s->broken)
        return bx_fail(err, BX_ERR_INVALID, "%s", s->broken);
    int rc = approve_shown(s, tool, digest, err);
    if (rc)
        return rc;
    bx_mcp_state_write(m);
    bx_mcp_server_publish(s);
    bx_mcp_publish_own(m);
    bx_mcp_learn(m, 0, NULL);
    return 0;
}

int bx_mcp_test(struct bx_mcp *m, const char *server, uint64_t wait_ms, struct bx_cancel *cancel,
                struct bx_err *err) {
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, server, err);
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    if (!s)
        return BX_ERR_NOTFOUND;
    bx_mcp_server_stop(s, false);
    return bx_mcp_server_client(s, bx_mono_ms() + wait_ms, cancel, &client, err);
}

static void write_prompt(void *user, const struct bx_val *item) {
    struct bx_jw *w = user;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(8 * BX_KIB);
    bx_mcp_clean(&text, bx_val_get_str(item, "description"), 2000);
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", bx_val_get_z(item, "name"));
    bx_jw_kstr(w, "description", bx_buf_z(&text));
    bx_jw_kval(w, "arguments", bx_val_get(item, "arguments"));
    bx_jw_end(w);
}

int bx_mcp_prompts(struct bx_mcp *m, const char *server, struct bx_cancel *cancel, struct bx_jw *w,
                   struct bx_err *err) {
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, server, err);
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    uint64_t deadline_ms = bx_mono_ms() + BX_MCP_LIST_MS;
    if (!s)
        return BX_ERR_NOTFOUND;
    int rc = bx_mcp_server_client(s, deadline_ms, cancel, &client, err);
    if (rc)
        return rc;
    bx_jw_obj(w);
    bx_jw_karr(w, "prompts");
    if (bx_mcp_client_facts(client)->prompts)
        rc = bx_mcp_client_list(client, "prompts/list", "prompts", 200, deadline_ms, cancel,
                                write_prompt, w, err);
    bx_jw_end(w);
    bx_jw_end(w);
    return rc;
}

/* ---- showing ---- */

static const char *state_name(struct bx_mcp_server *s) { /* lock held */
    char why[200];
    if (s->broken)
        return "broken";
    if (s->config.disabled)
        return "disabled";
    if (!s->approved)
        return "unapproved";
    if (s->starting)
        return "starting";
    if (s->client && bx_mcp_client_is_alive(s->client, why))
        return "up";
    return s->last_error[0] ? "failed" : "idle";
}

static void write_entry(struct bx_jw *w, const struct bx_mcp_entry *e) {
    static const char *const states[] = {"ok", "changed", "unapproved", "gone"};
    enum bx_mcp_entry_state state = bx_mcp_entry_state(e);
    const struct bx_mcp_definition *shown = e->now.doc ? &e->now : &e->approved;
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", e->name);
    bx_jw_kstr(w, "tool", e->tool);
    bx_jw_kstr(w, "state", states[state]);
    bx_jw_kstr(w, "description", bx_val_get_z(bx_doc_root(shown->doc), "description"));
    bx_jw_kstr(w, "digest", shown->digest);
    if (state == BX_MCP_CHANGED) { /* all of both, so that whoever approves sees what changed */
        bx_jw_kval(w, "approved", bx_doc_root(e->approved.doc));
        bx_jw_kval(w, "now", bx_doc_root(e->now.doc));
    } else if (state == BX_MCP_UNAPPROVED) {
        bx_jw_kval(w, "now", bx_doc_root(e->now.doc));
    }
    bx_jw_end(w);
}

static void write_server(struct bx_mcp_server *s, struct bx_jw *w) {
    static const char *const transports[] = {"stdio", "http", "sse"};
    bx_auto(bx_buf_deinit) struct bx_buf what = BX_BUF_INIT(64 * BX_KIB),
                                         tail = BX_BUF_INIT(64 * BX_KIB);
    bool signed_in = s->config.transport != BX_MCP_STDIO && bx_mcp_oauth_signed_in(s->mcp, s);
    char digest[BX_SHA256_HEX + 1];
    bx_mcp_server_config_what(&s->config, &what);
    BX_LOCKED(&s->lock);
    if (s->client)
        bx_mcp_client_tail(s->client, &tail);
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", s->config.name);
    bx_jw_kstr(w, "from", s->config.from_root ? ".mcp.json" : "settings");
    bx_jw_kstr(w, "transport", transports[s->config.transport]);
    bx_jw_kstr(w, "what", bx_buf_z(&what));
    if (s->config
            .from_root) /* what an approval is about; as written, so without what it stands for */
        bx_jw_kval(w, "entry", bx_doc_root(s->config.doc));
    server_digest(s, digest);
    bx_jw_kstr(w, "digest", digest);
    bx_jw_kstr(w, "state", state_name(s));
    bx_jw_kstr(w, "error", s->broken ? s->broken : s->last_error[0] ? s->last_error : NULL);
    bx_jw_kstr(w, "server", s->about[0] ? s->about : NULL);
    bx_jw_kstr(w, "protocol", s->version[0] ? s->version : NULL);
    bx_jw_kbool(w, "signed_in", signed_in);
    bx_jw_kbool(w, "trusted", s->config.trusted);
    bx_jw_kstr(w, "level", bx_level_name(s->config.level));
    bx_jw_kbool(w, "resources", s->resources);
    bx_jw_kbool(w, "prompts", s->prompts);
    bx_jw_kstrn(w, "stderr", s->client ? bx_buf_str(&tail) : bx_buf_str(&s->tail));
    bx_jw_karr(w, "tools");
    bx_mcp_name_entries(s);
    for (size_t i = 0; i < s->entries.n; i++)
        write_entry(w, &s->entries.p[i]);
    bx_jw_end(w);
    bx_jw_end(w);
}

void bx_mcp_write(struct bx_mcp *m, struct bx_jw *w) {
    size_t count;
    struct bx_mcp_server **all = bx_mcp_all(m, &count);
    bx_jw_arr(w);
    for (size_t i = 0; i < count; i++) {
        write_server(all[i], w);
        bx_mcp_server_unref(all[i]);
    }
    bx_jw_end(w);
    bx_free(all);
}
