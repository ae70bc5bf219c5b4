// What core.js and its modules are given beside files: output, text, timers, the end.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/utf8.h"
#include "jsexec/js.h"

static JSValue js_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    int32_t fd = 1;
    size_t n = 0;
    const char *text = JS_ToCStringLen(ctx, &n, argv[1]);
    if (!text || JS_ToInt32(ctx, &fd, argv[0])) {
        return JS_EXCEPTION;
    }
    bx_js_print(bx_js_of(ctx), fd, text, n);
    JS_FreeCString(ctx, text);
    return JS_UNDEFINED;
}

static JSValue js_source(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    const char *name = JS_ToCString(ctx, argv[0]);
    JSValue code = name ? bx_js_builtin_source(ctx, name) : JS_EXCEPTION;
    JS_FreeCString(ctx, name);
    return code;
}

static JSValue js_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    size_t n = 0;
    const char *text = JS_ToCStringLen(ctx, &n, argv[0]);
    JSValue bytes = text ? JS_NewUint8ArrayCopy(ctx, (const uint8_t *)text, n) : JS_EXCEPTION;
    JS_FreeCString(ctx, text);
    return bytes;
}

/* bytes, fatal */
static JSValue js_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    size_t n = 0;
    const char *bytes = (const char *)JS_GetUint8Array(ctx, &n, argv[0]);
    struct bx_buf clean = {0};
    if (!bytes && n) {
        return JS_EXCEPTION;
    }
    if (!n || bx_utf8_valid(bytes, n)) {
        return JS_NewStringLen(ctx, n ? bytes : "", n);
    }
    if (argc > 1 && JS_ToBool(ctx, argv[1]) == 1) {
        return JS_ThrowTypeError(ctx, "The encoded data is not valid UTF-8");
    }
    for (size_t at = 0; at < n;) {
        size_t len = bx_utf8_length(bytes + at, n - at);
        if (len) {
            bx_buf_add(&clean, bytes + at, len);
        } else {
            bx_buf_add_str(&clean, "\xef\xbf\xbd");
        }
        at += len ? len : 1;
    }
    JSValue text = JS_NewStringLen(ctx, clean.data, clean.len);
    bx_buf_deinit(&clean);
    return text;
}

static JSValue js_timer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    double ms = 0;
    if (JS_ToFloat64(ctx, &ms, argv[1])) {
        return JS_EXCEPTION;
    }
    int64_t id = bx_js_timer_add(bx_js_of(ctx), argv[0], ms, JS_ToBool(ctx, argv[2]) == 1);
    return id < 0 ? JS_ThrowOutOfMemory(ctx) : JS_NewInt64(ctx, id);
}

static JSValue js_clear(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    double id = 0;
    if (JS_ToFloat64(ctx, &id, argv[0])) {
        return JS_EXCEPTION;
    }
    if (id > 0 && id < 1e15) {
        bx_js_timer_clear(bx_js_of(ctx), (int64_t)id);
    }
    return JS_UNDEFINED;
}

static JSValue js_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    struct bx_js *js = bx_js_of(ctx);
    int32_t status = 0;
    JS_ToInt32(ctx, &status, argv[0]);
    js->status = status & 255;
    js->is_exiting = true;
    JSValue error = JS_NewInternalError(ctx, "exit");
    JS_SetUncatchableError(ctx, error);
    return JS_Throw(ctx, error);
}

static JSValue js_memory(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    (void)argv;
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(JS_GetRuntime(ctx), &usage);
    return JS_NewInt64(ctx, usage.malloc_size);
}

static JSValue js_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    int64_t n = 0;
    if (JS_ToInt64(ctx, &n, argv[0])) {
        return JS_EXCEPTION;
    }
    if (n < 0 || n > 1 << 20) {
        return JS_ThrowRangeError(ctx, "At most 1048576 random bytes at once");
    }
    uint8_t *bytes = bx_alloc((size_t)n + 1);
    for (int64_t at = 0; at < n; at += 256) {
        if (getentropy(bytes + at, (size_t)(n - at < 256 ? n - at : 256)) != 0) {
            free(bytes);
            return JS_ThrowInternalError(ctx, "There are no random numbers");
        }
    }
    JSValue value = JS_NewUint8ArrayCopy(ctx, bytes, (size_t)n);
    free(bytes);
    return value;
}

