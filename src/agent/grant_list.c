#include "agent/internal.h"

#include "base/clock.h"
#include "base/id.h"
#include "permit/rule.h"

/* Grants as people give and take them: rules of the workspace (settings.json) or of a session (its
 * log). */

#define MAX_GRANT_TEXT BX_MIB

static int check_rule(struct bx_agent *a, struct bx_str text, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf list = BX_BUF_INIT(MAX_GRANT_TEXT + 2);
    struct bx_rule *rules = NULL;
    size_t count = 0;
    bx_buf_addc(&list, '[');
    bx_buf_adds(&list, text);
    bx_buf_addc(&list, ']');
    int rc = bx_doc_parse(bx_buf_str(&list), NULL, &doc, err);
    if (!rc)
        rc = bx_rules_parse(bx_doc_root(doc), &rules, &count, err);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = bx_rule_check_limits(a, &rules[i], err);
        if (!rc && rules[i].expires_at_ms && rules[i].expires_at_ms <= bx_wall_ms())
            rc = bx_fail(err, BX_ERR_INVALID, "\"expires_at\" has passed already");
    }
    bx_rules_free(rules, count);
    return rc;
}

/* What is granted to a tool is granted to the one that has this name now. */
static void write_identity(struct bx_agent *a, const char *name, struct bx_jw *w) {
    bx_auto(bx_tool_unrefp) struct bx_tool *tool =
        name ? bx_registry_find(a->registry, name) : NULL;
    if (tool && bx_tool_identity(tool))
        bx_jw_kstr(w, "digest", bx_tool_identity(tool));
}

static struct bx_str verdict_of(const struct bx_val *grant) {
    struct bx_str verdict = bx_val_get_str(grant, "verdict");
    return verdict.n ? verdict : BX_STR_LIT("allow");
}

static void write_rule(struct bx_agent *a, const struct bx_val *grant, const char *id,
                       struct bx_buf *out) {
    static const char *const kept[] = {"tool", "host", "path", "command", "limits", "expires_at"};
    struct bx_str scope = bx_val_get_str(grant, "scope"), verdict = verdict_of(grant);
    bool once = bx_str_eqz(scope, "once");
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", id);
    for (size_t i = 0; i < BX_ARRAY_LEN(kept); i++)
        if (bx_val_get(grant, kept[i]))
            bx_jw_kval(&w, kept[i], bx_val_get(grant, kept[i]));
    if (bx_str_eqz(verdict, "allow"))
        write_identity(a, bx_val_get_z(grant, "tool"), &w);
    if (!bx_val_get(grant, "expires_at") && bx_val_get(grant, "expires_in_s")) {
        char when[25];
        bx_time_format(bx_wall_ms() + bx_val_get_int(grant, "expires_in_s", 0) * 1000, when);
        bx_jw_kstr(&w, "expires_at", when);
    }
    if (once || bx_val_get(grant, "max_calls"))
        bx_jw_kint(&w, "max_calls", once ? 1 : bx_val_get_int(grant, "max_calls", -1));
    bx_jw_kstrn(&w, "verdict", verdict);
    bx_jw_kstrn(&w, "scope", scope.n ? scope : BX_STR_LIT("workspace"));
    bx_jw_end(&w);
}

static int append(struct bx_agent *a, const char *session_id, const char *type, struct bx_str rule,
                  struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(2 * MAX_GRANT_TEXT);
    int rc = bx_session_open(a->store, session_id, &session, err);
    if (rc)
        return rc;
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kraw(&w, "rule", rule);
    bx_jw_end(&w);
    return bx_session_append(session, type, bx_buf_str(&body), BX_DURABLE, NULL, err);
}

