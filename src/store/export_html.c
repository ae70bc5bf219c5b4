/* A session as one page: messages as text, calls folded, images inline. Nothing on it comes from
 * anywhere else, and its own policy (the meta element) says so to the browser. */
#include "base/clock.h"
#include "base/map.h"
#include "store/export.h"
#include "store/export_impl.h"
#include "store/place.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta "
    "name=\"referrer\" content=\"no-referrer\">\n"
    "<style>\n"
    ":root{color-scheme:light "
    "dark;--bg:#fff;--fg:#1c1e21;--dim:#5b6169;--line:#d9dce1;--soft:#f4f5f7;--user:#e8effa;--bad:#"
    "b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e4e6e9;--dim:#9aa1aa;--line:#"
    "34383e;--soft:#1f2226;"
    "--user:#22304a;--bad:#f2938c}}\n"
    "body{margin:0 auto;max-width:48rem;padding:1.5rem 1rem "
    "4rem;background:var(--bg);color:var(--fg);"
    "font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}header "
    "p,footer,.line{color:var(--dim);font-size:.85rem}\n"
    "article{margin:1.2rem "
    "0;white-space:pre-wrap}article.user{background:var(--user);border-radius:.6rem;padding:.7rem "
    ".9rem}\n"
    "pre,code{font:.85em/1.45 "
    "ui-monospace,monospace;background:var(--soft);border-radius:.3rem}code{padding:.1em .3em}\n"
    "pre{padding:.6rem .8rem;margin:.5rem "
    "0;overflow-x:auto;white-space:pre-wrap;max-height:40rem;overflow-y:auto}\n"
    "details{margin:.5rem 0;border:1px solid var(--line);border-radius:.4rem;padding:.3rem .7rem}\n"
    "summary{cursor:pointer;color:var(--dim);font-size:.9rem}summary b{color:var(--fg)}.bad,.bad "
    "b{color:var(--bad)}\n"
    ".h{display:block;margin:.6rem 0 "
    ".2rem}img{max-width:100%;border-radius:.3rem}p.line{margin:.4rem 0}\n"
    "</style>\n<title>";

#define BRIEF_BYTES 120

struct page {
    struct bx_buf *out;
    struct bx_map *calls; /* id -> JSON text of the input: calls whose result has not come yet */
    struct bx_seq_range *rewound;
    size_t rewound_count;
    bool in_rewound;
};

static void add_z(struct page *p, const char *z) {
    bx_buf_addz(p->out, z);
}

/* One dim line. */
static void line(struct page *p, const char *class, struct bx_str what, struct bx_str text) {
    bx_buf_addf(p->out, "<p class=\"line%s\">", class);
    bx_html_text(p->out, what);
    add_z(p, what.n && text.n ? ": " : "");
    bx_html_text(p->out, text);
    add_z(p, "</p>\n");
}

static void fold(struct page *p, const char *summary, struct bx_str markdown) {
    bx_buf_addf(p->out, "<details><summary>%s</summary><article>", summary);
    bx_html_markdown(p->out, markdown);
    add_z(p, "</article></details>\n");
}

/* ---- calls and their results ---- */

static bool is_base64(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/' || c == '='))
            return false;
    }
    return s.n > 0;
}

static void add_image(struct page *p, struct bx_str mime, struct bx_str data) {
    static const char *const known[] = {"image/png", "image/jpeg", "image/gif", "image/webp"};
    for (size_t i = 0; i < BX_ARRAY_LEN(known); i++) {
        if (bx_str_eqz(mime, known[i]) && is_base64(data)) {
            bx_buf_addf(p->out, "<p><img alt=\"image\" src=\"data:%s;base64,", known[i]);
            bx_buf_adds(p->out, data);
            add_z(p, "\"></p>\n");
            return;
        }
    }
    line(p, "", bx_str("an image of another kind"), mime);
}

static void add_content(struct page *p, const struct bx_val *content) {
    if (bx_val_is(content, BX_VAL_STR)) {
        add_z(p, "<pre>");
        bx_html_text(p->out, bx_val_str(content));
        add_z(p, "</pre>");
    }
    bx_val_foreach_item (content, block) {
        if (bx_val_is(bx_val_get(block, "text"), BX_VAL_STR))
            add_content(p, bx_val_get(block, "text"));
        else
            add_image(p, bx_val_get_str(block, "mime"), bx_val_get_str(block, "data"));
    }
}

/* The first words of an input, for the line that is always seen. */
static void add_brief(struct page *p, struct bx_str input) {
    size_t n = BX_MIN(input.n, BRIEF_BYTES);
    while (n && n < input.n && ((unsigned char)input.p[n] & 0xc0) == 0x80)
        n--;
    bx_html_text(p->out, bx_str_slice(input, 0, n));
    add_z(p, n < input.n ? "…" : "");
}

