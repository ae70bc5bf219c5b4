#include "agent/executor.h"

#include "base/id.h"

/* Where rules come from: settings.json ("rules": […]), and what the session was given (given.h). */

#define MAX_RULES_TEXT (4 * BX_MIB)

static void add_rules(struct bx_jw *w, const struct bx_val *rules) {
    bx_val_foreach_item (rules, rule)
        bx_jw_val(w, rule);
}

/* inherited: of an executor, else NULL. */
static int parse(const struct bx_val *settings, const struct bx_given *given,
                 const struct bx_inherited *inherited, struct bx_rule **ret, size_t *ret_count,
                 struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *all = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(MAX_RULES_TEXT);
    const struct bx_val *kept = bx_val_get(settings, "rules");
    struct bx_jw w;
    *ret = NULL;
    *ret_count = 0;
    if (!bx_val_len(kept) && !(given && given->rules.n) && !inherited)
        return 0;
    bx_jw_init(&w, &text);
    bx_jw_arr(&w);
    add_rules(&w, kept); /* first: a rule without a name is called after its place */
    if (given)
        bx_given_write(given, &w);
    bx_inherited_write(inherited, &w);
    bx_jw_end(&w);
    int rc = bx_doc_parse(bx_buf_str(&text), NULL, &all, err);
    if (!rc && (rc = bx_rules_parse(bx_doc_root(all), ret, ret_count, err)))
        bx_wrap(err, rc, "the rules in settings.json");
    return rc;
}

int bx_agent_settings_rules(struct bx_agent *a, struct bx_rule **ret, size_t *ret_count,
                            struct bx_err *err) {
    struct bx_settings *settings = NULL;
    int rc = bx_agent_settings(a, &settings, err);
    if (!rc)
        rc = parse(bx_settings_root(settings), NULL, NULL, ret, ret_count, err);
    bx_settings_unref(settings);
    return rc;
}

int bx_run_load_rules(struct bx_run *run, struct bx_err *err) {
    struct bx_settings *settings = NULL;
    struct bx_rule *rules = NULL;
    size_t count = 0;
    const struct bx_given *given = run->session ? &run->history->given : NULL;
    uint64_t changes = 0;
    int rc = given ? bx_history_catch_up(run->history, run->session, err) : 0;
    if (!rc)
        rc = bx_agent_settings(run->agent, &settings, err);
    if (rc)
        return rc;
    changes = given ? given->changes : 0;
    struct bx_inherited *above = run->executor ? run->executor->inherited : NULL;
    uint64_t inherited = bx_inherited_catch_up(above);
    if (settings == run->rules_settings && run->rules_given == changes &&
        run->rules_inherited == inherited) {
        bx_settings_unref(settings);
        return 0;
    }
    if ((rc = parse(bx_settings_root(settings), given, above, &rules, &count, err))) {
        bx_settings_unref(settings);
        return rc;
    }
    bx_rules_free(run->rules, run->rule_count);
    bx_settings_unref(run->rules_settings);
    run->rules = rules;
    run->rule_count = count;
    run->rules_settings = settings;
    run->rules_given = changes;
    run->rules_inherited = inherited;
    return 0;
}

/* A call that names something dangerous (a guarded path, a host, a command) gives a rule for
 * exactly that; any other yes is a yes to the tool, inside the root. */
int bx_rule_of_call(const struct bx_call *call, const char *scope, struct bx_buf *out,
                    struct bx_err *err) {
    char id[BX_ID_LEN + 1];
    struct bx_jw w;
    bx_id_new(id);
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", id);
    bx_jw_kstr(&w, "tool", call->tool_name);
    if (bx_tool_identity(
            call->tool)) /* a yes to this program, not to another that takes its name */
        bx_jw_kstr(&w, "digest", bx_tool_identity(call->tool));
    if (call->reach.guarded_path)
        bx_jw_kstr(&w, "path", call->reach.guarded_path);
    if (call->reach.host_count)
        bx_jw_kstr(&w, "host", call->reach.hosts[0]);
    if (call->reach.command)
        bx_jw_kstr(&w, "command", call->reach.command);
    bx_jw_kstr(&w, "verdict", "allow");
    bx_jw_kstr(&w, "scope", scope);
    bx_jw_end(&w);
    return bx_buf_failed(out) ? bx_fail(err, BX_ERR_LIMIT,
                                        "this call is too long to be kept as a rule: it was "
                                        "allowed once")
                              : 0;
}

/* ---- changes of settings.json ---- */

enum change { ADD, REMOVE, USE };
struct edit {
    enum change change;
    struct bx_str rule; /* ADD */
    const char *id;     /* the others */
    bool found;
};

static void write_used(struct bx_jw *w, const struct bx_val *rule, int64_t left) {
    bx_jw_obj(w);
    bx_val_foreach_member (rule, key, value) {
        bx_jw_keys(w, key);
        if (bx_str_eqz(key, "max_calls"))
            bx_jw_int(w, left);
        else
            bx_jw_val(w, value);
    }
    bx_jw_end(w);
}

static int edit_rules(void *user, const struct bx_val *settings, struct bx_buf *patch,
                      struct bx_err *err) {
    struct edit *e = user;
    size_t at = 0;
    struct bx_jw w;
    bx_jw_init(&w, patch);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "rules");
    bx_val_foreach_item (bx_val_get(settings, "rules"), rule) {
        char by_place[32];
        snprintf(by_place, sizeof by_place, "rule-%zu", ++at);
        struct bx_str id = bx_val_get_str(rule, "id");
        bool it = e->id && bx_str_eqz(id.n ? id : bx_str(by_place), e->id);
        int64_t left = bx_val_get_int(rule, "max_calls", -1);
        e->found |= it;
        if (it && e->change == USE && left == 0)
            return bx_fail(err, BX_ERR_DENIED, "the grant is used up");
        if (it && e->change == USE && left > 0)
            write_used(&w, rule, left - 1);
        else if (!it || e->change != REMOVE)
            bx_jw_val(&w, rule);
    }
    if (e->change == ADD)
        bx_jw_raw(&w, e->rule);
    bx_jw_end(&w);
    bx_jw_end(&w);
    return e->change == ADD || e->found
               ? 0
               : bx_fail(err, BX_ERR_NOTFOUND, "there is no grant of this id");
}

int bx_agent_keep_rule(struct bx_agent *a, struct bx_str rule, struct bx_err *err) {
    struct edit e = {.change = ADD, .rule = rule};
    return bx_settings_change(a->store, edit_rules, &e, err);
}

int bx_agent_drop_rule(struct bx_agent *a, const char *id, struct bx_err *err) {
    struct edit e = {.change = REMOVE, .id = id};
    return bx_settings_change(a->store, edit_rules, &e, err);
}

int bx_agent_use_rule(struct bx_agent *a, const char *id, struct bx_err *err) {
    struct edit e = {.change = USE, .id = id};
    return bx_settings_change(a->store, edit_rules, &e, err);
}

int bx_rule_check_limits(struct bx_agent *a, const struct bx_rule *rule, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = rule->limits ? bx_doc_parse(bx_str(rule->limits), NULL, &doc, err) : 0;
    if (!rc && doc)
        rc = bx_registry_check_limits(a->registry, rule->tool, bx_doc_root(doc), err);
    return rc;
}
