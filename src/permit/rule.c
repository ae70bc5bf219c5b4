#include "permit/rule.h"

#include "base/clock.h"
#include "base/unwire.h"
#include "fetch/policy.h"
#include "json/write.h"
#include "base/glob.h"
#include "permit/shell.h"

/* Characters that make more than one command, or another one, out of a shell line. */
#define SHELL_OPERATORS ";|&\n\r()`$<>{}"

static bool any_part_matches(const char *pattern, struct bx_str command) {
    while (command.n) {
        size_t n = 0;
        while (n < command.n && !strchr(SHELL_OPERATORS, command.p[n]))
            n++;
        if (bx_glob_text(pattern, bx_str_trim(bx_str_slice(command, 0, n))))
            return true;
        command = bx_str_slice(command, BX_MIN(n + 1, command.n), command.n);
    }
    return false;
}

static bool part_matches(const char *pattern, const struct bx_shell_part *part) {
    return bx_glob_text(pattern, part->text) || bx_glob_text(pattern, part->plain);
}

/* "git *" must not let "git status; rm -r /" pass, nor "git log > /etc/x": every command must be
 * allowed, and what writes a file must be named in full. */
static bool all_parts_match(const char *const *patterns, size_t count, struct bx_str command) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_shell_parts parts;
    size_t derived;
    if (!bx_shell_split(command, &arena, &parts, &derived))
        return false;
    for (size_t i = 0; i < derived; i++) {
        size_t k = 0;
        while (k < count && !bx_glob_text(patterns[k], parts.p[i].text))
            k++;
        if (parts.p[i].writes || k == count)
            return false;
    }
    return true;
}

static bool some_part_matches(const char *pattern, struct bx_str command) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_shell_parts parts;
    size_t derived;
    bool is_read = bx_shell_split(command, &arena, &parts, &derived);
    for (size_t i = 0; i < parts.n; i++)
        if (part_matches(pattern, &parts.p[i]))
            return true;
    /* What cannot be read is looked at as text: better a match too many */
    return !is_read && any_part_matches(pattern, command);
}

bool bx_rule_command_fits(const char *const *patterns, size_t count, const char *command) {
    struct bx_str whole = bx_str_trim(bx_str(command));
    bool parts = !bx_unwired("shell_parts");
    for (size_t i = 0; i < count; i++)
        if (strcmp(patterns[i], "*") == 0 || bx_str_eqz(whole, patterns[i]) ||
            (!parts && bx_glob_text(patterns[i], whole)))
            return true;
    return parts && all_parts_match(patterns, count, whole);
}

static bool command_matches(const char *pattern, const char *command, bool allows) {
    if (!command)
        return false;
    if (allows)
        return bx_rule_command_fits(&pattern, 1, command);
    struct bx_str whole = bx_str_trim(bx_str(command));
    return bx_glob_text(pattern, whole) || some_part_matches(pattern, whole);
}

static bool paths_match(const char *pattern, const struct bx_permit_request *req, bool all) {
    for (size_t i = 0; i < req->path_count; i++) {
        if (bx_glob_path(pattern, req->paths[i]) != all)
            return !all;
    }
    return all && req->path_count > 0;
}

static bool hosts_match(const struct bx_rule *rule, const struct bx_permit_request *req, bool all) {
    for (size_t i = 0; i < req->host_count; i++) {
        if ((bx_policy_check_entry(rule->hosts, req->hosts[i], NULL) == 0) != all)
            return !all;
    }
    return all && req->host_count > 0;
}

/* What was said of one program does not hold for another that took its name. */
static bool is_meant(const struct bx_rule *rule, const char *digest) {
    return !rule->digest || (digest && strcmp(rule->digest, digest) == 0) ||
           bx_unwired("rule_digest");
}

bool bx_rule_is_live(const struct bx_rule *rule, const char *tool, const char *digest,
                     int64_t now_ms) {
    return !(rule->expires_at_ms && now_ms >= rule->expires_at_ms) && rule->calls_left != 0 &&
           bx_glob_text(rule->tool, bx_str(tool)) && is_meant(rule, digest);
}

bool bx_rule_cannot_tell(const struct bx_rule *rule, const struct bx_permit_request *req) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_shell_parts parts;
    size_t derived;
    if (!rule->command || !req->command || rule->limits || bx_unwired("shell_parts") ||
        !bx_rule_is_live(rule, req->tool, req->digest, req->now_ms))
        return false;
    bool unknown = !bx_shell_split(bx_str(req->command), &arena, &parts, &derived);
    for (size_t i = 0; i < parts.n; i++)
        unknown |= parts.p[i].unknown;
    return unknown;
}

bool bx_rule_matches(const struct bx_rule *rule, const struct bx_permit_request *req) {
    bool allows = rule->verdict == BX_ALLOW;
    if (rule->limits || !bx_rule_is_live(rule, req->tool, req->digest, req->now_ms))
        return false;
    if (rule->path && !paths_match(rule->path, req, allows))
        return false;
    if (rule->host && !hosts_match(rule, req, allows))
        return false;
    return !rule->command || command_matches(rule->command, req->command, allows);
}

