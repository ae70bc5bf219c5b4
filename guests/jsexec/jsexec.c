// Runs a script and tells what it printed and how it ended.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/guest.h"
#include "common/path.h"
#include "jsexec/js.h"

enum { MAX_SCRIPT = 16 << 20, MAX_ARGS = 1000 };

struct wish {
    const struct bx_json *code;
    char *path; /* of the root, without a slash; NULL: code */
    const char *argv[MAX_ARGS + 2];
    size_t argc;
    long long timeout_s;
};

static bool take_args(const struct bx_json *input, struct wish *w, struct bx_answer *answer) {
    const struct bx_json *args = bx_json_get(input, "args");
    if (!args || args->type == BX_JSON_NULL) {
        return true;
    }
    if (args->type != BX_JSON_ARRAY) {
        return bx_answer_fail(answer, "args must be an array of strings.");
    }
    for (const struct bx_json *arg = args->first; arg; arg = arg->next) {
        if (arg->type != BX_JSON_STRING && arg->type != BX_JSON_NUMBER) {
            return bx_answer_fail(answer, "args must be an array of strings.");
        }
        if (w->argc == MAX_ARGS + 2) {
            return bx_answer_fail(answer, "args may have at most %d elements.", MAX_ARGS);
        }
        w->argv[w->argc++] = arg->text;
    }
    return true;
}

static bool take_wish(const struct bx_json *input, struct wish *w, struct bx_answer *answer) {
    const struct bx_json *path = NULL;
    *w = (struct wish){.timeout_s = 15};
    if (!bx_input_string(input, "code", &w->code, answer) ||
        !bx_input_string(input, "file_path", &path, answer) ||
        !bx_input_int(input, "timeout", 1, 86400, &w->timeout_s, answer)) {
        return false;
    }
    if (!w->code == !path) {
        return bx_answer_fail(answer, w->code
                                          ? "Give code or file_path, not both."
                                          : "Give the script as code, or its path as file_path.");
    }
    if (path && !bx_input_path(input, "file_path", true, &w->path, answer)) {
        return false;
    }
    w->argv[w->argc++] = "/usr/bin/node";
    if (path) { // as in Node, code has no name in process.argv
        struct bx_buf whole = {0};
        bx_buf_add_fmt(&whole, "/%s", w->path);
        w->argv[w->argc++] = whole.data;
    }
    return take_args(input, w, answer);
}

static bool ends(const char *text, const char *with) {
    size_t n = strlen(text), k = strlen(with);
    return n >= k && strcmp(text + n - k, with) == 0;
}

static bool check_ending(const char *path, struct bx_answer *answer) {
    static const char *const typed[] = {".ts", ".mts", ".cts", ".tsx", ".jsx"};
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        if (ends(path, typed[i])) {
            return bx_answer_fail(
                answer, "%s is not plain JavaScript: jsexec runs .js, .mjs and .cjs files.",
                bx_path_show(path));
        }
    }
    return true;
}

static void add_meta(struct bx_answer *answer, const char *key, const struct bx_capture *c) {
    struct bx_buf text = {0};
    bx_capture_text(c, &text);
    bx_answer_meta_string(answer, key, text.data ? text.data : "", text.len);
    bx_buf_deinit(&text);
}

static void write_answer(const struct bx_js *js, const struct wish *w, struct bx_answer *answer) {
    struct bx_buf *out = &answer->content;
    bx_capture_text(&js->both, out);
    while (out->len && out->data[out->len - 1] == '\n') {
        out->data[--out->len] = '\0';
    }
    const char *gap = out->len ? "\n" : "";
    if (js->is_timed_out) {
        bx_buf_add_fmt(out,
                       "%sThe script was stopped after %lld s; timeout may be set higher, within "
                       "the call's own limits "
                       "(time and cpu).",
                       gap, w->timeout_s);
    } else if (!js->has_failed && js->status) {
        bx_buf_add_fmt(out, "%sThe script ended with exit status %d.", gap, js->status);
    } else if (!js->out.total && js->result.len) {
        bx_buf_add_str(out, gap);
        bx_buf_add(out, js->result.data, js->result.len);
    } else if (!out->len) {
        bx_buf_add_str(out, "The script ran and printed nothing.");
    }
    answer->is_error = js->is_timed_out || js->has_failed || js->status;
    add_meta(answer, "stdout", &js->out);
    add_meta(answer, "stderr", &js->err);
    if (js->result.len) {
        bx_answer_meta_string(answer, "result", js->result.data, js->result.len);
    }
    bx_answer_meta_int(answer, "exit_status", js->is_timed_out ? 124 : js->status);
    bx_answer_meta_bool(answer, "truncated", js->both.total > BX_CAPTURE_HEAD + BX_CAPTURE_TAIL);
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    static struct wish w;
    static struct bx_js js;
    struct bx_buf text = {0};
    const struct bx_json *tool = bx_json_get(input, "tool"); // from the host: no schema lets it in
    if (tool) {
        bx_js_tool(tool, answer);
        return;
    }
    if (!take_wish(input, &w, answer)) {
        return;
    }
    if (w.path) {
        if (!check_ending(w.path, answer) || !bx_file_load(w.path, MAX_SCRIPT, &text, answer)) {
            return;
        }
    } else {
        bx_buf_add(&text, w.code->text, w.code->len);
    }
    bx_js_open(&(struct bx_js_config){.cwd = "/",
                                      .main_path = w.path ? w.argv[1] : "/[code]",
                                      .argv = w.argv,
                                      .argc = w.argc,
                                      .timeout_ms = (double)w.timeout_s * 1e3},
               &js);
    bx_js_run(&js, text.data, text.len, w.path ? w.argv[1] : "[code]",
              w.path && ends(w.path, ".mjs")   ? BX_JS_MODULE
              : w.path && ends(w.path, ".cjs") ? BX_JS_COMMON
                                               : BX_JS_ANY);
    bx_js_release_reserve(&js);
    write_answer(&js, &w, answer);
}
