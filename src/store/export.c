#include "store/export.h"

#include "base/clock.h"
#include "store/export_impl.h"
#include "store/place.h"

#define READ_BYTES (256 * BX_KIB)

int bx_export_each(struct bx_store *store, struct bx_session *s, bx_export_line_fn *fn, void *user,
                   struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(66 * BX_MIB),
                                         clean = BX_BUF_INIT(66 * BX_MIB);
    bx_auto(bx_redact_deinit) struct bx_redact redact = {.secrets = {0}};
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    uint64_t last = bx_session_last_seq(s); /* of a session that works: what there is now */
    int n = bx_redact_load(store, &redact, err);
    while (n >= 0 && cursor.next_seq <= last &&
           (n = bx_session_read(s, &cursor, READ_BYTES, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_buf_reset(&clean);
            bx_redact_add(&redact, line, &clean);
            if (line.n)
                fn(user, bx_buf_str(&clean));
        }
        bx_buf_reset(&lines);
    }
    return n < 0 ? n : 0;
}

static void header_members(struct bx_session *s, struct bx_jw *w) {
    const struct bx_session_header *h = bx_session_header(s);
    char when[25];
    bx_time_format(h->created_at_ms, when);
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", h->id);
    bx_jw_kstr(w, "created_at", when);
    bx_jw_kstr(w, "title", h->title);
    bx_jw_kstr(w, "model", h->model);
    bx_jw_kstr(w, "mode", h->mode);
    bx_jw_kstr(w, "kind", h->kind);
    if (h->agent[0])
        bx_jw_kstr(w, "agent", h->agent);
    bx_session_write_origin(w, &h->parent, &h->forked_from);
    bx_jw_end(w);
}

static int write_header(struct bx_store *store, struct bx_session *s, struct bx_jw *w,
                        struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * BX_MIB),
                                         clean = BX_BUF_INIT(2 * BX_MIB);
    bx_auto(bx_redact_deinit) struct bx_redact redact = {.secrets = {0}};
    struct bx_jw header;
    int rc = bx_redact_load(store, &redact, err);
    if (rc < 0)
        return rc;
    bx_jw_init(&header, &text);
    header_members(s, &header);
    bx_redact_add(&redact, bx_buf_str(&text), &clean);
    bx_jw_kraw(w, "header", bx_buf_str(&clean));
    return 0;
}

static void add_item(void *user, struct bx_str line) {
    bx_jw_raw(user, line);
}

/* Members of the object that is open. */
static int write_session(struct bx_store *store, struct bx_session *s, struct bx_jw *w,
                         struct bx_err *err) {
    int rc = write_header(store, s, w, err);
    if (rc < 0)
        return rc;
    bx_jw_karr(w, "events");
    rc = bx_export_each(store, s, add_item, w, err);
    bx_jw_end(w);
    return rc;
}

static int write_executors(struct bx_store *store, struct bx_session *s, struct bx_jw *w,
                           struct bx_err *err) {
    bx_auto(bx_family_deinit) struct bx_family family = {.ids = {0}};
    uint64_t unreadable = 0;
    int rc = bx_store_family(store, bx_session_header(s)->id, &family, err);
    if (rc < 0 || family.ids.n < 2)
        return rc;
    bx_jw_karr(w, "executors");
    for (size_t i = 1; i < family.ids.n && rc == 0; i++) {
        bx_auto(bx_session_unrefp) struct bx_session *one = NULL;
        if (bx_session_open(store, family.ids.p[i], &one, NULL) < 0) {
            unreadable++;
            continue;
        }
        bx_jw_obj(w);
        rc = write_session(store, one, w, err);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    if (unreadable)
        bx_jw_kuint(w, "unreadable_executors", unreadable);
    return rc;
}

int bx_session_export_json(struct bx_store *store, struct bx_session *s, bool executors,
                           struct bx_buf *out, struct bx_err *err) {
    char now[25];
    struct bx_jw w;
    bx_time_format(bx_wall_ms(), now);
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "format", BX_EXPORT_FORMAT);
    bx_jw_kint(&w, "v", 1);
    bx_jw_kstr(&w, "about",
               "A conversation of BoxAgnts: its header and all its events in their order, as "
               "docs/events.md describes them, and the same of the executors that worked for it. "
               "`boxagnts session import FILE` takes it.");
    bx_jw_kstr(&w, "exported_at", now);
    int rc = write_session(store, s, &w, err);
    if (rc == 0 && executors)
        rc = write_executors(store, s, &w, err);
    if (rc < 0)
        return rc;
    bx_jw_end(&w);
    bx_buf_addc(out, '\n');
    return bx_buf_failed(out) ? bx_fail(err, BX_ERR_LIMIT,
                                        "the session is too large for one document here: leave its "
                                        "executors out (executors=0), or use `boxagnts session "
                                        "export`, which writes larger ones")
                              : 0;
}
