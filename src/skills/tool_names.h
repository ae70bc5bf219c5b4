/* skills/tool_names.h: the names that other agents use for tools, as ours. Pure, any thread.
 *
 * A skill that was written elsewhere says Read, Bash(git:*) or file-write; the permission check knows read, bash(git *) and
 * write. What is in no table stays as it is: it may be a tool of an MCP server or of the user's own. */
#ifndef BX_SKILLS_TOOL_NAMES_H
#define BX_SKILLS_TOOL_NAMES_H

#include "base/base.h"

/* Cuts the next pattern off a list like "Read, Bash(git diff *) Grep": white space and commas separate, not inside of
 * parentheses. False when nothing is left. */
bool bx_tool_pattern_next(struct bx_str *rest, struct bx_str *ret);

/* In our names and our form, the caller's: "Bash(git:*)" is "bash(git *)"; NULL, and *ret_problem says why in words (static),
 * when it is no pattern. */
char *bx_tool_pattern_ours(struct bx_str pattern, const char **ret_problem);

#endif
