/* permit/permit.h: the one permission check. Pure: no I/O, no clock of its own, no state; tested as a table.
 *
 * Every tool call of every kind passes through bx_permit_evaluate before anything runs. The order: level forbidden → deny;
 * narrowings; rules (deny before ask before allow; expired or used-up ones do not count); guarded paths and paths outside the root;
 * the table of modes (below). Headless: what would ask is denied with a reason, unless --yes names the level.
 *
 *   mode            read_only       write           execute        dangerous
 *   plan            allow in root   deny            deny           deny
 *   default         allow in root   ask             ask            ask
 *   accept-edits    allow           allow in root   ask            ask
 *   auto            allow           allow in root   allow in box   ask
 *   bypass          allow           allow           allow          ask
 * A call that leaves the box (its input names a host that nothing has granted yet) asks wherever this table allows, but in
 * bypass; in plan it is denied. Only a grant of that host lifts this: no rule without a host, no --yes LEVEL.
 * Level none is allowed in every mode, and by every narrowing: it touches nothing; forbidden in none. A rule that allows lifts an `ask`, never a `deny` of the mode (plan
 * stays plan), never counts for a path that leads outside the root, and counts for a guarded path only when it names it. */
#ifndef BX_PERMIT_PERMIT_H
#define BX_PERMIT_PERMIT_H

#include "base/level.h"
#include "json/json.h"

enum bx_mode { BX_MODE_PLAN, BX_MODE_DEFAULT, BX_MODE_ACCEPT_EDITS, BX_MODE_AUTO, BX_MODE_BYPASS };
const char *bx_mode_name(enum bx_mode mode);                  /* "accept-edits" … */
bool bx_mode_parse(struct bx_str s, enum bx_mode *ret);

enum bx_verdict { BX_ALLOW, BX_ASK, BX_DENY };
enum bx_scope { BX_SCOPE_ONCE, BX_SCOPE_SESSION, BX_SCOPE_WORKSPACE };

struct bx_rule {
    char *id;
    char *tool;          /* exact name, or with '*' */
    char *path;          /* glob over guest paths, e.g. "/src" followed by "**"; NULL = any */
    char *host;          /* as in allowed_outbound_hosts, or a bare host (any scheme, any port); NULL = any */
    char *command;       /* prefix pattern with '*'; NULL = any */
    char *digest;        /* allow only: counts while the tool is the one it was given to; NULL = whoever has the name */
    char *limits;        /* JSON object: what the tool is given beside its settings. Such a rule permits nothing; or NULL */
    struct bx_policy *hosts; /* of host */
    enum bx_verdict verdict;
    enum bx_scope scope;
    int64_t expires_at_ms; /* 0 = never */
    int64_t calls_left;    /* -1 = without count */
};

/* What a skill, an agent's definition, the planner's switch or the one who started an executor leaves of what the session may
 * do. A call must fit every narrowing, else it is denied, by "narrow": they take away and never give. Tools of level none
 * touch nothing and always fit. */
struct bx_narrow {
    const char *by;           /* "skill pdf", "agent explore", "planner": for the reason */
    const char *const *tools; /* NULL ended; NULL = any. "read", "mcp__*", or with what all commands, hosts (where there is
                                 "://") or paths of the call must fit: "bash(git *)", "write(/docs/" and "**)" */
    enum bx_level max_level;  /* BX_LEVEL_DANGEROUS = any */
};
/* Is it written as it should be? BX_ERR_INVALID says what is wrong. */
int bx_narrow_check_pattern(struct bx_str pattern, struct bx_err *err);

struct bx_permit_request {
    const char *tool;
    const char *digest;           /* which tool of that name it is: its digest, "built in"; NULL: unknown, no rule with a digest counts */
    enum bx_level level;
    enum bx_mode mode;
    bool in_box;                  /* runs in the sandbox */
    const char *const *paths;     /* guest paths that the input names, normal and absolute */
    size_t path_count;
    bool paths_outside_root;      /* one of them does not resolve below the root or a mount */
    const char *guarded_path;     /* the guarded path that a write would touch, or NULL: raises the level to dangerous */
    const char *const *hosts;     /* "scheme://host[:port]" that the input names (bx_policy_entry) */
    size_t host_count;
    bool leaves_box;              /* one of them is not granted yet, neither by settings nor by a rule */
    const char *tool_settings;    /* what the settings' "limits" would say to grant it, for the reason; or NULL */
    const char *command;          /* or NULL */
    bool headless;
    unsigned yes_levels;          /* bit (1u << level): --yes */
    int64_t now_ms;
    const struct bx_rule *rules;
    size_t rule_count;
    const struct bx_narrow *narrows;
    size_t narrow_count;
};
struct bx_decision {
    enum bx_verdict verdict;
    const char *by;               /* "level" "narrow" "rule" "mode" "guarded" "root" "network" "headless" "flag" */
    const struct bx_rule *rule;   /* view into the request, or NULL */
    char reason[480];             /* for the model and the person: what, why, what would allow it */
};
void bx_permit_evaluate(const struct bx_permit_request *req, struct bx_decision *ret);

/* One sentence of what a yes would make possible: "Let `write` change /src/a.c, inside the sandbox, this once". */
void bx_permit_describe(const struct bx_permit_request *req, struct bx_buf *out);

/* Rules as JSON ({id,tool,path,host,command,digest,limits,verdict,scope,expires_at,max_calls}), for settings.json and sessions. */
int bx_rules_parse(const struct bx_val *arr, struct bx_rule **ret_rules, size_t *ret_count, struct bx_err *err);
void bx_rules_free(struct bx_rule *rules, size_t count);

#endif
