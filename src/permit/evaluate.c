#include "base/utf8.h"
#include "permit/permit.h"
#include "permit/narrow.h"
#include "permit/rule.h"

static const char *const mode_names[] = {"plan", "default", "accept-edits", "auto", "bypass"};

const char *bx_mode_name(enum bx_mode mode) {
    return mode_names[mode];
}

bool bx_mode_parse(struct bx_str s, enum bx_mode *ret) {
    for (size_t i = 0; i < BX_ARRAY_LEN(mode_names); i++) {
        if (bx_str_eqz(s, mode_names[i])) {
            *ret = (enum bx_mode)i;
            return true;
        }
    }
    return false;
}

static void decide(struct bx_decision *ret, enum bx_verdict verdict, const char *by,
                   const struct bx_rule *rule, const char *fmt, ...) BX_PRINTF(5, 6);

static void decide(struct bx_decision *ret, enum bx_verdict verdict, const char *by,
                   const struct bx_rule *rule, const char *fmt, ...) {
    *ret = (struct bx_decision){.verdict = verdict, .by = by, .rule = rule};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(ret->reason, sizeof ret->reason, fmt, ap);
    va_end(ap);
    ret->reason[bx_utf8_valid_prefix(bx_str(ret->reason))] =
        0; /* a long path may have been cut inside a character */
}

#define RULES_TOGETHER 256

/* The table of modes, one row a mode, columns read_only write execute dangerous. */
enum cell { DENY, ASK, ALLOW, ROOT_ELSE_ASK, ROOT_ELSE_DENY, BOX_ELSE_ASK };
static const unsigned char table[5][4] = {
    [BX_MODE_PLAN] = {ROOT_ELSE_DENY, DENY, DENY, DENY},
    [BX_MODE_DEFAULT] = {ROOT_ELSE_ASK, ASK, ASK, ASK},
    [BX_MODE_ACCEPT_EDITS] = {ALLOW, ROOT_ELSE_ASK, ASK, ASK},
    [BX_MODE_AUTO] = {ALLOW, ROOT_ELSE_ASK, BOX_ELSE_ASK, ASK},
    [BX_MODE_BYPASS] = {ALLOW, ALLOW, ALLOW, ASK},
};

static void by_mode(const struct bx_permit_request *req, enum bx_level level,
                    struct bx_decision *ret) {
    if (level == BX_LEVEL_NONE) {
        decide(ret, BX_ALLOW, "level", NULL, "`%s` touches nothing", req->tool);
        return;
    }
    const char *mode = bx_mode_name(req->mode), *name = bx_level_name(level);
    bool outside = req->paths_outside_root;
    switch ((enum cell)table[req->mode][level - BX_LEVEL_READ_ONLY]) {
    case ALLOW:
        decide(ret, BX_ALLOW, "mode", NULL, "mode %s allows level %s", mode, name);
        return;
    case DENY:
        decide(ret, BX_DENY, "mode", NULL,
               "mode %s does not allow level %s (`%s`): change the mode to go on", mode, name,
               req->tool);
        return;
    case ASK:
        decide(ret, BX_ASK, "mode", NULL, "mode %s asks before level %s", mode, name);
        return;
    case ROOT_ELSE_ASK:
        decide(ret, outside ? BX_ASK : BX_ALLOW, outside ? "root" : "mode", NULL,
               outside ? "a path leads outside the root"
                       : "mode %s allows level %s inside the root",
               mode, name);
        return;
    case ROOT_ELSE_DENY:
        decide(ret, outside ? BX_DENY : BX_ALLOW, outside ? "root" : "mode", NULL,
               outside ? "a path leads outside the root: use a path below /"
                       : "mode %s allows level %s inside the root",
               mode, name);
        return;
    case BOX_ELSE_ASK:
        decide(ret, req->in_box && !outside ? BX_ALLOW : BX_ASK, outside ? "root" : "mode", NULL,
               outside ? "a path leads outside the root"
                       : (req->in_box ? "mode %s allows level %s in the sandbox"
                                      : "mode %s asks before level %s outside the sandbox"),
               mode, name);
        return;
    }
}

/* What leaves the box asks, wherever the table allows. */
static void by_network(const struct bx_permit_request *req, struct bx_decision *ret) {
    if (!req->leaves_box || ret->verdict != BX_ALLOW || req->mode == BX_MODE_BYPASS)
        return;
    decide(ret, req->mode == BX_MODE_PLAN ? BX_DENY : BX_ASK, "network", NULL,
           req->mode == BX_MODE_PLAN
               ? "mode %s reaches no host that is not granted (%s): change the "
                 "mode to go on"
               : "mode %s asks before a call leaves the sandbox for %s",
           bx_mode_name(req->mode), req->hosts[0]);
}

static const struct bx_rule *find_rule(const struct bx_permit_request *req,
                                       enum bx_verdict verdict) {
    for (size_t i = 0; i < req->rule_count; i++) {
        if (req->rules[i].verdict == verdict && bx_rule_matches(&req->rules[i], req))
            return &req->rules[i];
    }
    return NULL;
}

