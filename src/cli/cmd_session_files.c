/* session export, session fsck. */
#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/show.h"
#include "json/write.h"
#include "store/export.h"
#include "store/fsck.h"

#define DOCUMENT_MAX ((size_t)2 << 30)

static int export_to(const struct bx_args *args, bool html, struct bx_buf *out,
                     struct bx_err *err) {
    struct bx_cli_context c;
    bx_auto(bx_session_unrefp) struct bx_session *s = NULL;
    int r = bx_cli_store_open(args, BX_STORE_READER, &c, err);
    if (r < 0)
        return r;
    r = bx_session_open(c.store, args->operands.p[0], &s, err);
    if (r == 0)
        r = (html ? bx_session_export_html : bx_session_export_json)(
            c.store, s, !bx_args_has(args, "no-executors"), out, err);
    bx_session_unref(bx_steal(&s));
    bx_cli_context_close(&c);
    return r;
}

int bx_cmd_session_export(const struct bx_args *args) {
    struct bx_buf out = BX_BUF_INIT(DOCUMENT_MAX);
    struct bx_err err;
    const char *format = bx_args_get(args, "format"), *file = bx_args_get(args, "out");
    bool html = format && strcmp(format, "html") == 0;
    if (format && !html && strcmp(format, "json") != 0) {
        bx_fail(&err, BX_ERR_INVALID, "--format is json or html");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    int r = export_to(args, html, &out, &err);
    if (r == 0 && !file)
        return bx_cli_print(&out);
    if (r == 0)
        r = bx_file_write_atomic(file, bx_buf_str(&out), 0600, &err);
    bx_buf_deinit(&out);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

/* ---- fsck ---- */

struct fsck_out {
    struct bx_buf text;
    bool json;
};

static void take_problem(void *user, const struct bx_fsck_problem *p) {
    struct fsck_out *o = user;
    if (o->json) {
        struct bx_jw w;
        bx_jw_init(&w, &o->text);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "path", p->path);
        bx_jw_kuint(&w, "line", p->line);
        bx_jw_kstr(&w, "text", p->text);
        bx_jw_end(&w);
        bx_buf_addc(&o->text, '\n');
        return;
    }
    bx_show_add_safe(&o->text, bx_str(p->path), true);
    bx_buf_addf(&o->text, p->line ? ":%" PRIu64 ": " : ": ", p->line);
    bx_show_add_safe(&o->text, bx_str(p->text), true);
    bx_buf_addc(&o->text, '\n');
}

static void say_sum(const struct bx_fsck_report *r, bool in_use, struct bx_buf *out) {
    bx_buf_addf(out, "%" PRIu64 " files, %" PRIu64 " events: %" PRIu64 " problems", r->files,
                r->events, r->problems);
    if (r->repaired)
        bx_buf_addf(out, ", %" PRIu64 " files repaired; as they were: %s", r->repaired,
                    r->kept ? r->kept : "a cache, made anew");
    bx_buf_addz(out,
                in_use ? " (a server is at work; what it is just writing was left out)\n" : "\n");
}

/* To look is possible beside a server, to repair is not. */
static int open_for_fsck(const struct bx_args *args, bool repair, struct bx_cli_context *c,
                         bool *ret_in_use, struct bx_err *err) {
    *ret_in_use = false;
    if (repair)
        return bx_cli_store_open(args, BX_STORE_OWNER, c, err);
    int r = bx_cli_store_open(args, BX_STORE_READER, c, err);
    if (r == 0)
        *ret_in_use = bx_store_is_owned(c->store);
    return r;
}

int bx_cmd_session_fsck(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct fsck_out out = {.text = BX_BUF_INIT(256 * BX_MIB), .json = bx_args_has(args, "json")};
    struct bx_fsck_options options = {.repair = bx_args_has(args, "repair")};
    struct bx_fsck_report report;
    if (open_for_fsck(args, options.repair, &c, &options.in_use, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = bx_store_fsck(c.store, &options, take_problem, &out, &report, &err);
    if (r == 0 && !out.json)
        say_sum(&report, options.in_use, &out.text);
    bx_free(report.kept);
    bx_cli_context_close(&c);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int printed = bx_cli_print(&out.text);
    return printed != BX_EXIT_OK || !report.problems || options.repair ? printed : BX_EXIT_FAILED;
}
