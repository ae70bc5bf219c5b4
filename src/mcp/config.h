/* mcp/config.h: `mcpServers` as everyone writes it.
 *
 *     {"mcpServers":{"name":{"command":"npx","args":["-y","x"],"env":{"A":"b"},"cwd":"dir",
 *                            "type":"stdio"|"http"|"sse","url":"https://…","headers":{"X":"y"},
 *                            "disabled":false,"timeout":60,"trusted":false,"level":"execute"}}}
 * In every text ${VAR} and ${VAR:-default} stand for the server's environment, ${secret:NAME} for a secret of auth.json. They
 * are filled in when the server is started and never before, so that no state, message or digest holds a secret. timeout is
 * seconds (a number above 1000: milliseconds, as some programs write it). Pure but for the expansion; any thread. */
#ifndef BX_MCP_CONFIG_H
#define BX_MCP_CONFIG_H

#include "base/level.h"
#include "base/sha256.h"
#include "json/json.h"

#define BX_MCP_SERVERS_MAX 64

enum bx_mcp_transport { BX_MCP_STDIO, BX_MCP_HTTP, BX_MCP_SSE };
struct bx_mcp_server_config {
    char *name;   /* as in the file */
    bool from_root; /* of .mcp.json: whoever made the folder wrote it, so it waits for a yes */
    struct bx_doc *doc;      /* the entry as written */
    enum bx_mcp_transport transport;
    bool disabled, trusted;  /* trusted: its word "read only" counts */
    enum bx_level level;
    uint64_t timeout_ms;     /* 0: the time limit of the tools */
    char digest[BX_SHA256_HEX + 1];
};
/* One entry. BX_ERR_INVALID says what is wrong with which member. */
int bx_mcp_server_config_parse(struct bx_str name, const struct bx_val *entry, bool from_root,
                               struct bx_mcp_server_config *ret, struct bx_err *err);
void bx_mcp_server_config_deinit(struct bx_mcp_server_config *c);
/* "npx -y x" or the URL, as written: for people. */
void bx_mcp_server_config_what(const struct bx_mcp_server_config *c, struct bx_buf *out);

/* text with its ${…} filled in. BX_ERR_NOTFOUND names the variable or secret that is missing. */
typedef char *bx_mcp_secret_fn(void *user, const char *name); /* the caller's, NULL: there is none */
int bx_mcp_expand(struct bx_str text, bx_mcp_secret_fn *secret, void *user, struct bx_buf *out, struct bx_err *err);

#endif
