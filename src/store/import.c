#include "store/import.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/unwire.h"
#include "store/export.h"
#include "store/import_impl.h"
#include "store/place.h"
#include "store/session_impl.h"

#define TYPE_MAX  64
#define TITLE_MAX 400
#define AGENT_MAX 64
#define GAPS_MAX  4096 /* events in a row that a document may lack */
#define ASKS_LESS "a mode that asks less: the session is in `default`"
#define NOT_THERE "No result: the document that this session was imported from does not have one."
#define NO_SESSION                                                                                 \
    "this is no session: an export of BoxAgnts, a .jsonl of its sessions folder or a session "     \
    "file of BoxAgnts in "                                                                         \
    "Rust is expected"

void bx_warnings_deinit(struct bx_warnings *w) {
    for (size_t i = 0; i < w->texts.n; i++)
        bx_free(w->texts.p[i]);
    bx_vec_free(&w->texts);
}

void bx_import_lost(struct bx_import *im, const char *what) {
    uint64_t *n = bx_map_get(im->counts, bx_str(what));
    if (!n) {
        n = bx_new(uint64_t);
        bx_map_put(im->counts, bx_str(what), n);
    }
    ++*n;
}

static void say_what_was_lost(struct bx_import *im) {
    struct bx_str what;
    void *n;
    for (size_t at = 0; bx_map_next(im->counts, &at, &what, &n);) {
        char *text = bx_asprintf("not carried over: " BX_STR_FMT " (%" PRIu64 ")", BX_STR_ARG(what),
                                 *(uint64_t *)n);
        bx_vec_push(&im->warnings->texts, text);
    }
}

/* ---- the header ---- */

static const char *text_or(const struct bx_val *v, const char *key, size_t max,
                           const char *otherwise) {
    struct bx_str s = bx_val_get_str(v, key);
    return s.p && s.n <= max && !memchr(s.p, '\0', s.n) ? s.p : otherwise;
}

int bx_import_begin(struct bx_import *im, const struct bx_val *header, struct bx_err *err) {
    struct bx_session_header h = {.title = text_or(header, "title", TITLE_MAX, ""),
                                  .model = text_or(header, "model", TITLE_MAX, ""),
                                  .mode = "default",
                                  .root = im->root,
                                  .kind = im->is_executor ? "executor" : "chat",
                                  .agent = im->is_executor ? text_or(header, "agent", AGENT_MAX, "")
                                                           : "",
                                  .parent = im->parent};
    if (im->id)
        memcpy(h.id, im->id, sizeof h.id);
    struct bx_str mode = bx_val_get_str(header, "mode");
    if (bx_str_eqz(mode, "plan"))
        h.mode = "plan";
    else if (mode.n && !bx_str_eqz(mode, "default"))
        bx_import_lost(im, ASKS_LESS);
    bx_time_parse(bx_val_get_str(header, "created_at"), &h.created_at_ms);
    if (h.created_at_ms < 0 || h.created_at_ms > bx_wall_ms())
        h.created_at_ms = 0;
    if (!im->is_executor && bx_str_eqz(bx_val_get_str(header, "kind"), "executor"))
        bx_import_lost(im, "that it was an executor's session");
    bx_session_writer_begin(&im->w, im->store, &h);
    im->begun = true;
    if (im->w.rc < 0 && err)
        *err = im->w.err;
    return im->w.rc;
}

/* ---- events of ours ---- */

/* Why an event stays behind; NULL: it comes along. Nothing that gives rights does, and nothing that
 * acts by itself. */
