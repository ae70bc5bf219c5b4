#include "store/fork.h"

#include "base/clock.h"
#include "store/ends.h"
#include "store/session_impl.h"

#define NOT_COPIED                                                                                 \
    "Not known here: the conversation was copied from before this call had ended. Whether it had " \
    "an effect is not known; look before you do it again."

struct copy {
    struct bx_session_writer w;
    struct bx_ends ends;
};

static void copy_deinit(struct copy *c) {
    bx_session_writer_deinit(&c->w);
    bx_ends_deinit(&c->ends);
}

/* What was allowed for a session is allowed for that one only: an answer without its rule. */
static void copy_answer(struct copy *c, uint64_t seq, const struct bx_val *event) {
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(BX_EVENT_MAX_BYTES);
    struct bx_jw w;
    bx_jw_init(&w, &line);
    bx_jw_obj(&w);
    bx_val_foreach_member (event, key, value) {
        if (!bx_str_eqz(key, "rule")) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, value);
        }
    }
    bx_jw_end(&w);
    bx_session_writer_line(&c->w, seq, bx_buf_str(&line));
}

/* Left out: the next event fills the gap. */
static bool stays_behind(struct bx_str type) {
    return bx_str_eqz(type, "pin") || bx_str_eqz(type, "grant") || bx_str_eqz(type, "revoke");
}

static void copy_event(struct copy *c, struct bx_str line, uint64_t up_to) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = BX_EVENT_MAX_BYTES};
    if (bx_doc_parse(line, &limits, &doc, NULL) < 0)
        return;
    const struct bx_val *event = bx_doc_root(doc);
    uint64_t seq = (uint64_t)bx_val_get_int(event, "seq", 0);
    struct bx_str type = bx_val_get_str(event, "type");
    if (!seq || seq > up_to || stays_behind(type))
        return;
    bx_ends_note(&c->ends, type, event);
    if (bx_str_eqz(type, "answer") && bx_val_get(event, "rule"))
        copy_answer(c, seq, event);
    else
        bx_session_writer_line(&c->w, seq, line);
}

static int copy_events(struct copy *c, struct bx_session *from, uint64_t up_to,
                       struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(2 * BX_EVENT_MAX_BYTES);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n = 0;
    while (cursor.next_seq <= up_to &&
           (n = bx_session_read(from, &cursor, 256 * BX_KIB, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            if (line.n)
                copy_event(c, line, up_to);
        }
        bx_buf_reset(&lines);
    }
    return n < 0 ? n : 0;
}

static void add_title(struct copy *c, const char *title) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    if (!*title)
        return;
    bx_auto(bx_freep) char *text = bx_asprintf("%s (copy)", title);
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "title", text);
    bx_jw_end(&w);
    bx_session_writer_event(&c->w, "title", bx_wall_ms(), bx_buf_str(&body));
}

int bx_session_fork(struct bx_store *store, struct bx_session *from, uint64_t up_to,
                    struct bx_session **ret, struct bx_err *err) {
    uint64_t last = bx_session_last_seq(from);
    if (up_to > last)
        return bx_fail(err, BX_ERR_INVALID,
                       "there is no event %" PRIu64 ": the last one is %" PRIu64, up_to, last);
    up_to = up_to ? up_to : last;
    const struct bx_session_header *h = bx_session_header(from);
    bx_auto(bx_freep) char *title = bx_session_title(from);
    struct bx_session_header made = {
        .title = h->title, .model = h->model, .mode = h->mode, .root = h->root, .kind = "chat"};
    memcpy(made.forked_from.session, h->id, sizeof made.forked_from.session);
    made.forked_from.seq = up_to;
    bx_auto(copy_deinit) struct copy c = {.w = {.fd = -1}};
    bx_ends_init(&c.ends);
    bx_session_writer_begin(&c.w, store, &made);
    int rc = c.w.rc ? c.w.rc : copy_events(&c, from, up_to, err);
    if (rc < 0 && !c.w.rc)
        return rc;
    bx_ends_close(&c.ends, &c.w, NOT_COPIED, "interrupted");
    add_title(&c, title);
    return bx_session_writer_commit(&c.w, ret, err);
}
