#include "base/id.h"
#include "base/utf8.h"
#include "fetch/sse.h"
#include "json/write.h"
#include "model/openai.h"
#include "model/text_calls.h"

#define MAX_EVENT_BYTES    (8 * BX_MIB)
#define MAX_DOCUMENT_BYTES (32 * BX_MIB)
#define MAX_TEXT_BYTES     (8 * BX_MIB)
#define MAX_ARGUMENT_BYTES (4 * BX_MIB)
#define MAX_CALLS          64
#define COUNT_MAX          1000000000000 /* of tokens */

struct call {
    int64_t index; /* the server's; -1 when it gave none */
    char *id, *name;
    struct bx_buf arguments;
    bool announced;
};

struct bx_openai_reader {
    void (*on_event)(void *user, const struct bx_model_event *ev);
    void *user;
    enum { MODE_UNKNOWN, MODE_EVENTS, MODE_DOCUMENT } mode;
    struct bx_sse sse;
    struct bx_buf document;
    struct bx_text_calls splitter;
    struct bx_buf text, reasoning;
    BX_VEC(struct call) calls;
    struct bx_usage usage;
    char finish[32];
    bool done, any_choice;
    int failed;
    struct bx_err *err; /* during feed and end */
};

static void emit(struct bx_openai_reader *r, struct bx_model_event ev) {
    if (r->on_event) {
        r->on_event(r->user, &ev);
    }
}

static int fail(struct bx_openai_reader *r, int code, const char *what) {
    if (!r->failed) {
        r->failed = bx_fail(r->err, code, "%s", what);
    }
    return r->failed;
}

static void on_text(void *user, struct bx_str piece) {
    struct bx_openai_reader *r = user;
    if (bx_buf_adds(&r->text, piece) == 0) {
        emit(r, (struct bx_model_event){.kind = BX_EV_TEXT, .text = piece});
    }
}

static void on_reasoning(void *user, struct bx_str piece) {
    struct bx_openai_reader *r = user;
    if (bx_buf_adds(&r->reasoning, piece) == 0) {
        emit(r, (struct bx_model_event){.kind = BX_EV_REASONING, .text = piece});
    }
}

static struct call *call_add(struct bx_openai_reader *r, int64_t index) {
    if (r->calls.n >= MAX_CALLS) {
        fail(r, BX_ERR_LIMIT, "the model wrote too many tool calls in one reply");
        return NULL;
    }
    bx_vec_push(&r->calls,
                ((struct call){.index = index, .arguments = BX_BUF_INIT(MAX_ARGUMENT_BYTES)}));
    return &r->calls.p[r->calls.n - 1];
}

/* Tells about a call as soon as its name is known, with what has come of its arguments before. */
static void call_tell(struct bx_openai_reader *r, struct call *c, struct bx_str more) {
    unsigned index = (unsigned)(c - r->calls.p);
    bool first = !c->announced && c->name;
    if (first) {
        c->announced = true;
        emit(r, (struct bx_model_event){.kind = BX_EV_CALL, .index = index, .tool = c->name});
    }
    struct bx_str piece = first ? bx_buf_str(&c->arguments) : more;
    if (c->announced && piece.n > 0) {
        emit(r, (struct bx_model_event){
                    .kind = BX_EV_ARGUMENTS, .index = index, .tool = c->name, .text = piece});
    }
}

static bool on_text_call(void *user, struct bx_str body) {
    struct bx_openai_reader *r = user;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(body, NULL, &doc, NULL) < 0) {
        return false;
    }
    const struct bx_val *root = bx_doc_root(doc);
    const char *name = bx_val_get_z(root, "name");
    const struct bx_val *arguments = bx_val_get(root, "arguments");
    if (!arguments) {
        arguments = bx_val_get(root, "parameters");
    }
    if (!name || !*name) {
        return false;
    }
    struct call *c = call_add(r, -1);
    if (c) {
        c->name = bx_strdup(name);
        struct bx_jw w;
        bx_jw_init(&w, &c->arguments);
        if (bx_val_is(arguments, BX_VAL_STR)) {
            bx_buf_adds(&c->arguments, bx_val_str(arguments));
        } else if (arguments) {
            bx_jw_val(&w, arguments);
        } else {
            bx_buf_addz(&c->arguments, "{}");
        }
        call_tell(r, c, (struct bx_str){0});
    }
    return true;
}

