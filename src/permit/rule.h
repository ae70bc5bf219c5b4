/* permit/rule.h: does a rule speak of this call? Pure. */
#ifndef BX_PERMIT_RULE_H
#define BX_PERMIT_RULE_H

#include "permit/permit.h"

/* A rule that denies or asks matches when one of the call's paths, hosts or parts of its command does; a rule that allows
 * must match all of them. An expired or used-up rule never matches. */
/* And speaks of this tool. digest: which one of that name (permit.h). */
bool bx_rule_is_live(const struct bx_rule *rule, const char *tool, const char *digest, int64_t now_ms);
bool bx_rule_names_guarded(const struct bx_rule *rule, const char *guarded); /* it was meant: named, or its hidden folder */
/* Does it allow changes of this guarded path, by name? */
bool bx_rule_grants_path(const struct bx_rule *rule, const char *tool, const char *digest, const char *guarded,
                         int64_t now_ms);
/* Does every command of the line fit one of the patterns, in the way of a rule that allows? */
bool bx_rule_command_fits(const char *const *patterns, size_t count, const char *command);
/* The rule speaks of commands of this tool, and what the line runs cannot be told before it runs. */
bool bx_rule_cannot_tell(const struct bx_rule *rule, const struct bx_permit_request *req);
/* Must what a guest of the call starts be held against its command, too? A rule that asks no longer counts once the call
 * was asked for. One that denies has no count that a start could use up. */
bool bx_rule_bars(const struct bx_rule *rule, const struct bx_permit_request *req, bool was_asked);
bool bx_rule_matches(const struct bx_rule *rule, const struct bx_permit_request *req);

#endif
