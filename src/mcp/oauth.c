#include "mcp/oauth.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/sha256.h"
#include "fetch/fetch.h"
#include "fetch/url.h"
#include "mcp/internal.h"

#define LOGIN_LIFE_MS 600000
#define LOGINS_MAX    16
#define DOCUMENT_MAX  (256 * BX_KIB)
#define EARLY_MS      60000 /* a token that ends sooner is refreshed first */

struct login { /* begun, its answer not here yet */
    char state[65], verifier[65];
    char *server, *redirect, *resource, *issuer, *token_endpoint, *client_id, *client_secret;
    bool says_issuer; /* the authorization server promised to name itself in its answer */
    uint64_t begun_ms;
};

struct bx_mcp_logins {
    pthread_mutex_t lock;
    BX_VEC(struct login *) all;
    pthread_mutex_t refreshing; /* one refresh at a time: a refresh token may be good once; held
                                   over the network */
};

static void login_free(struct login *l) {
    if (!l)
        return;
    bx_free(l->server);
    bx_free(l->redirect);
    bx_free(l->resource);
    bx_free(l->issuer);
    bx_free(l->token_endpoint);
    bx_free(l->client_id);
    bx_free(l->client_secret);
    bx_free(l);
}
BX_DEFINE_AUTO(struct login, login_free)

struct bx_mcp_logins *bx_mcp_logins_new(void) {
    struct bx_mcp_logins *l = bx_new(struct bx_mcp_logins);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->refreshing, NULL);
    return l;
}

void bx_mcp_logins_free(struct bx_mcp_logins *l) {
    if (!l)
        return;
    for (size_t i = 0; i < l->all.n; i++)
        login_free(l->all.p[i]);
    bx_vec_free(&l->all);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->refreshing);
    bx_free(l);
}

/* ---- text ---- */

static void add_percent(struct bx_buf *out, const char *text) {
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-_.~", *text);
        if (plain)
            bx_buf_addc(out, *text);
        else
            bx_buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

static void add_field(struct bx_buf *out, const char *name, const char *value) {
    if (!value)
        return;
    if (out->size && out->p[out->size - 1] != '?' && out->p[out->size - 1] != '&')
        bx_buf_addc(out, '&');
    bx_buf_addf(out, "%s=", name);
    add_percent(out, value);
}

/* Of a digest: 43 characters without padding (RFC 7636). */
static void base64url(const unsigned char digest[static 32], char out[static 44]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < 43; i++) {
        size_t bit = i * 6, at = bit / 8, shift = bit % 8;
        unsigned two = (unsigned)digest[at] << 8 | (at + 1 < 32 ? digest[at + 1] : 0u);
        out[i] = digits[two >> (10 - shift) & 63];
    }
    out[43] = 0;
}

/* scheme://host:port of a URL, and what follows it. */
static int origin_of(const char *url, char **ret_origin, const char **ret_path,
                     struct bx_err *err) {
    struct bx_url u = {NULL};
    int rc = bx_url_parse(url, &u, err);
    if (rc)
        return rc;
    const char *rest = strstr(url, "://");
    rest = rest ? rest + 3 : url;
    rest += strcspn(rest, "/?#");
    *ret_origin = bx_strndup(url, (size_t)(rest - url));
    *ret_path = rest;
    bx_url_deinit(&u);
    return 0;
}

static char *server_url(struct bx_mcp *m, struct bx_mcp_server *s, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(16 * BX_KIB);
    struct bx_str url = bx_val_get_str(bx_doc_root(s->config.doc), "url");
    if (!url.n) {
        bx_fail(err, BX_ERR_INVALID, "MCP server %s has no URL: there is nothing to sign in at",
                s->config.name);
        return NULL;
    }
    return bx_mcp_expand(url, m->config.secret, m->config.user, &out, err) ? NULL
                                                                           : bx_buf_steal(&out);
}

/* ---- requests ---- */

struct download {
    struct bx_buf body;
};

static int take_piece(void *user, struct bx_str piece, struct bx_err *err) {
    struct download *d = user;
    return bx_buf_adds(&d->body, piece)
               ? bx_fail(err, BX_ERR_LIMIT, "the answer is larger than 256 KiB")
               : 0;
}

/* A server names addresses that we then ask. Another host than its own must be a public one behind
 * https: a stranger's word must not lead us into the user's network. */
