#include "agent/executor.h"

#include "base/log.h"

/* settings.json as it was last read and found good. It is looked at again before each call and each
 * request of a guest, so a change by hand counts from then on; a wrong one is said, and what was
 * there before stays in force. */

struct bx_settings {
    int refs; /* atomic */
    uint64_t stamp;
    struct bx_doc *doc;
};

struct bx_settings *bx_settings_ref(struct bx_settings *s) {
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void bx_settings_unref(struct bx_settings *s) {
    if (s && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        bx_doc_free(s->doc);
        bx_free(s);
    }
}

const struct bx_val *bx_settings_root(const struct bx_settings *s) {
    return bx_doc_root(s->doc);
}

/* Limits and rules, as those who use them read them. */
static int check(struct bx_agent *a, const struct bx_val *root, struct bx_err *err) {
    struct bx_rule *rules = NULL;
    size_t count = 0;
    int rc = bx_rules_parse(bx_val_get(root, "rules"), &rules, &count, err);
    if (rc)
        return bx_wrap(err, rc, "the rules in settings.json");
    for (size_t i = 0; i < count && !rc; i++)
        rc = bx_rule_check_limits(a, &rules[i], err);
    bx_rules_free(rules, count);
    int64_t caps[BX_BUDGET_COUNT];
    if (!rc && (rc = bx_budget_read(bx_val_get(root, "budgets"), caps, err)))
        bx_wrap(err, rc, "\"budgets\" in settings.json");
    const struct bx_val *at = bx_val_get(root, "compact_at");
    if (at && (!bx_val_is(at, BX_VAL_INT) || !bx_compact_at_ok(bx_val_int(at, 0))))
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: \"compact_at\" is a percentage of the window: 10 to 95, or 0 for "
                       "never");
    struct bx_executor_settings executors;
    if (!rc)
        rc = bx_executor_settings_read(root, &executors, err);
    return rc ? rc : bx_registry_reload(a->registry, root, err);
}

static int load(struct bx_agent *a, uint64_t stamp, struct bx_settings **ret, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = a->store ? bx_settings_load(a->store, &doc, err)
                      : bx_doc_parse(BX_STR_LIT("{}"), NULL, &doc, err);
    if (!rc && a->store)
        rc = check(a, bx_doc_root(doc), err);
    if (rc)
        return rc;
    struct bx_settings *s = bx_new(struct bx_settings);
    *s = (struct bx_settings){.refs = 1, .stamp = stamp, .doc = bx_steal(&doc)};
    *ret = s;
    return 0;
}

int bx_agent_settings(struct bx_agent *a, struct bx_settings **ret, struct bx_err *err) {
    struct bx_err why = {0};
    BX_LOCKED(&a->settings_lock);
    uint64_t stamp = a->store ? bx_settings_stamp(a->store) : 0;
    if (!a->settings || (stamp != a->settings->stamp && stamp != a->bad_stamp)) {
        struct bx_settings *fresh = NULL;
        int rc = load(a, stamp, &fresh, &why);
        if (rc && !a->settings)
            return bx_fail(err, rc, "%s", why.msg);
        a->bad_stamp = rc ? stamp : 0;
        snprintf(a->settings_problem, sizeof a->settings_problem, "%s", rc ? why.msg : "");
        if (rc) {
            bx_warn("settings", "%s; what was there before stays in force", why.msg);
        } else {
            bx_settings_unref(a->settings);
            a->settings = fresh;
        }
    }
    *ret = bx_settings_ref(a->settings);
    return 0;
}

void bx_agent_settings_problem(struct bx_agent *a, char ret[static 480]) {
    struct bx_settings *s = NULL;
    if (bx_agent_settings(a, &s, NULL) == 0)
        bx_settings_unref(s);
    BX_LOCKED(&a->settings_lock);
    snprintf(ret, 480, "%s", a->settings_problem);
}
