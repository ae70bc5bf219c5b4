#include "store/ends.h"

#include "base/clock.h"
#include "json/write.h"

void bx_ends_init(struct bx_ends *e) {
    *e = (struct bx_ends){.calls = bx_map_new(bx_free), .queued = bx_map_new(bx_free)};
}

void bx_ends_deinit(struct bx_ends *e) {
    bx_map_free(e->calls);
    bx_map_free(e->queued);
}

static void note_calls(struct bx_ends *e, const struct bx_val *event) {
    bx_val_foreach_item (bx_val_get(event, "calls"), call) {
        struct bx_str id = bx_val_get_str(call, "id");
        if (id.n)
            bx_map_put(e->calls, id, bx_str_dup(bx_val_get_str(call, "tool")));
    }
}

void bx_ends_note(struct bx_ends *e, struct bx_str type, const struct bx_val *event) {
    if (bx_str_eqz(type, "run_start")) {
        snprintf(e->run, sizeof e->run, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "run")));
    } else if (bx_str_eqz(type, "run_end")) {
        e->run[0] = '\0';
        bx_map_free(e->calls);
        e->calls = bx_map_new(bx_free);
    } else if (bx_str_eqz(type, "assistant")) {
        note_calls(e, event);
    } else if (bx_str_eqz(type, "tool_result")) {
        bx_map_remove(e->calls, bx_val_get_str(event, "call"));
    } else if (bx_str_eqz(type, "queued") && bx_val_get_str(event, "id").n) {
        bx_map_put(e->queued, bx_val_get_str(event, "id"), bx_strdup(""));
    } else if (bx_str_eqz(type, "unqueue")) {
        bx_map_remove(e->queued, bx_val_get_str(event, "id"));
    } else if (bx_str_eqz(type, "user") || bx_str_eqz(type, "compact")) {
        bx_map_remove(e->queued, bx_val_get_str(event, "queued"));
    }
}

static void add_event(struct bx_session_writer *to, const char *type, struct bx_buf *body,
                      struct bx_jw *w) {
    bx_jw_end(w);
    bx_session_writer_event(to, type, bx_wall_ms(), bx_buf_str(body));
    bx_buf_reset(body);
}

static void close_calls(struct bx_ends *e, struct bx_session_writer *to, const char *text,
                        struct bx_buf *body) {
    struct bx_str id;
    void *tool;
    for (size_t at = 0; bx_map_next(e->calls, &at, &id, &tool);) {
        struct bx_jw w;
        bx_jw_init(&w, body);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "run", e->run);
        bx_jw_kuint(&w, "turn", 0);
        bx_jw_kstrn(&w, "call", id);
        bx_jw_kstr(&w, "tool", tool);
        bx_jw_kstr(&w, "content", text);
        bx_jw_kbool(&w, "is_error", true);
        bx_jw_kstr(&w, "limit", NULL);
        bx_jw_kstr(&w, "receipt", NULL);
        bx_jw_kuint(&w, "ms", 0);
        add_event(to, "tool_result", body, &w);
    }
}

void bx_ends_close(struct bx_ends *e, struct bx_session_writer *to, const char *text,
                   const char *reason) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_buf *body = &out;
    struct bx_jw w;
    struct bx_str id;
    void *unused;
    for (size_t at = 0; bx_map_next(e->queued, &at, &id, &unused);) {
        bx_jw_init(&w, body);
        bx_jw_obj(&w);
        bx_jw_kstrn(&w, "id", id);
        add_event(to, "unqueue", body, &w);
    }
    if (!e->run[0])
        return;
    close_calls(e, to, text, body);
    bx_jw_init(&w, body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "run", e->run);
    bx_jw_kstr(&w, "reason", reason);
    bx_jw_kuint(&w, "turns", 0);
    bx_jw_kuint(&w, "ms", 0);
    add_event(to, "run_end", body, &w);
    e->run[0] = '\0';
    bx_map_free(e->calls);
    e->calls = bx_map_new(bx_free);
}