/* promise -> [state, result] */
static JSValue js_promise(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    JSValue pair = JS_NewArray(ctx);
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    JS_SetPropertyUint32(ctx, pair, 0, JS_NewInt32(ctx, (int32_t)state));
    JS_SetPropertyUint32(ctx, pair, 1,
                         state == JS_PROMISE_FULFILLED || state == JS_PROMISE_REJECTED
                             ? JS_PromiseResult(ctx, argv[0])
                             : JS_UNDEFINED);
    return pair;
}

static JSValue js_resolve(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    const char *from = JS_ToCString(ctx, argv[0]), *name = JS_ToCString(ctx, argv[1]);
    char *path = from && name ? bx_js_resolve(ctx, from, name) : NULL;
    JSValue value = path ? JS_NewString(ctx, path) : JS_EXCEPTION;
    free(path);
    JS_FreeCString(ctx, from);
    JS_FreeCString(ctx, name);
    return value;
}

/* text, path -> the function that a file for require is; its lines keep their numbers */
static JSValue js_wrap(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    size_t n = 0;
    struct bx_buf code = {0};
    const char *text = JS_ToCStringLen(ctx, &n, argv[0]), *path = JS_ToCString(ctx, argv[1]);
    JSValue call = JS_EXCEPTION;
    if (text && path) {
        bx_js_keep_source(bx_js_of(ctx), path, text, n);
        bx_buf_add_str(&code, "(function (exports, require, module, __filename, __dirname) {");
        bx_buf_add_str(&code, n > 1 && text[0] == '#' && text[1] == '!' ? "//" : "");
        bx_buf_add(&code, text, n);
        bx_buf_add_str(&code, "\n})");
        call = JS_Eval(ctx, code.data, code.len, path, JS_EVAL_TYPE_GLOBAL);
    }
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, path);
    bx_buf_deinit(&code);
    return call;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("write", 2, js_write),     JS_CFUNC_DEF("source", 1, js_source),
    JS_CFUNC_DEF("encode", 1, js_encode),   JS_CFUNC_DEF("decode", 2, js_decode),
    JS_CFUNC_DEF("timer", 3, js_timer),     JS_CFUNC_DEF("clear", 1, js_clear),
    JS_CFUNC_DEF("exit", 1, js_exit),       JS_CFUNC_DEF("memory", 0, js_memory),
    JS_CFUNC_DEF("random", 1, js_random),   JS_CFUNC_DEF("promise", 1, js_promise),
    JS_CFUNC_DEF("resolve", 2, js_resolve), JS_CFUNC_DEF("wrap", 2, js_wrap),
};

JSValue bx_js_native(struct bx_js *js, const struct bx_js_config *config) {
    JSContext *ctx = js->ctx;
    JSValue native = JS_NewObject(ctx), argv = JS_NewArray(ctx), env = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, native, functions, sizeof functions / sizeof *functions);
    bx_js_add_files(js, native);
    for (size_t i = 0; i < config->argc; i++) {
        JS_SetPropertyUint32(ctx, argv, (uint32_t)i, JS_NewString(ctx, config->argv[i]));
    }
    for (char *const *one = config->env; one && *one; one++) {
        const char *equals = strchr(*one, '=');
        if (equals) {
            char *name = bx_strndup(*one, (size_t)(equals - *one));
            JS_SetPropertyStr(ctx, env, name, JS_NewString(ctx, equals + 1));
            free(name);
        }
    }
    JS_SetPropertyStr(ctx, native, "argv", argv);
    JS_SetPropertyStr(ctx, native, "env", env);
    JS_SetPropertyStr(ctx, native, "cwd", JS_NewString(ctx, config->cwd));
    JS_SetPropertyStr(ctx, native, "main", JS_NewString(ctx, config->main_path));
    JS_SetPropertyStr(ctx, native, "version", JS_NewString(ctx, JS_GetVersion()));
    return native;
}
