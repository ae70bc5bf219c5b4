#include "mcp/config.h"

#include "json/write.h"
#include "mcp/mcp.h"

static int check_texts(const struct bx_val *entry, const char *member, enum bx_val_type type,
                       struct bx_err *err) {
    const struct bx_val *v = bx_val_get(entry, member);
    if (!v)
        return 0;
    if (!bx_val_is(v, type))
        return bx_fail(err, BX_ERR_INVALID, "\"%s\" must be %s", member,
                       type == BX_VAL_ARR   ? "a list of strings"
                       : type == BX_VAL_OBJ ? "an object of strings"
                                            : "a string");
    bx_val_foreach_item (v, item)
        if (!bx_val_is(item, BX_VAL_STR))
            return bx_fail(err, BX_ERR_INVALID, "\"%s\" must hold strings only", member);
    bx_val_foreach_member (v, key, value)
        if (!bx_val_is(value, BX_VAL_STR))
            return bx_fail(err, BX_ERR_INVALID, "\"%s\": \"" BX_STR_FMT "\" must be a string",
                           member, BX_STR_ARG(key));
    return 0;
}

static int read_transport(struct bx_mcp_server_config *c, const struct bx_val *e,
                          struct bx_err *err) {
    struct bx_str type = bx_val_get_str(e, "type");
    if (!type.n)
        type = bx_val_get_str(e, "transport");
    bool url = bx_val_get(e, "url") != NULL, command = bx_val_get(e, "command") != NULL;
    if (url == command)
        return bx_fail(err, BX_ERR_INVALID, "give either \"command\" (a program) or \"url\"");
    if (!type.n)
        c->transport = url ? BX_MCP_HTTP : BX_MCP_STDIO;
    else if (bx_str_eqz(type, "stdio"))
        c->transport = BX_MCP_STDIO;
    else if (bx_str_eqz(type, "sse"))
        c->transport = BX_MCP_SSE;
    else if (bx_str_eqz(type, "http") || bx_str_eqz(type, "streamable-http") ||
             bx_str_eqz(type, "streamableHttp") || bx_str_eqz(type, "streamable_http"))
        c->transport = BX_MCP_HTTP;
    else
        return bx_fail(err, BX_ERR_INVALID,
                       "there is no type \"" BX_STR_FMT "\": stdio, http or sse", BX_STR_ARG(type));
    if (url != (c->transport != BX_MCP_STDIO))
        return bx_fail(err, BX_ERR_INVALID, "type " BX_STR_FMT " does not go with \"%s\"",
                       BX_STR_ARG(type), url ? "url" : "command");
    return 0;
}

static int read_level(struct bx_mcp_server_config *c, const struct bx_val *e, struct bx_err *err) {
    c->level = BX_LEVEL_EXECUTE;
    struct bx_str level = bx_val_get_str(e, "level");
    if (level.n && !bx_level_parse(level, &c->level))
        return bx_fail(err, BX_ERR_INVALID, "there is no level \"" BX_STR_FMT "\"",
                       BX_STR_ARG(level));
    return 0;
}

static int read_timeout(struct bx_mcp_server_config *c, const struct bx_val *e,
                        struct bx_err *err) {
    const struct bx_val *v = bx_val_get(e, "timeout");
    double t = bx_val_real(v, -1);
    if (!v)
        return 0;
    if (t <= 0 || t > 86400000)
        return bx_fail(err, BX_ERR_INVALID, "\"timeout\" must be seconds, above 0");
    c->timeout_ms = (uint64_t)(t > 1000 ? t : t * 1000);
    c->timeout_ms = BX_MAX(c->timeout_ms, 10);
    return 0;
}

/* The digest of the entry whatever the order of its members was: they are sorted. */
static int by_key(const void *a, const void *b) {
    return bx_str_cmp(*(const struct bx_str *)a, *(const struct bx_str *)b);
}

static void digest(struct bx_mcp_server_config *c, const struct bx_val *e) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(4 * BX_MIB);
    struct bx_str keys[64];
    size_t n = 0;
    struct bx_jw w;
    bx_val_foreach_member (e, key, value) {
        (void)value;
        if (n < BX_ARRAY_LEN(keys))
            keys[n++] = key;
    }
    qsort(keys, n, sizeof *keys, by_key);
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    for (size_t i = 0; i < n; i++) {
        bx_jw_keys(&w, keys[i]);
        bx_jw_val(&w, bx_val_get_n(e, keys[i]));
    }
    bx_jw_end(&w);
    bx_sha256_hex_of(text.p, text.size, c->digest);
}

