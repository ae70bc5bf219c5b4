/* session list, search, show: they only look, so they work beside a running server. What stands in
 * a session is made safe for the terminal. */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/show.h"
#include "store/place.h"
#include "store/search.h"
#include "json/write.h"

static void list_row(const struct bx_session_row *row, const struct bx_search_hit *hit, bool json,
                     struct bx_buf *out) {
    char when[25];
    bx_time_format(row->updated_at_ms, when);
    if (!json) {
        bx_buf_addf(out, "%s  %.16s  %4" PRIu64 "  %s%s", row->id, when, row->events,
                    row->pinned ? "[pinned] " : "", row->damaged ? "[damaged] " : "");
        bx_show_add_safe(out, bx_str(row->title), true);
        for (size_t i = 0; hit && i < hit->n; i++) {
            bx_buf_addf(out, "\n    %" PRIu64 ": ", hit->said[i].seq);
            bx_show_add_safe(out, bx_str(hit->said[i].text), true);
        }
        bx_buf_addc(out, '\n');
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
    bx_jw_kstr(&w, "kind", row->kind);
    bx_jw_kbool(&w, "pinned", row->pinned);
    bx_session_write_origin(&w, &row->parent, &row->forked_from);
    if (hit)
        bx_search_write_said(&w, hit);
    bx_jw_end(&w);
    bx_buf_addc(out, '\n');
}

static int list_place(const struct bx_args *args, struct bx_store *store,
                      struct bx_session_list *ret, struct bx_err *err) {
    const char *in = bx_args_get(args, "in");
    if (!in)
        return bx_store_list(store, &(struct bx_session_filter){.kind = "chat"}, 1000000, ret, err);
    enum bx_place place = strcmp(in, "trash") == 0     ? BX_PLACE_TRASH
                          : strcmp(in, "archive") == 0 ? BX_PLACE_ARCHIVE
                                                       : BX_PLACE_SESSIONS;
    if (place == BX_PLACE_SESSIONS)
        return bx_fail(err, BX_ERR_INVALID, "--in is trash or archive");
    return bx_store_place_list(store, place, INT64_MAX, ret, err);
}

int bx_cmd_session_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (bx_cli_store_open(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(256 * BX_MIB);
    struct bx_session_list list = {0};
    int r = list_place(args, c.store, &list, &err);
    for (size_t i = 0; i < list.n; i++) {
        list_row(&list.rows[i], NULL, bx_args_has(args, "json"), &out);
    }
    bx_session_list_deinit(&list);
    bx_cli_context_close(&c);
    if (r == BX_ERR_INVALID)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

int bx_cmd_session_search(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_session_filter filter = {.kind = "chat", .title = args->operands.p[0]};
    if (!*filter.title) {
        bx_fail(&err, BX_ERR_INVALID, "what is to be found? The text is empty");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    if (bx_cli_store_open(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(256 * BX_MIB);
    struct bx_search found = {.n = 0};
    int r = bx_store_search(c.store, &filter, 1000000, 0, NULL, &found, &err);
    for (size_t i = 0; i < found.n; i++)
        list_row(&found.hits[i].row, &found.hits[i], bx_args_has(args, "json"), &out);
    bx_search_deinit(&found);
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
        bx_show_add_safe(out, text, false);
        bx_buf_addz(out, "\n\n");
    } else if (bx_str_eqz(type, "assistant")) {
        bx_show_add_safe(out, text, false);
        bx_buf_addz(out, text.n ? "\n" : "");
        bx_val_foreach_item (bx_val_get(e, "calls"), call) {
            bx_auto(bx_buf_deinit) struct bx_buf input = BX_BUF_INIT(64 * BX_MIB);
            struct bx_jw w;
            bx_jw_init(&w, &input);
            bx_jw_val(&w, bx_val_get(call, "input"));
            bx_buf_addz(out, "● ");
            bx_show_add_safe(out, bx_val_get_str(call, "tool"), true);
            bx_buf_addc(out, ' ');
            bx_show_add_safe(out, bx_buf_str(&input), true);
            bx_buf_addc(out, '\n');
        }
    } else if (bx_str_eqz(type, "tool_result")) {
        struct bx_str content = bx_val_get_str(e, "content");
        bx_buf_addf(out, "  %s", bx_val_get_bool(e, "is_error", false) ? "error: " : "");
        bx_show_add_safe(
            out, bx_str_slice(content, 0, bx_utf8_cut(content, BX_MIN(content.n, 400))), false);
        bx_buf_addz(out, content.n > 400 ? " …\n" : "\n");
    } else if (bx_str_eqz(type, "error") || bx_str_eqz(type, "limit")) {
        bx_buf_addz(out, "! ");
        bx_show_add_safe(out, text, true);
        bx_buf_addc(out, '\n');
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
        struct bx_seq_range *rewound = NULL;
        size_t count = bx_session_rewound(s, &rewound);
        while (bx_str_split(&rest, '\n', &line)) {
            struct bx_doc *doc = NULL;
            if (line.n && bx_doc_parse(line, NULL, &doc, NULL) == 0) {
                uint64_t seq = (uint64_t)bx_val_get_int(bx_doc_root(doc), "seq", 0);
                if (!bx_seq_in(rewound, count, seq)) /* --json has what was replaced, too */
                    show_event(bx_doc_root(doc), &out);
                bx_doc_free(doc);
            }
        }
        bx_free(rewound);
    }
    bx_buf_deinit(&lines);
    bx_session_unref(s);
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}