static const char *stays_behind(struct bx_str type, const struct bx_val *event) {
    if (bx_unwired("import_grants"))
        return NULL;
    if (bx_str_eqz(type, "grant") || bx_str_eqz(type, "revoke"))
        return "permissions: they are given anew";
    if (bx_str_eqz(type, "mode") && !bx_str_eqz(bx_val_get_str(event, "mode"), "plan") &&
        !bx_str_eqz(bx_val_get_str(event, "mode"), "default"))
        return ASKS_LESS;
    if (bx_str_eqz(type, "capability"))
        return "what executors were allowed: their sessions can be read, not gone on with";
    if (bx_str_eqz(type, "budget"))
        return "its budget: set it anew";
    if (bx_str_eqz(type, "attach") || bx_str_eqz(type, "detach"))
        return "context packs: attach them anew";
    return NULL;
}

const char *bx_import_id(struct bx_import *im, struct bx_str id) {
    char *here = bx_map_get(im->ids, id);
    if (!here) {
        here = bx_alloc(BX_ID_LEN + 1);
        bx_id_new(here);
        bx_map_put(im->ids, id, here);
    }
    return here;
}

/* The executor that an event names: one of the document, or one that is not here. */
static const char *executor_id(struct bx_import *im, struct bx_str id) {
    char named[BX_ID_LEN + 1] = "";
    bool here = bx_map_get(im->ids, id) != NULL;
    memcpy(named, id.p, BX_ID_LEN);
    for (int place = 0; place < BX_PLACE_COUNT && !here; place++)
        here = bx_store_place_has(im->store, (enum bx_place)place, named);
    return here ? bx_import_id(im, id) : id.p;
}

static void write_members(struct bx_import *im, struct bx_jw *w, struct bx_str type,
                          const struct bx_val *event, bool keeps_rule) {
    bx_val_foreach_member (event, key, value) {
        if (bx_str_eqz(key, "seq") || bx_str_eqz(key, "t") || bx_str_eqz(key, "type") ||
            (bx_str_eqz(key, "rule") && bx_str_eqz(type, "answer") && !keeps_rule))
            continue;
        bx_jw_keys(w, key);
        if (bx_str_eqz(key, "executor") && bx_id_is_valid(bx_val_str(value)))
            bx_jw_z(w, executor_id(im, bx_val_str(value)));
        else
            bx_jw_val(w, value);
    }
}

static void take_event(struct bx_import *im, uint64_t seq, struct bx_str type,
                       const struct bx_val *event) {
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(BX_EVENT_MAX_BYTES);
    int64_t t_ms = 0;
    char t[25];
    struct bx_jw w;
    if (!bx_time_parse(bx_val_get_str(event, "t"), &t_ms) || t_ms < 0 || t_ms > bx_wall_ms())
        t_ms = im->w.header.created_at_ms;
    bx_time_format(t_ms, t);
    if (bx_val_get(event, "rule") && bx_str_eqz(type, "answer"))
        bx_import_lost(im, "permissions: they are given anew");
    bx_jw_init(&w, &line);
    bx_jw_obj(&w);
    bx_jw_kuint(&w, "seq", seq);
    bx_jw_kstr(&w, "t", t);
    bx_jw_kstrn(&w, "type", type);
    write_members(im, &w, type, event, bx_unwired("import_grants"));
    bx_jw_end(&w);
    if (bx_buf_failed(&line)) {
        bx_import_lost(im, "events that are too large");
        return;
    }
    bx_ends_note(&im->ends, type, event);
    bx_session_writer_line(&im->w, seq, bx_buf_str(&line));
}

void bx_import_event(struct bx_import *im, const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    int64_t seq = bx_val_get_int(event, "seq", 0);
    if (!type.n || type.n > TYPE_MAX || seq <= 0 || (uint64_t)seq <= im->w.last_seq ||
        (uint64_t)seq - im->w.last_seq > GAPS_MAX) {
        bx_import_lost(im, "lines that are no events, or not in their order");
        return;
    }
    const char *why = stays_behind(type, event);
    if (why)
        bx_import_lost(im, why); /* the next event fills the gap */
    else
        take_event(im, (uint64_t)seq, type, event);
}

/* ---- the documents ---- */

