/* The routes below /api/v1/sessions that do something with whole sessions. Worker threads. */
#include "api/sessions.h"
#include "base/id.h"
#include "store/fork.h"
#include "store/place.h"
#include "store/usage.h"

#define BULK_MAX 500

static int check_resting(struct bx_api_call *c, const char *id, struct bx_err *err) {
    return bx_agent_is_running(c->api->config->agent, id)
               ? bx_fail(err, BX_ERR_BUSY, "this session is running: stop it first")
               : 0;
}

int bx_route_session_delete(struct bx_api_call *c, struct bx_err *err) {
    char id[37];
    int r = bx_call_session_id(c, id, err);
    if (r == 0)
        r = check_resting(c, id, err);
    if (r == 0)
        r = bx_store_trash(c->api->config->store, id, err);
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}

int bx_route_session_restore(struct bx_api_call *c, struct bx_err *err) {
    char id[37];
    int r = bx_call_session_id(c, id, err);
    if (r == 0)
        r = bx_store_restore(c->api->config->store, id, err);
    return r < 0 ? r : bx_api_reply_row(c, id, 200, err);
}

int bx_route_session_fork(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL, *copy = NULL;
    int64_t seq = bx_val_get_int(c->body, "seq", 0);
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    if (seq < 0 || (seq == 0 && bx_val_get(c->body, "seq")) ||
        (uint64_t)seq > bx_session_last_seq(session))
        return bx_call_fault(c, "seq", err,
                             "\"seq\" must be one of the session's events: 1 to %" PRIu64,
                             bx_session_last_seq(session));
    r = bx_session_fork(c->api->config->store, session, (uint64_t)seq, &copy, err);
    return r < 0 ? r : bx_api_reply_row(c, bx_session_header(copy)->id, 201, err);
}

int bx_route_session_usage(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_call_session(c, &session, err);
    return r < 0 ? r : bx_session_usage(c->api->config->store, session, bx_call_json(c, 200), err);
}

/* ---- several at once ---- */

static int pin(struct bx_api_call *c, const char *id, bool pinned, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_session_open(c->api->config->store, id, &session, err);
    if (r < 0 || bx_session_pinned(session) == pinned)
        return r;
    return bx_session_append(session, "pin",
                             bx_str(pinned ? "{\"pinned\":true}" : "{\"pinned\":false}"),
                             BX_DURABLE, NULL, err);
}

static int do_one(struct bx_api_call *c, struct bx_str what, const char *id, struct bx_err *err) {
    if (bx_str_eqz(what, "restore"))
        return bx_store_restore(c->api->config->store, id, err);
    if (!bx_str_eqz(what, "delete"))
        return pin(c, id, bx_str_eqz(what, "pin"), err);
    int r = check_resting(c, id, err);
    return r < 0 ? r : bx_store_trash(c->api->config->store, id, err);
}

static int check_bulk(struct bx_api_call *c, struct bx_str what, const struct bx_val *ids,
                      struct bx_err *err) {
    if (!bx_str_eqz(what, "delete") && !bx_str_eqz(what, "restore") && !bx_str_eqz(what, "pin") &&
        !bx_str_eqz(what, "unpin"))
        return bx_call_fault(c, "do", err, "\"do\" must be delete, restore, pin or unpin");
    if (bx_val_len(ids) > BULK_MAX)
        return bx_call_fault(c, "ids", err, "at most %d sessions at once", BULK_MAX);
    bx_val_foreach_item (ids, id) {
        if (!bx_val_is(id, BX_VAL_STR))
            return bx_call_fault(c, "ids", err, "\"ids\" must be ids of sessions");
    }
    return 0;
}

int bx_route_sessions_bulk(struct bx_api_call *c, struct bx_err *err) {
    struct bx_str what = bx_val_get_str(c->body, "do");
    const struct bx_val *ids = bx_val_get(c->body, "ids");
    int r = check_bulk(c, what, ids, err);
    if (r < 0)
        return r;
    bx_auto(bx_buf_deinit) struct bx_buf failures = BX_BUF_INIT(BX_MIB);
    struct bx_jw failed, *w = bx_call_json(c, 200);
    bx_jw_init(&failed, &failures);
    bx_jw_arr(&failed);
    bx_jw_obj(w);
    bx_jw_karr(w, "done");
    bx_val_foreach_item (ids, id) {
        struct bx_err why = {0};
        if (do_one(c, what, bx_val_z(id), &why) == 0) {
            bx_jw_str(w, bx_val_str(id));
            continue;
        }
        bx_jw_obj(&failed);
        bx_jw_kstrn(&failed, "id", bx_str_slice(bx_val_str(id), 0, 100));
        bx_jw_kstr(&failed, "detail", why.msg);
        bx_jw_end(&failed);
    }
    bx_jw_end(w);
    bx_jw_end(&failed);
    bx_jw_kraw(w, "failed", bx_buf_str(&failures));
    bx_jw_end(w);
    return 0;
}
