/* tools/native.h: tools that are C functions of the server itself: one file each, one constant row each.
 *
 * Only for what needs no network, no program and no file of the user's choice; everything else is a box tool. What such a tool
 * needs of the run that called it (a question to the user, the mode, a line in the log) it gets through ctx->host
 * (tools/host.h). */
#ifndef BX_TOOLS_NATIVE_H
#define BX_TOOLS_NATIVE_H

#include "tools/tool.h"

struct bx_native_spec {
    const char *name, *description;
    enum bx_level level;
    const char *schema;  /* JSON text */
    const char *example; /* JSON text */
    const char *path_members; /* as in struct bx_tool, or NULL */
    int (*execute)(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                   struct bx_tool_result *ret, struct bx_err *err);
};
extern const struct bx_native_spec bx_native_agent, bx_native_agent_output, bx_native_agent_send, bx_native_agent_stop,
    bx_native_ask_user, bx_native_brief, bx_native_enter_plan, bx_native_exit_plan, bx_native_recall, bx_native_remember,
    bx_native_skill, bx_native_sleep, bx_native_todo, bx_native_tool_search, bx_native_worktree;

struct bx_tool *bx_native_tool_new(const struct bx_native_spec *spec);

#endif
