#include "mcp/content.h"

#include "json/write.h"
#include "mcp/rpc.h"

#define BLOCKS_MAX 200

/* Text is joined as long as nothing else comes between, so that the usual result is one string. */
struct blocks {
    struct bx_buf text, json; /* json: the blocks that are closed */
    struct bx_jw w;
    size_t count, size, max;
    bool other; /* a block that is no text */
};

static void add_text(struct blocks *b, struct bx_str text) {
    b->size += text.n;
    if (b->size > b->max)
        return;
    if (b->text.size)
        bx_buf_addc(&b->text, '\n');
    bx_buf_adds(&b->text, text);
}

static void close_text(struct blocks *b) {
    if (!b->text.size)
        return;
    bx_jw_obj(&b->w);
    bx_jw_kstr(&b->w, "type", "text");
    bx_jw_kstrn(&b->w, "text", bx_buf_str(&b->text));
    bx_jw_end(&b->w);
    bx_buf_reset(&b->text);
}

static bool is_base64(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/' || c == '=' || c == '-' || c == '_' || c == '\n' || c == '\r'))
            return false;
    }
    return s.n;
}

static void add_image(struct blocks *b, struct bx_str mime, struct bx_str data) {
    b->size += data.n;
    if (b->size > b->max)
        return;
    if (!bx_str_starts(mime, "image/") || mime.n > 60 || !is_base64(data)) {
        add_text(b, BX_STR_LIT("[an image that is none]"));
        return;
    }
    close_text(b);
    b->other = true;
    bx_jw_obj(&b->w);
    bx_jw_kstr(&b->w, "type", "image");
    bx_jw_kstrn(&b->w, "mime", mime);
    bx_jw_kstrn(&b->w, "data", data);
    bx_jw_end(&b->w);
}

static void add_named(struct blocks *b, const char *what, const struct bx_val *v) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(8 * BX_KIB);
    struct bx_str name = bx_val_get_str(v, "name"), uri = bx_val_get_str(v, "uri"),
                  mime = bx_val_get_str(v, "mimeType");
    bx_buf_addf(&out, "[%s", what);
    if (name.n)
        bx_buf_addf(&out, " %.*s", (int)BX_MIN(name.n, (size_t)200), name.p);
    if (mime.n)
        bx_buf_addf(&out, ", %.*s", (int)BX_MIN(mime.n, (size_t)60), mime.p);
    if (uri.n)
        bx_buf_addf(&out, ": %.*s", (int)BX_MIN(uri.n, (size_t)2000), uri.p);
    bx_buf_addc(&out, ']');
    add_text(b, bx_buf_str(&out));
}

static void add_resource(struct blocks *b, const struct bx_val *v) {
    struct bx_str text = bx_val_get_str(v, "text"), blob = bx_val_get_str(v, "blob"),
                  mime = bx_val_get_str(v, "mimeType");
    if (text.p) {
        add_named(b, "resource", v);
        add_text(b, text);
    } else if (blob.n && bx_str_starts(mime, "image/")) {
        add_image(b, mime, blob);
    } else {
        add_named(b, "binary resource", v);
    }
}

static void add_block(struct blocks *b, const struct bx_val *v) {
    struct bx_str type = bx_val_get_str(v, "type");
    if (b->count++ >= BLOCKS_MAX)
        return;
    if (bx_str_eqz(type, "text"))
        add_text(b, bx_val_get_str(v, "text"));
    else if (bx_str_eqz(type, "image"))
        add_image(b, bx_val_get_str(v, "mimeType"), bx_val_get_str(v, "data"));
    else if (bx_str_eqz(type, "resource"))
        add_resource(b, bx_val_get(v, "resource"));
    else if (bx_str_eqz(type, "resource_link"))
        add_named(b, "resource link", v);
    else
        add_named(b, bx_str_eqz(type, "audio") ? "audio" : "something that is not understood", v);
}

static void begin(struct blocks *b, size_t max) {
    *b = (struct blocks){
        .text = BX_BUF_INIT(SIZE_MAX / 4), .json = BX_BUF_INIT(SIZE_MAX / 2), .max = max};
    bx_jw_init(&b->w, &b->json);
    bx_jw_arr(&b->w);
}

static void end(struct blocks *b, const char *tool, bool is_error, struct bx_tool_result *ret) {
    struct bx_buf out = BX_BUF_INIT(SIZE_MAX / 2);
    if (b->size > b->max) {
        bx_auto(bx_buf_deinit) struct bx_buf limit = BX_BUF_INIT(BX_KIB);
        bx_limit_say(&limit, BX_LIMIT_RESPONSE, b->max, tool);
        bx_tool_result_text(ret, true, "The answer is too large: %s.", bx_buf_z(&limit));
        ret->limit = "response";
    } else if (!b->other) {
        bx_json_quote(&out, bx_buf_str(&b->text));
        ret->content = bx_buf_steal(&out);
        ret->is_error = is_error;
    } else {
        close_text(b);
        bx_jw_end(&b->w);
        ret->content = bx_buf_steal(&b->json);
        ret->is_error = is_error;
    }
    bx_buf_deinit(&b->text);
    bx_buf_deinit(&b->json);
}

static char *metadata(const struct bx_val *structured) {
    struct bx_buf out = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kval(&w, "structured", structured);
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

void bx_mcp_content_result(const char *tool, const struct bx_val *result, size_t max_bytes,
                           struct bx_tool_result *ret) {
    struct blocks b;
    const struct bx_val *structured = bx_val_get(result, "structuredContent");
    begin(&b, max_bytes);
    bx_val_foreach_item (bx_val_get(result, "content"), block)
        add_block(&b, block);
    if (structured && !b.count) {
        struct bx_buf text = BX_BUF_INIT(SIZE_MAX / 4);
        struct bx_jw w;
        bx_jw_init(&w, &text);
        bx_jw_val(&w, structured);
        add_text(&b, bx_buf_str(&text));
        bx_buf_deinit(&text);
    }
    bool fits = b.size <= max_bytes;
    end(&b, tool, bx_val_get_bool(result, "isError", false), ret);
    if (structured && fits)
        ret->metadata = metadata(structured);
}

void bx_mcp_content_resource(const char *tool, const struct bx_val *result, size_t max_bytes,
                             struct bx_tool_result *ret) {
    struct blocks b;
    begin(&b, max_bytes);
    bx_val_foreach_item (bx_val_get(result, "contents"), item) {
        if (b.count++ < BLOCKS_MAX)
            add_resource(&b, item);
    }
    bx_val_foreach_item (bx_val_get(result, "messages"), message)
        add_block(&b, bx_val_get(message, "content"));
    end(&b, tool, false, ret);
}