struct bx_openai_reader *
bx_openai_reader_new(bool text_calls, void (*on_event)(void *user, const struct bx_model_event *ev),
                     void *user) {
    struct bx_openai_reader *r = bx_new(struct bx_openai_reader);
    r->on_event = on_event;
    r->user = user;
    bx_sse_init(&r->sse, MAX_EVENT_BYTES);
    bx_buf_init(&r->document, MAX_DOCUMENT_BYTES);
    bx_buf_init(&r->text, MAX_TEXT_BYTES);
    bx_buf_init(&r->reasoning, MAX_TEXT_BYTES);
    bx_text_calls_init(&r->splitter, text_calls, MAX_EVENT_BYTES);
    r->splitter.on_text = on_text;
    r->splitter.on_reasoning = on_reasoning;
    r->splitter.on_call = on_text_call;
    r->splitter.user = r;
    r->usage =
        (struct bx_usage){.input_tokens = -1, .output_tokens = -1, .cached_tokens = -1, .cost = -1};
    return r;
}

void bx_openai_reader_free(struct bx_openai_reader *r) {
    if (!r) {
        return;
    }
    for (size_t i = 0; i < r->calls.n; i++) {
        bx_free(r->calls.p[i].id);
        bx_free(r->calls.p[i].name);
        bx_buf_deinit(&r->calls.p[i].arguments);
    }
    bx_vec_free(&r->calls);
    bx_sse_deinit(&r->sse);
    bx_buf_deinit(&r->document);
    bx_buf_deinit(&r->text);
    bx_buf_deinit(&r->reasoning);
    bx_text_calls_deinit(&r->splitter);
    bx_free(r);
}

static bool is_whole_json(const struct bx_buf *b) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    return b->size > 0 && bx_doc_parse(bx_buf_str(b), NULL, &doc, NULL) == 0;
}

/* Which call a piece belongs to; a new one when it begins one. */
static struct call *call_find(struct bx_openai_reader *r, int64_t index, const char *id,
                              const char *name) {
    struct call *c = NULL;
    if (index >= 0) {
        for (size_t i = r->calls.n; i > 0 && !c; i--) {
            c = r->calls.p[i - 1].index == index ? &r->calls.p[i - 1] : NULL;
        }
    } else if (r->calls.n > 0) {
        c = &r->calls.p[r->calls.n - 1];
        for (size_t i = 0; id && i < r->calls.n; i++) {
            if (r->calls.p[i].id && strcmp(r->calls.p[i].id, id) == 0) {
                c = &r->calls.p[i];
            }
        }
    }
    if (!c) {
        return call_add(r, index);
    }
    // some servers give every call the index 0, or none: another id is another call …
    if (id && c->id && strcmp(id, c->id) != 0) {
        return call_add(r, index);
    }
    // … and without ids, a name behind arguments that are whole
    if (name && c->name && !(id && c->id) && is_whole_json(&c->arguments)) {
        return call_add(r, index);
    }
    return c;
}

static const char *filled(const char *z) {
    return z && *z ? z : NULL;
}

static int read_call(struct bx_openai_reader *r, const struct bx_val *v) {
    const struct bx_val *function = bx_val_get(v, "function");
    const char *id = filled(bx_val_get_z(v, "id"));
    const char *name = filled(bx_val_get_z(function, "name"));
    struct call *c = call_find(r, bx_val_get_int(v, "index", -1), id, name);
    if (!c) {
        return r->failed;
    }
    if (id && !c->id) {
        c->id = bx_strdup(id);
    }
    if (name && !c->name) {
        c->name = bx_strdup(name);
    }
    const struct bx_val *arguments = bx_val_get(function, "arguments");
    size_t before = c->arguments.size;
    if (bx_val_is(arguments, BX_VAL_STR)) {
        bx_buf_adds(&c->arguments, bx_val_str(arguments));
    } else if (bx_val_is(arguments, BX_VAL_OBJ)) {
        struct bx_jw w;
        bx_jw_init(&w, &c->arguments);
        bx_jw_val(&w, arguments);
    }
    if (bx_buf_failed(&c->arguments)) {
        return fail(r, BX_ERR_LIMIT, "the model wrote a tool call that is too large");
    }
    call_tell(r, c, bx_str_slice(bx_buf_str(&c->arguments), before, c->arguments.size));
    return 0;
}

