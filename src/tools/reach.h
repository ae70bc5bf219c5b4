/* tools/reach.h: what a call would touch, read off its input; and the input as a guest wants it. Any thread, pure but for
 * looking at links on the disk (calls that write). */
#ifndef BX_TOOLS_REACH_H
#define BX_TOOLS_REACH_H

#include "base/arena.h"
#include "tools/tool.h"

/* For the permission check; everything in it lives in the arena. */
struct bx_call_reach {
    const char **paths;       /* guest paths, normal and absolute */
    size_t path_count;
    bool outside_root;        /* one of them leads out of the root and the mounts: */
    const char *outside_path; /* the first that does, or NULL */
    const char *guarded_path; /* one of them that the user's own programs obey (.git/…, .envrc …), calls that write only */
    const char **hosts;       /* of members that hold a URL: as bx_policy_entry writes them */
    size_t host_count;
    const char *command;      /* a shell command, or NULL */
};
void bx_tool_reach(const struct bx_tool *t, const struct bx_val *input, const struct bx_grant *grant, struct bx_arena *arena,
                   struct bx_call_reach *ret);

/* Writes the input with every path as a guest path. input is an object. */
void bx_tool_map_input(const struct bx_tool *t, const struct bx_val *input, const struct bx_grant *grant,
                       struct bx_arena *arena, struct bx_buf *out);

#endif