int bx_agent_add_grant(struct bx_agent *a, const struct bx_val *grant, const char *session_id,
                       char ret_id[static 37], struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf rule = BX_BUF_INIT(MAX_GRANT_TEXT);
    struct bx_str scope = bx_val_get_str(grant, "scope");
    const struct bx_val *seconds = bx_val_get(grant, "expires_in_s"),
                        *calls = bx_val_get(grant, "max_calls");
    if (bx_val_get(grant, "limits") && !bx_str_eqz(verdict_of(grant), "allow"))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"limits\" are granted: they go with the verdict allow only");
    if (bx_str_eqz(scope, "session") && !session_id)
        return bx_fail(err, BX_ERR_INVALID, "scope session needs \"session\", its id");
    if (bx_str_eqz(scope, "workspace") && session_id)
        return bx_fail(err, BX_ERR_INVALID,
                       "scope workspace is for all sessions: leave out "
                       "\"session\"");
    if ((seconds && (bx_val_int(seconds, 0) < 1 || bx_val_int(seconds, 0) > 315360000)) ||
        (calls && (bx_val_int(calls, 0) < 1 || bx_val_int(calls, 0) > 1000000)))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"expires_in_s\" must be 1 to 315360000 and \"max_calls\" 1 to 1000000");
    bx_id_new(ret_id);
    write_rule(a, grant, ret_id, &rule);
    int rc = check_rule(a, bx_buf_str(&rule), err);
    if (rc)
        return rc;
    return session_id ? append(a, session_id, "grant", bx_buf_str(&rule), err)
                      : bx_agent_keep_rule(a, bx_buf_str(&rule), err);
}

static int read_given(struct bx_agent *a, const char *session_id, struct bx_given *ret,
                      struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int rc = bx_session_open(a->store, session_id, &session, err);
    return rc ? rc : bx_given_read(session, ret, err);
}

int bx_agent_remove_grant(struct bx_agent *a, const char *id, const char *session_id,
                          struct bx_err *err) {
    if (!session_id)
        return bx_agent_drop_rule(a, id, err);
    struct bx_given given = {.changes = 0};
    int rc = read_given(a, session_id, &given, err);
    bool found = false;
    for (size_t i = 0; i < given.rules.n; i++)
        found |= strcmp(given.rules.p[i].id, id) == 0;
    bx_given_deinit(&given);
    if (rc)
        return rc;
    if (!found)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no grant of this id in the session");
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_KIB);
    bx_json_quote(&text, bx_str(id));
    return append(a, session_id, "revoke", bx_buf_str(&text), err);
}

/* ---- the list ---- */

static void write_one(struct bx_jw *w, const struct bx_val *raw, const struct bx_rule *rule,
                      const char *session_id) {
    bool expired = rule->expires_at_ms && bx_wall_ms() >= rule->expires_at_ms;
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", rule->id);
    bx_val_foreach_member (raw, key, value) {
        if (bx_str_eqz(key, "id") || bx_str_eqz(key, "max_calls") || bx_str_eqz(key, "scope"))
            continue;
        bx_jw_keys(w, key);
        bx_jw_val(w, value);
    }
    static const char *const scopes[] = {"once", "session", "workspace"};
    bx_jw_kstr(w, "scope", scopes[rule->scope]);
    bx_jw_kstr(w, "session", session_id);
    bx_jw_key(w, "calls_left");
    if (rule->calls_left < 0)
        bx_jw_null(w);
    else
        bx_jw_int(w, rule->calls_left);
    bx_jw_kstr(w, "state", expired ? "expired" : rule->calls_left == 0 ? "used_up" : "active");
    bx_jw_end(w);
}

static int write_list(const struct bx_val *list, const char *session_id, struct bx_jw *w,
                      struct bx_err *err) {
    struct bx_rule *rules = NULL;
    size_t count = 0, at = 0;
    int rc = bx_rules_parse(list, &rules, &count, err);
    bx_val_foreach_item (list, raw)
        if (!rc)
            write_one(w, raw, &rules[at++], session_id);
    bx_rules_free(rules, count);
    return rc;
}

int bx_agent_list_grants(struct bx_agent *a, const char *session_id, struct bx_jw *w,
                         struct bx_err *err) {
    struct bx_settings *settings = NULL;
    int rc = bx_agent_settings(a, &settings, err);
    if (!rc)
        rc = write_list(bx_val_get(bx_settings_root(settings), "rules"), NULL, w, err);
    bx_settings_unref(settings);
    if (rc || !session_id)
        return rc;
    bx_auto(bx_given_deinit) struct bx_given given = {.changes = 0};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
    struct bx_jw inner;
    if ((rc = read_given(a, session_id, &given, err)))
        return rc;
    bx_jw_init(&inner, &text);
    bx_jw_arr(&inner);
    bx_given_write(&given, &inner);
    bx_jw_end(&inner);
    rc = bx_doc_parse(bx_buf_str(&text), NULL, &doc, err);
    return rc ? rc : write_list(bx_doc_root(doc), session_id, w, err);
}
