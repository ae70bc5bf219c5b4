#include "tools/remote.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "box/answer.h"
#include "box/receipt.h"
#include "fetch/url.h"
#include "json/schema.h"
#include "json/write.h"
#include "tools/descriptor.h"
#include "tools/network.h"

#define DESCRIPTOR_MAX (256 * BX_KIB)
#define HEADERS_MAX    32
#define ERROR_SHOWN    2000 /* bytes of an answer that is an error */

enum remote_input { INPUT_JSON, INPUT_QUERY, INPUT_FORM };

struct remote_tool {
    struct bx_tool tool;
    struct bx_descriptor descriptor;
    struct bx_remote_config config;
    const char *url, *method, *pointer;
    enum remote_input input;
    bool wants_json;
    char *path;
    char digest[BX_SHA256_HEX + 1];
};

static void remote_destroy(struct bx_tool *t) {
    struct remote_tool *r = (struct remote_tool *)t;
    bx_descriptor_deinit(&r->descriptor);
    bx_free(r->path);
    bx_free(r);
}

/* ---- the request ---- */

struct sending {
    const struct remote_tool *tool;
    const struct bx_val *input;
    struct bx_arena arena;
    struct bx_buf url, body;
    struct bx_outbound_header headers[HEADERS_MAX + 1];
    size_t header_count;
};

static void sending_deinit(struct sending *s) {
    bx_arena_deinit(&s->arena);
    bx_buf_deinit(&s->url);
    bx_buf_deinit(&s->body);
}

static void add_percent(struct bx_buf *out, struct bx_str text) {
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            bx_buf_addc(out, c);
        else
            bx_buf_addf(out, "%%%02X", (unsigned char)c);
    }
}

/* A value as text: what is no text is JSON. */
static void add_value(struct sending *s, struct bx_buf *out, const struct bx_val *v) {
    (void)s;
    if (bx_val_is(v, BX_VAL_STR)) {
        add_percent(out, bx_val_str(v));
        return;
    }
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, v);
    add_percent(out, bx_buf_str(&text));
    bx_buf_deinit(&text);
}

/* The URL with its {members}; one that would lead to another folder is refused. */
static int fill_url(struct sending *s, struct bx_err *err) {
    struct bx_str rest = bx_str(s->tool->url);
    for (size_t at; (at = bx_str_find(rest, '{')) != (size_t)-1;) {
        size_t end = bx_str_find(rest, '}');
        struct bx_str name = bx_str_slice(rest, at + 1, end - at - 1);
        const struct bx_val *v = bx_val_get_n(s->input, name);
        struct bx_str text = bx_val_str(v);
        if (!v || bx_val_is(v, BX_VAL_OBJ) || bx_val_is(v, BX_VAL_ARR) || bx_val_is(v, BX_VAL_NULL))
            return bx_fail(err, BX_ERR_INVALID,
                           "the member \"" BX_STR_FMT
                           "\" belongs into the address and must be a text or a number",
                           BX_STR_ARG(name));
        if (bx_val_is(v, BX_VAL_STR) &&
            (!text.n || bx_str_eqz(text, ".") || bx_str_eqz(text, "..")))
            return bx_fail(err, BX_ERR_INVALID, "the member \"" BX_STR_FMT "\" must name something",
                           BX_STR_ARG(name));
        bx_buf_adds(&s->url, bx_str_slice(rest, 0, at));
        add_value(s, &s->url, v);
        rest = bx_str_slice(rest, end + 1, rest.n);
    }
    bx_buf_adds(&s->url, rest);
    return 0;
}

static bool in_url(const struct sending *s, struct bx_str key) {
    bx_auto(bx_freep) char *braced = bx_asprintf("{" BX_STR_FMT "}", BX_STR_ARG(key));
    return strstr(s->tool->url, braced) != NULL;
}

static void fill_pairs(struct sending *s, struct bx_buf *out, const char *first) {
    bx_val_foreach_member (s->input, key, value) {
        if (in_url(s, key) || bx_val_is(value, BX_VAL_NULL))
            continue;
        bx_buf_addz(out, first);
        first = "&";
        add_percent(out, key);
        bx_buf_addc(out, '=');
        add_value(s, out, value);
    }
}

static void fill_json(struct sending *s) {
    struct bx_jw w;
    bx_jw_init(&w, &s->body);
    bx_jw_obj(&w);
    bx_val_foreach_member (s->input, key, value) {
        if (!in_url(s, key)) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, value);
        }
    }
    bx_jw_end(&w);
}