/* A rule that denies commands, for a line that could be hiding one: it is asked for, whatever would
 * allow it. */
static const struct bx_rule *find_unsure(const struct bx_permit_request *req) {
    for (size_t i = 0; i < req->rule_count; i++)
        if (req->rules[i].verdict == BX_DENY && bx_rule_cannot_tell(&req->rules[i], req))
            return &req->rules[i];
    return NULL;
}

/* Each command of a line may be allowed by another rule. Those with a count are left out: whose use
 * would it be? */
static const struct bx_rule *find_allow_together(const struct bx_permit_request *req) {
    const char *patterns[RULES_TOGETHER];
    const struct bx_rule *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < req->rule_count && n < BX_ARRAY_LEN(patterns); i++) {
        const struct bx_rule *r = &req->rules[i];
        if (r->verdict != BX_ALLOW || !r->command || r->path || r->host || r->limits ||
            r->calls_left >= 0 || !bx_rule_is_live(r, req->tool, req->digest, req->now_ms))
            continue;
        first = first ? first : r;
        patterns[n++] = r->command;
    }
    return n > 1 && req->command && !req->guarded_path &&
                   bx_rule_command_fits(patterns, n, req->command)
               ? first
               : NULL;
}

static const struct bx_rule *find_allow(const struct bx_permit_request *req) {
    /* The path of a call that leads outside is only a name for messages: no pattern can be held
     * against it. */
    if (req->paths_outside_root || req->leaves_box)
        return NULL;
    for (size_t i = 0; i < req->rule_count; i++) {
        const struct bx_rule *rule = &req->rules[i];
        if (rule->verdict == BX_ALLOW && bx_rule_matches(rule, req) &&
            (!req->guarded_path || bx_rule_names_guarded(rule, req->guarded_path)))
            return rule;
    }
    return find_allow_together(req);
}

/* What rules, guarded paths and the mode say; nobody's presence is considered yet. */
static void judge(const struct bx_permit_request *req, enum bx_level level,
                  struct bx_decision *ret) {
    if (req->level == BX_LEVEL_FORBIDDEN) {
        decide(ret, BX_DENY, "level", NULL, "`%s` is forbidden: nothing can allow it", req->tool);
        return;
    }
    const struct bx_narrow *narrow = bx_narrow_missed(req, level);
    if (narrow) {
        char text[BX_NARROW_TEXT_MAX];
        bx_narrow_describe(narrow, level, text);
        decide(ret, BX_DENY, "narrow", NULL, "`%.100s` %s", req->tool, text);
        return;
    }
    const struct bx_rule *rule = find_rule(req, BX_DENY);
    if (rule) {
        decide(ret, BX_DENY, "rule", rule,
               "the rule %s denies `%s`: change it in the settings to go on", rule->id, req->tool);
        return;
    }
    by_mode(req, level, ret);
    by_network(req, ret);
    if (ret->verdict == BX_DENY)
        return;
    if ((rule = find_unsure(req))) {
        decide(ret, BX_ASK, "rule", rule,
               "the rule %s denies some commands, and which ones this line runs is only known when "
               "it runs%s",
               rule->id, req->in_box ? "; a program among them will not be started" : "");
        return;
    }
    rule = find_rule(req, BX_ASK);
    if (rule) {
        decide(ret, BX_ASK, "rule", rule, "the rule %s asks before `%s`", rule->id, req->tool);
        return;
    }
    rule = find_allow(req);
    if (rule) {
        decide(ret, BX_ALLOW, "rule", rule, "the rule %s allows it", rule->id);
        return;
    }
    if (level != req->level && ret->verdict == BX_ASK)
        decide(ret, BX_ASK, "guarded", NULL, "%s is a file that your own programs run or obey",
               req->guarded_path);
}

void bx_permit_evaluate(const struct bx_permit_request *req, struct bx_decision *ret) {
    enum bx_level level = req->level;
    if (req->guarded_path && level < BX_LEVEL_DANGEROUS)
        level = BX_LEVEL_DANGEROUS;
    judge(req, level, ret);
    if (ret->verdict != BX_ASK)
        return;
    if (req->yes_levels & (1u << level) && !req->leaves_box) {
        decide(ret, BX_ALLOW, "flag", ret->rule, "--yes %s was given", bx_level_name(level));
        return;
    }
    if (!req->headless)
        return;
    struct bx_decision asked = *ret;
    if (req->leaves_box)
        decide(ret, BX_DENY, "headless", asked.rule,
               "nobody is there to ask about %.100s: start with --allow-host %.100s, or put into "
               "settings.json %.200s",
               req->hosts[0], req->hosts[0],
               req->tool_settings ? req->tool_settings : "allowed_outbound_hosts");
    else
        decide(ret, BX_DENY, "headless", asked.rule,
               "nobody is there to ask (%.100s): start with --yes %s, or add a rule", asked.reason,
               bx_level_name(level));
}
