/* MCP tools as the registry's. Their execute is the only way to a server for a model. */
#include "base/clock.h"
#include "mcp/content.h"
#include "mcp/internal.h"
#include "mcp/params.h"
#include "tools/host.h"

struct mcp_tool {
    struct bx_tool tool;
    struct bx_mcp_server *server;
    struct bx_mcp_definition definition; /* the approved one */
    struct bx_doc *wants;
    char name[65];
    char *source, *schema_text;
};

static void mcp_destroy(struct bx_tool *t) {
    struct mcp_tool *m = (struct mcp_tool *)t;
    bx_mcp_server_unref(m->server);
    bx_mcp_definition_deinit(&m->definition);
    bx_doc_free(m->wants);
    bx_free(m->source);
    bx_free(m->schema_text);
    bx_free(m);
}

/* ---- one call ---- */

struct calling {
    const struct bx_tool *tool;
    struct bx_tool_ctx *ctx;
    const struct bx_val *input;
    const char *remote;
};

static void write_arguments(void *user, struct bx_jw *w) {
    struct calling *c = user;
    bx_jw_kstr(w, "name", c->remote);
    bx_jw_kval(w, "arguments", c->input);
}

static void write_uri(void *user, struct bx_jw *w) {
    struct calling *c = user;
    bx_jw_kval(w, "uri", bx_val_get(c->input, "uri"));
}

static void on_progress(void *user, struct bx_str text) {
    struct calling *c = user;
    if (c->ctx->on_output)
        c->ctx->on_output(c->ctx->user, "progress", text);
}

static void failed(const struct bx_tool *t, const struct bx_tool_ctx *ctx, int rc,
                   const struct bx_err *err, struct bx_tool_result *ret) {
    if (rc == BX_ERR_CANCELLED) {
        ret->limit = "cancelled";
        bx_tool_result_text(ret, true, "Stopped.");
    } else if (rc == BX_ERR_TIMEOUT) {
        bx_auto(bx_buf_deinit) struct bx_buf limit = BX_BUF_INIT(BX_KIB);
        bx_limit_say(&limit, BX_LIMIT_TIME, ctx->grant->limits.value[BX_LIMIT_TIME], t->name);
        ret->limit = "time";
        bx_tool_result_text(ret, true, "%s: %s.", err->msg, bx_buf_z(&limit));
    } else {
        ret->retryable = rc == BX_ERR_RETRY || rc == BX_ERR_UNAVAILABLE;
        bx_tool_result_text(ret, true, "%s.%s", err->msg,
                            ret->retryable ? " It may work when it is called again." : "");
    }
}

/* Is what was approved still what the server says? */
static int check_trust(struct mcp_tool *m, struct bx_err *err) {
    struct bx_mcp_server *s = m->server;
    const char *remote = bx_mcp_definition_name(&m->definition);
    BX_LOCKED(&s->lock);
    for (size_t i = 0; i < s->entries.n; i++) {
        const struct bx_mcp_entry *e = &s->entries.p[i];
        if (strcmp(e->name, remote))
            continue;
        if (!e->now.doc)
            return bx_fail(err, BX_ERR_NOTFOUND,
                           "MCP server %s does not have the tool %.100s any more", s->config.name,
                           remote);
        if (strcmp(e->now.digest, m->definition.digest) && !bx_unwired("mcp_trust"))
            return bx_fail(err, BX_ERR_DENIED,
                           "MCP server %s has changed the description of %.100s since it was "
                           "approved, so it is not called: look at the change with boxagnts mcp "
                           "list, which says how to approve it",
                           s->config.name, remote);
        return 0;
    }
    return bx_fail(err, BX_ERR_NOTFOUND, "MCP server %s does not have the tool %.100s",
                   s->config.name, remote);
}

/* In a run somebody can be asked: the question shows both descriptions, and a yes to what it showed
 * is kept. It may be open for days. */
