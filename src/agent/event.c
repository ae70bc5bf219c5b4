#include "agent/executor.h"

#include "base/clock.h"

void bx_event_begin(struct bx_event *e, const char *run) {
    e->body = BX_BUF_INIT(BX_EVENT_MAX);
    bx_jw_init(&e->w, &e->body);
    bx_jw_obj(&e->w);
    bx_jw_kstr(&e->w, "run", run);
}

void bx_event_members(struct bx_event *e, struct bx_str object) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!object.n || bx_doc_parse(object, NULL, &doc, NULL))
        return;
    bx_val_foreach_member (bx_doc_root(doc), name, value) {
        bx_jw_keys(&e->w, name);
        bx_jw_val(&e->w, value);
    }
}

void bx_run_log_failed(struct bx_run *run, const char *why) {
    __atomic_store_n(&run->log_failed, true, __ATOMIC_RELEASE);
    bx_executor_on_fault(run, why);
    /* what cannot be recorded must not go on; a watcher hears why, live */
    bx_cancel_fire(run->cancel, why);
    bx_run_state(run, "waiting", bx_str(why));
}

int bx_event_append(struct bx_run *run, struct bx_event *take_e, const char *type,
                    enum bx_durability durability) {
    bx_jw_end(&take_e->w);
    struct bx_err err = {0};
    int rc = bx_buf_failed(&take_e->body)
                 ? bx_fail(&err, BX_ERR_LIMIT, "an event is larger than %d MiB", 64)
                 : 0;
    if (!rc)
        rc = bx_session_append(run->session, type, bx_buf_str(&take_e->body), durability, NULL,
                               &err);
    bx_buf_deinit(&take_e->body);
    if (rc)
        bx_run_log_failed(run, err.msg);
    return rc;
}

void bx_delta_begin(struct bx_event *e, const char *run, const char *type) {
    e->body = BX_BUF_INIT(BX_MIB);
    bx_jw_init(&e->w, &e->body);
    bx_jw_obj(&e->w);
    bx_jw_kstr(&e->w, "type", type);
    bx_jw_kstr(&e->w, "run", run);
}

void bx_event_delta(struct bx_run *run, struct bx_event *take_e) {
    bx_jw_end(&take_e->w);
    if (!bx_buf_failed(&take_e->body))
        bx_session_delta(run->session, bx_buf_str(&take_e->body));
    bx_buf_deinit(&take_e->body);
}

void bx_run_state(struct bx_run *run, const char *phase, struct bx_str text) {
    struct bx_event e;
    bx_delta_begin(&e, run->id, "state");
    bx_jw_kstr(&e.w, "phase", phase);
    bx_jw_kstrn(&e.w, "text", text);
    bx_event_delta(run, &e);
}

static const char *hint_for(const char *where, int code) {
    if (strcmp(where, "context") == 0)
        return "There may be little to leave out yet; it is tried again by itself when the window "
               "fills.";
    switch (code) {
    case BX_ERR_AUTH:
        return "Put the provider's key into its environment variable or into the settings, then "
               "send the message again.";
    case BX_ERR_LIMIT:
        return "This message alone is too long for the model's window: send less of it, attach "
               "files "
               "by their names instead of pasting them, or choose a model with a larger window.";
    case BX_ERR_UNAVAILABLE:
    case BX_ERR_TIMEOUT:
    case BX_ERR_RETRY:
        return "Check that the model's server runs and can be reached, then send the message "
               "again.";
    case BX_ERR_NOTFOUND:
        return "Choose another model.";
    case BX_ERR_IO:
        return "Check the disk that holds the workspace.";
    default:
        return "Send the message again, or choose another model.";
    }
}

void bx_event_error(struct bx_run *run, const char *where, const struct bx_err *err) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "where", where);
    bx_jw_kstr(&e.w, "code", bx_err_name(err->code));
    bx_jw_kstr(&e.w, "text", err->msg);
    bx_jw_kstr(&e.w, "hint", hint_for(where, err->code));
    bx_event_append(run, &e, "error", BX_BATCHED);
    bx_executor_on_fault(run, err->msg);
}

void bx_event_limit(struct bx_run *run, const char *limit, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "limit", limit);
    bx_jw_kstr(&e.w, "text", text);
    bx_event_append(run, &e, "limit", BX_BATCHED);
    if (strcmp(limit, "context"))
        bx_executor_on_fault(run, text);
}

void bx_event_json(struct bx_jw *w, const char *key, const char *text, const char *otherwise) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_depth = BX_JSON_PART_DEPTH};
    bool good = text && bx_doc_parse(bx_str(text), &limits, &doc, NULL) == 0;
    if (good && strchr(text, '\n')) { /* a line is a line */
        bx_jw_key(w, key);
        bx_jw_val(w, bx_doc_root(doc));
    } else {
        bx_jw_kraw(w, key, bx_str(good ? text : otherwise));
    }
}

/* With the handle by which recall finds a result that the model is not told whole. */
static void write_metadata(struct bx_jw *w, const struct bx_call *call) {
    const struct bx_tool_result *r = &call->result;
    bool cut = r->content && strlen(r->content) > call->run->history->result_max_bytes;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!cut && r->metadata)
        bx_event_json(w, "metadata", r->metadata, "null");
    if (!cut)
        return;
    bx_jw_kobj(w, "metadata");
    if (r->metadata && bx_doc_parse(bx_str(r->metadata), NULL, &doc, NULL) == 0) {
        bx_val_foreach_member (bx_doc_root(doc), name, value) {
            if (!bx_str_eqz(name, "handle")) {
                bx_jw_keys(w, name);
                bx_jw_val(w, value);
            }
        }
    }
    bx_jw_kstr(w, "handle", call->id);
    bx_jw_end(w);
}

void bx_event_result(struct bx_jw *w, const struct bx_call *call) {
    const struct bx_tool_result *r = &call->result;
    bx_jw_kuint(w, "turn", call->run->turn);
    bx_jw_kstr(w, "call", call->id);
    bx_jw_kstr(w, "tool", call->tool_name);
    bx_event_json(w, "content", r->content ? r->content : "\"\"",
                  "\"The result could not be kept: it is no JSON, or nested too deeply.\"");
    bx_jw_kbool(w, "is_error", r->is_error);
    write_metadata(w, call);
    bx_jw_kstr(w, "limit", r->limit);
    bx_event_json(w, "receipt", r->receipt, "null");
    if (r->denied)
        bx_event_json(w, "denied", r->denied, "null");
    bx_jw_kuint(w, "ms", r->ms);
}