static int policy_for(const char *server, const char *url, struct bx_policy **ret,
                      struct bx_err *err) {
    struct bx_url a = {NULL}, b = {NULL};
    static const char *const hosts[] = {"https://*:*"}, *const blocked[] = {"private"};
    int rc = bx_url_parse(server, &a, err);
    if (!rc)
        rc = bx_url_parse(url, &b, err);
    if (!rc && strcmp(a.host, b.host) && !(bx_url_is_loopback(&a) && bx_url_is_loopback(&b)))
        rc = bx_policy_new(&(struct bx_policy_config){.allowed_hosts = hosts,
                                                      .allowed_host_count = 1,
                                                      .block_networks = blocked,
                                                      .block_network_count = 1},
                           ret, err);
    bx_url_deinit(&a);
    bx_url_deinit(&b);
    return rc;
}

/* body NULL: GET. *ret_status is set when there was an answer; the document only for JSON. */
static int ask(struct bx_mcp *m, const char *server, const char *url, const char *type,
               const char *body, struct bx_cancel *cancel, int *ret_status, struct bx_doc **ret,
               struct bx_err *err) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    struct download d = {.body = BX_BUF_INIT(DOCUMENT_MAX)};
    struct bx_fetch_header headers[] = {{"Accept", "application/json"},
                                        {"MCP-Protocol-Version", BX_MCP_LEGACY},
                                        {"Content-Type", type}};
    struct bx_fetch_result result = {0};
    int rc = policy_for(server, url, &policy, err);
    if (rc)
        return rc;
    struct bx_fetch_request request = {.url = url,
                                       .headers = headers,
                                       .header_count = body ? 3 : 2,
                                       .body = body ? bx_str(body) : (struct bx_str){NULL, 0},
                                       .policy = policy,
                                       .first_byte_timeout_ms = 20000,
                                       .total_timeout_ms = 30000,
                                       .on_body = take_piece,
                                       .user = &d,
                                       .cancel = cancel};
    rc = bx_fetch_perform(m->fetch, &request, &result, err);
    *ret_status = result.status;
    if (!rc && bx_doc_parse(bx_buf_str(&d.body), NULL, ret, NULL))
        *ret = NULL;
    bx_buf_deinit(&d.body);
    return rc;
}

/* A document that must be there; NULL and no error when it is not. */
static struct bx_doc *look(struct bx_mcp *m, const char *server, const char *url,
                           struct bx_cancel *cancel) {
    struct bx_doc *doc = NULL;
    int status = 0;
    if (!ask(m, server, url, NULL, NULL, cancel, &status, &doc, NULL) && status == 200)
        return doc;
    bx_doc_free(doc);
    return NULL;
}

/* ---- finding the authorization server ---- */

/* resource_metadata="…" of WWW-Authenticate. */
static char *named_metadata(const char *challenge) {
    const char *at = challenge ? strcasestr(challenge, "resource_metadata=") : NULL;
    if (!at)
        return NULL;
    at += strlen("resource_metadata=");
    bool quoted = *at == '"';
    at += quoted;
    return bx_strndup(at, strcspn(at, quoted ? "\"" : ", "));
}

/* What its 401 says; it is asked once more when it was not asked yet. */
static char *challenge_of(struct bx_mcp_server *s, struct bx_cancel *cancel) {
    for (unsigned n = 0;; n++) {
        bx_auto(bx_mcp_client_unrefp) struct bx_mcp_client *client = NULL;
        {
            BX_LOCKED(&s->lock);
            if (s->challenge || n)
                return bx_strdup(s->challenge);
        }
        (void)bx_mcp_server_client(s, bx_mono_ms() + BX_MCP_LIST_MS, cancel, &client, NULL);
    }
}

static struct bx_doc *resource_metadata(struct bx_mcp *m, struct bx_mcp_server *s, const char *url,
                                        struct bx_cancel *cancel) {
    bx_auto(bx_freep) char *origin = NULL, *challenge = challenge_of(s, cancel);
    const char *path = "";
    bx_auto(bx_freep) char *named = named_metadata(challenge);
    struct bx_doc *doc = named ? look(m, url, named, cancel) : NULL;
    if (doc || origin_of(url, &origin, &path, NULL))
        return doc;
    size_t path_n = strcspn(path, "?#");
    if (path_n > 1) {
        bx_auto(bx_freep) char *at =
            bx_asprintf("%s/.well-known/oauth-protected-resource%.*s", origin, (int)path_n, path);
        doc = look(m, url, at, cancel);
    }
    if (!doc) {
        bx_auto(bx_freep) char *at = bx_asprintf("%s/.well-known/oauth-protected-resource", origin);
        doc = look(m, url, at, cancel);
    }
    return doc;
}