static int ask_trust(struct mcp_tool *m, struct bx_tool_ctx *ctx, struct bx_err *err) {
    static const char *const choices[] = {"approve", "no", NULL};
    struct bx_mcp_server *s = m->server;
    const char *remote = bx_mcp_definition_name(&m->definition);
    struct bx_buf members = BX_BUF_INIT(BX_MIB), text = BX_BUF_INIT(BX_KIB);
    struct bx_tool_answer answer = {.choice = NULL};
    struct bx_err why = {0};
    char shown[BX_SHA256_HEX + 1] = "";
    struct bx_jw w;
    bx_jw_init(&w, &members);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "server", s->config.name);
    {
        BX_LOCKED(&s->lock);
        for (size_t i = 0; i < s->entries.n; i++) {
            const struct bx_mcp_entry *e = &s->entries.p[i];
            if (strcmp(e->name, remote) == 0 && e->now.doc && e->approved.doc) {
                bx_jw_kval(&w, "approved", bx_doc_root(e->approved.doc));
                bx_jw_kval(&w, "now", bx_doc_root(e->now.doc));
                memcpy(shown, e->now.digest, sizeof shown);
            }
        }
    }
    bx_jw_end(&w);
    bx_buf_addf(&text,
                "MCP server %s has changed the description of %.100s since it was approved. Use it "
                "as it is described now?",
                s->config.name, remote);
    int rc = ctx->host->ask(ctx,
                            &(struct bx_tool_question){.kind = "trust",
                                                       .text = bx_buf_z(&text),
                                                       .choices = choices,
                                                       .members = bx_buf_str(&members)},
                            &answer, &why);
    if (rc == BX_ERR_CANCELLED)
        bx_fail(err, rc, "stopped");
    else if (!rc && strcmp(answer.choice, "approve") == 0)
        rc = bx_mcp_approve(s->mcp, s->config.name, remote, shown, err);
    else if (!rc)
        rc = bx_fail(err, BX_ERR_DENIED, "the user does not trust the changed description%s%.300s",
                     answer.text ? ": " : "", answer.text ? answer.text : "");
    else
        rc = BX_ERR_DENIED; /* nobody is there: err says already what to do */
    if (rc == BX_ERR_EXISTS)
        bx_fail(err, rc,
                "MCP server %s has changed the description of %.100s again while the question was "
                "open, so it was neither approved nor called: another call asks about what it says "
                "now",
                s->config.name, remote);
    bx_tool_answer_deinit(&answer);
    bx_buf_deinit(&members);
    bx_buf_deinit(&text);
    return rc;
}

static size_t response_max(const struct bx_tool_ctx *ctx) {
    return (size_t)ctx->grant->limits.value[BX_LIMIT_RESPONSE];
}

static int mcp_execute(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                       struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    struct mcp_tool *m = (struct mcp_tool *)(uintptr_t)t;
    struct bx_err problem = {0};
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *result = NULL;
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_mcp_param headers[BX_MCP_PARAMS_MAX];
    uint64_t deadline_ms = bx_mono_ms() + ctx->grant->limits.value[BX_LIMIT_TIME];
    struct calling calling = {t, ctx, input, bx_mcp_definition_name(&m->definition)};
    struct bx_mcp_call call = {.method = "tools/call",
                               .name = calling.remote,
                               .params = write_arguments,
                               .headers = headers,
                               .header_count = bx_mcp_params(t->schema, input, &arena, headers),
                               .deadline_ms = deadline_ms,
                               .cancel = ctx->cancel,
                               .on_progress = on_progress,
                               .user = &calling};
    int rc = bx_mcp_server_client(m->server, deadline_ms, ctx->cancel, &client, &problem);
    if (!rc && (rc = check_trust(m, &problem)) == BX_ERR_DENIED && ctx->host) {
        rc = ask_trust(m, ctx, &problem);
        call.deadline_ms =
            bx_mono_ms() + ctx->grant->limits.value[BX_LIMIT_TIME]; /* reading is not its time */
    }
    if (!rc) {
        rc = bx_mcp_client_call(client, &call, &doc, &result, &problem);
        if (rc)
            bx_wrap(&problem, rc, "MCP server %s", m->server->config.name);
        if (!rc || rc == BX_ERR_INVALID)
            bx_mcp_server_worked(m->server);
    }
    if (rc)
        failed(t, ctx, rc, &problem, ret);
    else
        bx_mcp_content_result(t->name, result, response_max(ctx), ret);
    return 0;
}

/* ---- making one ---- */

static char *json_of(const struct bx_val *v) {
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_val(&w, v);
    return bx_buf_steal(&out);
}

/* "timeout" of the entry is the time limit of its tools. */
static struct bx_doc *wants_of(const struct bx_mcp_server_config *c) {
    struct bx_doc *doc = NULL;
    char text[80];
    if (!c->timeout_ms)
        return NULL;
    snprintf(text, sizeof text, "{\"limits\":{\"time\":\"%" PRIu64 "ms\"}}", c->timeout_ms);
    (void)bx_doc_parse(bx_str(text), NULL, &doc, NULL);
    return doc;
}

/* A hint is believed only where the user said that the server is trusted. */
static enum bx_level level_of(const struct bx_mcp_server_config *c, const struct bx_val *d) {
    if (c->trusted && c->level == BX_LEVEL_EXECUTE && bx_val_get_bool(d, "readOnly", false))
        return BX_LEVEL_READ_ONLY;
    return c->level;
}