static int read_text(struct bx_openai_reader *r, const struct bx_val *content) {
    if (bx_val_is(content, BX_VAL_ARR)) { // parts, as in requests
        bx_val_foreach_item (content, part) {
            int code = read_text(r, bx_val_get(part, "text"));
            if (code < 0) {
                return code;
            }
        }
        return 0;
    }
    struct bx_str text = bx_val_str(content);
    int code = text.n ? bx_text_calls_feed(&r->splitter, text, r->err) : 0;
    if (code < 0) {
        r->failed = code;
    } else if (bx_buf_failed(&r->text) || bx_buf_failed(&r->reasoning)) {
        return fail(r, BX_ERR_LIMIT, "the model's reply is too large");
    }
    return r->failed;
}

static int read_choice(struct bx_openai_reader *r, const struct bx_val *choice) {
    const struct bx_val *m = bx_val_get(choice, "delta");
    if (!bx_val_is(m, BX_VAL_OBJ)) {
        m = bx_val_get(choice, "message");
    }
    r->any_choice = true;
    struct bx_str thought = bx_val_get_str(m, "reasoning_content");
    if (thought.n == 0) {
        thought = bx_val_get_str(m, "reasoning");
    }
    if (thought.n > 0) {
        on_reasoning(r, thought);
    }
    int code = read_text(r, bx_val_get(m, "content"));
    if (code == 0 && !bx_val_get(m, "content")) {
        code = read_text(r, bx_val_get(m, "refusal"));
    }
    bx_val_foreach_item (bx_val_get(m, "tool_calls"), call) {
        if (code < 0) {
            break;
        }
        code = read_call(r, call);
    }
    struct bx_str finish = bx_val_get_str(choice, "finish_reason");
    if (finish.n > 0) {
        snprintf(r->finish, sizeof r->finish, BX_STR_FMT, BX_STR_ARG(finish));
    }
    return code;
}

/* A count that cannot be true is none: it would be added up. */
static int64_t read_count(const struct bx_val *u, const char *key, int64_t before) {
    int64_t n = bx_val_get_int(u, key, before);
    return n >= 0 && n <= COUNT_MAX ? n : before;
}

static void read_usage(struct bx_openai_reader *r, const struct bx_val *root) {
    const struct bx_val *u = bx_val_get(root, "usage");
    if (!bx_val_is(u, BX_VAL_OBJ)) {
        u = bx_val_get(bx_val_get(root, "x_groq"), "usage");
    }
    if (!bx_val_is(u, BX_VAL_OBJ)) {
        return;
    }
    r->usage.input_tokens = read_count(u, "prompt_tokens", r->usage.input_tokens);
    r->usage.output_tokens = read_count(u, "completion_tokens", r->usage.output_tokens);
    int64_t cached = read_count(bx_val_get(u, "prompt_tokens_details"), "cached_tokens", -1);
    if (cached < 0) {
        cached = read_count(u, "prompt_cache_hit_tokens", -1);
    }
    if (cached >= 0) {
        r->usage.cached_tokens = cached;
    }
    double cost = bx_val_real(bx_val_get(u, "cost"), -1);
    if (cost >= 0 && cost < 1e6) {
        r->usage.cost = cost;
    }
}

static int read_object(struct bx_openai_reader *r, struct bx_str json) {
    struct bx_buf clean = BX_BUF_INIT(MAX_DOCUMENT_BYTES * 3);
    if (!bx_utf8_valid(json)) {
        bx_utf8_add_clean(&clean, json);
        json = bx_buf_str(&clean);
    }
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_err why;
    int code = bx_doc_parse(json, NULL, &doc, &why);
    bx_buf_deinit(&clean);
    if (code < 0) {
        r->failed = bx_fail(r->err, BX_ERR_PROTO,
                            "the model server sent something that is not JSON: %s", why.msg);
        return r->failed;
    }
    const struct bx_val *root = bx_doc_root(doc);
    const struct bx_val *error = bx_val_get(root, "error");
    if (error && !bx_val_is(error, BX_VAL_NULL)) {
        r->failed =
            bx_openai_error(0, json.p ? json : BX_STR_LIT("{}"), "the model server", r->err);
        return r->failed;
    }
    read_usage(r, root);
    bx_val_foreach_item (bx_val_get(root, "choices"), choice) {
        if (bx_val_get_int(choice, "index", 0) == 0 && read_choice(r, choice) < 0) {
            return r->failed;
        }
    }
    return 0;
}

