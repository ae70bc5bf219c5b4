#include "jsexec/js.h"

#include <stdlib.h>
#include <string.h>

enum {
    // Of the stack in the guest's memory (build.sh: 2 MiB). The machine's stack, which the box
    // bounds, goes at two to three
    // times the rate; the descriptor asks for 8 MiB of it, so that a script that recurses too deep
    // sees a RangeError.
    MAX_STACK = 1920 << 10,
};

static int on_interrupt(JSRuntime *rt, void *user) {
    struct bx_js *js = user;
    (void)rt;
    if (js->deadline_ms > 0 && bx_js_now_ms() > js->deadline_ms) {
        js->is_timed_out = true;
    }
    return js->is_timed_out || js->is_exiting;
}

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled,
                         void *user) {
    struct bx_js *js = user;
    if (!is_handled) {
        struct bx_js_rejection *more =
            realloc(js->rejections, (js->rejection_count + 1) * sizeof *js->rejections);
        if (more) {
            js->rejections = more;
            js->rejections[js->rejection_count++] =
                (struct bx_js_rejection){JS_DupValue(ctx, promise), JS_DupValue(ctx, reason)};
        }
        return;
    }
    for (size_t i = 0; i < js->rejection_count; i++) {
        if (JS_VALUE_GET_PTR(js->rejections[i].promise) == JS_VALUE_GET_PTR(promise)) {
            JS_FreeValue(ctx, js->rejections[i].promise);
            JS_FreeValue(ctx, js->rejections[i].reason);
            js->rejections[i] = js->rejections[--js->rejection_count];
            return;
        }
    }
}

/* Blocks of every size that an answer may want: the box's malloc does not split larger ones
 * (common/libc.c). */
static void keep_reserve(struct bx_js *js) {
    enum { MAX_BLOCKS = 700 };
    js->reserve = bx_alloc(MAX_BLOCKS * sizeof *js->reserve);
    for (size_t size = 32; size <= 128 << 10; size += size < 1024 ? 16 : size / 4) {
        for (int i = 0; i < (size < 1024 ? 8 : 2) && js->reserve_count < MAX_BLOCKS; i++) {
            js->reserve[js->reserve_count++] = malloc(size);
        }
    }
}

void bx_js_release_reserve(struct bx_js *js) {
    while (js->reserve_count) {
        free(js->reserve[--js->reserve_count]);
    }
}

void bx_js_open(const struct bx_js_config *config, struct bx_js *js) {
    *js = (struct bx_js){.cwd = config->cwd,
                         .is_live = config->is_live,
                         .prints_result = config->prints_result,
                         .rt = JS_NewRuntime(),
                         .answer = JS_UNDEFINED};
    js->ctx = js->rt ? JS_NewContext(js->rt) : NULL;
    if (!js->ctx) {
        bx_die("JavaScript needs more memory than the tool may use.");
    }
    if (!config->is_live) {
        keep_reserve(js);
    }
    js->deadline_ms = config->timeout_ms > 0 ? bx_js_now_ms() + config->timeout_ms : 0;
    JS_SetContextOpaque(js->ctx, js);
    JS_SetMaxStackSize(js->rt, MAX_STACK);
    JS_AddPerformance(js->ctx);
    JS_SetInterruptHandler(js->rt, on_interrupt, js);
    JS_SetHostPromiseRejectionTracker(js->rt, on_rejection, js);
    bx_js_add_modules(js);
    js->native = bx_js_native(js, config);
    JSValue core = bx_js_builtin_source(js->ctx, "core");
    js->core = JS_Call(js->ctx, core, JS_UNDEFINED, 1, (JSValueConst *)&js->native);
    JS_FreeValue(js->ctx, core);
    if (JS_IsException(js->core)) {
        bx_die("JavaScript could not be started.");
    }
}

static JSValue compile(struct bx_js *js, const struct bx_buf *code, const char *name, int flags) {
    return JS_Eval(js->ctx, code->data, code->len, name, flags | JS_EVAL_FLAG_COMPILE_ONLY);
}

/* Has it a line that begins with import or export? For choosing which error to show. */
static bool looks_like_module(const char *text) {
    while (text) {
        text += strspn(text, " \t\r\n");
        if (strncmp(text, "export ", 7) == 0 || strncmp(text, "import ", 7) == 0 ||
            strncmp(text, "import{", 7) == 0) {
            return true;
        }
        text = strchr(text, '\n');
    }
    return false;
}

/* As a script, whose last value is its result; as a module when it imports or exports; as a
 * function's body when it returns. What was meant is not said, so the first that can be read is
 * taken. */
static JSValue compile_any(struct bx_js *js, const struct bx_buf *code, const char *name,
                           enum bx_js_kind kind) {
    int script = JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC;
    JSValue made = compile(js, code, name, kind == BX_JS_MODULE ? JS_EVAL_TYPE_MODULE : script);
    if (!JS_IsException(made) || kind != BX_JS_ANY) {
        return made;
    }
    JSValue first = JS_GetException(js->ctx);
    bool is_module = looks_like_module(code->data);
    made = compile(js, code, name, JS_EVAL_TYPE_MODULE);
    if (JS_IsException(made) && !is_module && strstr(code->data, "return")) {
        struct bx_buf body = {0};
        JS_FreeValue(js->ctx, JS_GetException(js->ctx));
        bx_buf_add_str(&body, "(async function () {");
        bx_buf_add(&body, code->data, code->len);
        bx_buf_add_str(&body, "\n})()");
        made = compile(js, &body, name, script);
        bx_buf_deinit(&body);
    }
    if (JS_IsException(made) && !is_module) {
        JS_FreeValue(js->ctx, JS_GetException(js->ctx));
        return JS_Throw(js->ctx, first);
    }
    JS_FreeValue(js->ctx, first);
    return made;
}

