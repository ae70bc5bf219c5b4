// What import and require find: files of the root, JSON, and the modules that are built in.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "jsexec/js.h"
#include "scripts.h" // generated from js/*.js by build.sh

static bool ends(const char *text, const char *with) {
    size_t n = strlen(text), k = strlen(with);
    return n >= k && strcmp(text + n - k, with) == 0;
}

JSValue bx_js_builtin_source(JSContext *ctx, const char *name) {
    for (size_t i = 0; i < sizeof bx_scripts / sizeof *bx_scripts; i++) {
        if (strcmp(bx_scripts[i].name, name) == 0) {
            char file[64] = "node:";
            strncat(file, name, sizeof file - 6);
            return JS_Eval(ctx, bx_scripts[i].text, strlen(bx_scripts[i].text), file,
                           JS_EVAL_TYPE_GLOBAL);
        }
    }
    return JS_UNDEFINED;
}

static const char *on_disk(const char *path) {
#ifdef BX_GUEST_NATIVE
    return path[1] ? path + 1 : ".";
#else
    return path;
#endif
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(on_disk(path), &st) == 0 && S_ISREG(st.st_mode);
}

char *bx_js_resolve(JSContext *ctx, const char *from, const char *name) {
    if (bx_js_of(ctx)->tool) { // what is in the root is data of the session, not a part of the tool
        JS_ThrowPlainError(ctx,
                           "Cannot find module '%.300s': a tool is one file, which may import "
                           "built-in modules only",
                           name);
        return NULL;
    }
    static const char *const endings[] = {"",      ".js",       ".mjs",       ".cjs",
                                          ".json", "/index.js", "/index.mjs", "/index.json"};
    const char *slash = strrchr(from, '/');
    char *folder = bx_strndup(from, slash ? (size_t)(slash - from) + 1 : 0);
    char *plain = bx_js_path(folder, name);
    free(folder);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct bx_buf path = {0};
        bx_buf_add_fmt(&path, "%s%s", plain, endings[i]);
        if (is_file(path.data)) {
            free(plain);
            return path.data;
        }
        bx_buf_deinit(&path);
    }
    JSValue error =
        JS_NewPlainError(ctx, "Cannot find module '%.300s' (there is no file %.300s)", name, plain);
    JS_SetPropertyStr(ctx, error, "code", JS_NewString(ctx, "MODULE_NOT_FOUND"));
    JS_Throw(ctx, error);
    free(plain);
    return NULL;
}

static char *normalize(JSContext *ctx, const char *base, const char *name, void *user) {
    struct bx_js *js = user;
    char *found = NULL;
    if (js->tool && strcmp(name, "tool:main") == 0) {
        return js_strdup(ctx, js->tool->file);
    }
    if (strncmp(name, "file://", 7) == 0) {
        name += 7;
    }
    if (name[0] == '.' || name[0] == '/') {
        struct bx_buf from = {0}; // code without a file stands in the working directory
        bx_buf_add_fmt(&from, "%s%s", base[0] == '/' ? base : js->cwd, base[0] == '/' ? "" : "/");
        found = bx_js_resolve(ctx, from.data, name);
        bx_buf_deinit(&from);
        if (!found) {
            return NULL;
        }
    }
    char *copy = js_strdup(ctx, found ? found : strncmp(name, "node:", 5) == 0 ? name + 5 : name);
    free(found);
    return copy;
}

static int set_exports(JSContext *ctx, JSModuleDef *m) {
    JSValue exports = JS_GetModulePrivateValue(ctx, m);
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    if (JS_IsObject(exports) &&
        JS_GetOwnPropertyNames(ctx, &names, &count, exports,
                               JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) == 0) {
        for (uint32_t i = 0; i < count; i++) {
            const char *name = JS_AtomToCString(ctx, names[i].atom);
            if (name && strcmp(name, "default") != 0) {
                JS_SetModuleExport(ctx, m, name, JS_GetProperty(ctx, exports, names[i].atom));
            }
            JS_FreeCString(ctx, name);
        }
        JS_FreePropertyEnum(ctx, names, count);
    }
    return JS_SetModuleExport(ctx, m, "default", exports);
}

