/* session list, show, export, rm: they only look (rm asks the store), so they work beside a running
 * server. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "store/place.h"
#include "json/write.h"

static void list_row(const struct bx_session_row *row, bool json, struct bx_buf *out) {
    char when[25];
    bx_time_format(row->updated_at_ms, when);
    if (!json) {
        bx_buf_addf(out, "%s  %.16s  %4" PRIu64 "  %s%s\n", row->id, when, row->events,
                    row->damaged ? "[damaged] " : "", row->title ? row->title : "");
        return;
    }
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", row->id);
    bx_jw_kstr(&w, "title", row->title ? row->title : "");
    bx_jw_kstr(&w, "model", row->model ? row->model : "");
    bx_jw_kstr(&w, "mode", row->mode ? row->mode : "");
    bx_jw_kstr(&w, "updated_at", when);
    bx_time_format(row->created_at_ms, when);
    bx_jw_kstr(&w, "created_at", when);
    bx_jw_kuint(&w, "events", row->events);
    bx_jw_kbool(&w, "damaged", row->damaged);
    bx_jw_end(&w);
    bx_buf_addc(out, '\n');
}

int bx_cmd_session_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (bx_cli_store_open(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(256 * BX_MIB);
    struct bx_session_list list = {0};
    int r =
        bx_store_list(c.store, &(struct bx_session_filter){.kind = "chat"}, 1000000, &list, &err);
    for (size_t i = 0; i < list.n; i++) {
        list_row(&list.rows[i], bx_args_has(args, "json"), &out);
    }
    bx_session_list_deinit(&list);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

/* All lines of a session, one event a line. */
static int read_events(const struct bx_args *args, struct bx_cli_context *c,
                       struct bx_session **ret_session, struct bx_buf *lines, struct bx_err *err) {
    int r = bx_cli_store_open(args, BX_STORE_READER, c, err);
    if (r < 0) {
        return r;
    }
    struct bx_session *s = NULL;
    r = bx_session_open(c->store, args->operands.p[0], &s, err);
    struct bx_cursor cursor = {.next_seq = 1};
    while (r == 0 && (r = bx_session_read(s, &cursor, 16 * BX_MIB, lines, err)) > 0) {
        r = 0;
    }
    if (r < 0) {
        bx_session_unref(s);
        bx_cli_context_close(c);
        return r;
    }
    *ret_session = s;
    return 0;
}

static void show_event(const struct bx_val *e, struct bx_buf *out) {
    struct bx_str type = bx_val_get_str(e, "type"), text = bx_val_get_str(e, "text");
    if (bx_str_eqz(type, "user")) {
        bx_buf_addf(out, "\n> ");
        bx_buf_adds(out, text);
        bx_buf_addz(out, "\n\n");
    } else if (bx_str_eqz(type, "assistant")) {
        bx_buf_adds(out, text);
        bx_buf_addz(out, text.n ? "\n" : "");
        bx_val_foreach_item (bx_val_get(e, "calls"), call) {
            struct bx_jw w;
            bx_buf_addf(out, "● " BX_STR_FMT " ", BX_STR_ARG(bx_val_get_str(call, "tool")));
            bx_jw_init(&w, out);
            bx_jw_val(&w, bx_val_get(call, "input"));
            bx_buf_addc(out, '\n');
        }
    } else if (bx_str_eqz(type, "tool_result")) {
        struct bx_str content = bx_val_get_str(e, "content");
        bx_buf_addf(out, "  %s" BX_STR_FMT "%s\n",
                    bx_val_get_bool(e, "is_error", false) ? "error: " : "",
                    BX_STR_ARG(bx_str_slice(content, 0, 400)), content.n > 400 ? " …" : "");
    } else if (bx_str_eqz(type, "error") || bx_str_eqz(type, "limit")) {
        bx_buf_addf(out, "! " BX_STR_FMT "\n", BX_STR_ARG(text));
    }
}

int bx_cmd_session_show(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_session *s = NULL;
    struct bx_buf lines = BX_BUF_INIT((size_t)1 << 30), out = BX_BUF_INIT((size_t)1 << 30);
    if (read_events(args, &c, &s, &lines, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    if (bx_args_has(args, "json")) {
        bx_buf_adds(&out, bx_buf_str(&lines));
    } else {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            struct bx_doc *doc = NULL;
            if (line.n && bx_doc_parse(line, NULL, &doc, NULL) == 0) {
                show_event(bx_doc_root(doc), &out);
                bx_doc_free(doc);
            }
        }
    }
    bx_buf_deinit(&lines);
    bx_session_unref(s);
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}

int bx_cmd_session_export(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_session *s = NULL;
    struct bx_buf lines = BX_BUF_INIT((size_t)1 << 30), out = BX_BUF_INIT((size_t)1 << 30);
    if (read_events(args, &c, &s, &lines, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    const struct bx_session_header *h = bx_session_header(s);
    char when[25];
    bx_time_format(h->created_at_ms, when);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kobj(&w, "header");
    bx_jw_kint(&w, "v", 1);
    bx_jw_kstr(&w, "id", h->id);
    bx_jw_kstr(&w, "created_at", when);
    bx_jw_kstr(&w, "title", h->title);
    bx_jw_kstr(&w, "model", h->model);
    bx_jw_kstr(&w, "mode", h->mode);
    bx_jw_kstr(&w, "kind", h->kind);
    bx_jw_end(&w);
    bx_jw_karr(&w, "events");
    struct bx_str rest = bx_buf_str(&lines), line;
    while (bx_str_split(&rest, '\n', &line)) {
        if (line.n) {
            bx_jw_raw(&w, line);
        }
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    bx_buf_addc(&out, '\n');
    bx_buf_deinit(&lines);
    bx_session_unref(s);
    bx_cli_context_close(&c);
    const char *file = bx_args_get(args, "out");
    if (!file) {
        return bx_cli_print(&out);
    }
    int r = bx_file_write_atomic(file, bx_buf_str(&out), 0600, &err);
    bx_buf_deinit(&out);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_session_rm(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (bx_cli_store_open(args, BX_STORE_OWNER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = bx_store_trash(c.store, args->operands.p[0], &err);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}
