#include "permit/narrow.h"

#include "base/arena.h"
#include "base/glob.h"
#include "base/unwire.h"
#include "base/utf8.h"
#include "fetch/policy.h"
#include "permit/rule.h"

#define PATTERNS_MAX 256 /* of one narrowing that speak of the same tool's commands */

/* "bash(git *)" → "bash" and "git *"; without parentheses `inside` is empty, with a NULL p. */
static void split(struct bx_str pattern, struct bx_str *tool, struct bx_str *inside) {
    size_t open = bx_str_find(pattern, '(');
    *inside = (struct bx_str){NULL, 0};
    *tool = pattern;
    if (open == (size_t)-1 || pattern.p[pattern.n - 1] != ')')
        return;
    *tool = bx_str_trim(bx_str_slice(pattern, 0, open));
    *inside = bx_str_trim(bx_str_slice(pattern, open + 1, pattern.n - open - 2));
}

static bool tool_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.-*", c));
}

int bx_narrow_check_pattern(struct bx_str pattern, struct bx_err *err) {
    struct bx_str tool, inside;
    if (!pattern.n || memchr(pattern.p, 0, pattern.n))
        return bx_fail(err, BX_ERR_INVALID, "a pattern for tools must not be empty");
    split(pattern, &tool, &inside);
    for (size_t i = 0; i < tool.n; i++)
        if (!tool_char(tool.p[i]))
            return bx_fail(err, BX_ERR_INVALID,
                           "\"%.*s\" is no pattern for tools: a name like read or mcp__*, or with "
                           "what its command or path must fit, like bash(git *)",
                           (int)BX_MIN(pattern.n, (size_t)80), pattern.p);
    if (!tool.n || (inside.p && !inside.n))
        return bx_fail(err, BX_ERR_INVALID, "\"%.*s\": the parentheses or the name are empty",
                       (int)BX_MIN(pattern.n, (size_t)80), pattern.p);
    return 0;
}

static bool paths_fit(const char *pattern, const struct bx_permit_request *req) {
    for (size_t i = 0; i < req->path_count; i++)
        if (!bx_glob_path(pattern, req->paths[i]))
            return false;
    return req->path_count > 0 && !req->paths_outside_root;
}

static bool hosts_fit(const char *entry, const struct bx_permit_request *req) {
    struct bx_policy_config config = {.allowed_hosts = &entry, .allowed_host_count = 1};
    struct bx_policy *policy = NULL;
    bool fit = req->host_count > 0 && bx_policy_new(&config, &policy, NULL) == 0;
    for (size_t i = 0; fit && i < req->host_count; i++)
        fit = bx_policy_check_entry(policy, req->hosts[i], NULL) == 0;
    bx_policy_free(policy);
    return fit;
}

/* Commands are collected: each part of a line may fit another pattern. */
static bool tools_fit(const struct bx_narrow *n, const struct bx_permit_request *req) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    const char *commands[PATTERNS_MAX];
    size_t count = 0;
    for (size_t i = 0; n->tools[i]; i++) {
        struct bx_str tool, inside;
        split(bx_str_trim(bx_str(n->tools[i])), &tool, &inside);
        if (!bx_glob_text(bx_arena_str(&arena, tool), bx_str(req->tool)))
            continue;
        if (!inside.p)
            return true;
        const char *pattern = bx_arena_str(&arena, inside);
        if (req->command && count < PATTERNS_MAX)
            commands[count++] = pattern;
        else if (!req->command &&
                 (strstr(pattern, "://") ? hosts_fit(pattern, req) : paths_fit(pattern, req)))
            return true;
    }
    return count > 0 && bx_rule_command_fits(commands, count, req->command);
}

const struct bx_narrow *bx_narrow_missed(const struct bx_permit_request *req, enum bx_level level) {
    if (req->level == BX_LEVEL_NONE || bx_unwired("narrow"))
        return NULL;
    for (size_t i = 0; i < req->narrow_count; i++) {
        const struct bx_narrow *n = &req->narrows[i];
        if (level > n->max_level || (n->tools && !tools_fit(n, req)))
            return n;
    }
    return NULL;
}

void bx_narrow_describe(const struct bx_narrow *n, enum bx_level level,
                        char ret[static BX_NARROW_TEXT_MAX]) {
    size_t at = 0;
    if (level > n->max_level) {
        snprintf(ret, BX_NARROW_TEXT_MAX, "needs level %s, and %.100s allows up to %s",
                 bx_level_name(level), n->by, bx_level_name(n->max_level));
        return;
    }
    at += (size_t)snprintf(ret, BX_NARROW_TEXT_MAX, "is not among what %.100s allows: ", n->by);
    for (size_t i = 0; n->tools[i] && at < BX_NARROW_TEXT_MAX; i++)
        at +=
            (size_t)snprintf(ret + at, BX_NARROW_TEXT_MAX - at, "%s%s", i ? ", " : "", n->tools[i]);
    if (!n->tools[0])
        snprintf(ret + at, BX_NARROW_TEXT_MAX - at, "no tool");
    ret[bx_utf8_valid_prefix(bx_str(ret))] = 0;
}