static void begin_call(struct page *p, struct bx_str tool, struct bx_str input, bool bad) {
    bx_buf_addf(p->out, "<details><summary%s><b>", bad ? " class=\"bad\"" : "");
    bx_html_text(p->out, tool);
    add_z(p, "</b> ");
    add_brief(p, input);
    add_z(p, "</summary>");
    if (input.n > BRIEF_BYTES) {
        add_z(p, "<pre>");
        bx_html_text(p->out, input);
        add_z(p, "</pre>");
    }
}

static void add_result(struct page *p, const struct bx_val *event) {
    struct bx_str call = bx_val_get_str(event, "call");
    const char *input = call.n ? bx_map_get(p->calls, call) : NULL;
    begin_call(p, bx_val_get_str(event, "tool"), bx_str(input),
               bx_val_get_bool(event, "is_error", false));
    add_content(p, bx_val_get(event, "content"));
    if (bx_val_get_str(event, "limit").n)
        line(p, " bad", bx_str("limit"), bx_val_get_str(event, "limit"));
    add_z(p, "</details>\n");
    if (input)
        bx_map_remove(p->calls, call);
}

static void keep_calls(struct page *p, const struct bx_val *calls) {
    bx_val_foreach_item (calls, call) {
        struct bx_str id = bx_val_get_str(call, "id");
        struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
        struct bx_jw w;
        bx_jw_init(&w, &text);
        bx_jw_val(&w, bx_val_get(call, "input"));
        if (id.n)
            bx_map_put(p->calls, id, bx_buf_steal(&text));
        else
            bx_buf_deinit(&text);
    }
}

/* ---- events ---- */

static void add_message(struct page *p, const char *class, struct bx_str text) {
    if (!bx_str_trim(text).n)
        return;
    bx_buf_addf(p->out, "<article class=\"%s\">", class);
    bx_html_markdown(p->out, bx_str_trim(text));
    add_z(p, "</article>\n");
}

static void add_event(struct page *p, struct bx_str type, const struct bx_val *e) {
    struct bx_str text = bx_val_get_str(e, "text");
    if (bx_str_eqz(type, "user")) {
        add_message(p, "user", text);
    } else if (bx_str_eqz(type, "assistant")) {
        if (bx_val_get_str(e, "reasoning").n)
            fold(p, "Reasoning", bx_val_get_str(e, "reasoning"));
        add_message(p, "model", text);
        keep_calls(p, bx_val_get(e, "calls"));
    } else if (bx_str_eqz(type, "tool_result")) {
        add_result(p, e);
    } else if (bx_str_eqz(type, "question")) {
        line(p, "", bx_str("Question"), text);
        if (bx_val_get_str(e, "plan").n)
            fold(p, "Plan", bx_val_get_str(e, "plan"));
    } else if (bx_str_eqz(type, "answer")) {
        line(p, "", bx_str("Answer"), text.n ? text : bx_val_get_str(e, "choice"));
    } else if (bx_str_eqz(type, "permission") &&
               bx_str_eqz(bx_val_get_str(e, "decision"), "deny")) {
        line(p, " bad", bx_str("Refused"), bx_val_get_str(e, "reason"));
    } else if (bx_str_eqz(type, "error") || bx_str_eqz(type, "limit")) {
        line(p, " bad", bx_str_eqz(type, "error") ? bx_str("Error") : bx_val_get_str(e, "limit"),
             text);
    } else if (bx_str_eqz(type, "compact")) {
        fold(p, "Older messages were summarised for the model", bx_val_get_str(e, "summary"));
    } else if (bx_str_eqz(type, "unqueue") && bx_val_get(e, "why")) {
        line(p, " bad", bx_str("Not sent"), text);
        line(p, " bad", bx_str("because"), bx_val_get_str(e, "why"));
    } else if (bx_str_eqz(type, "note")) {
        add_message(p, "model", text);
    } else if (bx_str_eqz(type, "executor")) {
        line(p, "", bx_val_get_str(e, "agent"), bx_val_get_str(e, "state"));
    } else if (bx_str_eqz(type, "run_end") && !bx_str_eqz(bx_val_get_str(e, "reason"), "done")) {
        line(p, "", bx_str("The run ended"), bx_val_get_str(e, "reason"));
    }
}

