/* tools/box_tool.h: tools that run in the sandbox: the embedded guests, .wasm and .js files.
 *
 * Any thread. Input goes in as one JSON object on standard input (files may ask for argv), the answer comes back as one
 * JSON object {"content","is_error","metadata"} or as plain text. */
#ifndef BX_TOOLS_BOX_TOOL_H
#define BX_TOOLS_BOX_TOOL_H

#include "tools/embedded.h"
#include "tools/tool.h"

struct bx_box;
struct bx_box_result;
struct bx_outbound;

/* outbound answers the calls' requests to the network under their grants; NULL: they have none. */
int bx_box_tool_embedded(struct bx_box *box, struct bx_outbound *outbound, const struct bx_embedded_tool *e,
                         struct bx_tool **ret, struct bx_err *err);
/* A .wasm or .js file. Described by <name>.json beside it where there is one, else by its own --describe (WebAssembly) or its
 * export `descriptor` (JavaScript), asked under tight limits and without folders. */
int bx_box_tool_load(struct bx_box *box, struct bx_outbound *outbound, const char *path, struct bx_tool **ret,
                     struct bx_err *err);

/* The default of tools from outside, and what the descriptor wishes: it can only lower. */
int bx_box_tool_wish(const struct bx_tool *t, struct bx_limits *limits, struct bx_err *err);

/* What the guest printed and how it ended, as a result. Pure. An error's text ends with the host's own sentence about the
 * limit that fired, or, where there is none, with `network`: why its last request failed, "" if none did. */
void bx_box_tool_result(const struct bx_box_result *r, const char *network, struct bx_tool_result *ret);

#endif
