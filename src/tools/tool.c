#include "tools/tool.h"

#include "json/write.h"

#define BUILT_IN "built in"

const char *bx_tool_identity(const struct bx_tool *t) {
    bool is_ours = t->kind == BX_TOOL_NATIVE || strcmp(t->source, BUILT_IN) == 0;
    return is_ours ? BUILT_IN : t->digest;
}

struct bx_tool *bx_tool_ref(struct bx_tool *t) {
    __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

void bx_tool_unref(struct bx_tool *t) {
    if (t && __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0)
        t->destroy(t);
}

void bx_tool_result_deinit(struct bx_tool_result *r) {
    bx_free(r->content);
    bx_free(r->metadata);
    bx_free(r->receipt);
    bx_free(r->denied);
    bx_free(r->not_started);
    bx_free(r->guarded);
    *r = (struct bx_tool_result){0};
}

void bx_tool_result_text(struct bx_tool_result *r, bool is_error, const char *fmt, ...) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB), json = BX_BUF_INIT(8 * BX_MIB);
    va_list ap;
    va_start(ap, fmt);
    bx_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    bx_json_quote(&json, bx_buf_str(&text));
    bx_free(r->content);
    r->content = bx_buf_steal(&json);
    r->is_error = is_error;
    bx_buf_deinit(&text);
    bx_buf_deinit(&json);
}

void bx_tool_result_add(struct bx_tool_result *r, const char *fmt, ...) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(64 * BX_KIB),
                                         both = BX_BUF_INIT(SIZE_MAX / 2);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = 512 * BX_MIB};
    va_list ap;
    va_start(ap, fmt);
    bx_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (r->content)
        bx_doc_parse(bx_str(r->content), &limits, &doc, NULL);
    struct bx_buf json = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_jw w;
    bx_jw_init(&w, &json);
    if (doc && bx_val_is(bx_doc_root(doc), BX_VAL_ARR)) {
        bx_jw_arr(&w);
        bx_val_foreach_item (bx_doc_root(doc), block)
            bx_jw_val(&w, block);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "type", "text");
        bx_jw_kstrn(&w, "text", bx_buf_str(&text));
        bx_jw_end(&w);
        bx_jw_end(&w);
    } else {
        bx_buf_adds(&both, doc ? bx_str_trim(bx_val_str(bx_doc_root(doc))) : BX_STR_LIT(""));
        bx_buf_addz(&both, both.size ? "\n" : "");
        bx_buf_adds(&both, bx_buf_str(&text));
        bx_jw_str(&w, bx_buf_str(&both));
    }
    bx_free(r->content);
    r->content = bx_buf_steal(&json);
}

void bx_tool_result_write(const struct bx_tool_result *r, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kraw(&w, "content", r->content ? bx_str(r->content) : BX_STR_LIT("\"\""));
    bx_jw_kbool(&w, "is_error", r->is_error);
    bx_jw_kraw(&w, "metadata", r->metadata ? bx_str(r->metadata) : BX_STR_LIT("null"));
    bx_jw_kstr(&w, "limit", r->limit);
    bx_jw_kraw(&w, "receipt", r->receipt ? bx_str(r->receipt) : BX_STR_LIT("null"));
    if (r->denied)
        bx_jw_kraw(&w, "denied", bx_str(r->denied));
    bx_jw_end(&w);
}

struct bx_receipt_permit bx_tool_permit_said(const struct bx_tool_permit *p) {
    return p && p->by ? (struct bx_receipt_permit){p->allowed ? "allow" : "deny", p->by, p->rule}
                      : (struct bx_receipt_permit){NULL, NULL, NULL};
}