static bool same_issuer(const char *a, const char *b) {
    size_t n = strlen(a), k = strlen(b);
    n -= n && a[n - 1] == '/';
    k -= k && b[k - 1] == '/';
    return n == k && memcmp(a, b, n) == 0;
}

/* The three places of RFC 8414 and OpenID; a document that names another issuer is none. */
static struct bx_doc *issuer_metadata(struct bx_mcp *m, const char *url, const char *issuer,
                                      struct bx_cancel *cancel) {
    bx_auto(bx_freep) char *origin = NULL;
    const char *path = "";
    if (origin_of(issuer, &origin, &path, NULL))
        return NULL;
    bx_auto(bx_freep) char *tenant = bx_strndup(path, strcspn(path, "?#"));
    size_t n = strlen(tenant);
    if (n && tenant[n - 1] == '/')
        tenant[n - 1] = 0;
    for (size_t i = 0; i < 3; i++) {
        char at[2000];
        snprintf(at, sizeof at,
                 i == 0   ? "%s/.well-known/oauth-authorization-server%s"
                 : i == 1 ? "%s/.well-known/openid-configuration%s"
                          : "%s%s/.well-known/openid-configuration",
                 origin, tenant);
        struct bx_doc *doc = look(m, url, at, cancel);
        const char *says = doc ? bx_val_get_z(bx_doc_root(doc), "issuer") : NULL;
        if (says && same_issuer(says, issuer))
            return doc;
        bx_doc_free(doc);
    }
    return NULL;
}

static bool holds(const struct bx_val *list, const char *text) {
    bx_val_foreach_item (list, v)
        if (bx_str_eqz(bx_val_str(v), text))
            return true;
    return false;
}

static bool is_safe(const char *url) {
    struct bx_url u = {NULL};
    bool safe = url && !bx_url_parse(url, &u, NULL) &&
                (strcmp(u.scheme, "https") == 0 || bx_url_is_loopback(&u));
    bx_url_deinit(&u);
    return safe;
}

/* ---- beginning ---- */

static int register_client(struct bx_mcp *m, struct login *l, const struct bx_val *meta,
                           const struct bx_val *given, struct bx_cancel *cancel,
                           struct bx_err *err) {
    const char *endpoint = bx_val_get_z(meta, "registration_endpoint");
    if (bx_val_get_z(given, "client_id")) {
        l->client_id = bx_strdup(bx_val_get_z(given, "client_id"));
        bx_auto(bx_buf_deinit) struct bx_buf secret = BX_BUF_INIT(4 * BX_KIB);
        struct bx_str text = bx_val_get_str(given, "client_secret");
        int rc = text.n ? bx_mcp_expand(text, m->config.secret, m->config.user, &secret, err) : 0;
        if (text.n && !rc)
            l->client_secret = bx_buf_steal(&secret);
        return rc;
    }
    if (!is_safe(endpoint))
        return bx_fail(err, BX_ERR_UNAVAILABLE,
                       "%s does not let programs register themselves: give \"oauth\": "
                       "{\"client_id\": …} in the entry of the server",
                       l->issuer);
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(4 * BX_KIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    int status = 0;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "client_name", "BoxAgnts");
    bx_jw_kstr(&w, "application_type", "native");
    bx_jw_kstr(&w, "token_endpoint_auth_method", "none");
    bx_jw_karr(&w, "redirect_uris");
    bx_jw_z(&w, l->redirect);
    bx_jw_end(&w);
    bx_jw_karr(&w, "grant_types");
    bx_jw_z(&w, "authorization_code");
    bx_jw_z(&w, "refresh_token");
    bx_jw_end(&w);
    bx_jw_karr(&w, "response_types");
    bx_jw_z(&w, "code");
    bx_jw_end(&w);
    bx_jw_end(&w);
    int rc = ask(m, l->resource, endpoint, "application/json", bx_buf_z(&body), cancel, &status,
                 &doc, err);
    if (rc)
        return bx_wrap(err, rc, "registering at %s", l->issuer);
    l->client_id = bx_strdup(bx_val_get_z(doc ? bx_doc_root(doc) : NULL, "client_id"));
    l->client_secret = bx_strdup(bx_val_get_z(doc ? bx_doc_root(doc) : NULL, "client_secret"));
    return l->client_id
               ? 0
               : bx_fail(err, BX_ERR_PROTO, "%s does not register us (HTTP %d)", l->issuer, status);
}

