/* mcp/params.h: arguments that a server wants as headers, too (x-mcp-header of 2026-07-28, over HTTP). Pure, any thread. */
#ifndef BX_MCP_PARAMS_H
#define BX_MCP_PARAMS_H

#include "base/arena.h"
#include "mcp/wire.h"

#define BX_MCP_PARAMS_MAX 16

/* BX_ERR_INVALID: an annotation that the standard forbids (no token, twice, on what is no text, whole number or truth value, or
 * not reached by properties alone): such a tool is not used over HTTP. */
int bx_mcp_params_check(const struct bx_val *schema, struct bx_err *err);
/* The headers of this call, in the arena. Returns how many. */
size_t bx_mcp_params(const struct bx_val *schema, const struct bx_val *input, struct bx_arena *arena,
                     struct bx_mcp_param ret[static BX_MCP_PARAMS_MAX]);

#endif