/* A module whose default export is this value, and whose other exports are its members. */
static JSModuleDef *module_of(JSContext *ctx, const char *name, JSValue take_exports,
                              bool has_members) {
    if (JS_IsException(take_exports)) {
        return NULL;
    }
    JSModuleDef *m = JS_NewCModule(ctx, name, set_exports);
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    if (!m) {
        JS_FreeValue(ctx, take_exports);
        return NULL;
    }
    JS_AddModuleExport(ctx, m, "default");
    if (has_members && JS_IsObject(take_exports) &&
        JS_GetOwnPropertyNames(ctx, &names, &count, take_exports,
                               JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) == 0) {
        for (uint32_t i = 0; i < count; i++) {
            const char *member = JS_AtomToCString(ctx, names[i].atom);
            if (member && strcmp(member, "default") != 0) {
                JS_AddModuleExport(ctx, m, member);
            }
            JS_FreeCString(ctx, member);
        }
        JS_FreePropertyEnum(ctx, names, count);
    }
    JS_SetModulePrivateValue(ctx, m, take_exports);
    return m;
}

static JSValue call_core(struct bx_js *js, const char *function, const char *argument) {
    JSValue call = JS_GetPropertyStr(js->ctx, js->core, function),
            text = JS_NewString(js->ctx, argument);
    JSValue result = JS_Call(js->ctx, call, JS_UNDEFINED, 1, (JSValueConst *)&text);
    JS_FreeValue(js->ctx, call);
    JS_FreeValue(js->ctx, text);
    return result;
}

void bx_js_set_meta(JSContext *ctx, JSModuleDef *m, const char *path) {
    JSValue meta = JS_GetImportMeta(ctx, m);
    struct bx_buf url = {0};
    const char *slash = strrchr(path, '/');
    bx_buf_add_fmt(&url, "file://%s", path);
    JS_SetPropertyStr(ctx, meta, "url", JS_NewStringLen(ctx, url.data, url.len));
    JS_SetPropertyStr(ctx, meta, "filename", JS_NewString(ctx, path));
    JS_SetPropertyStr(ctx, meta, "dirname",
                      JS_NewStringLen(ctx, path, slash > path ? (size_t)(slash - path) : 1));
    JS_FreeValue(ctx, meta);
    bx_buf_deinit(&url);
}

/* Written for require: no import or export in it, but module.exports. */
static bool is_common(const char *path, const struct bx_buf *text) {
    return ends(path, ".cjs") ||
           (!ends(path, ".mjs") &&
            (strstr(text->data, "module.exports") || strstr(text->data, "exports.")) &&
            !JS_DetectModule(text->data, text->len));
}

static JSModuleDef *compile_module(JSContext *ctx, const char *name, const char *text, size_t len) {
    JSValue code = JS_Eval(ctx, text, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(code)) {
        return NULL;
    }
    JSModuleDef *m = JS_VALUE_GET_PTR(code);
    JS_FreeValue(ctx, code);
    return m;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *user) {
    struct bx_js *js = user;
    struct bx_buf text = {0};
    JSModuleDef *m = NULL;
    if (js->tool && strcmp(name, js->tool->file) == 0) {
        return compile_module(ctx, name, js->tool->source, js->tool->len);
    }
    if (name[0] != '/') {
        return module_of(ctx, name, call_core(js, "builtin", name), true);
    }
    if (!bx_js_load(ctx, name, &text)) {
        return NULL;
    }
    if (ends(name, ".json")) {
        m = module_of(ctx, name, JS_ParseJSON(ctx, text.data, text.len, name), false);
    } else if (is_common(name, &text)) {
        m = module_of(ctx, name, call_core(js, "loadFile", name), true);
    } else {
        bx_js_keep_source(js, name, text.data, text.len);
        m = compile_module(ctx, name, text.data, text.len);
        if (m) {
            bx_js_set_meta(ctx, m, name);
        }
    }
    bx_buf_deinit(&text);
    return m;
}

void bx_js_add_modules(struct bx_js *js) {
    JS_SetModuleLoaderFunc(js->rt, normalize, load, js);
}