/* "Bearer ${secret:NAME}" with the secret. */
static int fill_secret(struct sending *s, struct bx_str text, struct bx_buf *out,
                       struct bx_err *err) {
    const struct bx_remote_config *c = &s->tool->config;
    for (size_t at; (at = bx_str_find_str(text, BX_STR_LIT("${secret:"))) != (size_t)-1;) {
        struct bx_str rest = bx_str_slice(text, at + 9, text.n);
        size_t end = bx_str_find(rest, '}');
        if (end == (size_t)-1)
            break;
        bx_auto(bx_freep) char *name = bx_str_dup(bx_str_slice(rest, 0, end));
        bx_auto(bx_freep) char *value = c->secret ? c->secret(c->secret_user, name) : NULL;
        if (!value)
            return bx_fail(err, BX_ERR_NOTFOUND,
                           "%s needs the secret \"%.100s\": boxagnts secret set %.100s",
                           s->tool->tool.name, name, name);
        bx_buf_adds(out, bx_str_slice(text, 0, at));
        bx_buf_addz(out, value);
        text = bx_str_slice(rest, end + 1, rest.n);
    }
    bx_buf_adds(out, text);
    return 0;
}

static int fill_headers(struct sending *s, struct bx_err *err) {
    const struct bx_val *headers = bx_val_get(bx_doc_root(s->tool->descriptor.doc), "headers");
    bx_val_foreach_member (headers, name, value) {
        struct bx_buf text = BX_BUF_INIT(64 * BX_KIB);
        int rc = fill_secret(s, bx_val_str(value), &text, err);
        if (!rc)
            s->headers[s->header_count++] = (struct bx_outbound_header){
                name, bx_str(bx_arena_str(&s->arena, bx_buf_str(&text)))};
        bx_buf_deinit(&text);
        if (rc)
            return rc;
    }
    if (s->tool->input != INPUT_QUERY)
        s->headers[s->header_count++] = (struct bx_outbound_header){
            BX_STR_LIT("Content-Type"), s->tool->input == INPUT_FORM
                                            ? BX_STR_LIT("application/x-www-form-urlencoded")
                                            : BX_STR_LIT("application/json")};
    return 0;
}

static int fill(struct sending *s, struct bx_err *err) {
    int rc = fill_url(s, err);
    if (rc)
        return rc;
    if (s->tool->input == INPUT_QUERY)
        fill_pairs(s, &s->url, strchr(bx_buf_z(&s->url), '?') ? "&" : "?");
    else if (s->tool->input == INPUT_FORM)
        fill_pairs(s, &s->body, "");
    else
        fill_json(s);
    if (bx_buf_failed(&s->url))
        return bx_fail(err, BX_ERR_LIMIT, "the address would be longer than 64 KiB");
    return fill_headers(s, err);
}

/* ---- the answer ---- */

/* RFC 6901; NULL: there is nothing. */
static const struct bx_val *at_pointer(const struct bx_val *v, const char *pointer) {
    struct bx_str rest = bx_str(pointer), part;
    if (rest.n)
        rest = bx_str_slice(rest, 1, rest.n);
    while (*pointer && v && bx_str_split(&rest, '/', &part)) {
        bx_auto(bx_buf_deinit) struct bx_buf key = BX_BUF_INIT(BX_KIB);
        uint64_t index;
        for (size_t i = 0; i < part.n; i++) {
            bool escaped = part.p[i] == '~' && i + 1 < part.n;
            bx_buf_addc(&key, escaped ? (part.p[++i] == '1' ? '/' : '~') : part.p[i]);
        }
        if (bx_val_is(v, BX_VAL_ARR))
            v = bx_str_to_u64(bx_buf_str(&key), &index) ? bx_val_at(v, (size_t)index) : NULL;
        else
            v = bx_val_get_n(v, bx_buf_str(&key));
    }
    return v;
}

static void write_metadata(const struct sending *s, const struct bx_outbound_kept *k,
                           struct bx_tool_result *ret) {
    struct bx_buf out = BX_BUF_INIT(128 * BX_KIB);
    struct bx_jw w;
    struct bx_str type = bx_str(k->content_type);
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kuint(&w, "status", k->status);
    bx_jw_kstrn(&w, "mime", bx_str_trim(bx_str_slice(type, 0, bx_str_find(type, ';'))));
    bx_jw_kuint(&w, "bytes", k->body.size);
    bx_jw_kstr(&w, "url", s->tool->url);
    bx_jw_end(&w);
    ret->metadata = bx_buf_steal(&out);
}