static char *scopes(const struct bx_val *resource, const struct bx_val *given) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(2 * BX_KIB);
    if (bx_val_get_z(given, "scope"))
        return bx_strdup(bx_val_get_z(given, "scope"));
    bx_val_foreach_item (bx_val_get(resource, "scopes_supported"), v)
        if (bx_val_is(v, BX_VAL_STR))
            bx_buf_addf(&out, "%s%s", out.size ? " " : "", bx_val_z(v));
    return out.size ? bx_buf_steal(&out) : NULL;
}

static char *browser_url(const struct login *l, const char *endpoint, const char *scope) {
    struct bx_buf url = BX_BUF_INIT(16 * BX_KIB);
    unsigned char digest[BX_SHA256_SIZE];
    char challenge[44];
    bx_sha256_of(l->verifier, strlen(l->verifier), digest);
    base64url(digest, challenge);
    bx_buf_addf(&url, "%s%s", endpoint, strchr(endpoint, '?') ? "&" : "?");
    add_field(&url, "response_type", "code");
    add_field(&url, "client_id", l->client_id);
    add_field(&url, "redirect_uri", l->redirect);
    add_field(&url, "state", l->state);
    add_field(&url, "code_challenge", challenge);
    add_field(&url, "code_challenge_method", "S256");
    add_field(&url, "resource", l->resource);
    add_field(&url, "scope", scope);
    return bx_buf_steal(&url);
}

static void remember(struct bx_mcp_logins *all, struct login *take_l) {
    BX_LOCKED(&all->lock);
    uint64_t now = bx_mono_ms();
    for (size_t i = all->all.n; i-- > 0;) {
        if (now - all->all.p[i]->begun_ms > LOGIN_LIFE_MS || all->all.n >= LOGINS_MAX) {
            login_free(all->all.p[i]);
            bx_vec_remove(&all->all, i);
        }
    }
    bx_vec_push(&all->all, take_l);
}

static void random_hex(char out[static 65]) {
    unsigned char bytes[32];
    bx_random(bytes, sizeof bytes);
    bx_hex(bytes, sizeof bytes, out);
}

int bx_mcp_login_begin(struct bx_mcp *m, const char *server, const char *redirect,
                       struct bx_cancel *cancel, char **ret_url, struct bx_err *err) {
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, server, err);
    bx_auto(login_freep) struct login *l = bx_new(struct login);
    bx_auto(bx_doc_freep) struct bx_doc *resource = NULL, *meta_doc = NULL;
    bx_auto(bx_freep) char *origin = NULL, *scope = NULL;
    const char *path;
    if (!s)
        return BX_ERR_NOTFOUND;
    int rc = bx_mcp_server_usable(s, err);
    if (rc || !(l->resource = server_url(m, s, err)))
        return rc ? rc : BX_ERR_INVALID;
    if ((rc = origin_of(l->resource, &origin, &path, err)))
        return rc;
    l->server = bx_strdup(server);
    l->redirect = bx_strdup(redirect);
    l->begun_ms = bx_mono_ms();
    random_hex(l->state);
    random_hex(l->verifier);
    resource = resource_metadata(m, s, l->resource, cancel);
    const struct bx_val *named =
        bx_val_get(resource ? bx_doc_root(resource) : NULL, "authorization_servers");
    l->issuer = bx_strdup(bx_val_z(bx_val_at(named, 0)) ? bx_val_z(bx_val_at(named, 0)) : origin);
    meta_doc = issuer_metadata(m, l->resource, l->issuer, cancel);
    const struct bx_val *meta = meta_doc ? bx_doc_root(meta_doc) : NULL,
                        *given = bx_val_get(bx_doc_root(s->config.doc), "oauth");
    const char *endpoint = bx_val_get_z(meta, "authorization_endpoint");
    if (!is_safe(endpoint) || !is_safe(bx_val_get_z(meta, "token_endpoint")))
        return bx_fail(err, BX_ERR_UNAVAILABLE,
                       "MCP server %s offers no sign-in (no usable metadata of an authorization "
                       "server at %.200s)",
                       server, l->issuer);
    if (!holds(bx_val_get(meta, "code_challenge_methods_supported"), "S256"))
        return bx_fail(err, BX_ERR_UNAVAILABLE, "%.200s does not support PKCE (S256)", l->issuer);
    l->token_endpoint = bx_strdup(bx_val_get_z(meta, "token_endpoint"));
    l->says_issuer = bx_val_get_bool(meta, "authorization_response_iss_parameter_supported", false);
    if ((rc = register_client(m, l, meta, given, cancel, err)))
        return rc;
    scope = scopes(resource ? bx_doc_root(resource) : NULL, given);
    *ret_url = browser_url(l, endpoint, scope);
    remember(m->logins, bx_steal(&l));
    return 0;
}