bool bx_rule_bars(const struct bx_rule *rule, const struct bx_permit_request *req, bool was_asked) {
    return rule->command && !rule->limits &&
           (rule->verdict == BX_DENY || (rule->verdict == BX_ASK && !was_asked)) &&
           bx_rule_is_live(rule, req->tool, req->digest, req->now_ms) &&
           (!rule->path || paths_match(rule->path, req, false)) &&
           (!rule->host || hosts_match(rule, req, false));
}

/* "Always allow `write`" was said of ordinary files. A guarded one must have been meant: the rule
 * names it, or the part of its pattern before the first star names the hidden folder that it is in.
 */
bool bx_rule_names_guarded(const struct bx_rule *rule, const char *guarded) {
    if (!rule->path)
        return false;
    size_t literal = strcspn(rule->path, "*?");
    if (!rule->path[literal])
        return strcmp(rule->path, guarded) == 0;
    return bx_str_find_str(bx_str_n(rule->path, literal), BX_STR_LIT("/.")) != (size_t)-1;
}

bool bx_rule_grants_path(const struct bx_rule *rule, const char *tool, const char *digest,
                         const char *guarded, int64_t now_ms) {
    return rule->verdict == BX_ALLOW && rule->path && !rule->host && !rule->command &&
           bx_rule_is_live(rule, tool, digest, now_ms) && bx_glob_path(rule->path, guarded) &&
           bx_rule_names_guarded(rule, guarded);
}

static bool take_text(const struct bx_val *obj, const char *name, char **ret, size_t index, int *rc,
                      struct bx_err *err) {
    const struct bx_val *v = bx_val_get(obj, name);
    if (!v || bx_val_is(v, BX_VAL_NULL))
        return true;
    struct bx_str s = bx_val_str(v);
    if (!s.n || memchr(s.p, 0, s.n)) {
        *rc = bx_fail(err, BX_ERR_INVALID, "rule %zu: \"%s\" must be a text that is not empty",
                      index + 1, name);
        return false;
    }
    *ret = bx_str_dup(s);
    return true;
}

static int take_verdict(const struct bx_val *obj, struct bx_rule *rule, size_t index,
                        struct bx_err *err) {
    static const char *const verdicts[] = {"allow", "ask", "deny"}, *const scopes[] = {"once",
                                                                                       "session",
                                                                                       "workspace"};
    struct bx_str verdict = bx_val_get_str(obj, "verdict"), scope = bx_val_get_str(obj, "scope");
    size_t v = 0, s = 0;
    while (v < BX_ARRAY_LEN(verdicts) && !bx_str_eqz(verdict, verdicts[v]))
        v++;
    if (v == BX_ARRAY_LEN(verdicts))
        return bx_fail(err, BX_ERR_INVALID, "rule %zu: \"verdict\" must be allow, ask or deny",
                       index + 1);
    while (scope.p && s < BX_ARRAY_LEN(scopes) && !bx_str_eqz(scope, scopes[s]))
        s++;
    if (s == BX_ARRAY_LEN(scopes))
        return bx_fail(err, BX_ERR_INVALID,
                       "rule %zu: \"scope\" must be once, session or workspace", index + 1);
    rule->verdict = (enum bx_verdict)v;
    rule->scope = scope.p ? (enum bx_scope)s : BX_SCOPE_WORKSPACE;
    return 0;
}

static int take_bounds(const struct bx_val *obj, struct bx_rule *rule, size_t index,
                       struct bx_err *err) {
    const struct bx_val *expires = bx_val_get(obj, "expires_at"),
                        *calls = bx_val_get(obj, "max_calls");
    rule->calls_left = -1;
    if (calls && !bx_val_is(calls, BX_VAL_NULL)) {
        rule->calls_left = bx_val_int(calls, -1);
        if (rule->calls_left < 0)
            return bx_fail(err, BX_ERR_INVALID,
                           "rule %zu: \"max_calls\" must be a whole number, 0 or more", index + 1);
    }
    if (!expires || bx_val_is(expires, BX_VAL_NULL))
        return 0;
    rule->expires_at_ms = bx_val_int(expires, 0);
    if (!bx_time_parse(bx_val_str(expires), &rule->expires_at_ms) && rule->expires_at_ms <= 0)
        return bx_fail(err, BX_ERR_INVALID,
                       "rule %zu: \"expires_at\" must be a time like 2026-11-23T21:31:05Z",
                       index + 1);
    return 0;
}