static void take_json(const struct sending *s, const struct bx_outbound_kept *k,
                      struct bx_tool_result *ret) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    struct bx_json_limits limits = {.max_size_bytes = 256 * BX_MIB};
    if (bx_doc_parse(bx_buf_str(&k->body), &limits, &doc, &err)) {
        bx_tool_result_text(ret, true, "%s should have answered with JSON, but: %s.",
                            s->tool->tool.name, err.msg);
        return;
    }
    const struct bx_val *v = at_pointer(bx_doc_root(doc), s->tool->pointer);
    if (!v) {
        bx_tool_result_text(ret, true, "The answer of %s has nothing at %s.", s->tool->tool.name,
                            s->tool->pointer);
        return;
    }
    struct bx_buf text = BX_BUF_INIT(SIZE_MAX / 4), out = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    if (bx_val_is(v, BX_VAL_STR))
        bx_buf_adds(&text, bx_val_str(v));
    else
        bx_jw_val(&w, v);
    bx_json_quote(&out, bx_buf_str(&text));
    ret->content = bx_buf_steal(&out);
    bx_buf_deinit(&text);
}

static void take_answer(const struct sending *s, const struct bx_outbound_kept *k,
                        struct bx_tool_result *ret) {
    struct bx_str body = bx_buf_str(&k->body);
    write_metadata(s, k, ret);
    if (k->status >= 300) {
        bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(4 * ERROR_SHOWN);
        bx_utf8_add_clean(&text, bx_str_slice(body, 0, ERROR_SHOWN));
        ret->retryable = k->status == 429 || k->status >= 500;
        bx_tool_result_text(ret, true, "%s answered with HTTP status %u.%s%s", s->tool->tool.name,
                            k->status, text.size ? "\n" : "", bx_buf_z(&text));
    } else if (s->tool->wants_json) {
        take_json(s, k, ret);
    } else if (memchr(body.n ? body.p : "", 0, body.n) || !bx_utf8_valid(body)) {
        bx_tool_result_text(ret, true, "The answer of %s is no text (%zu bytes).",
                            s->tool->tool.name, body.n);
    } else {
        struct bx_buf out = BX_BUF_INIT(SIZE_MAX / 2);
        bx_json_quote(&out, body);
        ret->content = bx_buf_steal(&out);
    }
}

/* ---- the call ---- */

static void say_limit(const struct bx_tool *t, const struct bx_grant *g, enum bx_limit_id id,
                      const char *what, struct bx_tool_result *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_KIB);
    bx_limit_say(&text, id, g->limits.value[id], t->name);
    ret->limit = bx_limit_info(id)->name;
    bx_tool_result_text(ret, true, "%s: %s.", what, bx_buf_z(&text));
}

static void failed(const struct bx_tool *t, const struct bx_grant *g, int rc,
                   const struct bx_err *err, struct bx_tool_result *ret) {
    if (rc == BX_ERR_CANCELLED) {
        ret->limit = "cancelled";
        bx_tool_result_text(ret, true, "Stopped.");
    } else if (rc == BX_ERR_TIMEOUT) {
        say_limit(t, g, BX_LIMIT_TIME, "No answer came", ret);
    } else if (rc == BX_ERR_LIMIT) {
        say_limit(t, g, BX_LIMIT_RESPONSE, "The answer is too large", ret);
    } else {
        if (rc == BX_ERR_DENIED)
            ret->limit = "network";
        ret->retryable = rc == BX_ERR_UNAVAILABLE || rc == BX_ERR_RETRY;
        bx_tool_result_text(ret, true, "%s.", err->msg);
    }
}

static void note_traffic(const struct remote_tool *r, struct bx_tool_ctx *ctx, size_t sent,
                         size_t received, bool denied) {
    const char *host = strstr(r->url, "://") + 3;
    if (ctx->traffic)
        *ctx->traffic = (struct bx_receipt_host){.host = bx_strndup(host, strcspn(host, "/?#")),
                                                 .sent_bytes = denied ? 0 : sent,
                                                 .received_bytes = received,
                                                 .denied = denied};
}

