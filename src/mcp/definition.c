#include "mcp/definition.h"

#include "json/schema.h"
#include "mcp/rpc.h"

#define NAME_MAX_BYTES 128

static void write_clean(struct bx_jw *w, const char *key, struct bx_str text, size_t max) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(max + 8);
    bx_mcp_clean(&out, text, max);
    bx_jw_kstrn(w, key, bx_buf_str(&out));
}

/* The schema as text when our checker can use it. */
static bool usable_schema(const struct bx_val *schema, struct bx_buf *out) {
    struct bx_jw w;
    if (!bx_val_is(schema, BX_VAL_OBJ) || !bx_str_eqz(bx_val_get_str(schema, "type"), "object") ||
        bx_schema_validate(schema, NULL))
        return false;
    bx_jw_init(&w, out);
    bx_jw_val(&w, schema);
    return !bx_buf_failed(out);
}

static int finish(struct bx_buf *text, struct bx_mcp_definition *ret, struct bx_err *err) {
    struct bx_doc *doc = NULL;
    int rc = bx_buf_failed(text)
                 ? bx_fail(err, BX_ERR_LIMIT, "the description of a tool is too large")
                 : bx_doc_parse(bx_buf_str(text), NULL, &doc, err);
    if (rc)
        return rc;
    ret->doc = doc;
    bx_sha256_hex_of(text->p, text->size, ret->digest);
    return 0;
}

int bx_mcp_definition_make(const struct bx_val *item, struct bx_mcp_definition *ret,
                           struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB),
                                         schema = BX_BUF_INIT(BX_MCP_SCHEMA_MAX),
                                         said = BX_BUF_INIT(2 * BX_MCP_DESCRIPTION_MAX);
    struct bx_str name = bx_val_get_str(item, "name");
    const struct bx_val *hints = bx_val_get(item, "annotations");
    struct bx_jw w;
    bool usable = usable_schema(bx_val_get(item, "inputSchema"), &schema);
    if (!name.n || name.n > NAME_MAX_BYTES || memchr(name.p, 0, name.n))
        return bx_fail(err, BX_ERR_INVALID, "a tool without a usable name");
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return bx_fail(err, BX_ERR_INVALID, "a tool whose name holds control characters");
    bx_mcp_clean(&said, bx_val_get_str(item, "description"), BX_MCP_DESCRIPTION_MAX);
    if (!usable)
        bx_buf_addz(&said, "\n(Its schema could not be used: the server checks the arguments.)");
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kstrn(&w, "name", name);
    if (bx_val_get_str(item, "title").n)
        write_clean(&w, "title", bx_val_get_str(item, "title"), 200);
    bx_jw_kstrn(&w, "description", bx_buf_str(&said));
    bx_jw_kraw(&w, "inputSchema",
               usable ? bx_buf_str(&schema) : BX_STR_LIT("{\"type\":\"object\"}"));
    if (bx_val_get_bool(hints, "readOnlyHint", false))
        bx_jw_kbool(&w, "readOnly", true);
    if (bx_val_get_bool(hints, "destructiveHint", false))
        bx_jw_kbool(&w, "destructive", true);
    bx_jw_end(&w);
    return finish(&text, ret, err);
}

int bx_mcp_definition_read(const struct bx_val *kept, struct bx_mcp_definition *ret,
                           struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    if (!bx_val_get_str(kept, "name").n ||
        bx_schema_validate(bx_val_get(kept, "inputSchema"), NULL))
        return bx_fail(err, BX_ERR_DAMAGED, "this is no description of a tool");
    bx_jw_init(&w, &text);
    bx_jw_val(&w, kept);
    return finish(&text, ret, err);
}

void bx_mcp_definition_copy(const struct bx_mcp_definition *from, struct bx_mcp_definition *ret) {
    ret->doc = from->doc ? bx_val_copy(bx_doc_root(from->doc)) : NULL;
    memcpy(ret->digest, from->digest, sizeof ret->digest);
}

void bx_mcp_definition_deinit(struct bx_mcp_definition *d) {
    bx_doc_free(d->doc);
    *d = (struct bx_mcp_definition){NULL};
}

const char *bx_mcp_definition_name(const struct bx_mcp_definition *d) {
    return bx_val_get_z(bx_doc_root(d->doc), "name");
}

void bx_mcp_tool_name(const char *server, const char *tool, bool force, char out[static 65]) {
    bx_auto(bx_buf_deinit) struct bx_buf name = BX_BUF_INIT(BX_KIB);
    bool changed = force;
    bx_buf_addf(&name, "mcp__%s__%s", server, tool);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-';
        if (!fits)
            name.p[i] = '_';
    }
    changed |= name.size > 64;
    if (changed) {
        bx_auto(bx_buf_deinit) struct bx_buf both = BX_BUF_INIT(BX_KIB);
        char hex[BX_SHA256_HEX + 1];
        bx_buf_add(&both, server, strlen(server) + 1);
        bx_buf_addz(&both, tool);
        bx_sha256_hex_of(both.p, both.size, hex);
        bx_buf_cut(&name, BX_MIN(name.size, (size_t)55));
        bx_buf_addf(&name, "_%.8s", hex);
    }
    snprintf(out, 65, "%s", bx_buf_z(&name));
}