/* A misspelt "path" would widen an allow rule to every path. */
static int check_names(const struct bx_val *obj, size_t index, struct bx_err *err) {
    static const char *const known[] = {"id",      "tool",       "path",     "host",
                                        "command", "digest",     "limits",   "verdict",
                                        "scope",   "expires_at", "max_calls"};
    bx_val_foreach_member (obj, key, value) {
        size_t i = 0;
        while (i < BX_ARRAY_LEN(known) && !bx_str_eqz(key, known[i]))
            i++;
        if (i == BX_ARRAY_LEN(known))
            return bx_fail(err, BX_ERR_INVALID, "rule %zu: \"%.*s\" is not a member of a rule",
                           index + 1, (int)BX_MIN(key.n, (size_t)60), key.p);
        (void)value;
    }
    return 0;
}

/* "example.com" is any scheme and port of it. */
static int take_host(struct bx_rule *rule, size_t index, struct bx_err *err) {
    if (!rule->host)
        return 0;
    bx_auto(bx_freep) char *any =
        strstr(rule->host, "://") ? NULL : bx_asprintf("*://%s:*", rule->host);
    const char *entry = any ? any : rule->host;
    struct bx_policy_config config = {.allowed_hosts = &entry, .allowed_host_count = 1};
    int rc = bx_policy_new(&config, &rule->hosts, err);
    return rc < 0 ? bx_wrap(err, rc, "rule %zu: \"host\"", index + 1) : 0;
}

static int take_limits(const struct bx_val *obj, struct bx_rule *rule, size_t index,
                       struct bx_err *err) {
    const struct bx_val *limits = bx_val_get(obj, "limits");
    if (!limits || bx_val_is(limits, BX_VAL_NULL))
        return 0;
    if (!bx_val_is(limits, BX_VAL_OBJ) || rule->host || rule->path || rule->command)
        return bx_fail(err, BX_ERR_INVALID,
                       "rule %zu: \"limits\" must be an object, and the rule about nothing else",
                       index + 1);
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, limits);
    rule->limits = bx_buf_steal(&text);
    return 0;
}

static int take_rule(const struct bx_val *obj, size_t index, struct bx_rule *rule,
                     struct bx_err *err) {
    int rc = 0;
    if (!bx_val_is(obj, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "rule %zu must be an object", index + 1);
    rc = check_names(obj, index, err);
    if (rc < 0)
        return rc;
    if (!take_text(obj, "id", &rule->id, index, &rc, err) ||
        !take_text(obj, "tool", &rule->tool, index, &rc, err) ||
        !take_text(obj, "path", &rule->path, index, &rc, err) ||
        !take_text(obj, "host", &rule->host, index, &rc, err) ||
        !take_text(obj, "command", &rule->command, index, &rc, err) ||
        !take_text(obj, "digest", &rule->digest, index, &rc, err))
        return rc;
    if (!rule->tool)
        return bx_fail(err, BX_ERR_INVALID,
                       "rule %zu: \"tool\" is missing (\"*\" means all of them)", index + 1);
    if (rule->path && rule->path[0] != '/' && strncmp(rule->path, "**", 2) != 0)
        return bx_fail(err, BX_ERR_INVALID,
                       "rule %zu: \"path\" must start with / (the root that tools see)", index + 1);
    if (!rule->id)
        rule->id = bx_asprintf("rule-%zu", index + 1);
    if ((rc = take_host(rule, index, err)) < 0 || (rc = take_limits(obj, rule, index, err)) < 0)
        return rc;
    rc = take_verdict(obj, rule, index, err);
    if (rc == 0 && rule->digest && rule->verdict != BX_ALLOW)
        return bx_fail(
            err, BX_ERR_INVALID,
            "rule %zu: \"digest\" goes with the verdict allow only: what is denied stays "
            "denied when the tool changes",
            index + 1);
    return rc < 0 ? rc : take_bounds(obj, rule, index, err);
}

int bx_rules_parse(const struct bx_val *arr, struct bx_rule **ret_rules, size_t *ret_count,
                   struct bx_err *err) {
    if (arr && !bx_val_is(arr, BX_VAL_ARR) && !bx_val_is(arr, BX_VAL_NULL))
        return bx_fail(err, BX_ERR_INVALID, "rules must be a list, they are %s",
                       bx_val_type_name(arr));
    size_t count = bx_val_len(arr), at = 0;
    struct bx_rule *rules = bx_alloc(count * sizeof *rules + 1);
    bx_val_foreach_item (arr, item) {
        int rc = take_rule(item, at, &rules[at], err);
        if (rc < 0) {
            bx_rules_free(rules, count);
            return rc;
        }
        at++;
    }
    *ret_rules = rules;
    *ret_count = count;
    return 0;
}

void bx_rules_free(struct bx_rule *rules, size_t count) {
    for (size_t i = 0; rules && i < count; i++) {
        bx_free(rules[i].id);
        bx_free(rules[i].tool);
        bx_free(rules[i].path);
        bx_free(rules[i].host);
        bx_free(rules[i].command);
        bx_free(rules[i].digest);
        bx_free(rules[i].limits);
        bx_policy_free(rules[i].hosts);
    }
    bx_free(rules);
}