static int remote_execute(const struct bx_tool *t, const struct bx_val *input,
                          struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    const struct remote_tool *r = (const struct remote_tool *)t;
    const struct bx_grant *g = ctx->grant;
    struct bx_err problem = {0};
    bx_auto(sending_deinit) struct sending s = {.tool = r,
                                                .input = input,
                                                .url = BX_BUF_INIT(64 * BX_KIB),
                                                .body = BX_BUF_INIT(64 * BX_MIB)};
    if (fill(&s, &problem)) {
        bx_tool_result_text(ret, true, "%s.", problem.msg);
        return 0;
    }
    if (s.body.size > g->limits.value[BX_LIMIT_REQUEST]) {
        say_limit(t, g, BX_LIMIT_REQUEST, "The request is too large", ret);
        return 0;
    }
    struct bx_outbound_kept kept;
    bx_outbound_kept_init(&kept, (size_t)g->limits.value[BX_LIMIT_RESPONSE]);
    struct bx_outbound_request q = {.method = r->method,
                                    .url = bx_buf_z(&s.url),
                                    .headers = s.headers,
                                    .header_count = s.header_count,
                                    .body = bx_buf_str(&s.body),
                                    .grant = g,
                                    .cancel = ctx->cancel,
                                    .timeout_ms = g->limits.value[BX_LIMIT_TIME]};
    struct bx_network_call network = {.tool = t->name, .ctx = ctx, .outbound = r->config.outbound};
    int rc = r->config.outbound ? bx_network_answer(&network, &q, &kept.answer, &problem)
                                : bx_fail(&problem, BX_ERR_UNAVAILABLE, "there is no network here");
    if (rc)
        failed(t, g, rc, &problem, ret);
    else
        take_answer(&s, &kept, ret);
    note_traffic(r, ctx, s.body.size, kept.body.size, rc == BX_ERR_DENIED);
    ret->denied = network.denied;
    bx_outbound_kept_deinit(&kept);
    return 0;
}

/* ---- the descriptor ---- */

static int check_url(struct remote_tool *r, const struct bx_val *d, struct bx_err *err) {
    struct bx_url url = {NULL};
    r->url = bx_val_get_z(d, "url");
    if (!r->url)
        return bx_fail(err, BX_ERR_INVALID, "\"url\" is missing");
    const char *host = strstr(r->url, "://");
    size_t brace = strcspn(r->url, "{");
    size_t host_end = host ? (size_t)(host + 3 - r->url) + strcspn(host + 3, "/?#") : 0;
    if (!host || brace < host_end)
        return bx_fail(err, BX_ERR_INVALID,
                       "\"url\" must begin with https://HOST/: the host is no part of the input");
    for (const char *p = r->url; (p = strchr(p, '{')); p++) {
        size_t n = strcspn(p + 1, "{}");
        if (p[1 + n] != '}' || !n)
            return bx_fail(err, BX_ERR_INVALID, "\"url\" has a brace without its end");
    }
    int rc = bx_url_parse(r->url, &url, err);
    bool plain = !rc && strcmp(url.scheme, "http") == 0 && !bx_url_is_loopback(&url);
    bx_url_deinit(&url);
    if (rc)
        return bx_wrap(err, rc, "\"url\"");
    bx_val_foreach_member (bx_val_get(d, "headers"), name, value) {
        (void)name;
        if (plain && bx_str_find_str(bx_val_str(value), BX_STR_LIT("${secret:")) != (size_t)-1)
            return bx_fail(err, BX_ERR_INVALID, "a secret goes over https only");
    }
    return 0;
}

static bool is_token(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n;
}