/* The value of the script's last expression; that of a promise when it is one. */
static void take_result(struct bx_js *js, JSValueConst main) {
    JSContext *ctx = js->ctx;
    JSValue result = JS_PromiseResult(ctx, main);
    if (js->tool) {
        js->answer = result;
        return;
    }
    JSValue value = JS_IsObject(result) ? JS_GetPropertyStr(ctx, result, "value") : JS_UNDEFINED;
    JS_FreeValue(ctx, result);
    if (JS_IsPromise(value) && JS_PromiseState(ctx, value) == JS_PROMISE_FULFILLED) {
        JSValue inner = JS_PromiseResult(ctx, value);
        JS_FreeValue(ctx, value);
        value = inner;
    }
    if (js->prints_result) {
        JSValue print = JS_GetPropertyStr(ctx, js->core, "print");
        JSValue r = JS_Call(ctx, print, JS_UNDEFINED, 1, (JSValueConst *)&value);
        if (JS_IsException(r)) {
            bx_js_report(js, JS_GetException(ctx));
            js->status = 1;
        }
        JS_FreeValue(ctx, r);
        JS_FreeValue(ctx, print);
    } else if (!JS_IsUndefined(value)) {
        bx_js_inspect(js, value, &js->result);
    }
    JS_FreeValue(ctx, value);
}

bool bx_js_check(struct bx_js *js, const char *code, size_t len, const char *name,
                 enum bx_js_kind kind) {
    struct bx_buf text = {0};
    bx_buf_add(&text, code, len);
    bx_js_keep_source(js, name, code, len);
    JSValue made = compile_any(js, &text, name, kind);
    if (JS_IsException(made)) {
        bx_js_report(js, JS_GetException(js->ctx));
        return false;
    }
    return true;
}

static void leave(struct bx_js *js) {
    if (js->is_timed_out) {
        return;
    }
    JSValue call = JS_GetPropertyStr(js->ctx, js->core, "exiting"),
            status = JS_NewInt32(js->ctx, js->status);
    js->is_exiting = false; // listeners run
    JSValue r = JS_Call(js->ctx, call, JS_UNDEFINED, 1, (JSValueConst *)&status);
    int32_t number = js->status;
    if (JS_IsException(r)) {
        JSValue error = JS_GetException(js->ctx);
        if (js->is_exiting) {
            JS_FreeValue(js->ctx, error);
        } else {
            js->status = 1;
            js->has_failed = true;
            bx_js_report(js, error);
        }
    } else if (JS_ToInt32(js->ctx, &number, r) == 0) {
        js->status = number & 255;
    }
    JS_FreeValue(js->ctx, r);
    JS_FreeValue(js->ctx, call);
}

/* To the end of the event loop; main is a promise, or an exception. */
static void run_main(struct bx_js *js, JSValue take_main) {
    if (JS_IsException(take_main)) {
        JSValue error = JS_GetException(js->ctx);
        if (js->is_exiting) {
            JS_FreeValue(js->ctx, error);
        } else {
            js->has_failed = true;
            js->status = 1;
            bx_js_report(js, error);
        }
        leave(js);
        return;
    }
    JS_PromiseMarkAsHandled(js->ctx, take_main);
    bx_js_loop(js, take_main);
    if (!js->is_exiting && !js->is_timed_out && !js->has_failed) {
        JSPromiseStateEnum state = JS_PromiseState(js->ctx, take_main);
        if (state == JS_PROMISE_PENDING) {
            static const char words[] = "The script ended in the middle: it awaits a promise that "
                                        "nothing is left to settle.\n";
            bx_js_print(js, 2, words, sizeof words - 1);
            js->has_failed = true;
            js->status = 13;
        } else if (state == JS_PROMISE_FULFILLED) {
            take_result(js, take_main);
        }
    }
    JS_FreeValue(js->ctx, take_main);
    leave(js);
}

void bx_js_run(struct bx_js *js, const char *code, size_t len, const char *name,
               enum bx_js_kind kind) {
    struct bx_buf text = {0};
    bx_buf_add(&text, code, len);
    bx_js_keep_source(js, name, code, len);
    JSValue made = compile_any(js, &text, name, kind), main = JS_EXCEPTION;
    if (!JS_IsException(made)) {
        if (JS_VALUE_GET_TAG(made) == JS_TAG_MODULE && name[0] == '/') {
            bx_js_set_meta(js->ctx, JS_VALUE_GET_PTR(made), name);
        }
        main = JS_EvalFunction(js->ctx, made);
    }
    run_main(js, main);
}

void bx_js_run_tool(struct bx_js *js, const struct bx_js_tool *tool, const char *op,
                    const char *input) {
    JSContext *ctx = js->ctx;
    js->tool = tool;
    bx_js_keep_source(js, tool->file, tool->source, tool->len);
    if (strcmp(op, "check") == 0) {
        JSValue made = JS_Eval(ctx, tool->source, tool->len, tool->file,
                               JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        if (JS_IsException(made)) {
            run_main(js, made);
        }
        return; // the module is the context's
    }
    JSValue run = bx_js_builtin_source(ctx, "tool");
    JSValue args[] = {JS_NewString(ctx, op),
                      *input ? JS_ParseJSON(ctx, input, strlen(input), "input") : JS_UNDEFINED};
    JSValue main = JS_IsException(args[1])
                       ? JS_EXCEPTION
                       : JS_Call(ctx, run, JS_UNDEFINED, 2, (JSValueConst *)args);
    JS_FreeValue(ctx, args[0]);
    JS_FreeValue(ctx, args[1]);
    JS_FreeValue(ctx, run);
    run_main(js, main);
}