/* ---- tokens ---- */

static char *secret_name(const char *server) {
    return bx_asprintf("mcp.%s", server);
}

/* What the token endpoint said, as auth.json keeps it. */
static int keep_tokens(struct bx_mcp *m, const struct login *l, const struct bx_val *answer,
                       const char *old_refresh, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(64 * BX_KIB);
    bx_auto(bx_freep) char *name = secret_name(l->server);
    const char *refresh = bx_val_get_z(answer, "refresh_token");
    int64_t life_s = bx_val_get_int(answer, "expires_in", 0);
    struct bx_jw w;
    if (!bx_val_get_z(answer, "access_token"))
        return bx_fail(err, BX_ERR_AUTH, "the sign-in gave no token");
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "access_token", bx_val_get_z(answer, "access_token"));
    bx_jw_kstr(&w, "refresh_token", refresh ? refresh : old_refresh);
    bx_jw_kint(&w, "expires_at", life_s > 0 ? bx_wall_ms() + life_s * 1000 : 0);
    bx_jw_kstr(&w, "resource", l->resource);
    bx_jw_kstr(&w, "issuer", l->issuer);
    bx_jw_kstr(&w, "token_endpoint", l->token_endpoint);
    bx_jw_kstr(&w, "client_id", l->client_id);
    bx_jw_kstr(&w, "client_secret", l->client_secret);
    bx_jw_end(&w);
    return m->config.set_secret(m->config.user, name, bx_buf_z(&text), err);
}

static int ask_tokens(struct bx_mcp *m, const struct login *l, const char *form,
                      const char *old_refresh, struct bx_cancel *cancel, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int status = 0;
    int rc = ask(m, l->resource, l->token_endpoint, "application/x-www-form-urlencoded", form,
                 cancel, &status, &doc, err);
    if (rc)
        return rc;
    const struct bx_val *answer = doc ? bx_doc_root(doc) : NULL;
    if (status != 200) {
        bx_auto(bx_buf_deinit) struct bx_buf why = BX_BUF_INIT(BX_KIB);
        bx_mcp_clean(&why, bx_val_get_str(answer, "error"), 100);
        return bx_fail(err, BX_ERR_AUTH, "%.200s gives no token (HTTP %d%s%s)", l->issuer, status,
                       why.size ? ", " : "", bx_buf_z(&why));
    }
    return keep_tokens(m, l, answer, old_refresh, err);
}

static struct login *take_login(struct bx_mcp_logins *all, const char *state) {
    BX_LOCKED(&all->lock);
    for (size_t i = 0; i < all->all.n; i++) {
        struct login *l = all->all.p[i];
        if (strlen(state) == strlen(l->state) &&
            bx_const_time_eq(state, l->state, strlen(l->state))) {
            bx_vec_remove(&all->all, i);
            return l;
        }
    }
    return NULL;
}

