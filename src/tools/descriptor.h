/* tools/descriptor.h: what a guest says about itself (`--describe`), or a <name>.json beside it says for it.
 *
 *     {"name","version","description","permission_level","input_schema","example"?,"path_members"?,"command_member"?,
 *      "timeout_member"?,"output"?:"streams",
 *      "wants"?:{"hosts":[…],"paths":"read"|"write","limits":{…}},"input"?:"json"|"argv"|"stdin",
 *      "file_effect"?:"sees"|"changes"|"replaces"}
 * path_members names the members that hold paths (a list or comma-separated); without it those called file_path, path, paths
 * and cwd are meant. file_effect: tools/seen.h. Immutable once parsed, any thread. */
#ifndef BX_TOOLS_DESCRIPTOR_H
#define BX_TOOLS_DESCRIPTOR_H

#include "base/level.h"
#include "box/limits.h"
#include "tools/seen.h"

enum bx_tool_input { BX_INPUT_JSON, BX_INPUT_ARGV, BX_INPUT_STDIN }; /* stdin: the member "input", or the only string */

struct bx_descriptor {
    struct bx_doc *doc;
    const char *name, *version, *description;
    enum bx_level level;
    enum bx_tool_input input;
    enum bx_file_effect file_effect;
    const struct bx_val *schema;
    const struct bx_val *wants;  /* may be absent */
    char *schema_text, *example, *path_members;
    const char *command_member, *timeout_member; /* timeout_member: milliseconds, for output in streams */
    bool streams;                                /* the answer is what is printed (shell.h) */
};
/* Errors say what is wrong with which member. fallback_name: for a descriptor without a name; may be NULL. */
int bx_descriptor_parse(struct bx_str text, const char *fallback_name, struct bx_descriptor *ret, struct bx_err *err);
void bx_descriptor_deinit(struct bx_descriptor *d);

#endif