static int check_members(struct remote_tool *r, const struct bx_val *written,
                         const struct bx_val *d, struct bx_err *err) {
    struct bx_str input = bx_val_get_str(written, "input"),
                  response = bx_val_get_str(d, "response");
    const struct bx_val *headers = bx_val_get(d, "headers");
    r->method = bx_val_get_z(d, "method");
    r->pointer = bx_val_get_z(d, "pointer") ? bx_val_get_z(d, "pointer") : "";
    r->wants_json = *r->pointer || bx_str_eqz(response, "json");
    if (!input.n)
        r->input = r->method && strcmp(r->method, "GET") == 0 ? INPUT_QUERY : INPUT_JSON;
    else if (bx_str_eqz(input, "json") || bx_str_eqz(input, "form"))
        r->input = bx_str_eqz(input, "json") ? INPUT_JSON : INPUT_FORM;
    else if (bx_str_eqz(input, "query"))
        r->input = INPUT_QUERY;
    else
        return bx_fail(err, BX_ERR_INVALID, "\"input\" must be json, query or form");
    if (!r->method)
        r->method = r->input == INPUT_QUERY ? "GET" : "POST";
    if (!is_token(bx_str(r->method)) || strlen(r->method) > 20)
        return bx_fail(err, BX_ERR_INVALID, "\"method\" is no method of HTTP");
    if (response.n && !bx_str_eqz(response, "json") && !bx_str_eqz(response, "text"))
        return bx_fail(err, BX_ERR_INVALID, "\"response\" must be text or json");
    if (*r->pointer && *r->pointer != '/')
        return bx_fail(err, BX_ERR_INVALID, "\"pointer\" must begin with a slash");
    if (bx_val_len(headers) > HEADERS_MAX)
        return bx_fail(err, BX_ERR_INVALID, "\"headers\" has more than %d members", HEADERS_MAX);
    bx_val_foreach_member (headers, name, value)
        if (!is_token(name) || !bx_val_is(value, BX_VAL_STR) || strpbrk(bx_val_z(value), "\r\n"))
            return bx_fail(err, BX_ERR_INVALID,
                           "\"headers\": \"" BX_STR_FMT "\" is no header with a line of text",
                           BX_STR_ARG(name));
    return check_url(r, d, err);
}

/* The common part is the descriptor of any tool; here it may leave the level and the schema out,
 * and "input" means something else. */
static void common_part(const struct bx_val *d, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_val_foreach_member (d, key, value) {
        if (!bx_str_eqz(key, "input")) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, value);
        }
    }
    if (!bx_val_get(d, "permission_level"))
        bx_jw_kstr(&w, "permission_level", bx_level_name(BX_LEVEL_EXECUTE));
    if (!bx_val_get(d, "input_schema")) {
        bx_jw_kobj(&w, "input_schema");
        bx_jw_kstr(&w, "type", "object");
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
}

static int read_descriptor(struct remote_tool *r, struct bx_str text, const char *stem,
                           struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf common = BX_BUF_INIT(2 * DESCRIPTOR_MAX);
    int rc = bx_doc_parse(text, NULL, &doc, err);
    if (rc)
        return rc;
    if (!bx_val_is(bx_doc_root(doc), BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "a descriptor must be one JSON object");
    common_part(bx_doc_root(doc), &common);
    rc = bx_descriptor_parse(bx_buf_str(&common), stem, &r->descriptor, err);
    if (rc)
        return rc;
    return check_members(r, bx_doc_root(doc), bx_doc_root(r->descriptor.doc), err);
}

static void make_tool(struct remote_tool *r, struct bx_str text) {
    const struct bx_descriptor *d = &r->descriptor;
    bx_sha256_hex_of(text.p, text.n, r->digest);
    r->tool = (struct bx_tool){
        .name = d->name,
        .description = d->description,
        .version = d->version,
        .kind = BX_TOOL_REMOTE,
        .level = d->level,
        .source = r->path,
        .digest = r->digest,
        .schema_text = d->schema_text,
        .schema = d->schema,
        .example = d->example,
        .path_members = "",
        .url = r->url,
        .wants = d->wants,
        .execute = remote_execute,
        .destroy = remote_destroy,
        .refs = 1,
    };
}

int bx_remote_tool_load(const struct bx_remote_config *config, const char *path,
                        struct bx_tool **ret, struct bx_err *err) {
    struct remote_tool *r = bx_new(struct remote_tool);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(DESCRIPTOR_MAX);
    struct bx_str name = bx_str(bx_path_base(path));
    bx_auto(bx_freep) char *stem =
        bx_str_dup(bx_str_slice(name, 0, name.n - strlen(BX_REMOTE_SUFFIX)));
    r->config = *config;
    r->path = bx_path_absolute(path);
    int rc = bx_file_read(path, &text, err);
    if (!rc && (rc = read_descriptor(r, bx_buf_str(&text), stem, err)))
        bx_wrap(err, rc, "%s", path);
    if (rc) {
        remote_destroy(&r->tool);
        return rc;
    }
    make_tool(r, bx_buf_str(&text));
    *ret = &r->tool;
    return 0;
}
