/* base/unwire.h: switching one control off, in test builds only (-DBX_UNWIRE), so that a test can show that it would notice.
 *
 * Any thread. There BX_UNWIRE=name,name in the environment names the controls; in every other build nothing can be
 * switched off: bx_unwired is the constant false and the compiler drops the branch. A worker, whose environment is empty,
 * is told by its server. The names by room:
 *   box     time cpu fuel memory stack table instances output processes written readonly kill cancel own_worker command_deny, the parts of the wall
 *   base    mount_links
 *   http, api  host_check origin_check cookie_check body_limit
 *   fetch   address_check host_policy
 *   store   redact import_grants
 *   tools   stale guarded shell_mark permit
 *   model   model_landlock model_seccomp model_powers await_window
 *   skills  skills_beneath skill_trust archive_names
 *   git     git_wall git_powers git_config git_hooks
 *   permit  rule_digest shell_parts narrow
 *   mcp     mcp_approval mcp_trust mcp_shown
 *   agent   mode_recheck defer_tools same_tools network_question
 *           budget resume compaction pinned_facts prefix_guard nested_instructions project_beneath
 *           executor_subset executor_depth executor_queue planner
 *           agents_beneath
 */
#ifndef BX_BASE_UNWIRE_H
#define BX_BASE_UNWIRE_H

#include "base/base.h"

#ifdef BX_UNWIRE
bool bx_unwired(const char *name);
void bx_unwire_set(struct bx_str list); /* in a worker, whose environment is empty */
const char *bx_unwire_list(void);       /* in the server: from the environment */
#else
static inline bool bx_unwired(const char *name) {
    (void)name;
    return false;
}
static inline void bx_unwire_set(struct bx_str list) {
    (void)list;
}
static inline const char *bx_unwire_list(void) {
    return "";
}
#endif

#endif
