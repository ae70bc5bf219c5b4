/* What a session's next request holds, and what people pin, attach and remember. Worker threads. */
#include "api/sessions.h"

int bx_route_session_context(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    return bx_agent_context_report(c->api->config->agent, session, bx_call_json(c, 200), err);
}

int bx_route_session_compact(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    struct bx_run_options options = {.compact = true};
    const char *focus = bx_val_get_z(c->body, "focus");
    struct bx_said said;
    bx_auto(bx_freep) char *typed =
        bx_asprintf("/compact%s%s", focus && *focus ? " " : "", focus ? focus : "");
    options.typed = typed;
    int r = bx_call_session(c, &session, err);
    if (r == 0)
        r = bx_agent_say(c->api->config->agent, session, focus ? focus : "", &options, &said, err);
    if (r == 0)
        bx_call_said(c, &said);
    return r;
}

int bx_route_fact_add(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    char id[37];
    int r = bx_call_session(c, &session, err);
    if (r == 0)
        r = bx_agent_add_fact(c->api->config->agent, session, bx_val_get_str(c->body, "text"),
                              false, id, err);
    if (r == BX_ERR_INVALID || r == BX_ERR_LIMIT) {
        struct bx_err why = *err;
        return bx_call_fault(c, "text", err, "%s", why.msg);
    }
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 201);
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", id);
    bx_jw_end(w);
    return 0;
}

static int done(struct bx_api_call *c, int r) {
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}

int bx_route_fact_drop(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 1));
    int r = bx_call_session(c, &session, err);
    return r < 0 ? r : done(c, bx_agent_drop_fact(c->api->config->agent, session, id, err));
}

int bx_route_pack_attach(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    r = bx_agent_attach_pack(c->api->config->agent, session, bx_val_get_z(c->body, "name"), err);
    if (r == BX_ERR_INVALID || r == BX_ERR_LIMIT || r == BX_ERR_DAMAGED) {
        struct bx_err why = *err;
        return bx_call_fault(c, "name", err, "%s", why.msg);
    }
    return done(c, r);
}

int bx_route_pack_detach(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 1));
    int r = bx_call_session(c, &session, err);
    return r < 0 ? r : done(c, bx_agent_detach_pack(c->api->config->agent, session, name, err));
}

/* ---- of the workspace ---- */

int bx_route_memory_get(struct bx_api_call *c, struct bx_err *err) {
    return bx_agent_memory(c->api->config->agent, bx_call_json(c, 200), err);
}

int bx_route_memory_put(struct bx_api_call *c, struct bx_err *err) {
    int r = bx_agent_set_memory(c->api->config->agent, bx_val_get_str(c->body, "text"),
                                bx_val_get_z(c->body, "digest"), err);
    if (r == BX_ERR_INVALID || r == BX_ERR_LIMIT) {
        struct bx_err why = *err;
        return bx_call_fault(c, "text", err, "%s", why.msg);
    }
    return r < 0 ? r : bx_route_memory_get(c, err);
}

int bx_route_packs(struct bx_api_call *c, struct bx_err *err) {
    (void)err;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "packs");
    bx_agent_list_packs(c->api->config->agent, w);
    bx_jw_end(w);
    bx_jw_end(w);
    return 0;
}

int bx_route_pack_get(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    return bx_agent_get_pack(c->api->config->agent, name, bx_call_json(c, 200), err);
}

int bx_route_pack_put(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    int r = bx_agent_put_pack(c->api->config->agent, name, c->body, err);
    if (r == BX_ERR_INVALID || r == BX_ERR_LIMIT) {
        struct bx_err why = *err;
        return bx_call_fault(c, "items", err, "%s", why.msg);
    }
    return r < 0 ? r : bx_route_pack_get(c, err);
}

int bx_route_pack_remove(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    return done(c, bx_agent_remove_pack(c->api->config->agent, name, err));
}
