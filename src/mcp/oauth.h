/* mcp/oauth.h: signing in at an HTTP server: OAuth 2.1 with PKCE.
 *
 * Any thread; blocks on the network. The way: the server's protected resource metadata (RFC 9728) names the authorization
 * server, whose metadata (RFC 8414, or OpenID's) names its endpoints; we register ourselves there (RFC 7591) unless the entry
 * holds "oauth": {"client_id", "client_secret"?, "scope"?}; the browser brings a code to our loopback address; the code becomes
 * tokens, for this server only (RFC 8707). Tokens are in auth.json under "mcp.<name>", bound to the server's URL: an entry
 * that names another URL gets none of them. */
#ifndef BX_MCP_OAUTH_H
#define BX_MCP_OAUTH_H

#include "base/base.h"

struct bx_mcp;
struct bx_mcp_server;
struct bx_mcp_logins;

struct bx_mcp_logins *bx_mcp_logins_new(void);
void bx_mcp_logins_free(struct bx_mcp_logins *l);
/* The access token, refreshed when it is about to end; NULL: there is none. The caller's. */
char *bx_mcp_oauth_token(struct bx_mcp *m, struct bx_mcp_server *s);
bool bx_mcp_oauth_signed_in(struct bx_mcp *m, struct bx_mcp_server *s);

#endif
