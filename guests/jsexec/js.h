#ifndef BX_GUEST_JS_H
#define BX_GUEST_JS_H

#include <quickjs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/guest.h"

/*
 * One script: a runtime, its event loop, what it printed. Freed by the end of the program only.
 */

/* What was written: all of it to a descriptor, or kept with the middle left out. */
struct bx_capture {
    struct bx_buf head;
    char *tail; /* a ring of BX_CAPTURE_TAIL bytes, NULL until it is needed */
    size_t total;
};
enum { BX_CAPTURE_HEAD = 24 << 10, BX_CAPTURE_TAIL = 8 << 10 };
void bx_capture_add(struct bx_capture *c, const char *text, size_t n);
/* The text, with a line in the place of what was left out. */
void bx_capture_text(const struct bx_capture *c, struct bx_buf *out);

struct bx_js_timer {
    int64_t id, repeat_ms; /* repeat_ms < 0: once */
    double due_ms;
    uint64_t order;
    JSValue call;
};

struct bx_js_source {
    char *name, *text;
};

struct bx_js_rejection {
    JSValue promise, reason;
};

/* A tool of the user's own: one file, which nothing of the root is part of. */
struct bx_js_tool {
    const char *file, *source; /* file: as in stack traces, without a slash */
    size_t len;
};

struct bx_js {
    JSRuntime *rt;
    JSContext *ctx;
    JSValue core, native; /* what core.js returns and is given */
    const char *cwd;      /* absolute */
    bool prints_result;
    bool is_live;         /* a program: output goes straight to the descriptors */
    struct bx_capture out, err, both;
    struct bx_js_timer *timers; /* a heap by due_ms, order */
    size_t timer_count, timer_room;
    int64_t last_timer;
    struct bx_js_rejection *rejections;
    size_t rejection_count;
    struct bx_js_source *sources;
    size_t source_count;
    double deadline_ms; /* by bx_js_now_ms() */
    bool is_timed_out, is_exiting, has_failed;
    int status;
    void **reserve; /* blocks for what is to be said when a script has eaten all memory */
    size_t reserve_count;
    const struct bx_js_tool *tool; /* NULL: a script of the model's */
    JSValue answer;                /* of the tool: js/tool.js says its members */
    struct bx_buf result; /* the value of the last expression as it is shown; empty when undefined */
};

struct bx_js_config {
    const char *cwd, *main_path; /* absolute; main_path for __filename and relative imports */
    const char *const *argv;     /* process.argv */
    size_t argc;
    char *const *env;
    double timeout_ms; /* 0: none */
    bool is_live;
    bool prints_result; /* on standard output, whatever it is (node -p) */
};
void bx_js_open(const struct bx_js_config *config, struct bx_js *ret);

enum bx_js_kind { BX_JS_ANY, BX_JS_MODULE, BX_JS_COMMON };
/* Runs it to the end of its event loop. name: as in stack traces. Errors are printed; status says how it ended. */
void bx_js_run(struct bx_js *js, const char *code, size_t len, const char *name, enum bx_js_kind kind);

/* op "run": the tool's default export with the input, JSON text; "check": it is only read; "describe": what it exports as
 * descriptor. The tool and its texts stay. */
void bx_js_run_tool(struct bx_js *js, const struct bx_js_tool *tool, const char *op, const char *input);
/* tool.c: all of such a call; tool is what the host sent. */
void bx_js_tool(const struct bx_json *tool, struct bx_answer *answer);

/* From here on memory may be used up for the answer. */
void bx_js_release_reserve(struct bx_js *js);

/* Only compiles it; an error is printed. */
bool bx_js_check(struct bx_js *js, const char *code, size_t len, const char *name,
                 enum bx_js_kind kind);

double bx_js_now_ms(void);
void bx_js_print(struct bx_js *js, int fd, const char *text, size_t n);
static inline struct bx_js *bx_js_of(JSContext *ctx) {
    return (struct bx_js *)JS_GetContextOpaque(ctx);
}

/* report.c: prints an error with the line it is at; takes the value. */
void bx_js_report(struct bx_js *js, JSValue take_error);
void bx_js_keep_source(struct bx_js *js, const char *name, const char *text, size_t len);
/* A value as it is shown; the caller's. */
void bx_js_inspect(struct bx_js *js, JSValueConst value, struct bx_buf *out);

/* native.c: the object that core.js is given. */
JSValue bx_js_native(struct bx_js *js, const struct bx_js_config *config);

/* files.c: file functions for that object, and: */
void bx_js_add_files(struct bx_js *js, JSValue native);
/* An absolute path without "." and ".."; above the root is the root. The caller's. */
char *bx_js_path(const char *base, const char *path);
/* The whole of a file; an exception and false when it cannot be. */
bool bx_js_load(JSContext *ctx, const char *path, struct bx_buf *ret);

/* modules.c: what "./x" means in the file `from`; NULL and an exception when there is no such file. The caller's. */
char *bx_js_resolve(JSContext *ctx, const char *from, const char *name);
void bx_js_add_modules(struct bx_js *js);
/* Its import.meta: url, filename, dirname. path is absolute. */
void bx_js_set_meta(JSContext *ctx, JSModuleDef *m, const char *path);
/* An embedded script evaluated to its function; undefined when there is none of that name. */
JSValue bx_js_builtin_source(JSContext *ctx, const char *name);

/* loop.c */
int64_t bx_js_timer_add(struct bx_js *js, JSValueConst call, double ms, bool repeats);
void bx_js_timer_clear(struct bx_js *js, int64_t id);
/* Until nothing is left to do, or the script is over for another reason. main: the promise of the script. */
void bx_js_loop(struct bx_js *js, JSValueConst main);

#endif
