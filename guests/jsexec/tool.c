// A tool of the user's own, written in JavaScript: the host sends its source with the call
// (src/tools/script.h).
#include <string.h>

#include "jsexec/js.h"

enum { MAX_TOOL_ARGS = 1000 };

static const char *member(const struct bx_json *tool, const char *name) {
    const struct bx_json *value = bx_json_get(tool, name);
    return value && value->type == BX_JSON_STRING ? value->text : "";
}

/* A member of what the tool answered, as text; false: it has none. */
static bool take(struct bx_js *js, const char *name, struct bx_buf *out) {
    JSValue value = JS_GetPropertyStr(js->ctx, js->answer, name);
    size_t n = 0;
    const char *text = JS_IsString(value) ? JS_ToCStringLen(js->ctx, &n, value) : NULL;
    if (text) {
        bx_buf_add(out, text, n);
        JS_FreeCString(js->ctx, text);
    }
    JS_FreeValue(js->ctx, value);
    return text != NULL;
}

static bool is_error(struct bx_js *js) {
    JSValue value = JS_GetPropertyStr(js->ctx, js->answer, "is_error");
    bool is = JS_ToBool(js->ctx, value) == 1;
    JS_FreeValue(js->ctx, value);
    return is;
}

static void trim_end(struct bx_buf *text) {
    while (text->len && text->data[text->len - 1] == '\n') {
        text->data[--text->len] = '\0';
    }
}

static void add_printed(struct bx_answer *answer, const char *key, const struct bx_capture *c) {
    struct bx_buf text = {0};
    bx_capture_text(c, &text);
    if (text.len) {
        bx_answer_meta_string(answer, key, text.data, text.len);
    }
    bx_buf_deinit(&text);
}

/* What it answered, or what it printed when it did not answer. */
static void write_answer(struct bx_js *js, struct bx_answer *answer) {
    struct bx_buf metadata = {0};
    bool failed = js->has_failed || js->status, answered = false;
    if (!failed && JS_IsObject(js->answer)) {
        answered = take(js, "content", &answer->content);
        take(js, "blocks", &answer->blocks);
        if (take(js, "metadata", &metadata) &&
            metadata.len > 2) { // its members, without the braces
            bx_buf_add(&answer->metadata, metadata.data + 1, metadata.len - 2);
        }
        answer->is_error = is_error(js);
    }
    if (answered) {
        add_printed(answer, "stdout", &js->out);
        add_printed(answer, "stderr", &js->err);
        return;
    }
    bx_capture_text(&js->both, &answer->content);
    trim_end(&answer->content);
    if (!js->has_failed && js->status) {
        bx_buf_add_fmt(&answer->content, "%sThe tool ended with exit status %d.",
                       answer->content.len ? "\n" : "", js->status);
    }
    answer->is_error = failed;
}

static size_t take_args(const struct bx_json *tool, const char **argv, size_t n) {
    const struct bx_json *args = bx_json_get(tool, "args");
    for (const struct bx_json *arg = args ? args->first : NULL; arg && n < MAX_TOOL_ARGS;
         arg = arg->next) {
        argv[n++] = arg->text;
    }
    return n;
}

void bx_js_tool(const struct bx_json *tool, struct bx_answer *answer) {
    static struct bx_js js;
    static const char *argv[MAX_TOOL_ARGS] = {"/usr/bin/node"};
    const struct bx_json *source = bx_json_get(tool, "source");
    struct bx_buf path = {0};
    if (!source || source->type != BX_JSON_STRING) {
        bx_answer_fail(answer, "The tool has no source.");
        return;
    }
    bx_buf_add_fmt(&path, "/%s", member(tool, "file"));
    argv[1] = path.data;
    bx_js_open(
        &(struct bx_js_config){
            .cwd = "/", .main_path = path.data, .argv = argv, .argc = take_args(tool, argv, 2)},
        &js);
    bx_js_run_tool(
        &js,
        &(struct bx_js_tool){.file = path.data + 1, .source = source->text, .len = source->len},
        member(tool, "op"), member(tool, "input"));
    bx_js_release_reserve(&js);
    write_answer(&js, answer);
}
