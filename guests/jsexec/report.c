// Errors for people: where, the line, what, and how it came there.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsexec/js.h"

enum { MAX_LINE = 200 };

void bx_js_keep_source(struct bx_js *js, const char *name, const char *text, size_t len) {
    js->sources = bx_realloc(js->sources, (js->source_count + 1) * sizeof *js->sources);
    js->sources[js->source_count++] =
        (struct bx_js_source){bx_strndup(name, strlen(name)), bx_strndup(text, len)};
}

void bx_js_inspect(struct bx_js *js, JSValueConst value, struct bx_buf *out) {
    JSContext *ctx = js->ctx;
    JSValue call = JS_GetPropertyStr(ctx, js->core, "inspect");
    JSValue text = JS_Call(ctx, call, JS_UNDEFINED, 1, &value);
    if (JS_IsException(text)) { // the script broke what this is written with, or a getter threw
        JS_FreeValue(ctx, JS_GetException(ctx));
        text = JS_ToString(ctx, value);
    }
    size_t n = 0;
    const char *z = JS_IsException(text) ? NULL : JS_ToCStringLen(ctx, &n, text);
    if (z) {
        bx_buf_add(out, z, n);
        JS_FreeCString(ctx, z);
    } else {
        JS_FreeValue(ctx, JS_GetException(ctx));
        bx_buf_add_str(out, "(a value that cannot be shown)");
    }
    JS_FreeValue(ctx, text);
    JS_FreeValue(ctx, call);
}

/* The first "NAME:LINE:COLUMN" of a stack whose text we have. */
static const struct bx_js_source *find_place(const struct bx_js *js, const char *stack, long *line,
                                             long *column) {
    const struct bx_js_source *best = NULL;
    const char *best_at = NULL;
    for (size_t i = 0; i < js->source_count; i++) {
        size_t n = strlen(js->sources[i].name);
        for (const char *at = stack; (at = strstr(at, js->sources[i].name)); at += n) {
            char *end = NULL;
            if (at[n] != ':' || !isdigit((unsigned char)at[n + 1])) {
                continue;
            }
            if (!best_at || at < best_at) {
                best = &js->sources[i];
                best_at = at;
                *line = strtol(at + n + 1, &end, 10);
                *column = *end == ':' ? strtol(end + 1, NULL, 10) : 1;
            }
            break;
        }
    }
    return best;
}

static void add_place(const struct bx_js_source *source, long line, long column,
                      struct bx_buf *out) {
    const char *at = source->text;
    for (long i = 1; i < line && at; i++) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at) {
        return;
    }
    size_t n = strcspn(at, "\r\n"), mark = column > 0 ? (size_t)column - 1 : 0;
    mark = mark > n ? n : mark;
    size_t skip = mark > MAX_LINE / 2 ? mark - MAX_LINE / 2 : 0; // of a line that is very long
    n -= skip;
    bx_buf_add_fmt(out, "%s:%ld\n", source->name, line);
    bx_buf_add(out, at + skip, n > MAX_LINE ? MAX_LINE : n);
    bx_buf_add_char(out, '\n');
    for (size_t i = skip; i < mark; i++) {
        bx_buf_add_char(out, at[i] == '\t' ? '\t' : ' ');
    }
    bx_buf_add_str(out, "^\n");
}

void bx_js_report(struct bx_js *js, JSValue take_error) {
    JSContext *ctx = js->ctx;
    struct bx_buf out = {0};
    bx_js_release_reserve(js);
    void *probe = JS_IsNull(take_error) ? malloc(4 << 20) : NULL;
    if (JS_IsNull(take_error) && !probe) { // not even the error had room
        static const char words[] = "InternalError: out of memory\n";
        bx_js_print(js, 2, words, sizeof words - 1);
        return;
    }
    free(probe);
    JSValue stack =
        JS_IsError(take_error) ? JS_GetPropertyStr(ctx, take_error, "stack") : JS_UNDEFINED;
    const char *z = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;
    long line = 0, column = 0;
    const struct bx_js_source *source = z ? find_place(js, z, &line, &column) : NULL;
    if (source) {
        add_place(source, line, column, &out);
    }
    bx_buf_add_str(&out, JS_IsError(take_error) ? "" : "Uncaught ");
    bx_js_inspect(js, take_error, &out);
    bx_buf_add_char(&out, '\n');
    bx_js_print(js, 2, out.data, out.len);
    if (z) {
        JS_FreeCString(ctx, z);
    }
    JS_FreeValue(ctx, stack);
    JS_FreeValue(ctx, take_error);
    bx_buf_deinit(&out);
}
