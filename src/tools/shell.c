#include "tools/shell.h"

#include <unistd.h>

#include "base/id.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "box/box.h"
#include "box/embedded.h"
#include "json/write.h"
#include "tools/session.h"
#include "tools/tool.h"

#define SHOWN_BYTES  (30000) /* of the content and of each stream in the metadata */
#define REPORT_BYTES (512 * BX_KIB)

void bx_shell_state_deinit(struct bx_shell_state *s) {
    bx_free(s->cwd);
    bx_free(s->exports);
}

/* ---- what the guest gets ---- */

static void add_env(struct bx_shell_call *c, const char *name, const char *value) {
    bx_vec_push(&c->env, bx_asprintf("%s=%s", name, value));
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One variable of a former call. Names that are ours are not taken from it. */
static void add_export(struct bx_shell_call *c, struct bx_str text) {
    struct bx_buf out = BX_BUF_INIT(BX_SHELL_EXPORTS_MAX);
    for (size_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        bx_buf_addc(&out, low >= 0 ? (char)(high * 16 + low) : text.p[i]);
        i += low >= 0 ? 2 : 0;
    }
    struct bx_str whole = bx_buf_str(&out);
    if (!memchr(whole.p, 0, whole.n) && !bx_str_starts(whole, "BX_") &&
        !bx_str_starts(whole, "PWD="))
        bx_vec_push(&c->env, bx_str_dup(whole));
    bx_buf_deinit(&out);
}

static void add_programs(struct bx_shell_call *c) {
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(64 * BX_KIB);
    for (const struct bx_embedded_program *p = bx_embedded_programs; p && p->command; p++)
        bx_buf_addf(&names, "%s%s", names.size ? " " : "", p->command);
    add_env(c, "BX_PROGRAMS", bx_buf_z(&names));
}

static void add_state(struct bx_shell_call *c) {
    static const char *const defaults[][2] = {
        {"HOME", "/"},      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
        {"TMPDIR", "/tmp"}, {"LANG", "C.UTF-8"},
        {"TZ", "UTC"},      {"USER", "user"}};
    bx_auto(bx_freep) char *cwd = NULL, *exports = NULL;
    struct bx_tool_session *session = c->ctx->session;
    if (session) {
        BX_LOCKED(&session->lock);
        cwd = session->shell.cwd ? bx_strdup(session->shell.cwd) : NULL;
        exports = session->shell.exports ? bx_strdup(session->shell.exports) : NULL;
    }
    add_env(c, "PWD", cwd ? cwd : "/");
    for (size_t i = 0; !exports && i < BX_ARRAY_LEN(defaults); i++)
        add_env(c, defaults[i][0], defaults[i][1]);
    struct bx_str rest = bx_str(exports ? exports : ""), one;
    while (rest.n && bx_str_split(&rest, ' ', &one))
        if (one.n)
            add_export(c, one);
}

void bx_shell_begin(struct bx_shell_call *c, const struct bx_val *input, const char *timeout_member,
                    struct bx_tool_ctx *ctx) {
    unsigned char random[16];
    *c = (struct bx_shell_call){.ctx = ctx,
                                .grant = *ctx->grant,
                                .all = BX_BUF_INIT(512 * BX_MIB),
                                .held = BX_BUF_INIT(512 * BX_MIB)};
    bx_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(c->mark + 2 * i, 3, "%02x", bx_unwired("shell_mark") ? 0 : random[i]);
    int64_t asked = timeout_member ? bx_val_int(bx_val_get(input, timeout_member), 0) : 0;
    uint64_t *time_ms = &c->grant.limits.value[BX_LIMIT_TIME];
    if (asked > 0 && (uint64_t)asked < *time_ms) {
        c->asked_ms = (uint64_t)asked;
        *time_ms = BX_MAX(c->asked_ms, bx_limit_info(BX_LIMIT_TIME)->min);
    }
    add_env(c, "BX_CALL", c->mark);
    add_programs(c);
    add_state(c);
}

void bx_shell_call_deinit(struct bx_shell_call *c) {
    for (size_t i = 0; i < c->env.n; i++)
        bx_free(c->env.p[i]);
    bx_vec_free(&c->env);
    bx_buf_deinit(&c->all);
    bx_buf_deinit(&c->held);
}

/* ---- the streams ---- */

static void show(struct bx_shell_call *c, int fd, struct bx_str text) {
    if (!text.n)
        return;
    bx_buf_adds(&c->all, text);
    if (c->ctx->on_output)
        c->ctx->on_output(c->ctx->user, fd == STDERR_FILENO ? "stderr" : "stdout", text);
}

/* The report begins with "\x1e<mark> ": where it does, or where the text ends in a part of that.
 */
static size_t report_start(const struct bx_shell_call *c, struct bx_str text) {
    char wanted[40];
    size_t n = (size_t)snprintf(wanted, sizeof wanted, "\036%s ", c->mark);
    for (size_t at = 0; at < text.n; at++) {
        const char *sign = memchr(text.p + at, '\036', text.n - at);
        if (!sign)
            break;
        at = (size_t)(sign - text.p);
        if (memcmp(sign, wanted, BX_MIN(n, text.n - at)) == 0)
            return at;
    }
    return text.n;
}

void bx_shell_output(struct bx_shell_call *c, int fd, struct bx_str piece) {
    if (fd == STDERR_FILENO) {
        show(c, fd, piece);
        return;
    }
    bx_buf_adds(&c->held, piece);
    struct bx_str held = bx_buf_str(&c->held);
    size_t at = report_start(c, held);
    show(c, fd, bx_str_slice(held, 0, at));
    struct bx_buf rest = BX_BUF_INIT(512 * BX_MIB);
    bx_buf_adds(&rest, bx_str_slice(held, at, held.n));
    bx_buf_deinit(&c->held);
    c->held = rest;
}

/* ---- the result ---- */

/* Head and tail of what is too long, cut at line ends where there are some. */
static void add_cut(struct bx_buf *out, struct bx_str text) {
    if (text.n <= SHOWN_BYTES) {
        bx_buf_adds(out, text);
        return;
    }
    size_t head = SHOWN_BYTES * 2 / 3, tail = text.n - SHOWN_BYTES / 3;
    for (size_t i = head; i > head - 1000; i--) {
        if (text.p[i - 1] == '\n') {
            head = i;
            break;
        }
    }
    for (size_t i = tail; i < tail + 1000; i++) {
        if (text.p[i] == '\n') {
            tail = i + 1;
            break;
        }
    }
    bx_buf_adds(out, bx_str_slice(text, 0, head));
    bx_buf_addf(out, "\n[… %zu bytes of %zu are left out here …]\n", tail - head, text.n);
    bx_buf_adds(out, bx_str_slice(text, tail, text.n));
}

static void add_line(struct bx_buf *out, const char *fmt, ...) BX_PRINTF(2, 3);
static void add_line(struct bx_buf *out, const char *fmt, ...) {
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (out->size && out->p[out->size - 1] != '\n')
        bx_buf_addc(out, '\n');
    bx_buf_addz(out, text);
}

static void remember(struct bx_shell_call *c, const struct bx_val *report, struct bx_buf *content) {
    struct bx_tool_session *session = c->ctx->session;
    struct bx_str cwd = bx_val_get_str(report, "cwd"), exports = bx_val_get_str(report, "exports");
    if (!session || !cwd.n || cwd.p[0] != '/')
        return;
    if (exports.n > BX_SHELL_EXPORTS_MAX)
        add_line(
            content,
            "[the exported variables are larger than 64 KiB: the next call has those of before]");
    BX_LOCKED(&session->lock);
    bx_free(session->shell.cwd);
    session->shell.cwd = bx_str_dup(cwd);
    if (exports.n <= BX_SHELL_EXPORTS_MAX) {
        bx_free(session->shell.exports);
        session->shell.exports = bx_str_dup(exports);
    }
}

static int read_report(struct bx_shell_call *c, struct bx_doc **ret) {
    struct bx_str held = bx_buf_str(&c->held);
    size_t skip = 1 + strlen(c->mark) + 1;
    const char *end = held.n > skip ? memchr(held.p + skip, '\036', held.n - skip) : NULL;
    struct bx_json_limits limits = {.max_size_bytes = REPORT_BYTES};
    if (!end) {
        show(c, STDOUT_FILENO, held);
        return BX_ERR_INVALID;
    }
    size_t at = (size_t)(end - held.p);
    int rc = bx_doc_parse(bx_str_slice(held, skip, at - skip), &limits, ret, NULL);
    if (held.n > at + 2) /* what a program wrote that went on */
        show(c, STDOUT_FILENO, bx_str_slice(held, at + 2, held.n));
    return rc;
}

/* Standard output as the box kept it, without the report */
static struct bx_str plain_output(const struct bx_shell_call *c, const struct bx_box_result *r) {
    struct bx_str out = bx_buf_str(&r->out);
    return bx_str_slice(out, 0, report_start(c, out));
}

static char *metadata(const struct bx_shell_call *c, const struct bx_box_result *r,
                      const struct bx_val *report, int status) {
    struct bx_buf out = BX_BUF_INIT(4 * BX_MIB), text = BX_BUF_INIT(BX_MIB);
    struct bx_str streams[2] = {report ? plain_output(c, r) : bx_buf_str(&r->out),
                                bx_buf_str(&r->err)};
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    for (int i = 0; i < 2; i++) {
        bx_buf_reset(&text);
        add_cut(&text, streams[i]);
        bx_jw_kstrn(&w, i ? "stderr" : "stdout", bx_buf_str(&text));
    }
    bx_jw_kint(&w, "exit_status", status);
    if (report) {
        bx_jw_kstrn(&w, "cwd", bx_val_get_str(report, "cwd"));
        bx_jw_kval(&w, "stages", bx_val_get(report, "stages"));
    }
    if (c->all.size > SHOWN_BYTES || r->out_cut || r->err_cut)
        bx_jw_kbool(&w, "truncated", true);
    bx_jw_end(&w);
    bx_buf_deinit(&text);
    return bx_buf_steal(&out);
}

static void add_end(struct bx_shell_call *c, const struct bx_box_result *r,
                    const struct bx_val *report, int status, struct bx_buf *content) {
    bool timed_out = c->asked_ms && r->limit && strcmp(r->limit, "time") == 0;
    if (r->left)
        add_line(content, "[%u background %s still running and ended with the call]", r->left,
                 r->left == 1 ? "process was" : "processes were");
    if (timed_out)
        add_line(content, "[stopped after %llu ms, the timeout that was asked for]",
                 (unsigned long long)c->asked_ms);
    else if (r->message[0])
        add_line(content, "[%s]", r->message);
    else if (!report)
        add_line(content, "[the shell ended without saying how]");
    if (report && status)
        add_line(content, "[exit status %d]", status);
    if (!content->size)
        bx_buf_addz(content, "(no output)");
}

void bx_shell_result(struct bx_shell_call *c, const struct bx_box_result *r,
                     struct bx_tool_result *ret) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf content = BX_BUF_INIT(4 * BX_MIB);
    struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
    const struct bx_val *report = read_report(c, &doc) == 0 ? bx_doc_root(doc) : NULL;
    int status = report ? (int)bx_val_int(bx_val_get(report, "exit_status"), 1) : 1;
    add_cut(&content, bx_buf_str(&c->all));
    add_end(c, r, report, status, &content);
    if (report)
        remember(c, report, &content);
    bx_json_quote(&json, bx_buf_str(&content));
    ret->content = bx_buf_steal(&json);
    ret->metadata = metadata(c, r, report, status);
    ret->limit = r->limit;
    /* A status that is not 0 is an answer, not a failure of the tool */
    ret->is_error = !report || r->exit == BX_BOX_TRAPPED || r->exit == BX_BOX_SETUP;
}
