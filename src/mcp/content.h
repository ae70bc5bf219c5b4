/* mcp/content.h: what a server gave as a tool's result, as our result. Pure, any thread. */
#ifndef BX_MCP_CONTENT_H
#define BX_MCP_CONTENT_H

#include "tools/tool.h"

/* Text, images and resources become blocks; audio and links are named; structuredContent goes to the metadata, and is the text
 * where there is none. max_bytes: of all content; beyond it the result is an error with the limit "response". */
void bx_mcp_content_result(const char *tool, const struct bx_val *result, size_t max_bytes, struct bx_tool_result *ret);
/* The same for resources/read ("contents") and the messages of prompts/get. */
void bx_mcp_content_resource(const char *tool, const struct bx_val *result, size_t max_bytes, struct bx_tool_result *ret);

#endif
