/* tools/skill_tools.h: do the tools that a skill names exist? Any thread. */
#ifndef BX_TOOLS_SKILL_TOOLS_H
#define BX_TOOLS_SKILL_TOOLS_H

#include "skills/meta.h"
#include "tools/registry.h"

/* A sentence without a full stop for each pattern that fits no tool there is now, separated by "; ". A pattern of an MCP
 * server that is not there is one, too. */
void bx_skill_check_tools(struct bx_registry *r, const struct bx_skill_meta *m, struct bx_buf *out);

#endif
