#include "mcp/client.h"

#include "base/clock.h"

#define PROBE_MS                                                                                   \
    3000 /* until a program that says nothing to server/discover is taken for an old one */
#define REPLY_MS      50 /* to a program: its pipe has room, or it does not read */
#define REPLY_HTTP_MS 5000
#define SLOW_MS       60000
#define PAGES_MAX     100
#define ROUNDS_MAX    4

struct bx_mcp_client {
    struct bx_mcp_client_config config;
    struct bx_mcp_wire *wire;
    struct bx_mcp_facts facts;
    char version[16], server[128];
    char *roots;      /* JSON text of the answer to roots/list */
    uint64_t next_id; /* atomic */
    int refs;         /* atomic */
};

static bool is_http(const struct bx_mcp_client *c) {
    return c->config.wire.server->transport != BX_MCP_STDIO;
}

/* ---- what the server says of itself and asks of us ---- */

static void on_message(void *user, struct bx_mcp_wire *w, const struct bx_rpc *m) {
    struct bx_mcp_client *c = user;
    bx_auto(bx_buf_deinit) struct bx_buf answer = BX_BUF_INIT(64 * BX_KIB);
    if (m->kind == BX_RPC_NOTIFICATION) {
        if (strcmp(m->method, "notifications/tools/list_changed") == 0 && c->config.on_changed)
            c->config.on_changed(c->config.user);
        return;
    }
    if (m->kind != BX_RPC_REQUEST)
        return;
    if (strcmp(m->method, "ping") == 0)
        bx_rpc_reply(&answer, m->id, "{}");
    else if (strcmp(m->method, "roots/list") == 0)
        bx_rpc_reply(&answer, m->id, c->roots);
    else if (strcmp(m->method, "elicitation/create") == 0)
        bx_rpc_reply(&answer, m->id, "{\"action\":\"decline\"}");
    else
        bx_rpc_refuse(&answer, m->id, -32601, "BoxAgnts does not offer this to servers");
    (void)w->notify(w, bx_buf_str(&answer), bx_mono_ms() + (is_http(c) ? REPLY_HTTP_MS : REPLY_MS),
                    NULL);
}

/* file:///… with what a URL cannot hold in percent; a server elsewhere does not learn our paths. */
static void make_roots(struct bx_mcp_client *c) {
    struct bx_buf out = BX_BUF_INIT(64 * BX_KIB), uri = BX_BUF_INIT(16 * BX_KIB);
    struct bx_jw w;
    bx_buf_addz(&uri, "file://");
    for (const char *p = c->config.wire.root; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("/-_.~", *p);
        if (plain)
            bx_buf_addc(&uri, *p);
        else
            bx_buf_addf(&uri, "%%%02X", (unsigned char)*p);
    }
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "roots");
    if (!is_http(c)) {
        bx_jw_obj(&w);
        bx_jw_kstrn(&w, "uri", bx_buf_str(&uri));
        bx_jw_kstr(&w, "name", "root");
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    c->roots = bx_buf_steal(&out);
    bx_buf_deinit(&uri);
}

static void write_capabilities(const struct bx_mcp_client *c, struct bx_jw *w) {
    if (!is_http(c)) {
        bx_jw_kobj(w, "roots");
        bx_jw_end(w);
    }
}

static void write_info(struct bx_jw *w, const char *key) {
    bx_jw_kobj(w, key);
    bx_jw_kstr(w, "name", "BoxAgnts");
    bx_jw_kstr(w, "version", BX_VERSION);
    bx_jw_end(w);
}

