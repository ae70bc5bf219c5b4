/* tools/names.h: what the files of other programs call our tools.
 *
 * Pure, any thread. Agent files and skills that were written for another agent say Read, Bash or WebFetch; here the same
 * tools are read, bash and web_fetch. */
#ifndef BX_TOOLS_NAMES_H
#define BX_TOOLS_NAMES_H

#include "base/base.h"

/* One pattern of a list of tools in our words: "Bash(git:*)" → "bash(git *)", "MultiEdit" → "edit"; what needs no change is
 * copied. The caller's. */
char *bx_tool_pattern_own(struct bx_str pattern);
/* The tool's name in a pattern: what stands before its parentheses, without white space. A view. */
struct bx_str bx_tool_pattern_name(struct bx_str pattern);

#endif