static void on_line(void *user, struct bx_str json) {
    struct page *p = user;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(json, NULL, &doc, NULL) < 0)
        return;
    const struct bx_val *e = bx_doc_root(doc);
    bool rewound = bx_seq_in(p->rewound, p->rewound_count, (uint64_t)bx_val_get_int(e, "seq", 0));
    if (rewound != p->in_rewound)
        add_z(p, rewound
                     ? "<details><summary>What stood here was replaced by what follows</summary>\n"
                     : "</details>\n");
    p->in_rewound = rewound;
    add_event(p, bx_val_get_str(e, "type"), e);
}

static void add_top(struct bx_buf *out, struct bx_session *s, const char *title,
                    const char *model) {
    char when[25];
    bx_time_format(bx_session_header(s)->created_at_ms, when);
    struct bx_str name = bx_str(*title ? title : "A conversation");
    bx_buf_addz(out, head);
    bx_html_text(out, name);
    bx_buf_addz(out, "</title></head><body>\n<header><h1>");
    bx_html_text(out, name);
    bx_buf_addf(out, "</h1><p>%.10s, %.5s UTC", when, when + 11);
    bx_buf_addz(out, *model ? " · " : "");
    bx_html_text(out, bx_str(model));
    bx_buf_addz(out, "</p></header>\n<main>\n");
}

/* A title or a model's name without secrets. */
static int clean(struct bx_store *store, char *take_text, char **ret, struct bx_err *err) {
    bx_auto(bx_redact_deinit) struct bx_redact redact = {.secrets = {0}};
    bx_auto(bx_freep) char *text = take_text;
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    int rc = bx_redact_load(store, &redact, err);
    if (rc < 0)
        return rc;
    bx_redact_add(&redact, bx_str(text), &out);
    bx_buf_addz(&out, "");
    *ret = bx_buf_steal(&out);
    return 0;
}

static void page_deinit(struct page *p) {
    bx_map_free(p->calls);
    bx_free(p->rewound);
}

static int add_session(struct bx_store *store, struct bx_session *s, struct bx_buf *out,
                       struct bx_err *err) {
    bx_auto(page_deinit) struct page p = {.out = out, .calls = bx_map_new(bx_free)};
    p.rewound_count = bx_session_rewound(s, &p.rewound);
    int rc = bx_export_each(store, s, on_line, &p, err);
    add_z(&p, p.in_rewound ? "</details>\n" : "");
    return rc;
}

/* One behind the other, folded: who worked, at what, and its conversation. */
static int add_executors(struct bx_store *store, struct bx_session *s, struct bx_buf *out,
                         struct bx_err *err) {
    bx_auto(bx_family_deinit) struct bx_family family = {.ids = {0}};
    int rc = bx_store_family(store, bx_session_header(s)->id, &family, err);
    if (rc == 0 && family.ids.n > 1)
        bx_buf_addz(out, "<h2>Executors</h2>\n");
    for (size_t i = 1; i < family.ids.n && rc == 0; i++) {
        bx_auto(bx_session_unrefp) struct bx_session *one = NULL;
        bx_auto(bx_freep) char *title = NULL;
        if (bx_session_open(store, family.ids.p[i], &one, NULL) < 0) {
            bx_buf_addz(out, "<p class=\"line bad\">One that cannot be read</p>\n");
            continue;
        }
        if ((rc = clean(store, bx_session_title(one), &title, err)) < 0)
            break;
        bx_buf_addz(out, "<details class=\"executor\"><summary><b>");
        bx_html_text(out, bx_str(bx_session_header(one)->agent));
        bx_buf_addz(out, "</b> ");
        bx_html_text(out, bx_str(title));
        bx_buf_addz(out, "</summary>\n");
        rc = add_session(store, one, out, err);
        bx_buf_addz(out, "</details>\n");
    }
    return rc;
}

int bx_session_export_html(struct bx_store *store, struct bx_session *s, bool executors,
                           struct bx_buf *out, struct bx_err *err) {
    bx_auto(bx_freep) char *title = NULL;
    bx_auto(bx_freep) char *model = bx_session_model(s);
    int rc = clean(store, bx_session_title(s), &title, err);
    if (rc < 0)
        return rc;
    add_top(out, s, title, model);
    rc = add_session(store, s, out, err);
    if (rc == 0 && executors)
        rc = add_executors(store, s, out, err);
    if (rc < 0)
        return rc;
    bx_buf_addz(out, "</main>\n<footer>Written by BoxAgnts.</footer>\n</body></html>\n");
    return bx_buf_failed(out) ? bx_fail(err, BX_ERR_LIMIT,
                                        "the session is too large for one page here: leave its "
                                        "executors out (executors=0), or use `boxagnts session "
                                        "export`, which writes larger ones")
                              : 0;
}
