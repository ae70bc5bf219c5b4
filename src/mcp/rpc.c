#include "mcp/rpc.h"

#include "base/utf8.h"

#define DEPTH_MAX 64

int bx_rpc_parse(struct bx_str text, struct bx_doc **ret_doc, struct bx_rpc *ret,
                 struct bx_err *err) {
    struct bx_json_limits limits = {.max_size_bytes = BX_MCP_MESSAGE_MAX, .max_depth = DEPTH_MAX};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = bx_doc_parse(text, &limits, &doc, err);
    if (rc)
        return rc;
    const struct bx_val *root = bx_doc_root(doc);
    struct bx_rpc m = {.id = bx_val_get(root, "id"),
                       .method = bx_val_get_z(root, "method"),
                       .params = bx_val_get(root, "params"),
                       .result = bx_val_get(root, "result"),
                       .error = bx_val_get(root, "error")};
    bool named = bx_val_is(m.id, BX_VAL_INT) || bx_val_is(m.id, BX_VAL_STR);
    if (!bx_val_is(root, BX_VAL_OBJ) || !bx_str_eqz(bx_val_get_str(root, "jsonrpc"), "2.0"))
        return bx_fail(err, BX_ERR_PROTO, "this is no JSON-RPC 2.0 message");
    if (m.method)
        m.kind = named ? BX_RPC_REQUEST : BX_RPC_NOTIFICATION;
    else if ((m.result && !m.error) || bx_val_is(m.error, BX_VAL_OBJ))
        m.kind = BX_RPC_RESPONSE; /* an error may be without an id: over HTTP the exchange says
                                     whose it is */
    else
        return bx_fail(err, BX_ERR_PROTO, "a message with neither method, result nor error");
    *ret = m;
    *ret_doc = bx_steal(&doc);
    return 0;
}

static uint64_t number_of(const struct bx_val *v) {
    uint64_t n = 0;
    if (bx_val_is(v, BX_VAL_INT) && bx_val_int(v, -1) > 0)
        return (uint64_t)bx_val_int(v, 0);
    return bx_str_to_u64(bx_val_str(v), &n) ? n : 0; /* some servers give numbers back as text */
}

bool bx_rpc_id_is(const struct bx_rpc *m, uint64_t id) {
    return number_of(m->id) == id;
}

uint64_t bx_rpc_progress_id(const struct bx_rpc *m) {
    return m->kind == BX_RPC_NOTIFICATION && strcmp(m->method, "notifications/progress") == 0
               ? number_of(bx_val_get(m->params, "progressToken"))
               : 0;
}

void bx_rpc_progress_text(const struct bx_rpc *m, struct bx_buf *out) {
    const struct bx_val *progress = bx_val_get(m->params, "progress"),
                        *total = bx_val_get(m->params, "total");
    struct bx_str message = bx_val_get_str(m->params, "message");
    if (progress)
        bx_buf_addf(out, "%g", bx_val_real(progress, 0));
    if (total)
        bx_buf_addf(out, " of %g", bx_val_real(total, 0));
    if (out->size && message.n)
        bx_buf_addz(out, ": ");
    bx_mcp_clean(out, message, 500);
    bx_buf_addc(out, '\n');
}

void bx_rpc_begin(struct bx_rpc_writer *m, uint64_t id, const char *method) {
    m->body = BX_BUF_INIT(BX_MCP_MESSAGE_MAX * 2);
    bx_jw_init(&m->w, &m->body);
    bx_jw_obj(&m->w);
    bx_jw_kstr(&m->w, "jsonrpc", "2.0");
    if (id)
        bx_jw_kuint(&m->w, "id", id);
    bx_jw_kstr(&m->w, "method", method);
    bx_jw_kobj(&m->w, "params");
}

void bx_rpc_end(struct bx_rpc_writer *m) {
    bx_jw_end(&m->w);
    bx_jw_end(&m->w);
}

void bx_rpc_reply(struct bx_buf *out, const struct bx_val *id, const char *result) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "jsonrpc", "2.0");
    bx_jw_kval(&w, "id", id);
    bx_jw_kraw(&w, "result", bx_str(result));
    bx_jw_end(&w);
}

void bx_rpc_refuse(struct bx_buf *out, const struct bx_val *id, int code, const char *message) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "jsonrpc", "2.0");
    bx_jw_kval(&w, "id", id);
    bx_jw_kobj(&w, "error");
    bx_jw_kint(&w, "code", code);
    bx_jw_kstr(&w, "message", message);
    bx_jw_end(&w);
    bx_jw_end(&w);
}

/* U+200B..U+200F, U+202A..U+202E, U+2060..U+2069, U+FEFF, and the tags U+E0000..U+E007F. Bytes of
 * one character. */
static bool is_invisible(const unsigned char *p, size_t n) {
    if (n == 3) {
        unsigned c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
               (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
    }
    return n == 4 && p[0] == 0xf3 && p[1] == 0xa0 && (p[2] == 0x80 || p[2] == 0x81);
}

void bx_mcp_clean(struct bx_buf *out, struct bx_str text, size_t max_bytes) {
    text = bx_str_slice(text, 0, bx_utf8_cut(text, BX_MIN(text.n, max_bytes)));
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        n = BX_MIN(n, text.n - i);
        const unsigned char *p = (const unsigned char *)text.p + i;
        bool control = (n == 1 && c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
                       (n == 2 && c == 0xc2 && p[1] < 0xa0);
        if (control || is_invisible(p, n))
            bx_buf_addc(out, ' ');
        else
            bx_buf_add(out, p, n);
        i += n;
    }
}