static int import_export(struct bx_import *im, const struct bx_val *root, struct bx_err *err) {
    if (!bx_val_is(bx_val_get(root, "header"), BX_VAL_OBJ) ||
        !bx_val_is(bx_val_get(root, "events"), BX_VAL_ARR))
        return bx_fail(err, BX_ERR_INVALID,
                       "this export has no \"header\" or no \"events\": it is not whole");
    if (bx_val_get_int(root, "v", 0) != 1)
        return bx_fail(err, BX_ERR_INVALID,
                       "this export is of a later version of BoxAgnts: update this one");
    bx_import_plan_executors(im, root);
    int rc = bx_import_begin(im, bx_val_get(root, "header"), err);
    bx_val_foreach_item (bx_val_get(root, "events"), event) {
        if (rc == 0)
            bx_import_event(im, event);
    }
    return rc;
}

static int import_lines(struct bx_import *im, struct bx_str text, struct bx_err *err) {
    struct bx_str line;
    bool first = true;
    int rc = 0;
    while (rc == 0 && bx_str_split(&text, '\n', &line)) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        if (!bx_str_trim(line).n)
            continue;
        bool good = bx_doc_parse(line, NULL, &doc, NULL) == 0;
        const struct bx_val *v = good ? bx_doc_root(doc) : NULL;
        if (first) {
            if (bx_val_get_int(v, "v", 0) < 1 || !bx_id_is_valid(bx_val_get_str(v, "id")))
                return bx_fail(err, BX_ERR_INVALID, NO_SESSION);
            rc = bx_import_begin(im, v, err);
        } else if (good) {
            bx_import_event(im, v);
        } else {
            bx_import_lost(im, "lines that are damaged");
        }
        first = false;
    }
    return rc < 0 || !first ? rc : bx_fail(err, BX_ERR_INVALID, "the document is empty");
}

static int import_any(struct bx_import *im, struct bx_str text, struct bx_doc **ret_doc,
                      struct bx_err *err) {
    struct bx_json_limits limits = {.max_size_bytes = BX_IMPORT_MAX_BYTES};
    if (text.n > BX_IMPORT_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT, "the document is larger than %zu MiB",
                       (size_t)(BX_IMPORT_MAX_BYTES / BX_MIB));
    const struct bx_val *root =
        bx_doc_parse(text, &limits, ret_doc, NULL) == 0 ? bx_doc_root(*ret_doc) : NULL;
    if (bx_str_eqz(bx_val_get_str(root, "format"), BX_EXPORT_FORMAT))
        return import_export(im, root, err);
    if (bx_val_is(bx_val_get(root, "messages"), BX_VAL_ARR))
        return bx_import_rust(im, root, err);
    return import_lines(im, text, err); /* also one that is a header only */
}

static void import_deinit(struct bx_import *im) {
    if (im->begun)
        bx_session_writer_deinit(&im->w);
    bx_ends_deinit(&im->ends);
    bx_map_free(im->counts);
    bx_map_free(im->ids);
    bx_vec_free(&im->executors);
}

int bx_session_import(struct bx_store *store, struct bx_str text, const char *root,
                      struct bx_session **ret, struct bx_warnings *ret_warnings,
                      struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL; /* executors are views into it */
    bx_auto(import_deinit) struct bx_import im = {.store = store,
                                                  .root = root,
                                                  .warnings = ret_warnings,
                                                  .counts = bx_map_new(bx_free),
                                                  .ids = bx_map_new(bx_free)};
    bx_ends_init(&im.ends);
    *ret_warnings = (struct bx_warnings){.texts = {0}};
    int rc = import_any(&im, text, &doc, err);
    if (rc < 0)
        return rc;
    bx_ends_close(&im.ends, &im.w, NOT_THERE, "interrupted");
    rc = bx_session_writer_commit(&im.w, ret, err);
    if (rc < 0)
        return rc;
    bx_import_executors(&im);
    say_what_was_lost(&im);
    return 0;
}