static void write_meta(const struct bx_mcp_client *c, const char *version, uint64_t progress,
                       struct bx_jw *w) {
    bool modern = strcmp(version, BX_MCP_NEWEST) >= 0;
    if (!modern && !progress)
        return;
    bx_jw_kobj(w, "_meta");
    if (progress)
        bx_jw_kuint(w, "progressToken", progress);
    if (modern) {
        bx_jw_kstr(w, "io.modelcontextprotocol/protocolVersion", version);
        write_info(w, "io.modelcontextprotocol/clientInfo");
        bx_jw_kobj(w, "io.modelcontextprotocol/clientCapabilities");
        write_capabilities(c, w);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static void learn(struct bx_mcp_client *c, const char *version, const struct bx_val *result) {
    const struct bx_val *can = bx_val_get(result, "capabilities"),
                        *info = bx_val_get(result, "serverInfo");
    if (!info)
        info = bx_val_get(bx_val_get(result, "_meta"), "io.modelcontextprotocol/serverInfo");
    struct bx_buf name = BX_BUF_INIT(sizeof c->server - 1);
    bx_mcp_clean(&name, bx_val_get_str(info, "name"), 60);
    bx_buf_addc(&name, ' ');
    bx_mcp_clean(&name, bx_val_get_str(info, "version"), 40);
    snprintf(c->server, sizeof c->server, "%s", bx_buf_z(&name));
    bx_buf_deinit(&name);
    snprintf(c->version, sizeof c->version, "%s", version);
    c->facts = (struct bx_mcp_facts){
        .version = c->version,
        .server = c->server,
        .tools = bx_val_get(can, "tools"),
        .resources = bx_val_get(can, "resources"),
        .prompts = bx_val_get(can, "prompts"),
    };
    c->wire->ready(c->wire, c->version,
                   bx_val_get_bool(bx_val_get(can, "tools"), "listChanged", false));
}

/* ---- calls ---- */

static int exchange(struct bx_mcp_client *c, const char *version, const struct bx_mcp_call *call,
                    void (*more)(void *user, struct bx_jw *w), void *more_user, struct bx_doc **ret,
                    struct bx_rpc *ret_message, struct bx_err *err) {
    uint64_t id = __atomic_add_fetch(&c->next_id, 1, __ATOMIC_RELAXED);
    struct bx_rpc_writer m;
    bx_rpc_begin(&m, id, call->method);
    if (call->params)
        call->params(call->user, &m.w);
    if (more)
        more(more_user, &m.w);
    write_meta(c, version, call->on_progress ? id : 0, &m.w);
    bx_rpc_end(&m);
    struct bx_mcp_exchange x = {.id = id,
                                .method = call->method,
                                .name = call->name,
                                .params = call->headers,
                                .param_count = call->header_count,
                                .body = bx_buf_str(&m.body),
                                .deadline_ms = call->deadline_ms,
                                .cancel = call->cancel,
                                .on_progress = call->on_progress,
                                .user = call->user};
    int rc = bx_buf_failed(&m.body)
                 ? bx_fail(err, BX_ERR_LIMIT, "the arguments are too large for an MCP server")
                 : c->wire->request(c->wire, &x, ret, ret_message, err);
    bx_buf_deinit(&m.body);
    return rc;
}

static int server_error(const struct bx_val *error, struct bx_err *err) {
    int64_t code = bx_val_get_int(error, "code", 0);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_KIB);
    bx_mcp_clean(&text, bx_val_get_str(error, "message"), 380);
    return bx_fail(err, code == -32601 ? BX_ERR_NOTFOUND : BX_ERR_INVALID, "%s (error %" PRId64 ")",
                   text.size ? bx_buf_z(&text) : "the server gives no reason", code);
}

struct round { /* of a request that the server wants more for */
    struct bx_mcp_client *client;
    const struct bx_val *asked;
};

static void write_responses(void *user, struct bx_jw *w) {
    struct round *r = user;
    struct bx_str state = bx_val_get_str(r->asked, "requestState");
    bx_jw_kobj(w, "inputResponses");
    bx_val_foreach_member (bx_val_get(r->asked, "inputRequests"), key, request) {
        bx_jw_keys(w, key);
        bx_jw_raw(w, bx_str_eqz(bx_val_get_str(request, "method"), "roots/list")
                         ? bx_str(r->client->roots)
                         : BX_STR_LIT("{\"action\":\"decline\"}"));
    }
    bx_jw_end(w);
    if (state.p)
        bx_jw_kstrn(w, "requestState", state);
}

static int can_answer(const struct bx_val *result, struct bx_err *err) {
    bx_val_foreach_member (bx_val_get(result, "inputRequests"), key, request) {
        (void)key;
        struct bx_str method = bx_val_get_str(request, "method");
        if (!bx_str_eqz(method, "roots/list") && !bx_str_eqz(method, "elicitation/create"))
            return bx_fail(err, BX_ERR_INVALID,
                           "the server wants \"%.60s\" of us, which is not offered to servers",
                           method.p ? method.p : "");
    }
    return 0;
}

int bx_mcp_client_call(struct bx_mcp_client *c, const struct bx_mcp_call *call,
                       struct bx_doc **ret_doc, const struct bx_val **ret_result,
                       struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL, *before = NULL;
    struct bx_rpc m = {.result = NULL};
    struct round round = {.client = c};
    for (unsigned n = 0;; n++) {
        bx_doc_free(before);
        before = bx_steal(&doc);
        round.asked = m.result;
        int rc = exchange(c, c->version, call, n ? write_responses : NULL, &round, &doc, &m, err);
        if (rc)
            return rc;
        if (m.error)
            return server_error(m.error, err);
        if (!bx_str_eqz(bx_val_get_str(m.result, "resultType"), "input_required"))
            break;
        if ((rc = can_answer(m.result, err)))
            return rc;
        if (n >= ROUNDS_MAX)
            return bx_fail(err, BX_ERR_PROTO, "the server asks again and again");
    }
    *ret_doc = bx_steal(&doc);
    *ret_result = m.result;
    return 0;
}

static void write_cursor(void *user, struct bx_jw *w) {
    const char *cursor = user;
    if (*cursor)
        bx_jw_kstr(w, "cursor", cursor);
}

int bx_mcp_client_list(struct bx_mcp_client *c, const char *method, const char *member, size_t max,
                       uint64_t deadline_ms, struct bx_cancel *cancel,
                       void (*fn)(void *user, const struct bx_val *item), void *user,
                       struct bx_err *err) {
    bx_auto(bx_freep) char *cursor = bx_strdup("");
    for (unsigned page = 0; page < PAGES_MAX && max; page++) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        const struct bx_val *result;
        struct bx_mcp_call call = {.method = method,
                                   .params = write_cursor,
                                   .deadline_ms = deadline_ms,
                                   .cancel = cancel,
                                   .user = cursor};
        int rc = bx_mcp_client_call(c, &call, &doc, &result, err);
        if (rc)
            return bx_wrap(err, rc, "%s", method);
        bx_val_foreach_item (bx_val_get(result, member), item) {
            if (max) {
                fn(user, item);
                max--;
            }
        }
        const char *next = bx_val_get_z(result, "nextCursor");
        if (!next || !*next || strcmp(next, cursor) == 0)
            return 0;
        bx_free(cursor);
        cursor = bx_strdup(next);
    }
    return 0; /* what is beyond our bounds is not looked at */
}

