#include "json/write.h"
#include "model/openai.h"

/* Mistral wants nine letters or digits; the same id always gives the same nine. */
static void write_id(struct bx_jw *w, const struct bx_openai_options *o, const char *key,
                     const char *id) {
    if (!o->short_ids) {
        bx_jw_kstr(w, key, id ? id : "");
        return;
    }
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint64_t hash = bx_str_hash(bx_str(id));
    char out[10] = {0};
    for (size_t i = 0; i < 9; i++) {
        out[i] = digits[hash % 62];
        hash /= 62;
    }
    bx_jw_kstr(w, key, out);
}

static void join_text(const struct bx_message *m, struct bx_buf *out) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        if (m->blocks.p[i].kind == BX_BLOCK_TEXT && m->blocks.p[i].text) {
            if (out->size > 0) {
                bx_buf_addc(out, '\n');
            }
            bx_buf_addz(out, m->blocks.p[i].text);
        }
    }
}

static bool has_block(const struct bx_message *m, enum bx_block_kind kind) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        if (m->blocks.p[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static void write_image(struct bx_jw *w, const struct bx_openai_options *o,
                        const struct bx_block *b) {
    bx_jw_obj(w);
    if (o->images) {
        struct bx_buf url = BX_BUF_INIT(64 * BX_MIB);
        bx_buf_addf(&url, "data:%s;base64,", b->mime ? b->mime : "image/png");
        bx_buf_addz(&url, b->data ? b->data : "");
        bx_jw_kstr(w, "type", "image_url");
        bx_jw_kobj(w, "image_url");
        bx_jw_kstrn(w, "url", bx_buf_str(&url));
        bx_jw_end(w);
        bx_buf_deinit(&url);
    } else {
        bx_jw_kstr(w, "type", "text");
        bx_jw_kstr(w, "text", "[an image that this model cannot see]");
    }
    bx_jw_end(w);
}

static void write_user(struct bx_jw *w, const struct bx_openai_options *o,
                       const struct bx_message *m) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "role", "user");
    if (has_block(m, BX_BLOCK_IMAGE)) {
        bx_jw_karr(w, "content");
        for (size_t i = 0; i < m->blocks.n; i++) {
            const struct bx_block *b = &m->blocks.p[i];
            if (b->kind == BX_BLOCK_IMAGE) {
                write_image(w, o, b);
            } else if (b->kind == BX_BLOCK_TEXT) {
                bx_jw_obj(w);
                bx_jw_kstr(w, "type", "text");
                bx_jw_kstr(w, "text", b->text ? b->text : "");
                bx_jw_end(w);
            }
        }
        bx_jw_end(w);
    } else {
        struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
        join_text(m, &text);
        bx_jw_kstrn(w, "content", bx_str_n(bx_buf_z(&text), text.size));
        bx_buf_deinit(&text);
    }
    bx_jw_end(w);
}

/* Servers refuse a history with broken arguments, and the model should still see what it wrote. */
static void write_arguments(struct bx_jw *w, const char *arguments) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (arguments && bx_doc_parse(bx_str(arguments), NULL, &doc, NULL) == 0 &&
        bx_val_is(bx_doc_root(doc), BX_VAL_OBJ)) {
        bx_jw_kstr(w, "arguments", arguments);
        return;
    }
    struct bx_buf mended = BX_BUF_INIT(64 * BX_MIB);
    bx_buf_addz(&mended, "{\"invalid_json\":");
    bx_json_quote(&mended, bx_str(arguments ? arguments : ""));
    bx_buf_addz(&mended, "}");
    bx_jw_kstrn(w, "arguments", bx_buf_str(&mended));
    bx_buf_deinit(&mended);
}

