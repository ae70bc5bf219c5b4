/* permit/rule.h: does a rule speak of this call? Pure. */
#ifndef BX_PERMIT_RULE_H
#define BX_PERMIT_RULE_H

#include "permit/permit.h"

/* A rule that denies or asks matches when one of the call's paths, hosts or parts of its command does; a rule that allows
 * must match all of them. An expired or used-up rule never matches. */
bool bx_rule_matches(const struct bx_rule *rule, const struct bx_permit_request *req);

#endif