/* ---- opening ---- */

static bool is_legacy_version(const char *v) {
    static const char *const known[] = {BX_MCP_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"};
    for (size_t i = 0; v && i < BX_ARRAY_LEN(known); i++)
        if (strcmp(v, known[i]) == 0)
            return true;
    return false;
}

static bool lists(const struct bx_val *versions, const char *version) {
    bx_val_foreach_item (versions, v)
        if (bx_str_eqz(bx_val_str(v), version))
            return true;
    return false;
}

static bool lists_legacy(const struct bx_val *versions) {
    bx_val_foreach_item (versions, v)
        if (is_legacy_version(bx_val_z(v)))
            return true;
    return false;
}

static int no_version(const struct bx_val *versions, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_KIB);
    bx_val_foreach_item (versions, v)
        bx_buf_addf(&out, "%s%.20s", out.size ? ", " : "", bx_val_z(v) ? bx_val_z(v) : "?");
    return bx_fail(err, BX_ERR_PROTO,
                   "the server speaks only protocol versions that we do not know (%.200s)",
                   bx_buf_z(&out));
}

/* 0: it is of the stateless era and known now. BX_ERR_NOTFOUND: greet it the old way. */
static int discover(struct bx_mcp_client *c, uint64_t probe_ms, uint64_t deadline_ms,
                    struct bx_cancel *cancel, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_rpc m;
    uint64_t until_ms = bx_mono_ms() + probe_ms;
    struct bx_mcp_call call = {.method = "server/discover",
                               .deadline_ms =
                                   is_http(c) ? deadline_ms : BX_MIN(deadline_ms, until_ms),
                               .cancel = cancel};
    c->wire->ready(c->wire, BX_MCP_NEWEST, false);
    int rc = exchange(c, BX_MCP_NEWEST, &call, NULL, NULL, &doc, &m, err);
    if (rc == BX_ERR_TIMEOUT && !is_http(c))
        return BX_ERR_NOTFOUND;
    if (rc)
        return rc;
    const struct bx_val *versions = bx_val_get(m.result, "supportedVersions");
    if (m.error) {
        if (bx_val_get_int(m.error, "code", 0) != -32022)
            return BX_ERR_NOTFOUND;
        versions = bx_val_get(bx_val_get(m.error, "data"), "supported");
    } else if (lists(versions, BX_MCP_NEWEST)) {
        learn(c, BX_MCP_NEWEST, m.result);
        return 0;
    }
    return lists_legacy(versions) ? BX_ERR_NOTFOUND : no_version(versions, err);
}

static void write_initialize(void *user, struct bx_jw *w) {
    struct bx_mcp_client *c = user;
    bx_jw_kstr(w, "protocolVersion", BX_MCP_LEGACY);
    bx_jw_kobj(w, "capabilities");
    write_capabilities(c, w);
    bx_jw_end(w);
    write_info(w, "clientInfo");
}