static struct bx_tool *make_tool(struct bx_mcp_server *s, const struct bx_mcp_entry *entry) {
    struct mcp_tool *m = bx_new(struct mcp_tool);
    bx_mcp_definition_copy(&entry->approved, &m->definition);
    const struct bx_val *d = bx_doc_root(m->definition.doc);
    m->server = bx_mcp_server_ref(s);
    m->wants = wants_of(&s->config);
    m->source = bx_asprintf("mcp:%s", s->config.name);
    m->schema_text = json_of(bx_val_get(d, "inputSchema"));
    memcpy(m->name, entry->tool, sizeof m->name);
    m->tool = (struct bx_tool){
        .name = m->name,
        .description = bx_val_get_z(d, "description"),
        .version = "",
        .kind = BX_TOOL_MCP,
        .level = level_of(&s->config, d),
        .source = m->source,
        .digest = m->definition.digest,
        .schema_text = m->schema_text,
        .schema = bx_val_get(d, "inputSchema"),
        .path_members = "",
        .wants = m->wants ? bx_doc_root(m->wants) : NULL,
        .execute = mcp_execute,
        .destroy = mcp_destroy,
        .refs = 1,
    };
    return &m->tool;
}

/* Names with two underscores, or signs that fall away, could meet those of another server. */
static bool is_ambiguous(const char *server) {
    return strstr(server, "__") ||
           strspn(server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
               strlen(server);
}

void bx_mcp_name_entries(struct bx_mcp_server *s) {
    bool force = is_ambiguous(s->config.name);
    for (size_t i = 0; i < s->entries.n; i++)
        bx_mcp_tool_name(s->config.name, s->entries.p[i].name, force, s->entries.p[i].tool);
    for (size_t i = 0; i < s->entries.n; i++) {
        char plain[65];
        bool twice = false;
        memcpy(plain, s->entries.p[i].tool, sizeof plain);
        for (size_t k = i + 1; k < s->entries.n; k++) {
            if (strcmp(s->entries.p[k].tool, plain) == 0) {
                twice = true;
                bx_mcp_tool_name(s->config.name, s->entries.p[k].name, true, s->entries.p[k].tool);
            }
        }
        if (twice)
            bx_mcp_tool_name(s->config.name, s->entries.p[i].name, true, s->entries.p[i].tool);
    }
}

void bx_mcp_server_publish(struct bx_mcp_server *s) {
    BX_VEC(struct bx_tool *) tools = {0};
    bx_auto(bx_freep) char *source = bx_asprintf("mcp:%s", s->config.name);
    {
        BX_LOCKED(&s->lock);
        bx_mcp_name_entries(s);
        bool usable = !s->gone && !s->broken && s->approved && !s->config.disabled;
        for (size_t i = 0; usable && i < s->entries.n; i++) {
            enum bx_mcp_entry_state state = bx_mcp_entry_state(&s->entries.p[i]);
            if (state == BX_MCP_OK || state == BX_MCP_CHANGED)
                bx_vec_push(&tools, make_tool(s, &s->entries.p[i]));
        }
    }
    bx_registry_set_source(s->mcp->config.registry, source, BX_RANK_MCP, tools.p, tools.n);
    for (size_t i = 0; i < tools.n; i++)
        bx_tool_unref(tools.p[i]);
    bx_vec_free(&tools);
}

/* ---- resources: two tools for all servers ---- */

struct own_tool {
    struct bx_tool tool;
    struct bx_mcp *mcp;
    struct bx_doc *schema_doc;
};

static void own_destroy(struct bx_tool *t) {
    bx_doc_free(((struct own_tool *)t)->schema_doc);
    bx_free(t);
}

struct resource_list {
    struct bx_buf text;
    const char *server;
};

static void add_resource(void *user, const struct bx_val *item) {
    struct resource_list *l = user;
    struct bx_str uri = bx_val_get_str(item, "uri");
    bx_buf_addf(&l->text, "%s  %.*s", l->server, (int)BX_MIN(uri.n, (size_t)1000),
                uri.n ? uri.p : "");
    if (bx_val_get_str(item, "mimeType").n)
        bx_buf_addf(&l->text, "  %.60s", bx_val_get_z(item, "mimeType"));
    bx_buf_addz(&l->text, "  ");
    bx_mcp_clean(&l->text, bx_val_get_str(item, "name"), 200);
    bx_buf_addz(&l->text, "  ");
    bx_mcp_clean(&l->text, bx_val_get_str(item, "description"), 300);
    bx_buf_addc(&l->text, '\n');
}

static int list_of(struct bx_mcp_server *s, struct bx_tool_ctx *ctx, uint64_t deadline_ms,
                   struct resource_list *l, struct bx_err *err) {
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    l->server = s->config.name;
    int rc = bx_mcp_server_client(s, deadline_ms, ctx->cancel, &client, err);
    return rc ? rc
              : bx_mcp_client_list(client, "resources/list", "resources", 500, deadline_ms,
                                   ctx->cancel, add_resource, l, err);
}

static bool offers_resources(struct bx_mcp_server *s) {
    if (bx_mcp_server_usable(s, NULL))
        return false;
    BX_LOCKED(&s->lock);
    return s->resources;
}

static int list_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    struct bx_mcp *m = ((const struct own_tool *)t)->mcp;
    struct resource_list l = {.text = BX_BUF_INIT(256 * BX_KIB)};
    struct bx_str wanted = bx_val_get_str(input, "server");
    uint64_t deadline_ms = bx_mono_ms() + ctx->grant->limits.value[BX_LIMIT_TIME];
    struct bx_err problem = {0};
    size_t count;
    int rc = 0;
    struct bx_mcp_server **all = bx_mcp_all(m, &count);
    for (size_t i = 0; i < count; i++) {
        bool asked = wanted.n ? bx_str_eqz(wanted, all[i]->config.name) : offers_resources(all[i]);
        if (!rc && asked)
            rc = list_of(all[i], ctx, deadline_ms, &l, &problem);
        bx_mcp_server_unref(all[i]);
    }
    bx_free(all);
    if (rc)
        failed(t, ctx, rc, &problem, ret);
    else
        bx_tool_result_text(ret, false, "%s",
                            l.text.size ? bx_buf_z(&l.text) : "There are no resources.");
    bx_buf_deinit(&l.text);
    return 0;
}