static void write_assistant(struct bx_jw *w, const struct bx_openai_options *o,
                            const struct bx_message *m) {
    struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
    join_text(m, &text);
    bool has_calls = has_block(m, BX_BLOCK_CALL);
    if (text.size == 0 && !has_calls) {
        bx_buf_deinit(&text);
        return; // nothing but thoughts: servers refuse an empty message
    }
    bx_jw_obj(w);
    bx_jw_kstr(w, "role", "assistant");
    if (text.size > 0) {
        bx_jw_kstrn(w, "content", bx_buf_str(&text));
    } else {
        bx_jw_kstr(w, "content", NULL);
    }
    if (has_calls) {
        bx_jw_karr(w, "tool_calls");
        for (size_t i = 0; i < m->blocks.n; i++) {
            const struct bx_block *b = &m->blocks.p[i];
            if (b->kind != BX_BLOCK_CALL) {
                continue;
            }
            bx_jw_obj(w);
            write_id(w, o, "id", b->id);
            bx_jw_kstr(w, "type", "function");
            bx_jw_kobj(w, "function");
            bx_jw_kstr(w, "name", b->tool ? b->tool : "");
            write_arguments(w, b->arguments);
            bx_jw_end(w);
            bx_jw_end(w);
        }
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_buf_deinit(&text);
}

static void write_message(struct bx_jw *w, const struct bx_openai_options *o,
                          const struct bx_message *m) {
    if (m->role == BX_ROLE_ASSISTANT) {
        write_assistant(w, o, m);
        return;
    }
    for (size_t i = 0; i < m->blocks.n; i++) {
        const struct bx_block *b = &m->blocks.p[i];
        if (b->kind == BX_BLOCK_RESULT) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "role", "tool");
            write_id(w, o, "tool_call_id", b->id);
            bx_jw_kstr(w, "content", b->text ? b->text : "");
            bx_jw_end(w);
        }
    }
    if (has_block(m, BX_BLOCK_TEXT) || has_block(m, BX_BLOCK_IMAGE)) {
        write_user(w, o, m);
    }
}

static void write_tools(struct bx_jw *w, const struct bx_model_request *req) {
    bx_jw_karr(w, "tools");
    for (size_t i = 0; i < req->tool_count; i++) {
        const struct bx_tool_spec *t = &req->tools[i];
        bx_auto(bx_doc_freep) struct bx_doc *schema = NULL;
        bx_doc_parse(bx_str(t->schema), NULL, &schema, NULL);
        bx_jw_obj(w);
        bx_jw_kstr(w, "type", "function");
        bx_jw_kobj(w, "function");
        bx_jw_kstr(w, "name", t->name);
        bx_jw_kstr(w, "description", t->description ? t->description : "");
        if (schema) {
            bx_jw_kval(w, "parameters", bx_doc_root(schema));
        }
        bx_jw_end(w);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_kstr(w, "tool_choice", req->no_tools ? "none" : "auto");
}

static void write_schema(struct bx_jw *w, const char *schema) {
    bx_jw_kobj(w, "response_format");
    bx_jw_kstr(w, "type", "json_schema");
    bx_jw_kobj(w, "json_schema");
    bx_jw_kstr(w, "name", "reply");
    bx_jw_kbool(w, "strict", true);
    bx_jw_kraw(w, "schema", bx_str(schema));
    bx_jw_end(w);
    bx_jw_end(w);
}

int bx_openai_write(const struct bx_openai_options *options, const struct bx_model_request *req,
                    struct bx_buf *out, struct bx_err *err) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "model", options->model);
    bx_jw_karr(&w, "messages");
    if (req->system && *req->system) {
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "role", "system");
        bx_jw_kstr(&w, "content", req->system);
        bx_jw_end(&w);
    }
    for (size_t i = 0; i < req->message_count; i++) {
        write_message(&w, options, req->messages[i]);
    }
    bx_jw_end(&w);
    if (options->schema) {
        write_schema(&w, options->schema);
    } else if (req->tool_count > 0) {
        write_tools(&w, req);
    }
    int64_t max_tokens = req->max_output_tokens ? req->max_output_tokens : options->max_tokens;
    if (max_tokens > 0) {
        bx_jw_kint(&w, options->max_tokens_key ? options->max_tokens_key : "max_tokens",
                   max_tokens);
    }
    if (options->greedy) {
        bx_jw_kint(&w, "temperature", 0);
        bx_jw_kint(&w, "seed", 1);
    }
    bx_jw_kbool(&w, "stream", options->stream);
    if (options->stream && options->stream_usage) {
        bx_jw_kobj(&w, "stream_options");
        bx_jw_kbool(&w, "include_usage", true);
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    return bx_buf_failed(out)
               ? bx_fail(err, BX_ERR_LIMIT, "the conversation is larger than %zu bytes", out->max)
               : 0;
}
