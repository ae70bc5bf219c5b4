/* skills/members.h: the members of a front matter, also of one that is only almost YAML. Any thread, pure.
 *
 * Files that people wrote for other programs often hold a description with a colon in it, which YAML takes for a mapping. Where
 * the text is not YAML, the members that the caller knows are read line by line: "name: anything", at the start of a line. */
#ifndef BX_SKILLS_MEMBERS_H
#define BX_SKILLS_MEMBERS_H

#include "json/json.h"

/* yaml: what stands between the fences (bx_front_end). known: NULL ends it. *ret: an object. *ret_odd: what was not YAML, the
 * caller's; NULL: it was. An error: nothing of it can be read. */
int bx_front_members(struct bx_str yaml, const char *const *known, struct bx_doc **ret, char **ret_odd, struct bx_err *err);

/* One line of it: no control characters, no more than one space between words. The caller's. */
char *bx_front_line(struct bx_str s);

#endif