static int read_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    struct bx_mcp *m = ((const struct own_tool *)t)->mcp;
    struct bx_err problem = {0};
    bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s =
        bx_mcp_find(m, bx_val_get_z(input, "server"), &problem);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *result = NULL;
    uint64_t deadline_ms = bx_mono_ms() + ctx->grant->limits.value[BX_LIMIT_TIME];
    struct calling calling = {t, ctx, input, NULL};
    struct bx_mcp_call call = {.method = "resources/read",
                               .name = bx_val_get_z(input, "uri"),
                               .params = write_uri,
                               .deadline_ms = deadline_ms,
                               .cancel = ctx->cancel,
                               .user = &calling};
    int rc =
        s ? bx_mcp_server_client(s, deadline_ms, ctx->cancel, &client, &problem) : problem.code;
    if (!rc)
        rc = bx_mcp_client_call(client, &call, &doc, &result, &problem);
    if (rc)
        failed(t, ctx, rc, &problem, ret);
    else
        bx_mcp_content_resource(t->name, result, response_max(ctx), ret);
    return 0;
}

static struct bx_tool *
own_tool(struct bx_mcp *m, const char *name, const char *description, const char *schema,
         int (*execute)(const struct bx_tool *, const struct bx_val *, struct bx_tool_ctx *,
                        struct bx_tool_result *, struct bx_err *)) {
    struct own_tool *t = bx_new(struct own_tool);
    if (bx_doc_parse(bx_str(schema), NULL, &t->schema_doc, NULL))
        bx_die("schema of %s", name);
    t->mcp = m;
    t->tool = (struct bx_tool){.name = name,
                               .description = description,
                               .version = BX_VERSION,
                               .kind = BX_TOOL_MCP,
                               .level = BX_LEVEL_EXECUTE,
                               .source = "built in",
                               .schema_text = schema,
                               .schema = bx_doc_root(t->schema_doc),
                               .path_members = "",
                               .execute = execute,
                               .destroy = own_destroy,
                               .refs = 1};
    return &t->tool;
}

void bx_mcp_publish_own(struct bx_mcp *m) {
    struct bx_tool *tools[2];
    size_t count, n = 0;
    bool any = false;
    struct bx_mcp_server **all = bx_mcp_all(m, &count);
    for (size_t i = 0; i < count; i++) {
        any |= offers_resources(all[i]);
        bx_mcp_server_unref(all[i]);
    }
    bx_free(all);
    if (any) {
        tools[n++] = own_tool(
            m, "ListMcpResources",
            "Lists the resources (files, records, pages) that MCP servers offer, with their URIs.",
            "{\"type\":\"object\",\"properties\":{\"server\":{\"type\":\"string\",\"description\":"
            "\"Only those of this server\"}},\"additionalProperties\":false}",
            list_execute);
        tools[n++] = own_tool(
            m, "ReadMcpResource", "Reads one resource of an MCP server by its URI.",
            "{\"type\":\"object\",\"properties\":{\"server\":{\"type\":\"string\"},\"uri\":"
            "{\"type\":\"string\"}},\"required\":[\"server\",\"uri\"],\"additionalProperties\":"
            "false}",
            read_execute);
    }
    bx_registry_set_source(m->config.registry, "mcp", BX_RANK_MCP, tools, n);
    while (n)
        bx_tool_unref(tools[--n]);
}
