#include "store/fork.h"

#include "base/clock.h"
#include "store/session_impl.h"
#include "store/writer.h"

#define NOT_COPIED                                                                                 \
    "Not known here: the conversation was copied from before this call had ended. Whether it had " \
    "an effect is not known; look before you do it again."

/* What is open at the end of what was copied. */
struct copy {
    struct bx_session_writer w;
    char run[37];          /* run_start without run_end */
    struct bx_map *calls;  /* id -> tool, both texts: assistant's calls without a result */
    struct bx_map *queued; /* id: messages that wait for the next turn */
};

static void copy_deinit(struct copy *c) {
    bx_session_writer_deinit(&c->w);
    bx_map_free(c->calls);
    bx_map_free(c->queued);
}

static void note_calls(struct copy *c, const struct bx_val *event) {
    bx_val_foreach_item (bx_val_get(event, "calls"), call) {
        struct bx_str id = bx_val_get_str(call, "id");
        if (id.n)
            bx_map_put(c->calls, id, bx_str_dup(bx_val_get_str(call, "tool")));
    }
}

static void note(struct copy *c, struct bx_str type, const struct bx_val *event) {
    if (bx_str_eqz(type, "run_start")) {
        snprintf(c->run, sizeof c->run, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "run")));
    } else if (bx_str_eqz(type, "run_end")) {
        c->run[0] = '\0';
        bx_map_free(c->calls);
        c->calls = bx_map_new(bx_free);
    } else if (bx_str_eqz(type, "assistant")) {
        note_calls(c, event);
    } else if (bx_str_eqz(type, "tool_result")) {
        bx_map_remove(c->calls, bx_val_get_str(event, "call"));
    } else if (bx_str_eqz(type, "queued") && bx_val_get_str(event, "id").n) {
        bx_map_put(c->queued, bx_val_get_str(event, "id"), bx_strdup(""));
    } else if (bx_str_eqz(type, "unqueue")) {
        bx_map_remove(c->queued, bx_val_get_str(event, "id"));
    } else if (bx_str_eqz(type, "user")) {
        bx_map_remove(c->queued, bx_val_get_str(event, "queued"));
    }
}

static void copy_event(struct copy *c, struct bx_str line, uint64_t up_to) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = BX_EVENT_MAX_BYTES};
    if (bx_doc_parse(line, &limits, &doc, NULL) < 0)
        return;
    const struct bx_val *event = bx_doc_root(doc);
    uint64_t seq = (uint64_t)bx_val_get_int(event, "seq", 0);
    struct bx_str type = bx_val_get_str(event, "type");
    if (!seq || seq > up_to || bx_str_eqz(type, "pin"))
        return; /* the next event fills the gap */
    note(c, type, event);
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

static void add_event(struct copy *c, const char *type, struct bx_buf *body, struct bx_jw *w) {
    bx_jw_end(w);
    bx_session_writer_event(&c->w, type, bx_wall_ms(), bx_buf_str(body));
    bx_buf_reset(body);
}

static void close_calls(struct copy *c, struct bx_buf *body) {
    struct bx_str id;
    void *tool;
    for (size_t at = 0; bx_map_next(c->calls, &at, &id, &tool);) {
        struct bx_jw w;
        bx_jw_init(&w, body);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "run", c->run);
        bx_jw_kuint(&w, "turn", 0);
        bx_jw_kstrn(&w, "call", id);
        bx_jw_kstr(&w, "tool", tool);
        bx_jw_kstr(&w, "content", NOT_COPIED);
        bx_jw_kbool(&w, "is_error", true);
        bx_jw_kstr(&w, "limit", NULL);
        bx_jw_kstr(&w, "receipt", NULL);
        bx_jw_kuint(&w, "ms", 0);
        add_event(c, "tool_result", body, &w);
    }
}

static void close_open(struct copy *c, struct bx_buf *body) {
    struct bx_jw w;
    struct bx_str id;
    void *unused;
    for (size_t at = 0; bx_map_next(c->queued, &at, &id, &unused);) {
        bx_jw_init(&w, body);
        bx_jw_obj(&w);
        bx_jw_kstrn(&w, "id", id);
        add_event(c, "unqueue", body, &w);
    }
    if (!c->run[0])
        return;
    close_calls(c, body);
    bx_jw_init(&w, body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "run", c->run);
    bx_jw_kstr(&w, "reason", "interrupted");
    bx_jw_kuint(&w, "turns", 0);
    bx_jw_kuint(&w, "ms", 0);
    add_event(c, "run_end", body, &w);
}

static void add_title(struct copy *c, const char *title, struct bx_buf *body) {
    struct bx_jw w;
    if (!*title)
        return;
    bx_auto(bx_freep) char *text = bx_asprintf("%s (copy)", title);
    bx_jw_init(&w, body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "title", text);
    add_event(c, "title", body, &w);
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
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_MIB);
    bx_auto(copy_deinit) struct copy c = {.calls = bx_map_new(bx_free),
                                          .queued = bx_map_new(bx_free)};
    bx_session_writer_begin(&c.w, store, &made);
    int rc = c.w.rc ? c.w.rc : copy_events(&c, from, up_to, err);
    if (rc < 0 && !c.w.rc)
        return rc;
    close_open(&c, &body);
    add_title(&c, title, &body);
    return bx_session_writer_commit(&c.w, ret, err);
}