int bx_mcp_server_config_parse(struct bx_str name, const struct bx_val *entry, bool from_root,
                               struct bx_mcp_server_config *ret, struct bx_err *err) {
    struct bx_mcp_server_config c = {.from_root = from_root};
    if (!name.n || name.n > 100)
        return bx_fail(err, BX_ERR_INVALID, "the name of an MCP server has 1 to 100 bytes");
    if (!bx_val_is(entry, BX_VAL_OBJ) || bx_val_len(entry) > 64)
        return bx_fail(err, BX_ERR_INVALID, "MCP server \"" BX_STR_FMT "\" must be an object",
                       BX_STR_ARG(name));
    int rc = check_texts(entry, "command", BX_VAL_STR, err);
    if (!rc)
        rc = check_texts(entry, "url", BX_VAL_STR, err);
    if (!rc)
        rc = check_texts(entry, "cwd", BX_VAL_STR, err);
    if (!rc)
        rc = check_texts(entry, "args", BX_VAL_ARR, err);
    if (!rc)
        rc = check_texts(entry, "env", BX_VAL_OBJ, err);
    if (!rc)
        rc = check_texts(entry, "headers", BX_VAL_OBJ, err);
    if (!rc)
        rc = read_transport(&c, entry, err);
    if (!rc)
        rc = read_level(&c, entry, err);
    if (!rc)
        rc = read_timeout(&c, entry, err);
    if (rc)
        return bx_wrap(err, rc, "MCP server \"" BX_STR_FMT "\"", BX_STR_ARG(name));
    c.disabled =
        bx_val_get_bool(entry, "disabled", false) || !bx_val_get_bool(entry, "enabled", true);
    /* what a cloned folder says of its own trustworthiness is nothing */
    c.trusted = !from_root && bx_val_get_bool(entry, "trusted", false);
    if (from_root)
        c.level = BX_MAX(c.level, BX_LEVEL_EXECUTE);
    digest(&c, entry);
    c.name = bx_str_dup(name);
    c.doc = bx_val_copy(entry);
    *ret = c;
    return 0;
}

void bx_mcp_server_config_deinit(struct bx_mcp_server_config *c) {
    bx_free(c->name);
    bx_doc_free(c->doc);
    *c = (struct bx_mcp_server_config){0};
}

void bx_mcp_server_config_what(const struct bx_mcp_server_config *c, struct bx_buf *out) {
    const struct bx_val *e = bx_doc_root(c->doc);
    if (c->transport != BX_MCP_STDIO) {
        struct bx_str url = bx_val_get_str(e, "url");
        bx_buf_adds(out, bx_str_slice(url, 0, bx_str_find(url, '?'))); /* a key may follow */
        return;
    }
    bx_buf_adds(out, bx_val_get_str(e, "command"));
    bx_val_foreach_item (bx_val_get(e, "args"), arg) {
        bx_buf_addc(out, ' ');
        bx_buf_adds(out, bx_val_str(arg));
    }
}

static int expand_one(struct bx_str inside, bx_mcp_secret_fn *secret, void *user,
                      struct bx_buf *out, struct bx_err *err) {
    if (bx_str_starts(inside, "secret:")) {
        bx_auto(bx_freep) char *name = bx_str_dup(bx_str_slice(inside, 7, inside.n));
        bx_auto(bx_freep) char *value = secret ? secret(user, name) : NULL;
        if (!value)
            return secret ? bx_fail(err, BX_ERR_NOTFOUND,
                                    "there is no secret \"%.100s\": boxagnts secret set %.100s",
                                    name, name)
                          : bx_fail(err, BX_ERR_NOTFOUND,
                                    "there is no secret \"%.100s\" for .mcp.json: secrets are for "
                                    "entries of the settings",
                                    name);
        return bx_buf_addz(out, value);
    }
    struct bx_str fallback = {NULL, 0}, name = inside;
    size_t at = bx_str_find_str(inside, BX_STR_LIT(":-"));
    if (at != (size_t)-1) {
        name = bx_str_slice(inside, 0, at);
        fallback = bx_str_slice(inside, at + 2, inside.n);
        fallback.p = fallback.p ? fallback.p : "";
    }
    bx_auto(bx_freep) char *z = bx_str_dup(name);
    const char *value = getenv(z);
    if (value && (*value || !fallback.p))
        return bx_buf_addz(out, value);
    if (!fallback.p)
        return bx_fail(err, BX_ERR_NOTFOUND, "the environment variable %.100s is not set", z);
    return bx_buf_adds(out, fallback);
}

int bx_mcp_expand(struct bx_str text, bx_mcp_secret_fn *secret, void *user, struct bx_buf *out,
                  struct bx_err *err) {
    for (size_t at; text.n && (at = bx_str_find_str(text, BX_STR_LIT("${"))) != (size_t)-1;) {
        struct bx_str rest = bx_str_slice(text, at + 2, text.n);
        size_t end = bx_str_find(rest, '}');
        if (end == (size_t)-1)
            break;
        bx_buf_adds(out, bx_str_slice(text, 0, at));
        int rc = expand_one(bx_str_slice(rest, 0, end), secret, user, out, err);
        if (rc)
            return rc;
        text = bx_str_slice(rest, end + 1, rest.n);
    }
    bx_buf_adds(out, text);
    return bx_buf_failed(out)
               ? bx_fail(err, BX_ERR_LIMIT, "a value of the configuration is too long")
               : 0;
}

int bx_mcp_change_entry(void *user, const struct bx_val *settings, struct bx_buf *patch,
                        struct bx_err *err) {
    const struct bx_mcp_entry_change *change = user;
    const struct bx_val *old = bx_val_get(settings, "mcpServers");
    struct bx_jw w;
    if (!change->entry && !bx_val_get(old, change->name))
        return bx_fail(err, BX_ERR_NOTFOUND, "the settings have no MCP server \"%.60s\"",
                       change->name);
    bx_jw_init(&w, patch);
    bx_jw_obj(&w);
    bx_jw_kobj(&w, "mcpServers");
    bx_val_foreach_member (old, key, value) {
        if (!bx_str_eqz(key, change->name)) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, value);
        }
    }
    if (change->entry)
        bx_jw_kval(&w, change->name, change->entry);
    bx_jw_end(&w);
    bx_jw_end(&w);
    return 0;
}
