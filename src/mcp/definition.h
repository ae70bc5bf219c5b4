/* mcp/definition.h: what a server says of one of its tools, made harmless, and with a digest.
 *
 * Pure, any thread. Descriptions are a stranger's text that a model will read: they are bounded and cleaned, and their digest is
 * what the user approves. */
#ifndef BX_MCP_DEFINITION_H
#define BX_MCP_DEFINITION_H

#include "base/sha256.h"
#include "json/json.h"

#define BX_MCP_DESCRIPTION_MAX (4 * BX_KIB)
#define BX_MCP_SCHEMA_MAX      (64 * BX_KIB)
#define BX_MCP_TOOLS_MAX       256

struct bx_mcp_definition {
    struct bx_doc *doc; /* {"name","title"?,"description","inputSchema","readOnly"?,"destructive"?} */
    char digest[BX_SHA256_HEX + 1];
};
/* From an item of tools/list. BX_ERR_INVALID: it has no usable name. A schema that our checker cannot use (too large, broken, no
 * object) becomes "any object", and the description says so. */
int bx_mcp_definition_make(const struct bx_val *item, struct bx_mcp_definition *ret, struct bx_err *err);
/* From the text of doc, as a state file keeps it. */
int bx_mcp_definition_read(const struct bx_val *kept, struct bx_mcp_definition *ret, struct bx_err *err);
void bx_mcp_definition_copy(const struct bx_mcp_definition *from, struct bx_mcp_definition *ret);
void bx_mcp_definition_deinit(struct bx_mcp_definition *d);
const char *bx_mcp_definition_name(const struct bx_mcp_definition *d);

/* mcp__<server>__<tool> in the alphabet [A-Za-z0-9_-] and at most 64 bytes, as the providers of models want it; out has 65. What
 * does not fit is cut and gets 8 digits of the digest of both names. force: with the digits in any case, where two names
 * became the same. */
void bx_mcp_tool_name(const char *server, const char *tool, bool force, char out[static 65]);

#endif
