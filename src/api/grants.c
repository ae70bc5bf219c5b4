/* Grants, and the limits of one tool. Worker threads. */
#include "api/call.h"
#include "base/id.h"
#include "base/thread.h"

/* "session" of the body or the query: an id, or NULL. */
static int session_of(struct bx_api_call *c, const char *text, const char **ret,
                      struct bx_err *err) {
    *ret = text && *text ? text : NULL;
    return *ret && !bx_id_is_valid(bx_str(*ret))
               ? bx_call_fault(c, "session", err, "\"session\" must be the id of a session")
               : 0;
}

static int session_of_query(struct bx_api_call *c, struct bx_buf *text, const char **ret,
                            struct bx_err *err) {
    bx_http_query(c->req, "session", text);
    return session_of(c, bx_buf_z(text), ret, err);
}

static void list(struct bx_api_call *c, const char *session, struct bx_err *err, int *ret) {
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "grants");
    *ret = bx_agent_list_grants(c->api->config->agent, session, w, err);
    if (*ret == 0) {
        bx_jw_end(w);
        bx_jw_end(w);
    }
}

int bx_route_grants(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    const char *session;
    int r = session_of_query(c, &text, &session, err);
    if (r == 0)
        list(c, session, err, &r);
    return r;
}

int bx_route_grant_add(struct bx_api_call *c, struct bx_err *err) {
    char id[37];
    const char *session;
    int r = session_of(c, bx_val_get_z(c->body, "session"), &session, err);
    if (r == 0)
        r = bx_agent_add_grant(c->api->config->agent, c->body, session, id, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 201);
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", id);
    bx_jw_end(w);
    return 0;
}

int bx_route_permit_test(struct bx_api_call *c, struct bx_err *err) {
    const char *id;
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    struct bx_trial trial = {.tool = bx_val_get_z(c->body, "tool"),
                             .mode = bx_val_get_z(c->body, "mode"),
                             .input = bx_val_get(c->body, "input")};
    int r = session_of(c, bx_val_get_z(c->body, "session"), &id, err);
    if (r == 0 && id)
        r = bx_session_open(c->api->config->store, id, &session, err);
    trial.session = session;
    return r < 0 ? r : bx_agent_try_call(c->api->config->agent, &trial, bx_call_json(c, 200), err);
}

int bx_route_grant_remove(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 0));
    const char *session;
    int r = session_of_query(c, &text, &session, err);
    if (r == 0)
        r = bx_agent_remove_grant(c->api->config->agent, id, session, err);
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}

/* ---- the limits of one tool ---- */

struct limits_edit {
    struct bx_registry *registry;
    const char *key;
    const struct bx_val *values; /* an object, or null: the settings say nothing of it any more */
};

static int edit_limits(void *user, const struct bx_val *settings, struct bx_buf *patch,
                       struct bx_err *err) {
    struct limits_edit *e = user;
    const struct bx_val *old = bx_val_get(settings, "limits");
    bool keep = bx_val_len(e->values) > 0, had = false;
    struct bx_jw w;
    (void)err;
    bx_jw_init(&w, patch);
    bx_jw_obj(&w);
    bx_jw_kobj(&w, "limits");
    bx_val_foreach_member (old, name, value) {
        bool it = bx_str_eqz(name, e->key);
        had |= it;
        if (it && !keep)
            continue;
        bx_jw_keys(&w, name);
        bx_jw_val(&w, it ? e->values : value);
    }
    if (keep && !had)
        bx_jw_kval(&w, e->key, e->values);
    bx_jw_end(&w);
    bx_jw_end(&w);
    return 0;
}

int bx_route_tool_limits(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_freep) char *key = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_tool_unrefp) struct bx_tool *tool = bx_registry_find(config->registry, key);
    const struct bx_val *values = bx_val_get(c->body, "limits");
    struct limits_edit edit = {.registry = config->registry, .key = key, .values = values};
    if (!tool && !strchr(key, '*'))
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "there is no tool of this name; * is for all of them, and a name with a "
                       "star for those that it fits");
    int r = bx_val_is(values, BX_VAL_NULL)
                ? 0
                : bx_registry_check_limits(config->registry, key, values, err);
    if (r < 0) {
        snprintf(c->field, sizeof c->field, "limits");
        return r;
    }
    BX_LOCKED(&c->api->settings_mutex);
    r = bx_settings_change(config->store, edit_limits, &edit, err);
    if (r < 0)
        return r;
    char problem[480];
    bx_agent_settings_problem(config->agent, problem); /* and reads them: they count from here */
    return tool ? bx_reply_tool(c, tool, err) : bx_route_settings_get(c, err);
}