int bx_mcp_login_finish(struct bx_mcp *m, const char *state, const char *code, const char *issuer,
                        struct bx_cancel *cancel, char **ret_server, struct bx_err *err) {
    bx_auto(login_freep) struct login *l = take_login(m->logins, state ? state : "");
    bx_auto(bx_buf_deinit) struct bx_buf form = BX_BUF_INIT(16 * BX_KIB);
    if (!l || bx_mono_ms() - l->begun_ms > LOGIN_LIFE_MS)
        return bx_fail(err, BX_ERR_AUTH, "this sign-in is not known, or too old: begin it again");
    if ((issuer || l->says_issuer) && (!issuer || !same_issuer(issuer, l->issuer)))
        return bx_fail(err, BX_ERR_AUTH, "the answer is not from the server that was asked");
    if (!code || !*code)
        return bx_fail(err, BX_ERR_AUTH, "the sign-in was refused");
    add_field(&form, "grant_type", "authorization_code");
    add_field(&form, "code", code);
    add_field(&form, "redirect_uri", l->redirect);
    add_field(&form, "client_id", l->client_id);
    add_field(&form, "client_secret", l->client_secret);
    add_field(&form, "code_verifier", l->verifier);
    add_field(&form, "resource", l->resource);
    int rc = ask_tokens(m, l, bx_buf_z(&form), NULL, cancel, err);
    if (rc)
        return rc;
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, l->server, NULL);
    if (s)
        bx_mcp_server_stop(s, false); /* the next call begins anew, with the token */
    bx_mcp_learn(m, 0, NULL);
    if (ret_server)
        *ret_server = bx_strdup(l->server);
    return 0;
}

int bx_mcp_logout(struct bx_mcp *m, const char *server, struct bx_err *err) {
    bx_auto(bx_freep) char *name = secret_name(server);
    bx_auto(bx_mcp_server_unrefp) struct bx_mcp_server *s = bx_mcp_find(m, server, err);
    return !s ? BX_ERR_NOTFOUND : m->config.set_secret(m->config.user, name, NULL, err);
}

/* The kept tokens, when they are for this server's URL. */
static struct bx_doc *kept_tokens(struct bx_mcp *m, struct bx_mcp_server *s) {
    bx_auto(bx_freep) char *name = secret_name(s->config.name),
                           *text = m->config.secret ? m->config.secret(m->config.user, name) : NULL,
                           *url = text ? server_url(m, s, NULL) : NULL;
    struct bx_doc *doc = NULL;
    if (!url || bx_doc_parse(bx_str(text), NULL, &doc, NULL))
        return NULL;
    if (bx_str_eqz(bx_val_get_str(bx_doc_root(doc), "resource"), url))
        return doc;
    bx_doc_free(doc);
    return NULL;
}

static bool is_good(const struct bx_doc *doc) {
    int64_t ends_ms = bx_val_get_int(bx_doc_root(doc), "expires_at", 0);
    return !ends_ms || ends_ms > bx_wall_ms() + EARLY_MS;
}

static void refresh(struct bx_mcp *m, struct bx_mcp_server *s, const struct bx_val *t) {
    bx_auto(bx_buf_deinit) struct bx_buf form = BX_BUF_INIT(16 * BX_KIB);
    bx_auto(login_freep) struct login *l = bx_new(struct login);
    const char *token = bx_val_get_z(t, "refresh_token");
    if (!token)
        return;
    l->server = bx_strdup(s->config.name);
    l->resource = bx_strdup(bx_val_get_z(t, "resource"));
    l->issuer = bx_strdup(bx_val_get_z(t, "issuer"));
    l->token_endpoint = bx_strdup(bx_val_get_z(t, "token_endpoint"));
    l->client_id = bx_strdup(bx_val_get_z(t, "client_id"));
    l->client_secret = bx_strdup(bx_val_get_z(t, "client_secret"));
    if (!l->issuer || !is_safe(l->token_endpoint))
        return;
    add_field(&form, "grant_type", "refresh_token");
    add_field(&form, "refresh_token", token);
    add_field(&form, "client_id", l->client_id);
    add_field(&form, "client_secret", l->client_secret);
    add_field(&form, "resource", l->resource);
    (void)ask_tokens(m, l, bx_buf_z(&form), token, m->closing, NULL);
}

char *bx_mcp_oauth_token(struct bx_mcp *m, struct bx_mcp_server *s) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = kept_tokens(m, s);
    if (doc && !is_good(doc)) {
        BX_LOCKED(&m->logins->refreshing);
        bx_doc_free(doc);
        doc = kept_tokens(m, s); /* somebody else may have done it meanwhile */
        if (doc && !is_good(doc)) {
            refresh(m, s, bx_doc_root(doc));
            bx_doc_free(doc);
            doc = kept_tokens(m, s);
        }
    }
    return doc ? bx_strdup(bx_val_get_z(bx_doc_root(doc), "access_token")) : NULL;
}

bool bx_mcp_oauth_signed_in(struct bx_mcp *m, struct bx_mcp_server *s) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = kept_tokens(m, s);
    return doc != NULL;
}