static int initialize(struct bx_mcp_client *c, uint64_t deadline_ms, struct bx_cancel *cancel,
                      struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_rpc m;
    struct bx_mcp_call call = {.method = "initialize",
                               .params = write_initialize,
                               .deadline_ms = deadline_ms,
                               .cancel = cancel,
                               .user = c};
    c->wire->ready(c->wire, NULL, false);
    int rc = exchange(c, BX_MCP_LEGACY, &call, NULL, NULL, &doc, &m, err);
    if (rc)
        return rc;
    if (m.error && bx_val_get_int(m.error, "code", 0) == -32022) /* it was only slow at starting */
        return discover(c, SLOW_MS, deadline_ms, cancel, err);
    if (m.error)
        return server_error(m.error, err);
    const char *version = bx_val_get_z(m.result, "protocolVersion");
    if (!is_legacy_version(version))
        return bx_fail(err, BX_ERR_PROTO,
                       "the server speaks protocol version \"%.20s\", which we do not know",
                       version ? version : "");
    c->wire->ready(c->wire, version, false); /* the header goes with what follows */
    struct bx_rpc_writer note;
    bx_rpc_begin(&note, 0, "notifications/initialized");
    bx_rpc_end(&note);
    rc = c->wire->notify(c->wire, bx_buf_str(&note.body), deadline_ms, err);
    bx_buf_deinit(&note.body);
    if (!rc)
        learn(c, version, m.result);
    return rc;
}

static int open_wire(struct bx_mcp_client *c, bool sse, uint64_t deadline_ms,
                     struct bx_cancel *cancel, struct bx_err *err) {
    return is_http(c) ? bx_mcp_http_open(&c->config.wire, sse, deadline_ms, cancel, &c->wire, err)
                      : bx_mcp_stdio_open(&c->config.wire, &c->wire, err);
}

static int reopen(struct bx_mcp_client *c, bool sse, uint64_t deadline_ms, struct bx_cancel *cancel,
                  struct bx_err *err) {
    if (c->wire)
        c->wire->close(c->wire);
    c->wire = NULL;
    return open_wire(c, sse, deadline_ms, cancel, err);
}

static int negotiate(struct bx_mcp_client *c, uint64_t deadline_ms, struct bx_cancel *cancel,
                     struct bx_err *err) {
    bool sse = c->config.wire.server->transport == BX_MCP_SSE;
    bool legacy = sse || is_legacy_version(c->config.known_version);
    char why[200];
    int rc = open_wire(c, sse, deadline_ms, cancel, err);
    if (rc)
        return rc;
    if (!legacy) {
        rc = discover(c, PROBE_MS, deadline_ms, cancel, err);
        if (!rc || (rc != BX_ERR_NOTFOUND && (is_http(c) || rc != BX_ERR_RETRY)))
            return rc;
        if (!c->wire->is_alive(c->wire, why) && /* some end at a word they do not know */
            (rc = reopen(c, false, deadline_ms, cancel, err)))
            return rc;
    }
    rc = initialize(c, deadline_ms, cancel, err);
    if (rc == BX_ERR_NOTFOUND && is_http(c) && !sse &&
        !reopen(c, true, deadline_ms, cancel, NULL)) /* the transport of 2024-11-05 at this URL? */
        rc = initialize(c, deadline_ms, cancel, err);
    return rc;
}

int bx_mcp_client_open(const struct bx_mcp_client_config *config, uint64_t deadline_ms,
                       struct bx_cancel *cancel, struct bx_buf *ret_tail, char **ret_challenge,
                       struct bx_mcp_client **ret, struct bx_err *err) {
    struct bx_mcp_client *c = bx_new(struct bx_mcp_client);
    c->config = *config;
    c->config.wire.on_message = on_message;
    c->config.wire.user = c;
    c->refs = 1;
    make_roots(c);
    int rc = negotiate(c, deadline_ms, cancel, err);
    if (rc) {
        if (c->wire && ret_tail)
            c->wire->tail(c->wire, ret_tail);
        if (rc == BX_ERR_AUTH && c->wire && ret_challenge)
            *ret_challenge = bx_mcp_http_challenge(c->wire);
        bx_mcp_client_unref(c);
        return rc;
    }
    *ret = c;
    return 0;
}

struct bx_mcp_client *bx_mcp_client_ref(struct bx_mcp_client *c) {
    __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    return c;
}

void bx_mcp_client_unref(struct bx_mcp_client *c) {
    if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (c->wire)
        c->wire->close(c->wire);
    bx_free(c->roots);
    bx_free(c);
}

const struct bx_mcp_facts *bx_mcp_client_facts(const struct bx_mcp_client *c) {
    return &c->facts;
}

bool bx_mcp_client_is_alive(struct bx_mcp_client *c, char why[static 200]) {
    return c->wire->is_alive(c->wire, why);
}

void bx_mcp_client_tail(struct bx_mcp_client *c, struct bx_buf *out) {
    c->wire->tail(c->wire, out);
}

char *bx_mcp_client_challenge(struct bx_mcp_client *c) {
    return is_http(c) ? bx_mcp_http_challenge(c->wire) : NULL;
}
