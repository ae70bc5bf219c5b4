#include "agent/internal.h"

/* Where rules come from: settings.json ("rules": […]) and the answers "for this session" in the
 * log. */

#define MAX_RULES_TEXT (4 * BX_MIB)

static void add_rules(struct bx_jw *w, const struct bx_val *rules) {
    bx_val_foreach_item (rules, rule)
        bx_jw_val(w, rule);
}

int bx_agent_settings_rules(struct bx_agent *a, const char *session_rules, struct bx_rule **ret,
                            size_t *ret_count, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL, *session = NULL, *all = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(MAX_RULES_TEXT),
                                         list = BX_BUF_INIT(MAX_RULES_TEXT);
    int rc = bx_settings_load(a->store, &settings, err);
    if (rc)
        return rc;
    const struct bx_val *kept = bx_val_get(bx_doc_root(settings), "rules");
    if (!bx_val_len(kept) && !(session_rules && *session_rules)) {
        *ret = NULL;
        *ret_count = 0;
        return 0;
    }
    bx_buf_addf(&list, "[%s]", session_rules ? session_rules : "");
    if ((rc = bx_doc_parse(bx_buf_str(&list), NULL, &session, err)))
        return rc;
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_arr(&w);
    add_rules(&w, kept);
    add_rules(&w, bx_doc_root(session));
    bx_jw_end(&w);
    if ((rc = bx_doc_parse(bx_buf_str(&text), NULL, &all, err)))
        return rc;
    rc = bx_rules_parse(bx_doc_root(all), ret, ret_count, err);
    return rc ? bx_wrap(err, rc, "the rules in settings.json") : 0;
}

int bx_run_load_rules(struct bx_run *run, struct bx_err *err) {
    struct bx_rule *rules = NULL;
    size_t count = 0;
    int rc =
        bx_agent_settings_rules(run->agent, bx_buf_z(&run->history->rules), &rules, &count, err);
    if (rc)
        return rc;
    bx_rules_free(run->rules, run->rule_count);
    run->rules = rules;
    run->rule_count = count;
    return 0;
}

/* A call that names something dangerous (a guarded path, a host, a command) gives a rule for
 * exactly that; any other yes is a yes to the tool, inside the root. */
void bx_rule_of_call(const struct bx_call *call, const char *scope, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "tool", call->tool_name);
    if (call->reach.guarded_path)
        bx_jw_kstr(&w, "path", call->reach.guarded_path);
    if (call->reach.host_count)
        bx_jw_kstr(&w, "host", call->reach.hosts[0]);
    if (call->reach.command)
        bx_jw_kstr(&w, "command", call->reach.command);
    bx_jw_kstr(&w, "verdict", "allow");
    bx_jw_kstr(&w, "scope", scope);
    bx_jw_end(&w);
}

int bx_agent_keep_rule(struct bx_agent *a, struct bx_str rule, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL, *patch = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(MAX_RULES_TEXT);
    int rc = bx_settings_load(a->store, &settings, err);
    if (rc)
        return rc;
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "rules");
    add_rules(&w, bx_val_get(bx_doc_root(settings), "rules"));
    bx_jw_raw(&w, rule);
    bx_jw_end(&w);
    bx_jw_end(&w);
    if ((rc = bx_doc_parse(bx_buf_str(&text), NULL, &patch, err)))
        return rc;
    return bx_settings_patch(a->store, bx_doc_root(patch), err);
}