static int on_sse(void *user, const struct bx_sse_event *event) {
    struct bx_openai_reader *r = user;
    struct bx_str data = bx_str_trim(event->data);
    if (data.n == 0 || r->done) {
        return 0;
    }
    if (bx_str_eqz(data, "[DONE]")) {
        r->done = true;
        return 0;
    }
    return read_object(r, data);
}

int bx_openai_reader_feed(struct bx_openai_reader *r, struct bx_str bytes, struct bx_err *err) {
    r->err = err;
    if (r->failed) {
        return r->failed;
    }
    for (; r->mode == MODE_UNKNOWN && bytes.n > 0; bytes = bx_str_slice(bytes, 1, bytes.n)) {
        char c = bytes.p[0];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            r->mode = c == '{' ? MODE_DOCUMENT : MODE_EVENTS;
            break;
        }
    }
    if (r->mode == MODE_EVENTS) {
        int code = bx_sse_feed(&r->sse, bytes, on_sse, r, err);
        r->failed = r->failed ? r->failed : code;
    } else if (r->mode == MODE_DOCUMENT && bx_buf_adds(&r->document, bytes) < 0) {
        fail(r, BX_ERR_LIMIT, "the model server's answer is too large");
    }
    return r->failed;
}

static enum bx_finish finish_of(const struct bx_openai_reader *r) {
    if (strcmp(r->finish, "length") == 0 || strcmp(r->finish, "max_tokens") == 0) {
        // cut in the middle of a call; a call that is whole counts
        if (r->calls.n == 0 || !is_whole_json(&r->calls.p[r->calls.n - 1].arguments)) {
            return BX_FINISH_LENGTH;
        }
    }
    if (r->calls.n > 0) {
        return BX_FINISH_CALLS; // many servers say "stop" here
    }
    return strcmp(r->finish, "content_filter") == 0 ? BX_FINISH_FILTER : BX_FINISH_STOP;
}

static char *fresh_id(void) {
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    return bx_asprintf("call_%s", id);
}

static bool id_is_taken(const struct bx_message *m, const char *id) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        if (m->blocks.p[i].kind == BX_BLOCK_CALL && strcmp(m->blocks.p[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static struct bx_message *build(struct bx_openai_reader *r) {
    struct bx_message *m = bx_message_new(BX_ROLE_ASSISTANT);
    if (r->reasoning.size > 0) {
        bx_message_add(m, BX_BLOCK_REASONING)->text = bx_buf_steal(&r->reasoning);
    }
    if (r->text.size > 0) {
        bx_message_add(m, BX_BLOCK_TEXT)->text = bx_buf_steal(&r->text);
    }
    for (size_t i = 0; i < r->calls.n; i++) {
        struct call *c = &r->calls.p[i];
        char *id = c->id && !id_is_taken(m, c->id) ? bx_steal(&c->id) : fresh_id();
        struct bx_block *b = bx_message_add(m, BX_BLOCK_CALL);
        b->id = id;
        b->tool = c->name ? bx_steal(&c->name) : bx_strdup("");
        b->arguments = c->arguments.size ? bx_buf_steal(&c->arguments) : bx_strdup("{}");
    }
    return m;
}

int bx_openai_reader_end(struct bx_openai_reader *r, struct bx_reply *ret, struct bx_err *err) {
    r->err = err;
    if (r->failed) {
        return r->failed;
    }
    if (r->mode == MODE_EVENTS) {
        int code = bx_sse_end(&r->sse, on_sse, r, NULL);
        if (code < 0 && !r->finish[0]) {
            // the last event was cut in the middle, which is what a lost connection looks like
            return r->failed = bx_fail(err, BX_ERR_RETRY, "the model's answer was cut");
        }
        r->failed = 0;
    } else if (r->mode == MODE_DOCUMENT && read_object(r, bx_buf_str(&r->document)) < 0) {
        return r->failed;
    }
    if (r->mode == MODE_DOCUMENT && !r->any_choice) {
        return fail(
            r, BX_ERR_PROTO,
            "the model server's answer holds no reply: is this an OpenAI-compatible address?");
    }
    if (r->mode != MODE_DOCUMENT && !r->finish[0] && !(r->done && r->any_choice)) {
        return fail(r, BX_ERR_RETRY, "the model's answer was cut");
    }
    bx_text_calls_end(&r->splitter);
    if (r->failed) {
        return r->failed;
    }
    ret->finish = finish_of(r);
    ret->usage = r->usage;
    ret->message = build(r);
    return 0;
}
